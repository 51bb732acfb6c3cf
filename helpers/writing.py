"""Write rows to CSV, TSV, JSON lines and Parquet files, in parts that are put together."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from helpers.tables import Number, format_of, read_rows

NO_NUMBER = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|-?Infinity|NaN')  # a text, or such a word
WRITE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str)


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
        self.schema: Any = self._schema(encoding) if self.how.kind == "parquet" else None

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
                values = [*map(row.get, old), *map(new.get, self.example)]
                cells = [one if type(one) is str else _cell(one) for one in values]
                bare = "\r" in "".join(cells)  # Python 3.11 does not quote it
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
        rows = (row for row, *_ in read_rows(self.source, encoding) if row is not None)
        while some := list(islice(rows, 1024)):
            for name in columns:
                try:
                    one = pa.array([row.get(name) for row in some]).type
                    if one != found[name]:
                        both = [pa.schema([(name, found[name])]), pa.schema([(name, one)])]
                        merged = pa.unify_schemas(both, promote_options="permissive")
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

        columns = [[row.get(name) for row, *_ in rows] for name in self.columns or ()]
        for name, value in self.example.items():
            new = [one[name] for _, one, _ in rows]
            columns.append(list(map(_cell, new)) if isinstance(value, list | dict) else new)
        try:
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(columns, self.schema, strict=True)
            ]
            pq.write_table(pa.Table.from_arrays(arrays, schema=self.schema), path)
        except (pa.ArrowException, OverflowError) as error:
            raise ValueError(f"{self.source}: a value does not fit into Parquet: {error}") from None


def _json_line(row: dict[str, Any], new: dict[str, Any], line: str | None) -> str:
    """Write a row as JSON: what came as a line stays as it was written, and the new follows."""
    if line is None:
        return _plain_json({**row, **new})
    if "NaN" in line or "Infinity" in line:
        line = NO_NUMBER.sub(lambda found: found[1] or "null", line)
    inside = line.rstrip().removesuffix("}").rstrip()
    return f"{inside}{'' if inside == '{' else ', '}{_plain_json(new)[1:]}"


def _plain_json(value: Any) -> str:
    """Write a value as JSON; what JSON has no word for becomes null."""
    try:
        return WRITE.encode(value)
    except ValueError:
        return WRITE.encode(_finite(value))


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
    return _json(value) if isinstance(value, list | dict) else "" if value is None else str(value)


def _json(value: Any) -> str:
    """Write a value as JSON, each number as it came."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_json(str(name))}: {_json(one)}" for name, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    return _plain_json(value)


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
