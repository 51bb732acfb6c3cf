"""Judge the exercises of lesson 04."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.judges.results import Judge, try_cases
from helpers.probabilities import logit, sigmoid


def _threshold_at_new_rate(answer: Callable[[float, float, float], float]) -> str | None:
    def odds(p: float) -> float:
        return p / (1 - p)

    def cut(threshold: float, old: float, new: float) -> float:
        moved = odds(threshold) * odds(old) / odds(new)
        return moved / (1 + moved)

    return try_cases(
        answer,
        cut,
        ("threshold", "old", "new"),
        ((0.5, 0.1, 0.5), (0.05, 0.1, 0.02), (0.9, 0.25, 0.4), (0.3, 0.2, 0.2)),
        {
            "the probabilities move by the shift, so a cut on the old ones moves the other way": (
                lambda t, old, new: cut(t, new, old)
            ),
            "a ratio of base rates cannot scale a probability; it is the odds that are scaled": (
                lambda t, old, new: t * old / new
            ),
            "a ratio of base rates scales the odds, not the probability, and it is old to new": (
                lambda t, old, new: t * new / old
            ),
            "the odds of a base rate are rate / (1 - rate), not the rate": (
                lambda t, old, new: sigmoid(logit(t) - np.log(new / old))
            ),
            "the odds of a base rate are rate / (1 - rate), and the cut moves the other way": (
                lambda t, old, new: sigmoid(logit(t) + np.log(new / old))
            ),
            "this reweights the harmless ones alone; the urgent ones change by new / old": (
                lambda t, old, new: sigmoid(logit(t) - np.log((1 - old) / (1 - new)))
            ),
            "these are odds; a threshold is odds / (1 + odds)": (
                lambda t, old, new: odds(t) * odds(old) / odds(new)
            ),
            "this is the cut on the logit scale; its sigmoid is the threshold": (
                lambda t, old, new: logit(cut(t, old, new))
            ),
            "this scales the threshold by the odds; scale the threshold's odds": (
                lambda t, old, new: t * odds(old) / odds(new)
            ),
            "a base rate that changes moves the cut": lambda t, old, new: t,
            "base rates are subtracted as log-odds, not as probabilities": (
                lambda t, old, new: t - (new - old)
            ),
            "base rates are subtracted as log-odds, not as probabilities, and old minus new": (
                lambda t, old, new: t + new - old
            ),
            "the shift of a logit is a difference of log-odds, not of rates": (
                lambda t, old, new: sigmoid(logit(t) - (new - old))
            ),
            "this is the shift alone; the cut has to be moved by it": (
                lambda t, old, new: logit(new) - logit(old)
            ),
            "this is in percent": lambda t, old, new: 100 * cut(t, old, new),
            "this is rounded": lambda t, old, new: round(cut(t, old, new), 2),
            "this is rounded to three digits": lambda t, old, new: round(cut(t, old, new), 3),
            "this is rounded to four digits": lambda t, old, new: round(cut(t, old, new), 4),
        },
        "the shift is added to the logit, so the cut's logit moves by minus the shift",
    )


def _overhead(answer: Callable[[float, float, int], Any]) -> str | None:
    def solve(one: float, many: float, n: int) -> tuple[float, float]:
        each = (many - one) / (n - 1)
        return round(one - each, 12), round(each, 12)

    def rounded(digits: int) -> Callable:
        return lambda *case: np.round(solve(*case), digits)

    return try_cases(
        answer,
        solve,
        ("one", "many", "n"),
        ((0.006, 0.036, 16), (0.0106, 0.0484, 64), (0.003, 0.006, 2)),
        {
            "the right two, in the other order": lambda *case: solve(*case)[::-1],
            "from one text to n there are n - 1 more texts, not n": (
                lambda one, many, n: (one - (many - one) / n, (many - one) / n)
            ),
            "the time a text is right; a request with one text holds one text's time, too": (
                lambda one, many, n: (one, solve(one, many, n)[1])
            ),
            "many / n has a part of the overhead in it": (
                lambda one, many, n: (one - many / n, many / n)
            ),
            "many / n has a part of the overhead in it, and the overhead need not be 0": (
                lambda one, many, n: (0, many / n)
            ),
            "one holds the overhead and the time of a text": lambda one, many, n: (one, many / n),
            "the difference is the time of n - 1 texts, not of one": (
                lambda one, many, n: (one - (many - one), many - one)
            ),
            "n texts take n times as long as one, and the overhead comes once": (
                lambda one, many, n: (many - solve(one, many, n)[1], solve(one, many, n)[1])
            ),
            "seconds are asked for, not milliseconds": lambda *case: 1000 * np.array(solve(*case)),
            "the overhead has the wrong sign": (lambda *case: (-solve(*case)[0], solve(*case)[1])),
            "this is rounded": rounded(2),
            "this is rounded to three digits": rounded(3),
        },
        "these are two equations, overhead + each = one and overhead + n * each = many",
    )


def _deal(waiting: list[int], limit: int) -> list[list[int]]:
    """Deal requests into batches as the service does."""
    batches: list[list[int]] = []
    for n in waiting:
        if batches and sum(batches[-1]) + n <= limit:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


def _first_fit(waiting: list[int], limit: int) -> list[list[int]]:
    """Put each request into the first batch with room."""
    batches: list[list[int]] = []
    for n in waiting:
        for batch in batches:
            if sum(batch) + n <= limit:
                batch.append(n)
                break
        else:
            batches.append([n])
    return batches


def _closed_late(waiting: list[int], limit: int) -> list[list[int]]:
    """Close a batch once it is full, with the request that filled it."""
    batches: list[list[int]] = []
    for n in waiting:
        if batches and sum(batches[-1]) < limit:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


_DEALT_WRONGLY: dict[str, Callable[[list[int], int], list]] = {
    "requests that fit share a batch": lambda w, limit: [[n] for n in w],
    "all of them in one batch are more than the limit": lambda w, limit: [w],
    "a batch that holds just the limit is not too large: <=, not <": (
        lambda w, limit: _deal(w, limit - 1)
    ),
    "requests keep their order: only the last batch takes more": _first_fit,
    "requests keep their order; these are sorted": lambda w, limit: _deal(sorted(w), limit),
    "requests keep their order; these come from the largest down": (
        lambda w, limit: _deal(sorted(w, reverse=True), limit)
    ),
    "requests keep their order; these come from the last": (lambda w, limit: _deal(w[::-1], limit)),
    "a request with more than the limit runs alone, it is not lost": (
        lambda w, limit: [batch for batch in _deal(w, limit) if sum(batch) <= limit]
    ),
    "a request with more than the limit runs alone, it is not cut": (
        lambda w, limit: _deal([part for n in w for part in _cut(n, limit)], limit)
    ),
    "the limit is on texts; this counts requests": (
        lambda w, limit: [w[i : i + limit] for i in range(0, len(w), limit)]
    ),
    "a batch is closed before the request that would be too much, not after it": _closed_late,
    "the last batch is missing": lambda w, limit: _deal(w, limit)[:-1],
    "where nobody waits there is no batch": (lambda w, limit: _deal(w, limit) or [[]]),
    "a batch is a list of its requests, not their sum": (
        lambda w, limit: [sum(batch) for batch in _deal(w, limit)]
    ),
    "a batch lists the texts of each request, not how many requests": (
        lambda w, limit: [len(batch) for batch in _deal(w, limit)]
    ),
    "each batch holds the texts of a request, not its place in the queue": (
        lambda w, limit: _places(w, limit)
    ),
    "one list of all: a list a batch is asked for": lambda w, limit: w,
}


def _cut(n: int, limit: int) -> list[int]:
    """Cut a request into parts of at most so many texts."""
    return [limit] * (n // limit) + [n % limit] * (n % limit > 0)


def _places(waiting: list[int], limit: int) -> list[list[int]]:
    """Give the places of the requests instead of their sizes."""
    places = iter(range(len(waiting)))
    return [[next(places) for _ in batch] for batch in _deal(waiting, limit)]


def _misdealt(batches: list, waiting: list[int], limit: int) -> str:
    """Name what batches break: none is empty, each request is in one, in its turn."""
    if [] in batches:
        return (
            "a batch is empty: close one only if it holds something; a request with more than "
            "the limit may come when none is open"
        )
    dealt = [n for batch in batches if isinstance(batch, list) for n in batch]
    if dealt == [n for n in waiting if n <= limit] != waiting:
        return "a request with more than the limit runs alone, it is not lost"
    if dealt != waiting and sorted(map(str, dealt)) == sorted(map(str, waiting)):
        return "a request overtakes another: only the last batch takes more"
    return "take requests in order while their texts fit; one too large runs alone"


def _plain(raw: Any) -> Any:
    """Turn whatever holds the numbers into lists of whole numbers."""
    raw = raw.tolist() if hasattr(raw, "tolist") else raw
    if isinstance(raw, (str, bytes, dict)):
        raise TypeError("numbers are asked for")
    if hasattr(raw, "__iter__"):
        return [_plain(one) for one in raw]
    return int(raw) if raw == int(raw) else raw


def _shared_batches(answer: Callable[[list[int], int], Any]) -> str | None:
    cases: tuple[tuple[list[int], int], ...] = (
        ([1, 1, 1], 8),
        ([3, 3, 3], 8),
        ([3, 5, 2], 8),
        ([5, 6, 2, 1], 8),
        ([9, 1], 8),
        ([1, 9, 7, 1, 1], 8),
        ([1] * 9 + [4, 20, 2], 10),
        ([], 8),
    )
    wants, given, shown = [_deal(*case) for case in cases], [], []
    for (waiting, limit), want in zip(cases, wants, strict=True):
        raw = answer(list(waiting), limit)
        seen = f"for waiting {waiting}, limit {limit} expected {want}, got "
        if raw is None:
            return f"{seen}None: is there a `return`?"
        try:
            got = _plain(raw)
        except (TypeError, ValueError):
            return f"{seen}{raw!r}: a list of batches is asked for, each a list of numbers"
        if not isinstance(got, list):
            return f"{seen}{raw!r}: a list of batches is asked for, each a list of numbers"
        given.append(got)
        shown.append(seen + str(got))
    for (waiting, limit), want, got, seen in zip(cases, wants, given, shown, strict=True):
        if got == want:
            continue
        for words, wrong in _DEALT_WRONGLY.items():
            if given == [wrong(list(w), limit) for w, limit in cases]:
                return f"{seen}: {words}"
        return f"{seen}: {_misdealt(got, waiting, limit)}"
    return None


def _alarm_share_moved(answer: Callable[[int, int, float], Any]) -> str | None:
    def apart(alarms: int, n: int, p: float) -> float:
        return alarms / n - p

    def error(n: int, p: float) -> float:
        return float(np.sqrt(p * (1 - p) / n))

    def beyond(times: float) -> Callable[[int, int, float], bool]:
        return lambda a, n, p: abs(apart(a, n, p)) > times * error(n, p)

    return try_cases(
        answer,
        beyond(3),
        ("alarms", "n", "expected share"),
        (
            (130, 1000, 0.1),
            (120, 1000, 0.1),
            (60, 1000, 0.1),
            (72, 1000, 0.1),
            (3, 10, 0.1),
            (4, 100, 0.01),
            (44, 64, 0.5),  # three standard errors exactly
            (112, 1000, 0.1),
            (200, 1000, 0.1),  # far beyond, by any standard error
            (10, 100, 0.1),
            (1, 15, 0.1),
            (1, 8, 0.1),
            (20, 20, 0.05),
            (68, 100, 0.5),
            (0, 100, 0.001),
        ),
        {
            "a share that falls is a change, too: compare the absolute difference": (
                lambda a, n, p: apart(a, n, p) > 3 * error(n, p)
            ),
            "a share that rises is a change, too: compare the absolute difference": (
                lambda a, n, p: apart(a, n, p) < -3 * error(n, p)
            ),
            "exactly three is not more than three: >, not >=": (
                lambda a, n, p: abs(apart(a, n, p)) >= 3 * error(n, p)
            ),
            "three standard errors are asked for, not one": beyond(1),
            "three standard errors are asked for, not two": beyond(2),
            "three standard errors are asked for, not 1.96": beyond(1.96),
            "the standard error is that of the expected share, not of the one seen": (
                lambda a, n, p: abs(apart(a, n, p)) > 3 * error(n, a / n)
            ),
            "sqrt: p (1 - p) / n is the variance of a share": (
                lambda a, n, p: abs(apart(a, n, p)) > 3 * error(n, p) ** 2
            ),
            "the expected share is known exactly: one standard error, not that of two samples": (
                beyond(3 * 2**0.5)
            ),
            "n messages tell more than one: divide by n under the root": (
                lambda a, n, p: abs(apart(a, n, p)) > 3 * error(1, p)
            ),
            "the variance is p (1 - p) / n, not p / n": (
                lambda a, n, p: abs(apart(a, n, p)) > 3 * np.sqrt(p / n)
            ),
            "divide by n under the root, not outside it": (
                lambda a, n, p: abs(apart(a, n, p)) > 3 * error(1, p) / n
            ),
            "alarms is a count; the share is alarms / n": (
                lambda a, n, p: abs(a - p) > 3 * error(n, p)
            ),
            "True is for a share that moved": lambda a, n, p: not beyond(3)(a, n, p),
            "any difference at all would be a warning every day": lambda a, n, p: a / n != p,
            "how far a share may stray depends on n and on itself; 0.03 fits one case": (
                lambda a, n, p: abs(apart(a, n, p)) > 0.03
            ),
            "True or False is asked for; this is how many standard errors it is away": (
                lambda a, n, p: abs(apart(a, n, p)) / error(n, p)
            ),
            "True or False is asked for; this is the standard error": (lambda a, n, p: error(n, p)),
            "this is always True": lambda a, n, p: True,
            "this is always False": lambda a, n, p: False,
        },
        "compare |alarms / n - expected| with 3 sqrt(expected (1 - expected) / n)",
    )


def _day_of_change(answer: Callable[[Any], Any]) -> str | None:
    def spread(part: np.ndarray) -> float:
        return float(((part - part.mean()) ** 2).sum())

    def split(x: np.ndarray, cost: Callable = lambda a, b: spread(a) + spread(b)) -> int:
        return min(range(1, len(x)), key=lambda k: cost(x[:k], x[k:]))

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return -abs(a.mean() - b.mean())

    def jumps(x: np.ndarray) -> np.ndarray:
        return np.abs(np.diff(x))

    return try_cases(
        answer,
        split,
        ("alarms",),
        (
            (np.array([30, 28, 33, 29, 31, 18, 20, 17, 19, 21]),),
            (np.array([10, 12, 9, 11, 24, 10, 11, 12, 20, 22, 19, 21, 20, 23, 19, 21]),),
            (np.array([50, 20, 21, 19, 20, 22]),),
            (np.array([22, 20, 24, 13, 23, 16, 18, 13, 9, 9, 15, 14]),),
            (np.array([16, 24, 19, 17, 27, 20, 29, 27, 27, 28, 41, 30]),),
            (
                np.array([31, 27, 24, 25, 18, 20, 23, 18, 22, 23, 24, 25]),
            ),  # soon after the first day
        ),
        {
            "days are counted from 0, and the first day after the change is asked for": (
                lambda x: split(x) + 1
            ),
            "this is the last day before the change, not the first after it": (
                lambda x: split(x) - 1
            ),
            "this is the largest step from one day to the next; one odd day makes one, too": (
                lambda x: jumps(x).argmax() + 1
            ),
            "this is the day before the largest step; one odd day makes such a step, too": (
                lambda x: jumps(x).argmax()
            ),
            "this is the day with the most alarms": lambda x: x.argmax(),
            "this is the day with the fewest alarms": lambda x: x.argmin(),
            "the difference of the means alone is largest where one part is a single odd day": (
                lambda x: split(x, apart)
            ),
            "this is where the running sum of differences from the mean is largest, another way": (
                lambda x: np.abs(np.cumsum(x - x.mean())).argmax() + 1
            ),
            "take the least sum, not the largest": (
                lambda x: max(range(1, len(x)), key=lambda k: spread(x[:k]) + spread(x[k:]))
            ),
            "a sum over the days is asked for: a variance forgets how many days a part has": (
                lambda x: split(x, lambda a, b: a.var() + b.var())
            ),
            "squares are asked for, not absolute differences": (
                lambda x: split(
                    x, lambda a, b: np.abs(a - a.mean()).sum() + np.abs(b - b.mean()).sum()
                )
            ),
            "the days after the change have a mean of their own": (
                lambda x: split(x, lambda a, b: spread(a) + ((b - x.mean()) ** 2).sum())
            ),
            "this is always the middle": lambda x: len(x) // 2,
            "this is the sum, and the day is asked for": (
                lambda x: spread(x[: split(x)]) + spread(x[split(x) :])
            ),
            "this is how many days follow; the day of the change is asked for": (
                lambda x: len(x) - split(x)
            ),
        },
        "try every day from 1 on: squared differences from the mean before it, and after it",
    )


CHECKS: dict[str, Judge] = {
    "04.1": _threshold_at_new_rate,
    "04.2": _overhead,
    "04.3": _shared_batches,
    "04.4": _alarm_share_moved,
    "04.5": _day_of_change,
}
