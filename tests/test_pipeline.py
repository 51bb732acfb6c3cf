"""The pipeline answers what the rule decides, in its parent's shapes, wherever it is loaded."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from conftest import NAMES, RULE, small_model
from transformers.pipelines.pt_utils import KeyDataset

from helpers import deployment
from helpers.decisions import BinaryThreshold
from helpers.pipeline import Decision, DecisionPipeline, check_head, read_decision
from helpers.portable.decisions import checksum


@pytest.fixture(scope="module")
def loaded(saved):
    """Load the small network."""
    return deployment.load(saved)


@pytest.fixture(scope="module")
def ours(loaded):
    """Make our pipeline."""
    return loaded.pipeline()


@pytest.fixture(scope="module")
def parent(loaded):
    """Make the plain pipeline of the same network."""
    return transformers.TextClassificationPipeline(
        model=loaded.model, tokenizer=loaded.tokenizer, device=loaded.model.device
    )


def shape(answer):
    """Tell the nesting of an answer: types and lengths, without the keys."""
    if isinstance(answer, list):
        return [shape(one) for one in answer]
    return type(answer).__name__


CALLS = [
    ("a text", {}),
    ("a text", {"top_k": 1}),
    ("a text", {"top_k": None}),
    (["one"], {}),
    (["one", "two"], {}),
    (["one", "two"], {"top_k": None}),
    (["one", "two"], {"top_k": 1}),
    (["one", "two", "three"], {"batch_size": 2}),
    ({"text": "one", "text_pair": "two"}, {}),
    ([{"text": "one"}, {"text": "two"}], {"top_k": 2}),
]


@pytest.mark.parametrize(("inputs", "options"), CALLS)
def test_shapes_are_the_parents(ours, parent, inputs, options):
    """Single texts, lists and pairs nest as the parent's answers do, with and without top_k."""
    assert shape(ours(inputs, **options)) == shape(parent(inputs, **options))


@pytest.mark.parametrize("form", [tuple, np.array, pd.Series, list])
def test_as_many_answers_as_texts(ours, texts, form):
    """A tuple, an array and a Series are many texts, not one."""
    few = texts[:3]
    assert [one["label"] for one in ours(form(few))] == [one["label"] for one in ours(few)]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"a", "b"}, "strings in an order, as a list, got a set"),
        ({"first": "a", "second": "b"}, "a dict has text, and may have text_pair, got"),
        ("  ", "must not be blank, got '  '"),
        (["a", "\u200b"], "must not be blank, .* at place 1"),
        (["a", None], "must be strings, got NoneType at place 1"),
        ({"text": "a", "text_pair": " "}, "must not be blank"),
    ],
)
def test_what_is_no_text_is_refused(ours, inputs, words):
    """Sets, other mappings, blank texts and what is no string are named, with their place."""
    with pytest.raises(ValueError, match=words):
        ours(inputs)


def test_a_stream_is_checked_as_it_comes(ours):
    """A blank text in a stream is an error where it comes; what is before it is answered."""
    answers = iter(ours(text for text in ["a leak", "\t"]))
    assert next(answers)["label"]
    with pytest.raises(ValueError, match="must not be blank"):
        next(answers)


def test_a_truncated_text_says_so(ours):
    """The record tells whether the text lost its end, in a batch as alone."""
    long = "water " * 600
    assert ours(long)[0]["truncated"] and not ours("water")[0]["truncated"]
    marks = [one["truncated"] for one in ours(["short", long, "a"], batch_size=3)]
    assert marks == [False, True, False]


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"top_k": None}])
def test_generators_and_data_sets_stream(ours, parent, texts, options):
    """A generator and a data set give one answer a text, lazily, as the parent's."""
    few = texts[:7]
    rows = KeyDataset([{"text": t} for t in few], "text")
    expected = [shape(one) for one in parent((t for t in few), **options)]
    for inputs in ((t for t in few), rows):
        answers = ours(inputs, **options)
        assert not isinstance(answers, list)
        assert [shape(one) for one in answers] == expected


