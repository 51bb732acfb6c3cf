"""Claims about helpers.decisions, each against a worked example, brute force, or simulation."""

import json
import re
import subprocess
import sys
import time
from dataclasses import FrozenInstanceError
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    RejectCosts,
    RejectOption,
    check_label_logits,
    check_label_matrix,
    fingerprint,
    label_fingerprint,
    rule_from_dict,
)
from helpers.portable.rule import ALWAYS, NEVER
from helpers.probabilities import MEASURES, confidence, prior_shift, sigmoid, softmax

ROOT = Path(__file__).parents[1]
QUICK = settings(max_examples=60, deadline=None)
PRICES = Costs(false_positive=1, false_negative=5)


def small_case(rng):
    """Draw few rows with tied whole scores, weights (some 0) and a cost matrix."""
    n = int(rng.integers(2, 12))
    scores = rng.integers(-3, 4, n).astype(float)
    labels, weight = rng.integers(0, 2, n), rng.integers(0, 4, n).astype(float)
    labels[:2], weight[:2] = [0, 1], rng.integers(1, 4, 2)
    order = rng.permutation(n)
    right = rng.integers(-2, 3, 2) if rng.random() < 0.5 else np.zeros(2)
    alarm, miss = right + rng.integers(1, 6, 2)
    if not right.any() and rng.random() < 0.2:
        alarm, miss = ((0, miss), (alarm, 0))[int(rng.integers(2))]
    costs = Costs(
        false_positive=alarm, false_negative=miss, true_negative=right[0], true_positive=right[1]
    )
    return scores[order], labels[order], weight[order], costs


def steps_of(scores):
    """Give the intervals (low, high] of cuts that decide alike, from below all to above all."""
    return list(pairwise([-np.inf, *np.unique(scores), np.inf]))


def total(costs, predicted, labels, weight):
    """Add up the cost of the decisions, row by row."""
    table = {
        (1, 1): costs.true_positive,
        (1, 0): costs.false_positive,
        (0, 1): costs.false_negative,
        (0, 0): costs.true_negative,
    }
    rows = zip(predicted, labels, weight, strict=True)
    return sum(w * table[int(p), int(y)] for p, y, w in rows)


def brute_force(scores, labels, weight, costs):
    """Try every decision: the least cost, and the middle of its widest plateau (the lower one)."""
    steps = steps_of(scores)
    paid = [total(costs, scores >= high, labels, weight) for _, high in steps]
    plateaus = []
    for (low, high), cost in zip(steps, paid, strict=True):
        if cost == min(paid):
            if plateaus and plateaus[-1][1] == low:
                plateaus[-1][1] = high
            else:
                plateaus.append([low, high])
    low, high = max(plateaus, key=lambda p: p[1] - p[0])  # max keeps the first of equals
    cut = low if low == ALWAYS else high if high == NEVER else (low + high) / 2
    return min(paid), cut


def two_classes(rng, n=60, prior=0.4, digits=1):
    """Draw overlapping scores of two classes, rounded so that some tie."""
    labels = (rng.random(n) < prior).astype(int)
    labels[:2] = [0, 1]
    return np.round(rng.normal(2.0 * labels - 1, 1.5), digits), labels


def reached(scores, labels, rule):
    """Recall and precision of a rule, as fractions."""
    said = rule.decide(scores) == 1
    hits = int((labels[said] == 1).sum())
    precision = Fraction(hits, int(said.sum())) if said.any() else None
    return Fraction(hits, int((labels == 1).sum())), precision


# Costs


@pytest.mark.parametrize(
    ("alarm", "miss", "cut"), [(1, 5, 1 / 6), (7, 3, 0.7), (1, 1, 0.5), (0, 2, 0.0), (2, 0, 1.0)]
)
def test_elkans_cut(alarm, miss, cut):
    """The cut is alarm / (alarm + miss): 1 against 5 gives 1/6, 7 against 3 gives 7/10."""
    costs = Costs(false_positive=alarm, false_negative=miss)
    assert costs.threshold == cut
    rule = BinaryThreshold.from_costs(costs)
    assert rule.threshold == pytest.approx(cut, rel=1e-15)
    assert rule.chosen["costs"]["false_negative"] == miss


@pytest.mark.parametrize(("alarm", "miss", "cut"), [(0, 2, ALWAYS), (2, 0, NEVER)])
def test_a_free_mistake_decides_alone(alarm, miss, cut):
    """Free false alarms give "always", free misses "never", by formula and by search."""
    costs = Costs(false_positive=alarm, false_negative=miss)
    assert BinaryThreshold.from_costs(costs).cut == cut
    assert BinaryThreshold.choose([2.0, -2.0], [0, 1], costs=costs).cut == cut


def test_at_elkans_cut_both_answers_cost_the_same():
    """With right answers at 1 and 2, alarm 4, miss 10: the cut (4-1)/((4-1)+(10-2)) is 3/11."""
    costs = Costs(false_positive=4, false_negative=10, true_negative=1, true_positive=2)
    p = costs.threshold
    assert p == pytest.approx(3 / 11)
    assert p * 2 + (1 - p) * 4 == pytest.approx(p * 10 + (1 - p) * 1)


def test_matrix_is_read_as_predicted_then_true():
    """Row 0 is predicted 0: [[true negative, false negative], [false positive, true positive]]."""
    costs = Costs.from_matrix([[1, 20], [3, 2]])
    expected = Costs(true_negative=1, false_negative=20, false_positive=3, true_positive=2)
    assert costs == expected
    np.testing.assert_array_equal(costs.of([0, 1, 0, 1], [0, 0, 1, 1]), [1, 20, 3, 2])


def test_transposed_matrix_is_refused():
    """The transpose makes a miss (1) cheaper than finding the case (5), and the message says so."""
    matrix = np.array([[0, 20], [1, 5]])
    assert Costs.from_matrix(matrix).false_negative == 20
    with pytest.raises(ValueError, match=re.escape("read as cost[predicted][true]")):
        Costs.from_matrix(matrix.T)


def test_costs_wrong_either_way_are_not_called_transposed():
    """Where the transpose would be refused too, the message does not suggest it."""
    with pytest.raises(ValueError, match="must cost more than the right answer") as caught:
        Costs.from_matrix([[9, 1], [1, 9]])
    assert "transpose" not in str(caught.value)


