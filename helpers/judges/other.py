"""Judge the exercises of lesson 02."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import beta, binom, chi2, norm

from helpers.judges.results import Judge, show, try_cases
from helpers.probabilities import confidence, sigmoid, softmax


def _leads(p: np.ndarray) -> np.ndarray:
    """Return how far the largest of each row is ahead of the second."""
    two = np.sort(p, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


def _by_lead(z: np.ndarray, lead: float, ahead: np.ndarray) -> np.ndarray:
    """Return the largest logit's index where the lead is reached, else the number of classes."""
    return np.where(ahead >= lead, z.argmax(axis=1), z.shape[1])


# what may be compared with the lead by mistake, and the words for it
_NO_LEADS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the largest softmax alone is compared; the lead is what it has more than the runner-up": (
        lambda z: softmax(z).max(axis=1)
    ),
    "the lead is taken between the logits; it is asked for between their softmax": _leads,
    "the lead is taken between sigmoids; one label of many takes the softmax": (
        lambda z: _leads(sigmoid(z))
    ),
    "no row becomes Other, whatever the lead; it is a difference, not a ratio": lambda z: np.full(
        len(z), np.inf
    ),
    "every row becomes Other, whatever the lead": lambda z: np.full(len(z), -np.inf),
    "your softmax adds up down the columns; each row must add up to 1 (axis=1)": (
        lambda z: _leads(softmax(z.T).T)
    ),
    "your softmax adds up over the whole array; each row must add up to 1 (axis=1)": (
        lambda z: _leads(softmax(z.ravel()).reshape(z.shape))
    ),
    "the largest is compared with the smallest; the runner-up is the second largest": (
        lambda z: np.ptp(softmax(z), axis=1)
    ),
}


def _lead_mistake(cases: list, wants: list, given: list) -> str:
    """Name the mistake that explains all these answers, if one does."""

    def explained(others: list) -> bool:
        return all(map(np.array_equal, given, others))

    for words, score in _NO_LEADS.items():
        if explained([_by_lead(z, lead, score(z)) for z, lead in cases]):
            return words
    pairs = [(z, want, want < z.shape[1]) for (z, _), want in zip(cases, wants, strict=True)]
    if explained([np.where(ours, z.shape[1], z.argmax(axis=1)) for z, _, ours in pairs]):
        return "the clear rows become Other and the nearly level ones are answered"
    if explained([np.where(ours, z.argsort(axis=1)[:, -2], want) for z, want, ours in pairs]):
        return "you answer with the runner-up"
    if explained([want + 1 for want in wants]):
        return "classes are counted from 0"
    if all(
        np.array_equal(got == want, ours) or np.array_equal(got, want)
        for got, (_, want, ours) in zip(given, pairs, strict=True)
    ):
        return "the right rows become Other, but its index is the number of classes"
    return "take the softmax of each row, sort it, and compare the last two with the lead"


