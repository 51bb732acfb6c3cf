"""Batches shared among threads, and word embeddings that are left out of training."""

import numpy as np
import pytest
import torch
import transformers as hf
from test_prediction import ARCHITECTURES, COMMON

from helpers.gradients import LEAST_TOKENS, shared_backward
from helpers.losses import focal_loss
from helpers.training import _draws, _plain_loss, _set_dropout
from helpers.vocabulary import only_tokens_read


@pytest.fixture
def two_threads():
    """Let torch use two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def network(name, dropout=0.0):
    """Make a small random network of an architecture, in training."""
    torch.manual_seed(0)
    model = hf.AutoModelForSequenceClassification.from_config(ARCHITECTURES[name][0]())
    _set_dropout(model, dropout)
    return model.train()


def texts(n, shortest=4, longest=24, left=False, padding=0):
    """Make a batch of token numbers of growing length, padded, with labels of two kinds."""
    rng = np.random.default_rng(0)
    lengths = np.linspace(shortest, longest, n).astype(int)
    ids = np.full((n, longest), padding)
    mask = np.zeros((n, longest), dtype=int)
    for row, length in enumerate(lengths):
        place = slice(longest - length, None) if left else slice(length)
        ids[row, place] = rng.integers(10, 60, length)
        mask[row, place] = 1
    batch = {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}
    return batch, torch.tensor(rng.integers(0, 2, n)), torch.tensor(rng.random((n, 2))).round()


def gradients(model, act):
    """Give the loss and all gradients of one step."""
    model.zero_grad()
    value = act()
    return value.item(), {
        name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None
    }


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_shared_batch_has_the_gradients_of_a_whole_one(name, two_threads):
    """Loss and gradients are those of one pass, whatever the architecture, and come out again."""
    model = network(name)
    config = model.config
    batch, labels, _ = texts(10, padding=config.pad_token_id or 0, left=name == "XLNet")
    if _draws(model, batch):
        pytest.skip("draws random numbers without its dropout layers, and so is never shared")

    def whole():
        value = _plain_loss(model(**batch).logits, labels)
        value.backward()
        return value

    loss, expected = gradients(model, whole)
    shared, got = gradients(model, lambda: shared_backward(model, batch, labels, _plain_loss))
    _, again = gradients(model, lambda: shared_backward(model, batch, labels, _plain_loss))
    assert shared == pytest.approx(loss, rel=1e-5)
    assert got.keys() == expected.keys()
    largest = max(g.abs().max().item() for g in expected.values())
    for key, gradient in expected.items():
        assert torch.allclose(got[key], gradient, rtol=1e-3, atol=2e-5 * largest), key
        assert torch.equal(got[key], again[key])


@pytest.mark.parametrize(
    "loss",
    [
        _plain_loss,
        focal_loss,
        # divides by what only the whole batch knows
        lambda logits, labels: (logits - labels).square().sum() / (labels.sum() + 1),
    ],
)
def test_the_loss_sees_all_rows_at_once(loss, two_threads):
    """A loss that is no mean over rows has the gradients of one pass, too."""
    model = network("BERT")
    batch, _, labels = texts(8)
    labels = labels.float()
    whole, expected = gradients(model, lambda: backward(loss(model(**batch).logits, labels)))
    shared, got = gradients(model, lambda: shared_backward(model, batch, labels, loss))
    assert shared == pytest.approx(whole, rel=1e-5)
    for key, gradient in expected.items():
        assert torch.allclose(got[key], gradient, rtol=1e-3, atol=1e-5), key


def backward(value):
    """Go back, and give the value."""
    value.backward()
    return value


def test_in_bf16_gradients_stay_within_its_rounding(two_threads):
    """Mixed precision works on each thread; the loss is computed in fp32."""
    model = network("BERT")
    batch, labels, _ = texts(10)

    def half(**inputs):
        with torch.autocast("cpu", torch.bfloat16):
            logits = plain(**inputs).logits
        return hf.modeling_outputs.SequenceClassifierOutput(logits=logits.float())

    plain = model.forward
    whole, expected = gradients(model, lambda: backward(_plain_loss(half(**batch).logits, labels)))
    model.forward = half
    shared, got = gradients(model, lambda: shared_backward(model, batch, labels, _plain_loss))
    assert shared == pytest.approx(whole, rel=1e-2)
    for key, gradient in expected.items():
        assert (got[key] - gradient).norm() <= 0.05 * gradient.norm() + 1e-3, key


def test_a_small_batch_is_not_shared(two_threads):
    """Below twice the least number of tokens a part, nothing is done."""
    model = network("BERT")
    batch, labels, _ = texts(2, longest=LEAST_TOKENS // 2)
    assert shared_backward(model, batch, labels, _plain_loss) is None
    assert all(p.grad is None for p in model.parameters())


def test_dropout_is_noticed_and_leaves_the_random_numbers_as_they_were():
    """A network that draws random numbers is told from one that does not."""
    batch, _, _ = texts(2)
    before = torch.get_rng_state()
    assert not _draws(network("BERT"), batch)
    model = network("BERT", dropout=0.1)
    before = torch.get_rng_state()
    assert _draws(model, batch)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_only_the_embeddings_that_were_read_are_trained(name):
    """Logits are the same meanwhile; rows that were read move; all others keep every bit."""
    model = network(name)
    batch, labels, _ = texts(6, padding=model.config.pad_token_id or 0, left=name == "XLNet")
    model.eval()
    table = model.get_input_embeddings()
    before = table.weight.detach().clone()
    with torch.no_grad():
        expected = model(**batch).logits
    read = batch["input_ids"].unique()
    with only_tokens_read(model, [batch["input_ids"].flatten().numpy()]):
        assert model.get_input_embeddings().weight.shape == (len(read), before.shape[1])
        assert torch.equal(model(**batch).logits, expected)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        _plain_loss(model(**batch).logits, labels).backward()
        optimizer.step()
        with pytest.raises(IndexError):
            model(input_ids=torch.tensor([[199]]), attention_mask=torch.tensor([[1]]))
    assert model.get_input_embeddings() is table
    other = torch.ones(len(before), dtype=torch.bool)
    other[read] = False
    assert torch.equal(table.weight[other], before[other])
    assert (table.weight[read] != before[read]).any()


def test_a_table_that_another_layer_shares_is_left_alone():
    """A tied table stays whole."""
    model = hf.BertForMaskedLM(ARCHITECTURES["BERT"][0]())
    table = model.get_input_embeddings()
    with only_tokens_read(model, [np.arange(3)]):
        assert model.get_input_embeddings() is table


def test_what_was_learned_is_kept_when_training_breaks_off():
    """The whole table is back after an error, too."""
    model = network("BERT")
    table = model.get_input_embeddings()
    with pytest.raises(RuntimeError, match="stop"), only_tokens_read(model, [np.arange(3)]):
        raise RuntimeError("stop")
    assert model.get_input_embeddings() is table


class Summed(torch.nn.Module):
    """Two parameters that are added: autograd gives both one and the same gradient tensor."""

    def __init__(self):
        super().__init__()
        self.one, self.other = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))

    def forward(self, input_ids, attention_mask):
        """Give logits that hang on the texts and the sum."""
        logits = input_ids[:, :2] / 60 + (self.one + self.other)
        return hf.modeling_outputs.SequenceClassifierOutput(logits=logits)


def test_parameters_that_share_a_gradient_do_not_add_to_each_other(two_threads):
    """Parameters that the network adds have the gradients of a whole batch, not twice a part's."""
    model = Summed()
    batch, labels, _ = texts(10)
    _, shared = gradients(model, lambda: shared_backward(model, batch, labels, _plain_loss))

    def whole():
        value = _plain_loss(model(**batch).logits, labels)
        value.backward()
        return value

    _, expected = gradients(model, whole)
    assert expected["one"].abs().max() > 0
    for name, value in expected.items():
        assert torch.allclose(shared[name], value, atol=1e-6), name


def test_padding_that_gets_no_gradient_gets_none_meanwhile():
    """The padding row stays as it is where the whole table would leave it so."""
    model = hf.BertForSequenceClassification(hf.BertConfig(**COMMON, pad_token_id=0)).train()
    table = model.get_input_embeddings()
    assert table.padding_idx == 0
    ids = torch.tensor([[5, 6, 0, 0]])
    with only_tokens_read(model, [ids.flatten().numpy()]):
        model(input_ids=ids).logits.sum().backward()  # without a mask padding is read, too
        gradient = model.get_input_embeddings().weight.grad
        assert (gradient[0] == 0).all() and (gradient[1:] != 0).any()
