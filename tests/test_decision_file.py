"""The decision file: its schema, its older version, what was altered, how it is changed."""

import copy
import json
import shutil
from pathlib import Path

import jsonschema
import pytest
import torch
from conftest import NAMES, RULE, small_model
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment
from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    RejectCosts,
    RejectOption,
    rule_from_dict,
)
from helpers.pipeline import Decision, check_head, read_decision
from helpers.portable.decisions import checksum

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "helpers/decision.schema.json").read_text(encoding="utf-8"))
VERSION_1 = json.loads((ROOT / "tests/version_1.json").read_text(encoding="utf-8"))


def plain(values):
    """Send values through JSON text."""
    return json.loads(json.dumps(values, allow_nan=False))


@pytest.mark.parametrize("i", range(len(VERSION_1)))
def test_version_1_decides_as_it_did(i):
    """A rule of the format before is read, answers as it did, and is written as version 2."""
    case = VERSION_1[i]
    decision = Decision.from_dict(case["decision"])
    assert decision.rule.decide(case["logits"]).tolist() == case["answers"]
    assert "way" not in decision.rule.chosen and "confidence" not in decision.rule.chosen
    assert Decision.from_dict(plain(decision.to_dict())) == decision


@pytest.mark.parametrize("i", range(len(VERSION_1)))
def test_every_saved_file_satisfies_the_schema(i):
    """All rules and ways of choosing write what the published schema describes."""
    values = plain(Decision.from_dict(VERSION_1[i]["decision"]).to_dict())
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(values, SCHEMA)


def test_a_saved_folder_satisfies_the_schema(saved):
    """So does the file that lies beside a network, and it names every file that decides."""
    values = json.loads((saved / "decision.json").read_text(encoding="utf-8"))
    jsonschema.validate(values, SCHEMA)
    here = {p.name for p in saved.iterdir()}
    assert set(values["files"]) == here - {"decision.json", "README.md"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v: v.pop("dtype"),
        lambda v: v.update(more=1),
        lambda v: v["rule"].update(cut="sometimes"),
        lambda v: v["rule"].update(temperature=0),
        lambda v: v["rule"].update(label_names=["a", "a"]),
        lambda v: v["rule"].pop("chosen"),
        lambda v: v["files"].update({"../x": "0" * 64}),
    ],
)
def test_the_schema_refuses_what_the_code_refuses(spoil):
    """A spoilt file is wrong by the schema, and no decision by the code."""
    values = plain(Decision(rule=RULE, dtype="fp32").to_dict())
    spoil(values)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA)
    values["checksum"] = checksum(values)
    with pytest.raises((ValueError, TypeError)):
        Decision.from_dict(values)


def test_a_change_by_hand_is_told_from_a_sound_one(saved, tmp_path):
    """A cut that was edited is refused, and the message names the command that does it soundly."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    text = (folder / "decision.json").read_text(encoding="utf-8")
    (folder / "decision.json").write_text(text.replace('"cut": 2.5', '"cut": -2.5'))
    with pytest.raises(ValueError, match="changed by hand: `python -m helpers rule FOLDER`"):
        deployment.load(folder)


def alterations(folder):
    """Give a name and a function for each way to alter a file of a saved folder."""
    for path in sorted(folder.iterdir()):
        name = path.name
        if name == "README.md":
            continue
        yield f"{name} is gone", lambda f, n=name: (f / n).unlink()
        yield (
            f"{name} is cut short",
            lambda f, n=name: (f / n).write_bytes(
                (f / n).read_bytes()[: len((f / n).read_bytes()) // 2]
            ),
        )
        yield f"{name} is empty", lambda f, n=name: (f / n).write_bytes(b"")
        yield f"{name} has one byte turned", lambda f, n=name: turn(f / n)
        if path.suffix != ".json" or name == "tokenizer.json":
            continue
        values = json.loads(path.read_text(encoding="utf-8"))
        for key in values:
            for what, other in (("gone", None), ("a list", [1]), ("a word", "x"), ("a number", 3)):
                if values[key] != other:
                    yield (
                        f"{name}: {key} is {what}",
                        lambda f, n=name, k=key, v=other: edit(f / n, k, v),
                    )
    for name in (
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.txt",
        "generation_config.json",
        "chat_template.jinja",
        "adapter_config.json",
        "pytorch_model.bin",
        "model.safetensors.index.json",
        "tokenizer.model",
        "config.py",
    ):
        yield f"{name} is added", lambda f, n=name: (f / n).write_text("{}")
    yield "tokenizer and configuration change places", swap


def turn(path):
    """Turn one byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x15
    path.write_bytes(data)


def edit(path, key, value):
    """Set a field of a JSON file, or take it away."""
    values = json.loads(path.read_text(encoding="utf-8"))
    values.pop(key)
    if value is not None:
        values[key] = value
    path.write_text(json.dumps(values))


