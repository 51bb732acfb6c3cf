"""Adopt a network that somebody has fine-tuned: name its labels, choose a rule, save both."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from helpers import deployment
from helpers.choosing import choose_rule, criterion_of, report_rule
from helpers.columns import TRUTHS, order_labels, read_labels, read_texts, read_truths, some_of
from helpers.data import Kind
from helpers.networks import load_network, make_batchable, usual_length
from helpers.portable.chance import ANSWERS, PAIRS, SURE, auroc, wrong_answers, wrong_pairs
from helpers.portable.probabilities import binary_logit
from helpers.prediction import check_dtype, check_max_length, predict_logits
from helpers.recipes import OWN_TABLE
from helpers.table_files import label_sets
from helpers.tables import read_all

OTHER = "Other"  # a row with this label belongs to none of the network's


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
    temperature: bool = False,
    revision: str | None = None,
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
    source : path
        A table as for `helpers.table_files.file_task`. All its rows choose the rule, so none may
        have trained the network.
    output : path
        The folder to save in, see `helpers.deployment.save`.
    text, labels, separator, encoding
        As for `helpers.table_files.file_task`.
    names : sequence of str, optional
        Names of the labels in the order of the logits; for one logit those of 0 and 1. By default
        the network's own. A table may also hold 0, 1, ... for the place of the logit.
    positive : str, optional
        Of two labels the one to look for. It must be the second logit's.
    criterion : mapping, optional
        What `helpers.choosing.criterion_of` takes. By default that of `train` for a table: yes/no
        the cut of equal costs, one of many Other at 0.4 of an error, many labels macro-F1.
    temperature : bool, default False
        Fit a temperature on the same rows first.
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
    table = pd.DataFrame([row for row, _ in read_all(source, [text, *labels], encoding)])
    texts = read_texts(table, text)
    model, tokenizer, notes = load_network(network, revision=revision, texts=texts)
    kind = _kind(model, table, labels, separator)
    label_names, truth = _read_truth(model, kind, table, labels, separator, names, positive)
    options = dict(criterion or {})
    chosen_by = criterion_of(kind, **options) if options else OWN_TABLE[kind].criterion
    assert chosen_by is not None
    length = usual_length(model, tokenizer) if max_length is None else max_length
    check_max_length(model, length)
    make_batchable(model, tokenizer, texts, max_length=length)
    number = check_dtype(dtype)
    logits = predict_logits(model, tokenizer, texts, max_length=length, dtype=number)
    check_order(kind, logits, truth, label_names)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="upside down")  # check_order has said it
        rule = choose_rule(
            kind,
            logits,
            truth,
            label_names=label_names,
            criterion=chosen_by,
            temperature=temperature,
        )
    costs = None if kind == "multilabel" else chosen_by.get("costs")
    report = report_rule(rule, logits, truth, costs=costs, seen=True)
    place = deployment.save(
        output,
        model,
        tokenizer,
        rule,
        dtype=number,
        max_length=length,
        data=Path(source).name,
        base_model=str(network) if revision is not None else None,
        reports={"Validation rows": report},
    )
    notes.insert(0, f"kind: {kind}, logits in the order {', '.join(label_names)}")
    if kind == "binary":
        notes[0] = f"kind: binary, {label_names[1]} is 1, {label_names[0]} is 0"
    notes.insert(1, f"rows: {len(texts)} of {source}, all choose the rule")
    if kind == "multiclass" and (others := int((truth == len(label_names)).sum())):
        notes.append(f"{others} rows are {OTHER}: none of the network's labels")
    return Adopted(ready=deployment.load(place), notes=notes, report=report)


# The labels of the network and those of the table


def _kind(model: Any, table: pd.DataFrame, columns: Sequence[str], separator: str | None) -> Kind:
    """Tell the kind from the columns and the head, and note it in the network's configuration."""
    lists = any(isinstance(cell, list | tuple) for cell in table[columns[0]])
    many = len(columns) > 1 or separator is not None or lists
    n = model.config.num_labels
    kind: Kind = "multilabel" if many else "binary" if n <= 2 else "multiclass"
    trained = model.config.problem_type
    wanted = "multi_label_classification" if many or n == 1 else "single_label_classification"
    if trained == "regression":
        raise ValueError(
            "the network was trained for regression (problem_type): its output is a quantity, not "
            "a logit"
        )
    if trained not in (None, wanted):
        a_row = {"s": "one label a row (softmax)", "m": "many labels a row (sigmoid)"}
        way = ": name a column for each label, or a --separator" if trained[0] == "m" else ""
        raise ValueError(
            f"the network was trained for {a_row[trained[0]]}, and the table has "
            f"{a_row[wanted[0]]}{way}"
        )
    model.config.problem_type = wanted
    return kind


