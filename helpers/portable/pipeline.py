"""The transformers pipeline that applies a saved rule.

This file travels with the model, together with all others of this folder: they import each other
relatively, which transformers copies, and nothing else of this package.
Lesson 04 explains it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import TextClassificationPipeline
from transformers.utils import cached_file

from .decisions import (
    DECISION_FILE,
    YES_NO,
    Decision,
    Dtype,
    LabelThresholds,
    MinimumExpectedCost,
    Rule,
)
from .probabilities import log_softmax, sigmoid
from .texts import check_text, in_order

CONFIG = "config.json"


def read_decision(source: str | Path, *, revision: str | None = None) -> Decision:
    """Read and check the decision file of a saved model.

    Parameters
    ----------
    source : path or str
        A folder, or a repository on the Hub.
    revision : str, optional
        Commit of the repository.

    Returns
    -------
    Decision

    Raises
    ------
    ValueError
        If the file is missing, corrupt, foreign, newer, or belongs to other weights; the message
        says what to do.
    """
    source = str(source)

    def find(name: str) -> Path:
        try:
            return Path(cast(str, cached_file(source, name, revision=revision)))
        except (OSError, TypeError, ValueError):  # HFValidationError is a ValueError
            what = "there is no saved decision, and no threshold to fall back on"
            if name != DECISION_FILE:
                what = "the network cannot answer as it did where its rule was chosen"
            raise ValueError(
                f"{source} has no {name}: without it {what}. Save network and rule together with "
                "helpers.deployment.save"
            ) from None

    path = find(DECISION_FILE)
    try:
        decision = Decision.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (
        OSError,
        ValueError,
        RecursionError,
    ) as error:  # JSON and Unicode errors are ValueErrors
        raise ValueError(
            f"{path} cannot be used: {error}. Restore it from where the model was saved, or save "
            "anew with helpers.deployment.save"
        ) from None
    if os.path.isdir(source) and CONFIG in decision.files:
        for one in sorted(os.listdir(source)):
            if one not in decision.files and not _harmless(one):
                raise ValueError(
                    f"{one} was added to {source}: it may change the answers. Remove it, or save "
                    "anew with helpers.deployment.save"
                )
    for name, expected in decision.files.items():
        if file_hash(find(name)) != expected:
            raise ValueError(
                f"{path} belongs to another {name} than the one beside it: a cut means nothing for "
                "other logits. Choose the rule anew and save both with helpers.deployment.save"
            )
    return decision


def _harmless(name: str) -> bool:
    """Tell whether a file that was not saved with the model cannot change an answer."""
    return (
        name in (DECISION_FILE, "__pycache__")
        or name.startswith(".")
        or (
            name.partition(".")[0].upper()
            in ("README", "LICENSE", "NOTICE", "CHANGELOG", "CITATION")
        )
    )


def file_hash(path: Path) -> str:
    """Compute the SHA-256 of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_head(model: Any, rule: Rule) -> None:
    """Refuse a rule that does not fit the network's head: its labels, its size, its function.

    Parameters
    ----------
    model : PreTrainedModel
    rule : a rule of `helpers.decisions`

    Raises
    ------
    ValueError
        If number or order of the labels differ, or the head was trained for another kind of task:
        softmax under `LabelThresholds`, sigmoid under `RejectOption` or `PredictionSets`,
        regression under any.
    """
    kind, n = model.config.problem_type, model.config.num_labels
    if isinstance(rule, LabelThresholds) or (isinstance(rule, YES_NO) and n == 1):
        wanted = "multi_label_classification"  # a sigmoid for each logit
    else:
        wanted = "single_label_classification"
    # transformers takes several logits without a word for one label of many
    if kind != wanted and not (kind is None and n > 1 and wanted[0] == "s"):
        raise ValueError(
            f"{type(rule).__name__} with {n} logits needs a head for {wanted}, the network's "
            f"problem_type is {kind}: take another rule, or set model.config.problem_type if the "
            "network was trained so"
        )
    names = tuple(model.config.id2label[i] for i in range(model.config.num_labels))
    labels = tuple(rule.label_names)
    if names != labels and not (len(names) == 1 and len(labels) == 2 and names == labels[1:]):
        raise ValueError(
            f"the labels of the network are {_shown(names)}, those of the rule {_shown(labels)}: "
            "they must be the same, in the same order"
        )


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


@contextmanager
def mixed_precision(model: Any, dtype: Dtype) -> Iterator[None]:
    """Run a network in a number format, its last layer in full precision.

    Parameters
    ----------
    model : PreTrainedModel
    dtype : "bf16", "fp16" or "fp32"
    """
    with exact_head(model), number_format(model, dtype):
        yield


@contextmanager
def exact_head(model: Any) -> Iterator[None]:
    """Compute the last layer in full precision, for all threads.

    It costs next to nothing, and its logits have fewer ties.

    Parameters
    ----------
    model : PreTrainedModel
    """
    head = getattr(model, "classifier", None)
    with ExitStack() as stack:
        if isinstance(head, torch.nn.Linear):
            stack.callback(head.register_forward_hook(_in_fp32).remove)
        yield


@contextmanager
def number_format(model: Any, dtype: Dtype) -> Iterator[None]:
    """Run a network in a number format and without gradients, in this thread.

    Parameters
    ----------
    model : PreTrainedModel
    dtype : "bf16", "fp16" or "fp32"
    """
    formats = {"bf16": torch.bfloat16, "fp16": torch.float16}
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        if dtype in formats:
            device = next(model.parameters()).device
            stack.enter_context(torch.autocast(device.type, dtype=formats[dtype]))
        yield


