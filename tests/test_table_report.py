"""A saved rule is reported on a labelled table, as one page and as JSON."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment
from helpers.decisions import BinaryThreshold, LabelThresholds, RejectOption
from helpers.page import report_page
from helpers.score_files import ScoreRule, write_rule
from helpers.seen_texts import write_seen
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
    rule_alone = told["sections"][: len(page.sections)]
    assert rule_alone == json.loads(json.dumps(page.sections, default=float))
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
    wrong = next(one for one in page.sections if one["heading"] == "Sure, and wrong")["rows"]
    skipped = 60 if split is None else 0  # a row has its number in its own file
    assert wrong and all(texts[skipped + row["row"] - 1] == row["text"] for row in wrong)
    assert {row["text"] for row in wrong} <= set(texts[60:90])


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
        (["k"], MANY, "does not know: c, z; it knows home, water$"),
        (["both"], MANY, r"know: home\|water; .*holds several, say --separator '\|'$"),
    ],
)
def test_labels_that_do_not_fit_are_refused(columns, rule, words):
    """A wrong column or an unknown label is one sentence."""
    table = pd.DataFrame({"water": [1, 0], "home": [0, 0], "x": ["a", "b"], "k": ["c", "z"]})
    table["both"] = ["home|water", "home"]
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


def section(page, heading):
    """Find the section with this heading."""
    return next(one for one in page.sections if one["heading"] == heading)


@pytest.fixture
def kept(saved, tmp_path):
    """Copy the small network's folder, with the hashes of texts that it has seen."""
    folder = shutil.copytree(saved, tmp_path / "desk")
    seen = {"train": [f"old text {i}" for i in range(50)], "validation": ["chose 1", "chose 2"]}
    write_seen(folder, seen)
    return folder


def table_of(path, texts, **columns):
    """Write a table of texts, every second one urgent."""
    labels = [("not urgent", "urgent")[i % 2] for i in range(len(texts))]
    pd.DataFrame({"text": texts, "label": labels, **columns}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([f"old text {i}" for i in range(40)], "of these texts 100.0% trained the network: the"),
        (["CHOSE  1", *(f"new {i}" for i in range(7))], "12.5% chose the rule: the figures would"),
        (["old text 1", "chose 1", "new"], "33.3% trained the network and 33.3% chose the rule"),
    ],
)
def test_rows_that_were_seen_are_refused(kept, tmp_path, texts, words):
    """A table that holds rows that were seen is no test: it is refused, or stamped with --seen."""
    path = table_of(tmp_path / "t.csv", texts)
    with pytest.raises(ValueError, match=words):
        report_table(kept, path)
    said = report_table(kept, path, seen=True).sections[1]["text"]
    assert "all figures are optimistic" in said and "on them the figures flatter" in said


def test_a_few_rows_that_were_seen_are_said(kept, tmp_path):
    """Up to a tenth, as short texts bring it by chance, the page says how many."""
    path = table_of(tmp_path / "t.csv", ["chose 2", *(f"new {i}" for i in range(19))])
    said = report_table(kept, path).sections[1]["text"]
    assert said.endswith("Of these texts 5.0% chose the rule: on them the figures flatter.")
    (kept / ".seen_texts.npz").unlink()
    assert "flatter" not in report_table(kept, path).sections[1]["text"]


def test_rows_are_named_by_their_id_and_file(saved, texts, tmp_path):
    """Each listed row shows its id, its number and, of several files, its file."""
    ids = [f"T-{i}" for i in range(60)]
    table_of(tmp_path / "a.csv", texts[:30], ticket=ids[:30])
    table_of(tmp_path / "b.csv", texts[30:60], ticket=ids[30:])
    page = report_table(saved, tmp_path / "*.csv", id_column="ticket")
    listed = [row for one in page.sections for row in one["rows"] if "ticket" in row]
    assert len(listed) > 10
    for row in listed:
        i = ids.index(row["ticket"])
        assert (row["file"], row["row"]) == (("a.csv", "b.csv")[i // 30], i % 30 + 1)
        assert row["text"] == texts[i]
    with pytest.raises(ValueError, match=r"has no column 'tiket'.*did you mean 'ticket'"):
        report_table(saved, tmp_path / "*.csv", id_column="tiket")


def test_rows_without_a_text_are_left_out_and_said(saved, texts, tmp_path):
    """An empty text cannot be decided: the others are reported, under their own numbers."""
    path = table_of(tmp_path / "t.csv", ["", *texts[:30], " "])
    page = report_table(saved, path)
    assert "30 rows" in page.sections[1]["text"]
    assert page.sections[1]["text"].endswith("Left out were 2 rows without a text: 1, 32.")
    wrong = section(page, "Sure, and wrong")["rows"]
    assert wrong and all(texts[row["row"] - 2] == row["text"] for row in wrong)


def test_the_table_is_looked_over(saved, texts, tmp_path):
    """Labels to doubt, near copies, short texts and those that the network cuts are listed."""
    odd = [
        "ok",
        "word " * 400,
        "The bin on my street was not emptied.",
        "the bin on my street was not emptied",
    ]
    page = report_table(saved, table_of(tmp_path / "t.csv", [*texts[:60], *odd]))
    near = section(page, "Texts that are nearly the same")["rows"][0]
    assert (near["row"], near["earlier row"], near["labels"]) == (64, 63, "differ")
    cut = section(page, "Short texts, and texts that were cut")
    assert {(row["row"], row["what"]) for row in cut["rows"]} >= {(61, "short"), (62, "cut")}
    ready = deployment.load(saved)
    p = ready.rule.probability(ready.logits(texts[:60]))
    for row in section(page, "Labels to look at")["rows"]:
        urgent = row["label"] == "urgent"
        if row["row"] <= 60:
            own = p[row["row"] - 1] if urgent else 1 - p[row["row"] - 1]
            assert row["probability of the label"] == pytest.approx(own, abs=1e-4)
