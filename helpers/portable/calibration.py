"""Calibration by a temperature and a bias: Platt scaling, of classes and of many labels too."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import (
    Floats,
    as_array,
    check_binary_labels,
    check_label_matrix,
    check_labels_or_other,
    check_logits,
)
from .chance import (
    ANSWERS,
    PAIRS,
    SILENT,
    warn_swapped,
    warn_upside_down,
    why_answers_fail,
    why_pairs_fail,
    wrong_answers,
    wrong_pairs,
)
from .probabilities import binary_logit, log_softmax, sigmoid, softmax

PRIOR = 2.0  # standard deviation of the biases of classes, before any row is seen


class Calibration(NamedTuple):
    """What makes probabilities of logits: the sigmoid, or softmax, of logits / temperature + bias.

    Attributes
    ----------
    temperature : float
        Above 0.
    bias : tuple of float
        One number for yes/no (it is added to the logit of 1), otherwise one a class or label; those
        of classes have the mean 0.
    """

    temperature: float
    bias: tuple[float, ...]


def fit_temperature_and_bias(logits: ArrayLike, labels: ArrayLike) -> Calibration:
    """Find the temperature and the bias that fit the labels best (least log loss).

    A temperature alone makes all probabilities surer or less sure; a bias also makes one class or
    label likelier than the others, as after a change of the base rates.

    Parameters
    ----------
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
        Logits on validation data that took no part in the fit of the network.
    labels : array_like of int, shape (n,) or (n, n_labels)
        0 or 1 for yes/no, class indices, or 0 and 1 for each of many labels.

    Returns
    -------
    Calibration
        Many labels share one temperature; each has its own bias.

    Raises
    ------
    ValueError
        If there are no rows, or logits and labels do not match.

    Warns
    -----
    UserWarning
        If no temperature is best, and 1 is returned with biases of 0; the message says why: a
        temperature and a bias separate the rows without a mistake, the logits contradict the
        labels, or they say nothing about them. If two labels seem to be swapped.

    Notes
    -----
    The loss is convex in 1 / temperature and the biases. Small numbers are kept from large biases:
    for yes/no and many labels by Platt's targets, ``(n1 + 1) / (n1 + 2)`` in place of 1 and
    ``1 / (n0 + 2)`` in place of 0, where n1 and n0 count the rows of either kind; for classes by a
    normal prior of mean 0 and standard deviation 2 on each bias. Both fade as rows come in.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines. Alexandari, Kundaje, Shrikumar
    (2020), Maximum likelihood with bias-corrected calibration is hard-to-beat at label shift
    adaptation, ICML (a temperature with a bias a class).

    Examples
    --------
    >>> z = [-3.0, -2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 3.0]
    >>> temperature, (bias,) = fit_temperature_and_bias(z, [0, 0, 0, 0, 1, 0, 1, 1])
    >>> round(temperature, 2), round(bias, 2)
    (1.71, -0.57)
    """
    z = check_logits(logits)
    if z.ndim == 2 and z.shape[1] > 1 and as_array("labels", labels).ndim == 2:
        true = check_label_matrix(labels, z.shape)
        found = [wrong_pairs(z[:, k], true[:, k]) for k in range(z.shape[1])]
        wrong, what, classes = max((w for w in found if w), default=None), PAIRS, False
    elif z.ndim == 1 or z.shape[1] <= 2:
        z = binary_logit(z)[:, None]
        true = check_binary_labels(labels, len(z))[:, None]
        wrong, what, classes = wrong_pairs(z[:, 0], true[:, 0]), PAIRS, False
    else:
        index = check_labels_or_other(labels, len(z), z.shape[1], other=False)
        true = index[:, None] == np.arange(z.shape[1])
        best = z.argmax(axis=1)
        wrong, what, classes = wrong_answers(index, best), ANSWERS, True
        if wrong is None:
            warn_swapped(index, best)
    if len(z) == 0:
        raise ValueError("a temperature needs at least one labelled row, got none")
    warn_upside_down(wrong, what)
    fitted, reason = fit(z, true, classes=classes)
    if fitted is None:
        if reason == SILENT and classes:
            reason = why_answers_fail(index, z.argmax(axis=1))
        elif reason == SILENT:
            reason = why_pairs_fail((z - z.mean(axis=0)).ravel(), true.ravel())
        warnings.warn(
            f"no temperature is best, T = 1 without a bias is returned: {reason}", stacklevel=2
        )
        return Calibration(1.0, (0.0,) * z.shape[1])
    return fitted


SEPARATED = "a temperature and a bias separate the rows without a mistake"


def fit(z: Floats, true: NDArray[np.bool_], *, classes: bool) -> tuple[Calibration | None, str]:
    """Do the work of `fit_temperature_and_bias`, without a warning.

    Parameters
    ----------
    z : ndarray of float64, shape (n, k), n at least 1
    true : ndarray of bool, shape (n, k)
        For classes one a row.
    classes : bool
        Whether a softmax goes over each row; otherwise a sigmoid over each cell.

    Returns
    -------
    calibration : Calibration or None
    reason : str
        Why there is none.

    Examples
    --------
    >>> fit(np.array([[-1.0], [1.0]]), np.array([[False], [True]]), classes=False)[1]
    'a temperature and a bias separate the rows without a mistake'
    """
    from scipy.optimize import minimize

    n, k = z.shape
    if classes and (z.argmax(axis=1) == true.argmax(axis=1)).all() and np.ptp(z):
        return None, SEPARATED
    size = int(np.frexp(np.abs(z).max())[1])
    z = np.ldexp(z, -size)  # by a power of two: nothing is rounded, and nothing overflows
    z = z - z.mean(axis=1, keepdims=True) if classes else z
    middle = z.mean(axis=0)
    z = z - middle  # the biases hang less on the temperature
    scale = float(z.std())
    if scale == 0:
        return None, SILENT
    z, middle = z / scale, middle / scale
    target = true.astype(float)
    if not classes:
        n_true = true.sum(axis=0)
        target = np.where(true, (n_true + 1) / (n_true + 2), 1 / (n - n_true + 2))
    weight = 1 / PRIOR**2 if classes else 0.0

    def loss(at: Floats) -> tuple[float, Floats]:
        slope, bias = at[0], at[1:] - at[0] * middle
        s = slope * z + at[1:]
        if classes:
            logs = log_softmax(s)
            total, off = -float(logs[true].sum()), np.exp(logs) - target
        else:
            total = float((np.logaddexp(0, s) - target * s).sum())
            off = sigmoid(s) - target
        gradient = np.append((off * z).sum() - weight * bias @ middle, off.sum(0) + weight * bias)
        return (total + weight * float(bias @ bias) / 2) / n, gradient / n

    found = minimize(
        loss,
        np.append(1.0, middle),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] + [(None, None)] * k,
        options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 2000, "maxfun": 4000},
    ).x
    slope, bias = float(found[0]), found[1:] - found[0] * middle
    fitted = slope * z + found[1:]
    right = (fitted.argmax(1) == true.argmax(1)) if classes else ((fitted > 0) == true)
    if right.all() and (classes or not (true.all(0) | (~true).all(0)).all()):
        return None, SEPARATED
    with np.errstate(over="ignore", divide="ignore"):
        temperature = float(np.ldexp(scale / np.float64(slope), size))
    if slope < 1e-6 or not 0 < temperature < np.inf:
        return None, SILENT
    return Calibration(temperature, tuple((bias - bias.mean() * classes).tolist())), ""


def cautious_temperature(z: Floats, true: NDArray[np.int64]) -> float | None:
    """Find a temperature for rows whose largest logit always stands at the true class.

    Their log loss falls for ever as the temperature goes to 0; but n rows without a mistake cannot
    vouch for more than one mistake in about n. So the truth gets the target ``(n + 1) / (n + 2)``,
    as in Platt scaling, and the other classes share the rest.

    Parameters
    ----------
    z : ndarray of float64, shape (n, n_classes)
    true : ndarray of int, shape (n,)

    Returns
    -------
    float or None
        None unless each row has its largest logit at the true class, and some logits differ.

    Examples
    --------
    >>> z = 0.1 * np.eye(3)[[0, 1, 2, 0, 1, 2]]
    >>> temperature = cautious_temperature(z, np.array([0, 1, 2, 0, 1, 2]))
    >>> round(temperature, 4), softmax(z[:1] / temperature).round(4).tolist()
    (0.0379, [[0.875, 0.0625, 0.0625]])
    """
    from scipy.optimize import brentq

    n, k = z.shape
    rows = np.arange(n)
    size = int(np.frexp(np.abs(z).max())[1])
    z = np.ldexp(z, -size)
    z = z - z.max(axis=1, keepdims=True)
    scale = float(z.std())
    if scale == 0 or (z[rows, true] < 0).any():
        return None
    z = z / scale
    rest = 1 / (n + 2) / (k - 1)
    wanted = rest * z.sum()  # of the truth it is 0

    def slope(log_temperature: float) -> float:
        return float((softmax(z / np.exp(log_temperature)) * z).sum() - wanted)

    with np.errstate(over="ignore"):
        return float(np.ldexp(scale * np.exp(brentq(slope, -30.0, 30.0, xtol=1e-12)), size))
