"""Published figures on public data, by the package's own commands on two CPU cores.

REAL_DATA=... python -m benchmarks.published                   every set, seeds 0, 1, 2
REAL_DATA=... python -m benchmarks.published sms --seeds 0     one of them
python -m benchmarks.published --plan                          the commands alone
python -m benchmarks.published --table                         the table in MEASURED.md

`train` fits on the training part and chooses the rule on the validation part; `score` decides the
test part, once. What is there already is not done again: networks lie in build/published, figures
in benchmarks/published. No text leaves the folder of the data but for build.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.published_figures import (
    Figures,
    auroc_by_measure,
    binary_figures,
    label_figures,
    macro_figures,
    recall_promise,
    reject_figures,
    reject_threshold,
    risk_promise,
    rounded,
    set_promise,
    word_counts,
)
from benchmarks.published_sets import SETS, Set
from benchmarks.published_table import KEPT, table
from helpers.data import Task
from helpers.emotions import EMOTIONS

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "published"  # tables and networks, which stay on this machine
FLOORS = {"clinc-small": 0.92, "clinc-full": 0.955}  # share answered rightly, on validation


def run(arguments: list[str]) -> dict[str, Any]:
    """Run a command of the package; give it, with minutes of wall clock and of CPU."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "helpers", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=WORK)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}\n{done.stdout[-500:]}{done.stderr[-800:]}")
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "command": f"python -m helpers {' '.join(arguments)}",
        "minutes": round((time.perf_counter() - began) / 60, 2),
        "cpu_minutes": round(busy / 60, 2),
    }


def plan(name: str, seed: int) -> list[str]:
    """Give the arguments of the command that trains, in the folder `WORK`."""
    place, one = f"{name}-{seed}", SETS[name]
    return f"train {place}/{one.table} {one.options} --seed {seed} --output {place}/model".split()


def train(name: str, seed: int) -> dict[str, Any]:
    """Train on a set under a seed, once; say what that took."""
    place = WORK / f"{name}-{seed}"
    done = place / "trained.json"
    if not done.is_file():
        place.mkdir(parents=True, exist_ok=True)
        os.environ["LOGITS_TO_DECISIONS_CACHE"] = str(place / "kept")  # nothing of earlier runs
        SETS[name].make(place, seed)
        done.write_text(json.dumps(run(plan(name, seed)), indent=2), encoding="utf-8")
    return json.loads(done.read_text(encoding="utf-8"))


def read_task(place: Path, one: Set, seed: int) -> Task:
    """Read the table as the command does."""
    from helpers.table_files import file_task

    words = one.options.split()
    given = {word[2:]: words[words.index(word) + 1] for word in words if word in NAMED}
    labels = given.pop("label", "label").split(",")
    return file_task(place / one.table, labels=labels, seed=seed, **given)  # type: ignore[arg-type]


NAMED = ("--label", "--split", "--positive")


def unknown_too(place: Path, names: tuple[str, ...]) -> tuple[list[str], np.ndarray]:
    """Read the test part of CLINC150, where out of scope is the label past the last."""
    rows = pd.read_csv(place / "test.csv", keep_default_na=False)
    place_of = {label: k for k, label in enumerate(names)}
    return rows["text"].tolist(), rows["label"].map(
        lambda one: place_of.get(one, len(names))
    ).to_numpy()


def decide(place: Path, texts: list[str], ready: Any, z: np.ndarray) -> dict[str, Any]:
    """Decide a test part by `score`; see that it says what the rule says of the kept logits."""
    pd.DataFrame({"text": texts}).to_csv(place / "asked.csv", index=False)
    answers = place / "answers.jsonl"
    answers.unlink(missing_ok=True)
    took = run(
        ["score", f"{place.name}/model", f"{place.name}/asked.csv", f"{place.name}/{answers.name}"]
    )
    said = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    key = "labels" if "decision_labels" in said[0] else "label"
    if [row[f"decision_{key}"] for row in said] != [row[key] for row in ready.rule.explain(z)]:
        sys.exit(f"{place.name}: score and the rule differ")
    return took


