"""Decision rules: choose on validation data, apply anywhere. Needs numpy alone to be applied.

Lesson 01 explains `Costs` and `BinaryThreshold`.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .probabilities import (  # relative: this file travels with saved models
    Floats,
    binary_logit,
    check_binary_labels,
    is_real,
    logit,
    prior_shift,
    sigmoid,
)

FORMAT_VERSION = 1
EQUAL = 1e-12  # two totals closer than this, relative to their size, count as equal


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What each outcome of a yes/no decision costs, in any one unit.

    Parameters
    ----------
    false_positive : float
        Cost of predicting 1 where the truth is 0.
    false_negative : float
        Cost of predicting 0 where the truth is 1.
    true_positive, true_negative : float, default 0
        Costs of the right answers.

    Raises
    ------
    ValueError
        If a cost is not finite; if right answers are free and a mistake costs less than 0, or both
        cost 0; if right answers are not free and a mistake is no dearer than the right answer.

    Examples
    --------
    >>> round(Costs(false_positive=1, false_negative=20).threshold, 4)
    0.0476
    """

    false_positive: float
    false_negative: float
    true_positive: float = 0.0
    true_negative: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not is_real(value):
                raise ValueError(f"{name} must be a finite number, got {value!r}")
            object.__setattr__(self, name, float(value))
        if self.true_positive == self.true_negative == 0:
            if min(self.false_positive, self.false_negative) < 0 or (
                self.false_positive == self.false_negative == 0
            ):
                raise ValueError(
                    "the cost of a mistake must be at least 0, and one of the two above 0, got "
                    f"false_positive={self.false_positive}, false_negative={self.false_negative}"
                )
            return
        if self.false_positive <= self.true_negative or self.false_negative <= self.true_positive:
            message = (
                "each mistake must cost more than the right answer, got "
                f"false_positive={self.false_positive} against true_negative={self.true_negative}, "
                f"false_negative={self.false_negative} against true_positive={self.true_positive}"
            )
            swapped = (
                self.false_negative > self.true_negative
                and self.false_positive > self.true_positive
            )
            if swapped:
                message += "; the transpose would pass: a matrix is read as cost[predicted][true]"
            raise ValueError(message)

    @classmethod
    def from_matrix(cls, cost: ArrayLike) -> Costs:
        """Read a matrix ``cost[predicted][true]``.

        Parameters
        ----------
        cost : array_like of float, shape (2, 2)
            ``[[true negative, false negative], [false positive, true positive]]``. A transposed
            matrix can be told only where right answers are not free.

        Returns
        -------
        Costs

        Raises
        ------
        ValueError
            If the shape is not (2, 2), or the costs make no sense (see `Costs`).

        Examples
        --------
        >>> Costs.from_matrix([[0, 20], [1, 0.5]]).true_positive
        0.5
        """
        matrix = np.asarray(cost, dtype=np.float64)
        if matrix.shape != (2, 2):
            raise ValueError(
                f"a cost matrix cost[predicted][true] has shape (2, 2), got {matrix.shape}"
            )
        (true_negative, false_negative), (false_positive, true_positive) = matrix.tolist()
        return cls(
            false_positive=false_positive,
            false_negative=false_negative,
            true_positive=true_positive,
            true_negative=true_negative,
        )

    @property
    def threshold(self) -> float:
        """Elkan's cut: the calibrated probability from which predicting 1 is the cheaper choice."""
        alarm = self.false_positive - self.true_negative
        miss = self.false_negative - self.true_positive
        return 1 / (1 + miss / alarm) if alarm else 0.0

    def of(self, predicted: ArrayLike, labels: ArrayLike) -> Floats:
        """Look up the cost of each decision.

        Parameters
        ----------
        predicted, labels : array_like of int, shape (n,)
            Decisions and true labels, 0 or 1.

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If a value is not 0 or 1, or the lengths differ.

        Examples
        --------
        >>> Costs(false_positive=1, false_negative=20).of([1, 1, 0, 0], [1, 0, 1, 0])
        array([ 0.,  1., 20.,  0.])
        """
        true = check_binary_labels(labels, np.size(labels)).astype(int)
        said = check_binary_labels(predicted, len(true)).astype(int)
        return np.array(
            [
                [self.true_negative, self.false_negative],
                [self.false_positive, self.true_positive],
            ]
        )[said, true]


