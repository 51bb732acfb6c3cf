"""Texts with labels from the Hugging Face Hub, as one `Task`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.columns import (
    SPLITS,
    as_table,
    check_columns,
    listed,
    order_labels,
    part_name,
    read_texts,
    read_truths,
)
from helpers.data import Task, label_table_task, table_task
from helpers.downloads import load_data_set
from helpers.splits import copies_of, fill_parts


def hub_task(
    repository: str,
    *,
    revision: str,
    configuration: str | Sequence[str] | None = None,
    text: str = "text",
    label: str = "label",
    positive: str | int | bool | None = None,
    other: Collection[str] = (),
    seed: int = 0,
) -> Task:
    """Load a data set with one label a text from the Hugging Face Hub.

    Parameters
    ----------
    repository : str
        As ``owner/name``.
    revision : str
        The commit to load; a full one, so that figures can be repeated, or a branch.
    configuration : str or sequence of str, optional
        Several are put together, as languages are.
    text, label : str
        Names of the columns; `label` is a ClassLabel, or holds the labels themselves, names or
        whole numbers: then those that occur in any part are taken, sorted.
    positive : str, optional
        Of two labels the one that is 1, as in `table_task`; a ClassLabel gives an order already,
        which this changes.
    other : collection of str
        Labels that the network is not to know: their rows are left out of every part, and
        `hub_other_texts` gives them to try a rule on.
    seed : int
        For the random split, where the data set lacks one of the three parts. They may have
        synonyms, as in `table_task`.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If the columns are not there, or `table_task` refuses what they hold.

    Warns
    -----
    UserWarning
        As `table_task` does: the Hub's own parts often share texts.

    Examples
    --------
    ``hub_task("ucirvine/sms_spam", revision="main", text="sms").label_names`` is
    ``('ham', 'spam')``.
    """
    tables, names = _label_tables(repository, revision, configuration, text, label, other)
    whole = set(SPLITS) <= {part_name(part) for part, _ in tables}
    if other:
        names = None if names is None else [name for name in names if name not in other]
        tables = [(part, table[~table[label].isin(list(other))]) for part, table in tables]
    if names is not None and positive is not None:
        names = order_labels(names, None, positive)
    return table_task(
        pd.concat(
            [table.assign(split=part) for part, table in tables if part_name(part) or not whole],
            ignore_index=True,
        ),
        name=repository,
        text=text,
        label=label,
        label_names=names,
        positive=positive,
        split="split" if whole else None,
        seed=seed,
    )


def hub_other_texts(
    repository: str,
    *,
    revision: str,
    other: Collection[str],
    configuration: str | Sequence[str] | None = None,
    text: str = "text",
    label: str = "label",
) -> tuple[str, ...]:
    """Give the texts of the test part whose label `hub_task` left out.

    Parameters
    ----------
    repository, revision, other, configuration, text, label
        As for `hub_task`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If the columns are not there, or a label of `other` is not.
    """
    tables, _ = _label_tables(repository, revision, configuration, text, label, other)
    return tuple(
        str(one)
        for part, table in tables
        if part_name(part) == "test"
        for one in table.loc[table[label].isin(list(other)), text]
    )


def _label_tables(
    repository: str,
    revision: str,
    configuration: str | Sequence[str] | None,
    text: str,
    label: str,
    other: Collection[str],
) -> tuple[list[tuple[str, pd.DataFrame]], Sequence[str] | None]:
    """Load each part of each configuration, with the names of a ClassLabel."""
    alone = configuration is None or isinstance(configuration, str)
    several: Sequence[Any] = [configuration] if alone else list(configuration or ())
    tables: list[tuple[str, pd.DataFrame]] = []
    names: Sequence[str] | None = None
    for one in several:
        for part, rows in load_data_set(repository, one, revision).items():
            table, names = as_table(rows, label)
            check_columns(table, [text, label])
            tables.append((str(part), table))
    found = {name for _, table in tables for name in table[label]} if other else set()
    if unknown := set(other) - found:
        raise ValueError(f"{repository} has no label {', '.join(sorted(unknown))} to leave out")
    return tables, names


def hub_label_task(
    repository: str,
    *,
    revision: str,
    labels: str | Sequence[str],
    configuration: str | None = None,
    text: str = "text",
    names: Mapping[str, str] | None = None,
    only: Mapping[str, Any] | None = None,
    unlabelled: bool = True,
    most: Mapping[str, int] | None = None,
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
        A column that lists the labels of a row (a List of ClassLabel, or of whole numbers where
        `names` are in their order), or the names of columns with 0 and 1 (or False and True, or no
        and yes).
    configuration : str, optional
    text : str
        Name of the column with the texts.
    names : mapping of str to str, optional
        From the data set's label names to ones to show.
    only : mapping of str to object, optional
        Column to value: other rows are left out.
    unlabelled : bool, default True
        Whether rows without any label stay.
    most : mapping of str to int, optional
        Part to a number of rows: of more, so many are drawn at random.
    validation : float in (0, 1)
        Share taken from the training part, label-stratified and copies of a text together, where
        the data set has no validation part of its own. Parts may have synonyms, as in `table_task`.
    seed : int
        For that split, and for `most`.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If a column is not there or not of that kind, or the data set has no test part.

    Warns
    -----
    UserWarning
        As `label_table_task` does: the Hub's own parts often share texts.

    Examples
    --------
    ``hub_label_task("someone/reports", revision="main", labels=("bins", "roads"))`` reads two
    columns, ``labels="topics"`` one column of lists.
    """
    import datasets

    loaded = load_data_set(repository, configuration, revision)
    parts = {part: part_name(part) for part in loaded}
    if not {"train", "test"} <= set(parts.values()):
        raise ValueError(f"{repository} needs the parts train and test, got {sorted(loaded)}")
    if isinstance(labels, str):
        inner = getattr(next(iter(loaded.values())).features.get(labels), "feature", None)
        if isinstance(inner, datasets.ClassLabel):
            columns = list(inner.names)
        elif names and getattr(inner, "dtype", "").startswith(("int", "uint")):
            columns = list(names)
        else:
            raise ValueError(f"{repository} has no column {labels!r} that lists ClassLabels")
    else:
        columns = listed(labels, "labels")
    tables = []
    for part, split in parts.items():
        if split is None:
            continue
        rows = as_table(loaded[part])[0]
        check_columns(rows, [text, *([labels] if isinstance(labels, str) else columns)])
        for column, value in (only or {}).items():
            check_columns(rows, [column])
            rows = rows[rows[column] == value].reset_index(drop=True)
        if isinstance(labels, str):
            marks = np.zeros((len(rows), len(columns)), np.int64)
            for row, which in enumerate(rows[labels]):
                if which is None or not all(0 <= k < len(columns) for k in which):
                    raise ValueError(f"{repository}, {part}: row {row} has no list of labels")
                marks[row, list(which)] = 1
            rows = pd.concat([rows[[text]], pd.DataFrame(marks, columns=columns)], axis=1)
        if not unlabelled:
            rows = rows[read_truths(rows, columns).any(axis=1)]
        if len(rows) > (limit := (most or {}).get(split, len(rows))):
            rows = rows.sample(limit, random_state=seed)
        tables.append(rows.assign(split=split))
    table = pd.concat(tables, ignore_index=True)
    if "validation" not in parts.values():
        table["split"] = fill_parts(
            table["split"],
            read_truths(table, columns),
            share=validation,
            seed=seed,
            label_names=columns,
            groups=copies_of(read_texts(table, text)),
        )
    return label_table_task(
        table,
        name=repository,
        labels=columns,
        label_names=[(names or {}).get(c, c) for c in columns],
        text=text,
        split="split",
    )
