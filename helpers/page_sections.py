"""What a page shows of each kind of rule: its figures, tables, and the rows to look at."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from helpers import plots
from helpers.evaluation import counts, cut_curve, reliability, risk_coverage
from helpers.portable.arrays import check_binary_labels, check_label_matrix, check_labels_or_other
from helpers.portable.costs import Costs
from helpers.portable.decisions import (
    BinaryThreshold,
    LabelThresholds,
    MinimumExpectedCost,
    PredictionSets,
    RejectOption,
    ReviewBand,
)
from helpers.portable.probabilities import binary_logit, sigmoid, softmax
from helpers.reports import report_each_label


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
    sections.append(_taken_for(names, true, said, wrong))
    p = softmax(z / rule.temperature).max(axis=1)
    section, image = _is_the_best_true(p, best == true)
    sections.append(section)
    images[section["heading"]] = image
    columns = {"truth": names[true], "answer": names[said], "probability": p}
    sections.append(_surest_mistakes(wrong, sure, texts, columns, where))
    return sections, images


def _sets(rule, logits, labels, costs, texts, seen, where):
    """Sections for sets of labels."""
    z = np.asarray(logits, dtype=np.float64)
    true = check_labels_or_other(labels, len(z), z.shape[1])
    known = true < z.shape[1]
    named, p = rule.decide(z), softmax(z / rule.temperature)
    size, best = named.sum(axis=1), p.argmax(axis=1)
    held = np.zeros(len(z), dtype=bool)
    held[known] = named[known, true[known]]
    lengths = [
        {
            "labels named": int(k),
            "rows": int((size == k).sum()),
            "share": float((size == k).mean()),
            "true one among them": float(held[known & (size == k)].mean())
            if (known & (size == k)).any()
            else float("nan"),
        }
        for k in np.unique(size)[:15]
    ]
    by_class = [
        {
            "label": name,
            "rows": int((true == k).sum()),
            "held": float(named[true == k, k].mean()),
            "mean size": float(size[true == k].mean()),
        }
        for k, name in enumerate(rule.label_names)
        if (true == k).any()
    ]
    by_class.sort(key=lambda row: row["held"])
    sections = [
        {
            "heading": "How many labels a set names",
            "text": "Coverage is kept for all rows together; shorter sets may have more or less.",
            "rows": lengths,
        },
        {
            "heading": "Label by label",
            "text": "How often the set of a row with this label holds it, the fewest first.",
            "rows": by_class[:15],
        },
    ]
    names = np.array([*rule.label_names, "none of these"])
    columns = {"truth": names[true], "likeliest": names[best], "probability": p.max(axis=1)}
    columns["labels named"] = size
    sections.append(_surest_mistakes(~held, p.max(axis=1), texts, columns, where))
    return sections, {}


def _taken_for(
    names: NDArray, true: NDArray, said: NDArray, wrong: NDArray, paid: NDArray | None = None
) -> dict[str, Any]:
    """List the commonest wrong answers, or those that cost most together."""
    weight = np.ones(len(true)) if paid is None else paid
    pairs, which = np.unique(np.stack([true[wrong], said[wrong]]), axis=1, return_inverse=True)
    which = which.ravel()
    how_often = np.bincount(which, minlength=pairs.shape[1])
    total = np.bincount(which, weight[wrong], minlength=pairs.shape[1])
    order = np.argsort(-total, kind="stable")[:15]
    first = "The commonest wrong answers." if paid is None else "The mistakes that cost most."
    return {
        "heading": "What is taken for what",
        "text": first if wrong.any() else "No answer is wrong.",
        "rows": [
            {
                "truth": str(names[pairs[0, i]]),
                "answer": str(names[pairs[1, i]]),
                "rows": int(how_often[i]),
                **({} if paid is None else {"cost": float(total[i])}),
            }
            for i in order
        ],
    }


def _is_the_best_true(p: NDArray, right: NDArray[np.bool_]) -> tuple[dict[str, Any], bytes]:
    """Hold the probability of the likeliest label against how often it is right."""
    bins = reliability(p, right, n_bins=10, strategy="mass")
    section = {
        "heading": "Are the probabilities true?",
        "text": f"Calibration error of the best label {bins.error:.4f} over ten bins.",
        "alt": "Observed share of right answers against the mean probability, bin by bin.",
    }
    return section, _svg(lambda ax: plots.reliability_diagram({"these rows": bins}, ax=ax))


def _expected_cost(rule, logits, labels, costs, texts, seen, where):
    """Sections for one label of many under a cost matrix."""
    z = np.asarray(logits, dtype=np.float64)
    n_classes = z.shape[1]
    true = check_labels_or_other(labels, len(z), n_classes)
    said, probability = rule.decide(z), rule.probability(z)
    paid = costs.of(true, said)
    names = np.array([*rule.label_names, rule.other])
    n, total = np.bincount(true), np.bincount(true, paid)
    order = [k for k in np.argsort(-total, kind="stable")[:15] if n[k]]
    sections: list[dict[str, Any]] = [
        {
            "heading": "What each label costs",
            "text": f"{paid.sum():.4g} in all; the dearest true labels first.",
            "rows": [
                {
                    "truth": str(names[k]),
                    "rows": int(n[k]),
                    "cost": float(total[k]),
                    "cost a row": float(total[k] / n[k]),
                }
                for k in order
            ],
        }
    ]
    wrong = (said != true) & (said < n_classes)
    sections.append(_taken_for(names, true, said, wrong, paid))
    p, best = probability.max(axis=1), probability.argmax(axis=1)
    section, image = _is_the_best_true(p, best == true)
    sections.append(section)
    columns = {"truth": names[true], "answer": names[said], "probability": p, "cost": paid}
    sections.append(_surest_mistakes(wrong, p, texts, columns, where))
    return sections, {section["heading"]: image}


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
                        "min_precision",
                        "min_recall",
                        "f1",
                        "f1_always",
                    )
                    if k in row
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


DRAW = {
    BinaryThreshold: _binary,
    ReviewBand: _review,
    RejectOption: _reject,
    PredictionSets: _sets,
    MinimumExpectedCost: _expected_cost,
    LabelThresholds: _labels,
}