def fingerprint(logits: ArrayLike, labels: ArrayLike) -> str:
    """Name a set of rows, whatever their order.

    A guard against a slip (reporting on the rows that chose the rule), not against intent.

    Parameters
    ----------
    logits : array_like of float, shape (n,) or (n, n_classes)
    labels : array_like, shape (n,) or (n, n_classes)

    Returns
    -------
    str
        Sixteen hexadecimal digits.

    Raises
    ------
    ValueError
        If there are no rows, or their numbers differ.

    Examples
    --------
    >>> fingerprint([1.0, 2.0], [0, 1]) == fingerprint([2.0, 1.0], [1, 0])
    True
    """
    logits, labels = np.atleast_1d(logits), np.atleast_1d(labels)
    n = len(labels)
    if n == 0 or len(logits) != n:
        raise ValueError(
            f"logits and labels must have the same number of rows, at least 1, "
            f"got {len(logits)} and {n}"
        )
    mixed = np.full(n, 0x5851F42D4C957F2D, dtype=np.uint64)
    for part in (logits, labels):
        columns = np.asarray(part, dtype=np.float32).reshape(n, -1) + np.float32(0)  # -0 is 0
        for column in np.ascontiguousarray(columns.T).view(np.uint32):
            # one round of a 64-bit mixing function for each number; rows are summed at the end
            mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
    return f"{int(mixed.sum(dtype=np.uint64)):016x}"


class _Rule:
    """What all rules share: a temperature, label names, how they were chosen, and how they travel.

    A rule is a frozen dataclass of plain JSON values. It has the class methods ``choose`` and
    others to make one, ``decide(logits)`` and ``explain(logits)`` to apply it.
    """

    temperature: float
    label_names: tuple[str, ...]
    chosen: dict[str, Any]

    def _check_shared(self, *, least: int, most: float = np.inf) -> None:
        """Check the fields that all rules have; `least` and `most` bound the number of names."""
        object.__setattr__(self, "temperature", _check_temperature(self.temperature))
        names = self.label_names
        sound = isinstance(names, list | tuple) and least <= len(names) <= most
        if not sound or not all(isinstance(name, str) for name in names):
            wanted = "two names" if least == 2 else "one name"
            more = "" if least == most else " or more"
            raise ValueError(f"label_names must be {wanted}{more}, got {names!r}")
        if len(set(names)) < len(names):
            raise ValueError(f"label_names must differ, got {names!r}")
        object.__setattr__(self, "label_names", tuple(names))
        if not isinstance(self.chosen, dict):
            raise ValueError(f"chosen must be a dict, got {self.chosen!r}")
        object.__setattr__(self, "chosen", deepcopy(self.chosen))

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain JSON values.

        Returns
        -------
        dict

        Examples
        --------
        >>> BinaryThreshold(cut=1.5).to_dict()["cut"]
        1.5
        """
        values = {f.name: deepcopy(getattr(self, f.name)) for f in fields(self)}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {"format_version": FORMAT_VERSION, "rule": type(self).__name__, **plain}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        values : dict

        Returns
        -------
        a rule of this class

        Raises
        ------
        ValueError
            If the dict is of another rule, of a newer format, or lacks or adds a field.

        Examples
        --------
        >>> rule = BinaryThreshold(cut="never")
        >>> BinaryThreshold.from_dict(rule.to_dict()) == rule
        True
        """
        if not isinstance(values, dict) or values.get("rule") != cls.__name__:
            found = values.get("rule") if isinstance(values, dict) else type(values).__name__
            raise ValueError(f"expected a saved {cls.__name__}, got {found!r}")
        version = values.get("format_version")
        if version != FORMAT_VERSION:
            raise ValueError(
                f"this code reads format version {FORMAT_VERSION}, the rule has {version!r}: "
                "install the version of the helpers that saved it"
            )
        given = {k: v for k, v in values.items() if k not in ("rule", "format_version")}
        expected = {f.name for f in fields(cls)}
        if set(given) != expected:
            raise ValueError(
                f"a saved {cls.__name__} has the fields {sorted(expected)}, got {sorted(given)}"
            )
        return cls(**given)


