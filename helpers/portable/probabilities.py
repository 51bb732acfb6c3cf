"""From logits to probabilities: sigmoid, softmax, temperature, confidence. Numpy in, numpy out.

Lesson 01 explains the sigmoid, the two heads and the temperature; lesson 02 the softmax and the
confidence scores.
"""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from .arrays import (
    Floats,
    as_array,
    as_floats,
    check_binary_labels,
    check_class_logits,
    check_label_matrix,
    check_labels_or_other,
    check_logits,
)
from .chance import (
    ANSWERS,
    PAIRS,
    warn_upside_down,
    why_answers_fail,
    why_pairs_fail,
    wrong_answers,
    wrong_pairs,
)
from .checks import check_choice, check_open_unit


def binary_logit(logits: ArrayLike, name: str = "logits") -> Floats:
    """Reduce the output of a one-logit or two-logit head to one logit a row.

    A two-logit softmax and a one-logit sigmoid are the same function: P(1) = sigmoid(z1 - z0).

    Parameters
    ----------
    logits : array_like of float, shape (n,), (n, 1) or (n, 2)
        For two columns, column 1 is the positive class.
    name : str, default "logits"
        What the message calls them.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If there are more than two columns, or `check_logits` refuses the array.

    Examples
    --------
    >>> binary_logit([[3.0, 0.0], [0.5, 2.5]])
    array([-3.,  2.])
    """
    array = check_logits(logits, name)
    if array.ndim == 1:
        return array
    if array.shape[1] == 1:
        return array[:, 0]
    if array.shape[1] == 2:
        with np.errstate(over="ignore"):
            margin = array[:, 1] - array[:, 0]
        if not np.isfinite(margin).all():
            raise ValueError("the two logits of a row must differ by a finite number")
        return margin
    raise ValueError(
        f"a yes/no decision takes logits of shape (n,), (n, 1) or (n, 2), got {array.shape}"
    )


def sigmoid(logits: ArrayLike) -> Floats:
    """Compute 1 / (1 + exp(-z)) without overflow.

    Parameters
    ----------
    logits : array_like of float, any shape
        Infinities count, and NaN stays NaN.

    Returns
    -------
    ndarray of float64, same shape
        Probabilities in [0, 1].

    Raises
    ------
    ValueError
        If they are no real numbers.

    Examples
    --------
    >>> sigmoid([0.0, 1000.0, -1000.0])
    array([0.5, 1. , 0. ])
    """
    z = as_floats("logits", logits)
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


def logit(probabilities: ArrayLike) -> Floats:
    """Compute log(p / (1 - p)), the inverse of `sigmoid`.

    Parameters
    ----------
    probabilities : array_like of float in [0, 1], any shape

    Returns
    -------
    ndarray of float64, same shape
        0 gives ``-inf``, 1 gives ``inf``.

    Raises
    ------
    ValueError
        If a value lies outside [0, 1] or is NaN.

    Examples
    --------
    >>> logit([0.5, 0.0])
    array([  0., -inf])
    """
    p = as_floats("probabilities", probabilities)
    if not np.all((p >= 0) & (p <= 1)):
        bad = p[~((p >= 0) & (p <= 1))].ravel()[0]
        raise ValueError(f"probabilities must lie in [0, 1], got {bad}")
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log1p(-p)


