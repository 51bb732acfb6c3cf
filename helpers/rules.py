"""Change a saved rule by what a person says: a threshold, prices, another base rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from helpers.portable.cost_matrix import CostMatrix, check_cost_matrix
from helpers.portable.costs import Costs, RejectCosts, check_costs, check_reject_costs
from helpers.portable.decisions import (
    BinaryThreshold,
    LabelThresholds,
    MinimumExpectedCost,
    RejectOption,
    ReviewBand,
    Rule,
)


def changed(
    rule: Rule,
    *,
    threshold: float | None = None,
    thresholds: str | None = None,
    costs: Costs | RejectCosts | CostMatrix | Sequence[Costs] | None = None,
    rates: tuple[float | None, float | None] | None = None,
) -> Rule | None:
    """Make a rule of the same type, for the same labels, with another cut.

    Parameters
    ----------
    rule : a rule of `helpers.decisions`
    threshold : float, optional
        In [0, 1], or on the scale of a reject's measure; for all labels, where there are many.
    thresholds : str, optional
        For many labels: ``"home=0.3,water=0.7"``; labels that are not named keep their cuts. For a
        band ``"low=0.1,high=0.6"``, or one of them.
    costs : Costs, RejectCosts or CostMatrix, or a Costs for each label, optional
        The cuts by formula; not for a band, which needs a third price. A matrix in place of another
        keeps the calibration, unless that was fitted for the old costs.
    rates : pair of float, optional
        Base rate where a yes/no rule was chosen, and where it is used.

    Returns
    -------
    a rule, or None where nothing was asked for

    Raises
    ------
    ValueError
        If more than one change is asked for, or one that does not go with the rule.

    Examples
    --------
    >>> old = BinaryThreshold.from_threshold(0.5, label_names=("wait", "urgent"))
    >>> changed(old, threshold=0.2).label_names
    ('wait', 'urgent')
    """
    ways = {"threshold": threshold, "thresholds": thresholds, "costs": costs, "rates": rates}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"give one change at a time, got {', '.join(given)}")
    if not given:
        return None
    kept: dict[str, Any] = {"temperature": rule.temperature, "label_names": rule.label_names}
    if isinstance(rule, BinaryThreshold):
        if threshold is not None:
            return BinaryThreshold.from_threshold(threshold, **kept)
        if costs is not None:
            return BinaryThreshold.from_costs(check_costs(costs), **kept)
        if rates is not None:
            old, now = rates
            if old is None or now is None:
                raise ValueError("a change of the base rate needs both, the old rate and the new")
            return rule.at_base_rate(old=old, new=now)
    elif isinstance(rule, RejectOption):
        kept["other"] = rule.other
        new: Any = None
        if threshold is not None:
            new = RejectOption.from_threshold(threshold, measure=rule.measure, **kept)
        elif costs is not None:
            if rule.measure != "softmax":
                raise ValueError(
                    f"the formula gives a cut on the softmax, and this rule's is on the "
                    f"{rule.measure}: choose it anew on validation data"
                )
            new = RejectOption.from_costs(check_reject_costs(costs), **kept)
        if new is not None:  # the second cut stays, and how it was chosen
            chosen = {**new.chosen, **{k: v for k, v in rule.chosen.items() if k == "unknown"}}
            return replace(
                new,
                unknown_cut=rule.unknown_cut,
                none_of_these=rule.none_of_these,
                chosen=chosen,
            )
    elif isinstance(rule, MinimumExpectedCost):
        if costs is not None:
            if rule.chosen.get("bias") == "cost":
                raise ValueError(
                    "the bias of this rule was fitted for its old costs: choose it anew on "
                    "validation data"
                )
            matrix = check_cost_matrix(costs)
            new = MinimumExpectedCost.from_costs(matrix, other=rule.other, bias=rule.bias, **kept)
            fitted = ("bias", "n_samples", "fingerprint")  # of the calibration, which stays
            chosen = {**new.chosen, **{k: v for k, v in rule.chosen.items() if k in fitted}}
            return replace(new, chosen=chosen)
    elif isinstance(rule, ReviewBand):
        if thresholds is not None:
            ends = read_named(thresholds)
            if unknown := sorted(set(ends) - {"low", "high"}):
                raise ValueError(f"a band has the thresholds low and high, got {unknown[0]}")
            cuts = {"low": rule.low, "high": rule.high} | {
                name: BinaryThreshold.from_threshold(p).cut for name, p in ends.items()
            }
            chosen = {"method": "given", "threshold": ends}
            return replace(rule, low=cuts["low"], high=cuts["high"], chosen=chosen)
    elif isinstance(rule, LabelThresholds) and costs is not None:
        return LabelThresholds.from_costs(costs, empty=rule.empty, **kept)  # type: ignore[arg-type]
    elif isinstance(rule, LabelThresholds) and (threshold is not None or thresholds is not None):
        values = dict(zip(rule.label_names, rule.cuts, strict=True))
        named: dict[str, float] = read_named(thresholds or "") if thresholds else {}
        if threshold is not None:
            named = dict.fromkeys(rule.label_names, threshold)
        unknown = [name for name in named if name not in values]
        if unknown:
            raise ValueError(
                f"no label {', '.join(unknown)}; there are {', '.join(rule.label_names)}"
            )
        for name, value in named.items():
            values[name] = BinaryThreshold.from_threshold(value).cut
        return replace(
            rule, cuts=tuple(values.values()), chosen={"method": "given", "threshold": named}
        )
    raise ValueError(f"{given[0]} does not go with a {type(rule).__name__}")


def chosen_in_words(rule: Rule) -> str:
    """Say what a rule was asked to reach, and how surely; "" where it was not searched.

    Parameters
    ----------
    rule : BinaryThreshold, ReviewBand, RejectOption or LabelThresholds

    Returns
    -------
    str

    Examples
    --------
    >>> z, y = [-3.0, -1.0, 0.0, 2.0], [0, 1, 0, 1]
    >>> chosen_in_words(BinaryThreshold.choose(z, y, min_recall=0.5, min_precision=0.6))
    'for a recall of at least 0.5 and a precision of at least 0.6'
    >>> chosen_in_words(BinaryThreshold.choose(z, y, f_beta=1))
    'by f_beta of 1'
    """
    chosen = rule.chosen
    if chosen.get("method") != "search":
        return ""
    floors = [
        f"a {name.removeprefix('min_')} of at least {_floor_in_words(chosen[name], rule)}"
        for name in ("min_recall", "min_precision")
        if name in chosen
    ]
    level = chosen.get("confidence_level")
    promised = "" if level is None else f", promised with confidence {level:.4g}"
    if floors:
        return f"for {' and '.join(floors)}{promised}"
    way = chosen["criterion"]
    if way == "promise":
        omission, discovery = chosen["max_false_omission"], chosen["max_false_discovery"]
        return (
            f"for at most {omission:.4g} wrong of what is answered {rule.label_names[0]} and "
            f"{discovery:.4g} of what is answered {rule.label_names[1]}{promised}"
        )
    value = chosen.get(way)
    reached = f" of {value:.4g}" if isinstance(value, int | float) else ""
    said = f"by {way}{reached}{' for each class' if chosen.get('by_class') else ''}{promised}"
    if isinstance(rule, RejectOption) and rule.measure != "softmax":
        said += f", with a cut on the {rule.measure}"
    unknown = chosen.get("unknown")
    if unknown is None:
        return said
    if "price" in unknown:
        return f"{said}; unknown at a price of {unknown['price']:.4g}"
    return f"{said}; unknown with at most {unknown['max_lost']:.4g} of known messages lost"


def _floor_in_words(floor: Any, rule: Rule) -> str:
    if not isinstance(floor, list):
        return f"{floor:.4g}"
    if len(set(floor)) == 1:
        return f"{floor[0]:.4g} for each label"
    named = zip(rule.label_names, floor, strict=True)
    return ", ".join(f"{one:.4g} for {name}" for name, one in named if one is not None)


def read_named(text: str, what: str = "thresholds") -> dict[str, float]:
    """Read ``name=number,name=number``.

    Examples
    --------
    >>> read_named("home=0.3, water=0.7")
    {'home': 0.3, 'water': 0.7}
    """
    found = {}
    for one in text.split(","):
        name, equals, value = one.rpartition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise ValueError(f"{what} are given as name=0.3,other=0.7, got {one!r}")
    return found
