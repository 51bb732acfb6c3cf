"""The search of the cut of `RejectOption`: the cheapest, for a share of answers, or proven."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, as_floats
from .checks import check_floor, check_open_unit
from .costs import Costs
from .probabilities import Measure, confidence
from .rule import ALWAYS, NEVER
from .search import EQUAL, Steps, prove

BOUNDED = ("softmax", "margin")  # measures on a scale from 0 to 1


def check_has_energy(logits: Floats) -> None:
    """Refuse the logs of probabilities: these sum to 1, rounded or not, and that is no energy."""
    if len(logits) and np.median(np.abs(confidence(logits, measure="energy"))) < 0.02:
        raise ValueError(
            "the energy tells nothing here: exp(logit) sums to 1 in most rows, as for the logs of "
            "probabilities; give the network's own logits, or take the measure softmax"
        )


def cheapest_reject(scores: Floats, extra: Floats) -> float:
    """Find the cheapest cut, given what answering a row costs more than rejecting it.

    It is the yes/no search with weights: answering is "yes", and each row counts what is lost by
    the wrong one of the two.
    """
    if not (extra > 0).any():
        return ALWAYS
    if not (extra < 0).any():
        return NEVER
    steps = Steps.of(scores, extra < 0, np.abs(extra))
    return steps.cheapest(Costs(false_positive=1, false_negative=1))


def cut_for_coverage(scores: Floats, coverage: float) -> float:
    """Take the highest cut that answers enough, in the middle between two scores."""
    coverage = check_floor("coverage", coverage)
    needed = max(int(np.ceil(coverage * len(scores) * (1 - EQUAL))), 1)
    lowest = np.sort(scores)[len(scores) - needed]
    below = scores[scores < lowest]
    if len(below) == 0:
        return ALWAYS
    middle = lowest / 2 + below.max() / 2
    return float(middle if below.max() < middle <= lowest else lowest)


def check_candidates(candidates: ArrayLike | None, measure: Measure) -> Floats:
    """Return the cuts to try, the most cautious one first."""
    if candidates is None:
        if measure not in BOUNDED:
            raise ValueError(
                f"the measure {measure!r} has no scale that is known beforehand: give candidates=, "
                "cuts that were fixed without a look at these rows"
            )
        candidates = np.arange(1, 20) / 20
    cuts = as_floats("candidates", candidates)
    if cuts.ndim != 1 or len(cuts) == 0 or not np.isfinite(cuts).all():
        raise ValueError(
            f"candidates must be finite cuts of shape (m,), m at least 1, got shape {cuts.shape}"
        )
    return np.unique(cuts)[::-1]


def sure_risk(
    scores: Floats,
    wrong: NDArray[np.bool_],
    cuts: Floats,
    max_risk: float,
    confidence_level: float | None,
) -> float:
    """Take the lowest candidate whose risk is proven, or say what can be."""
    max_risk = check_open_unit("max_risk", max_risk)
    if confidence_level is None:
        raise ValueError("max_risk is a promise: say with which confidence_level=, as 0.95")
    confidence_level = check_open_unit("confidence_level", confidence_level)
    cut, lowest = prove(scores, wrong, cuts, max_risk, confidence_level)
    if cut is None:
        raise ValueError(
            f"{len(scores)} messages cannot promise a risk of {max_risk} at the confidence level "
            f"{confidence_level}: the lowest that they can promise is "
            f"{np.ceil(lowest * 1e4) / 1e4:.4f}"
        )
    return cut
