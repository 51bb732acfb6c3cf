"""Claims about `RejectOption`, each against a worked example, brute force, or simulation."""

import json
import re

import numpy as np
import pytest
from cases import three_classes
from scipy.stats import binom, binomtest

from helpers.decisions import Costs, RejectCosts, RejectOption, fingerprint, rule_from_dict
from helpers.portable.rule import ALWAYS, NEVER
from helpers.probabilities import MEASURES, confidence

# Label or Other


def with_confidence(c, right):
    """Make three logits a row with largest softmax c at class 0, and labels that are right or 1."""
    z = np.log(np.stack([c, (1 - c) / 2, (1 - c) / 2], axis=1)) + 5.0
    return z, np.where(right, 0, 1)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_reject_option_is_the_naive_loop(measure, temperature):
    """Row by row: the argmax where the score of the scaled logits reaches the cut, else Other."""
    z, _ = three_classes(np.random.default_rng(0))
    cut = float(np.median(confidence(z / temperature, measure=measure)))
    names = ("a", "b", "c")
    rule = RejectOption(cut=cut, measure=measure, label_names=names, temperature=temperature)
    naive = [
        row.argmax() if confidence(row[None] / temperature, measure=measure)[0] >= cut else 3
        for row in z
    ]
    assert rule.decide(z).tolist() == naive and rule.decide(z).dtype == np.int64
    assert 0 < np.mean(np.array(naive) == 3) < 1
    assert [r["label"] for r in rule.explain(z)] == [(*names, "Other")[i] for i in naive]


def test_always_and_never_answer_alike():
    """Without a cut every message, or none, is answered, whatever the score."""
    z, _ = three_classes(np.random.default_rng(1))
    for measure in MEASURES:
        names = {"measure": measure, "label_names": ("a", "b", "c")}
        np.testing.assert_array_equal(
            RejectOption(cut="always", **names).decide(z), z.argmax(axis=1)
        )
        assert np.all(RejectOption(cut="never", **names).decide(z) == 3)


def test_explanation_of_an_answer_and_of_a_reject():
    """A record names what is answered, the best label, the figures and the reason."""
    rule = RejectOption.from_threshold(0.6, label_names=("bin", "bus", "tax"), other="person")
    z = np.log([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]]) + 3
    sure, unsure = rule.explain(z)
    assert sure == {
        "label": "bin",
        "best": "bin",
        "probability": pytest.approx(0.7),
        "confidence": pytest.approx(0.7),
        "threshold": 0.6,
        "accepted": True,
        "reason": "answered",
    }
    assert (unsure["label"], unsure["best"], unsure["accepted"]) == ("person", "bus", False)
    assert unsure["reason"] == "unsure"


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("cut", ["always", "never", 0.5])
def test_a_reject_option_survives_json(measure, cut):
    """A rule read back from JSON text is the same rule; its records are JSON too."""
    rule = RejectOption(cut=cut, measure=measure, label_names=["ä", "b"], temperature=2, other="?")
    again = rule_from_dict(json.loads(json.dumps(rule.to_dict())))
    assert again == rule and isinstance(again, RejectOption) and again.label_names == ("ä", "b")
    json.dumps(rule.explain([[2.0, -1.0]]), allow_nan=False)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"label_names": ("a", "Other")}, "must be a string that is no label, got 'Other'"),
        ({"other": "a"}, "must be a string that is no label, got 'a'"),
        ({"other": 3}, "must be a string that is no label"),
        ({"cut": np.nan}, 'cut must be a number, "always" or "never", got nan'),
        ({"cut": "sometimes"}, "got 'sometimes'"),
        ({"measure": "variance"}, 'measure must be "softmax" or'),
        ({"label_names": ("a",)}, "two names or more"),
        ({"label_names": ("a", "a")}, "must differ"),
        ({"temperature": 0}, "temperature must be"),
    ],
)
def test_reject_options_that_make_no_sense(values, words):
    """Cut, names, score and temperature are checked when a rule is made."""
    with pytest.raises(ValueError, match=words):
        RejectOption(**{"cut": 0.5, "label_names": ("a", "b")} | values)


@pytest.mark.parametrize("threshold", [1.5, -0.1, np.nan, "high"])
def test_threshold_that_is_no_probability(threshold):
    """A threshold on the softmax is a probability; on the energy any finite number will do."""
    with pytest.raises(ValueError, match="a threshold on softmax is a probability"):
        RejectOption.from_threshold(threshold, label_names=("a", "b"))
    if threshold == 1.5:
        rule = RejectOption.from_threshold(1.5, measure="energy", label_names=("a", "b"))
        assert rule.cut == rule.threshold == 1.5