def rule_from_dict(values: dict[str, Any]) -> Rule:
    """Read any rule that `to_dict` wrote.

    Parameters
    ----------
    values : dict

    Returns
    -------
    BinaryThreshold

    Raises
    ------
    ValueError
        If the dict is of no known rule, of a newer format, or lacks or adds a field.

    Examples
    --------
    >>> rule_from_dict(BinaryThreshold(cut=1.5).to_dict()).cut
    1.5
    """
    name = values.get("rule") if isinstance(values, dict) else type(values).__name__
    rules = {rule.__name__: rule for rule in get_args(Rule) or (Rule,)}
    if name not in rules:
        raise ValueError(f"expected a saved rule, one of {', '.join(rules)}, got {name!r}")
    return rules[name].from_dict(values)


@dataclass(frozen=True, kw_only=True)
class BinaryThreshold(_Rule):
    """Answer 1 where the logit, divided by the temperature, reaches the cut.

    Make one with `choose` (from validation data), `from_costs` (from prices, for calibrated
    probabilities) or `from_threshold` (a probability that somebody decided).

    Parameters
    ----------
    cut : float or "always" or "never"
        On the logit scale, after division by the temperature; ``>=`` is positive.
    temperature : float, default 1
        Above 0.
    label_names : tuple of two str
        Names of 0 and 1.
    chosen : dict
        How the rule came about, plain JSON: the way, its settings, the size and the `fingerprint`
        of the data.

    Raises
    ------
    ValueError
        If the cut is no finite number, ``"always"`` or ``"never"``, the temperature is not above 0,
        or there are not two names.

    Examples
    --------
    >>> rule = BinaryThreshold.from_threshold(0.7)
    >>> rule.decide([[3.0, 0.0], [0.0, 3.0]])
    array([0, 1])
    """

    cut: float | Literal["always", "never"]
    temperature: float = 1.0
    label_names: tuple[str, str] = ("0", "1")
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        cut = self.cut
        if is_real(cut):
            object.__setattr__(self, "cut", float(cut))
        elif not isinstance(cut, str) or cut not in ("always", "never"):
            raise ValueError(f'cut must be a finite logit, "always" or "never", got {cut!r}')
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
            0 becomes ``"always"``, 1 becomes ``"never"``.
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
            raise ValueError(f"a threshold is a probability in [0, 1], got {threshold!r}")
        return cls(
            cut=_named_cut(float(logit(threshold))),
            temperature=temperature,
            label_names=label_names,
            chosen={"way": "threshold", "threshold": float(threshold)},
        )

    @classmethod
    def from_costs(
        cls,
        costs: Costs,
        *,
        temperature: float = 1.0,
        label_names: tuple[str, str] = ("0", "1"),
    ) -> BinaryThreshold:
        """Make the rule that is cheapest if the probabilities are calibrated.

        Parameters
        ----------
        costs : Costs
        temperature, label_names
            See the class.

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
            cut=_named_cut(float(logit(costs.threshold))),
            temperature=temperature,
            label_names=label_names,
            chosen={"way": "costs, by formula", "costs": asdict(costs)},
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
        confidence: float | None = None,
        sample_weight: ArrayLike | None = None,
        temperature: float = 1.0,
        label_names: tuple[str, str] = ("0", "1"),
    ) -> BinaryThreshold:
        """Search every cut that validation data can tell apart, and take the best.

        Exactly one of `costs`, `min_recall`, `min_precision`, `f_beta` must be given.

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
            The cut of highest recall whose precision is at least this.
        f_beta : float above 0
            Highest F-beta (1 weighs precision and recall alike, 2 leans to recall).
        confidence : float in (0, 1), optional
            With a floor: the floor shall hold for new messages like these with this probability,
            by an exact binomial bound (see Notes).
        sample_weight : array_like of float, shape (n,), optional
            At least 0; not with `confidence`.
        temperature, label_names
            See the class.

        Returns
        -------
        BinaryThreshold

        Raises
        ------
        ValueError
            If no way, or more than one, is given; if the input does not fit, or a class is missing;
            if a floor cannot be met (the message names the best that can).

        Notes
        -----
        Equal costs (to 1e-12) form plateaus of cuts; the middle of the widest is taken, the lower
        of two equally wide ones. A plateau without end gives ``"always"`` or ``"never"``. Time is
        that of sorting, O(n log n).

        Recall with `confidence`: the cut falls at the k-th smallest positive logit, k the largest
        with P(Binomial(n_positive, 1 - min_recall) >= k) >= confidence. This is the distribution-
        free tolerance bound (Wilks 1941): it allows for the cut's having been read off the data.
        Precision with `confidence`: 19 thresholds, .05 to .95 by .05, fixed before the data are
        seen; each is tested by the exact binomial (Clopper-Pearson) lower bound at level
        (1 - confidence) / 19, and the lowest that passes is taken.

        Examples
        --------
        >>> z, y = [-3.0, -1.0, 0.0, 2.0], [0, 1, 0, 1]
        >>> BinaryThreshold.choose(z, y, costs=Costs(false_positive=1, false_negative=20)).cut
        -2.0
        >>> BinaryThreshold.choose(z, y, costs=Costs(false_positive=3, false_negative=1)).cut
        1.0
        """
        ways = {
            "costs": costs,
            "min_recall": min_recall,
            "min_precision": min_precision,
            "f_beta": f_beta,
        }
        given = {name: value for name, value in ways.items() if value is not None}
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(ways)}; got {', '.join(given) or 'none'}"
            )
        way, value = next(iter(given.items()))
        if confidence is not None:
            _check_open_unit("confidence", confidence)
            if way not in ("min_recall", "min_precision"):
                raise ValueError(f"confidence goes with min_recall or min_precision, not {way}")
            if sample_weight is not None:
                raise ValueError("confidence counts messages: it cannot be had with sample_weight")

        margin = binary_logit(logits)
        positive = check_binary_labels(labels, len(margin))
        scores = margin / _check_temperature(temperature)
        if not np.isfinite(scores).all():
            raise ValueError("logits divided by the temperature must be finite, got infinity")
        steps = _Steps.of(scores, positive, sample_weight)
        if way == "costs":
            cut = steps.cheapest(check_costs(value))
        elif way == "f_beta":
            cut = steps.best_f(value)
        elif way == "min_recall":
            cut = steps.recall_floor(value, confidence)
        elif confidence is None:
            cut = steps.precision_floor(value)
        else:
            cut = _sure_precision(scores, positive, value, confidence)

        chosen: dict[str, Any] = {
            "way": way,
            way: asdict(value) if isinstance(value, Costs) else float(value),
            "n_samples": len(scores),
            "n_positive": int(positive.sum()),
            "fingerprint": fingerprint(margin, positive),
        }
        if confidence is not None:
            chosen["confidence"] = float(confidence)
        return cls(cut=cut, temperature=temperature, label_names=label_names, chosen=chosen)

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
            logits. Its `threshold` is on the old probabilities.

        Raises
        ------
        ValueError
            If a rate is no number strictly between 0 and 1.

        Examples
        --------
        >>> rule = BinaryThreshold.from_threshold(0.5)
        >>> round(rule.at_base_rate(old=0.1, new=0.5).threshold, 3)
        0.1
        """
        shift = prior_shift(old=old, new=new)
        cut = self.cut if isinstance(self.cut, str) else self.cut - shift
        chosen = {**self.chosen, "base_rate": {"old": float(old), "new": float(new)}}
        return replace(self, cut=cut, chosen=chosen)

    # How a rule is applied

    @property
    def threshold(self) -> float:
        """The cut as a probability (after temperature), for reading; 0 for always, 1 for never."""
        return float(sigmoid(_CUTS.get(self.cut, self.cut)))

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
        return sigmoid(binary_logit(logits) / self.temperature)

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
        scores = binary_logit(logits) / self.temperature
        return (scores >= _CUTS.get(self.cut, self.cut)).astype(np.int64)

    def explain(self, logits: ArrayLike) -> list[dict[str, Any]]:
        """Give each decision with its reasons.

        Parameters
        ----------
        logits : array_like of float, shape (n,), (n, 1) or (n, 2)

        Returns
        -------
        list of dict
            One a row: ``label`` (name), ``probability`` of the positive class, ``threshold``,
            ``accepted`` (whether the threshold was reached).

        Examples
        --------
        >>> rule = BinaryThreshold.from_threshold(0.5, label_names=("wait", "urgent"))
        >>> rule.explain([0.0])
        [{'label': 'urgent', 'probability': 0.5, 'threshold': 0.5, 'accepted': True}]
        """
        threshold = self.threshold
        return [
            {
                "label": self.label_names[answer],
                "probability": float(p),
                "threshold": threshold,
                "accepted": bool(answer),
            }
            for p, answer in zip(self.probability(logits), self.decide(logits), strict=True)
        ]


