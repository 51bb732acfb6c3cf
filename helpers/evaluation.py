"""Measure decisions: counts and costs, curves, calibration, intervals.

Lesson 01 explains the cost curve, the reliability diagram and the paired bootstrap, lesson 02 the
risk-coverage curve and the figures for known against unknown texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.decisions import (
    BinaryThreshold,
    Costs,
    RejectCosts,
    RejectOption,
    check_costs,
    check_labels_or_other,
    fingerprint,
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
