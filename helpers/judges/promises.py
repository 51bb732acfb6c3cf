"""Judge the exercises of lesson 06."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import binom, norm

from helpers.decisions import fewest_rows
from helpers.judges.results import Judge, try_cases


def _rows_without_a_mistake(answer: Callable[[float, float], Any]) -> str | None:
    def exact(floor: float, level: float) -> float:
        return np.log(1 - level) / np.log(floor)

    def rows(floor: float, level: float) -> int:
        return int(np.ceil(exact(floor, level)))

    return try_cases(
        answer,
        rows,
        ("floor", "confidence_level"),
        ((0.9, 0.95), (0.8, 0.9), (0.99, 0.99), (0.95, 0.9), (0.5, 0.75)),
        {
            "rows are whole, and so many are too few: round up": lambda f, c: int(exact(f, c)),
            "so many are one too few: round up": lambda f, c: rows(f, c) - 1,
            "rows are whole: round up": exact,
            "where the power is just 1 - confidence_level, so many rows are enough": (
                lambda f, c: int(exact(f, c)) + 1
            ),
            "one row more than it takes: the power may reach 1 - confidence_level": (
                lambda f, c: rows(f, c) + 1
            ),
            "the two have changed places": lambda f, c: rows(c, f),
            "of a power of 1 - floor: that n are all wrong; they are all right": (
                lambda f, c: rows(1 - f, c)
            ),
            "the power is held against confidence_level; it shall fall to what is left of 1": (
                lambda f, c: rows(f, 1 - c)
            ),
            "half of the chance of error was taken; the promise has one side": (
                lambda f, c: rows(f, (1 + c) / 2)
            ),
            "3 / (1 - floor) is a rule of thumb for 95 %; floor to the power of n is exact": (
                lambda f, c: np.ceil(3 / (1 - f))
            ),
            "this takes no notice of confidence_level: it is 95 % each time": (
                lambda f, c: rows(f, 0.95)
            ),
            "in so many rows one mistake is expected; that is no promise": (
                lambda f, c: np.ceil(1 / (1 - f))
            ),
            "this is the probability; count the rows": lambda f, c: f ** rows(f, c),
            "this allows for one mistake; all rows are right": (
                lambda f, c: fewest_rows(f, c, mistakes=1)
            ),
        },
        "the fewest n at which floor to the power of n is at most 1 - confidence_level",
    )


def _confidence_with_mistakes(answer: Callable[[int, int, float], Any]) -> str | None:
    return try_cases(
        answer,
        lambda n, k, f: binom.sf(k, n, 1 - f),
        ("n", "mistakes", "floor"),
        ((30, 1, 0.9), (50, 5, 0.8), (10, 0, 0.5), (20, 3, 0.7)),
        {
            "as many mistakes as these are in it; more than these are asked for": (
                lambda n, k, f: binom.sf(k - 1, n, 1 - f)
            ),
            "this is the chance of at most so many mistakes; take it from 1": (
                lambda n, k, f: binom.cdf(k, n, 1 - f)
            ),
            "this is the chance of fewer mistakes than these": (
                lambda n, k, f: binom.cdf(k - 1, n, 1 - f)
            ),
            "this is the chance of just so many mistakes": lambda n, k, f: binom.pmf(k, n, 1 - f),
            "fewer mistakes were left out: 0, 1, ... up to these are to be taken from 1": (
                lambda n, k, f: 1 - binom.pmf(k, n, 1 - f)
            ),
            "a row is wrong with 1 - floor, not with floor": lambda n, k, f: binom.sf(k, n, f),
            "the mistakes were not used": lambda n, k, f: 1 - f**n,
            "this is the share that is right, a figure and no promise": lambda n, k, f: 1 - k / n,
            "this is a normal approximation; add up the binomial probabilities": (
                lambda n, k, f: norm.sf((k - n * (1 - f)) / np.sqrt(n * f * (1 - f)))
            ),
            "this is a normal approximation, if a good one; add up the binomial probabilities": (
                lambda n, k, f: norm.sf((k + 0.5 - n * (1 - f)) / np.sqrt(n * f * (1 - f)))
            ),
            "each k mistakes can fall on many rows: times the number of ways, comb(n, k)": (
                lambda n, k, f: 1 - sum((1 - f) ** i * f ** (n - i) for i in range(k + 1))
            ),
            "this is in percent": lambda n, k, f: 100 * binom.sf(k, n, 1 - f),
        },
        "1 minus the sum over k from 0 to mistakes of comb(n, k) (1 - floor)^k floor^(n - k)",
    )


def _ranked(p: np.ndarray, rank: float, few: float = -np.inf) -> float:
    """Return the value of a rank counted from the lowest; another one where there is no such."""
    rank = round(float(rank), 9)  # (1 - 0.9) * 10 falls a little short of 1
    return float(np.sort(p)[int(rank) - 1]) if 1 <= rank < len(p) + 1 else few


def _cut_of_a_set(answer: Callable[[np.ndarray, float], Any]) -> str | None:
    rng = np.random.default_rng(6)
    many, some, few = (rng.permutation(np.arange(1, n + 1)) / 64 for n in (23, 7, 8))
    return try_cases(
        answer,
        lambda p, c: _ranked(p, (1 - c) * (len(p) + 1)),
        ("p_true", "coverage"),
        ((some, 0.75), (many, 0.875), (few, 0.9), (many[:12], 0.65)),
        {
            "the new message counts, too: n + 1, not n": (
                lambda p, c: _ranked(p, (1 - c) * len(p))
            ),
            "eight rows are too few for nine in ten: the cut is -np.inf": (
                lambda p, c: _ranked(p, max((1 - c) * (len(p) + 1), 1))
            ),
            "where there are too few rows 0 is no cut of theirs; give -np.inf": (
                lambda p, c: _ranked(p, (1 - c) * (len(p) + 1), 0.0)
            ),
            "np.inf names nothing; too few rows name every label, -np.inf": (
                lambda p, c: _ranked(p, (1 - c) * (len(p) + 1), np.inf)
            ),
            "counted from the highest; it is the r-th smallest": (
                lambda p, c: -_ranked(-p, (1 - c) * (len(p) + 1), np.inf)
            ),
            "this leaves out as many as it should hold: r is of 1 - coverage": (
                lambda p, c: _ranked(p, c * (len(p) + 1))
            ),
            "places count from 0: the r-th smallest has place r - 1": (
                lambda p, c: _ranked(p, int((1 - c) * (len(p) + 1)) + 1)
            ),
            "r is rounded down, not up": lambda p, c: _ranked(p, np.ceil((1 - c) * (len(p) + 1))),
            "a quantile between two rows promises nothing; take the r-th smallest": (
                lambda p, c: np.quantile(p, 1 - c)
            ),
            "sort before you take the r-th": (
                lambda p, c: p[int((1 - c) * (len(p) + 1)) - 1] if len(p) != 8 else -np.inf
            ),
            "1 - coverage is a share of messages, not a cut": lambda p, c: 1 - c,
            "coverage is a share of messages, not a cut": lambda p, c: c,
            "this is its rank; give the value itself": (lambda p, c: int((1 - c) * (len(p) + 1))),
            "this is the lowest of all, whatever the coverage": lambda p, c: p.min(),
        },
        "the r-th smallest, r = (1 - coverage) (n + 1) rounded down, or -np.inf where r is 0",
    )


def _cheapest_answer(answer: Callable[[np.ndarray, np.ndarray], Any]) -> str | None:
    p = np.array(
        [[0.9, 0.06, 0.04], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7], [0.34, 0.33, 0.33], [0.2, 0.7, 0.1]]
    )
    prices = np.array([[0.0, 3, 2, 1.1], [13, 1, 5, 0.9], [4, 6, 0, 1.0]])  # right may cost, too
    two = np.array([[0.8, 0.2], [0.55, 0.45], [0.05, 0.95]])
    fine = np.array([[0.0, 4, 2.5], [9, 0, 2.6]])

    def expected(p: np.ndarray, prices: np.ndarray) -> np.ndarray:
        return p @ prices

    def turned(p: np.ndarray, prices: np.ndarray) -> np.ndarray:
        square = prices[:, :-1].T
        return np.hstack([p @ square, p @ prices[:, -1:]])

    return try_cases(
        answer,
        lambda p, c: expected(p, c).argmin(axis=1),
        ("probabilities", "prices"),
        ((p, prices), (two, fine)),
        {
            "this is the likeliest label; it takes no notice of the prices": (
                lambda p, c: p.argmax(axis=1)
            ),
            "the person in the last column was left out": (
                lambda p, c: expected(p, c[:, :-1]).argmin(axis=1)
            ),
            "this is the dearest answer": lambda p, c: expected(p, c).argmax(axis=1),
            "rows and columns have changed places: prices[true][answer]": (
                lambda p, c: turned(p, c).argmin(axis=1)
            ),
            "these are the expected costs; which answer has the least?": (
                lambda p, c: expected(p, c).min(axis=1)
            ),
            "the prices were not weighed with the probabilities": (
                lambda p, c: np.full(len(p), c.sum(axis=0).argmin())
            ),
            "this takes the likeliest label for the truth; weigh all of them": (
                lambda p, c: c[p.argmax(axis=1)].argmin(axis=1)
            ),
            "everything goes to a person": lambda p, c: np.full(len(p), p.shape[1]),
            "answers count from 0; these count from 1": (
                lambda p, c: expected(p, c).argmin(axis=1) + 1
            ),
            "this is the least likely label": lambda p, c: p.argmin(axis=1),
            "at worst, not in the mean: the dearest that may come about": (
                lambda p, c: (p[:, :, None] * c).max(axis=1).argmin(axis=1)
            ),
        },
        "multiply probabilities and prices as matrices, and take the least of each row",
    )


CHECKS: dict[str, Judge] = {
    "06.1": _rows_without_a_mistake,
    "06.2": _confidence_with_mistakes,
    "06.3": _cut_of_a_set,
    "06.4": _cheapest_answer,
}
