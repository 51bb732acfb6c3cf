"""Read rows of CSV, TSV, JSON lines and Parquet files of any size, one after another."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
DELIMITERS = ",;\t|"
Row = tuple[dict[str, Any], Any]
RECORD = 10_000_000  # characters of the longest row
ODD = ("utf-7", "unicode-escape", "raw-unicode-escape")  # these give text that is no Unicode
DEPTH = 100  # how deep lists and objects of JSON may stand in each other


@dataclass(frozen=True)
class Format:
    """How a file is written, told from its name.

    Attributes
    ----------
    kind : "csv", "jsonl" or "parquet"
    delimiter : str
        Between the cells of a CSV file that is written; a file that is read tells its own.
    zipped : bool
        Whether it is compressed with gzip.
    """

    kind: Literal["csv", "jsonl", "parquet"]
    delimiter: str = ","
    zipped: bool = False


def format_of(path: Path) -> Format:
    r"""Tell a file's format from the end of its name, in any case.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.tsv`` or ``.jsonl``, each also with ``.gz``, or ``.parquet``.

    Returns
    -------
    Format

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> format_of(Path("inbox.TSV.gz"))
    Format(kind='csv', delimiter='\t', zipped=True)
    """
    ends = [suffix.lower() for suffix in path.suffixes[-2:]]
    zipped = ends[-1:] == [".gz"]
    end = (ends[:-1] if zipped else ends)[-1:]
    kind = KINDS.get(end[0]) if end else None
    if kind is None or (zipped and kind == "parquet"):
        raise ValueError(f"{path} must end in one of {', '.join(FORMATS)}, the text ones also .gz")
    return Format(kind, "\t" if end == [".tsv"] else ",", zipped)  # type: ignore[arg-type]


@contextmanager
def _open(path: Path, zipped: bool) -> Iterator[IO[bytes]]:
    """Open a file for reading its bytes, unpacked."""
    try:
        with gzip.open(path) if zipped else open(path, "rb") as file:
            yield file  # type: ignore[misc]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from None


def check_source(path: Path, encoding: str = "utf-8", wanted: str | None = None) -> int:
    """Go through a file once, before any work is done on it.

    JSON lines are read later, line by line: only their ends, and their packing, are looked at.

    Parameters
    ----------
    path : Path
    encoding : str
    wanted : str, optional
        A column that should be there; it helps to tell the delimiter.

    Returns
    -------
    int
        The rows; empty lines may count.

    Raises
    ------
    ValueError
        If there is no such encoding, the file is in another one, nobody can say where the next row
        begins, as after a quote that is not closed, or a row is longer than `RECORD`; the line is
        named.
    """
    how = format_of(path)
    try:
        ("a" * 99 + "\n").encode(encoding).decode(encoding)
        codecs.getincrementaldecoder(encoding)
    except (LookupError, ValueError):
        raise ValueError(
            f"there is no encoding {encoding!r}; utf-8 and latin-1 are usual"
        ) from None
    if how.kind == "parquet":
        with open_parquet(path) as file:
            return int(file.metadata.num_rows)
    n_lines = _check_lines(path, how, encoding)
    return n_lines if how.kind == "jsonl" else _check_csv(path, how, encoding, wanted)


def _check_lines(path: Path, how: Format, encoding: str) -> int:
    """Count the lines; see that none is too long and that the file can be read to its end."""
    decode: Any = codecs.getincrementaldecoder(encoding)().decode
    mark: Any = "\n"
    if how.kind == "jsonl" and _lines_are_bytes(encoding):
        mark, decode = b"\n", lambda block, final: block
    line, length, block = 1, 0, b""
    with _open(path, how.zipped) as file:
        while True:
            first, block = not block, file.read(2**20)
            if first and block[:2] in (b"\xff\xfe", b"\xfe\xff") and _is_utf_8(encoding):
                raise ValueError(
                    f"{path} is not UTF-8: it begins as UTF-16. Name its encoding, utf-16"
                )
            try:
                text = decode(block, not block)
            except UnicodeError as error:
                # what the decoder had kept of the block before comes first in error.object
                if isinstance(error, UnicodeDecodeError):
                    line += error.object[: error.start].count(b"\n")
                raise ValueError(
                    f"{path} is not {encoding.upper()} in line {line}: save it as UTF-8, or name "
                    "its encoding, as latin-1"
                ) from None
            found = text.count(mark)
            length = len(text) - text.rfind(mark) - 1 + (0 if found else length)
            if found == 0 and mark == "\n" and "\r" in text:
                length = len(text) - text.rfind("\r") - 1  # old files end lines so
            line += found
            if length > RECORD:
                raise ValueError(f"{path} has more than {RECORD:,} characters in line {line}")
            if not block:
                return line if length else line - 1


def _check_csv(path: Path, how: Format, encoding: str, wanted: str | None) -> int:
    """Count the rows of a CSV file, and name the one that has no end."""
    n, line, length = 0, 0, 0

    def bounded(file: IO[str]) -> Iterator[str]:
        nonlocal length
        for one in file:
            length += len(one)
            if length > RECORD:
                raise csv.Error(f"more than {RECORD:,} characters in one row")
            yield one

    with _reader(path, how, encoding, wanted, bounded) as reader:
        try:
            for cells in reader:
                n, line, length = n + bool(cells), reader.line_num, 0
        except csv.Error as error:
            raise ValueError(
                f"{path} cannot be read from line {line + 1} on: {error}, in "
                f"{f'row {n}' if n else 'the header'}. Is a quote not closed, or not doubled "
                "inside a cell?"
            ) from None
    return max(n - 1, 0)


def _is_utf_8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _lines_are_bytes(encoding: str) -> bool:
    """Tell whether the byte 10 ends a line, and nothing else holds it; not so in UTF-16."""
    return "\n".encode(encoding).removeprefix(codecs.BOM_UTF8) == b"\n"


def columns_of(path: Path, encoding: str = "utf-8", wanted: str | None = None) -> list[str]:
    """Name the columns of a file; for JSON lines those of its first row.

    Parameters
    ----------
    path : Path
    encoding : str
    wanted : str, optional
        A column that should be there; it helps to tell the delimiter.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If two have one name, or the file is not what its name says.
    """
    how = format_of(path)
    if how.kind == "parquet":
        with open_parquet(path) as file:
            names = list(file.schema_arrow.names)
    elif how.kind == "csv":
        with _lines(path, how, encoding, wanted) as lines:
            names = next(lines, [])
    else:
        return next(
            (list(row) for row, *_ in read_rows(path, encoding, wanted) if row is not None), []
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{path} has two columns of one name: {_listed(names)}")
    return names


def check_column(path: Path, columns: Sequence[str], wanted: str) -> None:
    """Refuse a file without a column, and name the one that is near.

    Parameters
    ----------
    path : Path
    columns : sequence of str
    wanted : str

    Raises
    ------
    ValueError
        If it is not among the columns.
    """
    if wanted in columns:
        return
    folded = {name.strip().casefold(): name for name in columns}
    near = get_close_matches(wanted.strip().casefold(), folded, n=1, cutoff=0.6)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
    found = f"only {_listed(columns)}{hint}" if columns else "and no other: it is empty"
    raise ValueError(f"{path} has no column {wanted!r}, {found}")


def _listed(names: Sequence[str]) -> str:
    """Name some columns in one line."""
    some = ", ".join(name if name.isprintable() else repr(name) for name in names[:20])
    some = some if len(some) < 500 else some[:500] + " ..."
    return f"{some} and {len(names) - 20} more" if len(names) > 20 else some


def read_rows(
    path: Path, encoding: str = "utf-8", wanted: str | None = None, *, exact: bool = False
) -> Iterator[tuple[dict[str, Any] | None, str, Any]]:
    """Give each row, or None with the reason and what stood there; nothing is left out.

    Parameters
    ----------
    path : Path
    encoding : str
    wanted : str, optional
        A column that should be there; it helps to tell the delimiter.
    exact : bool, default False
        Read the numbers of JSON lines as `Number`, which keeps how they were written.

    Yields
    ------
    row : dict or None
    reason : str
        Empty for a good row.
    content : str, list or None
        What stood there: for JSON lines the whole line, also of a good row.

    Raises
    ------
    ValueError
        If nobody can say where the next row begins: a quote that is not closed, a JSON array, a
        file that is not what its name says.
    """
    how = format_of(path)
    if how.kind == "parquet":
        with open_parquet(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from ((row, "", None) for row in batch.to_pylist())
        return
    if how.kind == "csv":
        with _lines(path, how, encoding, wanted) as lines:
            names = next(lines, [])
            odd = codecs.lookup(encoding).name in ODD
            for cells in lines:
                if len(cells) != len(names):
                    yield None, f"expected {len(names)} cells, got {len(cells)}", cells
                elif odd and not _is_unicode(cells):
                    yield None, "not valid Unicode", cells
                else:
                    yield dict(zip(names, cells)), "", None  # noqa: B905  # they are as many
        return
    with _open(path, how.zipped) as file:
        first = True
        source: Any = file
        if not _lines_are_bytes(encoding):
            source = io.TextIOWrapper(file, encoding=encoding, newline="\n")
        for raw in source:
            line, broken = raw, ""
            if isinstance(raw, bytes):
                try:
                    line = raw.decode(encoding)
                except UnicodeError:
                    line, broken = raw.decode(encoding, "replace"), f"not {encoding.upper()}"
            line = line.strip("\ufeff \t\r\n")
            if not line:
                continue
            if first and (line == "{" or line.startswith("[")):
                raise ValueError(
                    f"{path} begins with {line[:1]}: that is one JSON text over several lines. "
                    "JSON lines has one object a line"
                )
            first = False
            row, reason = (None, broken) if broken else _object(line, exact)
            yield row, reason, line


def read_all(
    path: str | Path,
    columns: Sequence[str],
    encoding: str = "utf-8",
    *,
    exact: bool = False,
    hint: str | None = None,
) -> list[Row]:
    """Read a whole file, and refuse one in which a row cannot be read.

    Parameters
    ----------
    path : path
    columns : sequence of str
        Those that must be there.
    encoding : str, default "utf-8"
    exact : bool, default False
        As for `read_rows`.
    hint : str, optional
        A column that may be there, where none must be; it helps to tell the delimiter.

    Returns
    -------
    list of (dict, line)
        ``line`` is what stood in a JSON lines file, else None.

    Raises
    ------
    ValueError
        If there is no such file, a column is missing (the nearest name is said), or a row cannot be
        read; the first such row is named. As `check_source` does.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"the table {path} {'is a folder' if path.is_dir() else 'is not there'}")
    wanted = columns[0] if columns else hint
    check_source(path, encoding, wanted)
    there = columns_of(path, encoding, wanted)
    for column in columns:
        check_column(path, there, column)
    rows: list[Row] = []
    for number, (row, reason, line) in enumerate(
        read_rows(path, encoding, wanted, exact=exact), start=1
    ):
        if row is None:
            raise ValueError(f"{path}, row {number}: {reason}")
        rows.append((row, line))
    return rows


