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

from helpers.exercises_binary import BINARY_CHECKS, hint_for
from helpers.probabilities import confidence

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
        hint = hint_for(_CHECKS[name], answer)
        found = Checked("hint", hint) if hint else Checked("right", "well done")
    if os.environ.get(STRICT_VARIABLE) and found.status != "right":
        raise AssertionError(f"exercise {name}: {found}")
    return found


_CHECKS: dict[str, Callable[[Any], str | None]] = {**BINARY_CHECKS}


def _exercise(name: str) -> Callable[[Callable], Callable]:
    """Register a function that returns None for a right answer, or a hint."""

    def register(function: Callable) -> Callable:
        _CHECKS[name] = function
        return function

    return register


@_exercise("02.1")
def _top_two(answer: Callable[[Any, float], Any]) -> str | None:
    z = np.array([[3.0, 0.0, 0.0], [0.0, 2.0, 1.9], [-1.0, 0.5, 1.5], [9.0, 1.0, 8.0]])
    for lead in (0.5, 0.1, 0.0):
        want = np.where(confidence(z, measure="margin") >= lead, z.argmax(axis=1), 3)
        got = np.asarray(answer(z.copy(), lead))
        if got.shape != want.shape:
            return f"expected one index a row, shape {want.shape}, got {got.shape}"
        if not np.array_equal(got, want):
            return (
                f"at a lead of {lead} expected {want}, got {got}: sort each row's softmax and "
                "compare the last two"
            )
    return None


@_exercise("02.2")
def _audit(answer: Callable[[Any, Any], Any]) -> str | None:
    names = ("tax", "bin", "library", "bus")
    for labels, want in (
        (["bin", "tax", "bin", "bus", "library"], ([], [])),
        (["bin", "Bin", "bus", "zoo", "bus"], (["library", "tax"], ["Bin", "zoo"])),
        ([], (["bin", "bus", "library", "tax"], [])),
    ):
        got = answer(names, list(labels))
        if tuple(map(list, got)) != want:
            return (
                f"for the list {names} and the labels {labels} expected {want}, got {got}: first "
                "what is listed and not found, then what is found and not listed"
            )
    return None


@_exercise("02.3")
def _budget(answer: Callable[[Any, int], float]) -> str | None:
    sure = np.array([0.9, 0.2, 0.5, 0.5, 0.7, 0.35])
    for capacity, want in ((0, 0), (1, 1), (2, 2), (3, 2), (4, 4), (6, 6)):  # two of them tie
        got = int((sure < answer(sure.copy(), capacity)).sum())
        if got != want:
            return (
                f"with room for {capacity} of {sure.tolist()} your cut hands over {got}, and "
                f"{want} is the most that fits: messages with the same confidence go together"
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
