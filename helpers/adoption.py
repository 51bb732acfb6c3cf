"""Adopt a network that somebody has fine-tuned: name its labels, choose a rule, save both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from helpers import deployment
from helpers.choosing import PROMISES, choose_rule, criterion_of, report_rule
from helpers.columns import read_texts
from helpers.cost_tables import read_costs
from helpers.network_labels import OTHER, check_order, holds_places, kind_of, read_truth
from helpers.networks import exchange_logits, load_network, make_batchable, usual_length
from helpers.prediction import check_dtype, check_max_length, predict_logits
from helpers.recipes import OWN_TABLE
from helpers.reference import make_reference
from helpers.sources import read_source


@dataclass(frozen=True, eq=False)
class Adopted:
    """A network with the rule that was chosen for it, saved.

    Attributes
    ----------
    ready : Deployment
        As `helpers.deployment.load` gives it.
    notes : list of str
        What was understood, a line each.
    report : list of dict
        The rule beside the plain one, on the rows that chose it.
    """

    ready: deployment.Deployment
    notes: list[str]
    report: list[dict[str, Any]]


def adopt(
    network: str | Path,
    source: str | Path,
    output: str | Path,
    *,
    text: str = "text",
    labels: Sequence[str] = ("label",),
    separator: str | None = None,
    names: Sequence[str] | None = None,
    positive: str | None = None,
    criterion: Mapping[str, Any] | None = None,
    costs: str | Path | None = None,
    temperature: bool = False,
    revision: str | None = None,
    subset: str | None = None,
    max_length: int | None = None,
    dtype: Literal["auto", "bf16", "fp16", "fp32"] = "fp32",
    encoding: str = "utf-8",
) -> Adopted:
    """Choose a rule for a fine-tuned network on labelled rows, and save both; nothing is trained.

    Parameters
    ----------
    network : path or str
        A folder with a sequence classifier of transformers and its tokenizer; with `revision` a
        repository on the Hub, as ``owner/name``.
    source : path or str
        A table as for `helpers.table_files.file_task`. All its rows choose the rule, so none may
        have trained the network.
    output : path
        The folder to save in, see `helpers.deployment.save`.
    text, labels, separator, subset, encoding
        As for `helpers.table_files.file_task`.
    names : sequence of str, optional
        Names of the labels in the order of the logits; for one logit those of 0 and 1. By default
        the network's own. A table may also hold 0, 1, ... for the place of the logit.
    positive : str, optional
        Of two labels the one to look for. Without any names it is the second logit's. If it is the
        first one's by name, the two logits change places in the network that is saved.
    criterion : mapping, optional
        What `helpers.choosing.criterion_of` takes. By default that of `train` for a table: yes/no
        the cut of equal costs, one of many Other at 0.4 of an error, many labels macro-F1.
    costs : path, optional
        A table, as for `read_costs`: for one of many a cost matrix, for many labels those of each.
    temperature : bool, default False
        Fit a temperature on the same rows first; a cost matrix always fits one.
    revision : str, optional
        See `network`.
    max_length : int, optional
        Tokens; longer texts are cut. By default what the network can read, at most 512.
    dtype : "auto", "bf16", "fp16" or "fp32"
        Mixed precision; fp32, the default, gives the network's own logits.

    Returns
    -------
    Adopted

    Raises
    ------
    ValueError
        If the network cannot be loaded or does not fit the table, a label is unknown, or the names
        turn its logits upside down. Nothing is written then.

    Warns
    -----
    UserWarning
        If another order of the names fits the rows far better.

    Notes
    -----
    With one label a row, rows of "Other" that is none of the network's labels count as unknown.
    """
    output = deployment.check_place(output)
    if revision is None and Path(network).expanduser().resolve() == output:
        raise ValueError(f"{output} holds the network itself: name a new folder")
    one = labels[0] if len(labels) == 1 else None
    found = read_source(source, [text, *labels], label=one, subset=subset, encoding=encoding)
    table = found.table
    texts = read_texts(table, text)
    model, tokenizer, notes = load_network(network, revision=revision, texts=texts)
    config = model.config
    own = [str(config.id2label[k]) for k in range(config.num_labels)]
    kind, head = kind_of(len(own), config.problem_type, table, labels, separator)
    if kind == "multilabel" and config.problem_type is None:
        notes.append("the network does not say so, but the table does: any of many labels")
    config.problem_type = head
    label_names, truth = read_truth(
        own, kind, table, labels, separator=separator, names=names, positive=positive
    )
    options = dict(criterion or {})
    given = {name for name, value in options.items() if value is not None}
    if temperature and (kind == "multilabel" or PROMISES & given):
        raise ValueError(
            "a temperature changes no cut of many labels, and a promise does not hold on the rows "
            "that fitted it: leave --temperature out"
        )
    if costs is not None:
        options |= read_costs(costs, label_names, kind)
    chosen_by = (
        criterion_of(kind, **options, label_names=label_names)
        if options
        else OWN_TABLE[kind].criterion
    )
    assert chosen_by is not None
    length = usual_length(model, tokenizer) if max_length is None else max_length
    check_max_length(model, length)
    make_batchable(model, tokenizer, texts, max_length=length)
    number = check_dtype(dtype)
    logits = predict_logits(model, tokenizer, texts, max_length=length, dtype=number)
    check_order(
        kind, logits, truth, label_names, by_place=holds_places(table, labels, label_names, kind)
    )
    if kind == "binary" and positive == label_names[0]:
        exchange_logits(model, tokenizer, texts[0])
        label_names, truth = label_names[::-1], 1 - truth
        logits = logits[:, ::-1] if len(own) == 2 else -logits
    config.id2label = dict(enumerate(label_names if len(own) > 1 else label_names[1:]))
    config.label2id = {name: k for k, name in config.id2label.items()}
    rule = choose_rule(
        kind, logits, truth, label_names=label_names, criterion=chosen_by, temperature=temperature
    )
    report = report_rule(rule, logits, truth, costs=chosen_by.get("costs"), seen=True)
    place = deployment.save(
        output,
        model,
        tokenizer,
        rule,
        dtype=number,
        max_length=length,
        data=found.name,
        base_model=str(network) if revision is not None else None,
        reports={"Validation rows": report},
        seen={"validation": texts},
        reference=make_reference(logits, truth, texts),
    )
    notes.insert(0, f"kind: {kind}, logits in the order {', '.join(label_names)}")
    if kind == "binary":
        notes[0] = f"kind: binary, {label_names[1]} is 1, {label_names[0]} is 0"
    notes.insert(1, f"rows: {len(texts)} of {source}, all choose the rule")
    if kind == "multiclass" and (others := int((truth == len(label_names)).sum())):
        notes.append(f"{others} rows are {OTHER}: none of the network's labels")
    return Adopted(ready=deployment.load(place), notes=notes, report=report)
