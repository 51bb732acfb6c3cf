"""Costs of a miss and a false alarm for each of many labels, from a small table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from helpers.data import Kind
from helpers.portable.costs import Costs
from helpers.tables import read_all

COLUMNS = ("label", "false_positive", "false_negative")


def read_label_costs(
    path: str | Path, label_names: Sequence[str], kind: Kind = "multilabel"
) -> list[Costs]:
    """Read what the two mistakes cost for each label.

    Parameters
    ----------
    path : path
        A table with the columns ``label``, ``false_positive`` and ``false_negative``, a row for
        each label, in any order.
    label_names : sequence of str, length n_labels
    kind : "binary", "multiclass" or "multilabel"
        Of the task; only many labels have costs for each.

    Returns
    -------
    list of Costs, length n_labels
        In the order of the labels.

    Raises
    ------
    ValueError
        If the kind is another, a label is missing, unknown or there twice, a cost is no number or
        makes no sense, or `read_all` refuses the file.
    """
    if kind != "multilabel":
        raise ValueError(f"--costs prices each of many labels, and the kind is {kind}")
    found: dict[str, Costs] = {}
    for number, (row, _) in enumerate(read_all(path, COLUMNS), start=1):
        name = str(row["label"]).strip()
        where = f"{path}, row {number} ({name})"
        if name in found:
            raise ValueError(f"{where}: this label has costs already")
        try:
            alarm, miss = (float(row[column]) for column in COLUMNS[1:])
        except (TypeError, ValueError):
            raise ValueError(
                f"{where}: costs must be numbers, got {row['false_positive']!r} and "
                f"{row['false_negative']!r}"
            ) from None
        try:
            found[name] = Costs(false_positive=alarm, false_negative=miss)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    missing = [name for name in label_names if name not in found]
    unknown = [name for name in found if name not in label_names]
    if missing or unknown:
        lacks = f"no costs for {', '.join(missing[:5])}" if missing else ""
        odd = f"costs for {', '.join(unknown[:5])}, which is no label" if unknown else ""
        raise ValueError(f"{path} has {' and '.join(filter(None, (lacks, odd)))}")
    return [found[name] for name in label_names]
