"""Floors of recall and precision, together and for each of many labels; what n rows promise."""

import json
import re
from fractions import Fraction
from functools import partial

import jsonschema
import numpy as np
import pandas as pd
import pytest
from cases import small_case, steps_of
from scipy.stats import binom, norm
from test_decision_file import SCHEMA
from test_networks import HEADS, make_network, make_table
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers.choosing import choose_rule, criterion_of
from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    fewest_rows,
    highest_confidence,
    highest_floor,
    rule_from_dict,
)
from helpers.page import report_page
from helpers.portable.floors import GRID
from helpers.portable.search import Sides
from helpers.reports import report_binary, report_each_label
from helpers.rules import changed, chosen_in_words

RNG = np.random.default_rng(9)
MOST = r"a precision of ([\d.]+) with a recall of .*, or a recall of ([\d.]+) with"


def data(seed=0, n=800):
    """Draw overlapping logits of two classes."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(int)
    return rng.normal(3.0 * y - 2), y


def tables(z, y, weight):
    """Give recall and precision of every cut that predicts something, as fractions."""
    weight = [Fraction(w) for w in weight]
    whole = sum(w for w, one in zip(weight, y, strict=True) if one)
    found = []
    for _, high in steps_of(z)[:-1]:
        said = sum((w for w, s in zip(weight, z, strict=True) if s >= high), Fraction(0))
        rows = zip(weight, z, y, strict=True)
        hits = sum((w for w, s, one in rows if s >= high and one), Fraction(0))
        if said:
            found.append((hits / whole, hits / said))
    return found


# Both floors on the rows that choose


def test_both_floors_by_hand():
    """Of 4(1) 3(1) 2(0) 1(1) 0(0): 2/3 of each is had at 1; 1 and 4/5 are not, and it is said."""
    z, y = np.array([4.0, 3.0, 2.0, 1.0, 0.0]), np.array([1, 1, 0, 1, 0])
    rule = BinaryThreshold.choose(z, y, min_recall=2 / 3, min_precision=2 / 3)
    assert rule.cut == 0.5
    assert rule.chosen["criterion"] == "floors"
    assert (rule.chosen["min_recall"], rule.chosen["min_precision"]) == (2 / 3, 2 / 3)
    with pytest.raises(
        ValueError, match=r"no cut keeps a recall of 1\.0 together with .* 0\.8: the"
    ):
        BinaryThreshold.choose(z, y, min_recall=1, min_precision=0.8)
    with pytest.raises(
        ValueError, match=r"precision of 0.7500 with a recall of 1.0, or a recall of"
    ):
        BinaryThreshold.choose(z, y, min_recall=1, min_precision=0.8)
    with pytest.raises(ValueError, match=r"or no recall with a precision of 0.9"):
        BinaryThreshold.choose([0.0, 0.0], [0, 1], min_recall=0.5, min_precision=0.9)


def test_both_floors_equal_brute_force():
    """In 1,500 cases with ties and weights: the most recall that keeps both, or the best pairs."""
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(1500):
        z, y, weight, _ = small_case(rng)
        recall, precision = (Fraction(int(k), 20) for k in rng.integers(1, 21, 2))
        ways = {"min_recall": float(recall), "min_precision": float(precision)}
        cuts = tables(z, y, weight)
        both = [r for r, p in cuts if r >= recall and p >= precision]
        try:
            rule = BinaryThreshold.choose(z, y, sample_weight=weight, **ways)
        except ValueError as error:
            assert not both
            best_precision = max(p for r, p in cuts if r >= recall)
            best_recall = max((r for r, p in cuts if p >= precision), default=0)
            text = str(error)
            first = float(re.search(r"is a precision of ([\d.]+) with", text)[1])
            best = re.search(r"or a recall of ([\d.]+) with", text)
            assert first == pytest.approx(float(best_precision), abs=1.01e-4)
            assert (float(best[1]) if best else 0) == pytest.approx(float(best_recall), abs=1.01e-4)
            continue
        said = rule.decide(z) == 1
        assert Fraction(weight[said & (y == 1)].sum()) / Fraction(weight[y == 1].sum()) == max(both)
        assert Fraction(weight[said & (y == 1)].sum()) >= precision * Fraction(weight[said].sum())
        kept += 1
    assert 400 < kept < 1100


@pytest.mark.parametrize("level", [None, 0.9])
def test_the_pairs_that_the_message_names_can_be_had(level):
    """Each named pair is kept, or promised, when asked for; .001 more is not."""
    z, y = data()
    asked = {"min_recall": 0.95, "min_precision": 0.93, "confidence_level": level}
    with pytest.raises(ValueError, match=MOST) as caught:
        BinaryThreshold.choose(z, y, **asked)
    precision, recall = map(float, re.search(MOST, str(caught.value)).groups())
    for pair in ({"min_precision": precision}, {"min_recall": recall}):
        ((way, value),) = pair.items()
        assert BinaryThreshold.choose(z, y, **asked | pair).chosen[way] == value
        with pytest.raises(ValueError, match="together with"):
            BinaryThreshold.choose(z, y, **asked | {way: value + 1e-3})


# Both floors, promised

POINTS = np.concatenate([[GRID[-1] - 1], (GRID[1:] + GRID[:-1])[::-1] / 2, [GRID[0] + 1]])


def world(kind, recall, precision):
    """Make the mass and the chance of a 1 at 20 points, one between any two fixed cuts.

    From the middle cut on the recall is too low by a hair, below it the precision: no cut keeps
    both, so that every promise is broken.
    """
    positive = np.zeros(20)
    positive[10:] = (recall - 0.001) / 10
    if kind == "steep":  # the 1s thin out quickly below the middle, and so does their share
        positive[:10] = 0.5 ** np.arange(10, 0, -1)
    else:
        positive[:10] = 1.0
    positive[:10] *= (1 - recall + 0.001) / positive[:10].sum()
    below = np.cumsum(positive[::-1])[::-1]
    false = below / (precision - 0.001) - below  # the false alarms at each cut of that precision
    alarms = np.zeros(20)
    alarms[:9] = false[:9] - false[1:10]
    alarms[9] = false[9] * 0.9 if kind == "steep" else false[9] - false[10]
    alarms[10:] = (false[9] - alarms[9]) / 10
    return positive, alarms


def truth(positive, alarms, cut):
    """Work out recall and precision of a cut."""
    said = cut <= POINTS
    hits = positive[said].sum()
    return hits / positive.sum(), hits / (hits + alarms[said].sum())


def draw(rng, positive, alarms, n):
    """Draw scores and labels."""
    mass = np.concatenate([positive, alarms])
    cell = rng.choice(40, n, p=mass / mass.sum())
    return POINTS[cell % 20], (cell < 20).astype(int)


@pytest.mark.parametrize("kind", ["steep", "flat"])
def test_both_promises_are_broken_by_chance_alone(kind):
    """Where no cut keeps both, 2,000 choices of 400 rows promise no more often than allowed."""
    rng = np.random.default_rng(1)
    recall, precision, level = 0.8, 0.7, 0.9
    population = world(kind, recall, precision)
    kept = [truth(*population, cut) for cut in (*GRID, -np.inf)]
    assert not any(r >= recall and p >= precision for r, p in kept)
    assert sum(r >= recall - 0.01 and p >= precision - 0.01 for r, p in kept) >= 1
    broken = {level: 0, None: 0}
    for turn in range(2000):
        z, y = draw(rng, *population, 400)
        for wanted in broken if turn < 200 else [level]:
            try:
                BinaryThreshold.choose(
                    z, y, min_recall=recall, min_precision=precision, confidence_level=wanted
                )
            except ValueError:
                continue
            broken[wanted] += 1
    assert kind == "flat" or broken[level] > 0.04 * 2000  # the allowance is used where risks jump
    assert broken[level] <= binom.ppf(0.999, 2000, 1 - level)
    assert broken[None] > 0.5 * 200


def test_a_pair_is_promised_where_the_network_is_good_enough():
    """Of 1,000 choices 95 in 100 and more give a promise, and it holds as seldom fails as said."""
    rng = np.random.default_rng(2)
    floors = {"min_recall": 0.75, "min_precision": 0.75, "confidence_level": 0.9}
    promised = broken = 0
    for _ in range(1000):
        y = (rng.random(600) < 0.3).astype(int)
        try:
            rule = BinaryThreshold.choose(rng.normal(3.0 * y - 2), y, **floors)
        except ValueError:
            continue
        promised += 1
        hits, false = 0.3 * norm.sf(rule.cut, loc=1), 0.7 * norm.sf(rule.cut, loc=-2)
        broken += hits < 0.75 * 0.3 or hits < 0.75 * (hits + false)
    assert promised > 950
    assert broken <= binom.ppf(0.999, 1000, 0.1)


def test_both_promises_take_the_lowest_cut_that_passes_both_tests():
    """By hand: half of the chance of error each; precision by the fallback from .95 down."""
    for seed in range(4):
        z, y = data(seed)
        level, proven = 0.0, []
        for cut in (*GRID, -np.inf):
            said = z >= cut
            level += 0.05 / 20
            wrong = int((said & (y == 0)).sum())
            passes = binom.cdf(wrong, int(said.sum()), 0.2) <= level
            level = level if passes else 0.0
            missed = int((~said & (y == 1)).sum())
            if passes and (binom.cdf(missed, int(y.sum()), 0.2) <= 0.05 or cut == -np.inf):
                proven.append(cut)
        rule = BinaryThreshold.choose(z, y, min_recall=0.8, min_precision=0.8, confidence_level=0.9)
        assert rule.cut == min(proven)


def test_always_keeps_any_recall():
    """As "always" misses nothing, ten rows promise a recall of 1 beside a precision of .05."""
    z, y = np.arange(10.0), np.arange(10) % 2
    rule = BinaryThreshold.choose(z, y, min_recall=1, min_precision=0.05, confidence_level=0.9)
    assert rule.cut == -np.inf


def test_both_promises_refuse_rows_that_chose_the_temperature():
    """As a precision alone: after a temperature the rows that fitted it are asked for."""
    z, y = data()
    ways = {"min_recall": 0.7, "min_precision": 0.7, "confidence_level": 0.9, "temperature": 1.5}
    with pytest.raises(ValueError, match="pass their logits as used="):
        BinaryThreshold.choose(z, y, **ways)
    with pytest.raises(ValueError, match="400 of 400 rows have been used"):
        BinaryThreshold.choose(z[:400], y[:400], used=z, **ways)
    with pytest.raises(ValueError, match="pass their logits as used="):
        LabelThresholds.choose(z[:, None], y[:, None], **ways)
    with pytest.raises(ValueError, match="cannot be had with sample_weight"):
        BinaryThreshold.choose(z, y, sample_weight=np.ones(800), **ways)


def test_the_search_sorts_each_row_once(monkeypatch):
    """With both floors a million rows pass through sorts no more than twice, promised or not."""
    rng = np.random.default_rng(3)
    y = (rng.random(10**6) < 0.1).astype(int)
    z = rng.normal(4.0 * y - 2)
    sorted_rows = []

    def counting(kept, values, *more, **options):
        sorted_rows.append(np.size(values))
        return kept(values, *more, **options)

    for name in ("sort", "argsort", "unique", "lexsort"):
        monkeypatch.setattr(np, name, partial(counting, getattr(np, name)))
    in_place = Sides.in_place.__func__

    def counting_both(cls, ones, zeros):
        sorted_rows.append(len(ones) + len(zeros))
        return in_place(cls, ones, zeros)

    monkeypatch.setattr(Sides, "in_place", classmethod(counting_both))
    for level in (None, 0.9):
        sorted_rows.clear()
        BinaryThreshold.choose(z, y, min_recall=0.7, min_precision=0.7, confidence_level=level)
        assert 10**6 <= sum(sorted_rows) <= 2 * 10**6
    sorted_rows.clear()
    LabelThresholds.choose(
        z.reshape(-1, 4), y.reshape(-1, 4), min_precision=0.7, confidence_level=0.9
    )
    assert 10**6 <= sum(sorted_rows) <= 2 * 10**6


# Floors of many labels


def label_data(seed=0, n=1500):
    """Draw logits of four labels: two common ones, a rare one, and one that no row has."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 4)) < [0.3, 0.3, 0.01, 0]).astype(int)
    return rng.normal(4.0 * y - 2), y


