"""Read the columns of a table as people write them: each is understood, or refused in a sentence.

`helpers.data` and `helpers.hub` make their tasks of what these functions give.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, KeysView, Mapping, Sequence, Set
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.portable.checks import is_real
from helpers.portable.texts import is_blank

SPLITS = ("train", "validation", "test")
SYNONYMS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development", "eval"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
MOST_LABELS = 2000
TRUTHS = {"0": 0, "1": 1, "false": 0, "true": 1, "no": 0, "yes": 1}


def some_of(values: Iterable[object]) -> str:
    """Show up to three different values.

    Parameters
    ----------
    values : iterable

    Returns
    -------
    str

    Examples
    --------
    >>> some_of(["a", "b", "a", "c", "d"])
    "'a', 'b', 'c'"
    """
    return ", ".join(list(dict.fromkeys(map(repr, values)))[:3])


def part_name(value: object) -> str | None:
    """Tell which part a name means.

    Parameters
    ----------
    value : object
        One of `SYNONYMS`, in any letter case: ``train``, ``training``; ``validation``, ``valid``,
        ``val``, ``dev``, ``development``, ``eval``; ``test``, ``testing``.

    Returns
    -------
    str or None
        ``train``, ``validation`` or ``test``; None for any other value.

    Examples
    --------
    >>> part_name("Dev"), part_name("holdout")
    ('validation', None)
    """
    return SYNONYMS.get(value.strip().casefold()) if isinstance(value, str) else None


def as_table(rows: Any, label: str | None = None) -> tuple[pd.DataFrame, list[str] | None]:
    """Take what holds rows as a DataFrame.

    Parameters
    ----------
    rows : DataFrame, datasets.Dataset or list of dict
        Anything else with ``to_pandas`` too.
    label : str, optional
        A column whose indices become names if it is a ClassLabel of a Dataset, or lists them; -1
        and null, "no label", become None.

    Returns
    -------
    table : DataFrame
    names : list of str or None
        Those of the ClassLabel, in its order; of a column that lists them None.

    Raises
    ------
    ValueError
        If it is something else, as the path of a file, or has no rows.

    Examples
    --------
    >>> as_table([{"text": "a", "label": 1}, {"text": "b", "label": 0}])[0].shape
    (2, 2)
    """
    if isinstance(rows, pd.DataFrame):
        table = rows
    elif callable(getattr(rows, "to_pandas", None)):
        table = rows.to_pandas()
    elif isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows):
        table = pd.DataFrame(list(rows))
    else:
        read = ": file_task of helpers.table_files makes a task of a file"
        is_path = isinstance(rows, str | os.PathLike)
        raise ValueError(
            "rows must be a DataFrame, a datasets.Dataset or a list of dicts, got "
            + (f"the path {str(rows)!r}{read}" if is_path else type(rows).__name__)
        )
    if len(table) == 0:
        raise ValueError("rows must be a table with rows, got an empty one")
    features = getattr(rows, "features", None)
    feature = features.get(label) if isinstance(features, Mapping) else None
    names = getattr(getattr(feature, "feature", feature), "names", None)
    if names is None:
        return table, None
    names = [str(name).strip() for name in names]

    def named(i: Any) -> str | None:
        if pd.isna(i) or i < 0:
            return None
        if i >= len(names):
            raise ValueError(f"{label} holds the class {i}, and names {len(names)} classes only")
        return names[int(i)]

    lists = hasattr(feature, "feature")
    cells = [
        [named(i) for i in ([] if cell is None else cell)] if lists else named(cell)
        for cell in table[label]
    ]
    return table.assign(**{str(label): cells}), None if lists else names


def check_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table in which one of these columns is missing or stands twice.

    Parameters
    ----------
    table : DataFrame
    columns : sequence of str

    Raises
    ------
    ValueError
        With the columns, and those that are there.
    """
    there = list(table.columns)
    missing = [str(c) for c in columns if c not in there]
    if missing:
        raise ValueError(
            f"columns missing: {', '.join(missing)}; found {', '.join(map(str, there)) or 'none'}"
        )
    twice = [str(c) for c in dict.fromkeys(columns) if there.count(c) > 1]
    if twice:
        raise ValueError(f"two columns have one name: {', '.join(twice)}; rename one of them")
    again = [str(c) for c in dict.fromkeys(columns) if list(columns).count(c) > 1]
    if again:
        raise ValueError(f"one column cannot be two things: {', '.join(again)} is named twice")


