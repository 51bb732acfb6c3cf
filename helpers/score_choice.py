"""Choose a rule for the scores of another system, from a table or from two arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.choosing import choose_rule, criterion_of
from helpers.columns import order_labels, read_labels, read_truths, some_of
from helpers.cost_tables import read_costs
from helpers.score_files import Scale, ScoreRule, as_logits, load_array, read_scores
from helpers.score_pieces import choose_in_pieces
from helpers.scores import Kind
from helpers.tables import check_column


def choose_for_scores(
    source: str | Path,
    *,
    scores: Sequence[str],
    labels: Sequence[str] | str | Path,
    names: Sequence[str] | None = None,
    kind: Kind | None = None,
    positive: str | None = None,
    scale: Scale = "logits",
    criterion: Mapping[str, Any],
    costs: str | Path | None = None,
    encoding: str = "utf-8",
    low_memory: bool = False,
) -> tuple[ScoreRule, list[str]]:
    """Choose a rule on scores whose true labels are known.

    Parameters
    ----------
    source : path
        A table as for `read_scores`, or an array (``.npy``).
    scores : sequence of str
        The score columns in the order of the labels; for an array, names for its columns.
    labels : sequence of str, or path
        The column with the true label; one column of 0 and 1 a label where each row may have many;
        or a ``.npy`` file with whole numbers.
    names : sequence of str, optional
        Names of the labels. By default the score columns, where there is one a label; for many
        labels the label columns.
    kind : "binary", "multiclass" or "multilabel", optional
        By default "multilabel" for several label columns, otherwise "binary" for one or two score
        columns, otherwise "multiclass".
    positive : str, optional
        Of two labels the one that is 1, see `order_labels`.
    scale : "logits" or "probabilities"
    criterion : mapping
        What `criterion_of` takes.
    costs : path, optional
        A table, as for `read_costs`: for one of many a cost matrix, for many labels those of each.
    encoding : str, default "utf-8"
    low_memory : bool, default False
        For yes/no: go by `choose_in_pieces`.

    Returns
    -------
    kept : ScoreRule
    notes : list of str
        What was understood: the kind, rows, and labels that no score stands for.

    Raises
    ------
    ValueError
        If columns and labels do not fit, a label is unknown, or the rule's ``choose`` refuses them.
    """
    if kind is not None and kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, got {kind!r}")
    if low_memory:
        if isinstance(labels, str | Path) or len(labels) != 1 or kind not in (None, "binary"):
            raise ValueError("--low-memory is for yes/no, with one column of labels in the table")
        if costs is not None:
            raise ValueError("--low-memory takes two costs, not a table of them")
        return choose_in_pieces(
            source,
            scores=scores,
            label=labels[0],
            names=names,
            positive=positive,
            scale=scale,
            criterion=criterion,
            encoding=encoding,
        )
    rows, z = read_scores(source, scores, encoding=encoding)
    if isinstance(labels, str | Path):
        truth, columns = load_array(labels), []
        many, where = truth.ndim == 2, f" and {labels}"
    else:
        truth, columns, where = None, list(labels), ""
        many = len(columns) > 1
    if kind is None:
        kind = "multilabel" if many else "binary" if len(scores) <= 2 else "multiclass"
    if kind == "binary" and len(scores) > 2:
        raise ValueError(f"a yes/no rule takes one or two score columns, got {len(scores)}")
    if kind != "binary" and positive is not None:
        raise ValueError(f"positive is for yes/no, and this is {kind}: leave --positive out")
    label_names: tuple[str, ...]
    notes: list[str] = []
    if truth is not None:
        default = ("0", "1") if kind == "binary" else tuple(scores)
        label_names = tuple(names) if names else default
        if kind == "binary" and positive is not None:
            raise ValueError("of an array 1 is positive: leave --positive out")
    else:
        table = pd.DataFrame([row for row, _ in rows])
        for column in columns:
            check_column(Path(source), list(table.columns), column)
        if kind == "multilabel":
            if len(columns) != len(scores):
                raise ValueError(f"expected {len(scores)} label columns, got {len(columns)}")
            label_names = tuple(names or columns)
            truth = read_truths(table, columns).astype(np.int64)
        elif len(columns) != 1:
            raise ValueError(f"{kind} takes one label column, got {len(columns)}")
        elif kind == "binary":
            found = read_labels(table, columns[0])
            label_names = order_labels(found, names, positive)
            if len(label_names) != 2:
                some = some_of(label_names)
                raise ValueError(f"yes/no needs two labels, got {len(label_names)}: {some}, ...")
            truth = np.array([label_names.index(one) for one in found])
        else:
            label_names = tuple(names or scores)
            found = read_labels(table, columns[0])
            truth = label_indices(found, label_names)
            if others := [name for name in found if name not in label_names]:
                notes.append(
                    f"{len(others)} rows have a label without a score column and count as Other: "
                    + some_of(others)
                )
    wanted = 2 if kind == "binary" else len(scores)
    if len(label_names) != wanted:
        raise ValueError(f"expected {wanted} names of labels, got {len(label_names)}")
    if len(truth) != len(z):
        raise ValueError(f"{len(z)} rows of scores and {len(truth)} of labels")
    options = dict(criterion)
    if costs is not None:
        options |= read_costs(costs, label_names, kind)
    rule = choose_rule(
        kind,
        as_logits(z, kind=kind, scale=scale),
        truth,
        label_names=label_names,
        criterion=criterion_of(kind, **options),
    )
    notes.insert(
        0, f"kind: {kind}, labels {', '.join(label_names)}; {len(z)} rows of {source}{where}"
    )
    kept = ScoreRule(rule=rule, columns=tuple(scores), scale=scale, data=Path(source).name)
    return kept, notes


def label_indices(found: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Give labels their indices; one that is not among the names is Other.

    Parameters
    ----------
    found : sequence of str, length n
    names : sequence of str, length n_classes

    Returns
    -------
    ndarray of int64, shape (n,)
        ``n_classes`` for Other.

    Raises
    ------
    ValueError
        If no label at all is among the names.

    Examples
    --------
    >>> label_indices(["tax", "zoo", "bin"], ("bin", "tax"))
    array([1, 2, 0])
    """
    index = {name: k for k, name in enumerate(names)}
    if not any(name in index for name in found):
        raise ValueError(
            f"no label is one of {', '.join(names)}: the labels are {some_of(found)}; for other "
            "names of the score columns, --names of choose says which label each stands for"
        )
    return np.array([index.get(name, len(names)) for name in found])
