"""How new messages differ from those that chose a rule, and what it costs on them without labels.

Lesson 04 explains both. Nothing here needs a network: a rule, rows that chose it, and records.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.optimize import brentq

from helpers.portable.arrays import Floats, as_floats
from helpers.portable.checks import check_open_unit
from helpers.portable.costs import Costs, RejectCosts, check_costs, check_reject_costs
from helpers.portable.decisions import (
    YES_NO,
    BinaryThreshold,
    LabelThresholds,
    MinimumExpectedCost,
    PredictionSets,
    RejectOption,
    Rule,
)
from helpers.portable.probabilities import logit, prior_shift, sigmoid
from helpers.portable.unknown import price_of_unknown
from helpers.reference import Reference, count_words, unknown_words
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

    For yes/no the probabilities are shifted on the logit scale, so that their mean on the reference
    is its share of 1s. Then the base rate is estimated by `estimate_base_rate`, and the figures by
    `expected_figures` at that rate; their intervals span those at both ends of the rate's. This
    rests on two conditions: the probabilities are calibrated, and only the base rate has moved. The
    first is asked on the reference, whose labels are known; the second by the distance that the
    base rate leaves: from the reference's 1s and 0s, mixed at the estimated rate. A change that
    looks just like another base rate passes.

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
    ['share of "1"', 'mean probability of "1"', 'distance of scores', 'base rate']
    """
    table = drift_table(rule, reference, records, texts=texts, confidence_level=confidence_level)
    figures = figures_without_labels(
        rule, reference, records, costs=costs, review=review, confidence_level=confidence_level
    )
    return Drift(table, figures, _advice(rule, table, figures))


def drift_table(
    rule: Rule,
    reference: Reference,
    records: Sequence[Record],
    *,
    texts: Sequence[str] | None = None,
    confidence_level: float = 0.95,
) -> list[dict[str, Any]]:
    """Say which figures of decided messages differ from those of the rows that chose the rule.

    Parameters
    ----------
    rule, reference, records, texts, confidence_level
        As for `compare`.

    Returns
    -------
    list of dict
        The `table` of a `Drift`.

    Raises
    ------
    ValueError
        As `compare` does.

    Examples
    --------
    >>> from helpers.reference import make_reference
    >>> then = make_reference([2.0, -2.0, -1.0], [1, 0, 0], ["a text"] * 3)
    >>> rule = BinaryThreshold.from_threshold(0.5)
    >>> [row["moved"] for row in drift_table(rule, then, rule.explain([1.0, -1.0]))]
    [False, False, False, False, False]
    """
    level = check_open_unit("confidence_level", confidence_level)
    then = rule.explain(reference.logits)
    check_records(rule, then, records)
    if texts is not None and len(texts) != len(records):
        raise ValueError(f"expected a text for each of {len(records)} records, got {len(texts)}")
    old, new = _shares(rule, then), _shares(rule, records)
    n_lines = len(old) + 2 + 2 * isinstance(rule, YES_NO) + 2 * (texts is not None)
    line = 1 - (1 - level) / n_lines
    table = [_line(name, _share(new[name], line), _share(old[name], line), SHARE) for name in old]
    scores, before = _scores(rule, records), _scores(rule, then)
    table.append(_line(_score_name(rule), _mean(scores, line), _mean(before, line), SURE))
    if texts is not None:
        lengths = np.array([count_words(text) for text in texts])
        unknown = unknown_words(texts, reference.words)
        for what, now, ever, why in (
            ("words a text", lengths, reference.lengths, FORM),
            ("unknown words", unknown, reference.unknown, NEW_WORDS),
        ):
            table.append(_line(what, _mean(now, line), _mean(ever, line), why))
    table.append(_distance("distance of scores", scores, [(before, 1.0)], line, SURE))
    if isinstance(rule, YES_NO):
        y = _both_labels(reference)
        _, rate_then = _base_rate(before, before, y, line)
        _, rate = _base_rate(scores, before, y, line)
        mixed = [(before[y], rate[0]), (before[~y], 1 - rate[0])]
        table.append(_line("base rate", rate, rate_then, "the base rate has moved"))
        table.append(_distance("distance that the base rate leaves", scores, mixed, line, LEFT))
    return table


