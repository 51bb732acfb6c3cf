"""Claims about helpers.judges.first: exercises 00.1 and 00.2, right and wrong answers."""

import numpy as np
import pandas as pd
import pytest

from helpers.exercises import check


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv("EXERCISES_STRICT", raising=False)


def paid(y, d, alarm, miss):
    """Pay with arrays."""
    y, d = np.asarray(y), np.asarray(d)
    return alarm * (y < d).sum() + miss * (y > d).sum()


RIGHT = {
    "00.1": [
        lambda p, t: [int(x >= t) for x in p],
        lambda p, t: np.array(p) >= t,
        lambda p, t: pd.Series(p).ge(t).astype(int),
        lambda p, t: (x >= t for x in p),
    ],
    "00.2": [
        paid,
        lambda y, d, a, m: sum(a * (i < j) + m * (i > j) for i, j in zip(y, d, strict=True)),
    ],
}
WRONG = {
    "00.1": [
        (lambda p, t: [int(x > t) for x in p], ">=, not >"),
        (lambda p, t: [int(x > t) for x in p], "expected [0, 1, 1], got [0, 0, 1]"),
        (lambda p, t: [int(x < t) for x in p], "changed places"),
        (lambda p, t: [int(x <= t) for x in p], "so has a tie"),
        (lambda p, t: [int(x >= 0.5) for x in p], "the threshold was not used"),
        (lambda p, t: p, "these are the probabilities"),
        (lambda p, t: None, "is there a `return`"),
        (lambda p, t: "yes", "numbers are asked for"),
        (lambda p, t: [1], "expected the shape"),
        (lambda p, t: p / 0, "your answer raised TypeError"),
    ],
    "00.2": [
        (lambda y, d, a, m: paid(y, d, m, a), "the two prices have changed places"),
        (lambda y, d, a, m: paid(y, d, a, m) / len(y), "the cost a message"),
        (lambda y, d, a, m: paid(y, d, 1, 1), "without their prices"),
        (lambda y, d, a, m: paid(y, d, a, 0), "misses cost, too"),
        (lambda y, d, a, m: paid(y, d, 0, m), "false alarms cost, too"),
        (lambda y, d, a, m: [0, 1], "expected the shape"),
    ],
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name):
    """A right answer passes as a list, an array, a Series, a generator or by a loop."""
    for answer in RIGHT[name]:
        found = check(name, answer)
        assert found.status == "right", found


@pytest.mark.parametrize(
    ("name", "answer", "words"), [(n, a, w) for n, some in WRONG.items() for a, w in some]
)
def test_usual_mistakes_are_named(name, answer, words):
    """A wrong answer gets a hint that names its mistake."""
    found = check(name, answer)
    assert found.status == "hint" and words in found.message
