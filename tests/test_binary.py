"""Claims about `BinaryThreshold`: what it refuses, how it is made and applied."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from cases import PRICES, QUICK
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers.decisions import BinaryThreshold
from helpers.portable.rule import ALWAYS, NEVER
from helpers.probabilities import prior_shift, sigmoid, softmax

# What choose refuses


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "exactly one of costs, min_recall, min_precision, f_beta; got none"),
        ({"costs": PRICES, "f_beta": 1}, "exactly one of .*; got costs, f_beta"),
        ({"costs": (1, 5)}, r"costs must be Costs\("),
        ({"f_beta": 0}, "f_beta must be a number between 1e-6 and 1e6"),
        ({"f_beta": np.inf}, "f_beta must be a number between 1e-6 and 1e6"),
        ({"f_beta": "2"}, "f_beta must be a number between 1e-6 and 1e6"),
        ({"min_recall": 0}, r"min_recall must lie in \(0, 1\]"),
        ({"min_recall": 90}, r"min_recall must lie in \(0, 1\]"),
        ({"min_precision": np.nan}, r"min_precision must lie in \(0, 1\]"),
        ({"min_precision": 1.1, "confidence_level": 0.9}, r"min_precision must lie in \(0, 1\]"),
        (
            {"min_recall": 0.9, "confidence_level": 1},
            "confidence_level must lie strictly between 0 and 1",
        ),
        (
            {"min_recall": 0.9, "confidence_level": 0},
            "confidence_level must lie strictly between 0 and 1",
        ),
        ({"costs": PRICES, "confidence_level": 0.9}, "min_recall or min_precision, not costs"),
        (
            {"min_recall": 0.5, "confidence_level": 0.9, "sample_weight": [1, 1, 1]},
            "cannot be had with sample_weight",
        ),
        ({"costs": PRICES, "sample_weight": [1, 1]}, r"sample_weight must have shape \(3,\)"),
        ({"costs": PRICES, "sample_weight": [1, -1, 1]}, "finite and at least 0"),
        ({"costs": PRICES, "sample_weight": [1, np.nan, 1]}, "finite and at least 0"),
        ({"costs": PRICES, "sample_weight": [1, 0, 1]}, "each class, got 0 positives among 2"),
        ({"costs": PRICES, "temperature": 0}, "temperature must be a finite number above 0"),
        ({"costs": PRICES, "temperature": "1"}, "temperature must be a finite number above 0"),
        ({"costs": PRICES, "label_names": ("a",)}, "label_names must be two names"),
    ],
)
def test_choose_refuses(wanted, words):
    """Each wrong argument is refused in words that name it."""
    with pytest.raises(ValueError, match=words):
        BinaryThreshold.choose([-1.0, 2.0, 0.5], [0, 1, 0], **wanted)


@pytest.mark.parametrize("way", [{"costs": PRICES}, {"min_recall": 0.9}, {"f_beta": 1}])
@pytest.mark.parametrize(("labels", "found"), [([0, 0], 0), ([1, 1], 2), ([], 0)])
def test_choosing_needs_both_classes(way, labels, found):
    """One class alone, or no rows, cannot choose a rule."""
    with pytest.raises(ValueError, match=f"each class, got {found} positives among {len(labels)}"):
        BinaryThreshold.choose(np.linspace(-1, 2, len(labels)), labels, **way)


# How a rule is made and applied


@pytest.mark.parametrize("threshold", [-0.1, 1.1, np.nan, "0.5", None])
def test_threshold_outside_the_unit_interval(threshold):
    """A threshold is a probability."""
    with pytest.raises(ValueError, match=r"probability in \[0, 1\], got"):
        BinaryThreshold.from_threshold(threshold)


@QUICK
@given(st.floats(0, 1), st.floats(-30, 30), st.floats(0.1, 10))
def test_threshold_is_read_back(threshold, z, temperature):
    """A rule shows its threshold, and decides as comparing probabilities would, off the cut."""
    rule = BinaryThreshold.from_threshold(threshold, temperature=temperature)
    assert rule.threshold == pytest.approx(threshold, rel=1e-9, abs=1e-300)
    p = sigmoid(z / temperature)
    assume(abs(p - threshold) > 1e-9)
    assert rule.decide([z])[0] == (p >= threshold)


@pytest.mark.parametrize(("cut", "answer"), [("always", 1), ("never", 0)])
def test_named_cuts(cut, answer):
    """Cuts with a name answer alike at any size, and stand for the thresholds 0 and 1."""
    rule = BinaryThreshold(cut=cut)
    assert rule.decide([-1e300, 0.0, 1e300]).tolist() == [answer] * 3
    assert rule.threshold == 1 - answer
    assert BinaryThreshold.from_threshold(1 - answer).cut == rule.cut


def test_a_logit_at_the_cut_is_positive():
    """Exactly at the cut the answer is 1, one double below it is 0."""
    for cut in (0.0, 0.3, -7.25):
        rule = BinaryThreshold(cut=cut)
        assert rule.decide([cut, np.nextafter(cut, -np.inf)]).tolist() == [1, 0]


def test_heads_are_decided_alike():
    """Shapes (n,), (n, 1) and (n, 2) of one head give the same whole-number answers."""
    z = np.array([-1.5, 0.25, 3.0])
    rule = BinaryThreshold(cut=0.25)
    for form in (z, z[:, None], np.stack([0 * z, z], axis=1), np.stack([-z, 0 * z], axis=1)):
        answers = rule.decide(form)
        assert answers.tolist() == [0, 1, 1] and answers.dtype == np.int64
    two = np.stack([z, -z], axis=1)
    np.testing.assert_allclose(rule.probability(two), softmax(two)[:, 1], rtol=1e-12)


def test_temperature_divides_first():
    """At T = 4 the logit 2 is 0.5 and stays under a cut of 1; the logit 4 reaches it."""
    rule = BinaryThreshold(cut=1.0, temperature=4.0)
    assert rule.decide([2.0, 4.0]).tolist() == [0, 1]
    np.testing.assert_allclose(rule.probability([2.0]), 1 / (1 + np.exp(-0.5)))


@pytest.mark.parametrize(
    ("logits", "words"),
    [
        ([np.nan], "must be finite"),
        ([[1.0, 2.0, 3.0]], "yes/no decision takes"),
        ([[0.2, 0.8], [0.7, 0.3]], "rows of probabilities"),
        (["urgent"], "array of real numbers"),
    ],
)
def test_decide_refuses_what_are_no_logits(logits, words):
    """A rule decides on logits of a yes/no head only."""
    with pytest.raises(ValueError, match=words):
        BinaryThreshold(cut=0.0).decide(logits)


def test_no_rows_no_decisions():
    """An empty batch gives no decisions and no reasons."""
    rule = BinaryThreshold(cut=0.0)
    assert rule.decide([]).shape == (0,) and rule.explain([]) == []


def test_explain_gives_the_reasons():
    """Each answer comes with its name, probability, threshold and outcome, ready for JSON."""
    rule = BinaryThreshold.from_threshold(0.7, label_names=("wait", "urgent"))
    reasons = rule.explain([[0.0, 0.0], [0.0, np.log(3.0)]])
    assert [r["label"] for r in reasons] == ["wait", "urgent"]
    assert [r["positive_probability"] for r in reasons] == pytest.approx([1 / 2, 3 / 4])
    assert [r["threshold"] for r in reasons] == [0.7, 0.7]
    assert [r["accepted"] for r in reasons] == [False, True]
    assert json.loads(json.dumps(reasons)) == reasons


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cut": np.nan}, 'a logit, "always" or "never"'),
        ({"cut": "sometimes"}, 'a logit, "always" or "never"'),
        ({"cut": None}, 'a logit, "always" or "never"'),
        ({"temperature": -1.0}, "temperature must be"),
        ({"temperature": np.nan}, "temperature must be"),
        ({"temperature": None}, "temperature must be"),
        ({"label_names": "no"}, "label_names must be a sequence"),
        ({"label_names": ("a", "b", "c")}, "label_names must be two names"),
        ({"label_names": (0, 1)}, "label_names must be two names"),
        ({"label_names": None}, "label_names must be a sequence"),
    ],
)
def test_rule_refuses(values, words):
    """A rule has a cut, a temperature above 0 and two names."""
    with pytest.raises(ValueError, match=words):
        BinaryThreshold(**{"cut": 0.0} | values)


def test_rule_cannot_be_changed():
    """A rule is fixed once it is made."""
    with pytest.raises(FrozenInstanceError):
        BinaryThreshold(cut=0.0).cut = 1.0


# A change of the base rate


def test_a_rule_at_another_base_rate_decides_as_on_shifted_logits():
    """Moving the cut and shifting the logits after the temperature are the same decision."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=500) * 4
    rule = BinaryThreshold.choose(z, z + rng.normal(size=500) > 1, costs=PRICES, temperature=1.7)
    moved = rule.at_base_rate(old=0.2, new=0.02)
    assert np.array_equal(moved.decide(z), rule.decide(z + 1.7 * prior_shift(old=0.2, new=0.02)))
    assert moved.chosen["fingerprint"] == rule.chosen["fingerprint"]
    assert moved.chosen["base_rate"] == {"old": 0.2, "new": 0.02}
    assert BinaryThreshold.from_dict(json.loads(json.dumps(moved.to_dict()))) == moved


def test_always_and_never_do_not_move():
    """A rule without a cut is the same at any base rate."""
    for cut in ("always", "never"):
        assert (
            BinaryThreshold(cut=cut).at_base_rate(old=0.1, new=0.9).cut
            == {"always": ALWAYS, "never": NEVER}[cut]
        )