@pytest.mark.parametrize("shape", [(4,), (3, 3), (1, 2, 2)])
def test_matrix_of_another_shape(shape):
    """A cost matrix is two by two."""
    with pytest.raises(ValueError, match=r"cost\[predicted\]\[true\] has shape \(2, 2\), got"):
        Costs.from_matrix(np.ones(shape))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"false_positive": -1}, "at least 0"),
        ({"false_negative": -0.1}, "at least 0"),
        ({"false_positive": 0, "false_negative": 0}, "one of the two above 0"),
        ({"false_positive": np.nan}, "false_positive must be a finite number"),
        ({"false_negative": np.inf}, "false_negative must be a finite number"),
        ({"true_positive": "1"}, "true_positive must be a finite number"),
        ({"true_negative": None}, "true_negative must be a finite number"),
        ({"true_negative": 1}, "must cost more than the right answer"),
        ({"true_positive": 6}, "must cost more than the right answer"),
    ],
)
def test_costs_that_make_no_sense(values, words):
    """Negative, missing, infinite and senseless costs are refused by name."""
    with pytest.raises(ValueError, match=words):
        Costs(**{"false_positive": 1, "false_negative": 5} | values)


def test_cost_of_each_decision():
    """Found, alarm, miss and quiet cost 0, 1, 5 and 0."""
    np.testing.assert_array_equal(PRICES.of([1, 0, 1, 0], [1, 1, 0, 0]), [0, 1, 5, 0])


@pytest.mark.parametrize(
    ("predicted", "words"), [([0, 2], "0 or 1, got"), ([0, 1, 1], r"shape \(2,\)")]
)
def test_cost_of_what_is_no_decision(predicted, words):
    """Decisions are 0 or 1, one for each label."""
    with pytest.raises(ValueError, match=words):
        PRICES.of([0, 1], predicted)


# The search by cost


def test_search_by_hand():
    """Cuts between -3(0) -1(1) 0(0) 2(1): alarm 1, miss 20 pay 2, 1, 21, 20, 40: the best is -2."""
    z, y = np.array([-3.0, -1.0, 0.0, 2.0]), np.array([0, 1, 0, 1])
    costs = Costs(false_positive=1, false_negative=20)
    assert [total(costs, z >= high, y, np.ones(4)) for _, high in steps_of(z)] == [2, 1, 21, 20, 40]
    assert BinaryThreshold.choose(z, y, costs=costs).cut == (-3 + -1) / 2


def test_search_equals_brute_force():
    """On 1,500 small cases with ties the cost is the least there is, and the cut the plateau's."""
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(1500):
        scores, labels, weight, costs = small_case(rng)
        least, cut = brute_force(scores, labels, weight, costs)
        rule = BinaryThreshold.choose(scores, labels, costs=costs, sample_weight=weight)
        paid = total(costs, rule.decide(scores), labels, weight)
        assert paid == pytest.approx(least, rel=1e-12, abs=1e-12)
        assert rule.cut == cut, (scores, labels, weight, costs)
        named += bool(np.isinf(cut))
    assert 100 < named < 1400  # both kinds of cut were met


def test_search_equals_brute_force_at_real_prices():
    """On 300 cases with real scores, weights and prices the total is the least there is."""
    rng = np.random.default_rng(1)
    for _ in range(300):
        scores, labels = two_classes(rng, n=int(rng.integers(2, 30)), digits=2)
        weight = rng.random(len(scores)) * (rng.random(len(scores)) < 0.8) + 0.01
        right = rng.normal(0, 2, 2)
        alarm, miss = right + rng.exponential(3, 2)
        costs = Costs.from_matrix([[right[0], miss], [alarm, right[1]]])
        rule = BinaryThreshold.choose(scores, labels, costs=costs, sample_weight=weight)
        paid = total(costs, rule.decide(scores), labels, weight)
        least, _ = brute_force(scores, labels, weight, costs)
        size = np.abs([right[0], right[1], alarm, miss]).max() * weight.sum()
        assert paid == pytest.approx(least, rel=1e-12, abs=1e-12 * size)


def test_plateau_by_hand():
    """At equal prices 0(1) 1(0) 2(1) 6(0) 7(1) pays 2 on three plateaus; (2, 6] is the widest."""
    z, y = [0.0, 1.0, 2.0, 6.0, 7.0], [1, 0, 1, 0, 1]
    flat = Costs(false_positive=1, false_negative=1)
    # cuts:     <=0  <=1  <=2  <=6  <=7  never
    # mistakes:  2    3    2    3    2    3     -> "always" has no end and so is the widest
    assert BinaryThreshold.choose(z, y, costs=flat).cut == ALWAYS
    # with a sixth row far below, the plateau (-1, 0] has an end: widths 1, 1, 1; the lowest wins
    assert BinaryThreshold.choose([-1.0, *z], [0, *y], costs=flat).cut == -0.5
    # moving 6 and 7 to 2.5 and 9 makes the last one, (2.5, 9], the widest
    z = [-1.0, 0.0, 1.0, 2.0, 2.5, 9.0]
    assert BinaryThreshold.choose(z, [0, *y], costs=flat).cut == (2.5 + 9) / 2


def test_neighbouring_doubles_can_be_told_apart():
    """Between two neighbouring doubles there is no middle: the cut is the upper one."""
    low = 1.0
    high = np.nextafter(low, 2)
    rule = BinaryThreshold.choose([low, high], [0, 1], costs=PRICES)
    assert rule.decide([low, high]).tolist() == [0, 1]


@QUICK
@given(st.integers(0, 10**6), st.floats(1e-3, 1e3))
def test_prices_in_another_currency(seed, rate):
    """Multiplying all costs by one number leaves the cut where it is."""
    scores, labels, weight, costs = small_case(np.random.default_rng(seed))
    matrix = np.array(
        [[costs.true_negative, costs.false_negative], [costs.false_positive, costs.true_positive]]
    )
    first, second = (
        BinaryThreshold.choose(scores, labels, costs=Costs.from_matrix(m), sample_weight=weight)
        for m in (matrix, rate * matrix)
    )
    assert first.cut == second.cut


@QUICK
@given(st.integers(0, 10**6), st.integers(-20, 20))
def test_logits_in_another_unit(seed, power):
    """Logits and temperature times one power of two give the same rule."""
    scores, labels = two_classes(np.random.default_rng(seed))
    factor = 2.0**power
    first = BinaryThreshold.choose(scores, labels, costs=PRICES, temperature=1.5)
    second = BinaryThreshold.choose(factor * scores, labels, costs=PRICES, temperature=factor * 1.5)
    assert first.cut == second.cut
    np.testing.assert_array_equal(first.decide(scores), second.decide(factor * scores))


