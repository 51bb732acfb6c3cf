"""Claims about the checks of 03.5 and 04.5, the exercises that end on a lesson's own data."""

from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.exercises import STRICT_VARIABLE, check
from helpers.probabilities import sigmoid


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def price(z, y, alarm, miss, cut):
    """Give what a cut costs."""
    given = z >= cut
    return alarm * np.sum(given & (y == 0)) + miss * np.sum(~given & (y == 1))


def cuts(z, y, alarm, miss, candidates=lambda scores: [*scores, np.inf]):
    """Answer 03.5 rightly."""
    return [
        min(candidates(z[:, k]), key=lambda c: price(z[:, k], y[:, k], alarm[k], miss[k], c))
        for k in range(z.shape[1])
    ]


def falling(z, y, alarm, miss):
    """Answer 03.5 with running totals from the top score down."""
    found = []
    for scores, true, a, m in zip(z.T, y.T, alarm, miss, strict=True):
        order = np.argsort(-scores, kind="stable")
        gain = np.append(0, np.cumsum(np.where(true[order] == 1, m, -a)))
        last = np.append(True, np.append(np.diff(scores[order]) != 0, True))  # not within a tie
        best = int(np.argmax(np.where(last, gain, -np.inf)))
        found.append(scores[order][best - 1] if best else np.inf)
    return np.array(found)


def midway(z, y, alarm, miss):
    """Put each cut halfway to the next score below."""
    found = []
    for k, cut in enumerate(cuts(z, y, alarm, miss)):
        below = z[:, k][z[:, k] < cut]
        found.append((cut + below.max()) / 2 if np.isfinite(cut) and len(below) else cut)
    return found


def below(z, y, alarm, miss):
    """Take the next lower score, as if `>` gave the label."""
    return [
        max((x for x in z[:, k] if x < cut), default=-np.inf)
        for k, cut in enumerate(cuts(z, y, alarm, miss))
    ]


def best_f1(z, y, alarm, miss):
    """Forget the prices."""

    def f1(scores, true, cut):
        given = scores >= cut
        return (given & (true == 1)).sum() / (given.sum() + true.sum())

    return [max(s, key=lambda c: f1(s, t, c)) for s, t in zip(z.T, y.T, strict=True)]


def spread(part):
    """Sum the squared differences from the mean."""
    return sum((one - np.mean(part)) ** 2 for one in part)


def day(alarms):
    """Answer 04.5 rightly."""
    days = range(1, len(alarms))
    return min(days, key=lambda k: spread(alarms[:k]) + spread(alarms[k:]))


def by_variance(alarms):
    """Answer 04.5 with numpy's variance, times the number of days."""
    costs = [np.var(alarms[:k]) * k + np.var(alarms[k:]) * (len(alarms) - k) for k in
             range(1, len(alarms))]  # fmt: skip
    return 1 + np.argmin(costs)


def by_totals(alarms):
    """Answer 04.5 by the largest squared sums, which leave the least around the means."""
    n, left = len(alarms), list(accumulate(alarms.tolist()))
    return 1 + int(
        np.argmax([left[k - 1] ** 2 / k + (left[-1] - left[k - 1]) ** 2 / (n - k)
                   for k in range(1, n)])
    )  # fmt: skip


def by_loop(alarms):
    """Answer 04.5 with a loop."""
    best, found = np.inf, None
    for k in range(1, len(alarms)):
        now = spread(alarms[:k].tolist()) + spread(alarms[k:].tolist())
        if now < best:
            best, found = now, k
    return found


def plain_split(alarms, cost):
    """Split at the least of another cost."""
    return min(range(1, len(alarms)), key=lambda k: cost(alarms[:k], alarms[k:]))