def _read_truth(
    model: Any,
    kind: Kind,
    table: pd.DataFrame,
    columns: Sequence[str],
    separator: str | None,
    names: Sequence[str] | None,
    positive: str | None,
) -> tuple[tuple[str, ...], NDArray]:
    """Name the logits, in the network's configuration too, and read the labels in their order."""
    if kind == "multilabel":
        if positive is not None:
            raise ValueError("--positive is for two labels of which each row has one")
        if len(columns) > 1:
            label_names = _name_logits(model, list(columns), names)
            if missing := [name for name in label_names if name not in columns]:
                raise ValueError(
                    f"the table has no column for the network's labels {some_of(missing)}, only "
                    f"{', '.join(columns)}: --names says which label each logit stands for"
                )
            truth = read_truths(table, label_names).astype(np.int64)
        else:
            sets = label_sets(table[columns[0]].tolist(), separator)
            label_names = _name_logits(model, sorted({one for row in sets for one in row}), names)
            truth = np.array([[int(one in row) for one in label_names] for row in sets])
    else:
        found = read_labels(table, columns[0])
        label_names = _name_logits(model, list(dict.fromkeys(found)), names, kind, positive)
        index = {name: k for k, name in enumerate(label_names)}
        by_place = _places(found, label_names, kind)
        if kind == "multiclass":
            index.setdefault(OTHER, len(label_names))
        truth = np.array([(by_place or index)[one] for one in found])
    named = label_names[1:] if model.config.num_labels == 1 else label_names
    model.config.id2label = dict(enumerate(named))
    model.config.label2id = {name: k for k, name in enumerate(named)}
    return label_names, truth


def _name_logits(
    model: Any,
    found: list[str],
    names: Sequence[str] | None,
    kind: Kind = "multilabel",
    positive: str | None = None,
) -> tuple[str, ...]:
    """Give the names of the labels in the order of the logits, as the table spells them."""
    n = model.config.num_labels
    wanted = max(n, 2) if kind == "binary" else n
    own = [str(model.config.id2label[k]) for k in range(n)]
    nameless = all(re.fullmatch(r"LABEL_\d+", name) for name in own)
    numbers = all(name.isdecimal() and int(name) < wanted for name in found)
    if names is not None:
        label_names = tuple(names)
        if len(label_names) != wanted or len(set(label_names)) < wanted or "" in label_names:
            raise ValueError(
                f"the network has {n} logit{'s' * (n > 1)}: --names takes {wanted} different "
                f"names, got {', '.join(map(repr, label_names))}"
            )
    elif nameless and not set(found) <= set(own):
        if kind == "binary":
            label_names = order_labels(found, None, positive)
        elif numbers:
            label_names = tuple(map(str, range(n)))
        else:
            raise ValueError(
                f"the network's labels have no names ({some_of(own)}): --names gives them in the "
                f"order of its logits; the table has {some_of(found)}"
            )
    elif n == 1 and kind == "binary":
        others = [name for name in found if name.casefold() != own[0].casefold()]
        plain = all(name.casefold() in TRUTHS for name in found)
        no = f"not {own[0]}" if plain or len(others) != 1 else others[0]
        label_names = (no, own[0])
    else:
        label_names = tuple(own)
    if len(label_names) != wanted:
        raise ValueError(
            f"the network has {n} logits, and the table {len(label_names)} labels: "
            f"{some_of(label_names)}"
        )
    spelling = {name.casefold(): name for name in reversed(found)}
    if names is None and len(set(map(str.casefold, label_names))) == wanted:
        label_names = tuple(spelling.get(name.casefold(), name) for name in label_names)
    known = {*label_names, OTHER} if kind == "multiclass" else set(label_names)
    unknown = [name for name in found if name not in known]
    if unknown and not _places(found, label_names, kind):
        raise ValueError(
            f"the network does not know the labels {some_of(unknown)} of the table; it knows "
            f"{', '.join(label_names[:10])}; --names gives other names in the order of its logits"
        )
    if positive is not None and positive != label_names[1]:
        raise ValueError(
            f"--positive must be the label of the second logit, {label_names[1]!r}, got "
            f"{positive!r}: exchange the two costs instead"
        )
    return label_names


