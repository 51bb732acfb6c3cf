"""Decision rules: choose on validation data, apply anywhere. Needs numpy alone to be applied.

Lesson 01 explains `Costs` and `BinaryThreshold`, lesson 02 `RejectCosts` and `RejectOption`, lesson
03 `LabelThresholds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .probabilities import (  # relative: this file travels with saved models
    SCORES,
    Floats,
    Score,
    binary_logit,
    check_binary_labels,
    check_class_logits,
    check_logits,
    is_real,
    logit,
    prior_shift,
    sigmoid,
    softmax,
)
from .probabilities import confidence as confidence_of

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
        table = part.reshape(n, -1)
        for start in range(0, table.shape[1], 16):
            block = np.asarray(table[:, start : start + 16], dtype=np.float32) + np.float32(0)
            if block.shape[1] % 2 and block.shape[1] > 1:
                block = np.pad(block, ((0, 0), (0, 1)))
            # two numbers at a time where there are two; adding 0 has made -0 a plain 0
            words = block.view(np.uint64 if block.shape[1] > 1 else np.uint32)
            for word in np.ascontiguousarray(words.T):
                # one round of a 64-bit mixing function; rows are summed at the end
                mixed ^= word
                mixed *= np.uint64(0x9E3779B97F4A7C15)
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
    BinaryThreshold, RejectOption or LabelThresholds

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
        object.__setattr__(self, "cut", _check_cut(self.cut, "logit"))
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


@dataclass(frozen=True, kw_only=True)
class LabelThresholds(_Rule):
    """Give each label whose logit, divided by the temperature, reaches that label's own cut.

    Make one with `choose` (from validation data) or `from_thresholds` (probabilities that somebody
    decided). Lesson 03 explains it.

    Parameters
    ----------
    cuts : sequence of float or "always" or "never", length n_labels
        On the logit scale, after division by the temperature; ``>=`` is positive.
    temperature : float, default 1
        Above 0.
    label_names : sequence of str, length n_labels
        By default ``"0"``, ``"1"``, and so on.
    empty : "allow" or "top1"
        What to do with a row whose logits all lie below their cuts: leave it without a label, or
        give it the label with the largest logit (the first of equals).
    chosen : dict
        How the rule came about, plain JSON.

    Raises
    ------
    ValueError
        If there are no cuts, a cut is no finite number, ``"always"`` or ``"never"``, the number of
        names differs from that of cuts, or another field makes no sense.

    Examples
    --------
    >>> rule = LabelThresholds(cuts=(0.0, 2.0), label_names=("home", "water"))
    >>> rule.decide([[1.0, 1.0], [-1.0, 3.0], [-1.0, 1.0]])
    array([[1, 0],
           [0, 1],
           [0, 0]])
    """

    cuts: tuple[float | Literal["always", "never"], ...]
    temperature: float = 1.0
    label_names: tuple[str, ...] = ()
    empty: Literal["allow", "top1"] = "allow"
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        cuts = self.cuts
        if not isinstance(cuts, list | tuple | np.ndarray) or len(cuts) == 0:
            raise ValueError(f"cuts must be a sequence, one for each label, got {cuts!r}")
        object.__setattr__(self, "cuts", tuple(_check_cut(cut, "logit") for cut in cuts))
        if isinstance(self.label_names, list | tuple) and len(self.label_names) == 0:
            object.__setattr__(self, "label_names", tuple(map(str, range(len(cuts)))))
        self._check_shared(least=1)
        if len(self.label_names) != len(cuts):
            raise ValueError(
                f"there must be one name for each label, got {len(self.label_names)} names and "
                f"{len(cuts)} cuts"
            )
        if self.empty not in ("allow", "top1"):
            raise ValueError(f'empty must be "allow" or "top1", got {self.empty!r}')

    # How a rule comes about

    @classmethod
    def from_thresholds(
        cls,
        thresholds: float | Sequence[float],
        *,
        label_names: Sequence[str],
        temperature: float = 1.0,
        empty: Literal["allow", "top1"] = "allow",
    ) -> LabelThresholds:
        """Make a rule of probabilities that somebody decided.

        Parameters
        ----------
        thresholds : float or sequence of float in [0, 1]
            One for all labels, or one for each; 0 becomes ``"always"``, 1 ``"never"``.
        label_names : sequence of str, length n_labels
        temperature, empty
            See the class.

        Returns
        -------
        LabelThresholds

        Raises
        ------
        ValueError
            If a threshold lies outside [0, 1], or their number is not that of the labels.

        Examples
        --------
        >>> LabelThresholds.from_thresholds(0.5, label_names=("home", "water")).cuts
        (0.0, 0.0)
        """
        one = is_real(thresholds)
        values = [thresholds] * len(label_names) if one else list(thresholds)
        rules = [BinaryThreshold.from_threshold(value) for value in values]
        return cls(
            cuts=tuple(rule.cut for rule in rules),
            temperature=temperature,
            label_names=label_names,
            empty=empty,
            chosen={"way": "threshold", "threshold": [float(value) for value in values]},
        )

    @classmethod
    def choose(
        cls,
        logits: ArrayLike,
        labels: ArrayLike,
        *,
        micro_f1: bool = False,
        macro_f1: bool = False,
        costs: Costs | Sequence[Costs] | None = None,
        shared: bool = False,
        min_positives: int = 10,
        temperature: float = 1.0,
        label_names: Sequence[str] = (),
        empty: Literal["allow", "top1"] = "allow",
    ) -> LabelThresholds:
        """Search every cut of every label that validation data can tell apart, and take the best.

        Exactly one of `micro_f1`, `macro_f1`, `costs` must be given.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_labels)
            Validation logits.
        labels : array_like of int or bool, shape (n, n_labels)
            0 or 1.
        micro_f1 : bool
            Highest F1 of all decisions counted together: the best of all combinations of cuts.
        macro_f1 : bool
            Highest mean over labels of F1: the best F1 for each label by itself.
        costs : Costs, or one for each label
            Least total cost.
        shared : bool, default False
            One cut for all labels, the best such; with `micro_f1` or `costs`.
        min_positives : int, default 10
            A label with fewer validation positives gets the shared cut (by `micro_f1` where
            `macro_f1` is asked for): so few cannot place a cut of its own. 0 for none.
        temperature, label_names, empty
            See the class.

        Returns
        -------
        LabelThresholds

        Raises
        ------
        ValueError
            If no way, or more than one, is given, or the input does not fit; if F1 is asked for
            and there is no positive at all.

        Notes
        -----
        With ``min_positives=0`` a label without positives is never given, one without negatives
        always. `empty` takes no part in the search.

        Micro-F1 is 2 TP / (TP + FP + P), where P counts the positives. For a guess L of the best
        value each label alone makes (2 - L) TP - L FP as large as it can; the F1 of these cuts is
        the next guess. A guess that cannot be bettered is the joint optimum (Dinkelbach), and all
        cuts that are best for it are optimal together. Only cuts on the upper hull of a label's ROC
        curve can be best for some L, so these alone are kept, and columns are sorted block by
        block.

        References
        ----------
        Dinkelbach (1967), On nonlinear fractional programming, Management Science 13.

        Examples
        --------
        >>> z = [[2.0, -1.0], [1.0, -2.0], [-1.0, -3.0], [-2.0, -4.0]]
        >>> y = [[1, 1], [1, 1], [0, 0], [0, 0]]
        >>> LabelThresholds.choose(z, y, micro_f1=True, min_positives=0).cuts
        (0.0, -2.5)
        >>> LabelThresholds.choose(z, y, micro_f1=True, shared=True).cuts
        (-2.5, -2.5)
        """
        given = {"micro_f1": micro_f1, "macro_f1": macro_f1, "costs": costs is not None}
        ways = [name for name, asked in given.items() if asked]
        if len(ways) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(given)}; got {', '.join(ways) or 'none'}"
            )
        way = ways[0]
        if shared and way == "macro_f1":
            raise ValueError("one shared cut is chosen by micro_f1 or costs, not by macro_f1")
        if isinstance(min_positives, bool) or not isinstance(min_positives, int):
            raise ValueError(f"min_positives must be a whole number, got {min_positives!r}")
        scale = _check_temperature(temperature)
        scores = check_label_logits(logits)
        positive = check_label_matrix(labels, scores.shape)
        n, n_labels = scores.shape
        prices = _costs_of_labels(costs, n_labels) if way == "costs" else None
        n_positive = np.count_nonzero(positive, axis=0)
        if n == 0 or (prices is None and not n_positive.any()):
            raise ValueError(f"choosing by {way} needs at least one positive, got none in {n} rows")

        cuts: list[float | Literal["always", "never"]] = ["never"] * n_labels
        falls_back = np.full(n_labels, True) if shared else n_positive < min_positives
        if falls_back.any():
            common = _shared_cut(scores, positive, scale, prices)
            cuts = [common if back else cut for back, cut in zip(falls_back, cuts, strict=True)]
        hulls: dict[int, _Steps] = {}
        width = max(1, 2_000_000 // n)
        for start in range(0, n_labels, width):
            block = slice(start, start + width)
            columns = _scaled(np.ascontiguousarray(scores[:, block].T), scale)
            truths = np.ascontiguousarray(positive[:, block].T)
            for k, column, truth in zip(range(start, n_labels), columns, truths, strict=False):
                if falls_back[k] or n_positive[k] == 0:
                    continue
                if n_positive[k] == n:
                    cuts[k] = "always"
                    continue
                steps = _Steps.of(column, truth, None)
                if way == "micro_f1":
                    hulls[k] = steps.hull()
                else:
                    cuts[k] = steps.cheapest(prices[k]) if prices else steps.best_f(1.0)
        if hulls:
            at = np.array([_CUTS.get(cut, cut) for cut in cuts]) * scale
            fixed = [k for k in range(n_labels) if k not in hulls]
            said = scores[:, fixed] >= at[fixed]
            hits = np.count_nonzero(said & positive[:, fixed])
            alarms = np.count_nonzero(said) - hits
            cuts_of = _joint_f1(hulls, int(n_positive.sum()), hits, alarms)
            cuts = [cuts_of.get(k, cut) for k, cut in enumerate(cuts)]

        chosen: dict[str, Any] = {
            "way": way,
            "shared": bool(shared),
            "min_positives": min_positives,
            "n_samples": n,
            "n_positive": n_positive.tolist(),
            "fell_back": [] if shared else np.flatnonzero(falls_back).tolist(),
            "fingerprint": label_fingerprint(scores, positive),
        }
        if prices is not None:
            chosen["costs"] = [asdict(one) for one in prices]
        return cls(
            cuts=tuple(cuts),
            temperature=temperature,
            label_names=label_names,
            empty=empty,
            chosen=chosen,
        )

    # How a rule is applied

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The cuts as probabilities (after temperature); 0 for always, 1 for never."""
        return tuple(sigmoid([_CUTS.get(cut, cut) for cut in self.cuts]).tolist())

    def probability(self, logits: ArrayLike) -> Floats:
        """Compute the probability of each label after the temperature.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_labels)

        Returns
        -------
        ndarray of float64, shape (n, n_labels)

        Examples
        --------
        >>> LabelThresholds(cuts=(0.0,), temperature=2.0).probability([[0.0], [2.0]]).round(3)
        array([[0.5  ],
               [0.731]])
        """
        return sigmoid(self._scores(logits))

    def decide(self, logits: ArrayLike) -> NDArray[np.int64]:
        """Answer 0 or 1 for each label of each row.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_labels)

        Returns
        -------
        ndarray of int64, shape (n, n_labels)

        Raises
        ------
        ValueError
            If the array cannot be logits of that many labels.

        Examples
        --------
        >>> rule = LabelThresholds(cuts=(0.0, 2.0), empty="top1")
        >>> rule.decide([[1.0, 1.0], [-1.0, 1.0]])
        array([[1, 0],
               [0, 1]])
        """
        scores = self._scores(logits)
        said = self._reached(scores)
        if self.empty == "top1":
            bare = np.flatnonzero(~said.any(axis=1))
            said[bare, scores[bare].argmax(axis=1)] = True
        return said.astype(np.int64)

    def explain(self, logits: ArrayLike) -> list[dict[str, Any]]:
        """Give each decision with its reasons.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_labels)

        Returns
        -------
        list of dict
            One a row: ``labels`` (names), ``probability`` and ``threshold`` (dicts by name),
            ``accepted`` (whether any threshold was reached).

        Examples
        --------
        >>> rule = LabelThresholds(cuts=(0.0, 2.0), label_names=("home", "water"))
        >>> record = rule.explain([[1.0, 1.0]])[0]
        >>> record["labels"], round(record["probability"]["water"], 3)
        (['home'], 0.731)
        """
        scores = self._scores(logits)
        threshold = dict(zip(self.label_names, self.thresholds, strict=True))
        rows = zip(self.decide(logits), sigmoid(scores), self._reached(scores), strict=True)
        return [
            {
                "labels": [n for n, yes in zip(self.label_names, said, strict=True) if yes],
                "probability": dict(zip(self.label_names, p.tolist(), strict=True)),
                "threshold": dict(threshold),
                "accepted": bool(reached.any()),
            }
            for said, p, reached in rows
        ]

    def _scores(self, logits: ArrayLike) -> Floats:
        scores = check_label_logits(logits)
        if scores.shape[1] != len(self.cuts):
            raise ValueError(f"this rule is for {len(self.cuts)} labels, got {scores.shape[1]}")
        return scores.astype(np.float64) / self.temperature

    def _reached(self, scores: Floats) -> NDArray[np.bool_]:
        return scores >= np.array([_CUTS.get(cut, cut) for cut in self.cuts], dtype=np.float64)


