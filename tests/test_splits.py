"""Claims about helpers.splits: shares, rare labels, copies, and the same split everywhere."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import splits
from helpers.messages import corpus_task
from helpers.splits import copies_of, random_split, stratified_split


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


def test_split_is_the_same_on_every_machine():
    """A large table with rare labels gives the split that it gave elsewhere, and no label is lost.

    The number of steps is fixed, so that neither a slow machine nor a busy one changes it.
    """
    rng = np.random.default_rng(0)
    labels = rng.random((20_000, 50)) < np.linspace(0.0005, 0.3, 50)
    labels[:, 0] = False
    labels[rng.choice(20_000, 3, replace=False), 0] = True
    part = stratified_split(labels, seed=3)
    assert sound(labels, part, (0.6, 0.2, 0.2))
    digest = hashlib.sha256(part.astype("<i8").tobytes()).hexdigest()[:16]
    assert digest == "d38a31358219e9ce"


def hard_tables():
    """Draw 60 small tables in which the dealing alone leaves many gaps."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = rng.random((rng.integers(6, 120), rng.integers(2, 30))) < 0.05
        shares = ((0.6, 0.2, 0.2), (0.7, 0.3), (1 / 3, 1 / 3, 1 / 3))[seed % 3]
        part = stratified_split(labels, shares, seed=seed)
        enough = labels.sum(axis=0) >= len(shares)
        yield sum((~labels[part == p].any(axis=0) & enough).sum() for p in range(len(shares)))


@pytest.mark.filterwarnings("ignore:these labels are missing")
def test_the_search_closes_what_dealing_leaves_open(monkeypatch):
    """On small hard tables the search leaves less than half of the gaps of the dealing."""
    searched = sum(hard_tables())
    monkeypatch.setattr(splits, "STEPS", 0)
    assert searched < sum(hard_tables()) / 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("My bin", " my   BIN\n", True),
        ("Straße", "STRASSE", True),
        ("caf\u00e9", "cafe\u0301", True),
        ("\ufb01ne", "fine", True),
        ("\uff2d\uff59 bin", "my\u00a0bin", True),
        ("my bin", "my bins", False),
        ("mybin", "my bin", False),
    ],
)
def test_what_copies_are(one, other, same):
    """Copies are texts that are equal but for letter case, white space and Unicode's spellings."""
    assert (copies_of([one, other]).tolist() == [0, 0]) is same


@given(st.text())
def test_a_text_is_a_copy_of_its_spellings(text):
    """Upper case of folded text, more space, and each normal form of a text are copies of it."""
    import unicodedata

    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert not copies_of([text, f" {text}\t", *forms]).any()


tables = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(deadline=None, max_examples=60)
@given(tables, st.integers(3, 60), st.integers(1, 8), st.integers(0, 5))
@pytest.mark.filterwarnings("ignore:these labels", "ignore:rows that must stay together")
def test_parts_are_a_partition_that_keeps_groups_whole(rng, n, n_labels, seed):
    """Every row has one part, no part is empty, a group shares one, a seed gives one split."""
    labels = rng.random((n, n_labels)) < rng.choice([0.05, 0.3, 0.7], n_labels)
    groups = rng.integers(0, max(3, n // rng.integers(1, 5)), n)
    groups[:3] = range(3)
    part = stratified_split(labels, seed=seed, groups=groups)
    assert part.shape == (n,) and set(part.tolist()) == {0, 1, 2}
    assert all(len(set(part[groups == g])) == 1 for g in set(groups))
    assert np.array_equal(part, stratified_split(labels, seed=seed, groups=groups))
    alone = stratified_split(labels, seed=seed)
    assert np.all(np.abs(np.bincount(alone) - n * np.array([0.6, 0.2, 0.2])) <= 1)


def test_small_groups_leave_the_sizes_as_asked():
    """Where a third of the rows are copies, sizes and the shares of each label are as before."""
    labels = corpus_task("topics").train.labels
    groups = np.arange(len(labels))
    groups[1::3] = groups[: len(groups[1::3]) * 3 : 3]
    part = stratified_split(labels, groups=groups)
    for p, share in enumerate((0.6, 0.2, 0.2)):
        assert abs(np.sum(part == p) - share * len(labels)) <= 1
        off = labels[part == p].sum(axis=0) - share * labels.sum(axis=0)
        assert np.abs(off).max() <= 5


def test_sizes_that_groups_make_impossible_are_said():
    """Where one group is larger than its part, the sizes that came of it stand in a warning."""
    groups = np.maximum(np.arange(100) - 79, 0)  # eighty copies of one text
    with pytest.warns(UserWarning, match=r"parts of 80, 10, 10 rows, where 60, 20, 20 were asked"):
        part = stratified_split(np.ones((100, 1)), groups=groups)
    assert set(part[:80]) == {0} and np.bincount(part).tolist() == [80, 10, 10]


def test_random_split_deals_each_label_in_its_share():
    """Each of two labels goes to the parts in its share, to within a row, groups together."""
    labels = np.array(["no"] * 90 + ["yes"] * 10)
    part = random_split(labels, 0.2, 0.2, seed=1, groups=np.arange(100) // 2)
    for name, n in (("no", 90), ("yes", 10)):
        counts = [np.sum(part[labels == name] == p) for p in ("train", "validation", "test")]
        assert np.abs(np.array(counts) - n * np.array([0.6, 0.2, 0.2])).max() <= 1
    assert np.array_equal(part[::2], part[1::2])


def test_the_last_rows_of_a_label_go_where_it_is_missing():
    """Three rows of a label go to three parts; two go to training and validation."""
    for seed in range(20):
        labels = np.array(["no"] * 97 + ["yes"] * 3)
        assert len(set(random_split(labels, 0.1, 0.1, seed)[-3:])) == 3
        labels[-3] = "no"
        assert set(random_split(labels, 0.2, 0.2, seed)[-2:]) == {"train", "validation"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"groups": [0, 1]}, r"a group for each of 4 rows, got shape \(2,\)"),
        (
            {"groups": [0, 0, 1, 1]},
            "3 parts need at least as many different texts or groups, got 2",
        ),
        ({"label_names": ["a", "b"]}, "a name for each of 1 labels, got 2"),
        ({"shares": (float("nan"), 0.5)}, "two or more numbers above 0"),
    ],
)
def test_stratified_split_refuses_options(options, words):
    """Groups, names and shares that do not fit the rows are refused."""
    with pytest.raises(ValueError, match=words):
        stratified_split(np.array([[1], [0], [1], [0]]), **options)
