"""Claims about exercises 01.5 and 02.4, on data: right answers pass, each mistake has its hint."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import beta, binom, binomtest, chi2, norm

from helpers.decisions import BinaryThreshold, Costs
from helpers.exercises import STRICT_VARIABLE, check


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def paid(p, y, alarm, miss, cut):
    """Return what a threshold costs in all."""
    return alarm * ((p >= cut) & (y == 0)).sum() + miss * ((p < cut) & (y == 1)).sum()


def cheapest(p, y, alarm, miss, cuts=None):
    """Return the first of the cheapest thresholds."""
    cuts = [*sorted(set(p)), 2.0] if cuts is None else cuts
    return min(cuts, key=lambda cut: paid(p, y, alarm, miss, cut))


def last(p, y, alarm, miss):
    """Return the last of the cheapest thresholds."""
    return cheapest(p, y, alarm, miss, [2.0, *sorted(set(p))[::-1]])


def halfway(p, y, alarm, miss):
    """Try the places between two probabilities, and one beyond either end."""
    ordered = np.unique(p)
    middles = (ordered[1:] + ordered[:-1]) / 2
    return cheapest(p, y, alarm, miss, [-1.0, *middles, 1.5])


def sorted_once(p, y, alarm, miss):
    """Go down from the top and keep a running cost."""
    best, cost = np.inf, miss * y.sum()
    least = cost
    for cut in np.unique(p)[::-1]:
        here = p == cut
        cost += alarm * (here & (y == 0)).sum() - miss * (here & (y == 1)).sum()
        if cost < least:
            best, least = cut, cost
    return best


def chosen(p, y, alarm, miss):
    """Use the lesson's own rule."""
    p = np.clip(p, 0, 1 - 1e-12)  # a probability of exactly 1 has no logit
    z = np.log(p / (1 - p))
    costs = Costs(false_positive=alarm, false_negative=miss)
    cut = BinaryThreshold.choose(z, y, costs=costs).threshold
    return np.inf if cut == 1 else cut


def strict(p, y, alarm, miss):
    """Call out above the threshold, not at it."""
    cuts = [-1.0, *sorted(set(p))]
    return min(
        cuts, key=lambda c: alarm * ((p > c) & (y == 0)).sum() + miss * ((p <= c) & (y == 1)).sum()
    )


def f1(p, y, alarm, miss):
    """Take the best F1."""
    score = {c: ((p >= c) & (y == 1)).sum() / ((p >= c).sum() + y.sum()) for c in sorted(set(p))}
    return max(score, key=score.get)


def shares(p, y, alarm, miss):
    """Price the two rates of error in place of the counts."""
    return cheapest(p, y, alarm / max((y == 0).sum(), 1), miss / max((y == 1).sum(), 1))


def bound(wrong, level):
    """Give the exact upper bound."""
    k, n = int(np.sum(wrong)), len(wrong)
    return beta.ppf(level, k + 1, n - k) if k < n else 1.0


def counts(function):
    """Take a function of the errors, their number of messages and the level."""
    return lambda wrong, level: function(int(np.sum(wrong)), len(wrong), level)


def bisected(k, n, level):
    """Halve until the risk is near enough."""
    low, high = 0.0, 1.0
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (middle, high) if binom.cdf(k, n, middle) > 1 - level else (low, middle)
    return high


def wald(k, n, z):
    """Take the normal approximation."""
    return k / n + z * np.sqrt(k / n * (1 - k / n) / n)


def wilson(k, n, z):
    """Take Wilson's upper end."""
    p = k / n
    return (p + z**2 / 2 / n + z * np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2)) / (1 + z**2 / n)


