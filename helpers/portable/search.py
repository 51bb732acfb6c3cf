"""Search every cut that the data can tell apart, and prove what n rows can promise."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import frexp, ldexp

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, as_floats
from .checks import check_floor, is_real, shown
from .costs import Costs
from .rule import ALWAYS, NEVER

EQUAL = 1e-12  # two totals closer than this, relative to their size, count as equal
TINY = 5e-324  # the smallest number above 0


def rounded_down(value: float) -> str:
    """Write a figure with four decimals, never more than it is.

    Examples
    --------
    >>> rounded_down(0.86899)
    '0.8689'
    """
    return f"{np.floor(value * 1e4) / 1e4:.4f}"


def _sorted_with_totals(
    scores: NDArray[np.floating], chosen: NDArray[np.bool_], weight: Floats | None
) -> tuple[NDArray[np.floating], Floats, Floats]:
    """Sort the chosen scores; total the weight below, and from, each place (n + 1 places)."""
    picked = scores[chosen]
    if weight is None:
        picked = np.sort(picked)
        below = np.arange(len(picked) + 1, dtype=np.float64)
        return picked, below, below[::-1]
    order = np.argsort(picked)
    weight = weight[chosen][order]
    below = np.concatenate([[0.0], np.cumsum(weight)])
    return picked[order], below, np.concatenate([np.cumsum(weight[::-1])[::-1], [0.0]])


def check_weight(sample_weight: ArrayLike, scores: NDArray[np.floating]) -> Floats:
    """Return weights of rows in a unit in which no sum of them overflows, or say what is wrong.

    Examples
    --------
    >>> check_weight([1e308, 1e308], np.zeros(2)).round(3)
    array([0.556, 0.556])
    """
    weight = as_floats("sample_weight", sample_weight)
    if weight.shape != scores.shape:
        raise ValueError(f"sample_weight must have shape {scores.shape}, got {weight.shape}")
    if not np.all(np.isfinite(weight) & (weight >= 0)):
        raise ValueError("sample_weight must be finite and at least 0")
    return np.ldexp(weight, -np.frexp(weight.max(initial=0.0))[1])


def both_classes(
    scores: NDArray[np.floating], positive: NDArray[np.bool_], sample_weight: ArrayLike | None
) -> tuple[NDArray[np.floating], NDArray[np.bool_], Floats | None]:
    """Leave out rows that weigh nothing, and refuse those of one class alone.

    Examples
    --------
    >>> z, y = np.array([1.0, 2.0, 3.0]), np.array([True, False, True])
    >>> both_classes(z, y, [1, 1, 0])
    (array([1., 2.]), array([ True, False]), array([0.5, 0.5]))
    """
    weight = None
    if sample_weight is not None:
        weight = check_weight(sample_weight, scores)
        used = weight > 0
        scores, positive, weight = scores[used], positive[used], weight[used]
    n_positive = int(np.count_nonzero(positive))
    if n_positive in (0, len(positive)):
        raise ValueError(
            "choosing needs at least one message of each class, got "
            f"{n_positive} positives among {len(positive)}"
        )
    return scores, positive, weight


@dataclass(frozen=True)
class Steps:
    """What each cut does: one candidate for each distinct positive score, and "never" last.

    A cut pays only where it takes in one more positive: between two positives, the highest cut
    is best for every criterion here, since each negative taken in makes things worse. So positives
    and negatives are sorted apart, which is many times cheaper than an argsort of all.

    Attributes
    ----------
    upper : ndarray, shape (m + 1,)
        Smallest score that is predicted 1; ``inf`` for "never".
    lower : ndarray, shape (m + 1,)
        Largest score that is predicted 0; ``-inf`` where there is none.
    hits, misses, alarms : ndarray, shape (m + 1,)
        Weight of true positives, false negatives and false positives.
    negatives : float
        Weight of all negatives.
    """

    upper: Floats
    lower: Floats
    hits: Floats
    misses: Floats
    alarms: Floats
    negatives: float

    @classmethod
    def of(
        cls,
        scores: NDArray[np.floating],
        positive: NDArray[np.bool_],
        sample_weight: ArrayLike | None,
    ) -> Steps:
        """Sort the scores; `sample_weight` has their shape, or is None."""
        scores, positive, weight = both_classes(scores, positive, sample_weight)
        pos, pos_below, pos_from = _sorted_with_totals(scores, positive, weight)
        neg, _, neg_from = _sorted_with_totals(scores, ~positive, weight)

        first = np.flatnonzero(np.concatenate([[True], pos[1:] != pos[:-1]]))
        upper = pos[first]
        below = np.searchsorted(neg, upper, side="left")  # negatives under each candidate
        end = [len(pos)]
        lower = np.full(len(first) + 1, -np.inf)
        lower[1:] = pos[np.concatenate([first[1:], end]) - 1]
        lower[:-1] = np.maximum(lower[:-1], np.where(below > 0, neg[below - 1], -np.inf))
        lower[-1] = max(lower[-1], neg[-1])
        first = np.concatenate([first, end])
        return cls(
            upper=np.append(upper, np.inf),
            lower=lower,
            hits=pos_from[first],
            misses=pos_below[first],
            alarms=neg_from[np.append(below, len(neg))],
            negatives=float(neg_from[0]),
        )

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
        alarm = costs.false_positive - costs.true_negative
        miss = costs.false_negative - costs.true_positive
        if alarm == 0:
            return ALWAYS
        unit = -frexp(max(alarm, miss))[1]  # a power of two: nothing is rounded
        alarm, miss = ldexp(alarm, unit), ldexp(miss, unit)
        return self._middle(alarm * self.alarms + miss * self.misses)

    def best_f(self, beta: float) -> float:
        """Take the cut of highest F-beta."""
        if not is_real(beta) or not 1e-6 <= float(beta) <= 1e6:
            raise ValueError(f"f_beta must be a number between 1e-6 and 1e6, got {shown(beta)}")
        b2 = float(beta) ** 2
        found = (1 + b2) * self.hits
        whole = found + b2 * self.misses + self.alarms
        return self._middle(-found / np.maximum(whole, TINY))

    def recall_floor(self, floor: float, confidence_level: float | None) -> float:
        """Take the highest cut whose recall reaches the floor."""
        floor = check_floor("min_recall", floor)
        n = self.misses[-1]
        allowed = (1 - floor) * n + EQUAL * n
        if confidence_level is not None:
            from scipy.stats import binom

            # k: the largest with P(Binomial(n, 1 - floor) >= k) >= confidence_level
            k = np.count_nonzero(binom.sf(np.arange(n), n, 1 - floor) >= confidence_level)
            if k == 0 and floor < 1:
                best = (1 - confidence_level) ** (1 / n)
                raise ValueError(
                    f"{n:.0f} positives cannot promise a recall of {floor} at the confidence level "
                    f"{confidence_level:.6g}: the highest floor they can promise is "
                    f"{rounded_down(best)}"
                )
            allowed = k - 1
        meets = np.flatnonzero(self.misses <= allowed)
        return self._cut_between(int(meets[-1]), int(meets[-1])) if len(meets) else ALWAYS

    def precision_floor(self, floor: float) -> float:
        """Take the cut of highest recall whose precision reaches the floor."""
        floor = check_floor("min_precision", floor)
        precision = self.hits[:-1] / (self.hits[:-1] + self.alarms[:-1])
        meets = np.flatnonzero(precision >= floor - EQUAL)
        if len(meets) == 0:
            best = rounded_down(precision.max())
            raise ValueError(f"no cut reaches a precision of {floor}: the highest is {best}")
        return self._cut_between(int(meets[0]), int(meets[0]))

    def mostly_lost(self) -> bool:
        """Tell whether most pairs of a positive and a negative have the negative as high."""
        lost = (self.hits[:-1] - self.hits[1:]) @ self.alarms[:-1]
        return bool(2 * lost > self.hits[0] * self.negatives)

    def hull(self) -> Steps:
        """Drop most cuts that are best for no weighting of hits and alarms; ties stay."""
        kept = np.arange(len(self.hits))
        while len(kept) > 200:
            down, left = np.diff(self.hits[kept]), np.diff(self.alarms[kept])
            under = left[:-1] * down[1:] < down[:-1] * left[1:]  # below the line of its neighbours
            kept = kept[np.concatenate([[True], ~under, [True]])]
            if 50 * np.count_nonzero(under) < len(kept):
                break
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "negatives"}
        return replace(self, **{name: column[kept] for name, column in columns.items()})


# Promises


def counted(
    scores: Floats, wrong: NDArray[np.bool_], cuts: Floats
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
    reached = np.searchsorted(cuts[::-1], scores, side="right")  # how many cuts a row reaches
    return tuple(  # type: ignore[return-value]
        np.cumsum(np.bincount(part, minlength=len(cuts) + 1)[:0:-1])
        for part in (reached, reached[wrong])
    )


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
    scores: Floats,
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
    scores: Floats,
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
