"""What a network can read, whatever its architecture, and in which form texts may come."""

import numpy as np
import pandas as pd
import pytest
import torch
import transformers as hf
from datasets import Dataset

from helpers.prediction import (
    check_max_length,
    load_tokenizer,
    longest_input,
    predict_logits,
    predict_logits_and_truncation,
    tokenize,
)

COMMON = {
    "vocab_size": 200,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "num_labels": 2,
    "max_position_embeddings": 40,
}
GPT2 = {"vocab_size": 200, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 40}
XLNET = {"vocab_size": 200, "d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 32}
DISTIL = {"vocab_size": 200, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
MODERN = {"bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2}
MODERN |= {"num_hidden_layers": 2}  # transformers 5.15 makes no config of one layer
LONGFORMER = {**COMMON, "max_position_embeddings": 42, "attention_window": 8, "pad_token_id": 1}
OPT = {"ffn_dim": 32, "word_embed_proj_dim": 16}
DEBERTA = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c"]}
# each with what it can read, and whether one token more is an error
ARCHITECTURES = {
    "BERT": (lambda: hf.BertConfig(**COMMON), 40, True),
    "RoBERTa": (lambda: hf.RobertaConfig(**COMMON), 38, True),
    "XLM-R": (lambda: hf.XLMRobertaConfig(**COMMON), 38, True),
    "MPNet": (lambda: hf.MPNetConfig(**COMMON), 38, True),
    "Longformer": (lambda: hf.LongformerConfig(**LONGFORMER), 40, True),
    "DistilBERT": (lambda: hf.DistilBertConfig(**DISTIL, max_position_embeddings=40), 40, True),
    "ELECTRA": (lambda: hf.ElectraConfig(**COMMON, embedding_size=16), 40, True),
    "DeBERTa-v2, relative": (lambda: hf.DebertaV2Config(**COMMON, **DEBERTA), None, False),
    "DeBERTa-v2, absolute": (lambda: hf.DebertaV2Config(**COMMON), 40, True),
    "ModernBERT": (lambda: hf.ModernBertConfig(**{**COMMON, **MODERN}, pad_token_id=0), 40, False),
    "XLNet": (lambda: hf.XLNetConfig(**XLNET), None, False),
    "GPT-2": (lambda: hf.GPT2Config(**GPT2, pad_token_id=0), 40, True),
    "Llama": (lambda: hf.LlamaConfig(**COMMON, pad_token_id=0), 40, False),
    "OPT": (lambda: hf.OPTConfig(**COMMON, **OPT), 40, True),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_longest_input_is_read_and_one_more_is_not(name):
    """A network reads as many tokens as is said; where that is the end, one more is an error."""
    make, longest, ends = ARCHITECTURES[name]
    model = hf.AutoModelForSequenceClassification.from_config(make()).eval()
    assert longest_input(model) == longest

    def read(n):
        with torch.no_grad():
            ids = torch.arange(n)[None] % 100 + 10
            return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits

    assert read(longest or 100).isfinite().all()
    if ends:
        with pytest.raises((RuntimeError, IndexError)):
            read(longest + 1)
    if longest:
        with pytest.raises(ValueError, match=f"between 3 and the network's {longest}, got 41"):
            check_max_length(model, 41)


@pytest.fixture(scope="module")
def network(tokenizer):
    """A small random network."""
    from conftest import small_model

    with torch.random.fork_rng():
        return small_model()


FORMS = {
    "tuple": tuple,
    "Series": pd.Series,
    "Series with another index": lambda texts: pd.Series(texts, index=range(5, 5 + len(texts))),
    "array": np.array,
    "object array": lambda texts: np.array(texts, dtype=object),
    "column of a data set": lambda texts: Dataset.from_dict({"text": texts})["text"],
    "generator": lambda texts: (text for text in texts),
    "keys": lambda texts: dict.fromkeys(texts).keys() and list(dict.fromkeys(texts)),
}


@pytest.mark.parametrize("form", FORMS)
def test_texts_come_in_any_form_that_has_an_order(network, tokenizer, texts, form):
    """As many rows as texts, the same as for a list."""
    few = texts[:5]
    expected = predict_logits(network, tokenizer, few, dtype="fp32")
    found = predict_logits(network, tokenizer, FORMS[form](few), dtype="fp32")
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"a", "b"}, "strings in an order, as a list, got a set"),
        ({"text": "a", "text_pair": "b"}, "got a dict"),
        (3, "got a int"),
        (["a", float("nan")], "got float at place 1"),
    ],
)
def test_texts_without_an_order_are_refused(network, tokenizer, given, words):
    """A set, a mapping and what is no text are named."""
    with pytest.raises(ValueError, match=words):
        predict_logits(network, tokenizer, given)


def test_truncated_texts_are_told(network, tokenizer):
    """Exactly the texts that lose their end are marked; at the limit none does."""
    few = ["water", "water " * 6, "water " * 7]
    z, truncated = predict_logits_and_truncation(
        network, tokenizer, few, max_length=8, dtype="fp32"
    )
    assert truncated.tolist() == [False, False, True] and z.shape == (3, 2)
    with pytest.warns(UserWarning, match="1 of 3 texts were truncated to 8 tokens"):
        predict_logits(network, tokenizer, few, max_length=8, dtype="fp32")


def test_a_long_text_is_no_cause_for_alarm(tokenizer, tmp_path, caplog):
    """Texts are counted whole before they are cut, and transformers says nothing of it."""
    tokenizer.model_max_length = 8
    tokenizer.save_pretrained(tmp_path)
    hf.AutoTokenizer.from_pretrained(tmp_path)(["water " * 20])
    assert "longer than the specified maximum" in caplog.text
    caplog.clear()
    tokenize(load_tokenizer(tmp_path, ["water " * 20]), ["water " * 20], 8)
    assert caplog.text == ""


def test_a_length_that_is_no_number_is_refused(network):
    """A fraction, a word and less than three tokens are refused."""
    for bad in (2, 8.0, "8", True):
        with pytest.raises(ValueError, match="max_length must lie between 3 and"):
            check_max_length(network, bad)


def test_a_relative_of_bert_that_reads_every_token_keeps_its_logits(tokenizer, texts):
    """What is spared in BERT's last layer is spared where the first token alone is read."""
    from conftest import small_model

    class MeanPooled(hf.BertForSequenceClassification):
        def forward(self, input_ids, attention_mask, token_type_ids=None):
            tokens = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
            mask = attention_mask[..., None].to(tokens.dtype)
            mean = (tokens * mask).sum(1) / mask.sum(1)
            return hf.modeling_outputs.SequenceClassifierOutput(logits=self.classifier(mean))

    with torch.random.fork_rng():
        plain = small_model()
    model = MeanPooled(plain.config).eval()
    model.load_state_dict(plain.state_dict())
    found = predict_logits(model, tokenizer, texts[:20], dtype="fp32")
    with torch.no_grad():
        rows = [model(**tokenizer(text, return_tensors="pt")).logits for text in texts[:20]]
    assert np.allclose(found, torch.cat(rows).numpy(), atol=1e-4)
