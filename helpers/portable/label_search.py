"""Search the cuts of many labels: one for all, one for each, or all together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .arrays import divided
from .conformal import cut_for_missed
from .costs import Costs
from .rule import ALWAYS, NEVER
from .search import Steps


def _scaled(scores: NDArray, scale: float) -> NDArray[np.floating]:
    """Divide by the temperature in float64; float32 that need not be divided sorts faster as is."""
    return scores if scale == 1 and scores.dtype == np.float32 else divided(scores, scale)


def columns_of(
    scores: NDArray, positive: NDArray[np.bool_], scale: float
) -> Iterator[tuple[int, NDArray[np.floating], NDArray[np.bool_]]]:
    """Give each label's place, scores over the temperature, and truth.

    Block by block: a table is slow to read downwards.

    Parameters
    ----------
    scores : ndarray of float, shape (n, n_labels)
    positive : ndarray of bool, shape (n, n_labels)
    scale : float
        The temperature.

    Yields
    ------
    place : int
    column : ndarray of float, shape (n,)
    truth : ndarray of bool, shape (n,)

    Examples
    --------
    >>> z, y = np.array([[2.0, 4.0]]), np.array([[True, False]])
    >>> [(k, column.tolist(), truth.tolist()) for k, column, truth in columns_of(z, y, 2.0)]
    [(0, [1.0], [True]), (1, [2.0], [False])]
    """
    n, n_labels = scores.shape
    width = max(1, 2_000_000 // n)
    for start in range(0, n_labels, width):
        block = slice(start, start + width)
        columns = _scaled(np.ascontiguousarray(scores[:, block].T), scale)
        truths = np.ascontiguousarray(positive[:, block].T)
        yield from zip(range(start, n_labels), columns, truths, strict=False)


def _shared_cut(
    scores: NDArray,
    positive: NDArray[np.bool_],
    scale: float,
    prices: list[Costs] | None,
    max_missed: float | None,
) -> float:
    """Find the best single cut: by micro-F1, the total of each label's costs, or a promise."""
    if max_missed is not None:
        return cut_for_missed(_scaled(scores, scale), positive, max_missed)
    if positive.all() or not positive.any():
        return ALWAYS if positive.all() else NEVER
    pooled = _scaled(scores.ravel(), scale)
    weight = None
    if prices is not None:
        alarm = [one.false_positive - one.true_negative for one in prices]
        miss = [one.false_negative - one.true_positive for one in prices]
        weight = np.where(positive, miss, alarm).ravel()
    steps = Steps.of(pooled, positive.ravel(), weight)
    if prices is None:
        return steps.best_f(1.0)
    return steps.cheapest(Costs(false_positive=1, false_negative=1))


def _seems_upside_down(column: NDArray, truth: NDArray[np.bool_]) -> bool:
    """Tell whether the logits of 1s are lower in the mean: quicker than to sort them."""
    if truth.all() or not truth.any():
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(column[truth].mean(dtype=float) < column[~truth].mean(dtype=float))


def _joint_f1(hulls: dict[int, Steps], n_positive: int, hits: int, alarms: int) -> dict[int, float]:
    """Find the cuts of highest micro-F1, given the hits and alarms of labels that are fixed."""
    top, bottom = 0, 1  # the best F1 so far as a fraction: whole numbers, so ties are exact
    while True:
        losses = {k: top * one.alarms - (2 * bottom - top) * one.hits for k, one in hulls.items()}
        places = {k: int(np.argmin(loss)) for k, loss in losses.items()}
        found = hits + int(sum(hulls[k].hits[i] for k, i in places.items()))
        wrong = alarms + int(sum(hulls[k].alarms[i] for k, i in places.items()))
        if 2 * found * bottom <= top * (found + wrong + n_positive):
            return {k: one._middle(losses[k]) for k, one in hulls.items()}
        top, bottom = 2 * found, found + wrong + n_positive


def best_cuts(
    scores: NDArray,
    positive: NDArray[np.bool_],
    scale: float,
    way: str,
    prices: list[Costs] | None,
    falls_back: NDArray[np.bool_],
    max_missed: float | None = None,
) -> tuple[list[float], list[int]]:
    """Find the best cut of each label, and the labels whose 1s mostly have the lower logits.

    `LabelThresholds.choose` says how.

    Parameters
    ----------
    scores : ndarray of float, shape (n, n_labels)
    positive : ndarray of bool, shape (n, n_labels)
    scale : float
        The temperature.
    way : "micro_f1", "macro_f1", "costs" or "max_missed"
    prices : list of Costs, length n_labels, or None
        With "costs".
    falls_back : ndarray of bool, shape (n_labels,)
        Which labels get the shared cut.
    max_missed : float in (0, 1), optional
        With "max_missed".

    Returns
    -------
    cuts : list of float, length n_labels
    suspects : list of int

    Examples
    --------
    >>> z, y = np.array([[1.0], [2.0]]), np.array([[False], [True]])
    >>> best_cuts(z, y, 1.0, "macro_f1", None, np.array([False]))
    ([1.5], [])
    """
    n, n_labels = scores.shape
    cuts: list[float] = [NEVER] * n_labels
    if falls_back.any():
        common = _shared_cut(scores, positive, scale, prices, max_missed)
        cuts = [common if back else cut for back, cut in zip(falls_back, cuts, strict=True)]
    hulls: dict[int, Steps] = {}
    suspects: list[int] = [
        k
        for k in np.flatnonzero(falls_back).tolist()
        if _seems_upside_down(scores[:, k], positive[:, k])
    ]
    for k, column, truth in columns_of(scores, positive, scale):
        n_positive = np.count_nonzero(truth)
        if falls_back[k] or n_positive == 0:
            continue
        if n_positive == n:
            cuts[k] = ALWAYS
            continue
        steps = Steps.of(column, truth, None)
        if steps.mostly_lost():
            suspects.append(k)
        if way == "micro_f1":
            hulls[k] = steps.hull()
        else:
            cuts[k] = steps.cheapest(prices[k]) if prices else steps.best_f(1.0)
    if hulls:
        at = np.array(cuts) * scale
        fixed = [k for k in range(n_labels) if k not in hulls]
        said = scores[:, fixed] >= at[fixed]
        hits = int(np.count_nonzero(said & positive[:, fixed]))
        alarms = int(np.count_nonzero(said)) - hits
        cuts_of = _joint_f1(hulls, int(np.count_nonzero(positive)), hits, alarms)
        cuts = [cuts_of.get(k, cut) for k, cut in enumerate(cuts)]
    return cuts, suspects