RIGHT = {
    "03.5": [
        cuts,
        falling,
        midway,
        lambda *case: np.float32(cuts(*case)),
        lambda *case: tuple(cuts(*case)),
        lambda *case: pd.Series(cuts(*case), index=list("abcd")),
        lambda *case: np.array(cuts(*case), dtype=object),
        lambda *case: torch.tensor(cuts(*case)),
        lambda *case: np.array(cuts(*case)) - 1e-9,
        lambda *case: [99 if cut == np.inf else cut for cut in cuts(*case)],
        lambda z, y, a, m: [-np.inf if c == z[:, k].min() else c
                            for k, c in enumerate(cuts(z, y, a, m))],
        lambda z, y, a, m: cuts(z, y.astype(bool), a.tolist(), m.tolist()),
    ],
    "04.5": [
        day,
        by_variance,
        by_totals,
        by_loop,
        lambda alarms: float(day(alarms)),
        lambda alarms: np.int8(day(alarms)),
        lambda alarms: [day(alarms)],
        lambda alarms: np.array([day(alarms)]),
        lambda alarms: pd.Series([day(alarms)]),
        lambda alarms: torch.tensor(day(alarms)),
        lambda alarms: day(pd.Series(alarms).to_numpy(np.float32)),
        lambda alarms: day(alarms.tolist()),
    ],
}  # fmt: skip
WRONG = {
    "03.5": [
        (lambda z, y, a, m: cuts(z, y, m, a), "have changed places"),
        (lambda z, y, a, m: np.log(a / m), "these labels were not looked at"),
        (lambda z, y, a, m: a / (a + m), "cut as a probability"),
        (lambda *case: sigmoid(np.array(cuts(*case))), "these are probabilities"),
        (lambda z, y, a, m: np.zeros(4), "0 takes no notice"),
        (lambda z, y, a, m: cuts(z, y, np.ones(4), np.ones(4)), "counts mistakes"),
        (best_f1, "best F1"),
        (lambda *case: cuts(*case, candidates=list), r"nobody \(np.inf\) can be the cheapest"),
        (below, "`>=` does"),
        (lambda z, y, a, m: cuts(z, y, -a, -m), "the dearest"),
        (lambda z, y, a, m: [np.inf] * 4, "nobody gets a label"),
        (lambda z, y, a, m: z.min(axis=0), "everybody gets every label"),
        (lambda z, y, a, m: np.full(4, 0.4), "each label has its own prices"),
        (lambda *case: cuts(*case)[0], r"shape \(4,\), got \(\)"),
        (lambda *case: [cuts(*case)], r"got \(1, 4\)"),
        (lambda z, y, a, m: z >= np.array(cuts(z, y, a, m)), r"got \(8, 4\)"),
        (lambda *case: None, "is there a `return`"),
        (lambda *case: "cuts", "no table of numbers"),
        (lambda *case: [np.nan] * 4, "NaN"),
        (lambda *case: cuts(*case)[::-1], "expected .* as the cost of label 0 .*got the cut"),
        (lambda z, y, a, m: cuts(z, 1 - y, a, m), "try every score"),
        (lambda z, y, a, m: cuts(z, y, a[:1].repeat(4), m[:1].repeat(4)), "as the cost of label"),
        (lambda z, y, a, m: z.mean(axis=0), "try every score"),
    ],
    "04.5": [
        (lambda x: day(x) + 1, "for alarms .30, 28.* expected 5, got 6: days are counted from 0"),
        (lambda x: day(x) - 1, "the last day before"),
        (lambda x: np.abs(np.diff(x)).argmax() + 1, "largest step from one day"),
        (lambda x: np.abs(np.diff(x)).argmax(), "the day before the largest step"),
        (lambda x: np.abs(np.cumsum(x - x.mean())).argmax() + 1, "running sum"),
        (lambda x: x.argmax(), "most alarms"),
        (lambda x: x.argmin(), "fewest alarms"),
        (lambda x: plain_split(x, lambda a, b: -abs(a.mean() - b.mean())), "single odd day"),
        (lambda x: plain_split(x, lambda a, b: -spread(a) - spread(b)), "not the largest"),
        (lambda x: plain_split(x, lambda a, b: a.var() + b.var()), "how many days a part has"),
        (
            lambda x: plain_split(
                x, lambda a, b: np.abs(a - a.mean()).sum() + np.abs(b - b.mean()).sum()
            ),
            "not absolute differences",
        ),
        (
            lambda x: plain_split(x, lambda a, b: spread(a) + ((b - x.mean()) ** 2).sum()),
            "a mean of their own",
        ),
        (lambda x: len(x) // 2, "always the middle"),
        (lambda x: spread(x[: day(x)]) + spread(x[day(x) :]), "the day is asked for"),
        (lambda x: len(x) - day(x), "how many days follow"),
        (lambda x: None, "is there a `return`"),
        (lambda x: "Friday", "numbers are asked for"),
        (lambda x: np.arange(day(x), len(x)), r"shape \(\), got \(5,\)"),
        (lambda x: x[day(x)], "try every day"),
        (lambda x: day(x) / len(x), "try every day"),
        (lambda x: 5, r"for alarms .10, 12.* expected 8, got 5"),
        (lambda x: 0, "expected 5, got 0"),
        (lambda x: np.nan, "got nan"),
        (lambda x: -day(x), "try every day"),
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
