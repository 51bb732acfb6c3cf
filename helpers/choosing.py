"""Choose a rule for a task, and report it beside the plain one: what `train` does in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from helpers.data import Kind
from helpers.portable.arrays import check_class_logits, check_labels_or_other
from helpers.portable.checks import (
    check_choice,
    check_floor,
    check_open_unit,
    check_share,
    is_real,
)
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
    Rule,
)
from helpers.portable.floors import check_floors
from helpers.portable.labels import LabelFloors
from helpers.portable.probabilities import MEASURES, fit_temperature
from helpers.portable.rule import ALWAYS
from helpers.portable.sets import Score
from helpers.portable.unknown import choose_unknown_cut
from helpers.reports import (
    report_binary,
    report_labels,
    report_reject,
    report_review,
    report_sets,
)

WAYS: dict[Kind, tuple[str, ...]] = {
    "binary": (
        "costs",
        "review",
        "max_review",
        "max_false_omission",
        "max_false_discovery",
        "min_recall",
        "min_precision",
        "f_beta",
    ),
    "multiclass": ("costs", "coverage", "max_risk", "set_coverage"),
    "multilabel": ("micro_f1", "macro_f1", "costs", "min_recall", "min_precision", "max_missed"),
}
RULES: dict[Kind, type[Rule]] = {
    "binary": BinaryThreshold,
    "multiclass": RejectOption,
    "multilabel": LabelThresholds,
}


FLOORS = {"min_recall", "min_precision"}  # go together
SIDES = {"max_false_omission", "max_false_discovery"}  # need each other
BAND = {"review", "max_review", *SIDES}
PROMISES = {"confidence_level", "set_coverage", "max_missed"}  # need rows that chose nothing yet
PROVEN = FLOORS | SIDES | {"max_risk"}  # what a confidence level can be asked for
# said before any training: what `choose` would refuse after it
CHECKS: dict[str, Callable[[str, Any], float]] = {
    "review": check_price,
    "max_review": check_share,
    "max_false_omission": check_open_unit,
    "max_false_discovery": check_open_unit,
    "min_recall": check_floor,
    "min_precision": check_floor,
    "coverage": check_floor,
    "max_risk": check_open_unit,
    "max_lost": check_share,
    "unknown_price": check_price,
    "set_coverage": check_open_unit,
    "max_missed": check_open_unit,
    "confidence_level": check_open_unit,
}


def criterion_of(
    kind: Kind,
    *,
    false_positive: float | None = None,
    false_negative: float | None = None,
    review: float | None = None,
    max_review: float | None = None,
    max_false_omission: float | None = None,
    max_false_discovery: float | None = None,
    min_recall: LabelFloors | None = None,
    min_precision: LabelFloors | None = None,
    f_beta: float | None = None,
    reject: float | None = None,
    error: float | None = None,
    label_costs: Sequence[Costs] | None = None,
    cost_matrix: CostMatrix | None = None,
    other: str | None = None,
    coverage: float | None = None,
    max_risk: float | None = None,
    measure: str | None = None,
    max_lost: float | None = None,
    unknown_price: float | None = None,
    set_coverage: float | None = None,
    by_class: bool = False,
    set_score: str | None = None,
    randomized: bool = False,
    micro_f1: bool = False,
    macro_f1: bool = False,
    max_missed: float | None = None,
    confidence_level: float | None = None,
    label_names: tuple[str, ...] | None = None,
) -> dict[str, Any]:
    """Make of what a person says the options that `choose_rule` takes.

    Parameters
    ----------
    kind : "binary", "multiclass" or "multilabel"
    false_positive, false_negative : float, optional
        Costs of the two mistakes, for yes/no and for each of many labels.
    review, max_review : float, optional
        For yes/no with two costs: what a person's reading costs, or the share that people can read.
    max_false_omission, max_false_discovery : float in (0, 1), optional
        For yes/no, both, with `confidence_level`: the share of wrong answers on either side of a
        band.
    min_recall, min_precision : float, optional
        For yes/no, one or both; for many labels also one for each, or a dict by name.
    f_beta : float, optional
        For yes/no.
    reject, error : float, optional
        Costs of Other and of a wrong label (1 by default), for one of many.
    label_costs : sequence of Costs, length n_labels, optional
        For many labels: those of each.
    cost_matrix : CostMatrix, optional
        For one of many: what each answer costs for each true label.
    other : str, optional
        With `cost_matrix`: the name of the reject.
    coverage, max_risk : float, optional
        For one of many.
    measure : str, optional
        With `reject` or `coverage`: what the cut is on, "softmax" by default, "margin", "entropy",
        "logit" or "energy"; see `helpers.probabilities.confidence`.
    max_lost, unknown_price : float, optional
        With `reject`, the first also with `coverage`: one of the two ways of `choose_unknown_cut`.
    set_coverage : float in (0, 1), optional
        For one of many: how often a set of labels shall hold the true one.
    by_class, set_score, randomized : bool, str, bool
        With `set_coverage`: for the messages of each class by themselves; `PredictionSets.score`
        and its draw.
    micro_f1, macro_f1 : bool
        For many labels.
    max_missed : float in (0, 1), optional
        For many labels: the share of a message's labels that may be missed in expectation.
    confidence_level : float in (0, 1), optional
        Of a promise: with min_recall, min_precision, max_risk, or both sides of a band.
    label_names : tuple of str, optional
        For many labels: what floors by name are checked against.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If not exactly one way (or both floors) is given, it is not for this kind, a cost lacks its
        partner, or an option stands beside a way that does not take it.

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
        "max_false_omission": max_false_omission,
        "max_false_discovery": max_false_discovery,
        "set_coverage": set_coverage,
        "max_missed": max_missed,
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
    if cost_matrix is not None:
        if kind != "multiclass" or reject is not None or error is not None:
            raise ValueError(
                "a cost matrix prices one of many labels, its reject in a column of its own; the "
                f"kind is {kind}"
            )
        given["costs"] = check_cost_matrix(cost_matrix)
    elif other is not None:
        raise ValueError("other names the reject of a cost matrix: give cost_matrix, too")
    if two != (None, None):
        if None in two:
            raise ValueError("false_positive and false_negative need each other: give both")
        if kind == "multiclass":
            raise ValueError(
                "false_positive and false_negative price yes/no answers; one of many labels takes "
                "reject (and error), a cost matrix, coverage or max_risk"
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
    if len(found) != 1 and set(found) not in (FLOORS, SIDES):
        what = f"got {', '.join(found)}" if found else "got none"
        raise ValueError(f"a {kind} rule is chosen by exactly one of {ways}; {what}")
    way = next(iter(found))
    if band:
        found["costs"] = Costs(false_positive=two[0], false_negative=two[1])  # type: ignore[arg-type]
    if way not in WAYS[kind]:
        raise ValueError(f"a {kind} rule is chosen by one of {ways}, got {way}")
    if way in SIDES and (set(found) != SIDES or confidence_level is None):
        raise ValueError(
            "max_false_omission, max_false_discovery and a confidence level need each other: give "
            "all three"
        )
    of_sets = {"by_class": by_class, "set_score": set_score, "randomized": randomized}
    of_sets = {name: value for name, value in of_sets.items() if value}
    if of_sets and way != "set_coverage":
        raise ValueError(f"{next(iter(of_sets))} goes with set_coverage, not with {way}")
    if set_score is not None:
        check_choice("set_score", set_score, get_args(Score))
    if measure is not None:
        if way != "coverage" and not isinstance(found.get("costs"), RejectCosts):
            raise ValueError(f"measure goes with reject or coverage, not with {way}")
        found["measure"] = check_choice("measure", measure, MEASURES)
    found |= of_sets | _second_cut(found, max_lost, unknown_price)
    if confidence_level is not None:
        if way in PROMISES:
            raise ValueError(f"{way} is kept in the mean: it takes no confidence level")
        if way not in PROVEN:
            raise ValueError(f"a confidence level belongs to a promise, and {way} is none")
        found["confidence_level"] = confidence_level
    if other is not None:
        found["other"] = other
    for name, value in found.items():
        if name in FLOORS and kind == "multilabel" and not is_real(value):
            if label_names is not None:
                check_floors(name, value, label_names)
        elif name in CHECKS:
            CHECKS[name](name, value)
    return found


def _second_cut(
    found: Mapping[str, Any], max_lost: float | None, price: float | None
) -> dict[str, float]:
    """Check that a cut for the unknown stands beside a way that can have one."""
    if max_lost is None and price is None:
        return {}
    if max_lost is not None and price is not None:
        raise ValueError("give max_lost or unknown_price, not both")
    priced = isinstance(found.get("costs"), RejectCosts)
    if price is not None and priced:
        return {"unknown_price": price}
    if max_lost is not None and (priced or "coverage" in found):
        return {"max_lost": max_lost}
    raise ValueError(
        "a cut for the unknown goes with reject, by max_lost or unknown_price, or with coverage, "
        f"by max_lost; got {', '.join(found)}"
    )


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
        Options of the rule's ``choose``, as ``{"costs": Costs(...)}`` or ``{"macro_f1": True}``;
        ``{"set_coverage": 0.9}`` makes `PredictionSets`; ``max_lost`` or ``unknown_price`` beside
        the others give a `RejectOption` its second cut.
    temperature : bool, default True
        Whether one may be fitted.

    Returns
    -------
    a rule of `helpers.decisions`

    Raises
    ------
    ValueError
        If there is no such kind, or ``choose`` refuses the input.

    Notes
    -----
    Where "Other" is itself one of the labels, it stands for "none of these", and what is not
    answered is called "No answer".

    Many labels get no temperature: a cut for each label does its work. A promise (with
    ``confidence_level``, or of sets) gets none either: it would not hold on the rows that fitted
    it. Rows of Other take no part in the choice of sets, which promise nothing about them. A cost
    matrix always gets one: `MinimumExpectedCost.choose` fits it.

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
    if "set_coverage" in options:
        return _choose_sets(logits, labels, **options)
    max_lost, price = options.pop("max_lost", None), options.pop("unknown_price", None)
    has_band = BAND & set(criterion)
    if has_band and "review" in label_names:
        options.setdefault("review_name", "a person reads")
    if kind == "multiclass" and "Other" in label_names:
        options = {"other": "No answer", **options}
        if not isinstance(criterion.get("costs"), CostMatrix):
            options["none_of_these"] = "Other"
    if isinstance(criterion.get("costs"), CostMatrix):
        return MinimumExpectedCost.choose(logits, labels, **options)
    if temperature and kind != "multilabel" and not PROMISES & set(criterion):
        options["temperature"] = _temperature(kind, logits, labels)
    rule = (ReviewBand if has_band else RULES[kind]).choose(logits, labels, **options)
    if isinstance(rule, RejectOption) and price is not None:
        return choose_unknown_cut(rule, logits, labels, costs=options["costs"], price=price)
    if isinstance(rule, RejectOption) and max_lost is not None:
        return choose_unknown_cut(rule, logits, labels, max_lost=max_lost)
    return rule


def _choose_sets(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    set_coverage: float,
    set_score: Score = "lac",
    **options: Any,
) -> PredictionSets:
    """Choose on the rows that have a label; a row of Other has none that a set could hold."""
    z = check_class_logits(logits)
    true = check_labels_or_other(labels, len(z), z.shape[1])
    known = true < z.shape[1]
    options |= {"coverage": set_coverage, "score": set_score}
    return PredictionSets.choose(z[known], true[known], **options)


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
    costs: Costs | RejectCosts | CostMatrix | Sequence[Costs] | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Report a rule beside the plain one: 0.5, answering every message, or the likeliest label.

    Parameters
    ----------
    rule : a rule of `helpers.decisions`
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
    labels : array_like of int, shape (n,) or (n, n_labels)
    costs : Costs, RejectCosts or CostMatrix, or a Costs for each label, optional
        By default those of a `MinimumExpectedCost`; for other rules each mistake costs 1, and so
        does a reject; many labels are not priced.
    seen : bool, default False
        Whether these rows chose the rule: then the figures are stamped.

    Returns
    -------
    list of dict
        As `report_binary`, `report_review`, `report_reject`, `report_sets` or `report_labels`
        gives it.

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
    if isinstance(rule, PredictionSets):
        top = PredictionSets(cuts=(1,) * len(rule.cuts), label_names=rule.label_names, score="aps")
        return report_sets(
            {"the likeliest label": top, "this rule": rule}, logits, labels, seen=seen
        )
    if isinstance(rule, MinimumExpectedCost):
        every = RejectOption(cut=ALWAYS, label_names=rule.label_names, other=rule.other)
        known = check_cost_matrix(costs or rule.costs)
        answers: dict[str, RejectOption | MinimumExpectedCost]
        answers = {"answer everything": every, "this rule": rule}
        return report_reject(answers, logits, labels, known, **options)
    half = LabelThresholds.from_thresholds(0.5, label_names=rule.label_names)
    each = {"threshold 0.5": half, "this rule": rule}
    return report_labels(each, logits, labels, costs=costs, seen=seen)  # type: ignore[arg-type]