def _top_two(answer: Callable[[Any, float], Any]) -> str | None:
    three = np.array([[3.0, 0.0, 0.0], [0.0, 2.0, 1.9], [-1.0, 0.5, 1.5], [9.0, 1.0, 8.0]])
    four = np.array([[2.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.3, 0.0], [0.0, 0.0, 0.1, 0.0]])
    just = np.array([[500.0, -500.0, -500.0], [1.0, 0.0, 0.5]])  # the first leads by 1 exactly
    high = np.array([[1000.0, 999.9, 0.0], [998.0, 1000.0, 1003.0], [-1005.0, -1000.0, -1003.0]])
    cases = [(three, 0.5), (three, 0.1), (three, 0.0), (four, 0.2), (just, 1.0), (high, 0.5)]
    wants = [_by_lead(z, lead, confidence(z, measure="margin")) for z, lead in cases]
    too_high = (
        "np.exp of 1000 is infinite: subtract each row's largest logit before np.exp, or take the "
        "softmax of helpers.probabilities"
    )
    given, shown = [], []
    for (z, lead), want in zip(cases, wants, strict=True):
        seen = f"for the logits {z.tolist()} and a lead of {lead} expected {want.tolist()}, got "
        with np.errstate(all="ignore"):
            try:
                raw = answer(z.copy(), lead)
            except (OverflowError, FloatingPointError) as error:
                return f"{seen}{type(error).__name__}: {too_high}"
        try:
            got = np.asarray(raw, dtype=np.float64)
        except (TypeError, ValueError):
            return f"{seen}{raw!r}: answer with one index a row, a whole number"
        if raw is None:
            return f"{seen}None: is there a `return`?"
        if got.shape != want.shape:
            return f"{seen}{raw!r}: one index a row has the shape {want.shape}, not {got.shape}"
        given.append(got)
        shown.append(np.asarray(raw).tolist())
    for i, ((z, lead), want, got) in enumerate(zip(cases, wants, given, strict=True)):
        if np.array_equal(got, want):
            continue
        why = _lead_mistake(cases[:4], wants[:4], given[:4])
        if i == 4:
            why = "a lead that is just reached is enough: >=, not >"
        elif i == 5:
            why = too_high
        return (
            f"for the logits {z.tolist()} and a lead of {lead} expected {want.tolist()}, "
            f"got {shown[i]}: {why}"
        )
    return None


def _audit_mistake(
    got: tuple[list, list], want: tuple[list, list], names: tuple, labels: list
) -> str:
    """Name what is wrong with a pair of lists."""
    once = tuple(sorted(set(part)) for part in got)
    if got == want[::-1]:
        return "the two lists have changed places"
    if once == want and any(len(set(part)) < len(part) for part in got):
        return "a name that is found twice is named once"
    if once == want:
        return "the right names, but not sorted"
    found = {name.lower() for name in labels}
    loosely = (
        [name for name in want[0] if name not in found],
        [name for name in want[1] if name.lower() not in names],
    )
    if got == loosely:
        return "'Tax' is not 'tax': another spelling is another name"
    stripped = {name.strip() for name in labels}
    if got == (sorted({*names} - stripped), sorted(stripped - {*names})):
        return "'bin ' is not 'bin': a blank makes another name"
    parts = (
        [name for name in want[0] if not any(name in label for label in labels)],
        [label for label in want[1] if not any(name in label for name in names)],
    )
    if any(mine == part != right for mine, part, right in zip(got, parts, want, strict=True)):
        return "'busstop' is not 'bus': a name that is part of another is not that other"
    extra = [set(part) - set(right) for part, right in zip(got, want, strict=True)]
    lost = [set(right) - set(part) for part, right in zip(got, want, strict=True)]
    for i, (which, what) in enumerate(
        (("first", "listed and never found"), ("second", "found and not listed"))
    ):
        if extra[i] or lost[i]:
            verb = f"has {sorted(map(str, extra[i]))} too much"
            if lost[i]:
                verb = f"lacks {sorted(map(str, lost[i]))}"
            return f"the {which} list {verb}; it holds what is {what}"
    return "each name stands once"


def _audit(answer: Callable[[Any, Any], Any]) -> str | None:
    names = ("tax", "bin", "library", "bus", "parking", "waste")
    for labels, want in (
        (["bin", "tax", "bin", "bus", "library", "waste", "parking"], ([], [])),
        (["bin", "bus", "zoo", "park"], (["library", "parking", "tax", "waste"], ["park", "zoo"])),
        (
            ["zoo", "Tax", "bus", "zoo", "fair", "dog"],
            (["bin", "library", "parking", "tax", "waste"], ["Tax", "dog", "fair", "zoo"]),
        ),
        (
            ["bin ", "busstop", "tax", "waste"],
            (["bin", "bus", "library", "parking"], ["bin ", "busstop"]),
        ),
        ([], (["bin", "bus", "library", "parking", "tax", "waste"], [])),
    ):
        raw = answer(names, list(labels))
        seen = f"for the list {names} and the labels {labels} expected {want}, got {raw!r}: "
        if isinstance(raw, (str, dict, set, frozenset)) or not hasattr(raw, "__iter__"):
            return f"{seen}a pair of lists is asked for, not one {type(raw).__name__}"
        parts = list(raw)
        if len(parts) != 2:
            return f"{seen}a pair of lists is asked for, not {len(parts)} values"
        for part in parts:
            if isinstance(part, (set, frozenset)):
                return f"{seen}a set has no order; sorted(...) makes a sorted list of it"
            if isinstance(part, (str, dict)) or not hasattr(part, "__iter__"):
                return f"{seen}each of the two is a list of names, not one {type(part).__name__}"
        got = list(parts[0]), list(parts[1])
        if got != want:
            return seen + _audit_mistake(got, want, names, labels)
    return None