NAMES = ("home", "water", "noise", "ice")


@pytest.mark.parametrize("kind", ["steep", "flat"])
def test_the_promises_of_all_labels_are_broken_by_chance_alone(kind):
    """In 2,000 choices the floors of three labels fail together as seldom as promised.

    Steep: the precision falls below its floor from one cut to the next. Flat: the recall falls
    evenly with the cut. Without a confidence level a floor fails most of the time.
    """
    rng = np.random.default_rng(4)
    level, n = 0.9, 300
    population = world("steep", 0.8, 0.7)
    floors = {"min_recall": 0.5, "min_precision": 0.7} if kind == "steep" else {"min_recall": 0.8}
    broken, promised = {level: 0, None: 0}, 0
    for turn in range(2000):
        if kind == "steep":
            z, y = (part.reshape(n, 3) for part in draw(rng, *population, 3 * n))
        else:
            y = (rng.random((n, 3)) < 0.3).astype(int)
            z = 10 * rng.random((n, 3))
        for wanted in broken if turn < 200 else [level]:
            try:
                rule = LabelThresholds.choose(z, y, confidence_level=wanted, **floors)
            except ValueError:
                continue
            promised += wanted is not None
            if kind == "steep":
                reached = [truth(*population, cut) for cut in rule.cuts]
                broken[wanted] += any(r < 0.5 or p < 0.7 for r, p in reached)
            else:
                broken[wanted] += max(rule.cuts) > 2
    assert promised > 1000
    assert 0.005 * 2000 < broken[level] <= binom.ppf(0.999, 2000, 1 - level)
    assert broken[None] > 0.7 * 200


