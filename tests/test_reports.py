"""Claims about reports: worked examples, and that rows which chose a rule are refused."""

import numpy as np
import pandas as pd
import pytest
from cases import FULL_PRICES, label_sample, sample
from sklearn import metrics

from helpers.decisions import BinaryThreshold, LabelThresholds, RejectCosts, RejectOption
from helpers.evaluation import f1_scores, label_scores
from helpers.reports import (
    OPTIMISTIC,
    report_binary,
    report_each_label,
    report_labels,
    report_reject,
)

# Yes or no


def report(rules, z, y, **options):
    """Report with fixed prices and a fixed generator."""
    return report_binary(rules, z, y, FULL_PRICES, rng=np.random.default_rng(0), **options)


def test_report_by_hand():
    """At cut 0, scores -2(0) -1(1) 1(0) 2(1) pay -1 + 7 + 2 + 1 = 9 for four; at "never" 12."""
    rules = {"half": BinaryThreshold(cut=0.0), "quiet": BinaryThreshold(cut="never")}
    half, quiet = report(rules, [-2.0, -1.0, 1.0, 2.0], [0, 1, 0, 1])
    assert half["cost"] == 9 / 4 and quiet["cost"] == (-1 + 7 - 1 + 7) / 4
    assert (half["missed"], half["false_alarms"], half["recall"], half["precision"]) == (
        1,
        1,
        1 / 2,
        1 / 2,
    )
    assert quiet["missed"] == 2 and np.isnan(quiet["precision"]) and quiet["threshold"] == 1
    assert quiet["difference"] == (12 - 9) / 4
    assert (half["difference"], half["low"], half["high"], half["note"]) == (0, 0, 0, "")


def test_reference_can_be_named():
    """Differences are to the named rule, whose own row is zero."""
    rules = {"half": BinaryThreshold(cut=0.0), "quiet": BinaryThreshold(cut="never")}
    half, quiet = report(rules, *sample(5), reference="quiet")
    assert quiet["difference"] == quiet["low"] == quiet["high"] == 0
    assert half["low"] <= half["difference"] == pytest.approx(half["cost"] - quiet["cost"])


@pytest.mark.parametrize("rules", [{}, {"half": BinaryThreshold(cut=0.0)}])
def test_reference_that_is_no_rule(rules):
    """A reference that is not among the rules is refused, and so is having no rule."""
    with pytest.raises(ValueError, match=r"reference must be one of \[.*\], got 'best'"):
        report(rules, *sample(5), reference="best")
    with pytest.raises(ValueError, match=r"reference must be one of \[\], got None"):
        report({}, *sample(5))


def test_rows_that_chose_a_rule_are_refused():
    """On the rows that chose it a rule is reported only if asked for, and then stamped."""
    z, y = sample(6)
    rules = {
        "half": BinaryThreshold(cut=0.0),
        "best": BinaryThreshold.choose(z, y, costs=FULL_PRICES),
    }
    shuffled = np.random.default_rng(0).permutation(len(z))
    for rows in (np.arange(len(z)), shuffled):
        with pytest.raises(ValueError, match=r"chose the rule 'best'.*seen=True"):
            report(rules, z[rows], y[rows])
        notes = [row["note"] for row in report(rules, z[rows], y[rows], seen=True)]
        assert notes == ["", OPTIMISTIC]
    assert [row["note"] for row in report(rules, *sample(7))] == ["", ""]


@pytest.mark.parametrize(
    ("z", "y", "words"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0, 1, 1], "labels must have shape .*, one for each row"),
        ([1.0, 2.0, 3.0, 4.0], [0, 1], "labels must have shape .*, one for each row"),
        ([1.0, np.nan], [0, 1], "must be finite"),
        ([1.0, 2.0], [0, 2], "0 or 1, got"),
    ],
)
def test_report_names_what_does_not_fit(z, y, words):
    """Labels and logits that do not fit are refused in words about labels and logits."""
    with pytest.raises(ValueError, match=words):
        report({"half": BinaryThreshold(cut=0.0)}, z, y)


# Many labels


def test_report_labels_takes_rules_and_decisions():
    """A baseline of 0/1 decisions and a rule that makes the same ones get the same figures."""
    z, y = label_sample()
    rule = LabelThresholds.from_thresholds(0.5, label_names=tuple("abcde"))
    first, second = report_labels({"rule": rule, "same": rule.decide(z)}, z, y)
    assert first == {**second, "rule": "rule"}
    assert first["rule"] == "rule" and first["note"] == ""
    assert set(first) == {"rule", *label_scores(y, y), "note"}


def test_each_label_with_its_baselines():
    """Every label's figures are those of its own column, beside those of guessing."""
    z, y = label_sample()
    rule = LabelThresholds.choose(z, y, macro_f1=True, label_names=tuple("abcde"))
    z_new, y_new = label_sample(1)
    table = report_each_label(rule, z_new, y_new, validation=(z, y))
    said = rule.decide(z_new)
    for k, row in enumerate(table):
        assert row["label"] == "abcde"[k] and row["support"] == y_new[:, k].sum()
        assert row["f1"] == pytest.approx(metrics.f1_score(y_new[:, k], said[:, k]))
        assert row["f1_validation"] == pytest.approx(f1_scores(y, rule.decide(z))[k])
        assert row["base_rate"] == pytest.approx(y_new[:, k].mean())
        base = row["base_rate"]
        assert row["f1_always"] == pytest.approx(2 * base / (1 + base))
        assert row["threshold"] == rule.thresholds[k]