@QUICK
@given(st.integers(0, 10**6))
def test_the_mirror_costs_the_same(seed):
    """Swapping the classes (signs, labels and costs) leaves the least cost as it is."""
    scores, labels, weight, costs = small_case(np.random.default_rng(seed))
    mirror = Costs(
        false_positive=costs.false_negative,
        false_negative=costs.false_positive,
        true_positive=costs.true_negative,
        true_negative=costs.true_positive,
    )
    paid = []
    for z, y, c in ((scores, labels, costs), (-scores, 1 - labels, mirror)):
        rule = BinaryThreshold.choose(z, y, costs=c, sample_weight=weight)
        paid.append(total(c, rule.decide(z), y, weight))
    assert paid[0] == paid[1]


@QUICK
@given(st.integers(0, 10**6))
def test_whole_weights_are_repeated_rows(seed):
    """A weight of 3 is the row three times, a weight of 0 no row."""
    scores, labels, weight, costs = small_case(np.random.default_rng(seed))
    times = weight.astype(int)
    repeated = BinaryThreshold.choose(
        np.repeat(scores, times), np.repeat(labels, times), costs=costs
    )
    weighted = BinaryThreshold.choose(scores, labels, costs=costs, sample_weight=weight)
    assert repeated.cut == weighted.cut


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose only feature is its score."""

    classes_ = np.array([0, 1])

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def decision_function(self, X):
        return X[:, 0]


def test_never_dearer_than_scikit_learn():
    """On 50 cases no tuned or fixed threshold of scikit-learn costs less on the same rows."""
    rng = np.random.default_rng(2)

    def cost(true, predicted):
        return PRICES.of(true, predicted).sum()

    scorer = make_scorer(cost, greater_is_better=False)
    for _ in range(50):
        z, y = two_classes(rng)
        ours = cost(y, BinaryThreshold.choose(z, y, costs=PRICES).decide(z))
        tuned = (
            TunedThresholdClassifierCV(
                Given().fit(None, None), scoring=scorer, thresholds=t, cv="prefit", refit=False
            )
            for t in (100, np.unique(z))
        )
        fixed = (FixedThresholdClassifier(Given(), threshold=t) for t in (-1.0, 0.0, 0.5))
        for model in (*tuned, *fixed):
            assert ours <= cost(y, model.fit(z[:, None], y).predict(z[:, None]))


# F-beta and floors


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_f_beta_equals_brute_force(beta):
    """No decision has a higher F-beta, as scikit-learn computes it, on 60 cases with ties."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        z, y = two_classes(rng, n=20, digits=0)
        rule = BinaryThreshold.choose(z, y, f_beta=beta)
        best = max(fbeta_score(y, z >= high, beta=beta, zero_division=0) for _, high in steps_of(z))
        assert fbeta_score(y, rule.decide(z), beta=beta) == pytest.approx(best, rel=1e-12)


def test_floors_by_hand():
    """Of 4(1) 3(1) 2(0) 1(1) 0(0): recall 2/3 needs the cut at 3, precision 3/4 the cut at 1."""
    z, y = np.array([4.0, 3.0, 2.0, 1.0, 0.0]), np.array([1, 1, 0, 1, 0])
    assert BinaryThreshold.choose(z, y, min_recall=2 / 3).cut == (2 + 3) / 2
    assert BinaryThreshold.choose(z, y, min_recall=0.67).cut == (0 + 1) / 2
    assert BinaryThreshold.choose(z, y, min_precision=0.75).cut == (0 + 1) / 2
    assert BinaryThreshold.choose(z, y, min_precision=0.76).cut == (2 + 3) / 2


@QUICK
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_recall_floor_is_met_by_the_highest_cut(seed, twentieths):
    """The recall reaches the floor, and no higher cut of other decisions does."""
    z, y = two_classes(np.random.default_rng(seed), n=25, digits=0)
    floor = Fraction(twentieths, 20)
    rule = BinaryThreshold.choose(z, y, min_recall=float(floor))
    assert reached(z, y, rule)[0] >= floor
    accepted = np.unique(z[rule.decide(z) == 1])
    for higher in accepted[1:]:
        assert Fraction(int((y[z >= higher] == 1).sum()), int(y.sum())) < floor


@QUICK
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_precision_floor_is_met_at_the_highest_recall(seed, twentieths):
    """The precision reaches the floor, and no cut that reaches it finds more."""
    z, y = two_classes(np.random.default_rng(seed), n=25, digits=0)
    floor = Fraction(twentieths, 20)
    tables = [(int((y[z >= c] == 1).sum()), int((z >= c).sum())) for c in np.unique(z)]
    meeting = [hits for hits, said in tables if Fraction(hits, said) >= floor]
    if meeting:
        recall, precision = reached(z, y, BinaryThreshold.choose(z, y, min_precision=float(floor)))
        assert precision >= floor
        assert recall == Fraction(max(meeting), int(y.sum()))
    else:
        best = max(hits / said for hits, said in tables)
        with pytest.raises(ValueError, match=r"no cut reaches .* the highest is") as caught:
            BinaryThreshold.choose(z, y, min_precision=float(floor))
        assert float(str(caught.value).split()[-1]) == pytest.approx(best, abs=1e-4)


def test_weights_count_in_the_floors():
    """With the found 1 at weight 3 and the missed one at 1, recall 3/4 is met at the high cut."""
    z, y, weight = [2.0, 1.0, 0.0], [1, 0, 1], [3, 1, 1]
    assert BinaryThreshold.choose(z, y, min_recall=0.75, sample_weight=weight).cut == 1.5
    assert BinaryThreshold.choose(z, y, min_recall=0.75).cut == ALWAYS
    assert BinaryThreshold.choose(z, y, min_precision=0.8, sample_weight=weight).cut == ALWAYS


def named_floor(**floor):
    """Ask for too much, and read the highest floor out of the message."""
    rng = np.random.default_rng(4)
    z, y = np.append(rng.normal(0, 1, 60), 9.0), np.append(np.arange(60) % 3 == 0, False)
    with pytest.raises(ValueError, match="the highest") as caught:
        BinaryThreshold.choose(z, y, **floor)
    return z, y, float(re.search(r"(?:promise is|highest is) ([\d.]+)$", str(caught.value))[1])


