"""Decide the rows of many files, one after another or on the workers of a Ray cluster."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tqdm.auto import tqdm

from helpers.deployment import Deployment, load
from helpers.files import write_whole
from helpers.portable.decisions import DECISION_FILE
from helpers.portable.pipeline import file_hash
from helpers.scoring import score
from helpers.tables import format_of

Engine = Literal["local", "ray"]
NOTE = ".shards.json"  # in the folder of the targets, until all are there
RETRIES = 3  # of a file whose worker died


@dataclass(frozen=True)
class ScoredShards:
    """What `score_shards` did.

    Attributes
    ----------
    files, rows, bad : int
        Files and rows that were decided, and rows that went to the side files.
    before : int
        Files that an earlier run, or a worker that died, had finished.
    """

    files: int
    rows: int
    bad: int
    before: int


def score_shards(
    folder: str | Path,
    source: str | Path,
    target: str | Path,
    *,
    engine: Engine = "local",
    workers: int | None = None,
    text: str = "text",
    encoding: str = "utf-8",
    chunk: int = 4096,
    progress: bool = False,
) -> ScoredShards:
    """Decide every row of many files: each goes through `score`, whichever the engine.

    Parameters
    ----------
    folder : path
        As `save` wrote it; with Ray each worker must see it, and the files, under this name.
    source : path
        A pattern, as ``inbox/*.parquet``, or a folder of such files.
    target : path
        A folder, for files of the same names; or a pattern for other formats: in
        ``decided/*.csv`` the star stands for the name of the source without its ending.
    engine : "local" or "ray"
        One file after another in this process, or Ray Data: workers load the network once, and each
        takes a file when it is free.
    workers : int, optional
        For Ray: by default one for each GPU, or else each processor, of the cluster.
    text, encoding, chunk, progress
        As for `score`.

    Returns
    -------
    ScoredShards

    Raises
    ------
    ValueError
        If the folder or the files are missing, two would have one target, targets are there already
        or belong to another run, Ray is not installed, or `score` refuses a file; the others are
        decided still.

    Notes
    -----
    Ray runs where ``RAY_ADDRESS`` says, in a cluster that ``ray start`` began here, or in one of
    its own on this machine. A worker has one file at a time, and memory holds one chunk of it, so a
    slow disk or a slow worker holds up nothing but itself. A file whose worker dies goes to
    another, which takes up the chunks that are written. The same call after a crash leaves out the
    files that are done. Rows and files are those of the local engine: to the bit where a worker
    has as many threads and the same kind of processor.
    """
    if engine not in get_args(Engine):
        raise ValueError(f"engine must be one of {', '.join(get_args(Engine))}, got {engine!r}")
    if workers is not None and (type(workers) is not int or workers < 1):
        raise ValueError(f"workers must be an int of at least 1, got {workers!r}")
    folder = Path(folder).expanduser()
    if not (folder / DECISION_FILE).is_file():
        raise ValueError(f"there is no saved network in {folder}")
    pairs = pair_files(source, target)
    place = pairs[0][1].parent
    place.mkdir(parents=True, exist_ok=True)
    note = place / NOTE
    job = {"decision": file_hash(folder / DECISION_FILE), "options": [text, encoding, chunk]}
    files = {str(one): [*_state(one), goal.name] for one, goal in pairs}
    before = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {"job": job}
    if before["job"] != job:
        raise ValueError(
            f"{place} belongs to an unfinished run with another model or other options: remove "
            f"{note}, or name another target"
        )
    noted = before.get("files", {})
    for one, goal in pairs:
        if goal.exists() and noted.get(str(one)) != files[str(one)]:
            raise ValueError(f"{goal} is there already: remove it, or name another target")
    write_whole(note, json.dumps({"job": job, "files": noted | files}))
    todo = [pair for pair in pairs if not pair[1].exists()]
    options = {"text": text, "encoding": encoding, "chunk": chunk}
    answers = _locally(folder, todo, options)
    if engine == "ray":
        answers = _on_ray(folder, todo, options, workers)
    bar = tqdm(answers, total=len(todo), unit=" files", disable=not progress)
    done = list(bar) if todo else []
    if errors := [one["error"] for one in done if one["error"]]:
        raise ValueError(f"{len(errors)} of {len(pairs)} files could not be decided: {errors[0]}")
    note.unlink()
    decided = [one for one in done if not one["before"]]
    return ScoredShards(
        files=len(decided),
        rows=sum(one["rows"] for one in decided),
        bad=sum(one["bad"] for one in decided),
        before=len(pairs) - len(decided),
    )


def is_many(source: Path, engine: str = "local") -> bool:
    """Tell whether `score_shards` is asked for, and not `score`.

    Examples
    --------
    >>> is_many(Path("inbox.csv")), is_many(Path("inbox/*.csv"))
    (False, True)
    """
    there = source.expanduser()
    several = there.is_dir() or (glob.has_magic(str(source)) and not there.exists())
    return engine != "local" or several


def in_words(done: ScoredShards, seconds: float) -> str:
    """Say what was done.

    Examples
    --------
    >>> in_words(ScoredShards(files=2, rows=100, bad=0, before=0), 4.2)
    '100 rows of 2 files decided in 4 s'
    """
    said = f"{done.rows} rows of {done.files} files decided in {seconds:.0f} s"
    said += f"; {done.bad} bad rows, with reasons, in .bad.jsonl files" if done.bad else ""
    return said + (f"; {done.before} files were done before" if done.before else "")


def pair_files(source: str | Path, target: str | Path) -> list[tuple[Path, Path]]:
    """Name the files of a pattern or a folder, and the target of each.

    Parameters
    ----------
    source, target : path
        As for `score_shards`.

    Returns
    -------
    list of (Path, Path)

    Raises
    ------
    ValueError
        If there are none, one has an unknown format, two would have one target, or targets would
        lie among the sources.
    """
    path, goal = Path(source).expanduser(), Path(target).expanduser()
    pattern = str(path)
    if path.is_dir():
        pattern = f"{glob.escape(pattern)}/[!.]*"
    elif path.is_file():
        pattern = glob.escape(pattern)
    files = sorted(one.resolve() for one in map(Path, glob.glob(pattern)) if one.is_file())
    if not files:
        raise ValueError(f"there are no files {pattern}")
    starred = goal.name.count("*") == 1
    if not starred and goal.is_file():
        raise ValueError(f"the target {goal} of many files must be a folder, or have a * in it")
    names = [one.name for one in files]
    if starred:
        names = [goal.name.replace("*", _stem(one)) for one in files]
    for name in (*names, *(one.name for one in files)):
        format_of(Path(name))
    if doubled := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"two files would be written as {doubled[0]}")
    place = (goal.parent if starred else goal).resolve()
    if any(one.parent == place for one in files):
        raise ValueError(f"targets need a folder of their own, got that of the sources, {place}")
    return [(one, place / name) for one, name in zip(files, names, strict=True)]


class Worker:
    """Decide files, with a network that is loaded once."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.folder, self.options = folder, options
        self.deployment: Deployment = load(folder)

    def __call__(self, pair: dict[str, str]) -> dict[str, Any]:
        """Decide one file; what `score` refuses is told, and stops no other file."""
        answer = {"rows": 0, "bad": 0, "before": True, "error": ""}
        if Path(pair["target"]).exists():  # by a worker that died before it could tell
            return answer
        try:
            done = score(
                self.folder,
                pair["source"],
                pair["target"],
                deployment=self.deployment,
                **self.options,
            )
        except (ValueError, OSError) as error:
            return {**answer, "error": str(error)}
        return {"rows": done.rows, "bad": done.bad, "before": False, "error": ""}


def _locally(
    folder: Path, pairs: list[tuple[Path, Path]], options: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    worker = Worker(folder, options)
    for source, target in pairs:
        yield worker({"source": str(source), "target": str(target)})


def _on_ray(
    folder: Path, pairs: list[tuple[Path, Path]], options: dict[str, Any], workers: int | None
) -> Iterator[dict[str, Any]]:
    """Deal the files to actors, as each becomes free."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{error.name} is missing: pip install 'logits-to-decisions[cluster]'"
        ) from None
    ours = not ray.is_initialized()
    if ours:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        there = ray.cluster_resources()
        gpus = int(there.get("GPU", 0))
        size = min(len(pairs), workers or gpus or max(int(there.get("CPU", 1)), 1))
        ray.data.DataContext.get_current().enable_progress_bars = False
        items = [{"source": str(one), "target": str(goal)} for one, goal in pairs]
        yield from (
            ray.data.from_items(items, override_num_blocks=len(items))
            .map(
                Worker,
                fn_constructor_args=(folder.resolve(), options),
                compute=ray.data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=1),
                num_cpus=None if gpus else 1,
                num_gpus=1 if gpus else None,
                max_restarts=-1,
                max_task_retries=RETRIES,
            )
            .iter_rows()
        )
    finally:
        if ours:
            ray.shutdown()


def _stem(path: Path) -> str:
    """Take the ending off a name, and nothing else that has a dot."""
    return Path(path.stem).stem if format_of(path).zipped else path.stem


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
