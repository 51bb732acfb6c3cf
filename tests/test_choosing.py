"""One call chooses, and one reports, whatever the kind of task."""

import numpy as np
import pytest

from helpers.choosing import choose_rule, report_rule
from helpers.decisions import BinaryThreshold, Costs, LabelThresholds, RejectCosts, RejectOption
from helpers.probabilities import fit_temperature
from helpers.recipes import RECIPES

RNG = np.random.default_rng(0)
Y = (RNG.random(300) < 0.3).astype(int)
CASES = {
    "binary": (RNG.normal(3.0 * Y - 2), Y, ("wait", "urgent")),
    "multiclass": (RNG.normal(3.0 * np.eye(3)[Y], 1.0), Y, ("a", "b", "c")),
    "multilabel": (
        RNG.normal(3.0 * np.eye(3)[Y], 1.0) - 1,
        np.eye(3)[Y].astype(int)[:, :2],
        ("a", "b"),
    ),
}
CASES["multilabel"] = (CASES["multilabel"][0][:, :2], *CASES["multilabel"][1:])
CRITERIA = {
    "binary": (BinaryThreshold, {"costs": Costs(false_positive=1, false_negative=5)}),
    "multiclass": (RejectOption, {"costs": RejectCosts(reject=0.3)}),
    "multilabel": (LabelThresholds, {"macro_f1": True}),
}


def test_a_second_network_is_saved_with_a_rule_of_its_own():
    """A network three times as loud gets a temperature of its own, and then the same decisions.

    With the file of the first it answers more messages, and pays more for it.
    """
    z, y, names = CASES["multiclass"]
    criterion = {"costs": RejectCosts(reject=0.2)}
    networks = {"first": z, "second": 3 * z}
    files = {
        name: choose_rule("multiclass", own, y, label_names=names, criterion=criterion).to_dict()
        for name, own in networks.items()
    }
    first, second = (RejectOption.from_dict(file) for file in files.values())
    assert second.temperature == pytest.approx(3 * first.temperature, rel=1e-3)
    assert np.array_equal(second.decide(3 * z), first.decide(z))
    borrowed, other = first.decide(3 * z), len(names)
    assert (borrowed < other).sum() > (second.decide(3 * z) < other).sum()

    def paid(said):
        return np.where(said == other, 0.2, said != y).mean()

    assert paid(borrowed) > paid(second.decide(3 * z))
    pair = RECIPES["intent", "hub"], RECIPES["intent", "hub-second"]
    assert pair[0].checkpoint != pair[1].checkpoint and pair[0].criterion == pair[1].criterion
    assert pair[0].load_task.keywords == pair[1].load_task.keywords


@pytest.mark.parametrize("kind", CASES)
def test_the_rule_is_that_of_choose_with_a_fitted_temperature(kind):
    """The one call gives what the rule's own `choose` gives, after a temperature where it helps."""
    z, y, names = CASES[kind]
    rule_class, criterion = CRITERIA[kind]
    found = choose_rule(kind, z, y, label_names=names, criterion=criterion)
    extra = {} if kind == "multilabel" else {"temperature": fit_temperature(z, y)}
    assert found == rule_class.choose(z, y, label_names=names, **criterion, **extra)


@pytest.mark.parametrize("kind", CASES)
def test_the_report_sets_the_rule_beside_the_plain_one(kind):
    """Two rows, the second of this rule; the rows that chose it are refused, or stamped."""
    z, y, names = CASES[kind]
    costs = CRITERIA[kind][1].get("costs")
    rule = choose_rule(kind, z[:150], y[:150], label_names=names, criterion=CRITERIA[kind][1])
    fresh = report_rule(rule, z[150:], y[150:], costs=costs)
    assert [row["rule"] for row in fresh][1:] == ["this rule"] and fresh[1]["note"] == ""
    with pytest.raises(ValueError, match="these rows chose"):
        report_rule(rule, z[:150], y[:150], costs=costs)
    assert "optimistic" in report_rule(rule, z[:150], y[:150], costs=costs, seen=True)[1]["note"]


def test_a_promise_gets_no_temperature_from_its_own_rows():
    """With a confidence level the temperature stays 1: fitted here, it would void the promise."""
    z, y, names = CASES["binary"]
    promise = {"min_recall": 0.7, "confidence_level": 0.9}
    assert choose_rule("binary", z, y, label_names=names, criterion=promise).temperature == 1


def test_an_unknown_kind_is_named():
    """A kind that is none of the three is refused by name."""
    with pytest.raises(ValueError, match="kind must be one of binary, multiclass, multilabel"):
        choose_rule("ordinal", [0.0], [1], label_names=("a", "b"), criterion={})


def test_every_recipe_says_how_its_rule_is_chosen():
    """No recipe lacks a criterion: `train` can make a rule of each."""
    assert all(recipe.criterion for recipe in RECIPES.values())


def test_a_label_called_other_is_kept_apart_from_no_answer():
    """A table with a label "Other" of its own gets a rule whose reject has another name."""
    z, y, _ = CASES["multiclass"]
    rule = choose_rule(
        "multiclass", z, y, label_names=("a", "Other", "c"), criterion=CRITERIA["multiclass"][1]
    )
    assert rule.other == "No answer" and "Other" in rule.label_names


def test_rows_of_other_do_not_fit_the_temperature():
    """The temperature is that of the rows with a label; with none of these there is no rule."""
    z, y, names = CASES["multiclass"]
    more, unknown = np.vstack([z, np.zeros((20, 3))]), np.append(y, np.full(20, 3))
    criterion = CRITERIA["multiclass"][1]
    rule = choose_rule("multiclass", more, unknown, label_names=names, criterion=criterion)
    assert rule.temperature == fit_temperature(z, y)
    with pytest.raises(ValueError, match="all rows are Other"):
        choose_rule("multiclass", more[:5], [3] * 5, label_names=names, criterion=criterion)
