"""Put rules side by side on data that chose none of them, with intervals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from helpers.evaluation import counts, f1_scores, label_scores, ranking_scores, share
from helpers.intervals import paired_bootstrap
from helpers.portable.arrays import (
    Floats,
    check_binary_labels,
    check_class_logits,
    check_label_logits,
    check_label_matrix,
    check_labels_or_other,
)
from helpers.portable.checks import check_flag, shown
from helpers.portable.cost_matrix import CostMatrix, check_cost_matrix
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
    MinimumExpectedCost,
    PredictionSets,
    RejectOption,
    ReviewBand,
)
from helpers.portable.probabilities import binary_logit
from helpers.portable.rule import fingerprint, label_fingerprint
from helpers.portable.unknown import price_of_unknown

OPTIMISTIC = "chosen on this data: optimistic"


def _check_rules(rules: Mapping[str, Any], kind: type | tuple[type, ...]) -> Mapping[str, Any]:
    """Return rules by name, all of one kind, or say what came."""
    if not isinstance(rules, Mapping) or not all(isinstance(one, kind) for one in rules.values()):
        found = shown(rules if not isinstance(rules, Mapping) else dict(rules))
        kinds = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        raise ValueError(f"rules must be a mapping of names to {kinds}, got {found}")
    return rules


def _chosen_here(rules: Mapping[str, Any], here: str, seen: bool) -> dict[str, str]:
    """Give each rule its note; refuse the rows that chose one, unless they may be seen."""
    notes = {
        name: OPTIMISTIC if getattr(rule, "chosen", {}).get("fingerprint") == here else ""
        for name, rule in rules.items()
    }
    stamped = [name for name, note in notes.items() if note]
    if stamped and not check_flag("seen", seen):
        raise ValueError(
            f"these rows chose the rule {stamped[0]!r}: its figures on them would be too good. "
            "Report on other data, or pass seen=True to have the figures stamped"
        )
    return notes


def _floors_of(rules: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give each rule the floors that it, or any rule beside it, was chosen to keep."""
    chosen = {name: getattr(rule, "chosen", {}) for name, rule in rules.items()}
    asked = [
        way for way in ("min_recall", "min_precision") if any(way in one for one in chosen.values())
    ]
    return {name: {way: one.get(way) for way in asked} for name, one in chosen.items()}


def _check_reference(rules: Mapping[str, Any], reference: str | None) -> str:
    """Return the name of the rule to compare with: the one given, or the first."""
    if reference is None and rules:
        return next(iter(rules))
    if not isinstance(reference, str) or reference not in rules:
        raise ValueError(f"the reference must be one of {list(rules)}, got {shown(reference)}")
    return reference


def _compared(
    paid: Mapping[str, Floats], reference: str, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Give each rule its mean cost, and the interval of the difference to the reference."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {shown(rng)}")
    seed = int(rng.integers(2**32))  # the same resamples for every rule
    figures = {}
    for name, one in paid.items():
        resample = np.random.default_rng(seed)
        difference, low, high = paired_bootstrap(one, paid[reference], rng=resample)
        figures[name] = {
            "cost": float(one.mean()),
            "difference": difference,
            "low": low,
            "high": high,
        }
    return figures