class Number(str):
    """A number as it was written, to leave so."""

    __slots__ = ()


NONE = dict.fromkeys(("NaN", "Infinity", "-Infinity")).get  # JSON has no word for these
READ = json.JSONDecoder(parse_constant=NONE)
READ_LONG = json.JSONDecoder(parse_constant=NONE, parse_int=Number)
READ_EXACT = json.JSONDecoder(parse_constant=NONE, parse_int=Number, parse_float=Number)


def _object(line: str, exact: bool) -> tuple[dict[str, Any] | None, str]:
    """Read one line as a JSON object, or say why it is none; NaN and infinity are read as None."""
    try:
        row, end = (READ_EXACT if exact else READ).raw_decode(line)
    except json.JSONDecodeError as error:
        return None, f"no JSON: {error}"
    except RecursionError:
        return None, f"no JSON: nested more than {DEPTH} deep"
    except ValueError:  # a whole number of more digits than Python reads
        row, end = READ_LONG.raw_decode(line)
    if end < len(line):
        return None, f"no JSON: {line[end : end + 20].strip()!r} follows after its end"
    if not isinstance(row, dict):
        return None, "expected a JSON object"
    if line.count("[") + line.count("{") > DEPTH and _is_deep(row):
        return None, f"nested more than {DEPTH} deep"
    if "\\u" in line and not _is_unicode(row):
        return None, "not valid Unicode"
    return row, ""


