"""Measure decisions: counts and costs, curves, calibration, intervals.

Lesson 01 explains the cost curve, the reliability diagram and the paired bootstrap, lesson 02 the
risk-coverage curve and the figures for known against unknown texts, lesson 03 the figures for many
labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    RejectCosts,
    RejectOption,
    check_costs,
    check_label_logits,
    check_label_matrix,
    check_labels_or_other,
    fingerprint,
    label_fingerprint,
)
from helpers.probabilities import (
    Floats,
    binary_logit,
    check_binary_labels,
    check_class_logits,
    sigmoid,
)

OPTIMISTIC = "chosen on this data: optimistic"


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
        return _share(self.true_positive, self.true_positive + self.false_negative)

    @property
    def precision(self) -> float:
        """Share of the predicted 1s that are true; NaN where there are none."""
        return _share(self.true_positive, self.true_positive + self.false_positive)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def counts(predicted: ArrayLike, labels: ArrayLike) -> Counts:
    """Count the four outcomes.

    Parameters
    ----------
    predicted, labels : array_like of int, shape (n,)
        Decisions and true labels, 0 or 1.

    Returns
    -------
    Counts

    Raises
    ------
    ValueError
        If a value is not 0 or 1, or the lengths differ.

    Examples
    --------
    >>> counts([1, 1, 0, 0], [1, 0, 1, 0])
    Counts(true_positive=1, false_positive=1, false_negative=1, true_negative=1)
    """
    true = check_binary_labels(labels, np.size(labels))
    said = check_binary_labels(predicted, len(true))
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
        """
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
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 1 or len(p) == 0:
        raise ValueError(f"probabilities must have shape (n,) with n of at least 1, got {p.shape}")
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("probabilities must lie in [0, 1]: pass them after sigmoid or softmax")
    true = check_binary_labels(labels, len(p))
    if not isinstance(n_bins, int) or n_bins < 1:
        raise ValueError(f"n_bins must be a whole number of at least 1, got {n_bins!r}")
    if strategy == "width":
        edges = np.arange(1, n_bins) / n_bins
        which = np.searchsorted(edges, p, side="right")
    elif strategy == "mass":
        edges = np.quantile(p, np.arange(1, n_bins) / n_bins)
        which = np.searchsorted(edges, p, side="right")
    else:
        raise ValueError(f'strategy must be "width" or "mass", got {strategy!r}')
    count = np.bincount(which, minlength=n_bins)
    filled = count > 0
    return Reliability(
        predicted=np.bincount(which, weights=p, minlength=n_bins)[filled] / count[filled],
        observed=np.bincount(which, weights=true, minlength=n_bins)[filled] / count[filled],
        count=count[filled],
    )