@pytest.mark.parametrize(
    "floor",
    [
        {"min_recall": 0.99, "confidence_level": 0.95},
        {"min_recall": 0.99, "confidence_level": 0.8},
        {"min_precision": 0.99},
        {"min_precision": 0.99, "confidence_level": 0.9},
    ],
)
def test_the_floor_that_the_message_names_can_be_had(floor):
    """Asking for the highest floor named in the message works, asking for .001 more does not."""
    z, y, best = named_floor(**floor)
    way = next(iter(floor))
    with pytest.raises(ValueError, match="the highest"):
        BinaryThreshold.choose(z, y, **floor | {way: best + 1e-3})
    try:
        rule = BinaryThreshold.choose(z, y, **floor | {way: best})
    except ValueError as error:
        rule = error
    assert isinstance(rule, BinaryThreshold), f"the named floor is refused: {rule}"


def test_the_floor_of_twenty_positives_by_hand():
    """All 20 above a cut happens with chance r^20, so r = .05^(1/20) = .861 can be promised."""
    z, y = np.append(np.arange(20.0), -1.0), np.append(np.ones(20, int), 0)
    with pytest.raises(ValueError, match=r"20 positives cannot .* promise is 0\.860[89]"):
        BinaryThreshold.choose(z, y, min_recall=0.87, confidence_level=0.95)
    # 0.86^20 = .0490 < .05: the cut goes under the lowest positive
    assert BinaryThreshold.choose(z, y, min_recall=0.86, confidence_level=0.95).cut == -0.5


# Floors with confidence


@pytest.mark.parametrize(("n_positive", "floor", "confidence"), [(100, 0.9, 0.9), (60, 0.8, 0.95)])
def test_recall_holds_with_its_confidence(n_positive, floor, confidence):
    """In 2,000 calibration sets the true recall fails as seldom as promised; uncorrected, often."""
    rng = np.random.default_rng(5)
    y = np.repeat([0, 1], [1000, n_positive])
    failed = {None: 0, confidence: 0}
    for _ in range(2000):
        z = rng.normal(2.0 * y)
        for wanted in failed:
            rule = BinaryThreshold.choose(z, y, min_recall=floor, confidence_level=wanted)
            failed[wanted] += norm.sf(rule.cut, loc=2) < floor
    assert failed[confidence] <= binom.ppf(0.999, 2000, 1 - confidence)
    assert failed[None] > 0.35 * 2000


def test_recall_cut_falls_at_the_kth_positive():
    """The cut lies at the k-th lowest positive, the last k with P(Bin(n, .1) >= k) >= .9."""
    rng = np.random.default_rng(6)
    y = np.repeat([0, 1], [4000, 200])
    z = rng.normal(2.0 * y)
    rule = BinaryThreshold.choose(z, y, min_recall=0.9, confidence_level=0.9)
    k = max(k for k in range(1, 201) if 1 - binom.cdf(k - 1, 200, 0.1) >= 0.9)
    assert int((z[y == 1] < rule.cut).sum()) == k - 1
    assert rule.cut <= np.sort(z[y == 1])[k - 1]


def test_precision_holds_with_its_confidence():
    """In 1,000 sets the true precision fails as seldom as promised; uncorrected, twice that."""
    rng = np.random.default_rng(7)
    floor, confidence, prior = 0.8, 0.9, 0.3
    failed, promised = {None: 0, confidence: 0}, 0
    for _ in range(1000):
        y = (rng.random(600) < prior).astype(int)
        z = rng.normal(3.0 * y - 2)
        for wanted in failed:
            try:
                rule = BinaryThreshold.choose(z, y, min_precision=floor, confidence_level=wanted)
            except ValueError:
                continue
            promised += wanted is not None
            hits = prior * norm.sf(rule.cut, loc=1)
            failed[wanted] += hits / (hits + (1 - prior) * norm.sf(rule.cut, loc=-2)) < floor
    assert promised > 900
    assert failed[confidence] <= binom.ppf(0.999, 1000, 1 - confidence)
    assert failed[None] > 2 * (1 - confidence) * 1000


def test_a_precision_promise_finds_more_than_equal_shares_would():
    """The mean true recall over 100 sets of 600 is .68; a nineteenth for each test gives .63."""
    rng = np.random.default_rng(8)
    found = []
    while len(found) < 100:
        y = (rng.random(600) < 0.1).astype(int)
        x = rng.normal(3.0 * y)
        try:  # logits that are calibrated
            rule = BinaryThreshold.choose(
                3 * x - 4.5 - np.log(9), y, min_precision=0.8, confidence_level=0.9
            )
        except ValueError:
            continue  # no promise for this set, by either procedure
        found.append(norm.sf((rule.cut + 4.5 + np.log(9)) / 3 - 3))
    assert np.mean(found) > 0.66


def test_a_promise_refuses_rows_that_chose_the_temperature():
    """After a temperature a precision promise wants the rows that fitted it, and others to hold on.

    A recall promise holds after any temperature, as the order of the logits stays.
    """
    rng = np.random.default_rng(9)
    y = (rng.random(900) < 0.3).astype(int)
    z = rng.normal(4.0 * y - 2)
    ways = {"confidence_level": 0.9, "temperature": 1.5}
    with pytest.raises(ValueError, match="pass their logits as used="):
        BinaryThreshold.choose(z, y, min_precision=0.7, **ways)
    for way in ({"min_precision": 0.7}, {"min_recall": 0.7}):
        with pytest.raises(ValueError, match="900 of 900 rows have been used"):
            BinaryThreshold.choose(z, y, used=z, **way, **ways)
        rule = BinaryThreshold.choose(z[450:], y[450:], used=z[:450], **way, **ways)
        assert rule.temperature == 1.5
    moved = BinaryThreshold.choose(z, y, min_recall=0.7, **ways).decide(z)
    plain = BinaryThreshold.choose(z, y, min_recall=0.7, confidence_level=0.9).decide(z)
    np.testing.assert_array_equal(moved, plain)
    with pytest.raises(ValueError, match="used goes with confidence_level"):
        BinaryThreshold.choose(z, y, min_recall=0.7, used=z)


