"""Choose a rule for a task, and report it beside the plain one: what `train` does in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    shown,
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
from helpers.portable.search import check_beta
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


KINDS: dict[Kind, str] = {
    "binary": "yes/no",
    "multiclass": "one of many",
    "multilabel": "many labels",
}
FOR: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(("false_positive", "false_negative"), ("binary", "multilabel")),
    **dict.fromkeys(("min_recall", "min_precision"), ("binary", "multilabel")),
    **dict.fromkeys(("review", "max_review", "f_beta"), ("binary",)),
    **dict.fromkeys(("max_false_omission", "max_false_discovery"), ("binary",)),
    **dict.fromkeys(("reject", "error", "cost_matrix", "other", "coverage"), ("multiclass",)),
    **dict.fromkeys(("max_risk", "measure", "max_lost", "unknown_price"), ("multiclass",)),
    **dict.fromkeys(("set_coverage", "by_class", "set_score", "randomized"), ("multiclass",)),
    **dict.fromkeys(("label_costs", "micro_f1", "macro_f1", "max_missed"), ("multilabel",)),
    "confidence_level": ("binary", "multiclass", "multilabel"),
}
PRICED = ("false_positive", "false_negative", "reject", "error", "cost_matrix", "label_costs")
BESIDE = ("measure", "max_lost", "unknown_price", "by_class", "set_score", "randomized", "other")
FLAGS = {"by_class", "randomized", "micro_f1", "macro_f1"}
# what the command line calls otherwise than with hyphens
TYPED = {"cost_matrix": "--costs", "label_costs": "--costs", "confidence_level": "--confidence"}
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
    "f_beta": check_beta,
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
        For one of many; the second is a promise, with `confidence_level`.
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
        For many labels: the share of a message's labels that may be missed in expectation; a
        message without any misses none.
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
        If not exactly one way (or both floors) is given, it is not for this kind, an option lacks
        its partner, as `max_risk` its confidence level, or stands beside what does not take it.

    Examples
    --------
    >>> criterion_of("binary", false_positive=1, false_negative=20)["costs"].threshold
    0.047619047619047616
    >>> criterion_of("multilabel", macro_f1=True)
    {'macro_f1': True}
    """
    asked = {name: one for name, one in locals().items() if name not in ("kind", "label_names")}
    if kind not in RULES:
        raise ValueError(f"kind must be one of {', '.join(RULES)}, got {kind!r}")
    asked = {
        name: one for name, one in asked.items() if one is not None and (name not in FLAGS or one)
    }
    _check_kind(kind, asked)
    _check_partners(asked)
    ways = [name for name in asked if name not in (*BESIDE, "confidence_level")]
    price = _price(asked)
    bands = BAND - SIDES & set(ways)
    found = {name: one for name, one in asked.items() if name in ways and name not in PRICED}
    if price is not None and not bands:
        found["costs"] = price
    if len(found) != 1 and set(found) not in (FLOORS, SIDES):
        beside = [name for name in asked if name in BESIDE]
        got = _said(ways) or ("none" if not beside else f"none beside {_said(beside)}")
        raise ValueError(
            f"a {kind} rule is chosen by exactly one of {', '.join(WAYS[kind])}; got {got}"
        )
    way = next(iter(found))
    if bands:
        found["costs"] = price
    _check_beside(way, asked, _said(ways))
    found |= {name: one for name, one in asked.items() if name in BESIDE}
    if confidence_level is not None:
        found["confidence_level"] = confidence_level
    for name, value in found.items():
        if name in FLOORS and kind == "multilabel" and not is_real(value):
            if label_names is not None:
                check_floors(name, value, label_names)
        elif name in CHECKS:
            CHECKS[name](name, value)
    return found


def _said(names: Iterable[str]) -> str:
    """Name options as Python does, and as the command line does where that is another word."""
    return ", ".join(name + (f" ({TYPED[name]})" if name in TYPED else "") for name in names)


def _check_kind(kind: Kind, asked: Mapping[str, Any]) -> None:
    """Refuse what is for another kind of task."""
    for name, value in asked.items():
        if kind not in FOR[name]:
            kinds = " and ".join(KINDS[one] for one in FOR[name])
            raise ValueError(
                f"{_said([name])} is for {kinds}; this is {KINDS[kind]}, and its rule is chosen by "
                f"one of {', '.join(WAYS[kind])}"
            )
        if name in FLOORS and kind == "binary" and isinstance(value, Mapping):
            raise ValueError(
                f"{name} by names is for many labels; yes/no takes one number, as 0.9, got "
                f"{shown(dict(value))}"
            )


