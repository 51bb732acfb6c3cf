"""Claims about a temperature with a bias: the least loss, what it recovers, and named causes."""

import warnings

import numpy as np
import pytest
from cases import simulated
from scipy.optimize import minimize

from helpers.decisions import BinaryThreshold, Costs, LabelThresholds
from helpers.portable.calibration import cautious_temperature
from helpers.probabilities import (
    fit_temperature,
    fit_temperature_and_bias,
    log_softmax,
    logit,
    sigmoid,
)


def yes_no(rng, n, *, slope=1.0, bias=0.0):
    """Draw logits z with labels from sigmoid(slope z + bias)."""
    z = rng.normal(0, 2, n)
    return z, (rng.random(n) < sigmoid(slope * z + bias)).astype(int)


@pytest.mark.parametrize("seed", range(5))
def test_yes_no_is_platt_scaling(seed):
    """Slope and bias are those of least loss on Platt's targets, on logits of any size."""
    rng = np.random.default_rng(seed)
    z, y = yes_no(rng, int(rng.integers(20, 300)), slope=0.5, bias=1)
    temperature, (bias,) = fit_temperature_and_bias(z, y)
    target = np.where(y, (y.sum() + 1) / (y.sum() + 2), 1 / (len(y) - y.sum() + 2))

    def loss(at):
        p = sigmoid(at[0] * z + at[1])
        return -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum()

    best = minimize(loss, [1.0, 0.0], method="BFGS").x
    assert (1 / temperature, bias) == pytest.approx(best, rel=1e-3, abs=1e-3)
    for scale in (1e-150, 1e150):
        far = fit_temperature_and_bias(scale * z, y)
        assert far.temperature == pytest.approx(scale * temperature, rel=1e-4)
        assert far.bias[0] == pytest.approx(bias, abs=1e-4)
    two = np.column_stack([np.zeros_like(z), z])
    assert fit_temperature_and_bias(two, y) == fit_temperature_and_bias(z, y)


def test_no_other_numbers_fit_classes_better():
    """A search by differences finds no smaller penalised loss."""
    z, y = simulated(3, n=150)
    z = z + np.array([1.0, 0.0, -1.0])
    temperature, bias = fit_temperature_and_bias(z, y)
    assert sum(bias) == pytest.approx(0, abs=1e-9)

    def loss(at):
        s = z * np.exp(at[0]) + at[1:]
        return -log_softmax(s)[np.arange(len(y)), y].sum() + (at[1:] @ at[1:]) / 8

    found = minimize(loss, np.zeros(4), method="BFGS")
    assert loss(np.array([-np.log(temperature), *bias])) <= found.fun + 1e-6


def test_it_recovers_what_was_done_to_the_logits():
    """On 20,000 rows temperature and bias come back, of yes/no, classes and labels."""
    rng = np.random.default_rng(0)
    z, y = yes_no(rng, 20_000, slope=0.5, bias=1)
    temperature, (bias,) = fit_temperature_and_bias(z, y)
    assert (temperature, bias) == pytest.approx((2, 1), abs=0.1)
    z, y = simulated(4, n=20_000)
    shift = np.array([1.0, -1.0, 0.5, -0.5])
    temperature, found = fit_temperature_and_bias(3 * (z - shift), y)
    assert temperature == pytest.approx(3, abs=0.15)
    assert found == pytest.approx(shift, abs=0.1)
    many = rng.normal(0, 2, (20_000, 2))
    truth = rng.random(many.shape) < sigmoid(many / 1.5 + [1.0, -2.0])
    temperature, found = fit_temperature_and_bias(many, truth)
    assert (temperature, *found) == pytest.approx((1.5, 1.0, -2.0), abs=0.1)
    flat = fit_temperature(many, rng.random(many.shape) < sigmoid(many / 1.5))
    assert flat == pytest.approx(1.5, abs=0.1)


def test_small_numbers_keep_the_bias_small():
    """A class that no row has, and a label that every row has, get a finite bias."""
    z, y = simulated(3, n=200)
    bias = fit_temperature_and_bias(z, np.where(y == 2, 1, y)).bias
    assert -6 < bias[2] < -1
    rng = np.random.default_rng(0)
    many = rng.normal(0, 2, (200, 2))
    truth = np.column_stack([rng.random(200) < sigmoid(many[:, 0]), np.ones(200, dtype=bool)])
    assert 2 < fit_temperature_and_bias(many, truth).bias[1] < 12


