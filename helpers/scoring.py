"""Decide every row of a file of any size, and take up an interrupted run. Lesson 04 explains it."""

from __future__ import annotations

import filecmp
import hashlib
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

from helpers.deployment import Deployment, load
from helpers.portable.decisions import DECISION_FILE
from helpers.portable.pipeline import file_hash
from helpers.portable.texts import is_blank
from helpers.tables import (
    check_column,
    check_source,
    columns_of,
    format_of,
    read_rows,
)
from helpers.writing import Writer, join


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
    encoding: str = "utf-8",
    chunk: int = 4096,
    progress: bool = False,
    deployment: Deployment | None = None,
) -> Scored:
    """Decide every row of a file; keep its columns and add the rule's record.

    Parameters
    ----------
    folder : path
        As `save` wrote it.
    source, target : path
        ``.csv``, ``.tsv`` or ``.jsonl``, each also with ``.gz``, or ``.parquet``. The delimiter of
        a CSV file is told from its header.
    text : str, default "text"
        The column with the texts.
    encoding : str, default "utf-8"
        Of a source that is text. What is written is UTF-8.
    chunk : int, default 4096
        Rows that are read, decided and written together.
    progress : bool, default False
        Show a progress bar.
    deployment : Deployment, optional
        What `load` makes of the folder, where it is loaded already.

    Returns
    -------
    Scored

    Raises
    ------
    ValueError
        If a format is unknown, the column is missing, the source is not in its encoding or cannot
        be read to its end, or changes meanwhile; if the target is there already, belongs to another
        run that was not finished, or is being written by one.

    Notes
    -----
    Nothing that was read is lost: each row is decided, or stands in the side file with the reason.
    If none could be decided, there is no target, only the side file.
    New columns are called ``decision_label`` and so on, each a key of the rule's record; in CSV and
    Parquet a list or an object among them is JSON text. The other columns leave as they came, to
    the digit; so do texts that a spreadsheet would take for formulas. From JSON lines to another
    format, the first row sets the columns; in Parquet a number with a point becomes a double, which
    holds about 16 digits.

    Memory holds one chunk. Each chunk is written to a file of its own in ``TARGET.parts``, under
    its final name only when whole; the parts are put together at the end. The same call after a
    crash takes up the chunks that are there, if their rows are still those that were read. Their
    borders are fixed, so the result is the same, byte for byte, on the same machine with the same
    number of threads.
    """
    source, target = Path(source).expanduser(), Path(target).expanduser()
    from_kind, to_kind = format_of(source).kind, format_of(target).kind
    if not source.is_file():
        what = "is a folder: name one file" if source.is_dir() else "is not there"
        raise ValueError(f"the source {source} {what}")
    if type(chunk) is not int or chunk < 1:
        raise ValueError(f"chunk must be an int of at least 1, got {chunk!r}")
    before = _state(source)
    total = check_source(source, encoding, text)
    deployment = deployment or load(Path(folder).expanduser())
    columns = None if from_kind == to_kind == "jsonl" else columns_of(source, encoding, text)
    example = {f"decision_{k}": v for k, v in deployment.explain(["a text"])[0].items()}
    if columns is not None:
        if columns or not total:  # if no line of JSON is good, each goes to the side file
            check_column(source, columns, text)
        if clash := [name for name in example if name in columns]:
            raise ValueError(f"{source} has columns of the result already: {', '.join(clash)}")

    job = {
        "source": [str(source.resolve()), *before],
        "decision": file_hash(Path(folder).expanduser() / DECISION_FILE),
        "text": text,
        "encoding": encoding,
        "chunk": chunk,
    }
    parts = target.with_name(f"{target.name}.parts")
    n_rows = n_bad = resumed = 0
    names: list[Path] = []
    with ExitStack() as stack:
        stack.enter_context(_only_run(target))
        writer = Writer(target, source, columns, example, encoding)
        _start(parts, target, job)
        rows = _checked(
            read_rows(source, encoding, text, exact=to_kind == "csv"), columns, text, example
        )
        bar = stack.enter_context(tqdm(total=total, unit=" rows", disable=not progress))
        while (read := list(islice(rows, chunk))) or not names:
            good = [(row, line) for row, line, _ in read if row is not None]
            bad = [fault for row, _, fault in read if row is None]
            part = parts / f"{len(names):08d}"
            names.append(part)
            n_rows, n_bad = n_rows + len(good), n_bad + len(bad)
            if part.exists():
                _check_same(part, read, source)
                resumed += 1
            else:
                records = deployment.explain([row[text] for row, _ in good])
                done = [
                    (row, {f"decision_{k}": v for k, v in record.items()}, line)
                    for (row, line), record in zip(good, records, strict=True)
                ]
                with open(part.with_suffix(".bad"), "w", encoding="utf-8", newline="\n") as file:
                    file.writelines(json.dumps(fault) + "\n" for fault in bad)
                part.with_suffix(".sum").write_text(_digest(read), encoding="utf-8")
                writer.part(part.with_suffix(".tmp"), done)
                part.with_suffix(".tmp").replace(part)
            bar.update(len(read))
        if _state(source) != before:
            shutil.rmtree(parts, ignore_errors=True)
            raise ValueError(
                f"{source} changed while it was read: nothing was written. Decide a file that stays"
            )
        bad_file = target.with_name(f"{target.name}.bad.jsonl")
        bad_file.unlink(missing_ok=True)  # of an earlier file
        if n_bad:
            join([part.with_suffix(".bad") for part in names], parts / "bad.tmp", b"")
            (parts / "bad.tmp").replace(bad_file)
        if n_rows or not n_bad:
            writer.join(names, parts / "all.tmp")
            _put(parts / "all.tmp", target)
        shutil.rmtree(parts, ignore_errors=True)
    return Scored(n_rows, n_bad, resumed, bad_file)


