"""One page about a rule on data that did not choose it: figures, tables, and the rows to look at.

The page is one HTML file that loads nothing; the same figures stand in a dict that is plain JSON.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.choosing import report_rule
from helpers.page_sections import DRAW
from helpers.portable.cost_matrix import CostMatrix
from helpers.portable.costs import Costs, RejectCosts
from helpers.portable.decisions import (
    YES_NO,
    BinaryThreshold,
    LabelThresholds,
    MinimumExpectedCost,
    PredictionSets,
    RejectOption,
    ReviewBand,
    Rule,
)
from helpers.portable.rule import ALWAYS
from helpers.rules import chosen_in_words

# a table that may be wider than the screen: a shadow where more columns follow
WIDE = """
.wide { overflow-x: auto; background:
  linear-gradient(to right, var(--page, Canvas) 40%, transparent) left / 2rem 100%,
  linear-gradient(to left, var(--page, Canvas) 40%, transparent) right / 2rem 100%,
  linear-gradient(to right, #888c, transparent) left / .7rem 100%,
  linear-gradient(to left, #888c, transparent) right / .7rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
"""
STYLE = (
    WIDE
    + """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
img { max-width: 100%; background: white; }
figure { margin: 1rem 0; } figcaption, .note { font-size: .9rem; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #8888; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.text { min-width: 14rem; overflow-wrap: anywhere; }
@media print { body { max-width: none; font-size: 11pt; } h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; } .wide { overflow: visible; } }
"""
)


@dataclass(frozen=True)
class Page:
    """A report on a rule.

    Attributes
    ----------
    title : str
    sections : list of dict
        Plain JSON, one a section: ``heading``, ``text``, and ``rows`` (a list of dict) where there
        is a table. A figure is on the page alone: ``alt`` says what it shows.
    images : dict of str to bytes
        Heading to the SVG of its figure.
    """

    title: str
    sections: list[dict[str, Any]]
    images: dict[str, bytes]

    @property
    def html(self) -> str:
        """The page: one file that loads nothing."""
        parts = [f"<h1>{html.escape(self.title)}</h1>"]
        for section in self.sections:
            parts.append(f"<h2>{html.escape(section['heading'])}</h2>")
            parts.append(f"<p>{html.escape(section['text'])}</p>")
            if (image := self.images.get(section["heading"])) is not None:
                source = base64.b64encode(image).decode()
                alt = html.escape(section["alt"])
                parts.append(
                    f'<figure><img alt="{alt}" src="data:image/svg+xml;base64,{source}"></figure>'
                )
            if section.get("rows"):
                parts.append(_table(section["rows"]))
        head = (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(self.title)}</title><style>{STYLE}</style></head><body><main>"
        )
        return head + "\n".join(parts) + "</main></body></html>\n"


def report_page(
    rule: Rule,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    texts: Sequence[str] | None = None,
    costs: Costs | RejectCosts | CostMatrix | Sequence[Costs] | None = None,
    title: str = "A decision rule on new data",
    seen: bool = False,
    where: Mapping[str, Sequence[Any]] | None = None,
) -> Page:
    """Report a rule on data that did not choose it.

    Parameters
    ----------
    rule : a rule of `helpers.decisions`
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
    labels : array_like of int, shape (n,) or (n, n_labels)
        As `report_rule` takes them.
    texts : sequence of str, length n, optional
        Shown with the rows to look at.
    costs : Costs, RejectCosts or CostMatrix, or a Costs for each label, optional
        By default those that the rule was chosen by; without any, each mistake costs 1, and many
        labels are not priced.
    title : str
    seen : bool, default False
        Whether these rows chose the rule.
    where : mapping of str to sequence of length n, optional
        What names a row, as its number and an id; by default the number, from 1.

    Returns
    -------
    Page

    Raises
    ------
    ValueError
        If these rows chose the rule and `seen` is False, there are not as many texts as rows, or
        logits and labels are not what they should be.

    Examples
    --------
    >>> rule = BinaryThreshold.from_threshold(0.5, label_names=("wait", "urgent"))
    >>> page = report_page(rule, [-2.0, -1.0, 1.0, 2.0], [0, 1, 0, 1])
    >>> page.sections[0]["heading"], "<table>" in page.html
    ('The rule', True)
    """
    n = len(np.atleast_1d(np.asarray(labels)))
    if texts is not None and len(texts) != n:
        raise ValueError(f"expected a text for each of {n} rows, got {len(texts)}")
    where = {"row": range(1, n + 1)} if where is None else where
    costs = costs or _costs_of(rule)
    table = report_rule(rule, logits, labels, costs=costs, seen=seen)
    sections, images = DRAW[type(rule)](rule, logits, labels, costs, texts, seen, where)
    about = {"heading": "The rule", "text": _in_words(rule), "rows": []}
    beside: dict[str, Any] = {
        "heading": "Beside the plain rule",
        "text": f"{n} rows, not the set that chose the rule. The figures hold only if none of them "
        "trained the network or chose the rule."
        if not seen
        else f"{n} rows; they chose the rule, so all figures are optimistic.",
        "rows": table,
    }
    if "difference" in table[-1]:
        last = table[-1]
        beside["text"] += (
            f" Its cost minus that of the plain one is {last['difference']:+.4f} a row, 95 % "
            f"interval {last['low']:+.4f} to {last['high']:+.4f}"
            + (": it holds 0." if last["low"] <= 0 <= last["high"] else ".")
        )
    sections = [about, beside, *sections]
    for section in sections:  # JSON has no NaN
        section["rows"] = [
            {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
            for row in section.get("rows", [])
        ]
    return Page(title, sections, images)


def _costs_of(rule: Rule) -> Costs | RejectCosts | CostMatrix | list[Costs] | None:
    """Read the costs that a rule was chosen by."""
    if isinstance(rule, MinimumExpectedCost):
        return rule.costs
    kept = rule.chosen.get("costs")
    if isinstance(rule, LabelThresholds) and isinstance(kept, list):
        return [Costs(**one) for one in kept]
    if isinstance(rule, LabelThresholds) or not isinstance(kept, dict):
        return None
    return Costs(**kept) if isinstance(rule, YES_NO) else RejectCosts(**kept)


def _in_words(rule: Rule) -> str:
    """Say what a rule does, how it came about, and what its data can support."""
    if isinstance(rule, BinaryThreshold):
        said = (
            f'"{rule.label_names[1]}" where its probability is at least {rule.threshold:.4g}, '
            f'otherwise "{rule.label_names[0]}".'
        )
    elif isinstance(rule, ReviewBand):
        low, high = rule.thresholds
        said = (
            f'"{rule.label_names[1]}" where its probability is at least {high:.4g}, '
            f'"{rule.label_names[0]}" where it is below {low:.4g}, otherwise "{rule.review}".'
        )
    elif isinstance(rule, MinimumExpectedCost):
        said = (
            f"Of {len(rule.label_names)} labels{_or_other(rule)} the answer that costs least in "
            "the mean, by the probability of each label."
        )
    elif isinstance(rule, RejectOption):
        said = (
            f"The likeliest of {len(rule.label_names)} labels where the {rule.measure} confidence "
            f'is at least {rule.threshold:.4g}, otherwise "{rule.other}".'
        )
        if rule.unknown_cut != ALWAYS:
            said += f" What is below {rule.unknown_cut:.4g} by energy is unknown."
    elif isinstance(rule, PredictionSets):
        said = f"Of {len(rule.label_names)} labels each that enough speaks for ({rule.score})"
        said += " and a draw, made of the message's logits." if rule.randomized else "."
        if few := rule.chosen.get("named_always"):
            said += f" Too few rows chose {len(few)} of the cuts: these labels are always named."
    else:
        said = f"Each of {len(rule.label_names)} labels where its probability reaches its own cut."
    chosen = rule.chosen
    if rule.temperature != 1:
        said += f" Logits are divided by the temperature {rule.temperature:.3g} first."
    if chosen.get("bias") in ("log_loss", "cost"):
        said += " A bias is added to each, which held-out rows gained by."
    if chosen.get("method") == "search":
        said += f" Chosen {chosen_in_words(rule)} on {chosen['n_samples']} rows"
        n_positive = chosen.get("n_positive")
        if isinstance(n_positive, int) and n_positive:
            said += (
                f", {n_positive} of them positive: with confidence .95 so many can promise a "
                f"recall of at most {0.05 ** (1 / n_positive):.3f}"
            )
        said += "."
    return said


def _or_other(rule: MinimumExpectedCost) -> str:
    return f' and "{rule.other}"' if rule.costs.has_reject else ""


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as an HTML table that scrolls by itself."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in rows[0])
    lines = []
    for row in rows:
        cells = []
        for name, value in row.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            kind = "number" if number else "text" if name == "text" else ""
            shown = (
                f"{value:.4g}" if isinstance(value, float) else str("" if value is None else value)
            )
            cells.append(f'<td class="{kind}">{html.escape(shown)}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
