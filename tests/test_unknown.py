"""Claims about the reasons of records, and about the second cut that tells unknown from unsure."""

import json

import numpy as np
import pytest

from helpers.choosing import choose_rule
from helpers.decisions import (
    LabelThresholds,
    RejectCosts,
    RejectOption,
    ReviewBand,
    choose_unknown_cut,
    rule_from_dict,
)
from helpers.probabilities import confidence
from helpers.rules import changed

NAMES = ("bin", "bus", "tax")
RULE = RejectOption(cut=0.6, label_names=NAMES, temperature=1.3)
PRICES = RejectCosts(reject=0.4, error=1.0, unknown=2.0)


def rows(rng, n, *, unknown=0.4):
    """Draw logits: larger ones where a message has a label, small ones where it has none."""
    y = np.where(rng.random(n) < unknown, 3, rng.integers(0, 3, n))
    z = rng.normal(size=(n, 3))
    z[y < 3] += 3 * np.eye(3)[y[y < 3]]
    return np.round(z, 1), y  # rounded: many ties


def test_every_reason_comes_from_its_own_cut():
    """Energy is asked first, then confidence; the trained class for strangers is an answer."""
    rule = RejectOption(cut=0.6, label_names=NAMES, unknown_cut=1.5, none_of_these="tax")
    z = [[4.0, 0.0, 0.0], [1.5, 1.4, 0.0], [0.0, 0.0, 4.0], [0.5, -9.0, -9.0], [0.0, 0.0, 0.0]]
    said = [record["reason"] for record in rule.explain(z)]
    assert said == ["answered", "unsure", "none of these", "unknown", "unknown"]
    assert rule.decide(z).tolist() == [0, 3, 2, 3, 3]
    assert [record["accepted"] for record in rule.explain(z)] == [True, False, True, False, False]


def test_the_other_rules_say_their_reasons_too():
    """An empty set is no label, a label that was forced is unsure, and so is a band's middle."""
    z = [[1.0, -1.0], [-1.0, -2.0]]
    for empty, reason in (("allow", "no label"), ("top1", "unsure")):
        rule = LabelThresholds(cuts=(0.0, 0.0), label_names=("a", "b"), empty=empty)
        assert [record["reason"] for record in rule.explain(z)] == ["answered", reason]
    band = ReviewBand(low=-1.0, high=1.0)
    assert [r["reason"] for r in band.explain([-2.0, 0.0, 1.0])] == [
        "answered",
        "unsure",
        "answered",
    ]


@pytest.mark.parametrize("seed", range(200))
def test_no_second_cut_is_cheaper(seed):
    """On small cases with ties the cost is the least over all second cuts, at any price."""
    rng = np.random.default_rng(seed)
    z, y = rows(rng, int(rng.integers(5, 40)))
    y[0] = 3
    price = float(rng.choice([0.0, 0.1, 0.4, 0.7]))
    found = choose_unknown_cut(RULE, z, y, costs=PRICES, price=price)

    def cost(cut):
        rule = RejectOption(
            cut=0.6, label_names=NAMES, temperature=1.3, unknown_cut=cut if cut < 1e9 else "never"
        )
        lost = np.array([record["reason"] == "unknown" for record in rule.explain(z)])
        return np.where(lost, price, PRICES.of(y, rule.decide(z), n_classes=3)).sum()

    cuts = [-1e9, *np.unique(confidence(z / 1.3, measure="energy")), np.inf]
    assert cost(found.unknown_cut) == pytest.approx(min(map(cost, cuts)))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5, 1.0])
def test_no_more_known_messages_are_lost_than_allowed(share):
    """At most the share is called unknown, and one message more would be too many."""
    z, y = rows(np.random.default_rng(0), 300)
    z = z + np.random.default_rng(1).normal(size=z.shape) * 1e-6  # no ties
    rule = choose_unknown_cut(RULE, z, y, max_lost=share)
    lost = np.array([record["reason"] == "unknown" for record in rule.explain(z)])[y < 3]
    assert lost.sum() == int(np.floor(share * len(lost) + 1e-9))
    assert rule.chosen["unknown"]["max_lost"] == share and rule.cut == RULE.cut


def test_energy_tells_apart_what_softmax_cannot():
    """Softmax is the same after a shift of a row, so only the second cut sees small logits."""
    z = np.array([[4.0, 0.0, 0.0]]) - np.array([[0.0], [6.0]])
    rule = RejectOption(cut=0.6, label_names=NAMES, unknown_cut=0.0)
    assert [record["reason"] for record in rule.explain(z)] == ["answered", "unknown"]
    assert rule.explain(z)[0]["confidence"] == pytest.approx(rule.explain(z)[1]["confidence"])


