"""Search every cut that the data can tell apart, and prove what n rows can promise."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import frexp, ldexp
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, check_both, check_weight
from .checks import check_floor, is_real, shown
from .costs import Costs
from .rule import ALWAYS, NEVER

EQUAL = 1e-12  # two totals closer than this, relative to their size, count as equal
TINY = 5e-324  # the smallest number above 0
BLOCK = 2**16  # positives whose cuts are looked at together
COLUMNS = ("upper", "lower", "hits", "misses", "alarms")


def rounded_down(value: float) -> str:
    """Write a figure with four decimals, never more than it is.

    Examples
    --------
    >>> rounded_down(0.86899)
    '0.8689'
    """
    return f"{np.floor(value * 1e4) / 1e4:.4f}"


@dataclass(frozen=True, eq=False)
class Sides:
    """Scores of the positives and of the negatives, each rising, with totals of their weights.

    Sorting them apart is many times cheaper than an argsort of all.

    Attributes
    ----------
    ones, zeros : ndarray of float32 or float64, shape (n,) and (m,)
    below, above : ndarray, shape (n + 1,), or None
        Weight of the ones below, and from, each place; None where each row counts once.
    over : ndarray, shape (m + 1,), or None
        Weight of the zeros from each place.
    """

    ones: NDArray[np.floating]
    zeros: NDArray[np.floating]
    below: Floats | None = None
    above: Floats | None = None
    over: Floats | None = None

    def __post_init__(self) -> None:
        check_both(len(self.ones), len(self.ones) + len(self.zeros))

    @classmethod
    def of(
        cls,
        scores: NDArray[np.floating],
        positive: NDArray[np.bool_],
        sample_weight: ArrayLike | None,
    ) -> Sides:
        """Sort the scores; `sample_weight` has their shape, or is None."""
        if sample_weight is None:
            return cls.in_place(scores[positive], scores[~positive])
        weight = check_weight(sample_weight, scores)
        sides: list[NDArray[np.floating]] = []
        weights: list[Floats] = []
        for chosen in (positive & (weight > 0), ~positive & (weight > 0)):
            order = np.argsort(scores[chosen])
            sides.append(scores[chosen][order])
            weights.append(weight[chosen][order])
        below = np.append(0.0, np.cumsum(weights[0]))
        above, over = (np.append(np.cumsum(one[::-1])[::-1], 0.0) for one in weights)
        return cls(sides[0], sides[1], below, above, over)

    @classmethod
    def in_place(cls, ones: NDArray[np.floating], zeros: NDArray[np.floating]) -> Sides:
        """Sort both arrays where they are."""
        ones.sort()
        zeros.sort()
        return cls(ones, zeros)

    def blocks(self, size: int) -> Iterator[Steps]:
        """Give what the cuts do, for some `size` positives after another."""
        n, m = len(self.ones), len(self.zeros)
        positives = float(n if self.above is None else self.above[0])
        negatives = float(m if self.over is None else self.over[0])
        start = 0
        while start < n:
            stop = min(start + size, n)
            stop = int(np.searchsorted(self.ones, self.ones[stop - 1], side="right"))
            part = self.ones[start:stop]
            first = np.flatnonzero(np.concatenate([[True], part[1:] != part[:-1]]))
            upper = part[first]
            under = np.searchsorted(self.zeros, upper, side="left")  # zeros under each candidate
            lower = np.full(len(first) + 1, self.ones[start - 1] if start else ALWAYS, np.float64)
            lower[1:] = part[np.append(first[1:], len(part)) - 1]
            lower[:-1] = np.maximum(lower[:-1], np.where(under > 0, self.zeros[under - 1], -np.inf))
            lower[-1] = max(lower[-1], self.zeros[-1])
            place, under = np.append(start + first, stop), np.append(under, m)
            misses = place.astype(np.float64) if self.below is None else self.below[place]
            hits = n - misses if self.above is None else self.above[place]
            alarms = m - under.astype(np.float64) if self.over is None else self.over[under]
            block = Steps(
                upper=np.append(upper, np.inf).astype(np.float64),
                lower=lower,
                hits=hits,
                misses=misses,
                alarms=alarms,
                positives=positives,
                negatives=negatives,
                lost=float((hits[:-1] - hits[1:]) @ alarms[:-1]),
            )
            yield block if stop == n else block._at(slice(0, -1))
            start = stop

    def steps(self, *losses: Loss) -> Steps:
        """Give what each cut does; with losses, of those alone that may have the least of one.

        These are few, so memory holds little but the scores.
        """
        if not losses:
            return next(self.blocks(len(self.ones)))
        kept: list[Steps] = []
        least, lost = [np.inf] * len(losses), 0.0
        for block in self.blocks(BLOCK):
            low = block.upper == NEVER  # it stays: floors count all misses
            for k, loss in enumerate(losses):
                values = loss(block)
                least[k] = min(least[k], float(values.min()))
                low |= values <= least[k] + EQUAL * abs(least[k])
            kept.append(block._at(low))
            lost += block.lost
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(one, name) for one in kept]) for name in COLUMNS
        }
        return replace(kept[0], **columns, lost=lost)


@dataclass(frozen=True)
class Steps:
    """What each cut does: one candidate for each distinct positive score, and "never" last.

    A cut pays only where it takes in one more positive: between two positives, the highest cut
    is best for every criterion here, since each negative taken in makes things worse.

    Attributes
    ----------
    upper : ndarray, shape (k + 1,)
        Smallest score that is predicted 1; ``inf`` for "never".
    lower : ndarray, shape (k + 1,)
        Largest score that is predicted 0; ``-inf`` where there is none.
    hits, misses, alarms : ndarray, shape (k + 1,)
        Weight of true positives, false negatives and false positives.
    positives, negatives : float
        Weight of all positives, and of all negatives.
    lost : float
        Weight of the pairs of a positive and a negative that is as high.
    """

    upper: Floats
    lower: Floats
    hits: Floats
    misses: Floats
    alarms: Floats
    positives: float
    negatives: float
    lost: float

    @classmethod
    def of(
        cls,
        scores: NDArray[np.floating],
        positive: NDArray[np.bool_],
        sample_weight: ArrayLike | None,
    ) -> Steps:
        """Sort the scores; `sample_weight` has their shape, or is None."""
        return Sides.of(scores, positive, sample_weight).steps()

    def _at(self, kept: Any) -> Steps:
        return replace(self, **{name: getattr(self, name)[kept] for name in COLUMNS})

    def _cut_between(self, first: int, last: int) -> float:
        low, high = float(self.lower[first]), float(self.upper[last])
        if low == ALWAYS or high == NEVER:
            return low if low == ALWAYS else high
        middle = low / 2 + high / 2
        return float(middle if low < middle <= high else high)

    def _middle(self, loss: Floats) -> float:
        """Take the middle of the widest plateau of least loss."""
        least = loss.min()
        best = np.flatnonzero(loss <= least + EQUAL * abs(least))
        starts = np.flatnonzero(
            np.concatenate([[True], self.lower[best[1:]] != self.upper[best[:-1]]])
        )
        ends = np.append(starts[1:], len(best)) - 1
        widths = self.upper[best[ends]] / 2 - self.lower[best[starts]] / 2  # halves: no overflow
        widest = int(np.argmax(widths))
        return self._cut_between(int(best[starts[widest]]), int(best[ends[widest]]))

    def cheapest(self, costs: Costs) -> float:
        """Take the cut of least total cost."""
        free = costs.false_positive == costs.true_negative
        return ALWAYS if free else self._middle(cost_loss(costs)(self))

    def best_f(self, beta: float) -> float:
        """Take the cut of highest F-beta."""
        return self._middle(f_loss(beta)(self))

    def recall_floor(self, floor: float, confidence_level: float | None) -> float:
        """Take the highest cut whose recall reaches the floor."""
        floor = check_floor("min_recall", floor)
        n = self.positives
        allowed = allowed_misses(n, floor, confidence_level)
        if allowed < 0 and floor < 1:
            best = (1 - confidence_level) ** (1 / n)  # type: ignore[operator]
            raise ValueError(
                f"{n:.0f} positives cannot promise a recall of {floor} at the confidence level "
                f"{confidence_level:.6g}: the highest floor they can promise is "
                f"{rounded_down(best)}"
            )
        meets = np.flatnonzero(self.misses <= allowed)
        return self._cut_between(int(meets[-1]), int(meets[-1])) if len(meets) else ALWAYS

    def precision_floor(self, floor: float) -> float:
        """Take the cut of highest recall whose precision reaches the floor."""
        floor = check_floor("min_precision", floor)
        precision = self.precision[:-1]
        meets = np.flatnonzero(precision >= floor - EQUAL)
        if len(meets) == 0:
            best = rounded_down(precision.max())
            raise ValueError(f"no cut reaches a precision of {floor}: the highest is {best}")
        return self._cut_between(int(meets[0]), int(meets[0]))

    @property
    def precision(self) -> Floats:
        """Share of true positives among what is predicted 1; 0 for "never"."""
        return self.hits / np.maximum(self.hits + self.alarms, TINY)

    def mostly_lost(self) -> bool:
        """Tell whether most pairs of a positive and a negative have the negative as high."""
        return 2 * self.lost > self.positives * self.negatives

    def hull(self) -> Steps:
        """Drop most cuts that are best for no weighting of hits and alarms; ties stay."""
        kept = np.arange(len(self.hits))
        while len(kept) > 200:
            down, left = np.diff(self.hits[kept]), np.diff(self.alarms[kept])
            under = left[:-1] * down[1:] < down[:-1] * left[1:]  # below the line of its neighbours
            kept = kept[np.concatenate([[True], ~under, [True]])]
            if 50 * np.count_nonzero(under) < len(kept):
                break
        return self._at(kept)


def allowed_misses(n: float, floor: float, confidence_level: float | None) -> float:
    """Say how many of `n` positives a cut may miss to keep, or promise, a recall; -1 for none.

    Examples
    --------
    >>> round(allowed_misses(100, 0.9, None), 6), allowed_misses(100, 0.9, 0.95)
    (10.0, 4)
    """
    if confidence_level is None:
        return (1 - floor) * n + EQUAL * n
    from scipy.stats import binom

    # k: the largest with P(Binomial(n, 1 - floor) >= k) >= confidence_level
    return (
        bisect_right(range(int(n)), -confidence_level, key=lambda k: -binom.sf(k, n, 1 - floor)) - 1
    )


Loss = Callable[[Steps], Floats]


def cost_loss(costs: Costs) -> Loss:
    """Total the costs of each cut, in a unit in which no sum overflows."""
    wrong = costs.false_positive - costs.true_negative, costs.false_negative - costs.true_positive
    unit = -frexp(max(wrong))[1]  # a power of two: nothing is rounded
    alarm, miss = (ldexp(one, unit) for one in wrong)
    return lambda steps: alarm * steps.alarms + miss * steps.misses


def check_beta(name: str, value: float) -> float:
    """Return the beta of an F-beta as a float, or refuse it.

    Examples
    --------
    >>> check_beta("f_beta", 2)
    2.0
    """
    if not is_real(value) or not 1e-6 <= float(value) <= 1e6:
        raise ValueError(f"{name} must be a number between 1e-6 and 1e6, got {shown(value)}")
    return float(value)


def f_loss(beta: float) -> Loss:
    """Take the F-beta of each cut, with a minus."""
    b2 = check_beta("f_beta", beta) ** 2

    def loss(steps: Steps) -> Floats:
        found = (1 + b2) * steps.hits
        return -found / np.maximum(found + b2 * steps.misses + steps.alarms, TINY)

    return loss


# Promises


def counted(
    scores: NDArray[np.floating], wrong: NDArray[np.bool_], cuts: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the rows that each cut takes, and the mistakes among them, without a sort of the rows.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        A row is taken where its score reaches the cut.
    wrong : ndarray of bool, shape (n,)
        Whether taking the row is a mistake.
    cuts : ndarray of float, shape (m,)
        Falling.

    Returns
    -------
    taken, mistakes : ndarray of int64, shape (m,)

    Examples
    --------
    >>> counted(np.array([1.0, 2.0]), np.array([True, False]), np.array([2.0, 0.0]))
    (array([1, 2]), array([0, 1]))
    """
    rising, size = cuts[::-1], len(cuts) + 1
    found = np.zeros((2, size), dtype=np.int64)
    for start in range(0, len(scores), BLOCK):
        rows = slice(start, start + BLOCK)
        reached = np.searchsorted(rising, scores[rows], side="right")  # how many cuts a row reaches
        found[0] += np.bincount(reached, minlength=size)
        found[1] += np.bincount(reached[wrong[rows]], minlength=size)
    taken, mistakes = np.cumsum(found[:, :0:-1], axis=1)
    return taken, mistakes


