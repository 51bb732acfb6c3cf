"""Measure decisions: counts and costs, curves, calibration, known against unknown texts.

Lesson 01 explains the cost curve and the reliability diagram, lesson 02 the risk-coverage curve and
the figures for known against unknown texts, lesson 03 the figures for many labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.moved import forward
from helpers.portable.arrays import (
    Floats,
    as_floats,
    check_binary_labels,
    check_finite,
    check_label_logits,
    check_label_matrix,
)
from helpers.portable.chance import auroc
from helpers.portable.checks import check_choice, check_count
from helpers.portable.costs import Costs, check_costs
from helpers.portable.probabilities import binary_logit, sigmoid


def share(part: float, whole: float) -> float:
    """Divide a part by the whole; NaN where there is none.

    Parameters
    ----------
    part, whole : float

    Returns
    -------
    float

    Examples
    --------
    >>> share(1, 4), share(0, 0)
    (0.25, nan)
    """
    return part / whole if whole else float("nan")


@dataclass(frozen=True)
class Counts:
    """The four outcomes of a yes/no decision.

    Attributes
    ----------
    true_positive, false_positive, false_negative, true_negative : int
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def recall(self) -> float:
        """Share of the true 1s that were found; NaN where there are none."""
        return share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def precision(self) -> float:
        """Share of the predicted 1s that are true; NaN where there are none."""
        return share(self.true_positive, self.true_positive + self.false_positive)


def counts(labels: ArrayLike, predicted: ArrayLike) -> Counts:
    """Count the four outcomes.

    Parameters
    ----------
    labels, predicted : array_like of int, shape (n,)
        True labels and decisions, 0 or 1.

    Returns
    -------
    Counts

    Raises
    ------
    ValueError
        If a value is not 0 or 1, or the lengths differ.

    Examples
    --------
    >>> counts([1, 0, 1, 0], [1, 1, 0, 0])
    Counts(true_positive=1, false_positive=1, false_negative=1, true_negative=1)
    """
    true = check_binary_labels(labels)
    said = check_binary_labels(predicted, len(true), "predicted")
    return Counts(
        true_positive=int(np.sum(said & true)),
        false_positive=int(np.sum(said & ~true)),
        false_negative=int(np.sum(~said & true)),
        true_negative=int(np.sum(~said & ~true)),
    )


@dataclass(frozen=True, eq=False)
class CutCurve:
    """What happens at every cut that the data can tell apart.

    Attributes
    ----------
    cuts : ndarray, shape (m + 1,)
        The distinct logits, rising, then ``inf``; ``>=`` is positive.
    true_positives, false_positives : ndarray of int, shape (m + 1,)
    n_positive, n_negative : int
    """

    cuts: Floats
    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    n_positive: int
    n_negative: int

    @property
    def thresholds(self) -> Floats:
        """The cuts as probabilities; the last is 1."""
        return sigmoid(self.cuts)

    @property
    def recall(self) -> Floats:
        """Share of the true 1s found at each cut."""
        return self.true_positives / self.n_positive

    @property
    def precision(self) -> Floats:
        """Share of the predicted 1s that are true at each cut; NaN where nothing is predicted 1."""
        predicted = self.true_positives + self.false_positives
        return np.where(predicted > 0, self.true_positives / np.maximum(predicted, 1), np.nan)

    @property
    def false_positive_rate(self) -> Floats:
        """Share of the true 0s that are predicted 1 at each cut."""
        return self.false_positives / self.n_negative

    def mean_cost(self, costs: Costs) -> Floats:
        """Cost a message at each cut.

        Parameters
        ----------
        costs : Costs

        Returns
        -------
        ndarray of float64, shape (m + 1,)

        Raises
        ------
        ValueError
            If it is given no `Costs`.

        Examples
        --------
        >>> curve = cut_curve([-1.0, 0.5, 2.0], [0, 1, 1])
        >>> curve.mean_cost(Costs(false_positive=3, false_negative=6))
        array([1., 0., 2., 4.])
        """
        costs = check_costs(costs)
        missed = self.n_positive - self.true_positives
        spared = self.n_negative - self.false_positives
        total = (
            costs.true_positive * self.true_positives
            + costs.false_negative * missed
            + costs.false_positive * self.false_positives
            + costs.true_negative * spared
        )
        return total / (self.n_positive + self.n_negative)


