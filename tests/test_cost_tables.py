"""A cost matrix comes from a small table, and every command that chooses a rule takes it."""

import json

import numpy as np
import pandas as pd
import pytest
from test_networks import make_network, make_table, make_texts
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers.cost_tables import read_cost_matrix, read_costs, read_costs_of
from helpers.decisions import BinaryThreshold, CostMatrix, Costs, MinimumExpectedCost

NAMES = ("bin", "lamp", "tax")
TABLE = "true,tax,bin,lamp,ask\nlamp,4,3,0,1\nbin,9,0,5,1\ntax,0,2,2,1.5\n"
MATRIX = CostMatrix(costs=[[0, 5, 9, 1], [3, 0, 4, 1], [2, 2, 0, 1.5]])


def write(path, text=TABLE):
    """Write a table of costs."""
    path.write_text(text, encoding="utf-8")
    return path


def run(*call):
    """Run a command."""
    return CliRunner().invoke(command_line.app, list(map(str, call)))


def test_rows_and_columns_come_in_the_order_of_the_labels(tmp_path):
    """Either may stand in any order; the column that is no label is the reject."""
    assert read_cost_matrix(write(tmp_path / "c.csv"), NAMES) == (MATRIX, "ask")
    plain = write(tmp_path / "plain.csv", "truth;bin;lamp\nlamp;3;0\nbin;0;5\n")
    assert read_cost_matrix(plain, NAMES[:2]) == (CostMatrix(costs=[[0, 5], [3, 0]]), None)
    other = write(tmp_path / "other.csv", TABLE + "ask,7,8,9,0\n")
    assert read_cost_matrix(other, NAMES)[0].unknown == (8, 9, 7, 0)


def test_the_kind_tells_the_two_tables_apart(tmp_path):
    """One of many takes a matrix, many labels a row each, yes/no neither."""
    path = write(tmp_path / "c.csv")
    assert read_costs(path, NAMES, "multiclass") == {"cost_matrix": MATRIX, "other": "ask"}
    each = write(tmp_path / "e.csv", "label,false_positive,false_negative\nbin,1,2\n")
    assert read_costs(each, ("bin",), "multilabel") == {
        "label_costs": [Costs(false_positive=1, false_negative=2)]
    }
    with pytest.raises(ValueError, match="each of many labels, and the kind is binary"):
        read_costs(path, ("no", "yes"), "binary")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("true,bin,lamp\nbin,0,1\nlamp,1,0\n", "no column for the answer tax"),
        ("true,bin,lamp,tax,a,b\nbin,0,1,1,1,1\n", "columns a, b, which are no labels"),
        ("true,bin,lamp,tax\nbin,0,1,1\ntax,1,1,0\n", "no row for the true label lamp"),
        (TABLE + "zoo,1,1,1,1\n", r"row 4 \(zoo\): this is no label; the labels are bin, lamp"),
        (TABLE + "tax,1,1,1,1\n", r"row 4 \(tax\): this label has costs already"),
        (TABLE.replace("9,0,5", "9,,5"), r"row 2 \(bin\): the cost of the answer bin must be"),
        (TABLE.replace("9,0,5", "-9,0,5"), r"number from 0 to 1e100, got -9 at costs\[0\]\[2\]"),
    ],
)
def test_a_table_that_does_not_do_is_refused(tmp_path, text, words):
    """A label that is missing, unknown or there twice, or a cost that is none, is named."""
    with pytest.raises(ValueError, match=words):
        read_cost_matrix(write(tmp_path / "c.csv", text), NAMES)


