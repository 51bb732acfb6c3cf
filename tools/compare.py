"""Write COMPARED.md: our figures beside those of other libraries, on the same input.

python -m tools.compare            print the page
python -m tools.compare --write    write it

Theirs come from the output that each script in findings/ states, and fails without; ours are worked
out here, and tests/test_compared.py says of each what is true of it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for python tools/compare.py

from helpers.columns import as_table, order_labels
from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    RejectOption,
    rule_from_dict,
)
from helpers.evaluation import f1_scores, label_scores, ranking_scores
from helpers.intervals import auroc_interval, bootstrap_interval
from helpers.portable.probabilities import fit_temperature, logit, sigmoid
from helpers.scores import from_probabilities
from helpers.splits import copies_of, stratified_split

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "COMPARED.md"
FINDINGS = ROOT / "findings"


def refusal(call: Callable[[], Any]) -> str:
    """Give the sentence of the ValueError that a call ends in; none is an error."""
    try:
        got = call()
    except ValueError as error:
        return str(error)
    raise AssertionError(f"nothing was refused, got {got}")


# Our figures. Each takes the input of the finding of its name.


def sklearn_tuned_never() -> dict[str, Any]:
    """Choose where every alarm costs more than it saves."""
    p = np.r_[np.linspace(0.1, 0.95, 95), np.linspace(0.1, 0.8, 5)]
    y = np.r_[np.zeros(95, int), np.ones(5, int)]
    costs = Costs(false_positive=100, false_negative=1)
    z = logit(p)
    rule = BinaryThreshold.choose(z, y, costs=costs)
    said = rule.decide(z)
    cost = 100 * int(((said == 1) & (y == 0)).sum()) + int(((said == 0) & (y == 1)).sum())
    return {"cost": cost, "alarms": int(said.sum())}


def sklearn_tuned_order() -> dict[str, Any]:
    """Choose among candidates in both orders."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 1000)
    z = rng.normal(3.0 * np.eye(3)[true])
    cuts = [
        RejectOption.choose(
            z,
            true,
            max_risk=0.1,
            confidence_level=0.9,
            candidates=order,
            label_names=("a", "b", "c"),
        ).cut
        for order in ([0.4, 0.6, 0.8, 0.9], [0.9, 0.8, 0.6, 0.4])
    ]
    return {"ascending": cuts[0], "descending": cuts[1]}


def sklearn_temperature_half() -> dict[str, Any]:
    """Fit a temperature to logits that are twice too large, as one column and as two."""
    rng = np.random.default_rng(0)
    z = 3 * rng.normal(size=(20000, 1))
    y = (rng.random(20000) < sigmoid(z[:, 0] / 2)).astype(int)  # T is 2
    return {
        "one": fit_temperature(z, y),
        "two": fit_temperature(np.c_[np.zeros(len(z)), z[:, 0]], y),
    }


