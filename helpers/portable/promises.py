"""What n rows can promise, exactly: the tables behind every floor with a confidence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, as_floats
from .checks import shown


def _counts(name: str, values: ArrayLike, least: int, most: float = 1e9) -> Floats:
    counts = as_floats(name, values)
    if not np.all((counts >= least) & (counts <= most) & (counts == np.floor(counts))):
        raise ValueError(
            f"{name} must be whole numbers of at least {least} and at most {most:.0e}, got "
            f"{shown(values)}"
        )
    return counts


def _shares(name: str, values: ArrayLike) -> Floats:
    shares = as_floats(name, values)
    if not np.all((shares > 0) & (shares < 1)):
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {shown(values)}")
    return shares


def _together(**arrays: Floats) -> list[Floats]:
    """Give all the shape that they make together."""
    try:
        return list(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {one.shape}" for name, one in arrays.items())
        raise ValueError(f"the shapes must fit together, as in a table, got {shapes}") from None


def _plain(values: Any) -> Any:
    return values.item() if np.ndim(values) == 0 else values


def highest_confidence(n: ArrayLike, floor: ArrayLike, *, mistakes: ArrayLike = 0) -> Any:
    """Compute how surely n rows, some of them wrong, promise that a share of all rows is right.

    A floor of recall counts positives: of n, those that the cut misses are wrong. A floor of
    precision at a cut that was fixed beforehand counts the rows that it takes: of n, the false
    alarms are wrong. Arguments of different shapes make a table.

    Parameters
    ----------
    n : array_like of int, any shape
        Rows, from 1 to 1e9.
    floor : array_like of float in (0, 1), any shape
        The share that shall be right.
    mistakes : array_like of int, any shape, default 0
        How many of the n are wrong.

    Returns
    -------
    float, or ndarray of float64 in [0, 1], of the shape that the three make together
        P(Binomial(n, 1 - floor) > mistakes): the largest confidence level that the floor holds at.

    Raises
    ------
    ValueError
        If a number of rows is none, a floor lies outside (0, 1), or the shapes do not fit.

    Notes
    -----
    One promise takes the whole confidence. Several at once share the chance of error: with m of
    them each needs a confidence of ``1 - (1 - confidence_level) / m``.

    Examples
    --------
    >>> highest_confidence([[10], [30], [100]], [0.8, 0.9, 0.95]).round(3)
    array([[0.893, 0.651, 0.401],
           [0.999, 0.958, 0.785],
           [1.   , 1.   , 0.994]])
    >>> round(highest_confidence(30, 0.9, mistakes=1), 3)
    0.816
    """
    from scipy.stats import binom

    rows, floors, wrong = _together(
        n=_counts("n", n, 1),
        floor=_shares("floor", floor),
        mistakes=_counts("mistakes", mistakes, 0),
    )
    return _plain(binom.sf(wrong, rows, 1 - floors))


def highest_floor(n: ArrayLike, confidence_level: ArrayLike, *, mistakes: ArrayLike = 0) -> Any:
    """Compute the highest share right that n rows, some of them wrong, can promise.

    Parameters
    ----------
    n : array_like of int, any shape
        Rows, from 1 to 1e9.
    confidence_level : array_like of float in (0, 1), any shape
    mistakes : array_like of int, any shape, default 0
        How many of the n are wrong: n of them promise nothing, 0.

    Returns
    -------
    float, or ndarray of float64 in [0, 1), of the shape that the three make together
        The lower bound of Clopper and Pearson, one-sided.

    Raises
    ------
    ValueError
        If a number of rows is none, a level lies outside (0, 1), or the shapes do not fit.

    References
    ----------
    Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of
    the binomial, Biometrika 26.

    Examples
    --------
    >>> highest_floor([10, 20, 100], 0.95).round(3)
    array([0.741, 0.861, 0.97 ])
    """
    from scipy.stats import beta

    rows, levels, wrong = _together(
        n=_counts("n", n, 1),
        confidence_level=_shares("confidence_level", confidence_level),
        mistakes=_counts("mistakes", mistakes, 0),
    )
    right = np.maximum(rows - wrong, 0)
    return _plain(np.where(right > 0, beta.ppf(1 - levels, np.maximum(right, 1), wrong + 1), 0.0))


def fewest_rows(floor: ArrayLike, confidence_level: ArrayLike, *, mistakes: ArrayLike = 0) -> Any:
    """Find the fewest rows, some of them wrong, that promise a share right.

    Parameters
    ----------
    floor : array_like of float in (0, 1), any shape
        The share that shall be right, at most .9999999.
    confidence_level : array_like of float in (0, 1), any shape
    mistakes : array_like of int, any shape, default 0
        How many of the rows are wrong, up to a million.

    Returns
    -------
    int, or ndarray of int64, of the shape that the three make together

    Raises
    ------
    ValueError
        If an argument lies out of its range, the shapes do not fit, or 1e9 rows are too few.

    Examples
    --------
    >>> fewest_rows(0.9, 0.95), fewest_rows(0.9, 0.95, mistakes=1)
    (29, 46)
    >>> fewest_rows([[0.8], [0.9], [0.95]], [0.9, 0.95, 0.99])
    array([[11, 14, 21],
           [22, 29, 44],
           [45, 59, 90]])

    A recall of .9 for each of 12 labels, with a confidence of .95 for all of them, asks of each:

    >>> fewest_rows(0.9, 1 - 0.05 / 12)
    53
    """
    floors, levels, wrong = _together(
        floor=_shares("floor", floor),
        confidence_level=_shares("confidence_level", confidence_level),
        mistakes=_counts("mistakes", mistakes, 0, 1e6),
    )
    low, high = wrong.astype(np.int64), np.full(wrong.shape, 10**9)  # low: all wrong, too few
    if not np.all(highest_confidence(high, floors, mistakes=wrong) >= levels):
        raise ValueError(
            f"1e9 rows are too few for floors of {shown(floor)} at the confidence level "
            f"{shown(confidence_level)}: ask for less"
        )
    while np.any(high - low > 1):
        middle = np.maximum((low + high) // 2, 1)
        enough = highest_confidence(middle, floors, mistakes=wrong) >= levels
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return _plain(high)
