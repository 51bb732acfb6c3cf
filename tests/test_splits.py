"""Claims about helpers.splits: shares, rare labels, copies, and the same split everywhere."""

import numpy as np
import pytest

from helpers.messages import corpus_task
from helpers.splits import stratified_split


def rare_labels(seed, n=60):
    """Draw a table with common labels and ones with 3 to 6 rows, and rows without a label."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 6)) < [0.4, 0.3, 0.1, 0.0, 0.0, 0.0]).astype(int)
    for k in (3, 4, 5):
        labels[rng.choice(n, rng.integers(3, 7), replace=False), k] = 1
    return labels


def sound(labels, part, shares):
    """Tell whether sizes are within 1, and each label with enough rows is in every part."""
    sizes = np.bincount(part, minlength=len(shares))
    close = np.all(np.abs(sizes - np.array(shares) * len(part)) <= 1)
    enough = labels.sum(axis=0) >= len(shares)
    placed = np.all([labels[part == p].any(axis=0) for p in range(len(shares))], axis=0)
    return close and placed[enough].all()


@pytest.mark.parametrize("shares", [(0.6, 0.2, 0.2), (0.7, 0.3), (0.9, 0.05, 0.05)])
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.filterwarnings("ignore:these labels are missing")
def test_stratified_split_places_rare_labels(seed, shares):
    """Sizes are within 1 of their shares, and labels with as many rows as parts are in each."""
    labels = rare_labels(seed)
    part = stratified_split(labels, shares, seed=seed)
    assert sound(labels, part, shares)
    assert np.array_equal(part, stratified_split(labels, shares, seed=seed))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore:these labels are missing")
def test_stratified_split_finds_a_split_where_there_is_one(seed):
    """On tiny tables it leaves as few gaps as the best of all splits of those sizes."""
    rng = np.random.default_rng(seed)
    labels = rng.random((6, 4)) < 0.5
    enough = labels.sum(axis=0) >= 3

    def gaps(part):
        return sum((~labels[part == p].any(axis=0))[enough].sum() for p in range(3))

    best = 9
    for code in range(3**6):
        part = np.array([code // 3**i % 3 for i in range(6)])
        if np.all(np.abs(np.bincount(part, minlength=3) - 2) <= 1):
            best = min(best, gaps(part))
    assert gaps(stratified_split(labels, (1 / 3, 1 / 3, 1 / 3), seed=seed)) == best


def test_two_rows_of_a_label_go_to_two_parts():
    """A label with two rows is in both of two parts, and named where there are three."""
    labels = np.zeros((40, 2), dtype=int)
    labels[:20, 0] = 1
    labels[[0, 5], 1] = 1  # both also have the common label: the known failure of the greedy way
    for seed in range(10):
        part = stratified_split(labels, (0.8, 0.2), seed=seed)
        assert sound(labels, part, (0.8, 0.2))
    with pytest.warns(UserWarning, match="missing from a part: privacy"):
        stratified_split(labels, label_names=("home", "privacy"))


def test_a_label_that_cannot_be_placed_is_named():
    """Where two labels need the one row of a small part, one of them is named."""
    labels = np.zeros((21, 3), dtype=int)
    labels[0:3, 0] = labels[3:6, 1] = labels[6:9, 2] = 1
    with pytest.warns(UserWarning, match="missing from a part: [abc], [abc]"):
        stratified_split(labels, (19 / 21, 1 / 21, 1 / 21), label_names=tuple("abc"))


def test_stratified_split_keeps_the_shares_of_each_label():
    """Each label of the corpus is dealt in its shares, to within two rows."""
    labels = corpus_task("topics").train.labels
    part = stratified_split(labels, (0.6, 0.2, 0.2))
    for p, share in enumerate((0.6, 0.2, 0.2)):
        off = labels[part == p].sum(axis=0) - share * labels.sum(axis=0)
        assert np.abs(off).max() <= 2


@pytest.mark.parametrize(
    ("labels", "shares", "words"),
    [
        ([1, 0], (0.5, 0.5), r"0 or 1, of shape \(n, n_labels\), got \(2,\)"),
        ([[2], [0]], (0.5, 0.5), "must be 0 or 1"),
        ([[1], [0]], (0.5, 0.4), "that sum to 1"),
        ([[1], [0]], (1.0,), "two or more numbers"),
        ([[1], [0]], (0.4, 0.3, 0.3), "3 parts need at least as many rows, got 2"),
    ],
)
def test_stratified_split_refuses(labels, shares, words):
    """Tables and shares that make no sense are refused."""
    with pytest.raises(ValueError, match=words):
        stratified_split(np.array(labels), shares)
