"""One label of many, or Other: `RejectOption`. Lesson 02 explains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, check_class_logits, check_labels_or_other, check_one_a_label, divided
from .chance import ANSWERS, warn_swapped, warn_upside_down, wrong_answers
from .checks import check_choice, exactly_one, is_real, shown
from .costs import RejectCosts, check_reject_costs
from .probabilities import MEASURES, Measure, softmax
from .probabilities import confidence as confidence_of
from .reject_search import (
    BOUNDED,
    cheapest_reject,
    check_candidates,
    check_has_energy,
    cut_for_coverage,
    sure_risk,
)
from .rule import ALWAYS, NEVER, BaseRule, Reason, check_cut, fingerprint
from .search import check_unused


@dataclass(frozen=True, kw_only=True)
class RejectOption(BaseRule):
    """Answer the label with the largest logit, or Other where the confidence is below the cut.

    With a second cut, Other also where the text is unlike all that the network knows.

    Make one with `choose` (from validation data), `from_costs` (from prices, for calibrated
    probabilities) or `from_threshold` (a number that somebody decided).

    Parameters
    ----------
    cut : float, or "always" or "never"
        On the scale of the measure of "logit divided by the temperature"; ``>=`` is answered.
        "always", kept as ``-inf``, answers every message, "never", kept as ``inf``, none.
    label_names : sequence of str
        Names of the classes, in the order of the network's logits: a set has none and is refused.
    measure : "softmax", "margin", "entropy", "logit" or "energy"
        See `helpers.probabilities.confidence`.
    other : str, default "Other"
        Name of the answer that is no label.
    temperature : float, default 1
        Above 0.
    unknown_cut : float, or "always" or "never", default "always"
        On the scale of the measure "energy": below it a message is unknown, whatever its
        confidence. `choose_unknown_cut` finds one; "always" takes every message for known.
    none_of_these : str, optional
        The label that was trained on messages that belong to no other, if one was.
    chosen : dict
        How the rule came about, plain JSON: the way, its settings, the size and the `fingerprint`
        of the data.

    Raises
    ------
    ValueError
        If the cut is no number, ``"always"`` or ``"never"``, there is no such measure, the
        temperature is not above 0, the name for Other is among the label names, or `none_of_these`
        is not.

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

    cut: float
    label_names: tuple[str, ...]
    measure: Measure = "softmax"
    other: str = "Other"
    temperature: float = 1.0
    unknown_cut: float = ALWAYS
    none_of_these: str | None = None
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("cut", "unknown_cut"):
            object.__setattr__(self, name, check_cut(getattr(self, name), "number"))
        self._check_shared(least=2)
        check_choice("measure", self.measure, MEASURES)
        if not isinstance(self.other, str) or self.other in self.label_names:
            raise ValueError(
                f"the name for Other must be a string that is no label, got {shown(self.other)}: "
                "take another name"
            )
        if self.none_of_these is not None and self.none_of_these not in self.label_names:
            raise ValueError(
                f"none_of_these must be one of the labels, got {shown(self.none_of_these)}"
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RejectOption:
        """Read what `to_dict` wrote, before there was a second cut too: see `BaseRule.from_dict`.

        Examples
        --------
        >>> values = RejectOption(cut=0.6, label_names=("a", "b")).to_dict()
        >>> del values["unknown_cut"], values["none_of_these"]
        >>> RejectOption.from_dict(values).unknown_cut
        -inf
        """
        if isinstance(values, dict):
            values = {"unknown_cut": "always", "none_of_these": None, **values}
        return super().from_dict(values)

    # How a rule comes about

    @classmethod
    def from_threshold(
        cls,
        threshold: float,
        *,
        label_names: Sequence[str],
        measure: Measure = "softmax",
        other: str = "Other",
        temperature: float = 1.0,
    ) -> RejectOption:
        """Make the rule "the label where the confidence is at least `threshold`, else Other".

        Parameters
        ----------
        threshold : float
            On the scale of the measure. For "softmax" and "margin" in [0, 1]: 0 is always, 1 is
            never.
        label_names, measure, other, temperature
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
        -inf
        """
        bounded = check_choice("measure", measure, MEASURES) in BOUNDED
        if not is_real(threshold) or (bounded and not 0 <= threshold <= 1):
            scale = "a probability in [0, 1]" if bounded else "a finite number"
            raise ValueError(f"a threshold on {measure} is {scale}, got {shown(threshold)}")
        named = {0.0: ALWAYS, 1.0: NEVER} if bounded else {}
        return cls(
            cut=named.get(float(threshold), float(threshold)),
            label_names=cast(Any, label_names),
            measure=measure,
            other=other,
            temperature=temperature,
            chosen={"method": "given", "threshold": float(threshold)},
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
        costs = check_reject_costs(costs)
        rule = cls.from_threshold(
            costs.threshold, label_names=label_names, other=other, temperature=temperature
        )
        return replace(
            rule, chosen={"method": "formula", "criterion": "costs", "costs": asdict(costs)}
        )

    @classmethod
    def choose(
        cls,
        logits: ArrayLike,
        labels: ArrayLike,
        *,
        costs: RejectCosts | None = None,
        coverage: float | None = None,
        max_risk: float | None = None,
        confidence_level: float | None = None,
        candidates: ArrayLike | None = None,
        used: ArrayLike | None = None,
        measure: Measure = "softmax",
        label_names: Sequence[str] | None = None,
        other: str = "Other",
        none_of_these: str | None = None,
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
            is like these rows; the lowest cut that is proven to keep it. Needs `confidence_level`.
        confidence_level : float in (0, 1), optional
            For `max_risk`: the promise is broken by chance in at most 1 - confidence_level of all
            choices.
        candidates : array_like of float, optional
            For `max_risk`: the cuts to try, on the scale of the measure, fixed before these rows
            were seen. By default .05 to .95 by .05, for "softmax" and "margin"; the other measures
            have no scale of their own and need them.
        used : array_like of float, shape (m, n_classes), optional
            For `max_risk`: logits of the rows that something was already chosen on (the
            temperature, the best epoch, the measure). Needed where the temperature is not 1.
        measure, label_names, other, none_of_these, temperature
            See the class. Without names the classes are called "0", "1" and so on.

        Returns
        -------
        RejectOption

        Raises
        ------
        ValueError
            If not exactly one way is given, an option goes with another way, the input does not
            fit, or there are no rows; for "energy", if the logits are logs of probabilities, whose
            energy is 0; for `max_risk`, if no candidate can be proven (the message
            names the lowest risk that can), or if rows were used before.

        Warns
        -----
        UserWarning
            If more answers are wrong than chance would make: are two labels swapped?

        Notes
        -----
        Costs: equal costs form plateaus of cuts, and the middle of the widest is taken, as
        `BinaryThreshold.choose` does; O(n log n).

        The guarantee. For a fixed cut, given that k messages are answered, the number of wrong ones
        is binomial with k trials and the cut's true risk. So the exact (Clopper-Pearson) upper
        bound at level d lies under a true risk above `max_risk` with probability at most d. There
        are m candidates, which the data must not have chosen, tested from the highest (most
        cautious) to the lowest. Each brings the level (1 - confidence_level) / m; one that passes
        hands all the level it had on to the next, one that fails keeps it, and testing goes on (the
        fallback procedure). Why it holds: look at the candidates whose true risk is too high.
        Until one of them passes, each of them has stopped what came from above; so its level is at
        most the shares between the one before it and itself, and these add up to at most
        1 - confidence_level. Whichever candidate that passed is taken, the promise is broken with
        at most that probability. Testing until the first failure, with all the level on the highest
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
        way, value = exactly_one(costs=costs, coverage=coverage, max_risk=max_risk)
        extra = {"confidence_level": confidence_level, "candidates": candidates, "used": used}
        if way != "max_risk" and any(option is not None for option in extra.values()):
            named = ", ".join(name for name, option in extra.items() if option is not None)
            raise ValueError(f"{named} goes with max_risk, not {way}")

        z = check_class_logits(logits)
        n_classes = z.shape[1]
        if label_names is None:
            label_names = tuple(map(str, range(n_classes)))
        rule = cls(
            cut=NEVER,
            label_names=cast(Any, label_names),
            measure=measure,
            other=other,
            none_of_these=none_of_these,
            temperature=temperature,
        )
        scores = rule.confidence(z)
        if measure == "energy":
            check_has_energy(z)
        true = check_labels_or_other(labels, len(z), n_classes)
        if len(z) == 0:
            raise ValueError("choosing needs at least one labelled message, got none")
        best, known = z.argmax(axis=1), true < n_classes
        wrong = wrong_answers(true[known], best[known])
        warn_upside_down(wrong, ANSWERS)
        if wrong is None:
            warn_swapped(true[known], best[known], rule.label_names)
        chosen: dict[str, Any] = {"method": "search", "criterion": way, "n_samples": len(z)}
        if way == "costs":
            loss = check_reject_costs(value).of(true, best, n_classes=n_classes)
            cut = cheapest_reject(scores, loss - value.reject)
            chosen[way] = asdict(value)
        elif way == "coverage":
            cut = cut_for_coverage(scores, value)
            chosen[way] = float(value)
        else:
            before = None if used is None else check_class_logits(used, "used")
            check_unused(z, before, rule.temperature)
            cuts = check_candidates(candidates, measure)
            cut = sure_risk(scores, best != true, cuts, value, confidence_level)
            chosen |= {way: float(value), "confidence_level": float(cast(float, confidence_level))}
            chosen["candidates"] = cuts.tolist()
        chosen["n_other"] = int(np.count_nonzero(~known))
        chosen["fingerprint"] = fingerprint(z, true)
        return replace(rule, cut=cut, chosen=chosen)

    # How a rule is applied

    @property
    def threshold(self) -> float:
        """The cut as a number on the scale of the measure, for reading.

        For "softmax" and "margin" always is 0 and never is 1; elsewhere they are ``-inf``, ``inf``.
        """
        return float(np.clip(self.cut, 0, 1)) if self.measure in BOUNDED else self.cut

    def _scaled(self, logits: ArrayLike) -> Floats:
        z = check_class_logits(logits)
        check_one_a_label(z, len(self.label_names))
        return divided(z, self.temperature)

    def confidence(self, logits: ArrayLike) -> Floats:
        """Compute the confidence that is compared with the cut, after the temperature.

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
        return confidence_of(self._scaled(logits), measure=self.measure)

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
        >>> rule = RejectOption(cut=1.0, measure="logit", label_names=("a", "b"))
        >>> rule.decide([[1, 0], [0, 0.9]])
        array([0, 2])
        """
        z = self._scaled(logits)
        answered = confidence_of(z, measure=self.measure) >= self.cut
        answered &= confidence_of(z, measure="energy") >= self.unknown_cut
        return np.where(answered, z.argmax(axis=1), z.shape[1]).astype(np.int64)

    def unknown(self, logits: ArrayLike) -> NDArray[np.bool_]:
        """Tell which rows lie below the second cut, whatever their confidence.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        ndarray of bool, shape (n,)

        Raises
        ------
        ValueError
            As `decide` does.

        Examples
        --------
        >>> RejectOption(cut=0, label_names=("a", "b"), unknown_cut=1).unknown([[3, 0], [0, 0.1]])
        array([False,  True])
        """
        return confidence_of(self._scaled(logits), measure="energy") < self.unknown_cut

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
            ``confidence`` (what is compared), ``threshold`` (None where it is infinite),
            ``accepted``, ``reason``: "answered", "none of these" (answered, with the label for
            messages that belong to no other), "unsure" (below the cut), or "unknown" (below the
            second cut, whatever the confidence).

        Examples
        --------
        >>> rule = RejectOption(cut=0.6, label_names=("bin", "bus"), unknown_cut=1.0)
        >>> [record["reason"] for record in rule.explain([[4.0, 0.0], [1.0, 1.0], [0.1, -3.0]])]
        ['answered', 'unsure', 'unknown']
        """
        z = self._scaled(logits)
        names = (*self.label_names, self.other)
        probabilities = softmax(z).max(axis=1)
        scores, unknown = confidence_of(z, measure=self.measure), self.unknown(logits)
        records = []
        for row, answer, best in zip(
            range(len(z)), self.decide(logits), z.argmax(axis=1), strict=True
        ):
            accepted = bool(answer < z.shape[1])
            reason: Reason = "unknown" if unknown[row] else "unsure"
            if accepted:
                reason = "none of these" if names[answer] == self.none_of_these else "answered"
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
