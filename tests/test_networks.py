"""A network that somebody has fine-tuned gets a rule; all routes then decide alike."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import safetensors
import torch
import transformers as hf
from fastapi.testclient import TestClient
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment, systems, training
from helpers.adoption import adopt
from helpers.data import table_task
from helpers.network_labels import check_order
from helpers.networks import (
    exchange_logits,
    find_encoder,
    find_network,
    is_wide,
    load_network,
    make_batchable,
)
from helpers.scoring import score
from helpers.serving import make_app

WORDS = tuple("abcdefghijklmnopqrstuvwxyz")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
COMMON = {
    "vocab_size": len(SPECIAL) + len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "initializer_range": 0.6,  # logits that spread
    "pad_token_id": 0,
}
RELATIVE = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c"]}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
GPT2 = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
SEP = {"bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
CONFIGS = {
    "BERT": (hf.BertConfig, {}),
    "RoBERTa": (hf.RobertaConfig, {}),
    "XLM-R": (hf.XLMRobertaConfig, {}),
    "DistilBERT": (hf.DistilBertConfig, DISTIL),
    "DeBERTa-v2": (hf.DebertaV2Config, RELATIVE),
    "ModernBERT": (hf.ModernBertConfig, SEP),
    "ELECTRA": (hf.ElectraConfig, {"embedding_size": 16}),
    "GPT-2": (hf.GPT2Config, {**GPT2, "pad_token_id": None}),
    "Llama": (hf.LlamaConfig, {"pad_token_id": None}),
    "XLNet": (hf.XLNetConfig, {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 32}),
}
# each head: names of its logits, its problem_type, and the kind of the rule
HEADS = {
    "two": (("wait", "urgent"), "single_label_classification", "binary"),
    "one": (("urgent",), None, "binary"),
    "many classes": (("bin", "lamp", "tax"), None, "multiclass"),
    "many labels": (("bin", "lamp", "tax"), "multi_label_classification", "multilabel"),
}


def make_tokenizer(*, pads=True):
    """Make a tokenizer of a few words."""
    vocabulary = {word: k for k, word in enumerate((*SPECIAL, *WORDS))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    if pads:
        inner.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    names |= {"pad_token": "[PAD]"} if pads else {"eos_token": "[SEP]"}
    return hf.PreTrainedTokenizerFast(tokenizer_object=inner, **names)


def make_network(folder, architecture="BERT", head="two", *, seed=0, **changes):
    """Save a random network with its tokenizer, as somebody else would."""
    names, problem, _ = HEADS[head]
    make, options = CONFIGS[architecture]
    options = {**COMMON, **options, "problem_type": problem, **changes}
    if architecture == "XLNet":
        del options["max_position_embeddings"]  # it has no end
    options.setdefault("id2label", dict(enumerate(names)))
    options["label2id"] = {name: k for k, name in options["id2label"].items()}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = hf.AutoModelForSequenceClassification.from_config(make(**options)).eval()
    model.save_pretrained(folder)
    make_tokenizer(pads=options["pad_token_id"] is not None).save_pretrained(folder)
    return folder


def make_texts(n=60, seed=0):
    """Draw texts of 1 to 20 words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 21))) for _ in range(n)]


def plain_logits(folder, texts):
    """Compute the logits of each text alone, with transformers and nothing else."""
    model = hf.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        rows = [model(**tokenizer(text, return_tensors="pt")).logits for text in texts]
    return torch.cat(rows).numpy()


