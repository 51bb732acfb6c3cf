"""The labels of a fine-tuned network beside those of a table: kind, names, order of the logits."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln as log_gamma
from scipy.stats import rankdata

from helpers.columns import TRUTHS, order_labels, read_labels, read_truths, some_of
from helpers.data import Kind
from helpers.portable.chance import ANSWERS, PAIRS, wrong_answers, wrong_pairs
from helpers.portable.probabilities import binary_logit
from helpers.table_files import label_sets

BEYOND = 1.645  # standard errors: names that say nothing are beaten so in one network of twenty
OTHER = "Other"  # a row with this label belongs to none of the network's
HEADS = {
    "single_label_classification": "one label a row (softmax)",
    "multi_label_classification": "many labels a row (sigmoid)",
}


def kind_of(
    n_logits: int,
    problem_type: str | None,
    table: pd.DataFrame,
    columns: Sequence[str],
    separator: str | None = None,
) -> tuple[Kind, str]:
    """Tell the kind of rule that fits a head and the label columns of a table.

    Parameters
    ----------
    n_logits : int
    problem_type : str or None
        Of the network's configuration; None says nothing.
    table : DataFrame
    columns : sequence of str
    separator : str, optional
        See `helpers.table_files.file_task`.

    Returns
    -------
    kind : "binary", "multiclass" or "multilabel"
    problem_type : str
        As the rule needs it.

    Raises
    ------
    ValueError
        If the head was trained for a quantity, or for another kind of labels.

    Examples
    --------
    >>> kind_of(3, None, pd.DataFrame({"label": ["a", "b"]}), ["label"])
    ('multiclass', 'single_label_classification')
    """
    lists = any(isinstance(cell, list | tuple) for cell in table[columns[0]])
    many = len(columns) > 1 or separator is not None or lists
    kind: Kind = "multilabel" if many else "binary" if n_logits <= 2 else "multiclass"
    single, multi = HEADS
    wanted = multi if many or n_logits == 1 else single
    if problem_type == "regression":
        raise ValueError(
            "the network was trained for regression (problem_type): its output is a quantity, not "
            "a logit"
        )
    if problem_type not in (None, wanted):
        way = ": name a column for each label, or a --separator" if problem_type == multi else ""
        raise ValueError(
            f"the network was trained for {HEADS.get(problem_type, problem_type)}, and the table "
            f"with {n_logits} logits is for {HEADS[wanted]}{way}"
        )
    return kind, wanted


def read_truth(
    own: Sequence[str],
    kind: Kind,
    table: pd.DataFrame,
    columns: Sequence[str],
    *,
    separator: str | None = None,
    names: Sequence[str] | None = None,
    positive: str | None = None,
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Name the logits of a network, and read the labels of a table in their order.

    Parameters
    ----------
    own : sequence of str, length n_logits
        The network's names (``id2label``); LABEL_0, LABEL_1, ... are none.
    kind : "binary", "multiclass" or "multilabel"
    table : DataFrame, n rows
    columns : sequence of str
    separator, names, positive
        See `helpers.adoption.adopt`.

    Returns
    -------
    label_names : tuple of str
        In the order of the logits; for yes or no those of 0 and 1. They are spelled as in the
        table.
    labels : ndarray of int, shape (n,) or (n, n_labels)
        ``n_logits`` for a row of Other.

    Raises
    ------
    ValueError
        If the names do not fit the head, the table has labels that the network does not know, or
        nothing says which logit is which.

    Examples
    --------
    >>> read_truth(("WAIT", "URGENT"), "binary", pd.DataFrame({"l": ["urgent", "wait"]}), ["l"])
    (('wait', 'urgent'), array([1, 0]))
    """
    if kind != "binary" and positive is not None:
        raise ValueError("--positive is for two labels of which each row has one")
    if kind == "multilabel" and len(columns) > 1:
        label_names = _name_logits(own, kind, list(columns), names)
        if missing := [name for name in label_names if name not in columns]:
            raise ValueError(
                f"the table has no column for the network's labels {some_of(missing)}, only "
                f"{', '.join(columns)}; --names says which label each logit stands for"
            )
        return label_names, read_truths(table, label_names).astype(np.int64)
    if kind == "multilabel":
        sets = label_sets(table[columns[0]].tolist(), separator)
        label_names = _name_logits(own, kind, sorted({one for row in sets for one in row}), names)
        return label_names, np.array([[int(one in row) for one in label_names] for row in sets])
    found = read_labels(table, columns[0])
    label_names = _name_logits(own, kind, list(dict.fromkeys(found)), names, positive)
    index = _places(found, label_names, kind) or {name: k for k, name in enumerate(label_names)}
    if kind == "multiclass":
        index.setdefault(OTHER, len(label_names))
    return label_names, np.array([index[one] for one in found])


