"""Rows from where people keep them: a file, the files of a pattern, a folder or id for datasets."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.columns import as_table, part_name
from helpers.downloads import load_data_set
from helpers.tables import KINDS, check_column, columns_of, format_of, read_all

SAVED = ("dataset_dict.json", "state.json")  # what `save_to_disk` of datasets writes
IDENTITY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


@dataclass(frozen=True, eq=False)
class Source:
    """Rows as they were found.

    Attributes
    ----------
    name : str
    table : DataFrame, n rows
    files : tuple of str, length n
        The file, or the split, that each row stands in.
    parts : tuple of str, length n, or None
        The part that each row stands in, where files or `datasets` say it; otherwise None.
    label_names : tuple of str or None
        The order of the labels, where a ClassLabel gives it.
    """

    name: str
    table: pd.DataFrame
    files: tuple[str, ...]
    parts: tuple[str, ...] | None = None
    label_names: tuple[str, ...] | None = None


def is_source(text: str) -> bool:
    """Tell whether this names rows, and not a recipe.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
        For a name with an ending, a pattern, a folder that is there, and ``owner/name``.

    Examples
    --------
    >>> [is_source(name) for name in ("mine.csv", "parts/*.csv", "owner/name", "urgent")]
    [True, True, True, False]
    """
    path = Path(text).expanduser()
    return path.suffix != "" or "/" in text or glob.has_magic(text) or path.is_dir()


def read_source(
    source: str | Path,
    columns: list[str],
    *,
    label: str | None = None,
    subset: str | None = None,
    encoding: str = "utf-8",
) -> Source:
    """Read all rows of a source.

    Parameters
    ----------
    source : path or str
        A table as for `read_all`; a pattern of such, as ``parts/*.csv``; a folder of such, or one
        that `datasets` loads; an id of its Hub, as ``owner/name`` or ``owner/name@revision``.
    columns : list of str
        Those that must be there.
    label : str, optional
        A column whose indices become names if it is a ClassLabel or lists them.
    subset : str, optional
        Of a data set that has several.
    encoding : str, default "utf-8"
        Of files.

    Returns
    -------
    Source
        Files named after parts, as ``train.csv`` and ``dev.csv``, give parts as a data set's splits
        do. Splits of other names, as ``unsupervised``, are left out where there are such parts.

    Raises
    ------
    ValueError
        If nothing is there, `datasets` cannot load it, the files of a pattern differ in their
        columns, or `read_all` refuses one.
    """
    text, path = str(source), Path(source).expanduser()
    files = [path]
    if path.is_dir():
        files = _tables_in(path)
    elif glob.has_magic(text) and not path.exists():
        files = sorted(one for one in map(Path, glob.glob(str(path))) if one.is_file())
        if not files:
            raise ValueError(f"no file is called like {source}")
    elif not path.exists() and not _ends_as_table(path) and IDENTITY.fullmatch(text):
        files = []
    if not files:
        return _from_datasets(text, columns, label, subset)
    if subset is not None:
        raise ValueError(f"--subset is for a data set that datasets loads, got {source}")
    tables = [pd.DataFrame([row for row, _ in read_all(one, columns, encoding)]) for one in files]
    for one, table in zip(files, tables, strict=True):
        if table.empty:
            raise ValueError(f"{one} has no rows")
    _check_alike(files, columns, encoding)
    names = _repeated([one.name for one in files], tables)
    parts = _repeated(list(map(_part_of, files)), tables)
    return Source(path.name, pd.concat(tables, ignore_index=True), names, _told(parts))


def _ends_as_table(path: Path) -> bool:
    """Tell whether `read_all` knows the ending."""
    ends = [end.lower() for end in path.suffixes if end.lower() != ".gz"]
    return bool(ends) and ends[-1] in KINDS


def _tables_in(folder: Path) -> list[Path]:
    """List the tables that lie in a folder; none where `datasets` wrote it, or a card describes it.

    `datasets` would take every CSV file as one with commas.
    """
    if any((folder / name).is_file() for name in (*SAVED, "README.md")):
        return []
    inside = sorted(one for one in folder.glob("[!.]*") if one.is_file())
    return [one for one in inside if _ends_as_table(one)]


def _part_of(file: Path) -> str | None:
    """Tell from a file's name, as ``dev.csv`` or ``train-00001.parquet``, which part it is."""
    words = re.split(r"[^a-z]+", file.name.split(".")[0].casefold())
    found = {part_name(word) for word in words} - {None}
    return found.pop() if len(found) == 1 else None


def _repeated(values: Sequence[Any], tables: Sequence[pd.DataFrame]) -> tuple[Any, ...]:
    """Give each row of each table the value of its table."""
    return tuple(
        value for value, table in zip(values, tables, strict=True) for _ in range(len(table))
    )


def _told(parts: Sequence[str | None]) -> tuple[str, ...] | None:
    """Give the part of each row if it is known of all, and they are not all the same."""
    known = tuple(part for part in parts if part is not None)
    return known if len(known) == len(parts) and len(set(known)) > 1 else None


def _check_alike(files: list[Path], columns: list[str], encoding: str) -> None:
    """Refuse files that differ in their columns; a row of JSON lines may lack what is not asked."""
    fixed = [one for one in files if format_of(one).kind != "jsonl"]
    first: list[str] = []
    for one in fixed:
        there = columns_of(one, encoding, columns[0])
        first = first or there
        if set(there) != set(first):
            odd = sorted(set(there) ^ set(first))
            raise ValueError(
                f"the files differ in their columns: {', '.join(odd[:5])} is not in both "
                f"{fixed[0]} and {one}"
            )


def _from_datasets(text: str, columns: list[str], label: str | None, subset: str | None) -> Source:
    """Take every split of what `datasets` loads."""
    loaded = _load(text, subset)
    splits = dict(loaded) if isinstance(loaded, dict) else {"all": loaded}
    known = [name for name in splits if part_name(str(name))]
    tables: list[pd.DataFrame] = []
    names: list[str] | None = None
    for name in known or splits:
        for column in columns:
            check_column(Path(f"{text} ({name})"), splits[name].column_names, column)
        table, names = as_table(splits[name], label)
        tables.append(table)
    found = [str(name) for name in known or splits]
    return Source(
        Path(text).name if Path(text).expanduser().is_dir() else text,
        pd.concat(tables, ignore_index=True),
        _repeated(found, tables),
        _told(_repeated(list(map(part_name, found)), tables)),
        None if names is None else tuple(names),
    )


def _load(text: str, subset: str | None) -> Any:
    """Load a folder or an id, or say in a sentence why that failed."""
    import datasets

    folder = Path(text).expanduser()
    if (folder / "decision.json").is_file():
        raise ValueError(f"{text} holds a saved network with its rule, and no table")
    with _quiet():
        try:
            if any((folder / name).is_file() for name in SAVED):
                if subset is not None:
                    raise ValueError("it was saved without subsets")
                return datasets.load_from_disk(str(folder))
            if folder.is_dir():
                return datasets.load_dataset(str(folder), subset)
        except (
            OSError,
            ValueError,
            KeyError,
            RuntimeError,
            datasets.exceptions.DatasetsError,
        ) as error:
            why = " ".join(f"{error}: {error.__cause__ or ''}".split())[:300].rstrip(": ")
            raise ValueError(f"datasets cannot load {text}: {why}") from None
        repository, _, revision = text.partition("@")
        try:
            return load_data_set(repository, subset, revision or None)
        except ValueError as error:
            raise ValueError(f"there is no folder {text}, and {error}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the bars of `datasets`, and the retries where there is no connection."""
    import datasets
    from huggingface_hub.utils import logging

    bars = datasets.is_progress_bar_enabled()
    levels = logging.get_verbosity(), datasets.logging.get_verbosity()
    datasets.disable_progress_bars()
    logging.set_verbosity_error()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(levels[0])
        datasets.logging.set_verbosity(levels[1])
        if bars:
            datasets.enable_progress_bars()