def _places(found: Sequence[str], names: Sequence[str], kind: Kind) -> dict[str, int] | None:
    """Understand labels as places of logits: 0, 1, ..., and for yes or no False, True, no, yes."""
    if kind == "multilabel" or set(found) <= set(names):
        return None
    if kind == "binary":
        places = {name: TRUTHS.get(name.casefold(), -1) for name in found}
    else:
        places = {name: int(name) if name.isdecimal() else -1 for name in found}
    return places if all(0 <= place < len(names) for place in places.values()) else None


# Whether the names are in the order of the logits


def check_order(
    kind: Kind, logits: NDArray[np.floating], truth: NDArray[np.int64], names: Sequence[str]
) -> None:
    """Compare the order of the names with what the rows say.

    Parameters
    ----------
    kind : "binary", "multiclass" or "multilabel"
    logits : ndarray of float, shape (n, n_logits)
    truth : ndarray of int, shape (n,) or (n, n_labels)
        ``n_classes`` for rows of none of the classes.
    names : sequence of str

    Raises
    ------
    ValueError
        If the network is worse than chance, beyond chance, under these names.

    Warns
    -----
    UserWarning
        If another order is right on far more rows, or for many labels ranks far better.

    Examples
    --------
    >>> y = np.arange(60) % 3
    >>> check_order("multiclass", 4.0 * np.eye(3)[y], y, ("a", "b", "c"))
    >>> try:
    ...     check_order("multiclass", 4.0 * np.eye(3)[(y + 1) % 3], y, ("a", "b", "c"))
    ... except ValueError as error:
    ...     print(str(error).rpartition(": ")[2])
    try --names c,a,b
    """
    wrong, what, better = None, ANSWERS, tuple(names)
    if kind == "binary":
        wrong, what = wrong_pairs(binary_logit(logits), truth == 1), PAIRS
        better = tuple(reversed(better))
    else:
        values, noise = _agreement(kind, logits, truth)
        rows, places = linear_sum_assignment(values + 1e-9 * np.eye(len(values)), maximize=True)
        moved = rows != places
        gain = float((values[rows, places] - np.diag(values))[moved].sum())
        label_of = dict(zip(places, rows, strict=True))  # which label each logit speaks of
        better = tuple(names[label_of[k]] for k in range(len(names)))
        unsure = float(np.sqrt((noise[rows, places] + np.diag(noise))[moved].sum()))
        if kind == "multiclass":
            known = truth < logits.shape[1]
            wrong = wrong_answers(truth[known], logits[known].argmax(axis=1))
        if wrong is None and moved.any() and gain > SURE * unsure:
            warnings.warn(
                f"another order of the names fits these rows far better: are they in the order of "
                f"the network's logits? Try --names {','.join(better)}",
                stacklevel=3,
            )
    if wrong is not None:
        raise ValueError(
            f"upside down: {wrong:.0%} of the {what} are wrong under the names "
            f"{', '.join(names)}, more than chance would make: try --names {','.join(better)}"
        )


def _agreement(
    kind: Kind, logits: NDArray[np.floating], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say of each label (row) and logit (column) how well they go together, and the variance.

    One label a row: the rows of the label in which the logit is the greatest. Many labels: the area
    under the ROC curve of the logit for the label.
    """
    n = logits.shape[1]
    if kind == "multiclass":
        counts = np.zeros((n, n))
        known = truth < n
        np.add.at(counts, (truth[known], logits[known].argmax(axis=1)), 1)
        return counts, counts
    areas, noise = np.full((n, n), 0.5), np.zeros((n, n))
    for k in range(n):
        yes = truth[:, k] == 1
        if 0 < yes.sum() < len(yes):
            ones, zeros = yes.sum(), (~yes).sum()
            noise[k] = (len(yes) + 1) / (12 * ones * zeros)
            areas[k] = [auroc(np.sort(logits[yes, j]), logits[~yes, j]) for j in range(n)]
    return areas, noise
