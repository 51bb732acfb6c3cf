"""What the audit names was planted there; what was not planted it leaves alone."""

import numpy as np
import pytest

from helpers.audit import far_texts, likely_label_errors, near_copies
from helpers.messages import read_messages
from helpers.probabilities import softmax


def test_planted_label_errors_come_first():
    """Of 60 labels turned among 2,000, at least 50 are among the first 60 that are named."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 5, 2000)
    p = softmax(rng.normal(6.0 * np.eye(5)[true]))
    turned = rng.choice(2000, 60, replace=False)
    given = true.copy()
    given[turned] = (true[turned] + rng.integers(1, 5, 60)) % 5
    rows, suggested = likely_label_errors(p, given)
    assert len(set(rows[:60]) & set(turned)) >= 50
    found = np.isin(rows, turned)
    assert np.mean(suggested[found] == true[rows[found]]) > 0.95


def test_a_class_that_is_never_sure_is_not_doubted_whole():
    """Thresholds of their own: a class at probability .4 throughout names few of its rows."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 500)
    p_own = np.clip(np.where(labels == 0, 0.9, 0.45) + rng.normal(0, 0.02, 1000), 0, 1)
    p = np.where(
        (labels == 0)[:, None], np.stack([p_own, 1 - p_own], 1), np.stack([1 - p_own, p_own], 1)
    )
    rows, _ = likely_label_errors(p, labels)
    assert np.mean(p[labels == 1].argmax(axis=1) == 0) > 0.95  # a plain argmax would name them all
    assert len(rows) == 0


@pytest.mark.parametrize(
    ("p", "y", "words"),
    [
        ([0.5, 0.5], [0, 1], r"shape \(n, n_classes\)"),
        ([[0.5, 0.5]], [0, 1], r"got \(1, 2\) and \(2,\)"),
        ([[2.0, -1.0]], [0], r"lie in \[0, 1\]"),
        ([[0.5, 0.5]], [2], "class indices from 0 to 1"),
        ([[0.5, 0.5]], [0.5], "class indices from 0 to 1"),
    ],
)
def test_label_errors_refuses(p, y, words):
    """Shapes, logits and labels that are no indices are refused."""
    with pytest.raises(ValueError, match=words):
        likely_label_errors(p, y)


def test_planted_copies_are_found_and_others_are_not():
    """Ten messages with one word changed are paired with their originals; real messages are not."""
    texts = [t for t in read_messages()["text"] if len(t) > 80][:400]
    copies = [t.replace("the", "a", 1).upper() + "!" for t in texts[:10]]
    pairs = near_copies([*texts, *copies], least=0.85)
    assert {(i, 400 + i) for i in range(10)} <= {(first, second) for first, second, _ in pairs}
    assert len(pairs) <= 12


def test_texts_of_another_kind_are_the_furthest():
    """Codes and another language are named before any message of the corpus."""
    texts = list(read_messages()["text"][:500])
    strange = ["0x5f3759df 9b 77 c1", "Qwghlm ptvkx zzyzx", "SELECT * FROM jobs WHERE 1=1"]
    found = far_texts([*texts, *strange], share=0.01)
    assert len(found) == 6 and {500, 501} <= set(found)


@pytest.mark.parametrize("call", [near_copies, far_texts])
def test_no_texts_and_empty_texts_are_no_error(call):
    """Nothing to compare gives nothing, and texts without a letter are taken."""
    assert len(call([])) == 0
    assert len(call(["!", "?"])) <= 1


@pytest.mark.parametrize(
    "call", [lambda: near_copies(["a"], least=0), lambda: far_texts(["a"], share=1.5)]
)
def test_limits_are_checked(call):
    """Shares outside their range are refused."""
    with pytest.raises(ValueError, match=r"must lie in \(0, 1\]"):
        call()
