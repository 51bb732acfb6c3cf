"""Costs from a small table: a cost matrix for one of many labels, those of each for many labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.data import Kind
from helpers.label_costs import read_label_costs
from helpers.portable.cost_matrix import CostMatrix
from helpers.portable.costs import Costs
from helpers.portable.decisions import LabelThresholds, MinimumExpectedCost, Rule
from helpers.tables import columns_of, read_all


def read_costs(path: str | Path, label_names: Sequence[str], kind: Kind) -> dict[str, Any]:
    """Read what `helpers.choosing.criterion_of` takes for this kind of task.

    Parameters
    ----------
    path : path
        For one of many as `read_cost_matrix` takes it, for many labels as `read_label_costs`.
    label_names : sequence of str
    kind : "binary", "multiclass" or "multilabel"

    Returns
    -------
    dict
        ``cost_matrix`` and perhaps ``other``, or ``label_costs``.

    Raises
    ------
    ValueError
        If the kind is yes/no, or the table is refused.
    """
    if kind != "multiclass":
        return {"label_costs": read_label_costs(path, label_names, kind)}
    costs, other = read_cost_matrix(path, label_names)
    return {"cost_matrix": costs} | ({} if other is None else {"other": other})


def read_cost_matrix(path: str | Path, label_names: Sequence[str]) -> tuple[CostMatrix, str | None]:
    """Read what each answer costs for each true label.

    Parameters
    ----------
    path : path
        A table. The first column names the true label; then follows a column for each answer: the
        labels, and at most one more, the reject, whose name is free. Rows and columns may come in
        any order. A row with the name of the reject prices messages that belong to no label.
    label_names : sequence of str, length n_classes

    Returns
    -------
    costs : CostMatrix
        In the order of the labels.
    other : str or None
        The name of the reject; None where there is none.

    Raises
    ------
    ValueError
        If a row or a column is missing, unknown or there twice, a cost is no number or makes no
        sense, or `read_all` refuses the file.
    """
    path = Path(path).expanduser()
    rows = read_all(path, ())
    first, *answers = columns_of(path)
    missing = [name for name in label_names if name not in answers]
    extra = [name for name in answers if name not in label_names]
    if missing:
        raise ValueError(f"{path} has no column for the answer {', '.join(missing[:5])}")
    if len(extra) > 1:
        raise ValueError(
            f"{path} has the columns {', '.join(extra[:5])}, which are no labels: one may be the "
            "reject"
        )
    other = extra[0] if extra else None
    order = [*label_names, *extra]
    found: dict[str, list[float]] = {}
    for number, (row, _) in enumerate(rows, start=1):
        name = str(row[first]).strip()
        where = f"{path}, row {number} ({name})"
        if name in found:
            raise ValueError(f"{where}: this label has costs already")
        if name not in order:
            raise ValueError(f"{where}: this is no label; the labels are {', '.join(label_names)}")
        found[name] = [_number(row[answer], answer, where) for answer in order]
    missing = [name for name in label_names if name not in found]
    if missing:
        raise ValueError(f"{path} has no row for the true label {', '.join(missing[:5])}")
    matrix: Any = [found[name] for name in label_names]
    unknown: Any = found.get(other) if other is not None else None
    try:
        return CostMatrix(costs=matrix, unknown=unknown), other
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _number(value: Any, answer: str, where: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{where}: the cost of the answer {answer} must be a number, got {value!r}"
        ) from None


def read_costs_of(rule: Rule, path: str | Path) -> CostMatrix | list[Costs]:
    """Read the table of costs that a saved rule can take in place of its own.

    Parameters
    ----------
    rule : MinimumExpectedCost or LabelThresholds
    path : str or Path

    Returns
    -------
    CostMatrix or list of Costs

    Raises
    ------
    ValueError
        If the rule takes no table, the table is odd, or it calls the reject by another name.
    """
    if isinstance(rule, LabelThresholds):
        return read_label_costs(path, rule.label_names)
    if not isinstance(rule, MinimumExpectedCost):
        raise ValueError(
            f"a table of costs is for many labels or a cost matrix, not for a {type(rule).__name__}"
        )
    costs, other = read_cost_matrix(path, rule.label_names)
    if other is not None and other != rule.other:
        raise ValueError(f"the column {other!r} is no label, and the reject is {rule.other!r}")
    return costs