def test_records_are_the_rules(ours, loaded, texts):
    """Answers equal the rule's records on predict_logits, whatever the batches."""
    expected = loaded.explain(texts)
    for options in ({}, {"batch_size": 16}):
        found = ours(texts, **options)
        assert [r["label"] for r in found] == [r["label"] for r in expected]
        p = [r["positive_probability"] for r in expected]
        assert np.allclose([r["positive_probability"] for r in found], p, atol=1e-5)
    assert {r["label"] for r in expected} == set(NAMES)
    assert set(found[0]) == {
        "label",
        "positive_label",
        "positive_probability",
        "threshold",
        "accepted",
        "truncated",
    }


def test_top_k_gives_every_label_with_its_own_score(ours, texts):
    """With top_k=None the scores sum to 1, fall, and one label is accepted: the decided one."""
    for record, ranked in zip(ours(texts[:20]), ours(texts[:20], top_k=None), strict=True):
        scores = {row["label"]: row["score"] for row in ranked}
        assert sum(scores.values()) == pytest.approx(1)
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
        assert scores["urgent"] == pytest.approx(record["positive_probability"])
        assert [row["label"] for row in ranked if row["accepted"]] == [record["label"]]


def test_one_logit_heads_answer_both_labels(tokenizer, texts):
    """A head with one logit and a rule with two names give the scores of both."""
    model = small_model(1, ("urgent",))
    pipe = DecisionPipeline(
        model=model, tokenizer=tokenizer, decision=Decision(rule=RULE, dtype="fp32")
    )
    (ranked,) = pipe(texts[:1], top_k=None)
    assert {row["label"] for row in ranked} == set(NAMES)
    assert sum(row["score"] for row in ranked) == pytest.approx(1)


def test_no_texts_give_no_answers(ours):
    """An empty list gives an empty list, where the parent raises."""
    assert ours([]) == []


def test_long_texts_are_cut(ours):
    """A text of any length is answered: truncation is on by default."""
    long = "water " * 3000
    assert ours(long)[0]["positive_probability"] == pytest.approx(
        ours("water " * 126)[0]["positive_probability"], abs=1e-6
    )


def test_the_model_is_put_into_evaluation_mode(loaded):
    """A model that was left in training mode is not, afterwards."""
    loaded.model.train()
    loaded.pipeline()
    assert not loaded.model.training


@pytest.mark.parametrize("option", ["threshold", "function_to_apply", "return_all_scores"])
def test_unknown_options_are_refused(ours, option):
    """What the parent swallows is named."""
    with pytest.raises(ValueError, match=f"unknown options: {option}. The rule fixes threshold"):
        ours("a", **{option: "sigmoid"})


def test_half_precision_weights_are_refused(tokenizer):
    """Weights in bf16 are refused: mixed precision is the decision file's."""
    decision = Decision(rule=RULE, dtype="bf16")
    model = small_model().to(torch.bfloat16)
    with pytest.raises(ValueError, match=r"loaded in float32, got torch.bfloat16.*\(bf16\)"):
        DecisionPipeline(model=model, tokenizer=tokenizer, decision=decision)


def test_other_labels_are_refused():
    """A rule for other labels, or another order, does not fit the network."""
    model = small_model()
    check_head(model, RULE)
    for names in (("urgent", "not urgent"), ("0", "1")):
        with pytest.raises(ValueError, match="labels of the network are not urgent, urgent"):
            check_head(model, BinaryThreshold(cut=0.0, label_names=names))


def test_saving_the_pipeline_is_refused(ours, tmp_path):
    """save_pretrained would lose the rule."""
    with pytest.raises(ValueError, match=r"use helpers\.deployment\.save"):
        ours.save_pretrained(tmp_path)


# The decision file


@pytest.fixture
def copy(saved, tmp_path):
    """Copy the saved folder, to spoil it."""
    return shutil.copytree(saved, tmp_path / "copy")


def change(folder, **values):
    """Change fields of the decision file."""
    path = folder / "decision.json"
    changed = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({**changed, "checksum": checksum(changed)}))


def test_a_missing_file_is_named(copy):
    """Without decision.json there is an error, not a threshold of 0.5."""
    (copy / "decision.json").unlink()
    with pytest.raises(ValueError, match=r"has no decision.json.*no threshold to fall back on"):
        read_decision(copy)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"cut": 0.5}', b"NaN"])