def make_table(path, folder, head="two", *, flips=0.1):
    """Label texts as the network would, but for a few, and write them as a table."""
    texts, rng = make_texts(), np.random.default_rng(1)
    z = plain_logits(folder, texts)
    names, _, kind = HEADS[head]
    if kind == "multiclass":
        truth = np.where(rng.random(len(z)) < flips, rng.integers(0, 3, len(z)), z.argmax(axis=1))
        columns = {"label": [names[k] for k in truth]}
    else:
        margin = z if kind == "multilabel" else z[:, -1:] - (z[:, :1] if z.shape[1] == 2 else 0)
        truth = (margin > np.median(margin, axis=0)) ^ (rng.random(margin.shape) < flips)
        columns = (
            {name: truth[:, k].astype(int) for k, name in enumerate(names)}
            if kind == "multilabel"
            else {"label": np.where(truth[:, 0], "urgent", "wait")}
        )
    pd.DataFrame({"text": texts, **columns}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("architecture", CONFIGS)
def test_all_routes_decide_alike(tmp_path, architecture, head):
    """Notebook, pipeline, service and file give the decisions of the rule on the plain logits."""
    network = make_network(tmp_path / "theirs", architecture, head)
    table = make_table(tmp_path / "rows.csv", network, head)
    columns = HEADS[head][0] if HEADS[head][2] == "multilabel" else ("label",)
    half = {"coverage": 0.5} if HEADS[head][2] == "multiclass" else None
    adopted = adopt(network, table, tmp_path / "mine", labels=columns, criterion=half)
    rule, texts = adopted.ready.rule, make_texts(16, seed=2)
    plain = plain_logits(network, texts)
    assert np.allclose(adopted.ready.logits(texts), plain, rtol=1e-4, atol=1e-4)

    key = "labels" if HEADS[head][2] == "multilabel" else "label"
    expected = [record[key] for record in rule.explain(plain)]
    assert len(set(map(str, expected))) > 1
    assert [record[key] for record in adopted.ready.explain(texts)] == expected
    pipe = hf.pipeline(
        "text-classification", model=str(tmp_path / "mine"), trust_remote_code=True, device=-1
    )
    assert [record[key] for record in pipe(texts, batch_size=8)] == expected
    with TestClient(make_app(deployment.load(tmp_path / "mine"))) as client:
        answers = client.post("/classify", json={"texts": texts}).json()["results"]
    assert [record[key] for record in answers] == expected
    pd.DataFrame({"text": texts}).to_json(tmp_path / "in.jsonl", orient="records", lines=True)
    score(tmp_path / "mine", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    written = pd.read_json(tmp_path / "out.jsonl", lines=True)
    assert written[f"decision_{key}"].tolist() == expected


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """Save networks of each head, with a table that fits; tests copy what they change."""
    place = tmp_path_factory.mktemp("networks")
    for head in HEADS:
        network = make_network(place / head, head=head)
        make_table(place / f"{head}.csv", network, head)
    return place


def renamed(source, target, **changes):
    """Copy a network with other entries in its configuration."""
    shutil.copytree(source, target)
    config = json.loads((target / "config.json").read_text(encoding="utf-8"))
    config = {name: value for name, value in {**config, **changes}.items() if value is not None}
    (target / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return target


def relabelled(source, target, words, column="label"):
    """Copy a table with other words for its labels."""
    table = pd.read_csv(source)
    table.assign(**{column: table[column].map(words)}).to_csv(target, index=False)
    return target


def test_names_are_given_to_labels_that_have_none(theirs, tmp_path):
    """--names, 0 and 1, and --positive name the logits of LABEL_0 and LABEL_1 alike."""
    bare = renamed(theirs / "two", tmp_path / "bare", id2label=None, label2id=None)
    places = relabelled(theirs / "two.csv", tmp_path / "places.csv", {"wait": 0, "urgent": 1})
    by_name = adopt(bare, theirs / "two.csv", tmp_path / "a", names=("wait", "urgent"))
    by_place = adopt(bare, places, tmp_path / "b")
    by_positive = adopt(bare, theirs / "two.csv", tmp_path / "c", positive="urgent")
    assert by_name.ready.rule == by_positive.ready.rule
    assert by_name.ready.model.config.id2label == {0: "wait", 1: "urgent"}
    assert by_place.ready.rule.label_names == ("0", "1")
    assert by_place.ready.rule.cut == by_name.ready.rule.cut
    with pytest.raises(ValueError, match=r"no names \('LABEL_0', 'LABEL_1'\): --names gives"):
        adopt(bare, theirs / "two.csv", tmp_path / "d")


def test_a_table_may_hold_the_places_of_the_logits(theirs, tmp_path):
    """0, 1, 2 are the network's labels in their order, and so are no and yes."""
    places = {"bin": 0, "lamp": 1, "tax": 2}
    table = relabelled(theirs / "many classes.csv", tmp_path / "n.csv", places)
    found = adopt(theirs / "many classes", table, tmp_path / "a")
    named = adopt(theirs / "many classes", theirs / "many classes.csv", tmp_path / "b")
    assert found.ready.rule == named.ready.rule
    table = relabelled(theirs / "one.csv", tmp_path / "y.csv", {"wait": "no", "urgent": "yes"})
    assert adopt(theirs / "one", table, tmp_path / "c").ready.rule.label_names == (
        "not urgent",
        "urgent",
    )


def test_the_tables_spelling_is_taken(theirs, tmp_path):
    """URGENT of the network is urgent of the table, in the saved folder too."""
    loud = renamed(
        theirs / "two",
        tmp_path / "loud",
        id2label={"0": "WAIT", "1": "URGENT"},
        label2id={"WAIT": 0, "URGENT": 1},
    )
    found = adopt(loud, theirs / "two.csv", tmp_path / "a")
    assert found.ready.rule.label_names == ("wait", "urgent")
    assert found.ready.model.config.label2id == {"wait": 0, "urgent": 1}


@pytest.mark.parametrize(
    ("architecture", "head"), [*((name, "two") for name in CONFIGS), ("BERT", "one")]
)
def test_either_label_can_be_looked_for(tmp_path, architecture, head):
    """--positive of the first logit turns the head: the logits change places or their sign."""
    network = make_network(tmp_path / "theirs", architecture, head)
    table = make_table(tmp_path / "rows.csv", network, head)
    found = adopt(network, table, tmp_path / "a", positive="wait", criterion={"min_recall": 0.8})
    assert found.ready.rule.label_names == ("urgent", "wait")
    texts = make_texts(8, seed=3)
    plain, turned = plain_logits(network, texts), plain_logits(tmp_path / "a", texts)
    assert np.allclose(turned, plain[:, ::-1] if head == "two" else -plain, atol=1e-5)


def test_a_head_that_cannot_be_turned_is_left_as_it_was(theirs):
    """Without a linear layer at its end the head stays, and the error says what to do."""
    model, tokenizer, _ = load_network(theirs / "two")

    class Odd(torch.nn.Module):
        def forward(self, x):
            return x[:, :2] ** 2

    model.classifier = Odd()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="cannot be turned to the other label: leave --positive"):
        exchange_logits(model, tokenizer, "a b")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("head", "names", "better"),
    [
        ("two", ("urgent", "wait"), "wait,urgent"),
        ("one", ("urgent", "wait"), "wait,urgent"),
    ],
)
def test_names_that_turn_a_network_upside_down_are_refused(theirs, tmp_path, head, names, better):
    """Worse than chance is an error that shows the order that fits; nothing is written."""
    with pytest.raises(
        ValueError, match=rf"upside down: .* under the names .* try --names {better}"
    ):
        adopt(theirs / head, theirs / f"{head}.csv", tmp_path / "a", names=names)
    assert list(tmp_path.iterdir()) == []


def test_one_of_many_upside_down_is_refused():
    """Where more answers are wrong than chance would make, the order that fits is shown."""
    y = np.arange(60) % 3
    with pytest.raises(ValueError, match=r"upside down: 100% of the answers .* --names c,a,b"):
        check_order("multiclass", 4.0 * np.eye(3)[(y + 1) % 3], y, ("a", "b", "c"))


def test_two_labels_that_were_exchanged_are_said_loudly():
    """Where a permutation fits far better than the names, a warning shows it; noise gives none."""
    rng = np.random.default_rng(0)
    names = ("a", "b", "c", "d", "e")
    y = rng.integers(0, 5, 200)
    z = rng.normal(3.0 * np.eye(5)[y])
    many = (rng.random((200, 5)) < 0.3).astype(int)
    marks = rng.normal(3.0 * many)
    swap = [1, 0, 2, 3, 4]
    with pytest.warns(UserWarning, match=r"fits these rows far better.*--names b,a,c,d,e"):
        check_order("multiclass", z[:, swap], y, names)
    with pytest.warns(UserWarning, match=r"fits these rows far better.*--names b,a,c,d,e"):
        check_order("multilabel", marks[:, swap], many, names)


def test_a_weak_network_gets_no_advice(recwarn):
    """Of 200 networks that say little, on few rows of many labels, none is told another order."""
    names = tuple(map(str, range(30)))
    for seed in range(100):
        rng = np.random.default_rng(seed)
        y, many = rng.integers(0, 30, 60), (rng.random((60, 30)) < 0.2).astype(int)
        check_order("multiclass", rng.normal(0.5 * np.eye(30)[y]), y, names)
        check_order("multilabel", rng.normal(0.5 * many), many, names)
    assert not recwarn.list


def test_a_separator_gives_the_truth_of_columns(theirs, tmp_path):
    """Many labels in one cell, or a column each, are the same truth in the network's order."""
    table = pd.read_csv(theirs / "many labels.csv")
    names = ["tax", "bin", "lamp"]
    cells = [";".join(n for n in names if row[n]) for _, row in table.iterrows()]
    table.assign(label=cells).to_csv(tmp_path / "cells.csv", index=False)
    one = adopt(theirs / "many labels", tmp_path / "cells.csv", tmp_path / "a", separator=";")
    wide = adopt(theirs / "many labels", theirs / "many labels.csv", tmp_path / "b", labels=names)
    assert one.ready.rule == wide.ready.rule
    assert one.ready.rule.label_names == ("bin", "lamp", "tax")


def test_rows_of_other_are_unknown_to_the_network(theirs, tmp_path):
    """A row of "Other" belongs to none of the labels; the rule is chosen with it."""
    table = pd.read_csv(theirs / "many classes.csv")
    table.loc[:5, "label"] = "Other"
    table.to_csv(tmp_path / "t.csv", index=False)
    found = adopt(theirs / "many classes", tmp_path / "t.csv", tmp_path / "a")
    assert "6 rows are Other: none of the network's labels" in found.notes


def test_a_temperature_is_fitted_where_it_is_asked_for(theirs, tmp_path):
    """By default the probabilities are the network's own."""
    kept = adopt(theirs / "two", theirs / "two.csv", tmp_path / "a")
    fitted = adopt(theirs / "two", theirs / "two.csv", tmp_path / "b", temperature=True)
    assert kept.ready.rule.temperature == 1 != fitted.ready.rule.temperature


def test_a_temperature_that_would_do_nothing_is_refused(theirs, tmp_path):
    """With a promise it would break the promise: one sentence, and nothing is written."""
    promise = {"min_recall": 0.5, "confidence_level": 0.5}
    with pytest.raises(ValueError, match="leave --temperature out"):
        adopt(
            theirs / "two",
            theirs / "two.csv",
            tmp_path / "a",
            temperature=True,
            criterion=promise,
        )
    assert not (tmp_path / "a").exists()


def test_numbers_of_a_table_are_places_that_no_names_change():
    """Where the table holds 0 and 1 the advice is to write names, not to exchange them."""
    y = np.arange(40) % 2
    with pytest.raises(ValueError, match="its numbers are places of the logits"):
        check_order("binary", 3.0 - 6.0 * y, y, ("wait", "urgent"), by_place=True)


@pytest.mark.parametrize("dtype", (torch.float16, torch.bfloat16))
@pytest.mark.parametrize("says", ("its format", "float32", "nothing"))
def test_half_precision_weights_are_adopted_in_float32(theirs, tmp_path, dtype, says):
    """Logits are those of a float32 pass over the stored weights, and float32 is saved and said.

    The weights tell their format, whatever the configuration says of it.
    """
    model = hf.AutoModelForSequenceClassification.from_pretrained(theirs / "two", dtype=dtype)
    shutil.copytree(theirs / "two", tmp_path / "half")
    model.save_pretrained(tmp_path / "half")
    if says != "its format":
        file = tmp_path / "half" / "config.json"
        config = json.loads(file.read_text(encoding="utf-8"))
        config.pop("dtype")
        config |= {"dtype": "float32"} if says == "float32" else {}
        file.write_text(json.dumps(config), encoding="utf-8")
    found = adopt(tmp_path / "half", theirs / "two.csv", tmp_path / "mine")
    name = str(dtype).removeprefix("torch.")
    assert any(f"the weights are {name}: " in note and "float32" in note for note in found.notes)
    texts = pd.read_csv(theirs / "two.csv")["text"].tolist()[:20]
    full = model.float().eval()
    tokenizer = found.ready.tokenizer
    with torch.inference_mode():
        plain = torch.cat([full(**tokenizer(t, return_tensors="pt")).logits for t in texts])
    assert np.allclose(found.ready.logits(texts), plain, atol=1e-5)
    with safetensors.safe_open(tmp_path / "mine" / "model.safetensors", framework="np") as saved:
        assert {saved.get_slice(key).get_dtype() for key in saved.keys()} == {"F32"}  # noqa: SIM118
        for key, value in full.state_dict().items():
            assert np.array_equal(saved.get_tensor(key), value.numpy())


def without(name):
    """Take a file away."""
    return lambda folder: (folder / name).unlink()


def write(name, text):
    """Write a file anew."""
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def only_pretrained(folder):
    """Save the body alone."""
    hf.AutoModel.from_pretrained(folder).save_pretrained(folder)


def other_tokenizer(folder):
    """Give a tokenizer of more words than the network knows."""
    tokenizer = make_tokenizer()
    tokenizer.add_tokens(["aa", "bb"])
    tokenizer.save_pretrained(folder)


def adapter(folder):
    """Leave an adapter alone."""
    (folder / "config.json").rename(folder / "adapter_config.json")


def configured(**changes):
    """Change the configuration."""

    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


THREE = {"id2label": {"0": "a", "1": "b", "2": "c"}, "label2id": {"a": 0, "b": 1, "c": 2}}
MULTI = {"problem_type": "multi_label_classification"}


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (shutil.rmtree, {}, "expected the folder of a network, and .* is not there.*--revision"),
        (without("config.json"), {}, "is no folder of a transformers network"),
        (adapter, {}, "an adapter without its network: merge them first"),
        (write("config.json", "{"), {}, "is no JSON"),
        (write("config.json", "[]"), {}, "must hold a JSON object"),
        (without("model.safetensors"), {}, "cannot be loaded: .*no file named model.safetensors"),
        (write("model.safetensors", "x"), {}, "cannot be loaded"),
        (configured(model_type="vit"), {}, "cannot be loaded"),
        (configured(model_type="none-such"), {}, "cannot be loaded: .*none-such"),
        (configured(auto_map={"AutoConfig": "x.Y"}), {}, "asks for trust_remote_code.*never run"),
        (configured(quantization_config={"bits": 4}), {}, "are quantized"),
        (configured(**THREE), {}, "names other sizes than its weights have"),
        (only_pretrained, {}, "no trained classification head .*classifier.*which train does"),
        (without("tokenizer.json"), {}, "has no tokenizer"),
        (other_tokenizer, {}, "has 32 tokens and the network knows 30: it belongs to another"),
        (configured(problem_type="regression"), {}, "trained for regression"),
        (configured(**MULTI), {}, "trained for many labels .*sigmoid.*--separator"),
        (None, {"separator": ";"}, "trained for one label a row .*sigmoid"),
        (None, {"positive": "late"}, "--positive must be 'wait' or 'urgent', got 'late'"),
        (None, {"names": ("a", "b", "c")}, "has 2 logits: --names takes 2 different names"),
        (None, {"names": ("a", "b")}, "does not know the labels .*; it knows a, b; --names"),
        (None, {"criterion": {"reject": 0.3}}, "reject is for one of many; this is yes/no"),
        (None, {"labels": ("lable",)}, "did you mean 'label'"),
        (None, {"text": "label", "labels": ("text",)}, "are unknown to the tokenizer"),
        (None, {"max_length": 41}, "between 3 and the network's 40, got 41"),
        (None, {"dtype": "fp8"}, "dtype must be"),
    ],
)
def test_what_cannot_be_adopted_is_refused(theirs, tmp_path, change, options, words):
    """One sentence says what was expected and what came, and nothing is written."""
    network = shutil.copytree(theirs / "two", tmp_path / "network")
    if change:
        change(network)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=words) as error:
        adopt(network, theirs / "two.csv", tmp_path / "mine", **options)
    assert len(str(error.value)) < 500
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("head", "options", "words"),
    [
        ("many classes", {"names": ("x", "y", "z")}, "does not know the labels"),
        ("many labels", {"labels": ("bin", "lamp")}, "no column for .*'tax', only bin, lamp"),
        ("many labels", {"labels": ("bin", "lamp", "text")}, "does not know the labels 'text'"),
        ("many classes", {"positive": "bin"}, "--positive is for two"),
        ("many labels", {"labels": ("bin", "lamp"), "positive": "bin"}, "--positive is for two"),
        ("many labels", {"labels": ("bin",)}, "trained for many labels"),
    ],
)
def test_labels_that_do_not_fit_the_head_are_named(theirs, tmp_path, head, options, words):
    """A label without a logit, or a logit without a label, is named."""
    with pytest.raises(ValueError, match=words):
        adopt(theirs / head, theirs / f"{head}.csv", tmp_path / "mine", **options)
    assert list(tmp_path.iterdir()) == []