_CUTS = {"always": -np.inf, "never": np.inf}


def _named_cut(cut: float) -> float | Literal["always", "never"]:
    """Give a cut at infinity its name."""
    return "always" if cut == -np.inf else "never" if cut == np.inf else cut


def _check_cut(cut: Any, kind: Literal["logit", "number"]) -> float | Literal["always", "never"]:
    """Return a cut as plain JSON, or say what it must be."""
    if is_real(cut):
        return float(cut)
    if isinstance(cut, str) and cut in _CUTS:
        return str(cut)  # numpy's strings are no JSON
    raise ValueError(f'a cut must be a finite {kind}, "always" or "never", got {cut!r}')


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

    def hull(self) -> _Steps:
        """Drop most cuts that are best for no weighting of hits and alarms; ties stay."""
        kept = np.arange(len(self.hits))
        while len(kept) > 200:
            down, left = np.diff(self.hits[kept]), np.diff(self.alarms[kept])
            under = left[:-1] * down[1:] < down[:-1] * left[1:]  # below the line of its neighbours
            kept = kept[np.concatenate([[True], ~under, [True]])]
            if 50 * np.count_nonzero(under) < len(kept):
                break
        return _Steps(**{f.name: getattr(self, f.name)[kept] for f in fields(self)})

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


