"""Claims about helpers.traffic: the base rate and the cost of messages without labels."""

import numpy as np
import pytest
from scipy.stats import binom

from helpers.decisions import Costs
from helpers.traffic import estimate_base_rate, expected_figures

PRICES = Costs(false_positive=1, false_negative=20)
OLD = 0.1


def traffic(rng, n, rate, *, apart=2.0):
    """Draw scores of two normal classes, and their calibrated probabilities at the old rate."""
    y = rng.random(n) < rate
    x = rng.normal(size=n) + apart * y
    z = apart * x - apart**2 / 2 + np.log(OLD / (1 - OLD))
    return y, 1 / (1 + np.exp(-z))


def by_em(p, old, steps=20_000):
    """Repeat the two steps of the EM algorithm."""
    rate = old
    for _ in range(steps):
        yes, no = p * rate / old, (1 - p) * (1 - rate) / (1 - old)
        new = float((yes / (yes + no)).mean())
        if abs(new - rate) < 1e-13:
            break
        rate = new
    return rate


@pytest.mark.parametrize("seed", range(20))
def test_the_rate_is_what_em_comes_to(seed):
    """The root of the derivative equals the limit of the EM steps."""
    rng = np.random.default_rng(seed)
    _, p = traffic(rng, int(rng.integers(20, 500)), float(rng.uniform(0.05, 0.9)))
    assert estimate_base_rate(p, old=OLD)[0] == pytest.approx(by_em(p, OLD), abs=1e-6)


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_the_interval_holds_the_true_rate(rate):
    """In 1,000 batches of 400 messages the 90 % interval misses it about as often as it says."""
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(1000):
        _, p = traffic(rng, 400, rate)
        _, low, high = estimate_base_rate(p, old=OLD, confidence_level=0.9)
        missed += not low <= rate <= high
    assert missed <= binom.ppf(0.999, 1000, 0.12)  # the likelihood's own error is .02 at most


def test_ends_are_reached():
    """Traffic of sure 0s has the rate 0, and one of sure 1s the rate 1."""
    assert estimate_base_rate([0.0, 0.0, 1e-9], old=0.5)[0] == 0
    assert estimate_base_rate([1.0, 1.0], old=0.5)[0] == 1


def test_where_the_texts_change_the_rate_is_wrong():
    """If 1s become harder to see, the estimate is far too low, and its interval too."""
    rng = np.random.default_rng(2)
    y = rng.random(20_000) < OLD
    x = rng.normal(size=len(y)) + 1.0 * y  # the network learnt 2.0
    p = 1 / (1 + np.exp(-(2 * x - 2 + np.log(OLD / (1 - OLD)))))
    _, _, high = estimate_base_rate(p, old=OLD)
    assert high < 0.8 * OLD


def test_expected_figures_hold_what_the_labels_show():
    """In 300 batches each 95 % interval holds the figure that the labels give, as often as said."""
    rng = np.random.default_rng(3)
    held = {"cost": 0, "recall": 0, "precision": 0}
    for _ in range(300):
        y, p = traffic(rng, 300, OLD)
        said = np.where(p >= 0.4, 1, np.where(p < 0.03, 0, 2))
        found = expected_figures(p, said, PRICES, rng=rng, review=0.5, n_draws=300)
        spent = np.where(said == 2, 0.5, PRICES.of(y, np.minimum(said, 1)))
        true = {
            "cost": spent.mean(),
            "recall": (y & (said == 1)).sum() / (y & (said != 2)).sum(),
            "precision": y[said == 1].mean(),
        }
        for name in held:
            _, low, high = found[name]
            held[name] += low - 1e-9 <= true[name] <= high + 1e-9
    for name, times in held.items():
        assert times >= binom.ppf(0.001, 300, 0.94), name


def test_without_alarms_there_is_no_precision():
    """Nothing to divide by is NaN, without a warning."""
    found = expected_figures([0.2, 0.1], [0, 0], PRICES, rng=np.random.default_rng(0))
    assert np.isnan(found["precision"]).all() and found["alarms"] == (0, 0, 0)
    assert found["cost"][0] == pytest.approx(20 * 0.3 / 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.5, 1.2], [0, 1]), r"numbers in \[0, 1\], one a message"),
        (([], []), "one a message, got shape"),
        (([0.5], [0, 1]), "decisions must be 1 numbers of 0, 1 or 2"),
        (([0.5], [3]), "decisions must be 0, 1 or 2, got 3"),
        (([0.5], [2]), "give its price, review="),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, words):
    """Each wrong call says what was expected."""
    with pytest.raises(ValueError, match=words):
        expected_figures(*arguments, PRICES, rng=np.random.default_rng(0))


@pytest.mark.parametrize("old", [0, 1, "a"])
def test_an_old_rate_that_is_none_is_refused(old):
    """The old rate lies strictly between 0 and 1."""
    with pytest.raises(ValueError, match="old must"):
        estimate_base_rate([0.5], old=old)


def test_a_price_and_a_generator_are_asked_for():
    """A price below 0, and a number for a generator."""
    with pytest.raises(ValueError, match="review must be a cost"):
        expected_figures([0.5], [2], PRICES, rng=np.random.default_rng(0), review=-3)
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator"):
        expected_figures([0.5], [1], PRICES, rng=0)


def test_probabilities_that_tell_nothing_leave_the_old_rate():
    """Where each message has the old rate itself, every share is as likely."""
    assert estimate_base_rate([0.2] * 10, old=0.2) == (0.2, 0.0, 1.0)