def test_logits_without_names_need_them(theirs, tmp_path):
    """LABEL_0, LABEL_1, LABEL_2 beside words are an error that shows both."""
    bare = renamed(
        theirs / "many classes",
        tmp_path / "bare",
        id2label={"0": "LABEL_0"} | {"1": "LABEL_1", "2": "LABEL_2"},
        label2id=None,
    )
    with pytest.raises(ValueError, match=r"have no names .*'LABEL_0'.* --names gives them"):
        adopt(bare, theirs / "many classes.csv", tmp_path / "mine")


def test_a_network_that_reads_its_padding_is_refused(theirs):
    """Logits that change in a batch would decide by what else was asked: that is an error."""
    model, tokenizer, _ = load_network(theirs / "two")
    forward = model.forward

    def careless(input_ids, attention_mask=None, token_type_ids=None):
        return forward(input_ids=input_ids)

    model.forward = careless
    with pytest.raises(ValueError, match=r"in a batch the logits differ .* reads its padding$"):
        make_batchable(model, tokenizer, make_texts(), max_length=40)


def test_the_side_of_the_padding_is_found_and_kept(tmp_path):
    """XLNet reads its last token: padded on the right it would read padding, so left is saved."""
    network = make_network(tmp_path / "xlnet", "XLNet")
    table = make_table(tmp_path / "rows.csv", network)
    adopt(network, table, tmp_path / "mine")
    ready, texts = deployment.load(tmp_path / "mine"), make_texts(20, seed=2)
    assert ready.tokenizer.padding_side == "left"
    assert np.allclose(ready.logits(texts), plain_logits(network, texts), atol=1e-4)


