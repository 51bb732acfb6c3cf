"""One page about a rule on data that did not choose it: figures, tables, and the rows to look at.

The page is one HTML file that loads nothing; the same figures stand in a dict that is plain JSON.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from helpers import plots
from helpers.choosing import report_rule
from helpers.evaluation import counts, cut_curve, reliability, risk_coverage
from helpers.portable.arrays import check_binary_labels, check_label_matrix, check_labels_or_other
from helpers.portable.costs import Costs, RejectCosts
from helpers.portable.decisions import (
    YES_NO,
    BinaryThreshold,
    LabelThresholds,
    RejectOption,
    ReviewBand,
    Rule,
)
from helpers.portable.probabilities import binary_logit, sigmoid, softmax
from helpers.portable.rule import ALWAYS
from helpers.reports import report_each_label

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
img { max-width: 100%; background: white; }
figure { margin: 1rem 0; } figcaption, .note { font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #8888; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.text { min-width: 14rem; overflow-wrap: anywhere; }
@media print { body { max-width: none; font-size: 11pt; } h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; } .wide { overflow: visible; } }
"""


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
    costs: Costs | RejectCosts | Sequence[Costs] | None = None,
    title: str = "A decision rule on new data",
    seen: bool = False,
    where: Mapping[str, Sequence[Any]] | None = None,
) -> Page:
    """Report a rule on data that did not choose it.

    Parameters
    ----------
    rule : BinaryThreshold, ReviewBand, RejectOption or LabelThresholds
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
    labels : array_like of int, shape (n,) or (n, n_labels)
        As `report_rule` takes them.
    texts : sequence of str, length n, optional
        Shown with the rows to look at.
    costs : Costs or RejectCosts, or a Costs for each label, optional
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


def _costs_of(rule: Rule) -> Costs | RejectCosts | list[Costs] | None:
    """Read the costs that a rule was chosen by."""
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
    elif isinstance(rule, RejectOption):
        said = (
            f"The likeliest of {len(rule.label_names)} labels where the {rule.measure} confidence "
            f'is at least {rule.threshold:.4g}, otherwise "{rule.other}".'
        )
        if rule.unknown_cut != ALWAYS:
            said += f" What is below {rule.unknown_cut:.4g} by energy is unknown."
    else:
        said = f"Each of {len(rule.label_names)} labels where its probability reaches its own cut."
    chosen = rule.chosen
    if rule.temperature != 1:
        said += f" Logits are divided by the temperature {rule.temperature:.3g} first."
    if chosen.get("method") == "search":
        said += f" Chosen by {chosen['criterion']} on {chosen['n_samples']} rows"
        n_positive = chosen.get("n_positive")
        if isinstance(n_positive, int) and n_positive:
            said += (
                f", {n_positive} of them positive: with confidence .95 so many can promise a "
                f"recall of at most {0.05 ** (1 / n_positive):.3f}"
            )
        said += "."
    return said


def _svg(draw: Any, *, width: float = 7.0, height: float = 3.8) -> bytes:
    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure.subplots())
    target = io.BytesIO()
    with rc_context({"svg.hashsalt": "page"}):  # the same names inside each time
        figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()


def _binary(rule, logits, labels, costs, texts, seen, where):
    """Sections for a yes/no rule."""
    margin = binary_logit(logits)
    true = check_binary_labels(labels, len(margin)).astype(int)
    p, said = rule.probability(margin), rule.decide(margin)
    found = counts(true, said)
    confusion = [
        {
            "truth": rule.label_names[1],
            "answered yes": found.true_positive,
            "no": found.false_negative,
        },
        {
            "truth": rule.label_names[0],
            "answered yes": found.false_positive,
            "no": found.true_negative,
        },
    ]
    sections = [
        {
            "heading": "Right and wrong",
            "text": f"Recall {found.recall:.3f}, precision {found.precision:.3f}.",
            "rows": confusion,
        }
    ]
    images = {}
    if 0 < true.sum() < len(true):
        prices = costs or Costs(false_positive=1, false_negative=1)
        scaled = margin / rule.temperature
        curve = cut_curve(scaled, true)
        least = curve.mean_cost(prices).min()
        sections.append(
            {
                "heading": "Cost at every threshold",
                "text": f"The least that any threshold costs on these rows is {least:.4g} a row.",
                "alt": "Staircase of the cost a row against the threshold, with this rule and 0.5 "
                "marked.",
            }
        )
        marks = {"0.5": 0.5, "this rule": float(np.clip(rule.threshold, 1e-6, 1 - 1e-6))}
        images["Cost at every threshold"] = _svg(
            lambda ax: plots.cost_curve(curve, prices, ax=ax, marks=marks)
        )
        section, image = _are_they_true(p, true)
        sections.append(section)
        images[section["heading"]] = image
    sections.append(
        _surest_mistakes(
            said != true,
            np.abs(p - 0.5),
            texts,
            {
                "truth": np.array(rule.label_names)[true],
                "answer": np.array(rule.label_names)[said],
                "probability of yes": p,
            },
            where,
        )
    )
    return sections, images


def _are_they_true(p: NDArray, true: NDArray) -> tuple[dict[str, Any], bytes]:
    """Hold the probabilities of yes/no against the observed shares."""
    bins = reliability(p, true, n_bins=10, strategy="mass")
    section = {
        "heading": "Are the probabilities true?",
        "text": f"Calibration error {bins.error:.4f} over ten bins of like size.",
        "alt": "Observed share of yes against the mean predicted probability, bin by bin.",
    }
    draw = lambda ax: plots.reliability_diagram({"these rows": bins}, ax=ax)
    return section, _svg(draw)


def _review(rule, logits, labels, costs, texts, seen, where):
    """Sections for a yes/no rule with a band that a person reads."""
    margin = binary_logit(logits)
    true = check_binary_labels(labels, len(margin)).astype(int)
    p, said = rule.probability(margin), rule.decide(margin)
    names = np.array([*rule.label_names, rule.review])
    answers = [
        {
            "truth": name,
            **{f"answered {names[k]}": int((said[true == t] == k).sum()) for k in (0, 2, 1)},
        }
        for t, name in enumerate(rule.label_names)
    ]
    sections: list[dict[str, Any]] = [
        {
            "heading": "Three answers",
            "text": f"A person reads {(said == 2).mean():.1%} of the rows.",
            "rows": answers,
        }
    ]
    images = {}
    if 0 < true.sum() < len(true):
        section, image = _are_they_true(p, true)
        sections.append(section)
        images[section["heading"]] = image
    columns = {"truth": names[true], "answer": names[said], "probability of yes": p}
    wrong = (said != true) & (said != 2)
    sections.append(_surest_mistakes(wrong, np.abs(p - 0.5), texts, columns, where))
    return sections, images


def _reject(rule, logits, labels, costs, texts, seen, where):
    """Sections for one label of many, or Other."""
    z = np.asarray(logits, dtype=np.float64)
    n_classes = z.shape[1]
    true = check_labels_or_other(labels, len(z), n_classes)
    said, best = rule.decide(z), z.argmax(axis=1)
    sure = rule.confidence(z)
    names = np.array([*rule.label_names, rule.other])
    curve = risk_coverage(sure, best != true)
    answered = said < n_classes
    sections: list[dict[str, Any]] = [
        {
            "heading": "How much is answered, and how much of it wrongly",
            "text": f"Answered {answered.mean():.1%} of the rows; of these wrong "
            f"{(said != true)[answered].mean() if answered.any() else 0:.1%}. Area under the "
            f"risk-coverage curve {curve.aurc:.4f}.",
            "alt": "Share of wrong answers against the share of rows that is answered.",
        }
    ]
    images = {
        sections[0]["heading"]: _svg(
            lambda ax: plots.risk_coverage_curve({rule.measure: curve}, ax=ax)
        )
    }
    wrong = answered & (said != true)
    pairs, how_often = np.unique(np.stack([true[wrong], said[wrong]]), axis=1, return_counts=True)
    order = np.argsort(-how_often, kind="stable")[:15]
    sections.append(
        {
            "heading": "What is taken for what",
            "text": "The commonest wrong answers." if wrong.any() else "No answer is wrong.",
            "rows": [
                {
                    "truth": str(names[pairs[0, i]]),
                    "answer": str(names[pairs[1, i]]),
                    "rows": int(how_often[i]),
                }
                for i in order
            ],
        }
    )
    p = softmax(z / rule.temperature).max(axis=1)
    bins = reliability(p, best == true, n_bins=10, strategy="mass")
    sections.append(
        {
            "heading": "Are the probabilities true?",
            "text": f"Calibration error of the best label {bins.error:.4f} over ten bins.",
            "alt": "Observed share of right answers against the mean probability, bin by bin.",
        }
    )
    images["Are the probabilities true?"] = _svg(
        lambda ax: plots.reliability_diagram({"these rows": bins}, ax=ax)
    )
    columns = {"truth": names[true], "answer": names[said], "probability": p}
    sections.append(_surest_mistakes(wrong, sure, texts, columns, where))
    return sections, images


def _labels(rule, logits, labels, costs, texts, seen, where):
    """Sections for many labels."""
    z = np.asarray(logits, dtype=np.float64)
    true = check_label_matrix(labels, z.shape)
    said = rule.decide(z).astype(bool)
    table = report_each_label(rule, z, true, seen=seen)
    sections = [
        {
            "heading": "Label by label",
            "text": "Each F1 beside that of always giving the label.",
            "rows": [
                {
                    k: row[k]
                    for k in (
                        "label",
                        "support",
                        "threshold",
                        "precision",
                        "recall",
                        "f1",
                        "f1_always",
                    )
                }
                for row in table
            ],
        }
    ]
    p = sigmoid(z / rule.temperature)
    row, column = np.nonzero(said != true)
    sure = np.abs(z[row, column] / rule.temperature)
    order = np.argsort(-sure, kind="stable")[:10]
    sections.append(
        {
            "heading": "Sure, and wrong",
            "text": "The surest wrong answers: mistakes of the network, or of the labels.",
            "rows": [
                {
                    **{name: values[row[i]] for name, values in where.items()},
                    "label": rule.label_names[column[i]],
                    "truth": "yes" if true[row[i], column[i]] else "no",
                    "probability": float(p[row[i], column[i]]),
                    **({"text": texts[row[i]]} if texts is not None else {}),
                }
                for i in order
            ],
        }
    )
    return sections, {}


def _surest_mistakes(
    wrong: NDArray[np.bool_],
    sure: NDArray,
    texts: Sequence[str] | None,
    columns: Mapping[str, NDArray],
    where: Mapping[str, Sequence[Any]],
) -> dict[str, Any]:
    """List the ten surest wrong answers."""
    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(-sure[rows], kind="stable")][:10]
    return {
        "heading": "Sure, and wrong",
        "text": "The surest wrong answers: mistakes of the network, or of the labels."
        if len(rows)
        else "No answer is wrong.",
        "rows": [
            {
                **{name: values[i] for name, values in where.items()},
                **{name: values[i].item() for name, values in columns.items()},
                **({"text": texts[i]} if texts is not None else {}),
            }
            for i in rows.tolist()
        ],
    }


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


DRAW = {
    BinaryThreshold: _binary,
    ReviewBand: _review,
    RejectOption: _reject,
    LabelThresholds: _labels,
}
