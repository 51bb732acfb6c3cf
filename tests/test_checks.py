"""Claims about what can be logits and labels, and what is said of the rest."""

import numpy as np
import pytest
from cases import simulated

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
