"""Judge the exercises of lesson 01."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.decisions import Costs
from helpers.judges.results import Judge, try_cases
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
            "these are the cuts; compare each p with its own": lambda p, a, m: a / (a + m),
            "these are costs; 1 where calling out has at most the cost of waiting": (
                lambda p, a, m: np.minimum(p * m, (1 - p) * a)
            ),
        },
        "compare p * false_negative with (1 - p) * false_positive row by row",
    )


def _review_band(answer: Callable[[Any, Costs, float], Any]) -> str | None:
    p = np.array([0.001, 0.03, 0.06, 0.3, 0.6, 0.97])  # no ties at these prices
    few = np.array([0.1, 0.55, 0.9])
    costs, other = (
        Costs(false_positive=4.0, false_negative=20.0),
        Costs(false_positive=3.0, false_negative=7.0),
    )
    words = np.array(["wait", "review", "send"])

    def table(p: np.ndarray, c: Costs, review: float) -> np.ndarray:
        return np.stack([c.false_negative * p, np.full_like(p, review), c.false_positive * (1 - p)])

    def band(p: np.ndarray, c: Costs, review: float) -> np.ndarray:
        first, last = review / c.false_negative, 1 - review / c.false_positive
        return np.where(p < first, "wait", np.where(p > last, "send", "review"))

    def least(p: np.ndarray, c: Costs, review: float) -> np.ndarray:
        return table(p, c, review).argmin(axis=0)

    return try_cases(
        answer,
        lambda *case: words[least(*case)],
        ("probabilities", "costs", "review"),
        (
            (p, costs, 0.5),
            (p, costs, 1.0),
            (p, costs, 50.0),
            (few, other, 1),
        ),
        {
            "the words are in small letters": lambda *case: np.char.upper(words[least(*case)]),
            "nothing is reviewed": lambda p, c, r: words[np.where(p < c.threshold, 0, 2)],
            "0.5 takes no notice of the prices": lambda p, c, r: words[np.where(p < 0.5, 0, 2)],
            "everything is reviewed": lambda p, c, r: np.full(len(p), "review"),
            "where review / miss passes 1 - review / false alarm the band is empty": band,
            "where the band is empty send begins at the cut of 01.1": (
                lambda p, c, r: np.where(p > 1 - r / c.false_positive, "send", band(p, c, r))
            ),
            "the dearest was taken, not the cheapest": (
                lambda *case: words[table(*case).argmax(axis=0)]
            ),
            "wait and send have changed places": lambda *case: words[::-1][least(*case)],
            "the two prices have changed places": (
                lambda p, c, r: words[
                    least(
                        p,
                        Costs(false_positive=c.false_negative, false_negative=c.false_positive),
                        r,
                    )
                ]
            ),
            "the prices themselves are compared; weigh each with the chance of its mistake": (
                lambda p, c, r: words[
                    np.full(len(p), np.argmin([c.false_negative, r, c.false_positive]))
                ]
            ),
            "a colleague who reviews is always right: a review costs its price, no more": (
                lambda p, c, r: words[least(p, c, 2 * r)]
            ),
        },
        "take the least of the three expected costs, row by row",
    )


CHECKS: dict[str, Judge] = {
    "01.1": _expected_loss_cut,
    "01.2": _one_logit_pipeline,
    "01.3": _cost_per_message,
    "01.4": _review_band,
}
