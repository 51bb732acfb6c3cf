"""How new messages differ from those that chose a rule, and what it costs on them without labels.

Lesson 04 explains both. Nothing here needs a network: a rule, rows that chose it, and records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from helpers.portable.arrays import Floats, as_floats
from helpers.portable.checks import check_open_unit
from helpers.portable.costs import Costs, RejectCosts, check_costs, check_reject_costs
from helpers.portable.decisions import (
    YES_NO,
    BinaryThreshold,
    LabelThresholds,
    RejectOption,
    Rule,
)
from helpers.portable.probabilities import logit, prior_shift, sigmoid
from helpers.reference import Reference, unknown_words
from helpers.traffic import Interval, estimate_base_rate, expected_figures

Record = Mapping[str, Any]
CUTS = ("threshold", "low_threshold", "high_threshold")
NOTHING = "No more than chance."
TINY = 1e-9  # the least base rate that is corrected for


@dataclass(frozen=True)
class Drift:
    """What `compare` found.

    Attributes
    ----------
    table : list of dict
        One a figure: ``what``, ``then`` (the rows that chose the rule), ``now``, ``low`` and
        ``high`` (interval of now minus then), ``moved`` (whether it leaves 0 out), ``meaning``.
    figures : list of dict
        One a figure that would need labels: ``what``, ``then`` (counted, with labels), ``now``,
        ``low``, ``high`` (interval of now), ``meaning``.
    advice : str
        What to do.
    """

    table: list[dict[str, Any]]
    figures: list[dict[str, Any]]
    advice: str


def compare(
    rule: Rule,
    reference: Reference,
    records: Sequence[Record],
    *,
    texts: Sequence[str] | None = None,
    costs: Costs | RejectCosts | None = None,
    review: float | None = None,
    confidence_level: float = 0.95,
) -> Drift:
    """Compare decided messages with the rows that chose the rule, without labels.

    Parameters
    ----------
    rule : BinaryThreshold, ReviewBand, RejectOption or LabelThresholds
    reference : Reference
    records : sequence of dict, length n
        What the rule's ``explain`` said about them.
    texts : sequence of str, length n, optional
        The messages, for their length and their unknown words.
    costs : Costs or RejectCosts, optional
        By default those that the rule was chosen by; else each mistake costs 1.
    review : float, optional
        Cost of a person's reading, for a `ReviewBand`; by default that of its choice, or 0.
    confidence_level : float in (0, 1), default 0.95
        Of the whole table: where nothing has changed, no line of it says "moved" with about this
        probability. Of each interval of a figure.

    Returns
    -------
    Drift

    Raises
    ------
    ValueError
        If there are fewer than two records, another rule decided them, or the texts are not as
        many.

    Notes
    -----
    Each of m lines has the level ``1 - (1 - confidence_level) / m``. Shares have Wilson's interval,
    means Student's, and the interval of a difference is made of both ends (Newcombe). Distances are
    those of Kolmogorov and Smirnov, the largest gap between two distribution functions, with the
    asymptotic bound.

    For yes/no the base rate is estimated by `estimate_base_rate` and the figures by
    `expected_figures` at that rate; their intervals span those at both ends of the rate's. This
    rests on two conditions: the probabilities are calibrated, and only the base rate has moved. The
    second is asked by the distance that the base rate leaves: from the reference's 1s and 0s, mixed
    at the estimated rate. A change that looks just like another base rate passes.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17.

    Examples
    --------
    >>> from helpers.reference import make_reference
    >>> rng = np.random.default_rng(0)
    >>> y = rng.random(1000) < 0.2
    >>> then = make_reference(rng.normal(4.0 * y - 3.4), y, ["a text"] * 1000)
    >>> rule = BinaryThreshold.from_costs(Costs(false_positive=1, false_negative=5))
    >>> rarer = rng.normal(4.0 * (rng.random(2000) < 0.05) - 3.4)
    >>> found = compare(rule, then, rule.explain(rarer))
    >>> [line["what"] for line in found.table if line["moved"]]
    ['share of "1"', 'mean probability of "1"', 'base rate', 'distance of scores']
    """
    level = check_open_unit("confidence_level", confidence_level)
    then = rule.explain(reference.logits)
    check_records(rule, then, records)
    if texts is not None and len(texts) != len(records):
        raise ValueError(f"expected a text for each of {len(records)} records, got {len(texts)}")
    names = _shares(rule, then)
    new = _shares(rule, records)
    n_lines = len(names) + 2 + 2 * isinstance(rule, YES_NO) + 2 * (texts is not None)
    line = 1 - (1 - level) / n_lines
    table = [
        _line(name, _share(new[name], line), _share(names[name], line), SHARE) for name in names
    ]
    scores, before = _scores(rule, records), _scores(rule, then)
    table.append(
        _line(_score_name(rule), _mean(scores, line), _mean(before, line), "the texts changed")
    )
    if texts is not None:
        lengths = np.array([len(text.split()) for text in texts])
        unknown = unknown_words(texts, reference.words)
        for what, now, old, why in (
            ("words a text", lengths, reference.lengths, "texts come from elsewhere, or in a form"),
            ("unknown words", unknown, reference.unknown, "texts tell of something new"),
        ):
            table.append(_line(what, _mean(now, line), _mean(old, line), why))
    figures: list[dict[str, Any]] = []
    if isinstance(rule, YES_NO):
        both = (scores, before)
        more, figures = _yes_no(rule, reference, both, records, costs, review, line, level)
        table += more
    elif isinstance(rule, RejectOption):
        figures = _one_of_many(rule, reference, records, costs, level)
    else:
        figures = _any_of_many(rule, reference, records, level)
    table.append(_distance("distance of scores", scores, [(before, 1.0)], line, SCORES_MOVED))
    return Drift(table, figures, _advice(rule, table, figures))


SHARE = "the base rate or the texts changed"
SCORES_MOVED = "the network is sure otherwise than it was"
LEFT = "no base rate explains these scores, so the texts changed: do not trust the figures below"


def check_records(rule: Rule, own: Sequence[Record], records: Sequence[Record]) -> None:
    """Refuse records that another rule made.

    Parameters
    ----------
    rule : a rule of `helpers.decisions`
    own : sequence of dict
        Records of this rule, at least one.
    records : sequence of dict

    Raises
    ------
    ValueError
        If there are fewer than two, a field is missing, or a cut is another one.

    Examples
    --------
    >>> rule = BinaryThreshold.from_threshold(0.5)
    >>> check_records(rule, rule.explain([1.0]), rule.explain([1.0, 2.0]))
    """
    if len(records) < 2:
        raise ValueError(f"a comparison needs at least two decided rows, got {len(records)}")
    missing = [name for name in own[0] if name not in records[0]]
    if missing:
        raise ValueError(
            f"these rows were not decided by a {type(rule).__name__}: they have no "
            f"decision_{missing[0]}"
        )
    for cut in CUTS:
        for record in records if cut in own[0] else ():
            if not _same(record[cut], own[0][cut]):
                raise ValueError(
                    f"another rule decided these rows, with the {cut} {record[cut]}, this one has "
                    f"{own[0][cut]}: score them anew"
                )


def _same(one: Any, other: Any) -> bool:
    if isinstance(other, Mapping):
        return isinstance(one, Mapping) and all(
            name in one and _same(one[name], other[name]) for name in other
        )
    if one is None or other is None:
        return one is other
    return bool(abs(one - other) <= 1e-9 * max(1.0, abs(other)))


# Lines of the table


def _shares(rule: Rule, records: Sequence[Record]) -> dict[str, NDArray[np.bool_]]:
    """Tell for each answer of a rule which rows got it."""
    if isinstance(rule, LabelThresholds):
        given = [set(record["labels"]) for record in records]
        found = {
            f'share of "{name}"': np.array([name in one for one in given])
            for name in rule.label_names
        }
        return {**found, "share with no label": np.array([not one for one in given])}
    said = np.array([record["label"] for record in records], dtype=object)
    if isinstance(rule, YES_NO):
        names = [rule.label_names[1], *([] if isinstance(rule, BinaryThreshold) else [rule.review])]
        return {f'share of "{name}"': said == name for name in names}
    why = np.array([record["reason"] for record in records], dtype=object)
    reasons = ["unsure", *(["unknown"] if np.isfinite(rule.unknown_cut) else [])]
    found = {f'share of "{name}"': said == name for name in rule.label_names}
    return found | {f'share of "{rule.other}", {one}': why == one for one in reasons}


def _scores(rule: Rule, records: Sequence[Record]) -> Floats:
    """Take one number a record: P(1), the confidence, or the probability of the likeliest label."""
    if isinstance(rule, YES_NO):
        return np.array([record["positive_probability"] for record in records], float)
    if isinstance(rule, RejectOption):
        return np.array([record["confidence"] for record in records], float)
    return np.array([max(record["probability"].values()) for record in records], float)


def _score_name(rule: Rule) -> str:
    if isinstance(rule, YES_NO):
        return f'mean probability of "{rule.label_names[1]}"'
    return "mean confidence" if isinstance(rule, RejectOption) else "mean of the likeliest label"


def _share(hit: NDArray[np.bool_], level: float) -> Interval:
    """Give a share with its Wilson interval."""
    n, share = len(hit), float(hit.mean())
    z2 = float(stats.norm.ppf((1 + level) / 2)) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * share * (1 - share) / n + z2**2 / (4 * n * n)) / (1 + z2 / n)
    return share, min(middle - half, share), max(middle + half, share)


def _mean(values: ArrayLike, level: float) -> Interval:
    """Give a mean with its Student interval."""
    x = np.asarray(values, float)
    spread = x.std(ddof=1) / np.sqrt(len(x)) if len(x) > 1 else np.inf
    half = float(stats.t.ppf((1 + level) / 2, max(len(x) - 1, 1)) * spread)
    return float(x.mean()), float(x.mean()) - half, float(x.mean()) + half


def _line(what: str, now: Interval, then: Interval, why: str) -> dict[str, Any]:
    """Set two figures side by side; the interval of the difference is made of both ends."""
    change = now[0] - then[0]
    low = change - float(np.hypot(now[0] - now[1], then[2] - then[0]))
    high = change + float(np.hypot(now[2] - now[0], then[0] - then[1]))
    return _row(what, then[0], now[0], low, high, why)


def _row(what: str, then: float, now: float, low: float, high: float, why: str) -> dict[str, Any]:
    moved = bool(low > 0 or high < 0)
    way = "Higher" if low > 0 else "Lower"
    return {
        "what": what,
        "then": then,
        "now": now,
        "low": low,
        "high": high,
        "moved": moved,
        "meaning": f"{way}: {why}." if moved else NOTHING,
    }


def _distance(
    what: str, scores: Floats, parts: Sequence[tuple[Floats, float]], level: float, why: str
) -> dict[str, Any]:
    """Measure the largest gap to a mixture of samples, each with its weight."""
    at = np.concatenate([scores, *(part for part, _ in parts)])
    mixed = sum(weight * _below(part, at) for part, weight in parts)
    gap = float(np.abs(_below(scores, at) - mixed).max())
    spread = 1 / len(scores) + sum(weight**2 / len(part) for part, weight in parts)
    bound = float(np.sqrt(-np.log((1 - level) / 2) / 2 * spread))
    return _row(what, 0.0, gap, max(gap - bound, 0.0), min(gap + bound, 1.0), why)


def _below(sample: Floats, at: Floats) -> Floats:
    return np.searchsorted(np.sort(sample), at, side="right") / len(sample)


# Figures that would need labels


def _yes_no(
    rule: Any,
    reference: Reference,
    both: tuple[Floats, Floats],
    records: Sequence[Record],
    costs: Any,
    review: float | None,
    line: float,
    level: float,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Estimate the base rate, whether it explains the scores, and the figures at that rate."""
    (p, before), y = both, reference.labels.astype(bool)
    if y.all() or not y.any():
        raise ValueError("the rows that chose the rule have one label alone: no base rate is known")
    kept = rule.chosen.get("costs")
    prices = check_costs(costs or (Costs(**kept) if kept else ONES))
    price = rule.chosen.get("review", 0.0) if review is None else review
    old = float(y.mean())
    rate = estimate_base_rate(p, old=old, confidence_level=line)
    table = [_line("base rate", rate, _share(y, line), "the base rate has moved")]
    mixed = [(before[y], rate[0]), (before[~y], 1 - rate[0])]
    table.append(_distance("distance that the base rate leaves", p, mixed, line, LEFT))
    names = [rule.label_names[0], rule.label_names[1], getattr(rule, "review", None)]
    said = np.array([names.index(record["label"]) for record in records])
    then = np.array([names.index(record["label"]) for record in rule.explain(reference.logits)])
    shown = estimate_base_rate(p, old=old, confidence_level=level)
    now = _at_rates(p, said, prices, price, old, shown)
    known = _counted(y, then, prices, price)
    check = expected_figures(before, then, prices, review=price, rng=np.random.default_rng(0))
    figures = [_figure("base rate", old, shown, BASE)]
    for name, meaning in FIGURES.items():
        if check[name][1] <= known[name] <= check[name][2] or np.isnan(known[name]):
            note = ""
        else:
            note = (
                f" Without labels the rows of then would be given {check[name][0]:.3g}: the "
                "probabilities are not calibrated."
            )
        figures.append(_figure(name, known[name], now[name], meaning + note))
    if isinstance(rule, BinaryThreshold) and table[0]["moved"]:
        start = rule.chosen.get("base_rate", {}).get("new", old)
        new = float(np.clip(rate[0], TINY, 1 - TINY))
        moved = rule.at_base_rate(old=start, new=new)
        other = moved.decide(rule.temperature * logit(np.clip(p, 1e-300, 1 - 1e-16)))
        cost = _at_rates(p, other, prices, price, old, shown)["cost"]
        text = f"With the rule moved: at_base_rate(old={start:.3g}, new={new:.3g})."
        figures.append(_figure("cost, rule moved", float("nan"), cost, text))
    return table, figures