Rule = BinaryThreshold  # later: any of the rules

_CUTS = {"always": -np.inf, "never": np.inf}


def _named_cut(cut: float) -> float | Literal["always", "never"]:
    """Give a cut at infinity its name."""
    return "always" if cut == -np.inf else "never" if cut == np.inf else cut


def _check_temperature(value: float) -> float:
    if not is_real(value) or value <= 0:
        raise ValueError(f"temperature must be a finite number above 0, got {value!r}")
    return float(value)


def _check_open_unit(name: str, value: float) -> None:
    """Refuse what is no number strictly between 0 and 1."""
    if not is_real(value) or not 0 < value < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value!r}")


def _check_floor(name: str, value: float) -> None:
    """Refuse what is no number in (0, 1]."""
    if not is_real(value) or not 0 < value <= 1:
        raise ValueError(f"{name} must lie in (0, 1], got {value!r}")


def _down(value: float) -> str:
    """Write a figure with four decimals, never more than it is."""
    return f"{np.floor(value * 1e4) / 1e4:.4f}"


def check_costs(costs: Costs) -> Costs:
    """Return costs, or say how to make them.

    Parameters
    ----------
    costs : Costs

    Returns
    -------
    Costs

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> check_costs(Costs(false_positive=1, false_negative=5)).false_negative
    5.0
    """
    if not isinstance(costs, Costs):
        raise ValueError(
            "costs must be Costs(false_positive=..., false_negative=...) or "
            f"Costs.from_matrix(...), got {costs!r}"
        )
    return costs


