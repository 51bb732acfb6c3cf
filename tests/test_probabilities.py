"""Claims about logits and probabilities, each against a worked example, an oracle or a property."""

import warnings

import numpy as np
import pytest
import scipy.special
from cases import QUICK, simulated
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from helpers.probabilities import (
    MEASURES,
    binary_logit,
    confidence,
    fit_temperature,
    log_softmax,
    logit,
    prior_shift,
    sigmoid,
    softmax,
)

MODERATE = np.linspace(-30, 30, 240)
EXTREME = np.array([-1e308, -1e4, -746.0, -709.5, -40.0, -1e-300, 0.0, 1e-300, 40.0, 709.5, 1e308])
finite = st.floats(-1e6, 1e6)


def log_loss(logits, labels, temperature):
    """Mean negative log-likelihood, by scipy."""
    parts = scipy.special.log_softmax(np.asarray(logits) / temperature, axis=1)
    return -parts[np.arange(len(labels)), labels].mean()


# sigmoid, logit, softmax


def test_sigmoid_by_hand():
    """An odds ratio of 3 to 1, z = log 3, is the probability 3 / (3 + 1)."""
    assert sigmoid(np.log(3.0)) == pytest.approx(3 / 4, rel=1e-15)


@pytest.mark.parametrize("z", [MODERATE, EXTREME, np.array([-np.inf, np.inf])])
def test_sigmoid_equals_scipy(z):
    """The sigmoid is scipy's expit, also where exp overflows or leaves the normal numbers."""
    with np.errstate(over="raise", invalid="raise"):
        np.testing.assert_allclose(sigmoid(z), scipy.special.expit(z), rtol=1e-14, atol=0)


def test_logit_equals_scipy():
    """The logit is scipy's, from the smallest double to the ends."""
    p = np.array([0.0, 5e-324, 1e-300, 1e-9, 0.2, 0.5, 0.5 + 1e-9, 0.999, 1 - 2**-53, 1.0])
    np.testing.assert_allclose(logit(p), scipy.special.logit(p), rtol=1e-13, atol=1e-15)


@QUICK
@given(st.floats(-30, 30))
def test_logit_undoes_sigmoid(z):
    """Going to a probability and back returns the logit, as far as the probability can hold it."""
    assert logit(sigmoid(z)) == pytest.approx(z, abs=4e-16 * (1 + np.exp(abs(z))), rel=1e-12)


@pytest.mark.parametrize("p", [-1e-9, 1.0000001, np.nan, 20.0])
def test_logit_refuses_what_is_no_probability(p):
    """The logit of a number outside [0, 1] is refused with the number."""
    with pytest.raises(ValueError, match=rf"must lie in \[0, 1\], got {p}"):
        logit([0.5, p])


def test_softmax_by_hand():
    """Weights 1, 2, 5 give the shares 1/8, 2/8, 5/8."""
    np.testing.assert_allclose(softmax(np.log([[1.0, 2.0, 5.0]])), [[1 / 8, 2 / 8, 5 / 8]])


@pytest.mark.parametrize(
    "z",
    [
        MODERATE.reshape(-1, 3),
        np.array([[1000.0, 0.0, -1000.0], [1e300, 1e300, -1e300], [-1e5, -1e5, -1e5]]),
        MODERATE[:24].reshape(2, 3, 4),
        np.array([3.0, 4.0]),
    ],
    ids=["moderate", "extreme", "three axes", "one row"],
)
def test_softmax_equals_scipy(z):
    """Softmax and its logarithm are scipy's over the last axis, without overflow."""
    with np.errstate(over="raise", invalid="raise"):
        np.testing.assert_allclose(softmax(z), scipy.special.softmax(z, axis=-1), rtol=1e-12)
        expected = scipy.special.log_softmax(z, axis=-1)
        np.testing.assert_allclose(log_softmax(z), expected, rtol=1e-12, atol=1e-15)


