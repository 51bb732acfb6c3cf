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
from helpers.probabilities import confidence, sigmoid

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


def _many_numbers(got: Any, shape: tuple[int, ...], what: str) -> tuple[np.ndarray, str | None]:
    """Read an answer as a table of floats; say in words what keeps it from being one."""
    if got is None:
        return np.empty(0), f"expected {what}, shape {shape}, got None: is there a `return`?"
    try:
        table = np.asarray(got, dtype=np.float64)
    except (TypeError, ValueError):
        return np.empty(
            0
        ), f"expected {what}, shape {shape}, got {got!r}: it is no table of numbers"
    if table.shape != shape:
        return table, f"expected {what}, shape {shape}, got {table.shape}"
    if np.isnan(table).any():
        return table, f"expected {what}, got {table.tolist()}: a NaN is smaller than nothing"
    return table, None


@_exercise("03.1")
def _precision_floor_per_label(answer: Callable[[Any, Any, float], Any]) -> str | None:
    order = np.array([3, 0, 6, 1, 7, 4, 2, 5])
    z = np.array([3, 2.5, 2, 1, 0.5, -0.5, -1, -2])[:, None].repeat(5, axis=1)
    z[1:3, 1] = 2.25  # a tie
    labels = np.array(
        [
            [1, 1, 0, 1, 1, 0, 0, 0],  # at .75 the best cut lies below one that fails
            [1, 1, 0, 1, 1, 0, 1, 1],  # all may have it at .5, and at .75 exactly
            [0, 0, 0, 0, 0, 0, 1, 1],  # no cut reaches either floor
            [1, 1, 1, 0, 0, 0, 0, 0],  # two cuts find three at .75: either is right
            [0, 0, 1, 1, 1, 1, 0, 0],  # precision rises on the way down
        ]
    ).T
    z, labels = z[order], labels[order]
    for floor in (0.75, 0.5):
        got, hint = _many_numbers(answer(z.copy(), labels.copy(), floor), (5,), "one cut a label")
        if hint:
            return hint
        share = bool(((got > 0) & (got <= 1) | (got == np.inf)).all())  # probabilities, it seems
        for k in range(5):
            if hint := _judge_floor_cut(z[:, k], labels[:, k], floor, float(got[k]), share):
                fall = np.argsort(-z[:, k], kind="stable")
                return (
                    f"with a floor of {floor}, label {k} (logits from the top "
                    f"{z[fall, k].tolist()}, labels {labels[fall, k].tolist()}), got the cut "
                    f"{got[k]:g}: {hint}"
                )
    return None


def _judge_floor_cut(
    z: np.ndarray, true: np.ndarray, floor: float, got: float, share: bool
) -> str | None:
    """Judge one label's cut by its hits and its precision; any cut that finds the most is right."""
    cuts = np.unique(z)[::-1]
    precision = np.array([true[z >= cut].mean() for cut in cuts])
    hits = np.array([true[z >= cut].sum() for cut in cuts])
    fit = precision >= floor
    if not fit.any():
        return None if got == np.inf else "expected np.inf, for here no cut reaches the floor"
    best = int(np.argmax(np.where(fit, hits, -1)))
    given, most = z >= got, hits[best]
    found = int(true[given].sum())
    want = f"expected {most} of them found, as by the cut {cuts[best]:g}"
    reached = given.any() and true[given].mean() >= floor
    if reached and found == most:
        return None
    above, chance = z > got, 1 / (1 + np.exp(-z))
    if above.any() and true[above].mean() >= floor and true[above].sum() == most:
        return f"{want}; yours would be right if `>` gave the label, but `>=` does"
    if share and true[chance >= got].sum() == most and true[chance >= got].mean() >= floor:
        return f"{want}; yours is a probability, and the cuts are asked for on the logits"
    if not given.any():
        return f"{want}; yours gives the label to nobody"
    if not reached:
        return f"{want}; of {given.sum()} that yours gives it to only {found} are right"
    strict = precision > floor
    if found == (hits[strict].max() if strict.any() else 0):
        return f"{want}; yours finds {found}. A precision equal to the floor reaches it"
    if found == hits[: int(np.argmin(fit))].max(initial=0):
        return f"{want}; yours finds {found}. A cut below one that fails may still reach the floor"
    return f"{want}; yours reaches the floor and finds only {found}"


