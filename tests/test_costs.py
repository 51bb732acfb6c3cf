"""Claims about what decisions cost, each against a worked example."""

import re

import numpy as np
import pytest
from cases import PRICES

from helpers.decisions import BinaryThreshold, Costs, RejectCosts, RejectOption
from helpers.portable.rule import ALWAYS, NEVER

# Yes or no


@pytest.mark.parametrize(
    ("alarm", "miss", "cut"), [(1, 5, 1 / 6), (7, 3, 0.7), (1, 1, 0.5), (0, 2, 0.0), (2, 0, 1.0)]
)
def test_elkans_cut(alarm, miss, cut):
    """The cut is alarm / (alarm + miss): 1 against 5 gives 1/6, 7 against 3 gives 7/10."""
    costs = Costs(false_positive=alarm, false_negative=miss)
    assert costs.threshold == cut
    rule = BinaryThreshold.from_costs(costs)
    assert rule.threshold == pytest.approx(cut, rel=1e-15)
    assert rule.chosen["costs"]["false_negative"] == miss


@pytest.mark.parametrize(("alarm", "miss", "cut"), [(0, 2, ALWAYS), (2, 0, NEVER)])
def test_a_free_mistake_decides_alone(alarm, miss, cut):
    """Free false alarms give "always", free misses "never", by formula and by search."""
    costs = Costs(false_positive=alarm, false_negative=miss)
    assert BinaryThreshold.from_costs(costs).cut == cut
    assert BinaryThreshold.choose([2.0, -2.0], [0, 1], costs=costs).cut == cut


def test_at_elkans_cut_both_answers_cost_the_same():
    """With right answers at 1 and 2, alarm 4, miss 10: the cut (4-1)/((4-1)+(10-2)) is 3/11."""
    costs = Costs(false_positive=4, false_negative=10, true_negative=1, true_positive=2)
    p = costs.threshold
    assert p == pytest.approx(3 / 11)
    assert p * 2 + (1 - p) * 4 == pytest.approx(p * 10 + (1 - p) * 1)


def test_matrix_is_read_as_predicted_then_true():
    """Row 0 is predicted 0: [[true negative, false negative], [false positive, true positive]]."""
    costs = Costs.from_matrix([[1, 20], [3, 2]])
    expected = Costs(true_negative=1, false_negative=20, false_positive=3, true_positive=2)
    assert costs == expected
    np.testing.assert_array_equal(costs.of([0, 1, 0, 1], [0, 0, 1, 1]), [1, 20, 3, 2])


def test_transposed_matrix_is_refused():
    """The transpose makes a miss (1) cheaper than finding the case (5), and the message says so."""
    matrix = np.array([[0, 20], [1, 5]])
    assert Costs.from_matrix(matrix).false_negative == 20
    with pytest.raises(ValueError, match=re.escape("read as cost[predicted][true]")):
        Costs.from_matrix(matrix.T)


def test_costs_wrong_either_way_are_not_called_transposed():
    """Where the transpose would be refused too, the message does not suggest it."""
    with pytest.raises(ValueError, match="must cost more than the right answer") as caught:
        Costs.from_matrix([[9, 1], [1, 9]])
    assert "transpose" not in str(caught.value)


@pytest.mark.parametrize("shape", [(4,), (3, 3), (1, 2, 2)])
def test_matrix_of_another_shape(shape):
    """A cost matrix is two by two."""
    with pytest.raises(ValueError, match=r"cost\[predicted\]\[true\] has shape \(2, 2\), got"):
        Costs.from_matrix(np.ones(shape))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"false_positive": -1}, "at least 0"),
        ({"false_negative": -0.1}, "at least 0"),
        ({"false_positive": 0, "false_negative": 0}, "one of the two above 0"),
        ({"false_positive": np.nan}, "false_positive must be a finite number"),
        ({"false_negative": np.inf}, "false_negative must be a finite number"),
        ({"true_positive": "1"}, "true_positive must be a finite number"),
        ({"true_negative": None}, "true_negative must be a finite number"),
        ({"true_negative": 1}, "must cost more than the right answer"),
        ({"true_positive": 6}, "must cost more than the right answer"),
    ],
)
def test_costs_that_make_no_sense(values, words):
    """Negative, missing, infinite and senseless costs are refused by name."""
    with pytest.raises(ValueError, match=words):
        Costs(**{"false_positive": 1, "false_negative": 5} | values)


