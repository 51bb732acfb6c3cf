"""Scores of another system: a rule is chosen, kept in one file, and applied without torch."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers.decisions import BinaryThreshold, Costs, LabelThresholds, RejectOption
from helpers.score_choice import choose_for_scores
from helpers.score_files import ScoreRule, decide_file, read_rule, read_scores, write_rule
from helpers.scores import from_probabilities

RNG = np.random.default_rng(5)
N = 300
YES = (RNG.random(N) < 0.2).astype(int)
P = 1 / (1 + np.exp(-RNG.normal(3.0 * YES - 2)))
TRUE = RNG.integers(0, 4, N)
Z = RNG.normal(3.0 * np.eye(4)[TRUE][:, :3])
MARKS = (RNG.random((N, 3)) < 0.3).astype(int)
ZM = RNG.normal(3.0 * MARKS - 2)
NAMES = ("bin", "tax", "bus", "zoo")
run = CliRunner()


@pytest.fixture
def tables(tmp_path):
    """Write a table of each kind, as three other systems would."""
    pd.DataFrame(
        {"id": [f"00{i}" for i in range(N)], "p": P, "urgent": np.array(["no", "yes"])[YES]}
    ).to_csv(tmp_path / "yes.csv", index=False)
    many = pd.DataFrame(Z, columns=NAMES[:3]).assign(truth=[NAMES[k] for k in TRUE])
    many.to_json(tmp_path / "one.jsonl", orient="records", lines=True, double_precision=15)
    wide = pd.DataFrame(ZM, columns=["sa", "sb", "sc"])
    wide[["a", "b", "c"]] = MARKS
    wide.to_parquet(tmp_path / "any.parquet")
    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "y.npy", TRUE)
    return tmp_path


def test_a_yes_no_rule_is_that_of_choose(tables):
    """Probabilities of a table give the rule that `choose_rule` gives for their logits."""
    costs = {"false_positive": 1, "false_negative": 9}
    kept, notes = choose_for_scores(
        tables / "yes.csv", scores=["p"], labels=["urgent"], scale="probabilities", criterion=costs
    )
    z = from_probabilities(
        pd.read_csv(tables / "yes.csv", float_precision="round_trip")["p"], kind="binary"
    )
    direct = BinaryThreshold.choose(
        z,
        YES,
        costs=Costs(false_positive=1, false_negative=9),
        temperature=kept.rule.temperature,
        label_names=("no", "yes"),
    )
    assert kept.rule == direct and "kind: binary" in notes[0]


def test_every_kind_decides_a_table_as_its_rule_does(tables):
    """The column that `decide_file` adds holds the rule's own answers, for each kind and format."""
    ways = {
        "yes.csv": (["p"], ["urgent"], {"f_beta": 1.0}, "probabilities", BinaryThreshold),
        "one.jsonl": (list(NAMES[:3]), ["truth"], {"reject": 0.4}, "logits", RejectOption),
        "any.parquet": (
            ["sa", "sb", "sc"],
            ["a", "b", "c"],
            {"macro_f1": True},
            "logits",
            LabelThresholds,
        ),
    }
    for name, (scores, labels, criterion, scale, rule_class) in ways.items():
        kept, _ = choose_for_scores(
            tables / name, scores=scores, labels=labels, scale=scale, criterion=criterion
        )
        assert isinstance(kept.rule, rule_class)
        write_rule(tables / "rule.json", kept)
        target = tables / f"out-{name}"
        assert decide_file(tables / "rule.json", tables / name, target) == N
        _, z = read_scores(tables / name, scores)
        said = [row["decision"] for row, _ in read_scores(target, scores)[0]]
        explained = kept.rule.explain(kept.logits(z))
        wanted = [record.get("label", record.get("labels")) for record in explained]
        assert [json.loads(s) if isinstance(wanted[0], list) else s for s in said] == wanted


def test_labels_without_a_column_are_other_and_said(tables):
    """Rows of a class that no score stands for count as Other, with their number."""
    kept, notes = choose_for_scores(
        tables / "one.jsonl", scores=list(NAMES[:3]), labels=["truth"], criterion={"reject": 0.4}
    )
    n = int((TRUE == 3).sum())
    assert kept.rule.chosen["n_other"] == n
    assert f"{n} rows have a label without a score column and count as Other: 'zoo'" in notes[1]