def _budget_mistake(sure: np.ndarray, capacity: int, cut: float, want: int) -> str:
    """Name what is wrong with a cut that hands over too many, or too few."""
    ordered = np.sort(sure)
    if capacity < len(sure) and cut == sure[capacity] != ordered[capacity]:
        return "sort the confidences first"
    if (sure < cut).sum() > capacity:
        if capacity == 0:
            return "with room for none, no confidence may lie below the cut"
        if (
            ordered[capacity - 1]
            == ordered[capacity]
            < cut
            <= min(ordered[ordered > ordered[capacity]], default=np.inf)
        ):
            return "messages that tie go together; if not all of them fit, none goes"
        if capacity < len(sure) and cut == ordered[::-1][capacity]:
            return "sorted from the surest; the least sure ones go to a person"
        return "that is more than can be read"
    if capacity == len(sure):
        return f"the surest has {ordered[-1]}, and goes only if the cut is above that"
    if want and cut == ordered[want - 1]:
        return "a message at the cut is not below it; the cut is the first one that stays"
    return "there is room for more"


def _budget(answer: Callable[[Any, int], float]) -> str | None:
    # all of these numbers are exact in 32 bits, too
    few = np.array([0.5, 0.875, 0.25, 0.5, 0.75, 0.375])  # two of them tie
    for sure, capacity, want in (
        *((few, capacity, want) for capacity, want in ((1, 1), (2, 2), (3, 2), (4, 4), (5, 5))),
        *((few, capacity, capacity) for capacity in (0, 6)),
        (np.array([0.5, 1.0, 0.75]), 3, 3),  # a confidence of exactly 1
        (np.full(3, 0.625), 2, 0),
    ):
        try:
            raw = answer(sure.copy(), capacity)
        except IndexError:
            if capacity < len(sure):
                raise
            return f"with room for {capacity} of {sure.tolist()} all go: no place is left to read"
        seen = f"with room for {capacity} of {sure.tolist()} your cut {show(raw)[0]}"
        try:
            cut = np.asarray(raw, dtype=np.float64)
        except (TypeError, ValueError):
            return f"{seen} is no number: one cut is asked for"
        if cut.shape != ():
            return f"{seen} has the shape {cut.shape}: one number is asked for, the cut"
        if np.isnan(cut):
            return f"{seen} is no number: nothing is below it"
        got = int((sure < cut).sum())
        if got != want:
            return (
                f"{seen} hands over {got}, expected {want}: "
                f"{_budget_mistake(sure, capacity, float(cut), want)}"
            )
    return None


