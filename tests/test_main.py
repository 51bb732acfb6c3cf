"""The command line: each command does its work, and an error is one line."""

import dataclasses
import os
import re
import subprocess
import sys
import threading

import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment, doctor, systems, training
from helpers.data import Part
from helpers.options import criterion_given
from helpers.recipes import RECIPES
from helpers.seen_texts import shares_seen

run = CliRunner()


def test_help_of_every_command_has_an_example():
    """Each command's help shows how it is called."""
    for name in ("train", "adopt", "choose", "decide", "score", "watch", "rule", "serve", "doctor"):
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
    fast = dataclasses.replace(
        recipe, load_task=lambda: few, published="F1 .5 there", estimate="a minute, a gigabyte"
    )
    monkeypatch.setitem(RECIPES, ("urgent", "offline"), fast)
    arguments = ["train", "urgent", "--output", str(tmp_path / "desk"), "--texts", "16"]
    found = run.invoke(command_line.app, arguments)
    assert found.exit_code == 0, found.output
    assert "Test part:" in found.output and "python -m helpers serve" in found.output
    tested = found.output.split("Test part:\n")[1].splitlines()[1]  # what a stranger reads first
    assert re.search(r", difference \S+ \(95 %: \S+ to \S+\)$", tested), tested
    assert "on a T4 it takes an estimated a minute, a gigabyte\n" in found.output
    assert found.output.index("Test part:") < found.output.index("published: F1 .5 there\n")
    ready = deployment.load(tmp_path / "desk")
    assert ready.rule.label_names == ("not urgent", "urgent")
    assert ready.rule.chosen["n_samples"] == len(
        RECIPES["urgent", "offline"].load_task().validation
    )
    card = (tmp_path / "desk" / "README.md").read_text(encoding="utf-8")
    assert "optimistic" in card and "all-MiniLM-L6-v2" in card


def test_train_takes_a_table(tmp_path, monkeypatch, texts):
    """A table of texts and labels becomes a saved network with a rule of the costs said."""
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "cache"))
    rows = [{"message": f"{texts[i % len(texts)]} {i}", "urgent": i % 4 == 0} for i in range(80)]
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    arguments = ["train", tmp_path / "mine.csv", "--text", "message", "--label", "urgent"]
    arguments += ["--epochs", 1, "--false-positive", 1, "--false-negative", 5]
    arguments += ["--batch-size", 16, "--learning-rate", 1e-5, "--max-length", 40]
    found = run.invoke(command_line.app, [*map(str, arguments), "--output", str(tmp_path / "desk")])
    assert found.exit_code == 0, found.output
    assert "kind: binary, yes or no: True is 1, False is 0" in found.output
    ready = deployment.load(tmp_path / "desk")
    assert ready.rule.chosen["costs"]["false_negative"] == 5
    assert ready.decision.max_length == 40
    seen = shares_seen(tmp_path / "desk", [row["message"] for row in rows])
    assert seen == pytest.approx({"train": 0.6, "validation": 0.2}, abs=0.02)
    assert "keeps a hash of each text" in (tmp_path / "desk" / "README.md").read_text("utf-8")
    assert ready.decision.data == "mine.csv"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--reject", "0.3"], "reject is for one of many; this is yes/no"),
        (["--false-positive", "1"], "need each other: give both"),
        (["--f-beta", "1", "--min-recall", "0.9"], "exactly one of costs.*got min_recall, f_beta"),
        (["--macro-f1"], "macro_f1 is for many labels; this is yes/no"),
        (["--f-beta", "1", "--confidence", "0.9"], "belongs to a promise .*; got f_beta"),
    ],
)
def test_a_way_to_choose_that_does_not_fit_stops_before_the_training(
    tmp_path, monkeypatch, flags, words
):
    """Flags that do not go with the labels, or with each other, are named before any work."""
    monkeypatch.setattr(systems, "fine_tune", lambda *_, **__: pytest.fail("it trained"))
    rows = [{"text": f"text {i}", "label": i % 2} for i in range(40)]
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    arguments = ["train", str(tmp_path / "mine.csv"), *flags, "--output", str(tmp_path / "desk")]
    found = run.invoke(command_line.app, arguments)
    with pytest.raises(ValueError, match=words):
        raise found.exception
    assert not (tmp_path / "desk").exists()


