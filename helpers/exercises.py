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
from helpers.probabilities import sigmoid

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