def _check_partners(asked: Mapping[str, Any]) -> None:
    """Refuse an option that lacks its partner, or stands beside one that takes its place."""
    pair = [name for name in ("false_positive", "false_negative") if name in asked]
    if len(pair) == 1:
        raise ValueError("false_positive and false_negative need each other: give both")
    for table, others, what in (
        ("label_costs", pair, "the costs of each label"),
        ("cost_matrix", ["reject", "error"], "all costs, the reject's in a column of its own"),
    ):
        beside = [name for name in others if name in asked]
        if table in asked and beside:
            raise ValueError(f"{_said([table])} holds {what}: leave {' and '.join(beside)} out")
    if "other" in asked and "cost_matrix" not in asked:
        raise ValueError("other names the reject of a cost matrix: give cost_matrix, too")
    if "error" in asked and "reject" not in asked:
        raise ValueError("error, the cost of a wrong label, needs reject, the cost of Other")
    if {"review", "max_review"} <= set(asked):
        raise ValueError("give review or max_review, not both")
    for name in ("review", "max_review"):
        if name in asked and not pair:
            raise ValueError(
                f"{name} goes with false_positive and false_negative, the costs of the two "
                "mistakes: give them, too"
            )


def _price(asked: Mapping[str, Any]) -> Costs | RejectCosts | CostMatrix | list[Costs] | None:
    """Make of the prices that were given what a rule's ``choose`` takes."""
    if "label_costs" in asked:
        return list(asked["label_costs"])
    if "cost_matrix" in asked:
        return check_cost_matrix(asked["cost_matrix"])
    if "reject" in asked:
        return RejectCosts(reject=asked["reject"], error=asked.get("error", 1.0))
    if "false_positive" in asked:
        return Costs(**{name: asked[name] for name in ("false_positive", "false_negative")})
    return None


def _check_beside(way: str, asked: Mapping[str, Any], named: str) -> None:
    """Check that what stands beside a way to choose goes with it; `named` is what was given."""
    level = "confidence_level" in asked
    if way in SIDES and not (set(asked) >= SIDES and level):
        raise ValueError(
            "max_false_omission, max_false_discovery and a confidence level (--confidence) need "
            "each other: give all three"
        )
    if way == "max_risk" and not level:
        raise ValueError(
            "max_risk is a promise: it goes with a confidence level, as confidence_level=0.9, on "
            "the command line --confidence 0.9"
        )
    for name in ("by_class", "set_score", "randomized"):
        if name in asked and way != "set_coverage":
            raise ValueError(f"{name} goes with set_coverage, not with {named}")
    if "set_score" in asked:
        check_choice("set_score", asked["set_score"], get_args(Score))
    if "measure" in asked:
        if way != "coverage" and "reject" not in asked:
            raise ValueError(f"measure goes with reject or coverage, not with {named}")
        check_choice("measure", asked["measure"], MEASURES)
    if {"max_lost", "unknown_price"} <= set(asked):
        raise ValueError("give max_lost or unknown_price, not both")
    lost = "max_lost" in asked and not ("reject" in asked or way == "coverage")
    if lost or ("unknown_price" in asked and "reject" not in asked):
        raise ValueError(
            "a cut for the unknown goes with reject, by max_lost or unknown_price, or with "
            f"coverage, by max_lost; got {named}"
        )
    if level and way in PROMISES:
        raise ValueError(f"{way} is kept in the mean: it takes no confidence level")
    if level and way not in PROVEN:
        raise ValueError(
            f"a confidence level belongs to a promise ({', '.join(sorted(PROVEN))}); got {named}"
        )
    if level and _reaches_one(asked.get("min_precision")):
        raise ValueError("no number of rows can promise a precision of 1: ask for less, as 0.95")


def _reaches_one(floors: Any) -> bool:
    """Tell whether a floor, or one of several, is 1."""
    each = floors.values() if isinstance(floors, Mapping) else [floors]
    return any(is_real(one) and float(one) == 1 for one in each)


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