def test_choose_and_decide_take_a_table_of_costs(tmp_path):
    """From scores alone: the rule that is written has the costs, and decides a new table."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    z = rng.normal(size=(300, 3)) + 2 * np.eye(3)[y]
    table = pd.DataFrame(z, columns=NAMES).assign(label=np.array(NAMES)[y])
    table.to_csv(tmp_path / "t.csv", index=False)
    call = ["choose", tmp_path / "t.csv", "--score", "bin,lamp,tax", "--label", "label"]
    call += ["--costs", write(tmp_path / "costs.csv"), "--output", tmp_path / "r.json"]
    found = run(*call)
    assert found.exit_code == 0, found.output
    rule = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["rule"]
    assert CostMatrix(**rule["costs"]) == MATRIX and rule["other"] == "ask"
    assert run("decide", tmp_path / "r.json", tmp_path / "t.csv", tmp_path / "o.csv").exit_code == 0
    said = pd.read_csv(tmp_path / "o.csv")["decision"]
    assert set(said) == {*NAMES, "ask"}
    found = run(*call[:-2], "--reject", "1", "--output", tmp_path / "r2.json")
    assert found.exit_code == 1 and "in a column of its own" in str(found.exception)


def test_adopt_takes_a_table_of_costs_and_rule_changes_them(tmp_path):
    """A network that exists gets the rule by a matrix; another matrix takes its place later."""
    network = make_network(tmp_path / "theirs", head="many classes")
    table = make_table(tmp_path / "rows.csv", network, "many classes")
    costs, mine = write(tmp_path / "costs.csv"), tmp_path / "mine"
    found = run("adopt", network, table, "--costs", costs, "--output", mine)
    assert found.exit_code == 0, f"{found.output}{found.exception}"
    kept = json.loads((mine / "decision.json").read_text(encoding="utf-8"))["rule"]
    assert kept["rule"] == "MinimumExpectedCost" and kept["temperature"] != 1
    page = tmp_path / "page.html"
    assert run("report", mine, table, "--seen", "--output", page).exit_code == 0
    assert "What each label costs" in page.read_text(encoding="utf-8")
    pd.DataFrame({"text": make_texts(20, seed=3)}).to_csv(tmp_path / "in.csv", index=False)
    assert run("score", mine, tmp_path / "in.csv", tmp_path / "out.csv").exit_code == 0
    dear = write(tmp_path / "dear.csv", TABLE.replace("9,0,5,1", "90,0,50,10"))
    found = run("rule", mine, "--costs", dear)
    assert found.exit_code == 0, f"{found.output}{found.exception}"
    changed = json.loads((mine / "decision.json").read_text(encoding="utf-8"))["rule"]
    assert changed["costs"]["costs"][0] == [0, 50, 90, 10]
    assert changed["temperature"] == kept["temperature"]
    assert run("rule", mine, "--costs", write(tmp_path / "bad.csv", "a,b\n1,2\n")).exit_code == 1
    found = run("rule", mine, "--costs", dear, "--reject", "1")
    assert found.exit_code == 1 and "--costs holds all costs" in str(found.exception)


def test_rule_takes_costs_of_each_label(tmp_path):
    """For many labels the cuts come from each label's prices by the formula."""
    network = make_network(tmp_path / "theirs", head="many labels")
    table, mine = make_table(tmp_path / "rows.csv", network, "many labels"), tmp_path / "mine"
    assert run("adopt", network, table, "--label", "bin,lamp,tax", "--output", mine).exit_code == 0
    each = "label,false_positive,false_negative\nbin,1,1\ntax,1,4\nlamp,1,9\n"
    found = run("rule", mine, "--costs", write(tmp_path / "each.csv", each))
    assert found.exit_code == 0, f"{found.output}{found.exception}"
    kept = json.loads((mine / "decision.json").read_text(encoding="utf-8"))["rule"]
    assert kept["cuts"] == pytest.approx([0, -np.log(9), -np.log(4)])
    assert kept["chosen"]["method"] == "formula"


def test_a_saved_rule_takes_a_table_of_its_own_kind(tmp_path):
    """A matrix for a cost matrix, with the reject's own name; another rule takes no table."""
    table = tmp_path / "costs.csv"
    table.write_text("truth,bin,tax,Other\nbin,0,5,1\ntax,2,0,1\n")
    rule = MinimumExpectedCost(
        costs=CostMatrix(costs=[[0, 9, 1], [2, 0, 1]]), label_names=("bin", "tax")
    )
    assert read_costs_of(rule, table).costs[0] == (0.0, 5.0, 1.0)
    table.write_text("truth,bin,tax,desk\nbin,0,5,1\ntax,2,0,1\n")
    with pytest.raises(ValueError, match="the column 'desk' is no label, and the reject is 'Oth"):
        read_costs_of(rule, table)
    with pytest.raises(ValueError, match="not for a BinaryThreshold"):
        read_costs_of(BinaryThreshold.from_threshold(0.5), table)
