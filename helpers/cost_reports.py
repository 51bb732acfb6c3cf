"""Put rules for one of many labels side by side under a cost matrix, on data that chose none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.evaluation import share
from helpers.portable.arrays import check_class_logits, check_labels_or_other
from helpers.portable.cost_matrix import CostMatrix, check_cost_matrix
from helpers.portable.decisions import MinimumExpectedCost, RejectOption
from helpers.portable.rule import fingerprint
from helpers.reports import _check_reference, _check_rules, _chosen_here, _compared


def report_cost_matrix(
    rules: Mapping[str, MinimumExpectedCost | RejectOption],
    logits: ArrayLike,
    labels: ArrayLike,
    costs: CostMatrix,
    *,
    rng: np.random.Generator,
    reference: str | None = None,
    seen: bool = False,
) -> list[dict[str, Any]]:
    """Put rules side by side under any costs on data that chose none of them.

    Parameters
    ----------
    rules : mapping of str to MinimumExpectedCost or RejectOption
    logits : array_like of float, shape (n, n_classes)
    labels : array_like of int, shape (n,)
        Class indices; ``n_classes`` for a message that belongs to no class.
    costs : CostMatrix
    rng : numpy.random.Generator
        For the intervals.
    reference : str, optional
        Name of the rule that the others are compared with; by default the first.
    seen : bool, default False
        Report even where these very rows chose a rule; each such row is then stamped.

    Returns
    -------
    list of dict
        One a rule: ``rule``, ``coverage``, ``risk`` (share of the answered that is wrong; NaN if
        none is answered), ``cost`` (a message), ``difference`` to the reference with its paired
        bootstrap interval ``low``, ``high`` (95 %), ``note``.

    Raises
    ------
    ValueError
        If these rows chose one of the rules and `seen` is False, the reference is not a rule, a
        rule answers what the costs do not price, or logits and labels are not what they should be.

    Examples
    --------
    >>> z, y = [[2.0, 0.0], [0.1, 0.0]], [0, 1]
    >>> costs = CostMatrix(costs=[[0, 9, 1], [2, 0, 1]])
    >>> rules = {
    ...     "likeliest": RejectOption.from_threshold(0, label_names=("bin", "tax")),
    ...     "cheapest": MinimumExpectedCost(costs=costs, label_names=("bin", "tax")),
    ... }
    >>> table = report_cost_matrix(rules, z, y, costs, rng=np.random.default_rng(0))
    >>> [row["cost"] for row in table]
    [1.0, 1.0]
    """
    _check_rules(rules, (MinimumExpectedCost, RejectOption))
    reference = _check_reference(rules, reference)
    z = check_class_logits(logits)
    n_classes = z.shape[1]
    costs = check_cost_matrix(costs, n_classes)
    true = check_labels_or_other(labels, len(z), n_classes)
    notes = _chosen_here(rules, fingerprint(z, true), seen)
    said = {name: rule.decide(z) for name, rule in rules.items()}
    figures = _compared({name: costs.of(true, one) for name, one in said.items()}, reference, rng)
    table = []
    for name in rules:
        answered = said[name] < n_classes
        wrong = answered & (said[name] != true)
        table.append(
            {
                "rule": name,
                "coverage": float(answered.mean()),
                "risk": share(int(wrong.sum()), int(answered.sum())),
                **figures[name],
                "note": notes[name],
            }
        )
    return table