@QUICK
@given(hnp.arrays(float, (3, 4), elements=finite), finite)
def test_softmax_ignores_a_shift(z, shift):
    """Rows sum to 1, and adding one number to a row changes nothing."""
    np.testing.assert_allclose(softmax(z).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(softmax(z + shift), softmax(z), rtol=1e-8, atol=1e-12)


# One logit a row


@QUICK
@given(hnp.arrays(float, (5, 2), elements=finite))
def test_two_heads_are_one_function(z):
    """Softmax over two logits is the sigmoid of their difference, z1 - z0."""
    z = np.vstack([z, [3.0, -3.0]])
    one = sigmoid(binary_logit(z))
    np.testing.assert_allclose(one, softmax(z)[:, 1], rtol=1e-9, atol=1e-300)


def test_binary_logit_keeps_one_column():
    """A single column is the logit itself, flat or not."""
    for shape in ((3,), (3, 1)):
        np.testing.assert_array_equal(binary_logit(np.reshape([1.0, -2.0, 3.0], shape)), [1, -2, 3])


def test_binary_logit_refuses_three_columns():
    """Three classes are no yes/no decision."""
    with pytest.raises(ValueError, match=r"\(n,\), \(n, 1\) or \(n, 2\), got \(2, 3\)"):
        binary_logit([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])


# Temperature


def test_temperature_by_hand():
    """Logits of 3 that are right 3 times in 4 want sigmoid(3 / T) = 3/4, so T = 3 / log 3."""
    assert fit_temperature([3.0, 3.0, 3.0, -3.0], [1, 1, 0, 0]) == pytest.approx(3 / np.log(3))


@pytest.mark.parametrize("scale", [1e-15, 0.01, 0.1, 7.3, 100.0, 1e15])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_temperature_scales_with_the_logits(scale, n_classes):
    """Logits s times as large want a temperature s times as high."""
    z, labels = simulated(n_classes)
    assert fit_temperature(scale * z, labels) == pytest.approx(
        scale * fit_temperature(z, labels), rel=1e-3
    )


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("stretch", [0.3, 1.0, 5.0])
def test_temperature_has_the_least_log_loss(n_classes, stretch):
    """No temperature of a fine grid, nor scipy's minimum, has a smaller loss."""
    z, labels = simulated(n_classes, n=200, seed=n_classes, stretch=stretch)
    fitted = fit_temperature(z, labels)
    loss = log_loss(z, labels, fitted)
    assert loss <= min(log_loss(z, labels, t) for t in np.geomspace(0.05, 50, 2000)) + 1e-12
    best = minimize_scalar(
        lambda log_t: log_loss(z, labels, np.exp(log_t)),
        bracket=(np.log(fitted) - 1, np.log(fitted) + 1),
        tol=1e-10,
    )
    assert fitted == pytest.approx(np.exp(best.x), rel=1e-4)


def test_temperature_is_a_logistic_regression_through_the_origin():
    """For two classes 1 / T is the slope of an unpenalised regression without intercept."""
    z, labels = simulated(2)
    margin = binary_logit(z)
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10)
    slope = model.fit(margin[:, None], labels).coef_[0, 0]
    assert fit_temperature(margin, labels) == pytest.approx(1 / slope, rel=1e-4)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("known", [0.25, 1.0, 3.0])
def test_temperature_is_recovered(n_classes, known):
    """Calibrated logits times T give T back within 5 %, at 20,000 rows."""
    z, labels = simulated(n_classes, n=20_000, seed=1, stretch=known)
    assert fit_temperature(z, labels) == pytest.approx(known, rel=0.05)


