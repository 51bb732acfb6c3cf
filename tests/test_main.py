"""The command line: each command does its work, and an error is one line."""

import dataclasses
import subprocess
import sys
import threading

import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment, doctor, training
from helpers.data import Part
from helpers.recipes import RECIPES

run = CliRunner()


def test_help_of_every_command_has_an_example():
    """Each command's help shows how it is called."""
    for name in ("train", "score", "serve", "doctor"):
        found = run.invoke(command_line.app, [name, "--help"])
        assert found.exit_code == 0 and f"python -m helpers {name}" in found.output


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [("", "x", "is empty or not set"), ("DESK", "a b", "printable ASCII")],
)
def test_a_key_that_cannot_work_is_refused(monkeypatch, name, key, words):
    """An empty variable name never opens the service, and a key must fit into a header."""
    monkeypatch.setenv("DESK", key)
    found = run.invoke(command_line.app, ["serve", "x", "--api-key-env", name])
    assert isinstance(found.exception, ValueError)
    with pytest.raises(ValueError, match=words):
        raise found.exception


def test_an_error_is_one_line():
    """What a user can mend is one line on the error stream, and the exit code 1."""
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "serve", "x", "--api-key-env", "NO_SUCH_KEY"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "error: the environment variable NO_SUCH_KEY is empty or not set\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "poems", "--output", "x"], r"no recipe poems \(offline\); there are urgent"),
        (["serve", "no-such-folder"], "there is no folder"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    """A recipe, a key or a folder that is not there is named."""
    found = run.invoke(command_line.app, arguments)
    with pytest.raises(ValueError, match=words):
        raise found.exception


def test_score_goes_through(saved, texts, tmp_path):
    """The command writes the file and counts rows and bad rows."""
    pd.DataFrame({"body": [*texts[:5], ""]}).to_csv(tmp_path / "in.csv", index=False)
    arguments = ["score", saved, tmp_path / "in.csv", tmp_path / "out.csv", "--text", "body"]
    found = run.invoke(command_line.app, list(map(str, arguments)))
    assert found.exit_code == 0, found.output
    assert "5 rows decided" in found.output and "1 bad rows" in found.output
    assert len(pd.read_csv(tmp_path / "out.csv")) == 5


def test_train_saves_a_network_with_its_rule(tmp_path, monkeypatch):
    """A recipe trains, chooses, reports and saves; what is saved loads."""
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "cache"))
    recipe = RECIPES["urgent", "offline"]
    task = recipe.load_task()
    short = [
        Part(p.texts[:100], p.labels[:100], p.rows[:100]) for p in (task.validation, task.test)
    ]
    few = dataclasses.replace(task, validation=short[0], test=short[1])
    fast = dataclasses.replace(recipe, load_task=lambda: few)
    monkeypatch.setitem(RECIPES, ("urgent", "offline"), fast)
    arguments = ["train", "urgent", "--output", str(tmp_path / "desk"), "--texts", "16"]
    found = run.invoke(command_line.app, arguments)
    assert found.exit_code == 0, found.output
    assert "Test part:" in found.output and "python -m helpers serve" in found.output
    ready = deployment.load(tmp_path / "desk")
    assert ready.rule.label_names == ("not urgent", "urgent")
    assert ready.rule.chosen["n_samples"] == len(
        RECIPES["urgent", "offline"].load_task().validation
    )
    card = (tmp_path / "desk" / "README.md").read_text(encoding="utf-8")
    assert "optimistic" in card and "all-MiniLM-L6-v2" in card


def test_a_recipe_without_a_way_to_choose_is_named(monkeypatch):
    """A recipe that only trains cannot be deployed."""
    bare = dataclasses.replace(RECIPES["urgent", "offline"], criterion=None)
    monkeypatch.setitem(RECIPES, ("bare", "offline"), bare)
    found = run.invoke(command_line.app, ["train", "bare", "--output", "x"])
    with pytest.raises(ValueError, match="no way to choose a rule"):
        raise found.exception


def test_doctor_finds_this_machine_well(monkeypatch):
    """Every line has a status; without a problem the exit code is 0."""
    monkeypatch.setattr(doctor, "_small_fine_tune", lambda: ("ok", "100 texts/s"))
    found = run.invoke(command_line.app, ["doctor"])
    lines = found.output.splitlines()
    assert all(line.split()[0] in ("ok", "warning", "problem") for line in lines)
    names = [line.split()[1] for line in lines]
    assert names[0] == "python" and names[-2:] == ["checkpoint", "fine-tune"]
    assert found.exit_code == 0, found.output


def test_doctor_says_what_is_wrong(monkeypatch):
    """A problem gives the exit code 1, and its line what to do; nothing waits for the network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")

    def refuse(address, timeout):
        assert timeout <= 5
        raise TimeoutError

    monkeypatch.setattr(doctor.socket, "create_connection", refuse)
    monkeypatch.setattr(doctor, "_checkpoint", lambda: ("problem", "model.safetensors: get"))
    found = run.invoke(command_line.app, ["doctor"])
    assert found.exit_code == 1
    assert "not reachable (TimeoutError)" in found.output and "problem  checkpoint" in found.output
    assert "fine-tune" not in found.output


def test_doctors_small_fine_tune_runs(monkeypatch):
    """The fine-tune gives a rate, and a failure becomes a problem."""
    monkeypatch.setattr(training, "fine_tune", lambda *_, **__: 1 / 0)
    assert doctor._small_fine_tune() == ("problem", "ZeroDivisionError: division by zero")


def test_a_silent_name_server_does_not_stop_the_doctor(monkeypatch):
    """Where even the look-up of the name hangs, the line comes after its time limit."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    answers = threading.Event()

    def connect(*_, **__):
        answers.wait()
        raise OSError

    monkeypatch.setattr(doctor.socket, "create_connection", connect)
    status, text = doctor._hub(timeout=0.1)
    assert status == "warning" and "no answer" in text and not answers.is_set()
    answers.set()


def test_a_file_without_one_good_row_is_a_failure(saved, tmp_path):
    """Where no row could be decided the exit code is 3, and there is the side file alone."""
    (tmp_path / "in.csv").write_text("text\n' '\n\" \"\n".replace("' '", '" "'))
    arguments = ["score", saved, tmp_path / "in.csv", tmp_path / "out.csv"]
    found = run.invoke(command_line.app, list(map(str, arguments)))
    assert found.exit_code == 3 and "no row could be decided" in found.output
    assert "written to" not in found.output and not (tmp_path / "out.csv").exists()
    assert len((tmp_path / "out.csv.bad.jsonl").read_text().splitlines()) == 2


def test_a_fault_is_one_line_whatever_it_names(saved, tmp_path, monkeypatch):
    """A header with a line's end in it does not make two lines of the message."""
    (tmp_path / "in.csv").write_text('"a\nb",c\n1,2\n')
    arguments = ["score", saved, tmp_path / "in.csv", tmp_path / "out.csv"]
    monkeypatch.setattr("sys.argv", ["helpers", *map(str, arguments)])
    with pytest.raises(SystemExit, match=r"^error: .* has no column 'text', only 'a\\nb', c$"):
        command_line.main()
