"""Claims about helpers.judges.promises: exercises 06.1 to 06.4, right and wrong answers."""

from fractions import Fraction
from math import ceil, comb, log

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import beta, binom

from helpers.decisions import (
    CostMatrix,
    MinimumExpectedCost,
    PredictionSets,
    fewest_rows,
    highest_confidence,
)
from helpers.exercises import CHECKS, Checked, check


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv("EXERCISES_STRICT", raising=False)


def rows(floor, level):
    """Take the logarithm of both sides."""
    return ceil(log(1 - level) / log(floor))


def counted(floor, level):
    """Count up."""
    n, chance = 0, 1.0
    while chance > 1 - level:
        n, chance = n + 1, chance * floor
    return n


def surely(n, mistakes, floor):
    """Add up what leaves more mistakes than these."""
    return sum(comb(n, k) * (1 - floor) ** k * floor ** (n - k) for k in range(mistakes + 1, n + 1))


def rank(p, coverage):
    """Count the rows that may be left out."""
    return int((1 - coverage) * (len(p) + 1))


def cut(p, coverage):
    """Take the value of that rank, if there is one."""
    return sorted(p)[rank(p, coverage) - 1] if rank(p, coverage) else -np.inf


def cut_of_the_rule(p, coverage):
    """Ask `PredictionSets`: of two classes the second has the given probability."""
    z = np.stack([np.log1p(-p), np.log(p)], axis=1)
    chosen = PredictionSets.choose(z, np.ones(len(p), dtype=int), coverage=coverage)
    return chosen.cuts[1]


def expected(p, prices):
    """Add up price times probability, an answer at a time."""
    return np.stack([(p * prices[:, a]).sum(axis=1) for a in range(prices.shape[1])], axis=1)


def by_rule(p, prices):
    """Ask `MinimumExpectedCost`."""
    rule = MinimumExpectedCost.from_costs(
        CostMatrix(costs=prices), label_names=[str(k) for k in range(len(prices))]
    )
    return rule.decide(np.log(p))