@pytest.mark.parametrize("level", [None, 0.9])
def test_each_label_gets_the_cut_of_the_yes_no_rule_at_its_share(level):
    """With three labels each is chosen as alone at a confidence of 1 - (1 - level) / 3."""
    z, y = label_data()
    recalls, precisions = {"home": 0.8, "noise": 0.3}, {"water": 0.8, "home": 0.6}
    rule = LabelThresholds.choose(
        z, y, min_recall=recalls, min_precision=precisions, confidence_level=level,
        label_names=NAMES,
    )  # fmt: skip
    for k, name in enumerate(NAMES[:3]):
        alone = BinaryThreshold.choose(
            z[:, k],
            y[:, k],
            min_recall=recalls.get(name),
            min_precision=precisions.get(name),
            confidence_level=None if level is None else 1 - (1 - level) / 3,
        )
        assert rule.cuts[k] == alone.cut
    assert rule.cuts[3] == np.inf  # no floor and no row: never given
    assert rule.chosen["criterion"] == "floors"
    assert rule.chosen["min_recall"] == [0.8, None, 0.3, None]
    assert rule.chosen["min_precision"] == [0.6, 0.8, None, None]
    assert rule.chosen.get("confidence_level") == level
    listed = {"min_recall": [0.8, None, 0.3, None], "min_precision": [0.6, 0.8, None, None]}
    again = LabelThresholds.choose(z, y, **listed, confidence_level=level, label_names=NAMES)
    assert again == rule


