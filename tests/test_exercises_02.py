"""Claims about the checks of lesson 02: any right style passes, each mistake has its hint."""

import heapq
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import special

from helpers.exercises import STRICT_VARIABLE, check
from helpers.probabilities import confidence, sigmoid, softmax


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def by(score, *, other=None, strict=False):
    """Make an answer to 02.1 that compares a score with the lead."""

    def answer(z, lead):
        ahead = score(z)
        enough = ahead > lead if strict else ahead >= lead
        return np.where(enough, z.argmax(axis=1), z.shape[1] if other is None else other)

    return answer


def leads(p):
    """Return the largest of each row less the second."""
    return np.diff(np.sort(p, axis=1)[:, -2:])[:, 0]


def right(z, lead):
    """Answer 02.1 rightly."""
    return by(lambda z: leads(softmax(z)))(z, lead)


def naive(z):
    """Compute the softmax that overflows."""
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def row_by_row(z, lead):
    """Answer 02.1 with plain Python."""
    said = []
    for row in z.tolist():
        e = [math.exp(value - max(row)) for value in row]
        second, first = (value / sum(e) for value in sorted(e)[-2:])
        said.append(row.index(max(row)) if first - second >= lead else len(row))
    return said


def partition(z, lead):
    """Answer 02.1 with a partition in place of a sort."""
    two = np.partition(special.softmax(z, axis=1), -2, axis=1)
    return by(lambda z: two[:, -1] - two[:, -2])(z, lead)


def missing(names, labels):
    """Return the listed names that are not found, sorted."""
    return sorted(set(names) - set(labels))


def unknown(names, labels):
    """Return the found names that are not listed, sorted."""
    return sorted(set(labels) - set(names))


def counted(names, labels):
    """Answer 02.2 with a counter."""
    found = Counter(labels)
    return [n for n in sorted(names) if not found[n]], sorted(n for n in found if n not in names)


def grown(names, labels):
    """Answer 02.2 with loops."""
    first, second = [], []
    for name in names:
        if name not in labels:
            first.append(name)
    for name in labels:
        if name not in names and name not in second:
            second.append(name)
    return sorted(first), sorted(second)


def folded(names, labels):
    """Treat names that differ in case as one."""
    low = [label.lower() for label in labels]
    return missing(names, low), unknown(names, low)


def nth(sure, capacity):
    """Answer 02.3 rightly."""
    return np.append(np.sort(sure), np.inf)[capacity]


def halfway(sure, capacity):
    """Put the cut between the last that goes and the first that stays, if they do not tie."""
    s = np.concatenate([[-1.0], np.sort(sure), [3.0]])
    while s[capacity] == s[capacity + 1]:
        capacity -= 1
    return (s[capacity] + s[capacity + 1]) / 2


def tried(sure, capacity):
    """Try every cut there is."""
    return max(c for c in [*sure.tolist(), 1.5] if sum(s < c for s in sure) <= capacity)


def smallest(sure, capacity):
    """Answer 02.3 with a heap."""
    return heapq.nsmallest(capacity + 1, [*sure.tolist(), math.inf])[-1]


def at_most(top, make):
    """Cap a cut."""
    return lambda sure, capacity: min(make(sure, capacity), top)