def _name_logits(
    own: Sequence[str],
    kind: Kind,
    found: list[str],
    names: Sequence[str] | None,
    positive: str | None = None,
) -> tuple[str, ...]:
    """Give the names of the labels in the order of the logits, as the table spells them."""
    n = len(own)
    wanted = max(n, 2) if kind == "binary" else n
    nameless = all(re.fullmatch(r"LABEL_\d+", name) for name in own)
    if names is not None:
        label_names = tuple(names)
        if len(label_names) != wanted or len(set(label_names)) < wanted or "" in label_names:
            raise ValueError(
                f"the network has {n} logit{'s' * (n > 1)}: --names takes {wanted} different "
                f"names, got {', '.join(map(repr, label_names))}"
            )
    elif nameless and not set(found) <= set(own):
        if kind == "binary" and (positive or all(name.casefold() in TRUTHS for name in found)):
            label_names = order_labels(found, None, positive)
        elif kind != "binary" and all(name.isdecimal() and int(name) < n for name in found):
            label_names = tuple(map(str, range(n)))
        else:
            raise ValueError(
                f"the network's labels have no names ({some_of(own)}): --names gives them in the "
                f"order of its logits; the table has {some_of(found)}"
            )
    elif n == 1 and kind == "binary":
        others = [name for name in found if name.casefold() != own[0].casefold()]
        plain = all(name.casefold() in TRUTHS for name in found)
        no = f"not {own[0]}" if plain or len(others) != 1 else others[0]
        label_names = (no, own[0])
    else:
        label_names = tuple(own)
    if len(label_names) != wanted:
        raise ValueError(
            f"the network has {n} logit{'s' * (n > 1)}, and the table {len(label_names)} labels: "
            f"{some_of(label_names)}"
        )
    spelling = {name.casefold(): name for name in reversed(found)}
    if names is None and len(set(map(str.casefold, label_names))) == wanted:
        label_names = tuple(spelling.get(name.casefold(), name) for name in label_names)
    known = {*label_names, OTHER} if kind == "multiclass" else set(label_names)
    unknown = [name for name in found if name not in known]
    if unknown and not _places(found, label_names, kind):
        raise ValueError(
            f"the network does not know the labels {some_of(unknown)} of the table; it knows "
            f"{', '.join(label_names[:10])}; --names gives other names in the order of its logits"
        )
    if positive is not None and positive not in label_names:
        raise ValueError(
            f"--positive must be {label_names[0]!r} or {label_names[1]!r}, got {positive!r}"
        )
    return label_names


def holds_places(
    table: pd.DataFrame, columns: Sequence[str], names: Sequence[str], kind: Kind
) -> bool:
    """Tell whether the labels of a table are 0, 1, ... for the places of the logits.

    Examples
    --------
    >>> holds_places(pd.DataFrame({"label": [0, 1]}), ["label"], ("wait", "urgent"), "binary")
    True
    """
    if kind == "multilabel":
        return False
    return _places(read_labels(table, columns[0]), names, kind) is not None


def _places(found: Sequence[str], names: Sequence[str], kind: Kind) -> dict[str, int] | None:
    """Understand labels as places of logits: 0, 1, ..., and for yes or no False, True, no, yes."""
    if kind == "multilabel" or set(found) <= set(names):
        return None
    if kind == "binary":
        places = {name: TRUTHS.get(name.casefold(), -1) for name in found}
    else:
        places = {name: int(name) if name.isdecimal() else -1 for name in found}
    return places if all(0 <= place < len(names) for place in places.values()) else None