def fallback(
    taken: NDArray[np.int64],
    mistakes: NDArray[np.int64],
    max_risk: float,
    confidence_level: float,
) -> NDArray[np.bool_]:
    """Tell which cuts are proven, all at once, by the fallback procedure.

    Parameters
    ----------
    taken, mistakes : ndarray of int64, shape (m,)
        As `counted` gives them, for cuts fixed before the rows were seen.
    max_risk : float in [0, 1]
        Share of mistakes among the rows that are taken.
    confidence_level : float in (0, 1)

    Returns
    -------
    ndarray of bool, shape (m,)

    Examples
    --------
    >>> fallback(np.array([100]), np.array([0]), 0.1, 0.95)
    array([ True])
    """
    from scipy.special import bdtr

    # the chance of so few mistakes if the risk were just max_risk: small is proof of less
    p_values = bdtr(mistakes, taken, max_risk)
    share = (1 - confidence_level) / len(taken)
    level, found = 0.0, np.zeros(len(taken), dtype=bool)
    for place, p in enumerate(p_values):
        level += share
        found[place] = p <= level
        level = level if found[place] else 0.0
    return found


def proven(
    scores: NDArray[np.floating],
    wrong: NDArray[np.bool_],
    cuts: Floats,
    max_risk: float,
    confidence_level: float,
) -> tuple[NDArray[np.bool_], float]:
    """Find the cuts whose risk is proven, all at once, by the fallback procedure.

    `RejectOption.choose` has the argument for its validity.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        A row is taken where its score reaches the cut.
    wrong : ndarray of bool, shape (n,)
        Whether taking the row is a mistake.
    cuts : ndarray of float, shape (m,)
        Falling, fixed before these rows were seen.
    max_risk : float in (0, 1)
        Share of mistakes among the rows that are taken.
    confidence_level : float in (0, 1)

    Returns
    -------
    proven : ndarray of bool, shape (m,)
    lowest : float
        The lowest risk that some cut would have been proven for by itself.

    Examples
    --------
    >>> found, lowest = proven(np.ones(100), np.zeros(100, bool), np.array([0.5]), 0.1, 0.95)
    >>> found.tolist(), round(lowest, 4)
    ([True], 0.0295)
    """
    from scipy.stats import beta

    taken, mistakes = counted(scores, wrong, cuts)
    found = fallback(taken, mistakes, max_risk, confidence_level)
    share = (1 - confidence_level) / len(cuts)
    bounds = beta.ppf(1 - share, mistakes + 1, np.maximum(taken - mistakes, 1))
    return found, float(np.where(mistakes < taken, bounds, 1.0).min())


