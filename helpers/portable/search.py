"""Search every cut that the data can tell apart, and prove what n rows can promise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import Floats, check_floor, check_open_unit, is_real
from .costs import Costs
from .probabilities import logit

EQUAL = 1e-12  # two totals closer than this, relative to their size, count as equal


def rounded_down(value: float) -> str:
    """Write a figure with four decimals, never more than it is."""
    return f"{np.floor(value * 1e4) / 1e4:.4f}"


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
    """

    upper: Floats
    lower: Floats
    hits: Floats
    misses: Floats
    alarms: Floats

    @classmethod
    def of(
        cls, scores: Floats, positive: NDArray[np.bool_], sample_weight: ArrayLike | None
    ) -> Steps:
        """Sort the scores; `sample_weight` has their shape, or is None."""
        weight = None
        if sample_weight is not None:
            weight = np.asarray(sample_weight, dtype=np.float64)
            if weight.shape != scores.shape:
                raise ValueError(
                    f"sample_weight must have shape {scores.shape}, got {weight.shape}"
                )
            if not np.all(np.isfinite(weight) & (weight >= 0)):
                raise ValueError("sample_weight must be finite and at least 0")
            used = weight > 0
            scores, positive, weight = scores[used], positive[used], weight[used]
        n_positive = int(np.count_nonzero(positive))
        if n_positive in (0, len(positive)):
            raise ValueError(
                "choosing needs at least one message of each class, got "
                f"{n_positive} positives among {len(positive)}"
            )
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
        )

    def cheapest(self, costs: Costs) -> float | Literal["always", "never"]:
        """Take the cut of least total cost."""
        alarm = costs.false_positive - costs.true_negative
        miss = costs.false_negative - costs.true_positive
        if alarm == 0:
            return "always"
        return self._middle(alarm * self.alarms + miss * self.misses)

    def best_f(self, beta: float) -> float | Literal["always", "never"]:
        """Take the cut of highest F-beta."""
        if not is_real(beta) or not 1e-6 <= beta <= 1e6:
            raise ValueError(f"f_beta must be a number between 1e-6 and 1e6, got {beta!r}")
        b2 = float(beta) ** 2
        found = (1 + b2) * self.hits
        return self._middle(-found / (found + b2 * self.misses + self.alarms))

    def recall_floor(
        self, floor: float, confidence: float | None
    ) -> float | Literal["always", "never"]:
        """Take the highest cut whose recall reaches the floor."""
        check_floor("min_recall", floor)
        n = self.misses[-1]
        allowed = (1 - floor) * n + EQUAL * n
        if confidence is not None:
            from scipy.stats import binom

            # k: the largest with P(Binomial(n, 1 - floor) >= k) >= confidence
            k = np.count_nonzero(binom.sf(np.arange(n), n, 1 - floor) >= confidence)
            if k == 0 and floor < 1:
                best = (1 - confidence) ** (1 / n)
                raise ValueError(
                    f"{n:.0f} positives cannot promise a recall of {floor} with confidence "
                    f"{confidence}: the highest floor they can promise is {rounded_down(best)}"
                )
            allowed = k - 1
        meets = np.flatnonzero(self.misses <= allowed)
        return self._cut_between(int(meets[-1]), int(meets[-1])) if len(meets) else "always"

    def precision_floor(self, floor: float) -> float | Literal["always", "never"]:
        """Take the cut of highest recall whose precision reaches the floor."""
        check_floor("min_precision", floor)
        precision = self.hits[:-1] / (self.hits[:-1] + self.alarms[:-1])
        meets = np.flatnonzero(precision >= floor - EQUAL)
        if len(meets) == 0:
            best = rounded_down(precision.max())
            raise ValueError(f"no cut reaches a precision of {floor}: the highest is {best}")
        return self._cut_between(int(meets[0]), int(meets[0]))

    def hull(self) -> Steps:
        """Drop most cuts that are best for no weighting of hits and alarms; ties stay."""
        kept = np.arange(len(self.hits))
        while len(kept) > 200:
            down, left = np.diff(self.hits[kept]), np.diff(self.alarms[kept])
            under = left[:-1] * down[1:] < down[:-1] * left[1:]  # below the line of its neighbours
            kept = kept[np.concatenate([[True], ~under, [True]])]
            if 50 * np.count_nonzero(under) < len(kept):
                break
        return Steps(**{f.name: getattr(self, f.name)[kept] for f in fields(self)})

    def _middle(self, loss: Floats) -> float | Literal["always", "never"]:
        """Take the middle of the widest plateau of least loss."""
        least = loss.min()
        best = np.flatnonzero(loss <= least + EQUAL * abs(least))
        starts = np.flatnonzero(
            np.concatenate([[True], self.lower[best[1:]] != self.upper[best[:-1]]])
        )
        ends = np.append(starts[1:], len(best)) - 1
        widths = self.upper[best[ends]] - self.lower[best[starts]]
        widest = int(np.argmax(widths))
        return self._cut_between(int(best[starts[widest]]), int(best[ends[widest]]))

    def _cut_between(self, first: int, last: int) -> float | Literal["always", "never"]:
        low, high = self.lower[first], self.upper[last]
        if low == -np.inf:
            return "always"
        if high == np.inf:
            return "never"
        middle = low / 2 + high / 2
        return float(middle if low < middle <= high else high)


