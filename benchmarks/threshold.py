"""`BinaryThreshold.choose` against sorting, and against scikit-learn's search.

python -m benchmarks.threshold
python -m benchmarks.threshold --in-pieces 100000000   # memory of `choose --low-memory`
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV

from benchmarks.common import in_turn
from helpers.decisions import BinaryThreshold, Costs
from helpers.probabilities import sigmoid

COSTS = Costs(false_positive=1, false_negative=20)


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are the column that it is given."""

    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, x):
        return np.column_stack([1 - x[:, 0], x[:, 0]])

    def predict(self, x):
        return (x[:, 0] >= 0.5).astype(int)


def scores(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw logits and labels, one in ten positive."""
    rng = np.random.default_rng(0)
    labels = (rng.random(n) < 0.1).astype(int)
    return rng.normal(2 * labels - 3), labels


def in_pieces(n: int) -> None:
    """Say how much memory the command takes for `n` scores of float32 in one Parquet file."""
    rng = np.random.default_rng(0)
    schema = pa.schema([("z", pa.float32()), ("y", pa.int8())])
    with tempfile.TemporaryDirectory() as place:
        source, rule = Path(place) / "scores.parquet", Path(place) / "rule.json"
        with pq.ParquetWriter(source, schema) as file:
            for start in range(0, n, 10**6):
                y = rng.random(min(10**6, n - start)) < 0.1
                z = rng.standard_normal(len(y), dtype=np.float32) + (2 * y - 1).astype(np.float32)
                file.write_table(pa.table([z, y.astype(np.int8)], schema=schema))
        command = [sys.executable, "-m", "helpers", "choose", source, "--score", "z", "--label"]
        command += ["y", "--low-memory", "--false-positive", 1, "--false-negative", 20]
        started = time.perf_counter()
        subprocess.run([*map(str, command), "--output", rule], check=True, stdout=subprocess.PIPE)
        seconds = time.perf_counter() - started
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # KiB on Linux
    print(f"choose --low-memory on {n:,} scores: {most:,.0f} MiB at most, {seconds:.0f} s")


def main() -> None:
    """Compare searches a second, and the costs found."""
    logits, labels = scores(10**7)
    rates = in_turn(
        {
            "argsort of 10,000,000 scores": lambda: bool(len(np.argsort(logits))),
            "choose on 10,000,000 scores": lambda: bool(
                BinaryThreshold.choose(logits, labels, costs=COSTS)
            ),
        },
        runs=5,
    )
    sort, search = rates.values()
    print(f"choose takes as long as {sort / search:.2f} argsorts")

    logits, labels = scores(10**6)
    p = sigmoid(logits)[:, None]

    def cost_score(y, said):
        (_, false_positive), (false_negative, _) = confusion_matrix(y, said)
        return -(COSTS.false_positive * false_positive + COSTS.false_negative * false_negative)

    scorer = make_scorer(cost_score)  # by a confusion matrix, as its documentation does it
    tuner = TunedThresholdClassifierCV(
        Given().fit(p, labels), scoring=scorer, cv="prefit", refit=False
    )
    found = {}

    def sklearn_search() -> int:
        found["scikit-learn"] = tuner.fit(p, labels).predict
        return 1

    def ours() -> int:
        found["choose"] = BinaryThreshold.choose(logits, labels, costs=COSTS).decide
        return 1

    rates = in_turn(
        {
            "TunedThresholdClassifierCV on 1,000,000": sklearn_search,
            "choose on 1,000,000": ours,
        }
    )
    theirs, mine = rates.values()
    cost = {
        "scikit-learn": COSTS.of(labels, found["scikit-learn"](p)).sum(),
        "choose": COSTS.of(labels, found["choose"](logits)).sum(),
    }
    print(f"choose is {mine / theirs:.0f} times as fast; it finds a cost of {cost['choose']:.0f}, ")
    print(f"scikit-learn's grid one of {cost['scikit-learn']:.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--in-pieces", type=int, metavar="ROWS")
    rows = parser.parse_args().in_pieces
    in_pieces(rows) if rows else main()
