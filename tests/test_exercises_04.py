"""Claims about the checks of lesson 04: any right style passes, each mistake has its hint."""

import math
from collections import deque
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from helpers.decisions import BinaryThreshold, Costs
from helpers.exercises import STRICT_VARIABLE, check
from helpers.probabilities import logit, prior_shift, sigmoid


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def odds(p):
    """Return p to one minus p."""
    return p / (1 - p)


def cut(t, old, new):
    """Answer 04.1 rightly."""
    return sigmoid(logit(t) - prior_shift(old=old, new=new))


def by_rule(t, old, new):
    """Answer 04.1 with a rule of the package."""
    costs = Costs(false_positive=t, false_negative=1 - t)
    return BinaryThreshold.from_costs(costs).at_base_rate(old=old, new=new).threshold


def by_search(t, old, new):
    """Answer 04.1 by halving: find the probability whose corrected one is the threshold."""
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2
        corrected = p * new / old / (p * new / old + (1 - p) * (1 - new) / (1 - old))
        low, high = (p, high) if corrected < t else (low, p)
    return p


def line(one, many, n):
    """Answer 04.2 rightly."""
    each = (many - one) / (n - 1)
    return one - each, each


def deal(waiting, limit):
    """Answer 04.3 rightly, with a running total."""
    batches, total = [], 0
    for n in waiting:
        if not batches or total + n > limit:
            batches, total = [*batches, []], 0
        batches[-1].append(n)
        total += n
    return batches


def deal_lazily(waiting, limit):
    """Answer 04.3 as a generator."""
    batch = []
    for n in waiting:
        if batch and sum(batch) + n > limit:
            yield batch
            batch = []
        batch.append(n)
    if batch:
        yield batch


def deal_again(waiting, limit):
    """Answer 04.3 by recursion: the longest start that fits, then the rest."""
    if not waiting:
        return []
    fits = max(1, sum(total <= limit for total in accumulate(waiting)))
    return [waiting[:fits], *deal_again(waiting[fits:], limit)]


def deal_from_queue(waiting, limit):
    """Answer 04.3 by taking from a queue."""
    queue, batches = deque(waiting), []
    while queue:
        batch = [queue.popleft()]
        while queue and sum(batch) + queue[0] <= limit:
            batch.append(queue.popleft())
        batches.append(batch)
    return batches


def deal_with_empty_start(waiting, limit):
    """Begin with an empty batch, which stays empty where the first request is too large."""
    batches = [[]]
    for n in waiting:
        if sum(batches[-1]) + n <= limit:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


def close_what_is_empty(waiting, limit):
    """Close the open batch before a request that does not fit, though it hold nothing."""
    batches, batch = [], []
    for n in waiting:
        if sum(batch) + n > limit:
            batches, batch = [*batches, batch], []
        batch.append(n)
    return [*batches, batch] if batch else batches


def too_large_at_once(waiting, limit):
    """Let a request that is too large run at once, while the open batch goes on filling."""
    batches, batch = [], []
    for n in waiting:
        if n > limit:
            batches.append([n])
        elif sum(batch) + n <= limit:
            batch.append(n)
        else:
            batches, batch = [*batches, batch], [n]
    return [*batches, batch] if batch else batches


def without_last(waiting, limit):
    """Forget the batch that is open at the end."""
    return deal(waiting, limit)[:-1]


def first_fit(waiting, limit):
    """Fill the first batch with room."""
    batches = []
    for n in waiting:
        room = next((batch for batch in batches if sum(batch) + n <= limit), None)
        if room is None:
            batches.append([n])
        else:
            room.append(n)
    return batches


def close_after(waiting, limit):
    """Close a batch with the request that is too much."""
    batches = []
    for n in waiting:
        if batches and sum(batches[-1]) < limit:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


def pieces(waiting, limit):
    """Cut what is too large, then deal."""
    parts = [min(limit, n - i) for n in waiting for i in range(0, n, limit)]
    return deal(parts, limit)


def moved(a, n, p, times=3):
    """Answer 04.4 rightly."""
    return abs(a / n - p) > times * math.sqrt(p * (1 - p) / n)


def by_two_ends(a, n, p):
    """Answer 04.4 with the band around the expected share."""
    error = np.sqrt(p * (1 - p) / n)
    return not p - 3 * error <= a / n <= p + 3 * error


def by_if(a, n, p):
    """Answer 04.4 in small steps."""
    z = (a - n * p) / (n * p * (1 - p)) ** 0.5
    if z > 3:
        return True
    return z < -3