@pytest.mark.parametrize("seed", range(3))
def test_precision_is_proven_by_the_fallback_procedure(seed):
    """From .95 down each candidate brings a share of the level; one that passes hands it on."""
    rng = np.random.default_rng(seed)
    y = (rng.random(800) < 0.3).astype(int)
    z = rng.normal(3.0 * y - 2)
    level, proven, bounds = 0.0, None, []
    for threshold in np.arange(19, 0, -1) / 20:
        accepted = y[sigmoid(z) >= threshold]
        test = binomtest(int(accepted.sum()), len(accepted), 0.8, alternative="greater")
        bounds.append(test.proportion_ci(confidence_level=1 - 0.1 / 19).low)
        level += 0.1 / 19
        proven, level = (threshold, level) if test.pvalue <= level else (proven, 0.0)
    rule = BinaryThreshold.choose(z, y, min_precision=0.8, confidence_level=0.9)
    assert rule.threshold == pytest.approx(proven, rel=1e-12)
    assert rule.chosen["confidence_level"] == 0.9
    with pytest.raises(ValueError, match="800 messages cannot promise a precision") as caught:
        BinaryThreshold.choose(z, y, min_precision=0.999, confidence_level=0.9)
    named = float(str(caught.value).split()[-1])
    assert named == pytest.approx(max(bounds), abs=1.01e-4)


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
        ({"label_names": "no"}, "label_names must be two names"),
        ({"label_names": ("a", "b", "c")}, "label_names must be two names"),
        ({"label_names": (0, 1)}, "label_names must be two names"),
        ({"label_names": None}, "label_names must be two names"),
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


# How a rule travels


def sample_rules():
    """One rule of each origin."""
    z, y = two_classes(np.random.default_rng(9), n=200, digits=3)
    yield BinaryThreshold(cut="never", temperature=np.float32(2.5))
    yield BinaryThreshold.from_threshold(np.float64(0.3), label_names=("wait", "urgent"))
    yield BinaryThreshold.from_costs(PRICES)
    ways = (
        {"costs": PRICES},
        {"f_beta": np.int64(2)},
        {"min_recall": np.float64(0.9), "confidence_level": np.float64(0.8)},
        {"min_precision": 1 / 3},
    )
    for way in ways:
        yield BinaryThreshold.choose(z, y, temperature=1.7, **way)


@pytest.mark.parametrize(
    "rule", list(sample_rules()), ids=lambda rule: rule.chosen.get("criterion", "none")
)
def test_rule_survives_json(rule):
    """A rule of any origin comes back from JSON equal, and decides alike."""
    back = BinaryThreshold.from_dict(json.loads(json.dumps(rule.to_dict(), allow_nan=False)))
    assert back == rule
    z = np.random.default_rng(0).normal(0, 3, 500)
    np.testing.assert_array_equal(back.decide(z), rule.decide(z))


def test_saved_rule_says_how_it_was_chosen():
    """The way, the size and the fingerprint of the data travel with the rule."""
    z, y = two_classes(np.random.default_rng(10))
    chosen = BinaryThreshold.choose(z, y, min_recall=0.9).to_dict()["chosen"]
    expected = {
        "method": "search",
        "criterion": "min_recall",
        "min_recall": 0.9,
        "n_samples": len(z),
        "n_positive": int(y.sum()),
        "fingerprint": fingerprint(z, y),
    }
    assert chosen == expected


def test_changing_the_saved_values_leaves_the_rule():
    """What `to_dict` returns is a copy: writing into it does not rewrite the rule."""
    rule = BinaryThreshold.from_threshold(0.5)
    rule.to_dict()["chosen"]["method"] = "rewritten"
    assert rule.chosen["method"] == "given"


def changed(**values):
    """A saved rule with some values replaced; None takes the field away."""
    saved = BinaryThreshold(cut=0.0).to_dict() | values
    return {k: v for k, v in saved.items() if v is not None}


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (changed(rule="TopK"), "expected a saved BinaryThreshold, got 'TopK'"),
        (changed(rule=None), "expected a saved BinaryThreshold, got None"),
        ([1, 2], "expected a saved BinaryThreshold, got 'list'"),
        (changed(format_version=3), "format versions 1 to 2, the rule has 3"),
        (changed(format_version=None), "format versions 1 to 2, the rule has None"),
        (changed(cut=None), "has the fields .*'cut'.*, got"),
        (changed(note="new"), "got .*'note'"),
        (changed(cut="often"), "cut must be a logit"),
        (changed(temperature=0), "temperature must be"),
    ],
)
def test_foreign_rules_are_refused(saved, words):
    """Another rule, another format, and fields too few or too many are refused."""
    with pytest.raises(ValueError, match=words):
        BinaryThreshold.from_dict(saved)


@QUICK
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_fingerprint_names_the_rows(seed, columns):
    """The order of the rows does not matter; one flipped label or two swapped ones do."""
    rng = np.random.default_rng(seed)
    z, y = rng.normal(0, 2, (30, columns)), rng.integers(0, 2, 30)
    y[:2] = [0, 1]
    name = fingerprint(z, y)
    order = rng.permutation(30)
    assert re.fullmatch("[0-9a-f]{16}", name)
    assert fingerprint(z[order], y[order]) == name == fingerprint(np.float32(z), y == 1)
    flipped, swapped = y.copy(), y.copy()
    flipped[rng.integers(30)] ^= 1
    swapped[:2] = [1, 0]
    names = {name, fingerprint(z, flipped), fingerprint(z, swapped), fingerprint(z[:-1], y[:-1])}
    assert len(names) == 4


def fresh(code, *arguments):
    """Run code in a new interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_numpy_alone_applies_a_rule(tmp_path):
    """With every other package blocked, a saved rule is read and applied."""
    rule = BinaryThreshold.from_threshold(0.7, temperature=2.0, label_names=("wait", "urgent"))
    path = tmp_path / "rule.json"
    path.write_text(json.dumps(rule.to_dict()), encoding="utf-8")
    code = """
import json, sys
for name in ("torch", "transformers", "scipy", "sklearn", "pandas", "datasets", "matplotlib"):
    sys.modules[name] = None