def cut_curve(logits: ArrayLike, labels: ArrayLike) -> CutCurve:
    """Count true and false positives at every cut, exactly, in O(n log n).

    Parameters
    ----------
    logits : array_like of float, shape (n,), (n, 1) or (n, 2)
    labels : array_like of int, shape (n,)
        0 or 1; both must occur.

    Returns
    -------
    CutCurve

    Raises
    ------
    ValueError
        If logits and labels do not match, or a class is missing.

    Examples
    --------
    >>> curve = cut_curve([-1.0, 0.5, 2.0], [0, 1, 1])
    >>> curve.mean_cost(Costs(false_positive=3, false_negative=6))
    array([1., 0., 2., 4.])
    """
    scores = binary_logit(logits)
    true = check_binary_labels(labels, len(scores))
    n_positive = int(true.sum())
    if n_positive in (0, len(true)):
        raise ValueError(
            "a curve needs at least one message of each class, got "
            f"{n_positive} positives among {len(true)}"
        )
    cuts = np.unique(scores)
    pos, neg = np.sort(scores[true]), np.sort(scores[~true])
    return CutCurve(
        cuts=np.append(cuts, np.inf),
        true_positives=np.append(len(pos) - np.searchsorted(pos, cuts), 0),
        false_positives=np.append(len(neg) - np.searchsorted(neg, cuts), 0),
        n_positive=len(pos),
        n_negative=len(neg),
    )


# Calibration


@dataclass(frozen=True, eq=False)
class Reliability:
    """Predicted against observed shares of 1, bin by bin; empty bins are left out.

    Attributes
    ----------
    predicted, observed : ndarray, shape (n_filled,)
        Mean probability and share of 1s in each bin.
    count : ndarray of int, shape (n_filled,)
    """

    predicted: Floats
    observed: Floats
    count: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of the two, weighted by count."""
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.count))


def reliability(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Literal["width", "mass"] = "width",
) -> Reliability:
    """Compare probabilities with what happened.

    Parameters
    ----------
    probabilities : array_like of float in [0, 1], shape (n,)
        Of the event that `labels` marks: P(1) for a yes/no task, or the confidence in the answer.
    labels : array_like of int, shape (n,)
        1 where the event happened, else 0.
    n_bins : int, default 15
        From 1 to 1,000,000.
    strategy : "width" or "mass"
        Bins of equal width over [0, 1] (the last one closed), or of like numbers of rows; equal
        probabilities share a bin.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If there are no rows, values lie outside [0, 1], lengths differ, or the strategy is unknown.

    Notes
    -----
    The calibration error depends on the bins and is biased upward on few rows; compare it only
    between sets of the same size and bins.

    Examples
    --------
    >>> reliability([0.95, 1.0], [1, 0], n_bins=10).error
    0.475
    """
    p = as_floats("probabilities", probabilities)
    if p.ndim != 1 or len(p) == 0:
        raise ValueError(f"probabilities must have shape (n,) with n of at least 1, got {p.shape}")
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("probabilities must lie in [0, 1]: pass them after sigmoid or softmax")
    true = check_binary_labels(labels, len(p))
    n_bins = check_count("n_bins", n_bins, least=1, most=10**6)
    edges = np.arange(1, n_bins) / n_bins
    if check_choice("strategy", strategy, ("width", "mass")) == "mass":
        edges = np.quantile(p, edges)
    which = np.searchsorted(edges, p, side="right")
    count = np.bincount(which, minlength=n_bins)
    filled = count > 0
    return Reliability(
        predicted=np.bincount(which, weights=p, minlength=n_bins)[filled] / count[filled],
        observed=np.bincount(which, weights=true, minlength=n_bins)[filled] / count[filled],
        count=count[filled],
    )


# Many labels


def check_decisions(
    labels: ArrayLike, predicted: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return labels and decisions, both of shape (n, n_labels), or say what is wrong.

    Examples
    --------
    >>> true, said = check_decisions([[1, 0]], [[1, 1]])
    >>> said
    array([[ True,  True]])
    """
    true = check_label_matrix(labels)
    said = check_label_matrix(predicted, name="decisions")
    if said.shape != true.shape:
        raise ValueError(f"decisions must have the labels' shape {true.shape}, got {said.shape}")
    return true, said