def figures_without_labels(
    rule: Rule,
    reference: Reference,
    records: Sequence[Record],
    *,
    costs: Costs | RejectCosts | None = None,
    review: float | None = None,
    confidence_level: float = 0.95,
) -> list[dict[str, Any]]:
    """Expect base rate, cost, recall and precision of decided messages from probabilities alone.

    Parameters
    ----------
    rule, reference, records, costs, review, confidence_level
        As for `compare`.

    Returns
    -------
    list of dict
        The `figures` of a `Drift`: for yes/no ``base rate``, ``cost``, ``recall``, ``precision``
        and, where the base rate has moved, ``cost, rule moved``; for one of many ``wrong answers``
        and ``cost``; for many labels the base rate of each.

    Raises
    ------
    ValueError
        As `compare` does.

    Examples
    --------
    >>> from helpers.reference import make_reference
    >>> then = make_reference([2.0, -2.0, -1.0], [1, 0, 0], ["a text"] * 3)
    >>> rule = BinaryThreshold.from_threshold(0.5)
    >>> [row["what"] for row in figures_without_labels(rule, then, rule.explain([1.0, -1.0]))]
    ['base rate', 'cost', 'recall', 'precision']
    """
    level = check_open_unit("confidence_level", confidence_level)
    check_records(rule, rule.explain(reference.logits[:1]), records)
    if isinstance(rule, YES_NO):
        return _yes_no(rule, reference, records, costs, review, level)
    if isinstance(rule, RejectOption):
        return _one_of_many(rule, reference, records, costs, level)
    if costs is not None or review is not None:
        raise ValueError(
            f"no cost without labels is known for a {type(rule).__name__}: leave it out"
        )
    if isinstance(rule, LabelThresholds):
        return _any_of_many(rule, reference, records, level)
    return []  # no figure without labels for sets, or under a cost matrix


SHARE = "the base rate or the texts changed"
SURE = "the network is less sure, or surer, than it was"
OFF = "On the rows of then the same way gives"
FORM = "texts come from elsewhere, or through another form"
NEW_WORDS = "texts tell of something new"
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
        If there are fewer than two, a field is missing, or a cut is another one. Records of sets,
        or of a cost matrix, hold no cut: two such rules cannot be told apart.

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
    if isinstance(rule, LabelThresholds | PredictionSets):
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
    both = isinstance(rule, RejectOption) and np.isfinite(rule.unknown_cut)
    reasons = ["unsure", "unknown"] if both else ["unsure"]
    found = {f'share of "{name}"': said == name for name in rule.label_names}
    return found | {f'share of "{rule.other}", {one}': why == one for one in reasons}


def _scores(rule: Rule, records: Sequence[Record]) -> Floats:
    """Take one number a record: P(1), the confidence, or the probability of the likeliest label."""
    if isinstance(rule, YES_NO):
        return np.array([record["positive_probability"] for record in records], float)
    if isinstance(rule, RejectOption):
        return np.array([record["confidence"] for record in records], float)
    if isinstance(rule, MinimumExpectedCost):
        return np.array([record["probability"] for record in records], float)
    found = [max(record["probability"].values(), default=0.0) for record in records]
    return np.array(found, float)  # an empty set names no label


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
    way = "Apart" if what.startswith("distance") else "Higher" if low > 0 else "Lower"
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


def _both_labels(reference: Reference) -> NDArray[np.bool_]:
    y = reference.labels.astype(bool)
    if y.all() or not y.any():
        raise ValueError("the rows that chose the rule have one label alone: no base rate is known")
    return y


def _base_rate(
    p: Floats, before: Floats, y: NDArray[np.bool_], level: float
) -> tuple[Floats, Interval]:
    """Estimate a base rate, the probabilities shifted so that the rows of then have their own."""
    old, z = float(y.mean()), _logit(before)
    bias = float(brentq(lambda b: sigmoid(z + b).mean() - old, -700, 700))
    shifted = sigmoid(_logit(p) + bias)
    return shifted, estimate_base_rate(shifted, old=old, confidence_level=level)


