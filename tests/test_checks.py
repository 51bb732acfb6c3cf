"""Claims about what can be logits and labels, and what is said of the rest."""

import json

import numpy as np
import pandas as pd
import pytest
from cases import FULL_PRICES, PRICES, simulated

from helpers.decisions import BinaryThreshold, LabelThresholds, RejectCosts, RejectOption
from helpers.evaluation import reliability
from helpers.intervals import bootstrap_interval
from helpers.portable.checks import check_count
from helpers.probabilities import (
    binary_logit,
    check_binary_labels,
    check_class_logits,
    check_logits,
    confidence,
    softmax,
)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_check_logits_names_the_bad_row(value, shape):
    """NaN and infinities are refused with their count and the first row that has one."""
    z = np.full(shape, 2.0)
    z[2:] = value
    with pytest.raises(ValueError, match=r"finite, got NaN or infinity in 2 of 4 rows.* in row 2"):
        check_logits(z)


@pytest.mark.parametrize("z", [2.0, np.ones((2, 2, 2)), np.ones((2, 0))])
def test_check_logits_refuses_other_shapes(z):
    """Logits have one axis or two, and at least one class."""
    with pytest.raises(ValueError, match=r"must have shape \(n,\) or \(n, n_classes\), got"):
        check_logits(z)


@pytest.mark.parametrize("z", [["urgent", "no"], [[1.0, 2.0], [3.0]], [1j, 2j], [{}, {}]])
def test_check_logits_refuses_what_is_no_number(z):
    """Strings, ragged rows, complex numbers and objects are no array of numbers."""
    with pytest.raises(ValueError, match=r"must be an array of (real )?numbers"):
        check_logits(z)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_check_logits_refuses_rows_of_probabilities(n_classes):
    """What softmax gives is refused; the logits that it came from are not."""
    z, _ = simulated(n_classes, n=8)
    assert np.array_equal(check_logits(z), z)
    with pytest.raises(ValueError, match="got rows of probabilities"):
        check_logits(softmax(z))


@pytest.mark.parametrize("head", [check_logits, binary_logit])
def test_twenty_values_in_the_unit_interval_warn(head):
    """Twenty values in [0, 1] draw a warning, nineteen do not, nor twenty with one above 1."""
    p = np.linspace(0, 1, 20)
    with pytest.warns(UserWarning, match="are these probabilities"):
        head(p)
    assert len(head(p[:19])) == 19 and len(head(np.append(p, 1.01))) == 21


