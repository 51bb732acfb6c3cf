"""Yes or no: `BinaryThreshold`. Lesson 01 explains it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, check_bias, check_binary_labels, divided
from .chance import PAIRS, warn_upside_down, wrong_pairs
from .checks import check_temperature, exactly_one, is_real, shown
from .costs import Costs, check_costs
from .floors import check_level, floor_cut, floor_losses, way_of_floors
from .probabilities import binary_logit, logit, prior_shift, sigmoid
from .rule import BaseRule, check_cut, fingerprint
from .search import Sides, check_unused, cost_loss, f_loss


class YesNoRule(BaseRule):
    """What rules of two labels share: one number a row, and its probability."""

    def _scores(self, logits: ArrayLike) -> Floats:
        return divided(binary_logit(logits), self.temperature)

    def probability(self, logits: ArrayLike) -> Floats:
        """Compute P(1) after the temperature.

        Parameters
        ----------
        logits : array_like of float, shape (n,), (n, 1) or (n, 2)

        Returns
        -------
        ndarray of float64, shape (n,)

        Examples
        --------
        >>> BinaryThreshold(cut=0.0, temperature=2.0).probability([0.0, 2.0]).round(3)
        array([0.5  , 0.731])
        """
        return sigmoid(self._scores(logits))


def _search(
    sides: Sides,
    scores: NDArray[np.floating],
    positive: NDArray[np.bool_],
    rows: str,
    *,
    costs: Costs | None,
    min_recall: float | None,
    min_precision: float | None,
    f_beta: float | None,
    confidence_level: float | None,
) -> tuple[float, dict[str, Any]]:
    """Find the best cut, and say how it came about."""
    if costs is not None:
        way, losses = "costs", [cost_loss(check_costs(costs))]
    elif f_beta is not None:
        way, losses = "f_beta", [f_loss(f_beta)]
    else:
        losses = floor_losses(min_recall, min_precision, confidence_level)
        way, _ = exactly_one(**way_of_floors(min_recall, min_precision))
    steps = sides.steps(*losses)
    if steps.mostly_lost():
        warn_upside_down(wrong_pairs(scores, positive), PAIRS, stacklevel=4)
    if costs is not None:
        cut = steps.cheapest(costs)
    elif f_beta is not None:
        cut = steps.best_f(f_beta)
    else:
        cut = floor_cut(steps, scores, positive, min_recall, min_precision, confidence_level)
    given = (("min_recall", min_recall), ("min_precision", min_precision), ("f_beta", f_beta))
    chosen: dict[str, Any] = {
        "method": "search",
        "criterion": way,
        **{name: float(one) for name, one in given if one is not None},
        "n_samples": len(scores),
        "n_positive": int(np.count_nonzero(positive)),
        "fingerprint": rows,
    }
    if costs is not None:
        chosen["costs"] = asdict(costs)
    if confidence_level is not None:
        chosen["confidence_level"] = confidence_level
    return cut, chosen


@dataclass(frozen=True, kw_only=True)
class BinaryThreshold(YesNoRule):
    """Answer 1 where the logit, divided by the temperature, reaches the cut.

    Make one with `choose` (from validation data), `from_costs` (from prices, for calibrated
    probabilities) or `from_threshold` (a probability that somebody decided).

    Parameters
    ----------
    cut : float, or "always" or "never"
        On the scale "logit divided by the temperature"; ``>=`` is positive. "always" is kept as
        ``-inf``, "never" as ``inf``; in JSON the words stand.
    temperature : float, default 1
        Above 0.
    label_names : two str
        Names of 0 and 1, in this order: a set has none and is refused.
    chosen : dict
        How the rule came about, plain JSON: the way, its settings, the size and the `fingerprint`
        of the data.

    Raises
    ------
    ValueError
        If the cut is no number, ``"always"`` or ``"never"``, the temperature is not above 0,
        or there are not two names.

    Examples
    --------
    >>> rule = BinaryThreshold.from_threshold(0.7)
    >>> rule.decide([[3.0, 0.0], [0.0, 3.0]])
    array([0, 1])
    """

    cut: float
    temperature: float = 1.0
    label_names: tuple[str, str] = ("0", "1")
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cut", check_cut(self.cut, "logit"))
        self._check_shared(least=2, most=2)

    # How a rule comes about

    @classmethod
    def from_threshold(
        cls,
        threshold: float,
        *,
        temperature: float = 1.0,
        label_names: tuple[str, str] = ("0", "1"),
    ) -> BinaryThreshold:
        """Make the rule "1 where the probability is at least `threshold`".

        Parameters
        ----------
        threshold : float in [0, 1]
            0 is always, 1 is never. A tie is positive, where an argmax at 0.5 takes the first.
        temperature, label_names
            See the class.

        Returns
        -------
        BinaryThreshold

        Raises
        ------
        ValueError
            If the threshold lies outside [0, 1].

        Examples
        --------
        >>> BinaryThreshold.from_threshold(0.5).cut
        0.0
        """
        if not is_real(threshold) or not 0 <= threshold <= 1:
            raise ValueError(f"a threshold is a probability in [0, 1], got {shown(threshold)}")
        return cls(
            cut=float(logit(threshold)),
            temperature=temperature,
            label_names=label_names,
            chosen={"method": "given", "threshold": float(threshold)},
        )

    @classmethod
    def from_costs(
        cls,
        costs: Costs,
        *,
        temperature: float = 1.0,
        bias: float = 0.0,
        label_names: tuple[str, str] = ("0", "1"),
    ) -> BinaryThreshold:
        """Make the rule that is cheapest if the probabilities are calibrated.

        Parameters
        ----------
        costs : Costs
        temperature, label_names
            See the class.
        bias : float, default 0
            What calibration adds to the logit, as `fit_temperature_and_bias` gives it: the cut
            moves down by it, and the rule's own probabilities stay without it.

        Returns
        -------
        BinaryThreshold

        References
        ----------
        Elkan (2001), The foundations of cost-sensitive learning, IJCAI: predict 1 where
        p >= (c10 - c00) / (c10 - c00 + c01 - c11), with c[predicted][true].

        Examples
        --------
        >>> rule = BinaryThreshold.from_costs(Costs(false_positive=1, false_negative=5))
        >>> round(rule.threshold, 4)
        0.1667
        """
        costs = check_costs(costs)
        return cls(
            cut=float(logit(costs.threshold)) - check_bias("bias", bias, 1)[0],
            temperature=temperature,
            label_names=label_names,
            chosen={"method": "formula", "criterion": "costs", "costs": asdict(costs)},
        )

    @classmethod
    def choose(
        cls,
        logits: ArrayLike,
        labels: ArrayLike,
        *,
        costs: Costs | None = None,
        min_recall: float | None = None,
        min_precision: float | None = None,
        f_beta: float | None = None,
        confidence_level: float | None = None,
        used: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        temperature: float = 1.0,
        label_names: tuple[str, str] = ("0", "1"),
    ) -> BinaryThreshold:
        """Search every cut that validation data can tell apart, and take the best.

        Exactly one of `costs`, `min_recall`, `min_precision`, `f_beta` must be given, or both
        floors.

        Parameters
        ----------
        logits : array_like of float, shape (n,), (n, 1) or (n, 2)
            Validation logits.
        labels : array_like of int, shape (n,)
            0 or 1; both must occur.
        costs : Costs
            Least total cost.
        min_recall : float in (0, 1]
            The highest cut whose recall is at least this.
        min_precision : float in (0, 1]
            The cut of highest recall whose precision is at least this. With `min_recall` as well,
            the recall of that cut must reach its own floor: then no cut that keeps both finds more.
        f_beta : float above 0
            Highest F-beta (1 weighs precision and recall alike, 2 leans to recall).
        confidence_level : float in (0, 1), optional
            With a floor, or both: they shall hold for new messages like these with this
            probability, by exact binomial bounds (see Notes).
        used : array_like of float, shape (m,), (m, 1) or (m, 2), optional
            With `confidence_level`: logits of the rows that something was already chosen on (the
            temperature, the best epoch). Needed for precision where the temperature is not 1.
        sample_weight : array_like of float, shape (n,), optional
            At least 0; not with `confidence_level`.
        temperature, label_names
            See the class.

        Returns
        -------
        BinaryThreshold

        Raises
        ------
        ValueError
            If no way, or more than one, is given; if the input does not fit, or a class is missing;
            if a floor cannot be met (the message names the best that can, and for both floors the
            pairs that can); for a promise, if rows were used before.

        Warns
        -----
        UserWarning
            If the logits of 1s are the lower ones, beyond chance: are two labels swapped?

        Notes
        -----
        Equal costs (to 1e-12) form plateaus of cuts; the middle of the widest is taken, the lower
        of two equally wide ones. A plateau without end gives always or never. Time is
        that of sorting, O(n log n).

        Recall with `confidence_level`: the cut falls at the k-th smallest positive logit, k the
        largest with P(Binomial(n_positive, 1 - min_recall) >= k) >= confidence_level. This is the
        distribution-free tolerance bound (Wilks 1941): it allows for the cut's having been read off
        the data. A temperature changes nothing about it, as it leaves the order of the logits.

        Precision with `confidence_level`: 19 thresholds, .05 to .95 by .05, fixed before the data
        are seen; the lowest that is proven by the fallback procedure is taken, on the exact
        binomial test of each (`RejectOption.choose` has the argument: here a mistake is a false
        alarm, and the risk one minus the precision).

        Both with `confidence_level`: half of the chance of error goes to each floor. Precision is
        proven as above on its half, over the 19 thresholds and "always", which has the recall 1.
        Recall is tested at each of these cuts on the other half, each test at the full half: recall
        falls as cuts rise, so some cut of too low a recall passes only where the lowest such cut
        does, one test. By the union bound all cuts that pass both hold both at once with the
        confidence asked for, so the choice among them is free: the lowest is taken.

        Examples
        --------
        >>> z, y = [-3.0, -1.0, 0.0, 2.0], [0, 1, 0, 1]
        >>> BinaryThreshold.choose(z, y, costs=Costs(false_positive=1, false_negative=20)).cut
        -2.0
        >>> BinaryThreshold.choose(z, y, costs=Costs(false_positive=3, false_negative=1)).cut
        1.0
        >>> BinaryThreshold.choose(z, y, min_recall=0.5, min_precision=0.6).cut
        -2.0
        """
        floors = way_of_floors(min_recall, min_precision)
        way, _ = exactly_one(costs=costs, **floors, f_beta=f_beta)
        confidence_level = check_level(way, confidence_level, used)
        if confidence_level is not None and sample_weight is not None:
            raise ValueError(
                "confidence_level counts messages: it cannot be had with sample_weight"
            )
        margin = binary_logit(logits)
        positive = check_binary_labels(labels, len(margin))
        temperature = check_temperature(temperature)
        scores = divided(margin, temperature)
        sure_precision = min_precision is not None and confidence_level is not None
        before = None if used is None else binary_logit(used, "used")
        check_unused(margin, before, temperature if sure_precision else None)
        cut, chosen = _search(
            Sides.of(scores, positive, sample_weight),
            scores,
            positive,
            fingerprint(margin, positive),
            costs=costs,
            min_recall=min_recall,
            min_precision=min_precision,
            f_beta=f_beta,
            confidence_level=confidence_level,
        )
        return cls(cut=cut, temperature=temperature, label_names=label_names, chosen=chosen)

    @classmethod
    def choose_in_place(
        cls,
        scores: NDArray[np.floating],
        n_positive: int,
        rows: str,
        *,
        costs: Costs | None = None,
        min_recall: float | None = None,
        min_precision: float | None = None,
        f_beta: float | None = None,
        confidence_level: float | None = None,
        label_names: tuple[str, str] = ("0", "1"),
    ) -> BinaryThreshold:
        """Choose the rule that `choose` does, where memory holds the scores once and little more.

        Parameters
        ----------
        scores : ndarray of float32 or float64, shape (n,)
            Finite; those of the positives come first. Both parts are sorted where they are.
        n_positive : int
        rows : str
            The `fingerprint` of the rows.
        costs, min_recall, min_precision, f_beta, confidence_level, label_names
            See `choose`.

        Returns
        -------
        BinaryThreshold
            Without a temperature.

        Raises
        ------
        ValueError
            As `choose`.

        Examples
        --------
        >>> z = np.array([-1.0, 2.0, -3.0, 0.0])
        >>> BinaryThreshold.choose_in_place(z, 2, "", min_recall=1.0).cut
        -2.0
        """
        floors = way_of_floors(min_recall, min_precision)
        way = exactly_one(costs=costs, **floors, f_beta=f_beta)[0]
        confidence_level = check_level(way, confidence_level, None)
        positive = np.arange(len(scores)) < n_positive
        cut, chosen = _search(
            Sides.in_place(scores[:n_positive], scores[n_positive:]),
            scores,
            positive,
            rows,
            costs=costs,
            min_recall=min_recall,
            min_precision=min_precision,
            f_beta=f_beta,
            confidence_level=confidence_level,
        )
        return cls(cut=cut, label_names=label_names, chosen=chosen)

    def at_base_rate(self, *, old: float, new: float) -> BinaryThreshold:
        """Carry the rule over to a known change of the base rate.

        Parameters
        ----------
        old, new : float in (0, 1)
            Share of positives where the rule was chosen, and where it will be used.

        Returns
        -------
        BinaryThreshold
            With its cut moved by minus `prior_shift`: the same decisions as adding the shift to the
            logits, after division by the temperature. Its `threshold` is on the old probabilities.

        Raises
        ------
        ValueError
            If a rate is no number strictly between 0 and 1, or the rule holds a promise: its cut
            is the one that was proven.

        Examples
        --------
        >>> rule = BinaryThreshold.from_threshold(0.5)
        >>> round(rule.at_base_rate(old=0.1, new=0.5).threshold, 3)
        0.1
        """
        shift = prior_shift(old=old, new=new)
        if "confidence_level" in self.chosen:
            raise ValueError(
                "a promise holds for the cut that was proven, not for a shifted one: at another "
                "base rate a recall stands as it is, and a precision has to be proven anew"
            )
        chosen = {**self.chosen, "base_rate": {"old": float(old), "new": float(new)}}
        return replace(self, cut=self.cut - shift, chosen=chosen)

    # How a rule is applied

    @property
    def threshold(self) -> float:
        """The cut as a probability (after temperature), for reading; 0 for always, 1 for never."""
        return float(sigmoid(self.cut))

    def decide(self, logits: ArrayLike) -> NDArray[np.int64]:
        """Answer 0 or 1 for each row.

        Parameters
        ----------
        logits : array_like of float, shape (n,), (n, 1) or (n, 2)

        Returns
        -------
        ndarray of int64, shape (n,)

        Raises
        ------
        ValueError
            If the array cannot be logits of a yes/no head.

        Notes
        -----
        The comparison is made on the logit scale in float64; a logit at the cut is positive.

        Examples
        --------
        >>> BinaryThreshold(cut=1.0).decide([0.9, 1.0, 1.1])
        array([0, 1, 1])
        """
        return (self._scores(logits) >= self.cut).astype(np.int64)

    def explain(self, logits: ArrayLike) -> list[dict[str, Any]]:
        """Give each decision with its reasons.

        Parameters
        ----------
        logits : array_like of float, shape (n,), (n, 1) or (n, 2)

        Returns
        -------
        list of dict
            One a row: ``label`` (the answer), ``positive_label`` and ``positive_probability`` (the
            name of 1 and its probability, whatever the answer is), ``threshold``, ``accepted``
            (whether the threshold was reached).

        Examples
        --------
        >>> rule = BinaryThreshold.from_threshold(0.5, label_names=("wait", "urgent"))
        >>> record = rule.explain([-3.0])[0]
        >>> record["label"], record["positive_label"], round(record["positive_probability"], 3)
        ('wait', 'urgent', 0.047)
        """
        threshold = self.threshold
        return [
            {
                "label": self.label_names[answer],
                "positive_label": self.label_names[1],
                "positive_probability": float(p),
                "threshold": threshold,
                "accepted": bool(answer),
            }
            for p, answer in zip(self.probability(logits), self.decide(logits), strict=True)
        ]
