"""Texts with labels as one `Task`: made of a table of your own, split and checked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.columns import (
    SPLITS,
    as_table,
    check_columns,
    check_number,
    listed,
    order_labels,
    read_labels,
    read_parts,
    read_texts,
    read_truths,
    some_of,
)
from helpers.moved import forward
from helpers.splits import copies_of, random_split, stratified_split, three_shares

Kind = Literal["binary", "multiclass", "multilabel"]


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a task.

    Attributes
    ----------
    texts : tuple of str, length n
    labels : ndarray
        int64 of shape (n,) for binary and multiclass tasks, float32 of shape (n, n_labels) with 0
        and 1 for multilabel tasks.
    rows : DataFrame, n rows
        The rows as they were read, for looking at.
    """

    texts: tuple[str, ...]
    labels: NDArray
    rows: pd.DataFrame

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class Task:
    """Texts and labels in three parts, with the names of the labels in a fixed order.

    Attributes
    ----------
    name : str
    kind : "binary", "multiclass" or "multilabel"
    label_names : tuple of str
        For a binary task the names of 0 and 1.
    train, validation, test : Part
        Fit on the first, choose on the second, report on the third.
    """

    name: str
    kind: Kind
    label_names: tuple[str, ...]
    train: Part
    validation: Part
    test: Part

    def with_fewer(self, n: int, *, seed: int = 0) -> Task:
        """Keep a random part of the training texts; validation and test stay as they are.

        Of one label a text, each label keeps a text where `n` allows it: none is lost to chance.

        Parameters
        ----------
        n : int
            How many to keep.
        seed : int, default 0

        Returns
        -------
        Task

        Raises
        ------
        ValueError
            If `n` is not between 1 and the number of training texts.

        Examples
        --------
        >>> from helpers.messages import corpus_task
        >>> len(corpus_task("urgent").with_fewer(100).train)
        100
        """
        if not isinstance(n, Integral) or isinstance(n, bool) or not 1 <= n <= len(self.train):
            raise ValueError(f"n must lie between 1 and {len(self.train)}, got {n!r}")
        order = np.random.default_rng(seed).permutation(len(self.train))
        if self.kind != "multilabel":
            labels = self.train.labels[order]
            first = np.unique(labels, return_index=True)[1]
            late = np.sort(first[first >= n])  # these labels would be lost
            spare = np.setdiff1d(np.arange(n), first)[::-1][: len(late)]
            late = late[: len(spare)]
            order[spare], order[late] = order[late], order[spare]
        kept = np.sort(order[:n])
        train = Part(
            texts=tuple(self.train.texts[i] for i in kept),
            labels=self.train.labels[kept],
            rows=self.train.rows.iloc[kept].reset_index(drop=True),
        )
        return replace(self, train=train)


def check_task(task: Task, parts: Sequence[str] = SPLITS) -> Task:
    """Return a task with its labels as `Part` describes them, or say what is wrong with it.

    Parameters
    ----------
    task : Task
        Perhaps made by hand.
    parts : sequence of "train", "validation" and "test"
        Those to check; the others stay as they are.

    Returns
    -------
    Task
        Labels of another whole-number or 0/1 type, or in lists, are int64 or float32.

    Raises
    ------
    ValueError
        If a part is empty, its texts are no strings, its labels are not as many as its texts or not
        of the task's kind, or a label of a one-label task occurs in no training text; for two
        labels also in no validation text: no threshold could be chosen.

    Warns
    -----
    UserWarning
        With the other labels of a one-label task that are missing from a part.

    Examples
    --------
    >>> rows = pd.DataFrame({"text": ["a", "b"]})
    >>> part = Part(texts=("a", "b"), labels=np.array([0, 2]), rows=rows)
    >>> check_task(Task("mine", "binary", ("no", "yes"), part, part, part))
    Traceback (most recent call last):
    ValueError: mine, train part: labels must lie between 0 and 1 (no, yes), got 2
    """
    if not isinstance(task, Task):
        raise ValueError(f"expected a Task, got {type(task).__name__}")
    if task.kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, got {task.kind!r}")
    names = tuple(listed(task.label_names, "label_names"))
    right = {"binary": len(names) == 2, "multiclass": len(names) > 1, "multilabel": len(names) > 0}
    if not right[task.kind] or len(set(map(str, names))) < len(names):
        raise ValueError(f"a {task.kind} task cannot have the label names {names}")
    checked: dict[str, Any] = {s: _check_part(task, s, len(names)) for s in parts}
    task = replace(task, label_names=names, **checked)
    if task.kind != "multilabel":
        for s in parts:
            counts = np.bincount(getattr(task, s).labels, minlength=len(names))
            without = ", ".join(str(names[k]) for k in np.flatnonzero(counts == 0))
            missing = f"{task.name}: the {s} part has no row with the label {without}"
            if without and s == "train":
                raise ValueError(f"{missing}, which cannot be learned")
            if without and s == "validation" and task.kind == "binary":
                raise ValueError(f"{missing}: no threshold can be chosen there")
            if without:
                warnings.warn(missing, stacklevel=2)
    return task