from helpers.decisions import BinaryThreshold
rule = BinaryThreshold.from_dict(json.load(open(sys.argv[1], encoding="utf-8")))
print([reason["label"] for reason in rule.explain([[0.0, 1.0], [0.0, 9.0]])])
"""
    assert fresh(code, str(path)).strip() == "['wait', 'urgent']"


def test_importing_the_package_is_quick():
    """Importing `helpers` takes under 0.2 s in a new process, at best of three."""
    code = "import time; t = time.perf_counter(); import helpers; print(time.perf_counter() - t)"
    assert min(float(fresh(code)) for _ in range(3)) < 0.2


def test_search_of_a_million_rows_is_a_sort():
    """A million rows are searched in the time of a few sorts."""
    rng = np.random.default_rng(11)
    y = (rng.random(10**6) < 0.1).astype(int)
    z = rng.normal(2.0 * y)
    started = time.perf_counter()
    np.sort(z)
    sorting = time.perf_counter() - started
    started = time.perf_counter()
    BinaryThreshold.choose(z, y, costs=PRICES)
    assert time.perf_counter() - started < 30 * sorting + 1


# Many labels


def label_case(rng, n_labels=None):
    """Draw few rows with tied whole scores and at least one positive."""
    n, k = int(rng.integers(2, 7)), n_labels or int(rng.integers(1, 4))
    scores = rng.integers(-2, 3, (n, k)).astype(float)
    labels = rng.integers(0, 2, (n, k))
    labels[0, 0] = 1
    return scores, labels


def micro_f1(predicted, labels):
    """Count F1 over all decisions together."""
    return 2 * (predicted & labels).sum() / (predicted.sum() + labels.sum())


def best_joint(scores, labels, free=None):
    """Try all combinations of cuts of the free labels: the highest micro-F1."""
    free = range(scores.shape[1]) if free is None else free
    steps = [[high for _, high in steps_of(scores[:, k])] for k in free]
    return max(
        micro_f1((scores[:, list(free)] >= np.array(cuts)).astype(int), labels[:, list(free)])
        for cuts in product(*steps)
    )


@pytest.mark.parametrize("seed", range(6))
def test_micro_f1_equals_brute_force(seed):
    """On 600 small cases with ties the cuts are the best of all combinations of cuts."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        scores, labels = label_case(rng)
        rule = LabelThresholds.choose(scores, labels, micro_f1=True, min_positives=0)
        assert micro_f1(rule.decide(scores), labels) == pytest.approx(best_joint(scores, labels))


def test_micro_f1_by_hand():
    """One label is right at .5, the other is noise: giving it would cost more than it finds."""
    scores = [[2.0, 2.0], [1.0, 1.0], [-1.0, -1.0], [-2.0, -2.0], [-3.0, -3.0]]
    labels = [[1, 0], [1, 0], [0, 0], [0, 0], [0, 1]]
    rule = LabelThresholds.choose(scores, labels, micro_f1=True, min_positives=0)
    # cuts (0, never): 2 hits, no alarm, 1 miss: 4/5; (0, always): 3 hits, 4 alarms: 6/10
    assert rule.cuts == (0.0, NEVER)


def test_micro_f1_takes_the_middle_of_the_widest_plateau():
    """Of equally good cuts the one halfway between the scores is taken."""
    rule = LabelThresholds.choose([[0.0], [4.0]], [[0], [1]], micro_f1=True, min_positives=0)
    assert rule.cuts == (2.0,)


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_fall_back_stay_fixed_in_the_joint_search(seed):
    """Rare labels get the best shared cut; the others are then the best of all combinations."""
    rng = np.random.default_rng(seed)
    for _ in range(60):
        scores, labels = label_case(rng, n_labels=3)
        rule = LabelThresholds.choose(scores, labels, micro_f1=True, min_positives=2)
        shared = LabelThresholds.choose(scores, labels, micro_f1=True, shared=True)
        fixed = [k for k in range(3) if labels[:, k].sum() < 2]
        assert rule.chosen["fell_back"] == fixed
        assert all(rule.cuts[k] == shared.cuts[0] for k in fixed)
        steps = [
            [rule.cuts[k]] if k in fixed else [high for _, high in steps_of(scores[:, k])]
            for k in range(3)
        ]
        best = max(
            micro_f1((scores >= np.array(cuts)).astype(int), labels) for cuts in product(*steps)
        )
        assert micro_f1(rule.decide(scores), labels) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(3))
def test_shared_cuts_equal_brute_force(seed):
    """The shared cut is the best single one, by micro-F1 and by costs of each label."""
    rng = np.random.default_rng(seed)
    for _ in range(60):
        scores, labels = label_case(rng)
        if labels.all():
            continue
        highs = [high for _, high in steps_of(scores)]
        said = [(scores >= high).astype(int) for high in highs]
        rule = LabelThresholds.choose(scores, labels, micro_f1=True, shared=True)
        best = max(micro_f1(one, labels) for one in said)
        assert micro_f1(rule.decide(scores), labels) == pytest.approx(best)
        prices = [
            Costs(false_positive=a, false_negative=m)
            for a, m in rng.integers(1, 6, (labels.shape[1], 2))
        ]
        rule = LabelThresholds.choose(scores, labels, costs=prices, shared=True)
        paid = [label_cost(prices, one, labels) for one in [*said, rule.decide(scores)]]
        assert paid[-1] == pytest.approx(min(paid))
        assert len(set(rule.cuts)) == 1


def label_cost(prices, predicted, labels):
    """Add up what decisions on many labels cost."""
    return sum(prices[k].of(labels[:, k], predicted[:, k]).sum() for k in range(len(prices)))


@pytest.mark.parametrize("seed", range(3))
def test_macro_f1_and_costs_are_label_by_label(seed):
    """Macro-F1 and costs choose for each label what the rule for one label chooses."""
    rng = np.random.default_rng(seed)
    for _ in range(40):
        scores, labels = label_case(rng)
        macro = LabelThresholds.choose(scores, labels, macro_f1=True, min_positives=0)
        priced = LabelThresholds.choose(scores, labels, costs=PRICES, min_positives=0)
        for k in range(scores.shape[1]):
            z, y = scores[:, k], labels[:, k]
            if 0 < y.sum() < len(y):
                assert macro.cuts[k] == BinaryThreshold.choose(z, y, f_beta=1).cut
                assert priced.cuts[k] == BinaryThreshold.choose(z, y, costs=PRICES).cut
            else:
                assert macro.cuts[k] == priced.cuts[k] == (ALWAYS if y.any() else NEVER)


def test_half_of_the_best_f1_is_the_cut_on_calibrated_scores():
    """With true probabilities the F1-optimal cut is half the F1 that it reaches (F*/2)."""
    rng = np.random.default_rng(0)
    z = rng.normal(-1, 2, (200_000, 1))
    y = (rng.random(z.shape) < sigmoid(z)).astype(int)
    rule = LabelThresholds.choose(z, y, macro_f1=True)
    assert rule.thresholds[0] == pytest.approx(micro_f1(rule.decide(z), y) / 2, abs=0.02)