def sklearn_frozen_absent_class() -> dict[str, Any]:
    """Fit a temperature to rows that lack a class of three."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, 300)  # never 2
    return {"temperature": fit_temperature(rng.normal(3.0 * np.eye(3)[true]), true)}


def sklearn_top_k_range() -> dict[str, Any]:
    """Cut logits at 0 that happen to lie from 0 to 1, alone and with one more row."""
    rule = BinaryThreshold.from_threshold(0.5)
    z, y = [0.2, 0.3, 0.6, 0.1], np.array([1, 1, 1, 0])
    more = rule.decide([*z, -0.4]) == np.r_[y, 0]
    return {"alone": int((rule.decide(z) == y).sum()), "more": int(more[:4].sum())}


def sklearn_log_loss_precision() -> dict[str, Any]:
    """Take the loss of a sure mistake, stored in three number formats."""
    formats = {"float16": np.float16, "float32": np.float32, "float64": np.float64}
    loss = {}
    for name, kind in formats.items():
        with np.errstate(all="ignore"):
            z = quietly(lambda kind=kind: from_probabilities(kind([1.0]), kind="binary"))
        loss[name] = float(np.logaddexp(0, z[0]))
    return loss


def sklearn_absent_label_margin() -> dict[str, Any]:
    """Choose cuts where one label has no positive."""
    rng = np.random.default_rng(0)
    y = (rng.random((200, 3)) < 0.3).astype(int)
    y[:, 2] = 0
    rule = quietly(
        lambda: LabelThresholds.choose(
            rng.normal(3.0 * y - 2), y, macro_f1=True, label_names=("a", "b", "c")
        )
    )
    return {"fell_back": rule.chosen["fell_back"], "rows": 200}


def forest_tie_at_half() -> dict[str, Any]:
    """Decide a tie at .5."""
    return {"tie": int(BinaryThreshold.from_threshold(0.5).decide(logit([0.5]))[0])}


def torchmetrics_big_logits() -> dict[str, Any]:
    """Rank a perfect order of large logits."""
    z = np.array([-2.0, -1.0, 1.0, 2.0])[:, None]
    y = np.array([0, 0, 1, 1])[:, None]
    return {"small": ranking_scores(z, y)[0][0], "large": ranking_scores(z + 20, y)[0][0]}


def torchmetrics_absent_label() -> dict[str, Any]:
    """Score labels of which one never occurs."""
    z = [[0.1, 0.2], [0.3, 0.4], [0.2, 0.9], [0.4, 0.1]]
    y = np.array([[0, 0], [0, 1], [0, 1], [0, 0]])
    right = np.eye(3, dtype=int)[[0, 1, 0, 1]]
    return {
        "auroc": ranking_scores(z, y)[0].tolist(),
        "macro_f1": label_scores(right, right)["macro_f1"],
    }


def confidenceinterval_above_one() -> dict[str, Any]:
    """Give the intervals of nine right answers and of four scores."""
    rng = np.random.default_rng(0)
    nine = np.eye(3, dtype=int)[[0, 0, 0, 1, 1, 1, 2, 2, 2]]

    def macro_f1(rows: Any) -> float:
        return float(np.nanmean(f1_scores(rows, rows)))

    return {
        "f1": bootstrap_interval(nine, macro_f1, rng=rng),
        "auroc": auroc_interval([0.3, 0.6], [0.4, 0.2], rng=rng),
    }


def onnxruntime_sigmoid_order() -> dict[str, Any]:
    """Take the sigmoid of a rare event's logits."""
    steps = np.diff(sigmoid(np.linspace(-17, -8, 100_000).astype(np.float32)))
    return {"at": float(sigmoid([-20.0])[0]), "down": float((steps < 0).mean())}


def skl2onnx_tuned_threshold() -> dict[str, Any]:
    """Decide by a rule with a threshold of .228, and by its JSON."""
    z = np.random.default_rng(0).normal(size=400) - 1
    rule = BinaryThreshold.from_threshold(0.228)
    again = rule_from_dict(json.loads(json.dumps(rule.to_dict())))
    return {"before": int(rule.decide(z).sum()), "after": int(again.decide(z).sum())}


def skl2onnx_margin_labels() -> dict[str, Any]:
    """Give many labels at a logit of 0, and by the rule's JSON."""
    z = np.random.default_rng(0).normal(size=(400, 3)) - 1
    rule = LabelThresholds(cuts=(0.0, 0.0, 0.0))
    again = rule_from_dict(json.loads(json.dumps(rule.to_dict())))
    return {"above": int((z >= 0).sum()), "after": int(again.decide(z).sum())}


def catboost_threshold() -> dict[str, Any]:
    """Read a threshold of .2 back from JSON."""
    rule = BinaryThreshold.from_threshold(0.2)
    return {"threshold": rule_from_dict(json.loads(json.dumps(rule.to_dict()))).threshold}


def mapie_no_threshold() -> dict[str, Any]:
    """Ask for a precision that no threshold of many labels can promise."""
    rng = np.random.default_rng(0)
    p = rng.random((400, 4))
    y = (rng.random((400, 4)) < p).astype(int)
    z = logit(p[:, ::-1])
    promise = {"min_precision": 0.95, "confidence_level": 0.9}
    return {
        "refused": quietly(
            lambda: refusal(lambda: BinaryThreshold.choose(z[:, 0], y[:, 0], **promise))
        )
    }


