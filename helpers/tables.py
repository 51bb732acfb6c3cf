"""Read and write rows of CSV, TSV, JSON lines and Parquet files of any size, one after another."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import math
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
DELIMITERS = ",;\t|"
DEPTH = 100  # how deep lists and objects of JSON may stand in each other
NO_NUMBER = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|-?Infinity|NaN')  # a text, or such a word


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


def check_encoding(path: Path, encoding: str = "utf-8") -> None:
    """See that a text file is in its encoding, all of it, before any work is done on it.

    JSON lines are checked line by line, as they are read, if their encoding lets lines be told.

    Parameters
    ----------
    path : Path
    encoding : str

    Raises
    ------
    ValueError
        If there is no such encoding, or the file is in another one; the line is named.
    """
    how = format_of(path)
    try:
        ("a" * 99 + "\n").encode(encoding).decode(encoding)
        decoder = codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError):
        raise ValueError(
            f"there is no encoding {encoding!r}; utf-8 and latin-1 are usual"
        ) from None
    if how.kind == "parquet":
        return
    line = 1
    with _open(path, how.zipped) as file:
        head = file.read(2)
        if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and _is_utf_8(encoding):
            raise ValueError(f"{path} is not UTF-8: it begins as UTF-16. Name its encoding, utf-16")
        if how.kind == "jsonl" and _lines_are_bytes(encoding):
            return
        block = head
        while True:
            try:
                line += decoder.decode(block, final=not block).count("\n")
            except UnicodeError as error:
                # what the decoder had kept of the block before comes first in error.object
                if isinstance(error, UnicodeDecodeError):
                    line += error.object[: error.start].count(b"\n")
                raise ValueError(
                    f"{path} is not {encoding.upper()} in line {line}: save it as UTF-8, or name "
                    "its encoding, as latin-1"
                ) from None
            if not block:
                return
            block = file.read(2**20)


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
        with _parquet(path) as file:
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
    raise ValueError(f"{path} has no column {wanted!r}, only {_listed(columns)}{hint}")


def _listed(names: Sequence[str]) -> str:
    """Name some columns in one line."""
    some = ", ".join(name if name.isprintable() else repr(name) for name in names[:20])
    some = some if len(some) < 500 else some[:500] + " ..."
    return f"{some} and {len(names) - 20} more" if len(names) > 20 else some or "empty lines"


def read_rows(
    path: Path, encoding: str = "utf-8", wanted: str | None = None
) -> Iterator[tuple[dict[str, Any] | None, str, Any]]:
    """Give each row, or None with the reason and what stood there; nothing is left out.

    Parameters
    ----------
    path : Path
    encoding : str
    wanted : str, optional
        A column that should be there; it helps to tell the delimiter.

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
        with _parquet(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from ((row, "", None) for row in batch.to_pylist())
        return
    if how.kind == "csv":
        with _lines(path, how, encoding, wanted) as lines:
            names = next(lines, [])
            for cells in lines:
                if len(cells) == len(names):
                    yield dict(zip(names, cells, strict=True)), "", None
                else:
                    yield None, f"expected {len(names)} cells, got {len(cells)}", cells
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
            row, reason = (None, broken) if broken else _object(line)
            yield row, reason, line


class Written(float):
    """A number that remembers how it was written."""

    text: str


class Digits(str):
    """A whole number of thousands of digits, more than Python reads."""


def _number(text: str) -> Any:
    """Read a fraction, and keep its text."""
    value = Written(text)
    value.text = text
    return value


def _whole(text: str) -> Any:
    """Read a whole number; what Python would write otherwise keeps its text."""
    if len(text) < 4000:
        return int(text) if text != "-0" else _number(text)
    return Digits(text)


def _object(line: str) -> tuple[dict[str, Any] | None, str]:
    """Read one line as a JSON object, or say why it is none; NaN and infinity are read as None."""
    try:
        row = json.loads(line, parse_float=_number, parse_int=_whole, parse_constant=lambda _: None)
    except ValueError as error:
        return None, f"no JSON: {error}"
    except RecursionError:
        return None, f"no JSON: nested more than {DEPTH} deep"
    if not isinstance(row, dict):
        return None, "expected a JSON object"
    if line.count("[") + line.count("{") > DEPTH and _is_deep(row):
        return None, f"nested more than {DEPTH} deep"
    return row, ""


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
def _lines(
    path: Path, how: Format, encoding: str, wanted: str | None
) -> Iterator[Iterator[list[str]]]:
    """Read a CSV file strictly, with the delimiter that its start shows."""
    csv.field_size_limit(2**31 - 1)  # a cell may be longer than the 128 KiB that are usual
    name = "utf-8-sig" if _is_utf_8(encoding) else encoding
    delimiter, told = _delimiter(path, how, name, wanted)
    with _open(path, how.zipped) as raw:
        file = io.TextIOWrapper(raw, encoding=name, newline="")
        if told:
            file.readline()
        reader = csv.reader(file, delimiter=delimiter, strict=True)

        def lines() -> Iterator[list[str]]:
            try:
                yield from filter(None, reader)  # an empty line is no row
            except csv.Error as error:  # nobody knows where the next row begins
                raise ValueError(
                    f"{path} cannot be read beyond line {reader.line_num}: {error}. Is a quote not "
                    "closed, or not doubled inside a cell?"
                ) from None

        yield lines()


def _delimiter(path: Path, how: Format, encoding: str, wanted: str | None) -> tuple[str, bool]:
    """Tell the delimiter from the start of a file, and whether its first line says it.

    It is the one that gives the wanted column, then the one that is said, then the one with which
    most rows have as many cells as the header, then the one with most cells.
    """
    with _open(path, how.zipped) as raw:
        start = io.TextIOWrapper(raw, encoding=encoding, newline="").read(2**16)
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
def _parquet(path: Path) -> Iterator[Any]:
    """Open a Parquet file, and say so where it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError, OverflowError, ValueError, KeyError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} cannot be read as Parquet: {first}") from None


class Writer:
    """Write rows with new columns in parts, and put the parts together.

    Parameters
    ----------
    target : Path
    source : Path
        Where the rows come from: its columns are kept as they came.
    columns : list of str or None
        Those of the source; None from JSON lines to JSON lines, where each row has its own.
    example : mapping of str to value
        The new columns, with a value of each.
    encoding : str
        Of the source.

    Raises
    ------
    ValueError
        If the target is Parquet, the source JSON lines, and a column holds several kinds.
    """

    def __init__(
        self,
        target: Path,
        source: Path,
        columns: list[str] | None,
        example: Mapping[str, Any],
        encoding: str = "utf-8",
    ) -> None:
        self.how, self.source, self.columns, self.example = (
            format_of(target),
            source,
            columns,
            example,
        )
        self.schema = self._schema(encoding) if self.how.kind == "parquet" else None

    def part(self, path: Path, rows: list[tuple[dict[str, Any], dict[str, Any], Any]]) -> None:
        """Write rows: each as it was read, its new values, and its line where it was one."""
        if self.how.kind == "parquet":
            self._parquet_part(path, rows)
            return
        with open(path, "w", encoding="utf-8", newline="") as file:
            if self.how.kind == "jsonl":
                file.writelines(_json_line(*row) + "\n" for row in rows)
                return
            old = self.columns or ()
            shape: dict[str, Any] = {"lineterminator": "\n", "delimiter": self.how.delimiter}
            lines = csv.writer(file, **shape)
            quoted = csv.writer(file, quoting=csv.QUOTE_ALL, **shape)
            for row, new, _ in rows:
                cells = [_cell(row.get(name)) for name in old]
                cells += [_cell(new.get(name)) for name in self.example]
                bare = any("\r" in cell for cell in cells)  # Python 3.11 does not quote it
                (quoted if bare else lines).writerow(cells)

    def join(self, parts: list[Path], path: Path) -> None:
        """Put parts together into one file."""
        if self.how.kind == "parquet":
            import pyarrow.parquet as pq

            with pq.ParquetWriter(path, self.schema) as file:
                for part in parts:
                    file.write_table(pq.read_table(part).cast(self.schema))
            return
        head = io.StringIO(newline="")
        if self.how.kind == "csv":
            names = [*(self.columns or ()), *self.example]
            csv.writer(head, lineterminator="\n", delimiter=self.how.delimiter).writerow(names)
        join(parts, path, head.getvalue().encode(), zipped=self.how.zipped)

    def _schema(self, encoding: str) -> Any:
        """Find the types of a Parquet target before the work."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
        new = [pa.field(n, kinds.get(type(v), pa.string())) for n, v in self.example.items()]
        columns = self.columns or []
        kind = format_of(self.source).kind
        if kind == "parquet":
            return pa.schema([*pq.read_schema(self.source), *new])
        if kind == "csv":
            return pa.schema([*(pa.field(name, pa.string()) for name in columns), *new])
        found: dict[str, Any] = {name: pa.null() for name in columns}
        for row, *_ in read_rows(self.source, encoding):
            for name in columns if row is not None else ():
                try:
                    one = pa.scalar(_plain((row or {}).get(name))).type
                    merged = pa.unify_schemas(
                        [pa.schema([(name, found[name])]), pa.schema([(name, one)])],
                        promote_options="permissive",
                    )
                    found[name] = merged.field(name).type
                except (pa.ArrowException, OverflowError) as error:
                    raise ValueError(
                        f"{self.source}: the column {name!r} holds several kinds or a value that "
                        f"does not fit into Parquet: {str(error).splitlines()[0]}"
                    ) from None
        schema = pa.schema([*found.items(), *new])
        try:  # objects without keys, and deep ones, are none that Parquet can hold
            pq.write_table(schema.empty_table(), sample := io.BytesIO())
            pq.read_schema(sample)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                f"{self.source}: a value does not fit into Parquet: {str(error).splitlines()[0]}"
            ) from None
        return schema

    def _parquet_part(
        self, path: Path, rows: list[tuple[dict[str, Any], dict[str, Any], Any]]
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        packed = [name for name, v in self.example.items() if isinstance(v, list | dict)]
        old = self.columns or ()
        lines = [
            {
                **{name: _plain(row.get(name)) for name in old},
                **new,
                **{name: _cell(new[name]) for name in packed},
            }
            for row, new, _ in rows
        ]
        try:
            pq.write_table(pa.Table.from_pylist(lines, schema=self.schema), path)
        except (pa.ArrowException, OverflowError) as error:
            raise ValueError(f"{self.source}: a value does not fit into Parquet: {error}") from None


def _plain(value: Any) -> Any:
    """Forget how a number was written, at any depth."""
    if isinstance(value, Written):
        return float(value) if value.text != "-0" else 0
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _json_line(row: dict[str, Any], new: dict[str, Any], line: str | None) -> str:
    """Write a row as JSON: what came as a line stays as it was written, and the new follows."""
    added = json.dumps(_finite(new), ensure_ascii=False, allow_nan=False, default=str)
    if line is not None:
        if "NaN" in line or "Infinity" in line:
            line = NO_NUMBER.sub(lambda found: found[1] or "null", line)
        inside = line.rstrip().removesuffix("}").rstrip()
        return f"{inside}{'' if inside == '{' else ', '}{added[1:]}"
    return json.dumps(_finite({**row, **new}), ensure_ascii=False, allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    """Replace what JSON has no word for by None, at any depth."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return value


def _cell(value: Any) -> str:
    """Write a value into a CSV cell."""
    if isinstance(value, Written):
        return value.text
    return _json(value) if isinstance(value, list | dict) else "" if value is None else str(value)


def _json(value: Any) -> str:
    """Write a value as JSON, each number as it came."""
    if isinstance(value, Written):
        return value.text
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_json(str(name))}: {_json(one)}" for name, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(_finite(value), ensure_ascii=False, default=str)


def join(parts: list[Path], path: Path, head: bytes, *, zipped: bool = False) -> None:
    """Write a head and the bytes of some files, one after another, into one.

    Parameters
    ----------
    parts : list of Path
    path : Path
    head : bytes
    zipped : bool, default False
        Compress with gzip; the same bytes each time.
    """
    with open(path, "wb") as file:
        whole: Any = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if zipped else file
        whole.write(head)
        for part in parts:
            with open(part, "rb") as one:
                shutil.copyfileobj(one, whole)
        if zipped:
            whole.close()
