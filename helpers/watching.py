"""Watch a saved rule on messages without labels: what `python -m helpers watch` does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.columns import read_texts
from helpers.deployment import load
from helpers.drift import Drift, compare
from helpers.files import check_target, write_whole
from helpers.page import Page
from helpers.portable.costs import Costs, RejectCosts
from helpers.portable.pipeline import read_decision
from helpers.reference import read_reference
from helpers.table_report import write_page
from helpers.tables import read_all

START = "decision_"  # of the columns that `score` adds
NAMES = ("label", "best", "second", "positive_label", "reason")  # of those that hold a word
WORDS = {"": None, "True": True, "False": False}
CONDITIONS = (
    "Computed without a label, so they hold on two conditions: the probabilities are calibrated, "
    "and the texts of each label are like those of then. Where texts are of a new kind they are "
    "wrong, and may be so without a sign."
)


def watch(
    folder: str | Path,
    source: str | Path,
    *,
    text: str = "text",
    costs: Costs | RejectCosts | None = None,
    review: float | None = None,
    confidence_level: float = 0.95,
    encoding: str = "utf-8",
) -> Page:
    """Compare messages without labels with the rows that chose a saved rule.

    Parameters
    ----------
    folder : path
        As `save` wrote it with a reference; `train` and `adopt` do.
    source : path
        A table that `score` wrote with this folder, or one of texts alone: these are decided first.
    text : str, default "text"
        The column with the texts; a table of `score` need not have it.
    costs, review, confidence_level
        As for `helpers.drift.compare`.
    encoding : str, default "utf-8"
        Of the table.

    Returns
    -------
    Page
        Sections ``What to do``, ``Then and now`` and ``Without labels``.

    Raises
    ------
    ValueError
        If the folder keeps no reference, the table has neither decisions nor texts, or another rule
        decided it.

    Notes
    -----
    Two figures are left out. How far a text lies from those that trained the network needs their
    vectors, and the network at work; a table of `score` holds decisions alone. In its place stands
    the second cut of a `RejectOption` (``--max-lost``), on the network's energy: the share of what
    is unknown has a line. Nor are pieces counted that the tokenizer does not know: it spells a new
    word with pieces that it knows, so their share stays near 0 unless texts come in another script.
    Words that no training text has are counted instead.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    reference, rule = read_reference(folder), read_decision(folder).rule
    path = Path(source).expanduser()
    table = pd.DataFrame([row for row, _ in read_all(path, [], encoding, hint=f"{START}accepted")])
    texts = read_texts(table, text) if text in table.columns else None
    if any(str(name).startswith(START) for name in table.columns):
        records = read_records(table)
    elif texts is not None:
        records = load(folder).explain(texts)
    else:
        raise ValueError(
            f"{source} has neither columns of decisions, as score writes them, nor one called "
            f"{text!r} with texts"
        )
    found = compare(
        rule,
        reference,
        records,
        texts=texts,
        costs=costs,
        review=review,
        confidence_level=confidence_level,
    )
    title = f"{folder.name} on {Path(source).name}"
    return watch_page(found, n_now=len(records), n_then=len(reference.labels), title=title)


def read_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Read a rule's records back from the columns that `score` added.

    Parameters
    ----------
    table : DataFrame, n rows
        Cells as they were written, or as text.

    Returns
    -------
    list of dict, length n

    Raises
    ------
    ValueError
        If a cell cannot be read.

    Examples
    --------
    >>> table = pd.DataFrame({"decision_label": ["1"], "decision_accepted": ["True"]})
    >>> read_records(table)
    [{'label': '1', 'accepted': True}]
    """
    columns: dict[str, list[Any]] = {}
    for column in map(str, table.columns):
        if column.startswith(START):
            name = column.removeprefix(START)
            columns[name] = [_cell(cell, name, i) for i, cell in enumerate(table[column], 1)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cell(cell: Any, name: str, row: int) -> Any:
    if not isinstance(cell, str):
        return None if isinstance(cell, float) and cell != cell else cell
    if name in NAMES:
        return cell
    try:
        return WORDS[cell] if cell in WORDS else json.loads(cell)
    except ValueError:
        raise ValueError(
            f"{START}{name} has {cell!r} in row {row}, which score never writes"
        ) from None


def watch_page(found: Drift, *, n_now: int, n_then: int, title: str) -> Page:
    """Set what `compare` found on a page.

    Parameters
    ----------
    found : Drift
    n_now, n_then : int
        Rows.
    title : str

    Returns
    -------
    Page

    Examples
    --------
    >>> page = watch_page(Drift([], [], "Keep it."), n_now=9, n_then=8, title="desk on inbox.csv")
    >>> page.sections[0]["text"]
    'Keep it.'
    """
    sections: list[dict[str, Any]] = [
        {"heading": "What to do", "text": found.advice, "rows": []},
        {
            "heading": "Then and now",
            "text": f"{n_now} rows now, {n_then} that chose the rule then. low and high are the "
            "interval of now minus then; a distance is 0 where nothing differs.",
            "rows": _plain(found.table),
        },
        {
            "heading": "Without labels",
            "text": f"{CONDITIONS} low and high are the interval of now; then was counted, with "
            "labels.",
            "rows": _plain(found.figures),
        },
    ]
    return Page(title, sections, {})


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write what is not a number as None: JSON has no NaN."""
    return [{k: None if v != v else v for k, v in row.items()} for row in rows]