def prove(
    scores: NDArray[np.floating],
    wrong: NDArray[np.bool_],
    cuts: Floats,
    max_risk: float,
    confidence_level: float,
) -> tuple[float | None, float]:
    """Take the lowest cut that is `proven`, None if there is none; and the lowest risk.

    Examples
    --------
    >>> right = np.zeros(100, bool)
    >>> cut, lowest = prove(np.ones(100), right, np.array([0.5]), 0.1, 0.95)
    >>> cut, round(lowest, 4)
    (0.5, 0.0295)
    """
    found, lowest = proven(scores, wrong, cuts, max_risk, confidence_level)
    return (float(cuts[found][-1]) if found.any() else None), lowest


def check_unused(
    z: NDArray[np.floating], used: NDArray[np.floating] | None, temperature: float | None = None
) -> None:
    """Refuse rows that something was chosen on before: a promise would not hold on them.

    Parameters
    ----------
    z : ndarray of float, shape (n,) or (n, n_classes)
        Logits of the rows that shall give a promise.
    used : ndarray of float, shape (m,) or (m, n_classes), or None
        Logits of the rows that chose the temperature, the best epoch, or anything else.
    temperature : float, optional
        Where the promise depends on it: `used` is asked for unless it is 1.

    Raises
    ------
    ValueError
        If `used` is asked for and missing, the widths differ, or a row of `z` is among `used`.

    Examples
    --------
    >>> check_unused(np.array([1.0, 2.0]), np.array([3.0]), temperature=2.0)
    """
    if used is None:
        if temperature not in (None, 1):
            raise ValueError(
                "a temperature was chosen on some rows: pass their logits as used=, and other rows "
                "here; the promise does not hold on rows that chose anything"
            )
        return
    if used.shape[1:] != z.shape[1:]:
        raise ValueError(f"used must have rows like those of logits, {z.shape}, got {used.shape}")
    with np.errstate(over="ignore"):  # adding 0 makes -0 a plain 0
        before, here = (part.astype(np.float32) + np.float32(0) for part in (used, z))
    seen = {row.tobytes() for row in before}
    again = sum(row.tobytes() in seen for row in here)
    if again:
        raise ValueError(
            f"{again} of {len(z)} rows have been used to choose something: the promise would not "
            "hold. Choose on rows of their own"
        )
