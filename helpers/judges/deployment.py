"""Judge the exercises of lesson 04."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.judges.results import Judge


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


CHECKS: dict[str, Judge] = {
    "04.1": _threshold_at_new_rate,
    "04.2": _overhead,
    "04.3": _shared_batches,
    "04.4": _alarm_share_moved,
}