def costs_of(
    false_positive: float | None,
    false_negative: float | None,
    reject: float | None,
    error: float | None,
) -> Costs | RejectCosts | None:
    """Make of the command's flags the costs that they name.

    Parameters
    ----------
    false_positive, false_negative : float, optional
        For yes/no, both.
    reject, error : float, optional
        For one of many.

    Returns
    -------
    Costs, RejectCosts or None

    Raises
    ------
    ValueError
        If one of two lacks the other, or both kinds are given.

    Examples
    --------
    >>> costs_of(None, None, 0.4, None)
    RejectCosts(reject=0.4, error=1.0, unknown=1.0)
    """
    pair = (false_positive, false_negative)
    if reject is not None or error is not None:
        if reject is None or pair != (None, None):
            raise ValueError("costs are --false-positive and --false-negative, or --reject")
        return RejectCosts(reject=reject, error=1.0 if error is None else error)
    if pair == (None, None):
        return None
    if false_positive is None or false_negative is None:
        raise ValueError("give both --false-positive and --false-negative")
    return Costs(false_positive=false_positive, false_negative=false_negative)


def in_lines(page: Page) -> list[str]:
    """Write what moved, and the figures, as lines of text.

    Parameters
    ----------
    page : Page
        Of `watch`.

    Returns
    -------
    list of str

    Examples
    --------
    >>> page = watch_page(Drift([], [], "Keep it."), n_now=9, n_then=8, title="desk on inbox.csv")
    >>> in_lines(page)[:2]
    ['desk on inbox.csv', 'Keep it.']
    """
    advice, table, figures = page.sections
    moved = [row for row in table["rows"] if row["moved"]]
    lines = [page.title, advice["text"], "", f"moved: {len(moved)} of {len(table['rows'])} lines"]
    for row in moved:
        span = f"{row['low']:+.3g} to {row['high']:+.3g}"
        lines.append(f"  {row['what']}: {row['then']:.3g}, now {row['now']:.3g} ({span})")
        lines.append(f"    {row['meaning']}")
    lines += ["", "without labels:"]
    for row in figures["rows"]:
        then = "" if row["then"] is None else f"then {row['then']:.3g}, "
        now = "nothing to divide by"
        if row["now"] is not None:
            now = f"now {row['now']:.3g} ({row['low']:.3g} to {row['high']:.3g})"
        lines += [f"  {row['what']}: {then}{now}", f"    {row['meaning']}"]
    return [*lines, "", CONDITIONS]


def check_page(output: Path) -> Path:
    """Say whether a page can be written there.

    Parameters
    ----------
    output : Path

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If the name ends in neither .html nor .json, or its folder is not there.

    Examples
    --------
    >>> check_page(Path("watch.html")).name
    'watch.html'
    """
    return check_target(output, ".json" if output.suffix == ".json" else ".html")


def write(page: Page, target: Path) -> list[Path]:
    """Write a page: as HTML with its JSON beside it, or as JSON alone.

    Parameters
    ----------
    page : Page
    target : Path
        Of `check_page`. An earlier file is replaced.

    Returns
    -------
    list of Path
    """
    if target.suffix != ".json":
        return write_page(page, target)
    values = {"title": page.title, "sections": page.sections}
    write_whole(target, json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return [target]