def test_a_label_without_a_floor_gets_its_best_f1():
    """Its cut is that of macro-F1, and the record shows no floor for it."""
    z, y = (part[:, :2] for part in label_data())
    rule = LabelThresholds.choose(z, y, min_recall=[None, 0.9], confidence_level=0.9)
    best = LabelThresholds.choose(z, y, macro_f1=True, min_positives=0)
    assert rule.cuts[0] == best.cuts[0] and rule.chosen["min_recall"] == [None, 0.9]


def test_no_label_is_promised_silently():
    """Each label with too few rows is named, with what its rows can promise; that can be had."""
    z, y = label_data()
    asked = {"confidence_level": 0.9, "label_names": NAMES}
    with pytest.raises(
        ValueError, match=r"2 of 4 labels cannot keep .*confidence of 0.975"
    ) as caught:
        LabelThresholds.choose(z, y, min_recall=0.8, **asked)
    text = str(caught.value)
    n = int(y[:, 2].sum())
    assert f"noise: {n} positives cannot promise a recall of 0.8" in text
    assert "ice: no row has it" in text and "home: " not in text
    few = float(re.search(r"they can promise is ([\d.]+)", text)[1])
    assert few == pytest.approx(highest_floor(n, 0.975), abs=1.01e-4)
    floors = {"home": 0.8, "water": 0.8, "noise": few}
    rule = LabelThresholds.choose(z, y, min_recall=floors, **{**asked, "confidence_level": 0.925})
    assert rule.decide(z)[y[:, 2] == 1, 2].all()
    with pytest.raises(
        ValueError, match=rf"noise: 1500 messages, {n} of them .*: the most they can"
    ):
        LabelThresholds.choose(z, y, min_recall=0.8, min_precision=0.5, **asked)


