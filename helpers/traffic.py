"""What a rule costs on messages without labels, and how many of them are positive. Lesson 04.

Both rest on calibrated probabilities, and say nothing about whether they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from helpers.portable.arrays import Floats, as_floats
from helpers.portable.checks import check_count, check_open_unit, shown
from helpers.portable.costs import Costs, check_costs, check_price

Interval = tuple[float, float, float]


def estimate_base_rate(
    probabilities: ArrayLike, *, old: float, confidence_level: float = 0.95
) -> Interval:
    """Estimate the share of positive messages in traffic that nobody has labelled.

    Parameters
    ----------
    probabilities : array_like of float in [0, 1], shape (n,)
        P(1) of each message, calibrated where the share of 1s was `old`.
    old : float in (0, 1)
        That share, on the validation part as a rule.
    confidence_level : float in (0, 1), default 0.95

    Returns
    -------
    rate, low, high : float
        The likeliest share, and its profile likelihood interval. It covers which messages came,
        not errors of the probabilities.

    Raises
    ------
    ValueError
        If there are no rows, a probability lies outside [0, 1], or a share outside (0, 1).

    Notes
    -----
    It holds while P(text | label) stays the same and the probabilities are calibrated; where the
    texts of one label themselves change, it is wrong without a sign. A message has the likelihood
    ``p r / old + (1 - p) (1 - r) / (1 - old)`` at a share r. Its logarithm is concave in r, so the
    one root of the derivative is what the EM algorithm of the reference comes to.

    References
    ----------
    Saerens, Latinne, Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities: a simple procedure, Neural Computation 14.

    Examples
    --------
    >>> p = np.repeat([0.9, 0.1], [50, 50])  # calibrated where one in two was positive
    >>> rate, low, high = estimate_base_rate(p, old=0.5)
    >>> round(rate, 3), low < 0.5 < high
    (0.5, True)
    """
    p = _check_probabilities(probabilities)
    old = check_open_unit("old", old)
    level = check_open_unit("confidence_level", confidence_level)
    yes, no = p / old, (1 - p) / (1 - old)

    def slope(rate: float) -> float:
        with np.errstate(divide="ignore"):
            each = (yes - no) / (yes * rate + no * (1 - rate))
        return float(np.clip(each, -1e300, 1e300).mean())

    def height(rate: float) -> float:
        with np.errstate(divide="ignore"):
            return float(np.log(yes * rate + no * (1 - rate)).sum())

    if np.all(yes == no):  # nothing tells one share from another
        return old, 0.0, 1.0
    rate = _root(slope, 0.0, 1.0)
    edge = height(rate) - chi2.ppf(level, 1) / 2
    low = 0.0 if height(0.0) >= edge else float(brentq(lambda r: height(r) - edge, 0.0, rate))
    high = 1.0 if height(1.0) >= edge else float(brentq(lambda r: height(r) - edge, rate, 1.0))
    return rate, low, high


def _root(slope: Callable[[float], float], low: float, high: float) -> float:
    """Find where a falling function is zero; an end if it is nowhere."""
    if slope(low) <= 0:
        return low
    if slope(high) >= 0:
        return high
    return float(brentq(slope, low, high, xtol=1e-12))


def expected_figures(
    probabilities: ArrayLike,
    decisions: ArrayLike,
    costs: Costs,
    *,
    rng: np.random.Generator,
    review: float | None = None,
    n_draws: int = 1000,
    confidence_level: float = 0.95,
) -> dict[str, Interval]:
    """Say what yes/no decisions cost on messages without labels, if the probabilities are true.

    Parameters
    ----------
    probabilities : array_like of float in [0, 1], shape (n,)
        Calibrated P(1) of these messages; after a change of the base rate, corrected for it.
    decisions : array_like of int, shape (n,)
        0 or 1; 2 where a person reads, which needs `review`.
    costs : Costs
    rng : numpy.random.Generator
        For the intervals.
    review : float, optional
        What it costs that a person reads a message.
    n_draws : int, default 1000
    confidence_level : float in (0, 1), default 0.95

    Returns
    -------
    dict of str to (value, low, high)
        ``cost`` (a message), ``recall`` (of the messages that the rule answers), ``precision``,
        ``alarms`` (share of 1s among the decisions, which is known: its three numbers are equal).
        The value is the expected one; if all these messages were labelled, the figure would lie
        between low and high with the
        probability `confidence_level`. NaN where there is nothing to divide by.

    Raises
    ------
    ValueError
        If the shapes differ, a value lies outside its range, or 2 occurs without `review`.

    Notes
    -----
    Labels are drawn by their probabilities, one message independent of the other. Where the
    probabilities are wrong, as on texts of a new kind, so are these figures, without a sign:
    label a random sample now and then.

    Examples
    --------
    >>> prices = Costs(false_positive=1, false_negative=20)
    >>> rng = np.random.default_rng(0)
    >>> found = expected_figures([0.9, 0.1], [1, 0], prices, rng=rng)
    >>> [round(value, 2) for value, *_ in found.values()]
    [1.05, 0.9, 0.9, 0.5]
    """
    p = _check_probabilities(probabilities)
    said = as_floats("decisions", decisions)
    if said.shape != p.shape:
        raise ValueError(f"decisions must be {len(p)} numbers of 0, 1 or 2, got {said.shape}")
    if len(odd := said[~np.isin(said, (0, 1, 2))]):
        raise ValueError(f"decisions must be 0, 1 or 2, got {odd[0]:g}")
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {shown(rng)}")
    price = 0.0 if review is None else check_price("review", review)
    if review is None and (said == 2).any():
        raise ValueError("2 among the decisions is for a person to read: give its price, review=")
    costs, n_draws = check_costs(costs), check_count("n_draws", n_draws, least=1, most=10**6)
    level = check_open_unit("confidence_level", confidence_level)
    yes, no = said == 1, said == 0
    read = float((said == 2).sum()) * price

    def figures(hits: Any, misses: Any) -> NDArray[np.float64]:
        alarms, rests = yes.sum() - hits, no.sum() - misses
        paid = costs.true_positive * hits + costs.false_negative * misses + read
        paid = paid + costs.false_positive * alarms + costs.true_negative * rests
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack([paid / len(p), hits / (hits + misses), hits / yes.sum()])

    drawn = np.array([_draw(p[yes], p[no], rng) for _ in range(n_draws)])
    ends = [(1 - level) / 2, (1 + level) / 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a figure that is NaN throughout
        low, high = np.nanquantile(figures(*drawn.T), ends, axis=1)
    value = figures(p[yes].sum(), p[no].sum())
    found = {
        name: (float(value[k]), float(low[k]), float(high[k]))
        for k, name in enumerate(("cost", "recall", "precision"))
    }
    share = float(yes.mean())
    return {**found, "alarms": (share, share, share)}


def _draw(of_yes: Floats, of_no: Floats, rng: np.random.Generator) -> tuple[int, int]:
    """Draw a label for each message; count the 1s among both answers."""
    hits = int(np.count_nonzero(rng.random(len(of_yes)) < of_yes))
    return hits, int(np.count_nonzero(rng.random(len(of_no)) < of_no))


def _check_probabilities(probabilities: ArrayLike) -> Floats:
    p = as_floats("probabilities", probabilities)
    if p.ndim != 1 or len(p) == 0 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError(
            f"probabilities must be numbers in [0, 1], one a message, got shape {p.shape}"
        )
    return p