def _check_label_report(
    rules: Mapping[str, Any], logits: ArrayLike, labels: ArrayLike, seen: bool
) -> tuple[NDArray[np.floating], NDArray[np.bool_], dict[str, str]]:
    """Refuse data that chose a rule; warn of labels that no row has."""
    scores = check_label_logits(logits)
    true = check_label_matrix(labels, scores.shape)
    notes = _chosen_here(rules, label_fingerprint(scores, true), seen)
    absent = np.flatnonzero(~true.any(axis=0))
    if len(absent):
        known = [rule for rule in rules.values() if isinstance(rule, LabelThresholds)]
        names = known[0].label_names if known else tuple(map(str, range(true.shape[1])))
        if len(names) != true.shape[1]:
            raise ValueError(f"the rule is for {len(names)} labels, got {true.shape[1]}")
        warnings.warn(
            f"no row has {', '.join(names[k] for k in absent)}: no figures for it, and it is left "
            "out of averages over labels",
            stacklevel=3,
        )
    return scores, true, notes


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
        bootstrap interval ``low``, ``high`` (95 %), ``note``. Where a rule was chosen by floors,
        also ``min_recall``, ``min_precision``: what it was to reach, None for a rule without.

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
    _check_rules(rules, BinaryThreshold)
    reference = _check_reference(rules, reference)
    costs = check_costs(costs)
    logits = binary_logit(logits)
    true = check_binary_labels(labels, len(logits))
    notes = _chosen_here(rules, fingerprint(logits, true), seen)
    predicted = {name: rule.decide(logits) for name, rule in rules.items()}
    paid = {name: costs.of(true, said) for name, said in predicted.items()}
    figures, floors = _compared(paid, reference, rng), _floors_of(rules)
    table = []
    for name, rule in rules.items():
        found = counts(true, predicted[name])
        table.append(
            {
                "rule": name,
                "threshold": rule.threshold,
                "recall": found.recall,
                "precision": found.precision,
                **floors[name],
                "missed": found.false_negative,
                "false_alarms": found.false_positive,
                **figures[name],
                "note": notes[name],
            }
        )
    return table