def _is_unicode(value: Any) -> bool:
    """Tell whether all text in a value can be written as UTF-8."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            todo += [*one, *one.values()]
        elif isinstance(one, list):
            todo += one
        elif isinstance(one, str) and not one.isascii():
            try:
                one.encode()
            except UnicodeEncodeError:
                return False
    return True


def _is_deep(value: Any) -> bool:
    """Tell whether lists and objects stand in each other more than `DEPTH` deep."""
    level = [value]
    for _ in range(DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


@contextmanager
def _reader(
    path: Path,
    how: Format,
    encoding: str,
    wanted: str | None,
    lines: Callable[[IO[str]], Iterable[str]] = iter,
) -> Iterator[Any]:
    """Open a CSV file to be read strictly, with the delimiter that its start shows."""
    csv.field_size_limit(RECORD)  # a cell may be longer than the 128 KiB that are usual
    name = "utf-8-sig" if _is_utf_8(encoding) else encoding
    delimiter, told = _delimiter(path, how, name, wanted)
    with _open(path, how.zipped) as raw:
        file = io.TextIOWrapper(raw, encoding=name, newline="")
        reader = csv.reader(lines(file), delimiter=delimiter, strict=True)
        if told:
            next(reader)
        yield reader


@contextmanager
def _lines(
    path: Path, how: Format, encoding: str, wanted: str | None
) -> Iterator[Iterator[list[str]]]:
    """Give the rows of a CSV file; an empty line is none."""
    with _reader(path, how, encoding, wanted) as reader:
        try:
            yield filter(None, reader)
        except csv.Error as error:  # it has changed since it was checked
            raise ValueError(f"{path} cannot be read: {error}") from None


def _delimiter(path: Path, how: Format, encoding: str, wanted: str | None) -> tuple[str, bool]:
    """Tell the delimiter from the start of a file, and whether its first line says it.

    It is the one that gives the wanted column, then the one that is said, then the one with which
    most rows have as many cells as the header, then the one with most cells.
    """
    with _open(path, how.zipped) as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        start = text.read(2**16)
    first = io.StringIO(start, newline="").readline().strip('\r\n"')
    told = first[4:] if first.lower().startswith("sep=") and len(first) == 5 else ""

    def fit(delimiter: str) -> tuple[bool, bool, int, int]:
        lines = io.StringIO(start, newline="")
        if told:  # spreadsheets write so
            lines.readline()
        reader = csv.reader(lines, delimiter=delimiter)
        head, *rows = list(islice(filter(None, reader), 21)) or [[]]
        agree = sum(len(row) == len(head) for row in rows) if len(head) > 1 else 0
        return wanted in head, delimiter == told, agree, len(head)

    return max(told + how.delimiter + DELIMITERS, key=fit), bool(told)


@contextmanager
def open_parquet(path: Path) -> Iterator[Any]:
    """Open a Parquet file, and say so where it cannot be read.

    Parameters
    ----------
    path : Path

    Yields
    ------
    pyarrow.parquet.ParquetFile

    Raises
    ------
    ValueError
        If it cannot be opened, or read inside the block.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError, OverflowError, ValueError, KeyError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} cannot be read as Parquet: {first}") from None