def test_a_label_that_every_row_has():
    """It is always given; with few rows not even its precision can be promised."""
    z, y = np.linspace(3, 5, 50)[:, None], np.ones((50, 1), int)
    assert LabelThresholds.choose(z, y, min_recall=1).cuts == (-np.inf,)
    assert LabelThresholds.choose(z, y, min_precision=1, min_recall=1).cuts == (-np.inf,)
    sure = LabelThresholds.choose(z, y, min_precision=0.8, min_recall=0.9, confidence_level=0.9)
    assert sure.cuts == (-np.inf,)
    with pytest.raises(ValueError, match=r"1 of 1 labels .*50 messages cannot promise a precision"):
        LabelThresholds.choose(z, y, min_precision=0.99, confidence_level=0.9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_recall": [0.9, 0.8]}, "min_recall must be one number or 4 of them, .* got 2"),
        ({"min_recall": {"watr": 0.9}}, "min_recall names no label 'watr'; there are home, water"),
        ({"min_precision": [None] * 4}, "no label has a floor"),
        ({"min_precision": 1.5}, r"min_precision must lie in \(0, 1\], got 1.5"),
        ({"min_recall": "0.9"}, "min_recall must be a sequence"),
        ({"min_precision": 0.5, "empty": "top1"}, "so it cannot keep a precision"),
        ({"min_recall": 0.5, "shared": True}, "micro_f1 or costs, not by min_recall"),
        ({"min_recall": 0.5, "macro_f1": True}, "exactly one of .*; got macro_f1, min_recall"),
        ({"macro_f1": True, "confidence_level": 0.9}, "goes with min_recall or min_precision, not"),
        ({"min_recall": 0.5, "confidence_level": 90}, "confidence_level must lie strictly between"),
        ({"min_recall": 0.5, "used": [[0.0] * 4]}, "used goes with confidence_level"),
    ],
)
def test_floors_that_make_no_sense_are_refused(options, words):
    """Each wrong option is named, with what was expected."""
    z, y = label_data(n=50)
    y[0] = 1
    with pytest.raises(ValueError, match=words):
        LabelThresholds.choose(z, y, label_names=NAMES, **options)


def test_swapped_labels_are_asked_about():
    """A label whose 1s have the lower logits draws the warning, with floors too."""
    z, y = (part[:, :2] for part in label_data())
    z[:, 1] = -z[:, 1]
    with pytest.warns(UserWarning, match="of water are wrong"):
        LabelThresholds.choose(z, y, min_recall=0.5, label_names=NAMES[:2])


# What n rows can promise


def test_the_table_of_confidence_is_the_binomial():
    """With no mistake 1 - floor^n; with m the chance of more than m, for every n at once."""
    n, floors = np.array([[1], [10], [300]]), np.array([0.5, 0.9, 0.99])
    np.testing.assert_allclose(highest_confidence(n, floors), 1 - floors**n, rtol=1e-12)
    for wrong in (1, 3, 10):
        found = highest_confidence(n, floors, mistakes=wrong)
        want = [[1 - binom.cdf(wrong, k[0], 1 - f) for f in floors] for k in n]
        np.testing.assert_allclose(found, want, atol=1e-12)


def test_the_three_figures_agree():
    """For 200 random floors: the fewest rows reach the confidence, one row less does not."""
    rng = np.random.default_rng(5)
    floors, levels = rng.uniform(0.05, 0.995, 200), rng.uniform(0.5, 0.999, 200)
    wrong = rng.integers(0, 20, 200)
    n = fewest_rows(floors, levels, mistakes=wrong)
    assert np.all(highest_confidence(n, floors, mistakes=wrong) >= levels)
    less = np.maximum(n - 1, 1)
    assert np.all((highest_confidence(less, floors, mistakes=wrong) < levels) | (n == 1))
    assert np.all(highest_floor(n, levels, mistakes=wrong) >= floors - 1e-9)
    fewer = highest_floor(less, levels, mistakes=wrong)
    assert np.all((fewer < floors + 1e-9) | (n == 1))
    assert fewest_rows(0.999999, 0.999) == int(np.ceil(np.log(0.001) / np.log(0.999999)))
    assert highest_floor(5, 0.9, mistakes=[5, 6]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("floor", "level"), [(0.8, 0.9), (0.9, 0.95), (0.95, 0.8)])