@pytest.mark.parametrize(("flags", "kept"), [([], True), (["--confidence", "0.9"], False)])
def test_a_promise_is_proven_on_rows_that_chose_no_epoch(tmp_path, monkeypatch, flags, kept):
    """With --confidence the last epoch is taken: the validation part chooses the rule alone."""

    class Stopped(Exception):
        pass

    def look(task, checkpoint, settings, **_):
        raise Stopped(settings.keep_best)

    monkeypatch.setattr(systems, "fine_tune", look)
    rows = [{"text": f"text {i}", "label": i % 2} for i in range(40)]
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    arguments = ["train", str(tmp_path / "mine.csv"), "--min-recall", "0.9", *flags]
    found = run.invoke(command_line.app, [*arguments, "--output", str(tmp_path / "desk")])
    assert isinstance(found.exception, Stopped) and found.exception.args == (kept,)


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


def test_threads_wait_as_in_run_py(monkeypatch):
    """The commands set what run.py sets, before torch is loaded; a value that is there stays."""
    import run as runner

    with monkeypatch.context() as patch:
        for name in command_line.THREADS:
            patch.delenv(name, raising=False)
        assert command_line.THREADS.items() <= runner.environment().items()
    code = (
        "import os, sys; from helpers import __main__ as m; m.app = lambda **_: print('torch' in "
        "sys.modules, os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT']); m.main()"
    )
    bare = {k: v for k, v in os.environ.items() if k not in command_line.THREADS}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**bare, "GOMP_SPINCOUNT": "7"},
    )
    assert done.stdout.split() == ["False", "PASSIVE", "7"], done.stderr


BAD_CALLS = [
    ("nonsense", 2, "No such command 'nonsense'; see --help"),
    ("train", 2, "Missing argument"),
    ("train urgent", 2, "Missing option '--output'"),
    ("train urgent --output q --texts x", 2, "Invalid value for '--texts'"),
    ("train urgent --output q --profile nowhere", 1, "there is no recipe urgent"),
    ("train none.csv --output q", 1, "the table none.csv is not there"),
    ("train file.csv --output file.csv", 1, "is a file: name a folder"),
    ("train file.csv --output q", 1, "has no column 'text'"),
    ("train file.csv --text a --label b --output q", 1, "a holds numbers alone, as '1'"),
    ("train file.csv --text b --label b --output q", 1, "one column cannot be two things"),
    ("train *.csv --text b --label a --kind odd --output q", 1, "kind must be one of binary"),
    ("train none/*.csv --output q", 1, "no file is called like none/*.csv"),
    ("train urgent --kind binary --output q", 1, "--kind is for a table"),
    ("train file.csv --subset small --output q", 1, "--subset is for a data set"),
    ("train urgent --output q --positive yes", 1, "--positive is for a table"),
    ("train urgent --output q --text a", 1, "are for a table, and urgent is a recipe"),
    ("train file.csv --output q --profile hub", 1, "--profile is for a recipe"),
    ("train urgent --output q --texts 0", 2, "Invalid value for '--texts'"),
    ("train urgent --output q --epochs 0", 2, "Invalid value for '--epochs'"),
    ("train urgent --output q --batch-size 0", 2, "Invalid value for '--batch-size'"),
    ("score a", 2, "Missing argument"),
    ("score a b c --nope", 2, "No such option"),
    ("score a b.csv c.csv", 1, "the source b.csv is not there"),
    ("score a b.xls c.csv", 1, "b.xls must end in one of"),
    ("score none file.csv c.csv --text a", 1, "there is no folder"),
    ("rule", 2, "Missing argument"),
    ("rule file.csv", 1, "there is no folder file.csv"),
    ("rule none", 1, "there is no folder none"),
    ("choose file.csv --score a --label b", 2, "Missing option '--output'"),
    ("choose file.csv --score a --label b --output r.txt", 1, "ends in .json, got r.txt"),
    ("choose file.csv --score a --label b --output none/r.json", 1, "there is no folder none"),
    ("choose file.csv --score q --label b --output r.json", 1, "has no column 'q'"),
    ("choose file.csv --score a --label q --output r.json", 1, "has no column 'q'"),
    ("choose file.csv --score a --label b --output r.json --kind odd", 1, "kind must be one of"),
    ("choose file.npy --score a --label b --output r.json", 1, "is not there"),
    ("decide none.json file.csv o.csv", 1, "there is no rule file none.json"),
    ("decide file.csv file.csv o.csv", 1, "cannot be read"),
    ("report none file.csv --output o.txt", 1, "ends in .html, got o.txt"),
    ("report none file.csv --output o.html", 1, "there is no"),
    ("serve", 2, "Missing argument"),
    ("serve none", 1, "there is no folder"),
    ("serve none --port 0", 2, "Invalid value for '--port'"),
    ("serve none --port x", 2, "Invalid value for '--port'"),
    ("serve none --api-key-env NO_SUCH_KEY", 1, "is empty or not set"),
    ("doctor extra", 2, "unexpected extra argument"),
]