def _promise(answer: Callable[[Any, float], Any]) -> str | None:
    def bound(wrong: np.ndarray, level: float, more: float = 1, fewer: float = 0) -> float:
        return float(beta.ppf(level, wrong.sum() + more, len(wrong) - wrong.sum() + fewer))

    def normal(wrong: np.ndarray, level: float) -> float:
        rate = wrong.mean()
        return float(rate + norm.ppf(level) * np.sqrt(rate * (1 - rate) / len(wrong)))

    def wilson(wrong: np.ndarray, level: float) -> float:
        n, rate, z = len(wrong), wrong.mean(), norm.ppf(level)
        spread = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
        return float((rate + z**2 / (2 * n) + spread) / (1 + z**2 / n))

    def near(wrong: np.ndarray, level: float) -> Any:
        raw = answer(wrong, level)  # a bisection or a fine grid is as good as a formula
        want = 1.0 if wrong.all() else bound(wrong, level)
        try:
            return want if np.size(raw) == 1 and bool(abs(raw - want) <= 1e-4) else raw
        except (TypeError, ValueError):
            return raw

    few, many = np.zeros(12, int), np.zeros(36, int)
    few[3], many[[2, 3, 11, 30]] = 1, 1
    small = "chance takes part: with more messages of the same kind more may be wrong"
    names = ("wrong", "confidence_level")
    hint = try_cases(
        near,
        bound,
        names,
        ((few, 0.95), (many, 0.9), (np.zeros(20, int), 0.99)),
        {
            f"this is the share that was wrong; {small}": lambda w, c: w.mean(),
            "only one side breaks a promise: the level is not halved": (
                lambda w, c: bound(w, (1 + c) / 2)
            ),
            "nobody shares the level here: the 19 candidates of section 5 do": (
                lambda w, c: bound(w, 1 - (1 - c) / 19)
            ),
            "this is the lower end; a promise needs the upper one": (
                lambda w, c: bound(w, 1 - c, 0, 1) if w.any() else 0.0
            ),
            "as few errors as these, or fewer: these themselves count, too": (
                lambda w, c: bound(w, c, 0, 1) if w.any() else 0.0
            ),
            "1 - confidence_level has taken the place of the level": lambda w, c: bound(w, 1 - c),
            "confidence_level is not used": lambda w, c: bound(w, 0.95),
            "the normal approximation is too small where errors are few": normal,
            "the normal approximation is too small, and the level is not halved": (
                lambda w, c: normal(w, (1 + c) / 2)
            ),
            "Wilson's bound is near; the exact one is asked for": wilson,
            "Wilson's bound is near, and the level is not halved": (
                lambda w, c: wilson(w, (1 + c) / 2)
            ),
            "Hoeffding's bound holds and is loose; the exact one is asked for": (
                lambda w, c: w.mean() + np.sqrt(-np.log(1 - c) / (2 * len(w)))
            ),
            "this is Jeffreys' bound; the exact one is asked for": lambda w, c: bound(
                w, c, 0.5, 0.5
            ),
            "with a uniform prior it is too small: n - k, not n - k + 1": lambda w, c: bound(
                w, c, 1, 1
            ),
            "Poisson's bound is near; the binomial one is asked for": (
                lambda w, c: chi2.ppf(c, 2 * w.sum() + 2) / (2 * len(w))
            ),
            "three over n is for no error, at 95 %": lambda w, c: 3 / len(w),
            "this is the bound for no error": lambda w, c: 1 - (1 - c) ** (1 / len(w)),
            "1 is a wrong answer, 0 a right one": lambda w, c: bound(1 - w, c) if w.any() else 1.0,
            "this is the share of right answers; the risk is what it lacks to 1": (
                lambda w, c: 1 - bound(w, c)
            ),
            "this is in percent": lambda w, c: 100 * bound(w, c),
            "this is a number of messages; divide it by all of them": lambda w, c: (
                len(w) * bound(w, c)
            ),
            "this is rounded to two digits": lambda w, c: round(bound(w, c), 2),
            "this is rounded to three digits; solve it, or take a finer grid": (
                lambda w, c: round(bound(w, c), 3)
            ),
            "a grid in thousandths is too coarse; solve it": (
                lambda w, c: np.ceil(1000 * bound(w, c)) / 1000
            ),
            "this is the chance of so few errors; find the risk that makes it 1 - level": (
                lambda w, c: binom.cdf(w.sum(), len(w), 1 - c)
            ),
        },
        "find the risk r at which so few errors, or fewer, have the chance 1 - level",
    )
    return hint or try_cases(
        near,
        lambda w, c: 1.0,
        names,
        ((np.ones(3, int), 0.95),),
        {},
        "where all are wrong, nothing below 1 can be promised",
    )


CHECKS: dict[str, Judge] = {
    "02.1": _top_two,
    "02.2": _audit,
    "02.3": _budget,
    "02.4": _promise,
}