RIGHT = {
    "02.1": [
        right,
        row_by_row,
        partition,
        by(lambda z: confidence(z, measure="margin")),
        by(lambda z: np.diff(np.sort(special.softmax(z.astype(np.float32), axis=1))[:, -2:])[:, 0]),
        lambda z, lead: right(z, lead).tolist(),
        lambda z, lead: tuple(right(z, lead)),
        lambda z, lead: right(z, lead).astype(np.int8),
        lambda z, lead: right(z, lead).astype(np.uint32),
        lambda z, lead: right(z, lead).astype(np.float32),
        lambda z, lead: pd.Series(right(z, lead), index=[f"row {i}" for i in range(len(z))]),
    ],
    "02.2": [
        lambda names, labels: (missing(names, labels), unknown(names, labels)),
        lambda names, labels: [missing(names, labels), unknown(names, labels)],
        lambda names, labels: (tuple(missing(names, labels)), tuple(unknown(names, labels))),
        lambda names, labels: (np.array(missing(names, labels)), np.array(unknown(names, labels))),
        lambda names, labels: (np.setdiff1d(names, labels), np.setdiff1d(labels, list(names))),
        lambda names, labels: (pd.Series(missing(names, labels)), pd.Index(unknown(names, labels))),
        lambda names, labels: {"a": missing(names, labels), "b": unknown(names, labels)}.values(),
        lambda names, labels: (iter(missing(names, labels)), iter(unknown(names, labels))),
        counted,
        grown,
    ],
    "02.3": [
        nth,
        halfway,
        tried,
        smallest,
        lambda sure, capacity: np.float32(nth(sure, capacity)),
        lambda sure, capacity: np.float16(nth(sure, capacity)),
        lambda sure, capacity: float(nth(sure, capacity)),
        lambda sure, capacity: np.array(nth(sure, capacity)),
        lambda sure, capacity: pd.Series([*sorted(sure), 2]).iloc[capacity],
        lambda sure, capacity: sorted(sure)[capacity] if capacity < len(sure) else 2,
        lambda sure, capacity: Fraction(float(np.append(np.sort(sure), 2)[capacity])),
        at_most(np.nextafter(1, 2), nth),
    ],
}
WRONG = {
    "02.1": [
        (by(lambda z: leads(softmax(z)), strict=True), "a lead that is just reached is enough"),
        (by(lambda z: leads(naive(z))), r"got \[3, 3, 3\]: np.exp of 1000 is infinite"),
        (
            lambda z, lead: np.where(leads(naive(z)) < lead, z.shape[1], z.argmax(axis=1)),
            "np.exp of 1000 is infinite",
        ),
        (by(lambda z: leads(naive(z - z.max()))), "subtract each row's largest logit"),
        (by(lambda z: leads(softmax(z.clip(-700, 700)))), "np.exp of 1000"),
        (
            lambda z, lead: [math.exp(v) for v in z.max(axis=1)] and right(z, lead),
            "OverflowError: np.exp of 1000 is infinite",
        ),
        (by(lambda z: softmax(z).max(axis=1)), "the largest softmax alone"),
        (by(leads), "between the logits"),
        (by(lambda z: leads(sigmoid(z))), "between sigmoids"),
        (lambda z, lead: z.argmax(axis=1), "no row becomes Other"),
        (lambda z, lead: np.full(len(z), z.shape[1]), "every row becomes Other"),
        (by(lambda z: leads(softmax(z.T).T)), "down the columns"),
        (by(lambda z: leads(np.exp(z) / np.exp(z).sum())), "over the whole array"),
        (by(lambda z: np.ptp(softmax(z), axis=1)), "compared with the smallest"),
        (by(lambda z: -leads(softmax(z))), "expected .* got .*"),
        (
            lambda z, lead: np.where(leads(softmax(z)) < lead, z.argmax(axis=1), z.shape[1]),
            "the clear rows become Other",
        ),
        (
            lambda z, lead: np.where(
                right(z, lead) < z.shape[1], z.argsort(axis=1)[:, -2], z.shape[1]
            ),
            "with the runner-up",
        ),
        (lambda z, lead: right(z, lead) + 1, "counted from 0"),
        (by(lambda z: leads(softmax(z)), other=-1), "its index is the number of classes"),
        (by(lambda z: leads(softmax(z)), other=49), "its index is the number of classes"),
        (by(lambda z: leads(softmax(z)), other=3), r"expected \[0, 4, 4\], got \[0, 3, 3\]"),
        (by(lambda z: leads(softmax(z)), other=np.nan), "its index is the number of classes"),
        (lambda z, lead: right(z, lead)[:, None], r"shape \(4,\), not \(4, 1\)"),
        (lambda z, lead: softmax(z), r"shape \(4,\), not \(4, 3\)"),
        (lambda z, lead: None, "got None: is there a `return`"),
        (lambda z, lead: ["Other"] * len(z), "a whole number"),
        (lambda z, lead: [[0], [1, 2], 3, 4], "a whole number"),
        (lambda z, lead: right(z, lead) + 0.5, "compare the last two"),
    ],
    "02.2": [
        (
            lambda names, labels: (
                missing(names, labels),
                sorted(n for n in labels if n not in names),
            ),
            "named once",
        ),
        (lambda names, labels: (unknown(names, labels), missing(names, labels)), "changed places"),
        (
            lambda names, labels: (missing(names, labels)[::-1], unknown(names, labels)),
            "not sorted",
        ),
        (
            lambda names, labels: ([n for n in names if n not in labels], unknown(names, labels)),
            "not sorted",
        ),
        (
            lambda names, labels: (
                missing(names, labels),
                list(dict.fromkeys(n for n in labels if n not in names)),
            ),
            "not sorted",
        ),
        (folded, "another spelling is another name"),
        (
            lambda names, labels: (
                missing(names, [n.strip() for n in labels]),
                unknown(names, [n.strip() for n in labels]),
            ),
            "a blank makes another name",
        ),
        (
            lambda names, labels: (
                [n for n in missing(names, labels) if not any(n in found for found in labels)],
                unknown(names, labels),
            ),
            "'busstop' is not 'bus'",
        ),
        (
            lambda names, labels: (set(names) - set(labels), set(labels) - set(names)),
            "a set has no order",
        ),
        (lambda names, labels: (missing(names, labels), []), "the second list lacks"),
        (lambda names, labels: ([], unknown(names, labels)), "the first list lacks"),
        (lambda names, labels: ([], []), "the first list lacks"),
        (lambda names, labels: (sorted(names), sorted(set(labels))), "the first list has"),
        (
            lambda names, labels: (missing(names, labels), sorted(set(labels))),
            "the second list has",
        ),
        (
            lambda names, labels: (sorted(set(names) & set(labels)), unknown(names, labels)),
            "first list",
        ),
        (lambda names, labels: (missing(names, labels), missing(names, labels)), "the second list"),
        (
            lambda names, labels: missing(names, labels) + unknown(names, labels),
            "not 0 values",
        ),
        (lambda names, labels: missing(names, labels), "not 0 values"),
        (lambda names, labels: sorted(set(names) ^ set(labels)), "a pair of lists is asked for"),
        (lambda names, labels: None, "not one NoneType"),
        (lambda names, labels: True, "not one bool"),
        (lambda names, labels: "none", "not one str"),
        (lambda names, labels: {n: n for n in missing(names, labels)}, "not one dict"),
        (
            lambda names, labels: (", ".join(missing(names, labels)), "-"),
            "each of the two is a list",
        ),
        (lambda names, labels: (len(missing(names, labels)), 0), "not one int"),
        (
            lambda names, labels: (missing(names, labels), unknown(names, labels), []),
            "not 3 values",
        ),
    ],
    "02.3": [
        (at_most(1.0, nth), r"the surest has 1\.0, and goes only if the cut is above that"),
        (
            lambda sure, capacity: np.sort(sure)[min(capacity, len(sure) - 1)],
            "the surest has 0.875",
        ),
        (at_most(0.9, nth), "the surest has 1.0"),
        (
            lambda sure, capacity: np.sort(sure)[capacity - 1],
            "a message at the cut is not below it",
        ),
        (
            lambda sure, capacity: np.append(np.sort(sure), 2)[min(capacity + 1, len(sure))],
            "more than can be read",
        ),
        (
            lambda sure, capacity: np.append(np.unique(sure), 2)[
                min(capacity, len(np.unique(sure)))
            ],
            "messages that tie",
        ),
        (
            lambda sure, capacity: np.append(-1, np.sort(sure))[capacity] + 1e-9,
            "messages that tie go together",
        ),
        (
            lambda sure, capacity: np.append(np.sort(sure)[::-1], 2)[capacity],
            "sorted from the surest",
        ),
        (lambda sure, capacity: 0.6, "more than can be read"),
        (lambda sure, capacity: np.quantile(sure, capacity / len(sure)), "expected"),
        (lambda sure, capacity: np.median(sure), "expected"),
        (lambda sure, capacity: 0.0, "there is room for more"),
        (lambda sure, capacity: -np.inf, "there is room for more"),
        (lambda sure, capacity: np.inf, "more than can be read"),
        (lambda sure, capacity: nth(sure, capacity) if capacity else np.inf, "with room for none"),
        (lambda sure, capacity: capacity, "more than can be read"),
        (lambda sure, capacity: capacity / len(sure), "room for more"),
        (lambda sure, capacity: np.nan, "nothing is below it"),
        (lambda sure, capacity: None, "is no number"),
        (lambda sure, capacity: "0.5 or so", "one cut is asked for"),
        (lambda sure, capacity: np.sort(sure)[:capacity], r"has the shape \(1,\)"),
        (lambda sure, capacity: sure < nth(sure, capacity), r"has the shape \(6,\)"),
        (lambda sure, capacity: [nth(sure, capacity)], r"has the shape \(1,\)"),
        (lambda sure, capacity: np.floor(nth(sure, capacity) * 2) / 2, "room for"),
    ],
}


def test_there_are_enough():
    """Each check is fed some twenty wrong answers, and ten right ones."""
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
    """A hint on values shows the inputs, what was expected and what came."""
    for answer, _ in WRONG[name]:
        message = check(name, answer).message
        assert message.startswith(("for the l", "with room for"))
        assert name == "02.3" or ("expected" in message and "got" in message)