def check_order(
    kind: Kind,
    logits: NDArray[np.floating],
    truth: NDArray[np.int64],
    names: Sequence[str],
    *,
    by_place: bool = False,
) -> None:
    """Compare the order of the names with what the rows say.

    Parameters
    ----------
    kind : "binary", "multiclass" or "multilabel"
    logits : ndarray of float, shape (n, n_logits)
    truth : ndarray of int, shape (n,) or (n, n_labels)
        ``n_classes`` for rows of none of the classes.
    names : sequence of str
    by_place : bool, default False
        Whether the table holds 0, 1, ... for the places of the logits, which no names change.

    Raises
    ------
    ValueError
        If the network is worse than chance, beyond chance, under these names.

    Warns
    -----
    UserWarning
        If another order is right on far more rows, or for many labels ranks far better.

    Notes
    -----
    The best of all orders always fits a little better. Each ring of labels that it moves must win
    by more than chance gives to the best of as many orders as there are (Bonferroni's bound).

    Examples
    --------
    >>> y = np.arange(60) % 3
    >>> check_order("multiclass", 4.0 * np.eye(3)[y], y, ("a", "b", "c"))
    >>> try:
    ...     check_order("multiclass", 4.0 * np.eye(3)[(y + 1) % 3], y, ("a", "b", "c"))
    ... except ValueError as error:
    ...     print(str(error).rpartition(": ")[2])
    try --names c,a,b
    """
    wrong, what, better = None, ANSWERS, np.arange(len(names))  # of each logit, its label
    if kind == "binary":
        wrong, what, better = wrong_pairs(binary_logit(logits), truth == 1), PAIRS, better[::-1]
    else:
        values, noise = _agreement(kind, logits, truth)
        _, places = linear_sum_assignment(values + 1e-9 * np.eye(len(values)), maximize=True)
        if kind == "multiclass":
            known = truth < logits.shape[1]
            wrong = wrong_answers(truth[known], logits[known].argmax(axis=1))
        for cycle in _cycles(places):
            orders = log_gamma(len(names) + 1) - log_gamma(len(names) - len(cycle) + 1)
            gain = (values[cycle, places[cycle]] - values[cycle, cycle]).sum()
            spread = (noise[cycle, places[cycle]] + noise[cycle, cycle]).sum()
            # the best of so many orders beats any names by chance alone: that much is allowed for
            if wrong is not None or gain**2 > (BEYOND**2 + 2 * orders) * spread:
                better[places[cycle]] = cycle
    moved = (better != np.arange(len(names))).any()
    order = f"--names {','.join(names[int(k)] for k in better)}"
    if by_place:
        order = "a table with the names of the labels, since its numbers are places of the logits"
    if wrong is None and kind != "binary" and moved:
        warnings.warn(
            "another order of the names fits these rows far better: are they in the order of the "
            f"network's logits? Try {order}",
            stacklevel=3,
        )
    if wrong is not None:
        advice = f": try {order}" if moved else ""
        raise ValueError(
            f"upside down: {wrong:.0%} of the {what} are wrong under the names "
            f"{', '.join(names)}, more than chance would make{advice}"
        )


def _cycles(places: NDArray[np.intp]) -> Iterator[list[int]]:
    """Take a permutation apart into rings of places that pass something on to each other."""
    left = dict.fromkeys(np.flatnonzero(places != np.arange(len(places))).tolist())
    while left:
        cycle = [next(iter(left))]
        while (after := int(places[cycle[-1]])) != cycle[0]:
            cycle.append(after)
        left = {k: None for k in left if k not in cycle}
        yield cycle


def _agreement(
    kind: Kind, logits: NDArray[np.floating], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say of each label (row) and logit (column) how well they go together, and the variance.

    One label a row: the rows of the label in which the logit is the greatest. Many labels: the area
    under the ROC curve of the logit for the label.
    """
    n = logits.shape[1]
    if kind == "multiclass":
        counts = np.zeros((n, n))
        known = truth < n
        np.add.at(counts, (truth[known], logits[known].argmax(axis=1)), 1)
        return counts, counts
    marks = truth.astype(float)
    ones = marks.sum(axis=0)[:, None]
    pairs = ones * (len(truth) - ones)
    ranks = marks.T @ rankdata(logits, axis=0) - ones * (ones + 1) / 2  # Mann and Whitney's U
    with np.errstate(divide="ignore", invalid="ignore"):
        areas = np.where(pairs > 0, ranks / pairs, 0.5)
        noise = np.where(pairs > 0, (len(truth) + 1) / (12 * pairs), 0.0)
    return areas, np.broadcast_to(noise, areas.shape)