@pytest.mark.parametrize(("call", "code", "words"), BAD_CALLS, ids=[c for c, *_ in BAD_CALLS])
def test_every_bad_call_is_one_line(tmp_path, monkeypatch, capsys, call, code, words):
    """A wrong call ends with a code and one line that says why, and writes nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.csv").write_text("a,b\n1,x\n2,x\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["helpers", *call.split()])
    for name, value in command_line.THREADS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    told = capsys.readouterr()
    message = told.err or f"{stopped.value.code}\n"  # sys.exit prints a text when Python ends
    assert message.startswith("error: ") and message.count("\n") == 1 and words in message
    assert (stopped.value.code if isinstance(stopped.value.code, int) else 1) == code
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"] and told.out == ""


def test_a_call_without_a_command_shows_the_help(monkeypatch, capsys):
    """Nothing asked for is no error: the commands are listed."""
    monkeypatch.setattr(sys, "argv", ["helpers"])
    for name, value in command_line.THREADS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    assert not stopped.value.code and "report" in capsys.readouterr().out


def test_a_fault_is_one_line_whatever_it_names(saved, tmp_path, monkeypatch):
    """A header with a line's end in it does not make two lines of the message."""
    (tmp_path / "in.csv").write_text('"a\nb",c\n1,2\n')
    arguments = ["score", saved, tmp_path / "in.csv", tmp_path / "out.csv"]
    monkeypatch.setattr("sys.argv", ["helpers", *map(str, arguments)])
    with pytest.raises(SystemExit, match=r"^error: .* has no column 'text', only 'a\\nb', c$"):
        command_line.main()


def test_an_option_of_0_is_given():
    """A share or a price of 0 says something; a flag that was not given does not."""
    given = {"false_positive": 1.0, "review": 0.0, "max_review": None, "micro_f1": False}
    assert criterion_given(given) == {"false_positive": 1.0, "review": 0.0}


@pytest.mark.parametrize(("world", "speaks"), [(None, True), ("2", False)])
def test_only_a_second_process_under_torchrun_is_silent(world, speaks):
    """RANK alone, which other launchers set, silences no command."""
    env = {**os.environ, "RANK": "1"}
    env.pop("WORLD_SIZE", None)
    env |= {"WORLD_SIZE": world} if world else {}
    call = [sys.executable, "-m", "helpers", "--help"]
    done = subprocess.run(call, capture_output=True, text=True, env=env, check=True)
    assert bool(done.stdout) == speaks
