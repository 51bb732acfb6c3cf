"""Costs of each label come from a small table, and choose and price a rule for many labels."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers.choosing import choose_rule, criterion_of, report_rule
from helpers.label_costs import read_label_costs
from helpers.page import report_page
from helpers.portable.costs import Costs

HEAD = "label;false_positive;false_negative\n"
NAMES = ("home", "water")
RNG = np.random.default_rng(0)
Y = (RNG.random((200, 2)) < 0.3).astype(int)
Z = 2 * Y - 1 + RNG.normal(size=(200, 2))


def write(path, lines):
    """Write the lines below the header."""
    path.write_text(HEAD + lines, encoding="utf-8")
    return path


def test_costs_come_in_the_order_of_the_labels(tmp_path):
    """The rows of the table may stand in any order."""
    path = write(tmp_path / "costs.csv", "water;1;20\n home ;2;5\n")
    assert read_label_costs(path, NAMES) == [
        Costs(false_positive=2, false_negative=5),
        Costs(false_positive=1, false_negative=20),
    ]


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        ("home;1;2\n", "multilabel", "has no costs for water"),
        ("home;1;2\nwater;1;2\nzoo;1;1\n", "multilabel", "has costs for zoo, which is no label"),
        ("home;1;2\nhome;1;2\n", "multilabel", r"row 2 \(home\): this label has costs already"),
        ("home;x;2\nwater;1;2\n", "multilabel", r"row 1 \(home\): costs must be numbers, got 'x'"),
        ("home;-1;2\nwater;1;2\n", "multilabel", r"row 1 \(home\): the cost of a mistake must be"),
        ("home;1;2\nwater;1;2\n", "binary", "each of many labels, and the kind is binary"),
    ],
)
def test_a_table_of_costs_that_does_not_do_is_refused(tmp_path, lines, kind, words):
    """A label that is missing, unknown or there twice, or a cost that is none, is named."""
    path = write(tmp_path / "costs.csv", lines)
    with pytest.raises(ValueError, match=words):
        read_label_costs(path, NAMES, kind)


def test_costs_of_each_label_choose_the_rule_and_price_it():
    """A dear miss lowers that label's cut alone, and the report adds up both labels' costs."""
    cheap = Costs(false_positive=1, false_negative=1)
    dear = [cheap, Costs(false_positive=1, false_negative=20)]
    options = {"label_names": NAMES}
    even = choose_rule("multilabel", Z, Y, criterion={"costs": [cheap, cheap]}, **options)
    rule = choose_rule(
        "multilabel", Z, Y, criterion=criterion_of("multilabel", label_costs=dear), **options
    )
    assert rule.cuts[0] == even.cuts[0] and rule.cuts[1] < even.cuts[1]
    last = report_rule(rule, Z, Y, costs=dear, seen=True)[-1]
    said = rule.decide(Z)
    by_hand = sum(one.of(Y[:, k], said[:, k]).mean() for k, one in enumerate(dear))
    assert last["cost"] == pytest.approx(by_hand)
    assert report_page(rule, Z, Y, seen=True).sections[1]["rows"][-1]["cost"] == pytest.approx(
        by_hand
    )


@pytest.mark.parametrize(
    ("kind", "also", "words"),
    [
        ("binary", {}, "is for many labels; this is yes/no"),
        (
            "multilabel",
            {"false_positive": 1, "false_negative": 2},
            "holds the costs of each label: leave false_positive and",
        ),
        ("multilabel", {"macro_f1": True}, "exactly one of micro_f1, macro_f1, costs"),
    ],
)
def test_costs_of_each_label_go_with_nothing_else(kind, also, words):
    """They are for many labels, and a way to choose by themselves."""
    with pytest.raises(ValueError, match=words):
        criterion_of(kind, label_costs=[Costs(false_positive=1, false_negative=1)], **also)


def test_report_labels_wants_a_cost_for_each_label():
    """One for all or one for each; another number is refused."""
    rule = choose_rule("multilabel", Z, Y, criterion={"macro_f1": True}, label_names=NAMES)
    one = Costs(false_positive=1, false_negative=1)
    same = [report_rule(rule, Z, Y, costs=c, seen=True)[1]["cost"] for c in (one, [one, one])]
    assert same[0] == same[1]
    with pytest.raises(ValueError, match="costs must be one Costs or 2 of them, got 3"):
        report_rule(rule, Z, Y, costs=[one] * 3, seen=True)


def test_choose_takes_a_table_of_costs(tmp_path):
    """From the command line the costs of each label stand in the rule that is written."""
    table = pd.DataFrame({"z1": Z[:, 0], "z2": Z[:, 1], "home": Y[:, 0], "water": Y[:, 1]})
    table.to_csv(tmp_path / "t.csv", index=False)
    path = write(tmp_path / "costs.csv", "home;1;2\nwater;1;20\n")
    call = ["choose", tmp_path / "t.csv", "--score", "z1,z2", "--label", "home,water"]
    call += ["--costs", path, "--output", tmp_path / "r.json"]
    found = CliRunner().invoke(command_line.app, list(map(str, call)))
    assert found.exit_code == 0, found.output
    kept = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["rule"]["chosen"]["costs"]
    assert [one["false_negative"] for one in kept] == [2, 20]