# Intervals


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Compare two rules on the same messages: interval of the difference of their mean costs.

    Parameters
    ----------
    first, second : array_like of float, shape (n,)
        A cost (or any other value) for each message under the first and the second rule.
    rng : numpy.random.Generator
    n_resamples : int, default 2000
    confidence : float in (0, 1), default 0.95

    Returns
    -------
    difference, low, high : float
        Mean of ``first - second``, and the percentile interval of it over resampled messages.

    Raises
    ------
    ValueError
        If the shapes differ, there are no messages, or the confidence lies outside (0, 1).

    References
    ----------
    Efron, Tibshirani (1993), An introduction to the bootstrap, chapter 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> paired_bootstrap([1.0, 1.0], [0.5, 0.5], rng=rng)
    (0.5, 0.5, 0.5)
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) == 0:
        raise ValueError(f"both need the same shape (n,), n at least 1, got {a.shape}, {b.shape}")
    return bootstrap_interval(
        a - b, np.mean, rng=rng, n_resamples=n_resamples, confidence=confidence
    )


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[NDArray], float],
    *,
    rng: np.random.Generator,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Say how far a figure moves when the messages are drawn again.

    Parameters
    ----------
    values : array_like, shape (n, ...)
        One row a message.
    statistic : callable
        Takes rows like `values`, gives a number.
    rng : numpy.random.Generator
    n_resamples : int, default 2000
    confidence : float in (0, 1), default 0.95

    Returns
    -------
    value, low, high : float
        The figure itself and its percentile interval.

    Raises
    ------
    ValueError
        If there are no rows, the confidence lies outside (0, 1), or the statistic is NaN in a
        resample.

    Examples
    --------
    >>> bootstrap_interval([3.0, 3.0, 3.0], np.mean, rng=np.random.default_rng(0))
    (3.0, 3.0, 3.0)
    """
    rows = np.atleast_1d(np.asarray(values))
    if len(rows) == 0:
        raise ValueError("an interval needs at least one row, got none")
    if not isinstance(n_resamples, int) or n_resamples < 1:
        raise ValueError(f"n_resamples must be a whole number of at least 1, got {n_resamples!r}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence!r}")
    drawn = [statistic(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(n_resamples)]
    if np.isnan(drawn).any():
        raise ValueError(
            f"the statistic is NaN in {int(np.isnan(drawn).sum())} of {n_resamples} resamples: "
            "the values hold NaN, or too few rows of a kind that the statistic needs"
        )
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(statistic(rows)), float(low), float(high)


# Reports


def report_binary(
    rules: Mapping[str, BinaryThreshold],
    logits: ArrayLike,
    labels: ArrayLike,
    costs: Costs,
    *,
    rng: np.random.Generator,
    reference: str | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules side by side on data that chose none of them.

    Parameters
    ----------
    rules : mapping of str to BinaryThreshold
    logits : array_like of float, shape (n,), (n, 1) or (n, 2)
    labels : array_like of int, shape (n,)
    costs : Costs
    rng : numpy.random.Generator
        For the intervals.
    reference : str, optional
        Name of the rule that the others are compared with; by default the first.
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, ``threshold``, ``recall``, ``precision``, ``missed``,
        ``false_alarms``, ``cost`` (a message), ``difference`` to the reference with its paired
        bootstrap interval ``low``, ``high`` (95 %), ``note``.

    Raises
    ------
    ValueError
        If these rows chose one of the rules and `seen` is False, the reference is not a rule, or
        logits, labels and costs are not what they should be. A temperature that was fitted on these
        rows goes unnoticed: a rule keeps the data that chose its cut, no more.

    Examples
    --------
    >>> z, y = [-2.0, -1.0, 1.0, 2.0], [0, 1, 0, 1]
    >>> prices = Costs(false_positive=1, false_negative=5)
    >>> rules = {"0.5": BinaryThreshold.from_threshold(0.5)}
    >>> report_binary(rules, z, y, prices, rng=np.random.default_rng(0))[0]["cost"]
    1.5
    """
    names = list(rules)
    reference = names[0] if reference is None and names else reference
    if reference not in rules:
        raise ValueError(f"the reference must be one of {names}, got {reference!r}")
    costs = check_costs(costs)
    logits = binary_logit(logits)
    labels = check_binary_labels(labels, len(logits)).astype(int)
    here = fingerprint(logits, labels)
    seed = int(rng.integers(2**32))  # the same resamples for every rule
    chosen_here = [name for name in names if rules[name].chosen.get("fingerprint") == here]
    if chosen_here and not seen:
        raise ValueError(
            f"these rows chose the rule {chosen_here[0]!r}: its figures on them would be too good. "
            "Report on other data, or pass seen=True to have the figures stamped"
        )
    base = costs.of(rules[reference].decide(logits), labels)
    table = []
    for name, rule in rules.items():
        predicted = rule.decide(logits)
        paid = costs.of(predicted, labels)
        found = counts(predicted, labels)
        resample = np.random.default_rng(seed)
        difference, low, high = paired_bootstrap(paid, base, rng=resample)
        table.append(
            {
                "rule": name,
                "threshold": rule.threshold,
                "recall": found.recall,
                "precision": found.precision,
                "missed": found.false_negative,
                "false_alarms": found.false_positive,
                "cost": float(paid.mean()),
                "difference": difference,
                "low": low,
                "high": high,
                "note": OPTIMISTIC if name in chosen_here else "",
            }
        )
    return table


