"""Floors of recall and precision: kept on validation rows, or promised for new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .checks import check_floor, check_open_unit, check_sequence, is_real, shown
from .probabilities import logit
from .rule import ALWAYS, NEVER
from .search import (
    EQUAL,
    Loss,
    Steps,
    allowed_misses,
    counted,
    fallback,
    prove,
    rounded_down,
)

GRID = logit(np.arange(19, 0, -1) / 20)  # thresholds .95 to .05, fixed before any rows are seen
GRID_AND_ALWAYS = np.append(GRID, ALWAYS)
WAYS_OF_FLOORS = ("min_recall", "min_precision", "floors")


def way_of_floors(min_recall: Any, min_precision: Any) -> dict[str, Any]:
    """Name the floors as one way to choose: "floors" where both are given.

    Examples
    --------
    >>> way_of_floors(0.9, None)
    {'min_recall': 0.9, 'min_precision': None}
    >>> way_of_floors(0.9, 0.5)
    {'min_recall': None, 'min_precision': None, 'floors': (0.9, 0.5)}
    """
    if min_recall is None or min_precision is None:
        return {"min_recall": min_recall, "min_precision": min_precision}
    return {"min_recall": None, "min_precision": None, "floors": (min_recall, min_precision)}


def check_level(way: str, confidence_level: float | None, used: Any) -> float | None:
    """Return the confidence of a promise as a float; refuse one that belongs to no floor.

    Examples
    --------
    >>> check_level("min_recall", 0.9, None)
    0.9
    """
    if confidence_level is None:
        if used is not None:
            raise ValueError("used goes with confidence_level")
        return None
    if way not in WAYS_OF_FLOORS:
        raise ValueError(f"confidence_level goes with min_recall or min_precision, not {way}")
    return check_open_unit("confidence_level", confidence_level)


def floor_losses(
    min_recall: float | None, min_precision: float | None, confidence_level: float | None
) -> list[Loss]:
    """Give what `Sides.steps` must keep the least of, for `floor_cut` to find its cut.

    Examples
    --------
    >>> len(floor_losses(0.9, 0.5, None))
    2
    """
    recall = 0.0 if min_recall is None else check_floor("min_recall", min_recall)
    if min_precision is None:
        level = confidence_level

        def missed(steps: Steps) -> Floats:
            enough = steps.misses <= allowed_misses(steps.positives, recall, level)
            return np.where(enough, -steps.misses, 1.0)

        return [missed]
    if confidence_level is not None:
        return [lambda steps: steps.hits]  # fixed cuts are proven: none of these is asked for
    precision = check_floor("min_precision", min_precision)

    def imprecise(steps: Steps) -> Floats:
        right = steps.precision >= precision - EQUAL
        return np.where(right, -steps.hits, 1 - steps.precision)

    def imprecise_where_enough(steps: Steps) -> Floats:
        enough = steps.misses <= allowed_misses(steps.positives, recall, None)
        return np.where(enough, 1 - steps.precision, 2.0)

    return [imprecise] if min_recall is None else [imprecise, imprecise_where_enough]


def floor_cut(
    steps: Steps | None,
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    min_recall: float | None,
    min_precision: float | None,
    confidence_level: float | None,
) -> float:
    """Find the cut that keeps, or promises, one floor or both; say what can be if none does.

    `BinaryThreshold.choose` says which cut it is, and why a promise holds.

    Parameters
    ----------
    steps : Steps or None
        Of these scores; a promise of a precision does without.
    scores : ndarray of float, shape (n,)
    positive : ndarray of bool, shape (n,)
    min_recall, min_precision : float in (0, 1], or None
        At least one.
    confidence_level : float in (0, 1), or None

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a floor lies out of bounds, or no cut keeps them.

    Examples
    --------
    >>> z, y = np.array([0.0, 1.0, 2.0]), np.array([True, False, True])
    >>> floor_cut(Steps.of(z, y, None), z, y, 0.5, 0.6, None)
    -inf
    """
    recall = None if min_recall is None else check_floor("min_recall", min_recall)
    precision = None if min_precision is None else check_floor("min_precision", min_precision)
    if precision is not None and confidence_level is not None:
        if recall is None:
            return _promised_precision(scores, positive, precision, confidence_level)
        return _promised(scores, positive, recall, precision, confidence_level)
    assert steps is not None, "only a promise of a precision does without"
    if precision is None:
        return steps.recall_floor(recall, confidence_level)  # type: ignore[arg-type]
    return steps.precision_floor(precision) if recall is None else _kept(steps, recall, precision)


def _promised_precision(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], floor: float, confidence_level: float
) -> float:
    """Take the lowest of 19 fixed thresholds whose precision is proven, or say what can be."""
    cut, lowest = prove(scores, ~positive, GRID, 1 - floor, confidence_level)
    if cut is None:
        raise ValueError(
            f"{len(scores)} messages cannot promise a precision of {floor} at the confidence level "
            f"{confidence_level:.6g}: the highest floor they can promise is "
            f"{rounded_down(1 - lowest)}"
        )
    return cut


# Both floors at once


def _kept(steps: Steps, recall: float, precision: float) -> float:
    """Take the cut of highest recall whose precision reaches its floor, if the recall does."""
    whole = steps.misses[-1]
    recalls = steps.hits[:-1] / whole
    precisions = steps.precision[:-1]
    enough, right = (
        steps.misses[:-1] <= (1 - recall + EQUAL) * whole,
        precisions >= precision - EQUAL,
    )
    if not np.any(enough & right):
        raise ValueError(
            f"no cut keeps a recall of {recall} together with a precision of {precision}: "
            "the most is "
            + _pairs(
                recall,
                precision,
                rounded_down(precisions[enough].max(initial=0.0)),
                rounded_down(recalls[right].max(initial=0.0)),
            )
        )
    place = int(np.argmax(right))  # the lowest cut of all: recall falls as cuts rise
    return steps._cut_between(place, place)


def _promised(
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    recall: float,
    precision: float,
    confidence_level: float,
) -> float:
    """Take the lowest fixed cut that is proven for both floors, or say which pair can be."""
    from scipy.special import bdtrc

    half = (1 + confidence_level) / 2
    taken, alarms = counted(scores, ~positive, GRID_AND_ALWAYS)
    n = int(np.count_nonzero(positive))
    misses = n - (taken - alarms)

    def proven(recall: float, precision: float) -> Floats:
        # were the recall just at its floor, more misses than these would come this surely
        enough = bdtrc(misses, n, 1 - recall) >= half
        enough[-1] = True  # always: there are no misses
        return GRID_AND_ALWAYS[enough & fallback(taken, alarms, 1 - precision, half)]

    cuts = proven(recall, precision)
    if len(cuts) == 0:
        raise ValueError(
            f"{len(scores)} messages, {n} of them positive, cannot promise a recall of {recall} "
            f"together with a precision of {precision} at the confidence level "
            f"{confidence_level:.6g}: the most they can promise is "
            + _pairs(
                recall,
                precision,
                _highest(lambda floor: len(proven(recall, floor)) > 0),
                _highest(lambda floor: len(proven(floor, precision)) > 0),
            )
        )
    return float(cuts[-1])


def _highest(holds: Callable[[float], bool]) -> str:
    """Find the highest floor of four decimals that holds, 0 for none; where one does, all below."""
    low, high = 0, 10_001
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle / 1e4) else (low, middle)
    return f"{low / 1e4:.4f}"


def _pairs(recall: float, precision: float, best_precision: str, best_recall: str) -> str:
    """Say which pairs of floors can be had: each floor as asked, with the best of the other."""
    first = f"a precision of {best_precision}" if float(best_precision) else "no precision"
    second = f"a recall of {best_recall}" if float(best_recall) else "no recall"
    return f"{first} with a recall of {recall}, or {second} with a precision of {precision}"


# Floors of many labels


def check_floors(name: str, values: Any, label_names: tuple[str, ...]) -> list[float | None]:
    """Return a floor for each label, None where a label has none, or say what is wrong.

    Examples
    --------
    >>> check_floors("min_recall", 0.9, ("home", "water"))
    [0.9, 0.9]
    >>> check_floors("min_recall", {"water": 0.9}, ("home", "water"))
    [None, 0.9]
    """
    n_labels = len(label_names)
    if values is None or is_real(values):
        each: tuple[Any, ...] = (values,) * n_labels
    elif isinstance(values, Mapping):
        if unknown := [one for one in values if one not in label_names]:
            raise ValueError(
                f"{name} names no label {shown(unknown[0])}; there are {', '.join(label_names)}"
            )
        each = tuple(values.get(one) for one in label_names)
    else:
        each = check_sequence(name, values)
    if len(each) != n_labels:
        raise ValueError(
            f"{name} must be one number or {n_labels} of them, one for each label, got {len(each)}"
        )
    return [None if one is None else check_floor(name, one) for one in each]


def label_cuts(
    columns: Iterable[tuple[int, NDArray, NDArray[np.bool_]]],
    recalls: list[float | None],
    precisions: list[float | None],
    confidence_level: float | None,
    label_names: tuple[str, ...],
) -> tuple[list[float], list[int]]:
    """Find the cut of each label that keeps, or promises, its floors, or name all that cannot.

    `LabelThresholds.choose` has the argument. A label without a floor gets the cut of its best F1.

    Parameters
    ----------
    columns : iterable of (int, ndarray of float, ndarray of bool)
        The place of each label, its scores and its truth, in their order.
    recalls, precisions : list of float or None, length n_labels
    confidence_level : float in (0, 1), or None
        Of all floors together.
    label_names : tuple of str, length n_labels

    Returns
    -------
    cuts : list of float, length n_labels
    suspects : list of int
        Labels whose 1s mostly have the lower scores.

    Raises
    ------
    ValueError
        If a label cannot keep its floors: each such label is named, with what it can keep.

    Examples
    --------
    >>> column = (0, np.array([0.0, 1.0, 2.0]), np.array([False, False, True]))
    >>> label_cuts([column], [0.9], [None], None, ("late",))
    ([1.5], [])
    """
    n_floors = sum(pair != (None, None) for pair in zip(recalls, precisions, strict=True))
    if n_floors == 0:
        raise ValueError("no label has a floor: give min_recall or min_precision for one at least")
    level = None if confidence_level is None else 1 - (1 - confidence_level) / n_floors
    cuts: list[float] = []
    suspects, cannot = [], {}
    for k, scores, positive in columns:
        recall, precision = recalls[k], precisions[k]
        n_positive = int(np.count_nonzero(positive))
        steps = Steps.of(scores, positive, None) if 0 < n_positive < len(positive) else None
        if steps is not None and steps.mostly_lost():
            suspects.append(k)
        cut = NEVER
        try:
            if recall is None and precision is None:
                cut = steps.best_f(1.0) if steps else ALWAYS if n_positive else NEVER
            elif n_positive == 0:
                raise ValueError("no row has it, so there is nothing to go by")
            elif steps is None and (precision is None or level is None):
                cut = ALWAYS  # every row has it
            else:
                cut = floor_cut(steps, scores, positive, recall, precision, level)
        except ValueError as error:
            cannot[label_names[k]] = str(error)
        cuts.append(cut)
    if cannot:
        shared = "" if level is None else f" (each of {n_floors} with a confidence of {level:.6g})"
        raise ValueError(
            f"{len(cannot)} of {len(cuts)} labels cannot keep their floors{shared}; "
            "give a floor to each label by its name, and none to those that shall have none. "
            + "; ".join(f"{name}: {reason}" for name, reason in list(cannot.items())[:20])
            + (f"; and {len(cannot) - 20} more" if len(cannot) > 20 else "")
        )
    return cuts, suspects
