"""Check answers to the exercises, and the claims that the lessons make.

An answer is a function, which is tried on cases of this module's own, or a number worked out from
arrays that the lesson prints. No answer, no harm: the check says so and the notebook goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from helpers.decisions import Costs
from helpers.probabilities import confidence, sigmoid, softmax

STRICT_VARIABLE = "EXERCISES_STRICT"


@dataclass(frozen=True)
class Checked:
    """What a check or a claim found; shows itself in a notebook.

    Attributes
    ----------
    status : "right", "hint", "not answered", "holds" or "differs here"
    message : str
    """

    status: Literal["right", "hint", "not answered", "holds", "differs here"]
    message: str

    def __repr__(self) -> str:
        return f"{self.status}: {self.message}"


def claim(message: str, holds: bool, *, released: bool) -> Checked:
    """State a measured claim of a lesson, and check it.

    Parameters
    ----------
    message : str
        The claim, in words.
    holds : bool
        Whether the figures bear it out.
    released : bool
        Whether the lesson runs with the settings that it was released with. Only then is a claim
        that does not hold an error; elsewhere the reader is told that it differs.

    Returns
    -------
    Checked

    Raises
    ------
    AssertionError
        If the claim does not hold at the released settings.

    Examples
    --------
    >>> claim("two is less than three", 2 < 3, released=True)
    holds: two is less than three
    >>> claim("the network is perfect", False, released=False)
    differs here: the network is perfect
    """
    if holds:
        return Checked("holds", message)
    if released:
        raise AssertionError(f"does not hold: {message}")
    return Checked("differs here", message)


def check(name: str, answer: Any) -> Checked:
    """Check the answer to an exercise.

    Parameters
    ----------
    name : str
        Lesson and number, as ``"01.1"``.
    answer : function, number or None
        What the exercise asks for; None or ``...`` for no answer yet.

    Returns
    -------
    Checked

    Raises
    ------
    ValueError
        If there is no such exercise.
    AssertionError
        If the answer is not right and the environment variable ``EXERCISES_STRICT`` is set: the
        solution notebooks run so.

    Examples
    --------
    >>> check("01.1", ...)
    not answered: write your answer, then run the cell again
    """
    if name not in _CHECKS:
        raise ValueError(f"there is no exercise {name!r}; there are {', '.join(sorted(_CHECKS))}")
    if answer is None or answer is ...:
        found = Checked("not answered", "write your answer, then run the cell again")
    else:
        try:
            hint = _CHECKS[name](answer)
        except Exception as error:  # whatever a learner's function raises becomes a hint
            hint = f"your answer raised {type(error).__name__}: {error}"
        found = Checked("hint", hint) if hint else Checked("right", "well done")
    if os.environ.get(STRICT_VARIABLE) and found.status != "right":
        raise AssertionError(f"exercise {name}: {found}")
    return found


_CHECKS: dict[str, Callable[[Any], str | None]] = {}


def _exercise(name: str) -> Callable[[Callable], Callable]:
    """Register a function that returns None for a right answer, or a hint."""

    def register(function: Callable) -> Callable:
        _CHECKS[name] = function
        return function

    return register


@_exercise("01.1")
def _expected_loss_cut(answer: Callable[[float, float], float]) -> str | None:
    for alarm, miss in ((1, 20), (1, 5), (7, 3), (2.5, 2.5)):
        got, want = answer(alarm, miss), alarm / (alarm + miss)
        if got is None or not abs(got - want) <= 1e-9:
            return (
                f"for a false alarm at {alarm} and a miss at {miss} your cut is {got}. At the cut "
                "both answers cost the same: p * miss = (1 - p) * alarm"
            )
    return None


@_exercise("01.2")
def _one_logit_pipeline(answer: Callable[[Any, float], Any]) -> str | None:
    z = np.array([[2.0], [0.1], [-1.0], [0.9]])
    for threshold in (0.5, 0.7, 0.2):
        want = (sigmoid(z[:, 0]) >= threshold).astype(int)
        got = np.asarray(answer(z.copy(), threshold))
        if got.shape != want.shape:
            return f"expected one decision a row, shape {want.shape}, got {got.shape}"
        if not np.array_equal(got, want):
            return f"at the threshold {threshold} expected {want}, got {got}"
    return None


@_exercise("01.3")
def _cost_per_message(answer: Callable[[Any, Any, Any], Any]) -> str | None:
    p = np.array([0.02, 0.2, 0.2, 0.6, 0.5])  # the last one is a tie: 1 is asked for
    alarm, miss = np.array([1.0, 1.0, 5.0, 1.0, 1.0]), np.array([20.0, 3.0, 100.0, 1.0, 1.0])
    want = (p * miss >= (1 - p) * alarm).astype(int)
    got = np.asarray(answer(p.copy(), alarm.copy(), miss.copy()))
    if got.shape != want.shape:
        return f"expected one decision a message, shape {want.shape}, got {got.shape}"
    if not np.array_equal(got, want):
        return f"expected {want}, got {got}: compare p * miss with (1 - p) * alarm row by row"
    return None


@_exercise("01.4")
def _review_band(answer: Callable[[Any, Costs, float], Any]) -> str | None:
    p = np.array([0.001, 0.03, 0.06, 0.3, 0.6, 0.97])
    costs = Costs(false_positive=4.0, false_negative=20.0)
    for review in (0.5, 1.0, 50.0):
        got = np.asarray(answer(p, costs, review))
        expected = np.stack([20.0 * p, np.full_like(p, review), 4.0 * (1 - p)])
        want = np.array(["wait", "review", "send"])[expected.argmin(axis=0)]
        if got.shape != want.shape or not np.array_equal(got, want):
            return (
                f"with a review at {review} expected {want.tolist()}, got {got.tolist()}: take the "
                "least of the three expected costs, row by row"
            )
    return None


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
    "no row becomes Other, whatever the lead": lambda z: np.full(len(z), np.inf),
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


@_exercise("02.1")
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


@_exercise("02.2")
def _audit(answer: Callable[[Any, Any], Any]) -> str | None:
    names = ("tax", "bin", "library", "bus", "parking", "waste")
    for labels, want in (
        (["bin", "tax", "bin", "bus", "library", "waste", "parking"], ([], [])),
        (["bin", "bus", "zoo", "park"], (["library", "parking", "tax", "waste"], ["park", "zoo"])),
        (
            ["zoo", "Tax", "bus", "zoo", "fair", "dog"],
            (["bin", "library", "parking", "tax", "waste"], ["Tax", "dog", "fair", "zoo"]),
        ),
        ([], (["bin", "bus", "library", "parking", "tax", "waste"], [])),
    ):
        raw = answer(names, list(labels))
        seen = f"for the list {names} and the labels {labels} expected {want}, got {raw!r}: "
        if isinstance(raw, (str, dict, set, frozenset)) or not hasattr(raw, "__iter__"):
            return f"{seen}a pair of lists is asked for, not one {type(raw).__name__}"
        parts = list(raw)
        if len(parts) != 2:
            return f"{seen}a pair of lists is asked for, not {len(parts)} of something"
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
    if (sure < cut).sum() > capacity:
        if capacity == 0:
            return "with room for none, no confidence may lie below the cut"
        if (
            ordered[capacity - 1]
            == ordered[capacity]
            < cut
            <= ordered[ordered > ordered[capacity]][0]
        ):
            return "messages that tie go together, so none of those that do not all fit may go"
        return "that is more than can be read"
    if capacity == len(sure):
        return f"the surest has {ordered[-1]}, and goes only if the cut is above that"
    if want and cut == ordered[want - 1]:
        return "a message at the cut is not below it; the cut is the first one that stays"
    return "there is room for more"


@_exercise("02.3")
def _budget(answer: Callable[[Any, int], float]) -> str | None:
    # all of these numbers are exact in 32 bits, too
    few = np.array([0.875, 0.25, 0.5, 0.5, 0.75, 0.375])  # two of them tie
    for sure, capacity, want in (
        *((few, capacity, want) for capacity, want in ((1, 1), (2, 2), (3, 2), (4, 4), (5, 5))),
        *((few, capacity, capacity) for capacity in (0, 6)),
        (np.array([0.5, 1.0, 0.75]), 3, 3),  # a confidence of exactly 1
        (np.full(3, 0.625), 2, 0),
    ):
        raw = answer(sure.copy(), capacity)
        seen = f"with room for {capacity} of {sure.tolist()} your cut {raw!r}"
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


@_exercise("03.1")
def _precision_floor_per_label(answer: Callable[[Any, Any, float], Any]) -> str | None:
    rng = np.random.default_rng(31)
    labels = (rng.random((40, 4)) < [0.5, 0.3, 0.2, 0.1]).astype(int)
    labels[:2] = [[1, 1, 1, 1], [0, 0, 0, 0]]
    z = np.round(rng.normal(2.0 * labels - 1), 1)
    z[:, 3] = -z[:, 3]  # a label that the scores get wrong
    for floor in (0.6, 0.9):
        got = np.asarray(answer(z.copy(), labels.copy(), floor), dtype=np.float64)
        if got.shape != (4,):
            return f"expected one cut a label, shape (4,), got {got.shape}"
        for k in range(4):
            found = []
            for cut in np.unique(z[:, k]):
                given = z[:, k] >= cut
                if labels[given, k].mean() >= floor:
                    found.append(given)
            want = max(found, key=lambda given: given.sum(), default=np.zeros(40, dtype=bool))
            given = z[:, k] >= got[k]
            if not np.array_equal(given, want):
                return (
                    f"with a floor of {floor} your cut for label {k} gives it to {given.sum()} "
                    f"messages; the one that finds the most gives it to {want.sum()}. A cut below "
                    "one that fails may still reach the floor"
                )
    return None


@_exercise("03.2")
def _a_rare_label_is_added(answer: Callable[[Any, Any, int], Any]) -> str | None:
    rng = np.random.default_rng(32)
    labels = (rng.random((30, 3)) < 0.4).astype(int)
    predicted = np.where(rng.random((30, 3)) < 0.2, 1 - labels, labels)
    hits, alarms = (predicted & labels).sum(axis=0), (predicted & ~labels & 1).sum(axis=0)
    misses = (1 - predicted & labels).sum(axis=0)
    for n_new in (5, 1):
        micro = 2 * hits.sum() / (2 * hits.sum() + alarms.sum() + misses.sum() + n_new)
        macro = np.append(2 * hits / (2 * hits + alarms + misses), 0).mean()
        got = np.asarray(answer(labels.copy(), predicted.copy(), n_new), dtype=np.float64)
        if got.shape != (2,) or not np.allclose(got, [micro, macro], atol=1e-6):
            return (
                f"with {n_new} messages of the new label expected micro-F1 {micro:.4f} and "
                f"macro-F1 {macro:.4f}, got {got}: it brings {n_new} more misses, and one more 0"
            )
    return None


@_exercise("03.3")
def _cost_per_label(answer: Callable[[Any, Any, Any], Any]) -> str | None:
    p = np.array([[0.02, 0.3, 0.9], [0.25, 0.3, 0.5], [0.6, 0.1, 0.95]])  # 0.25 is a tie
    alarm, miss = np.array([1.0, 1.0, 9.0]), np.array([3.0, 8.0, 1.0])
    want = (p * miss >= (1 - p) * alarm).astype(int)
    got = np.asarray(answer(p.copy(), alarm.copy(), miss.copy()))
    if got.shape != want.shape:
        return f"expected one answer a message and label, shape {want.shape}, got {got.shape}"
    if not np.array_equal(got, want):
        return (
            f"expected {want.tolist()}, got {got.tolist()}: each label has its own cut, "
            "false_positive / (false_positive + false_negative)"
        )
    return None


@_exercise("03.4")
def _best_expected_f1(answer: Callable[[Any], Any]) -> str | None:
    rng = np.random.default_rng(34)
    for p in (np.array([0.1, 0.9, 0.6, 0.05]), rng.beta(0.3, 1.5, 60), np.array([0.01, 0.02])):
        falling = np.sort(p)[::-1]
        f1 = [2 * falling[:k].sum() / (k + p.sum()) for k in range(1, len(p) + 1)]
        got = answer(rng.permutation(p))
        if got is None or got != 1 + int(np.argmax(f1)):
            return (
                f"for {len(p)} messages with {p.sum():.2f} expected positives give the label to "
                f"{1 + int(np.argmax(f1))}, not {got}: sort, take the likeliest first, and try "
                "every number"
            )
    return None


@_exercise("04.1")
def _threshold_at_new_rate(answer: Callable[[float, float, float], float]) -> str | None:
    for threshold, old, new in ((0.5, 0.1, 0.5), (0.05, 0.1, 0.02), (0.3, 0.2, 0.2)):
        odds = threshold / (1 - threshold) * (old / (1 - old)) / (new / (1 - new))
        got, want = answer(threshold, old, new), odds / (1 + odds)
        if got is None or not abs(got - want) <= 1e-9:
            return (
                f"for a threshold of {threshold} and a base rate that goes from {old} to {new} you "
                f"give {got}. The shift is added to the logit, so the cut moves by minus the shift"
            )
    return None


@_exercise("04.2")
def _overhead(answer: Callable[[float, float, int], Any]) -> str | None:
    for overhead, each, n in ((0.004, 0.002, 16), (0.01, 0.0005, 64), (0.0, 0.003, 2)):
        got = answer(overhead + each, overhead + n * each, n)
        if got is None or np.shape(got) != (2,) or not np.allclose(got, (overhead, each)):
            return (
                f"a request with 1 text takes {overhead + each} s, one with {n} takes "
                f"{overhead + n * each} s: you give {got}. These are two equations, overhead + n * "
                "each = seconds, with two unknowns"
            )
    return None


@_exercise("04.3")
def _shared_batches(answer: Callable[[list[int], int], Any]) -> str | None:
    for waiting, limit in (
        ([1, 1, 1], 8),
        ([3, 3, 3], 8),
        ([9, 1], 8),
        ([1, 9, 7, 1, 1], 8),
        ([8, 8], 8),
        ([], 8),
    ):
        want: list[list[int]] = []
        for n in waiting:
            if want and sum(want[-1]) + n <= limit:
                want[-1].append(n)
            else:
                want.append([n])
        got = answer(list(waiting), limit)
        if [list(batch) for batch in got] != want:
            return (
                f"with {waiting} waiting and a limit of {limit} expected {want}, got {got}: take "
                "requests in order while their texts fit; one that is too large runs alone"
            )
    return None


@_exercise("04.4")
def _alarm_share_moved(answer: Callable[[int, int, float], Any]) -> str | None:
    for alarms, n, expected in ((130, 1000, 0.1), (120, 1000, 0.1), (60, 1000, 0.1), (3, 10, 0.1)):
        want = abs(alarms / n - expected) > 3 * np.sqrt(expected * (1 - expected) / n)
        got = answer(alarms, n, expected)
        if got is None or np.ndim(got) or bool(got) != bool(want):
            return (
                f"{alarms} alarms among {n} messages where {expected:.0%} are usual: expected "
                f"{bool(want)}, got {got}. The standard error of a share is sqrt(p (1 - p) / n), "
                "with the usual share as p"
            )
    return None