def test_one_cut_is_enough_for_micro_f1_on_calibrated_scores():
    """With true probabilities and many rows, all labels get nearly the same cut, F*/2."""
    rng = np.random.default_rng(1)
    z = rng.normal([-3.0, -1.0, 1.0], 2.0, (200_000, 3))
    y = (rng.random(z.shape) < sigmoid(z)).astype(int)
    rule = LabelThresholds.choose(z, y, micro_f1=True)
    best = micro_f1(rule.decide(z), y)
    assert np.allclose(rule.thresholds, best / 2, atol=0.03)
    macro = LabelThresholds.choose(z, y, macro_f1=True)
    assert np.ptp(macro.thresholds) > 0.1


def test_dropping_cuts_below_the_hull_changes_nothing():
    """For any guess of F1, the best of the kept cuts is the best of all."""
    from helpers.portable.search import Steps

    rng = np.random.default_rng(0)
    positive = rng.random(20_000) < 0.3
    steps = Steps.of(np.round(rng.normal(positive), 3), positive, None)
    hull = steps.hull()
    assert len(hull.hits) < len(steps.hits) / 4
    for guess in np.linspace(0, 1, 21):
        best, kept = ((guess * s.alarms - (2 - guess) * s.hits).min() for s in (steps, hull))
        assert best == kept


def test_label_temperature_scales_logits_and_cuts_alike():
    """Choosing with temperature T gives the cuts of choosing on logits divided by T."""
    scores, labels = label_case(np.random.default_rng(5), n_labels=3)
    for way in ({"micro_f1": True}, {"macro_f1": True}, {"costs": PRICES}):
        hot = LabelThresholds.choose(scores, labels, **way, min_positives=2, temperature=2)
        plain = LabelThresholds.choose(scores / 2, labels, **way, min_positives=2)
        assert hot.cuts == plain.cuts
        assert np.array_equal(hot.decide(scores), plain.decide(scores / 2))
        assert hot.probability(scores) == pytest.approx(sigmoid(scores / 2))


def test_empty_rows():
    """A row below all cuts stays empty, or gets its largest logit's label, the first of equals."""
    z = [[1.0, -1.0], [-2.0, -1.0], [-1.0, -1.0]]
    allow = LabelThresholds(cuts=(0.0, 0.0))
    assert allow.decide(z).tolist() == [[1, 0], [0, 0], [0, 0]]
    top = LabelThresholds(cuts=(0.0, 0.0), empty="top1")
    assert top.decide(z).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert [row["accepted"] for row in top.explain(z)] == [True, False, False]
    assert [row["labels"] for row in top.explain(z)] == [["0"], ["1"], ["0"]]
    assert top.decide(np.empty((0, 2))).shape == (0, 2) and top.explain(np.empty((0, 2))) == []


def test_label_explanations_agree_with_decisions():
    """Each record names the labels given, with every label's probability and threshold."""
    rule = LabelThresholds.from_thresholds((0.5, 0.0, 1.0), label_names=("a", "b", "c"))
    assert rule.cuts == (0.0, ALWAYS, NEVER) and rule.thresholds == (0.5, 0.0, 1.0)
    record = rule.explain([[-1.0, -9.0, 9.0]])[0]
    assert record["labels"] == ["b"] and record["accepted"]
    assert record["threshold"] == {"a": 0.5, "b": 0.0, "c": 1.0}
    assert record["probability"]["a"] == pytest.approx(sigmoid(-1.0))


def test_a_label_rule_travels_as_plain_json():
    """The rule is the same after JSON, by its own class and by the reader of any rule."""
    scores, labels = label_case(np.random.default_rng(0), n_labels=3)
    for way in ({"micro_f1": True}, {"macro_f1": True}, {"costs": [PRICES] * 3}):
        rule = LabelThresholds.choose(scores, labels, **way, label_names=("a", "b", "c"))
        text = json.dumps(rule.to_dict(), allow_nan=False)
        assert LabelThresholds.from_dict(json.loads(text)) == rule
        assert rule_from_dict(json.loads(text)) == rule
        assert rule.chosen["fingerprint"] == label_fingerprint(scores[::-1], labels[::-1])
        hash(rule)


def test_label_choice_does_not_touch_its_input():
    """Logits and labels are the same after choosing."""
    scores, labels = label_case(np.random.default_rng(2))
    before = scores.copy(), labels.copy()
    LabelThresholds.choose(scores, labels, micro_f1=True)
    assert np.array_equal(before[0], scores) and np.array_equal(before[1], labels)


Z2, Y2 = [[1.0, -1.0], [-1.0, 2.0]], [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: LabelThresholds.choose(Z2, Y2),
            "exactly one of micro_f1, macro_f1, costs; got none",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, micro_f1=True, costs=PRICES),
            "got micro_f1, costs",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, macro_f1=True, shared=True),
            "by micro_f1 or costs, not by macro_f1",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, micro_f1=True, min_positives=1.5),
            "min_positives must be a whole number, got 1.5",
        ),
        (
            lambda: LabelThresholds.choose(Z2, np.zeros((2, 2)), micro_f1=True),
            "at least one positive, got none in 2 rows",
        ),
        (
            lambda: LabelThresholds.choose(np.empty((0, 2)), np.empty((0, 2)), costs=PRICES),
            "at least one positive, got none in 0 rows",
        ),
        (lambda: LabelThresholds.choose(Z2, [1, 0], micro_f1=True), r"the shape \(2, 2\) of"),
        (lambda: LabelThresholds.choose(Z2, [[1, 2], [0, 1]], micro_f1=True), "0 or 1, got 2"),
        (lambda: LabelThresholds.choose([1.0], [1], micro_f1=True), r"\(n, n_labels\), got \(1,\)"),
        (
            lambda: LabelThresholds.choose([[np.nan, 0.0]], [[1, 0]], micro_f1=True),
            "logits must be finite",
        ),
        (
            lambda: LabelThresholds.choose([[-np.inf, 2.0]], [[1, 0]], micro_f1=True),
            "logits must be finite",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, costs=[PRICES]),
            "one Costs or 2 of them, got 1",
        ),
        (lambda: LabelThresholds.choose(Z2, Y2, costs=3), "costs must be Costs"),
        (
            lambda: LabelThresholds.choose(Z2, Y2, micro_f1=True, temperature=0),
            "temperature must be",
        ),
        (lambda: LabelThresholds(cuts=()), "cuts must be a sequence"),
        (lambda: LabelThresholds(cuts="always"), "cuts must be a sequence"),
        (lambda: LabelThresholds(cuts=(0.0, np.nan)), "a cut must be a logit"),
        (lambda: LabelThresholds(cuts=(0.0, "maybe")), "a cut must be a logit"),
        (
            lambda: LabelThresholds(cuts=(0.0, 1.0), label_names=("a",)),
            "one name for each label, got 1 names and 2 cuts",
        ),
        (lambda: LabelThresholds(cuts=(0.0,), label_names="a"), "label_names must be"),
        (lambda: LabelThresholds(cuts=(0.0,), empty="top"), '"allow" or "top1", got'),
        (lambda: LabelThresholds(cuts=(0.0,)).decide(Z2), "for 1 labels, got 2"),
        (
            lambda: LabelThresholds.from_thresholds(1.5, label_names=("a",)),
            r"a probability in \[0, 1\]",
        ),
        (
            lambda: LabelThresholds.from_thresholds([0.5], label_names=("a", "b")),
            "got 2 names and 1 cuts",
        ),
        (lambda: check_label_logits([["a"]]), "real numbers"),
        (lambda: check_label_matrix([[1, 0]], (2, 2)), r"the shape \(2, 2\)"),
        (
            lambda: LabelThresholds.from_dict(BinaryThreshold(cut=0.0).to_dict()),
            "expected a saved LabelThresholds, got 'BinaryThreshold'",
        ),
    ],
)
def test_label_errors_name_what_is_wrong(call, words):
    """Each impossible input or setting is refused by name."""
    with pytest.raises(ValueError, match=words):
        call()


