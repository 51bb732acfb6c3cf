"""Five tables as strangers bring them go through every command, with a network of one layer."""

import dataclasses
import json
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import small_model
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment, recipes, training
from helpers.table_report import true_labels
from helpers.tables import read_all

SHAPES = ("hotel", "bicycles", "films", "jobs", "reviews")
PLACES = ("hall", "yard", "loft", "attic", "cellar", "lobby", "tower", "annex", "studio", "bridge")


@pytest.fixture(scope="module")
def small_checkpoint(tmp_path_factory, tokenizer):
    """Put a network of one layer, without a head, where the package of a checkpoint would be."""
    root = tmp_path_factory.mktemp("site")
    folder = root / "small_checkpoint"
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").touch()
    small_model().base_model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    sys.path.insert(0, str(root))
    yield recipes.Checkpoint("nobody/small", "main", package="small_checkpoint")
    sys.path.remove(str(root))


@pytest.fixture
def command(small_checkpoint, monkeypatch, tmp_path):
    """Run a command in an empty folder, fine-tuning the small network."""
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    fast = {"epochs": 25, "batch_size": 8, "learning_rate": 5e-3}
    for kind, plan in recipes.OWN_TABLE.items():
        settings = dataclasses.replace(plan.settings, **fast)
        small = dataclasses.replace(plan, checkpoint=small_checkpoint, settings=settings)
        monkeypatch.setitem(recipes.OWN_TABLE, kind, small)

    def run(line):
        found = CliRunner().invoke(command_line.app, line.split())
        assert found.exit_code == 0, f"{line}\n{found.output}\n{found.exception}"
        return found.output

    return run


def sentences(rng, n, words):
    """Make n different sentences, each with the words of its row in a random place."""
    made = []
    for i in range(n):
        filler = rng.choice(PLACES, 2, replace=False).tolist()
        for word in 2 * words(i):
            filler.insert(int(rng.integers(len(filler) + 1)), word)
        made.append(" ".join([*filler, f"({i})"]))
    return made


def some(rng, names, n):
    """Draw a set of names for each row; a tenth of the rows get none."""
    marks = rng.random((n, len(names))) < 0.4
    return [[name for name, on in zip(names, row, strict=True) if on] for row in marks]