def test_temperature_of_the_two_heads():
    """One logit, one column and two columns give the same temperature."""
    z, labels = simulated(2)
    one = z[:, 1] - z[:, 0]
    fitted = [fit_temperature(form, labels) for form in (z, one, one[:, None])]
    np.testing.assert_allclose(fitted, fitted[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("z", "labels", "words"),
    [
        ([-2.0, -1.0, 3.0], [0, 0, 1], "largest logit at the true label"),
        (np.eye(3) * 4, [0, 1, 2], "largest logit at the true label"),
        (np.zeros((4, 3)), [0, 1, 2, 0], "the logits of each row are equal"),
        ([-2.0, -1.0, 3.0], [1, 1, 0], "100% of the pairs .*: are the two labels swapped"),
        ([7.0, 8.0, 9.0], [0, 0, 1], "they need a bias, too"),
        ([1.0, -1.0, 1.0, -1.0], [1, 1, 0, 0], "no more about the labels than chance"),
        (np.eye(3) * 4, [1, 2, 0], "3 of 3 answers are wrong: are labels swapped"),
        (np.eye(3)[[0, 0, 0, 1, 1]] * 4, [1, 2, 1, 0, 2], "5 of 5 answers are wrong"),
        (np.eye(3)[[0, 1, 2, 0, 1, 2]] * 4, [0, 1, 1, 2, 2, 0], "no more about the labels than"),
    ],
)
def test_no_finite_temperature_is_best(z, labels, words):
    """Separable logits, and logits no better than chance, warn and leave T at 1."""
    with pytest.warns(UserWarning, match=words):
        assert fit_temperature(z, labels) == 1.0


@pytest.mark.parametrize(
    ("z", "labels", "words"),
    [
        ([1.0, 2.0], [0, 2], "0 or 1, got"),
        ([1.0, 2.0], [0, 1, 1], r"shape \(2,\)"),
        (np.eye(3) * 4, [0.0, 1.5, 2.0], "must be whole numbers, got 1.5"),
        (np.eye(3) * 4, [0, 1], r"must have shape \(3,\), one for each row, got \(2,\)"),
        (np.eye(3) * 4, [0, 1, 3], "class indices from 0 to 2, got 3"),
        (np.eye(3) * 4, [-1, 2, 0], "class indices from 0 to 2, got -1"),
        ([], [], "at least one labelled row"),
        (np.ones((0, 3)), np.zeros(0, int), "at least one labelled row"),
        ([1.0, np.nan], [0, 1], "must be finite"),
    ],
)
def test_temperature_refuses_bad_input(z, labels, words):
    """Labels that do not fit the logits, or no rows, are refused in words that name the fault."""
    with pytest.raises(ValueError, match=words):
        fit_temperature(z, labels)


VECTOR = """
-1.7862008 -0.7037363 0.09885322 1.5318055 2.1137428 -0.2216074 0.18905772 -0.32575375 1.0748093
-0.06001111 0.01083148 0.47495762 0.27160102 0.13852511 -0.68440574 0.6773654 -2.2712054 -0.2864312
-0.8428862 -2.1132915 -1.0157436 -1.0340284 -0.35126117 -1.0333195 9.149789 -0.21288703 0.11455813
-0.32903734 0.10503325 -0.3004114 -1.3854568 -0.01692022 -0.4388664 -0.42163098 -0.09182278
-0.28269592 -0.33082992 -1.147654 -0.6703184 0.33038092 -0.50087476 1.1643585 0.96983343 1.3400391
1.0692116 -0.7623776 -0.6083422 -0.91371405 0.10002492
"""
FORTY_NINE = np.array(VECTOR.split(), dtype=float)[None]


# Confidence scores


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("softmax", 0.993734),
        ("margin", 0.993734 - 0.000874),
        ("entropy", -0.0596),
        ("logit", 9.149789),
        ("energy", 9.156074),
    ],
)
def test_scores_of_a_published_vector(measure, value):
    """Of 49 logits from a Turkish BERT the five scores are those worked out for it."""
    assert confidence(FORTY_NINE, measure=measure)[0] == pytest.approx(value, abs=6e-5)


