"""Claims about helpers.exercises: answers are checked, and never break the reader's notebook."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import beta
from sklearn.metrics import f1_score

from helpers.decisions import Costs, ReviewBand
from helpers.exercises import CHECKS, STRICT_VARIABLE, Checked, check, claim
from helpers.judges.results import hint_for
from helpers.probabilities import confidence, logit, prior_shift, sigmoid, softmax


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def band(costs, review):
    """Put both ends where a reading costs as much as the answer beside it, if there is room."""
    low, high = ends(costs, review)
    return (low, high) if low < high else (costs.threshold, costs.threshold)


def ends(costs, review):
    """Never ask whether the ends cross."""
    return review / costs.false_negative, 1 - review / costs.false_positive


def by_search(costs, review):
    """Ask `ReviewBand` for its thresholds."""
    return ReviewBand.from_costs(costs, review=review).thresholds


def floor_cuts(z, labels, floor):
    """Take the lowest of a label's own scores whose precision reaches the floor."""
    cuts = []
    for scores, true in zip(z.T, labels.T, strict=True):
        fit = [cut for cut in scores if true[scores >= cut].mean() >= floor]
        cuts.append(min(fit, default=np.inf))
    return cuts


def first_floor_cuts(z, labels, floor):
    """Go down from the top and stop at the first cut that fails."""
    cuts = []
    for scores, true in zip(z.T, labels.T, strict=True):
        cuts.append(np.inf)
        for cut in np.unique(scores)[::-1]:
            if true[scores >= cut].mean() < floor:
                break
            cuts[-1] = cut
    return cuts


def row_by_row(z, labels, floor):
    """Walk down row by row, as if messages with the same logit could be split."""
    cuts = []
    for scores, true in zip(z.T, labels.T, strict=True):
        order = np.argsort(-scores, kind="stable")
        reached = np.flatnonzero(np.cumsum(true[order]) / np.arange(1, len(true) + 1) >= floor)
        cuts.append(scores[order][reached[-1]] if len(reached) else np.inf)
    return cuts


def recall_cuts(z, labels, floor):
    """Take the highest cut whose recall reaches the floor."""
    return [
        max(cut for cut in scores if true[scores >= cut].sum() >= floor * true.sum())
        for scores, true in zip(z.T, labels.T, strict=True)
    ]


def with_new_label(labels, predicted, n_new):
    """Append the new label as columns, and let scikit-learn count."""
    rows = max(len(labels), n_new)
    labels, predicted = (np.pad(one, ((0, rows - len(one)), (0, 1))) for one in (labels, predicted))
    labels[:n_new, -1] = 1
    return [f1_score(labels, predicted, average=average) for average in ("micro", "macro")]


def shared(waiting, limit):
    """Deal waiting requests into batches of at most so many texts."""
    batches = []
    for n in waiting:
        if batches and sum(batches[-1]) + n <= limit:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


def highest_floor_cuts(z, labels, floor):
    """Of the cuts that reach the floor and find the most, take the highest."""
    cuts = []
    for scores, true in zip(z.T, labels.T, strict=True):
        fit = [cut for cut in scores if true[scores >= cut].mean() >= floor]
        cuts.append(max(fit, key=lambda c: (true[scores >= c].sum(), c), default=np.inf))
    return cuts


def with_in_place_of_inf(value):
    """Answer with another value where infinity is asked for."""
    return lambda z, y, floor: [value if c == np.inf else c for c in floor_cuts(z, y, floor)]


def next_below(z, labels, floor):
    """Take the score below the right cut, as if only `>` gave the label."""
    cuts = floor_cuts(z, labels, floor)
    return [
        c if c == np.inf else max([x for x in one if x < c], default=c - 1)
        for c, one in zip(cuts, z.T, strict=True)
    ]


def micro_by_hand(labels, predicted, n_new):
    """Count over all single answers, with so many misses more."""
    return 2 * (labels * predicted).sum() / (labels.sum() + predicted.sum() + n_new)


def expected_f1(p, sort=True):
    """Work out what each number of messages given reaches."""
    p = list(p)
    taken = sorted(p, reverse=True) if sort else p
    return [2 * sum(taken[:k]) / (k + sum(p)) for k in range(1, len(p) + 1)]


def best_f1(p):
    """Give the largest of them."""
    return max(expected_f1(p))


def best_number(p, sort=True):
    """Give the number of messages that reaches it."""
    return 1 + int(np.argmax(expected_f1(p, sort)))