RIGHT = {
    "01.5": [
        cheapest,
        last,
        halfway,
        sorted_once,
        chosen,
        lambda *case: float(cheapest(*case)),
        lambda *case: np.float32(cheapest(*case)),
        lambda *case: np.array(cheapest(*case)),
        lambda *case: np.array([cheapest(*case)]),
        lambda p, y, a, m: cheapest(p, y, a, m, [*sorted(set(p)), np.inf]),
        lambda p, y, a, m: cheapest(p, y, 10 * a, 10 * m),
        lambda p, y, a, m: pd.Series(
            {c: paid(p, y, a, m, c) for c in [*sorted(p), np.nextafter(1, 2)]}
        ).idxmin(),
    ],
    "02.4": [
        bound,
        counts(bisected),
        counts(lambda k, n, c: binomtest(k, n, alternative="less").proportion_ci(c).high),
        counts(lambda k, n, c: binomtest(k, n).proportion_ci(2 * c - 1).high),
        counts(lambda k, n, c: 1 - beta.ppf(1 - c, n - k, k + 1) if k < n else 1),
        counts(
            lambda k, n, c: brentq(lambda r: binom.cdf(k, n, r) - 1 + c, 0, 1) if k < n else 1.0
        ),
        counts(
            lambda k, n, c: next(
                (r for r in np.arange(1, 20_001) / 20_000 if binom.cdf(k, n, r) <= 1 - c), 1.0
            )
        ),
        lambda wrong, level: np.float32(bound(wrong, level)),
        lambda wrong, level: np.array([bound(wrong, level)]),
        lambda wrong, level: round(bound(wrong, level), 4),
        lambda wrong, level: bound(wrong.tolist(), level),
        lambda wrong, level: pd.Series(bound(wrong, level)),
    ],
}
WRONG = {
    "01.5": [
        (lambda p, y, a, m: a / (a + m), "this is the formula"),
        (lambda p, y, a, m: 0.5, "0.5 takes no notice"),
        (lambda p, y, a, m: cheapest(p, y, m, a), "changed places"),
        (lambda p, y, a, m: cheapest(p, y, 1, 1), "weigh it with its price"),
        (lambda p, y, a, m: cheapest(p, y, 0, m), "false alarms cost nothing"),
        (lambda p, y, a, m: -1.0, "false alarms cost nothing"),
        (lambda p, y, a, m: cheapest(p, y, a, 0), "misses cost nothing"),
        (lambda p, y, a, m: np.inf, "nothing is ever called out"),
        (lambda p, y, a, m: cheapest(p, 1 - y, a, m), "labels 0 and 1 have changed"),
        (lambda p, y, a, m: cheapest(p, y, -a, -m), "the dearest"),
        (lambda p, y, a, m: cheapest(p, y, a, m, sorted(set(p))), "calling out for nothing was"),
        (lambda p, y, a, m: cheapest(p, y, a, m, [*sorted(set(p)), 1.0]), "is exactly 1; np.inf"),
        (lambda *case: min(cheapest(*case), 1.0), "is exactly 1; np.inf"),
        (
            lambda p, y, a, m: cheapest(p, y, a, m, [*sorted(set(p))[1:], 2.0]),
            "calling out for everything was",
        ),
        (lambda p, y, a, m: cheapest(p, y, a, m, np.linspace(0, 1, 11)), "grid in tenths"),
        (lambda p, y, a, m: cheapest(p, y, a, m, np.linspace(0, 1, 101)), "however fine"),
        (lambda p, y, a, m: cheapest(p, y, a, m, np.linspace(0.01, 0.99, 99)), "however fine"),
        (lambda p, y, a, m: cheapest(p, y, a, m, np.linspace(0, 1, 1001)), "however fine"),
        (lambda p, y, a, m: cheapest(p, y, a, m, np.linspace(0, 1.001, 100_001)), "however fine"),
        (strict, ">=, not >"),
        (f1, "best F1"),
        (shares, "price the counts"),
        (lambda *case: paid(*case, cheapest(*case)), "this is the cost"),
        (lambda *case: 100 * cheapest(*case), "in percent"),
        (
            lambda *case: np.log(cheapest(*case) / (1 - min(cheapest(*case), 1 - 1e-12))),
            "this is a logit",
        ),
        (lambda *case: sorted({*case[0], 2.0}).index(cheapest(*case)), "its place in a list"),
        (lambda p, y, a, m: (p >= cheapest(p, y, a, m)).astype(int), "one threshold is asked for"),
        (lambda *case: None, "is there a `return`"),
        (lambda *case: np.nan, "this is no number"),
        (lambda *case: "0.5 or so", "one number is asked for"),
        (lambda *case: np.median(case[0]), "try each probability, and one above"),
    ],
    "02.4": [
        (lambda wrong, level: wrong.mean(), "this is the share that was wrong"),
        (counts(lambda k, n, c: binomtest(k, n).proportion_ci(c).high), "level is not halved"),
        (counts(lambda k, n, c: beta.ppf(1 - c, k, n - k + 1) if k else 0.0), "the lower end"),
        (
            counts(lambda k, n, c: beta.ppf(c, k, n - k + 1) if k else 0.0),
            "these themselves count, too",
        ),
        (lambda wrong, level: bound(wrong, 1 - level), "taken the place of the level"),
        (lambda wrong, level: bound(wrong, 1 - (1 - level) / 19), "nobody shares the level here"),
        (lambda wrong, level: bound(wrong, 0.95), "confidence_level is not used"),
        (counts(lambda k, n, c: wald(k, n, norm.ppf(c))), "normal approximation is too small wh"),
        (counts(lambda k, n, c: wald(k, n, norm.ppf((1 + c) / 2))), "approximation is too small,"),
        (counts(lambda k, n, c: wilson(k, n, norm.ppf(c))), "Wilson's bound is near; the exact"),
        (counts(lambda k, n, c: wilson(k, n, norm.ppf((1 + c) / 2))), "near, and the level is"),
        (counts(lambda k, n, c: k / n + np.sqrt(-np.log(1 - c) / 2 / n)), "Hoeffding"),
        (counts(lambda k, n, c: beta.ppf(c, k + 0.5, n - k + 0.5)), "Jeffreys"),
        (counts(lambda k, n, c: beta.ppf(c, k + 1, n - k + 1)), r"n - k, not n - k \+ 1"),
        (counts(lambda k, n, c: chi2.ppf(c, 2 * k + 2) / 2 / n), "Poisson"),
        (counts(lambda k, n, c: 3 / n), "three over n"),
        (lambda wrong, level: bound(1 - wrong, level), "1 is a wrong answer"),
        (lambda wrong, level: 1 - bound(wrong, level), "the share of right answers"),
        (lambda wrong, level: 100 * bound(wrong, level), "in percent"),
        (lambda wrong, level: len(wrong) * bound(wrong, level), "a number of messages"),
        (lambda wrong, level: round(bound(wrong, level), 2), "rounded to two digits"),
        (counts(lambda k, n, c: binom.cdf(k, n, 1 - c)), "chance of so few errors"),
        (
            counts(lambda k, n, c: beta.ppf(c, k + 1, n - k)),
            "where all are wrong, nothing below 1",
        ),
        (lambda wrong, level: None, "is there a `return`"),
        (lambda wrong, level: [0.0, bound(wrong, level)], "expected the shape"),
        (lambda wrong, level: "about a third", "numbers are asked for"),
        (lambda wrong, level: 0.123, "find the risk r at which"),
    ],
}


def test_there_are_enough():
    """Each check is fed some twenty wrong answers, and ten right ones."""
    for name in WRONG:
        assert len(WRONG[name]) >= 20 and len(RIGHT[name]) >= 10


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_in_other_styles(name, answer):
    """Any cheapest threshold, any way to the bound: what is right is called right."""
    assert check(name, answer).status == "right", check(name, answer)


@pytest.mark.parametrize(
    ("name", "answer", "words"), [(n, a, words) for n in WRONG for a, words in WRONG[n]]
)
def test_each_mistake_has_its_hint(name, answer, words):
    """A wrong answer draws a hint with inputs, what is expected and what came, and why."""
    found = check(name, answer)
    assert found.status == "hint" and "your answer raised" not in found.message
    assert found.message.startswith("for ")
    assert " expected " in found.message and ", got " in found.message
    with pytest.raises(ValueError, match=words):
        raise ValueError(found.message)
