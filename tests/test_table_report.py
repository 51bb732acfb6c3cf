"""A saved rule is reported on a labelled table, as one page and as JSON."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment
from helpers.decisions import BinaryThreshold, LabelThresholds, RejectOption
from helpers.page import report_page
from helpers.score_files import ScoreRule, write_rule
from helpers.table_report import report_table, true_labels, write_page

run = CliRunner()
YES_NO = BinaryThreshold.from_threshold(0.5, label_names=("no", "yes"))
ONE = RejectOption.from_threshold(0.5, label_names=("a", "b", "c"))
MANY = LabelThresholds.from_thresholds(0.5, label_names=("home", "water"))


def test_a_folder_is_reported_as_its_logits_are(saved, texts, tmp_path):
    """The command's JSON holds the figures that `report_page` gives for the folder's own logits."""
    names = np.array(["not urgent", "urgent"])
    truth = np.arange(100) % 3 == 0
    table = pd.DataFrame({"body": texts[:100], "urgent": names[truth.astype(int)]})
    table.to_csv(tmp_path / "t.csv", index=False)
    arguments = ["report", saved, tmp_path / "t.csv", "--text", "body", "--label", "urgent"]
    arguments += ["--output", tmp_path / "p.html"]
    found = run.invoke(command_line.app, list(map(str, arguments)))
    assert found.exit_code == 0, found.output
    ready = deployment.load(saved)
    page = report_page(ready.rule, ready.logits(texts[:100]), truth.astype(int), texts=texts[:100])
    told = json.loads((tmp_path / "p.report.json").read_text(encoding="utf-8"))
    assert told["sections"] == json.loads(json.dumps(page.sections, default=float))
    assert (tmp_path / "p.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_rule_for_scores_is_reported_too(tmp_path):
    """The file of a rule and a table of scores give a page."""
    write_rule(tmp_path / "r.json", ScoreRule(rule=YES_NO, columns=("z",)))
    rows = pd.DataFrame({"z": [-2.0, -1, 1, 2], "label": ["no", "yes", "no", "yes"]})
    rows.to_csv(tmp_path / "t.csv", index=False)
    page = report_table(tmp_path / "r.json", tmp_path / "t.csv")
    assert page.title == "r.json on t.csv" and "4 rows" in page.sections[1]["text"]


@pytest.mark.parametrize("split", [None, "part"])
def test_of_parts_the_test_part_is_reported(saved, texts, tmp_path, split):
    """Of files named after parts, or by a column, the rows of the test part alone are reported."""
    names = ["not urgent", "urgent"]
    table = pd.DataFrame({"text": texts[:90], "label": [names[i % 2] for i in range(90)]})
    if split is None:
        for k, name in enumerate(("train", "dev", "test")):
            table[k * 30 : k * 30 + 30].to_csv(tmp_path / f"{name}.csv", index=False)
        page = report_table(saved, tmp_path / "*.csv")
    else:
        where = ["train"] * 30 + ["dev"] * 30 + ["Test"] * 30
        table.assign(part=where).to_csv(tmp_path / "t.csv", index=False)
        page = report_table(saved, tmp_path / "t.csv", split="part")
    assert page.title.endswith("csv, test part") and "30 rows" in page.sections[1]["text"]
    shown = {row["text"] for row in page.sections[-1]["rows"]}
    assert shown and shown <= set(texts[60:90])


def test_a_table_without_a_test_part_is_refused(saved, texts, tmp_path):
    """Where parts are told and none is test, nothing is left to report."""
    table = pd.DataFrame({"text": texts[:4], "label": "urgent", "part": ["train", "dev"] * 2})
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match="has no test part, only train, validation"):
        report_table(saved, tmp_path / "t.csv", split="part")


def test_true_labels_follow_the_order_of_the_rule():
    """Columns called like the labels are taken by name, others in their order; unknown is Other."""
    table = pd.DataFrame(
        {"water": [1, 0], "home": [0, 0], "x": ["water;home", ""], "k": ["c", "z"]}
    )
    assert true_labels(table, ["water", "home"], MANY).tolist() == [[0, 1], [0, 0]]
    assert true_labels(table, ["x"], MANY, separator=";").tolist() == [[1, 1], [0, 0]]
    assert true_labels(table, ["k"], ONE).tolist() == [2, 3]


@pytest.mark.parametrize(
    ("columns", "rule", "words"),
    [
        (["nothing"], YES_NO, "has no column nothing"),
        (["k"], YES_NO, "labels that the rule does not know: c, z; it knows no and yes"),
        (["k", "x"], ONE, "name one column, got 2"),
        (["water", "home", "k"], MANY, "expected 2 label columns, got 3"),
        (["k"], MANY, "does not know: c, z; it knows home, water"),
    ],
)
def test_labels_that_do_not_fit_are_refused(columns, rule, words):
    """A wrong column or an unknown label is one sentence."""
    table = pd.DataFrame({"water": [1, 0], "home": [0, 0], "x": ["a", "b"], "k": ["c", "z"]})
    with pytest.raises(ValueError, match=words):
        true_labels(table, columns, rule)


def test_a_page_never_writes_over_the_rule(tmp_path):
    """A page called like the rule leaves it as it is: the figures have a name of their own."""
    write_rule(tmp_path / "urgent.json", ScoreRule(rule=YES_NO, columns=("z",)))
    before = (tmp_path / "urgent.json").read_bytes()
    pd.DataFrame({"z": [-2.0, 2], "label": ["no", "yes"]}).to_csv(tmp_path / "t.csv", index=False)
    page = report_table(tmp_path / "urgent.json", tmp_path / "t.csv")
    written = write_page(page, tmp_path / "urgent.html")
    assert [path.name for path in written] == ["urgent.html", "urgent.report.json"]
    assert (tmp_path / "urgent.json").read_bytes() == before
