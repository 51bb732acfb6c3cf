"""SemEval-2018 Task 1 E-c in English: eleven emotions in tweets, as one `Task`.

The set stands on no Hub that loads by a plain id. It is for research only, and its tweets swear.
"""

from __future__ import annotations

import csv
import hashlib
import urllib.request
from pathlib import Path

import pandas as pd

from helpers.data import Task, label_table_task
from helpers.downloads import SWITCHED_OFF, switched_off

ADDRESS = (
    "https://raw.githubusercontent.com/cbaziotis/ntua-slp-semeval2018/"
    "291038d032d9cc7604148345754958695eeb8f11/datasets/task1/E-c"
)
FILES = {
    "train": (
        "E-c-En-train.txt",
        "498893ef1ecc5698d44ba9fd815d3ee88278f24fc549b202ddf36a4452f96675",
    ),
    "validation": (
        "E-c-En-dev.txt",
        "1124cf56bd255fadea9e734a13133a9bd2202022f6d8a0ea560f076d8562517f",
    ),
    "test": (
        "E-c-En-test-gold.txt",
        "e2e1d2af0aeb381cd37c7c4fbbd833eed929cab610a7a027c80b8e4f7aa07df5",
    ),
}
EMOTIONS = (
    *("anger", "anticipation", "disgust", "fear", "joy", "love"),
    *("optimism", "pessimism", "sadness", "surprise", "trust"),
)


def emotions_task(folder: str | Path | None = None, address: str = ADDRESS) -> Task:
    """Download the three files once, check their bytes, and make a task of them.

    Parameters
    ----------
    folder : path, optional
        Where they are kept; by default in the Hub's cache on this machine.
    address : str
        The folder that holds them, on the web.

    Returns
    -------
    Task
        Multilabel, eleven labels; 6,838, 886 and 3,259 texts.

    Raises
    ------
    ValueError
        If a file cannot be had, or is not the expected one.

    Warns
    -----
    UserWarning
        As `label_table_task` does.
    """
    if folder is None:
        from huggingface_hub import constants

        folder = Path(constants.HF_HOME) / "semeval2018-e-c"
    tables = []
    for split, (name, digest) in FILES.items():
        path = _get(Path(folder).expanduser() / name, f"{address}/{name}", digest)
        rows = pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE, encoding="utf-8")
        tables.append(rows.assign(split=split))
    return label_table_task(
        pd.concat(tables, ignore_index=True),
        name="semeval2018-e-c",
        text="Tweet",
        labels=EMOTIONS,
        split="split",
    )


def _get(path: Path, address: str, digest: str) -> Path:
    """Take the file that is here, or download it; whole and right, or not at all."""
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
        return path
    if switched_off():
        raise ValueError(f"cannot get {address}: {SWITCHED_OFF}")
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            data = answer.read()
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot get {address} ({error}): check the network, and try again") from (
            error
        )
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise ValueError(f"{address} is not the expected file: SHA-256 {found}, expected {digest}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.new")
        scratch.write_bytes(data)
        scratch.replace(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}): make room there") from error
    return path