def _sorted_with_totals(
    scores: Floats, chosen: NDArray[np.bool_], weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Sort the chosen scores; total the weight below, and from, each place (n + 1 places)."""
    picked = scores[chosen]
    if weight is None:
        picked.sort()
        below = np.arange(len(picked) + 1, dtype=np.float64)
        return picked, below, below[::-1]
    order = np.argsort(picked)
    weight = weight[chosen][order]
    below = np.concatenate([[0.0], np.cumsum(weight)])
    return picked[order], below, np.concatenate([np.cumsum(weight[::-1])[::-1], [0.0]])


# Promises


def sure_precision(
    scores: Floats, positive: NDArray[np.bool_], floor: float, confidence: float
) -> float:
    """Take the lowest of 19 fixed thresholds whose precision is proven to reach the floor."""
    from scipy.stats import beta

    check_floor("min_precision", floor)
    candidates = logit(np.arange(1, 20) / 20)
    level = (1 - confidence) / len(candidates)
    bounds = []
    for cut in candidates:
        accepted = positive[scores >= cut]
        hits = int(accepted.sum())
        bounds.append(beta.ppf(level, hits, len(accepted) - hits + 1) if hits else 0.0)
    for cut, bound in zip(candidates, bounds, strict=True):
        if bound >= floor:
            return float(cut)
    raise ValueError(
        f"{len(scores)} messages cannot promise a precision of {floor} with confidence "
        f"{confidence}: the highest floor they can promise is {rounded_down(max(bounds))}"
    )


def sure_risk(
    scores: Floats,
    wrong: NDArray[np.bool_],
    cuts: Floats,
    max_risk: float,
    confidence: float | None,
) -> float:
    """Take the lowest candidate whose risk is proven; `RejectOption.choose` has the argument."""
    from scipy.stats import beta, binom

    check_open_unit("max_risk", max_risk)
    if confidence is None:
        raise ValueError("max_risk is a promise: say with which confidence=, as 0.95")
    check_open_unit("confidence", confidence)
    answered = len(scores) - np.searchsorted(np.sort(scores), cuts)
    errors = np.count_nonzero(wrong) - np.searchsorted(np.sort(scores[wrong]), cuts)
    # the chance of so few errors if the risk were just max_risk: small is proof of less
    p_values = binom.cdf(errors, answered, max_risk)
    share = (1 - confidence) / len(cuts)
    level, passed = 0.0, None
    for cut, p in zip(cuts, p_values, strict=True):
        level += share
        if p <= level:
            passed = float(cut)
        else:
            level = 0.0
    if passed is None:
        bounds = beta.ppf(1 - share, errors + 1, np.maximum(answered - errors, 1))
        lowest = np.where(errors < answered, bounds, 1.0).min()
        raise ValueError(
            f"{len(scores)} messages cannot promise a risk of {max_risk} with confidence "
            f"{confidence}: the lowest that they can promise is {np.ceil(lowest * 1e4) / 1e4:.4f}"
        )
    return passed