def _put(whole: Path, target: Path) -> None:
    """Give the result its name; what came under that name meanwhile stays."""
    if target.exists() and not filecmp.cmp(whole, target, shallow=False):
        raise ValueError(f"{target} is there already: remove it, or name another target")
    whole.replace(target)


def _state(source: Path) -> list[int]:
    """Tell a file's size and time, to notice that it has changed."""
    found = source.stat()
    return [found.st_size, found.st_mtime_ns]


def _digest(read: list[Any]) -> str:
    """Name the rows of a chunk, as they were read: lines of JSON by themselves."""
    lines = (line or repr(row or fault) for row, line, fault in read)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _check_same(part: Path, read: list[Any], source: Path) -> None:
    """Refuse to go on from a part that was made of other rows."""
    note = part.with_suffix(".sum")
    if not note.is_file() or note.read_text(encoding="utf-8") != _digest(read):
        raise ValueError(
            f"{source} is not the file that {part.parent} was made from, though it has its size "
            "and time: remove that folder to start anew"
        )


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


def _checked(
    rows: Iterator[tuple[dict[str, Any] | None, str, Any]],
    columns: list[str] | None,
    text: str,
    added: Mapping[str, Any],
) -> Iterator[tuple[dict[str, Any] | None, Any, dict[str, Any] | None]]:
    """Give each row that can be decided and its line, or its number, the reason and its content."""
    for number, (row, reason, content) in enumerate(rows, start=1):
        if row is not None:
            value = row.get(text)
            extra = [n for n in row if n in added or (columns is not None and n not in columns)]
            # a number of 5,000 digits is no text; a letter at the start is soon seen
            if type(value) is not str or (not value[:1].isalnum() and is_blank(value)):
                reason = f"no text in {text!r}"
            elif extra:
                reason = f"unexpected columns: {', '.join(extra)}"
            if not reason:
                yield row, content, None
                continue
            if content is None:  # of a table; of JSON lines it is the line
                content = {name: str(value) for name, value in row.items()}
        yield None, None, {"row": number, "reason": reason, "content": content}
