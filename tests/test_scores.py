"""Scores of another system become logits that give its probabilities back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.probabilities import sigmoid, softmax
from helpers.scores import CLIP, from_probabilities

INSIDE = st.floats(1e-6, 1 - 1e-6)


@settings(max_examples=50, deadline=None)
@given(arrays(float, st.integers(1, 20), elements=INSIDE))
def test_yes_no_and_many_labels_give_their_probabilities_back(p):
    """The sigmoid of the result is what came in."""
    np.testing.assert_allclose(sigmoid(from_probabilities(p, kind="binary")), p, rtol=1e-9)
    table = np.stack([p, p[::-1]], axis=1)
    np.testing.assert_allclose(sigmoid(from_probabilities(table, kind="multilabel")), table)


@settings(max_examples=50, deadline=None)
@given(arrays(float, (7, 4), elements=st.floats(-8, 8)))
def test_classes_give_their_probabilities_back(z):
    """The softmax of the logarithms is the softmax that came in; so is a two-column yes/no."""
    p = softmax(z)
    np.testing.assert_allclose(softmax(from_probabilities(p, kind="multiclass")), p, atol=1e-6)
    two = softmax(z[:, :2])
    found = sigmoid(from_probabilities(two, kind="binary"))
    np.testing.assert_allclose(found, two[:, 1], atol=1e-6)


def test_what_clipping_did_is_said():
    """Probabilities of 0 and 1 become finite, and their number is told."""
    with pytest.warns(UserWarning, match="2 of 3 probabilities are within 1e-07"):
        z = from_probabilities([0.0, 0.5, 1.0], kind="binary")
    np.testing.assert_allclose(z, [np.log(CLIP), 0, -np.log(CLIP)], rtol=1e-6)
    with pytest.warns(UserWarning, match="1 of 2 probabilities"):
        from_probabilities([[1.0, 0.0], [0.5, 0.5]], kind="multiclass")


@pytest.mark.parametrize(
    ("p", "kind", "words"),
    [
        ([0.2, 1.2], "binary", r"in \[0, 1\], got 1.2: are these logits"),
        ([0.2, np.nan], "binary", r"in \[0, 1\], got nan"),
        ([[0.2, 0.3, 0.5]], "binary", r"shape \(n,\), \(n, 1\) or \(n, 2\), got \(1, 3\)"),
        ([0.2], "multiclass", "two classes or more"),
        ([0.2], "multilabel", r"shape \(n, n_labels\), got \(1,\)"),
        ([[0.9, 0.9]], "multiclass", "each row must sum to 1, got 1.8 in row 0: a sigmoid for"),
        ([[0.9, 0.9]], "binary", "each row must sum to 1"),
        (["a"], "binary", "an array of numbers"),
        ([0.5], "ordinal", "kind must be"),
    ],
)
def test_what_cannot_be_probabilities_is_named(p, kind, words):
    """Logits, wrong shapes and rows that are no distribution are refused in one sentence."""
    with pytest.raises(ValueError, match=words):
        from_probabilities(p, kind=kind)
