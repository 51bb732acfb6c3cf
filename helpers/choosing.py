"""Choose a rule for a task, and report it beside the plain one: what `train` does in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.data import Kind
from helpers.portable.costs import Costs, RejectCosts, check_costs, check_reject_costs
from helpers.portable.decisions import BinaryThreshold, LabelThresholds, RejectOption, Rule
from helpers.portable.probabilities import fit_temperature
from helpers.portable.rule import ALWAYS
from helpers.reports import report_binary, report_labels, report_reject

RULES: dict[Kind, type[Rule]] = {
    "binary": BinaryThreshold,
    "multiclass": RejectOption,
    "multilabel": LabelThresholds,
}


def choose_rule(
    kind: Kind,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    label_names: tuple[str, ...],
    criterion: Mapping[str, Any],
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

    Returns
    -------
    BinaryThreshold, RejectOption or LabelThresholds

    Raises
    ------
    ValueError
        If there is no such kind, or ``choose`` refuses the input.

    Notes
    -----
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
    if kind != "multilabel" and "confidence_level" not in criterion:
        options["temperature"] = fit_temperature(logits, labels)
    return RULES[kind].choose(logits, labels, **options)


def report_rule(
    rule: Rule,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    costs: Costs | RejectCosts | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Report a rule beside the plain one: 0.5, or answering every message.

    Parameters
    ----------
    rule : BinaryThreshold, RejectOption or LabelThresholds
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
    labels : array_like of int, shape (n,) or (n, n_labels)
    costs : Costs or RejectCosts, optional
        By default each mistake costs 1, and so does a reject. Many labels are not priced.
    seen : bool, default False
        Whether these rows chose the rule: then the figures are stamped.

    Returns
    -------
    list of dict
        As `report_binary`, `report_reject` or `report_labels` gives it.

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
    if isinstance(rule, RejectOption):
        every = RejectOption(cut=ALWAYS, label_names=rule.label_names)
        reject_costs = check_reject_costs(costs or RejectCosts(reject=1))
        rejects = {"answer everything": every, "this rule": rule}
        return report_reject(rejects, logits, labels, reject_costs, **options)
    half = LabelThresholds.from_thresholds(0.5, label_names=rule.label_names)
    return report_labels({"threshold 0.5": half, "this rule": rule}, logits, labels, seen=seen)
