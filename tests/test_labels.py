"""Claims about `LabelThresholds`, each against a worked example or brute force."""

import json
import time
from itertools import product

import numpy as np
import pytest
from cases import PRICES, steps_of

from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    check_label_logits,
    check_label_matrix,
    label_fingerprint,
    rule_from_dict,
)
from helpers.portable.rule import ALWAYS, NEVER
from helpers.probabilities import sigmoid


def label_case(rng, n_labels=None):
    """Draw few rows with tied whole scores and at least one positive."""
    n, k = int(rng.integers(2, 7)), n_labels or int(rng.integers(1, 4))
    scores = rng.integers(-2, 3, (n, k)).astype(float)
    labels = rng.integers(0, 2, (n, k))
    labels[0, 0] = 1
    return scores, labels


def micro_f1(predicted, labels):
    """Count F1 over all decisions together."""
    return 2 * (predicted & labels).sum() / (predicted.sum() + labels.sum())


def best_joint(scores, labels, free=None):
    """Try all combinations of cuts of the free labels: the highest micro-F1."""
    free = range(scores.shape[1]) if free is None else free
    steps = [[high for _, high in steps_of(scores[:, k])] for k in free]
    return max(
        micro_f1((scores[:, list(free)] >= np.array(cuts)).astype(int), labels[:, list(free)])
        for cuts in product(*steps)
    )


@pytest.mark.parametrize("seed", range(6))
def test_micro_f1_equals_brute_force(seed):
    """On 600 small cases with ties the cuts are the best of all combinations of cuts."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        scores, labels = label_case(rng)
        rule = LabelThresholds.choose(scores, labels, micro_f1=True, min_positives=0)
        assert micro_f1(rule.decide(scores), labels) == pytest.approx(best_joint(scores, labels))


def test_micro_f1_by_hand():
    """One label is right at .5, the other is noise: giving it would cost more than it finds."""
    scores = [[2.0, 2.0], [1.0, 1.0], [-1.0, -1.0], [-2.0, -2.0], [-3.0, -3.0]]
    labels = [[1, 0], [1, 0], [0, 0], [0, 0], [0, 1]]
    rule = LabelThresholds.choose(scores, labels, micro_f1=True, min_positives=0)
    # cuts (0, never): 2 hits, no alarm, 1 miss: 4/5; (0, always): 3 hits, 4 alarms: 6/10
    assert rule.cuts == (0.0, NEVER)


def test_micro_f1_takes_the_middle_of_the_widest_plateau():
    """Of equally good cuts the one halfway between the scores is taken."""
    rule = LabelThresholds.choose([[0.0], [4.0]], [[0], [1]], micro_f1=True, min_positives=0)
    assert rule.cuts == (2.0,)


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_fall_back_stay_fixed_in_the_joint_search(seed):
    """Rare labels get the best shared cut; the others are then the best of all combinations."""
    rng = np.random.default_rng(seed)
    for _ in range(60):
        scores, labels = label_case(rng, n_labels=3)
        rule = LabelThresholds.choose(scores, labels, micro_f1=True, min_positives=2)
        shared = LabelThresholds.choose(scores, labels, micro_f1=True, shared=True)
        fixed = [k for k in range(3) if labels[:, k].sum() < 2]
        assert rule.chosen["fell_back"] == fixed
        assert all(rule.cuts[k] == shared.cuts[0] for k in fixed)
        steps = [
            [rule.cuts[k]] if k in fixed else [high for _, high in steps_of(scores[:, k])]
            for k in range(3)
        ]
        best = max(
            micro_f1((scores >= np.array(cuts)).astype(int), labels) for cuts in product(*steps)
        )
        assert micro_f1(rule.decide(scores), labels) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(3))
def test_shared_cuts_equal_brute_force(seed):
    """The shared cut is the best single one, by micro-F1 and by costs of each label."""
    rng = np.random.default_rng(seed)
    for _ in range(60):
        scores, labels = label_case(rng)
        if labels.all():
            continue
        highs = [high for _, high in steps_of(scores)]
        said = [(scores >= high).astype(int) for high in highs]
        rule = LabelThresholds.choose(scores, labels, micro_f1=True, shared=True)
        best = max(micro_f1(one, labels) for one in said)
        assert micro_f1(rule.decide(scores), labels) == pytest.approx(best)
        prices = [
            Costs(false_positive=a, false_negative=m)
            for a, m in rng.integers(1, 6, (labels.shape[1], 2))
        ]
        rule = LabelThresholds.choose(scores, labels, costs=prices, shared=True)
        paid = [label_cost(prices, one, labels) for one in [*said, rule.decide(scores)]]
        assert paid[-1] == pytest.approx(min(paid))
        assert len(set(rule.cuts)) == 1


def label_cost(prices, predicted, labels):
    """Add up what decisions on many labels cost."""
    return sum(prices[k].of(labels[:, k], predicted[:, k]).sum() for k in range(len(prices)))


@pytest.mark.parametrize("seed", range(3))
def test_macro_f1_and_costs_are_label_by_label(seed):
    """Macro-F1 and costs choose for each label what the rule for one label chooses."""
    rng = np.random.default_rng(seed)
    for _ in range(40):
        scores, labels = label_case(rng)
        macro = LabelThresholds.choose(scores, labels, macro_f1=True, min_positives=0)
        priced = LabelThresholds.choose(scores, labels, costs=PRICES, min_positives=0)
        for k in range(scores.shape[1]):
            z, y = scores[:, k], labels[:, k]
            if 0 < y.sum() < len(y):
                assert macro.cuts[k] == BinaryThreshold.choose(z, y, f_beta=1).cut
                assert priced.cuts[k] == BinaryThreshold.choose(z, y, costs=PRICES).cut
            else:
                assert macro.cuts[k] == priced.cuts[k] == (ALWAYS if y.any() else NEVER)


def test_half_of_the_best_f1_is_the_cut_on_calibrated_scores():
    """With true probabilities the F1-optimal cut is half the F1 that it reaches (F*/2)."""
    rng = np.random.default_rng(0)
    z = rng.normal(-1, 2, (200_000, 1))
    y = (rng.random(z.shape) < sigmoid(z)).astype(int)
    rule = LabelThresholds.choose(z, y, macro_f1=True)
    assert rule.thresholds[0] == pytest.approx(micro_f1(rule.decide(z), y) / 2, abs=0.02)


def test_one_cut_is_enough_for_micro_f1_on_calibrated_scores():
    """With true probabilities and many rows, all labels get nearly the same cut, F*/2."""
    rng = np.random.default_rng(1)
    z = rng.normal([-3.0, -1.0, 1.0], 2.0, (200_000, 3))
    y = (rng.random(z.shape) < sigmoid(z)).astype(int)
    rule = LabelThresholds.choose(z, y, micro_f1=True)
    best = micro_f1(rule.decide(z), y)
    assert np.allclose(rule.thresholds, best / 2, atol=0.03)
    macro = LabelThresholds.choose(z, y, macro_f1=True)
    assert np.ptp(macro.thresholds) > 0.1


def test_label_temperature_scales_logits_and_cuts_alike():
    """Choosing with temperature T gives the cuts of choosing on logits divided by T."""
    scores, labels = label_case(np.random.default_rng(5), n_labels=3)
    for way in ({"micro_f1": True}, {"macro_f1": True}, {"costs": PRICES}):
        hot = LabelThresholds.choose(scores, labels, **way, min_positives=2, temperature=2)
        plain = LabelThresholds.choose(scores / 2, labels, **way, min_positives=2)
        assert hot.cuts == plain.cuts
        assert np.array_equal(hot.decide(scores), plain.decide(scores / 2))
        assert hot.probability(scores) == pytest.approx(sigmoid(scores / 2))


def test_empty_rows():
    """A row below all cuts stays empty, or gets its largest logit's label, the first of equals."""
    z = [[1.0, -1.0], [-2.0, -1.0], [-1.0, -1.0]]
    allow = LabelThresholds(cuts=(0.0, 0.0))
    assert allow.decide(z).tolist() == [[1, 0], [0, 0], [0, 0]]
    top = LabelThresholds(cuts=(0.0, 0.0), empty="top1")
    assert top.decide(z).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert [row["accepted"] for row in top.explain(z)] == [True, False, False]
    assert [row["labels"] for row in top.explain(z)] == [["0"], ["1"], ["0"]]
    assert top.decide(np.empty((0, 2))).shape == (0, 2) and top.explain(np.empty((0, 2))) == []