def listed(values: Any, what: str) -> list[Any]:
    """Take names whose order counts as a list.

    Parameters
    ----------
    values : sequence, array, Index, Series or dict view
        Whatever has an order.
    what : str
        Its name, for the error.

    Returns
    -------
    list

    Raises
    ------
    ValueError
        If it is one string, has no order of its own (set, frozenset), or is no list at all. A dict
        is refused too: its keys and its values could be meant.

    Examples
    --------
    >>> listed({0: "ham", 1: "spam"}.values(), "label_names")
    ['ham', 'spam']
    """
    if isinstance(values, Set) and not isinstance(values, KeysView):
        raise ValueError(f"{what} must have an order, got a {type(values).__name__}: give a list")
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        got = f"the string {values!r}" if isinstance(values, str) else type(values).__name__
        raise ValueError(f"{what} must be a list of names, got {got}")
    return list(values)


def is_empty(cell: object) -> bool:
    """Tell whether a cell holds no text: missing, or nothing to read in it.

    Parameters
    ----------
    cell : object

    Returns
    -------
    bool

    Examples
    --------
    >>> is_empty(None), is_empty(" "), is_empty("a leak")
    (True, True, False)
    """
    return _is_missing(cell) or (isinstance(cell, str) and is_blank(cell))


def _is_missing(value: object) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def read_texts(table: pd.DataFrame, column: str) -> list[str]:
    """Take a column as texts; a number among them becomes text.

    Parameters
    ----------
    table : DataFrame, n rows
    column : str

    Returns
    -------
    list of str, length n

    Raises
    ------
    ValueError
        If a text is empty or missing, or is something else, as a list, or all are numbers.

    Examples
    --------
    >>> read_texts(pd.DataFrame({"text": ["a leak", "a bin"]}), "text")
    ['a leak', 'a bin']
    """
    cells = table[column].tolist()
    empty = [is_empty(cell) for cell in cells]
    if any(empty):
        raise ValueError(f"{sum(empty)} empty texts, first in row {empty.index(True)}")
    for row, cell in enumerate(cells):
        if not isinstance(cell, str) and not is_real(cell):
            raise ValueError(f"{column} must hold texts, got {cell!r} in row {row}")
    texts = [str(cell) for cell in cells]
    if len(texts) > 1 and all(map(_is_number, texts)):
        raise ValueError(f"{column} holds numbers alone, as {texts[0]!r}: name the column of texts")
    return texts


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def label_name(value: Any) -> str | None:
    """Give a label as text.

    Parameters
    ----------
    value : str, bool or whole number

    Returns
    -------
    str or None
        Without spaces around it; 1.0 is "1"; None if there is no label: missing or blank.

    Raises
    ------
    ValueError
        If it is something else: a list, a number with a fraction.

    Examples
    --------
    >>> [label_name(value) for value in (" yes", 1.0, True, float("nan"))]
    ['yes', '1', 'True', None]
    """
    if isinstance(value, str):
        return str(value.strip()) or None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if is_real(value) and value == int(value):
        return str(int(value))
    if _is_missing(value):
        return None
    if isinstance(value, Iterable):
        raise ValueError(
            f"one label a text is expected, got {value!r}: several labels a text need a column of "
            "0 and 1 for each, and label_table_task"
        )
    raise ValueError(f"a label must be a name or a whole number, got {value!r}")


def read_labels(table: pd.DataFrame, column: str) -> list[str]:
    """Take a column as the names of labels, by `label_name`.

    Parameters
    ----------
    table : DataFrame, n rows
    column : str

    Returns
    -------
    list of str, length n

    Raises
    ------
    ValueError
        If a row has no label, or something that is none.

    Examples
    --------
    >>> read_labels(pd.DataFrame({"urgent": ["yes", "yes "]}), "urgent")
    ['yes', 'yes']
    """
    names = [label_name(cell) or "" for cell in table[column].tolist()]
    if "" in names:
        raise ValueError(f"{names.count('')} rows without a label, first in row {names.index('')}")
    return names


def check_number(names: Collection[str], n_rows: int, column: str) -> None:
    """Refuse a column that holds no labels: too many values, or one for nearly every row.

    Parameters
    ----------
    names : collection of str
        The different values.
    n_rows : int
    column : str

    Raises
    ------
    ValueError
        If they are more than 2,000, or more than nine tenths of 20 rows or more, as of an id.

    Examples
    --------
    >>> check_number({"yes", "no"}, 50, "urgent")
    """
    if len(names) > MOST_LABELS or (n_rows >= 20 and len(names) > 0.9 * n_rows):
        raise ValueError(
            f"{column} has {len(names)} different values in {n_rows} rows: is it an id or a text "
            f"rather than a label? At most {MOST_LABELS} labels are possible"
        )


