"""Judge the exercises of lesson 05."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.judges.results import Judge

Row = dict[str, str]


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _usable(
    rows: list[Row], *, blank: bool = True, copies: str = "folded", labels: str = "folded"
) -> list[int]:
    """Name the places of rows that can be used; each option can be done badly, or not at all."""
    kept, seen = [], set()
    for place, row in enumerate(rows):
        text = _folded(row["text"]) if copies == "folded" else row["text"]
        text = text.strip().casefold() if copies == "stripped" else text
        if (blank and not row["text"].strip()) or (copies != "no" and text in seen):
            continue
        seen.add(text)
        kept.append(place)
    if labels == "no":
        return kept
    name = _folded if labels != "exact" else str
    counted = kept if labels != "all rows" else range(len(rows))
    found = Counter(name(rows[place]["label"]) for place in counted)
    return [place for place in kept if found[name(rows[place]["label"])] > 1]


_LEFT_OUT: dict[str, Callable[[list[Row]], list[int]]] = {
    "an empty text, or one of blanks alone, stays in": lambda rows: _usable(rows, blank=False),
    "copies stay in": lambda rows: _usable(rows, copies="no"),
    "two texts are the same if only letter case or blanks differ": (
        lambda rows: _usable(rows, copies="exact")
    ),
    "blanks inside a text do not count either: ' '.join(text.split())": (
        lambda rows: _usable(rows, copies="stripped")
    ),
    "a label with one row stays in": lambda rows: _usable(rows, labels="no"),
    "'Fees' and ' fees' are one label": lambda rows: _usable(rows, labels="exact"),
    "labels are counted after the copies and the empty texts have gone, not before": (
        lambda rows: _usable(rows, labels="all rows")
    ),
    "the first of two copies stays, not the last": (
        lambda rows: sorted(len(rows) - 1 - place for place in _usable(rows[::-1]))
    ),
    "these are the places of the rows that go": (
        lambda rows: sorted(set(range(len(rows))) - set(_usable(rows)))
    ),
    "places are counted from 0": lambda rows: [place + 1 for place in _usable(rows)],
}


def _rows(*pairs: tuple[str, str]) -> list[Row]:
    return [{"text": text, "label": label} for text, label in pairs]


def _read_a_bad_table(answer: Callable[[list[Row]], Any]) -> str | None:
    cases = (
        _rows(("I paid twice", "fees"), ("My bus is late", "bus"), ("Pay", "fees"), ("x", "bus")),
        _rows(("I paid twice", "fees"), ("  ", "fees"), ("i paid  twice", "fees"), ("Pay", "fees")),
        _rows(("a b", "Fees"), ("c", " fees"), ("d", "bus"), ("e", "bus"), ("", "keys")),
        _rows(("a", "bus"), ("A", "bus"), ("b", "fees"), ("c", "fees"), ("d", "keys")),
        _rows(("", "keys"), ("k", "keys"), ("a", "bus"), ("b", "bus")),
        _rows(("a", "bus"), ("A", "fees"), ("b", "bus"), ("c", "fees"), ("d", "fees")),
    )
    given: list[list[int]] = []
    for rows in cases:
        raw = answer([dict(row) for row in rows])
        seen = f"for the rows {[tuple(row.values()) for row in rows]} expected {_usable(rows)}, got"
        if raw is None:
            return f"{seen} None: is there a `return`?"
        try:
            got = np.asarray(list(raw))
        except TypeError:
            return f"{seen} {raw!r}: a list of places is asked for"
        if got.ndim != 1 or (got.size and got.dtype.kind not in "iuf"):
            return f"{seen} {raw!r}: places are whole numbers, as 0 for the first row"
        given.append(got.astype(np.int64).tolist())
    for rows, places in zip(cases, given, strict=True):
        if places == _usable(rows):
            continue
        why = "blank texts, copies and labels with one row go, everything else stays in its order"
        if sorted(places) == _usable(rows):
            why = "the places keep the order of the table"
        for words, wrong in _LEFT_OUT.items():
            if given == [wrong(one) for one in cases]:
                why = words
                break
        shown = [tuple(row.values()) for row in rows]
        return f"for the rows {shown} expected {_usable(rows)}, got {places}: {why}"
    return None


KINDS = ("binary", "multiclass", "multilabel")


def _choose_the_kind(answer: Callable[[dict[str, list]], Any]) -> str | None:
    cases: tuple[tuple[dict[str, list], str, str], ...] = (
        ({"urgent": ["yes", "no", "no", "yes"]}, "binary", "two answers, one a row"),
        ({"desk": ["bus", "fees", "meals", "bus"]}, "multiclass", "one of three, one a row"),
        (
            {"bus": [0, 1, 1], "fees": [1, 0, 1]},
            "multilabel",
            "each column is a yes or no",
        ),
        ({"tags": [["bus"], ["bus", "fees"], []]}, "multilabel", "a row may hold several, or none"),
        ({"tags": ["bus;fees", "fees", "", "bus"]}, "multilabel", "the semicolon parts labels"),
        ({"urgent": [0, 1, 0]}, "binary", "two answers, one a row"),
        ({"stars": [1, 2, 3, 4, 5]}, "multiclass", "five numbers are five labels"),
        (
            {"tags": ["bus", "fees;bus", "fees"]},
            "multilabel",
            "look at all cells, not the first",
        ),
        ({"mail": ["ham", "spam", "ham"]}, "binary", "any two labels are two answers"),
        (
            {"answer": ["Yes", "no", " yes", "NO"]},
            "binary",
            "yes spelled in two ways is one label",
        ),
    )
    for columns, want, why in cases:
        raw = answer({name: list(cells) for name, cells in columns.items()})
        if raw != want:
            seen = f"for the label columns {columns} expected {want!r}, got {raw!r}"
            if raw not in KINDS:
                return f"{seen}: answer with one of {', '.join(KINDS)}"
            return f"{seen}: {why}"
    return None


def _scores_of_keras(answer: Callable[[Any], Any]) -> str | None:
    below_1 = np.nextafter(np.float32(1), np.float32(0))
    p = np.array(
        [[0.5], [0.2], [0.99], [0.001], [1e-5], [1e-9], [below_1], [1.0], [0.0]], dtype=np.float32
    )
    p_inside = p[:-2].ravel().astype(np.float64)
    want = np.log(p_inside / (1 - p_inside))
    with np.errstate(all="ignore"):
        raw = answer(p.copy())
    given = [float(f"{one:.9g}") for one in p.ravel()]
    seen = f"for the probabilities {given} of shape (9, 1) got"
    if raw is None:
        return f"{seen} None: is there a `return`?"
    try:
        got = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError):
        return f"{seen} {raw!r}: one logit a row is asked for"
    if got.shape not in ((9,), (9, 1)):
        return f"{seen} the shape {got.shape}: one logit a row is asked for, (9,) or (9, 1)"
    z = got.ravel()
    seen = f"{seen} {np.round(z, 3).tolist()}"
    inside = z[:-2]
    if np.allclose(inside, want, atol=1e-3):
        if not np.isfinite(z).all():
            return (
                f"{seen}: 0 and 1 become infinite; keep p a little inside, as np.clip does, in "
                "float64: in float32 1 - 1e-8 is 1"
            )
        if not (z[-2] > inside.max() and z[-1] < inside.min()):
            return f"{seen}: 1.0 must stay above and 0.0 below all others; clip closer to them"
        return None
    if np.allclose(inside[:2], want[:2], atol=1e-3):
        return (
            f"{seen}, expected {np.round(want, 3).tolist()} for all but the last two: that clips "
            "too much; only 0 and 1 themselves may change, so clip in float64, closer to them"
        )
    mistakes = {
        "these are the probabilities; a logit is log(p / (1 - p))": p_inside,
        "this is log p; the logit of yes/no is log(p / (1 - p))": np.log(p_inside),
        "these are the odds; the logit is their logarithm": p_inside / (1 - p_inside),
        "this is a sigmoid of what is a probability already": 1 / (1 + np.exp(-p_inside)),
        "the sign is turned round": -want,
        "the logarithm is to another base; take the natural one": want / np.log(10),
    }
    for words, wrong in mistakes.items():
        if np.allclose(inside[:5], wrong[:5], atol=1e-3):
            return f"{seen}: {words}"
    return f"{seen}, expected {np.round(want, 3).tolist()} for the first seven: log(p / (1 - p))"


CHECKS: dict[str, Judge] = {
    "05.1": _read_a_bad_table,
    "05.2": _choose_the_kind,
    "05.3": _scores_of_keras,
}
