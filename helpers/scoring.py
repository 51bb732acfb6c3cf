"""Decide every row of a file of any size, and take up an interrupted run. Lesson 04 explains it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from helpers.deployment import load
from helpers.portable.decisions import DECISION_FILE
from helpers.portable.pipeline import file_hash

FORMATS = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class Scored:
    """What `score` did.

    Attributes
    ----------
    rows, bad : int
        Rows that were decided, and rows that went to the side file.
    resumed : int
        Chunks that an earlier run had done.
    bad_file : Path
        One JSON object a bad row: ``row`` (from 1), ``reason``, ``content``; not there without any.
    """

    rows: int
    bad: int
    resumed: int
    bad_file: Path


def score(
    folder: str | Path,
    source: str | Path,
    target: str | Path,
    *,
    text: str = "text",
    chunk: int = 4096,
    progress: bool = False,
) -> Scored:
    """Decide every row of a file; keep its columns and add the rule's record.

    Parameters
    ----------
    folder : path
        As `save` wrote it.
    source, target : path
        ``.csv`` (UTF-8), ``.jsonl`` or ``.parquet`` each.
    text : str, default "text"
        The column with the texts.
    chunk : int, default 4096
        Rows that are read, decided and written together.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    Scored

    Raises
    ------
    ValueError
        If a format is unknown, the column is missing, the target is there already, belongs to
        another run that was not finished, or is being written by one.

    Notes
    -----
    New columns are called ``decision_label``, ``decision_probability`` and so on; in CSV and
    Parquet a list or an object among them is JSON text. From JSON lines to another format, the
    first row sets the columns.

    Memory holds one chunk. Each chunk is written to a file of its own in ``TARGET.parts``, under
    its final name only when whole; the parts are put together at the end. The same call after a
    crash takes up the chunks that are there. Their borders are fixed, so the result is the same,
    byte for byte, on the same machine with the same number of threads.
    """
    source, target = Path(source), Path(target)
    for path in (source, target):
        if path.suffix not in FORMATS:
            raise ValueError(f"{path} must end in one of {', '.join(FORMATS)}")
    if not source.is_file():
        raise ValueError(f"there is no file {source}")
    if type(chunk) is not int or chunk < 1:
        raise ValueError(f"chunk must be an int of at least 1, got {chunk!r}")
    deployment = load(folder)
    columns = None if source.suffix == target.suffix == ".jsonl" else _columns(source)
    example = {f"decision_{k}": v for k, v in deployment.explain(["a text"])[0].items()}
    if columns is not None and text not in columns:
        raise ValueError(f"{source} has no column {text!r}, only {', '.join(columns)}")
    if columns is not None and (clash := [name for name in example if name in columns]):
        raise ValueError(f"{source} has columns of the result already: {', '.join(clash)}")

    stat = source.stat()
    job = {
        "source": [str(source.resolve()), stat.st_size, stat.st_mtime_ns],
        "decision": file_hash(Path(folder) / DECISION_FILE),
        "text": text,
        "chunk": chunk,
    }
    parts = target.with_name(f"{target.name}.parts")
    writer = _Writer(target.suffix, columns, example, source)
    rows = _checked(source, columns, text, example)
    n_rows = n_bad = resumed = 0
    names: list[Path] = []
    with ExitStack() as stack:
        stack.enter_context(_only_run(target))
        _start(parts, target, job)
        total = sum(1 for _ in _read(source)) if progress else None
        bar = stack.enter_context(tqdm(total=total, unit=" rows", disable=not progress))
        while (read := list(islice(rows, chunk))) or not names:
            good = [row for row, _ in read if row is not None]
            bad = [fault for row, fault in read if row is None]
            part = parts / f"{len(names):08d}"
            names.append(part)
            n_rows, n_bad = n_rows + len(good), n_bad + len(bad)
            if part.exists():
                resumed += 1
            else:
                records = deployment.explain([row[text] for row in good])
                done = [
                    {**row, **{f"decision_{k}": v for k, v in record.items()}}
                    for row, record in zip(good, records, strict=True)
                ]
                with open(part.with_suffix(".bad"), "w", encoding="utf-8", newline="\n") as file:
                    file.writelines(json.dumps(fault) + "\n" for fault in bad)
                writer.part(part.with_suffix(".tmp"), done)
                part.with_suffix(".tmp").replace(part)
            bar.update(len(read))
        bad_file = target.with_name(f"{target.name}.bad.jsonl")
        bad_file.unlink(missing_ok=True)  # of an earlier file
        if n_bad:
            _join([part.with_suffix(".bad") for part in names], parts / "bad.tmp", b"")
            (parts / "bad.tmp").replace(bad_file)
        writer.join(names, parts / "all.tmp")
        (parts / "all.tmp").replace(target)
        shutil.rmtree(parts, ignore_errors=True)
    return Scored(n_rows, n_bad, resumed, bad_file)


@contextmanager
def _only_run(target: Path) -> Iterator[None]:
    """Keep a second run out while one writes the target; it ends with its process, however."""
    path = target.with_name(f".{target.name}.lock")
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ValueError(
            f"another run is writing {target}: wait for it, or name another target"
        ) from None
    try:
        yield
    finally:
        # its file stays: were it removed, a run that has it open could hold it beside a third run's
        lock.release()


def _start(parts: Path, target: Path, job: dict[str, Any]) -> None:
    """Take up an unfinished run of the same job, or begin one."""
    note = parts / "job.json"
    if note.is_file():
        if json.loads(note.read_text(encoding="utf-8")) != job:
            raise ValueError(
                f"{parts} belongs to a run with another file, model or option: remove it to start "
                "anew, or name another target"
            )
        return
    left = list(parts.iterdir()) if parts.is_dir() else []
    if left and all(p.name[:8].isdigit() or p.suffix == ".tmp" for p in left):
        shutil.rmtree(parts, ignore_errors=True)  # of a run that was stopped while tidying up
    elif left or parts.is_file():
        raise ValueError(f"{parts} holds other files: remove it, or name another target")
    if target.exists():
        raise ValueError(f"{target} is there already: remove it, or name another target")
    parts.mkdir(parents=True, exist_ok=True)
    (parts / "job.tmp").write_text(json.dumps(job), encoding="utf-8")
    (parts / "job.tmp").replace(note)


def _read(source: Path) -> Iterator[tuple[dict[str, Any] | None, str, Any]]:
    """Give each row, or None with the reason and what stood there."""
    if source.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from ((row, "", None) for row in batch.to_pylist())
    elif source.suffix == ".csv":
        with open(source, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            lines = csv.reader(file)
            names = next(lines, [])
            while True:
                try:
                    cells = next(lines)
                except StopIteration:
                    return
                except csv.Error as error:  # nobody knows where the next row begins
                    raise ValueError(
                        f"{source} cannot be read beyond line {lines.line_num}: {error}. Is a "
                        "quote not closed? Write the file as .jsonl or .parquet for longer cells"
                    ) from None
                if len(cells) == len(names):
                    yield dict(zip(names, cells, strict=True)), "", None
                elif cells:  # an empty line is no row
                    reason = f"expected {len(names)} cells, got {len(cells)}"
                    yield None, reason, cells
    else:
        with open(source, "rb") as file:
            for line in filter(bytes.strip, file):
                try:
                    row = json.loads(line)
                    reason = "" if isinstance(row, dict) else "expected a JSON object"
                except (ValueError, RecursionError) as error:
                    row, reason = None, f"no JSON: {error}"
                good = row if not reason else None
                yield good, reason, None if good else line.decode("utf-8", "replace")


def _columns(source: Path) -> list[str]:
    """Name the columns of a file; for JSON lines those of its first row."""
    if source.suffix == ".parquet":
        import pyarrow.parquet as pq

        return pq.read_schema(source).names
    if source.suffix == ".csv":
        with open(source, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next(csv.reader(file), [])
        if not _is_unicode(names):
            raise ValueError(f"{source} is not UTF-8: save it as UTF-8")
        if len(set(names)) < len(names):
            raise ValueError(f"{source} has two columns of one name: {', '.join(names)}")
        return names
    return next((list(row) for row, *_ in _read(source) if row is not None), [])


def _checked(
    source: Path, columns: list[str] | None, text: str, added: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """Give each row that can be decided, or None with its number, the reason and its content."""
    for number, (row, reason, content) in enumerate(_read(source), start=1):
        if row is not None:
            value = row.get(text)
            extra = [n for n in row if n in added or (columns is not None and n not in columns)]
            if not isinstance(value, str) or not value.strip():
                reason = f"no text in {text!r}"
            elif extra:
                reason = f"unexpected columns: {', '.join(extra)}"
            elif not _is_unicode(row):
                reason = "not valid Unicode"
            content = {name: str(value) for name, value in row.items()}
        if reason:
            yield None, {"row": number, "reason": reason, "content": content}
        else:
            yield row, {}


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


class _Writer:
    """Write parts in one format, and put them together."""

    def __init__(
        self, suffix: str, columns: list[str] | None, example: Mapping[str, Any], source: Path
    ) -> None:
        self.suffix, self.columns, self.example, self.source = suffix, columns, example, source

    def part(self, path: Path, rows: list[dict[str, Any]]) -> None:
        if self.suffix == ".parquet":
            self._parquet(path, rows)
            return
        with open(path, "w", encoding="utf-8", newline="") as file:
            if self.suffix == ".csv":
                names = [*(self.columns or ()), *self.example]
                lines = csv.writer(file, lineterminator="\n")
                quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
                for row in rows:
                    cells = [_cell(row.get(name)) for name in names]
                    bare = any("\r" in cell for cell in cells)  # Python 3.11 does not quote it
                    (quoted if bare else lines).writerow(cells)
            else:
                file.writelines(
                    json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows
                )

    def _parquet(self, path: Path, rows: list[dict[str, Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
        new = [pa.field(n, kinds.get(type(v), pa.string())) for n, v in self.example.items()]
        packed = [name for name, v in self.example.items() if isinstance(v, list | dict)]
        rows = [{**row, **{name: _cell(row[name]) for name in packed}} for row in rows]
        columns = self.columns or []
        if self.source.suffix == ".parquet":
            old = list(pq.read_schema(self.source))
        elif self.source.suffix == ".csv":
            old = [pa.field(name, pa.string()) for name in columns]
        else:
            try:
                old = [pa.field(n, pa.array([row.get(n) for row in rows]).type) for n in columns]
            except pa.ArrowException as error:
                raise ValueError(f"{self.source}: a column holds several kinds: {error}") from None
        try:
            pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema([*old, *new])), path)
        except (pa.ArrowException, OverflowError) as error:
            raise ValueError(f"{self.source}: a value does not fit into Parquet: {error}") from None

    def join(self, parts: list[Path], path: Path) -> None:
        if self.suffix != ".parquet":
            head = io.StringIO(newline="")
            if self.suffix == ".csv":
                names = [*(self.columns or ()), *self.example]
                csv.writer(head, lineterminator="\n").writerow(names)
            _join(parts, path, head.getvalue().encode())
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            schemas = [pq.read_schema(part) for part in parts]
            schema = pa.unify_schemas(schemas, promote_options="permissive")
        except pa.ArrowException as error:
            raise ValueError(f"{self.source}: a column holds several kinds: {error}") from None
        with pq.ParquetWriter(path, schema) as file:
            for part in parts:
                file.write_table(pq.read_table(part).cast(schema))


def _cell(value: Any) -> str:
    """Write a value into a CSV cell."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def _join(parts: list[Path], path: Path, head: bytes) -> None:
    with open(path, "wb") as whole:
        whole.write(head)
        for part in parts:
            with open(part, "rb") as file:
                shutil.copyfileobj(file, whole)
