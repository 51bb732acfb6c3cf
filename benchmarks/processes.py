"""Texts a second of CPU time that one process trains on, and two on the same cores.

python -m benchmarks.processes
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from benchmarks.common import in_turn
from helpers import processes
from helpers.messages import corpus_task
from helpers.recipes import MINILM, Settings
from helpers.training import fine_tune


def one(n: int, epochs: int) -> None:
    """Train, as one of the processes, on n texts an epoch; the first epoch warms up.

    The first process prints the texts of the other epochs, their seconds, the CPU seconds of all
    processes, and the validation loss.
    """
    task = corpus_task("urgent").with_fewer(n, seed=0)
    settings = Settings(epochs=epochs, learning_rate=1e-4)
    clock: list[tuple[float, float]] = []
    tuned = fine_tune(
        task,
        MINILM,
        settings,
        cache=False,
        progress=False,
        on_epoch=lambda _: clock.append((time.perf_counter(), time.process_time())),
    )
    seconds, used = np.subtract(clock[-1], clock[0])
    used = processes.gather(np.array([used])).sum()
    if processes.rank() == 0:
        loss = tuned.history[-1]["validation_loss"]
        print((epochs - 1) * len(task.train), seconds, used, loss)


def several(n: int, texts: int, epochs: int, runs: list[list[float]]) -> tuple[int, float]:
    """Train with n processes that share the cores; add what the first one prints to the runs."""
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={n}"]
    command += ["-m", "benchmarks.processes", "--one"]
    command += ["--texts", str(texts), "--epochs", str(epochs)]
    threads = {
        "OMP_NUM_THREADS": str(max((os.cpu_count() or n) // n, 1)),
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        command, env={**os.environ, **threads}, stdout=subprocess.PIPE, text=True, check=True
    )
    runs.append([float(value) for value in done.stdout.split()])
    return int(runs[-1][0]), runs[-1][1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", action="store_true", help="be one of the processes")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--texts", type=int, default=2000, help="to train on")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    if given.one:
        one(given.texts, given.epochs)
        sys.exit()
    found: dict[str, list[list[float]]] = {"one process": [], "two processes": []}
    in_turn(
        {
            name: lambda n=n, name=name: several(n, given.texts, given.epochs, found[name])
            for n, name in enumerate(found, 1)
        },
        given.runs,
    )
    for name, runs in found.items():
        texts, _, used, loss = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name}: {texts / used:.1f} texts a CPU second, validation loss {loss:.4f}")
