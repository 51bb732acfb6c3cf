"""What the comparisons share: real tweets, the plain recipe, and runs in turn."""

from __future__ import annotations

import csv
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import transformers

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


def plain_trainer(
    folder: Path | str,
    task: Task,
    n: int,
    *,
    pad_to: int | None,
    rate: float = 2e-5,
    epochs: int = 1,
) -> tuple[Any, Any, float]:
    """Train as the source notebook and most tutorials do: the Trainer as it comes, 8 texts, fp32.

    Parameters
    ----------
    folder : Path or str
        Where the checkpoint lies.
    task : Task
        Of any kind.
    n : int
        Texts to train on, the first of the training part.
    pad_to : int or None
        Tokens of every text; None pads a batch to its longest, and cuts at 128.
    rate : float, default 2e-5
    epochs : int, default 1

    Returns
    -------
    model, tokenizer, seconds of training
    """
    transformers.set_seed(0)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    kind = "multi" if task.kind == "multilabel" else "single"
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(task.label_names),
        problem_type=f"{kind}_label_classification",
        dtype=torch.float32,
    )
    padding = "max_length" if pad_to else False
    encoded = tokenizer(
        list(task.train.texts[:n]), truncation=True, max_length=pad_to or 128, padding=padding
    )
    rows = [
        {**{k: encoded[k][i] for k in encoded}, "labels": task.train.labels[i]} for i in range(n)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=scratch,
                num_train_epochs=epochs,
                per_device_train_batch_size=8,
                learning_rate=rate,
                weight_decay=0.01,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                use_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=rows,
            processing_class=tokenizer,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    return model.eval(), tokenizer, seconds


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