def test_a_published_vector_needs_a_temperature_above_two_to_fall_below_a_threshold():
    """The largest softmax of the vector crosses .6 where the temperature is 2.142."""
    assert confidence(FORTY_NINE / 2.141)[0] > 0.6 > confidence(FORTY_NINE / 2.143)[0]


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_scores_equal_scipy(measure, data):
    """Each score is what scipy's softmax, entropy and log-sum-exp make of the row."""
    shape = (3, data.draw(st.integers(2, 6)))
    z = data.draw(hnp.arrays(float, shape, elements=st.floats(-50, 50).map(lambda x: round(x, 6))))
    z[:, 0] += 2.5  # rows that are no probabilities
    p = scipy.special.softmax(z, axis=1)
    two = np.sort(p, axis=1)[:, -2:]
    oracle = {
        "softmax": p.max(axis=1),
        "margin": two[:, 1] - two[:, 0],
        "entropy": -scipy.special.entr(p).sum(axis=1),
        "logit": z.max(axis=1),
        "energy": scipy.special.logsumexp(z, axis=1),
    }
    np.testing.assert_allclose(confidence(z, measure=measure), oracle[measure], atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_higher_is_surer(measure):
    """Raising the largest logit raises every score."""
    z = np.array([[x, 0.0, -1.0] for x in np.linspace(0.1, 8, 30)])
    assert np.all(np.diff(confidence(z, measure=measure)) > 0)


def test_ends_of_the_bounded_scores():
    """Equal logits give 1 / n_classes, 0 and -log(n_classes); huge ones 1, 1 and 0."""
    z = np.array([[0.0] * 4, [2000.0, 0.0, 0.0, -2000.0]])
    np.testing.assert_allclose(confidence(z), [1 / 4, 1])
    np.testing.assert_allclose(confidence(z, measure="margin"), [0, 1], atol=1e-12)
    np.testing.assert_allclose(confidence(z, measure="entropy"), [-np.log(4), 0])
    assert np.isfinite(confidence(z, measure="energy")).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_a_constant_moves_only_the_last_two_scores(measure):
    """Adding 5 to a row leaves the softmax scores alone and adds 5 to logit and energy."""
    z = np.random.default_rng(0).normal(size=(20, 5)) * 3
    moved = confidence(z + 5, measure=measure) - confidence(z, measure=measure)
    np.testing.assert_allclose(moved, 5 if measure in ("logit", "energy") else 0, atol=1e-12)


@pytest.mark.parametrize(
    ("z", "options", "words"),
    [
        ([1.0, 2.0], {}, r"at least 2 classes, got \(2,\)"),
        ([[1.0], [2.0]], {}, r"at least 2 classes, got \(2, 1\)"),
        ([[1.0, np.nan]], {}, "must be finite"),
        ([[0.5, 0.5], [0.2, 0.8]], {}, "expected logits, got rows of probabilities"),
        (
            [[1.0, 2.0]],
            {"measure": "variance"},
            "measure must be \"softmax\" or .*, got 'variance'",
        ),
    ],
)
def test_confidence_refuses(z, options, words):
    """A confidence needs rows of logits and the name of a score."""
    with pytest.raises(ValueError, match=words):
        confidence(z, **options)


# Base rates


@given(old=st.floats(0.01, 0.99), new=st.floats(0.01, 0.99), likelihood=st.floats(0.01, 100))
def test_the_shift_is_bayes_rule(old, new, likelihood):
    """Logits plus the shift are the log odds that Bayes' rule gives at the new rate."""
    before = np.log(likelihood * old / (1 - old))
    after = likelihood * new / (likelihood * new + 1 - new)
    assert sigmoid(before + prior_shift(old=old, new=new)) == pytest.approx(after, abs=1e-12)


def test_the_shift_is_a_refit_on_reweighted_counts():
    """For a table of counts, refitting with the labels reweighted moves each logit by the shift."""
    positive, negative = np.array([90.0, 9, 1]), np.array([10.0, 300, 590])
    old, new = positive.sum() / 1000, 0.3
    refitted = np.log(positive * new / old) - np.log(negative * (1 - new) / (1 - old))
    shifted = np.log(positive / negative) + prior_shift(old=old, new=new)
    assert np.abs(refitted - shifted).max() < 1e-12


@pytest.mark.parametrize("rates", [(0, 0.5), (1, 0.5), (0.5, 0), (0.5, np.nan), ("a", 0.5)])
def test_rates_outside_the_open_interval_are_refused(rates):
    """A base rate is a share strictly between 0 and 1."""
    with pytest.raises(ValueError, match="must lie strictly between 0 and 1, got"):
        prior_shift(old=rates[0], new=rates[1])


# The ends of the numbers


@pytest.fixture
def silent():
    """Turn every warning into an error: numpy's must not come through."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("measure", MEASURES)
def test_confidence_of_the_largest_logits_is_a_number(silent, measure):
    """Logits a whole range apart are the surest of rows, not NaN."""
    sure = confidence([[1e308, -1e308, 0.0], [-1e308, -1e308, -1e308]], measure=measure)
    assert np.isfinite(sure).all() and sure[0] > sure[1]


@pytest.mark.parametrize("power", [-1060, -900, 900, 1019])
def test_temperature_at_the_ends_of_the_numbers(silent, power):
    """Logits in the smallest and the largest unit have the temperature in that unit."""
    z, labels = [3.0, 3.0, 3.0, -3.0], [1, 1, 0, 0]
    unit = 2.0**power
    assert fit_temperature(np.array(z) * unit, labels) == fit_temperature(z, labels) * unit


def test_softmax_takes_classes_that_cannot_be(silent):
    """Minus infinity is probability 0; a row needs one logit that is finite and none above."""
    np.testing.assert_array_equal(softmax([[-np.inf, 0.0, 0.0]]), [[0, 0.5, 0.5]])
    for row in ([np.nan, 0.0], [np.inf, 0.0], [-np.inf, -np.inf]):
        with pytest.raises(ValueError, match="needs a finite largest value, got"):
            softmax([[1.0, 2.0], row])
    for shape in ((), (2, 0)):
        with pytest.raises(ValueError, match=r"must have shape \(\.\.\., n_classes\), got"):
            log_softmax(np.zeros(shape))