# Many labels


def check_label_logits(logits: ArrayLike) -> NDArray[np.floating]:
    """Return logits of many labels, or say why they cannot be logits.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_labels)

    Returns
    -------
    ndarray, same shape
        Not copied where it need not be.

    Raises
    ------
    ValueError
        If the array does not have two dimensions, or `helpers.probabilities.check_logits` refuses
        it.
    """
    array = np.asarray(logits)
    usual = array.ndim == 2 and array.dtype.kind in "iuf" and array.size > 0
    if usual:
        low, high = array.min(), array.max()  # NaN if there is one
        usual = -np.inf < low and high < np.inf and not (low >= 0 and high <= 1)
    if not usual:
        array = check_logits(array)  # says what is wrong, or what looks wrong
    if array.ndim != 2:
        raise ValueError(f"many labels need logits of shape (n, n_labels), got {array.shape}")
    return array


def check_label_matrix(labels: ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return 0/1 labels of many labels as booleans, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int, float or bool, shape (n, n_labels)
    shape : tuple of int
        That of the logits.

    Returns
    -------
    ndarray of bool, same shape

    Raises
    ------
    ValueError
        If the shape differs or a value is neither 0 nor 1.

    Examples
    --------
    >>> check_label_matrix([[1, 0]], (1, 2))
    array([[ True, False]])
    """
    array = np.asarray(labels)
    if array.shape != tuple(shape):
        raise ValueError(
            f"labels must have the shape {tuple(shape)} of the logits, 0 or 1 for "
            f"each label, got {array.shape}"
        )
    return check_binary_labels(array.ravel(), array.size).reshape(array.shape)


def label_fingerprint(logits: ArrayLike, labels: ArrayLike) -> str:
    """Name a set of rows with many labels, whatever their order: see `fingerprint`.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_labels)
    labels : array_like of bool, shape (n, n_labels)

    Returns
    -------
    str
        Sixteen hexadecimal digits.

    Examples
    --------
    >>> label_fingerprint([[1.0, 2.0]], [[True, False]]) == fingerprint([[1.0, 2.0]], [[128]])
    True
    """
    return fingerprint(logits, np.packbits(np.asarray(labels, dtype=bool), axis=1))


def _costs_of_labels(costs: Costs | Sequence[Costs], n_labels: int) -> list[Costs]:
    if isinstance(costs, list | tuple):
        if len(costs) != n_labels:
            raise ValueError(f"costs must be one Costs or {n_labels} of them, got {len(costs)}")
        return [check_costs(one) for one in costs]
    return [check_costs(costs)] * n_labels


def _scaled(scores: NDArray, scale: float) -> NDArray[np.floating]:
    """Divide by the temperature in float64; float32 that need not be divided sorts faster as is."""
    return scores if scale == 1 and scores.dtype == np.float32 else scores.astype(float) / scale


def _shared_cut(
    scores: NDArray, positive: NDArray[np.bool_], scale: float, prices: list[Costs] | None
) -> float | Literal["always", "never"]:
    """Find the best single cut: by micro-F1, or by the total of each label's costs."""
    if positive.all() or not positive.any():
        return "always" if positive.all() else "never"
    pooled = _scaled(scores.ravel(), scale)
    weight = None
    if prices is not None:
        alarm = [one.false_positive - one.true_negative for one in prices]
        miss = [one.false_negative - one.true_positive for one in prices]
        weight = np.where(positive, miss, alarm).ravel()
    steps = _Steps.of(pooled, positive.ravel(), weight)
    if prices is None:
        return steps.best_f(1.0)
    return steps.cheapest(Costs(false_positive=1, false_negative=1))