def test_inputs_that_a_network_does_not_take_are_left_out_for_good(tmp_path):
    """DistilBERT has no token types; a tokenizer that gives them is mended in the saved folder."""
    network = make_network(tmp_path / "theirs", "DistilBERT")
    table = make_table(tmp_path / "rows.csv", network)
    path = network / "tokenizer_config.json"
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_input_names": inputs}))
    assert "token_type_ids" in hf.AutoTokenizer.from_pretrained(network)("a")
    adopt(network, table, tmp_path / "mine")
    assert "token_type_ids" not in deployment.load(tmp_path / "mine").tokenizer("a")
    assert deployment.load(tmp_path / "mine").explain(["a b c"])


def test_a_decoder_gets_a_token_to_pad_with(tmp_path):
    """One that has none takes its end of text; without any, that is said."""
    network = make_network(tmp_path / "gpt", "GPT-2")
    model, tokenizer, _ = load_network(network)
    make_batchable(model, tokenizer, make_texts(), max_length=40)
    assert tokenizer.pad_token == "[SEP]" and model.config.pad_token_id == 3
    model, tokenizer, _ = load_network(network)
    tokenizer.eos_token = None
    with pytest.raises(ValueError, match="has no token to pad with"):
        make_batchable(model, tokenizer, make_texts(), max_length=40)