# Many labels


def f1_scores(predicted: ArrayLike, labels: ArrayLike) -> Floats:
    """Compute F1 = 2 TP / (2 TP + FP + FN) of each label.

    Parameters
    ----------
    predicted, labels : array_like of int or bool, shape (n, n_labels)
        0 or 1.

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
    >>> f1_scores([[1, 0], [1, 1]], [[1, 0], [0, 0]]).round(3)
    array([0.667,   nan])
    """
    said, true = _both(predicted, labels)
    hits, n_true = (said & true).sum(axis=0), true.sum(axis=0)
    return np.where(n_true > 0, 2 * hits / np.maximum(said.sum(axis=0) + n_true, 1), np.nan)


def label_scores(predicted: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """Sum up decisions on many labels.

    Parameters
    ----------
    predicted, labels : array_like of int or bool, shape (n, n_labels)
        0 or 1.

    Returns
    -------
    dict of str to float
        ``micro_f1``: all decisions counted together. ``macro_f1``: mean of `f1_scores` over the
        labels that occur. ``samples_f1`` and ``jaccard``: mean over rows of F1, and of the share of
        labels in both sets among those in either; a row that has no label and is given none counts
        1. ``exact_match``: share of rows whose whole set is right. ``hamming``: share of single
        answers that are wrong. NaN where no label occurs.

    Raises
    ------
    ValueError
        If there are no rows, the shapes differ, or a value is neither 0 nor 1.

    Examples
    --------
    >>> found = label_scores([[1, 0], [1, 1]], [[1, 0], [0, 1]])
    >>> found["micro_f1"], found["exact_match"], found["hamming"]
    (0.8, 0.5, 0.25)
    """
    said, true = _both(predicted, labels)
    if not said.size:
        raise ValueError(f"expected at least one row and one label, got shape {said.shape}")
    each = f1_scores(said, true)
    both, either = (said & true).sum(axis=1), (said | true).sum(axis=1)
    empty = either == 0
    whole = said.sum() + true.sum()
    return {
        "micro_f1": _share(2 * float((said & true).sum()), float(whole) if true.any() else 0.0),
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
        NaN for a label that no row has, or every row; guessing gives 0.5, and the base rate.

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


def report_labels(
    rules: Mapping[str, LabelThresholds | ArrayLike],
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules for many labels side by side on data that chose none of them (lesson 03).

    Parameters
    ----------
    rules : mapping of str to LabelThresholds, or to decisions
        Decisions are 0/1 of shape (n, n_labels): baselines and other systems.
    logits : array_like of float, shape (n, n_labels)
    labels : array_like of int or bool, shape (n, n_labels)
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, the figures of `label_scores`, ``note``.

    Raises
    ------
    ValueError
        If these rows chose one of the rules and `seen` is False, or the input makes no sense.

    Warns
    -----
    UserWarning
        With the labels that no row has: they are left out of the macro average.

    Examples
    --------
    >>> z, y = [[2.0, -1.0], [-1.0, 1.0]], [[1, 0], [0, 1]]
    >>> half = LabelThresholds.from_thresholds(0.5, label_names=("home", "water"))
    >>> report_labels({"0.5": half, "all": [[1, 1], [1, 1]]}, z, y)[1]["exact_match"]
    0.0
    """
    scores, true, here = _check_report(rules.values(), logits, labels, seen)
    table = []
    for name, rule in rules.items():
        own = isinstance(rule, LabelThresholds)
        row = {"rule": name, **label_scores(rule.decide(scores) if own else rule, true)}
        chosen_here = own and rule.chosen.get("fingerprint") == here
        table.append({**row, "note": OPTIMISTIC if chosen_here else ""})
    return table


def report_each_label(
    rule: LabelThresholds,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Report each label by itself on data that did not choose the rule (lesson 03).

    Parameters
    ----------
    rule : LabelThresholds
    logits : array_like of float, shape (n, n_labels)
    labels : array_like of int or bool, shape (n, n_labels)
    validation : tuple of logits and labels, optional
        The data that chose the rule: their F1 goes beside, to show how optimistic it was.
    seen : bool, default False
        Report even where `logits` and `labels` chose the rule.

    Returns
    -------
    list of dict
        One a label: ``label``, ``support`` (rows that have it), ``threshold``, ``precision``,
        ``recall``, ``f1``, ``f1_always`` (of giving the label to every row, the baseline for F1),
        ``auroc`` (baseline 0.5), ``average_precision`` (baseline: the ``base_rate``),
        ``base_rate``; with `validation` also ``f1_validation`` and ``support_validation``.

    Raises
    ------
    ValueError
        If these rows chose the rule and `seen` is False, or the input makes no sense.

    Warns
    -----
    UserWarning
        With the labels that no row has: their figures are NaN.

    Examples
    --------
    >>> rule = LabelThresholds.from_thresholds(0.5, label_names=("home", "water"))
    >>> row = report_each_label(rule, [[2.0, -1.0], [-1.0, 1.0]], [[1, 0], [0, 1]])[0]
    >>> row["label"], row["f1"], round(row["f1_always"], 3)
    ('home', 1.0, 0.667)
    """
    scores, true, _ = _check_report([rule], logits, labels, seen)
    said = rule.decide(scores)
    each = [counts(said[:, k], true[:, k]) for k in range(true.shape[1])]
    auroc, average_precision = ranking_scores(scores, true)
    columns: dict[str, Sequence[Any]] = {
        "label": rule.label_names,
        "support": true.sum(axis=0),
        "threshold": rule.thresholds,
        "precision": [one.precision for one in each],
        "recall": [one.recall for one in each],
        "f1": f1_scores(said, true),
        "f1_always": f1_scores(np.ones_like(said), true),
        "auroc": auroc,
        "average_precision": average_precision,
        "base_rate": true.mean(axis=0),
    }
    if validation is not None:
        seen_scores = check_label_logits(validation[0])
        seen_labels = check_label_matrix(validation[1], seen_scores.shape)
        columns["f1_validation"] = f1_scores(rule.decide(seen_scores), seen_labels)
        columns["support_validation"] = seen_labels.sum(axis=0)
    plain = {name: np.asarray(values).tolist() for name, values in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def paired_bootstrap_f1(
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    *,
    rng: np.random.Generator,
    average: Literal["micro", "macro"] = "micro",
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Compare two sets of decisions on the same messages: interval of the difference of their F1.

    Parameters
    ----------
    first, second, labels : array_like of int or bool, shape (n, n_labels)
        Decisions of both, and the truth, 0 or 1.
    rng : numpy.random.Generator
    average : "micro" or "macro"
        Macro: over the labels that occur in `labels`; one that a resample lacks counts 0 there.
    n_resamples : int, default 2000
    confidence : float in (0, 1), default 0.95

    Returns
    -------
    difference, low, high : float
        F1 of the first minus that of the second, and its percentile interval.

    Raises
    ------
    ValueError
        If the shapes differ, no label occurs, or `average` is neither.

    Examples
    --------
    >>> y = [[1, 0], [0, 1]]
    >>> paired_bootstrap_f1(y, y, y, rng=np.random.default_rng(0))
    (0.0, 0.0, 0.0)
    """
    if average not in ("micro", "macro"):
        raise ValueError(f'average must be "micro" or "macro", got {average!r}')
    one, true = _both(first, labels)
    other, _ = _both(second, labels)
    kept = true.any(axis=0)
    if not kept.any():
        raise ValueError("a comparison needs at least one label that occurs, got none")
    kept = kept if average == "macro" else np.full_like(kept, True)
    # hits, and predicted plus true, of both sides: F1 is 2 hits / the second
    rows = np.stack([part[:, kept] for side in (one, other) for part in (side & true, side)], 1)
    rows = np.concatenate([rows, true[:, None, kept]], axis=1).astype(np.int64)
    if average == "micro":
        rows = rows.sum(axis=2, keepdims=True)

    def difference(drawn: NDArray) -> float:
        hits_one, said_one, hits_other, said_other, n_true = drawn.sum(axis=0)
        f_one = 2 * hits_one / np.maximum(said_one + n_true, 1)
        f_other = 2 * hits_other / np.maximum(said_other + n_true, 1)
        return float((f_one - f_other).mean())

    return bootstrap_interval(
        rows, difference, rng=rng, n_resamples=n_resamples, confidence=confidence
    )


def _both(predicted: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Check decisions against labels, both of shape (n, n_labels)."""
    shape = np.shape(labels)
    if len(shape) != 2:
        raise ValueError(f"labels must have shape (n, n_labels), got {shape}")
    if np.shape(predicted) != shape:
        raise ValueError(
            f"decisions must have the labels' shape {shape}, got {np.shape(predicted)}"
        )
    return check_label_matrix(predicted, shape), check_label_matrix(labels, shape)


def _check_report(
    rules: Iterable[Any], logits: ArrayLike, labels: ArrayLike, seen: bool
) -> tuple[NDArray[np.floating], NDArray[np.bool_], str]:
    """Refuse data that chose a rule; warn of labels that no row has."""
    scores = check_label_logits(logits)
    true = check_label_matrix(labels, scores.shape)
    here = label_fingerprint(scores, true)
    known = [rule for rule in rules if isinstance(rule, LabelThresholds)]
    if not seen and any(rule.chosen.get("fingerprint") == here for rule in known):
        raise ValueError(
            "these rows chose a rule: its figures on them would be too good. Report on other data, "
            "or pass seen=True"
        )
    absent = np.flatnonzero(~true.any(axis=0))
    if len(absent):
        names = known[0].label_names if known else tuple(map(str, range(true.shape[1])))
        warnings.warn(
            f"no row has {', '.join(names[k] for k in absent)}: no figures for it, and it is left "
            "out of averages over labels",
            stacklevel=3,
        )
    return scores, true, here


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
    sure = _check_scores("confidence", confidence)
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
    inside = np.sort(_check_scores("known", known))
    outside = _check_scores("other", other)
    below = np.searchsorted(inside, outside, side="left")
    ties = np.searchsorted(inside, outside, side="right") - below
    above = len(inside) - below - ties
    kept = -(-95 * len(inside) // 100)  # rounded up
    return Separation(
        auroc=float((above + ties / 2).mean() / len(inside)),
        fpr95=float((outside >= inside[len(inside) - kept]).mean()),
    )


def auroc_interval(
    known: ArrayLike,
    other: ArrayLike,
    *,
    rng: np.random.Generator,
    baseline: tuple[ArrayLike, ArrayLike] | None = None,
    n_resamples: int = 500,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Say how far the AUROC of known against other texts moves when the texts are drawn again.

    Parameters
    ----------
    known : array_like of float, shape (n,)
    other : array_like of float, shape (m,)
    rng : numpy.random.Generator
    baseline : pair of array_like of float, shapes (n,) and (m,), optional
        A second confidence of the same texts: then the figure is the difference to its AUROC, and
        both are drawn together.
    n_resamples : int, default 500
    confidence : float in (0, 1), default 0.95

    Returns
    -------
    value, low, high : float
        The figure itself and its percentile interval; known and other texts are drawn apart.

    Raises
    ------
    ValueError
        If `separation` refuses the confidences, or the baseline's shapes differ.

    Examples
    --------
    >>> auroc_interval([2.0, 3.0], [0.0, 1.0], rng=np.random.default_rng(0))
    (1.0, 1.0, 1.0)
    """
    scores = [(_check_scores("known", known), _check_scores("other", other))]
    if baseline is not None:
        scores.append(tuple(_check_scores("baseline", part) for part in baseline))
    n, m = map(len, scores[0])
    if any((len(inside), len(outside)) != (n, m) for inside, outside in scores):
        raise ValueError(f"the baseline must hold {n} known and {m} other texts, as the score does")

    def figure(i: NDArray, j: NDArray) -> float:
        found = [separation(inside[i], outside[j]).auroc for inside, outside in scores]
        return found[0] - found[1] if len(found) == 2 else found[0]

    drawn = [figure(rng.integers(0, n, n), rng.integers(0, m, m)) for _ in range(n_resamples)]
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return figure(np.arange(n), np.arange(m)), float(low), float(high)


def _check_scores(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0 or not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite numbers of shape (n,), n at least 1, got shape {array.shape}"
            + (" with NaN or infinity" if array.size and array.ndim == 1 else "")
        )
    return array


def report_reject(
    rules: Mapping[str, RejectOption],
    logits: ArrayLike,
    labels: ArrayLike,
    costs: RejectCosts,
    *,
    rng: np.random.Generator,
    reference: str | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules with Other side by side on data that chose none of them.

    Parameters
    ----------
    rules : mapping of str to RejectOption
    logits : array_like of float, shape (n, n_classes)
    labels : array_like of int, shape (n,)
        Class indices; ``n_classes`` for a message that belongs to no class.
    costs : RejectCosts
    rng : numpy.random.Generator
        For the intervals.
    reference : str, optional
        Name of the rule that the others are compared with; by default the first.
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, ``score``, ``threshold``, ``coverage``, ``risk`` (share of the
        answered that is wrong; NaN if none is answered), ``unknown_answered`` (share of the
        unknown that is answered; NaN if there are none), ``cost`` (a message), ``difference`` to
        the reference with its paired bootstrap interval ``low``, ``high`` (95 %), ``note``.

    Raises
    ------
    ValueError
        If these rows chose one of the rules and `seen` is False, the reference is not a rule, or
        logits and labels are not what they should be. A temperature that was fitted on these rows
        goes unnoticed.

    Examples
    --------
    >>> z, y = [[2.0, 0.0], [0.1, 0.0]], [0, 1]
    >>> rules = {"0.6": RejectOption.from_threshold(0.6, label_names=("a", "b"))}
    >>> report_reject(rules, z, y, RejectCosts(reject=0.4), rng=np.random.default_rng(0))[0]["cost"]
    0.2
    """
    names = list(rules)
    reference = names[0] if reference is None and names else reference
    if reference not in rules:
        raise ValueError(f"the reference must be one of {names}, got {reference!r}")
    z = check_class_logits(logits)
    n_classes = z.shape[1]
    true = check_labels_or_other(labels, len(z), n_classes)
    here = fingerprint(z, true)
    seed = int(rng.integers(2**32))  # the same resamples for every rule
    chosen_here = [name for name in names if rules[name].chosen.get("fingerprint") == here]
    if chosen_here and not seen:
        raise ValueError(
            f"these rows chose the rule {chosen_here[0]!r}: its figures on them would be too good. "
            "Report on other data, or pass seen=True to have the figures stamped"
        )
    base = costs.of(rules[reference].decide(z), true, n_classes=n_classes)
    unknown = true == n_classes
    table = []
    for name, rule in rules.items():
        predicted = rule.decide(z)
        answered = predicted < n_classes
        paid = costs.of(predicted, true, n_classes=n_classes)
        resample = np.random.default_rng(seed)
        difference, low, high = paired_bootstrap(paid, base, rng=resample)
        table.append(
            {
                "rule": name,
                "score": rule.score,
                "threshold": rule.threshold,
                "coverage": float(answered.mean()),
                "risk": _share(int((answered & (predicted != true)).sum()), int(answered.sum())),
                "unknown_answered": _share(int((answered & unknown).sum()), int(unknown.sum())),
                "cost": float(paid.mean()),
                "difference": difference,
                "low": low,
                "high": high,
                "note": OPTIMISTIC if name in chosen_here else "",
            }
        )
    return table