def _joint_f1(
    hulls: dict[int, _Steps], n_positive: int, hits: int, alarms: int
) -> dict[int, float | Literal["always", "never"]]:
    """Find the cuts of highest micro-F1, given the hits and alarms of labels that are fixed."""
    top, bottom = 0, 1  # the best F1 so far as a fraction: whole numbers, so ties are exact
    while True:
        losses = {k: top * one.alarms - (2 * bottom - top) * one.hits for k, one in hulls.items()}
        places = {k: int(np.argmin(loss)) for k, loss in losses.items()}
        found = hits + int(sum(hulls[k].hits[i] for k, i in places.items()))
        wrong = alarms + int(sum(hulls[k].alarms[i] for k, i in places.items()))
        if 2 * found * bottom <= top * (found + wrong + n_positive):
            return {k: one._middle(losses[k]) for k, one in hulls.items()}
        top, bottom = 2 * found, found + wrong + n_positive


# Label or Other


@dataclass(frozen=True, kw_only=True)
class RejectCosts:
    """What a wrong answer and a reject cost, in any one unit; a right answer is free.

    Parameters
    ----------
    reject : float
        Cost of giving a message to Other (a person reads it), whatever the message is. At least 0.
    error : float, default 1
        Cost of the wrong label. Above 0.
    unknown : float, optional
        Cost of giving a label to a message that belongs to none of them; by default `error`.

    Raises
    ------
    ValueError
        If a cost is not finite, `reject` is below 0, or one of the others is not above 0.

    Examples
    --------
    >>> RejectCosts(reject=0.4).threshold
    0.6
    """

    reject: float
    error: float = 1.0
    unknown: float | None = None

    def __post_init__(self) -> None:
        if self.unknown is None:
            object.__setattr__(self, "unknown", self.error)
        for name, value in asdict(self).items():
            if not is_real(value) or value < 0 or (value == 0 and name != "reject"):
                least = "at least 0" if name == "reject" else "above 0"
                raise ValueError(f"{name} must be a finite number {least}, got {value!r}")
            object.__setattr__(self, name, float(value))

    @property
    def threshold(self) -> float:
        """Chow's threshold: the calibrated largest softmax from which answering is the cheaper."""
        return max(1 - self.reject / self.error, 0.0)

    def of(self, predicted: ArrayLike, labels: ArrayLike, *, n_classes: int) -> Floats:
        """Look up the cost of each decision.

        Parameters
        ----------
        predicted, labels : array_like of int, shape (n,)
            Class indices; `n_classes` stands for Other.
        n_classes : int

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If a value lies outside ``range(n_classes + 1)``, or the lengths differ.

        Examples
        --------
        >>> RejectCosts(reject=0.4, unknown=2).of([0, 1, 2, 2, 0], [0, 0, 1, 2, 2], n_classes=2)
        array([0. , 1. , 0.4, 0.4, 2. ])
        """
        true = check_labels_or_other(labels, np.size(labels), n_classes)
        said = check_labels_or_other(predicted, len(true), n_classes)
        wrong = np.where(true == n_classes, self.unknown, self.error)
        return np.where(said == n_classes, self.reject, np.where(said == true, 0.0, wrong))


