"""Put rules side by side on data that chose none of them, with intervals."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.evaluation import counts, f1_scores, label_scores, ranking_scores, share
from helpers.intervals import paired_bootstrap
from helpers.portable.checks import (
    check_binary_labels,
    check_class_logits,
    check_label_logits,
    check_label_matrix,
    check_labels_or_other,
)
from helpers.portable.costs import Costs, RejectCosts, check_costs
from helpers.portable.decisions import BinaryThreshold, LabelThresholds, RejectOption
from helpers.portable.probabilities import binary_logit
from helpers.portable.rule import fingerprint, label_fingerprint

OPTIMISTIC = "chosen on this data: optimistic"


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
    base = costs.of(labels, rules[reference].decide(logits))
    table = []
    for name, rule in rules.items():
        predicted = rule.decide(logits)
        paid = costs.of(labels, predicted)
        found = counts(labels, predicted)
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
    base = costs.of(true, rules[reference].decide(z), n_classes=n_classes)
    unknown = true == n_classes
    table = []
    for name, rule in rules.items():
        predicted = rule.decide(z)
        answered = predicted < n_classes
        paid = costs.of(true, predicted, n_classes=n_classes)
        resample = np.random.default_rng(seed)
        difference, low, high = paired_bootstrap(paid, base, rng=resample)
        table.append(
            {
                "rule": name,
                "measure": rule.measure,
                "threshold": rule.threshold,
                "coverage": float(answered.mean()),
                "risk": share(int((answered & (predicted != true)).sum()), int(answered.sum())),
                "unknown_answered": share(int((answered & unknown).sum()), int(unknown.sum())),
                "cost": float(paid.mean()),
                "difference": difference,
                "low": low,
                "high": high,
                "note": OPTIMISTIC if name in chosen_here else "",
            }
        )
    return table


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
        row = {"rule": name, **label_scores(true, rule.decide(scores) if own else rule)}
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
    each = [counts(true[:, k], said[:, k]) for k in range(true.shape[1])]
    auroc, average_precision = ranking_scores(scores, true)
    columns: dict[str, Sequence[Any]] = {
        "label": rule.label_names,
        "support": true.sum(axis=0),
        "threshold": rule.thresholds,
        "precision": [one.precision for one in each],
        "recall": [one.recall for one in each],
        "f1": f1_scores(true, said),
        "f1_always": f1_scores(true, np.ones_like(said)),
        "auroc": auroc,
        "average_precision": average_precision,
        "base_rate": true.mean(axis=0),
    }
    if validation is not None:
        seen_scores = check_label_logits(validation[0])
        seen_labels = check_label_matrix(validation[1], seen_scores.shape)
        columns["f1_validation"] = f1_scores(seen_labels, rule.decide(seen_scores))
        columns["support_validation"] = seen_labels.sum(axis=0)
    plain = {name: np.asarray(values).tolist() for name, values in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
