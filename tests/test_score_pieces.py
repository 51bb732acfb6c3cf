"""Scores that are read in pieces give the rule of all rows at once, to the bit."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import score_pieces
from helpers.decisions import BinaryThreshold, Costs
from helpers.portable import search
from helpers.portable.floors import floor_cut
from helpers.portable.search import Steps
from helpers.score_choice import choose_for_scores
from helpers.score_files import read_rule
from helpers.scores import from_probabilities

RNG = np.random.default_rng(20)
N = 3000
Y = (RNG.random(N) < 0.2).astype(int)
Z = (np.round(RNG.normal(2.0 * Y - 1) * 64) / 64).astype(np.float32)  # decimals hold it whole
WAYS = (
    {"costs": Costs(false_positive=1, false_negative=7)},
    {"costs": Costs(false_positive=2, false_negative=0)},
    {"f_beta": 1.5},
    {"min_recall": 0.9},
    {"min_precision": 0.8},
    {"min_recall": 0.3, "min_precision": 0.6},
    {"min_recall": 0.8, "confidence_level": 0.9},
    {"min_precision": 0.6, "confidence_level": 0.9},
)
IN_WORDS = {"costs": {"false_positive": 1, "false_negative": 7}}


def shards(folder, ends):
    """Write the rows into one file an ending, each with more than the last."""
    borders = np.linspace(0, 1, len(ends) + 1) ** 2 * N
    for k, end in enumerate(ends):
        rows = slice(int(borders[k]), int(borders[k + 1]))
        table = pd.DataFrame({"z": Z[rows], "urgent": np.array(["no", "yes"])[Y[rows]]})
        if end == "parquet":
            table.to_parquet(folder / f"part-{k}.parquet", row_group_size=97)
        elif end == "csv":
            table.to_csv(folder / f"part-{k}.csv", index=False)
        else:
            table.to_json(
                folder / f"part-{k}.jsonl", orient="records", lines=True, double_precision=15
            )
    return folder / "part-*"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Take pieces of 100 rows and blocks of 7 positives, that there are many."""
    monkeypatch.setattr(score_pieces, "ROWS", 100)
    monkeypatch.setattr(search, "BLOCK", 7)


@pytest.mark.parametrize("ends", [["parquet"], ["parquet"] * 4, ["csv", "jsonl", "parquet"]])
@pytest.mark.parametrize("way", WAYS)
def test_pieces_and_shards_choose_as_all_rows_at_once(tmp_path, ends, way):
    """Each way to choose gives the same rule, its cut and the name of its rows, from many files."""
    words = dict(way)
    if "costs" in way:
        del words["costs"]
        words["false_positive"] = way["costs"].false_positive
        words["false_negative"] = way["costs"].false_negative
    kept, notes = choose_for_scores(
        shards(tmp_path, ends), scores=["z"], labels=["urgent"], criterion=words, low_memory=True
    )
    assert kept.rule == BinaryThreshold.choose(Z, Y, label_names=("no", "yes"), **way)
    assert f"{N} rows" in notes[0] and "no temperature" in notes[1]