@dataclass(frozen=True)
class _Steps:
    """What each cut does: one candidate for each distinct positive score, and "never" last.

    A cut pays only where it takes in one more positive: between two positives, the highest cut
    is best for every criterion here, since each negative taken in makes things worse. So positives
    and negatives are sorted apart, which is many times cheaper than an argsort of all.

    Attributes
    ----------
    upper : ndarray, shape (m + 1,)
        Smallest score that is predicted 1; ``inf`` for "never".
    lower : ndarray, shape (m + 1,)
        Largest score that is predicted 0; ``-inf`` where there is none.
    hits, misses, alarms : ndarray, shape (m + 1,)
        Weight of true positives, false negatives and false positives.
    """

    upper: Floats
    lower: Floats
    hits: Floats
    misses: Floats
    alarms: Floats

    @classmethod
    def of(
        cls, scores: Floats, positive: NDArray[np.bool_], sample_weight: ArrayLike | None
    ) -> _Steps:
        weight = None
        if sample_weight is not None:
            weight = np.asarray(sample_weight, dtype=np.float64)
            if weight.shape != scores.shape:
                raise ValueError(
                    f"sample_weight must have shape {scores.shape}, got {weight.shape}"
                )
            if not np.all(np.isfinite(weight) & (weight >= 0)):
                raise ValueError("sample_weight must be finite and at least 0")
            used = weight > 0
            scores, positive, weight = scores[used], positive[used], weight[used]
        n_positive = int(np.count_nonzero(positive))
        if n_positive in (0, len(positive)):
            raise ValueError(
                "choosing needs at least one message of each class, got "
                f"{n_positive} positives among {len(positive)}"
            )
        pos, pos_below, pos_from = _sorted_with_totals(scores, positive, weight)
        neg, _, neg_from = _sorted_with_totals(scores, ~positive, weight)

        first = np.flatnonzero(np.concatenate([[True], pos[1:] != pos[:-1]]))
        upper = pos[first]
        below = np.searchsorted(neg, upper, side="left")  # negatives under each candidate
        end = [len(pos)]
        lower = np.full(len(first) + 1, -np.inf)
        lower[1:] = pos[np.concatenate([first[1:], end]) - 1]
        lower[:-1] = np.maximum(lower[:-1], np.where(below > 0, neg[below - 1], -np.inf))
        lower[-1] = max(lower[-1], neg[-1])
        first = np.concatenate([first, end])
        return cls(
            upper=np.append(upper, np.inf),
            lower=lower,
            hits=pos_from[first],
            misses=pos_below[first],
            alarms=neg_from[np.append(below, len(neg))],
        )

    def cheapest(self, costs: Costs) -> float | Literal["always", "never"]:
        alarm = costs.false_positive - costs.true_negative
        miss = costs.false_negative - costs.true_positive
        if alarm == 0:
            return "always"
        return self._middle(alarm * self.alarms + miss * self.misses)

    def best_f(self, beta: float) -> float | Literal["always", "never"]:
        if not is_real(beta) or not 1e-6 <= beta <= 1e6:
            raise ValueError(f"f_beta must be a number between 1e-6 and 1e6, got {beta!r}")
        b2 = float(beta) ** 2
        found = (1 + b2) * self.hits
        return self._middle(-found / (found + b2 * self.misses + self.alarms))

    def recall_floor(
        self, floor: float, confidence: float | None
    ) -> float | Literal["always", "never"]:
        _check_floor("min_recall", floor)
        n = self.misses[-1]
        allowed = (1 - floor) * n + EQUAL * n
        if confidence is not None:
            from scipy.stats import binom

            # k: the largest with P(Binomial(n, 1 - floor) >= k) >= confidence
            k = np.count_nonzero(binom.sf(np.arange(n), n, 1 - floor) >= confidence)
            if k == 0 and floor < 1:
                best = (1 - confidence) ** (1 / n)
                raise ValueError(
                    f"{n:.0f} positives cannot promise a recall of {floor} with confidence "
                    f"{confidence}: the highest floor they can promise is {_down(best)}"
                )
            allowed = k - 1
        meets = np.flatnonzero(self.misses <= allowed)
        return self._cut_between(int(meets[-1]), int(meets[-1])) if len(meets) else "always"

    def precision_floor(self, floor: float) -> float | Literal["always", "never"]:
        _check_floor("min_precision", floor)
        precision = self.hits[:-1] / (self.hits[:-1] + self.alarms[:-1])
        meets = np.flatnonzero(precision >= floor - EQUAL)
        if len(meets) == 0:
            raise ValueError(
                f"no cut reaches a precision of {floor}: the highest is {_down(precision.max())}"
            )
        return self._cut_between(int(meets[0]), int(meets[0]))

    def _middle(self, loss: Floats) -> float | Literal["always", "never"]:
        """Take the middle of the widest plateau of least loss."""
        least = loss.min()
        best = np.flatnonzero(loss <= least + EQUAL * abs(least))
        starts = np.flatnonzero(
            np.concatenate([[True], self.lower[best[1:]] != self.upper[best[:-1]]])
        )
        ends = np.append(starts[1:], len(best)) - 1
        widths = self.upper[best[ends]] - self.lower[best[starts]]
        widest = int(np.argmax(widths))
        return self._cut_between(int(best[starts[widest]]), int(best[ends[widest]]))

    def _cut_between(self, first: int, last: int) -> float | Literal["always", "never"]:
        low, high = self.lower[first], self.upper[last]
        if low == -np.inf:
            return "always"
        if high == np.inf:
            return "never"
        middle = low / 2 + high / 2
        return float(middle if low < middle <= high else high)