def test_a_network_is_not_written_over(theirs, tmp_path):
    """Its own folder, and one with other files, are refused before any work."""
    with pytest.raises(ValueError, match="holds other files"):
        adopt(theirs / "two", theirs / "two.csv", theirs / "two")
    adopt(theirs / "two", theirs / "two.csv", tmp_path / "a")
    with pytest.raises(ValueError, match="holds the network itself"):
        adopt(tmp_path / "a", theirs / "two.csv", tmp_path / "a")
    assert adopt(tmp_path / "a", theirs / "two.csv", tmp_path / "b").ready.rule


def test_the_command_adopts(theirs, tmp_path):
    """The command says what it understood and saves; its folder is one that `load` takes."""
    arguments = ["adopt", theirs / "two", theirs / "two.csv", "--names", "wait,urgent"]
    arguments += ["--false-positive", 1, "--false-negative", 5, "--output", tmp_path / "a"]
    found = CliRunner().invoke(command_line.app, list(map(str, arguments)))
    assert found.exit_code == 0, found.output
    assert "kind: binary, urgent is 1, wait is 0" in found.output
    assert "rows: 60 of" in found.output and "optimistic" in found.output
    assert deployment.load(tmp_path / "a").rule.chosen["costs"]["false_negative"] == 5


@pytest.mark.parametrize("architecture", ["RoBERTa", "DistilBERT", "ModernBERT"])
def test_train_starts_from_any_encoder(tmp_path, monkeypatch, architecture):
    """--checkpoint takes a folder, with a head of another size too.

    The same folder is taken up again; other weights under the same name train anew.
    """
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "cache"))
    start = make_network(
        tmp_path / "start", architecture, "many classes", max_position_embeddings=200
    )
    rows = [{"text": t, "label": "ab"[t[0] < "m"]} for t in make_texts(80)]
    pd.DataFrame(rows).to_csv(tmp_path / "rows.csv", index=False)
    arguments = ["train", tmp_path / "rows.csv", "--positive", "a", "--checkpoint", start]
    arguments += ["--epochs", 1, "--output", tmp_path / "mine"]
    again = make_network(
        tmp_path / "again", architecture, "many classes", seed=1, max_position_embeddings=200
    )
    for kept in (1, 1, 2):
        if kept == 2:
            shutil.copyfile(again / "model.safetensors", start / "model.safetensors")
        found = CliRunner().invoke(command_line.app, list(map(str, arguments)))
        assert found.exit_code == 0, found.output
        assert len([p for p in (tmp_path / "cache").iterdir() if p.is_dir()]) == kept
    assert deployment.load(tmp_path / "mine").rule.label_names == ("b", "a")


