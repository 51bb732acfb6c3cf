"""A task from a table in a file or a folder, of several files, or of the Hub."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.columns import (
    TRUTHS,
    check_number,
    label_name,
    read_labels,
    read_parts,
    read_texts,
    read_truths,
    some_of,
)
from helpers.data import Kind, Task, label_table_task, table_task
from helpers.sources import read_source
from helpers.splits import SPLITS, copies_of, fill_parts

LIST = re.compile(r"\[.*\]", re.DOTALL)  # a cell of CSV into which a list was written
FEW = 20  # rows of a part, below which its figures say little


def file_task(
    path: str | Path,
    *,
    text: str = "text",
    labels: Sequence[str] = ("label",),
    kind: Kind | None = None,
    separator: str | None = None,
    positive: str | None = None,
    split: str | None = None,
    subset: str | None = None,
    encoding: str = "utf-8",
    seed: int = 0,
) -> Task:
    """Make a task of a table in a file, or of what else `read_source` reads.

    Parameters
    ----------
    path : path or str
        ``.csv``, ``.tsv`` or ``.jsonl``, each also with ``.gz``, or ``.parquet``; a pattern, as
        ``parts/*.csv``; a folder; the id of a data set.
    text : str, default "text"
    labels : sequence of str
        One column with a label a row: yes/no if two labels occur, otherwise one of many. Several
        columns with 0 and 1 (see `label_table_task`): many labels.
    kind : "binary", "multiclass" or "multilabel", optional
        Settles what would be told from the columns.
    separator : str, optional
        What stands between the labels of a cell: many labels from one column. A cell of JSON lines
        or Parquet that holds a list needs none.
    positive
        As for `table_task`.
    split : str, optional
        As for `table_task`; a validation or test part that is missing is taken from the training
        part. By default the files' names or the splits of a data set tell the parts, if they can.
    subset : str, optional
        Of a data set that has several.
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
        As `read_source`, `table_task` and `label_table_task` do; if the kind does not go with the
        columns, or a cell seems to hold several labels and nothing says how to take them.

    Warns
    -----
    UserWarning
        With the parts that were taken from the training part.
    """
    if kind is not None and kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, got {kind!r}")
    columns = [text, *labels] + ([split] if split else [])
    one = labels[0] if len(labels) == 1 else None
    source = read_source(path, columns, label=one, subset=subset, encoding=encoding)
    table = source.table
    if split is None and source.parts is not None:
        split = "split" if "split" not in table.columns else "split of the source"
        table = table.assign(**{split: source.parts})
    options: dict[str, Any] = {"name": source.name, "text": text, "split": split, "seed": seed}
    if one is None and (positive is not None or separator is not None):
        raise ValueError("--positive and --separator are for one label column, got several")
    if one is None or _holds_several(table[one].tolist(), one, kind, separator):
        if kind not in (None, "multilabel"):
            raise ValueError(f"--kind {kind} takes one column with one label a row")
        if positive is not None:
            raise ValueError("--positive is for two labels of which each row has one")
        names = list(labels)
        if one is not None and not _all_truths(table[one].tolist()):
            table, labels, names = _spread_out(table, one, separator)
        truths = read_truths(table, labels)
        table = _with_all_parts(table, truths, options, names)
        return label_table_task(table, labels=list(labels), label_names=names, **options)
    found = read_labels(table, one)
    if kind == "binary" and len(set(found)) != 2:
        raise ValueError(f"--kind binary takes two labels, got {len(set(found))}: {some_of(found)}")
    order = source.label_names
    if kind == "multiclass" and positive is not None:
        raise ValueError("--positive is for yes/no, and --kind says multiclass")
    if kind == "multiclass" and order is None and len(set(found)) == 2:
        order = tuple(sorted(set(found)))  # neither is the positive one
    if order is not None and positive is not None:
        order = tuple(sorted(order, key=lambda name: name == positive))
    table = _with_all_parts(table, np.array(found), options)
    task = table_task(table, label=one, label_names=order, positive=positive, **options)
    return task if kind is None else replace(task, kind=kind)


def _all_truths(cells: Sequence[Any]) -> bool:
    """Tell whether all cells are 0 or 1, False or True, no or yes."""
    return all(not _is_list(cell) and str(label_name(cell)).casefold() in TRUTHS for cell in cells)


def _is_list(cell: Any) -> bool:
    return isinstance(cell, list | tuple | np.ndarray)


def _holds_several(
    cells: Sequence[Any], column: str, kind: Kind | None, separator: str | None
) -> bool:
    """Tell whether a row may have several labels; refuse cells that look so if nothing says it."""
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
    lists = bool(texts) and all(map(LIST.fullmatch, texts))
    if separator is not None or kind == "multilabel" or lists or any(map(_is_list, cells)):
        return True
    likely = None if kind else likely_separator(texts)
    if likely is not None:
        example = next(cell for cell in texts if likely in cell)
        raise ValueError(
            f"{column} seems to hold several labels in one cell, as {example!r}: say --separator "
            f"{likely!r}, or --kind multiclass if each cell is one label"
        )
    return False


def likely_separator(cells: Sequence[str]) -> str | None:
    """Tell whether texts look like several labels each, and what stands between them.

    Parameters
    ----------
    cells : sequence of str

    Returns
    -------
    str or None
        The comma, semicolon or bar that most of the cells with it need: all their parts stand in
        other cells too, alone or beside other parts.

    Examples
    --------
    >>> likely_separator(["home;water", "home", "water;roads", "roads"])
    ';'
    >>> likely_separator(["Food, drink", "Roads", "Food, drink"]) is None
    True
    """
    different = set(cells)
    for separator in ";|,":
        parts = {
            cell: [part.strip() for part in cell.split(separator) if part.strip()]
            for cell in different
        }
        where: dict[str, set[frozenset[str]]] = defaultdict(set)
        for found in parts.values():
            for part in found:
                where[part].add(frozenset(found))
        held = [found for found in parts.values() if len(found) > 1]
        shared = sum(all(len(where[part]) > 1 for part in found) for found in held)
        if shared > len(held) / 2:
            return separator
    return None


def _spread_out(
    table: pd.DataFrame, column: str, separator: str | None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Give each label of a column a column of 0 and 1; its name cannot be that of another."""
    sets = label_sets(table[column].tolist(), separator)
    names = sorted({name for row in sets for name in row})
    check_number(names, len(sets), column)
    marks = {f"{column}={name}": [int(name in row) for row in sets] for name in names}
    return pd.concat([table, pd.DataFrame(marks, index=table.index)], axis=1), [*marks], names


def _with_all_parts(
    table: pd.DataFrame,
    truth: NDArray,
    options: dict[str, Any],
    label_names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Take a part that a given split lacks from the training part, and say so."""
    split = options["split"]
    if split is None:
        return table
    parts = read_parts(table, split)
    missing = [part for part in SPLITS[1:] if part not in parts]
    if not missing or "train" not in parts:
        return table
    warnings.warn(
        f"{options['name']} has no {' and no '.join(missing)} part: a fifth of its training part "
        "was taken for it",
        stacklevel=3,
    )
    groups = copies_of(read_texts(table, options["text"]))
    filled = fill_parts(parts, truth, seed=options["seed"], label_names=label_names, groups=groups)
    return table.assign(**{split: filled})


def describe(task: Task) -> list[str]:
    """Say in lines what a task is: its kind, its parts, those that are small, its rare labels.

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
    few = [part for part in SPLITS if len(getattr(task, part)) < FEW]
    if few:
        lines.append(f"fewer than {FEW} rows: {', '.join(few)}; figures there are mostly chance")
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
    """Take cells as several labels each; an empty one has none, and ``['a', 'b']`` is a list.

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
        If a cell is neither text nor a list, or cannot be read as the list that it seems to be; the
        row is named.

    Examples
    --------
    >>> label_sets(["home; water", "", None, ["home"]], ";")
    [['home', 'water'], [], [], ['home']]
    """
    found = []
    for row, cell in enumerate(cells, start=1):
        if isinstance(cell, str) and _seems_list(cell.strip(), separator):
            cell = _list_in(cell.strip(), row)
        elif isinstance(cell, str):
            cell = cell.split(separator) if separator else [cell]
        elif cell is None or (isinstance(cell, float) and cell != cell):
            cell = []
        elif not _is_list(cell):
            raise ValueError(f"row {row}: expected a list of labels or text, got {cell!r}")
        found.append([name for name in map(label_name, cell) if name is not None])
    return found


def _seems_list(cell: str, separator: str | None) -> bool:
    """Tell whether a list was written into a cell; beside a separator only one with quotes is."""
    return bool(LIST.fullmatch(cell)) and (separator is None or cell[1] in "'\"]")


def _list_in(cell: str, row: int) -> list[Any]:
    """Read a list that was written into a cell, by Python or as JSON."""
    try:
        if re.search(r"""['"]\s+['"]""", cell):  # numpy writes no commas
            raise ValueError
        return list(ast.literal_eval(cell))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise ValueError(
            f"row {row}: expected a list as ['home', 'water'], got {cell[:60]!r}"
        ) from None
