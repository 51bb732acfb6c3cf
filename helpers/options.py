"""Options that several commands share, with their words of help."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

Place = Annotated[Path, typer.Option(help="Folder to save network and rule in.")]
FalsePositive = Annotated[float | None, typer.Option(help="Cost of a false alarm.")]
FalseNegative = Annotated[float | None, typer.Option(help="Cost of a miss.")]
Review = Annotated[float | None, typer.Option(help="Yes/no: cost of a person's reading.")]
MaxReview = Annotated[float | None, typer.Option(help="Yes/no: the share that people can read.")]
MaxOmission = Annotated[
    float | None,
    typer.Option(
        help="Yes/no, a band: of the answers no at most this share is wrong; goes with "
        "--max-false-discovery and --confidence."
    ),
]
MaxDiscovery = Annotated[float | None, typer.Option(help="So, too: of the answers yes.")]
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
Risk = Annotated[
    float | None, typer.Option(help="One of many, with --confidence: errors among answers.")
]
SetCoverage = Annotated[
    float | None, typer.Option(help="One of many: name sets that hold the true label so often.")
]
ByClass = Annotated[bool, typer.Option("--by-class", help="With --set-coverage: for each class.")]
SetScore = Annotated[
    str | None, typer.Option(help="With --set-coverage: lac, the shortest, or aps, by doubt.")
]
Randomized = Annotated[
    bool, typer.Option("--randomized", help="With --set-coverage: a draw decides at the border.")
]
MeasureName = Annotated[
    str | None,
    typer.Option(
        "--measure",
        help="One of many: what the cut of --reject or --coverage is on: softmax, margin, entropy, "
        "logit or energy. Lesson 02 compares them.",
    ),
]
MaxLost = Annotated[
    float | None,
    typer.Option(
        help="One of many: call what the network does not know unknown, this share of known "
        "messages at most; goes with --reject or --coverage."
    ),
]
UnknownPrice = Annotated[
    float | None,
    typer.Option(
        help="So, too, with --reject: where that is cheapest at this cost of an unknown one, on "
        "rows of no label; not in train."
    ),
]
MaxMissed = Annotated[
    float | None,
    typer.Option(help="Many labels: miss this share of a text's, in the mean; of no label none."),
]
Revision = Annotated[str | None, typer.Option(help="Of owner/name on the Hub: commit or main.")]
Level = Annotated[float | None, typer.Option("--confidence", help="Prove the promise, as 0.9.")]
MicroF1 = Annotated[bool, typer.Option("--micro-f1", help="Many labels.")]
MacroF1 = Annotated[bool, typer.Option("--macro-f1", help="Many labels.")]
Positive = Annotated[str | None, typer.Option(help="Of two labels the one to look for.")]
Separator = Annotated[str | None, typer.Option(help="Between several labels in one cell, as ';'.")]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume/--no-resume", help="Go on where an equal run was stopped, or start anew."
    ),
]
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


# what `helpers.choosing.criterion_of` takes by these names
CRITERION: dict[str, Any] = {
    "false_positive": FalsePositive,
    "false_negative": FalseNegative,
    "review": Review,
    "max_review": MaxReview,
    "max_false_omission": MaxOmission,
    "max_false_discovery": MaxDiscovery,
    "min_recall": Recall,
    "min_precision": Precision,
    "f_beta": FBeta,
    "reject": Reject,
    "error": Error,
    "coverage": Coverage,
    "max_risk": Risk,
    "measure": MeasureName,
    "max_lost": MaxLost,
    "unknown_price": UnknownPrice,
    "set_coverage": SetCoverage,
    "by_class": ByClass,
    "set_score": SetScore,
    "randomized": Randomized,
    "micro_f1": MicroF1,
    "macro_f1": MacroF1,
    "max_missed": MaxMissed,
    "confidence_level": Level,
}


def takes_criterion(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options that say how to choose a rule.

    Parameters
    ----------
    command : callable
        Its argument ``criterion`` gets those that were given, by name.

    Returns
    -------
    callable

    Examples
    --------
    >>> @takes_criterion
    ... def show(name: str, criterion: dict) -> None:
    ...     print(name, criterion)
    >>> show(name="urgent", **{option: None for option in CRITERION} | {"coverage": 0.9})
    urgent {'coverage': 0.9}
    """
    shape = signature(command)
    own = [one for name, one in shape.parameters.items() if name != "criterion"]
    more = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=False if get_args(kind)[0] is bool else None,
            annotation=kind,
        )
        for name, kind in CRITERION.items()
    ]

    @wraps(command)
    def run(**given: Any) -> None:
        asked = criterion_given({name: given.pop(name) for name in CRITERION})
        command(**given, criterion=asked)

    run.__signature__ = shape.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return run


def criterion_given(options: dict[str, Any]) -> dict[str, Any]:
    """Take of a command's options that say how to choose those that were given.

    Parameters
    ----------
    options : dict
        By name, of `CRITERION`.

    Returns
    -------
    dict
        Options of `criterion_of`.

    Examples
    --------
    >>> criterion_given({"min_recall": "0.9", "max_risk": None})
    {'min_recall': 0.9}
    """
    given = {name: one for name, one in options.items() if one is not None and one is not False}
    for name in ("min_recall", "min_precision"):
        if name in given:
            given[name] = _floor(given[name])
    return given


def _floor(text: str) -> float | dict[str, float]:
    """Read one number, or one for each label by its name."""
    from helpers.rules import read_named

    try:
        return float(text)
    except ValueError:
        return read_named(text, "floors")