@pytest.mark.parametrize("seed", range(40))
def test_the_cuts_that_are_kept_hold_the_best_one(seed):
    """Searching blocks and keeping few cuts finds what the search over all cuts finds, weights too.

    Where no cut will do, it is refused in the same words.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 80))
    y = rng.random(n) < 0.4
    y[:2] = True, False
    z = np.round(rng.normal(1.0 * y), 1)
    weight = rng.random(n) * 3 if seed % 2 else None
    steps = Steps.of(z, y, weight)
    searches = {
        "costs": lambda one: steps.cheapest(one),
        "f_beta": lambda one: steps.best_f(one),
    }
    for way in WAYS:
        if weight is not None and "confidence_level" in way:
            continue
        recall, precision = way.get("min_recall"), way.get("min_precision")

        def whole(way=way, recall=recall, precision=precision):
            if way.keys() & searches.keys():
                ((name, value),) = way.items()
                return searches[name](value)
            return floor_cut(steps, z, y, recall, precision, way.get("confidence_level"))

        try:
            expected = whole()
        except ValueError as error:
            with pytest.raises(ValueError) as caught:
                BinaryThreshold.choose(z, y, sample_weight=weight, **way)
            assert str(caught.value) == str(error)
        else:
            found = BinaryThreshold.choose(z, y, sample_weight=weight, **way)
            assert found.cut == expected


def test_probabilities_and_two_columns_in_pieces(tmp_path):
    """Both scales and two-column heads give the rule of all rows at once."""
    p = 1 / (1 + np.exp(-Z.astype(np.float64)))
    pd.DataFrame({"a": -Z / 2, "b": Z / 2, "p": p, "y": Y}).to_parquet(tmp_path / "two.parquet")
    costs = {"costs": Costs(false_positive=1, false_negative=7)}
    for scores, scale, logits in (
        (["a", "b"], "logits", np.stack([-Z / 2, Z / 2], axis=1)),
        (["p"], "probabilities", from_probabilities(p, kind="binary")),
    ):
        kept, _ = choose_for_scores(
            tmp_path / "two.parquet",
            scores=scores,
            labels=["y"],
            scale=scale,
            criterion=IN_WORDS["costs"],
            low_memory=True,
        )
        assert kept.rule == BinaryThreshold.choose(logits, Y, **costs)


def test_labels_kept_as_categories_in_pieces(tmp_path):
    """A column of pandas categories is read as its names, and an empty cell is found."""
    names = pd.Series(np.array(["no", "yes"])[Y], dtype="category")
    given = {"scores": ["z"], "labels": ["y"], "criterion": IN_WORDS["costs"], "low_memory": True}
    pd.DataFrame({"z": Z, "y": names}).to_parquet(tmp_path / "t.parquet")
    kept, _ = choose_for_scores(tmp_path / "t.parquet", **given)
    assert kept.rule == BinaryThreshold.choose(Z, Y, label_names=("no", "yes"), **WAYS[0])
    names[150] = None
    pd.DataFrame({"z": Z, "y": names}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="row 151: y is empty"):
        choose_for_scores(tmp_path / "t.parquet", **given)


def test_what_pieces_hide_is_said(tmp_path):
    """Probabilities taken for logits, or near 0 or 1, are asked about once, whatever the pieces."""
    p = 1 / (1 + np.exp(-20.0 * Z))
    pd.DataFrame({"p": p, "y": Y}).to_parquet(tmp_path / "p.parquet")
    for scale, words in (("logits", "are these probabilities"), ("probabilities", "within 1e-07")):
        with pytest.warns(UserWarning, match=words) as said:
            choose_for_scores(
                tmp_path / "p.parquet",
                scores=["p"],
                labels=["y"],
                scale=scale,
                criterion=IN_WORDS["costs"],
                low_memory=True,
            )
        assert len(said) == 1


@pytest.mark.parametrize(
    ("cells", "options", "words"),
    [
        ({}, {"source": "none-*.parquet"}, "no file is called like"),
        ({}, {"scores": ["z", "z", "z"]}, "one or two score columns, got 3"),
        ({}, {"labels": ["a", "b"]}, "one column of labels"),
        ({}, {"criterion": IN_WORDS["costs"] | {"review": 0.1}}, "leave --low-memory out"),
        ({}, {"costs": "costs.csv"}, "not a table of them"),
        ({}, {"scores": ["x"]}, "no column 'x'"),
        ({"z": [0.5, np.nan, 1.0]}, {}, "row 2: z must hold a finite number"),
        ({"y": [1, None, 0]}, {}, "row 2: y is empty"),
        ({"y": ["a", "b", "c"]}, {}, "yes/no needs two labels"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, cells, options, words):
    """Each slip is named, with its row where it has one."""
    table = {"z": [0.5, 2.0, 1.0], "y": [1, 1, 0], **cells}
    pd.DataFrame(table).to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("z,y\n1,0\n2\n", encoding="utf-8")
    given = {"scores": ["z"], "labels": ["y"], "criterion": IN_WORDS["costs"], **options}
    with pytest.raises(ValueError, match=words):
        choose_for_scores(tmp_path / given.pop("source", "t.parquet"), low_memory=True, **given)
    with pytest.raises(ValueError, match="row 2: expected 2 cells, got 1"):
        given = {"scores": ["z"], "labels": ["y"], "criterion": IN_WORDS["costs"]}
        choose_for_scores(tmp_path / "t.csv", low_memory=True, **given)


def test_the_command_takes_a_pattern(tmp_path):
    """`choose --low-memory 'part-*'` writes the rule that `decide` reads."""
    pattern = shards(tmp_path, ["parquet", "csv"])
    arguments = ["choose", pattern, "--score", "z", "--label", "urgent", "--low-memory"]
    arguments += ["--false-positive", 1, "--false-negative", 7, "--output", tmp_path / "rule.json"]
    found = CliRunner().invoke(command_line.app, list(map(str, arguments)))
    assert found.exit_code == 0 and "rows of 2 files" in found.output, found.output
    direct = BinaryThreshold.choose(Z, Y, label_names=("no", "yes"), **WAYS[0])
    assert read_rule(tmp_path / "rule.json").rule == direct