RIGHT = {
    "01.1": [
        lambda alarm, miss: alarm / (alarm + miss),
        lambda a, m: 1 / (1 + m / a),
        lambda a, m: [a / (a + m)],
        lambda a, m: np.array([a / (a + m)]),
        lambda a, m: np.array([[a / (a + m)]]),
        lambda a, m: pd.Series([a, m], index=["x", "y"])["x"] / (a + m),
        lambda a, m: pd.Series([a / (a + m)], index=[7]),
        lambda a, m: np.float32(a) / np.float32(a + m),
        lambda a, m: Fraction(a) / (Fraction(a) + Fraction(m)),
        lambda a, m: torch.tensor(a / (a + m)),
        lambda a, m: sigmoid(np.log(a / m)),
        lambda a, m: Costs(false_positive=a, false_negative=m).threshold,
    ],
    "01.2": [
        lambda z, threshold: (sigmoid(z).ravel() >= threshold).astype(int),
        lambda z, threshold: z[:, 0] >= logit(threshold),
        lambda z, t: [int(1 / (1 + np.exp(-row[0])) >= t) for row in z],
        lambda z, t: [bool(1 / (1 + np.exp(-row[0])) >= t) for row in z],
        lambda z, t: tuple(float(sigmoid(x) >= t) for x in z.ravel()),
        lambda z, t: pd.Series(sigmoid(z[:, 0]) >= t, index=range(5, 5 + len(z))),
        lambda z, t: np.where(sigmoid(z[:, 0].astype(np.float32)) >= t, 1, 0).astype(np.int8),
        lambda z, t: (torch.sigmoid(torch.tensor(z)) >= t).squeeze(1).int(),
        lambda z, t: (sigmoid(z) >= t).reshape(-1).astype(np.float32),
        lambda z, t: 1 - (sigmoid(z[:, 0]) < t),
        lambda z, t: np.squeeze(sigmoid(z) >= t, axis=1) * 1,
        lambda z, t: map(lambda row: int(sigmoid(row[0]) >= t), z),
    ],
    "01.3": [
        lambda p, alarm, miss: p * miss >= (1 - p) * alarm,
        lambda p, alarm, miss: (p >= alarm / (alarm + miss)).astype(float),
        lambda p, a, m: [int(x * n >= (1 - x) * b) for x, b, n in zip(p, a, m, strict=True)],
        lambda p, a, m: pd.Series(p * m >= (1 - p) * a).astype(int),
        lambda p, a, m: np.where((1 - p) * a <= p * m, 1, 0).astype(np.int8),
        lambda p, a, m: np.where((1 - p) * a > p * m, 0, 1),
        lambda p, a, m: (p / (1 - p) >= a / m).astype(np.float32),
        lambda p, a, m: np.stack([p * m - (1 - p) * a >= 0]).ravel(),
        lambda p, a, m: ((1 - p) * a <= p * m).tolist(),
        lambda p, a, m: np.stack([(1 - p) * a, p * m]).argmin(axis=0) == 0,
        lambda p, a, m: torch.tensor(p * m >= (1 - p) * a),
        lambda p, a, m: tuple(np.greater_equal(p * m, (1 - p) * a)),
    ],
    "01.4": [
        band,
        by_search,
        lambda costs, review: list(band(costs, review)),
        lambda costs, review: np.array(band(costs, review)),
        lambda costs, review: pd.Series(band(costs, review), index=["low", "high"]),
        lambda costs, review: torch.tensor(band(costs, review)),
        lambda costs, review: np.float32(band(costs, review)),
        lambda costs, review: tuple(map(Fraction, band(costs, review))),
        lambda c, r: (min(r / c.false_negative, c.threshold), max(ends(c, r)[1], c.threshold)),
        lambda c, r: np.clip(c.threshold, *ends(c, r)[::-1]) if r < 0 else (x for x in band(c, r)),
        lambda c, r: ends(c, r) if np.diff(ends(c, r))[0] > 0 else [c.threshold] * 2,
    ],
    "01.5": [
        lambda p, y, a, m: min(
            [*sorted(set(p)), 2.0],
            key=lambda c: a * ((p >= c) & (y == 0)).sum() + m * ((p < c) & (y == 1)).sum(),
        ),
    ],
    "02.1": [
        lambda z, lead: np.where(
            confidence(z, measure="margin") >= lead, z.argmax(axis=1), z.shape[1]
        ),
        lambda z, lead: [
            int(row.argmax()) if np.diff(np.sort(softmax(row))[-2:])[0] >= lead else len(row)
            for row in z
        ],
    ],
    "02.2": [
        lambda names, labels: (sorted(set(names) - set(labels)), sorted(set(labels) - set(names))),
        lambda names, labels: [
            [n for n in sorted(names) if n not in labels],
            np.unique([n for n in labels if n not in names]),
        ],
    ],
    "02.3": [
        lambda sure, capacity: np.append(np.sort(sure), np.inf)[capacity],
        lambda sure, capacity: max(
            c for c in [*sure, sure.max() + 1] if (sure < c).sum() <= capacity
        ),
    ],
    "02.4": [
        lambda wrong, level: (
            beta.ppf(level, wrong.sum() + 1, (1 - wrong).sum()) if wrong.min() < 1 else 1.0
        ),
    ],
    "03.1": [
        floor_cuts,
        highest_floor_cuts,
        lambda z, y, floor: np.array(floor_cuts(z, y, floor)) - 1e-9,
        lambda z, y, floor: np.array(floor_cuts(z, y, floor)) - 0.1,
        lambda z, y, floor: np.float32(floor_cuts(z, y, floor)),
        lambda z, y, floor: np.float16(floor_cuts(z, y, floor)),
        lambda z, y, floor: tuple(floor_cuts(z, y, floor)),
        lambda z, y, floor: pd.Series(floor_cuts(z, y, floor), index=list("abcdefg")),
        lambda z, y, floor: np.array(floor_cuts(z, y, floor), dtype=object),
        lambda z, y, floor: [float(str(cut)) for cut in floor_cuts(z, y == 1, floor)],
        lambda z, y, floor: [-np.inf if c == z.min() else c for c in floor_cuts(z, y, floor)],
    ],
    "03.2": [
        with_new_label,
        lambda y, said, n: tuple(with_new_label(y, said, n)),
        lambda y, said, n: np.array(with_new_label(y, said, n)),
        lambda y, said, n: np.float32(with_new_label(y, said, n)),
        lambda y, said, n: pd.Series(with_new_label(y, said, n), index=["micro", "macro"]),
        lambda y, said, n: with_new_label(y.astype(bool), said.astype(bool), n),
        lambda y, said, n: with_new_label(y.astype(float), said.astype(float), n),
        lambda y, said, n: (micro_by_hand(y, said, n), with_new_label(y, said, n)[1]),
        lambda y, said, n: [float(f"{one:.9f}") for one in with_new_label(y, said, n)],
    ],
    "03.3": [
        lambda p, alarm, miss: (p >= alarm / (alarm + miss)).astype(int),
        lambda p, alarm, miss: p * miss >= (1 - p) * alarm,
        lambda p, alarm, miss: (p >= alarm / (alarm + miss)).astype(np.float32),
        lambda p, alarm, miss: (p >= alarm / (alarm + miss)).tolist(),
        lambda p, alarm, miss: pd.DataFrame(p >= alarm / (alarm + miss), columns=list("abc")),
        lambda p, alarm, miss: np.where(p * miss < (1 - p) * alarm, 0, 1),
        lambda p, alarm, miss: [
            [int(x * m >= (1 - x) * a) for x, a, m in zip(row, alarm, miss, strict=True)]
            for row in p
        ],
        lambda p, alarm, miss: np.stack(
            [p[:, k] >= 1 / (1 + miss[k] / alarm[k]) for k in range(3)], axis=1
        ),
        lambda p, alarm, miss: p / (1 - p) >= alarm / miss,
        lambda p, alarm, miss: np.uint8(p >= alarm / (alarm + miss)),
        lambda p, alarm, miss: (p >= alarm / (alarm + miss)).astype(object),
    ],
    "03.4": [
        best_number,
        lambda p: float(best_number(p)),
        lambda p: np.int64(best_number(p)),
        lambda p: np.float32(best_number(p)),
        lambda p: np.array(best_number(p)),
        lambda p: np.uint8(best_number(p)),
        lambda p: best_number(p.tolist()),
        lambda p: best_number(pd.Series(p)),
        lambda p: int((p >= best_f1(p) / 2).sum()),
        lambda p: sum(bool(one >= best_f1(p) / 2) for one in p),
    ],
    "03.5": [
        lambda z, y, alarm, miss: [
            min(
                [*z[:, k], np.inf],
                key=lambda c, k=k: (
                    alarm[k] * ((z[:, k] >= c) & (y[:, k] == 0)).sum()
                    + miss[k] * ((z[:, k] < c) & (y[:, k] == 1)).sum()
                ),
            )
            for k in range(4)
        ]
    ],
    "04.1": [
        lambda t, old, new: sigmoid(logit(t) - prior_shift(old=old, new=new)),
        lambda t, old, new: 1 / (1 + (1 - t) / t * (1 - old) / old * new / (1 - new)),
    ],
    "04.2": [
        lambda one, many, n: (one - (many - one) / (n - 1), (many - one) / (n - 1)),
        lambda one, many, n: np.linalg.solve([[1, 1], [1, n]], [one, many]),
    ],
    "04.3": [shared, lambda waiting, limit: tuple(map(tuple, shared(waiting, limit)))],
    "04.4": [
        lambda alarms, n, p: abs(alarms / n - p) > 3 * np.sqrt(p * (1 - p) / n),
        lambda alarms, n, p: int((alarms - n * p) ** 2 > 9 * n * p * (1 - p)),
    ],
    "04.5": [
        lambda x: (
            1
            + np.argmin(
                [k * np.var(x[:k]) + (len(x) - k) * np.var(x[k:]) for k in range(1, len(x))]
            )
        ),
    ],
}
WRONG = {
    "01.1": [
        (lambda alarm, miss: miss / (alarm + miss), "changed places"),
        (lambda alarm, miss: 0.5, "false_positive 1, false_negative 20 .* got 0.5: .*no notice"),
        (lambda alarm, miss: None, "got None: is there a `return`"),
        (lambda alarm, miss: np.nan, "got nan: at the cut both answers cost the same"),
        (lambda a, m: a / m, "on the odds"),
        (lambda a, m: m / a, "one over the cut's odds"),
        (lambda a, m: np.log(a / m), "logit scale"),
        (lambda a, m: 100 * a / (a + m), "percent"),
        (lambda a, m: round(a / (a + m), 2), "rounded"),
        (lambda a, m: round(a / (a + m), 3), "three digits"),
        (lambda a, m: round(a / (a + m), 4), "four digits"),
        (lambda a, m: a // (a + m), "whole number"),
        (lambda a, m: 1 / (1 + m), "expected 0.7, got 0.25: the price of a false alarm"),
        (lambda a, m: a / (1 + m), "is 1 only where it is the unit"),
        (lambda a, m: 1 / 21, "false_positive 1, false_negative 5"),
        (lambda a, m: (a, a + m), r"shape \(\), got \(2,\)"),
        (lambda a, m: "0.05", "numbers are asked for"),
        (lambda a, m: -a / (a + m), "both answers cost the same"),
        (lambda a, m: a + m, "both answers cost the same"),
        (lambda a, m: True, "got True"),
        (lambda a, m: [], r"shape \(\), got \(0,\)"),
        (lambda a, m: a / (a + m) + 1e-4, "both answers cost the same"),
        (lambda a, m: np.inf, "got inf"),
    ],
    "01.2": [
        (lambda z, threshold: sigmoid(z) >= threshold, r"shape \(6,\), got \(6, 1\).*logits\[:, 0"),
        (lambda z, threshold: z[:, 0] >= threshold, r"threshold 0.5 expected .*take their sigmoid"),
        (lambda z, threshold: z[:, 0] >= 0, r"threshold 0.7 expected .*was not used"),
        (lambda z, threshold: None, r"got None: is there a `return`"),
        (lambda z, threshold: 1.9 * (sigmoid(z[:, 0]) >= threshold), r"reaches the threshold"),
        (lambda z, t: sigmoid(z[:, 0]) > t, r"logits \[\[2.0\].*>=, not >"),
        (lambda z, t: [int(sigmoid(x) > t) for x in z[:, 0]], ">=, not >"),
        (lambda z, t: z[:, 0] > logit(t), ">=, not >"),
        (lambda z, t: sigmoid(z[:, 0]) >= 0.5, "was not used"),
        (lambda z, t: np.maximum(sigmoid(z), sigmoid(-z))[:, 0] >= t, "the winner's score"),
        (lambda z, t: sigmoid(z[:, 1]) >= t, "there is one column"),
        (lambda z, t: z[:, 0] > 0, "not used, and a tie is answered 0"),
        (lambda z, t: sigmoid(z[:, 0]) < t, "changed places"),
        (lambda z, t: sigmoid(z[:, 0]) <= t, "changed places, and"),
        (lambda z, t: sigmoid(z[:, 0]), "these are the probabilities"),
        (lambda z, t: softmax(z)[:, 0] >= t, "single logit is always 1"),
        (lambda z, t: z.argmax(axis=1), "no row is 1"),
        (lambda z, t: np.where(sigmoid(z[:, 0]) >= t, 1, -1), "not -1"),
        (lambda z, t: np.squeeze(sigmoid(z) >= t), r"logits \[\[1.5\]\].*shape \(1,\), got \(\)"),
        (lambda z, t: np.flatnonzero(sigmoid(z[:, 0]) >= t), "expected the shape"),
        (lambda z, t: ["yes"] * len(z), "numbers are asked for"),
        (lambda z, t: (sigmoid(z[:, 0]) >= t)[::-1], "reaches the threshold"),
        (lambda z, t: bool((sigmoid(z) >= t).any()), r"got \(\)"),
        (lambda z, t: [[1], [0, 1]], "no array"),
        (lambda z, t: np.where(sigmoid(z[:, 0]) >= t, 1, np.nan), "reaches the threshold"),
    ],
    "01.3": [
        (lambda p, alarm, miss: p >= 0.5, "no notice of the prices"),
        (lambda p, alarm, miss: p * miss > (1 - p) * alarm, "probabilities .*>=, not >"),
        (lambda p, a, m: (p * m >= (1 - p) * a)[:, None], r"shape \(6,\), got \(6, 1\)"),
        (lambda p, alarm, miss: True, r"shape \(6,\), got \(\)"),
        (lambda p, a, m: p > a / (a + m), ">=, not >"),
        (lambda p, a, m: p >= m / (a + m), "two prices have changed places"),
        (lambda p, a, m: p >= a / m, "on the odds"),
        (lambda p, a, m: p >= a[0] / (a[0] + m[0]), "first one's"),
        (lambda p, a, m: p >= a.mean() / (a.mean() + m.mean()), "mean prices"),
        (lambda p, a, m: p * m >= a, "on the odds"),
        (lambda p, a, m: p * m < (1 - p) * a, "0 and 1 have changed"),
        (lambda p, a, m: (1 - p) * a >= p * m, "0 and 1 have changed places, and"),
        (lambda p, a, m: (1 - p) * m >= p * a, "the chance of a miss"),
        (lambda p, a, m: a / (a + m), "these are the cuts"),
        (lambda p, a, m: np.minimum(p * m, (1 - p) * a), "these are costs"),
        (lambda p, a, m: None, "is there a `return`"),
        (lambda p, a, m: np.ones(len(p)), "row by row"),
        (lambda p, a, m: [0, 0, 1, 1, 1, 0], "false_positive .* expected"),
        (lambda p, a, m: np.flatnonzero(p * m >= (1 - p) * a), "expected the shape"),
        (lambda p, a, m: ["1"] * len(p), "numbers are asked for"),
        (lambda p, a, m: p[:, None] * m >= (1 - p[:, None]) * a, r"got \(6, 6\)"),
        (lambda p, a, m: np.where(p * m >= (1 - p) * a, 1, -1), "row by row"),
        (lambda p, a, m: sum(p * m >= (1 - p) * a), r"got \(\)"),
    ],
    "01.4": [
        (ends, "the band is empty; both are then the cut of 01.1"),
        (lambda c, r: sorted(ends(c, r)), "brought in order"),
        (
            lambda c, r: band(c, r) if band(c, r) == ends(c, r) else [sum(ends(c, r)) / 2] * 2,
            "not in the middle",
        ),
        (lambda c, r: band(c, r) if band(c, r) == ends(c, r) else (0.5, 0.5), "not at 0.5"),
        (lambda c, r: band(c, r)[::-1], "high comes first"),
        (lambda c, r: (c.threshold, c.threshold), "nothing is read"),
        (lambda c, r: (0, 1), "everything is read"),
        (lambda c, r: (0.5, 0.5), "no notice of the prices"),
        (
            lambda c, r: band(
                Costs(false_positive=c.false_negative, false_negative=c.false_positive), r
            ),
            "two prices have changed places",
        ),
        (lambda c, r: (r / c.false_negative, r / c.false_positive), "errs with 1 - p"),
        (lambda c, r: (1 - r / c.false_negative, 1 - r / c.false_positive), "not 1 minus it"),
        (lambda c, r: (c.false_negative / r, 1 - c.false_positive / r), "turned round"),
        (lambda c, r: band(c, 2 * r), "a reading costs its price"),
        (lambda c, r: logit(np.array(band(c, r))), "these are logits"),
        (lambda c, r: 100 * np.array(band(c, r)), "in percent"),
        (lambda c, r: None, "is there a `return`"),
        (lambda c, r: band(c, r)[0], r"expected the shape \(2,\), got \(\)"),
        (lambda c, r: ("wait", "send"), "numbers are asked for"),
        (lambda c, r: [band(c, r)], r"got \(1, 2\)"),
        (lambda c, r: band(c, 0.5), "review 1.0 expected"),
        (lambda c, r: (r, r), "set each equal to review"),
        (lambda c, r: (0.0, band(c, r)[1]), "set each equal to review"),
    ],
    "01.5": [
        (lambda p, y, a, m: a / (a + m), "it takes no notice of the messages"),
        (lambda p, y, a, m: p >= 0.5, "one threshold is asked for"),
    ],
    "02.1": [
        (lambda z, lead: np.where(softmax(z).max(axis=1) >= lead, z.argmax(axis=1), 3), "lead of"),
        (
            lambda z, lead: np.where(confidence(z, measure="margin") > lead, z.argmax(axis=1), -1),
            "lead",
        ),
        (lambda z, lead: z.argmax(axis=1), "no row becomes Other"),
        (lambda z, lead: 0, r"shape \(4,\), not \(\)"),
    ],
    "02.2": [
        (lambda names, labels: ([], []), "what is listed and never found"),
        (lambda names, labels: (sorted(set(names) - set(labels)), []), "got"),
        (
            lambda names, labels: (
                sorted(set(labels) - set(names)),
                sorted(set(names) - set(labels)),
            ),
            "expected",
        ),
    ],
    "02.3": [
        (lambda sure, capacity: np.append(np.sort(sure), 2)[min(capacity + 1, 6)], "room for 1"),
        (lambda sure, capacity: 0.5, "hands over 2, expected 1"),
        (
            lambda sure, capacity: np.quantile(sure, capacity / len(sure)),
            "hands over 5, expected 6",
        ),
    ],
    "02.4": [
        (lambda wrong, level: wrong.mean(), "chance takes part"),
        (lambda wrong, level: 1 - (1 - level) ** (1 / len(wrong)), "the bound for no error"),
    ],
    "03.1": [
        (first_floor_cuts, "may still reach the floor.*not the highest precision"),
        (lambda z, y, floor: np.zeros(7), "with a floor of 0.75, label 1"),
        (lambda z, y, floor: 0.5, r"one cut a label, shape \(7,\), got \(\)"),
        (lambda z, y, floor: np.zeros((7, 1)), r"got \(7, 1\)"),
        (lambda z, y, floor: z, r"got \(8, 7\)"),
        (lambda z, y, floor: None, "is there a `return`"),
        (lambda z, y, floor: ["a"] * 7, "no table of numbers"),
        (lambda z, y, floor: [[1], [2, 3], 1, 1, 1, 1, 1], "no table of numbers"),
        (lambda z, y, floor: [np.inf] * 7, "to nobody"),
        (lambda z, y, floor: [99] * 7, "to nobody"),
        (lambda z, y, floor: [-np.inf] * 7, "of 8 that yours gives it to only 4 are right"),
        (with_in_place_of_inf(np.nan), "NaN"),
        (with_in_place_of_inf(None), "NaN"),
        (with_in_place_of_inf(99), "no cut reaches the floor"),
        (with_in_place_of_inf(3), "no cut reaches the floor"),
        (with_in_place_of_inf(-np.inf), "no cut reaches the floor"),
        (lambda z, y, floor: sigmoid(np.array(floor_cuts(z, y, floor))), "asked for on the logits"),
        (lambda z, y, floor: floor_cuts(z, y, floor + 1e-9), "equal to the floor reaches it"),
        (lambda z, y, floor: floor_cuts(z, y, 0.5), "only"),
        (lambda z, y, floor: floor_cuts(z, y, 0.75), "expected 4 of them found"),
        (lambda z, y, floor: np.array(floor_cuts(z, y, floor)) - 1, "with a floor of"),
        (lambda z, y, floor: np.array(floor_cuts(z, y, floor)) + 0.1, "expected 4 of them"),
        (next_below, "`>=` does"),
        (lambda z, y, floor: [floor_cuts(z[:, :1], y[:, :1], floor)[0]] * 7, "label 1"),
        (lambda z, y, floor: floor_cuts(z, 1 - y, floor), "label 0"),
        (lambda z, y, floor: floor_cuts(z, y, floor)[::-1], "label 0"),
        (row_by_row, "messages with the same logit go together"),
        (recall_cuts, "yours is a floor of the recall"),
        (lambda z, y, floor: np.quantile(z, 1 - y.mean(axis=0)), "label"),
    ],
    "03.2": [
        (lambda y, said, n: with_new_label(y, said, 0), "5 more misses now"),
        (lambda y, said, n: with_new_label(y, said, n)[::-1], "in the other order"),
        (lambda y, said, n: 100 * np.array(with_new_label(y, said, n)), "percent"),
        (lambda y, said, n: f1_score(y, said, average="micro"), r"shape \(2,\), got \(\)"),
        (lambda y, said, n: None, "is there a `return`"),
        (lambda y, said, n: "micro", "no table of numbers"),
        (lambda y, said, n: (np.nan, 0.5), "NaN"),
        (lambda y, said, n: [0.5, 0.5, 0.5], r"got \(3,\)"),
        (lambda y, said, n: [with_new_label(y, said, n)], r"got \(1, 2\)"),
        (
            lambda y, said, n: (with_new_label(y, said, n)[0], f1_score(y, said, average="macro")),
            "F1 is 0",
        ),
        (
            lambda y, said, n: (f1_score(y, said, average="micro"), with_new_label(y, said, n)[1]),
            "5 more misses now",
        ),
        (lambda y, said, n: [f1_score(y, said, average=a) for a in ("micro", "macro")], "misses"),
        (lambda y, said, n: [with_new_label(y, said, n)[0]] * 2, "macro-F1 is off"),
        (lambda y, said, n: [with_new_label(y, said, n)[1]] * 2, "micro-F1 is off"),
        (
            lambda y, said, n: (micro_by_hand(y, said, 2 * n), with_new_label(y, said, n)[1]),
            "no false ones",
        ),
        (lambda y, said, n: ((y == said).mean(), with_new_label(y, said, n)[1]), "micro-F1 is off"),
        (lambda y, said, n: with_new_label(y, said, 5), "and 1 new"),
        (lambda y, said, n: with_new_label(y, said, min(n, len(y))), "and 9 new: .*6 old rows"),
        (lambda y, said, n: with_new_label(y[::-1], said, n), "micro-F1 is off"),
        (lambda y, said, n: np.round(with_new_label(y, said, n), 1), "expected micro-F1"),
        (lambda y, said, n: np.array(with_new_label(y, said, n)) * 0, "got .0.0, 0.0"),
    ],
    "03.3": [
        (lambda p, alarm, miss: (p >= 0.5).astype(int), "no notice of the prices"),
        (lambda p, alarm, miss: p > alarm / (alarm + miss), "1 is asked for"),
        (lambda p, alarm, miss: p[:, 0] >= 0.5, r"shape \(4, 3\), got \(4,\)"),
        (lambda p, alarm, miss: (p >= alarm / (alarm + miss)).T, r"got \(3, 4\)"),
        (lambda p, alarm, miss: (p >= alarm / (alarm + miss)).ravel(), r"got \(12,\)"),
        (lambda p, alarm, miss: None, "is there a `return`"),
        (lambda p, alarm, miss: "send", "no table of numbers"),
        (lambda p, alarm, miss: np.full(p.shape, np.nan), "NaN"),
        (lambda p, alarm, miss: p, "0 and 1 is asked for"),
        (lambda p, alarm, miss: p * miss, "0 and 1 is asked for"),
        (lambda p, alarm, miss: p * miss - (1 - p) * alarm, "0 and 1 is asked for"),
        (lambda p, alarm, miss: 2 * (p >= alarm / (alarm + miss)) - 1, "0 and 1 is asked for"),
        (lambda p, alarm, miss: p >= miss / (alarm + miss), "changed places"),
        (lambda p, alarm, miss: p * alarm >= (1 - p) * miss, "changed places"),
        (lambda p, alarm, miss: p < alarm / (alarm + miss), "1 and 0 have changed"),
        (lambda p, alarm, miss: p >= alarm / miss, "cut on the odds"),
        (lambda p, alarm, miss: p >= alarm.sum() / (alarm + miss).sum(), "mean prices"),
        (lambda p, alarm, miss: p * miss >= alarm, "expected"),
        (lambda p, alarm, miss: np.ones(p.shape), "each label has its own cut"),
        (lambda p, alarm, miss: np.zeros(p.shape), "each label has its own cut"),
        (lambda p, alarm, miss: p >= (alarm / (alarm + miss))[::-1], "its own cut"),
    ],
    "03.4": [
        (lambda p: int((p >= 0.5).sum()), "a cut of 0.5 is too high"),
        (lambda p: len(p), "all of them is too many"),
        (lambda p: None, "got None"),
        (lambda p: best_number(p) - 1, "argmax counts from 0"),
        (lambda p: best_number(p) + 1, "try every number"),
        (lambda p: best_f1(p), "this is the F1"),
        (lambda p: best_f1(p) / 2, "this is the cut, half of the best F1"),
        (lambda p: np.sort(p)[::-1][best_number(p) - 1], "the last probability"),
        (lambda p: (p >= best_f1(p)).sum(), "above .half."),
        (lambda p: (p > best_f1(p)).sum(), "above .half."),
        (lambda p: round(p.sum()), "expected number of positives"),
        (lambda p: p.sum(), "try every number"),
        (lambda p: best_number(p, sort=False), "sort first"),
        (lambda p: p >= best_f1(p) / 2, r"shape \(\), got \(4,\)"),
        (lambda p: [best_number(p)], r"got \(1,\)"),
        (lambda p: np.argsort(-p)[: best_number(p)], "one whole number"),
        (lambda p: (best_number(p), best_f1(p)), "one whole number"),
        (lambda p: np.nan, "NaN"),
        (lambda p: "three", "no table of numbers"),
        (lambda p: 0, "expected 2, got 0"),
        (lambda p: 1, "expected 2, got 1.0: hits / given alone is the precision"),
        (lambda p: 2, "expected 3, got 2"),
        (lambda p: -best_number(p), "try every number"),
    ],
    "03.5": [(lambda z, y, alarm, miss: np.log(alarm / miss), "Elkan's cut")],
    "04.1": [
        (lambda t, old, new: t * old / new, "old 0.1, new 0.02 .*cannot scale"),
        (lambda t, old, new: sigmoid(logit(t) + prior_shift(old=old, new=new)), "the other way"),
        (lambda t, old, new: None, "is there a `return`"),
    ],
    "04.2": [
        (lambda one, many, n: one, r"shape \(2,\)"),
        (lambda one, many, n: (0.0, many / n), "a part of the overhead"),
        (lambda one, many, n: None, "is there a `return`"),
    ],
    "04.3": [
        (lambda waiting, limit: [waiting], r"waiting \[3, 3, 3\]"),
        (lambda waiting, limit: [[n] for n in waiting], r"waiting \[1, 1, 1\]"),
        (lambda waiting, limit: [b for b in shared(waiting, limit) if sum(b) <= limit], "alone"),
    ],
    "04.4": [
        (lambda alarms, n, p: alarms / n > p, "alarms 120, n 1000"),
        (lambda alarms, n, p: alarms > n * p + 3 * np.sqrt(n * p * (1 - p)), "alarms 60"),
        (lambda alarms, n, p: 2, "alarms 130"),
    ],
    "04.5": [(lambda alarms: alarms.argmax(), "most alarms")],
}
right = pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
wrong = pytest.mark.parametrize(
    ("name", "answer", "words"), [(n, a, words) for n in WRONG for a, words in WRONG[n]]
)
every = pytest.mark.parametrize("name", sorted(CHECKS))


def broken(*arguments):
    """Raise, as a learner's first try may."""
    raise ZeroDivisionError("oh")


def test_every_exercise_is_tested():
    """Each exercise has right and wrong answers here; those of 00, 05 and 06 stand apart."""
    assert (
        set(RIGHT)
        == set(WRONG)
        == {name for name in CHECKS if not name.startswith(("00", "05", "06"))}
    )


@every
@pytest.mark.parametrize("answer", [None, ...])
def test_no_answer_yet(name, answer):
    """The placeholder and None count as not answered."""
    assert check(name, answer).status == "not answered"


@right
def test_right_answers(name, answer):
    """A right answer is called right, in whatever form it is written."""
    assert check(name, answer) == Checked("right", "well done")


@wrong
def test_wrong_answers(name, answer, words):
    """A wrong answer draws a hint that shows where it went wrong."""
    found = check(name, answer)
    assert found.status == "hint"
    with pytest.raises(ValueError, match=words):
        raise ValueError(found.message)


@every
def test_answers_that_raise(name):
    """An answer that raises draws a hint with the error's name and the inputs."""
    found = check(name, broken)
    assert found.status == "hint" and "your answer raised ZeroDivisionError: oh" in found.message
    assert "it was given" in found.message


@every
@pytest.mark.parametrize("answer", [0.5, "p"])
def test_answers_that_are_no_functions(name, answer):
    """A number or a text in place of a function is named as that."""
    found = check(name, answer)
    assert found.status == "hint" and f"a function is asked for, got {answer!r}" in found.message


def test_an_error_of_the_check_is_not_called_the_answers():
    """Where the result cannot be read the hint does not say that the answer raised."""
    assert "your answer raised" not in check("01.2", lambda z, threshold: object()).message
    hint = hint_for(lambda answer: answer(1) + "", lambda x: x)
    assert hint is not None and "cannot be read (TypeError" in hint


@every
@pytest.mark.parametrize("answer", [..., None, broken, lambda *arguments: -1.0])
def test_strict_mode_raises(name, answer, monkeypatch):
    """With the environment variable set, all but a right answer is an error."""
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    with pytest.raises(AssertionError, match=f"exercise {name}: (hint|not answered)"):
        check(name, answer)


@right
def test_strict_mode_lets_right_answers_pass(name, answer, monkeypatch):
    """With the environment variable set, a right answer is still right."""
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    assert check(name, answer).status == "right"


def test_unknown_exercise():
    """A name that there is not is refused with those that there are."""
    with pytest.raises(ValueError, match=r"no exercise '9.9'; there are 00.1, 00.2"):
        check("9.9", ...)


@pytest.mark.parametrize("released", [True, False])
def test_a_claim_that_holds(released):
    """A claim that holds says so at any settings."""
    assert repr(claim("2 < 3", 2 < 3, released=released)) == "holds: 2 < 3"


def test_a_claim_that_does_not_hold():
    """Elsewhere it differs; at the released settings it is an error."""
    assert repr(claim("3 < 2", 3 < 2, released=False)) == "differs here: 3 < 2"
    with pytest.raises(AssertionError, match="does not hold: 3 < 2"):
        claim("3 < 2", 3 < 2, released=True)


def test_a_claim_takes_numpys_truth():
    """A comparison of numpy numbers is a claim as well."""
    assert claim("less", np.float64(1) < 2, released=True).status == "holds"