def test_no_rows_are_logits_too():
    """Empty arrays pass, so that an empty batch can be decided on."""
    assert check_logits([]).shape == (0,) and check_logits(np.ones((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("labels", [[1, 0], [True, False], [1.0, 0.0], np.uint8([1, 0])])
def test_labels_of_any_number_type(labels):
    """0 and 1 as int, bool or float become booleans."""
    assert check_binary_labels(labels, 2).tolist() == [True, False]


@pytest.mark.parametrize("labels", [[0, 2], [0, -1], [0.5, 1], [np.nan, 1], ["0", "1"], [None, 1]])
def test_labels_outside_zero_and_one(labels):
    """Anything else than 0 and 1 is no label of a yes/no task."""
    with pytest.raises(ValueError, match="labels must be 0 or 1, got"):
        check_binary_labels(labels, 2)


@pytest.mark.parametrize("labels", [[0, 1, 1], [[0], [1]], 1])
def test_labels_of_another_length(labels):
    """Labels come one for each row."""
    with pytest.raises(ValueError, match=r"shape \(2,\), one for each row, got"):
        check_binary_labels(labels, 2)


def test_class_logits_may_be_empty():
    """No rows are no error: a service may be asked about none."""
    assert check_class_logits(np.empty((0, 3))).shape == (0, 3)
    assert confidence(np.empty((0, 3))).shape == (0,)


# Single values, options and names


@pytest.mark.parametrize("count", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_of_python_and_numpy_count_alike(count):
    """A whole number comes back as an int, whatever it was."""
    found = check_count("n_bins", count, least=1)
    assert found == 3 and type(found) is int


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (-3, "of at least 0, got -3"),
        (np.int64(-1), "of at least 0, got -1"),
        (True, "whole number, got True"),
        (np.True_, "whole number, got"),
        (2.0, "whole number, got 2.0"),
        ("2", "whole number, got '2'"),
        (np.timedelta64(2), "whole number, got"),
        (10**10, "of at most 1,000,000,000, got"),
    ],
)
def test_counts_out_of_bounds_are_named(count, words):
    """Below the least, above the most, or no whole number: the name and the value are told."""
    with pytest.raises(ValueError, match=f"^min_positives must be a .*{words}"):
        check_count("min_positives", count, least=0)


def test_every_count_is_checked_alike():
    """`min_positives`, `n_bins`, `n_resamples` and `n_classes` take numpy's whole numbers."""
    two, rng = np.int64(2), np.random.default_rng(0)
    z, y = np.array([[1.0, -1.0], [-1.0, 2.0]]), np.array([[1, 0], [0, 1]])
    rule = LabelThresholds.choose(z, y, micro_f1=True, min_positives=two)
    assert json.loads(json.dumps(rule.to_dict()))["chosen"]["min_positives"] == 2
    assert (
        reliability([0.2, 0.9], [0, 1], n_bins=two).error == reliability([0.2, 0.9], [0, 1]).error
    )
    assert bootstrap_interval([1.0, 1.0], np.mean, rng=rng, n_resamples=two) == (1, 1, 1)
    assert RejectCosts(reject=0.5).of([0, 1], [0, 2], n_classes=two).tolist() == [0, 0.5]
    with pytest.raises(ValueError, match="min_positives must be a whole number of at least 0"):
        LabelThresholds.choose(z, y, micro_f1=True, min_positives=-3)


ORDERED = {
    "list": list,
    "array": np.array,
    "array of objects": lambda names: np.array(names, dtype=object),
    "index": pd.Index,
    "series": pd.Series,
    "values of a dict": lambda names: dict(enumerate(names)).values(),
    "keys of a dict": lambda names: dict.fromkeys(names).keys(),
}


@pytest.mark.parametrize("kind", ORDERED)
def test_names_in_any_order_that_is_one(kind):
    """Lists, arrays of classes, indices and the values of a dict name the labels alike."""
    names = ORDERED[kind](("wait", "urgent"))
    rules = (
        BinaryThreshold(cut=0.0, label_names=names),
        RejectOption.from_threshold(0.5, label_names=names),
        LabelThresholds.from_thresholds(0.5, label_names=names),
        LabelThresholds(cuts=np.zeros(2), label_names=names),
        RejectOption.choose([[1.0, 0], [0, 2]], [0, 1], coverage=1, label_names=names),
    )
    for rule in rules:
        assert rule.label_names == ("wait", "urgent")
        assert all(type(name) is str for name in rule.label_names)
        assert json.loads(json.dumps(rule.to_dict()))["label_names"] == ["wait", "urgent"]


@pytest.mark.parametrize("unordered", [set, frozenset])
def test_a_set_of_names_is_refused(unordered):
    """A set has no order: which label is 1 would change from run to run."""
    names = unordered(("wait", "urgent"))
    for make in (
        lambda: BinaryThreshold(cut=0.0, label_names=names),
        lambda: RejectOption.from_threshold(0.5, label_names=names),
        lambda: LabelThresholds.from_thresholds(0.5, label_names=names),
        lambda: LabelThresholds(cuts=(0.0, 1.0), label_names=names),
        lambda: LabelThresholds.choose([[1.0, -1]], [[1, 0]], micro_f1=True, label_names=names),
    ):
        with pytest.raises(ValueError, match=r"label_names must be in an order.*a set has none"):
            make()
    with pytest.raises(ValueError, match="thresholds must be in an order"):
        LabelThresholds.from_thresholds(unordered((0.3, 0.5)), label_names=("a", "b"))
    with pytest.raises(ValueError, match="cuts must be in an order"):
        LabelThresholds(cuts=unordered((0.3, 0.5)))
    with pytest.raises(ValueError, match="costs must be in an order"):
        prices = unordered((PRICES, FULL_PRICES))
        LabelThresholds.choose([[1.0, -1]], [[1, 0]], costs=prices)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("no", "must be a sequence, as a list is, got 'no'"),
        ({0: "a", 1: "b"}, "must be a sequence"),
        (np.array(["a", "b"])[:, None], "strings all"),
        (("a", "a"), "must differ"),
        ((0, 1), "strings all, got"),
    ],
)
def test_what_names_no_labels_is_told(names, words):
    """One string, a dict, a table, equal names and numbers are no two names."""
    with pytest.raises(ValueError, match=words):
        BinaryThreshold(cut=0.0, label_names=names)


def test_messages_stay_on_one_short_line():
    """However large the value is that came, the message that shows it is one short line."""
    for value in (np.zeros((500, 500)), list(range(10**5)), "x" * 10**5, pd.DataFrame(np.eye(99))):
        with pytest.raises(ValueError) as caught:
            BinaryThreshold(cut=value)
        assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)
