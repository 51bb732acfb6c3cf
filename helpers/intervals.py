"""How far a figure moves when the messages are drawn again: bootstrap intervals.

Lesson 01 explains the paired bootstrap; lessons 02 and 03 use it for other figures.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.evaluation import check_decisions, separation
from helpers.portable.arrays import as_array, as_floats, check_finite
from helpers.portable.checks import check_choice, check_count, check_open_unit, shown


def _resampled(
    figure: Callable[[], float], whole: float, n_resamples: int, confidence_level: float
) -> tuple[float, float, float]:
    """Draw a figure again and again: `whole`, the figure itself, and its percentile interval."""
    drawn = np.array([figure() for _ in range(n_resamples)])
    if not np.isfinite([*drawn, whole]).all():
        raise ValueError(
            f"the statistic is NaN or infinite in {int((~np.isfinite(drawn)).sum())} of "
            f"{n_resamples} resamples: the values hold NaN, are too large, or too few rows are of "
            "a kind that the statistic needs"
        )
    low, high = np.quantile(drawn, [(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    return whole, float(low), float(high)


def _check_resampling(
    rng: np.random.Generator, n_resamples: int, confidence_level: float
) -> tuple[int, float]:
    """Return the number of resamples and the level, or say what all intervals need."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {shown(rng)}")
    return (
        check_count("n_resamples", n_resamples, least=1, most=10**6),
        check_open_unit("confidence_level", confidence_level),
    )


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[NDArray], float],
    *,
    rng: np.random.Generator,
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
) -> tuple[float, float, float]:
    """Say how far a figure moves when the messages are drawn again.

    Parameters
    ----------
    values : array_like of float, int or bool, shape (n, ...)
        One row a message.
    statistic : callable
        Takes rows like `values`, gives a number.
    rng : numpy.random.Generator
    n_resamples : int, default 2000
    confidence_level : float in (0, 1), default 0.95

    Returns
    -------
    value, low, high : float
        The figure itself and its percentile interval.

    Raises
    ------
    ValueError
        If there are no rows, the level lies outside (0, 1), `n_resamples` is not from 1 to a
        million, or the statistic gives no number, NaN or infinity.

    Examples
    --------
    >>> bootstrap_interval([3.0, 3.0, 3.0], np.mean, rng=np.random.default_rng(0))
    (3.0, 3.0, 3.0)
    """
    n_resamples, confidence_level = _check_resampling(rng, n_resamples, confidence_level)
    rows = np.atleast_1d(as_array("values", values))
    rows = as_floats("values", rows) if rows.dtype.kind == "f" else rows
    if rows.size == 0:
        raise ValueError(f"an interval needs at least one row, got none: shape {rows.shape}")
    if not callable(statistic):
        raise ValueError(f"statistic must be a function of rows, got {shown(statistic)}")
    with np.errstate(over="ignore", invalid="ignore"):  # NaN and infinity are refused by name
        found = statistic(rows)
        if np.ndim(found) != 0 or not isinstance(found, numbers.Real | np.ndarray | np.bool_):
            raise ValueError(f"the statistic must give one number, got {shown(found)}")
        draw = lambda: float(statistic(rows[rng.integers(0, len(rows), len(rows))]))
        return _resampled(draw, float(found), n_resamples, confidence_level)


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
) -> tuple[float, float, float]:
    """Compare two rules on the same messages: interval of the difference of their mean costs.

    Parameters
    ----------
    first, second : array_like of float, shape (n,)
        A cost (or any other value) for each message under the first and the second rule.
    rng : numpy.random.Generator
    n_resamples : int, default 2000
    confidence_level : float in (0, 1), default 0.95

    Returns
    -------
    difference, low, high : float
        Mean of ``first - second``, and the percentile interval of it over resampled messages.

    Raises
    ------
    ValueError
        If the shapes differ, there are no messages, or the level lies outside (0, 1).

    References
    ----------
    Efron, Tibshirani (1993), An introduction to the bootstrap, chapter 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> paired_bootstrap([1.0, 1.0], [0.5, 0.5], rng=rng)
    (0.5, 0.5, 0.5)
    """
    a, b = check_finite("first", first), check_finite("second", second)
    if a.shape != b.shape:
        raise ValueError(f"both need the same shape (n,), n at least 1, got {a.shape}, {b.shape}")
    with np.errstate(over="ignore"):
        differences = a - b
    return bootstrap_interval(
        differences, np.mean, rng=rng, n_resamples=n_resamples, confidence_level=confidence_level
    )