def test_probabilities_in_place_of_label_logits_are_noticed():
    """Values that all lie in [0, 1] draw a warning."""
    with pytest.warns(UserWarning, match="all logits lie in"):
        check_label_logits(np.full((10, 3), 0.4))


def test_many_labels_take_little_longer_than_sorting():
    """Tuning 20 labels of 50,000 rows takes at most three times as long as sorting the columns."""
    rng = np.random.default_rng(0)
    labels = rng.random((50_000, 20)) < 0.1
    scores = rng.normal(2.0 * labels).astype(np.float32)

    def seconds(call):
        taken = []
        for _ in range(3):
            started = time.perf_counter()
            call()
            taken.append(time.perf_counter() - started)
        return min(taken)

    sort = seconds(lambda: [np.argsort(scores[:, k]) for k in range(20)])
    assert seconds(lambda: LabelThresholds.choose(scores, labels, micro_f1=True)) < 3 * sort


# Label or Other


def three_classes(rng, n=60, unknown=0.15):
    """Draw logits of three classes, rounded so that some tie; label 3 belongs to none of them."""
    labels = rng.integers(0, 3, n)
    z = rng.normal(0, 1.2, (n, 3)) + 2.0 * (labels[:, None] == np.arange(3))
    labels[rng.random(n) < unknown] = 3
    return np.round(z, 1), labels


def with_confidence(c, right):
    """Make three logits a row with largest softmax c at class 0, and labels that are right or 1."""
    z = np.log(np.stack([c, (1 - c) / 2, (1 - c) / 2], axis=1)) + 5.0
    return z, np.where(right, 0, 1)


@pytest.mark.parametrize(("reject", "error", "cut"), [(0.4, 1, 0.6), (1, 4, 0.75), (0.25, 1, 0.75)])
def test_chows_threshold(reject, error, cut):
    """Answer from 1 - reject / error on: 0.4 to 1 gives .6, 1 to 4 gives .75."""
    costs = RejectCosts(reject=reject, error=error)
    assert costs.threshold == pytest.approx(cut)
    rule = RejectOption.from_costs(costs, label_names=("a", "b", "c"))
    assert rule.threshold == pytest.approx(cut) and rule.chosen["costs"]["reject"] == reject


@pytest.mark.parametrize(("reject", "cut"), [(1, ALWAYS), (3, ALWAYS), (0, NEVER)])
def test_chows_threshold_at_its_ends(reject, cut):
    """A reject as dear as an error always answers; a free one never does."""
    rule = RejectOption.from_costs(RejectCosts(reject=reject), label_names=("a", "b"))
    assert rule.cut == cut and rule.threshold == {ALWAYS: 0, NEVER: 1}[cut]


def test_at_chows_threshold_both_cost_the_same():
    """With probability p of being right, answering costs (1 - p) * error: the reject's price."""
    costs = RejectCosts(reject=0.3, error=2)
    assert (1 - costs.threshold) * costs.error == pytest.approx(costs.reject)


def test_cost_of_labels_and_other():
    """Right, wrong, rejected, unknown rejected and unknown answered cost 0, 3, 1, 1 and 5."""
    costs = RejectCosts(reject=1, error=3, unknown=5)
    paid = costs.of([0, 1, 1, 2, 2], [0, 0, 2, 2, 1], n_classes=2)
    np.testing.assert_array_equal(paid, [0, 3, 1, 1, 5])
    assert RejectCosts(reject=1, error=3).unknown == 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reject": -1}, "reject must be a finite number at least 0"),
        ({"reject": np.nan}, "reject must be a finite number"),
        ({"reject": 1, "error": 0}, "error must be a finite number above 0"),
        ({"reject": 1, "error": "2"}, "error must be a finite number above 0"),
        ({"reject": 1, "unknown": 0}, "unknown must be a finite number above 0"),
    ],
)
def test_reject_costs_that_make_no_sense(values, words):
    """Costs are finite and not negative, and a mistake is not free."""
    with pytest.raises(ValueError, match=words):
        RejectCosts(**values)


@pytest.mark.parametrize(
    ("predicted", "labels", "words"),
    [
        ([0, 3], [0, 1], "indices from 0 to 1, or 2 for Other, got 3"),
        ([0, -1], [0, 1], "or 2 for Other, got -1"),
        ([0, 1], [0], r"shape \(1,\)"),
        ([0.5, 1], [0, 1], "whole numbers"),
    ],
)
def test_cost_of_what_is_no_label(predicted, labels, words):
    """Decisions are class indices or the index of Other, one for each label."""
    with pytest.raises(ValueError, match=words):
        RejectCosts(reject=1).of(labels, predicted, n_classes=2)


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
        "reason": "softmax 0.7000 reaches 0.6000",
    }
    assert (unsure["label"], unsure["best"], unsure["accepted"]) == ("person", "bus", False)
    assert unsure["reason"] == "softmax 0.5000 is below 0.6000"


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
        ({"measure": "variance"}, "measure must be one of softmax"),
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
