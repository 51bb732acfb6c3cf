"""One label of many, or Other, under any costs: `MinimumExpectedCost`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import (
    Floats,
    check_bias,
    check_class_logits,
    check_labels_or_other,
    check_one_a_label,
    divided,
)
from .bias_search import repair
from .chance import warn_swapped, wrong_answers
from .checks import shown
from .cost_matrix import CostMatrix, check_cost_matrix
from .probabilities import softmax
from .rule import BaseRule, fingerprint


@dataclass(frozen=True, kw_only=True)
class MinimumExpectedCost(BaseRule):
    """Give the answer that costs least in the mean, by the probability of each class.

    Make one with `from_costs` (for calibrated probabilities) or `choose` (from validation data,
    which repair the calibration first).

    Parameters
    ----------
    costs : CostMatrix
        A column beyond the classes is the reject, answered as `other`.
    label_names : sequence of str, length n_classes
        In the order of the network's logits.
    other : str, default "Other"
        Name of the answer that is no label.
    temperature : float, default 1
        Above 0.
    bias : sequence of float, length n_classes, optional
        Added to "logit divided by the temperature"; by default zeros.
    chosen : dict
        How the rule came about, as for `RejectOption`; ``bias`` says what the bias was fitted for,
        ``"none"``, ``"log_loss"`` or ``"cost"``.

    Raises
    ------
    ValueError
        If the costs are no `CostMatrix` of as many classes as there are names, the bias is not one
        finite number a class, the temperature is not above 0, or the name for Other is a label's.

    Notes
    -----
    As an index Other is ``n_classes``, as for `RejectOption`. Of answers that cost the same the
    first one is given.

    Examples
    --------
    >>> costs = CostMatrix(costs=[[0, 9, 1], [2, 0, 1]])
    >>> rule = MinimumExpectedCost(costs=costs, label_names=("bin", "tax"))
    >>> rule.decide([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    array([0, 2, 1])
    """

    costs: CostMatrix
    label_names: tuple[str, ...]
    other: str = "Other"
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        self._check_shared(least=2)
        k = len(self.label_names)
        if isinstance(self.costs, Mapping):  # as JSON holds them
            if set(self.costs) != {"costs", "unknown"}:
                raise ValueError(f"costs must have costs and unknown, got {sorted(self.costs)}")
            object.__setattr__(self, "costs", CostMatrix(**self.costs))
        check_cost_matrix(self.costs, k)
        bias = check_bias("bias", self.bias, k) if len(self.bias) else (0.0,) * k
        object.__setattr__(self, "bias", bias)
        if not isinstance(self.other, str) or self.other in self.label_names:
            raise ValueError(
                f"the name for Other must be a string that is no label, got {shown(self.other)}: "
                "take another name"
            )

    # How a rule comes about

    @classmethod
    def from_costs(
        cls,
        costs: CostMatrix,
        *,
        label_names: Sequence[str],
        other: str = "Other",
        temperature: float = 1.0,
        bias: Sequence[float] = (),
    ) -> MinimumExpectedCost:
        """Make the rule that is cheapest if the probabilities are calibrated.

        Parameters
        ----------
        costs : CostMatrix
        label_names, other, temperature, bias
            See the class; `fit_temperature_and_bias` gives the last two.

        Returns
        -------
        MinimumExpectedCost

        Raises
        ------
        ValueError
            As for the class.

        Warns
        -----
        UserWarning
            With the answers that are never the cheapest, whatever the probabilities.

        References
        ----------
        Chow (1970), On optimum recognition error and reject tradeoff, IEEE Transactions on
        Information Theory 16. Elkan (2001), The foundations of cost-sensitive learning, IJCAI.

        Examples
        --------
        >>> rule = MinimumExpectedCost.from_costs(
        ...     CostMatrix(costs=[[0, 9], [2, 0]]), label_names=("bin", "tax")
        ... )
        >>> rule.decide([[0.0, 1.0]])  # 0.27 x 9 against 0.73 x 2
        array([0])
        """
        rule = cls(
            costs=costs,
            label_names=cast(Any, label_names),
            other=other,
            temperature=temperature,
            bias=cast(Any, bias),
            chosen={"method": "formula", "criterion": "costs"},
        )
        rule._warn_never()
        return rule

    @classmethod
    def choose(
        cls,
        logits: ArrayLike,
        labels: ArrayLike,
        *,
        costs: CostMatrix,
        label_names: Sequence[str] | None = None,
        other: str = "Other",
    ) -> MinimumExpectedCost:
        """Repair the calibration on validation data, then take the formula.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)
            As the network gives them: the temperature is fitted here.
        labels : array_like of int, shape (n,)
            Class indices; ``n_classes`` for a message that belongs to no class, which needs the row
            `unknown` of the costs.
        costs : CostMatrix
        label_names, other
            See the class. Without names the classes are called "0", "1" and so on.

        Returns
        -------
        MinimumExpectedCost

        Raises
        ------
        ValueError
            If the input does not fit, there is no row with a class, or rows of no class have no
            costs.

        Warns
        -----
        UserWarning
            With the answers that are never the cheapest; if two labels seem to be swapped; as
            `fit_temperature` does.

        Notes
        -----
        Against a fit to chance, a bias is kept only where rows that were held out gain by it beyond
        two standard errors; otherwise the rule is the formula with a temperature. `repair` has the
        procedure, and the tests its figures: what it gains where the network is off, and that it
        loses nothing where it is not.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> y = rng.integers(0, 3, 300)
        >>> z = rng.normal(0, 1, (300, 3)) + 2 * np.eye(3)[y]
        >>> costs = CostMatrix(costs=5 * (1 - np.eye(3)))
        >>> off = MinimumExpectedCost.choose(z + [2.0, 0.0, 0.0], y, costs=costs)
        >>> off.chosen["bias"], off.bias[0] < -1
        ('log_loss', True)
        """
        z = check_class_logits(logits)
        k = z.shape[1]
        true = check_labels_or_other(labels, len(z), k)
        costs = check_cost_matrix(costs, k)
        known = true < k
        if not known.any():
            raise ValueError(
                f"choosing needs at least one message that belongs to a class, got {len(z)} that "
                "do not"
            )
        names = tuple(map(str, range(k))) if label_names is None else tuple(label_names)
        rule = cls(costs=costs, label_names=names, other=other)  # refuses names before any fit
        costs.rows_of(true)
        rule._warn_never()
        best = z.argmax(axis=1)
        if wrong_answers(true[known], best[known]) is None:  # else all is upside down
            warn_swapped(true[known], best[known], rule.label_names)
        temperature, bias, fitted = repair(z, true, costs)
        chosen = {
            "method": "search",
            "criterion": "costs",
            "bias": fitted,
            "n_samples": len(z),
            "n_other": int(np.count_nonzero(~known)),
            "fingerprint": fingerprint(z, true),
        }
        return cls(
            costs=costs,
            label_names=rule.label_names,
            other=other,
            temperature=temperature,
            bias=tuple(bias.tolist()),
            chosen=chosen,
        )

    def _warn_never(self) -> None:
        names = (*self.label_names, self.other)
        if never := [names[a] for a in self.costs.never_cheapest()]:
            warnings.warn(
                f"never the cheapest answer under these costs, whatever the probabilities: "
                f"{', '.join(never)}",
                stacklevel=3,
            )

    # How a rule is applied

    def probability(self, logits: ArrayLike) -> Floats:
        """Compute the probability of each class, after temperature and bias.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        ndarray of float64, shape (n, n_classes)

        Raises
        ------
        ValueError
            If the array cannot be logits of a network with these labels.

        Examples
        --------
        >>> rule = MinimumExpectedCost(
        ...     costs=CostMatrix(costs=[[0, 9], [2, 0]]), label_names=("bin", "tax"), bias=(1, 0)
        ... )
        >>> rule.probability([[0.0, 1.0]])
        array([[0.5, 0.5]])
        """
        z = check_class_logits(logits)
        check_one_a_label(z, len(self.label_names))
        return softmax(divided(z, self.temperature) + self.bias)

    def decide(self, logits: ArrayLike) -> NDArray[np.int64]:
        """Answer a class index, or ``n_classes`` for Other, for each row.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        ndarray of int64, shape (n,)

        Raises
        ------
        ValueError
            If the array cannot be logits of a network with these labels.

        Examples
        --------
        >>> costs = CostMatrix(costs=[[0, 9, 1], [2, 0, 1]])
        >>> MinimumExpectedCost(costs=costs, label_names=("bin", "tax")).decide([[0.0, 0.0]])
        array([0])
        """
        return self.costs.expected(self.probability(logits)).argmin(axis=1).astype(np.int64)

    def explain(self, logits: ArrayLike) -> list[dict[str, Any]]:
        """Give each decision with its reasons.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        list of dict
            One a row: ``label`` (the name that is answered, or that of Other), ``best`` (the most
            likely label, answered or not), ``probability`` (of that label, after temperature and
            bias), ``expected_cost`` (of the answer), ``second`` and ``second_cost`` (the next
            cheapest answer), ``accepted`` (False for Other), ``reason`` ("answered" or "unsure").

        Examples
        --------
        >>> costs = CostMatrix(costs=[[0, 9, 1], [2, 0, 1]])
        >>> rule = MinimumExpectedCost(costs=costs, label_names=("bin", "tax"))
        >>> record = rule.explain([[0.0, 1.0]])[0]
        >>> record["label"], record["expected_cost"], record["second"], record["reason"]
        ('Other', 1.0, 'bin', 'unsure')
        """
        p = self.probability(logits)
        expected = self.costs.expected(p)
        names = (*self.label_names, self.other)
        order = np.argsort(expected, axis=1, kind="stable")[:, :2]
        records = []
        for row, (answer, second) in enumerate(order.tolist()):
            best = int(p[row].argmax())
            cost, next_cost = float(expected[row, answer]), float(expected[row, second])
            records.append(
                {
                    "label": names[answer],
                    "best": names[best],
                    "probability": float(p[row, best]),
                    "expected_cost": cost,
                    "second": names[second],
                    "second_cost": next_cost,
                    "accepted": answer < p.shape[1],
                    "reason": "answered" if answer < p.shape[1] else "unsure",
                }
            )
        return records
