"""Judge the exercises of lesson 01."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.decisions import Costs
from helpers.judges.results import Judge, show, try_cases
from helpers.probabilities import sigmoid


def _expected_loss_cut(answer: Callable[[float, float], float]) -> str | None:
    return try_cases(
        answer,
        lambda alarm, miss: alarm / (alarm + miss),
        ("false_positive", "false_negative"),
        ((1, 20), (1, 5), (7, 3), (2.5, 2.5)),
        {
            "the two prices have changed places": lambda a, m: m / (a + m),
            "this ratio is a cut on the odds p / (1 - p); on p it is another": lambda a, m: a / m,
            "this is one over the cut's odds": lambda a, m: m / a,
            "the price of a false alarm is not always 1": lambda a, m: 1 / (1 + m),
            "the price of a false alarm is 1 only where it is the unit": lambda a, m: a / (1 + m),
            "this is the cut on the logit scale": lambda a, m: np.log(a / m),
            "this is in percent": lambda a, m: 100 * a / (a + m),
            "this is rounded": lambda a, m: round(a / (a + m), 2),
            "this is rounded to three digits": lambda a, m: round(a / (a + m), 3),
            "this is rounded to four digits": lambda a, m: round(a / (a + m), 4),
            "// rounds down to a whole number": lambda a, m: a // (a + m),
            "0.5 takes no notice of the prices": lambda a, m: 0.5,
        },
        "at the cut both answers cost the same, p * miss = (1 - p) * alarm",
    )


def _one_logit_pipeline(answer: Callable[[Any, float], Any]) -> str | None:
    z = np.array([[2.0], [0.1], [-1.0], [0.0], [0.9], [-3.0]])  # 0.0 is a tie at 0.5
    try:
        answer(z[:1], 0.5)
    except IndexError:  # as for logits[:, 1]
        return "there is one column of logits, logits[:, 0]: this head has one output"
    one = "one decision a row: the one column is logits[:, 0]"
    hint = try_cases(
        answer,
        lambda z, t: (sigmoid(z[:, 0]) >= t).astype(int),
        ("logits", "threshold"),
        ((z, 0.5), (z, 0.7), (z, 0.2), (np.array([[1.5]]), 0.6)),
        {
            "a probability that just reaches the threshold is enough: >=, not >": (
                lambda z, t: sigmoid(z[:, 0]) > t
            ),
            "the threshold is a probability, and these are logits: take their sigmoid": (
                lambda z, t: z[:, 0] >= t
            ),
            "this is the winner's score, sure of either answer; compare P(1) alone": (
                lambda z, t: np.maximum(sigmoid(z[:, 0]), 1 - sigmoid(z[:, 0])) >= t
            ),
            "the threshold was not used": lambda z, t: z[:, 0] >= 0,
            "the threshold was not used, and a tie is answered 0": lambda z, t: z[:, 0] > 0,
            "0 and 1 have changed places": lambda z, t: sigmoid(z[:, 0]) < t,
            "0 and 1 have changed places, and a tie is answered 1": (
                lambda z, t: sigmoid(z[:, 0]) <= t
            ),
            "these are the probabilities; compare them with the threshold": (
                lambda z, t: sigmoid(z[:, 0])
            ),
            "every row is 1; the softmax of a single logit is always 1": (
                lambda z, t: np.ones(len(z))
            ),
            "no row is 1, whatever the threshold": lambda z, t: np.zeros(len(z)),
            "0 is asked for, not -1": lambda z, t: np.where(sigmoid(z[:, 0]) >= t, 1, -1),
        },
        "a decision is 1 where the sigmoid of the logit reaches the threshold",
    )
    return f"{hint}; {one}" if hint and "expected the shape" in hint else hint


def _cost_per_message(answer: Callable[[Any, Any, Any], Any]) -> str | None:
    p = np.array([0.02, 0.2, 0.2, 0.6, 0.5, 0.3])  # 0.5 is a tie: 1 is asked for
    alarm = np.array([1.0, 1.0, 5.0, 1.0, 1.0, 4.0])
    miss = np.array([20.0, 3.0, 100.0, 1.0, 1.0, 9.0])
    few = (np.array([0.4, 0.1, 0.6]), np.array([1.0, 9.0, 1.0]), np.array([1.0, 90.0, 2.0]))

    def at(cut: Callable) -> Callable:
        return lambda p, a, m: p >= cut(a, m)

    return try_cases(
        answer,
        lambda p, a, m: (p * m >= (1 - p) * a).astype(int),
        ("probabilities", "false_positive", "false_negative"),
        ((p, alarm, miss), few),
        {
            "where both cost the same, 1 is asked for: >=, not >": (
                lambda p, a, m: p * m > (1 - p) * a
            ),
            "0.5 takes no notice of the prices": at(lambda a, m: 0.5),
            "the two prices have changed places": at(lambda a, m: m / (a + m)),
            "a ratio of prices is a cut on the odds p / (1 - p), not on p": at(lambda a, m: a / m),
            "each message has prices of its own; these are the first one's": (
                at(lambda a, m: a[0] / (a[0] + m[0]))
            ),
            "each message has prices of its own; this is the cut of the mean prices": (
                at(lambda a, m: a.mean() / (a.mean() + m.mean()))
            ),
            "0 and 1 have changed places": lambda p, a, m: p * m < (1 - p) * a,
            "0 and 1 have changed places, and a tie is answered 1": (
                lambda p, a, m: p * m <= (1 - p) * a
            ),
            "p is the chance of a miss, 1 - p that of a false alarm: these have changed places": (
                lambda p, a, m: (1 - p) * m >= p * a
            ),
            "these are the cuts; compare each p with its own": lambda p, a, m: a / (a + m),
            "these are costs; 1 where calling out has at most the cost of waiting": (
                lambda p, a, m: np.minimum(p * m, (1 - p) * a)
            ),
        },
        "compare p * false_negative with (1 - p) * false_positive row by row",
    )


def _review_band(answer: Callable[[Costs, float], Any]) -> str | None:
    costs, other = (
        Costs(false_positive=4.0, false_negative=20.0),
        Costs(false_positive=3.0, false_negative=7.0),
    )

    def ends(c: Costs, review: float) -> tuple[float, float]:
        return review / c.false_negative, 1 - review / c.false_positive

    def band(c: Costs, review: float) -> tuple[float, float]:
        low, high = ends(c, review)
        return (low, high) if low < high else (c.threshold, c.threshold)

    def exchanged(c: Costs) -> Costs:
        return Costs(false_positive=c.false_negative, false_negative=c.false_positive)

    return try_cases(
        answer,
        lambda c, r: np.array(band(c, r)),
        ("costs", "review"),
        ((costs, 0.5), (costs, 1.0), (costs, 3.5), (other, 1), (costs, 3.0)),
        {
            "where low passes high the band is empty; both are then the cut of 01.1": ends,
            "where the band is empty low and high were brought in order, not put on one cut": (
                lambda c, r: sorted(ends(c, r))
            ),
            "an empty band lies at the cut of 01.1, not in the middle of its ends": (
                lambda c, r: (
                    ends(c, r) if band(c, r)[0] < band(c, r)[1] else [np.mean(ends(c, r))] * 2
                )
            ),
            "the band closes where its ends meet, not at half a false alarm": (
                lambda c, r: band(c, r) if r < c.false_positive / 2 else (c.threshold, c.threshold)
            ),
            "an empty band lies at the cut of 01.1, not at 0.5": (
                lambda c, r: ends(c, r) if band(c, r) == ends(c, r) else (0.5, 0.5)
            ),
            "high comes first; (low, high) is asked for": lambda c, r: band(c, r)[::-1],
            "nothing is read; a reading costs its price, and no mistake on top": (
                lambda c, r: (c.threshold, c.threshold)
            ),
            "everything is read": lambda c, r: (0, 1),
            "0.5 takes no notice of the prices": lambda c, r: (0.5, 0.5),
            "the two prices have changed places": lambda c, r: band(exchanged(c), r),
            "calling out errs with 1 - p: high is 1 - review / false alarm": (
                lambda c, r: (r / c.false_negative, r / c.false_positive)
            ),
            "from a share of low on waiting is dearer: low is review / miss, not 1 minus it": (
                lambda c, r: (1 - r / c.false_negative, 1 - r / c.false_positive)
            ),
            "these are the prices' ratios turned round: review / miss, review / false alarm": (
                lambda c, r: (c.false_negative / r, 1 - c.false_positive / r)
            ),
            "who reads is always right: a reading costs its price, no more": (
                lambda c, r: band(c, 2 * r)
            ),
            "these are logits; two probabilities are asked for": (
                lambda c, r: np.log(np.array(band(c, r)) / (1 - np.array(band(c, r))))
            ),
            "these are in percent": lambda c, r: 100 * np.array(band(c, r)),
        },
        "waiting costs p * miss, calling out (1 - p) * false alarm: set each equal to review",
    )


def _cheapest(
    p: np.ndarray,
    y: np.ndarray,
    alarm: float,
    miss: float,
    cuts: Any = None,
    *,
    share: bool = False,
    strict: bool = False,
) -> float:
    """Return the cheapest of these cuts, of all if none; `share` prices rates, `strict` is >."""
    every = np.append(np.unique(p), np.inf) if cuts is None else np.asarray(cuts)
    said = p > every[:, None] if strict else p >= every[:, None]
    alarms, missed = (said & (y == 0)).sum(axis=1), (~said & (y == 1)).sum(axis=1)
    if share:
        alarms, missed = alarms / max((y == 0).sum(), 1), missed / max((y == 1).sum(), 1)
    return float(every[(alarm * alarms + miss * missed).argmin()])


def _f1(p: np.ndarray, y: np.ndarray) -> float:
    every = np.unique(p)
    said = p >= every[:, None]
    return float(every[((said & (y == 1)).sum(axis=1) / (said.sum(axis=1) + y.sum())).argmax()])


def _paid(p: np.ndarray, y: np.ndarray, alarm: float, miss: float, cut: float) -> float:
    return float(alarm * ((p >= cut) & (y == 0)).sum() + miss * ((p < cut) & (y == 1)).sum())


def _lower(p: np.ndarray, cut: float) -> float:
    """Return the next probability below a cut."""
    return float(max(p[p < cut], default=cut))


_Case = tuple[np.ndarray, np.ndarray, float, float]
SPARED = "a threshold of 1 still calls out where the probability is exactly 1; np.inf never does"
_NO_CHEAPEST: dict[str, Callable[..., float]] = {
    "this is the formula; it takes no notice of the messages": lambda p, y, a, m: a / (a + m),
    "0.5 takes no notice of the messages or the prices": lambda p, y, a, m: 0.5,
    "the two prices have changed places": lambda p, y, a, m: _cheapest(p, y, m, a),
    "each mistake is counted once; weigh it with its price": lambda p, y, a, m: _cheapest(
        p, y, 1, 1
    ),
    "false alarms cost nothing here": lambda p, y, a, m: _cheapest(p, y, 0, m),
    "misses cost nothing here": lambda p, y, a, m: _cheapest(p, y, a, 0),
    "nothing is ever called out": lambda p, y, a, m: np.inf,
    "the labels 0 and 1 have changed places": lambda p, y, a, m: _cheapest(p, 1 - y, a, m),
    "this is the dearest threshold": lambda p, y, a, m: _cheapest(p, y, -a, -m),
    SPARED: lambda p, y, a, m: _cheapest(p, y, a, m, np.append(np.unique(p), 1.0)),
    "calling out for nothing was not tried: a threshold above them all": lambda p, y, a, m: (
        _cheapest(p, y, a, m, np.unique(p))
    ),
    "calling out for everything was not tried: a threshold at the lowest": lambda p, y, a, m: (
        _cheapest(p, y, a, m, np.append(np.unique(p)[1:], np.inf))
    ),
    "a message at the threshold is called out: >=, not >": lambda p, y, a, m: _lower(
        p, _cheapest(p, y, a, m)
    ),
    "a message at the threshold is called out: >=, and not >": lambda p, y, a, m: _cheapest(
        p, y, a, m, strict=True
    ),
    "shares are priced; a message costs, so price the counts": lambda p, y, a, m: _cheapest(
        p, y, a, m, share=True
    ),
    "this has the best F1, which takes no notice of the prices": lambda p, y, a, m: _f1(p, y),
    "a grid in tenths steps over the best place; try each probability": (
        lambda p, y, a, m: _cheapest(p, y, a, m, np.linspace(0, 1, 11))
    ),
    "a grid steps over the best place, however fine; try each probability": (
        lambda p, y, a, m: _cheapest(p, y, a, m, np.linspace(0, 1, 101))
    ),
    "a grid steps over the best place, however fine and long; try each probability": (
        lambda p, y, a, m: _cheapest(p, y, a, m, np.append(np.linspace(0, 1, 101), np.inf))
    ),
}


def _cheapest_cut(answer: Callable[..., Any]) -> str | None:
    # all of these numbers are exact in 32 bits, too
    near = 0.03125 + 2**-20  # no grid steps between the two
    p = np.array([0.125, 0.03125, near, 0.25, 0.5, near, 0.75, 0.0078125])
    y = np.array([0, 0, 1, 0, 1, 1, 1, 0])
    q = np.array([0.5, 0.875, 0.625, 0.25, 0.75])
    low = np.array([0.25, 0.75, 0.5, 0.875, 0.375, 0.625])
    sure = np.array([0.5, 1.0, 0.25, 0.75])  # no threshold up to 1 spares the second a call
    many = np.array([0.1875, 0.875, 0.6875, 0.25, 0.625, 0.9375, 0.8125])
    cases = (
        (p, y, 1.0, 20.0),
        (p, y, 4.0, 3.0),
        (q, np.array([1, 0, 0, 0, 0]), 7.0, 3.0),  # nothing is worth a call
        (low, np.array([1, 0, 1, 1, 0, 0]), 1.0, 5.0),  # everything is
        (sure, np.array([1, 0, 0, 0]), 3.0, 4.0),  # nothing is, though one is certain
        (many, np.array([0, 1, 0, 1, 0, 1, 1]), 3.0, 7.0),
    )
    read: list[tuple[Any, float, str | None]] = []
    for case in cases:
        raw = answer(*(one.copy() if isinstance(one, np.ndarray) else one for one in case))
        try:
            got, why = np.asarray(raw, dtype=np.float64), None
        except (TypeError, ValueError):
            got, why = np.array(np.nan), "one number is asked for, the threshold"
        if raw is None:
            why = "is there a `return`?"
        elif got.size != 1:
            got, why = np.array(np.nan), f"one threshold is asked for, not {got.size} numbers"
        elif why is None and np.isnan(got).any():
            why = "this is no number"
        read.append((raw, float(got.reshape(())), why))
    for case, (raw, cut, why) in zip(cases, read, strict=True):
        best = _cheapest(*case)
        least, paid = _paid(*case, best), _paid(*case, cut)
        if why is None and paid <= least + 1e-9:
            continue
        names = ("probabilities", "labels", "false_positive", "false_negative")
        given = ", ".join(f"{n} {v}" for n, v in zip(names, show(*case), strict=True))
        seen = f"for {given} expected a threshold that costs {least:g}, as {best:g} does, got "
        if why is None:
            why = _cut_mistake(cases, [one for _, one, _ in read])
            return f"{seen}{show(raw)[0]}, which costs {paid:g}: {why}"
        return f"{seen}{show(raw)[0]}: {why}"
    return None


def _cut_mistake(cases: tuple[_Case, ...], cuts: list[float]) -> str:
    """Name the mistake that explains all these thresholds, if one does."""
    best = [_cheapest(*case) for case in cases]
    least = [_paid(*case, cut) for case, cut in zip(cases, best, strict=True)]
    places = [np.unique(case[0]).searchsorted(cut) for case, cut in zip(cases, best, strict=True)]
    finite = np.array([cut for cut in best if np.isfinite(cut)])
    never = [np.inf if cut == 1 else cut for cut in cuts]
    if np.allclose([_paid(*case, cut) for case, cut in zip(cases, never, strict=True)], least):
        return SPARED
    if np.allclose(cuts, least):
        return "this is the cost; give the threshold that has it"
    if np.array_equal(cuts, places):
        return "this is its place in a list; give the threshold itself"
    if np.isin(np.round(100 * finite, 6), np.round(cuts, 6)).all():
        return "this is in percent"
    if np.isin(np.round(np.log(finite / (1 - finite)), 6), np.round(cuts, 6)).all():
        return "this is a logit; the threshold is on the probabilities"
    for words, wrong in _NO_CHEAPEST.items():
        if all(
            np.array_equal(case[0] >= cut, case[0] >= wrong(*case))
            for case, cut in zip(cases, cuts, strict=True)
        ):
            return words
    return "try each probability, and one above them all, and take the one that costs least"


CHECKS: dict[str, Judge] = {
    "01.1": _expected_loss_cut,
    "01.2": _one_logit_pipeline,
    "01.3": _cost_per_message,
    "01.4": _review_band,
    "01.5": _cheapest_cut,
}