def test_label_reports_refuse_the_rows_that_chose():
    """On the rows that chose a rule there is no report, or a stamped one."""
    z, y = label_sample()
    rule = LabelThresholds.choose(z, y, micro_f1=True, label_names=tuple("abcde"))
    with pytest.raises(ValueError, match="chose the rule 'tuned'"):
        report_labels({"tuned": rule}, z[::-1], y[::-1])
    with pytest.raises(ValueError, match="chose the rule 'given'"):
        report_each_label(rule, z, y.astype(bool))
    assert report_labels({"tuned": rule}, z, y, seen=True)[0]["note"] == OPTIMISTIC
    assert len(report_each_label(rule, z, y, seen=True)) == 5


LETTERS = {"label_names": ("a", "b")}
PRICE = RejectCosts(reject=1, error=4, unknown=2)


# Label or Other


def report_two(rules, z, y, **options):
    """Report with fixed prices and a fixed generator."""
    return report_reject(rules, z, y, PRICE, rng=np.random.default_rng(0), **options)


def test_report_of_rejects_by_hand():
    """Right, wrong, unsure and unknown: always pays 4 + 4 + 2 for four, at .6 it is 4 + 1 + 2."""
    z = [[3.0, 0.0], [3.0, 0.1], [0.1, 0.0], [3.0, 0.2]]
    rules = {
        "always": RejectOption(cut="always", **LETTERS),
        "0.6": RejectOption.from_threshold(0.6, **LETTERS),
        "never": RejectOption(cut="never", **LETTERS),
    }
    always, some, never = report_two(rules, z, [0, 1, 1, 2])
    assert always["cost"] == 10 / 4 and some["cost"] == 7 / 4 and never["cost"] == 1
    assert (some["coverage"], some["risk"], some["unknown_answered"]) == (3 / 4, 2 / 3, 1)
    assert some["difference"] == pytest.approx(-3 / 4) and some["low"] <= some["high"]
    assert np.isnan(never["risk"]) and never["coverage"] == 0 and never["threshold"] == 1
    assert np.isnan(report_two(rules, z, [0, 1, 1, 0])[0]["unknown_answered"])


def test_rows_that_chose_a_reject_option_are_refused():
    """On the rows that chose it a rule is reported only if asked for, and then stamped."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(40, 2)), rng.integers(0, 2, 40)
    rules = {"half": RejectOption.choose(z, y, coverage=0.5, label_names=("a", "b"))}
    with pytest.raises(ValueError, match=r"chose the rule 'half'.*seen=True"):
        report_two(rules, z[::-1], y[::-1])
    assert report_two(rules, z, y, seen=True)[0]["note"] == OPTIMISTIC
    assert report_two(rules, z[1:], y[1:])[0]["note"] == ""
    with pytest.raises(ValueError, match=r"reference must be one of \['half'\], got 'best'"):
        report_two(rules, z, y, reference="best")


# What all reports need

Z2, Y2 = np.array([[2.0, -1.0], [-1.0, 1.0]]), np.array([[1, 0], [0, 1]])
HALF = {
    "binary": {"half": BinaryThreshold(cut=0.0)},
    "reject": {"half": RejectOption.from_threshold(0.5, **LETTERS)},
}


@pytest.mark.parametrize("kind", HALF)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rules": [BinaryThreshold(cut=0.0)]}, "rules must be a mapping of names to"),
        ({"rules": {"all": LabelThresholds(cuts=(0.0,))}}, "rules must be a mapping of names to"),
        ({"costs": 3}, r"costs must be (Reject)?Costs\("),
        ({"rng": None}, r"rng must be a numpy.random.Generator, got None"),
        ({"reference": ["half"]}, r"reference must be one of \['half'\], got \['half'\]"),
        ({"reference": ("half", [])}, r"reference must be one of \['half'\]"),
    ],
)
def test_reports_say_what_they_need(kind, options, words):
    """Rules of another kind, no costs, no generator and no such reference are named."""
    costs = FULL_PRICES if kind == "binary" else PRICE
    call = report_binary if kind == "binary" else report_reject
    given = {"rules": HALF[kind], "costs": costs, "rng": np.random.default_rng(0), **options}
    with pytest.raises(ValueError, match=words):
        call(logits=Z2, labels=[0, 1], **given)


def test_reports_of_labels_say_what_they_need():
    """No mapping, no rule, and a rule for another number of labels are named."""
    with pytest.raises(ValueError, match="rules must be a mapping of names"):
        report_labels([LabelThresholds(cuts=(0.0, 0.0))], Z2, Y2)
    with pytest.raises(ValueError, match="LabelThresholds, got"):
        report_each_label(BinaryThreshold(cut=0.0), Z2, Y2)
    with pytest.raises(ValueError, match=r"validation must be a pair \(logits, labels\)"):
        report_each_label(LabelThresholds(cuts=(0.0, 0.0)), Z2, Y2, validation=Z2[:1])
    for labels in (Y2, Y2 & [1, 0]):
        with pytest.raises(ValueError, match="for 1 labels, got 2"):
            report_each_label(LabelThresholds(cuts=(0.0,)), Z2, labels)


def test_a_report_from_a_data_frame_refuses_the_rows_that_chose():
    """Rows in a data frame are known again, whatever memory order they have inside."""
    rng = np.random.default_rng(0)
    z, y = pd.DataFrame(rng.normal(size=(40, 3))), pd.Series(rng.integers(0, 4, 40))
    rules = {"best": RejectOption.choose(z[[0, 1, 2]].to_numpy(), y, costs=PRICE)}
    for rows in (z, z.to_numpy(), z.to_numpy().tolist(), np.asfortranarray(z)):
        with pytest.raises(ValueError, match="these rows chose the rule 'best'"):
            report_two(rules, rows, y)
