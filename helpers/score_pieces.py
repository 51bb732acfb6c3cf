"""Choose a yes/no rule on files of scores that are read in pieces: memory holds each score once."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.choosing import BAND, criterion_of
from helpers.columns import label_name, order_labels
from helpers.portable.arrays import check_logits
from helpers.portable.binary import BinaryThreshold
from helpers.portable.probabilities import binary_logit
from helpers.portable.rule import fingerprint
from helpers.score_files import Scale, ScoreRule, as_logits, as_numbers
from helpers.tables import (
    check_column,
    check_source,
    columns_of,
    format_of,
    open_parquet,
    read_rows,
)

ROWS = 2**17  # of a piece
Piece = tuple[NDArray[np.floating], list[str], NDArray[np.intp]]  # scores, labels, which of them


def choose_in_pieces(
    source: str | Path,
    *,
    scores: Sequence[str],
    label: str,
    names: Sequence[str] | None = None,
    positive: str | None = None,
    scale: Scale = "logits",
    criterion: Mapping[str, Any],
    encoding: str = "utf-8",
) -> tuple[ScoreRule, list[str]]:
    """Choose a yes/no rule on scores of one file, or of several as if they were one.

    Parameters
    ----------
    source : path
        A table as for `read_scores`, or a pattern of such, as ``parts/*.parquet``.
    scores : sequence of str
        One score column or two.
    label : str
        The column with the true label.
    names, positive, scale, encoding
        As for `choose_for_scores`.
    criterion : mapping
        What `criterion_of` takes; no review.

    Returns
    -------
    kept : ScoreRule
        The rule of `BinaryThreshold.choose` on all rows at once, to the bit, without a temperature.
    notes : list of str

    Raises
    ------
    ValueError
        If no file is called so, there are more than two score columns, a band for review is asked
        for, or as `choose_for_scores`.

    Notes
    -----
    Files are read twice: for the labels that occur, and for the scores. Memory holds 4 bytes a row
    if all files are Parquet with one column of float32, otherwise 8, and little more.
    """
    if len(scores) > 2:
        raise ValueError(f"a yes/no rule takes one or two score columns, got {len(scores)}")
    ways = criterion_of("binary", **criterion)
    if BAND & set(ways):
        raise ValueError("a band for review needs all rows in memory: leave --low-memory out")
    files = _files(source)
    n_rows = sum(check_source(one, encoding, label) for one in files)
    for one in files:
        for column in (*scores, label):
            check_column(one, columns_of(one, encoding, label), column)
    found: dict[str, None] = {}
    for one in files:
        for _, some, _ in _pieces(one, [], label, encoding):
            found |= dict.fromkeys(some)
    label_names = order_labels(found, names, positive)
    if len(label_names) != 2:
        raise ValueError(f"yes/no needs two labels, got {', '.join(label_names[:5])}")

    narrow = scale == "logits" and len(scores) == 1
    narrow = narrow and all(_is_float32(one, scores[0]) for one in files)
    kept: NDArray[np.floating] = np.empty(n_rows, dtype=np.float32 if narrow else np.float64)
    front, back, rows = 0, n_rows, 0  # positives fill it from the front, negatives from the back
    with warnings.catch_warnings(record=True) as said:  # of a piece by itself
        warnings.simplefilter("always")
        for one in files:
            for z, some, which in _pieces(one, scores, label, encoding):
                is_yes = np.array([name == label_names[1] for name in some])[which]
                margin = binary_logit(as_logits(z, kind="binary", scale=scale))
                rows += int(fingerprint(margin, is_yes), 16)
                yes, no = margin[is_yes], margin[~is_yes]
                if front + len(margin) > back:
                    raise ValueError(f"{one} has grown while it was read")
                kept[front : front + len(yes)] = yes
                kept[back - len(no) : back] = no
                front, back = front + len(yes), back - len(no)
    n = n_rows - (back - front)
    kept[front:n] = kept[back:]  # empty lines were counted as rows
    kept = kept[:n]
    if said and scale == "probabilities":
        warnings.warn(f"in a piece of the rows, or several, {said[0].message}", stacklevel=2)
    check_logits(np.resize([kept.min(), kept.max()], min(n, 20)))  # it asks: probabilities?
    rule = BinaryThreshold.choose_in_place(
        kept, front, f"{rows % 2**64:016x}", label_names=(label_names[0], label_names[1]), **ways
    )
    where = files[0] if len(files) == 1 else f"{len(files)} files"
    notes = [
        f"kind: binary, labels {', '.join(label_names)}; {n} rows of {where}",
        "read in pieces; no temperature was fitted, which leaves decisions as they are",
    ]
    return ScoreRule(rule=rule, columns=tuple(scores), scale=scale, data=Path(source).name), notes


def _files(source: str | Path) -> list[Path]:
    """Name the files of a pattern, or the one."""
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    files = sorted(one for one in map(Path, glob.glob(str(path))) if one.is_file())
    if not files:
        raise ValueError(f"no file is called like {source}")
    return files


def _is_float32(path: Path, column: str) -> bool:
    if format_of(path).kind != "parquet":
        return False
    with open_parquet(path) as file:
        return str(file.schema_arrow.field(column).type) in ("float", "halffloat")


def _pieces(path: Path, scores: Sequence[str], label: str, encoding: str) -> Iterator[Piece]:
    """Give some rows after another: the scores, the different labels, and which each row has."""
    start = 0
    for cells, (some, which) in _columns(path, scores, label, encoding):
        labels = [label_name(one) or "" for one in some]
        if "" in labels:
            empty = np.isin(which, [k for k, name in enumerate(labels) if not name])
            raise ValueError(f"{path}, row {start + int(np.argmax(empty)) + 1}: {label} is empty")
        yield as_numbers(path, cells, scores, start), labels, which
        start += len(which)


def _columns(
    path: Path, scores: Sequence[str], label: str, encoding: str
) -> Iterator[tuple[Any, tuple[list[Any], NDArray[np.intp]]]]:
    if format_of(path).kind == "parquet":
        with open_parquet(path) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=[*scores, label]):
                column = batch.column(label)
                if hasattr(column, "dictionary_decode"):  # it may have nulls of two kinds
                    column = column.dictionary_decode()
                coded = column.dictionary_encode(null_encoding="encode")
                which = coded.indices.to_numpy().astype(np.intp)
                parts = [batch.column(one).to_numpy(zero_copy_only=False) for one in scores]
                cells = np.stack(parts, axis=1) if parts else np.empty((len(which), 0))
                yield cells, (coded.dictionary.to_pylist(), which)
        return
    rows = read_rows(path, encoding, label)
    start = 0
    while read := list(islice(rows, ROWS)):
        for k, (row, reason, _) in enumerate(read, start=start + 1):
            if row is None:
                raise ValueError(f"{path}, row {k}: {reason}")
        start += len(read)
        names = [label_name(row.get(label)) for row, *_ in read]  # type: ignore[union-attr]
        index: dict[Any, int] = {}
        which = np.array([index.setdefault(name, len(index)) for name in names])
        values: Any = [[row.get(one) for one in scores] for row, *_ in read]  # type: ignore[union-attr]
        yield values, (list(index), which)