def _yes_no(
    rule: Any,
    reference: Reference,
    records: Sequence[Record],
    costs: Any,
    review: float | None,
    level: float,
) -> list[dict[str, Any]]:
    """Estimate the base rate, and expect the figures at that rate."""
    y, then = _both_labels(reference), rule.explain(reference.logits)
    scores = _scores(rule, then)
    before, own = _base_rate(scores, scores, y, level)
    p, found = _base_rate(_scores(rule, records), scores, y, level)
    change = _line("", found, own, "")
    rate = (found[0], max(own[0] + change["low"], 0.0), min(own[0] + change["high"], 1.0))
    kept, old = rule.chosen.get("costs"), float(y.mean())
    prices = check_costs(costs or (Costs(**kept) if kept else ONES))
    price = rule.chosen.get("review", 0.0) if review is None else review
    names = (*rule.label_names, getattr(rule, "review", None))
    said, said_then = (
        np.array([names.index(record["label"]) for record in rows]) for rows in (records, then)
    )
    now = _at_rates(p, said, prices, price, old, rate)
    known = _counted(y, said_then, prices, price)
    check = expected_figures(before, said_then, prices, review=price, rng=np.random.default_rng(0))
    figures = [_figure("base rate", old, rate, BASE)]
    for name, meaning in FIGURES.items():
        value, low, high = check[name]
        if known[name] < low or known[name] > high:
            meaning += (
                f" {OFF} {value:.3g}, and their labels show {known[name]:.3g}: the probabilities "
                "are not calibrated near the cut, or these rows flatter it, since they chose it."
            )
        figures.append(_figure(name, known[name], now[name], meaning))
    start = rule.chosen.get("base_rate", {}).get("new", old)
    if isinstance(rule, BinaryThreshold) and not rate[1] <= start <= rate[2]:
        new = float(np.clip(rate[0], TINY, 1 - TINY))
        moved = rule.at_base_rate(old=start, new=new)
        other = moved.decide(rule.temperature * _logit(_scores(rule, records)))
        cost = _at_rates(p, other, prices, price, old, rate)["cost"]
        text = f"With the rule moved: at_base_rate(old={start:.3g}, new={new:.3g})."
        figures.append(_figure("cost, rule moved", float("nan"), cost, text))
    return figures


def _logit(p: Floats) -> Floats:
    return np.asarray(logit(np.clip(p, 1e-300, 1 - 1e-16)))


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
        moved = sigmoid(_logit(p) + shift)
        rng = np.random.default_rng(0)
        found.append(expected_figures(moved, said, costs, review=price, rng=rng))
    spans = {name: np.array([one[name] for one in found]) for name in FIGURES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a figure that is NaN throughout
        return {  # at a rate near 0 no 1 may be drawn: then an end of the rate says nothing
            name: (float(one[0, 0]), float(np.nanmin(one)), float(np.nanmax(one)))
            for name, one in spans.items()
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
    price = price_of_unknown(rule, prices)
    paid_then = prices.of(reference.labels, said, n_classes=n_other)
    cost_then = float(np.where(rule.unknown(reference.logits), price, paid_then).mean())
    rng, wrong = np.random.default_rng(0), 1 - right[given]
    drawn = np.array([np.count_nonzero(rng.random(len(wrong)) < wrong) for _ in range(1000)])
    ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    counts = np.array([wrong.sum(), *ends])
    why = [record["reason"] for record in records]
    spent = prices.error * counts + prices.reject * why.count("unsure")
    spent = (spent + price * why.count("unknown")) / len(records)
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
    """Say in a few sentences what to do."""
    moved = {row["what"]: row for row in table if row["moved"]}
    sample = "Label a random sample, some 200, and report the rule on it."
    off = [row["what"] for row in figures if OFF in row["meaning"]]
    note = ""
    if off:
        note = f" On the rows of then, labels contradict this way's {', '.join(off)}."
    if not moved:
        return f"Nothing has moved beyond chance: keep the rule.{note}"
    only_rate = "base rate" in moved and "distance that the base rate leaves" not in moved
    if not only_rate and moved.keys() & {"distance that the base rate leaves", "unknown words"}:
        return f"The texts themselves have changed: the figures may be wrong. {sample}"
    if not only_rate:
        return f"Moved: {', '.join(moved)}. {sample}{note}"
    said = "The base rate seems to have moved; it explains the scores."
    if isinstance(rule, BinaryThreshold):
        row = moved["base rate"]
        start = rule.chosen.get("base_rate", {}).get("new", row["then"])
        said += (
            " Label a small sample first, as 1s that look like 0s seem just like this; then python "
            f"-m helpers rule FOLDER --old-rate {start:.4g} --new-rate {max(row['now'], TINY):.4g}."
        )
    else:
        said += f" {sample} Then choose the band anew."
    return said + note
