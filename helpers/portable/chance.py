"""What chance alone would make, and whether logits contradict their labels beyond it.

Two labels that were swapped, or columns in another order, turn a good network upside down.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

PAIRS = "pairs of a 1 and a 0"
ANSWERS = "answers"
SURE = 4  # standard errors beyond chance from which it is no chance


def auroc(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> float:
    """Compute the share of pairs in which the positive is the higher one; a tie counts half.

    Parameters
    ----------
    positive : ndarray of float, shape (n,), rising
    negative : ndarray of float, shape (m,)

    Returns
    -------
    float

    Examples
    --------
    >>> auroc(np.array([1.0, 3.0]), np.array([1.0, 0.0]))
    0.875
    """
    won = 0.0  # a sum of halves: nothing is rounded
    for start in range(0, len(negative), 2**16):
        some = negative[start : start + 2**16]
        below = np.searchsorted(positive, some, side="left")
        ties = np.searchsorted(positive, some, side="right") - below
        won += float((len(positive) - below - ties / 2).sum())
    return won / len(negative) / len(positive)


def wrong_pairs(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float | None:
    """Compute the share of pairs of a 1 and a 0 in the wrong order, if chance cannot make it.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
    positive : ndarray of bool, shape (n,)

    Returns
    -------
    float or None
        None unless the area under the ROC curve lies below .5 by more than four standard errors
        (those of scores that know nothing).

    Examples
    --------
    >>> z, y = np.arange(40.0), np.arange(40) < 20
    >>> wrong_pairs(z, y), wrong_pairs(-z, y)
    (1.0, None)
    """
    one, zero = np.sort(scores[positive]), scores[~positive]
    n, m = len(one), len(zero)
    if n == 0 or m == 0:
        return None
    area = auroc(one, zero)
    return 1 - area if area < 0.5 - SURE * np.sqrt((n + m + 1) / (12 * n * m)) else None


def right_by_chance(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> tuple[float, float]:
    """Compute what share of answers is right when the same answers are dealt out at random.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,), n at least 2
        Class indices.

    Returns
    -------
    mean, error : float
        The mean over all orders of the answers, and the standard error.

    Examples
    --------
    >>> right_by_chance(np.array([0, 1]), np.array([1, 0]))
    (0.5, 0.5)
    """
    n, size = len(labels), int(max(labels.max(), predicted.max())) + 1
    true, said = (np.bincount(part, minlength=size) / n for part in (labels, predicted))
    mean = float(true @ said)
    spread = mean + mean**2 - float(said @ true**2 + true @ said**2)
    return mean, float(np.sqrt(max(spread, 0.0) / (n - 1)))


def wrong_answers(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> float | None:
    """Compute the share of answers that are wrong, if chance cannot make so many.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    float or None
        None unless the right ones are fewer, by more than four standard errors, than when the same
        answers are dealt out at random.

    Examples
    --------
    >>> y = np.arange(40) % 2
    >>> wrong_answers(y, 1 - y), wrong_answers(y, y)
    (1.0, None)
    """
    if len(labels) < 2:
        return None
    right = float((labels == predicted).mean())
    mean, error = right_by_chance(labels, predicted)
    half = 0.5 / len(labels)  # of one row: against rounding
    return 1 - right if right + half < mean - SURE * error else None


def warn_upside_down(wrong: float | None, what: str, *, stacklevel: int = 3) -> None:
    """Ask loudly whether labels are swapped, unless `wrong` is None.

    Parameters
    ----------
    wrong : float or None
        What `wrong_pairs` or `wrong_answers` found.
    what : str
        What is wrong in so many.
    stacklevel : int

    Examples
    --------
    >>> warn_upside_down(None, "answers")
    """
    if wrong is not None:
        warnings.warn(
            f"upside down: {wrong:.0%} of the {what} are wrong, more than chance would make: are "
            "two labels swapped, or the columns in another order?",
            stacklevel=stacklevel,
        )


def swapped_pair(
    labels: NDArray[np.int64], predicted: NDArray[np.int64]
) -> tuple[int, int, int, int] | None:
    """Find the two classes that are mostly answered with each other, if chance cannot make it.

    Such a pair hides where the other classes are answered well.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    tuple of int, or None
        The two classes, how many rows of either are answered with the other, and how many with one
        of the two. None unless both are answered with the other more often than with themselves,
        and together by more than four standard errors; of several pairs the commonest.

    Examples
    --------
    >>> y = np.arange(90) % 3
    >>> swapped_pair(y, np.array([1, 0, 2])[y]), swapped_pair(y, y)
    ((0, 1, 60, 60), None)
    """
    if len(labels) == 0:
        return None
    size = int(max(labels.max(), predicted.max())) + 1
    table = np.bincount(labels * size + predicted, minlength=size * size).reshape(size, size)
    right = np.diag(table)
    crossed = table + table.T
    both = crossed + right[:, None] + right
    swapped = (table > right[:, None]) & (right < table.T)
    swapped &= crossed - both / 2 > SURE * np.sqrt(both) / 2
    if not swapped.any():
        return None
    a, b = divmod(int(np.where(swapped, crossed, -1).argmax()), size)
    return a, b, int(crossed[a, b]), int(both[a, b])


def warn_swapped(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    names: tuple[str, ...] | None = None,
    *,
    stacklevel: int = 3,
) -> None:
    """Ask loudly whether two of many labels are swapped, if `swapped_pair` finds them.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,)
        Class indices.
    names : tuple of str, optional
        Of the classes; without them they are numbered from 0.
    stacklevel : int

    Examples
    --------
    >>> warn_swapped(np.array([0, 1]), np.array([0, 1]))
    """
    if (pair := swapped_pair(labels, predicted)) is not None:
        first, second = (names[k] if names else f"class {k}" for k in pair[:2])
        warnings.warn(
            f"{pair[2]} of {pair[3]} wrong between {first} and {second}, more than chance would "
            "make: are these two labels swapped?",
            stacklevel=stacklevel,
        )


SILENT = "the logits say no more about the labels than chance"


def why_pairs_fail(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> str:
    """Say why no temperature makes good probabilities of yes/no logits.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
    positive : ndarray of bool, shape (n,)

    Returns
    -------
    str

    Examples
    --------
    >>> why_pairs_fail(np.array([2.0, 1.0]), np.array([False, True]))
    '100% of the pairs of a 1 and a 0 are wrong: are the two labels swapped?'
    >>> why_pairs_fail(np.array([8.0, 9.0]), np.array([False, True]))
    'they tell 1 from 0, but all lie too high or too low: they need a bias, too'
    """
    if positive.all() or not positive.any():
        return SILENT
    wrong = 1 - auroc(np.sort(scores[positive]), scores[~positive])
    if wrong > 2 / 3:
        return f"{wrong:.0%} of the {PAIRS} are wrong: are the two labels swapped?"
    if wrong < 1 / 3:
        return "they tell 1 from 0, but all lie too high or too low: they need a bias, too"
    return SILENT


def why_answers_fail(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> str:
    """Say why no temperature makes good probabilities of the logits of classes.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    str

    Examples
    --------
    >>> why_answers_fail(np.array([0, 1, 2]), np.array([1, 2, 0]))
    '3 of 3 answers are wrong: are labels swapped, or the columns in another order?'
    """
    right = int((labels == predicted).sum())
    if len(labels) < 2 or right / len(labels) >= right_by_chance(labels, predicted)[0] / 2:
        return SILENT
    return (
        f"{len(labels) - right} of {len(labels)} answers are wrong: are labels swapped, or the "
        "columns in another order?"
    )
