"""The handout: one sheet, two sides, on A4 or Letter. Every figure on it is worked out here."""

from __future__ import annotations

import html

import numpy as np

from helpers.decisions import BinaryThreshold, Costs, RejectCosts
from helpers.probabilities import prior_shift, softmax
from tools.gallery import TRAPS

STYLE = """
.side { border: 0; padding: 0; } .side h2 { font-size: 1.05em; margin: .7em 0 .2em; }
.side td, .side th { padding: .15em .5em; } .side table { width: 100%; }
.side code { font-size: .92em; overflow-wrap: anywhere; }
.traps { columns: 2 20rem; column-gap: 2.6em; }
.traps li { break-inside: avoid; }
@page { margin: 11mm; }
@media print {
  body { font-size: 8.6pt; line-height: 1.32; color: #000; background: #fff; }
  h1 { font-size: 14pt; margin: 0 0 .3em; } a { color: inherit; text-decoration: none; }
  .side { break-after: page; break-inside: auto; } .side:last-child { break-after: auto; }
  .traps { columns: 2; }
}
"""
# What stands in the left column is asked, what stands in the right one does it.
RULES = (
    ("yes or no; prices known, probabilities true", "BinaryThreshold.from_costs(costs)"),
    ("yes or no; prices known, rows with labels", "BinaryThreshold.choose(z, y, costs=costs)"),
    (
        "find 9 in 10, and promise it",
        "BinaryThreshold.choose(z, y, min_recall=0.9, confidence_level=0.95)",
    ),
    (
        "a person may read what lies between",
        "ReviewBand.choose(z, y, costs=costs, review=0.5)",
    ),
    (
        "find 7 in 10, 3 in 10 alarms right; both promised",
        "BinaryThreshold.choose(z, y, min_recall=0.7, min_precision=0.3, confidence_level=0.95)",
    ),
    (
        "one of many; what is unsure becomes Other",
        "RejectOption.choose(z, y, costs=RejectCosts(reject=0.4))",
    ),
    (
        "at most 5 % wrong among the answers, promised",
        "RejectOption.choose(z, y, max_risk=0.05, confidence_level=0.95)",
    ),
    (
        "labels that hold the true one in 9 of 10 messages",
        "PredictionSets.choose(z, y, coverage=0.9, by_class=True)",
    ),
    ("a price for each confusion", "MinimumExpectedCost.choose(z, y, costs=matrix)"),
    ("any of many; each label its own threshold", "LabelThresholds.choose(z, y, macro_f1=True)"),
    ("any of many; miss at most a tenth of them", "LabelThresholds.choose(z, y, max_missed=0.1)"),
    ("the class has become rarer", "rule.at_base_rate(old=0.08, new=0.01)"),
)
BEFORE_USE = (
    "Labels: one list, saved beside the network; their order is that of the logits.",
    "Three parts: fit on the first, choose on the second, report on the third. Copies of a text "
    "stay in one part.",
    "Two baselines: the best constant answer, and word counts.",
    "Probabilities: a reliability diagram before any formula.",
    "A figure has an interval, and the number of rows that made it.",
    "Network and rule are saved in one folder; what is loaded decides as before.",
    "Watch the share of yes, and a random sample with labels.",
    "Prices changed? Move the threshold. Messages changed? Choose it anew.",
)


def formulas() -> list[tuple[str, str, str]]:
    """Give name, formula and example of each formula.

    Returns
    -------
    list of (str, str, str)
    """
    sure_of_no = softmax([[3.0, 0.0]])[0, 1]
    one_to_20 = Costs(false_positive=1, false_negative=20).threshold
    one_to_5 = Costs(false_positive=1, false_negative=5).threshold
    weighted = 20 * one_to_20 / (1 - one_to_20 + 20 * one_to_20)
    chow = RejectCosts(reject=0.4, error=1.0).threshold
    shift = prior_shift(old=0.08, new=0.01)
    signed = f"{shift:+.2f}".replace("-", "−")
    moved = BinaryThreshold.from_threshold(0.5).at_base_rate(old=0.08, new=0.01)
    at_old = 1 / (1 + np.exp(-moved.cut))
    clean = int(np.ceil(np.log(0.05) / np.log(0.95)))
    return [
        (
            "softmax: one of many",
            "p of a label = exp(its z) / Σ exp(z) over all labels",
            f"logits 3 and 0: P(1) = {sure_of_no:.3f}",
        ),
        ("sigmoid: any of many", "p = 1 / (1 + exp(−z))", "two logits: the sigmoid of z₁ − z₀"),
        (
            "threshold of two prices",
            "t = c<sub>FP</sub> / (c<sub>FP</sub> + c<sub>FN</sub>)",
            f"1 and 20: {one_to_20:.3f}; 1 and 5: {one_to_5:.3f}",
        ),
        ("answer or Other (Chow)", "t = 1 − reject / error", f"a reject costs 0.4: {chow:.1f}"),
        ("temperature", "softmax(z / T)", "T above 1: the network was too sure"),
        (
            "weight w in the loss",
            "t′ = w t / (1 − t + w t)",
            f"t′: where t lies after it; w = 20, t = {one_to_20:.3f}: {weighted:.2f}",
        ),
        (
            "a new base rate",
            "z + log-odds(new) − log-odds(old)",
            f"8 % to 1 %: {signed}; 0.5 then is {at_old:.2f} on the old scale",
        ),
        (
            "no error in n rows",
            "risk ≤ 1 − 0.05<sup>1/n</sup>, 95 % sure",
            f"{clean} rows without an error: at most 5 %",
        ),
        (
            "F1",
            "2 · precision · recall / (precision + recall)",
            "micro: over all labels; macro: the mean of theirs",
        ),
    ]


def handout() -> tuple[str, str]:
    """Write both sides.

    Returns
    -------
    body, style : str
        HTML and CSS.
    """
    formula_rows = "".join(
        f"<tr><td>{name}</td><td>{formula}</td><td>{example}</td></tr>"
        for name, formula, example in formulas()
    )
    rule_rows = "".join(
        f"<tr><td>{html.escape(asked)}</td><td><code>{html.escape(call)}</code></td></tr>"
        for asked, call in RULES
    )
    traps = "".join(
        f'<li><a href="traps.html#{trap.name}"><b>{html.escape(trap.title)}.</b></a> '
        f"{html.escape(trap.text)}</li>"
        for found in TRAPS.values()
        for trap in found
    )
    checklist = "".join(f"<li>{html.escape(line)}</li>" for line in BEFORE_USE)
    body = f"""<section class="side"><h1>From logits to decisions</h1>
<p>text → network → <b>logits</b> → <b>probability</b> → <b>rule</b> → action. The network learns
from examples; the rule is chosen by what mistakes cost, on rows that trained nothing.</p>
<h2>Formulas</h2>
<table><tr><th>for</th><th>formula</th><th>example</th></tr>{formula_rows}</table>
<h2>Which rule when</h2>
<p><code>z</code>: logits of the validation part; <code>y</code>: its labels; <code>costs =
Costs(false_positive=1, false_negative=20)</code>, <code>matrix =
CostMatrix(costs=...)</code>. All from <code>helpers.decisions</code>. Every letter:
<a href="notation.html">Notation</a>.</p>
<table><tr><th>you want</th><th>take</th></tr>{rule_rows}</table>
<p>Texts of no known label are another matter: a low probability does not find them (lesson 02).</p>
<h2>Before it is used</h2><ol>{checklist}</ol></section>
<section class="side"><h2>Traps</h2><ol class="traps">{traps}</ol></section>"""
    return body, STYLE
