"""Report a saved rule on a labelled table: what `python -m helpers report` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.columns import is_empty, read_labels, read_parts, read_texts, read_truths
from helpers.deployment import load
from helpers.files import check_target, write_whole
from helpers.page import Page, report_page
from helpers.portable.decisions import YES_NO, Rule
from helpers.portable.labels import LabelThresholds
from helpers.score_choice import label_indices
from helpers.score_files import read_rule, read_scores
from helpers.seen_texts import shares_seen
from helpers.sources import Source, read_source
from helpers.table_audit import audit_sections
from helpers.table_files import label_sets

MOST_SEEN = 0.1  # of the texts: by chance new tables share short ones with old ones


def report_table(
    place: str | Path,
    source: str | Path,
    *,
    text: str = "text",
    labels: Sequence[str] = ("label",),
    separator: str | None = None,
    split: str | None = None,
    subset: str | None = None,
    id_column: str | None = None,
    seen: bool = False,
    encoding: str = "utf-8",
) -> Page:
    """Report a saved rule on rows whose true labels are known, and look these rows over.

    Parameters
    ----------
    place : path
        A folder that `save` wrote, or the file of a rule for scores.
    source : path or str
        A table: of texts for a folder (as `read_source` reads it), of scores for a file.
    text : str, default "text"
        The column with the texts; for scores shown where it is there.
    labels : sequence of str
        The column with the true label; for many labels a column of 0 and 1 each, called like the
        labels or in their order, or one column with lists.
    separator : str, optional
        Between the labels of a cell.
    split : str, optional
        A column with the parts: the rows of the test part are reported. By default files' names or
        the splits of a data set tell it, if they can.
    subset : str, optional
        Of a data set that has several.
    id_column : str, optional
        A column that names a row, shown beside the number of the row.
    seen : bool, default False
        Whether these rows chose the rule; the figures are stamped then.
    encoding : str, default "utf-8"

    Returns
    -------
    Page
        Of `report_page`, with the sections of `audit_sections`. Rows without a text are left out.

    Raises
    ------
    ValueError
        If these rows chose the rule, or more than a tenth of the texts chose it or trained the
        network, and `seen` is False; if a column is missing, a label is unknown to the rule, or a
        row cannot be read.
    """
    place = Path(place).expanduser()
    if place.is_file():
        if split is not None or subset is not None:
            raise ValueError("--split and --subset are for a folder, and this is a rule for scores")
        kept = read_rule(place)
        rule: Rule = kept.rule
        rows, scores = read_scores(source, kept.columns, encoding=encoding)
        name, table = Path(source).name, pd.DataFrame([row for row, _ in rows])
        truth = true_labels(table, labels, rule, separator=separator)
        texts = [str(cell) for cell in table[text]] if text in table.columns else None
        z: Any = kept.logits(scores)
        truncated, note = None, ""
        where: dict[str, list[Any]] = {"row": [*range(1, len(table) + 1)]}
    else:
        deployment = load(place)
        rule = deployment.rule
        columns = [text, *labels, *([split] if split else []), *([id_column] if id_column else [])]
        one = labels[0] if len(labels) == 1 else None
        found = read_source(source, columns, label=one, subset=subset, encoding=encoding)
        name, where, table, note = _rows_to_report(found, text, split)
        texts = read_texts(table, text)
        truth = true_labels(table, labels, rule, separator=separator)  # before the network works
        note += _seen_before(place, texts, seen)
        z, truncated = deployment.logits_and_truncation(texts)
    if id_column is not None:
        if id_column not in table.columns:
            raise ValueError(f"{name} has no column {id_column!r}")
        cells = table[id_column].tolist()
        where[id_column] = [cell if isinstance(cell, int) else str(cell) for cell in cells]
    page = report_page(
        rule, z, truth, texts=texts, title=f"{place.name} on {name}", seen=seen, where=where
    )
    page.sections[1]["text"] += note
    about = audit_sections(rule, z, truth, texts=texts, truncated=truncated, where=where)
    return replace(page, sections=page.sections + about)


def _rows_to_report(
    found: Source, text: str, split: str | None
) -> tuple[str, dict[str, list[Any]], pd.DataFrame, str]:
    """Take the test part of a source that has parts, without the rows that have no text.

    Gives a name for it, the file (where there are several) and number of each row, the rows, and a
    note on what was left out.
    """
    files = pd.Series(found.files)
    places = pd.DataFrame({"file": files, "row": files.groupby(files).cumcount() + 1})
    name, table = found.name, found.table
    parts = found.parts if split is None else read_parts(table, split)
    if parts is not None:
        is_test = np.array(parts) == "test"
        if not is_test.any():
            raise ValueError(f"{name} has no test part, only {', '.join(sorted(set(parts)))}")
        name, table, places = f"{name}, test part", table[is_test], places[is_test]
    if places["file"].nunique() == 1:
        places = places[["row"]]
    empty, note = np.array([is_empty(cell) for cell in table[text]]), ""
    if empty.any() and not empty.all():
        rows = [" ".join(map(str, row)) for row in places[empty].to_numpy()]
        some = ", ".join(rows[:5]) + (", ..." if len(rows) > 5 else "")
        note = f" Left out were {len(rows)} rows without a text: {some}."
        table, places = table[~empty], places[~empty]
    return name, places.to_dict("list"), table.reset_index(drop=True), note


def _seen_before(place: Path, texts: Sequence[str], seen: bool) -> str:
    """Say how many texts trained the network or chose the rule; refuse them if they are many."""
    shares = shares_seen(place, texts)
    did = {"train": "trained the network", "validation": "chose the rule"}
    said = [f"{share:.1%} {did.get(part, part)}" for part, share in shares.items() if share]
    if not said:
        return " By the hashes that the folder keeps, none did." if shares else ""
    if sum(shares.values()) > MOST_SEEN and not seen:
        raise ValueError(
            f"of these texts {' and '.join(said)}: the figures would be too good; report on other "
            "rows, or say --seen to have them stamped"
        )
    return f" Of these texts {' and '.join(said)}: on them the figures flatter."


def true_labels(
    table: pd.DataFrame, columns: Sequence[str], rule: Rule, *, separator: str | None = None
) -> NDArray[np.int64]:
    """Read the true labels of a table in the order of a rule.

    Parameters
    ----------
    table : DataFrame, n rows
    columns : sequence of str
    rule : a rule of `helpers.decisions`
        With label names.
    separator : str, optional
        As for `report_table`.

    Returns
    -------
    ndarray of int64, shape (n,) or (n, n_labels)

    Raises
    ------
    ValueError
        If a column is missing, their number does not fit, or a label is unknown to the rule; for
        one of many an unknown label is Other, unless all are.

    Examples
    --------
    >>> from helpers.decisions import BinaryThreshold
    >>> rule = BinaryThreshold.from_threshold(0.5, label_names=("no", "yes"))
    >>> true_labels(pd.DataFrame({"urgent": ["yes", "no"]}), ["urgent"], rule)
    array([1, 0])
    """
    names = tuple(rule.label_names)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(
            f"the table has no column {', '.join(missing)}, only {', '.join(map(str, table))}"
        )
    if isinstance(rule, LabelThresholds):
        if len(columns) == 1 and len(names) > 1:
            sets = label_sets(table[columns[0]].tolist(), separator)
            unknown = sorted({one for row in sets for one in row} - set(names))
            if unknown:
                several = next(
                    (s for s in ";|," if set(map(str.strip, unknown[0].split(s))) <= set(names)), ""
                )
                hint = f"; if a cell holds several, say --separator {several!r}" if several else ""
                raise ValueError(
                    f"labels that the rule does not know: {', '.join(unknown[:5])}; it knows "
                    f"{', '.join(names)}{hint}"
                )
            return np.array([[int(one in row) for one in names] for row in sets])
        if len(columns) != len(names):
            raise ValueError(f"expected {len(names)} label columns, got {len(columns)}")
        ordered = list(names) if set(columns) == set(names) else list(columns)
        return read_truths(table, ordered).astype(np.int64)
    if len(columns) != 1:
        raise ValueError(f"this rule gives one label a row: name one column, got {len(columns)}")
    found = read_labels(table, columns[0])
    if isinstance(rule, YES_NO):
        unknown = sorted(set(found) - set(names))
        if unknown:
            raise ValueError(
                f"labels that the rule does not know: {', '.join(unknown[:5])}; it knows "
                f"{' and '.join(names)}"
            )
        return np.array([names.index(one) for one in found])
    return label_indices(found, names)


def write_page(page: Page, path: str | Path) -> list[Path]:
    """Write a page as HTML, and its sections as JSON beside it.

    Parameters
    ----------
    page : Page
    path : path
        Ends in ``.html``. The JSON is called alike, but with ``.report.json`` at the end, so that
        it is never the file of a rule. Earlier files of these names are replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If the name ends otherwise, or its folder is not there.
    """
    path = check_target(path, ".html")
    beside = path.with_suffix(".report.json")
    values = {"title": page.title, "sections": page.sections}
    write_whole(beside, json.dumps(values, indent=2, ensure_ascii=False, default=float) + "\n")
    write_whole(path, page.html)
    return [path, beside]