def test_choose_promises_a_recall_from_the_fewest_rows_on(floor, level):
    """With as many positives as the table says a recall is promised, with one less it is not."""
    n = fewest_rows(floor, level)
    for positives in (n, n - 1):
        z, y = np.arange(positives + 5.0), np.append(np.zeros(5, int), np.ones(positives, int))
        if positives == n:
            BinaryThreshold.choose(z, y, min_recall=floor, confidence_level=level)
        else:
            with pytest.raises(ValueError, match=f"{positives} positives cannot promise"):
                BinaryThreshold.choose(z, y, min_recall=floor, confidence_level=level)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: highest_confidence(0, 0.9), "n must be whole numbers of at least 1 .*, got 0"),
        (lambda: highest_confidence([1.5], 0.9), "n must be whole numbers"),
        (lambda: highest_confidence(10, [0.9, 1.0]), "floor must lie strictly between 0 and 1"),
        (lambda: highest_confidence(10, 0.9, mistakes=-1), "mistakes must be whole numbers"),
        (lambda: highest_floor(10, 0), "confidence_level must lie strictly between 0 and 1, got 0"),
        (lambda: fewest_rows(np.nan, 0.9), "floor must lie strictly between"),
        (lambda: highest_floor([1, 2], [0.5] * 3), r"must fit together, .* n \(2,\), confidence_l"),
        (lambda: fewest_rows(0.9, 0.9, mistakes=2e6), "mistakes .* at most 1e\\+06, got 2000000"),
        (lambda: fewest_rows(1 - 1e-12, 0.9), "1e9 rows are too few"),
    ],
)
def test_impossible_tables_are_refused(call, words):
    """What is no count or no share is named, and so is a floor that no data could promise."""
    with pytest.raises(ValueError, match=words):
        call()


# Where floors travel


def both_rules():
    """A yes/no rule and one of many labels, each with two floors, and their data."""
    z, y = data()
    floors = {"min_recall": 0.8, "min_precision": 0.75, "confidence_level": 0.9}
    yield BinaryThreshold.choose(z, y, label_names=("wait", "urgent"), **floors), z + 0.01, y
    z, y = (part[:, :3] for part in label_data())
    floors = {"min_recall": {"home": 0.8, "water": 0.7}, "min_precision": 0.3}
    yield LabelThresholds.choose(z, y, label_names=NAMES[:3], **floors), z + 0.01, y


@pytest.mark.parametrize("case", list(both_rules()), ids=["yes/no", "labels"])
def test_both_floors_are_recorded_reported_and_shown(case):
    """JSON, schema, words, reports and page all hold both floors; a changed rule holds none."""
    rule, z, y = case
    saved = json.loads(json.dumps(rule.to_dict(), allow_nan=False))
    assert rule_from_dict(saved) == rule
    schema = {**SCHEMA, "$ref": f"#/$defs/{type(rule).__name__}"}
    part = {"$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"], "$ref": schema["$ref"]}
    jsonschema.validate(saved, part)
    for wrong in (0, 1.5, "0.9", [0.9, 2]):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**saved, "chosen": {**saved["chosen"], "min_recall": wrong}}, part)
    words = chosen_in_words(rule)
    if isinstance(rule, BinaryThreshold):
        assert words == (
            "for a recall of at least 0.8 and a precision of at least 0.75, promised with "
            "confidence 0.9"
        )
        costs = Costs(false_positive=1, false_negative=1)
        plain = BinaryThreshold.from_threshold(0.5)
        table = report_binary({"0.5": plain, "this": rule}, z, y, costs, rng=RNG)
        assert [row["min_recall"] for row in table] == [None, 0.8]
        assert [row["min_precision"] for row in table] == [None, 0.75]
        with pytest.raises(ValueError, match="not for a shifted one"):
            changed(rule, rates=(0.3, 0.1))
    else:
        assert words == (
            "for a recall of at least 0.8 for home, 0.7 for water and a precision of at least 0.3 "
            "for each label"
        )
        each = report_each_label(rule, z, y)
        assert [row["min_recall"] for row in each] == [0.8, 0.7, None]
        assert [row["min_precision"] for row in each] == [0.3] * 3
    page = report_page(rule, z, y).html
    assert f"Chosen {words} on {len(y)} rows" in page
    assert not {"min_recall", "min_precision"} & set(changed(rule, threshold=0.4).chosen)


