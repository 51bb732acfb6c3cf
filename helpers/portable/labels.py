"""Any of many labels: `LabelThresholds`. Lesson 03 explains it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, check_label_logits, check_label_matrix, divided
from .binary import BinaryThreshold
from .chance import PAIRS, warn_upside_down, wrong_pairs
from .checks import (
    check_choice,
    check_count,
    check_flag,
    check_names,
    check_sequence,
    check_temperature,
    exactly_one,
    is_real,
)
from .costs import Costs, check_costs
from .probabilities import sigmoid
from .rule import ALWAYS, NEVER, BaseRule, Reason, check_cut, label_fingerprint
from .search import Steps


def _costs_of_labels(costs: Costs | Sequence[Costs], n_labels: int) -> list[Costs]:
    if isinstance(costs, Costs) or not isinstance(costs, Iterable):
        return [check_costs(costs)] * n_labels
    each = check_sequence("costs", costs)
    if len(each) != n_labels:
        raise ValueError(f"costs must be one Costs or {n_labels} of them, got {len(each)}")
    return [check_costs(one) for one in each]


def _scaled(scores: NDArray, scale: float) -> NDArray[np.floating]:
    """Divide by the temperature in float64; float32 that need not be divided sorts faster as is."""
    return scores if scale == 1 and scores.dtype == np.float32 else divided(scores, scale)


def _shared_cut(
    scores: NDArray, positive: NDArray[np.bool_], scale: float, prices: list[Costs] | None
) -> float:
    """Find the best single cut: by micro-F1, or by the total of each label's costs."""
    if positive.all() or not positive.any():
        return ALWAYS if positive.all() else NEVER
    pooled = _scaled(scores.ravel(), scale)
    weight = None
    if prices is not None:
        alarm = [one.false_positive - one.true_negative for one in prices]
        miss = [one.false_negative - one.true_positive for one in prices]
        weight = np.where(positive, miss, alarm).ravel()
    steps = Steps.of(pooled, positive.ravel(), weight)
    if prices is None:
        return steps.best_f(1.0)
    return steps.cheapest(Costs(false_positive=1, false_negative=1))


def _seems_upside_down(column: NDArray, truth: NDArray[np.bool_]) -> bool:
    """Tell whether the logits of 1s are lower in the mean: quicker than to sort them."""
    if truth.all() or not truth.any():
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(column[truth].mean(dtype=float) < column[~truth].mean(dtype=float))


def _joint_f1(hulls: dict[int, Steps], n_positive: int, hits: int, alarms: int) -> dict[int, float]:
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
            `macro_f1` is asked for): so few cannot place a cut of its own. At least 0; 0 for none.
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

        Warns
        -----
        UserWarning
            If the logits of a label's 1s are the lower ones, beyond chance: are two labels swapped?

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
        way, _ = exactly_one(
            micro_f1=check_flag("micro_f1", micro_f1) or None,
            macro_f1=check_flag("macro_f1", macro_f1) or None,
            costs=costs,
        )
        shared = check_flag("shared", shared)
        if shared and way == "macro_f1":
            raise ValueError("one shared cut is chosen by micro_f1 or costs, not by macro_f1")
        min_positives = check_count("min_positives", min_positives, least=0)
        scale = check_temperature(temperature)
        scores = check_label_logits(logits)
        positive = check_label_matrix(labels, scores.shape)
        n, n_labels = scores.shape
        prices = None if costs is None else _costs_of_labels(costs, n_labels)
        n_positive = np.count_nonzero(positive, axis=0)
        if n == 0 or (prices is None and not n_positive.any()):
            raise ValueError(f"choosing by {way} needs at least one positive, got none in {n} rows")

        cuts: list[float] = [NEVER] * n_labels
        falls_back = np.full(n_labels, True) if shared else n_positive < min_positives
        if falls_back.any():
            common = _shared_cut(scores, positive, scale, prices)
            cuts = [common if back else cut for back, cut in zip(falls_back, cuts, strict=True)]
        hulls: dict[int, Steps] = {}
        suspects: list[int] = [
            k
            for k in np.flatnonzero(falls_back).tolist()
            if _seems_upside_down(scores[:, k], positive[:, k])
        ]
        width = max(1, 2_000_000 // n)
        for start in range(0, n_labels, width):
            block = slice(start, start + width)
            columns = _scaled(np.ascontiguousarray(scores[:, block].T), scale)
            truths = np.ascontiguousarray(positive[:, block].T)
            for k, column, truth in zip(range(start, n_labels), columns, truths, strict=False):
                if falls_back[k] or n_positive[k] == 0:
                    continue
                if n_positive[k] == n:
                    cuts[k] = ALWAYS
                    continue
                steps = Steps.of(column, truth, None)
                if steps.mostly_lost():
                    suspects.append(k)
                if way == "micro_f1":
                    hulls[k] = steps.hull()
                else:
                    cuts[k] = steps.cheapest(prices[k]) if prices else steps.best_f(1.0)
        if hulls:
            at = np.array(cuts) * scale
            fixed = [k for k in range(n_labels) if k not in hulls]
            said = scores[:, fixed] >= at[fixed]
            hits = int(np.count_nonzero(said & positive[:, fixed]))
            alarms = int(np.count_nonzero(said)) - hits
            cuts_of = _joint_f1(hulls, int(n_positive.sum()), hits, alarms)
            cuts = [cuts_of.get(k, cut) for k, cut in enumerate(cuts)]

        chosen: dict[str, Any] = {
            "method": "search",
            "criterion": way,
            "shared": shared,
            "min_positives": min_positives,
            "n_samples": n,
            "n_positive": n_positive.tolist(),
            "fell_back": [] if shared else np.flatnonzero(falls_back).tolist(),
            "fingerprint": label_fingerprint(scores, positive),
        }
        if prices is not None:
            chosen["costs"] = [asdict(one) for one in prices]
        rule = cls(
            cuts=tuple(cuts),
            temperature=scale,
            label_names=cast(Any, label_names),
            empty=empty,
            chosen=chosen,
        )
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
