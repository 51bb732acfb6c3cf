"""How many texts an hour `score` decides, by one process and by workers of Ray.

python -m benchmarks.cluster                # one process, one worker, two workers
python -m benchmarks.cluster --workers 1 4  # on a cluster: set RAY_ADDRESS
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd
import torch

from benchmarks.common import in_turn
from benchmarks.scoring import saved
from helpers.messages import corpus_task
from helpers.score_shards import score_shards


def processor() -> str:
    """Name the processor as `lscpu` does."""
    try:
        said = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return "an unknown processor"
    rows = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    amx = "with AMX" if "amx_bf16" in rows.get("Flags", "") else "without AMX"
    return f"{rows.get('CPU(s)', '?').strip()} of {rows.get('Model name', '?').strip()}, {amx}"


def main() -> None:
    """Compare texts an hour; what was not measured is extrapolated, and called so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=8000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    import ray

    torch.set_num_threads(1)  # as a worker has it
    found = list(corpus_task("urgent").test.texts)
    size = arguments.texts // arguments.files
    texts = (found * (arguments.texts // len(found) + 1))[: size * arguments.files]
    with tempfile.TemporaryDirectory() as place:
        folder, inbox, out = saved(Path(place) / "desk"), Path(place) / "in", Path(place) / "out"
        inbox.mkdir()
        for k in range(arguments.files):
            table = pd.DataFrame({"text": texts[k * size : (k + 1) * size]})
            table.to_parquet(inbox / f"{k:04d}.parquet")

        def by(engine: str, workers: int | None = None) -> int:
            shutil.rmtree(out, ignore_errors=True)
            options = {"engine": engine, "workers": workers}
            return score_shards(folder, inbox, out, **options).rows  # type: ignore[arg-type]

        ray.init(include_dashboard=False, log_to_driver=False, logging_level="error")
        sides = {"one process, one thread": lambda: by("local")}
        for n in arguments.workers:
            sides[f"ray, workers: {n}"] = lambda n=n: by("ray", n)
        _, *rates = in_turn(sides, runs=arguments.runs).values()
        ray.shutdown()
    print(f"on {processor()}; the start of the workers counts")
    for n, rate in zip(arguments.workers, rates, strict=True):
        print(f"{n} workers: {3600 * rate:,.0f} texts an hour, measured")
    most, rate = arguments.workers[-1], rates[-1]
    for times in (2, 4, 8):
        guess = 3600 * rate * times
        print(f"{most * times} workers: {guess:,.0f} texts an hour, extrapolated in a line")


if __name__ == "__main__":
    main()