def report_review(
    rules: Mapping[str, ReviewBand],
    logits: ArrayLike,
    labels: ArrayLike,
    costs: Costs,
    *,
    review: float = 0.0,
    rng: np.random.Generator,
    reference: str | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules with a review band side by side on data that chose none of them.

    Parameters
    ----------
    rules : mapping of str to ReviewBand
        A yes/no rule is one with equal cuts.
    logits : array_like of float, shape (n,), (n, 1) or (n, 2)
    labels : array_like of int, shape (n,)
    costs : Costs
    review : float, default 0
        What it costs that a person reads a message.
    rng : numpy.random.Generator
        For the intervals.
    reference : str, optional
        Name of the rule that the others are compared with; by default the first.
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, ``low_threshold``, ``high_threshold``, ``read`` (share that a person
        reads), ``false_omission`` (share of 1s among what is answered 0), ``false_discovery``
        (share of 0s among what is answered 1; NaN where nothing is), ``missed``, ``false_alarms``,
        ``cost`` (a message), ``difference`` to the reference with its paired bootstrap interval
        ``low``, ``high`` (95 %), ``note``.

    Raises
    ------
    ValueError
        As `report_binary` does.

    Examples
    --------
    >>> z, y = [-2.0, -1.0, 1.0, 2.0], [0, 1, 0, 1]
    >>> prices = Costs(false_positive=1, false_negative=5)
    >>> rules = {"band": ReviewBand(low=-1.5, high=1.5)}
    >>> found = report_review(rules, z, y, prices, review=0.5, rng=np.random.default_rng(0))[0]
    >>> found["read"], found["cost"]
    (0.5, 0.25)
    """
    _check_rules(rules, ReviewBand)
    reference = _check_reference(rules, reference)
    costs = check_costs(costs)
    review = check_price("review", review)
    logits = binary_logit(logits)
    true = check_binary_labels(labels, len(logits))
    notes = _chosen_here(rules, fingerprint(logits, true), seen)
    said = {name: rule.decide(logits) for name, rule in rules.items()}
    paid = {
        name: np.where(one == 2, review, costs.of(true, np.minimum(one, 1)))
        for name, one in said.items()
    }
    figures = _compared(paid, reference, rng)
    table = []
    for name, rule in rules.items():
        no, yes = said[name] == 0, said[name] == 1
        low, high = rule.thresholds
        table.append(
            {
                "rule": name,
                "low_threshold": low,
                "high_threshold": high,
                "read": float((said[name] == 2).mean()),
                "false_omission": float(true[no].mean()) if no.any() else float("nan"),
                "false_discovery": float((~true[yes]).mean()) if yes.any() else float("nan"),
                "missed": int((no & true).sum()),
                "false_alarms": int((yes & ~true).sum()),
                **figures[name],
                "note": notes[name],
            }
        )
    return table


def report_reject(
    rules: Mapping[str, RejectOption | MinimumExpectedCost],
    logits: ArrayLike,
    labels: ArrayLike,
    costs: RejectCosts | CostMatrix,
    *,
    rng: np.random.Generator,
    reference: str | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules for one label of many, or Other, side by side on data that chose none of them.

    Parameters
    ----------
    rules : mapping of str to RejectOption or MinimumExpectedCost
    logits : array_like of float, shape (n, n_classes)
    labels : array_like of int, shape (n,)
        Class indices; ``n_classes`` for a message that belongs to no class.
    costs : RejectCosts or CostMatrix
        By `RejectCosts`, what is called unknown costs as `price_of_unknown` says.
    rng : numpy.random.Generator
        For the intervals.
    reference : str, optional
        Name of the rule that the others are compared with; by default the first.
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, ``measure``, ``threshold`` (None for a `MinimumExpectedCost`),
        ``coverage``, ``risk`` (share of the answered that is wrong; NaN if none is answered),
        ``unknown_answered`` (share of the unknown that is answered; NaN if there are none),
        ``cost`` (a message), ``difference`` to the reference with its paired bootstrap interval
        ``low``, ``high`` (95 %), ``note``.

    Raises
    ------
    ValueError
        If these rows chose one of the rules and `seen` is False, the reference is not a rule, a
        rule answers what the costs do not price, or logits and labels are not what they should be.
        A temperature that was fitted on these rows goes unnoticed.

    Examples
    --------
    >>> z, y = [[2.0, 0.0], [0.1, 0.0]], [0, 1]
    >>> rules = {"0.6": RejectOption.from_threshold(0.6, label_names=("a", "b"))}
    >>> report_reject(rules, z, y, RejectCosts(reject=0.4), rng=np.random.default_rng(0))[0]["cost"]
    0.2
    """
    _check_rules(rules, (RejectOption, MinimumExpectedCost))
    reference = _check_reference(rules, reference)
    z = check_class_logits(logits)
    n_classes = z.shape[1]
    if isinstance(costs, CostMatrix):
        costs = check_cost_matrix(costs, n_classes)
    else:
        costs = check_reject_costs(costs)
    true = check_labels_or_other(labels, len(z), n_classes)
    notes = _chosen_here(rules, fingerprint(z, true), seen)
    predicted = {name: rule.decide(z) for name, rule in rules.items()}
    paid = {}
    for name, rule in rules.items():
        if isinstance(costs, CostMatrix):
            paid[name] = costs.of(true, predicted[name])
        else:
            paid[name] = costs.of(true, predicted[name], n_classes=n_classes)
            if isinstance(rule, RejectOption):
                paid[name][rule.unknown(z)] = price_of_unknown(rule, costs)
    figures = _compared(paid, reference, rng)
    unknown = true == n_classes
    table = []
    for name, rule in rules.items():
        answered = predicted[name] < n_classes
        wrong = answered & (predicted[name] != true)
        table.append(
            {
                "rule": name,
                "measure": getattr(rule, "measure", None),
                "threshold": getattr(rule, "threshold", None),
                "coverage": float(answered.mean()),
                "risk": share(int(wrong.sum()), int(answered.sum())),
                "unknown_answered": share(int((answered & unknown).sum()), int(unknown.sum())),
                **figures[name],
                "note": notes[name],
            }
        )
    return table


def report_sets(
    rules: Mapping[str, PredictionSets],
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules that name several labels side by side on data that chose none of them.

    Parameters
    ----------
    rules : mapping of str to PredictionSets
    logits : array_like of float, shape (n, n_classes)
    labels : array_like of int, shape (n,)
        Class indices; ``n_classes`` for a message that belongs to no class.
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, ``score``, ``coverage`` (share of the messages with a class whose set
        holds it) with its exact binomial interval ``low``, ``high`` (95 %; NaN where no message has
        a class), ``mean_size``, ``one`` and ``empty`` (shares of sets with one label and with
        none), ``unknown_empty`` (share of empty sets among messages without a class; NaN if there
        are none), ``note``.

    Raises
    ------
    ValueError
        If these rows chose one of the rules and `seen` is False, or the input makes no sense.

    Examples
    --------
    >>> z, y = [[2.0, 0.0], [0.1, 0.0]], [0, 1]
    >>> rules = {"0.4": PredictionSets(cuts=(0.4, 0.4), label_names=("a", "b"))}
    >>> row = report_sets(rules, z, y)[0]
    >>> row["coverage"], round(row["low"], 3), row["mean_size"], row["one"]
    (1.0, 0.158, 1.5, 0.5)
    """
    _check_rules(rules, PredictionSets)
    z = check_class_logits(logits)
    n_classes = z.shape[1]
    true = check_labels_or_other(labels, len(z), n_classes)
    known = np.flatnonzero(true < n_classes)
    own = known if len(known) else slice(None)  # rows without a class choose no sets
    notes = _chosen_here(rules, fingerprint(z[own], true[own]), seen)
    table = []
    for name, rule in rules.items():
        named = rule.decide(z)
        size = named.sum(axis=1)
        held = int(named[known, true[known]].sum())
        nan = float("nan")
        low, high = binomtest(held, len(known)).proportion_ci() if len(known) else (nan, nan)
        bare = size == 0
        table.append(
            {
                "rule": name,
                "score": rule.score,
                "coverage": share(held, len(known)),
                "low": float(low),
                "high": float(high),
                "mean_size": share(int(size.sum()), len(z)),
                "one": share(int((size == 1).sum()), len(z)),
                "empty": share(int(bare.sum()), len(z)),
                "unknown_empty": share(
                    int((size[true == n_classes] == 0).sum()), len(z) - len(known)
                ),
                "note": notes[name],
            }
        )
    return table


def report_labels(
    rules: Mapping[str, LabelThresholds | ArrayLike],
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    costs: Costs | Sequence[Costs] | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules for many labels side by side on data that chose none of them (lesson 03).

    Parameters
    ----------
    rules : mapping of str to LabelThresholds, or to decisions
        Decisions are 0/1 of shape (n, n_labels): baselines and other systems.
    logits : array_like of float, shape (n, n_labels)
    labels : array_like of int or bool, shape (n, n_labels)
    costs : Costs, or one for each label, optional
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, the figures of `label_scores`, with `costs` also ``cost`` (a message:
        its labels together), ``note``.

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
    _check_rules(rules, object)
    scores, true, notes = _check_label_report(rules, logits, labels, seen)
    table = []
    for name, rule in rules.items():
        said = rule.decide(scores) if isinstance(rule, LabelThresholds) else rule
        row = {"rule": name, **label_scores(true, said)}
        if costs is not None:
            row["cost"] = _cost_of_labels(costs, true, np.asarray(said))
        table.append({**row, "note": notes[name]})
    return table


def _cost_of_labels(costs: Costs | Sequence[Costs], true: NDArray, said: NDArray) -> float:
    """Add up the mean cost of each label."""
    n_labels = true.shape[1]
    each = [costs] * n_labels if isinstance(costs, Costs) else list(costs)
    if len(each) != n_labels:
        raise ValueError(f"costs must be one Costs or {n_labels} of them, got {len(each)}")
    return float(
        sum(check_costs(one).of(true[:, k], said[:, k]).mean() for k, one in enumerate(each))
    )


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
        ``base_rate``; for a rule that was chosen by floors ``min_recall``, ``min_precision``, None
        where a label has none; with `validation` also ``f1_validation`` and ``support_validation``.

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
    _check_rules({"rule": rule}, LabelThresholds)
    scores, true, _ = _check_label_report({"given": rule}, logits, labels, seen)
    said = rule.decide(scores)
    each = [counts(true[:, k], said[:, k]) for k in range(true.shape[1])]
    auroc, average_precision = ranking_scores(scores, true)
    columns: dict[str, Any] = {
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
        **_floors_of({"rule": rule})["rule"],
    }
    if validation is not None:
        if not isinstance(validation, list | tuple) or len(validation) != 2:
            raise ValueError(f"validation must be a pair (logits, labels), got {shown(validation)}")
        seen_scores = check_label_logits(validation[0])
        seen_labels = check_label_matrix(validation[1], seen_scores.shape)
        columns["f1_validation"] = f1_scores(seen_labels, rule.decide(seen_scores))
        columns["support_validation"] = seen_labels.sum(axis=0)
    plain = {name: np.asarray(values).tolist() for name, values in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