def paired_bootstrap_f1(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    rng: np.random.Generator,
    average: Literal["micro", "macro"] = "micro",
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
) -> tuple[float, float, float]:
    """Compare two sets of decisions on the same messages: interval of the difference of their F1.

    Parameters
    ----------
    labels, first, second : array_like of int or bool, shape (n, n_labels)
        The truth, and the decisions of both, 0 or 1.
    rng : numpy.random.Generator
    average : "micro" or "macro"
        Macro: over the labels that occur in `labels`; one that a resample lacks counts 0 there.
    n_resamples : int, default 2000
    confidence_level : float in (0, 1), default 0.95

    Returns
    -------
    difference, low, high : float
        F1 of the first minus that of the second, and its percentile interval.

    Raises
    ------
    ValueError
        If the shapes differ, no label occurs, or `average` is neither.

    Examples
    --------
    >>> y = [[1, 0], [0, 1]]
    >>> paired_bootstrap_f1(y, y, y, rng=np.random.default_rng(0))
    (0.0, 0.0, 0.0)
    """
    check_choice("average", average, ("micro", "macro"))
    true, one = check_decisions(labels, first)
    _, other = check_decisions(labels, second)
    kept = true.any(axis=0)
    if not kept.any():
        raise ValueError("a comparison needs at least one label that occurs, got none")
    kept = kept if average == "macro" else np.full_like(kept, True)
    # hits, and predicted plus true, of both sides: F1 is 2 hits / the second
    rows = np.stack([part[:, kept] for side in (one, other) for part in (side & true, side)], 1)
    rows = np.concatenate([rows, true[:, None, kept]], axis=1).astype(np.int64)
    if average == "micro":
        rows = rows.sum(axis=2, keepdims=True)

    def difference(drawn: NDArray) -> float:
        hits_one, said_one, hits_other, said_other, n_true = drawn.sum(axis=0)
        f_one = 2 * hits_one / np.maximum(said_one + n_true, 1)
        f_other = 2 * hits_other / np.maximum(said_other + n_true, 1)
        return float((f_one - f_other).mean())

    return bootstrap_interval(
        rows, difference, rng=rng, n_resamples=n_resamples, confidence_level=confidence_level
    )


def auroc_interval(
    known: ArrayLike,
    other: ArrayLike,
    *,
    rng: np.random.Generator,
    baseline: tuple[ArrayLike, ArrayLike] | None = None,
    n_resamples: int = 500,
    confidence_level: float = 0.95,
) -> tuple[float, float, float]:
    """Say how far the AUROC of known against other texts moves when the texts are drawn again.

    Parameters
    ----------
    known : array_like of float, shape (n,)
    other : array_like of float, shape (m,)
    rng : numpy.random.Generator
    baseline : pair of array_like of float, shapes (n,) and (m,), optional
        A second confidence of the same texts: then the figure is the difference to its AUROC, and
        both are drawn together.
    n_resamples : int, default 500
    confidence_level : float in (0, 1), default 0.95

    Returns
    -------
    value, low, high : float
        The figure itself and its percentile interval; known and other texts are drawn apart.

    Raises
    ------
    ValueError
        If `separation` refuses the confidences, the baseline's shapes differ, the level lies
        outside (0, 1), or `n_resamples` is below 1 or above a million.

    Examples
    --------
    >>> auroc_interval([2.0, 3.0], [0.0, 1.0], rng=np.random.default_rng(0))
    (1.0, 1.0, 1.0)
    """
    n_resamples, confidence_level = _check_resampling(rng, n_resamples, confidence_level)
    scores: list[Any] = [(check_finite("known", known), check_finite("other", other))]
    if baseline is not None:
        if not isinstance(baseline, list | tuple) or len(baseline) != 2:
            raise ValueError(f"baseline must be a pair (known, other), got {shown(baseline)}")
        scores.append(tuple(check_finite("baseline", part) for part in baseline))
    n, m = map(len, scores[0])
    if any((len(inside), len(outside)) != (n, m) for inside, outside in scores):
        raise ValueError(f"the baseline must hold {n} known and {m} other texts, as the score does")

    def figure(i: NDArray, j: NDArray) -> float:
        found = [separation(inside[i], outside[j]).auroc for inside, outside in scores]
        return found[0] - found[1] if len(found) == 2 else found[0]

    draw = lambda: figure(rng.integers(0, n, n), rng.integers(0, m, m))
    return _resampled(draw, figure(np.arange(n), np.arange(m)), n_resamples, confidence_level)