def test_label_explanations_agree_with_decisions():
    """Each record names the labels given, with every label's probability and threshold."""
    rule = LabelThresholds.from_thresholds((0.5, 0.0, 1.0), label_names=("a", "b", "c"))
    assert rule.cuts == (0.0, ALWAYS, NEVER) and rule.thresholds == (0.5, 0.0, 1.0)
    record = rule.explain([[-1.0, -9.0, 9.0]])[0]
    assert record["labels"] == ["b"] and record["accepted"]
    assert record["threshold"] == {"a": 0.5, "b": 0.0, "c": 1.0}
    assert record["probability"]["a"] == pytest.approx(sigmoid(-1.0))


def test_a_label_rule_travels_as_plain_json():
    """The rule is the same after JSON, by its own class and by the reader of any rule."""
    scores, labels = label_case(np.random.default_rng(0), n_labels=3)
    for way in ({"micro_f1": True}, {"macro_f1": True}, {"costs": [PRICES] * 3}):
        rule = LabelThresholds.choose(scores, labels, **way, label_names=("a", "b", "c"))
        text = json.dumps(rule.to_dict(), allow_nan=False)
        assert LabelThresholds.from_dict(json.loads(text)) == rule
        assert rule_from_dict(json.loads(text)) == rule
        assert rule.chosen["fingerprint"] == label_fingerprint(scores[::-1], labels[::-1])
        hash(rule)