def f1_scores(labels: ArrayLike, predicted: ArrayLike) -> Floats:
    """Compute F1 = 2 TP / (2 TP + FP + FN) of each label.

    Parameters
    ----------
    labels, predicted : array_like of int or bool, shape (n, n_labels)
        True labels and decisions, 0 or 1.

    Returns
    -------
    ndarray of float64, shape (n_labels,)
        NaN for a label that no row has: there is nothing to find.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is neither 0 nor 1.

    Examples
    --------
    >>> f1_scores([[1, 0], [0, 0]], [[1, 0], [1, 1]]).round(3)
    array([0.667,   nan])
    """
    true, said = check_decisions(labels, predicted)
    hits, n_true = (said & true).sum(axis=0), true.sum(axis=0)
    return np.where(n_true > 0, 2 * hits / np.maximum(said.sum(axis=0) + n_true, 1), np.nan)


def label_scores(labels: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Sum up decisions on many labels.

    Parameters
    ----------
    labels, predicted : array_like of int or bool, shape (n, n_labels)
        True labels and decisions, 0 or 1.

    Returns
    -------
    dict of str to float
        ``micro_f1``: all decisions counted together. ``macro_f1``: mean of `f1_scores` over the
        labels that occur, where some libraries count an absent label as 0. ``samples_f1`` and
        ``jaccard``: mean over rows of F1, and of the share of labels in both sets among those in
        either; a row that has no label and is given none counts 1. ``exact_match``: share of rows
        whose whole set is right. ``hamming``: share of single answers that are wrong. NaN where no
        label occurs.

    Raises
    ------
    ValueError
        If there are no rows, the shapes differ, or a value is neither 0 nor 1.

    Examples
    --------
    >>> found = label_scores([[1, 0], [0, 1]], [[1, 0], [1, 1]])
    >>> found["micro_f1"], found["exact_match"], found["hamming"]
    (0.8, 0.5, 0.25)
    """
    true, said = check_decisions(labels, predicted)
    if not said.size:
        raise ValueError(f"expected at least one row and one label, got shape {said.shape}")
    each = f1_scores(true, said)
    both, either = (said & true).sum(axis=1), (said | true).sum(axis=1)
    empty = either == 0
    whole = said.sum() + true.sum()
    return {
        "micro_f1": share(2 * float((said & true).sum()), float(whole) if true.any() else 0.0),
        "macro_f1": float(np.nanmean(each)) if true.any() else float("nan"),
        "samples_f1": float(np.where(empty, 1, 2 * both / np.maximum(both + either, 1)).mean()),
        "jaccard": float(np.where(empty, 1, both / np.maximum(either, 1)).mean()),
        "exact_match": float((said == true).all(axis=1).mean()),
        "hamming": float((said != true).mean()),
    }


def ranking_scores(logits: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """Compute the area under the ROC curve, and the average precision, of each label.

    Both judge the order of the scores, before any cut. On 0/1 decisions in place of scores the area
    is the balanced accuracy, which is another thing.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_labels)
    labels : array_like of int or bool, shape (n, n_labels)
        0 or 1.

    Returns
    -------
    auroc, average_precision : ndarray of float64, shape (n_labels,)
        NaN for a label that no row has, or every row; guessing gives 0.5, and the base rate. Some
        libraries count such a label as 0: compare means over the labels that occur.

    Raises
    ------
    ValueError
        If the shapes differ, or the input makes no sense.

    Examples
    --------
    >>> auroc, precision = ranking_scores([[3.0], [2.0], [-1.0], [-2.0]], [[1], [0], [1], [0]])
    >>> auroc.round(3), precision.round(3)
    (array([0.75]), array([0.833]))
    """
    scores = check_label_logits(logits)
    true = check_label_matrix(labels, scores.shape)
    found = np.full((2, scores.shape[1]), np.nan)
    for k in range(scores.shape[1]):
        if 0 < np.count_nonzero(true[:, k]) < len(true):
            curve = cut_curve(scores[:, k], true[:, k])
            found[0, k] = np.trapezoid(curve.recall[::-1], curve.false_positive_rate[::-1])
            found[1, k] = -np.sum(np.diff(curve.recall) * curve.precision[:-1])
    return found[0], found[1]


# Answering only what is sure


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """What happens at every cut of a confidence: how much is answered, and how much of it wrongly.

    Attributes
    ----------
    cuts : ndarray, shape (m,)
        The distinct confidences, falling; ``>=`` is answered.
    coverage : ndarray, shape (m,)
        Share of the messages that is answered; rises to 1.
    risk : ndarray, shape (m,)
        Share of the answered that is wrong.
    aurc : float
        Area under the curve: the mean of the risks of the 1, 2, ..., n surest messages.
    """

    cuts: Floats
    coverage: Floats
    risk: Floats
    aurc: float


def risk_coverage(confidence: ArrayLike, wrong: ArrayLike) -> RiskCoverage:
    """Compute risk and coverage at every cut, exactly, in O(n log n).

    Parameters
    ----------
    confidence : array_like of float, shape (n,)
        Higher is surer.
    wrong : array_like of int or bool, shape (n,)
        1 where the answer would be wrong.

    Returns
    -------
    RiskCoverage

    Raises
    ------
    ValueError
        If there are no rows, a confidence is not finite, or the lengths differ.

    Notes
    -----
    Rows of equal confidence come in no order of their own: each counts with their mean, which is
    the mean of the area over all their orders.

    References
    ----------
    Geifman, El-Yaniv (2017), Selective classification for deep neural networks, NeurIPS.

    Examples
    --------
    >>> curve = risk_coverage([0.9, 0.8, 0.3], [0, 1, 1])
    >>> curve.coverage.round(2), curve.risk.round(2), round(curve.aurc, 4)
    (array([0.33, 0.67, 1.  ]), array([0.  , 0.5 , 0.67]), 0.3889)
    """
    sure = check_finite("confidence", confidence)
    errors = check_binary_labels(wrong, len(sure))
    cuts, block, size = np.unique(-sure, return_inverse=True, return_counts=True)
    in_block = np.bincount(block, weights=errors)
    answered, total = np.cumsum(size), np.cumsum(in_block)
    prefix = np.cumsum(np.repeat(in_block / size, size)) / np.arange(1, len(sure) + 1)
    return RiskCoverage(
        cuts=-cuts,
        coverage=answered / len(sure),
        risk=total / answered,
        aurc=float(prefix.mean()),
    )


@dataclass(frozen=True)
class Separation:
    """How well a confidence tells known texts from others.

    Attributes
    ----------
    auroc : float
        Chance that a known text has the higher confidence of the two; a tie counts half.
    fpr95 : float
        Share of the others that is answered at the highest cut that answers 95 % of the known.
    """

    auroc: float
    fpr95: float


def separation(known: ArrayLike, other: ArrayLike) -> Separation:
    """Compare the confidences of known texts with those of texts that belong to no label.

    Parameters
    ----------
    known : array_like of float, shape (n,)
    other : array_like of float, shape (m,)

    Returns
    -------
    Separation

    Raises
    ------
    ValueError
        If one of the two is empty or holds values that are not finite.

    Examples
    --------
    >>> separation([0.9, 0.8, 0.3], [0.5, 0.1])
    Separation(auroc=0.8333333333333334, fpr95=0.5)
    """
    inside = np.sort(check_finite("known", known))
    outside = check_finite("other", other)
    kept = -(-95 * len(inside) // 100)  # rounded up
    return Separation(
        auroc=auroc(inside, outside),
        fpr95=float((outside >= inside[len(inside) - kept]).mean()),
    )


__getattr__ = forward(__name__)