Y = np.arange(60) % 2
APART = np.where(Y == 1, 3.0, 1.0) + np.linspace(0, 0.5, 60)  # any cut near 2 separates them


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        (APART, Y, "a temperature and a bias separate the rows"),
        (np.eye(3) * 4, [1, 2, 0], "3 of 3 answers are wrong: are labels swapped"),
        (3 * np.eye(3)[np.arange(60) % 3] + 9, np.arange(60) % 3, "separate the rows"),
        (np.column_stack([APART, -APART]), np.column_stack([Y, 1 - Y]), "separate the rows"),
        (np.full(60, 2.0), Y, "say no more about the labels than chance"),
        (-APART, Y, "100% of the pairs of a 1 and a 0 are wrong: are the two labels swapped"),
    ],
)
@pytest.mark.filterwarnings("ignore:upside down")
def test_no_best_temperature_has_a_cause(logits, labels, words):
    """Rows that can be separated, constant logits and logits upside down: 1 without a bias."""
    with pytest.warns(UserWarning, match=f"no temperature is best.*: .*{words}"):
        temperature, bias = fit_temperature_and_bias(logits, labels)
    assert temperature == 1 and not any(bias)


def test_a_cautious_temperature_is_for_rows_without_a_mistake():
    """It is that of least loss on Platt's targets; one mistake, or constant logits, give none."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 4
    z = rng.random((40, 4)) + 1.5 * np.eye(4)[y]
    target = np.where(np.eye(4)[y] == 1, 41 / 42, 1 / 42 / 3)
    heats = cautious_temperature(z, y) * np.exp(np.linspace(-1, 1, 201))
    losses = [-(target * log_softmax(z / heat)).sum() for heat in heats]
    assert int(np.argmin(losses)) == 100
    assert cautious_temperature(z, (y + (np.arange(40) == 7)) % 4) is None
    assert cautious_temperature(np.ones((40, 4)), y) is None


def test_swapped_labels_are_asked_about():
    """Nine of ten wrong is upside down; two labels of many that are swapped are named."""
    rng = np.random.default_rng(0)
    z, y = yes_no(rng, 300, slope=2)
    noisy = np.where(rng.random(300) < 0.1, y, 1 - y)
    with pytest.warns(UserWarning, match=r"upside down: \d\d% of the pairs .*two labels swapped"):
        fit_temperature_and_bias(z, noisy)
    with pytest.warns(UserWarning, match=r"upside down: \d\d% of the pairs"):
        fit_temperature_and_bias(np.column_stack([z, z]), np.column_stack([y, noisy]))
    z, y = simulated(4, n=800)
    with pytest.warns(UserWarning, match=r"\d+ of \d+ wrong between class 1 and class 2"):
        fit_temperature_and_bias(z, np.array([0, 2, 1, 3])[y])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_temperature_and_bias(z, y)


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        (np.zeros((0, 3)), [], "at least one labelled row, got none"),
        ([[1.0, 2.0, 3.0]], [3], "class indices from 0 to 2, got 3"),
        ([1.0, 2.0], [0, 1, 1], "labels must"),
        ([[1.0, 2.0]], [[0, 2]], "labels must"),
    ],
)
def test_what_does_not_fit_is_refused(logits, labels, words):
    """No rows, a class that is none, other numbers of rows."""
    with pytest.raises(ValueError, match=words):
        fit_temperature_and_bias(logits, labels)


def test_rules_by_formula_take_the_bias():
    """Their cuts answer as the calibrated probabilities ask, for yes/no and for each label."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 2, (500, 2))
    prices = [Costs(false_positive=1, false_negative=miss) for miss in (1, 9)]
    rule = LabelThresholds.from_costs(
        prices, label_names=("home", "water"), temperature=2, bias=(1.0, -0.5)
    )
    p = sigmoid(z / 2 + [1.0, -0.5])
    assert (rule.decide(z) == (p >= [0.5, 0.1])).all()
    one = BinaryThreshold.from_costs(prices[1], temperature=2, bias=-0.5)
    assert (one.decide(z[:, 1]) == (p[:, 1] >= 0.1)).all()
    assert rule.chosen["costs"][1]["false_negative"] == 9
    same = LabelThresholds.from_costs(prices[1], label_names=("home", "water"))
    assert same.cuts == pytest.approx([float(logit(0.1))] * 2)
    with pytest.raises(ValueError, match="costs must be one Costs or 2 of them, got 1"):
        LabelThresholds.from_costs(prices[:1], label_names=("home", "water"))
    with pytest.raises(ValueError, match="bias must be 2 finite numbers"):
        LabelThresholds.from_costs(prices, label_names=("home", "water"), bias=(1.0,))
    with pytest.raises(ValueError, match="bias must be 1 finite numbers"):
        BinaryThreshold.from_costs(prices[0], bias=float("nan"))
