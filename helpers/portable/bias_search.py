"""Repair the calibration that a cost matrix needs, as far as rows that were held out agree."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .calibration import cautious_temperature, fit
from .cost_matrix import CostMatrix
from .probabilities import fit_temperature, log_softmax, softmax

Fitted = Literal["none", "log_loss", "cost"]  # what the bias was fitted for
FOLDS = 5
SURE = 2.0  # standard errors by which held-out rows must gain
STEP = 1.0  # the same for one step of one bias, on the rows that it is fitted on
STEPS = np.outer([1, -1], [0.1, 0.2, 0.4, 0.8, 1.6]).ravel()
ROUNDS = 5


class Repair(NamedTuple):
    """A calibration, and what speaks for it.

    Attributes
    ----------
    temperature : float
    bias : ndarray of float64, shape (n_classes,)
    fitted : "none", "log_loss" or "cost"
        What the bias was fitted for.
    """

    temperature: float
    bias: Floats
    fitted: Fitted


def repair(z: Floats, true: NDArray[np.int64], costs: CostMatrix) -> Repair:
    """Fit a temperature, and a bias where held-out rows gain by it.

    Parameters
    ----------
    z : ndarray of float64, shape (n, n_classes)
    true : ndarray of int, shape (n,)
        ``n_classes`` for a row of no class; at least one row has a class.
    costs : CostMatrix

    Returns
    -------
    Repair

    Warns
    -----
    UserWarning
        As `fit_temperature` does.

    Notes
    -----
    Three candidates, each dearer in numbers to fit: a temperature alone; with a bias a class by
    log loss (`fit_temperature_and_bias`); with steps of that bias, or of none, that save cost. Rows
    are dealt into five folds, class by class; each candidate is fitted on four and measured on
    the fifth. The bias is kept if the held-out log loss falls, and the steps are kept if the
    held-out cost falls, by more than two standard errors of the difference.

    Where no row is answered wrongly, the temperature is a `cautious_temperature`.

    Log loss tells a wrong bias on far fewer rows than cost does: every row has a say in it, and in
    the cost only those whose answer changes.
    """
    n, k = z.shape
    known = true < k
    temperature = cautious_temperature(z[known], true[known])
    if temperature is None:
        temperature = fit_temperature(z[known], true[known])
    onehot = true[:, None] == np.arange(k)
    paid = costs.rows_of(true)
    fold = np.empty(n, dtype=int)
    fold[np.argsort(true, kind="stable")] = np.arange(n) % FOLDS

    def with_bias(rows: NDArray[np.bool_]) -> tuple[float, Floats]:
        rows = rows & known
        found = fit(z[rows], onehot[rows], classes=True)[0] if rows.any() else None
        return (temperature, np.zeros(k)) if found is None else (found[0], np.array(found[1]))

    scaled = z / temperature
    held, fits = np.empty_like(z), []
    for part in range(FOLDS):
        fits.append(with_bias(fold != part))
        here = fold == part
        held[here] = z[here] / fits[-1][0] + fits[-1][1]
    losses = [-log_softmax(s)[known][onehot[known]] for s in (scaled, held)]
    fitted: Fitted = "none"
    whole, bias = (temperature, np.zeros(k))
    if _gains(*losses):
        fitted, (whole, bias) = "log_loss", with_bias(np.full(n, True))
    else:
        held, fits = scaled, [(temperature, bias)] * FOLDS

    stepped = held.copy()
    for part, (heat, start) in enumerate(fits):
        rest, here = fold != part, fold == part
        stepped[here] += cheaper_bias(z[rest] / heat + start, paid[rest], costs.matrix)
    if _gains(*(_cost(s, paid, costs.matrix) for s in (held, stepped))):
        fitted, bias = "cost", bias + cheaper_bias(z / whole + bias, paid, costs.matrix)
    return Repair(whole, bias - bias.mean(), fitted)


def _gains(before: Floats, after: Floats) -> bool:
    """Tell whether a mean falls by more than two standard errors."""
    saved = before - after
    if len(saved) < 2:
        return False
    return bool(saved.mean() > SURE * saved.std(ddof=1) / np.sqrt(len(saved)))


def _cost(scores: Floats, paid: Floats, matrix: Floats) -> Floats:
    """Give what each row pays when it gets the answer of least expected cost."""
    return paid[np.arange(len(paid)), (softmax(scores) @ matrix).argmin(axis=1)]


def cheaper_bias(scores: Floats, paid: Floats, matrix: Floats) -> Floats:
    """Step the bias of one class after the other where the rows pay less for it.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, n_classes)
        Calibrated as well as can be.
    paid : ndarray of float64, shape (n, n_answers)
        What each answer costs for each row's true class.
    matrix : ndarray of float64, shape (n_classes, n_answers)

    Returns
    -------
    ndarray of float64, shape (n_classes,)
        To be added.

    Notes
    -----
    A step is one of ten, from .1 to 1.6 up or down. Of those of a class the one is taken that
    saves most after one standard error of the saving is taken off; so a step on the word of a
    single row is never made. It ends after a round without a step, or after five.

    Examples
    --------
    >>> z = np.tile([[0.5, 0.0]], (50, 1))
    >>> paid = np.tile([[1.0, 0.0]], (50, 1))
    >>> cheaper_bias(z, paid, np.array([[0.0, 1.0], [1.0, 0.0]]))
    array([-0.8,  0. ])
    """
    weight = softmax(scores)
    expected = weight @ matrix
    rows = np.arange(len(paid))
    now = paid[rows, expected.argmin(axis=1)]
    bias = np.zeros(len(matrix))
    gap = _gap(expected)
    spread = np.ptp(matrix, axis=1) * np.expm1(STEPS.max())
    for _ in range(ROUNDS):
        before = bias.copy()
        for k in range(len(matrix)):
            near = np.flatnonzero(weight[:, k] * spread[k] >= gap)  # the others keep their answer
            outer = weight[near, k : k + 1] * matrix[k]
            best, step, then = 0.0, 0.0, now[near]
            for d in STEPS:
                after = paid[near, (expected[near] + np.expm1(d) * outer).argmin(axis=1)]
                saved = now[near] - after
                sure = saved.sum() - STEP * np.sqrt((saved**2).sum())
                if sure > best:
                    best, step, then = sure, float(d), after
            if step:
                bias[k] += step
                expected[:] += np.expm1(step) * weight[:, k : k + 1] * matrix[k]
                weight[:, k] *= np.exp(step)
                now[near] = then
                gap = _gap(expected)
        if (bias == before).all():
            break
    return bias


def _gap(expected: Floats) -> Floats:
    """Give by how much each row's cheapest answer is cheaper than the next."""
    two = np.partition(expected, 1, axis=1)[:, :2]
    return two[:, 1] - two[:, 0]
