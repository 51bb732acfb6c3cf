"""Judge the exercises of lesson 00, where one tries out what a check says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.judges.results import Judge, try_cases


def _reached(answer: Callable[[list[float], float], Any]) -> str | None:
    return try_cases(
        answer,
        lambda p, t: (np.asarray(p) >= t).astype(int),
        ("probabilities", "threshold"),
        (([0.1, 0.5, 0.9], 0.5), ([0.2, 0.7, 0.04, 0.05], 0.05), ([0.6], 0.7)),
        {
            "a probability that just reaches the threshold is enough: >=, not >": (
                lambda p, t: np.asarray(p) > t
            ),
            "0 and 1 have changed places": lambda p, t: np.asarray(p) < t,
            "0 and 1 have changed places, and so has a tie": lambda p, t: np.asarray(p) <= t,
            "the threshold was not used": lambda p, t: np.asarray(p) >= 0.5,
            "these are the probabilities; compare them with the threshold": (
                lambda p, t: np.asarray(p)
            ),
        },
        "1 where the probability is the threshold or more, else 0",
    )


def _price(answer: Callable[[list[int], list[int], float, float], Any]) -> str | None:
    def counted(labels: list[int], decisions: list[int]) -> tuple[int, int, int]:
        y, d = np.asarray(labels), np.asarray(decisions)
        return int((y < d).sum()), int((y > d).sum()), len(y)

    def paid(labels, decisions, alarm, miss):
        alarms, misses, _ = counted(labels, decisions)
        return alarm * alarms + miss * misses

    return try_cases(
        answer,
        paid,
        ("labels", "decisions", "false_positive", "false_negative"),
        (([0, 0, 1, 1, 1], [0, 1, 1, 0, 0], 1, 20), ([0, 0, 0], [1, 1, 0], 3, 5), ([1], [1], 1, 2)),
        {
            "the two prices have changed places: a false positive is a 1 where the label is 0": (
                lambda y, d, alarm, miss: paid(y, d, miss, alarm)
            ),
            "this is the cost a message; asked for is the cost of all": (
                lambda y, d, alarm, miss: paid(y, d, alarm, miss) / len(y)
            ),
            "these are the mistakes, without their prices": (
                lambda y, d, alarm, miss: sum(counted(y, d)[:2])
            ),
            "misses cost, too": lambda y, d, alarm, miss: alarm * counted(y, d)[0],
            "false alarms cost, too": lambda y, d, alarm, miss: miss * counted(y, d)[1],
        },
        "a price for each 1 where the label is 0, the other for each 0 where the label is 1",
    )


CHECKS: dict[str, Judge] = {"00.1": _reached, "00.2": _price}