def test_score_columns_in_another_order_are_taken_by_name(tables):
    """A table whose score columns stand in another order is decided alike."""
    kept, _ = choose_for_scores(
        tables / "one.jsonl", scores=list(NAMES[:3]), labels=["truth"], criterion={"coverage": 0.7}
    )
    write_rule(tables / "rule.json", kept)
    table = pd.DataFrame(Z, columns=NAMES[:3])
    table.to_csv(tables / "a.csv", index=False)
    table[["bus", "bin", "tax"]].to_csv(tables / "b.csv", index=False)
    for name in ("a", "b"):
        decide_file(tables / "rule.json", tables / f"{name}.csv", tables / f"{name}-out.csv")
    first, second = (pd.read_csv(tables / f"{n}-out.csv")["decision"] for n in ("a", "b"))
    assert first.equals(second) and first.nunique() == 4


def test_arrays_choose_and_decide(tables):
    """Two .npy files choose the rule that the arrays choose, and an array is decided too."""
    kept, _ = choose_for_scores(
        tables / "z.npy",
        scores=list(NAMES[:3]),
        labels=tables / "y.npy",
        criterion={"coverage": 0.8},
    )
    direct = RejectOption.choose(
        Z, TRUE, coverage=0.8, label_names=NAMES[:3], temperature=kept.rule.temperature
    )
    assert kept.rule == direct
    write_rule(tables / "rule.json", kept)
    assert decide_file(tables / "rule.json", tables / "z.npy", tables / "o.csv") == N


def test_other_columns_leave_as_they_came(tables):
    """Leading zeros, long decimals and quotes of the other columns are those of the source."""
    kept = ScoreRule(
        rule=BinaryThreshold.from_threshold(0.5, label_names=("no", "yes")), columns=("p",)
    )
    write_rule(tables / "r.json", kept)
    (tables / "in.csv").write_text('id,p,note\n007,1.10,"a, ""b"""\n', encoding="utf-8")
    decide_file(tables / "r.json", tables / "in.csv", tables / "out.csv")
    told = (tables / "out.csv").read_text(encoding="utf-8")
    assert told == 'id,p,note,decision\n007,1.10,"a, ""b""",yes\n'
    (tables / "in.jsonl").write_text(
        '{"p": -1.10, "n": 12345678901234567890.10}\n', encoding="utf-8"
    )
    decide_file(tables / "r.json", tables / "in.jsonl", tables / "out.jsonl")
    told = (tables / "out.jsonl").read_text(encoding="utf-8")
    assert told == '{"p": -1.10, "n": 12345678901234567890.10, "decision": "no"}\n'