def test_the_second_cut_travels():
    """It survives JSON; a rule that was saved before there was one knows every message."""
    rule = choose_unknown_cut(RULE, *rows(np.random.default_rng(2), 50), costs=PRICES)
    values = json.loads(json.dumps(rule.to_dict()))
    assert rule_from_dict(values) == rule and rule.chosen["unknown"]["criterion"] == "costs"
    del values["unknown_cut"], values["none_of_these"]
    assert rule_from_dict(values).unknown_cut == -np.inf


@pytest.mark.parametrize("change", [{"threshold": 0.5}, {"costs": RejectCosts(reject=0.2)}])
def test_another_first_cut_keeps_the_second(change):
    """The command rule changes one cut, and what is kept about the other."""
    z, y = rows(np.random.default_rng(2), 50)
    rule = choose_unknown_cut(
        RejectOption(cut=0.6, label_names=NAMES, none_of_these="tax"), z, y, max_lost=0.1
    )
    new = changed(rule, **change)
    assert (new.unknown_cut, new.none_of_these) == (rule.unknown_cut, "tax")
    assert new.cut != rule.cut and new.chosen["unknown"] == rule.chosen["unknown"]


def test_a_label_called_other_is_none_of_these():
    """`choose_rule` knows the trained class by its name, as before."""
    z, y = rows(np.random.default_rng(3), 60, unknown=0)
    names, prices = ("bin", "bus", "Other"), {"costs": RejectCosts(reject=0.4)}
    rule = choose_rule("multiclass", z, y, label_names=names, criterion=prices)
    assert (rule.none_of_these, rule.other) == ("Other", "No answer")
    assert rule.explain([[0.0, 0.0, 9.0]])[0]["reason"] == "none of these"


Z, Y = [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]], [0, 3]
PROMISE = RejectOption(cut=0.6, label_names=NAMES, chosen={"criterion": "max_risk"})


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((RULE, Z, Y), {}, "exactly one of max_lost, costs"),
        ((RULE, Z, Y), {"max_lost": 0.1, "costs": PRICES}, "exactly one of max_lost, costs"),
        ((RULE, Z, Y), {"max_lost": 2}, r"max_lost must be a share in \[0, 1\], got 2"),
        ((RULE, Z, Y), {"max_lost": 0.1, "price": 1}, "price goes with costs"),
        ((RULE, Z, Y), {"costs": PRICES, "price": -1}, "price must be a cost"),
        ((RULE, Z, [0, 1]), {"costs": PRICES}, "needs messages that belong to no class"),
        ((RULE, Z, [3, 3]), {"max_lost": 0.1}, "a share of known messages, got none"),
        ((RULE, [[2.0, 0.0]], [0]), {"max_lost": 0.1}, "expected 3 logits a row"),
        ((PROMISE, Z, Y), {"max_lost": 0.1}, "proven without a second cut"),
        ((ReviewBand(low=0, high=1), Z, Y), {"max_lost": 0.1}, "is for a RejectOption"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, options, words):
    """Each wrong call says what was expected."""
    with pytest.raises(ValueError, match=words):
        choose_unknown_cut(*arguments, **options)


@pytest.mark.parametrize("digits", [2, 3, 15])
def test_logs_of_probabilities_have_no_energy(digits):
    """Their energy is 0 in every row, so a cut on it would be a cut on rounding: it is refused."""
    p = np.random.default_rng(0).dirichlet([1, 1, 1], size=50)
    z, y = np.log(np.maximum(p.round(digits), 1e-7)), p.argmax(axis=1)
    with pytest.raises(ValueError, match=r"sums to 1 in most rows, as for the logs of"):
        choose_unknown_cut(RULE, z, y, max_lost=0.1)
    with pytest.raises(ValueError, match=r"the network's own logits, or take the measure softmax"):
        RejectOption.choose(z, y, coverage=0.9, measure="energy")
    assert RejectOption.choose(z, y, coverage=0.9, measure="logit").cut < 0


def test_none_of_these_is_one_of_the_labels():
    """A name that is no label cannot stand for the trained class."""
    with pytest.raises(ValueError, match="none_of_these must be one of the labels, got 'x'"):
        RejectOption(cut=0.6, label_names=NAMES, none_of_these="x")
