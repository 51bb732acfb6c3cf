"""What the comparisons share: real tweets, runs in turn, and a table."""

from __future__ import annotations

import csv
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.data import Part, Task


def real_data() -> Path:
    """Name the folder of real data, or stop with what to do."""
    folder = os.environ.get("REAL_DATA")
    if not folder or not Path(folder).is_dir():
        sys.exit("set REAL_DATA to the folder that holds semeval2018_ec_en")
    return Path(folder)


def tweets(n_train: int | None = None) -> Task:
    """Load SemEval-2018 task 1 E-c (English): 11 emotions a tweet.

    Parameters
    ----------
    n_train : int, optional
        Use the first n training tweets only.

    Returns
    -------
    Task
        The development part stands for validation and test.
    """
    parts = {}
    for split in ("train", "dev"):
        path = real_data() / "semeval2018_ec_en" / f"E-c-En-{split}.txt"
        rows = pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE)
        rows = rows.iloc[: n_train if split == "train" else None]
        names = tuple(rows.columns[2:])
        labels = rows[list(names)].to_numpy(np.float32)
        parts[split] = Part(tuple(rows["Tweet"]), labels, rows)
    train, dev = parts["train"], parts["dev"]
    return Task("semeval", "multilabel", names, train, dev, dev)


def in_turn(
    sides: Mapping[str, Callable[[], int | tuple[int, float]]], runs: int = 3
) -> dict[str, float]:
    """Run the sides in turn, and give each one's median rate.

    Parameters
    ----------
    sides : mapping of str to callable
        Each does its work and returns how many items it did, and the seconds where only a part of
        the work counts.
    runs : int, default 3

    Returns
    -------
    dict of str to float
        Items a second.
    """
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            started = time.perf_counter()
            done = side()
            n, seconds = done if isinstance(done, tuple) else (done, time.perf_counter() - started)
            rates[name].append(n / seconds)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in medians.items():
        low, high = min(rates[name]), max(rates[name])
        print(f"{name:44} {rate:12,.1f} a second ({low:,.1f} to {high:,.1f})", flush=True)
    return medians