def order_labels(
    found: Iterable[str], label_names: Any = None, positive: object = None
) -> tuple[str, ...]:
    """Put the names of labels in the order of their indices.

    Parameters
    ----------
    found : iterable of str
        The labels of all rows, as `read_labels` gives them.
    label_names : sequence, optional
        The order. Without it numbers go by size and names by the alphabet, but for two labels.
    positive : str, bool or int, optional
        Which of two labels is 1.

    Returns
    -------
    tuple of str
        Two or more. Two labels that need no word, in any letter case: 0 and 1, False and True, no
        and yes.

    Raises
    ------
    ValueError
        If a label is not in the list, two of them differ in letter case alone, there are fewer than
        two, or nothing says which of two is the positive one.

    Examples
    --------
    >>> order_labels(["yes", "no"]), order_labels(["hate", "neutral"], positive="hate")
    (('no', 'yes'), ('neutral', 'hate'))
    """
    occurring = list(dict.fromkeys(found))
    given = label_names is not None
    if given:
        names = [label_name(name) or "" for name in listed(label_names, "label_names")]
        unknown = [name for name in occurring if name not in names]
        if unknown:
            raise ValueError(
                f"labels outside the list: {some_of(unknown)}; the list is {tuple(names)}"
            )
    else:
        names = sorted(occurring)
        if all(name.removeprefix("-").isdecimal() for name in names):
            names.sort(key=int)
        alike: dict[object, list[str]] = {}
        for name in names:
            folded = " ".join(name.casefold().split())
            alike.setdefault(TRUTHS.get(folded, folded), []).append(name)
        double = [same for same in alike.values() if len(same) > 1]
        if double:
            raise ValueError(
                f"these labels mean one thing in different spellings: {some_of(double[0])}; write "
                "them one way, or list all labels in label_names"
            )
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"a task needs two different labels or more, got {tuple(names)}")
    chosen = None if positive is None else label_name(positive)
    if len(names) > 2:
        if positive is not None:
            raise ValueError(f"positive is for two labels, got {len(names)}: {some_of(names)}, ...")
        return tuple(names)
    if positive is not None:
        if chosen not in names or (given and chosen != names[1]):
            raise ValueError(
                f"positive must be {'the second of' if given else 'one of'} the two labels "
                f"{names[0]!r} and {names[1]!r}, got {positive!r}"
            )
        return tuple(sorted(names, key=lambda name: name == chosen))
    if given:
        return tuple(names)
    lowered = [name.casefold() for name in names]
    if set(lowered) in ({"0", "1"}, {"false", "true"}, {"no", "yes"}):
        return tuple(sorted(names, key=lambda name: TRUTHS[name.casefold()]))
    raise ValueError(
        f"which of {names[0]!r} and {names[1]!r} is the positive label, the one that is looked "
        f"for? say positive={names[0]!r} or positive={names[1]!r}"
    )


def read_truths(table: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float32]:
    """Take columns as 0 and 1.

    Parameters
    ----------
    table : DataFrame, n rows
    columns : sequence of str, length n_labels
        With 0 and 1, False and True, no and yes, as such or as text in any letter case.

    Returns
    -------
    ndarray of float32, shape (n, n_labels)

    Raises
    ------
    ValueError
        If a cell is something else or missing.

    Examples
    --------
    >>> read_truths(pd.DataFrame({"a": ["Yes", "no"], "b": [1.0, False]}), ["a", "b"]).tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    def truth(cell: Any) -> int:
        if isinstance(cell, str):
            return TRUTHS.get(cell.strip().casefold(), -1)
        plain = isinstance(cell, bool | np.bool_) or is_real(cell)
        return int(cell) if plain and cell in (0, 1) else -1

    found = np.empty((len(table), len(columns)), np.float32)
    for k, column in enumerate(columns):
        cells = table[column].tolist()
        found[:, k] = [truth(cell) for cell in cells]
        if (found[:, k] < 0).any():
            wrong = [cells[i] for i in np.flatnonzero(found[:, k] < 0)]
            raise ValueError(f"{column} must be 0 or 1, got {some_of(wrong)}")
    return found


def read_parts(table: pd.DataFrame, column: str) -> NDArray:
    """Take a column as the names of parts, by `part_name`.

    Parameters
    ----------
    table : DataFrame, n rows
    column : str

    Returns
    -------
    ndarray of str, shape (n,)

    Raises
    ------
    ValueError
        If a cell is no name of a part.

    Examples
    --------
    >>> read_parts(pd.DataFrame({"part": ["dev", "Test"]}), "part").tolist()
    ['validation', 'test']
    """
    cells = table[column].tolist()
    parts = np.array([part_name(cell) for cell in cells], dtype=object)
    if None in parts:
        wrong = [cell for cell, part in zip(cells, parts, strict=True) if part is None]
        raise ValueError(f"{column} must be one of {SPLITS}, got {some_of(wrong)}")
    return parts