def test_a_corrupt_or_foreign_file_is_named(copy, content):
    """What is no JSON, or was not written here, is an error with what to do."""
    (copy / "decision.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"decision.json cannot be used.*or save anew"):
        read_decision(copy)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"format": "other"}, "was not written by logits-to-decisions"),
        ({"format_version": 3}, "the file has 3: install the version"),
        ({"rule": {}}, "expected a saved rule"),
        ({"rule": {**RULE.to_dict(), "format_version": 9}}, "the rule has 9"),
        ({"rule": {**RULE.to_dict(), "cut": float("nan")}}, "cut must be a logit"),
        ({"dtype": "int8"}, "dtype must be"),
        ({"max_length": 1.5}, "max_length must be an int"),
        ({"files": []}, "files must be a mapping"),
    ],
)
def test_every_fault_of_the_file_is_named(copy, values, words):
    """A newer or spoilt file says what is wrong with it."""
    change(copy, **values)
    with pytest.raises(ValueError, match=f"cannot be used: .*{words}"):
        read_decision(copy)


def test_a_missing_field_is_named(copy):
    """A file without a field says which."""
    path = copy / "decision.json"
    values = json.loads(path.read_text())
    del values["dtype"]
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match="the field 'dtype' is missing"):
        read_decision(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_other_weights_are_refused(copy, name):
    """A decision beside other weights, or another tokenizer, is refused."""
    data = bytearray((copy / name).read_bytes())
    data[-1] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"belongs to another {name}.*Choose the rule anew"):
        read_decision(copy)


def test_missing_weights_are_named(copy):
    """A folder without its weights says so."""
    (copy / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"has no model\.safetensors"):
        read_decision(copy)


def test_a_decision_survives_json():
    """to_dict and from_dict are inverse."""
    decision = Decision(rule=RULE, dtype="bf16", files={"a": "b"}, data="some")
    assert Decision.from_dict(json.loads(json.dumps(decision.to_dict()))) == decision


# A process that has transformers alone

ELSEWHERE = """
import json, sys
from transformers import pipeline
folders, texts = json.loads(sys.argv[1])
found = []
for folder in folders:
    found.append({})
    for task in ("text-classification", "sentiment-analysis", None):
        for trust in (True, False, None):
            try:
                pipe = pipeline(task, model=folder, trust_remote_code=trust)
                answer = type(pipe).__name__, pipe(texts)
            except Exception as error:
                answer = type(error).__name__, str(error)
            found[-1][f"{task} {trust}"] = answer
assert "helpers" not in sys.modules
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def elsewhere(saved, texts, tmp_path_factory):
    """Try every way to make a pipeline, where this package cannot be imported.

    Gives the answers for the saved folder, and for one without its decision file.
    """
    place = tmp_path_factory.mktemp("elsewhere")
    spoilt = shutil.copytree(saved, place / "spoilt")
    (spoilt / "decision.json").unlink()
    (place / "helpers").mkdir()  # stands before the installed package
    (place / "helpers" / "__init__.py").write_text("raise ImportError('not for this process')")
    (place / "try.py").write_text(ELSEWHERE)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "try.py", json.dumps([[str(saved), str(spoilt)], texts[:20]])],
        capture_output=True,
        text=True,
        cwd=place,
        timeout=120,
        env={**environment, "HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(place / "modules")},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_in_a_fresh_process_it_is_our_class_or_an_error(elsewhere, loaded, texts):
    """Without this package: our answers with trust, an error otherwise, never the plain class."""
    expected, found = loaded.explain(texts[:20]), elsewhere[0]
    for task in ("text-classification", "sentiment-analysis"):
        kind, answers = found[f"{task} True"]
        assert kind == "DecisionPipeline"
        assert [a["label"] for a in answers] == [e["label"] for e in expected]
        p = [e["positive_probability"] for e in expected]
        assert np.allclose([a["positive_probability"] for a in answers], p, atol=1e-5)
        assert found[f"{task} False"][0] == found[f"{task} None"][0] == "ValueError"
        assert "trust_remote_code=True" in found[f"{task} None"][1]
    for trust in (True, False, None):  # without a task name transformers cannot pick one of the two
        assert found[f"None {trust}"][0] == "RuntimeError"
    assert "text-classification" in found["None True"][1]


def test_in_a_fresh_process_a_spoilt_folder_is_an_error(elsewhere):
    """Where decision.json is gone, transformers alone says so too."""
    kind, message = elsewhere[1]["text-classification True"]
    assert kind == "ValueError" and "has no decision.json" in message