def _in_fp32(head: torch.nn.Linear, inputs: tuple[torch.Tensor], _: torch.Tensor) -> torch.Tensor:
    """Compute a layer again, without mixed precision."""
    with torch.autocast(inputs[0].device.type, enabled=False):
        bias = None if head.bias is None else head.bias.float()
        return torch.nn.functional.linear(inputs[0].float(), head.weight.float(), bias)


def _check_input(one: Any, where: str = "") -> Any:
    """Return a text, or a dict with ``text`` and ``text_pair``, or say what is wrong with it."""
    if not isinstance(one, Mapping):
        return check_text(one, where)
    if not {"text"} <= set(one) <= {"text", "text_pair"}:
        raise ValueError(f"a dict has text, and may have text_pair, got {sorted(one)}{where}")
    return {name: check_text(text, where) for name, text in one.items()}


class DecisionPipeline(TextClassificationPipeline):
    """A text-classification pipeline that answers what the saved rule decides.

    A text gives the rule's own record (``rule.explain``): label or labels, probability, threshold,
    accepted; and whether the text was truncated. With ``top_k`` it gives a list, like its parent:
    ``label`` and ``score`` (the label's probability after the temperature), and ``accepted``,
    whether it is part of the decision. Texts are truncated at the length that the rule was chosen
    with. Blank texts, pairs and what has no order are refused. Everything else is the parent's.

    Parameters
    ----------
    decision : Decision, optional
        By default the file beside the weights is read.
    **kwargs
        As for the parent: ``model``, ``tokenizer``, ``device``, ``batch_size``, ``top_k``.

    Raises
    ------
    ValueError
        If there is no sound decision, the labels differ, the weights were loaded in another format
        than they were saved in, or an unknown option is given.
    """

    def __init__(self, *, decision: Decision | None = None, **kwargs: Any) -> None:
        model = kwargs["model"]
        if decision is None:
            commit = getattr(model.config, "_commit_hash", None)
            decision = read_decision(model.config._name_or_path, revision=commit)
        check_head(model, decision.rule)
        if model.dtype != torch.float32:
            raise ValueError(
                f"the weights must be loaded in float32, got {model.dtype}: {DECISION_FILE} says "
                f"what mixed precision the rule was chosen in ({decision.dtype})"
            )
        self.decision = decision
        super().__init__(**kwargs)
        self.model.eval()
        if self.device.type == "cpu":
            self.model.set_attn_implementation("eager")  # as in training: faster for short texts

    def _sanitize_parameters(
        self,
        top_k: int | str | None = "",
        truncation: bool = True,
        max_length: int | None = None,
        local_files_only: bool = False,
        **unknown: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if unknown:
            raise ValueError(
                f"unknown options: {', '.join(unknown)}. The rule fixes threshold and function; "
                "there are top_k, truncation, max_length, batch_size, num_workers"
            )
        cut = {"truncation": truncation, "max_length": max_length or self.decision.max_length}
        return cut, {}, super()._sanitize_parameters(top_k=top_k)[2]

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Decide one text, or many in any form that has an order; a stream gives a stream."""
        if isinstance(inputs, str | Mapping):
            return super().__call__(_check_input(inputs), **kwargs)
        if isinstance(inputs, Iterator | Dataset):  # read as it comes, by `preprocess`
            return super().__call__(cast(Any, inputs), **kwargs)
        listed = [_check_input(one, f" at place {i}") for i, one in enumerate(in_order(inputs))]
        return super().__call__(listed, **kwargs) if listed else []

    def preprocess(self, inputs: Any, **tokenizer_kwargs: Any) -> Any:
        """Turn a text into tokens, and note whether it lost its end."""
        inputs = _check_input(inputs)
        encoded: Any = super().preprocess(inputs, **tokenizer_kwargs)
        lost = False
        if encoded["input_ids"].shape[-1] >= tokenizer_kwargs["max_length"]:
            whole = super().preprocess(inputs, truncation=False)["input_ids"][0]
            lost = len(whole) > encoded["input_ids"].shape[-1]
        encoded["truncated"] = torch.tensor([lost])
        return encoded

    def _forward(self, model_inputs: Any) -> Any:
        truncated = model_inputs.pop("truncated")
        with mixed_precision(self.model, self.decision.dtype):
            return {"logits": super()._forward(model_inputs)["logits"], "truncated": truncated}

    def postprocess(self, model_outputs: Any, top_k: int | None = 1, _legacy: bool = True) -> Any:
        """Turn one row of logits into what the rule says about it."""
        rule = self.decision.rule
        logits = model_outputs["logits"].float().numpy()
        record = rule.explain(logits)[0]
        record["truncated"] = bool(model_outputs["truncated"].any())
        if _legacy:
            return record
        scaled = logits[0].astype(np.float64) / rule.temperature
        if isinstance(rule, MinimumExpectedCost):
            scaled += rule.bias
        if len(scaled) == 1:  # one logit for a yes/no decision
            scores = sigmoid([-scaled[0], scaled[0]])
        elif self.model.config.problem_type == "multi_label_classification":
            scores = sigmoid(scaled)
        else:
            scores = np.exp(log_softmax(scaled))
        accepted = record["labels"] if "labels" in record else [record["label"]]
        rows: list[dict[str, Any]] = [
            {"label": name, "score": float(score), "accepted": name in accepted}
            for name, score in zip(rule.label_names, scores, strict=True)
        ]
        return sorted(rows, key=lambda row: -row["score"])[:top_k]

    def save_pretrained(self, save_directory: Any, **_: Any) -> None:
        """Refuse: the parent would save the network without its rule."""
        raise ValueError(
            "a pipeline saves the network without its rule: use helpers.deployment.save, or copy "
            "the folder that it was loaded from"
        )