def _check_part(task: Task, split: str, n_labels: int) -> Part:
    part, where = getattr(task, split), f"{task.name}, {split} part"
    if isinstance(part.texts, str):
        raise ValueError(f"{where}: texts must be a tuple of str, got one str")
    texts = tuple(part.texts)
    if not texts:
        raise ValueError(f"{task.name}: the {split} part is empty")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"{where}: text {i} is no str, got {text!r}")
    several = task.kind == "multilabel"
    shape = (len(texts), n_labels) if several else (len(texts),)
    try:
        labels = np.asarray(part.labels)
    except ValueError:  # rows of different lengths
        labels = np.array(None)
    if labels.shape != shape:
        raise ValueError(
            f"{where}: labels of {len(texts)} texts must have the shape {shape}, got {labels.shape}"
        )
    if several and not (labels.dtype.kind in "biuf" and np.isin(labels, (0, 1)).all()):
        raise ValueError(f"{where}: labels must be 0 or 1, got {some_of(labels.ravel().tolist())}")
    if not several and labels.dtype.kind not in "biu":
        raise ValueError(f"{where}: labels must be whole numbers, got {labels.dtype}")
    outside = labels[(labels < 0) | (labels >= n_labels)]
    if not several and len(outside):
        names = ", ".join(map(str, task.label_names)) if n_labels <= 5 else f"{n_labels} names"
        raise ValueError(
            f"{where}: labels must lie between 0 and {n_labels - 1} ({names}), "
            f"got {some_of(outside.tolist())}"
        )
    labels = labels.astype(np.float32 if several else np.int64, copy=False)
    return Part(texts=texts, labels=labels, rows=part.rows)


def _make_task(
    name: str,
    kind: Kind,
    names: tuple[str, ...],
    table: pd.DataFrame,
    texts: list[str],
    labels: NDArray,
    where: NDArray,
) -> Task:
    """Take the rows of each part together."""
    parts = {}
    for s in SPLITS:
        chosen = np.flatnonzero(where == s)
        parts[s] = Part(
            texts=tuple(texts[i] for i in chosen),
            labels=labels[chosen],
            rows=table.iloc[chosen].reset_index(drop=True),
        )
        if len(chosen) == 0:
            raise ValueError(f"the part {s} is empty: a task needs rows in each of {SPLITS}")
    return check_task(Task(name=name, kind=kind, label_names=names, **parts))


def _warn_of_copies(name: str, copies: NDArray[np.int64], where: NDArray) -> None:
    """Say how many texts of a given split stand in an earlier part too."""
    for at, s in enumerate(SPLITS[1:], 1):
        earlier = np.isin(copies[where == s], copies[np.isin(where, SPLITS[:at])])
        if earlier.any():
            warnings.warn(
                f"{name}: {earlier.sum()} of {len(earlier)} {s} texts also stand in the "
                f"{' or '.join(SPLITS[:at])} part (letter case and spaces aside); the given split "
                "was kept, so figures on them flatter",
                stacklevel=3,
            )