def nan_score() -> dict[str, Any]:
    """Decide a score that is nan."""
    rule = BinaryThreshold.from_threshold(0.5)
    return {"refused": refusal(lambda: rule.decide([0.1, 0.9, float("nan")]))}


def float32_at_the_cut() -> dict[str, Any]:
    """Decide a float32 .7 at a threshold of .7, in memory and from JSON."""
    rule = BinaryThreshold.from_threshold(0.7)
    again = rule_from_dict(json.loads(json.dumps(rule.to_dict())))
    z = from_probabilities(np.float32([0.7]), kind="binary")
    return {"answers": [bool(one.decide(z)[0]) for one in (rule, again)]}


def iterstrat_sizes() -> dict[str, Any]:
    """Ask for shares that do not sum to 1."""
    y = (np.random.default_rng(0).random((60, 3)) < 0.3).astype(int)
    return {"refused": refusal(lambda: stratified_split(y, (0.2, 0.2)))}


def iterstrat_unseeded() -> dict[str, Any]:
    """Split the same rows five times more, with no seed named."""
    y = (np.random.default_rng(0).random((200, 4)) < 0.3).astype(int)
    first = stratified_split(y, (0.25,) * 4)
    return {"agree": [bool((stratified_split(y, (0.25,) * 4) == first).all()) for _ in range(5)]}


def datasets_integer_classes() -> dict[str, Any]:
    """Put the classes 0 to 10 in order."""
    return {"names": order_labels([str(k) for k in range(11)])}


def datasets_class_range() -> dict[str, Any]:
    """Read a class without a name, from rows as datasets would hand them over."""
    rows = SimpleNamespace(
        to_pandas=lambda: pd.DataFrame({"label": [0, 1, 3]}),
        features={"label": SimpleNamespace(names=["ham", "spam"])},
    )
    return {"refused": refusal(lambda: as_table(rows, "label"))}


def onnxruntime_int8_mates() -> dict[str, Any]:
    """Ask for int8."""
    from helpers.prediction import check_dtype

    return {"refused": refusal(lambda: check_dtype("int8"))}


WORDS = {
    "Turkish ılık": ("ılık", "ILIK"),
    "Turkish iki": ("iki", "İKİ"),
    "Greek": ("δρόμος", "ΔΡΟΜΟΣ"),
    "German": ("straße", "STRASSE"),
    "French": ("été", "ÉTÉ"),
}


def tokenizers_uncased() -> dict[str, Any]:
    """Say which words are one text in small letters and in capitals."""
    return {name: len(set(copies_of(pair).tolist())) == 1 for name, pair in WORDS.items()}


