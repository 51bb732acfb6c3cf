"""A task from a table in a file: CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.columns import label_name
from helpers.data import Task, label_table_task, table_task
from helpers.tables import read_all

MOST_LABELS = 2000


def file_task(
    path: str | Path,
    *,
    text: str = "text",
    labels: Sequence[str] = ("label",),
    separator: str | None = None,
    positive: str | None = None,
    split: str | None = None,
    encoding: str = "utf-8",
    seed: int = 0,
) -> Task:
    """Make a task of a table in a file; the kind follows from the columns.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv`` or ``.jsonl``, each also with ``.gz``, or ``.parquet``.
    text : str, default "text"
    labels : sequence of str
        One column with a label a row: yes/no if two labels occur, otherwise one of many. Several
        columns with 0 and 1 (see `label_table_task`): many labels.
    separator : str, optional
        What stands between the labels of a cell: many labels from one column. A cell of JSON lines
        or Parquet that holds a list needs none.
    positive, split
        As for `table_task`.
    encoding : str, default "utf-8"
    seed : int, default 0
        Of the random split.

    Returns
    -------
    Task
        Named after the file.

    Raises
    ------
    ValueError
        As `read_all`, `table_task` and `label_table_task` do; if the column holds more than 2,000
        different labels, or one for nearly every row, as an id does.
    """
    path = Path(path).expanduser()
    columns = [text, *labels] + ([split] if split else [])
    table = pd.DataFrame([row for row, _ in read_all(path, columns, encoding)])
    options: dict[str, Any] = {"name": path.name, "text": text, "split": split, "seed": seed}
    if len(labels) > 1:
        if positive is not None or separator is not None:
            raise ValueError("--positive and --separator are for one label column, got several")
        return label_table_task(table, labels=list(labels), **options)
    cells = table[labels[0]].tolist()
    if separator is not None or any(isinstance(cell, list | tuple) for cell in cells):
        if positive is not None:
            raise ValueError("--positive is for two labels of which each row has one")
        lists = label_sets(cells, separator)
        names = sorted({name for row in lists for name in row})
        _check_number(names, len(lists), labels[0])
        free = [f"{labels[0]}={name}" for name in names]
        marks = {
            column: [int(name in row) for row in lists]
            for column, name in zip(free, names, strict=True)
        }
        wide = pd.concat([table, pd.DataFrame(marks, index=table.index)], axis=1)
        return label_table_task(wide, labels=free, label_names=names, **options)
    _check_number(set(map(str, cells)), len(cells), labels[0])
    return table_task(table, label=labels[0], positive=positive, **options)


def describe(task: Task) -> list[str]:
    """Say in lines what a task is: its kind, its parts, and its rare labels.

    Parameters
    ----------
    task : Task

    Returns
    -------
    list of str
    """
    kinds = {
        "binary": "yes or no: {1} is 1, {0} is 0",
        "multiclass": "one of {n} labels",
        "multilabel": "any of {n} labels",
    }
    names = task.label_names
    parts = ", ".join(
        f"{part} {len(getattr(task, part))}" for part in ("train", "validation", "test")
    )
    lines = [
        f"kind: {task.kind}, {kinds[task.kind].format(*names, n=len(names))}",
        f"rows: {parts}",
    ]
    truth = task.validation.labels
    if task.kind == "multilabel":
        counts = dict(zip(names, truth.sum(axis=0).astype(int).tolist(), strict=True))
    else:
        found = Counter(truth.tolist())
        counts = {name: found[k] for k, name in enumerate(names)}
    rare = [f"{name} {n}" for name, n in sorted(counts.items(), key=lambda one: one[1]) if n < 10]
    if rare:
        more = f" and {len(rare) - 10} more" if len(rare) > 10 else ""
        lines.append(
            f"rare in the validation part, which chooses the rule: {', '.join(rare[:10])}{more}"
        )
    return lines


def label_sets(cells: Sequence[Any], separator: str | None = None) -> list[list[str]]:
    """Take cells as several labels each; an empty one has none.

    Parameters
    ----------
    cells : sequence of str, list or None
    separator : str, optional
        Between the labels of a text.

    Returns
    -------
    list of list of str

    Raises
    ------
    ValueError
        If a cell is neither text nor a list; the row is named.

    Examples
    --------
    >>> label_sets(["home; water", "", None, ["home"]], ";")
    [['home', 'water'], [], [], ['home']]
    """
    found = []
    for row, cell in enumerate(cells, start=1):
        if isinstance(cell, str):
            cell = cell.split(separator) if separator else [cell]
        elif cell is None or (isinstance(cell, float) and cell != cell):
            cell = []
        elif not isinstance(cell, list | tuple):
            raise ValueError(f"row {row}: expected a list of labels or text, got {cell!r}")
        found.append([name for name in map(label_name, cell) if name is not None])
    return found


def _check_number(names: Any, n_rows: int, column: str) -> None:
    """Refuse a column that is no label: too many values, or one for nearly every row."""
    if len(names) > MOST_LABELS or (n_rows >= 20 and len(names) > 0.9 * n_rows):
        raise ValueError(
            f"{column} has {len(names)} different values in {n_rows} rows: is it an id or a text "
            f"rather than a label? At most {MOST_LABELS} labels are possible"
        )
