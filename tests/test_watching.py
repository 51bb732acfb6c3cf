"""Claims about helpers.watching and `python -m helpers watch`: decided tables, and texts."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import NAMES, RULE, small_model

from helpers import deployment
from helpers.decisions import (
    BinaryThreshold,
    CostMatrix,
    Costs,
    LabelThresholds,
    MinimumExpectedCost,
    PredictionSets,
    RejectOption,
    ReviewBand,
)
from helpers.drift import figures_without_labels
from helpers.prediction import predict_logits
from helpers.reference import REFERENCE_FILE, make_reference
from helpers.scoring import score
from helpers.watching import read_records, watch


@pytest.fixture(scope="module")
def desk(tmp_path_factory, tokenizer, texts):
    """Save the small network with rows that chose its rule, and score 100 messages."""
    place = tmp_path_factory.mktemp("watched")
    model = small_model()
    z = predict_logits(model, tokenizer, texts[100:], dtype="fp32")
    y = np.random.default_rng(0).random(100) < RULE.probability(z)
    kept = make_reference(z, y, texts[100:], train_texts=texts[:100])
    deployment.save(place / "desk", model, tokenizer, RULE, dtype="fp32", reference=kept)
    inbox = pd.DataFrame({"text": texts[:100], "note": "x"})
    for name in ("inbox.csv", "inbox.jsonl", "inbox.parquet"):
        if name.endswith("csv"):
            inbox.to_csv(place / name, index=False)
        elif name.endswith("jsonl"):
            inbox.to_json(place / name, orient="records", lines=True)
        else:
            inbox.to_parquet(place / name)
        score(place / "desk", place / name, place / f"scored_{name}")
    return place


def call(capsys, monkeypatch, *arguments):
    """Run the command line in this process; give its exit code and what it wrote."""
    from helpers.__main__ import main

    monkeypatch.setattr("sys.argv", ["helpers", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code, capsys.readouterr().out


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_records_come_back_from_every_format(desk, texts, name):
    """What score wrote is read as what the rule said, to the digit."""
    path = desk / f"scored_inbox.{name}"
    if name == "csv":
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    else:
        table = pd.read_parquet(path) if name == "parquet" else pd.read_json(path, lines=True)
    expected = deployment.load(desk / "desk").explain(texts[:100])
    found = read_records(table)
    assert [r["label"] for r in found] == [r["label"] for r in expected]
    assert [r["accepted"] for r in found] == [r["accepted"] for r in expected]
    p = [[r["positive_probability"] for r in rows] for rows in (found, expected)]
    np.testing.assert_allclose(*p, atol=1e-9)


def test_a_scored_table_and_its_texts_give_the_same_page(desk):
    """Decisions that are there are read; texts alone are decided first."""
    pages = [watch(desk / "desk", desk / name) for name in ("scored_inbox.csv", "inbox.csv")]
    assert pages[0].sections == pages[1].sections
    lines = {row["what"] for row in pages[0].sections[1]["rows"]}
    assert {'share of "urgent"', "unknown words", "words a text", "base rate"} <= lines


def test_the_command_says_what_the_page_says(desk, capsys, monkeypatch):
    """Lines on the screen, a page and its JSON beside it, or JSON alone; nothing of it is NaN."""
    for name in ("page.html", "page.json"):
        target = desk / name
        code, out = call(
            capsys,
            monkeypatch,
            "watch",
            desk / "desk",
            desk / "scored_inbox.csv",
            "--output",
            target,
        )
        assert code in (0, None) and "without labels:" in out and str(target) in out
        assert target.is_file()
    assert "<table>" in (desk / "page.html").read_text()
    for name in ("page.json", "page.report.json"):
        values = json.loads((desk / name).read_text())
        assert [one["heading"] for one in values["sections"]] == [
            "What to do",
            "Then and now",
            "Without labels",
        ]
        assert values["sections"][0]["text"] in out


def test_prices_of_the_command_count(desk, capsys, monkeypatch):
    """Dearer mistakes, a dearer cost; half of two prices is one line of error."""
    both = ["watch", desk / "desk", desk / "scored_inbox.csv", "--false-positive", "3"]
    code, _ = call(capsys, monkeypatch, *both)
    assert code == "error: give both --false-positive and --false-negative"
    _, cheap = call(capsys, monkeypatch, *both[:3])
    _, dear = call(capsys, monkeypatch, *both, "--false-negative", "3")
    costs = [
        float(text.split("  cost: then")[1].split(", now ")[1].split()[0]) for text in (cheap, dear)
    ]
    assert costs[1] == pytest.approx(3 * costs[0], rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "inbox.csv"], "there is no folder"),
        (["desk", "note.csv"], "has neither columns of decisions"),
        (["desk", "inbox.csv", "--output", "page.txt"], "a name that ends in .html"),
        (["desk", "inbox.csv", "--reject", "1"], "costs must be Costs"),
        (["desk", "inbox.csv", "--error", "1"], "or --reject"),
        (["desk", "broken.csv"], "decision_accepted has 'maybe' in row 1, which score never"),
        (["desk", "other.csv"], "another rule decided these rows"),
    ],
)
def test_a_wrong_call_is_one_line(desk, capsys, monkeypatch, arguments, words):
    """Each says what was expected, and the code is not 0."""
    monkeypatch.chdir(desk)
    pd.DataFrame({"note": ["x", "y"]}).to_csv("note.csv", index=False)
    table = pd.read_csv("scored_inbox.csv")
    table.assign(decision_accepted="maybe").to_csv("broken.csv", index=False)
    table.assign(decision_threshold=0.1).to_csv("other.csv", index=False)
    code, _ = call(capsys, monkeypatch, "watch", *arguments)
    assert str(code).startswith("error: ") and words in code and "\n" not in code


def test_a_folder_without_the_rows_says_what_to_do(desk, tmp_path, saved):
    """A folder saved without a reference answers as ever, and cannot be watched."""
    assert not (saved / REFERENCE_FILE).exists() and deployment.load(saved)
    with pytest.raises(ValueError, match="keeps no rows that chose its rule: train or adopt"):
        watch(saved, desk / "inbox.csv")


def test_the_card_says_what_the_reference_is(desk):
    """A person who finds the file in the folder can read what it is for, and remove it."""
    card = (desk / "desk" / "README.md").read_text()
    assert REFERENCE_FILE in card and "It may be deleted" in card
    assert watch(desk / "desk", desk / "inbox.csv").title == "desk on inbox.csv"


@pytest.mark.parametrize(
    ("rule", "n_logits"),
    [
        (ReviewBand(low=1.5, high=3.5, label_names=NAMES, review="read it"), 2),
        (RejectOption(cut=0.6, label_names=("a", "b", "c"), unknown_cut=1.0), 3),
        (LabelThresholds(cuts=(0.0, 0.5, 1.0), label_names=("a", "b", "c")), 3),
    ],
)
def test_every_rule_is_watched_from_its_table(tmp_path, tokenizer, texts, rule, n_logits):
    """Records of bands, of Other with its reasons and of many labels come back from CSV."""
    model = small_model(n_logits, rule.label_names)
    if isinstance(rule, LabelThresholds):
        model.config.problem_type = "multi_label_classification"
    z = predict_logits(model, tokenizer, texts[100:], dtype="fp32")
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_logits, 100)
    if isinstance(rule, LabelThresholds):
        y = (rng.random(z.shape) < 0.5).astype(int)
    kept = make_reference(z, y, texts[100:])
    folder = deployment.save(
        tmp_path / "desk", model, tokenizer, rule, dtype="fp32", reference=kept
    )
    pd.DataFrame({"text": texts[:100]}).to_csv(tmp_path / "inbox.csv", index=False)
    score(folder, tmp_path / "inbox.csv", tmp_path / "scored.csv")
    first, again = (watch(folder, tmp_path / name) for name in ("inbox.csv", "scored.csv"))
    assert first.sections == again.sections and first.sections[2]["rows"]


EVERY = [
    BinaryThreshold.from_threshold(0.3),
    ReviewBand(low=-1.0, high=1.0),
    RejectOption.from_threshold(0.6, label_names=("a", "b", "c")),
    PredictionSets(cuts=(0.3, 0.3, 0.3), label_names=("a", "b", "c")),
    MinimumExpectedCost(costs=CostMatrix(costs=[[0, 1, 0.4], [3, 0, 0.4]]), label_names=("a", "b")),
    LabelThresholds.from_thresholds(0.5, label_names=("a", "b")),
]


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: type(rule).__name__)
def test_the_records_of_every_rule_come_back_as_they_were_written(rule, tmp_path):
    """Each field of a record, written as text into a CSV file, is read as it was."""
    logits = np.random.default_rng(0).normal(size=(40, 3))
    if isinstance(rule, BinaryThreshold | ReviewBand):
        logits = logits[:, 0]
    records = rule.explain(logits[..., : len(rule.label_names)])
    table = pd.DataFrame([{f"decision_{k}": v for k, v in row.items()} for row in records])
    for name in table:
        if isinstance(table[name][0], dict | list):
            table[name] = table[name].map(json.dumps)
    table.to_csv(tmp_path / "scored.csv", index=False)
    assert read_records(pd.read_csv(tmp_path / "scored.csv", dtype=str)) == records


def test_prices_that_no_line_can_use_are_refused():
    """Sets have no cost without labels: a price is an error, not dropped."""
    rule = PredictionSets(cuts=(0.3, 0.3), label_names=("a", "b"))
    prices = Costs(false_positive=1, false_negative=1)
    z = np.random.default_rng(0).normal(size=(30, 2))
    kept = make_reference(z, np.arange(30) % 2, ["a text"] * 30)
    with pytest.raises(ValueError, match="no cost without labels is known for a PredictionSets"):
        figures_without_labels(rule, kept, rule.explain(z), costs=prices)
    assert figures_without_labels(rule, kept, rule.explain(z)) == []