def measure(name: str, seed: int) -> tuple[Figures, list[dict[str, Any]]]:
    """Give the figures of a trained system on its test part, and the commands that they took."""
    from helpers import deployment
    from helpers.decisions import Costs, LabelThresholds

    place = WORK / f"{name}-{seed}"
    task = read_task(place, SETS[name], seed)
    ready = deployment.load(place / "model")
    z_validation, y_validation = ready.logits(task.validation.texts), task.validation.labels
    texts, y = list(task.test.texts), task.test.labels
    if name in FLOORS:
        texts, y = unknown_too(place, task.label_names)
    z = ready.logits(texts)
    took, figures = [], {"rows": len(y)}
    if name in FLOORS:
        cut = reject_threshold(ready.rule, z_validation, y_validation, accuracy=FLOORS[name])
        took.append(run(["rule", f"{place.name}/model", "--threshold", repr(cut)]))
        ready = deployment.load(place / "model")
    took.append(decide(place, texts, ready, z))
    if name in FLOORS:
        known = y < z.shape[1]
        pool = np.concatenate([z_validation, z[known]]), np.concatenate([y_validation, y[known]])
        half = len(y_validation) // 2
        figures |= reject_figures(z, y, ready.rule) | {"threshold": cut}
        unknown = pd.read_csv(place / "unknown.csv", keep_default_na=False)["text"].tolist()
        figures["auroc_by_measure_on_validation"] = auroc_by_measure(
            z_validation, ready.logits(unknown)
        )
        figures["risk_promise"] = risk_promise(*pool, n_chosen=half)
        figures["set_promise"] = set_promise(*pool, n_chosen=half)
    elif task.kind == "binary":
        costs = Costs(false_positive=20, false_negative=1)
        seen = [*task.train.texts, *task.validation.texts]
        model = word_counts(seen, np.concatenate([task.train.labels, y_validation]), costs)
        figures |= binary_figures(z, y, ready.rule, costs, model.predict(texts))
        figures["recall_promise"] = recall_promise(z, y)
    else:
        figures |= label_figures(z, y, ready.rule)
        each = LabelThresholds.choose(
            z_validation, y_validation, macro_f1=True, label_names=task.label_names
        )
        figures["macro"] = macro_figures(z, y, each)
        if (place / "dev.csv").is_file():
            dev = pd.read_csv(place / "dev.csv", keep_default_na=False)
            z_dev, y_dev = ready.logits(dev["text"].tolist()), dev[list(EMOTIONS)].to_numpy()
            figures["dev"] = {"rows": len(dev)} | label_figures(z_dev, y_dev, ready.rule)
    return rounded(figures), took


def keep(name: str, seed: int) -> None:
    """Train, measure and keep the figures of a set under a seed, once."""
    import torch

    file = KEPT / f"{name}-{seed}.json"
    if file.is_file():
        return
    trained = train(name, seed)
    figures, took = measure(name, seed)
    values = {
        "set": name,
        "seed": seed,
        "commands": [trained, *took],
        "machine": {
            "system": platform.system(),
            "cores": os.cpu_count(),
            "torch": torch.__version__,
        },
        "figures": figures if SETS[name].quoted else {},
    }
    if not SETS[name].quoted:
        print(json.dumps(figures, indent=2))
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(SETS))
    parser.add_argument("--seeds", default="0,1,2", help="as 0,1,2")
    parser.add_argument("--plan", action="store_true", help="print the commands, run nothing")
    parser.add_argument("--table", action="store_true", help="print the table in MEASURED.md")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(SETS):
        sys.exit(f"no set is called {', '.join(unknown)}; there are {', '.join(SETS)}")
    if asked.table:
        print(table())
        return
    for seed in map(int, asked.seeds.split(",")):
        for name in asked.names or SETS:
            print(f"{name}: python -m helpers {' '.join(plan(name, seed))}", flush=True)
            if not asked.plan:
                keep(name, seed)


if __name__ == "__main__":
    main()