@pytest.mark.parametrize(
    ("z", "words"),
    [
        ([[1.0, 2.0]], "expected 3 logits a row, one a label, got 2"),
        ([[1.0], [2.0]], "at least 2 classes"),
        ([[1.0, 2.0, np.inf]], "must be finite"),
    ],
)
def test_logits_of_another_network(z, words):
    """A rule for three labels takes three finite logits a row: 49 for 50 names would be told."""
    rule = RejectOption(cut=0.5, label_names=("a", "b", "c"))
    for method in (rule.decide, rule.explain, rule.confidence):
        with pytest.raises(ValueError, match=words):
            method(z)


# Choosing what to reject


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", range(8))
def test_reject_search_equals_brute_force(measure, seed):
    """No cut costs less than the chosen one, errors, rejects and unknown answered all priced."""
    rng = np.random.default_rng(seed)
    z, y = three_classes(rng, n=int(rng.integers(3, 40)))
    costs = RejectCosts(
        reject=float(rng.integers(0, 5)) / 4, error=1, unknown=float(rng.integers(1, 5)) / 2
    )
    rule = RejectOption.choose(z, y, costs=costs, measure=measure)
    paid = costs.of(y, rule.decide(z), n_classes=3).sum()
    names = {"measure": measure, "label_names": ("0", "1", "2")}
    every = [RejectOption(cut=cut, **names) for cut in confidence(z, measure=measure)]
    every += [RejectOption(cut=cut, **names) for cut in ("always", "never")]
    assert paid == pytest.approx(min(costs.of(y, r.decide(z), n_classes=3).sum() for r in every))


