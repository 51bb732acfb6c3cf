"""Texts with labels: a table of your own, or a Hub data set, as one `Task`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.moved import forward
from helpers.splits import random_split, stratified_split

Kind = Literal["binary", "multiclass", "multilabel"]
SPLITS = ("train", "validation", "test")


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
        if not isinstance(n, int) or not 1 <= n <= len(self.train):
            raise ValueError(f"n must lie between 1 and {len(self.train)}, got {n}")
        kept = np.sort(np.random.default_rng(seed).permutation(len(self.train))[:n])
        train = Part(
            texts=tuple(self.train.texts[i] for i in kept),
            labels=self.train.labels[kept],
            rows=self.train.rows.iloc[kept].reset_index(drop=True),
        )
        return replace(self, train=train)


def _some_of(values: pd.Series) -> str:
    """Show up to three different values."""
    return ", ".join(repr(v) for v in list(dict.fromkeys(values))[:3])


def table_task(
    rows: pd.DataFrame,
    *,
    name: str,
    text: str = "text",
    label: str = "label",
    label_names: Sequence[str] | None = None,
    split: str | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Task:
    """Make a task of a table of your own: one text and one label a row.

    Parameters
    ----------
    rows : DataFrame
    name : str
        For messages and saved rules.
    text, label : str
        Names of the columns.
    label_names : sequence of str, optional
        The labels in the order of their indices. By default the labels that occur, sorted. Give
        the list where a label may be missing from the table.
    split : str, optional
        Name of a column with ``train``, ``validation``, ``test``. Without it the rows are split at
        random, each label in like shares; copies of a text (letter case and spaces aside) share a
        part.
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
        If a column is missing, a text is empty, a label is not in the list, a part is empty, or
        there are fewer than two labels.

    Examples
    --------
    >>> rows = pd.DataFrame({"text": [f"text {i}" for i in range(10)], "label": ["no", "yes"] * 5})
    >>> task = table_task(rows, name="mine")
    >>> task.kind, task.label_names, len(task.train)
    ('binary', ('no', 'yes'), 6)
    """
    wanted = [text, label] + ([split] if split else [])
    missing = [c for c in wanted if c not in rows.columns]
    if missing:
        found = ", ".join(map(str, rows.columns))
        raise ValueError(f"columns missing: {', '.join(missing)}; found {found}")
    empty = rows[text].isna() | (rows[text].astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(f"{int(empty.sum())} empty texts, first in row {np.argmax(empty)}")
    if rows[label].isna().any():
        unlabelled = rows[label].isna()
        raise ValueError(
            f"{int(unlabelled.sum())} rows without a label, first in row {np.argmax(unlabelled)}"
        )
    labels = rows[label].astype(str)
    ordered = sorted(rows[label].unique()) if label_names is None else label_names
    names = tuple(map(str, ordered))
    unknown = ~labels.isin(names)
    if unknown.any():
        raise ValueError(
            f"labels outside the list: {_some_of(labels[unknown])}; the list is {names}"
        )
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"a task needs two different labels or more, got {names}")
    if split:
        wrong = ~rows[split].isin(SPLITS)
        if wrong.any():
            raise ValueError(
                f"{split} must be one of {SPLITS}, got {_some_of(rows.loc[wrong, split])}"
            )
        where = rows[split].to_numpy()
    else:
        where = random_split(labels.to_numpy(), validation, test, seed)
        # the same text twice: all copies go where the first one went, or the test would be known
        folded = rows[text].astype(str).str.casefold().str.split().str.join(" ")
        copies = pd.factorize(folded)[0]
        first = np.unique(copies, return_index=True)[1]
        where = where[first[copies]]
    kind: Kind = "binary" if len(names) == 2 else "multiclass"
    index = labels.map(names.index).to_numpy(np.int64)
    parts = {}
    for s in SPLITS:
        chosen = np.flatnonzero(where == s)
        if len(chosen) == 0:
            raise ValueError(f"the part {s} is empty: a task needs rows in each of {SPLITS}")
        parts[s] = Part(
            texts=tuple(rows[text].astype(str).iloc[chosen]),
            labels=index[chosen],
            rows=rows.iloc[chosen].reset_index(drop=True),
        )
    return Task(name=name, kind=kind, label_names=names, **parts)


def label_table_task(
    rows: pd.DataFrame,
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
    rows : DataFrame
    name : str
        For messages and saved rules.
    labels : sequence of str
        Names of the columns with 0 and 1 (or False and True). Rows without any label belong in the
        table: they teach the network what "none" looks like.
    text : str
        Name of the column with the texts.
    label_names : sequence of str, optional
        Names to show, by default those of the columns.
    split : str, optional
        Name of a column with ``train``, ``validation``, ``test``. Without it the rows are split by
        `stratified_split`.
    validation, test : float in (0, 1)
        Shares for that split.
    seed : int

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If a column is missing, a text is empty, a label is neither 0 nor 1, a part is empty, or
        names are missing or doubled.

    Examples
    --------
    >>> rows = pd.DataFrame({"text": [f"text {i}" for i in range(10)], "home": [0, 1] * 5})
    >>> task = label_table_task(rows, name="mine", labels=["home"])
    >>> task.kind, len(task.train)
    ('multilabel', 6)
    """
    wanted = [text, *labels] + ([split] if split else [])
    missing = [c for c in wanted if c not in rows.columns]
    if missing:
        found = ", ".join(map(str, rows.columns))
        raise ValueError(f"columns missing: {', '.join(missing)}; found {found}")
    names = tuple(map(str, labels if label_names is None else label_names))
    if not names or len(names) != len(labels) or len(set(names)) < len(names):
        raise ValueError(f"expected one different name for each of {len(labels)} labels: {names}")
    empty = rows[text].isna() | (rows[text].astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(f"{int(empty.sum())} empty texts, first in row {np.argmax(empty)}")
    for column in labels:
        wrong = ~rows[column].isin([0, 1])
        if wrong.any():
            raise ValueError(f"{column} must be 0 or 1, got {_some_of(rows.loc[wrong, column])}")
    table = rows[list(labels)].to_numpy(np.float32)
    if split:
        wrong = ~rows[split].isin(SPLITS)
        if wrong.any():
            raise ValueError(
                f"{split} must be one of {SPLITS}, got {_some_of(rows.loc[wrong, split])}"
            )
        where = rows[split].to_numpy()
    else:
        shares = (1 - validation - test, validation, test)
        which = stratified_split(table, shares, seed=seed, label_names=names)
        where = np.array(SPLITS)[which]
    parts = {}
    for s in SPLITS:
        chosen = np.flatnonzero(where == s)
        if len(chosen) == 0:
            raise ValueError(f"the part {s} is empty: a task needs rows in each of {SPLITS}")
        parts[s] = Part(
            texts=tuple(rows[text].astype(str).iloc[chosen]),
            labels=table[chosen],
            rows=rows.iloc[chosen].reset_index(drop=True),
        )
    return Task(name=name, kind="multilabel", label_names=names, **parts)


def hub_task(
    repository: str,
    *,
    revision: str,
    configuration: str | None = None,
    text: str = "text",
    label: str = "label",
    seed: int = 0,
) -> Task:
    """Load a data set with one label a text from the Hugging Face Hub.

    Parameters
    ----------
    repository : str
        As ``owner/name``.
    revision : str
        The commit to load; a full one, so that figures can be repeated, or a branch.
    configuration : str, optional
    text, label : str
        Names of the columns; `label` must be a ClassLabel, or hold the names themselves: then the
        names that occur in any part are taken, sorted.
    seed : int
        For the random split, where the data set lacks one of the three parts.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If the columns are not there, or `label` is neither a ClassLabel nor text.
    """
    import datasets

    loaded = datasets.load_dataset(repository, configuration, revision=revision)
    features = next(iter(loaded.values())).features
    feature = features.get(label)
    named = feature in (datasets.Value("string"), datasets.Value("large_string"))
    if not named and not isinstance(feature, datasets.ClassLabel):
        raise ValueError(f"{repository} has no ClassLabel column {label!r}, only {list(features)}")
    whole = set(SPLITS) <= set(loaded)
    tables = [
        part.to_pandas().assign(split=s) for s, part in loaded.items() if s in SPLITS or not whole
    ]
    rows = pd.concat(tables, ignore_index=True)
    if named:
        names = sorted(rows[label].dropna().unique())
    else:
        names = feature.names  # -1 and null are "no label"
        rows[label] = [None if pd.isna(i) or i < 0 else names[int(i)] for i in rows[label]]
    return table_task(
        rows,
        name=repository,
        text=text,
        label=label,
        label_names=names,
        split="split" if whole else None,
        seed=seed,
    )


def hub_label_task(
    repository: str,
    *,
    revision: str,
    labels: str | Sequence[str],
    configuration: str | None = None,
    text: str = "text",
    names: Mapping[str, str] | None = None,
    validation: float = 0.2,
    seed: int = 0,
) -> Task:
    """Load a data set with many labels a text from the Hugging Face Hub.

    Parameters
    ----------
    repository : str
        As ``owner/name``.
    revision : str
        The commit to load, or a branch.
    labels : str or sequence of str
        A column that lists the labels of a row (a List of ClassLabel), or the names of columns with
        0 and 1 (or False and True).
    configuration : str, optional
    text : str
        Name of the column with the texts.
    names : mapping of str to str, optional
        From the data set's label names to ones to show.
    validation : float in (0, 1)
        Share taken from the training part, label-stratified, where the data set has no validation
        part of its own.
    seed : int
        For that split.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If a column is not there or not of that kind, or the data set has no test part.
    """
    import datasets

    loaded = datasets.load_dataset(repository, configuration, revision=revision)
    if not {"train", "test"} <= set(loaded):
        raise ValueError(f"{repository} needs the parts train and test, got {sorted(loaded)}")
    columns = [] if isinstance(labels, str) else list(labels)
    if isinstance(labels, str):
        inner = getattr(loaded["train"].features.get(labels), "feature", None)
        if not isinstance(inner, datasets.ClassLabel):
            raise ValueError(f"{repository} has no column {labels!r} that lists ClassLabels")
        columns = inner.names
    tables = []
    for part in (s for s in SPLITS if s in loaded):
        rows = loaded[part].to_pandas().assign(split=part)
        if isinstance(labels, str):
            listed = np.zeros((len(rows), len(columns)), dtype=np.int64)
            for i, which in enumerate(rows[labels]):
                listed[i, list(which)] = 1
            rows = rows[[text, "split"]].join(pd.DataFrame(listed, columns=columns))
        if part == "train" and "validation" not in loaded:
            table = rows[columns].to_numpy(np.int64)
            which = stratified_split(
                table, (1 - validation, validation), seed=seed, label_names=columns
            )
            rows["split"] = np.array(SPLITS[:2])[which]
        tables.append(rows)
    return label_table_task(
        pd.concat(tables, ignore_index=True),
        name=repository,
        labels=columns,
        label_names=[(names or {}).get(c, c) for c in columns],
        text=text,
        split="split",
    )


__getattr__ = forward(__name__)