def test_cost_of_each_decision():
    """Found, alarm, miss and quiet cost 0, 1, 5 and 0."""
    np.testing.assert_array_equal(PRICES.of([1, 0, 1, 0], [1, 1, 0, 0]), [0, 1, 5, 0])


@pytest.mark.parametrize(
    ("predicted", "words"), [([0, 2], "0 or 1, got"), ([0, 1, 1], r"shape \(2,\)")]
)
def test_cost_of_what_is_no_decision(predicted, words):
    """Decisions are 0 or 1, one for each label."""
    with pytest.raises(ValueError, match=words):
        PRICES.of([0, 1], predicted)


# Label or Other


@pytest.mark.parametrize(("reject", "error", "cut"), [(0.4, 1, 0.6), (1, 4, 0.75), (0.25, 1, 0.75)])
def test_chows_threshold(reject, error, cut):
    """Answer from 1 - reject / error on: 0.4 to 1 gives .6, 1 to 4 gives .75."""
    costs = RejectCosts(reject=reject, error=error)
    assert costs.threshold == pytest.approx(cut)
    rule = RejectOption.from_costs(costs, label_names=("a", "b", "c"))
    assert rule.threshold == pytest.approx(cut) and rule.chosen["costs"]["reject"] == reject


@pytest.mark.parametrize(("reject", "cut"), [(1, ALWAYS), (3, ALWAYS), (0, NEVER)])
def test_chows_threshold_at_its_ends(reject, cut):
    """A reject as dear as an error always answers; a free one never does."""
    rule = RejectOption.from_costs(RejectCosts(reject=reject), label_names=("a", "b"))
    assert rule.cut == cut and rule.threshold == {ALWAYS: 0, NEVER: 1}[cut]


def test_at_chows_threshold_both_cost_the_same():
    """With probability p of being right, answering costs (1 - p) * error: the reject's price."""
    costs = RejectCosts(reject=0.3, error=2)
    assert (1 - costs.threshold) * costs.error == pytest.approx(costs.reject)


def test_cost_of_labels_and_other():
    """Right, wrong, rejected, unknown rejected and unknown answered cost 0, 3, 1, 1 and 5."""
    costs = RejectCosts(reject=1, error=3, unknown=5)
    paid = costs.of([0, 1, 1, 2, 2], [0, 0, 2, 2, 1], n_classes=2)
    np.testing.assert_array_equal(paid, [0, 3, 1, 1, 5])
    assert RejectCosts(reject=1, error=3).unknown == 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reject": -1}, "reject must be a finite number at least 0"),
        ({"reject": np.nan}, "reject must be a finite number"),
        ({"reject": 1, "error": 0}, "error must be a finite number above 0"),
        ({"reject": 1, "error": "2"}, "error must be a finite number above 0"),
        ({"reject": 1, "unknown": 0}, "unknown must be a finite number above 0"),
    ],
)
def test_reject_costs_that_make_no_sense(values, words):
    """Costs are finite and not negative, and a mistake is not free."""
    with pytest.raises(ValueError, match=words):
        RejectCosts(**values)


@pytest.mark.parametrize(
    ("predicted", "labels", "words"),
    [
        ([0, 3], [0, 1], "indices from 0 to 1, or 2 for Other, got 3"),
        ([0, -1], [0, 1], "or 2 for Other, got -1"),
        ([0, 1], [0], r"shape \(1,\)"),
        ([0.5, 1], [0, 1], "whole numbers"),
    ],
)
def test_cost_of_what_is_no_label(predicted, labels, words):
    """Decisions are class indices or the index of Other, one for each label."""
    with pytest.raises(ValueError, match=words):
        RejectCosts(reject=1).of(labels, predicted, n_classes=2)