def test_reject_search_by_hand():
    """Right, wrong, right, wrong, at reject .4: answering the surest alone pays 1.2, the least."""
    z, y = with_confidence(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
    paid = [1.6, 1.2, 1.8, 1.4, 2.0]  # answering the first 0, 1, 2, 3 and 4
    costs = RejectCosts(reject=0.4)
    for k, total_paid in enumerate(paid):
        cut = [0.95, 0.85, 0.75, 0.65, 0.5][k]
        rule = RejectOption.from_threshold(cut, label_names=("a", "b", "c"))
        assert costs.of(y, rule.decide(z), n_classes=3).sum() == pytest.approx(total_paid)
    assert RejectOption.choose(z, y, costs=costs).cut == pytest.approx((0.9 + 0.8) / 2)


@pytest.mark.parametrize(("reject", "right", "cut"), [(1, True, ALWAYS), (1, False, ALWAYS)])
def test_where_nothing_is_gained_by_rejecting(reject, right, cut):
    """A reject as dear as an error, or a network that is always right, answers always."""
    z, y = with_confidence(np.array([0.9, 0.8]), np.array([True, right]))
    assert RejectOption.choose(z, y, costs=RejectCosts(reject=reject)).cut == cut


def test_where_all_answers_are_wrong():
    """A network that is never right is never to answer."""
    z, y = with_confidence(np.array([0.9, 0.8]), np.array([False, False]))
    assert RejectOption.choose(z, y, costs=RejectCosts(reject=0.5)).cut == NEVER


def test_reject_search_finds_chows_threshold():
    """On 40,000 calibrated rows the search comes near 1 - reject / error, and costs no more."""
    rng = np.random.default_rng(0)
    c = rng.uniform(0.35, 1, 40_000)
    z, y = with_confidence(c, rng.random(40_000) < c)
    for reject in (0.2, 0.4, 0.6):
        costs = RejectCosts(reject=reject)
        found = RejectOption.choose(z, y, costs=costs)
        formula = RejectOption.from_costs(costs, label_names=found.label_names)
        assert found.threshold == pytest.approx(1 - reject, abs=0.06)
        paid = [costs.of(y, r.decide(z), n_classes=3).mean() for r in (found, formula)]
        assert paid[0] <= paid[1] <= paid[0] + 0.002


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("coverage", [0.01, 0.25, 0.5, 0.9, 0.999, 1.0])
def test_coverage_is_reached_and_not_overshot(measure, coverage):
    """At least the share is answered, and a cut above the next score would answer less."""
    z, y = three_classes(np.random.default_rng(3), n=97)
    rule = RejectOption.choose(z, y, coverage=coverage, measure=measure)
    scores = confidence(z, measure=measure)
    answered = rule.decide(z) < 3
    assert answered.mean() >= coverage
    assert np.mean(scores > scores[answered].min()) < coverage
    assert coverage < 1 or rule.cut == ALWAYS


def test_coverage_by_hand():
    """Half of .9 .8 .7 .6 is answered from the middle of .8 and .7 on."""
    z, y = with_confidence(np.array([0.6, 0.9, 0.7, 0.8]), np.ones(4, bool))
    assert RejectOption.choose(z, y, coverage=0.5).cut == pytest.approx(0.75)


def flat(c, rng):
    """Draw right answers with a risk of .11 at every confidence."""
    return rng.random(len(c)) >= 0.11


def rising(c, rng):
    """Draw right answers with a risk that rises from 0 to .5 as the confidence falls to .35."""
    return rng.random(len(c)) >= 0.5 * (1 - c) / 0.65


def true_risk(way, cut):
    """The risk among the answered for confidences uniform on [.35, 1]."""
    cut = max(0.35, cut)
    return 0.11 if way is flat else 0.5 * (1 - cut) / 2 / 0.65


def uncorrected(z, y):
    """The mutant: of all cuts, the lowest whose observed risk keeps the promise."""
    c = confidence(z)
    order = np.argsort(-c)
    wrong = (z.argmax(axis=1) != y)[order]
    kept = np.flatnonzero(np.cumsum(wrong) / np.arange(1, len(y) + 1) <= 0.1)
    return c[order][kept[-1]] if len(kept) else None


def promised(z, y):
    """Ours: at most 10 % wrong among the answered, with confidence .95."""
    try:
        return RejectOption.choose(z, y, max_risk=0.1, confidence_level=0.95).cut
    except ValueError:
        return None


def broken_promises(choose, way, sets):
    """Count the sets of 300 rows for which the chosen cut's true risk is above .1."""
    rng = np.random.default_rng(7)
    broken = 0
    for _ in range(sets):
        c = rng.uniform(0.35, 1, 300)
        cut = choose(*with_confidence(c, way(c, rng)))
        broken += cut is not None and true_risk(way, cut) > 0.1 + 1e-12
    return broken


@pytest.mark.parametrize("way", [flat, rising])
def test_the_promise_is_kept(way):
    """Of 2,000 calibration sets at most the .999 quantile of Binomial(2000, .05) break it."""
    assert broken_promises(promised, way, 2000) <= binom.ppf(0.999, 2000, 0.05)


@pytest.mark.parametrize("way", [flat, rising])
def test_without_correction_the_promise_is_broken(way):
    """The uncorrected scan over all cuts breaks it far more often."""
    assert broken_promises(uncorrected, way, 400) > binom.ppf(0.999, 400, 0.05)


def test_levels_are_handed_on():
    """Of 60 sure rows none is wrong, of 100 five: what .6 may use is what .8 had and its own."""
    right = np.ones(100, bool)
    right[60:65] = False
    z, y = with_confidence(np.repeat([0.9, 0.7], [60, 40]), right)

    def bound(level):
        return binomtest(5, 100).proportion_ci(1 - 2 * level, method="exact").high

    def cut(candidates, promise):
        ways = {"max_risk": promise, "confidence_level": 0.95, "candidates": candidates}
        return RejectOption.choose(z, y, **ways).cut

    assert bound(2 / 40) < (promise := np.mean([bound(1 / 40), bound(2 / 40)])) < bound(1 / 40)
    assert cut([0.8, 0.6], promise) == 0.6  # .8 passes at 1 / 40, so .6 has 2 / 40
    between = np.mean([bound(2 / 60), bound(3 / 60)])
    assert cut([0.95, 0.8, 0.6], between) == 0.8  # .95 answers nothing and keeps its 1 / 60


def test_unknown_texts_that_are_answered_break_the_promise():
    """Rows of no class count as errors: with 30 sure ones among 300, no 10 % can be promised."""
    z, y = with_confidence(np.full(300, 0.97), np.ones(300, bool))
    assert RejectOption.choose(z, y, max_risk=0.1, confidence_level=0.95).threshold == 0.05
    y[:30] = 3
    with pytest.raises(ValueError, match=r"cannot promise a risk of 0\.1"):
        RejectOption.choose(z, y, max_risk=0.1, confidence_level=0.95)


def test_an_unattainable_risk_names_the_lowest():
    """The message names a risk that can be promised, and a little less than it cannot."""
    z, y = three_classes(np.random.default_rng(5), n=200)
    with pytest.raises(ValueError, match=r"200 messages cannot promise a risk of 0\.001") as caught:
        RejectOption.choose(z, y, max_risk=0.001, confidence_level=0.95)
    lowest = float(re.search(r"lowest that they can promise is (0\.\d{4})", str(caught.value))[1])
    assert RejectOption.choose(z, y, max_risk=lowest, confidence_level=0.95).cut
    with pytest.raises(ValueError, match="cannot promise"):
        RejectOption.choose(z, y, max_risk=lowest - 2e-4, confidence_level=0.95)


def test_twenty_messages_promise_little():
    """Twenty right answers out of twenty bound the risk at 1 - (.05 / 19) ** (1 / 20), no lower."""
    z, y = with_confidence(np.full(20, 0.97), np.ones(20, bool))
    lowest = 1 - (0.05 / 19) ** (1 / 20)
    with pytest.raises(ValueError, match=f"promise is {np.ceil(lowest * 1e4) / 1e4:.4f}"):
        RejectOption.choose(z, y, max_risk=0.1, confidence_level=0.95)


def test_used_rows_are_refused():
    """A temperature needs the rows that chose it, and none of them may come again."""
    z, y = three_classes(np.random.default_rng(6), n=80, unknown=0)
    ways = {"max_risk": 0.6, "confidence_level": 0.9}
    with pytest.raises(ValueError, match="pass their logits as used="):
        RejectOption.choose(z, y, temperature=1.5, **ways)
    with pytest.raises(ValueError, match="80 of 80 rows have been used"):
        RejectOption.choose(z, y, temperature=1.5, used=z, **ways)
    fresh, labels = three_classes(np.random.default_rng(8), n=80, unknown=0)
    with pytest.raises(ValueError, match="1 of 80 rows have been used"):
        RejectOption.choose(fresh, labels, used=np.concatenate([z, fresh[:1]]), **ways)
    rule = RejectOption.choose(fresh + 1e-3, labels, temperature=1.5, used=z, **ways)
    assert rule.temperature == 1.5 and rule.chosen["max_risk"] == 0.6
    with pytest.raises(ValueError, match="used must have rows like those of logits"):
        RejectOption.choose(z, y, used=[[1.0, 2.0]], **ways)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "exactly one of costs, coverage, max_risk; got none"),
        ({"coverage": 0.5, "max_risk": 0.1}, "got coverage, max_risk"),
        (
            {"coverage": 0.5, "confidence_level": 0.9},
            "confidence_level goes with max_risk, not coverage",
        ),
        ({"coverage": 0.5, "used": [[1.0, 2.0, 3.0]]}, "used goes with max_risk"),
        ({"coverage": 0.0}, r"coverage must lie in \(0, 1\]"),
        ({"coverage": 1.1}, r"coverage must lie in \(0, 1\]"),
        ({"costs": 0.4}, "costs must be RejectCosts"),
        ({"costs": Costs(false_positive=1, false_negative=2)}, "costs must be RejectCosts"),
        ({"max_risk": 0.1}, "say with which confidence_level="),
        ({"max_risk": 1.0, "confidence_level": 0.9}, "max_risk must lie strictly between 0 and 1"),
        (
            {"max_risk": 0.1, "confidence_level": 95},
            "confidence_level must lie strictly between 0 and 1",
        ),
        ({"max_risk": 0.1, "confidence_level": 0.9, "measure": "energy"}, "give candidates="),
        ({"max_risk": 0.1, "confidence_level": 0.9, "candidates": []}, "m at least 1"),
        ({"max_risk": 0.1, "confidence_level": 0.9, "candidates": [np.nan]}, "finite cuts"),
        ({"coverage": 0.5, "label_names": ("a", "b")}, "expected 2 logits a row"),
        ({"coverage": 0.5, "other": "1"}, "must be a string that is no label"),
    ],
)
def test_choosing_a_reject_option_refuses(options, words):
    """Exactly one way, with its own options, in their ranges."""
    z, y = three_classes(np.random.default_rng(4))
    with pytest.raises(ValueError, match=words):
        RejectOption.choose(z, y, **options)