def write(shape, folder, name, seed, n=140):
    """Write one of the five tables, and return its path and rows."""
    rng = np.random.default_rng(seed)
    if shape == "hotel":  # yes or no, semicolons, an id
        needs = ["yes" if i % 4 == 0 else "no" for i in range(n)]
        if name == "new":
            needs[7] = "yes"  # a wrong label: the report should find it
        text = sentences(rng, n, lambda i: ["flooding", "now"] if i % 4 == 0 else ["towels"])
        rows = {"guest": [f"G{seed}-{i}" for i in range(n)], "note": text, "staff": needs}
        path = folder / f"{name}.csv"
        pd.DataFrame(rows).to_csv(path, sep=";", index=False)
    elif shape == "bicycles":  # one of four, tabs, a column of parts
        words = {"brakes": "squeal", "tyres": "puncture", "chain": "slips", "lights": "dark"}
        names = [list(words)[i % 4] for i in range(n)]
        rows = {"about": names, "mail": sentences(rng, n, lambda i: [words[names[i]]])}
        rows["set"] = [("Train", "Train", "Train", "dev", "test")[i // 4 % 5] for i in range(n)]
        path = folder / f"{name}.tsv"
        pd.DataFrame(rows).to_csv(path, sep="\t", index=False)
    else:
        words = {
            "films": {"funny": "laughed", "sad": "wept", "slow": "yawned"},
            "jobs": {"cooking": "chef", "driving": "lorry", "office": "desk", "nights": "midnight"},
            "reviews": {"crash": "freezes", "login": "password", "price": "expensive"},
        }[shape]
        sets = some(rng, list(words), n)
        text = sentences(rng, n, lambda i: [words[one] for one in sets[i]])
        if shape == "films":  # many labels as columns, Parquet
            rows = {"review": text, **{one: [one in s for s in sets] for one in words}}
            path = folder / f"{name}.parquet"
            pd.DataFrame(rows).to_parquet(path)
        elif shape == "jobs":  # lists, JSON lines
            path = folder / f"{name}.jsonl"
            lines = [json.dumps({"ad": t, "skills": s}) for t, s in zip(text, sets, strict=True)]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        else:  # labels in one cell, packed
            path = folder / f"{name}.csv.gz"
            pd.DataFrame({"text": text, "tags": [" | ".join(s) for s in sets]}).to_csv(
                path, index=False
            )
    return path


COLUMNS = {
    "hotel": "--text note --label staff",
    "bicycles": "--text mail --label about --split set",
    "films": "--text review --label funny,sad,slow",
    "jobs": "--text ad --label skills",
    "reviews": "--label tags --separator |",
}
RULES = {
    "hotel": "--false-positive 1 --false-negative 20",
    "bicycles": "--reject 0.3",
    "films": "--costs costs.csv",
    "jobs": "--micro-f1",
    "reviews": "",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_strangers_table_goes_through_every_command(command, tmp_path, shape):
    """Each command takes the table, and the answers beat those without a network."""
    old, new = (write(shape, tmp_path, name, k) for k, name in enumerate(("old", "new")))
    (tmp_path / "costs.csv").write_text(
        "label,false_positive,false_negative\nfunny,1,1\nslow,1,9\nsad,1,3\n", encoding="utf-8"
    )
    options = COLUMNS[shape]
    kind = {"hotel": "binary", "bicycles": "multiclass"}.get(shape, "multilabel")
    said = command(f"train {old.name} {options} {RULES[shape]} --output mine")
    assert f"kind: {kind}" in said and "rows: train 84, validation 28, test 28" in said

    names = " --id-column guest" if shape == "hotel" else ""
    said = command(f"report mine {new.name} {options}{names} --output page.html")
    n = 28 if shape == "bicycles" else 140  # the column with the parts leaves the test part
    assert f"{n} rows" in said and "none did" in said
    sections = json.loads((tmp_path / "page.report.json").read_text(encoding="utf-8"))["sections"]
    rows = {one["heading"]: one["rows"] for one in sections}
    figures = rows["Beside the plain rule"][-1]
    if shape == "hotel":
        assert figures["cost"] < 0.5 * 0.75  # of yes to all; no to all costs 5
        assert (rows["Labels to look at"][0]["row"], rows["Sure, and wrong"][0]["guest"]) == (
            8,
            "G1-7",
        )
    elif shape == "bicycles":
        assert figures["cost"] < 0.3  # of Other for all
    else:
        always = np.mean([row["f1_always"] for row in rows["Label by label"]])
        assert figures["macro_f1"] > always + 0.05
        assert ("cost" in figures) == (shape == "films")

    text = options.split()[1] if "--text" in options else "text"
    assert "140 rows decided" in command(f"score mine {new.name} out.jsonl --text {text}")
    decided = [row for row, _ in read_all("out.jsonl", [text])]
    for row, (came, _) in zip(decided, read_all(new, [text]), strict=True):
        assert came.items() <= row.items()  # all columns travel through
    if shape == "hotel":
        answers = [(row["staff"], row["decision_label"]) for row in decided]
        missed = answers.count(("yes", "no"))
        assert missed == rows["Right and wrong"][0]["no"]

    assert json.loads(command("rule mine"))["chosen"]["n_samples"] == 28
    whole = options.replace("--split set", "").split()
    arguments = ["report", "mine", old.name, *whole, "--output", "again.html"]
    found = CliRunner().invoke(command_line.app, arguments)
    with pytest.raises(ValueError, match=r"60.0% trained the network and 20.0% chose the rule"):
        raise found.exception

    # the commands for scores alone, on the logits of this network
    ready = deployment.load("mine")
    columns = whole[whole.index("--label") + 1].split(",")
    table = pd.DataFrame([row for row, _ in read_all(new, [text])])
    truth = true_labels(table, columns, ready.rule, separator="|" if shape == "reviews" else None)
    z = pd.DataFrame(ready.logits(table[text].tolist())).rename(columns="z{}".format)
    labels = list(ready.rule.label_names) if truth.ndim == 2 else ["truth"]
    marks = truth if truth.ndim == 2 else np.array(ready.rule.label_names)[truth][:, None]
    scored = pd.concat([z, pd.DataFrame(marks, columns=labels)], axis=1)
    scored.to_csv("scored.csv", index=False)
    flags = f"--score {','.join(z)} --label {','.join(labels)} {RULES[shape] or '--macro-f1'}"
    if truth.ndim == 1 and len(z.columns) > 2:
        flags += f" --names {','.join(ready.rule.label_names)}"
    assert f"kind: {kind}" in command(f"choose scored.csv {flags} --output rule.json")
    assert "140 rows decided" in command("decide rule.json scored.csv decided.csv")
    assert list(z) + labels == list(pd.read_csv("decided.csv"))[: len(z.columns) + len(labels)]
    said = command(
        f"report rule.json scored.csv --label {','.join(labels)} --seen --output scores.html"
    )
    assert "they chose the rule" in said
