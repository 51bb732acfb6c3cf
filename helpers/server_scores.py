"""Scores in the JSON that another server answers: TEI's /predict, vLLM's /classify. Needs numpy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.portable.arrays import Floats

SHAPES = (
    "expected what Text Embeddings Inference answers at /predict (a list a text of "
    '{"label", "score"}) or vLLM at /classify ({"data": [{"probs"}, ...]}, or a list of these)'
)


def scores_of_answer(answer: Any, columns: Sequence[str]) -> Floats:
    """Take the scores out of a server's answer, in the order of the texts and of the labels.

    Parameters
    ----------
    answer : list or dict
        As ``json.loads`` gives it. Of Text Embeddings Inference a list a text of ``{"label": ...,
        "score": ...}``, which it sorts by score, or that of one text. Of vLLM an object whose
        ``data`` holds ``{"index": ..., "label": ..., "probs": [...]}`` for each text; a list of
        such objects is one batch after another.
    columns : sequence of str, length n_columns
        Names of the labels in the order of the rule. Text Embeddings Inference must use these
        names; the scores of vLLM come in the order of the network, so names stand for places.

    Returns
    -------
    ndarray of float64, shape (n, n_columns)
        Whatever the server was asked for: logits, or probabilities.

    Raises
    ------
    ValueError
        If the answer is an error or has another shape, a text has other labels than `columns`, a
        score is no finite number, texts are missing, or the label that vLLM names is not that of
        its largest score: then the columns stand in another order.

    Examples
    --------
    >>> tei = [[{"label": "urgent", "score": 2.5}, {"label": "wait", "score": -1.0}]]
    >>> scores_of_answer(tei, ["wait", "urgent"])
    array([[-1. ,  2.5]])
    >>> vllm = {"data": [{"index": 0, "label": "urgent", "probs": [-1.0, 2.5], "num_classes": 2}]}
    >>> scores_of_answer(vllm, ["wait", "urgent"])
    array([[-1. ,  2.5]])
    """
    names = list(columns)
    if isinstance(answer, dict) and "data" not in answer and ("error" in answer or _said(answer)):
        said = answer.get("error") or _said(answer)
        raise ValueError(f"the server answered an error: {json.dumps(said, ensure_ascii=False)}")
    parts = [answer] if isinstance(answer, dict) else answer
    if not isinstance(parts, list) or not parts:
        raise ValueError(f"{SHAPES}, got {_short(answer)}")
    if all(isinstance(one, dict) and "data" in one for one in parts):
        rows = [row for part in parts for row in _of_vllm(part, names)]
    else:
        texts = [parts] if all(isinstance(one, dict) for one in parts) else parts
        rows = [_of_tei(one, names, i) for i, one in enumerate(texts)]
    for i, row in enumerate(rows):
        for name, score in zip(names, row, strict=True):
            real = isinstance(score, int | float) and not isinstance(score, bool)
            if not real or not np.isfinite(score):
                raise ValueError(
                    f"text {i + 1}: the score of {name} must be a finite number, got {score!r}"
                )
    return np.array(rows, dtype=np.float64)


def read_answer(path: str | Path, columns: Sequence[str]) -> Floats:
    """Read scores from a ``.json`` file that holds what a server answered.

    Parameters
    ----------
    path : path
    columns : sequence of str

    Returns
    -------
    ndarray of float64, shape (n, n_columns)

    Raises
    ------
    ValueError
        If there is no such file, it is no JSON, or as `scores_of_answer`; the file is named.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        return scores_of_answer(json.loads(path.read_text(encoding="utf-8")), columns)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None


def _of_tei(text: Any, names: list[str], i: int) -> list[Any]:
    """Put one text's labels into the order of the names."""
    fits = isinstance(text, list) and all(
        isinstance(one, dict) and "label" in one and "score" in one for one in text
    )
    if not fits:
        raise ValueError(f"{SHAPES}, got {_short(text)} for text {i + 1}")
    found = [one["label"] for one in text]
    if len(set(map(str, found))) < len(found):
        raise ValueError(f"text {i + 1}: two scores have one label, got {_short(found)}")
    if set(found) != set(names):
        raise ValueError(
            f"text {i + 1}: the rule's scores are {_short(names)}, the server's {_short(found)}"
        )
    by_label = {one["label"]: one["score"] for one in text}
    return [by_label[name] for name in names]


def _of_vllm(part: dict[str, Any], names: list[str]) -> list[list[Any]]:
    """Put one answer's texts in order, and compare the label that it names with ours."""
    data = part["data"]
    if not isinstance(data, list) or not data:
        raise ValueError(f"{SHAPES}, got data {_short(data)}")
    if not all(isinstance(one, dict) and isinstance(one.get("probs"), list) for one in data):
        raise ValueError(f"{SHAPES}, got {_short(data[0])}")
    places = [one.get("index") for one in data]
    if sorted(map(str, places)) != sorted(map(str, range(len(data)))):
        raise ValueError(f"the texts of an answer have the indices 0, 1, ..., got {_short(places)}")
    data = sorted(data, key=lambda one: int(one["index"]))
    for i, one in enumerate(data):
        probs, label = one["probs"], one.get("label")
        if len(probs) != len(names):
            raise ValueError(
                f"text {i + 1}: the rule has {len(names)} scores ({_short(names)}), the server "
                f"answered {len(probs)}"
            )
        first = names[max(range(len(probs)), key=lambda k: (_sortable(probs[k]), -k))]
        if label in names and label != first:
            raise ValueError(
                f"text {i + 1}: the server says {label}, its largest score stands in the place of "
                f"{first}: name the columns in the order of the network's labels"
            )
    return [one["probs"] for one in data]


def _sortable(score: Any) -> float:
    return float(score) if isinstance(score, int | float) and score == score else -np.inf


def _said(answer: dict[str, Any]) -> Any:
    """Find the message of an error without data, as vLLM and FastAPI word it."""
    return answer.get("message") or answer.get("detail")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
