"""Any of many labels: `LabelThresholds`. Lesson 03 explains it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, check_bias, check_label_logits, check_label_matrix, divided
from .binary import BinaryThreshold
from .chance import PAIRS, warn_upside_down, wrong_pairs
from .checks import (
    check_choice,
    check_count,
    check_flag,
    check_names,
    check_open_unit,
    check_sequence,
    check_temperature,
    exactly_one,
    is_real,
)
from .costs import Costs, check_costs
from .floors import WAYS_OF_FLOORS, check_floors, check_level, label_cuts, way_of_floors
from .label_search import best_cuts, columns_of
from .probabilities import sigmoid
from .rule import BaseRule, Reason, check_cut, label_fingerprint
from .search import check_unused


def _costs_of_labels(costs: Costs | Sequence[Costs], n_labels: int) -> list[Costs]:
    if isinstance(costs, Costs) or not isinstance(costs, Iterable):
        return [check_costs(costs)] * n_labels
    each = check_sequence("costs", costs)
    if len(each) != n_labels:
        raise ValueError(f"costs must be one Costs or {n_labels} of them, got {len(each)}")
    return [check_costs(one) for one in each]


LabelFloors = float | Sequence[float | None] | Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class LabelThresholds(BaseRule):
    """Give each label whose logit, divided by the temperature, reaches that label's own cut.

    Make one with `choose` (from validation data) or `from_thresholds` (probabilities that somebody
    decided). Lesson 03 explains it.

    Parameters
    ----------
    cuts : sequence of float, or "always" or "never", length n_labels
        On the scale "logit divided by the temperature"; ``>=`` is positive. "always" is kept as
        ``-inf``, "never" as ``inf``; in JSON the words stand.
    temperature : float, default 1
        Above 0.
    label_names : sequence of str, length n_labels
        In the order of the cuts; by default ``"0"``, ``"1"``, and so on.
    empty : "allow" or "top1"
        What to do with a row whose logits all lie below their cuts: leave it without a label, or
        give it the label with the largest logit (the first of equals).
    chosen : dict
        How the rule came about, plain JSON.

    Raises
    ------
    ValueError
        If there are no cuts, a cut is no number, ``"always"`` or ``"never"``, the number of
        names differs from that of cuts, or another field makes no sense.

    Examples
    --------
    >>> rule = LabelThresholds(cuts=(0.0, 2.0), label_names=("home", "water"))
    >>> rule.decide([[1.0, 1.0], [-1.0, 3.0], [-1.0, 1.0]])
    array([[1, 0],
           [0, 1],
           [0, 0]])
    """

    cuts: tuple[float, ...]
    temperature: float = 1.0
    label_names: tuple[str, ...] = ()
    empty: Literal["allow", "top1"] = "allow"
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        cuts = check_sequence("cuts", self.cuts)
        if len(cuts) == 0:
            raise ValueError("cuts must be a sequence, one for each label, got none")
        object.__setattr__(self, "cuts", tuple(check_cut(cut, "logit") for cut in cuts))
        names = check_sequence("label_names", self.label_names)
        object.__setattr__(self, "label_names", names or tuple(map(str, range(len(cuts)))))
        self._check_shared(least=1)
        if len(self.label_names) != len(cuts):
            raise ValueError(
                f"there must be one name for each label, got {len(self.label_names)} names and "
                f"{len(cuts)} cuts"
            )
        check_choice("empty", self.empty, ("allow", "top1"))

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
            One for all labels, or one for each; 0 is always, 1 is never.
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
        names = check_names("label_names", label_names)
        one = is_real(thresholds)
        given: Any = thresholds
        values = [given] * len(names) if one else check_sequence("thresholds", given)
        rules = [BinaryThreshold.from_threshold(value) for value in values]
        return cls(
            cuts=tuple(rule.cut for rule in rules),
            temperature=temperature,
            label_names=names,
            empty=empty,
            chosen={"method": "given", "threshold": [float(value) for value in values]},
        )

    @classmethod
    def from_costs(
        cls,
        costs: Costs | Sequence[Costs],
        *,
        label_names: Sequence[str],
        temperature: float = 1.0,
        bias: Sequence[float] = (),
        empty: Literal["allow", "top1"] = "allow",
    ) -> LabelThresholds:
        """Make the rule that is cheapest if each label's probabilities are calibrated.

        Parameters
        ----------
        costs : Costs, or one for each label
        label_names : sequence of str, length n_labels
        temperature, empty
            See the class.
        bias : sequence of float, length n_labels, optional
            What `fit_temperature_and_bias` adds to the logits: each cut moves down by it.

        Returns
        -------
        LabelThresholds

        Raises
        ------
        ValueError
            If the number of costs or biases is not that of the labels.

        Examples
        --------
        >>> costs = [Costs(false_positive=1, false_negative=miss) for miss in (1, 4)]
        >>> LabelThresholds.from_costs(costs, label_names=("home", "water")).thresholds
        (0.5, 0.2)
        """
        names = check_names("label_names", label_names)
        prices = _costs_of_labels(costs, len(names))
        shift = check_bias("bias", bias, len(names)) if len(bias) else (0.0,) * len(names)
        rules = [
            BinaryThreshold.from_costs(one, bias=b) for one, b in zip(prices, shift, strict=True)
        ]
        return cls(
            cuts=tuple(rule.cut for rule in rules),
            temperature=temperature,
            label_names=names,
            empty=empty,
            chosen={
                "method": "formula",
                "criterion": "costs",
                "costs": [asdict(one) for one in prices],
            },
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
        min_recall: LabelFloors | None = None,
        min_precision: LabelFloors | None = None,
        confidence_level: float | None = None,
        used: ArrayLike | None = None,
        max_missed: float | None = None,
        shared: bool = False,
        min_positives: int = 10,
        temperature: float = 1.0,
        label_names: Sequence[str] = (),
        empty: Literal["allow", "top1"] = "allow",
    ) -> LabelThresholds:
        """Search every cut of every label that validation data can tell apart, and take the best.

        Exactly one of `micro_f1`, `macro_f1`, `costs`, `min_recall`, `min_precision`, `max_missed`
        must be given, or both floors.

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
        min_recall, min_precision : float in (0, 1], or one for each label, or a dict by name
            Floors for each label, as for `BinaryThreshold.choose`; None, or no entry in the dict,
            for a label without one. A label with neither gets the cut of its best F1, and no
            promise.
        confidence_level : float in (0, 1), optional
            With floors: all of all labels shall hold at once for new messages like these with this
            probability (see Notes).
        used : array_like of float, shape (m, n_labels), optional
            With `confidence_level`, as for `BinaryThreshold.choose`: needed for a precision where
            the temperature is not 1.
        max_missed : float in (0, 1)
            The highest cut, one for all labels, at which the share of its true labels that a new
            message is not given is at most this in expectation. Rows that are too few for it give
            every label to every message.
        shared : bool, default False
            One cut for all labels, the best such; with `micro_f1` or `costs`.
        min_positives : int, default 10
            A label with fewer validation positives gets the shared cut (by `micro_f1` where
            `macro_f1` is asked for): so few cannot place a cut of its own. At least 0; 0 for none.
            Takes no part in floors.
        temperature, label_names, empty
            See the class.

        Returns
        -------
        LabelThresholds

        Raises
        ------
        ValueError
            If no way, or more than one, is given, or the input does not fit; if F1 is asked for
            and there is no positive at all. If a label cannot keep its floors: the message names
            each such label, and what its rows can keep or promise. If rows of a promise were used
            before, or a precision is asked for with ``empty="top1"``, which gives labels below
            their cuts.

        Warns
        -----
        UserWarning
            If the logits of a label's 1s are the lower ones, beyond chance: are two labels swapped?

        Notes
        -----
        With ``min_positives=0`` a label without positives is never given, one without negatives
        always. `empty` takes no part in the search. The promise of `max_missed` (conformal risk
        control; `helpers.portable.conformal` has the argument) is about rows that chose nothing
        before, the temperature neither.

        Micro-F1 is 2 TP / (TP + FP + P), where P counts the positives. For a guess L of the best
        value each label alone makes (2 - L) TP - L FP as large as it can; the F1 of these cuts is
        the next guess. A guess that cannot be bettered is the joint optimum (Dinkelbach), and all
        cuts that are best for it are optimal together. Only cuts on the upper hull of a label's ROC
        curve can be best for some L, so these alone are kept, and columns are sorted block by
        block.

        Floors with `confidence_level`: each label with a floor gets an equal share of the chance of
        error, 1 - confidence_level, and with it the cut that `BinaryThreshold.choose` promises at
        one minus that share; by the union bound all hold at once, however labels hang together.
        For K labels that is a confidence of 1 - (1 - confidence_level) / K each: `fewest_rows`
        tells how many positives this takes. Nothing is promised of too few: they are an error.

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
        >>> LabelThresholds.choose(z, y, min_recall=[1, 0.5], min_precision=0.9).cuts
        (0.0, -2.5)
        """
        way, _ = exactly_one(
            micro_f1=check_flag("micro_f1", micro_f1) or None,
            macro_f1=check_flag("macro_f1", macro_f1) or None,
            costs=costs,
            **way_of_floors(min_recall, min_precision),
            max_missed=max_missed,
        )
        if max_missed is not None:
            max_missed = check_open_unit("max_missed", max_missed)
        confidence_level = check_level(way, confidence_level, used)
        shared = check_flag("shared", shared)
        if shared and way not in ("micro_f1", "costs", "max_missed"):
            raise ValueError(f"one shared cut is chosen by micro_f1 or costs, not by {way}")
        shared = shared or way == "max_missed"
        min_positives = check_count("min_positives", min_positives, least=0)
        scale = check_temperature(temperature)
        scores = check_label_logits(logits)
        positive = check_label_matrix(labels, scores.shape)
        n, n_labels = scores.shape
        n_positive = positive.sum(axis=0, dtype=np.int32)  # thrice as fast as in int64
        if n == 0 or (costs is None and not n_positive.any()):
            raise ValueError(f"choosing by {way} needs at least one positive, got none in {n} rows")
        chosen: dict[str, Any] = {"method": "search", "criterion": way}
        names: Any = label_names
        plan = cls(cuts=(0.0,) * n_labels, temperature=scale, label_names=names, empty=empty)
        if way in WAYS_OF_FLOORS:
            recalls = check_floors("min_recall", min_recall, plan.label_names)
            precisions = check_floors("min_precision", min_precision, plan.label_names)
            if min_precision is not None and empty == "top1":
                raise ValueError(
                    'empty="top1" gives labels below their cuts, so it cannot keep a precision'
                )
            before = None if used is None else check_label_logits(used)
            sure = confidence_level is not None and min_precision is not None
            check_unused(scores, before, scale if sure else None)
            cuts, suspects = label_cuts(
                columns_of(scores, positive, scale),
                recalls,
                precisions,
                confidence_level,
                plan.label_names,
            )
            given = {
                "min_recall": (min_recall, recalls),
                "min_precision": (min_precision, precisions),
            }
            chosen |= {name: each for name, (asked, each) in given.items() if asked is not None}
            if confidence_level is not None:
                chosen["confidence_level"] = confidence_level
        else:
            prices = None if costs is None else _costs_of_labels(costs, n_labels)
            falls_back = np.full(n_labels, True) if shared else n_positive < min_positives
            cuts, suspects = best_cuts(scores, positive, scale, way, prices, falls_back, max_missed)
            chosen |= {
                "shared": shared,
                "min_positives": min_positives,
                "fell_back": [] if shared else np.flatnonzero(falls_back).tolist(),
            }
            if prices is not None:
                chosen["costs"] = [asdict(one) for one in prices]
            if max_missed is not None:
                chosen["max_missed"] = max_missed
        chosen |= {
            "n_samples": n,
            "n_positive": n_positive.tolist(),
            "fingerprint": label_fingerprint(scores, positive),
        }
        rule = replace(plan, cuts=tuple(cuts), chosen=chosen)
        tested = {k: wrong_pairs(scores[:, k], positive[:, k]) for k in sorted(suspects)}
        wrong = {rule.label_names[k]: share for k, share in tested.items() if share is not None}
        if wrong:
            warn_upside_down(max(wrong.values()), f"{PAIRS} of {', '.join(wrong)}")
        return rule

    # How a rule is applied

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The cuts as probabilities (after temperature); 0 for always, 1 for never."""
        return tuple(sigmoid(self.cuts).tolist())

    def _scores(self, logits: ArrayLike) -> Floats:
        scores = check_label_logits(logits)
        if scores.shape[1] != len(self.cuts):
            raise ValueError(f"this rule is for {len(self.cuts)} labels, got {scores.shape[1]}")
        return divided(scores, self.temperature)

    def _reached(self, scores: Floats) -> NDArray[np.bool_]:
        return scores >= np.array(self.cuts)

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
            ``accepted`` (whether any threshold was reached), ``reason``: "answered", "no label", or
            "unsure" (the likeliest label is given, though it did not reach its threshold).

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
                "reason": _reason(reached.any(), said.any()),
            }
            for said, p, reached in rows
        ]


def _reason(reached: bool, said: bool) -> Reason:
    return "answered" if reached else "unsure" if said else "no label"