def swap(folder):
    """Let two files change places."""
    (folder / "config.json").rename(folder / "x")
    (folder / "tokenizer_config.json").rename(folder / "config.json")
    (folder / "x").rename(folder / "tokenizer_config.json")


def test_no_alteration_of_a_folder_goes_unnoticed(saved, tmp_path):
    """Each of well over a hundred alterations ends in a ValueError of ours, in one sentence."""
    unnoticed, foreign, n = [], [], 0
    for i, (name, alter) in enumerate(alterations(saved)):
        folder = shutil.copytree(saved, tmp_path / str(i))
        alter(folder)
        n += 1
        try:
            deployment.load(folder)
        except ValueError as error:
            if "\n" in str(error).strip():
                foreign.append(f"{name}: several lines")
        except Exception as error:
            foreign.append(f"{name}: {type(error).__name__}")
        else:
            unnoticed.append(name)
        shutil.rmtree(folder)
    assert unnoticed == [] and foreign == [] and n > 150


def test_a_missing_file_is_named(saved, tmp_path):
    """Without its weights a folder is told to lack them, not its decision."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        ValueError, match=r"has no model\.safetensors: without it the network cannot"
    ):
        deployment.load(folder)


@pytest.mark.parametrize("name", ["LICENSE", "README.md", ".gitattributes", "NOTICE.txt"])
def test_harmless_files_may_lie_beside(saved, tmp_path, name):
    """A licence, a changed model card and hidden files change no answer."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    (folder / name).write_text("mine")
    assert deployment.load(folder).rule == RULE


def headed(n_logits, problem):
    """Make a network with a head for one kind of task."""
    names = ("a", "b", "c")[:n_logits] if n_logits > 1 else ("b",)
    model = small_model(n_logits, names)
    model.config.problem_type = problem
    return model


SINGLE, MULTI = "single_label_classification", "multi_label_classification"
YES_NO = BinaryThreshold(cut=0.0, label_names=("a", "b"))
OTHER = RejectOption(cut=0.5, label_names=("a", "b", "c"))
MANY = LabelThresholds(cuts=(0.0,) * 3, label_names=("a", "b", "c"))


@pytest.mark.parametrize(
    ("rule", "n_logits", "problem", "fits"),
    [
        (YES_NO, 2, SINGLE, True),
        (YES_NO, 2, None, True),
        (YES_NO, 2, MULTI, False),
        (YES_NO, 1, MULTI, True),
        (YES_NO, 1, None, False),
        (YES_NO, 1, "regression", False),
        (YES_NO, 1, SINGLE, False),
        (OTHER, 3, SINGLE, True),
        (OTHER, 3, None, True),
        (OTHER, 3, MULTI, False),
        (MANY, 3, MULTI, True),
        (MANY, 3, SINGLE, False),
        (MANY, 3, None, False),
    ],
)
def test_head_and_rule_must_fit(rule, n_logits, problem, fits):
    """Softmax, sigmoid and regression heads take the rules that are meant for them alone."""
    with torch.random.fork_rng():
        model = headed(n_logits, problem)
    if fits:
        check_head(model, rule)
        return
    with pytest.raises(ValueError, match=f"needs a head for .*problem_type is {problem}"):
        check_head(model, rule)


def test_a_rule_is_changed_soundly(saved, tmp_path):
    """The new rule loads, decides and stands in the model card; network and the rest stay."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    new = BinaryThreshold.from_costs(
        Costs(false_positive=1, false_negative=50), temperature=1.3, label_names=NAMES
    )
    deployment.change_rule(folder, new)
    assert deployment.load(folder).rule == new
    before, after = ((f / "README.md").read_text(encoding="utf-8") for f in (saved, folder))
    changed = [b for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert len(changed) == 2 and '"false_negative": 50.0' in changed[1]
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in saved.iterdir())


@pytest.mark.parametrize("new", [OTHER, BinaryThreshold(cut=0.0, label_names=("x", "y"))])
def test_a_rule_of_another_kind_is_refused(saved, tmp_path, new):
    """Another type, or other labels, are named, and the folder stays as it was."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    with pytest.raises(ValueError, match="expected a BinaryThreshold for the labels not urgent"):
        deployment.change_rule(folder, new)
    assert deployment.load(folder).rule == RULE


