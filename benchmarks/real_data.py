"""From public data as it is published to a saved rule and a first decision, with one command each.

REAL_DATA=... python -m benchmarks.real_data            all four
REAL_DATA=... python -m benchmarks.real_data sms        one of them
REAL_DATA=... python -m benchmarks.real_data --plan     print the commands alone

Each table goes through the command line in processes of their own, as a user would do it: `train`
fine-tunes, chooses, reports and saves; `score` decides a first message. Minutes of wall clock and
of CPU are those of `train`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.common import real_data


def write(path: Path, head: list[str], rows: Iterable[Iterable[object]]) -> Path:
    """Write a CSV file."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def sms(folder: Path) -> Path:
    """Give the spam collection, lines of label and text, a header."""
    lines = (real_data() / "sms_spam/SMSSpamCollection").read_text(encoding="utf-8").splitlines()
    return write(folder / "sms.csv", ["label", "text"], (line.split("\t", 1) for line in lines))


def clinc(folder: Path) -> Path:
    """Write the 150 intents of the small set, with its own parts; messages without one stay out."""
    whole = json.loads((real_data() / "clinc150/data_small.json").read_text(encoding="utf-8"))
    parts = ("train", "val", "test")
    rows = ([part, label, text] for part in parts for text, label in whole[part])
    return write(folder / "clinc.csv", ["split", "label", "text"], rows)


def olidbr(folder: Path) -> Path:
    """Put the two files of the pilot together; their columns are True and False as they stand."""
    head: list[str] = []
    rows: list[list[str]] = []
    for name in ("olidbr", "majority_vote"):
        path = real_data() / f"olidbr_pilot/{name}.csv"
        with open(path, encoding="utf-8", newline="") as file:
            head, *some = csv.reader(file)
        rows += some
    return write(folder / "olidbr.csv", head, rows)


def reuters(folder: Path) -> Path:
    """Put the title before each text, which is empty for some; a list of topics, train and test."""
    path = folder / "reuters.jsonl"
    with gzip.open(
        real_data() / "reuters21578/modapte_r90.jsonl.gz", "rt", encoding="utf-8"
    ) as old:
        rows = [json.loads(line) for line in old]
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            whole = {**row, "text": f"{row['title']}\n{row['text']}"}
            file.write(json.dumps(whole, ensure_ascii=False) + "\n")
    return path


KINDS_OF_ABUSE = (
    "health,ideology,insult,lgbtqphobia,other_lifestyle,physical_aspects,profanity_obscene,racism,"
    "religious_intolerance,sexism,xenophobia"
)
SETS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "sms": (sms, "--positive spam --false-positive 10 --false-negative 1"),
    "clinc": (clinc, "--split split --reject 1 --error 4"),
    "olidbr": (olidbr, f"--label {KINDS_OF_ABUSE} --macro-f1"),
    "reuters": (reuters, "--label labels --split split --micro-f1"),
}


def run(arguments: list[str]) -> tuple[str, float, float]:
    """Run a command of the package; give what it printed, minutes of wall clock and of CPU."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "helpers", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}\n{done.stdout[-500:]}{done.stderr[-800:]}")
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, (time.perf_counter() - began) / 60, busy / 60


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(SETS))
    parser.add_argument("--plan", action="store_true", help="print the commands, run nothing")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(SETS):
        sys.exit(f"no set is called {', '.join(unknown)}; there are {', '.join(SETS)}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["LOGITS_TO_DECISIONS_CACHE"] = place  # nothing kept from an earlier run
        for name in asked.names or SETS:
            make, options = SETS[name]
            table = make(folder)
            model = folder / f"model-{name}"
            command = f"train {table} {options} --output {model}"
            print(f"{name}: python -m helpers {command}", flush=True)
            if asked.plan:
                continue
            said, minutes, busy = run(command.split())
            print("\n".join(f"  {line}" for line in said.splitlines()))
            first = write(folder / f"{name}-first.csv", ["text"], [["Is this a first message?"]])
            _, seconds, _ = run(["score", str(model), str(first), str(folder / f"{name}-out.csv")])
            print(f"  {minutes:.1f} minutes, {busy:.1f} of CPU; a decision {seconds * 60:.0f} s")


if __name__ == "__main__":
    main()
