"""Search every pair of cuts of a band, and prove what both of its sides promise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, check_both, check_weight
from .costs import Costs
from .probabilities import logit
from .rule import ALWAYS, NEVER
from .search import EQUAL, proven

GRID = logit(np.arange(1, 20) / 20)  # 19 fixed cuts, rising


class Pairs:
    """Every pair of cuts that the scores can tell apart, and what each cut costs on its side.

    Place k of m + 1 lies between the k-th and the next of m distinct scores: k scores are below.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
    positive : ndarray of bool, shape (n,)
    sample_weight : array_like of float, shape (n,), optional
    costs : Costs

    Raises
    ------
    ValueError
        If a class is missing, or the weights do not fit.

    Examples
    --------
    >>> z, y = np.array([-1.0, 0.0, 1.0]), np.array([False, True, True])
    >>> Pairs(z, y, None, Costs(false_positive=1, false_negative=1)).cheapest(0.1)
    (-0.5, -0.5)
    """

    def __init__(
        self,
        scores: NDArray[np.floating],
        positive: NDArray[np.bool_],
        sample_weight: ArrayLike | None,
        costs: Costs,
    ) -> None:
        kept, positive, weight = _both_classes(scores, positive, sample_weight)
        order = np.argsort(kept)
        z, positive = kept[order], positive[order]
        new = np.append(True, z[1:] != z[:-1])
        places = np.append(np.flatnonzero(new), len(z))
        self.edges = np.concatenate([[ALWAYS], z[places[:-1]], [NEVER]])
        if weight is None:
            self.below = places.astype(np.float64)  # messages, or their weight, below each place
            n_positive = np.append(0, np.cumsum(positive))[places].astype(np.float64)
        else:
            weight = weight[order]
            self.below = np.append(0.0, np.cumsum(weight))[places]
            n_positive = np.append(0.0, np.cumsum(weight * positive))[places]
        n_negative = self.below - n_positive
        if weight is not None:  # a difference of sums would be rounded
            n_negative = np.append(0.0, np.cumsum(weight * ~positive))[places]
        # pairs of a positive and a negative of which the negative is as high
        lost = np.diff(n_positive) @ (n_negative[-1] - n_negative[:-1])
        self.mostly_lost = bool(2 * lost > n_positive[-1] * n_negative[-1])
        # a cost of right answers counts as well; a power of two as unit: nothing is rounded
        largest = max(costs.false_positive, costs.false_negative)
        self.unit = float(np.ldexp(1.0, min(-np.frexp(largest)[1], 1000))) if largest else 1.0
        fp, fn, tp, tn = (
            getattr(costs, name) * self.unit
            for name in ("false_positive", "false_negative", "true_positive", "true_negative")
        )
        self.of_0 = fn * n_positive + tn * n_negative  # all below the place are answered 0
        self.of_1 = tp * (n_positive[-1] - n_positive) + fp * (n_negative[-1] - n_negative)

    def cheapest(self, price: float) -> tuple[float, float]:
        """Take the pair of least cost, a reading at this price."""
        price = min(price * self.unit, 2.0)  # above every mistake: what is dearer is never taken
        low = self.of_0 - price * self.below  # what is read lies below the high cut and not below
        high = self.of_1 + price * self.below  # the low one: the difference of two counts
        partner = np.minimum.accumulate(high[::-1])[::-1]  # of the high cuts that are not below it
        first = self._place(low + partner)
        return self._cut(first), self._cut(self._place(high, first))

    def within(self, share: float) -> tuple[float, float]:
        """Take the pair of least cost with no more than a share of the weight between its cuts."""
        capacity = (share + 1e-12) * self.below[-1]
        reach = np.searchsorted(self.below, self.below + capacity, side="right") - 1
        first = self._place(
            self.of_0 + self.of_1[reach]
        )  # answering 1 costs less from a higher cut
        return self._cut(first), self._cut(self._place(self.of_1, first, int(reach[first])))

    def _place(self, cost: Floats, start: int = 0, end: int | None = None) -> int:
        """Find a place in the middle of the widest plateau of least cost, from `start` to `end`."""
        part = cost[start : None if end is None else end + 1]
        best = np.flatnonzero(part <= part.min() + EQUAL * max(abs(part.min()), 1e-300)) + start
        breaks = np.flatnonzero(np.diff(best) > 1)
        begins, ends = np.append(best[0], best[breaks + 1]), np.append(best[breaks], best[-1])
        low, high = self.edges[begins], self.edges[ends + 1]
        widest = int(np.argmax(high / 2 - low / 2))
        a, b = float(low[widest]), float(high[widest])
        if a == ALWAYS or b == NEVER:
            return int(begins[widest] if a == ALWAYS else ends[widest])
        middle = a / 2 + b / 2
        place = int(np.searchsorted(self.edges, middle, side="left")) - 1
        return min(max(place, int(begins[widest])), int(ends[widest]))  # a middle may be rounded

    def _cut(self, place: int) -> float:
        low, high = float(self.edges[place]), float(self.edges[place + 1])
        if low == ALWAYS or high == NEVER:
            return low if low == ALWAYS else high
        middle = low / 2 + high / 2
        return middle if low < middle <= high else high


def promised_pair(
    scores: Floats,
    positive: NDArray[np.bool_],
    max_false_omission: float,
    max_false_discovery: float,
    confidence_level: float,
) -> tuple[float, float]:
    """Take the proven pair with the fewest messages between its cuts."""
    half = (1 + confidence_level) / 2
    sends = proven(scores, ~positive, GRID[::-1], max_false_discovery, half)[0][::-1]
    # a message is answered 0 below a cut, so the scale is turned round; a hair keeps the cut out
    waits = proven(-scores, positive, np.nextafter(-GRID, np.inf), max_false_omission, half)[0]
    if not sends.any() and not waits.any():
        raise ValueError(
            f"{len(scores)} messages cannot promise a false omission rate of {max_false_omission} "
            f"or a false discovery rate of {max_false_discovery} at the confidence level "
            f"{confidence_level}: ask for less, or choose on more messages"
        )
    lows = [ALWAYS, *GRID[waits].tolist()]
    highs = [*GRID[sends].tolist(), NEVER]
    z = np.sort(scores)
    found = [
        (int(np.searchsorted(z, high) - np.searchsorted(z, low)), low - high, low, high)
        for low in lows
        for high in highs
        if low <= high
    ]
    *_, low, high = min(found)
    return low, high


def _both_classes(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], sample_weight: ArrayLike | None
) -> tuple[NDArray[np.floating], NDArray[np.bool_], Floats | None]:
    """Leave out rows that weigh nothing, and refuse those of one class alone."""
    weight = None
    if sample_weight is not None:
        weight = check_weight(sample_weight, scores)
        used = weight > 0
        scores, positive, weight = scores[used], positive[used], weight[used]
    check_both(int(np.count_nonzero(positive)), len(positive))
    return scores, positive, weight
