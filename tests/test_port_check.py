"""Two systems' scores are compared text by text: flips, their interval, the largest move."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from helpers.decisions import BinaryThreshold, LabelThresholds, RejectOption, ReviewBand
from helpers.score_files import ScoreRule, write_rule
from tools.port_check import compared, main

RNG = np.random.default_rng(3)
Z = RNG.normal(size=500)


def test_flips_and_moves_are_those_of_a_count():
    """Flips, their direction and the largest move equal a plain count, with the exact interval."""
    new = Z + RNG.normal(scale=0.1, size=500)
    kept = ScoreRule(rule=BinaryThreshold(cut=0.3, label_names=("wait", "urgent")), columns=("z",))
    found = compared(kept, Z, new)
    up, down = (Z < 0.3) & (new >= 0.3), (Z >= 0.3) & (new < 0.3)
    assert up.sum() > 0 and down.sum() > 0
    assert found.changes == {"wait -> urgent": up.sum(), "urgent -> wait": down.sum()}
    assert found.flips == up.sum() + down.sum() and found.n == 500
    assert found.largest == np.abs(new - Z).max() and found.where == np.abs(new - Z).argmax()
    assert found.typical == np.median(np.abs(new - Z)) and found.mean == (new - Z).mean()


@pytest.mark.parametrize(("level", "top"), [(0.95, 1 - 0.025 ** (1 / 40)), (0.8, 1 - 0.1**0.025)])
def test_no_flip_in_few_texts_is_no_proof(level, top):
    """Without a flip in 40 texts the interval still reaches up, by the closed form."""
    kept = ScoreRule(rule=BinaryThreshold(cut=9.0), columns=("z",))
    found = compared(kept, Z[:40], Z[:40], confidence_level=level)
    assert found.flips == 0 and found.interval == pytest.approx((0, top))


def test_the_interval_holds_the_share_as_often_as_it_says():
    """At 95 %, 1,000 draws of 60 texts that flip with chance .05 are covered 95 % or more."""
    flips = RNG.random((1000, 60)) < 0.05
    kept = ScoreRule(rule=BinaryThreshold(cut=0.0), columns=("z",))
    found = {}
    for n in np.unique(flips.sum(axis=1)):  # the interval depends on the count alone
        new = np.where(np.arange(60) < n, 1.0, -1.0)
        low, high = compared(kept, -np.ones(60), new).interval
        found[n] = low <= 0.05 <= high
    assert np.mean([found[n] for n in flips.sum(axis=1)]) >= 0.95


def test_each_kind_of_rule_is_compared():
    """A label or Other, a band and many labels: what changes is named, and the measure."""
    a, b = np.array([[3.0, 0, 0], [0, 1, 0.9]]), np.array([[3.0, 0, 0], [0, 1, 3.0]])
    reject = RejectOption.from_threshold(0.6, label_names=("bin", "bus", "tax"))
    found = compared(ScoreRule(rule=reject, columns=("x", "y", "z")), a, b)
    assert found.changes == {"Other -> tax": 1} and found.measure == "confidence (softmax)"
    many = LabelThresholds(cuts=(0.0, 0.0, 2.0), label_names=("bin", "bus", "tax"))
    found = compared(ScoreRule(rule=many, columns=("x", "y", "z")), a, b - 0.5)
    assert found.changes == {"-bus": 1, "-bin": 1, "+tax": 1}
    assert found.flips == 2 and found.largest == pytest.approx(1.6)
    band = ReviewBand(low=-1.0, high=1.0, label_names=("wait", "send"))
    found = compared(ScoreRule(rule=band, columns=("z",)), np.array([0.0]), np.array([2.0]))
    assert list(found.changes.values()) == [1] and found.measure == "logit"


@pytest.fixture
def tables(tmp_path):
    """Write a rule and scores of two systems, the second one in another order and scale."""
    rule = BinaryThreshold(cut=0.5, label_names=("wait", "urgent"))
    write_rule(tmp_path / "rule.json", ScoreRule(rule=rule, columns=("z",)))
    old = pd.DataFrame({"id": [f"t{i}" for i in range(500)], "z": Z})
    old.to_csv(tmp_path / "old.csv", index=False)
    new = pd.DataFrame({"id": old["id"], "p": 1 / (1 + np.exp(-Z - 0.01))}).iloc[::-1]
    new.to_csv(tmp_path / "new.csv", index=False)
    answer = [[{"label": "z", "score": z}] for z in Z.tolist()]
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    return tmp_path


def ran(tables, *words):
    """Run the tool on files of the folder."""
    return main([str(tables / w) if "." in w and w[0] not in "-.0" else w for w in words])


def test_the_command_matches_texts_by_key_and_says_a_shift(tables, capsys):
    """Rows go by key, scales may differ, and moves that all go one way are named as a shift."""
    words = ["--key", "id", "--new-score", "p", "--new-scale", "probabilities"]
    assert ran(tables, "old.csv", "new.csv", "--rule", "rule.json", *words) == 0
    said = capsys.readouterr().out
    flips = int(((Z < 0.5) & (Z + 0.01 >= 0.5)).sum())
    assert said.startswith(f"{flips} of 500 decisions flip: ")
    assert "of the logit: 0.01 (text t" in said and "mean is +0.01" in said
    assert "the moves have a direction" in said
    assert (
        ran(tables, "old.csv", "new.csv", "--rule", "rule.json", *words, "--at-most", ".001") == 1
    )
    assert "may flip, 0.10% are allowed" in capsys.readouterr().out


def test_the_command_reads_a_servers_answer_and_a_threshold(tables, capsys):
    """A .json answer goes by place; with --threshold no rule file is needed."""
    assert ran(tables, "old.csv", "answer.json", "--rule", "rule.json") == 0
    assert capsys.readouterr().out.startswith("0 of 500 decisions flip: 0.00%, 95% interval 0.00%")
    words = ["--threshold", "0.3", "--score", "p", "--probabilities"]
    assert ran(tables, "new.csv", "new.csv", *words, "--key", "id") == 0
    assert "the moves have a direction" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["old.csv", "new.csv", "--rule", "rule.json"], "has no column 'z', only id, p"),
        (["old.csv", "short.csv", "--rule", "rule.json"], "500 rows and .* 3: name the column"),
        (
            ["old.csv", "short.csv", "--rule", "rule.json", "--key", "id"],
            "short.csv lacks 497 texts, first id = 't3'",
        ),
        (["old.csv", "twice.csv", "--rule", "rule.json", "--key", "id"], "'t0' in rows 1 and 2"),
        (["old.csv", "answer.json", "--rule", "rule.json", "--key", "id"], "no column id"),
        (["old.csv", "new.csv", "--threshold", "0.2"], "--threshold needs --score"),
        (
            ["old.csv", "new.csv", "--rule", "rule.json", "--probabilities"],
            "a rule file says it itself",
        ),
        (["old.csv", "old.csv", "--rule", "rule.json", "--level", "1"], "--level must lie between"),
        (
            ["old.csv", "old.csv", "--rule", "rule.json", "--at-most", "0"],
            "--at-most must lie between 0 and 1, got 0.0",
        ),
        (["old.csv", "old.csv", "--rule", "old.csv"], "old.csv cannot be read"),
    ],
)
def test_files_that_do_not_fit_are_named(tables, capsys, words, message):
    """Other columns, missing or doubled texts and options that contradict: exit 2, one sentence."""
    pd.DataFrame({"id": ["t0", "t1", "t2"], "z": Z[:3]}).to_csv(tables / "short.csv", index=False)
    pd.DataFrame({"id": ["t0", "t0"], "z": Z[:2]}).to_csv(tables / "twice.csv", index=False)
    assert ran(tables, *words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert re.search(message, error), error


def test_rows_must_be_the_same():
    """Two arrays of other lengths, or none at all, are refused."""
    kept = ScoreRule(rule=BinaryThreshold(cut=0.0), columns=("z",))
    with pytest.raises(ValueError, match="expected the same texts of both, got 3 and 2 rows"):
        compared(kept, Z[:3], Z[:2])
    with pytest.raises(ValueError, match="got 0 and 0 rows"):
        compared(kept, Z[:0], Z[:0])