def quietly(call: Callable[[], Any]) -> Any:
    """Call without showing warnings."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


# The page


@dataclass(frozen=True)
class Row:
    """A line of the page.

    Attributes
    ----------
    finding : callable
        Gives our figures; its name is the finding's.
    what : str
        What was asked of both.
    ours : callable
        Words our figures.
    theirs : str
        What they answer; ``{0}``, ``{1}`` are what `pattern` finds.
    pattern : str
        A regular expression in the output that the finding states.
    why, do : str
    """

    finding: Callable[[], dict[str, Any]]
    what: str
    ours: Callable[[dict[str, Any]], str]
    theirs: str
    pattern: str
    why: str
    do: str


ROWS = (
    Row(
        sklearn_tuned_never,
        "cheapest threshold where every alarm costs more than it saves",
        lambda f: f"cost {f['cost']}, {f['alarms']} alarms",
        "cost {0}",
        r"\(the default\): [\d.]+, cost (\d+)",
        "its grid ends at the largest score, which is positive at its own threshold",
        "compare where some alarm pays; or give it a threshold above 1",
    ),
    Row(
        sklearn_tuned_order,
        "the same candidates in falling order",
        lambda f: f"the same cut, {f['ascending']:g} and {f['descending']:g}",
        "{0} becomes {1}",
        r"0\.9\] mean F1 .* chosen ([\d.]+)[\s\S]*0\.1\] mean F1 .* chosen ([\d.]+)",
        "its scores belong to an ascending list",
        "sort the list",
    ),
    Row(
        sklearn_temperature_half,
        "temperature of logits that are twice too large, as one column and as two",
        lambda f: f"T = {f['one']:.2f} and {f['two']:.2f}",
        "1 / `beta_` = {0} and {1}",
        r"Logit: beta_ \S+, 1 / beta_ (\S+),[\s\S]*Probability: beta_ \S+, 1 / beta_ (\S+),",
        "one decision value d becomes the columns -d and d",
        "halve 1 / `beta_` of a classifier with one decision value",
    ),
    Row(
        sklearn_frozen_absent_class,
        "calibration on rows that lack a class of three",
        lambda f: f"T = {f['temperature']:.2f}",
        "{0}",
        r"temperature: (IndexError)",
        "it makes room only for the classes that it sees",
        "calibrate it on rows of all classes",
    ),
    Row(
        sklearn_top_k_range,
        "right of four answers from logits between 0 and 1; the same four with a fifth row below 0",
        lambda f: f"{f['alone']} and {f['more']}",
        "`top_k_accuracy_score`: {0} of 4, then {1} of 5",
        r"right of 4: (\d)\S*; with one more row, which is right: (\d)",
        "it cuts at .5 where all scores lie from 0 to 1, else at 0",
        "decide yourself, and count",
    ),
    Row(
        forest_tie_at_half,
        "a probability of .5 at a threshold of .5",
        lambda f: f"{f['tie']}",
        "`predict` 0, `FixedThresholdClassifier` 1: {0} of 500 rows differ",
        r"(\d+) decided otherwise",
        "`predict` takes the first of equals, a threshold is reached at itself",
        "expect ties from forests, and count them",
    ),
    Row(
        sklearn_log_loss_precision,
        "loss of a mistake that is sure, in float16, float32 and float64",
        lambda f: ", ".join(f"{x:.1f}" for x in f.values()),
        "mean with a right answer: {0}, {1}, {2}",
        r"float16: (\S+)\s+float32: (\S+)\s+float64: (\S+)",
        "it stays one step of the format away from 0 and 1, `from_probabilities` 1e-7",
        "compare losses of one format only, or of logits",
    ),
    Row(
        sklearn_absent_label_margin,
        "a label that no row of the data has, cut at a margin of 0",
        lambda f: "falls back to the shared cut, named in `chosen`",
        "given to {0} rows",
        r"margin of 0 or more: (\d+ of \d+)",
        "its margin is the constant 0",
        "look at `fell_back` before you serve such a label",
    ),
    Row(
        torchmetrics_big_logits,
        "AUROC of a perfect order, logits around 0 and around 20",
        lambda f: f"{f['small']:g} and {f['large']:g}",
        "{0} and {1}",
        r"2\.0\]: AUROC (\S+)[\s\S]*22\.0\]: AUROC (\S+)",
        "it takes a float32 sigmoid first, which is 1 from about 17",
        "rank logits in float64",
    ),
    Row(
        torchmetrics_absent_label,
        "AUROC of two labels, the first one in no row; macro-F1 of three, all right, one in no row",
        lambda f: f"{f['auroc'][0]:g} and {f['auroc'][1]:g}; {f['macro_f1']:g}",
        "{0} and {1}; {2} over labels",
        r"each label \[(\S+), (\S+)\][\s\S]*over classes, (\S+) over labels",
        "nothing to find is 0 to it, and no figure to us",
        "compare means over the labels that occur",
    ),
    Row(
        confidenceinterval_above_one,
        "95 % interval of macro-F1, nine of nine right; of AUROC from four scores",
        lambda f: f"{f['f1'][1]:g} to {f['f1'][2]:g}; {f['auroc'][1]:g} to {f['auroc'][2]:g}",
        "{0} to {1}; {2} to {3}",
        r"macro F1 .*\[(\S+), (\S+)\][\s\S]*AUROC .*\[(\S+), (\S+)\]",
        "a normal approximation knows no bound; a bootstrap of rows that agree has no width",
        "on few rows say n beside either",
    ),
    Row(
        onnxruntime_sigmoid_order,
        "sigmoid of -20; share of small rising steps that fall",
        lambda f: f"{f['at']:.2e}; {f['down']:.0%}",
        "{0}; {1}",
        r"logit -20: (\S+),[\s\S]*, (\d+%) step down",
        "a fast approximation with an absolute error of 1e-7",
        "export logits",
    ),
    Row(
        skl2onnx_tuned_threshold,
        "positives by a tuned threshold of .228, before and after saving",
        lambda f: f"{f['before']} and {f['after']} of 400 (other scores)",
        "{0} and {1} of 400",
        r"positive in scikit-learn (\d+), in the graph (\d+)",
        "the graph cuts at .5",
        "export scores, keep the rule as JSON",
    ),
    Row(
        skl2onnx_margin_labels,
        "labels given at a margin of 0, before and after saving",
        lambda f: f"{f['above']} and {f['after']} of 1200 (other scores)",
        "{0} and {1} of 1200",
        r"in scikit-learn (\d+), in the graph (\d+)",
        "the graph cuts margins at .5",
        "take its scores, not its labels",
    ),
    Row(
        catboost_threshold,
        "a threshold of .2, after a copy",
        lambda f: f"{f['threshold']:.1f}",
        "{0}",
        r"threshold of a clone (\S+);",
        "clones, metrics and ONNX labels leave it out",
        "take probabilities, keep the rule as JSON",
    ),
    Row(
        mapie_no_threshold,
        "a precision that no threshold can promise",
        lambda f: f"ValueError: “{f['refused'].split(':')[0]}”",
        "threshold {0}, and {1} labels given",
        r"threshold \[(nan)\] labels given (\d+)",
        "it warns when it calibrates, and decides on",
        "read its thresholds before `predict`",
    ),
    Row(
        nan_score,
        "a score that is nan, at a threshold of .5",
        lambda f: f"ValueError: “{f['refused']}”",
        "numpy {0}; Polars {1}; DuckDB {2}",
        r"numpy: \[\S+ \S+ (\w+)\][\s\S]*polars: \[\S+ \S+ (\w+)\][\s\S]*duckdb: \[\S+ \S+ (\w+)\]",
        "Polars and DuckDB order nan above every number",
        "add `not isnan(p)` to a threshold in SQL",
    ),
    Row(
        float32_at_the_cut,
        "a float32 .7 at a threshold of .7",
        lambda f: f"{f['answers'][0]}, in memory and from JSON",
        "numpy {0} or {1}; pyarrow {2}; DuckDB {3} or {4}",
        r"Python's .7: (\w+)\s+numpy, np.float64\S+ (\w+)[\s\S]*pyarrow: (\w+)"
        r"\s+duckdb, 0.7 in the query: (\w+)\s+duckdb, a parameter: (\w+)",
        "some compare in float32, some in float64",
        "cast scores to double",
    ),
    Row(
        iterstrat_sizes,
        "parts of .2 and .2 of 60 rows",
        lambda f: f"ValueError: “{f['refused'].split(',')[0]}”",
        "{0} and {1} rows",
        r"ShuffleSplit': \((\d+), (\d+)\), 'Sh",
        "it scales the shares to sum to 1",
        "name all parts",
    ),
    Row(
        iterstrat_unseeded,
        "the same rows split again, no seed named: does it agree?",
        lambda f: f"{sum(f['agree'])} of {len(f['agree'])} times",
        "{0}",
        r"shuffle=False agree: (\[.*\])",
        "ties are broken with numpy's global generator",
        "seed that generator",
    ),
    Row(
        datasets_integer_classes,
        "the classes 0 to 10 in order",
        lambda f: ", ".join(f["names"][:4]) + ", ...",
        "{0}, ...",
        r"after \[(\d+, \d+, \d+, \d+),",
        "it sorts numbers as words: class 10 becomes 2",
        "give `ClassLabel` its names; `order_labels` does not undo an encoding made before",
    ),
    Row(
        datasets_class_range,
        "the class 3 where two classes have names",
        lambda f: f"ValueError: “{f['refused']}”",
        "kept by `cast_column`: {0}",
        r"cast_column: (\[.*?\])",
        "a cast compares no range; `from_dict` does",
        "look at the largest class after a cast",
    ),
    Row(
        onnxruntime_int8_mates,
        "int8 logits of a row, alone and in a batch",
        lambda f: f"ValueError: “{f['refused']}”",
        "up to {0} apart, {1} of 500 decisions flip",
        r"int8: largest difference (\S+), (\d+) of",
        "the scale of the activations is taken from the whole batch",
        "quantise with fixed ranges, and choose the cut on those logits",
    ),
    Row(
        tokenizers_uncased,
        "one word in small letters and in capitals: " + ", ".join(WORDS),
        lambda f: ", ".join("same" if same else "two" for same in f.values()),
        "ılık and {0}; iki and {1}; δρομος and {2}; straße and {3}; ete and {4}",
        r"ILIK -> (\w+)[\s\S]*İKİ -> (\w+)[\s\S]*ΔΡΟΜΟΣ -> (\w+)[\s\S]*STRASSE -> (\w+)"
        r"[\s\S]*ÉTÉ -> (\w+)",
        "it lowers letter by letter and strips accents; `copies_of` folds case by Unicode",
        "near copies to `copies_of` may be two texts to the network, and the other way round",
    ),
)

HEAD = """# Our figures beside theirs

