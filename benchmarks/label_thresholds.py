"""`LabelThresholds.choose` against sorting each column.

python -m benchmarks.label_thresholds
python -m benchmarks.label_thresholds --rows 100000 --labels 1000
"""

from __future__ import annotations

import argparse
import resource

import numpy as np

from benchmarks.common import in_turn
from helpers.decisions import Costs, LabelThresholds

COSTS = Costs(false_positive=1, false_negative=5)
WAYS = {"micro_f1": {"micro_f1": True}, "macro_f1": {"macro_f1": True}, "costs": {"costs": COSTS}}


def scores(n: int, n_labels: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw float32 logits and labels, block by block; the labels differ in how hard they are."""
    rng = np.random.default_rng(0)
    logits = np.empty((n, n_labels), dtype=np.float32)
    labels = np.empty((n, n_labels), dtype=bool)
    for k in range(n_labels):
        labels[:, k] = rng.random(n) < share
        logits[:, k] = rng.normal((1 + k / n_labels) * 2 * labels[:, k] - 3)
    return logits, labels


def main(n: int, n_labels: int, runs: int) -> None:
    """Compare labels a second, at three shares of positives."""
    for share in (0.02, 0.1, 0.4):
        logits, labels = scores(n, n_labels, share)

        def sort(logits=logits) -> int:
            return sum(bool(len(np.argsort(logits[:, k]))) for k in range(n_labels))

        def choose(way, logits=logits, labels=labels) -> int:
            return len(LabelThresholds.choose(logits, labels, **WAYS[way]).cuts)

        print(f"{share:.0%} positives, {n:,} rows, {n_labels:,} labels; labels a second:")
        sides = {"argsort of each column": sort}
        sides |= {f"choose, {way}": (lambda way=way: choose(way)) for way in WAYS}
        sorting, *choosing = in_turn(sides, runs).values()
        ratios = [f"{way} {sorting / rate:.2f}" for way, rate in zip(WAYS, choosing, strict=True)]
        print(f"as long as so many argsorts: {', '.join(ratios)}")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = logits.nbytes / 2**20
    print(f"at most {held:,.0f} MB held, logits {size:,.0f} MB and labels {size / 4:,.0f} MB of it")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.rows, arguments.labels, arguments.runs)
