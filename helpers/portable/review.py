"""Yes, no, or a person reads: `ReviewBand`. Lesson 01 explains it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import check_binary_labels, divided
from .binary import YesNoRule
from .chance import PAIRS, warn_upside_down, wrong_pairs
from .checks import (
    check_names,
    check_open_unit,
    check_share,
    check_temperature,
)
from .costs import Costs, check_costs, check_price
from .pairs import Pairs, promised_pair
from .probabilities import binary_logit, logit, sigmoid
from .rule import check_cut, fingerprint
from .search import Steps, check_unused


@dataclass(frozen=True, kw_only=True)
class ReviewBand(YesNoRule):
    """Answer 0 below the low cut, 1 from the high cut on; a person reads what lies between.

    Make one with `choose` (from validation data) or `from_costs` (from prices, for calibrated
    probabilities).

    Parameters
    ----------
    low, high : float, or "always" or "never"
        On the scale "logit divided by the temperature", ``low <= high``. 0 is answered where
        ``z < low``, 1 where ``z >= high``. Equal cuts leave nothing to read.
    temperature : float, default 1
        Above 0.
    label_names : two str
        Names of 0 and 1.
    review : str, default "review"
        What the rule answers where a person shall read; none of the two names.
    chosen : dict
        How the rule came about, as for `BinaryThreshold`.

    Raises
    ------
    ValueError
        If a cut is none, they stand the wrong way round, or the names do not fit.

    Examples
    --------
    >>> rule = ReviewBand(low=-1.0, high=2.0)
    >>> rule.decide([-3.0, 0.0, 2.0])
    array([0, 2, 1])
    """

    low: float
    high: float
    temperature: float = 1.0
    label_names: tuple[str, str] = ("0", "1")
    review: str = "review"
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, check_cut(getattr(self, name), "logit"))
        if self.low > self.high:
            raise ValueError(f"low must be at most high, got {self.low} and {self.high}")
        self._check_shared(least=2, most=2)
        check_names("label_names and review", (*self.label_names, self.review), least=3)

    # How a rule comes about

    @classmethod
    def from_costs(
        cls,
        costs: Costs,
        *,
        review: float,
        temperature: float = 1.0,
        label_names: tuple[str, str] = ("0", "1"),
        review_name: str = "review",
    ) -> ReviewBand:
        """Make the rule that is cheapest if the probabilities are calibrated.

        Parameters
        ----------
        costs : Costs
        review : float
            What it costs that a person reads a message, whatever it is. At least 0.
        temperature, label_names
            See the class.
        review_name : str
            The class's `review`.

        Returns
        -------
        ReviewBand

        Raises
        ------
        ValueError
            If a cost is none, or a right answer costs as much as the mistake beside it.

        Notes
        -----
        0 costs ``p fn + (1 - p) tn``, 1 costs ``p tp + (1 - p) fp``, a reading costs `review`. Each
        pair of them is equal at one p; where a reading is nowhere the cheapest, both cuts are that
        of `Costs.threshold`.

        References
        ----------
        Chow (1970), On optimum recognition error and reject tradeoff, IEEE Transactions on
        Information Theory 16; with two prices instead of one.

        Examples
        --------
        >>> costs = Costs(false_positive=1, false_negative=20)
        >>> np.round(ReviewBand.from_costs(costs, review=0.5).thresholds, 3).tolist()
        [0.025, 0.5]
        >>> dear = ReviewBand.from_costs(costs, review=1)
        >>> dear.low == dear.high
        True
        """
        costs, price = check_costs(costs), check_price("review", review)
        no = costs.false_negative - costs.true_negative
        yes = costs.false_positive - costs.true_positive
        if no <= 0 or yes <= 0:
            raise ValueError(
                "a band by formula needs a miss that costs more than a right 0, and a false alarm "
                f"that costs more than a right 1, got {costs}"
            )
        low = high = costs.threshold
        first = (price - costs.true_negative) / no  # from here on a reading is cheaper than 0
        last = (costs.false_positive - price) / yes  # from here on 1 is cheaper than a reading
        if first < last:
            low, high = max(first, 0.0), min(last, 1.0)
        return cls(
            low=float(logit(low)),
            high=float(logit(high)),
            temperature=temperature,
            label_names=label_names,
            review=review_name,
            chosen={
                "method": "formula",
                "criterion": "review",
                "review": price,
                "costs": asdict(costs),
            },
        )

    @classmethod
    def choose(
        cls,
        logits: ArrayLike,
        labels: ArrayLike,
        *,
        costs: Costs | None = None,
        review: float | None = None,
        max_review: float | None = None,
        max_false_omission: float | None = None,
        max_false_discovery: float | None = None,
        confidence_level: float | None = None,
        used: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        temperature: float = 1.0,
        label_names: tuple[str, str] = ("0", "1"),
        review_name: str = "review",
    ) -> ReviewBand:
        """Search every pair of cuts that validation data can tell apart, and take the best.

        Give `costs` with `review` or with `max_review`; or a promise: `max_false_omission` with
        `max_false_discovery` and `confidence_level`.

        Parameters
        ----------
        logits : array_like of float, shape (n,), (n, 1) or (n, 2)
            Validation logits.
        labels : array_like of int, shape (n,)
            0 or 1; both must occur.
        costs : Costs
            What the two mistakes cost.
        review : float
            What it costs that a person reads a message: the least total cost.
        max_review : float in [0, 1]
            The share of messages that people can read: the least total cost of mistakes with no
            more than that in the band.
        max_false_omission : float in (0, 1)
            At most this share of the messages that are answered 0 are 1s.
        max_false_discovery : float in (0, 1)
            At most this share of the messages that are answered 1 are 0s.
        confidence_level : float in (0, 1)
            Both shall hold at once for new messages like these with this probability.
        used : array_like of float, optional
            With a promise, as for `BinaryThreshold.choose`: needed where the temperature is not 1.
        sample_weight : array_like of float, shape (n,), optional
            At least 0; not with a promise. A share of messages is then one of their weight.
        temperature, label_names
            See the class.
        review_name : str
            The class's `review`.

        Returns
        -------
        ReviewBand

        Raises
        ------
        ValueError
            If the options do not make one way, the input does not fit, a class is missing, rows of
            a promise were used before, or neither side can be promised.

        Warns
        -----
        UserWarning
            If the logits of 1s are the lower ones, beyond chance: are two labels swapped?

        Notes
        -----
        The total cost is a sum of one part that hangs on the low cut and one that hangs on the high
        cut. With `review`, a running minimum over the low cuts gives the best partner of each high
        cut; with `max_review`, the best partner of each low cut is the highest within reach. Both
        are exact, and take the time of sorting, O(n log n). Of equal pairs one in the middle of
        the widest plateau is taken.

        A promise tests 19 fixed cuts on either side, .05 to .95 by .05, as
        `BinaryThreshold.choose` does for precision, each side with half of the allowed chance of
        error; so all pairs of proven cuts hold at once, and the one with the fewest messages to
        read is taken. A side of which nothing can be proven is never answered.

        Examples
        --------
        >>> z, y = [-3.0, -1.0, 0.0, 1.0, 3.0], [0, 0, 1, 0, 1]
        >>> costs = Costs(false_positive=1, false_negative=1)
        >>> ReviewBand.choose(z, y, costs=costs, review=0.1).decide(z)
        array([0, 0, 2, 2, 1])
        >>> ReviewBand.choose(z, y, costs=costs, max_review=0.2).decide(z)
        array([0, 0, 1, 1, 1])
        """
        promise = (max_false_omission, max_false_discovery, confidence_level)
        way = _way(costs, review, max_review, promise)
        margin = binary_logit(logits)
        positive = check_binary_labels(labels, len(margin))
        temperature = check_temperature(temperature)
        scores = divided(margin, temperature)
        if used is not None and way != "promise":
            raise ValueError("used goes with a promise")
        if sample_weight is not None and way == "promise":
            raise ValueError("a promise counts messages: it cannot be had with sample_weight")
        before = None if used is None else binary_logit(used, "used")
        check_unused(margin, before, temperature if way == "promise" else None)
        chosen: dict[str, Any] = {"method": "search", "criterion": way}
        if way == "promise":
            omission, discovery, level = (
                check_open_unit(name, value)  # type: ignore[arg-type]
                for name, value in zip(PROMISE, promise, strict=True)
            )
            mostly_lost = Steps.of(scores, positive, None).mostly_lost()
            low, high = promised_pair(scores, positive, omission, discovery, level)
            chosen |= dict(zip(PROMISE, (omission, discovery, level), strict=True))
        else:
            prices = check_costs(costs)
            pairs = Pairs(scores, positive, sample_weight, prices)
            mostly_lost = pairs.mostly_lost
            if way == "review":
                chosen[way] = price = check_price("review", review)
                low, high = pairs.cheapest(price)
            else:
                chosen[way] = share = check_share("max_review", max_review)
                low, high = pairs.within(share)
            chosen["costs"] = asdict(prices)
        if mostly_lost:
            warn_upside_down(wrong_pairs(scores, positive), PAIRS)
        chosen |= {
            "n_samples": len(scores),
            "n_positive": int(positive.sum()),
            "fingerprint": fingerprint(margin, positive),
        }
        return cls(
            low=low,
            high=high,
            temperature=temperature,
            label_names=label_names,
            review=review_name,
            chosen=chosen,
        )

    # How a rule is applied

    @property
    def thresholds(self) -> tuple[float, float]:
        """The two cuts as probabilities (after temperature), for reading."""
        return float(sigmoid(self.low)), float(sigmoid(self.high))

    def decide(self, logits: ArrayLike) -> NDArray[np.int64]:
        """Answer 0 or 1 for each row, or 2 where a person shall read it.

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

        Examples
        --------
        >>> ReviewBand(low=0.0, high=1.0).decide([-0.1, 0.0, 1.0])
        array([0, 2, 1])
        """
        z = self._scores(logits)
        return np.where(z >= self.high, 1, np.where(z < self.low, 0, 2)).astype(np.int64)

    def explain(self, logits: ArrayLike) -> list[dict[str, Any]]:
        """Give each decision with its reasons.

        Parameters
        ----------
        logits : array_like of float, shape (n,), (n, 1) or (n, 2)

        Returns
        -------
        list of dict
            One a row: ``label`` (a name, or `review`), ``positive_label`` and
            ``positive_probability`` (the name of 1 and its probability, whatever the answer is),
            ``low_threshold``, ``high_threshold``, ``accepted`` (False where a person shall read),
            ``reason`` ("answered", or "unsure" between the cuts).

        Examples
        --------
        >>> rule = ReviewBand(low=-1.0, high=1.0, label_names=("wait", "urgent"))
        >>> record = rule.explain([0.0])[0]
        >>> record["label"], record["positive_probability"], record["accepted"]
        ('review', 0.5, False)
        """
        low, high = self.thresholds
        names = (*self.label_names, self.review)
        return [
            {
                "label": names[answer],
                "positive_label": self.label_names[1],
                "positive_probability": float(p),
                "low_threshold": low,
                "high_threshold": high,
                "accepted": bool(answer != 2),
                "reason": "unsure" if answer == 2 else "answered",
            }
            for p, answer in zip(self.probability(logits), self.decide(logits), strict=True)
        ]


PROMISE = ("max_false_omission", "max_false_discovery", "confidence_level")


def _way(costs: Any, review: Any, max_review: Any, promise: tuple[Any, ...]) -> str:
    """Tell which of the three ways is asked for."""
    given = [name for name, one in zip(PROMISE, promise, strict=True) if one is not None]
    named = {"costs": costs, "review": review, "max_review": max_review}
    given += [name for name, one in named.items() if one is not None]
    for way, needed in {
        "review": {"costs", "review"},
        "max_review": {"costs", "max_review"},
        "promise": set(PROMISE),
    }.items():
        if set(given) == needed:
            return way
    raise ValueError(
        "give costs with review, costs with max_review, or max_false_omission with "
        f"max_false_discovery and confidence_level; got {', '.join(given) or 'none'}"
    )