@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        ("BERT", "hidden_size"),
        ("ModernBERT", "hidden_size"),
        ("DistilBERT", "dim"),
        ("GPT-2", "n_embd"),
        ("XLNet", "d_model"),
    ],
)
def test_the_width_of_a_network_is_read(tmp_path, architecture, name):
    """Each architecture has a name of its own for it."""
    make, options = CONFIGS[architecture]
    for width in (384, 768):
        make(**{**options, name: width}).save_pretrained(tmp_path)
        assert is_wide(find_network(tmp_path)) == (width == 768)


@pytest.mark.parametrize(
    ("width", "given", "expected"),
    [(16, None, 1e-4), (768, None, 3e-5), (768, 1e-3, 1e-3), (None, None, 1e-4)],
)
def test_a_wide_encoder_learns_at_a_low_rate(tmp_path, monkeypatch, width, given, expected):
    """The rate of the small network would undo what a wide one has learnt before."""

    def stop(task, start, settings, **_):
        raise InterruptedError(settings.learning_rate)

    monkeypatch.setattr(systems, "fine_tune", stop)
    rows = [{"text": t, "label": k % 2} for k, t in enumerate(make_texts())]
    start = width and make_network(tmp_path / "start", hidden_size=width)
    with pytest.raises(InterruptedError, match=f"^{expected}$"):
        systems.train(
            table_task(rows, name="mine"),
            tmp_path / "mine",
            checkpoint=start,
            learning_rate=given,
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (shutil.rmtree, "is not there; one on the Hub is named with --revision"),
        (without("tokenizer.json"), "has no tokenizer"),
        (configured(auto_map={"AutoModel": "x.Y"}), "asks for trust_remote_code"),
        (configured(model_type="none-such"), "cannot be loaded: .*none-such"),
        (configured(model_type="vit"), "has no text classifier for a network of vit"),
        (lambda folder: make_tokenizer(pads=False).save_pretrained(folder), "no token to pad with"),
    ],
)
def test_a_checkpoint_that_cannot_be_trained_is_refused(theirs, tmp_path, change, words):
    """One sentence says why a folder is no encoder to start from."""
    network = shutil.copytree(theirs / "two", tmp_path / "network")
    change(network)
    with pytest.raises(ValueError, match=words):
        find_encoder(network)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"model_type": "roberta"}, "roberta"), ({"vocab_size": 31}, "bert.embeddings.word")],
)
def test_weights_of_another_network_do_not_train_in_silence(theirs, tmp_path, changes, words):
    """A body that its files do not hold would be trained from nothing: that is an error."""
    network = renamed(theirs / "two", tmp_path / "odd", **changes)
    rows = [{"text": t, "label": k % 2} for k, t in enumerate(make_texts())]
    task = table_task(rows, name="mine")
    with pytest.raises(ValueError, match=f"do not hold the network .* no weights for {words}"):
        training.fine_tune(task, find_encoder(network), cache=False, progress=False)


def test_a_revision_is_that_of_a_checkpoint(theirs, tmp_path):
    """--revision alone would say nothing."""
    arguments = ["train", "urgent", "--revision", "main", "--output", tmp_path / "a"]
    found = CliRunner().invoke(command_line.app, list(map(str, arguments)))
    with pytest.raises(ValueError, match="--revision is that of a --checkpoint"):
        raise found.exception


def test_a_network_on_the_hub_is_named_with_its_revision(monkeypatch):
    """With a revision the name is the repository's; nothing is looked up on the Hub without one."""
    found = find_network("owner/name", "a" * 40)
    assert (found.repository, found.folder, found.pinned) == ("owner/name", False, True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ValueError, match="and owner/name is not there; one on the Hub is named"):
        load_network("owner/name")
    with pytest.raises(ValueError, match="cannot get owner/name from the Hub"):
        load_network("owner/name", revision="main")
