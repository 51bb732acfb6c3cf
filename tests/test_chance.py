"""Claims about what chance makes, and about networks that are upside down."""

import re

import numpy as np
import pytest

from helpers.decisions import BinaryThreshold, Costs, LabelThresholds, RejectCosts, RejectOption
from helpers.portable.chance import (
    SILENT,
    right_by_chance,
    swapped_pair,
    why_answers_fail,
    why_pairs_fail,
    wrong_answers,
    wrong_pairs,
)
from helpers.probabilities import fit_temperature


def test_noise_is_not_called_upside_down():
    """On 1,000 sets of logits that know nothing, of any base rate, nothing is found."""
    rng = np.random.default_rng(0)
    for _ in range(1000):
        n = int(rng.integers(2, 200))
        y, p = rng.random(n) < rng.random(), rng.dirichlet(np.ones(4), size=2)
        assert wrong_pairs(np.round(rng.normal(size=n), 1), y) is None
        assert wrong_answers(rng.choice(4, n, p=p[0]), rng.choice(4, n, p=p[1])) is None


def test_wrong_pairs_by_hand():
    """Of 30 ones below 30 zeros all pairs are wrong; with one of the ones on top 29 of 30 are."""
    z, y = np.arange(60.0), np.arange(60) < 30
    assert wrong_pairs(z, y) == 1
    z[0] = 99
    assert wrong_pairs(z, y) == pytest.approx(29 / 30)
    assert wrong_pairs(-z, y) is None and wrong_pairs(z, y & False) is None
    assert wrong_pairs(np.zeros(60), y) is None


def test_right_answers_by_chance_are_those_of_shuffled_labels():
    """Mean and standard error are those over 4,000 shuffles of the labels."""
    rng = np.random.default_rng(1)
    y, said = rng.choice(3, 200, p=[0.7, 0.2, 0.1]), rng.choice(3, 200, p=[0.2, 0.2, 0.6])
    right = [np.mean(rng.permutation(y) == said) for _ in range(4000)]
    mean, error = right_by_chance(y, said)
    assert mean == pytest.approx(np.mean(right), abs=0.002)
    assert error == pytest.approx(np.std(right), rel=0.05)


def test_an_upside_down_network_is_asked_about():
    """Nine of ten wrong: the fit and each `choose` ask whether labels are swapped."""
    rng = np.random.default_rng(0)
    y, right = rng.integers(0, 2, 200), rng.random(200) < 0.1
    z = np.where(right, 1, -1) * (2 * y - 1) * (1 + rng.random(200))
    c = rng.integers(0, 3, 200)
    many = rng.normal(size=(200, 3))
    many[np.arange(200), np.where(right, c, (c + 1) % 3)] += 5
    grid = np.stack([y, c == 0], axis=1).astype(int)
    label = {"label_names": ("late", "lost"), "min_positives": 0}
    pair = np.stack([z, grid[:, 1] * 4 - 2 + rng.random(200)], axis=1)
    costs, reject = Costs(false_positive=1, false_negative=5), RejectCosts(reject=0.3)
    asks = r"upside down: (8|9)\d% of the .* are wrong.*two labels swapped"
    for call in (
        lambda: BinaryThreshold.choose(z, y, costs=costs),
        lambda: BinaryThreshold.choose(z, y, f_beta=1, sample_weight=np.ones(200)),
        lambda: BinaryThreshold.choose(z, y, min_recall=0.9, confidence_level=0.9),
        lambda: RejectOption.choose(many, c, costs=reject),
        lambda: RejectOption.choose(many, np.where(y, c, 3), coverage=0.5),
    ):
        with pytest.warns(UserWarning, match=asks) as caught:
            call()
        assert [one.filename for one in caught] == [__file__]
    for options in ({"micro_f1": True}, {"macro_f1": True}, {"costs": costs, "shared": True}):
        with pytest.warns(UserWarning, match=r"pairs of a 1 and a 0 of late are wrong"):
            LabelThresholds.choose(pair, grid, **options, **label)
    for logits, labels in ((z, y), (many, c)):
        with pytest.warns(UserWarning) as caught:
            assert fit_temperature(logits, labels) == 1
        assert re.search(asks, str(caught[0].message))
        assert re.search(
            r"T = 1 is returned: \d.*are (the two )?labels swapped", str(caught[1].message)
        )


def test_a_swapped_pair_is_found_among_many_labels():
    """Where the others are answered well; not in noise, and not for two rows that went wrong."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 20, 2000)
    said = np.where(rng.random(2000) < 0.2, rng.integers(0, 20, 2000), y)
    assert swapped_pair(y, said) is None
    other = np.arange(20)
    other[[4, 9]] = 9, 4
    first, second, wrong, both = swapped_pair(other[y], said)
    assert (first, second) == (4, 9) and 0.9 < wrong / both < 1
    assert swapped_pair(np.array([0, 1, 2]), np.array([1, 0, 2])) is None
    assert swapped_pair(np.array([], dtype=int), np.array([], dtype=int)) is None
    noise = [swapped_pair(*rng.integers(0, int(rng.integers(2, 30)), (2, 500))) for _ in range(300)]
    assert not any(noise)


def test_why_no_temperature_fits_is_said():
    """Swapped, without a bias, or nothing to learn; one class alone says nothing."""
    up, y = np.arange(10.0), np.arange(10) >= 5
    assert why_pairs_fail(-up, y).startswith("100% of the pairs of a 1 and a 0 are wrong")
    assert "need a bias" in why_pairs_fail(up + 50, y)
    assert why_pairs_fail(up, np.arange(10) % 2 == 0) == SILENT
    assert why_pairs_fail(up, np.full(10, True)) == SILENT
    assert why_answers_fail(np.array([1]), np.array([0])) == SILENT
    assert "9 of 10 answers are wrong" in why_answers_fail(
        np.arange(10) % 3, np.array([1, 2, 0, 1, 2, 0, 1, 2, 0, 0])
    )