def log_softmax(logits: ArrayLike) -> Floats:
    """Compute log(softmax(z)) over the last axis without overflow.

    Parameters
    ----------
    logits : array_like of float, shape (..., n_classes), n_classes at least 1
        ``-inf`` is a class that cannot be; each row needs a finite largest value.

    Returns
    -------
    ndarray of float64, same shape

    Raises
    ------
    ValueError
        If there is no axis or no class, or the largest value of a row is NaN or infinite.

    Examples
    --------
    >>> log_softmax([[1000.0, 1000.0]]).round(3)
    array([[-0.693, -0.693]])
    """
    z = as_floats("logits", logits)
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError(f"logits must have shape (..., n_classes), got {z.shape}")
    top = z.max(axis=-1, keepdims=True)  # NaN if there is one
    if not np.isfinite(top).all():
        bad = top[~np.isfinite(top)][0]
        raise ValueError(f"each row of logits needs a finite largest value, got {bad}")
    with np.errstate(over="ignore"):
        shifted = z - top
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(logits: ArrayLike) -> Floats:
    """Compute exp(z) / sum(exp(z)) over the last axis without overflow.

    Parameters
    ----------
    logits : array_like of float, shape (..., n_classes), n_classes at least 1
        ``-inf`` is a class that cannot be; each row needs a finite largest value.

    Returns
    -------
    ndarray of float64, same shape
        Probabilities; each row sums to 1.

    Raises
    ------
    ValueError
        As `log_softmax` does.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return np.exp(log_softmax(logits))


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Find the temperature T that makes ``logits / T`` fit the labels best (least log loss).

    Parameters
    ----------
    logits : array_like of float, shape (n,), (n, 1), (n, n_classes) or (n, n_labels)
        Logits on validation data that took no part in the fit of the network.
    labels : array_like of int, shape (n,) or (n, n_labels)
        0 or 1 for one column or two; otherwise class indices in ``range(n_classes)``. A matrix of 0
        and 1 for many labels, which share the temperature.

    Returns
    -------
    float
        T > 0. Above 1 the network was over-confident, below 1 under-confident.

    Raises
    ------
    ValueError
        If there are no rows, or logits and labels do not match.

    Warns
    -----
    UserWarning
        If no finite T is best, and T = 1 is returned: either every row has its largest logit at the
        true label (the loss falls for ever as T goes to 0), or the loss falls for ever as T grows;
        the message says whether the logits contradict the labels, lack a bias, or say nothing. If
        they contradict the labels beyond chance, as when two labels are swapped: see `wrong_pairs`
        and `wrong_answers`.

    Notes
    -----
    The loss is convex in 1 / T, so its slope has one root, found by bracketing in log T. The
    bracket scales with the spread of the logits: T(s * logits) = s * T(logits) for any s > 0.
    A library that makes the two columns -z and z of one logit fits 1 / (2 T): see COMPARED.md.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML.

    Examples
    --------
    >>> round(fit_temperature([3.0, 3.0, 3.0, -3.0], [1, 1, 0, 0]), 3)
    2.731
    """
    from scipy.optimize import brentq

    z = check_logits(logits)
    many = z.ndim == 2 and z.shape[1] > 1 and as_array("labels", labels).ndim == 2
    if many or z.ndim == 1 or z.shape[1] <= 2:
        if many:
            margin, true = z.ravel(), check_label_matrix(labels, z.shape).ravel()
        else:
            margin = binary_logit(z)
            true = check_binary_labels(labels, len(margin))
        warn_upside_down(wrong_pairs(margin, true), PAIRS)
        index = true.astype(int)
        z = np.stack([np.zeros_like(margin), margin], axis=1)
    else:
        index = check_labels_or_other(labels, len(z), z.shape[1], other=False)
        warn_upside_down(wrong_answers(index, z.argmax(axis=1)), ANSWERS)
    if len(z) == 0:
        raise ValueError("a temperature needs at least one labelled row, got none")

    size = int(np.frexp(np.abs(z).max())[1])
    z = np.ldexp(z, -size)  # by a power of two: nothing is rounded, and nothing overflows
    at_label = z[np.arange(len(z)), index]
    scale = float((z - z.mean(axis=1, keepdims=True)).std())
    if scale == 0.0 or np.all(at_label == z.max(axis=1)):
        reason = "every row has its largest logit at the true label"
        if scale == 0.0:
            reason = "the logits of each row are equal"
        warnings.warn(
            f"no temperature is best, T = 1 is returned: {reason}",
            stacklevel=2,
        )
        return 1.0

    def slope(log_temperature: float) -> float:
        p = softmax(z / (scale * np.exp(log_temperature)))
        return float(((p * z).sum(axis=1) - at_label).mean()) / scale

    best = None
    if slope(30.0) < 0 < slope(-30.0):
        with np.errstate(over="ignore"):
            best = np.ldexp(scale * np.exp(brentq(slope, -30.0, 30.0, xtol=1e-12)), size)
    if best is None or not 0 < best < np.inf:
        if slope(-30.0) <= 0:
            why = "the logits fit all labels but for rounding"
        elif z.shape[1] == 2:
            why = why_pairs_fail(z[:, 1] - z[:, 0], index == 1)
        else:
            why = why_answers_fail(index, z.argmax(axis=1))
        warnings.warn(f"no temperature is best, T = 1 is returned: {why}", stacklevel=2)
        return 1.0
    return float(best)