@_exercise("03.2")
def _a_rare_label_is_added(answer: Callable[[Any, Any, int], Any]) -> str | None:
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 0, 0]])
    predicted = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 1], [1, 1, 0]])
    hits, both = (predicted & labels).sum(axis=0), (predicted + labels).sum(axis=0)
    for n_new in (5, 1, 9):
        micro = 2 * hits.sum() / (both.sum() + n_new)
        macro = np.append(2 * hits / both, 0).mean()
        got, hint = _many_numbers(
            answer(labels.copy(), predicted.copy(), n_new), (2,), "the pair micro-F1, macro-F1"
        )
        if hint is None and np.allclose(got, [micro, macro], atol=1e-6):
            continue
        as_is = 2 * np.append(hits.sum(), hits) / np.append(both.sum(), both)
        if hint:
            why = hint
        elif np.allclose(got, [macro, micro]):
            why = "these are the right two, in the other order"
        elif np.allclose(got, [100 * micro, 100 * macro]):
            why = "these are percent"
        elif np.isclose(got[0], as_is[0]):
            why = f"micro-F1 counts all misses, and there are {n_new} more misses now"
        elif np.isclose(got[0], 2 * hits.sum() / (both.sum() + 2 * n_new)):
            why = f"nobody was given the new label: {n_new} misses, and no false ones"
        elif not np.isclose(got[0], micro):
            why = "micro-F1 is off: 2 hits / (given + true), each summed over all four labels"
        elif np.isclose(got[1], as_is[1:].mean()):
            why = "the new label's F1 is 0, and macro-F1 is the mean of four"
        else:
            why = "macro-F1 is off: the plain mean of the four labels' F1, the last of them 0"
        return (
            f"for labels {labels.tolist()}, predicted {predicted.tolist()} and {n_new} new: "
            f"expected micro-F1 {micro:.4f} and macro-F1 {macro:.4f}, got {got.tolist()}: {why}"
        )
    return None


@_exercise("03.3")
def _cost_per_label(answer: Callable[[Any, Any, Any], Any]) -> str | None:
    p = np.array([[0.02, 0.3, 0.9], [0.25, 0.05, 0.5], [0.6, 0.49, 0.95], [0.2, 0.8, 0.09]])
    alarm, miss = np.array([1.0, 1.0, 9.0]), np.array([3.0, 8.0, 1.0])  # p = 0.25 is a tie
    cut = alarm / (alarm + miss)
    want = (p >= cut).astype(int)
    got, hint = _many_numbers(
        answer(p.copy(), alarm.copy(), miss.copy()), p.shape, "an answer a message and label"
    )
    if hint is None and np.array_equal(got, want):
        return None
    shared = alarm.mean() / (alarm.mean() + miss.mean())
    tried = {
        "where both cost the same, 1 is asked for": p > cut,
        "a cut of 0.5 takes no notice of the prices: each label has its own cut": p >= 0.5,
        "each label has its own cut, and not one from the mean prices": p >= shared,
        "false_positive and false_negative have changed places": p >= miss / (alarm + miss),
        "a ratio of prices is a cut on the odds p / (1 - p), not on p": p >= alarm / miss,
        "1 and 0 have changed places": p < cut,
    }
    why = hint or next((text for text, table in tried.items() if np.array_equal(got, table)), None)
    if why is None and not np.isin(got, [0, 1]).all():
        why = "a table of 0 and 1 is asked for"
    why = why or "each label has its own cut; compare p * miss with (1 - p) * alarm"
    return (
        f"for probabilities {p.tolist()}, false_positive {alarm.tolist()} and false_negative "
        f"{miss.tolist()} expected {want.tolist()}, got {got.tolist()}: {why}"
    )


@_exercise("03.4")
def _best_expected_f1(answer: Callable[[Any], Any]) -> str | None:
    failed, explains = "", np.array(True)
    for p in (
        np.array([0.1, 0.9, 0.6, 0.05]),
        np.array([0.05, 0.3, 0.02, 0.45, 0.2, 0.1, 0.02, 0.35]),
        np.array([0.01, 0.02]),
        np.array([0.7, 0.9, 0.8]),
    ):
        falling, number = np.sort(p)[::-1], np.arange(1, len(p) + 1)
        f1 = 2 * falling.cumsum() / (number + p.sum())
        want = 1 + int(f1.argmax())
        got, hint = _many_numbers(answer(p.copy()), (), "one whole number")
        if not failed and (hint or got != want):
            failed = (
                f"for the probabilities {p.tolist()} ({p.sum():.2f} expected positives) expected "
                f"{want}, got {got.tolist()}: "
            )
        if hint:
            return failed + hint
        as_is = 1 + (2 * p.cumsum() / (number + p.sum())).argmax()
        values = [want - 1, (p >= 0.5).sum(), (p >= f1.max()).sum(), as_is, round(p.sum()), len(p)]
        explains = explains & np.isclose(got, [*values, f1.max(), falling[want - 1]])
    mistakes = (
        "argmax counts from 0",
        "a cut of 0.5 is too high where the best F1 is below 1",
        "the last one to get it lies above *half* of the best F1",
        "sort first: the likeliest get it",
        "this is the expected number of positives",
        "all of them is too many",
        "this is the F1, and the number that gets the label is asked for",
        "this is the last probability that gets it, and their number is asked for",
    )
    why = [text for text, fits in zip(mistakes, explains, strict=True) if fits]
    why.append("sort, take the likeliest first, and try every number")
    return failed + why[0] if failed else None


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