ONES = Costs(false_positive=1, false_negative=1)
BASE = 'The share of "1", labels unseen; it holds while the texts of each label stay as they were.'
FIGURES = {
    "cost": "The cost a message, at this base rate.",
    "recall": "Of the 1s that the rule answers, the share that it finds.",
    "precision": "Of the alarms, the share that is right.",
}


def _at_rates(
    p: Floats, said: NDArray[Any], costs: Costs, price: float, old: float, rates: Interval
) -> dict[str, Interval]:
    """Give the figures at an estimated base rate, with intervals that span those at its ends."""
    found = []
    for rate in rates:
        shift = prior_shift(old=old, new=float(np.clip(rate, TINY, 1 - TINY)))
        moved = sigmoid(logit(np.clip(p, 1e-300, 1 - 1e-16)) + shift)
        rng = np.random.default_rng(0)
        found.append(expected_figures(moved, said, costs, review=price, rng=rng))
    return {
        name: (
            found[0][name][0],
            min(one[name][1] for one in found),
            max(one[name][2] for one in found),
        )
        for name in FIGURES
    }


def _counted(
    y: NDArray[np.bool_], said: NDArray[Any], costs: Costs, price: float
) -> dict[str, float]:
    """Count the figures where the labels are known."""
    hits, read = (y & (said == 1)).sum(), said == 2
    spent = np.where(read, price, costs.of(y, np.where(read, 0, said)))
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, precision = hits / (y & ~read).sum(), hits / (said == 1).sum()
    return {"cost": float(spent.mean()), "recall": float(recall), "precision": float(precision)}


