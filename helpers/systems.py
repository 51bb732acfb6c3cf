"""Make a whole system of a task in one call: fine-tune, choose the rule, report, save."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers import deployment, processes
from helpers.choosing import PROMISES, choose_rule, criterion_of, report_rule
from helpers.data import Task
from helpers.networks import find_encoder, is_wide
from helpers.portable.decisions import Decision, Dtype
from helpers.prediction import predict_logits_and_truncation
from helpers.recipes import OWN_TABLE, Recipe
from helpers.reference import make_reference
from helpers.training import FineTuned, fine_tune

WIDE_RATE = 3e-5  # for BERT its authors tried 2e-5, 3e-5, 5e-5 (Devlin and others, 2019)


@dataclass(frozen=True, eq=False)
class Trained:
    """A network that was fine-tuned, with its rule, saved.

    Attributes
    ----------
    ready : Deployment
        As `helpers.deployment.load` gives it.
    reports : dict of str to list of dict
        The rule beside the plain one, on the validation and the test part.
    """

    ready: deployment.Deployment
    reports: dict[str, list[dict[str, Any]]]


def train(
    task: Task,
    output: str | Path,
    *,
    plan: Recipe | None = None,
    criterion: Mapping[str, Any] | None = None,
    checkpoint: str | Path | None = None,
    revision: str | None = None,
    texts: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    max_length: int | None = None,
    seed: int = 0,
    resume: bool = True,
    progress: bool = True,
) -> Trained:
    """Fine-tune, choose the rule on the validation part, report on the test part, and save.

    Parameters
    ----------
    task : Task
        As `helpers.table_files.file_task` makes it of a table.
    output : path
        The folder to save in, see `helpers.deployment.save`.
    plan : Recipe, optional
        Checkpoint, settings and criterion; by default those for a table of this kind.
    criterion : mapping, optional
        What `helpers.choosing.criterion_of` takes, as ``{"reject": 1, "error": 4}``. By default
        the plan's: for a table yes/no the cut of equal costs, one of many Other at 0.4 of an error,
        many labels macro-F1.
    checkpoint : path or str, optional
        Another encoder: a folder, or with `revision` a repository on the Hub.
    revision : str, optional
        Of the checkpoint: a commit, or main.
    texts : int, optional
        Train on so many texts only.
    epochs, batch_size, max_length : int, optional
    learning_rate : float, optional
        See `helpers.recipes.Settings`; by default the plan's, but at most `WIDE_RATE` for another
        `checkpoint` that is as wide as BERT-base: the small network bears more.
    seed : int, default 0
    resume : bool, default True
        Go on where an equal run was stopped, see `helpers.training.fine_tune`.
    progress : bool, default True

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If the place, the criterion or the checkpoint cannot be used: before the training. If the
        validation part cannot keep a promise or reach a floor: after it, and nothing is saved.

    Notes
    -----
    With a promise (``confidence_level``, ``set_coverage``, ``max_missed``) the last epoch is kept,
    not the best: rows that choose an epoch cannot prove a promise.

    Under torchrun every process trains and reads its share of the rows; the rule is chosen on all
    of the validation part, the same in each, and the first process alone saves.
    """
    output = deployment.check_place(output)
    plan = OWN_TABLE[task.kind] if plan is None else plan
    known = set(signature(criterion_of).parameters) - {"kind"}
    if unknown := sorted(set(criterion or ()) - known):
        raise ValueError(f"a criterion is made of what criterion_of takes, got {unknown[0]!r}")
    options = (
        criterion_of(task.kind, **criterion, label_names=task.label_names)
        if criterion
        else plan.criterion
    )
    if options is None:
        raise ValueError("the recipe says no way to choose a rule: name one, as costs or macro-F1")
    if "unknown_price" in options:
        raise ValueError(
            "unknown_price is weighed on rows that belong to no label, and a task that trains has "
            "a label for each: give max_lost"
        )
    if checkpoint is None and revision is not None:
        raise ValueError("--revision is that of a --checkpoint: name one")
    start = plan.checkpoint if checkpoint is None else find_encoder(checkpoint, revision)
    task = task if texts is None else task.with_fewer(texts, seed=seed)
    asked = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "max_length": max_length,
    }
    given: dict[str, Any] = {name: one for name, one in asked.items() if one is not None}
    if checkpoint is not None and learning_rate is None and is_wide(start):
        given["learning_rate"] = min(plan.settings.learning_rate, WIDE_RATE)
    settings = replace(plan.settings, seed=seed, **given)
    if PROMISES & set(options):
        settings = replace(settings, keep_best=False)
    tuned = fine_tune(
        task, start, settings, n_logits=plan.n_logits, resume=resume, progress=progress
    )
    reading: dict[str, Any] = {"dtype": tuned.dtype, "max_length": settings.max_length}
    z_validation, z_test = (
        _read(tuned, part.texts, **reading) for part in (task.validation, task.test)
    )
    chosen_on, tested_on = (z_validation, task.validation.labels), (z_test, task.test.labels)
    rule = choose_rule(task.kind, *chosen_on, label_names=task.label_names, criterion=options)
    costs = options.get("costs")
    reports = {
        "Validation part": report_rule(rule, *chosen_on, costs=costs, seen=True),
        "Test part": report_rule(rule, *tested_on, costs=costs),
    }
    if processes.rank() > 0:
        decision = Decision(rule=rule, data=task.name, **reading)
        return Trained(deployment.Deployment(tuned.model, tuned.tokenizer, decision), reports)
    place = deployment.save(
        output,
        tuned.model,
        tuned.tokenizer,
        rule,
        data=task.name,
        base_model=None if start.folder else start.repository,
        reports=reports,
        seen={"train": task.train.texts, "validation": task.validation.texts},
        reference=make_reference(*chosen_on, task.validation.texts, train_texts=task.train.texts),
        **reading,
    )
    return Trained(ready=deployment.load(place), reports=reports)


def _read(
    tuned: FineTuned, texts: Sequence[str], *, max_length: int, dtype: Dtype
) -> NDArray[np.float32]:
    """Compute logits as `predict_logits` does, with the other processes where there are any."""
    own = predict_logits_and_truncation(
        tuned.model, tuned.tokenizer, processes.share(texts), max_length=max_length, dtype=dtype
    )
    logits, truncated = map(processes.gather, own)
    if n := int(truncated.sum()):
        warnings.warn(
            f"{n} of {len(truncated)} texts were truncated to {max_length} tokens", stacklevel=3
        )
    return logits


def answer_other(ready: deployment.Deployment, texts: Sequence[str]) -> str:
    """Say how a rule answers texts that none of its labels fits.

    Parameters
    ----------
    ready : Deployment
        With a rule that can answer Other.
    texts : sequence of str

    Returns
    -------
    str
        One sentence.
    """
    decided = ready.rule.decide(ready.logits(texts))
    name = getattr(ready.rule, "other", "Other")
    share = float((decided == len(ready.rule.label_names)).mean()) if len(texts) else 0.0
    return f"of {len(texts)} texts that no label fits, {share:.1%} are answered {name}"