# Measures of confidence


Measure = Literal["softmax", "margin", "entropy", "logit", "energy"]
MEASURES: tuple[Measure, ...] = get_args(Measure)


def confidence(logits: ArrayLike, *, measure: Measure = "softmax") -> Floats:
    """Say with one number a row how sure a network is; for every measure, higher is surer.

    Lesson 02 compares the five. Divide logits by a temperature before you pass them.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_classes), n_classes at least 2
    measure : "softmax", "margin", "entropy", "logit" or "energy"
        The largest softmax probability, in [1 / n_classes, 1]; the two largest ones' difference,
        in [0, 1]; minus the entropy of the softmax in nats, in [-log(n_classes), 0]; the largest
        logit; minus the energy, which is log(sum(exp(logits))). The last two have no bounds.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If there are fewer than two columns, no such measure, or `check_logits` refuses the array.

    Notes
    -----
    The first three do not change if a constant is added to a row; the last two grow by it.

    References
    ----------
    Hendrycks, Gimpel (2017), A baseline for detecting misclassified and out-of-distribution
    examples in neural networks, ICLR (largest softmax). Liu, Wang, Owens, Li (2020), Energy-based
    out-of-distribution detection, NeurIPS.

    Examples
    --------
    >>> z = [[2.0, 0.0, 0.0]]
    >>> [float(confidence(z, measure=m)[0].round(3)) for m in MEASURES]
    [0.787, 0.68, -0.666, 2.0, 2.24]
    """
    check_choice("measure", measure, MEASURES)
    z = check_class_logits(logits)
    if measure == "softmax":
        return np.exp(log_softmax(z).max(axis=1))
    if measure == "margin":
        two = np.partition(softmax(z), -2, axis=1)[:, -2:]
        return two[:, 1] - two[:, 0]
    if measure == "entropy":
        logs = np.maximum(log_softmax(z), -800.0)  # exp(-800) is 0, and 0 times -inf is NaN
        return np.minimum((np.exp(logs) * logs).sum(axis=1), 0.0)
    top = z.max(axis=1)
    if measure == "logit":
        return top
    with np.errstate(over="ignore"):
        return top + np.log(np.exp(z - top[:, None]).sum(axis=1))


# A changed base rate


def prior_shift(*, old: float, new: float) -> float:
    """Compute what a change of the base rate adds to every logit.

    Parameters
    ----------
    old, new : float in (0, 1)
        Share of positives in the data that the logits were fitted on, and where they are used.

    Returns
    -------
    float
        log odds of `new` minus log odds of `old`.

    Raises
    ------
    ValueError
        If a rate is no number strictly between 0 and 1.

    Notes
    -----
    By Bayes' rule the odds of a text are the odds of the base rate times P(text | 1) / P(text | 0).
    The shift holds as long as texts of each kind stay as they were, and only their shares change.

    References
    ----------
    Saerens, Latinne, Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities, Neural Computation 14. Elkan (2001), The foundations of cost-sensitive learning,
    IJCAI, theorem 2.

    Examples
    --------
    >>> round(prior_shift(old=0.1, new=0.5), 3)
    2.197
    """
    before, after = check_open_unit("old", old), check_open_unit("new", new)
    return float(logit(after) - logit(before))
