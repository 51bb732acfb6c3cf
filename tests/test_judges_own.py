"""Claims about helpers.judges.own: exercises 05.1 to 05.3, right and wrong answers."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from helpers.exercises import CHECKS, Checked, check
from helpers.judges.own import KINDS
from helpers.portable.probabilities import logit
from helpers.scores import from_probabilities


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv("EXERCISES_STRICT", raising=False)


def usable(rows):
    """Do it with a loop."""
    kept, seen = [], set()
    for i, row in enumerate(rows):
        text = " ".join(row["text"].lower().split())
        if text and text not in seen:
            seen.add(text)
            kept.append(i)
    labels = Counter(rows[i]["label"].strip().lower() for i in kept)
    return [i for i in kept if labels[rows[i]["label"].strip().lower()] > 1]


def usable_by(rows, fold):
    """Tell copies by another way to fold a text."""
    kept, seen = [], set()
    for i, row in enumerate(rows):
        if row["text"].strip() and fold(row["text"]) not in seen:
            seen.add(fold(row["text"]))
            kept.append(i)
    labels = Counter(rows[i]["label"].strip().lower() for i in kept)
    return [i for i in kept if labels[rows[i]["label"].strip().lower()] > 1]


def by_pandas(rows):
    """Do it with pandas."""
    table = pd.DataFrame(rows)
    text = table.text.str.split().str.join(" ").str.casefold()
    table = table[(text != "") & ~text.duplicated()]
    label = table.label.str.strip().str.casefold()
    return table.index[label.groupby(label).transform("size") > 1]


def last_copies(rows):
    """Keep the last of each copy."""
    return sorted(len(rows) - 1 - i for i in usable(rows[::-1]))


def counted_before(rows):
    """Count the labels of all rows."""
    kept = set(usable([{**row, "label": "one"} for row in rows]))
    labels = Counter(row["label"].strip().lower() for row in rows)
    return [i for i in sorted(kept) if labels[rows[i]["label"].strip().lower()] > 1]


def kind(columns):
    """Look at the number of columns, then at the cells."""
    if len(columns) > 1:
        return "multilabel"
    (cells,) = columns.values()
    if any(isinstance(cell, list) or ";" in str(cell) for cell in cells):
        return "multilabel"
    found = {str(cell).strip().lower() for cell in cells}
    return "binary" if len(found) == 2 else "multiclass"


def clipped(p, low=1e-46, top=1e-9):
    """Keep a probability a little inside, and take its logit."""
    p = np.clip(np.asarray(p, dtype=np.float64), low, 1 - top)
    return np.log(p / (1 - p))


RIGHT = {
    "05.1": [
        usable,
        by_pandas,
        lambda rows: tuple(usable(rows)),
        lambda rows: np.array(usable(rows)),
        lambda rows: np.array(usable(rows), dtype=np.float32),
        lambda rows: pd.Series(usable(rows)),
        lambda rows: (i for i in usable(rows)),
        lambda rows: map(int, usable(rows)),
        lambda rows: np.int8(usable(rows)),
        lambda rows: [np.int64(i) for i in usable(rows)],
    ],
    "05.2": [
        kind,
        lambda c: np.str_(kind(c)),
        lambda c: KINDS[KINDS.index(kind(c))],
        lambda c: kind({name: tuple(cells) for name, cells in c.items()}),
        lambda c: {2: "binary"}.get(kinds_of(c), kind(c)),
    ],
    "05.3": [
        clipped,
        lambda p: clipped(p).tolist(),
        lambda p: clipped(p).ravel(),
        lambda p: np.float32(clipped(p)),
        lambda p: pd.Series(clipped(p).ravel()),
        lambda p: pd.DataFrame(clipped(p)),
        lambda p: clipped(p, 1e-12, 1e-12),
        lambda p: [float(clipped(one)) for one in p.ravel()],
        lambda p: logit(np.clip(np.float64(p.ravel()), 1e-10, 1 - 1e-10)),
    ],
}


def kinds_of(columns):
    """Say 2 where one column has two plain answers."""
    return 2 if kind(columns) == "binary" else 0


WRONG = {
    "05.1": [
        (lambda rows: list(range(len(rows))), "blank texts, copies and labels"),
        (lambda rows: [i for i, r in enumerate(rows) if r["text"].strip()], "blank texts"),
        (lambda rows: [], "blank texts, copies"),
        (lambda rows: usable(rows)[::-1], "keep the order"),
        (lambda rows: [i + 1 for i in usable(rows)], "counted from 0"),
        (lambda rows: sorted({*range(len(rows))} - {*usable(rows)}), "rows that go"),
        (last_copies, "the first of two copies stays"),
        (counted_before, "counted after"),
        (lambda rows: usable([{**r, "label": "x"} for r in rows]), "label with one row"),
        (lambda rows: usable_by(rows, lambda t: t.strip().lower()), "blanks inside a text"),
        (
            lambda rows: usable(
                [{**r, "text": r["text"] and r["text"] + r["label"]} for r in rows]
            ),
            "expected",
        ),
        (lambda rows: usable([{**r, "text": f"{i}"} for i, r in enumerate(rows)]), "places|copies"),
        (lambda rows: None, "is there a `return`"),
        (lambda rows: 3, "a list of places is asked for"),
        (lambda rows: [rows[i] for i in usable(rows)], "places are whole numbers"),
        (lambda rows: [rows[i]["text"] for i in usable(rows)], "places are whole numbers"),
        (lambda rows: [[i] for i in usable(rows)], "places are whole numbers"),
        (lambda rows: usable(rows)[:-1], "everything else stays"),
        (lambda rows: usable(rows)[:1], "everything else stays"),
        (lambda rows: [*usable(rows), 0], "everything else stays"),
        (lambda rows: len(usable(rows)), "a list of places"),
        (lambda rows: np.isin(range(len(rows)), usable(rows)), "places are whole numbers"),
    ],
    "05.2": [
        (lambda c: "binary", "'multiclass', got 'binary': one of three"),
        (lambda c: "multiclass", "two answers, one a row"),
        (lambda c: "multilabel", "two answers, one a row"),
        (lambda c: None, "answer with one of binary"),
        (lambda c: 2, "answer with one of"),
        (lambda c: kind(c).upper(), "answer with one of"),
        (lambda c: kind(c) if len(c) == 1 else "multiclass", "each column is a yes or no"),
        (lambda c: "multiclass" if "[[" in str(c) else kind(c), "several, or none"),
        (lambda c: "multiclass" if ";" in str(c) else kind(c), "the semicolon parts labels"),
        (lambda c: "multiclass" if "stars" not in c and "0" in str(c) else kind(c), "yes or no"),
        (lambda c: "binary" if "stars" in c else kind(c), "five numbers are five labels"),
        (lambda c: "multiclass" if "fees;bus" in str(c) else kind(c), "look at all cells"),
        (lambda c: "multiclass" if "ham" in str(c) else kind(c), "any two labels"),
        (lambda c: "multiclass" if "NO" in str(c) else kind(c), "spelled in two ways"),
    ],
    "05.3": [
        (lambda p: p, "these are the probabilities"),
        (lambda p: np.log(np.clip(p, 1e-7, 1)), "this is log p"),
        (lambda p: np.clip(p, 0, 0.999999) / (1 - np.clip(p, 0, 0.999999)), "these are the odds"),
        (lambda p: np.log(p / (1 - p)), "become infinite"),
        (lambda p: clipped(p, 1e-7, 1e-7), "clips too much"),  # the solution of old
        (lambda p: clipped(p, 1e-4, 1e-4), "clips too much"),
        (lambda p: from_probabilities(p, kind="binary"), "clips too much"),
        (lambda p: -clipped(p), "the sign is turned round"),
        (lambda p: clipped(p) / np.log(10), "natural one"),
        (lambda p: 1 / (1 + np.exp(-p)), "sigmoid of what is a probability already"),
        (lambda p: clipped(p, 1e-2, 1e-2), "clips too much"),
        (lambda p: np.nan_to_num(np.log(p / (1 - p)), posinf=0, neginf=0), "must stay above"),
        (lambda p: None, "is there a `return`"),
        (lambda p: clipped(p)[:3], "the shape"),
        (lambda p: np.hstack([-clipped(p), clipped(p)]), "the shape"),
        (lambda p: float(clipped(p)[0, 0]), "the shape"),
        (lambda p: "logits", "one logit a row is asked for"),
        (lambda p: (p > 0.5).astype(int), "expected"),
        (lambda p: clipped(p) * 2, "expected"),
        (lambda p: np.zeros(9), "expected"),
        (lambda p: np.full(9, np.nan), "expected"),
        (lambda p: clipped(p).T, "the shape"),
        (lambda p: np.sort(clipped(p), axis=0), "expected"),
    ],
}
pairs = pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])


def test_every_exercise_of_lesson_05_is_tested():
    """There are right and wrong answers for each."""
    assert set(RIGHT) == set(WRONG) == {name for name in CHECKS if name.startswith("05")}


@pairs
def test_right_answers(name, answer):
    """A right answer is called right, in whatever form it is written."""
    assert check(name, answer) == Checked("right", "well done")


@pytest.mark.parametrize(
    ("name", "answer", "words"), [(n, a, words) for n in WRONG for a, words in WRONG[n]]
)
def test_wrong_answers(name, answer, words):
    """A wrong answer draws a hint that names the mistake."""
    found = check(name, answer)
    assert found.status == "hint"
    with pytest.raises(ValueError, match=words):
        raise ValueError(found.message)
