"""Claims about intervals, each against a worked example or a simulation."""

import warnings

import numpy as np
import pytest
from cases import label_sample, sample
from sklearn import metrics

from helpers.evaluation import counts, separation
from helpers.intervals import (
    auroc_interval,
    bootstrap_interval,
    paired_bootstrap,
    paired_bootstrap_f1,
)


def test_interval_covers_the_truth():
    """The 95 % interval of a paired difference covers it in about 95 % of 300 simulations."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        shared = rng.normal(0, 5, 100)  # what the pairing takes out
        first, second = shared + rng.normal(0.3, 1, 100), shared + rng.exponential(1, 100)
        _, low, high = paired_bootstrap(first, second, rng=rng, n_resamples=300)
        covered += low <= 0.3 - 1 <= high
    assert 0.89 < covered / 300 < 0.985


def test_interval_is_as_wide_as_theory_says():
    """For a mean of 400 normal values the interval is 2 * 1.96 * sd / 20 wide."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, 3, 400)
    mean, low, high = bootstrap_interval(values, np.mean, rng=rng)
    assert mean == pytest.approx(values.mean())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_interval_of_rows_with_columns():
    """A statistic may take whole rows: here the recall of (decision, label) pairs."""
    rows = np.column_stack(sample(4)) > 0
    recall, low, high = bootstrap_interval(
        rows, lambda r: counts(r[:, 1], r[:, 0]).recall, rng=np.random.default_rng(0)
    )
    assert recall == counts(rows[:, 1], rows[:, 0]).recall and low < recall < high


def test_equal_rules_do_not_differ():
    """Two rules with the same decisions differ by nothing, with certainty."""
    paid = np.random.default_rng(2).random(50)
    assert paired_bootstrap(paid, paid, rng=np.random.default_rng(0)) == (0.0, 0.0, 0.0)


def test_intervals_repeat_and_turn_round():
    """The same generator gives the same interval; swapping the rules turns its sign."""
    rng = np.random.default_rng(3)
    first, second = rng.random(40), rng.random(40)
    there, again = (paired_bootstrap(first, second, rng=np.random.default_rng(5)) for _ in range(2))
    value, low, high = paired_bootstrap(second, first, rng=np.random.default_rng(5))
    assert there == again == pytest.approx((-value, -high, -low))


@pytest.mark.parametrize(
    ("first", "second", "options", "words"),
    [
        ([1.0], [1.0, 2.0], {}, "the same shape"),
        ([[1.0]], [[1.0]], {}, r"first must be finite numbers of shape \(n,\)"),
        ([], [], {}, "n at least 1"),
        ([1.0], [1.0], {"confidence_level": 1.0}, "strictly between 0 and 1, got 1.0"),
        ([1.0], [1.0], {"confidence_level": 95}, "strictly between 0 and 1, got 95"),
    ],
)
def test_bootstrap_refuses(first, second, options, words):
    """Pairs of one length, at least one, and a confidence inside (0, 1) are needed."""
    with pytest.raises(ValueError, match=words):
        paired_bootstrap(first, second, rng=np.random.default_rng(0), **options)


def test_interval_of_nothing():
    """No rows, no interval."""
    with pytest.raises(ValueError, match="at least one row, got none"):
        bootstrap_interval([], np.mean, rng=np.random.default_rng(0))


# Many labels


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_paired_bootstrap_of_f1(average):
    """The difference is that of scikit-learn's figures; it lies inside its interval."""
    z, y = label_sample(n=200)
    first, second = (z > 0).astype(int), (z > 1.5).astype(int)
    found, low, high = paired_bootstrap_f1(
        y, first, second, rng=np.random.default_rng(0), average=average, n_resamples=400
    )
    one, other = (metrics.f1_score(y, side, average=average) for side in (first, second))
    assert found == pytest.approx(one - other)
    assert low < found < high


def test_the_interval_of_f1_holds_as_often_as_it_says():
    """Over 100 drawn test sets the 90 % interval misses the true difference of F1 rarely."""
    z, y = label_sample(n=20_000)
    first, second = (z > 0).astype(int), (z > 1.0).astype(int)
    truth = metrics.f1_score(y, first, average="micro") - metrics.f1_score(
        y, second, average="micro"
    )
    missed = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = rng.integers(0, len(y), 300)
        _, low, high = paired_bootstrap_f1(
            y[rows], first[rows], second[rows], rng=rng, n_resamples=200, confidence_level=0.9
        )
        missed += not low <= truth <= high
    assert 3 <= missed <= 20


# Known against unknown texts