def _sorted_with_totals(
    scores: Floats, chosen: NDArray[np.bool_], weight: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Sort the chosen scores; total the weight below, and from, each place (n + 1 places)."""
    picked = scores[chosen]
    if weight is None:
        picked.sort()
        below = np.arange(len(picked) + 1, dtype=np.float64)
        return picked, below, below[::-1]
    order = np.argsort(picked)
    weight = weight[chosen][order]
    below = np.concatenate([[0.0], np.cumsum(weight)])
    return picked[order], below, np.concatenate([np.cumsum(weight[::-1])[::-1], [0.0]])


def _sure_precision(
    scores: Floats, positive: NDArray[np.bool_], floor: float, confidence: float
) -> float:
    """Take the lowest of 19 fixed thresholds whose precision is proven to reach the floor."""
    from scipy.stats import beta

    _check_floor("min_precision", floor)
    candidates = logit(np.arange(1, 20) / 20)
    level = (1 - confidence) / len(candidates)
    bounds = []
    for cut in candidates:
        accepted = positive[scores >= cut]
        hits = int(accepted.sum())
        bounds.append(beta.ppf(level, hits, len(accepted) - hits + 1) if hits else 0.0)
    for cut, bound in zip(candidates, bounds, strict=True):
        if bound >= floor:
            return float(cut)
    raise ValueError(
        f"{len(scores)} messages cannot promise a precision of {floor} with confidence "
        f"{confidence}: the highest floor they can promise is {_down(max(bounds))}"
    )
