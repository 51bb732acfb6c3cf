"""Two checkouts of this project in turn: how fast each trains and reads, and at what loss.

git worktree add ../before COMMIT
python -m benchmarks.builds ../before --runs 5

Each checkout works in a process of its own, one at a time; run k of both trains under seed k.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parents[1]
WORKER = """
import json, sys, time
from dataclasses import replace
root, dtype = sys.argv[1:]
sys.path.insert(0, root)
from helpers.data import Part
from helpers.prediction import predict_logits
from helpers.recipes import RECIPES
from helpers.training import fine_tune


def first(part, n):
    return Part(part.texts[:n], part.labels[:n], part.rows[:n])


for line in sys.stdin:
    what, view, seed = json.loads(line)
    recipe = RECIPES[view, "offline"]
    task = recipe.load_task()
    if what == "train":
        few = replace(task, train=first(task.train, 800), validation=first(task.validation, 360))
        settings = replace(recipe.settings, epochs=1, seed=seed)
        alone = {"cache": False, "progress": False}
        tuned = fine_tune(few, recipe.checkpoint, settings, dtype=dtype, **alone)
        print(json.dumps([tuned.seconds, tuned.history[-1]["validation_loss"]]), flush=True)
    else:
        started = time.perf_counter()
        logits = predict_logits(tuned.model, tuned.tokenizer, task.train.texts, dtype=dtype)
        print(json.dumps([time.perf_counter() - started, float(logits.mean())]), flush=True)
"""


def start(root: Path, dtype: str) -> subprocess.Popen:
    """Start a checkout's worker."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(root), dtype],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        text=True,
    )


def ask(worker: subprocess.Popen, *question: object) -> tuple[float, float]:
    """Have a worker do one thing; give its seconds and its figure."""
    assert worker.stdin and worker.stdout
    worker.stdin.write(json.dumps(question) + "\n")
    worker.stdin.flush()
    seconds, figure = json.loads(worker.stdout.readline() or sys.exit("a worker has stopped"))
    return seconds, figure


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="the other checkout")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--dtype", default="fp32")
    asked = parser.parse_args()
    workers = [start(root, asked.dtype) for root in (asked.before.resolve(), HERE)]
    for what, view in (("train", "urgent"), ("read", "urgent"), ("train", "topics")):
        for worker in workers:
            ask(worker, what, view, 0)  # warm
        pairs = []
        for run in range(asked.runs):
            turn = workers if run % 2 else workers[::-1]
            answers = [ask(worker, what, view, run) for worker in turn]
            pairs.append(answers if run % 2 else answers[::-1])
        ratio = median(before[0] / now[0] for before, now in pairs)
        least = min(before[0] for before, _ in pairs) / min(now[0] for _, now in pairs)
        print(f"{what} {view}: {ratio:.2f} times as fast (of the least times: {least:.2f})")
        if what == "train":
            losses = ", ".join(f"{before[1]:.6f} {now[1]:.6f}" for before, now in pairs)
            print(f"    validation losses, before and now, a pair a seed: {losses}", flush=True)


if __name__ == "__main__":
    main()
