"""Let `save`, `score` and `train` run out of disk, at several sizes, and look at what is left.

python -m benchmarks.full_disk                     all three
python -m benchmarks.full_disk score               one of them

A small disk in memory (tmpfs) is mounted; that needs root on Linux. Each trial leaves a little more
room. What is left must be the old state or the new one, without a scratch file of `save` or `train`
beside it, and the error must be one line that names the full disk. The parts of `score` stay: the
same call goes on from them once there is room.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.kills import KINDS

ALLOWED = {"desk", "in.jsonl", "out.jsonl", "out.jsonl.bad.jsonl", "out.jsonl.parts"}
ALLOWED |= {".out.jsonl.lock", "trained", "cache", "tiny_checkpoint_of_benchmark"}


@contextmanager
def small_disk(mib: int) -> Iterator[Path]:
    """Mount a disk of so many MiB in memory, for as long as it is used."""
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", place],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"a disk cannot be mounted here: {done.stderr.strip()}")
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)


def act(what: object) -> tuple[int, str]:
    """Do the action in a child, as the command line does it; give its code and its message."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(into, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        from helpers import __main__ as command_line

        try:
            command_line.app = lambda **_: what.act()  # type: ignore[attr-defined]
            command_line.main()
        except SystemExit as stop:
            os.write(2, f"\n{stop.code or ''}\n".encode())
            os._exit(int(bool(stop.code)))
        except BaseException as error:
            os.write(2, f"\nuncaught {type(error).__name__}: {error}\n".encode())
            os._exit(2)
    os.close(into)
    with os.fdopen(out, encoding="utf-8", errors="replace") as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def fill(place: Path, room: int) -> Path:
    """Fill a disk but for so many bytes."""
    free = os.statvfs(place)
    size = max(0, free.f_bavail * free.f_frsize - room)
    path = place / "in.jsonl.filler"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, size))
    return path


def trials(kind: str, rooms: list[int]) -> tuple[Counter, list[str]]:
    """Let one of the three run into a full disk, once for each room in bytes."""
    found: Counter = Counter()
    wrong: list[str] = []
    tempfile.tempdir = None  # not on the disk of the trials before
    with small_disk(200) as place:
        tempfile.tempdir = str(place / "scratch")
        Path(tempfile.tempdir).mkdir()
        what = KINDS[kind](place)
        for room in rooms:
            what.reset()
            filler = fill(place, room)
            code, said = act(what)
            last = said.strip().splitlines()[-1] if said.strip() else ""
            filler.unlink()
            try:
                state = what.look()
            except Exception as error:
                state = f"lost ({type(error).__name__}: {error})"
            left = {path.name for path in place.iterdir()} - ALLOWED - {"scratch"}
            left |= {p.name for p in (place / "cache").glob("*.part")} | set(
                os.listdir(place / "scratch")
            )
            found[f"code {code}, {state}"] += 1
            if state not in ("old", "new") or left or (code == 0) != (state == "new"):
                wrong.append(
                    f"{room:,} bytes: code {code}, {state}, left {left or 'nothing'}: {last}"
                )
            if code and not (code == 1 and last.startswith("error: ") and "No space left" in last):
                wrong.append(f"{room:,} bytes: code {code}, said {said.strip()[-500:]}")
            if code:
                again, said = act(what)
                if again or what.look() != "new":
                    wrong.append(f"{room:,} bytes: not mended, code {again}: {said.strip()[-300:]}")
    return found, wrong


ROOMS = {
    "save": [0, 4096, 100_000, 1_000_000, 3_000_000, 4_000_000, 5_000_000, 50_000_000],
    "score": [0, 4096, 8192, 16_384, 50_000, 100_000, 150_000, 200_000, 300_000, 50_000_000],
    "train": [0, 4096, 100_000, 1_000_000, 4_500_000, 5_000_000, 8_000_000, 9_500_000, 50_000_000],
}


def main() -> None:
    """Run and print; fail where anything was lost, left behind or not said."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", nargs="?", choices=KINDS)
    options = parser.parse_args()
    failed = False
    for kind in [options.kind] if options.kind else KINDS:
        found, wrong = trials(kind, ROOMS[kind])
        print(f"{kind}: {sum(found.values())} sizes, {dict(found)}", *wrong, sep="\n  ", flush=True)
        failed = failed or bool(wrong)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