def test_label_choice_does_not_touch_its_input():
    """Logits and labels are the same after choosing."""
    scores, labels = label_case(np.random.default_rng(2))
    before = scores.copy(), labels.copy()
    LabelThresholds.choose(scores, labels, micro_f1=True)
    assert np.array_equal(before[0], scores) and np.array_equal(before[1], labels)


Z2, Y2 = [[1.0, -1.0], [-1.0, 2.0]], [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: LabelThresholds.choose(Z2, Y2),
            "exactly one of micro_f1, macro_f1, costs, min_recall, .*max_missed; got none",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, micro_f1=True, costs=PRICES),
            "got micro_f1, costs",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, macro_f1=True, shared=True),
            "by micro_f1 or costs, not by macro_f1",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, micro_f1=True, min_positives=1.5),
            "min_positives must be a whole number, got 1.5",
        ),
        (
            lambda: LabelThresholds.choose(Z2, np.zeros((2, 2)), micro_f1=True),
            "at least one positive, got none in 2 rows",
        ),
        (
            lambda: LabelThresholds.choose(np.empty((0, 2)), np.empty((0, 2)), costs=PRICES),
            "at least one positive, got none in 0 rows",
        ),
        (lambda: LabelThresholds.choose(Z2, [1, 0], micro_f1=True), r"the shape \(2, 2\) of"),
        (lambda: LabelThresholds.choose(Z2, [[1, 2], [0, 1]], micro_f1=True), "0 or 1, got 2"),
        (lambda: LabelThresholds.choose([1.0], [1], micro_f1=True), r"\(n, n_labels\), got \(1,\)"),
        (
            lambda: LabelThresholds.choose([[np.nan, 0.0]], [[1, 0]], micro_f1=True),
            "logits must be finite",
        ),
        (
            lambda: LabelThresholds.choose([[-np.inf, 2.0]], [[1, 0]], micro_f1=True),
            "logits must be finite",
        ),
        (
            lambda: LabelThresholds.choose(Z2, Y2, costs=[PRICES]),
            "one Costs or 2 of them, got 1",
        ),
        (lambda: LabelThresholds.choose(Z2, Y2, costs=3), "costs must be Costs"),
        (
            lambda: LabelThresholds.choose(Z2, Y2, micro_f1=True, temperature=0),
            "temperature must be",
        ),
        (lambda: LabelThresholds(cuts=()), "cuts must be a sequence"),
        (lambda: LabelThresholds(cuts="always"), "cuts must be a sequence"),
        (lambda: LabelThresholds(cuts=(0.0, np.nan)), "a cut must be a logit"),
        (lambda: LabelThresholds(cuts=(0.0, "maybe")), "a cut must be a logit"),
        (
            lambda: LabelThresholds(cuts=(0.0, 1.0), label_names=("a",)),
            "one name for each label, got 1 names and 2 cuts",
        ),
        (lambda: LabelThresholds(cuts=(0.0,), label_names="a"), "label_names must be"),
        (lambda: LabelThresholds(cuts=(0.0,), empty="top"), '"allow" or "top1", got'),
        (lambda: LabelThresholds(cuts=(0.0,)).decide(Z2), "for 1 labels, got 2"),
        (
            lambda: LabelThresholds.from_thresholds(1.5, label_names=("a",)),
            r"a probability in \[0, 1\]",
        ),
        (
            lambda: LabelThresholds.from_thresholds([0.5], label_names=("a", "b")),
            "got 2 names and 1 cuts",
        ),
        (lambda: check_label_logits([["a"]]), "real numbers"),
        (lambda: check_label_matrix([[1, 0]], (2, 2)), r"the shape \(2, 2\)"),
        (
            lambda: LabelThresholds.from_dict(BinaryThreshold(cut=0.0).to_dict()),
            "expected a saved LabelThresholds, got 'BinaryThreshold'",
        ),
    ],
)
def test_label_errors_name_what_is_wrong(call, words):
    """Each impossible input or setting is refused by name."""
    with pytest.raises(ValueError, match=words):
        call()


def test_probabilities_in_place_of_label_logits_are_noticed():
    """Values that all lie in [0, 1] draw a warning."""
    with pytest.warns(UserWarning, match="all logits lie in"):
        check_label_logits(np.full((10, 3), 0.4))


@pytest.mark.clock
def test_many_labels_take_little_longer_than_sorting():
    """Tuning 20 labels of 50,000 rows takes at most three times the processor time of sorting."""
    rng = np.random.default_rng(0)
    labels = rng.random((50_000, 20)) < 0.1
    scores = rng.normal(2.0 * labels).astype(np.float32)

    def seconds(call):
        taken = []
        for _ in range(3):
            started = time.process_time()
            call()
            taken.append(time.process_time() - started)
        return min(taken)

    sort = seconds(lambda: [np.argsort(scores[:, k]) for k in range(20)])
    assert seconds(lambda: LabelThresholds.choose(scores, labels, micro_f1=True)) < 3 * sort