@pytest.mark.parametrize(
    ("z", "y", "words"),
    [
        (np.empty((0, 3)), np.empty(0, int), "at least one labelled message, got none"),
        ([[1.0, 2.0, 3.0]], [4], "or 3 for Other, got 4"),
        ([[1.0, 2.0, 3.0]], [0, 1], "one for each row"),
        ([[1.0, np.nan, 3.0]], [0], "NaN or infinity in 1 of 1 rows"),
        ([[1.0], [2.0]], [0, 0], "at least 2 classes"),
    ],
)
def test_choosing_a_reject_option_needs_rows_that_fit(z, y, words):
    """Empty validation data, other labels, NaN and a single column are refused."""
    with pytest.raises(ValueError, match=words):
        RejectOption.choose(z, y, coverage=0.5)


def test_a_chosen_reject_option_says_how():
    """It keeps the way, the numbers of rows and of unknown ones, and the fingerprint."""
    z, y = three_classes(np.random.default_rng(9))
    rule = RejectOption.choose(z, y, costs=RejectCosts(reject=0.4), label_names=("a", "b", "c"))
    assert rule.chosen == {
        "method": "search",
        "criterion": "costs",
        "n_samples": 60,
        "costs": {"reject": 0.4, "error": 1.0, "unknown": 1.0},
        "n_other": int((y == 3).sum()),
        "fingerprint": fingerprint(z, y),
    }