def check_labels_or_other(labels: ArrayLike, n_samples: int, n_classes: int) -> NDArray[np.int64]:
    """Return class indices, with `n_classes` for Other, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int, shape (n_samples,)
    n_samples, n_classes : int

    Returns
    -------
    ndarray of int64, shape (n_samples,)

    Raises
    ------
    ValueError
        If the shape differs or a value is no whole number in ``range(n_classes + 1)``.

    Examples
    --------
    >>> check_labels_or_other([0, 2, 1], 3, 2)
    array([0, 2, 1])
    """
    array = np.asarray(labels)
    if array.shape != (n_samples,) or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(
            f"labels must be whole numbers of shape ({n_samples},), one for each row, "
            f"got {array.dtype} of shape {array.shape}"
        )
    outside = array[(array < 0) | (array > n_classes)]
    if len(outside):
        raise ValueError(
            f"labels must be class indices from 0 to {n_classes - 1}, or {n_classes} for Other, "
            f"got {outside[0]}"
        )
    return array.astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class RejectOption(_Rule):
    """Answer the label with the largest logit, or Other where the confidence is below the cut.

    Make one with `choose` (from validation data), `from_costs` (from prices, for calibrated
    probabilities) or `from_threshold` (a number that somebody decided).

    Parameters
    ----------
    cut : float or "always" or "never"
        On the scale of the score, after division by the temperature; ``>=`` is answered.
        ``"always"`` answers every message, ``"never"`` none.
    label_names : sequence of str
        Names of the classes, in the order of the network's logits.
    score : "softmax", "margin", "entropy", "logit" or "energy"
        See `helpers.probabilities.confidence`.
    other : str, default "Other"
        Name of the answer that is no label.
    temperature : float, default 1
        Above 0.
    chosen : dict
        How the rule came about, plain JSON: the way, its settings, the size and the `fingerprint`
        of the data.

    Raises
    ------
    ValueError
        If the cut is no finite number, ``"always"`` or ``"never"``, there is no such score, the
        temperature is not above 0, or the name for Other is among the label names.

    Notes
    -----
    As an index Other is ``n_classes``, the place after the last label:
    ``(*rule.label_names, rule.other)[i]`` is the name of answer i, and a confusion matrix gets a
    row and a column for it at its end.

    Examples
    --------
    >>> rule = RejectOption.from_threshold(0.6, label_names=("bin", "bus", "tax"))
    >>> rule.decide([[3.0, 0.0, 0.0], [1.0, 0.9, 0.0]])
    array([0, 3])
    """

    cut: float | Literal["always", "never"]
    label_names: tuple[str, ...]
    score: Score = "softmax"
    other: str = "Other"
    temperature: float = 1.0
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cut", _check_cut(self.cut, "number"))
        self._check_shared(least=2)
        if self.score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, got {self.score!r}")
        if not isinstance(self.other, str) or self.other in self.label_names:
            raise ValueError(
                f"the name for Other must be a string that is no label, got {self.other!r}: "
                "take another name"
            )

    # How a rule comes about

    @classmethod
    def from_threshold(
        cls,
        threshold: float,
        *,
        label_names: Sequence[str],
        score: Score = "softmax",
        other: str = "Other",
        temperature: float = 1.0,
    ) -> RejectOption:
        """Make the rule "the label where the confidence is at least `threshold`, else Other".

        Parameters
        ----------
        threshold : float
            On the scale of the score. For "softmax" and "margin" in [0, 1]: 0 becomes
            ``"always"``, 1 becomes ``"never"``.
        label_names, score, other, temperature
            See the class.

        Returns
        -------
        RejectOption

        Raises
        ------
        ValueError
            If the threshold is not on the scale.

        Examples
        --------
        >>> RejectOption.from_threshold(0, label_names=("a", "b")).cut
        'always'
        """
        bounded = score in _BOUNDED
        if not is_real(threshold) or (bounded and not 0 <= threshold <= 1):
            scale = "a probability in [0, 1]" if bounded else "a finite number"
            raise ValueError(f"a threshold on {score} is {scale}, got {threshold!r}")
        named = {0.0: "always", 1.0: "never"} if bounded else {}
        return cls(
            cut=named.get(float(threshold), float(threshold)),
            label_names=label_names,
            score=score,
            other=other,
            temperature=temperature,
            chosen={"way": "threshold", "threshold": float(threshold)},
        )

    @classmethod
    def from_costs(
        cls,
        costs: RejectCosts,
        *,
        label_names: Sequence[str],
        other: str = "Other",
        temperature: float = 1.0,
    ) -> RejectOption:
        """Make the rule that is cheapest if the largest softmax is calibrated and nothing unknown.

        Parameters
        ----------
        costs : RejectCosts
        label_names, other, temperature
            See the class.

        Returns
        -------
        RejectOption

        References
        ----------
        Chow (1970), On optimum recognition error and reject tradeoff, IEEE Transactions on
        Information Theory 16: answer where p >= 1 - reject / error.

        Examples
        --------
        >>> RejectOption.from_costs(RejectCosts(reject=0.4), label_names=("a", "b")).cut
        0.6
        """
        costs = _check_reject_costs(costs)
        rule = cls.from_threshold(
            costs.threshold, label_names=label_names, other=other, temperature=temperature
        )
        return replace(rule, chosen={"way": "costs, by formula", "costs": asdict(costs)})

    @classmethod
    def choose(
        cls,
        logits: ArrayLike,
        labels: ArrayLike,
        *,
        costs: RejectCosts | None = None,
        coverage: float | None = None,
        max_risk: float | None = None,
        confidence: float | None = None,
        candidates: ArrayLike | None = None,
        used: ArrayLike | None = None,
        score: Score = "softmax",
        label_names: Sequence[str] | None = None,
        other: str = "Other",
        temperature: float = 1.0,
    ) -> RejectOption:
        """Choose the cut on validation data. Give exactly one of costs, coverage, max_risk.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)
        labels : array_like of int, shape (n,)
            Class indices; ``n_classes`` for a message that belongs to no class. An answer to such
            a message is an error.
        costs : RejectCosts, optional
            Take the cut with the least cost over all distinct cuts.
        coverage : float in (0, 1], optional
            Take the highest cut that answers at least this share of the messages.
        max_risk : float in (0, 1), optional
            Of the messages that are answered, let at most this share be wrong, in all traffic that
            is like these rows; the lowest cut that is proven to keep it. Needs `confidence`.
        confidence : float in (0, 1), optional
            For `max_risk`: the promise is broken by chance in at most 1 - confidence of all
            choices.
        candidates : array_like of float, optional
            For `max_risk`: the cuts to try, fixed before these rows were seen. By default .05 to
            .95 by .05, for "softmax" and "margin"; the other scores have no scale of their own and
            need them.
        used : array_like of float, shape (m, n_classes), optional
            For `max_risk`: logits of the rows that something was already chosen on (the
            temperature, the best epoch, the score). Needed where the temperature is not 1.
        score, label_names, other, temperature
            See the class. Without names the classes are called "0", "1" and so on.

        Returns
        -------
        RejectOption

        Raises
        ------
        ValueError
            If not exactly one way is given, an option goes with another way, the input does not
            fit, or there are no rows; for `max_risk`, if no candidate can be proven (the message
            names the lowest risk that can), or if rows were used before.

        Notes
        -----
        Costs: equal costs form plateaus of cuts, and the middle of the widest is taken, as
        `BinaryThreshold.choose` does; O(n log n).

        The guarantee. For a fixed cut, given that k messages are answered, the number of wrong ones
        is binomial with k trials and the cut's true risk. So the exact (Clopper-Pearson) upper
        bound at level d lies under a true risk above `max_risk` with probability at most d. There
        are m candidates, which the data must not have chosen, tested from the highest (most
        cautious) to the lowest. Each brings the level (1 - confidence) / m; one that passes hands
        all the level it had on to the next, one that fails keeps it, and testing goes on (the
        fallback procedure). Why it holds: look at the candidates whose true risk is too high.
        Until one of them passes, each of them has stopped what came from above; so its level is at
        most the shares between the one before it and itself, and these add up to at most
        1 - confidence. Whichever candidate that passed is taken, the promise is broken with at
        most that probability. Testing until the first failure, with all the level on the highest
        cut, would hold too; but there few messages are answered, and it would often stop at once.

        The promise is about messages like these rows, unknown ones included in their share here,
        and about the cut alone: rows that chose the temperature or the epoch make it void.

        References
        ----------
        Angelopoulos, Bates, Candes, Jordan, Lei (2021), Learn then test: calibrating predictive
        algorithms to achieve risk control. Wiens, Dmitrienko (2005), The fallback procedure for
        evaluating a single family of hypotheses, Journal of Biopharmaceutical Statistics 15.
        Geifman, El-Yaniv (2017), Selective classification for deep neural networks, NeurIPS.

        Examples
        --------
        >>> z = [[3.0, 0.0], [0.5, 0.0], [0.0, 2.0], [0.0, 1.0]]
        >>> rule = RejectOption.choose(z, [0, 1, 1, 1], costs=RejectCosts(reject=0.4))
        >>> rule.decide(z)
        array([0, 2, 1, 1])
        >>> RejectOption.choose(z, [0, 1, 1, 1], coverage=0.5).decide(z)
        array([0, 2, 1, 2])
        """
        ways = {"costs": costs, "coverage": coverage, "max_risk": max_risk}
        given = {name: value for name, value in ways.items() if value is not None}
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(ways)}; got {', '.join(given) or 'none'}"
            )
        way, value = next(iter(given.items()))
        extra = {"confidence": confidence, "candidates": candidates, "used": used}
        if way != "max_risk" and any(option is not None for option in extra.values()):
            named = ", ".join(name for name, option in extra.items() if option is not None)
            raise ValueError(f"{named} goes with max_risk, not {way}")

        z = check_class_logits(logits)
        n_classes = z.shape[1]
        if label_names is None:
            label_names = tuple(map(str, range(n_classes)))
        rule = cls(
            cut="never",
            label_names=label_names,
            score=score,
            other=other,
            temperature=temperature,
        )
        scores = rule.confidence(z)
        true = check_labels_or_other(labels, len(z), n_classes)
        if len(z) == 0:
            raise ValueError("choosing needs at least one labelled message, got none")
        wrong = z.argmax(axis=1) != true
        chosen: dict[str, Any] = {"way": way, "n_samples": len(z)}
        if way == "costs":
            loss = _check_reject_costs(value).of(z.argmax(axis=1), true, n_classes=n_classes)
            cut = _cheapest_reject(scores, loss - value.reject)
            chosen[way] = asdict(value)
        elif way == "coverage":
            cut = _cut_for_coverage(scores, value)
            chosen[way] = float(value)
        else:
            _check_unused(z, used, rule.temperature)
            cuts = _check_candidates(candidates, score)
            cut = _sure_risk(scores, wrong, cuts, value, confidence)
            chosen |= {way: float(value), "confidence": float(confidence)}
            chosen["candidates"] = cuts.tolist()
        chosen["n_other"] = int((true == n_classes).sum())
        chosen["fingerprint"] = fingerprint(z, true)
        return replace(rule, cut=cut, chosen=chosen)

    # How a rule is applied

    @property
    def threshold(self) -> float:
        """The cut as a number on the scale of the score, for reading.

        For "softmax" and "margin" always is 0 and never is 1; elsewhere they are ``-inf``, ``inf``.
        """
        ends = {"always": 0.0, "never": 1.0} if self.score in _BOUNDED else _CUTS
        return ends.get(self.cut, self.cut)

    def confidence(self, logits: ArrayLike) -> Floats:
        """Compute the score that is compared with the cut, after the temperature.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If the array cannot be logits of a network with these labels.

        Examples
        --------
        >>> rule = RejectOption(cut=0.6, label_names=("a", "b"), temperature=2.0)
        >>> rule.confidence([[2.0, 0.0]]).round(3)
        array([0.731])
        """
        return confidence_of(self._scaled(logits), score=self.score)

    def _scaled(self, logits: ArrayLike) -> Floats:
        z = check_class_logits(logits)
        if z.shape[1] != len(self.label_names):
            raise ValueError(
                f"expected {len(self.label_names)} logits a row, one a label, got {z.shape[1]}"
            )
        scaled = z / self.temperature
        if not np.isfinite(scaled).all():
            raise ValueError("logits divided by the temperature must be finite, got infinity")
        return scaled

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

        Notes
        -----
        The comparison is made in float64; a confidence at the cut is answered. Of equal logits the
        first one wins.

        Examples
        --------
        >>> RejectOption(cut=1.0, score="logit", label_names=("a", "b")).decide([[1, 0], [0, 0.9]])
        array([0, 2])
        """
        z = self._scaled(logits)
        answered = confidence_of(z, score=self.score) >= _CUTS.get(self.cut, self.cut)
        return np.where(answered, z.argmax(axis=1), z.shape[1]).astype(np.int64)

    def explain(self, logits: ArrayLike) -> list[dict[str, Any]]:
        """Give each decision with its reasons.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        list of dict
            One a row: ``label`` (the name that is answered, or that of Other), ``best`` (the most
            likely label, answered or not), ``probability`` (its softmax after the temperature),
            ``confidence`` (the score that is compared), ``threshold`` (None where it is infinite),
            ``accepted``, ``reason``.

        Examples
        --------
        >>> rule = RejectOption.from_threshold(0.6, label_names=("bin", "bus"))
        >>> rule.explain([[0.0, 0.0]])[0]["reason"]
        'softmax 0.5000 is below 0.6000'
        """
        z = self._scaled(logits)
        names = (*self.label_names, self.other)
        probabilities = softmax(z).max(axis=1)
        scores = confidence_of(z, score=self.score)
        records = []
        for row, answer, best in zip(
            range(len(z)), self.decide(logits), z.argmax(axis=1), strict=True
        ):
            accepted = bool(answer < z.shape[1])
            reason = f'the rule answers "{self.cut}"'
            if self.cut not in _CUTS:
                found = "reaches" if accepted else "is below"
                reason = f"{self.score} {scores[row]:.4f} {found} {self.cut:.4f}"
            records.append(
                {
                    "label": names[answer],
                    "best": names[best],
                    "probability": float(probabilities[row]),
                    "confidence": float(scores[row]),
                    "threshold": self.threshold if np.isfinite(self.threshold) else None,
                    "accepted": accepted,
                    "reason": reason,
                }
            )
        return records


_BOUNDED = ("softmax", "margin")  # scores on a scale from 0 to 1


def _check_reject_costs(costs: RejectCosts) -> RejectCosts:
    if not isinstance(costs, RejectCosts):
        raise ValueError(f"costs must be RejectCosts(reject=..., error=...), got {costs!r}")
    return costs


def _cheapest_reject(scores: Floats, extra: Floats) -> float | Literal["always", "never"]:
    """Find the cheapest cut, given what answering a row costs more than rejecting it.

    It is the yes/no search with weights: answering is "yes", and each row counts what is lost by
    the wrong one of the two.
    """
    if not (extra > 0).any():
        return "always"
    if not (extra < 0).any():
        return "never"
    steps = _Steps.of(scores, extra < 0, np.abs(extra))
    return steps.cheapest(Costs(false_positive=1, false_negative=1))


def _cut_for_coverage(scores: Floats, coverage: float) -> float | Literal["always", "never"]:
    """Take the highest cut that answers enough, in the middle between two scores."""
    _check_floor("coverage", coverage)
    needed = int(np.ceil(coverage * len(scores) * (1 - EQUAL)))
    lowest = np.sort(scores)[len(scores) - needed]
    below = scores[scores < lowest]
    if len(below) == 0:
        return "always"
    middle = lowest / 2 + below.max() / 2
    return float(middle if below.max() < middle <= lowest else lowest)


def _check_unused(z: Floats, used: ArrayLike | None, temperature: float) -> None:
    """Refuse rows that have chosen something before."""
    if used is None:
        if temperature != 1:
            raise ValueError(
                "a temperature was chosen on some rows: pass their logits as used=, and other rows "
                "here; the promise does not hold on rows that chose anything"
            )
        return
    before = check_class_logits(used)
    if before.shape[1] != z.shape[1]:
        raise ValueError(f"used must have {z.shape[1]} columns, as logits have, got {before.shape}")
    seen = {row.tobytes() for row in before.astype(np.float32)}
    again = sum(row.tobytes() in seen for row in z.astype(np.float32))
    if again:
        raise ValueError(
            f"{again} of {len(z)} rows have been used to choose something: the promise would not "
            "hold. Choose by risk on rows of their own"
        )


def _check_candidates(candidates: ArrayLike | None, score: Score) -> Floats:
    """Return the cuts to try, the most cautious one first."""
    if candidates is None:
        if score not in _BOUNDED:
            raise ValueError(
                f"the score {score!r} has no scale that is known beforehand: give candidates=, "
                "cuts that were fixed without a look at these rows"
            )
        candidates = np.arange(1, 20) / 20
    cuts = np.asarray(candidates, dtype=np.float64)
    if cuts.ndim != 1 or len(cuts) == 0 or not np.isfinite(cuts).all():
        raise ValueError(
            f"candidates must be finite cuts of shape (m,), m at least 1, got shape {cuts.shape}"
        )
    return np.unique(cuts)[::-1]


def _sure_risk(
    scores: Floats,
    wrong: NDArray[np.bool_],
    cuts: Floats,
    max_risk: float,
    confidence: float | None,
) -> float:
    """Take the lowest candidate whose risk is proven; `RejectOption.choose` has the argument."""
    from scipy.stats import beta, binom

    _check_open_unit("max_risk", max_risk)
    if confidence is None:
        raise ValueError("max_risk is a promise: say with which confidence=, as 0.95")
    _check_open_unit("confidence", confidence)
    answered = len(scores) - np.searchsorted(np.sort(scores), cuts)
    errors = np.count_nonzero(wrong) - np.searchsorted(np.sort(scores[wrong]), cuts)
    # the chance of so few errors if the risk were just max_risk: small is proof of less
    p_values = binom.cdf(errors, answered, max_risk)
    share = (1 - confidence) / len(cuts)
    level, passed = 0.0, None
    for cut, p in zip(cuts, p_values, strict=True):
        level += share
        if p <= level:
            passed = float(cut)
        else:
            level = 0.0
    if passed is None:
        bounds = beta.ppf(1 - share, errors + 1, np.maximum(answered - errors, 1))
        lowest = np.where(errors < answered, bounds, 1.0).min()
        raise ValueError(
            f"{len(scores)} messages cannot promise a risk of {max_risk} with confidence "
            f"{confidence}: the lowest that they can promise is {np.ceil(lowest * 1e4) / 1e4:.4f}"
        )
    return passed


Rule = BinaryThreshold | RejectOption | LabelThresholds