def _figure(what: str, then: float, now: Interval, meaning: str) -> dict[str, Any]:
    value, low, high = now
    return {
        "what": what,
        "then": then,
        "now": value,
        "low": low,
        "high": high,
        "meaning": meaning,
    }


def _one_of_many(
    rule: RejectOption, reference: Reference, records: Sequence[Record], costs: Any, level: float
) -> list[dict[str, Any]]:
    """Expect the share of wrong answers, and the cost, from the softmax of the answers."""
    kept = rule.chosen.get("costs")
    prices = check_reject_costs(costs or (RejectCosts(**kept) if kept else RejectCosts(reject=1)))
    right = np.array([record["probability"] for record in records], float)
    given = np.array([record["accepted"] for record in records], bool)
    n_other = len(reference.logits[0])
    said = rule.decide(reference.logits)
    answered = said < n_other
    wrong_then = float((said != reference.labels)[answered].mean()) if answered.any() else np.nan
    cost_then = float(prices.of(reference.labels, said, n_classes=n_other).mean())
    rng, wrong = np.random.default_rng(0), 1 - right[given]
    drawn = np.array([np.count_nonzero(rng.random(len(wrong)) < wrong) for _ in range(1000)])
    ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    counts = np.array([wrong.sum(), *ends])
    spent = (prices.error * counts + prices.reject * (~given).sum()) / len(records)
    nowhere = np.full(3, np.nan)
    shares = counts / len(wrong) if len(wrong) else nowhere
    only = "It takes every message for one of the labels: unknown ones make it too low."
    return [
        _figure("wrong answers", wrong_then, tuple(shares.tolist()), f"Of those answered. {only}"),
        _figure("cost", cost_then, tuple(spent.tolist()), f"A message. {only}"),
    ]


