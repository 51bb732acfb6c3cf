"""Options that several commands share, with their words of help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Place = Annotated[Path, typer.Option(help="Folder to save network and rule in.")]
FalsePositive = Annotated[float | None, typer.Option(help="Cost of a false alarm.")]
FalseNegative = Annotated[float | None, typer.Option(help="Cost of a miss.")]
Review = Annotated[float | None, typer.Option(help="Yes/no: cost of a person's reading.")]
MaxReview = Annotated[float | None, typer.Option(help="Yes/no: the share that people can read.")]
Recall = Annotated[
    str | None,
    typer.Option(help="Yes/no, each of many labels: find this share, or home=0.9,water=0.8."),
]
Precision = Annotated[
    str | None, typer.Option(help="So, too: be right at least so often. Both may be given.")
]
FBeta = Annotated[float | None, typer.Option(help="Yes/no: the greatest F-beta.")]
CostTable = Annotated[
    Path | None,
    typer.Option(
        help="A table. One of many: a row for each true label, a column for each answer; many "
        "labels: label, false_positive, false_negative."
    ),
]
Reject = Annotated[float | None, typer.Option(help="One of many: cost of Other.")]
Error = Annotated[float | None, typer.Option(help="One of many: cost of a wrong label.")]
Coverage = Annotated[float | None, typer.Option(help="One of many: answer this share.")]
Risk = Annotated[float | None, typer.Option(help="One of many: errors among answers.")]
SetCoverage = Annotated[
    float | None, typer.Option(help="One of many: name sets that hold the true label so often.")
]
ByClass = Annotated[bool, typer.Option("--by-class", help="With --set-coverage: for each class.")]
MaxMissed = Annotated[
    float | None, typer.Option(help="Many labels: miss this share of a text's, in the mean.")
]
Revision = Annotated[str | None, typer.Option(help="Of owner/name on the Hub: commit or main.")]
Level = Annotated[float | None, typer.Option("--confidence", help="Prove the promise, as 0.9.")]
MicroF1 = Annotated[bool, typer.Option("--micro-f1", help="Many labels.")]
MacroF1 = Annotated[bool, typer.Option("--macro-f1", help="Many labels.")]
Positive = Annotated[str | None, typer.Option(help="Of two labels the one to look for.")]
Separator = Annotated[str | None, typer.Option(help="Between several labels in one cell, as ';'.")]
Subset = Annotated[str | None, typer.Option(help="Of a data set that has several.")]
EngineName = Annotated[
    str, typer.Option("--engine", help="Of many files: local, or ray for a cluster.")
]
Workers = Annotated[int | None, typer.Option(help="Of ray: how many.", min=1)]
LabelColumns = Annotated[
    str, typer.Option(help="The column with the true label; several: bins,roads,water.")
]
LowMemory = Annotated[
    bool,
    typer.Option("--low-memory", help="Yes/no: read in pieces; many files: 'parts/*.parquet'."),
]
Encoding = Annotated[str, typer.Option(help="Of the table, as latin-1.")]


def criterion_given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Take from a command's arguments those that say how to choose, if they were given.

    Parameters
    ----------
    arguments : dict
        By name.

    Returns
    -------
    dict
        Options of `criterion_of`.

    Examples
    --------
    >>> criterion_given({"min_recall": "0.9", "max_risk": None, "output": "models/mine"})
    {'min_recall': 0.9}
    """
    from inspect import signature

    from helpers.choosing import criterion_of

    names = [name for name in signature(criterion_of).parameters if name in arguments]
    given = {name: arguments[name] for name in names if name != "kind"}
    for name in ("min_recall", "min_precision"):
        if given.get(name) is not None:
            given[name] = _floor(given[name])
    return {name: one for name, one in given.items() if one is not None and one is not False}


def _floor(text: str) -> float | dict[str, float]:
    """Read one number, or one for each label by its name."""
    from helpers.rules import read_named

    try:
        return float(text)
    except ValueError:
        return read_named(text, "floors")
