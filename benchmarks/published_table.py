"""The table of published figures and ours, made of the figures that runs have kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

KEPT = Path(__file__).resolve().parent / "published"  # figures alone, which go into git
BEGIN, END = "<!-- published figures -->", "<!-- end of published figures -->"


@dataclass(frozen=True)
class Line:
    """A line of the table: a figure, what is published, and what we set out to reach."""

    name: str
    data: str
    path: str
    what: str
    published: str = ""
    aim: float | None = None


LARSON = "{}, BERT and a threshold (Larson and others 2019, recalled)"
WINNER = "{}, the task's winner (Baziotis and others 2018, recalled)"
DOCBERT = ".89, BERT-base (Adhikari and others 2019, recalled)"
SOURCE = ".7096, BERT-base at 0.5 (the source notebook)"
CLINC, SMALL, TWEETS = "CLINC150", "CLINC150 small", "SemEval-2018 E-c"
NEWS, SMS = "Reuters-21578, 90 topics", "SMS spam"
IN_SCOPE, OUT = "right, of those in scope", "recall of out of scope, the same cut"
LINES = (
    Line("clinc-full", CLINC, "in_scope_accuracy", IN_SCOPE, LARSON.format(".962"), 0.955),
    Line("clinc-full", CLINC, "oos_recall", OUT, LARSON.format(".523"), 0.70),
    Line("clinc-full", CLINC, "auroc", "AUROC, in scope against out of it", aim=0.972),
    Line("clinc-small", SMALL, "in_scope_accuracy", IN_SCOPE, aim=0.92),
    Line("clinc-small", SMALL, "oos_recall", OUT, aim=0.60),
    Line("semeval", TWEETS, "dev.micro_f1", "micro-F1, dev part", SOURCE, 0.7096),
    Line("semeval", TWEETS, "micro_f1", "micro-F1", WINNER.format(".701"), 0.701),
    Line("semeval", TWEETS, "jaccard", "Jaccard", WINNER.format(".588"), 0.588),
    Line("reuters", NEWS, "micro_f1", "micro-F1", DOCBERT, 0.88),
    Line("reuters", NEWS, "macro.gain", "macro-F1, a cut each, less that at 0.5"),
    Line("sms", SMS, "difference_to_half", "cost a message, less that at 0.5"),
    Line("sms", SMS, "difference_to_scikit_learn", "the same, less that of tuned word counts"),
)


def read(folder: Path = KEPT) -> dict[str, list[dict[str, Any]]]:
    """Read the kept runs of each set, in the order of their seeds."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(folder.glob("*.json")):
        one = json.loads(file.read_text(encoding="utf-8"))
        runs.setdefault(one["set"], []).append(one)
    return {name: sorted(found, key=lambda one: one["seed"]) for name, found in runs.items()}


def figure(run: dict[str, Any], path: str) -> Any:
    """Take a figure by its path, as ``dev.micro_f1``."""
    found = run["figures"]
    for step in path.split("."):
        found = found[step]
    return found


def ours(line: Line, runs: list[dict[str, Any]]) -> str:
    """Say what the runs of a set gave: a mean and a range, or each difference with its interval."""
    if not runs:
        return "not run yet"
    values = [figure(one, line.path) for one in runs]
    if isinstance(values[0], list):
        return "; ".join("{:.3f} ({:.3f} to {:.3f})".format(*value) for value in values)
    middle = mean(values)
    said = f"{middle:.4f}"
    if len(values) > 1:
        said += f" ({min(values):.4f} to {max(values):.4f})"
    if line.aim is not None:
        said += ", reached" if middle >= line.aim else ", not reached"
    return said


def table(folder: Path = KEPT) -> str:
    """Write the table in Markdown, as it stands in MEASURED.md."""
    runs = read(folder)
    rows = ["| data, figure on the test part | published | to reach | ours | seeds |"]
    rows.append("|---|---|---|---|---|")
    for line in LINES:
        found = runs.get(line.name, [])
        aim = "" if line.aim is None else f"{line.aim:g}"
        seeds = ", ".join(str(one["seed"]) for one in found)
        cells = [f"{line.data}: {line.what}", line.published, aim, ours(line, found), seeds]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, "", *notes(runs)]).rstrip()


def notes(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Say what the training took, how often promises broke, and which measure tells best.

    Minutes are those of CPU: wall clock also tells what else the machine did.
    """
    said = []
    for one in (run for found in runs.values() for run in found):
        where = f"{one['set']}, seed {one['seed']}"
        said.append(f"- {where}: `train` took {one['commands'][0]['cpu_minutes']:.1f} CPU minutes")
        for key, bound in (("recall_promise", "floor"), ("risk_promise", "risk")):
            if kept := one["figures"].get(key):
                chosen = kept["draws"] - kept["refused"]
                rules = "rule was" if chosen == 1 else "rules were"
                said.append(
                    f"- {where}: in {kept['draws']} draws {chosen} {rules} promised a "
                    f"{key.split('_')[0]} of {kept[bound]} and {kept['broken']} broke it; by "
                    f"chance at most {kept['most_by_chance']} of {kept['draws']}"
                )
        if kept := one["figures"].get("set_promise"):
            said.append(
                f"- {where}: sets promised to hold the label {kept['asked']} of the time held it "
                f"{kept['mean_coverage']:.3f} of the time, with {kept['mean_labels']:.2f} labels"
            )
        if kept := one["figures"].get("auroc_by_measure_on_validation"):
            best = max(kept, key=kept.__getitem__)
            said.append(
                f"- {where}: validation messages and out-of-scope ones are told apart best by "
                f"{best}, AUROC {kept[best]:.4f}; softmax {kept['softmax']:.4f}"
            )
    return said
