"""The table of published figures: made of kept runs, without a text of the data."""

import gzip
import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest

from benchmarks import published
from benchmarks.published_figures import (
    exceedances,
    recall_promise,
    reject_figures,
    reject_threshold,
    set_promise,
)
from benchmarks.published_sets import KINDS_OF_ABUSE, SETS
from benchmarks.published_table import BEGIN, END, KEPT, LINES, figure, notes, ours, read, table
from helpers.decisions import RejectOption
from helpers.emotions import EMOTIONS

MEASURED = published.ROOT / "MEASURED.md"


def test_the_readme_holds_the_table_of_the_kept_runs():
    """MEASURED.md says what the JSON gives, and nothing else."""
    text = MEASURED.read_text(encoding="utf-8")
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


def test_notes_set_broken_promises_beside_the_draws_that_their_bound_is_of():
    """The bound by chance counts all draws, also those in which no rule could promise anything."""
    kept = {"risk": 0.02, "draws": 200, "refused": 188, "broken": 1, "most_by_chance": 21}
    run = {"set": "x", "seed": 2, "commands": [{"cpu_minutes": 1}], "figures": {}}
    said = notes({"x": [run | {"figures": {"risk_promise": kept}}]})
    assert said[1:] == [
        "- x, seed 2: in 200 draws 12 rules were promised a risk of 0.02 and 1 broke it; by chance "
        "at most 21 of 200"
    ]


def test_a_missing_run_is_shown_as_missing(tmp_path):
    """A line without runs says so; one with runs gives mean, range, and whether it reached."""
    assert table(tmp_path).count("not run yet") == len(LINES)
    line = next(line for line in LINES if line.aim == 0.70)
    runs = [{"figures": {line.path: value}} for value in (0.6, 0.7, 0.74)]
    assert ours(line, runs) == "0.6800 (0.6000 to 0.7400), not reached"
    assert ours(line, runs[1:]) == "0.7200 (0.7000 to 0.7400), reached"
    assert ours(line, runs[1:2]) == "0.7000, reached"


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
    """It is the highest cut with a standard error more of right answers than asked.

    Where the network is not that good, with as many as asked; too much asked answers all.
    """
    p = np.linspace(0.505, 0.995, 50)
    z, labels = np.log(np.c_[p, 1 - p]), np.repeat([1, 0], [10, 40])  # the surest 40 are right
    rule = RejectOption.from_threshold(0.5, label_names=("a", "b"))
    for asked, right in ((0.5, 25 + 4), (0.7, 35 + 4), (0.75, 38), (0.8, 40), (0.81, None)):
        cut = reject_threshold(rule, z, labels, accuracy=asked)
        assert cut == pytest.approx(p[0] if right is None else p[50 - right])
    z = np.log([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]])
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


def fake_sets(folder):
    """Write the sets in their published formats, with made-up rows."""
    words = ["ash", "bay", "cup", "dam", "elm", "fog", "gum", "hay", "ivy", "jar"]
    rng = np.random.default_rng(0)

    def some(n):
        return [" ".join(rng.choice(words, 4)) + f" {k}" for k in range(n)]

    for name in ("sms_spam", "clinc150", "semeval2018_ec_en", "reuters21578", "olidbr_pilot"):
        (folder / name).mkdir()
    lines = [f"{'spam' if k % 4 == 0 else 'ham'}\t{text}" for k, text in enumerate(some(80))]
    (folder / "sms_spam/SMSSpamCollection").write_text("\n".join(lines), encoding="utf-8")
    parts = {"train": 40, "val": 20, "test": 20}
    whole = {
        part: [[text, words[k % 4]] for k, text in enumerate(some(n))] for part, n in parts.items()
    }
    whole |= {f"oos_{part}": [[text, "oos"] for text in some(10)] for part in parts}
    for name in ("full", "small"):
        (folder / f"clinc150/data_{name}.json").write_text(json.dumps(whole), encoding="utf-8")
    for name, n in (("train", 60), ("dev", 20), ("test-gold", 30)):
        table = pd.DataFrame({"ID": range(n), "Tweet": some(n)})
        table = table.assign(**{e: (np.arange(n) + k) % 3 // 2 for k, e in enumerate(EMOTIONS)})
        file = folder / f"semeval2018_ec_en/E-c-En-{name}.txt"
        table.to_csv(file, sep="\t", index=False)
    with gzip.open(folder / "reuters21578/modapte_r90.jsonl.gz", "wt", encoding="utf-8") as file:
        for k, text in enumerate(some(90)):
            row = {"split": "train" if k < 60 else "test", "labels": [words[k % 3]]}
            file.write(json.dumps(row | {"title": text, "text": text}) + "\n")
    kinds = KINDS_OF_ABUSE.split(",")
    for name in ("olidbr", "majority_vote"):
        table = pd.DataFrame({"text": some(60)})
        table = table.assign(**{kind: (np.arange(60) + k) % 3 == 0 for k, kind in enumerate(kinds)})
        table.to_csv(folder / f"olidbr_pilot/{name}.csv", index=False)


def test_every_set_is_read_as_it_is_published(tmp_path, monkeypatch):
    """The command reads each table: kind, labels, parts; no test or out-of-scope text trains."""
    fake_sets(tmp_path)
    monkeypatch.setenv("REAL_DATA", str(tmp_path))
    seen = {}
    for name, one in SETS.items():
        place = tmp_path / f"{name}-0"
        place.mkdir()
        one.make(place, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # small parts, and one that is taken from another
            task = published.read_task(place, one, 0)
        sizes = tuple(len(part) for part in (task.train, task.validation, task.test))
        seen[name] = (task.kind, len(task.label_names), *sizes)
    assert seen == {
        "sms": ("binary", 2, 48, 16, 16),
        "clinc-small": ("multiclass", 4, 40, 20, 20),
        "clinc-full": ("multiclass", 4, 40, 20, 20),
        "semeval": ("multilabel", 11, 54, 6, 30),
        "reuters": ("multilabel", 3, 48, 12, 30),
        "olidbr": ("multilabel", 11, 60, 20, 40),
    }
    texts, labels = published.unknown_too(tmp_path / "clinc-full-0", ("ash", "bay", "cup", "dam"))
    assert len(texts) == 30 and (labels == 4).sum() == 10
