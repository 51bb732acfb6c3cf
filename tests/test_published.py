"""The table of published figures: made of kept runs, without a text of the data."""

import json
import re

import numpy as np
import pytest

from benchmarks import published
from benchmarks.published_figures import (
    exceedances,
    recall_promise,
    reject_figures,
    reject_threshold,
    set_promise,
)
from benchmarks.published_sets import SETS
from benchmarks.published_table import BEGIN, END, KEPT, LINES, figure, ours, read, table
from helpers.decisions import RejectOption

README = published.ROOT / "README.md"


def test_the_readme_holds_the_table_of_the_kept_runs():
    """The README says what the JSON gives, and nothing else."""
    text = README.read_text(encoding="utf-8")
    between = text.split(BEGIN)[1].split(END)[0]
    assert between.strip() == table()


def test_kept_runs_hold_figures_and_commands_alone():
    """No text of a data set is in git: words stand in the commands and the machine alone."""
    names = {path.stem for path in KEPT.glob("*.json")}
    for file in KEPT.glob("*.json"):
        one = json.loads(file.read_text(encoding="utf-8"))
        assert file.stem == f"{one['set']}-{one['seed']}" and one["set"] in SETS
        assert not re.search(r'"', re.sub(r'"[a-z0-9_]+":', "", json.dumps(one["figures"])))
        assert all(step["command"].startswith("python -m helpers ") for step in one["commands"])
        for line in LINES:
            if line.name == one["set"]:
                figure(one, line.path)
    assert names == {f"{name}-{run['seed']}" for name, runs in read().items() for run in runs}


def test_a_missing_run_is_shown_as_missing(tmp_path):
    """A line without runs says so; one with runs gives mean, range, and whether it reached."""
    assert table(tmp_path).count("not run yet") == len(LINES)
    line = next(line for line in LINES if line.aim == 0.70)
    runs = [{"figures": {line.path: value}} for value in (0.6, 0.7, 0.74)]
    assert ours(line, runs) == "0.680 (0.600 to 0.740), not reached"
    assert ours(line, runs[1:]) == "0.720 (0.700 to 0.740), reached"
    assert ours(line, runs[1:2]) == "0.700, reached"


def test_the_commands_are_those_of_the_package(monkeypatch, capsys):
    """--plan prints a train command for each set and seed, and an unknown set is refused."""
    monkeypatch.setattr("sys.argv", ["published", "sms", "--seeds", "0,1", "--plan"])
    published.main()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("sms: python -m helpers train sms-0/sms.csv --positive spam")
    assert "--seed 1 --output sms-1/model" in second
    monkeypatch.setattr("sys.argv", ["published", "spam"])
    with pytest.raises(SystemExit, match="no set is called spam"):
        published.main()


def test_the_cut_answers_as_many_rightly_as_asked():
    """It is the highest cut with the asked share of right answers; too much asked answers all."""
    z = np.log([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]])
    labels = np.array([0, 0, 1, 1])
    rule = RejectOption.from_threshold(0.5, label_names=("a", "b"))
    assert reject_threshold(rule, z, labels, accuracy=0.5) == pytest.approx(0.8)
    assert reject_threshold(rule, z, labels, accuracy=0.75) == pytest.approx(0.6)
    assert reject_threshold(rule, z, labels, accuracy=0.8) == 0
    rule = RejectOption.from_threshold(0.75, label_names=("a", "b"))
    found = reject_figures(z, np.array([0, 0, 1, 2]), rule)
    assert (found["in_scope_accuracy"], found["oos_recall"], found["auroc"]) == (2 / 3, 1, 1)


def test_broken_promises_are_counted():
    """A promise that lies exceeds what chance allows; exact floors do not, and few rows refuse."""
    options = {"n": 100, "n_chosen": 50, "confidence_level": 0.95}
    lie = exceedances(lambda rows: rows, lambda rule: True, **options)
    assert lie["broken"] == lie["draws"] > lie["most_by_chance"]
    rng = np.random.default_rng(0)
    labels = (rng.random(600) < 0.3).astype(int)
    found = recall_promise(rng.normal(2 * labels), labels)
    assert found["refused"] == 0 and found["broken"] <= found["most_by_chance"]
    few = recall_promise(rng.normal(2 * labels[:20]), labels[:20])
    assert few["refused"] == few["draws"]


def test_sets_hold_the_label_as_often_as_asked():
    """The mean coverage of sets chosen on rows drawn anew is what was asked, up to its error."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    z = rng.normal(2.0 * np.eye(3)[labels])
    found = set_promise(z, labels, n_chosen=199)
    assert abs(found["mean_coverage"] - 0.9) < 4 * found["standard_error"] + 0.005
