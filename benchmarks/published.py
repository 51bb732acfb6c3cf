"""Published figures on public data, by the package's own commands on two CPU cores.

REAL_DATA=... python -m benchmarks.published                   every set, seeds 0, 1, 2
REAL_DATA=... python -m benchmarks.published sms --seeds 0     one of them
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.published_sets import SETS

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "published"  # tables and networks, which stay on this machine
KEPT = ROOT / "benchmarks" / "published"  # figures, which go into git


def run(arguments: list[str]) -> dict[str, Any]:
    """Run a command of the package; give it, with minutes of wall clock and of CPU."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "helpers", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=WORK)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}\n{done.stdout[-500:]}{done.stderr[-800:]}")
    print("\n".join(f"  {line}" for line in done.stdout.splitlines()), flush=True)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "command": f"python -m helpers {' '.join(arguments)}",
        "minutes": round((time.perf_counter() - began) / 60, 2),
        "cpu_minutes": round(busy / 60, 2),
    }


def train(name: str, seed: int) -> Path:
    """Train on a set under a seed, once; give the folder with the table, the network, the time."""
    place = WORK / f"{name}-{seed}"
    if (place / "trained.json").is_file():
        return place
    place.mkdir(parents=True, exist_ok=True)
    table = SETS[name].make(place, seed).relative_to(WORK)
    told = f"train {table} {SETS[name].options} --seed {seed} --output {place.name}/model"
    print(f"{name}, seed {seed}: python -m helpers {told}", flush=True)
    (place / "trained.json").write_text(json.dumps(run(told.split()), indent=2), encoding="utf-8")
    return place


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(SETS))
    parser.add_argument("--seeds", default="0,1,2")
    asked = parser.parse_args()
    for seed in map(int, asked.seeds.split(",")):
        for name in asked.names or SETS:
            os.environ["LOGITS_TO_DECISIONS_CACHE"] = str(WORK / f"{name}-{seed}" / "kept")
            train(name, seed)


if __name__ == "__main__":
    main()