RIGHT = {
    "04.1": [
        cut,
        by_rule,
        by_search,
        lambda t, old, new: 1 / (1 + (1 - t) / t * (1 - old) / old * new / (1 - new)),
        lambda t, old, new: [cut(t, old, new)],
        lambda t, old, new: np.array([cut(t, old, new)]),
        lambda t, old, new: np.float32(cut(t, old, new)),
        lambda t, old, new: pd.Series([cut(t, old, new)], index=["cut"]),
        lambda t, old, new: torch.tensor(float(cut(t, old, new))),
        lambda t, old, new: (
            1 / (1 + 1 / (odds(Fraction(t)) * odds(Fraction(old)) / odds(Fraction(new))))
        ),
        lambda t, old, new: torch.sigmoid(
            torch.logit(torch.tensor(t, dtype=torch.float64)) + math.log(odds(old) / odds(new))
        ),
        lambda t, old, new: math.exp(x := logit(t) + logit(old) - logit(new)) / (1 + math.exp(x)),
    ],
    "04.2": [
        line,
        lambda one, many, n: list(line(one, many, n)),
        lambda one, many, n: np.linalg.solve([[1, 1], [1, n]], [one, many]),
        lambda one, many, n: np.polyfit([1, n], [one, many], 1)[::-1],
        lambda one, many, n: pd.Series(line(one, many, n), index=["overhead", "each"]),
        lambda one, many, n: np.float32(line(one, many, n)),
        lambda one, many, n: torch.tensor(line(one, many, n), dtype=torch.float64),
        lambda one, many, n: ((n * one - many) / (n - 1), (many - one) / (n - 1)),
        lambda one, many, n: np.array(line(one, many, n), dtype=object),
        lambda one, many, n: (x for x in line(one, many, n)),
        lambda one, many, n: (one - (e := (many - one) / (n - 1)), (many - (one - e)) / n),
        lambda one, many, n: map(float, line(Fraction(one), Fraction(many), n)),
    ],
    "04.3": [
        deal,
        deal_lazily,
        deal_again,
        deal_from_queue,
        lambda w, limit: tuple(map(tuple, deal(w, limit))),
        lambda w, limit: [np.array(batch) for batch in deal(w, limit)],
        lambda w, limit: [np.float32(batch) for batch in deal(w, limit)],
        lambda w, limit: [
            pd.Series(batch, index=range(3, 3 + len(batch))) for batch in deal(w, limit)
        ],
        lambda w, limit: [torch.tensor(batch) for batch in deal(w, limit)],
        lambda w, limit: map(iter, deal(w, limit)),
        lambda w, limit: deque(deque(batch) for batch in deal(w, limit)),
        lambda w, limit: pd.Series(deal(w, limit), dtype=object),
    ],
    "04.4": [
        moved,
        by_two_ends,
        by_if,
        lambda a, n, p: int(moved(a, n, p)),
        lambda a, n, p: np.bool_(moved(a, n, p)),
        lambda a, n, p: np.array(moved(a, n, p)),
        lambda a, n, p: [moved(a, n, p)],
        lambda a, n, p: pd.Series([moved(a, n, p)]),
        lambda a, n, p: torch.tensor(moved(a, n, p)),
        lambda a, n, p: float(moved(a, n, p)),
        lambda a, n, p: (a - n * p) ** 2 > 9 * n * p * (1 - p),
        lambda a, n, p: abs(np.float32(a / n - p)) > 3 * np.sqrt(np.float32(p * (1 - p) / n)),
        lambda a, n, p: abs(a - n * p) > 3 * stats.binom(n, p).std(),
    ],
}
WRONG = {
    "04.1": [
        (lambda t, old, new: cut(t, new, old), "threshold 0.5, old 0.1, new 0.5 .*the other way"),
        (lambda t, old, new: t * old / new, "cannot scale a probability"),
        (lambda t, old, new: t * new / old, "not the probability"),
        (lambda t, old, new: sigmoid(logit(t) - np.log(new / old)), "not the rate"),
        (lambda t, old, new: sigmoid(logit(t) + np.log(new / old)), "not the rate|and the cut"),
        (
            lambda t, old, new: 1 / (1 + (1 - t) / t * (1 - old) / (1 - new)),
            "harmless ones alone",
        ),
        (lambda t, old, new: odds(t) * odds(old) / odds(new), "these are odds"),
        (lambda t, old, new: logit(cut(t, old, new)), "cut on the logit scale"),
        (lambda t, old, new: t * odds(old) / odds(new), "scale the threshold's odds"),
        (lambda t, old, new: t, "a base rate that changes moves the cut"),
        (lambda t, old, new: t - (new - old), "log-odds, not as probabilities"),
        (lambda t, old, new: t + new - old, "old minus new"),
        (lambda t, old, new: sigmoid(logit(t) - new + old), "log-odds, not of rates"),
        (lambda t, old, new: prior_shift(old=old, new=new), "the shift alone"),
        (lambda t, old, new: 100 * cut(t, old, new), "percent"),
        (lambda t, old, new: round(float(cut(t, old, new)), 2), "rounded"),
        (lambda t, old, new: round(float(cut(t, old, new)), 3), "three digits"),
        (lambda t, old, new: round(float(cut(t, old, new)), 4), "four digits"),
        (lambda t, old, new: None, "is there a `return`"),
        (lambda t, old, new: new, "minus the shift"),
        (lambda t, old, new: 0.5, "threshold 0.5, .* got 0.5: .*minus the shift"),
        (lambda t, old, new: (t, cut(t, old, new)), r"shape \(\), got \(2,\)"),
        (lambda t, old, new: "0.1", "numbers are asked for"),
        (lambda t, old, new: np.nan, "got nan"),
        (lambda t, old, new: cut(t, old, new) >= t, "minus the shift"),
    ],
    "04.2": [
        (
            lambda one, many, n: line(one, many, n)[::-1],
            "one 0.006, many 0.036, n 16 .*other order",
        ),
        (lambda one, many, n: (one - (many - one) / n, (many - one) / n), "n - 1 more texts"),
        (lambda one, many, n: (one, line(one, many, n)[1]), "holds one text's time"),
        (lambda one, many, n: (one - many / n, many / n), "a part of the overhead"),
        (lambda one, many, n: (0.0, many / n), "need not be 0"),
        (lambda one, many, n: (one, many / n), "one holds the overhead"),
        (lambda one, many, n: (one - (many - one), many - one), "time of n - 1 texts"),
        (lambda one, many, n: (many - line(one, many, n)[1], line(one, many, n)[1]), "comes once"),
        (lambda one, many, n: 1000 * np.array(line(one, many, n)), "not milliseconds"),
        (
            lambda one, many, n: (line(one, many, n)[1] - one, line(one, many, n)[1]),
            "the wrong sign",
        ),
        (lambda one, many, n: np.round(line(one, many, n), 2), "rounded"),
        (lambda one, many, n: [round(x, 3) for x in line(one, many, n)], "three digits"),
        (lambda one, many, n: one, r"shape \(2,\), got \(\)"),
        (lambda one, many, n: line(one, many, n)[0], r"shape \(2,\), got \(\)"),
        (lambda one, many, n: (*line(one, many, n), n), r"got \(3,\)"),
        (lambda one, many, n: [line(one, many, n)], r"got \(1, 2\)"),
        (lambda one, many, n: None, "is there a `return`"),
        (
            lambda one, many, n: dict(zip("ab", line(one, many, n), strict=True)),
            "a pair is asked for",
        ),
        (lambda one, many, n: "4 ms, 2 ms", "numbers are asked for"),
        (lambda one, many, n: (np.nan, np.nan), "two equations"),
        (lambda one, many, n: (one, many), "two equations"),
        (lambda one, many, n: (0.004, 0.002), "one 0.0106, .*two equations"),
        (lambda one, many, n: (one / 2, one / 2), "two equations"),
    ],
    "04.3": [
        (lambda w, limit: [[n] for n in w], r"for waiting \[1, 1, 1\], limit 8 .*share a batch"),
        (lambda w, limit: [w], r"for waiting \[3, 3, 3\], .*more than the limit"),
        (lambda w, limit: deal(w, limit - 1), "<=, not <"),
        (first_fit, "only the last batch takes more"),
        (lambda w, limit: deal(sorted(w), limit), "these are sorted"),
        (lambda w, limit: deal(sorted(w)[::-1], limit), "from the largest down"),
        (lambda w, limit: deal(w[::-1], limit), "from the last"),
        (lambda w, limit: [b for b in deal(w, limit) if sum(b) <= limit], "it is not lost"),
        (pieces, "it is not cut"),
        (lambda w, limit: [w[i : i + limit] for i in range(0, len(w), limit)], "counts requests"),
        (close_after, "closed before the request"),
        (without_last, "the last batch is missing"),
        (lambda w, limit: deal(w, limit) or [[]], "where nobody waits"),
        (deal_with_empty_start, r"waiting \[9, 1\].*got \[\[\], \[9\], \[1\]\]: a batch is empty"),
        (close_what_is_empty, r"waiting \[9, 1\].*got \[\[\], \[9\], \[1\]\]: a batch is empty"),
        (too_large_at_once, r"waiting \[1, 9, .*a request overtakes another"),
        (lambda w, limit: deal([n for n in w if n <= limit], limit), "runs alone, it is not lost"),
        (lambda w, limit: [sum(b) for b in deal(w, limit)], "not their sum"),
        (lambda w, limit: [len(b) for b in deal(w, limit)], "not how many requests"),
        (lambda w, limit: w, "a list a batch"),
        (lambda w, limit: None, "is there a `return`"),
        (lambda w, limit: len(deal(w, limit)), "a list of batches is asked for"),
        (lambda w, limit: str(deal(w, limit)), "a list of batches is asked for"),
        (lambda w, limit: dict(enumerate(deal(w, limit))), "a list of batches is asked for"),
        (lambda w, limit: [["1"]], "each a list of numbers"),
        (lambda w, limit: deal(w, 8), r"waiting \[1, 1, 1, 1.*limit 10 "),
        (lambda w, limit: [], "expected .*got"),
        (
            lambda w, limit: [[w.index(n) for n in batch] for batch in deal(w, limit)],
            "take requests in order",
        ),
    ],
    "04.4": [
        (lambda a, n, p: a / n - p > 3 * np.sqrt(p * (1 - p) / n), "a share that falls"),
        (lambda a, n, p: p - a / n > 3 * np.sqrt(p * (1 - p) / n), "a share that rises"),
        (lambda a, n, p: abs(a / n - p) >= 3 * np.sqrt(p * (1 - p) / n), ">, not >="),
        (lambda a, n, p: moved(a, n, p, 1), "not one"),
        (lambda a, n, p: moved(a, n, p, 2), "alarms 120, n 1000, expected share 0.1 .*not two"),
        (lambda a, n, p: moved(a, n, p, 1.96), "not 1.96|not two"),
        (
            lambda a, n, p: abs(a / n - p) > 3 * np.sqrt(a / n * (1 - a / n) / n),
            "alarms 130, .*not of the one seen",
        ),
        (lambda a, n, p: abs(a / n - p) > 3 * p * (1 - p) / n, "sqrt"),
        (lambda a, n, p: abs(a / n - p) > 3 * np.sqrt(p * (1 - p)), "divide by n under the root"),
        (lambda a, n, p: abs(a / n - p) > 3 * np.sqrt(2 * p * (1 - p) / n), "known exactly"),
        (lambda a, n, p: abs(a / n - p) > 3 * np.sqrt(p / n), "not p / n"),
        (lambda a, n, p: abs(a / n - p) > 3 * np.sqrt(p * (1 - p)) / n, "under the root, not out"),
        (lambda a, n, p: abs(a - p) > 3 * np.sqrt(p * (1 - p) / n), "alarms is a count"),
        (lambda a, n, p: not moved(a, n, p), "True is for a share that moved"),
        (lambda a, n, p: a != n * p, "every day"),
        (lambda a, n, p: a / n > p, "alarms 120, .* got True"),
        (lambda a, n, p: abs(a / n - p) > 0.03, "depends on n"),
        (lambda a, n, p: abs(a / n - p) / np.sqrt(p * (1 - p) / n), "how many standard errors"),
        (lambda a, n, p: np.sqrt(p * (1 - p) / n), "this is the standard error"),
        (lambda a, n, p: True, "always True"),
        (lambda a, n, p: False, "always False"),
        (lambda a, n, p: None, "is there a `return`"),
        (lambda a, n, p: "moved" if moved(a, n, p) else "same", "numbers are asked for"),
        (lambda a, n, p: [moved(a, n, p), n], r"shape \(\), got \(2,\)"),
        (lambda a, n, p: 2 * moved(a, n, p), "compare .alarms / n - expected."),
        (lambda a, n, p: np.nan, "got nan"),
    ],
}


def test_there_are_enough():
    """Each check is fed twenty wrong answers or more, and ten right ones or more."""
    for name in WRONG:
        assert len(WRONG[name]) >= 20 and len(RIGHT[name]) >= 10


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_in_other_styles(name, answer):
    """Lists, other dtypes, Series, loops: what is right is called right."""
    assert check(name, answer).status == "right", check(name, answer)


@pytest.mark.parametrize(
    ("name", "answer", "words"), [(n, a, words) for n in WRONG for a, words in WRONG[n]]
)
def test_each_mistake_has_its_hint(name, answer, words):
    """What is wrong is refused, with a hint that names the mistake and is the check's own."""
    found = check(name, answer)
    assert found.status == "hint" and "your answer raised" not in found.message
    with pytest.raises(ValueError, match=words):
        raise ValueError(found.message)


@pytest.mark.parametrize("name", sorted(WRONG))
def test_hints_show_the_case(name):
    """A hint shows the inputs, what was expected and what came."""
    for answer, _ in WRONG[name]:
        message = check(name, answer).message
        assert message.startswith("for ") and " expected " in message and ", got " in message