def _any_of_many(
    rule: LabelThresholds, reference: Reference, records: Sequence[Record], level: float
) -> list[dict[str, Any]]:
    """Estimate the base rate of each label that occurred."""
    found = []
    for k, name in enumerate(rule.label_names):
        old = float(reference.labels[:, k].mean())
        if 0 < old < 1:
            p = as_floats("probability", [record["probability"][name] for record in records])
            rate = estimate_base_rate(p, old=old, confidence_level=level)
            found.append(_figure(f'base rate of "{name}"', old, rate, BASE.replace('"1"', "it")))
    return found


def _advice(rule: Rule, table: Sequence[Any], figures: Sequence[Any]) -> str:
    """Say in a sentence or two what to do."""
    moved = {row["what"] for row in table if row["moved"]}
    sample = "Label a random sample, some 200, and report the rule on it."
    if not moved:
        return "Nothing has moved beyond chance: keep the rule."
    if "distance that the base rate leaves" in moved or "unknown words" in moved:
        return f"The texts themselves have changed: the figures may be wrong. {sample}"
    if "base rate" in moved:
        (row,) = (row for row in table if row["what"] == "base rate")
        if isinstance(rule, BinaryThreshold):
            start = rule.chosen.get("base_rate", {}).get("new", row["then"])
            command = f"--old-rate {start:.4g} --new-rate {max(row['now'], TINY):.4g}"
            return (
                "The base rate has moved, and explains the scores: move the rule, python -m "
                f"helpers rule FOLDER {command}; a few labels confirm it."
            )
        return f"The base rate has moved, and explains the scores: choose the band anew. {sample}"
    return f"Moved: {', '.join(sorted(moved))}. {sample}"