def test_interval_of_auroc_is_as_wide_as_theory_says():
    """For 300 known and 150 other normal scores it is as wide as Hanley and McNeil's."""
    rng = np.random.default_rng(0)
    known, other = rng.normal(1.2, 1, 300), rng.normal(0, 1, 150)
    value, low, high = auroc_interval(known, other, rng=rng, n_resamples=800)
    assert value == separation(known, other).auroc and low < value < high
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    variance = value * (1 - value) + 149 * (q1 - value**2) + 299 * (q2 - value**2)
    assert high - low == pytest.approx(2 * 1.96 * (variance / (300 * 150)) ** 0.5, rel=0.15)


def test_scores_of_the_same_texts_are_compared_in_pairs():
    """A score does not differ from itself, and hardly from itself with a little noise."""
    rng = np.random.default_rng(1)
    known, other = rng.normal(1, 1, 200), rng.normal(0, 1, 100)
    same = auroc_interval(known, other, baseline=(known, other), rng=rng, n_resamples=50)
    assert same == (0, 0, 0)
    noisy = known + rng.normal(0, 0.1, 200), other + rng.normal(0, 0.1, 100)
    _, low, high = auroc_interval(known, other, baseline=noisy, rng=rng)
    alone = auroc_interval(known, other, rng=rng)
    assert high - low < 0.3 * (alone[2] - alone[1])


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        (([1.0], [0.0, 0.5]), "must hold 2 known and 2 other texts"),
        (([1.0, np.nan], [0.0, 0.5]), "baseline must be finite"),
    ],
)
def test_baseline_of_other_texts(baseline, words):
    """A baseline scores the same texts."""
    with pytest.raises(ValueError, match=words):
        auroc_interval([1.0, 2.0], [0.0, 0.5], baseline=baseline, rng=np.random.default_rng(0))


# What all intervals need

INTERVALS = {
    "bootstrap_interval": lambda **options: bootstrap_interval([1.0, 2.0], np.mean, **options),
    "paired_bootstrap": lambda **options: paired_bootstrap([1.0, 2.0], [0.0, 1.0], **options),
    "paired_bootstrap_f1": lambda **options: paired_bootstrap_f1([[1]], [[1]], [[0]], **options),
    "auroc_interval": lambda **options: auroc_interval([1.0, 2.0], [0.0, 1.0], **options),
}


@pytest.mark.parametrize("name", INTERVALS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"confidence_level": 95}, "confidence_level must lie strictly between 0 and 1, got 95"),
        ({"confidence_level": np.array([0.9])}, "confidence_level must lie strictly"),
        ({"n_resamples": 0}, "n_resamples must be a whole number of at least 1, got 0"),
        ({"n_resamples": 10**7}, "n_resamples must be a whole number of at most 1,000,000"),
        ({"n_resamples": 10.0}, "n_resamples must be a whole number, got 10.0"),
        ({"n_resamples": True}, "n_resamples must be a whole number, got True"),
        ({"rng": np.random.RandomState(0)}, "rng must be a numpy.random.Generator, got Random"),
    ],
)
def test_all_intervals_check_their_options(name, options, words):
    """Level, number of resamples and generator are checked alike by every interval."""
    with pytest.raises(ValueError, match=words):
        INTERVALS[name](**{"rng": np.random.default_rng(0), **options})


@pytest.mark.parametrize("name", INTERVALS)
def test_a_count_of_numpy_draws_as_many(name):
    """Numpy's whole numbers draw the same resamples as Python's."""
    one, other = (
        INTERVALS[name](rng=np.random.default_rng(0), n_resamples=n) for n in (7, np.int32(7))
    )
    assert one == other


@pytest.mark.parametrize(
    ("values", "statistic", "words"),
    [
        ([1.0, np.nan], np.mean, "NaN or infinite in .* of 2000 resamples"),
        ([1e308, 1e308], np.sum, "NaN or infinite in 2000 of 2000"),
        ([1.0, 2.0], lambda rows: rows, "the statistic must give one number, got"),
        ([1.0, 2.0], "mean", "statistic must be a function of rows, got 'mean'"),
        (["a", "b"], np.mean, "values must be an array of real numbers"),
        (np.empty((3, 0)), np.mean, r"at least one row, got none: shape \(3, 0\)"),
    ],
)
def test_a_statistic_gives_one_finite_number(values, statistic, words):
    """No number, NaN and infinity are refused by name; numpy's warnings stay inside."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=words):
            bootstrap_interval(values, statistic, rng=np.random.default_rng(0))
