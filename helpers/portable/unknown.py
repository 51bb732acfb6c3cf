"""The second cut of `RejectOption`: which messages are unknown, not just unsure."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from numpy.typing import ArrayLike

from .arrays import check_class_logits, check_labels_or_other, divided
from .checks import check_share, exactly_one, shown
from .costs import RejectCosts, check_price, check_reject_costs
from .probabilities import confidence
from .reject import RejectOption
from .reject_search import cheapest_reject, check_has_energy, cut_for_coverage
from .rule import ALWAYS, NEVER, fingerprint


def price_of_unknown(rule: RejectOption, costs: RejectCosts) -> float:
    """Tell what it costs that a rule calls a message unknown.

    Parameters
    ----------
    rule : RejectOption
    costs : RejectCosts

    Returns
    -------
    float
        The price that chose the second cut; without one ``costs.reject``.

    Examples
    --------
    >>> price_of_unknown(RejectOption(cut=0.6, label_names=("a", "b")), RejectCosts(reject=0.4))
    0.4
    """
    return float(rule.chosen.get("unknown", {}).get("price", costs.reject))


def choose_unknown_cut(
    rule: RejectOption,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    max_lost: float | None = None,
    costs: RejectCosts | None = None,
    price: float | None = None,
) -> RejectOption:
    """Choose the second cut of a rule on validation data, the first one as it is.

    Parameters
    ----------
    rule : RejectOption
    logits : array_like of float, shape (n, n_classes)
    labels : array_like of int, shape (n,)
        Class indices; ``n_classes`` for a message that belongs to no class.
    max_lost : float in [0, 1], optional
        Take the highest cut that calls at most this share of the known messages unknown.
    costs : RejectCosts, optional
        Or take the cheapest of all second cuts; this needs messages that belong to no class.
    price : float, optional
        With `costs`: what it costs to call a message unknown; by default ``costs.reject``.

    Returns
    -------
    RejectOption
        With `unknown_cut`; ``chosen["unknown"]`` says how it came about.

    Raises
    ------
    ValueError
        If not exactly one way is given, the input does not fit, the rows it needs are not there,
        the logits are logs of probabilities, which have no energy, or the rule keeps a promise:
        that was proven for the first cut alone.

    Notes
    -----
    What a row costs under the first cut, less the price, is what it costs to keep the row. So the
    second cut is searched as the first one is, O(n log n), and is the best for this first cut; both
    together may have a better pair. The score is minus the energy, ``log(sum(exp(z)))``: it keeps
    how large the logits are, which softmax divides away. A network is surer on the rows that it was
    trained on, so take others.

    References
    ----------
    Liu, Wang, Owens, Li (2020), Energy-based out-of-distribution detection, NeurIPS.

    Examples
    --------
    >>> rule = RejectOption(cut=0.6, label_names=("a", "b"))
    >>> z, y = [[5.0, 0.0], [0.0, 4.0], [1.0, -1.0], [0.0, 1.0]], [0, 1, 2, 2]
    >>> both = choose_unknown_cut(rule, z, y, costs=RejectCosts(reject=0.4))
    >>> [record["reason"] for record in both.explain(z)]
    ['answered', 'answered', 'unknown', 'unknown']
    """
    if not isinstance(rule, RejectOption):
        raise ValueError(f"a second cut is for a RejectOption, got {shown(rule)}")
    way, value = exactly_one(max_lost=max_lost, costs=costs)
    if price is not None and way != "costs":
        raise ValueError("price goes with costs, not with max_lost")
    if rule.chosen.get("criterion") == "max_risk":
        raise ValueError(
            "this rule promises a risk, which was proven without a second cut: choose it by costs "
            "or coverage"
        )
    first = replace(rule, unknown_cut=ALWAYS).decide(logits)
    z = check_class_logits(logits)
    true = check_labels_or_other(labels, len(z), z.shape[1])
    known = true < z.shape[1]
    check_has_energy(z)
    energy = confidence(divided(z, rule.temperature), measure="energy")
    about: dict[str, Any] = {"criterion": way, "n_samples": len(z)}
    if way == "costs":
        if known.all():
            raise ValueError("a cut by costs needs messages that belong to no class, got none")
        costs = check_reject_costs(value)
        price = costs.reject if price is None else check_price("price", price)
        spent = costs.of(true, first, n_classes=z.shape[1])
        cut = cheapest_reject(energy, spent - price)
        about |= {"costs": asdict(costs), "price": price}
    else:
        share = check_share("max_lost", value)
        if not known.any():
            raise ValueError("max_lost is a share of known messages, got none")
        cut = NEVER if share == 1 else cut_for_coverage(energy[known], 1 - share)
        about["max_lost"] = share
    about["fingerprint"] = fingerprint(z, true)
    return replace(rule, unknown_cut=cut, chosen={**rule.chosen, "unknown": about})