def table_task(
    rows: Any,
    *,
    name: str,
    text: str = "text",
    label: str = "label",
    label_names: Sequence[str] | None = None,
    positive: str | int | bool | None = None,
    split: str | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Task:
    """Make a task of a table of your own: one text and one label a row.

    Parameters
    ----------
    rows : DataFrame, datasets.Dataset or list of dict
    name : str
        For messages and saved rules.
    text, label : str
        Names of the columns. Labels are names or whole numbers; spaces around them do not count,
        and the number 0 and the text "0" are one label.
    label_names : sequence of str, optional
        The labels in the order of their indices, each with training rows. By default the labels
        that occur, sorted, or in the order of a ClassLabel.
    positive : str, optional
        Of two labels the one that is 1: the one to look for, whose misses and false alarms have a
        price. Needed for two labels, unless `label_names` or a ClassLabel gives their order, or
        they are 0 and 1, False and True, or no and yes (in any letter case).
    split : str, optional
        Name of a column with ``train``, ``validation``, ``test`` or their usual synonyms in any
        letter case (``training``; ``valid``, ``val``, ``dev``, ``development``, ``eval``;
        ``testing``).
        Without it the rows are split at random, each label in like shares; copies of a text (see
        `copies_of`) share a part.
    validation, test : float in (0, 1)
        Shares for the random split.
    seed : int

    Returns
    -------
    Task
        Binary if there are two labels, otherwise multiclass.

    Raises
    ------
    ValueError
        If a column is missing or stands twice, a text is empty, all texts are numbers, a label is
        missing, no name, or not in the list, there are more than 2,000 labels or one for nearly
        every row, nothing says which of two labels is positive, or a part is empty or lacks a label
        that it needs (see `check_task`).

    Warns
    -----
    UserWarning
        With labels that are missing from a part, with the number of texts that a given split has in
        two parts, and with the sizes that copies make differ from the shares.

    Examples
    --------
    >>> rows = [{"text": f"text {i}", "label": ("ham", "spam")[i % 2]} for i in range(10)]
    >>> task = table_task(rows, name="mine", positive="spam")
    >>> task.kind, task.label_names, len(task.train)
    ('binary', ('ham', 'spam'), 6)
    """
    table, known = as_table(rows, label)
    check_columns(table, [text, label] + ([split] if split else []))
    texts, labels = read_texts(table, text), read_labels(table, label)
    found: Sequence[str] = labels
    if known is not None and label_names is None:
        found, label_names = known, known if positive is None else None
    else:
        check_number(set(labels), len(labels), label)
    names = order_labels(found, label_names, positive)
    index = pd.Series(labels).map({name: k for k, name in enumerate(names)}).to_numpy(np.int64)
    copies = copies_of(texts)
    if split:
        where = read_parts(table, split)
        _warn_of_copies(name, copies, where)
    else:
        where = random_split(index, validation, test, seed, groups=copies)
    kind: Kind = "binary" if len(names) == 2 else "multiclass"
    return _make_task(name, kind, names, table, texts, index, where)


def label_table_task(
    rows: Any,
    *,
    name: str,
    labels: Sequence[str],
    text: str = "text",
    label_names: Sequence[str] | None = None,
    split: str | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Task:
    """Make a multilabel task of a table of your own: a text and a 0/1 column for each label.

    Parameters
    ----------
    rows : DataFrame, datasets.Dataset or list of dict
    name : str
        For messages and saved rules.
    labels : sequence of str
        Names of the columns with 0 and 1, False and True, or no and yes, as such or as text. Rows
        without any label belong in the table: they teach the network what "none" looks like.
    text : str
        Name of the column with the texts.
    label_names : sequence of str, optional
        Names to show, by default those of the columns.
    split : str, optional
        Name of a column with ``train``, ``validation``, ``test`` or their synonyms, as in
        `table_task`. Without it the rows are split by `stratified_split`, copies of a text (see
        `copies_of`) together.
    validation, test : float in (0, 1)
        Shares for that split.
    seed : int

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If a column is missing or stands twice, a text is empty, a label is neither 0 nor 1, a part
        is empty, or names are missing or doubled.

    Warns
    -----
    UserWarning
        With labels that are missing from a part, with the number of texts that a given split has in
        two parts, and with the sizes that copies make differ from the shares.

    Examples
    --------
    >>> rows = [{"text": f"text {i}", "bins": i % 2, "roads": i % 3 == 0} for i in range(30)]
    >>> task = label_table_task(rows, name="mine", labels=["bins", "roads"])
    >>> task.train.labels.shape, task.train.labels.sum(axis=0).tolist()
    ((18, 2), [9.0, 6.0])
    """
    columns = listed(labels, "labels")
    names = tuple(map(str, columns if label_names is None else listed(label_names, "label_names")))
    if not names or len(names) != len(columns) or len(set(names)) < len(names):
        raise ValueError(f"expected one different name for each of {len(columns)} labels: {names}")
    table = as_table(rows)[0]
    check_columns(table, [text, *columns] + ([split] if split else []))
    texts, truths = read_texts(table, text), read_truths(table, columns)
    copies = copies_of(texts)
    if split:
        where = read_parts(table, split)
        _warn_of_copies(name, copies, where)
        for s in SPLITS:
            without = [names[k] for k in np.flatnonzero(~truths[where == s].any(axis=0))]
            if without and np.any(where == s):
                warnings.warn(
                    f"{name}: the {s} part has no row with the labels {', '.join(without)}",
                    stacklevel=2,
                )
    else:
        shares = three_shares(validation, test)
        which = stratified_split(truths, shares, seed=seed, label_names=names, groups=copies)
        where = np.array(SPLITS)[which]
    return _make_task(name, "multilabel", names, table, texts, truths, where)


__getattr__ = forward(__name__)