@pytest.mark.parametrize(
    ("scores", "labels", "options", "words"),
    [
        (["q"], ["urgent"], {}, "has no column 'q'"),
        (["id"], ["urgent"], {"scale": "probabilities"}, r"lie in \[0, 1\]"),
        (["urgent"], ["urgent"], {}, "row 1: urgent must hold a finite number, got '"),
        (["p"], ["urgnt"], {}, "no column 'urgnt'.*did you mean 'urgent'"),
        (["p"], ["urgent"], {"positive": "maybe"}, "positive must be one of"),
        (["p"], ["id"], {}, "yes/no needs two labels"),
        (["p", "id", "p2"], ["urgent"], {}, "no column 'p2'"),
        (["p"], ["urgent"], {"kind": "multilabel"}, "urgent must be 0 or 1"),
        (
            ["p"],
            ["urgent"],
            {"kind": "multilabel", "positive": "yes"},
            "positive is for yes/no, and this is multilabel",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tables, scores, labels, options, words):
    """A wrong column, scale, label or kind is one sentence."""
    if options.get("kind") == "multilabel":
        options = {**options, "criterion": {"micro_f1": True}}
        (tables / "yes.csv").write_text("p,urgent\n1,maybe\n2,yes\n", encoding="utf-8")
    arguments = {"criterion": {"f_beta": 1.0}, **options}
    with pytest.raises(ValueError, match=words):
        choose_for_scores(tables / "yes.csv", scores=scores, labels=labels, **arguments)


def test_names_that_are_no_columns_are_refused(tables):
    """Where no label is the name of a column, both lists are shown."""
    with pytest.raises(ValueError, match=r"no label is one of sa, sb, sc: the labels are.*--names"):
        choose_for_scores(
            tables / "any.parquet",
            scores=["sa", "sb", "sc"],
            labels=["a"],
            criterion={"reject": 0.4},
        )


def test_a_rule_file_is_whole_or_refused(tables):
    """A rule changed by hand, another JSON and a missing file are told apart."""
    kept = ScoreRule(rule=BinaryThreshold.from_threshold(0.2), columns=("p",))
    path = write_rule(tables / "rule.json", kept)
    assert read_rule(path) == kept
    write_rule(path, kept)  # its own file may be written again
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, "scale": "probabilities"}), encoding="utf-8")
    with pytest.raises(ValueError, match="changed by hand"):
        read_rule(path)
    (tables / "note.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ValueError, match="it is no rule that"):
        read_rule(tables / "note.json")
    with pytest.raises(ValueError, match="is something else: name a new file"):
        write_rule(tables / "note.json", kept)
    assert (tables / "note.json").read_text(encoding="utf-8") == "[1]"
    with pytest.raises(ValueError, match=r"ends in \.json"):
        write_rule(tables / "rule.txt", kept)
    with pytest.raises(ValueError, match="there is no rule file"):
        read_rule(tables / "none.json")


def test_columns_that_do_not_fit_the_rule_are_refused():
    """A rule of three labels takes three score columns, each by its own name."""
    rule = RejectOption.from_threshold(0.5, label_names=("a", "b", "c"))
    with pytest.raises(ValueError, match="expected 3 score columns for this rule, got 2"):
        ScoreRule(rule=rule, columns=("a", "b"))
    with pytest.raises(ValueError, match="columns must be different names"):
        ScoreRule(rule=rule, columns=("a", "a", "b"))
    with pytest.raises(ValueError, match="scale must be"):
        ScoreRule(rule=rule, columns=("a", "b", "c"), scale="odds")


def test_a_bad_table_leaves_nothing_behind(tables):
    """A score that is no number stops with its row, before anything is written."""
    kept = ScoreRule(rule=BinaryThreshold.from_threshold(0.2), columns=("p",))
    write_rule(tables / "rule.json", kept)
    (tables / "bad.csv").write_text("p,x\n1,a\n,b\n", encoding="utf-8")
    before = sorted(path.name for path in tables.iterdir())
    with pytest.raises(ValueError, match="row 2: p must hold a finite number, got ''"):
        decide_file(tables / "rule.json", tables / "bad.csv", tables / "out.csv")
    with pytest.raises(ValueError, match="is there already"):
        decide_file(tables / "rule.json", tables / "yes.csv", tables / "one.jsonl")
    assert sorted(path.name for path in tables.iterdir()) == before


def test_the_commands_go_through_and_need_no_torch(tables):
    """`choose` writes a rule and `decide` applies it in a process that never loads torch."""
    arguments = [
        "choose",
        tables / "yes.csv",
        "--score",
        "p",
        "--label",
        "urgent",
        "--probabilities",
    ]
    arguments += ["--false-positive", 1, "--false-negative", 20, "--output", tables / "rule.json"]
    found = run.invoke(command_line.app, list(map(str, arguments)))
    assert found.exit_code == 0, found.output
    assert "labels no, yes" in found.output and "python -m helpers decide" in found.output
    code = (
        "import sys; from helpers.score_files import decide_file;"
        f"print(decide_file(r'{tables / 'rule.json'}', r'{tables / 'yes.csv'}', "
        f"r'{tables / 'out.csv'}')); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [str(N), "False"], done.stderr
    decided = pd.read_csv(tables / "out.csv", dtype=str)
    assert list(decided.columns) == ["id", "p", "urgent", "decision"]
    found = run.invoke(
        command_line.app,
        list(map(str, ["decide", tables / "rule.json", tables / "yes.csv", tables / "again.csv"])),
    )
    assert found.exit_code == 0 and f"{N} rows decided" in found.output
