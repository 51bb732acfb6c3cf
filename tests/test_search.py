"""Claims about the search of cuts, each against a worked example, brute force, or simulation."""

import re
import time
import warnings
from fractions import Fraction

import numpy as np
import pytest
from cases import PRICES, QUICK, brute_force, reached, small_case, steps_of, total, two_classes
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from helpers.decisions import BinaryThreshold, Costs
from helpers.portable.rule import ALWAYS
from helpers.probabilities import sigmoid

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


# Speed


@pytest.mark.clock
def test_search_of_a_million_rows_is_a_sort():
    """A million rows are searched in the processor time of a few sorts."""
    rng = np.random.default_rng(11)
    y = (rng.random(10**6) < 0.1).astype(int)
    z = rng.normal(2.0 * y)
    started = time.process_time()
    np.sort(z)
    sorting = time.process_time() - started
    started = time.process_time()
    BinaryThreshold.choose(z, y, costs=PRICES)
    assert time.process_time() - started < 30 * sorting


# The hull


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


# The ends of the numbers


@pytest.mark.parametrize("power", [-1070, -500, 500, 1000])
@pytest.mark.parametrize("way", [{"costs": PRICES}, {"f_beta": 1}, {"min_precision": 0.5}])
def test_weights_in_any_unit_give_one_cut(way, power):
    """The unit of the weights does not matter, down to the smallest and up to the largest."""
    scores, labels, weight, _ = small_case(np.random.default_rng(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, other = (
            BinaryThreshold.choose(scores, labels, sample_weight=weight * unit, **way)
            for unit in (1.0, 2.0**power)
        )
    assert one.cut == other.cut


def test_costs_in_any_unit_give_one_cut():
    """The unit of the costs does not matter; above 1e100 they are refused."""
    scores, labels, _, _ = small_case(np.random.default_rng(3))
    cuts = {
        BinaryThreshold.choose(
            scores, labels, costs=Costs(false_positive=unit, false_negative=5 * unit)
        ).cut
        for unit in (1.0, 2.0**-1060, 2.0**320)
    }
    assert len(cuts) == 1
    with pytest.raises(ValueError, match="false_negative must be a finite number up to 1e100"):
        Costs(false_positive=1, false_negative=1e101)


def test_scores_a_whole_range_apart():
    """The widest plateau may be wider than any number; its middle is taken all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule = BinaryThreshold.choose([-1.5e308, 1.5e308], [0, 1], costs=PRICES)
    assert rule.cut == 0