def test_the_commands_take_both_floors(tmp_path):
    """`choose` writes a rule of both floors, for yes/no and for each of many labels by name."""
    run = CliRunner()
    z, y = data()
    pd.DataFrame({"z": z, "urgent": y}).to_csv(tmp_path / "yes.csv", index=False)
    many, truths = (part[:, :3] for part in label_data())
    table = {f"z_{name}": many[:, k] for k, name in enumerate(NAMES[:3])}
    table |= {name: truths[:, k] for k, name in enumerate(NAMES[:3])}
    pd.DataFrame(table).to_csv(tmp_path / "many.csv", index=False)
    floors = ["--min-recall", "0.8", "--min-precision", "0.75", "--confidence", "0.9"]
    yes = ["--score", "z", "--label", "urgent", "--positive", "1"]
    named = ["--min-recall", "home=0.8,water=0.8", "--min-precision", "home=0.6"]
    labels = ["--score", "z_home,z_water,z_noise", "--label", "home,water,noise"]
    for source, columns, asked in (("yes.csv", yes, floors), ("many.csv", labels, named)):
        target = tmp_path / f"{source}.json"
        arguments = ["choose", str(tmp_path / source), *columns, *asked, "--output", str(target)]
        found = run.invoke(command_line.app, arguments)
        assert found.exit_code == 0, found.output
        chosen = json.loads(target.read_text(encoding="utf-8"))["rule"]["chosen"]
        assert chosen["criterion"] == "floors"
    assert chosen["min_recall"] == [0.8, 0.8, None]
    arguments[arguments.index(named[1])] = "home"
    with pytest.raises(ValueError, match=r"floors are given as name=0\.3,other=0\.7, got 'home'"):
        raise run.invoke(command_line.app, arguments).exception


def test_a_criterion_of_floors_is_checked_before_any_work():
    """Both floors go together, for yes/no and many labels; names and bounds are checked."""
    both = {"min_recall": 0.8, "min_precision": 0.5}
    assert criterion_of("binary", **both, confidence_level=0.9) == {**both, "confidence_level": 0.9}
    named = {"min_recall": {"home": 0.9}}
    assert criterion_of("multilabel", **named, label_names=NAMES) == named
    with pytest.raises(ValueError, match="names no label 'hme'"):
        criterion_of("multilabel", min_recall={"hme": 0.9}, label_names=NAMES)
    with pytest.raises(ValueError, match="by names is for many labels; yes/no takes one number"):
        criterion_of("binary", **named)
    with pytest.raises(
        ValueError, match=r"exactly one of .*; got min_recall, min_precision, f_beta"
    ):
        criterion_of("binary", **both, f_beta=1)
    with pytest.raises(
        ValueError, match="min_recall is for yes/no and many labels; this is one of many, and its"
    ):
        criterion_of("multiclass", **both)
    z, y = (part[:, :2] for part in label_data())
    rule = choose_rule("multilabel", z, y, label_names=NAMES[:2], criterion=both)
    assert rule.chosen["min_recall"] == [0.8, 0.8]


def test_a_network_of_many_labels_is_adopted_with_floors_by_name(tmp_path):
    """`adopt` saves a folder whose decision.json holds each label's floors; a wrong name stops."""
    network = make_network(tmp_path / "theirs", "BERT", "many labels")
    table = make_table(tmp_path / "rows.csv", network, "many labels")
    names = ",".join(HEADS["many labels"][0])
    arguments = ["adopt", str(network), str(table), "--label", names]
    arguments += ["--output", str(tmp_path / "mine"), "--min-precision", "0.3", "--min-recall"]
    first = HEADS["many labels"][0][0]
    with pytest.raises(ValueError, match="min_recall names no label 'nothing'"):
        raise CliRunner().invoke(command_line.app, [*arguments, "nothing=0.5"]).exception
    found = CliRunner().invoke(command_line.app, [*arguments, f"{first}=0.5"])
    assert found.exit_code == 0, found.output
    values = json.loads((tmp_path / "mine/decision.json").read_text(encoding="utf-8"))
    jsonschema.validate(values, SCHEMA)
    chosen = values["rule"]["chosen"]
    assert chosen["criterion"] == "floors" and chosen["min_recall"][:2] == [0.5, None]
    assert '"min_recall": [0.5' in (tmp_path / "mine/README.md").read_text(encoding="utf-8")
