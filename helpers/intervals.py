"""How far a figure moves when the messages are drawn again: bootstrap intervals.

Lesson 01 explains the paired bootstrap; lessons 02 and 03 use it for other figures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.evaluation import check_decisions, check_scores, separation


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
    values : array_like, shape (n, ...)
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
        If there are no rows, the level lies outside (0, 1), or the statistic is NaN in a
        resample.

    Examples
    --------
    >>> bootstrap_interval([3.0, 3.0, 3.0], np.mean, rng=np.random.default_rng(0))
    (3.0, 3.0, 3.0)
    """
    rows = np.atleast_1d(np.asarray(values))
    if len(rows) == 0:
        raise ValueError("an interval needs at least one row, got none")
    if not isinstance(n_resamples, int) or n_resamples < 1:
        raise ValueError(f"n_resamples must be a whole number of at least 1, got {n_resamples!r}")
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"confidence_level must lie strictly between 0 and 1, got {confidence_level!r}"
        )
    drawn = [statistic(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(n_resamples)]
    if np.isnan(drawn).any():
        raise ValueError(
            f"the statistic is NaN in {int(np.isnan(drawn).sum())} of {n_resamples} resamples: "
            "the values hold NaN, or too few rows of a kind that the statistic needs"
        )
    low, high = np.quantile(drawn, [(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    return float(statistic(rows)), float(low), float(high)


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
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) == 0:
        raise ValueError(f"both need the same shape (n,), n at least 1, got {a.shape}, {b.shape}")
    return bootstrap_interval(
        a - b, np.mean, rng=rng, n_resamples=n_resamples, confidence_level=confidence_level
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
    if average not in ("micro", "macro"):
        raise ValueError(f'average must be "micro" or "macro", got {average!r}')
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
        If `separation` refuses the confidences, or the baseline's shapes differ.

    Examples
    --------
    >>> auroc_interval([2.0, 3.0], [0.0, 1.0], rng=np.random.default_rng(0))
    (1.0, 1.0, 1.0)
    """
    scores = [(check_scores("known", known), check_scores("other", other))]
    if baseline is not None:
        scores.append(tuple(check_scores("baseline", part) for part in baseline))
    n, m = map(len, scores[0])
    if any((len(inside), len(outside)) != (n, m) for inside, outside in scores):
        raise ValueError(f"the baseline must hold {n} known and {m} other texts, as the score does")

    def figure(i: NDArray, j: NDArray) -> float:
        found = [separation(inside[i], outside[j]).auroc for inside, outside in scores]
        return found[0] - found[1] if len(found) == 2 else found[0]

    drawn = [figure(rng.integers(0, n, n), rng.integers(0, m, m)) for _ in range(n_resamples)]
    low, high = np.quantile(drawn, [(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    return figure(np.arange(n), np.arange(m)), float(low), float(high)