def test_a_change_that_dies_leaves_the_old_rule_or_the_new(saved, tmp_path, monkeypatch):
    """Whether the text or the move fails, a sound rule remains, and no scratch file."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    new = BinaryThreshold(cut=1.0, label_names=NAMES)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    for name in ("write_text", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, full)
            with pytest.raises(OSError, match="No space left"):
                deployment.change_rule(folder, new)
        assert deployment.load(folder).rule == RULE
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in saved.iterdir())


def call(*arguments):
    """Run the command line."""
    return CliRunner().invoke(command_line.app, list(map(str, arguments)))


def test_the_command_shows_and_changes_a_rule(saved, tmp_path):
    """Without an option it shows the rule; a threshold, prices and another base rate change it."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    assert rule_from_dict(json.loads(call("rule", folder).output)) == RULE
    assert call("rule", folder, "--threshold", 0.2).exit_code == 0
    assert deployment.load(folder).rule.threshold == pytest.approx(0.2)
    call("rule", folder, "--false-positive", 1, "--false-negative", 4)
    assert deployment.load(folder).rule.threshold == pytest.approx(0.2)
    assert deployment.load(folder).rule.chosen["method"] == "formula"
    call("rule", folder, "--old-rate", 0.5, "--new-rate", 0.1)
    moved = deployment.load(folder).rule
    assert moved.threshold == pytest.approx(0.2 * 9 / (0.2 * 9 + 0.8))
    assert moved.temperature == RULE.temperature


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--threshold", "1.2"], "a probability in"),
        (["--threshold", "0.2", "--false-positive", "1", "--false-negative", "2"], "one change"),
        (["--false-positive", "1"], "give both --false-positive and --false-negative"),
        (["--old-rate", "0.1"], "needs both"),
        (["--reject", "0.3"], "costs must be Costs"),
        (["--thresholds", "urgent=0.3"], "does not go with a BinaryThreshold"),
    ],
)
def test_wrong_changes_are_one_line(saved, tmp_path, options, words):
    """What does not go together, or not with this rule, is a ValueError, and nothing changes."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    found = call("rule", folder, *options)
    assert found.exit_code == 1 and words in str(found.exception)
    assert deployment.load(folder).rule == RULE


def test_many_labels_and_other_are_changed_by_name():
    """Labels that are not named keep their cuts; a reject option keeps measure and name."""
    from helpers.rules import changed

    new = changed(MANY, thresholds="a=0.7, c=1")
    assert new.thresholds == pytest.approx((0.7, 0.5, 1.0))
    assert changed(MANY, threshold=0.2).thresholds == pytest.approx((0.2,) * 3)
    with pytest.raises(ValueError, match="no label x; there are a, b, c"):
        changed(MANY, thresholds="x=0.5")
    with pytest.raises(ValueError, match=r"given as name=0\.3,other=0\.7, got 'a'"):
        changed(MANY, thresholds="a")
    margin = RejectOption(cut=0.5, measure="margin", other="person", label_names=("a", "b"))
    assert changed(margin, threshold=0.3).measure == "margin"
    assert changed(OTHER, costs=RejectCosts(reject=0.4)).threshold == pytest.approx(0.6)
    assert changed(OTHER) is None


def test_a_folder_of_the_build_before_loads(tmp_path, tokenizer):
    """Three files of code, a version 1 decision, two hashes: it still answers as it did."""
    with torch.random.fork_rng():
        model = small_model()
    folder = deployment.save(tmp_path / "old", model, tokenizer, RULE, dtype="fp32")
    expected = deployment.load(folder).explain(["a leak"])
    values = copy.deepcopy(VERSION_1[0]["decision"])
    values["rule"] |= {"cut": 2.5, "temperature": 1.3, "label_names": list(NAMES)}
    kept = read_decision(folder).files
    values |= {
        "dtype": "fp32",
        "max_length": 128,
        "files": {n: kept[n] for n in ("model.safetensors", "tokenizer.json")},
    }
    for name in ("checks", "costs", "rule", "search", "binary", "labels", "reject", "texts"):
        (folder / f"{name}.py").unlink()
    (folder / "decision.json").write_text(json.dumps(values))
    assert deployment.load(folder).explain(["a leak"]) == expected


def test_the_folder_holds_all_that_the_pipeline_needs(tmp_path, tokenizer):
    """Each kind of rule answers through transformers alone, from the files in its folder."""
    import subprocess
    import sys

    code = (
        "import sys, json; sys.modules['helpers'] = None\n"
        "from transformers import pipeline\n"
        "for folder in sys.argv[1:]:\n"
        "    p = pipeline('text-classification', model=folder, trust_remote_code=True, device=-1)\n"
        "    print(json.dumps(p(['a leak', 'a bin'])))\n"
    )
    folders, expected = [], []
    for rule, n, problem in ((YES_NO, 2, SINGLE), (OTHER, 3, SINGLE), (MANY, 3, MULTI)):
        with torch.random.fork_rng():
            model = headed(n, problem)
        folder = deployment.save(tmp_path / str(n) / problem, model, tokenizer, rule, dtype="fp32")
        folders.append(str(folder))
        expected.append(deployment.load(folder).explain(["a leak", "a bin"]))
    done = subprocess.run(
        [sys.executable, "-c", code, *folders],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**__import__("os").environ, "HF_MODULES_CACHE": str(tmp_path / "modules")},
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    for theirs, ours in zip(found, expected, strict=True):
        for one, other in zip(theirs, ours, strict=True):
            assert one.keys() == other.keys()
            names = {"label", "labels", "accepted", "best", "truncated"} & set(one)
            assert {n: one[n] for n in names} == {n: other[n] for n in names}