RIGHT = {
    "06.1": [
        rows,
        counted,
        fewest_rows,
        lambda f, c: float(rows(f, c)),
        lambda f, c: np.ceil(np.log(1 - c) / np.log(f)),
        lambda f, c: np.array([rows(f, c)]),
        lambda f, c: next(n for n in range(1, 10_000) if f**n <= 1 - c),
        lambda f, c: next(n for n in range(1, 10_000) if beta.ppf(1 - c, n, 1) >= f),
        lambda f, c: 1 + int(np.argmax(f ** np.arange(1, 2000) <= 1 - c)),
        lambda f, c: torch.tensor(rows(f, c)),
        lambda f, c: Fraction(rows(f, c)),
    ],
    "06.2": [
        surely,
        lambda n, k, f: highest_confidence(n, f, mistakes=k),
        lambda n, k, f: binom.sf(k, n, 1 - f),
        lambda n, k, f: 1 - binom.cdf(k, n, 1 - f),
        lambda n, k, f: binom.cdf(n - k - 1, n, f),
        lambda n, k, f: beta.cdf(1 - f, k + 1, n - k),
        lambda n, k, f: np.float64(surely(n, k, f)),
        lambda n, k, f: [surely(n, k, f)],
        lambda n, k, f: 1 - sum(binom.pmf(range(k + 1), n, 1 - f)),
        lambda n, k, f: torch.tensor(surely(n, k, f), dtype=torch.float64),
        lambda n, k, f: pd.Series([surely(n, k, f)]),
    ],
    "06.3": [
        cut,
        cut_of_the_rule,
        lambda p, c: float(cut(p, c)),
        lambda p, c: np.array([cut(p, c)]),
        lambda p, c: np.float32(cut(p, c)),
        lambda p, c: np.partition(p, rank(p, c) - 1)[rank(p, c) - 1] if rank(p, c) else -np.inf,
        lambda p, c: float("-inf") if rank(p, c) < 1 else np.sort(p)[rank(p, c) - 1],
        lambda p, c: np.append(-np.inf, np.sort(p))[rank(p, c)],
        lambda p, c: pd.Series(p).nsmallest(rank(p, c)).max() if rank(p, c) else -np.inf,
        lambda p, c: torch.tensor(cut(p, c)),
        lambda p, c: np.sort(p)[::-1][len(p) - rank(p, c)] if rank(p, c) else -np.inf,
    ],
    "06.4": [
        lambda p, c: (p @ c).argmin(axis=1),
        lambda p, c: expected(p, c).argmin(axis=1),
        by_rule,
        lambda p, c: [int(np.argmin(row @ c)) for row in p],
        lambda p, c: np.einsum("nt,ta->na", p, c).argmin(1),
        lambda p, c: np.float32((p @ c).argmin(axis=1)),
        lambda p, c: tuple((c.T @ p.T).argmin(axis=0)),
        lambda p, c: pd.DataFrame(p @ c).idxmin(axis=1),
        lambda p, c: torch.tensor(p @ c).argmin(dim=1),
        lambda p, c: (p[:, :, None] * c).sum(axis=1).argmin(axis=1),
        lambda p, c: np.argsort(p @ c, axis=1)[:, 0].astype(np.int8),
    ],
}
WRONG = {
    "06.1": [
        (lambda f, c: rows(f, c) - 1, "round up"),
        (lambda f, c: log(1 - c) / log(f), "rows are whole: round up"),
        (lambda f, c: rows(f, c) + 1, "one row more"),
        (lambda f, c: rows(c, f), "changed places"),
        (lambda f, c: rows(1 - f, c), "all wrong; they are all right"),
        (lambda f, c: rows(f, 1 - c), "what is left of 1"),
        (lambda f, c: fewest_rows(f, c, mistakes=1), "allows for one mistake"),
        (lambda f, c: rows(f, 1 - (1 - c) / 2), "the promise has one side"),
        (lambda f, c: round(3 / (1 - f) + 1e-9), "rule of thumb|expected"),
        (lambda f, c: np.ceil(3 / (1 - f)), "rule of thumb"),
        (lambda f, c: rows(f, 0.95), "no notice of confidence_level"),
        (lambda f, c: np.ceil(1 / (1 - f)), "one mistake is expected"),
        (lambda f, c: f ** rows(f, c), "this is the probability"),
        (lambda f, c: 29, "got 29"),
        (lambda f, c: None, "is there a `return`"),
        (lambda f, c: "many", "numbers are asked for|no array"),
        (lambda f, c: [rows(f, c)] * 2, "expected the shape"),
        (lambda f, c: -rows(f, c), "to the power of n is at most"),
        (lambda f, c: rows(f, c) / 0.086, "to the power of n is at most"),
        (lambda f, c: log(f) / log(1 - c), "to the power of n is at most"),
        (lambda f, c: fewest_rows(f, c, mistakes=2), "to the power of n is at most"),
    ],
    "06.2": [
        (lambda n, k, f: binom.sf(k - 1, n, 1 - f), "more than these"),
        (lambda n, k, f: binom.cdf(k, n, 1 - f), "take it from 1"),
        (lambda n, k, f: binom.cdf(k - 1, n, 1 - f), "fewer mistakes than these"),
        (lambda n, k, f: binom.pmf(k, n, 1 - f), "just so many"),
        (lambda n, k, f: 1 - binom.pmf(k, n, 1 - f), "fewer mistakes were left out"),
        (lambda n, k, f: binom.sf(k, n, f), "not with floor"),
        (lambda n, k, f: 1 - f**n, "the mistakes were not used"),
        (lambda n, k, f: (n - k) / n, "a figure and no promise"),
        (lambda n, k, f: 100 * surely(n, k, f), "in percent"),
        (
            lambda n, k, f: 1 - sum((1 - f) ** i * f ** (n - i) for i in range(k + 1)),
            "the number of ways",
        ),
        (lambda n, k, f: beta.ppf(0.05, n - k, k + 1), "1 minus the sum"),
        (lambda n, k, f: 0.95, "1 minus the sum"),
        (lambda n, k, f: f, "1 minus the sum"),
        (lambda n, k, f: 1 - f, "1 minus the sum"),
        (lambda n, k, f: f**n, "1 minus the sum"),
        (lambda n, k, f: None, "is there a `return`"),
        (lambda n, k, f: "sure", "numbers are asked for|no array"),
        (lambda n, k, f: binom.pmf(range(k + 1), n, 1 - f), "1 minus|expected the shape"),
        (lambda n, k, f: round(surely(n, k, f), 1), "1 minus the sum"),
        (lambda n, k, f: (n - k) / n >= f, "1 minus the sum"),
        (lambda n, k, f: k / n, "1 minus the sum"),
    ],
    "06.3": [
        (lambda p, c: cut(p, 1 - (1 - c) * len(p) / (len(p) + 1)), "n \\+ 1, not n"),
        (lambda p, c: sorted(p)[max(rank(p, c), 1) - 1], "too few for nine in ten"),
        (lambda p, c: max(cut(p, c), 0.0), "give -np.inf"),
        (lambda p, c: cut(p, c) if rank(p, c) else np.inf, "np.inf names nothing"),
        (lambda p, c: sorted(p)[-rank(p, c)] if rank(p, c) else -np.inf, "from the highest"),
        (lambda p, c: sorted(p)[int(c * (len(p) + 1)) - 1], "r is of 1 - coverage"),
        (lambda p, c: sorted(p)[rank(p, c)], "place r - 1"),
        (lambda p, c: sorted(p)[ceil((1 - c) * (len(p) + 1)) - 1], "rounded down, not up"),
        (lambda p, c: np.quantile(p, 1 - c), "between two rows"),
        (lambda p, c: p[rank(p, c) - 1] if rank(p, c) else -np.inf, "sort before"),
        (lambda p, c: 1 - c, "1 - coverage is a share"),
        (lambda p, c: c, "coverage is a share"),
        (rank, "this is its rank"),
        (lambda p, c: p.min(), "lowest of all"),
        (lambda p, c: p.max(), "r-th smallest, r ="),
        (lambda p, c: p.mean(), "r-th smallest, r ="),
        (lambda p, c: None, "is there a `return`"),
        (lambda p, c: np.sort(p), "expected the shape"),
        (lambda p, c: p >= cut(p, c), "expected the shape"),
        (lambda p, c: -np.inf, "r-th smallest, r ="),
        (lambda p, c: np.quantile(p, c), "r-th smallest, r ="),
    ],
    "06.4": [
        (lambda p, c: p.argmax(axis=1), "no notice of the prices"),
        (lambda p, c: (p @ c[:, :-1]).argmin(axis=1), "the person in the last column"),
        (lambda p, c: (p @ c).argmax(axis=1), "the dearest answer"),
        (
            lambda p, c: np.c_[p @ c[:, :-1].T, p @ c[:, -1]].argmin(axis=1),
            "rows and columns have changed places",
        ),
        (lambda p, c: (p @ c).min(axis=1), "these are the expected costs"),
        (lambda p, c: np.full(len(p), c.mean(axis=0).argmin()), "not weighed"),
        (lambda p, c: c[p.argmax(axis=1)].argmin(axis=1), "the likeliest label for the truth"),
        (lambda p, c: np.full(len(p), c.shape[1] - 1), "goes to a person"),
        (lambda p, c: (p @ c).argmin(axis=1) + 1, "count from 1"),
        (lambda p, c: p.argmin(axis=1), "least likely"),
        (lambda p, c: (p[:, :, None] * c).max(axis=1).argmin(axis=1), "not in the mean"),
        (lambda p, c: p @ c, "expected the shape"),
        (lambda p, c: (p @ c).argmin(axis=0), "expected the shape"),
        (lambda p, c: int((p @ c).argmin()), "expected the shape"),
        (lambda p, c: None, "is there a `return`"),
        (lambda p, c: ["person"] * len(p), "numbers are asked for"),
        (lambda p, c: np.zeros(len(p)), "as matrices"),
        (lambda p, c: (p @ c).argmin(axis=1)[::-1], "as matrices"),
        (lambda p, c: p @ c.T, "your answer raised ValueError"),
        (lambda p, c: -(p @ c).argmin(axis=1), "as matrices"),
        (lambda p, c: (p @ (c > 0)).argmin(axis=1), "as matrices|no notice"),
    ],
}
pairs = pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])


def test_every_exercise_of_lesson_06_is_tested():
    """There are ten right and twenty wrong answers for each, at least."""
    assert set(RIGHT) == set(WRONG) == {name for name in CHECKS if name.startswith("06")}
    assert min(map(len, RIGHT.values())) >= 10 and min(map(len, WRONG.values())) >= 20


@pytest.mark.filterwarnings("ignore:never the cheapest answer")
@pairs
def test_right_answers(name, answer):
    """A right answer is called right, in whatever form it is written."""
    assert check(name, answer) == Checked("right", "well done")


@pytest.mark.parametrize(
    ("name", "answer", "words"), [(n, a, words) for n in WRONG for a, words in WRONG[n]]
)
def test_wrong_answers(name, answer, words):
    """A wrong answer draws a hint that names the mistake."""
    found = check(name, answer)
    assert found.status == "hint"
    with pytest.raises(ValueError, match=words):
        raise ValueError(found.message)
