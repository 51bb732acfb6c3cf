"""Choose a rule for a task, and report it beside the plain one: what `train` does in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.data import Kind
from helpers.portable.arrays import check_class_logits, check_labels_or_other
from helpers.portable.checks import check_floor, check_open_unit, check_share
from helpers.portable.costs import (
    Costs,
    RejectCosts,
    check_costs,
    check_price,
    check_reject_costs,
)
from helpers.portable.decisions import (
    BinaryThreshold,
    LabelThresholds,
    RejectOption,
    ReviewBand,
    Rule,
)
from helpers.portable.probabilities import fit_temperature
from helpers.portable.rule import ALWAYS
from helpers.reports import report_binary, report_labels, report_reject, report_review

WAYS: dict[Kind, tuple[str, ...]] = {
    "binary": ("costs", "review", "max_review", "min_recall", "min_precision", "f_beta"),
    "multiclass": ("costs", "coverage", "max_risk"),
    "multilabel": ("micro_f1", "macro_f1", "costs"),
}
RULES: dict[Kind, type[Rule]] = {
    "binary": BinaryThreshold,
    "multiclass": RejectOption,
    "multilabel": LabelThresholds,
}


BAND = {"review", "max_review", "max_false_omission", "max_false_discovery"}
# said before any training: what `choose` would refuse after it
CHECKS: dict[str, Callable[[str, Any], float]] = {
    "review": check_price,
    "max_review": check_share,
    "min_recall": check_floor,
    "min_precision": check_floor,
    "coverage": check_floor,
    "max_risk": check_open_unit,
    "confidence_level": check_open_unit,
}


def criterion_of(
    kind: Kind,
    *,
    false_positive: float | None = None,
    false_negative: float | None = None,
    review: float | None = None,
    max_review: float | None = None,
    min_recall: float | None = None,
    min_precision: float | None = None,
    f_beta: float | None = None,
    reject: float | None = None,
    error: float | None = None,
    label_costs: Sequence[Costs] | None = None,
    coverage: float | None = None,
    max_risk: float | None = None,
    micro_f1: bool = False,
    macro_f1: bool = False,
    confidence_level: float | None = None,
) -> dict[str, Any]:
    """Make of what a person says the options that `choose_rule` takes.

    Parameters
    ----------
    kind : "binary", "multiclass" or "multilabel"
    false_positive, false_negative : float, optional
        Costs of the two mistakes, for yes/no and for each of many labels.
    review, max_review : float, optional
        For yes/no with two costs: what a person's reading costs, or the share that people can read.
    min_recall, min_precision, f_beta : float, optional
        For yes/no.
    reject, error : float, optional
        Costs of Other and of a wrong label (1 by default), for one of many.
    label_costs : sequence of Costs, length n_labels, optional
        For many labels: those of each.
    coverage, max_risk : float, optional
        For one of many.
    micro_f1, macro_f1 : bool
        For many labels.
    confidence_level : float in (0, 1), optional
        Of a promise: with min_recall, min_precision or max_risk.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If not exactly one way is given, it is not for this kind, or a cost lacks its partner.

    Examples
    --------
    >>> criterion_of("binary", false_positive=1, false_negative=20)["costs"].threshold
    0.047619047619047616
    >>> criterion_of("multilabel", macro_f1=True)
    {'macro_f1': True}
    """
    if kind not in RULES:
        raise ValueError(f"kind must be one of {', '.join(RULES)}, got {kind!r}")
    given: dict[str, Any] = {
        "min_recall": min_recall,
        "min_precision": min_precision,
        "f_beta": f_beta,
        "coverage": coverage,
        "max_risk": max_risk,
        "micro_f1": micro_f1 or None,
        "macro_f1": macro_f1 or None,
    }
    two = (false_positive, false_negative)
    if label_costs is not None:
        if kind != "multilabel" or two != (None, None):
            raise ValueError(
                "costs for each label are for many labels, without a pair of costs for all; the "
                f"kind is {kind}"
            )
        given["costs"] = list(label_costs)
    if two != (None, None):
        if None in two:
            raise ValueError("false_positive and false_negative need each other: give both")
        if kind == "multiclass":
            raise ValueError(
                "false_positive and false_negative price yes/no answers; one of many labels takes "
                "reject (and error), coverage or max_risk"
            )
        given["costs"] = Costs(false_positive=two[0], false_negative=two[1])  # type: ignore[arg-type]
    bands = {"review": review, "max_review": max_review}
    band = {name: value for name, value in bands.items() if value is not None}
    if len(band) > 1:
        raise ValueError("give review or max_review, not both")
    if band:
        if kind != "binary" or "costs" not in given:
            raise ValueError(
                "review, or max_review, goes with false_positive and false_negative of a yes/no "
                f"task; the kind is {kind}"
            )
        given |= {"costs": None, **band}
    if reject is not None or error is not None:
        if kind != "multiclass" or reject is None:
            raise ValueError(
                f"reject and error price one of many labels, and need reject; the kind is {kind}"
            )
        given["costs"] = RejectCosts(reject=reject, error=1.0 if error is None else error)
    found = {name: value for name, value in given.items() if value is not None}
    ways = ", ".join(WAYS[kind])
    if len(found) != 1:
        what = f"got {', '.join(found)}" if found else "got none"
        raise ValueError(f"a {kind} rule is chosen by exactly one of {ways}; {what}")
    (way,) = found
    if band:
        found["costs"] = Costs(false_positive=two[0], false_negative=two[1])  # type: ignore[arg-type]
    if way not in WAYS[kind]:
        raise ValueError(f"a {kind} rule is chosen by one of {ways}, got {way}")
    if confidence_level is not None:
        if way not in ("min_recall", "min_precision", "max_risk"):
            raise ValueError(f"a confidence level belongs to a promise, and {way} is none")
        found["confidence_level"] = confidence_level
    for name, value in found.items():
        if name in CHECKS:
            CHECKS[name](name, value)
    return found


def choose_rule(
    kind: Kind,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    label_names: tuple[str, ...],
    criterion: Mapping[str, Any],
    temperature: bool = True,
) -> Rule:
    """Fit a temperature where one helps, and choose the rule of a task on its validation part.

    Parameters
    ----------
    kind : "binary", "multiclass" or "multilabel"
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
        Of the validation part.
    labels : array_like of int, shape (n,) or (n, n_labels)
    label_names : tuple of str
    criterion : mapping of str to value
        Options of the rule's ``choose``, as ``{"costs": Costs(...)}`` or ``{"macro_f1": True}``.
    temperature : bool, default True
        Whether one may be fitted.

    Returns
    -------
    BinaryThreshold, ReviewBand, RejectOption or LabelThresholds

    Raises
    ------
    ValueError
        If there is no such kind, or ``choose`` refuses the input.

    Notes
    -----
    Where "Other" is itself one of the labels, it stands for "none of these", and what is not
    answered is called "No answer".

    Many labels get no temperature: a cut for each label does its work. A promise (with
    ``confidence_level``) gets none either: it would not hold on the rows that fitted it.

    Examples
    --------
    >>> z, y = [-3.0, -1.0, 0.0, 2.0], [0, 1, 0, 1]
    >>> prices = {"costs": Costs(false_positive=1, false_negative=20)}
    >>> rule = choose_rule("binary", z, y, label_names=("wait", "urgent"), criterion=prices)
    >>> rule.decide(z)
    array([0, 1, 1, 1])
    """
    if kind not in RULES:
        raise ValueError(f"kind must be one of {', '.join(RULES)}, got {kind!r}")
    options = {**criterion, "label_names": label_names}
    has_band = BAND & set(criterion)
    if has_band and "review" in label_names:
        options.setdefault("review_name", "a person reads")
    if kind == "multiclass" and "Other" in label_names:
        options = {"other": "No answer", "none_of_these": "Other", **options}
    if temperature and kind != "multilabel" and "confidence_level" not in criterion:
        options["temperature"] = _temperature(kind, logits, labels)
    return (ReviewBand if has_band else RULES[kind]).choose(logits, labels, **options)


def _temperature(kind: Kind, logits: ArrayLike, labels: ArrayLike) -> float:
    """Fit it on the rows that have a label; a row of Other has none to be sure of."""
    if kind == "multiclass":
        z = check_class_logits(logits)
        y = check_labels_or_other(labels, len(z), z.shape[1])
        known = y < z.shape[1]
        if not known.any():
            raise ValueError("all rows are Other: a rule needs rows with a label")
        return fit_temperature(z[known], y[known])
    return fit_temperature(logits, labels)


def report_rule(
    rule: Rule,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    costs: Costs | RejectCosts | Sequence[Costs] | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Report a rule beside the plain one: 0.5, or answering every message.

    Parameters
    ----------
    rule : BinaryThreshold, ReviewBand, RejectOption or LabelThresholds
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
    labels : array_like of int, shape (n,) or (n, n_labels)
    costs : Costs or RejectCosts, or a Costs for each label, optional
        By default each mistake costs 1, and so does a reject; many labels are not priced.
    seen : bool, default False
        Whether these rows chose the rule: then the figures are stamped.

    Returns
    -------
    list of dict
        As `report_binary`, `report_review`, `report_reject` or `report_labels` gives it.

    Raises
    ------
    ValueError
        If these rows chose the rule and `seen` is False, or the input makes no sense.

    Examples
    --------
    >>> rule = BinaryThreshold.from_threshold(0.2)
    >>> [row["cost"] for row in report_rule(rule, [-2.0, -1.0, 1.0], [0, 1, 1])]
    [0.3333333333333333, 0.0]
    """
    options: dict[str, Any] = {"rng": np.random.default_rng(0), "seen": seen}
    if isinstance(rule, BinaryThreshold):
        yes_no = {"threshold 0.5": BinaryThreshold.from_threshold(0.5), "this rule": rule}
        prices = check_costs(costs or Costs(false_positive=1, false_negative=1))
        return report_binary(yes_no, logits, labels, prices, **options)
    if isinstance(rule, ReviewBand):
        bands = {"threshold 0.5": ReviewBand(low=0.0, high=0.0), "this rule": rule}
        prices = check_costs(costs or Costs(false_positive=1, false_negative=1))
        price = rule.chosen.get("review", 0.0)
        return report_review(bands, logits, labels, prices, review=price, **options)
    if isinstance(rule, RejectOption):
        every = RejectOption(cut=ALWAYS, label_names=rule.label_names)
        reject_costs = check_reject_costs(costs or RejectCosts(reject=1))
        rejects = {"answer everything": every, "this rule": rule}
        return report_reject(rejects, logits, labels, reject_costs, **options)
    half = LabelThresholds.from_thresholds(0.5, label_names=rule.label_names)
    each = {"threshold 0.5": half, "this rule": rule}
    return report_labels(each, logits, labels, costs=costs, seen=seen)  # type: ignore[arg-type]