The same question, two answers: what this package says, what another library says, and why. Their
figures are those that a script in [findings](findings/README.md) shows with the version named. Ours
are worked out by `python -m tools.compare --write`, which writes this page, and a test of each says
what is true of it. How a score moves between two systems, and when to choose a threshold again, is
in [PORTING.md](PORTING.md).

| asked | our figure | library | its figure | why | what to do |
|---|---|---|---|---|---|
"""

TAIL = """
## No counterpart here

These findings are about tools beside it, or about parts that the package does without:
"""


def header(finding: str) -> tuple[str, str]:
    """Read a finding's first library with its version, and the output that it states."""
    text = (FINDINGS / f"{finding}.sh").read_text(encoding="utf-8").split("set -euo")[0]
    packages = re.search(r"# Packages: (.*?)\.\n# (?:Guess|Expected)", text, re.DOTALL)
    assert packages is not None, f"{finding} names no packages"
    stated = "\n".join(re.findall(r"^#   (.*)$", text, re.MULTILINE))
    return packages.group(1).replace("\n# ", " "), stated


def library(finding: str) -> str:
    """Name the library that a finding is about, with its version, as findings/README.md does."""
    table = (FINDINGS / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| \[`{finding}`\]\(\S+\) \| ([^|]+) \|", table, re.MULTILINE)
    assert found is not None, f"findings/README.md has no row for {finding}"
    versions = set(re.findall(r"[\d.]{4,}", found.group(1)))
    packages, _ = header(finding)
    assert versions <= set(re.findall(r"[\d.]*\d", packages)), f"{finding}: other versions"
    return found.group(1)


def line(row: Row) -> str:
    """Write a row of the table."""
    name = row.finding.__name__
    _, stated = header(name)
    found = re.search(row.pattern, stated)
    assert found is not None, f"{name}: its output has another form"
    cells = (
        row.what,
        row.ours(row.finding()),
        f"[{library(name)}](findings/{name}.sh)",
        row.theirs.format(*found.groups()),
        row.why,
        row.do,
    )
    assert not any("|" in cell for cell in cells)
    return "| " + " | ".join(cells) + " |"


def page() -> str:
    """Write the page."""
    named = {row.finding.__name__ for row in ROWS}
    rest = [path.stem for path in sorted(FINDINGS.glob("*.sh")) if path.stem not in named]
    others = [f"- [{library(name)}](findings/{name}.sh): {title(name)}" for name in rest]
    return HEAD + "\n".join(map(line, ROWS)) + "\n" + TAIL + "\n" + "\n".join(others) + "\n"


def title(finding: str) -> str:
    """Read the sentence that a finding begins with, without the library's name."""
    first = (FINDINGS / f"{finding}.sh").read_text(encoding="utf-8").splitlines()[1]
    return first.removeprefix("# ").split(": ", 1)[-1]


def main() -> None:
    """Print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write COMPARED.md")
    if parser.parse_args().write:
        PAGE.write_text(page(), encoding="utf-8")
        print(f"written: {PAGE.name}, {len(ROWS)} rows")
    else:
        print(page())


if __name__ == "__main__":
    main()
