"""Small data and brute force that several test modules share."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import settings

from helpers.decisions import Costs
from helpers.portable.rule import ALWAYS, NEVER
from helpers.probabilities import softmax

QUICK = settings(max_examples=60, deadline=None)
PRICES = Costs(false_positive=1, false_negative=5)
FULL_PRICES = Costs(false_positive=2, false_negative=7, true_positive=1, true_negative=-1)


def small_case(rng):
    """Draw few rows with tied whole scores, weights (some 0) and a cost matrix."""
    n = int(rng.integers(2, 12))
    scores = rng.integers(-3, 4, n).astype(float)
    labels, weight = rng.integers(0, 2, n), rng.integers(0, 4, n).astype(float)
    labels[:2], weight[:2] = [0, 1], rng.integers(1, 4, 2)
    order = rng.permutation(n)
    right = rng.integers(-2, 3, 2) if rng.random() < 0.5 else np.zeros(2)
    alarm, miss = right + rng.integers(1, 6, 2)
    if not right.any() and rng.random() < 0.2:
        alarm, miss = ((0, miss), (alarm, 0))[int(rng.integers(2))]
    costs = Costs(
        false_positive=alarm, false_negative=miss, true_negative=right[0], true_positive=right[1]
    )
    return scores[order], labels[order], weight[order], costs


def steps_of(scores):
    """Give the intervals (low, high] of cuts that decide alike, from below all to above all."""
    return list(pairwise([-np.inf, *np.unique(scores), np.inf]))


def total(costs, predicted, labels, weight):
    """Add up the cost of the decisions, row by row."""
    table = {
        (1, 1): costs.true_positive,
        (1, 0): costs.false_positive,
        (0, 1): costs.false_negative,
        (0, 0): costs.true_negative,
    }
    rows = zip(predicted, labels, weight, strict=True)
    return sum(w * table[int(p), int(y)] for p, y, w in rows)


def brute_force(scores, labels, weight, costs):
    """Try every decision: the least cost, and the middle of its widest plateau (the lower one)."""
    steps = steps_of(scores)
    paid = [total(costs, scores >= high, labels, weight) for _, high in steps]
    plateaus = []
    for (low, high), cost in zip(steps, paid, strict=True):
        if cost == min(paid):
            if plateaus and plateaus[-1][1] == low:
                plateaus[-1][1] = high
            else:
                plateaus.append([low, high])
    low, high = max(plateaus, key=lambda p: p[1] - p[0])  # max keeps the first of equals
    cut = low if low == ALWAYS else high if high == NEVER else (low + high) / 2
    return min(paid), cut


def two_classes(rng, n=60, prior=0.4, digits=1):
    """Draw overlapping scores of two classes, rounded so that some tie."""
    labels = (rng.random(n) < prior).astype(int)
    labels[:2] = [0, 1]
    return np.round(rng.normal(2.0 * labels - 1, 1.5), digits), labels


def reached(scores, labels, rule):
    """Recall and precision of a rule, as fractions."""
    said = rule.decide(scores) == 1
    hits = int((labels[said] == 1).sum())
    precision = Fraction(hits, int(said.sum())) if said.any() else None
    return Fraction(hits, int((labels == 1).sum())), precision


def three_classes(rng, n=60, unknown=0.15):
    """Draw logits of three classes, rounded so that some tie; label 3 belongs to none of them."""
    labels = rng.integers(0, 3, n)
    z = rng.normal(0, 1.2, (n, 3)) + 2.0 * (labels[:, None] == np.arange(3))
    labels[rng.random(n) < unknown] = 3
    return np.round(z, 1), labels


def sample(seed=0):
    """Draw 80 rows of two classes."""
    return two_classes(np.random.default_rng(seed), n=80)


def label_sample(seed=0, n=60, n_labels=5):
    """Draw overlapping scores with ties; each label occurs and is missing somewhere."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, n_labels)) < [0.1, 0.2, 0.3, 0.5, 0.8]).astype(int)
    labels[0], labels[1] = 1, 0
    return np.round(rng.normal(2.0 * labels - 1, 1.5), 1), labels


def simulated(n_classes, n=400, seed=0, stretch=1.0):
    """Draw logits that are calibrated at T = `stretch`, with labels drawn from their softmax."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, (n, n_classes))
    labels = (softmax(z).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return stretch * z, labels.clip(max=n_classes - 1)
