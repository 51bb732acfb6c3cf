"""Cuts that keep a promise in the mean, by counting one row more than there are.

`PredictionSets` and `LabelThresholds` take theirs from here; lesson 02 explains the first.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .rule import ALWAYS, NEVER
from .search import EQUAL

FAR = 1618.0339887498948  # a thousand golden ratios: logits that were rounded are spread as well


def spare_rows(n: int, miss: float) -> int:
    """Count the rows of n + 1 that may be missed: ``floor(miss * (n + 1))``, to the unit.

    The number is read as it is written: .29 of 100 rows are 29, and not the 28 that binary
    fractions make of it.

    Parameters
    ----------
    n : int
    miss : float in (0, 1)

    Returns
    -------
    int

    Examples
    --------
    >>> spare_rows(99, 0.29), int(0.29 * 100), spare_rows(8, 0.1)
    (29, 28, 0)
    """
    return int(Fraction(str(float(miss))) * (n + 1))


def cut_for_coverage(support: Floats, coverage: float) -> float:
    """Find the cut that the support of a new row's true class reaches with a given probability.

    Parameters
    ----------
    support : ndarray of float, shape (n,)
        Of the true class, a row each.
    coverage : float in (0, 1)

    Returns
    -------
    float
        The r-th smallest, ``r = floor((1 - coverage) (n + 1))``; ``ALWAYS`` where r is 0.

    Notes
    -----
    Why it holds: let the n rows and the new one come in any order with the same probability, as
    independent rows of one source do. Then the new one's support is equally likely to be the
    first, second, ..., (n + 1)-th smallest of all, ties broken at random. It lies below the r-th
    smallest of the *others* only if it is among the r smallest of all: with probability at most
    ``r / (n + 1) <= 1 - coverage``, and exactly ``r / (n + 1)`` without ties.

    Examples
    --------
    >>> cut_for_coverage(np.arange(1, 20) / 20, 0.9)
    0.1
    >>> cut_for_coverage(np.arange(1, 9) / 20, 0.9)
    -inf
    """
    rank = spare_rows(len(support), float(1 - Fraction(str(float(coverage)))))
    return float(np.partition(support, rank - 1)[rank - 1]) if rank else ALWAYS


def cut_for_missed(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], max_missed: float
) -> float:
    """Find the highest common cut whose share of missed labels is controlled in expectation.

    Parameters
    ----------
    scores : ndarray of float, shape (n, n_labels)
    positive : ndarray of bool, shape (n, n_labels)
    max_missed : float in (0, 1)

    Returns
    -------
    float
        A score of `scores`, ``ALWAYS``, or ``NEVER`` where even that misses few enough.

    Notes
    -----
    The loss of a row is the share of its true labels whose score is below the cut; 0 for a row
    without any. It lies in [0, 1] and can only rise with the cut. Taken is the highest cut whose
    losses add up to at most ``max_missed (n + 1) - 1``: as if one more row had lost everything.

    Why it holds: let c be the highest cut whose losses over all n + 1 rows, the new one's with
    them, add up to at most ``max_missed (n + 1)``. It does not depend on their order, so the new
    row's expected loss at c is the mean of the n + 1: at most `max_missed`. The cut taken here is
    never above c, for a new row adds at most 1; and the loss at a lower cut is no greater.

    References
    ----------
    Angelopoulos, Bates, Fisch, Lei, Schuster (2022), Conformal risk control.

    Examples
    --------
    >>> scores = np.arange(10.0)[:, np.newaxis]
    >>> cut_for_missed(scores, scores >= 0, 0.3), cut_for_missed(scores, scores >= 0, 0.05)
    (2.0, -inf)
    """
    n = len(scores)
    budget = float(Fraction(str(float(max_missed))) * (n + 1) - 1)
    if budget < 0:
        return ALWAYS
    rows, labels = np.nonzero(positive)
    weight = 1 / np.bincount(rows, minlength=n)[rows]
    found = scores[rows, labels]
    order = np.argsort(found, kind="stable")
    total = np.cumsum(weight[order])
    beyond = np.flatnonzero(total > budget + EQUAL * n)
    # at this score the losses of what lies below it still fit, and those at it do not
    return float(found[order[beyond[0]]]) if len(beyond) else NEVER


def draws(z: Floats) -> Floats:
    """Make a number in [0, 1) of each row of logits, which stands for a draw of chance.

    It is what the distance from the highest to the lowest logit, times 1,618, has behind the point:
    the same for the same row, wherever and whenever it is decided, and spread like chance over rows
    that differ. No promise hangs on how well: see `PredictionSets`.

    Parameters
    ----------
    z : ndarray of float64, shape (n, n_classes)

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> draws(np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0001]])).round(2)
    array([0.03, 0.03, 0.2 ])
    """
    spread = np.minimum(z.max(axis=1), 1e6) - np.maximum(z.min(axis=1), -1e6)
    return np.mod(FAR * spread, 1.0)
