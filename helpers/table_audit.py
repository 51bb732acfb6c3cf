"""What a report says of the table itself: labels to doubt, near copies, short and cut texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.audit import likely_label_errors, near_copies
from helpers.portable.arrays import Floats
from helpers.portable.decisions import YES_NO, MinimumExpectedCost, Rule
from helpers.portable.labels import LabelThresholds
from helpers.portable.probabilities import softmax

MOST = 10_000  # texts that are compared with each other
SHORT = 3  # letters and digits, at most, of a very short text
SHOWN = 10


def audit_sections(
    rule: Rule,
    logits: ArrayLike,
    labels: NDArray[np.int64],
    *,
    texts: Sequence[str] | None = None,
    truncated: NDArray[np.bool_] | None = None,
    where: Mapping[str, Sequence[Any]] | None = None,
) -> list[dict[str, Any]]:
    """Look a labelled table over with the probabilities of a rule that has not seen it.

    Parameters
    ----------
    rule : a rule of `helpers.decisions`
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
    labels : ndarray of int, shape (n,) or (n, n_labels)
    texts : sequence of str, length n, optional
        Without them only the labels are looked at.
    truncated : ndarray of bool, shape (n,), optional
        Which texts the network has read in part.
    where : mapping of str to sequence of length n, optional
        What names a row, as its number and an id; by default the number.

    Returns
    -------
    list of dict
        Sections as `Page` has them.

    Examples
    --------
    >>> from helpers.decisions import BinaryThreshold
    >>> rule = BinaryThreshold.from_threshold(0.5, label_names=("no", "yes"))
    >>> z, y = [-3.0, -3.0, 3.0, 3.0, -4.0], np.array([0, 0, 1, 1, 1])
    >>> audit_sections(rule, z, y)[0]["rows"][0]["row"]
    5
    """
    names = dict(where) if where is not None else {"row": range(1, len(labels) + 1)}

    def at(i: int) -> dict[str, Any]:
        return {name: values[i] for name, values in names.items()}

    sections = [_doubtful(rule, np.asarray(logits, dtype=np.float64), labels, texts, at)]
    if texts is not None:
        sections.append(_near(texts, labels, at))
        sections.append(_short_or_cut(texts, truncated, at))
    return sections


def _doubtful(rule: Rule, z: Floats, labels: NDArray, texts: Any, at: Any) -> dict[str, Any]:
    """List the labels that are likely wrong."""
    found: list[tuple[float, int, str, str]] = []  # of the given label: probability, row, name
    if isinstance(rule, LabelThresholds):
        each = rule.probability(z)
        for k, name in enumerate(rule.label_names):
            p = np.column_stack([1 - each[:, k], each[:, k]])
            rows, _ = likely_label_errors(p, labels[:, k])
            for i in rows:
                given = int(labels[i, k])
                said = (f"not {name}", name)
                found.append((float(p[i, given]), int(i), said[given], said[1 - given]))
    else:
        if isinstance(rule, YES_NO):
            yes = rule.probability(z)
            p = np.column_stack([1 - yes, yes])
        elif isinstance(rule, MinimumExpectedCost):
            p = rule.probability(z)
        else:
            p = softmax(z / rule.temperature)
        known = np.flatnonzero(labels < p.shape[1])  # a row of Other has no label to doubt
        rows, suggested = likely_label_errors(p[known], labels[known])
        for i, other in zip(known[rows], suggested, strict=True):
            given = rule.label_names[labels[i]]
            found.append((float(p[i, labels[i]]), int(i), given, rule.label_names[other]))
    found.sort()
    return {
        "heading": "Labels to look at",
        "text": f"{len(found)} labels that the network's probabilities contradict, the likeliest "
        "errors first. Read the rows: either may be wrong, and a weak network doubts many."
        if found
        else "The network's probabilities contradict no label.",
        "rows": [
            {
                **at(i),
                "label": given,
                "rather": other,
                "probability of the label": p_given,
                **({"text": texts[i]} if texts is not None else {}),
            }
            for p_given, i, given, other in found[:SHOWN]
        ],
    }


def _near(texts: Sequence[str], labels: NDArray, at: Any) -> dict[str, Any]:
    """List texts that are nearly the same, those of different labels first."""
    pairs = near_copies(texts[:MOST])
    differ = [bool(np.any(labels[i] != labels[j])) for i, j, _ in pairs]
    order = sorted(range(len(pairs)), key=lambda k: not differ[k])
    first = f" Compared were the first {MOST:,} rows." if len(texts) > MOST else ""
    return {
        "heading": "Texts that are nearly the same",
        "text": (
            f"{len(pairs)} texts are an earlier one but for a few letters, {sum(differ)} of them "
            f"with another label. They make intervals too narrow.{first}"
            if pairs
            else f"No two texts are nearly the same.{first}"
        ),
        "rows": [
            {
                **at(pairs[k][1]),
                **{f"earlier {name}": value for name, value in at(pairs[k][0]).items()},
                "alike": pairs[k][2],
                "labels": "differ" if differ[k] else "same",
                "text": texts[pairs[k][1]],
            }
            for k in order[:SHOWN]
        ],
    }


def _short_or_cut(
    texts: Sequence[str], truncated: NDArray[np.bool_] | None, at: Any
) -> dict[str, Any]:
    """List texts with next to nothing in them, and those that the network did not read whole."""
    short = [i for i, text in enumerate(texts) if sum(map(str.isalnum, text)) <= SHORT]
    cut = [] if truncated is None else np.flatnonzero(truncated).tolist()
    said = [
        f"{len(short)} texts have at most {SHORT} letters or digits.",
        ""
        if truncated is None
        else f"{len(cut)} are longer than the network reads: their ends were cut off.",
    ]
    half = max(SHOWN // 2, SHOWN - len(cut))
    rows = [(i, "short") for i in short[:half]]
    rows += [(i, "cut") for i in cut[: SHOWN - len(rows)]]
    return {
        "heading": "Short texts, and texts that were cut",
        "text": " ".join(filter(None, said)),
        "rows": [{**at(i), "what": what, "text": texts[i]} for i, what in rows],
    }
