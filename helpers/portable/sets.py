"""Some labels of many, the true one among them: `PredictionSets`. Lesson 02 explains it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import (
    Floats,
    as_array,
    check_class_logits,
    check_label_logits,
    check_labels_or_other,
    check_one_a_label,
    divided,
)
from .chance import ANSWERS, warn_upside_down, wrong_answers
from .checks import check_choice, check_flag, check_open_unit, check_sequence
from .conformal import cut_for_coverage, draws
from .probabilities import softmax
from .rule import ALWAYS, BaseRule, Reason, check_cut, fingerprint
from .search import check_unused

Score = Literal["lac", "aps"]
TIE = 1e-9  # how far a draw moves a probability: it parts equal ones, and no others
BLOCK = 1_000_000  # numbers that are worked on together


def support(z: Floats, score: Score, randomized: bool) -> Floats:
    """Say how much speaks for each class of each row: what is compared with the cuts.

    Parameters
    ----------
    z : ndarray of float64, shape (n, n_classes)
        Logits divided by the temperature.
    score : "lac" or "aps"
    randomized : bool

    Returns
    -------
    ndarray of float64, shape (n, n_classes)
        From 0 to 1. "lac": the probability of the class; `randomized` adds a billionth of the row's
        draw, which parts equal ones. "aps": 1 minus the probability of all likelier classes
        together; `randomized` takes the draw's part of the class's own probability off, too.

    Examples
    --------
    >>> z = np.log([[0.2, 0.5, 0.3]])
    >>> support(z, "lac", False).round(3), support(z, "aps", False).round(3)
    (array([[0.2, 0.5, 0.3]]), array([[0.2, 1. , 0.5]]))
    """
    p = softmax(z)
    chance = draws(z)[:, np.newaxis] if randomized else 0.0
    if score == "lac":
        return p + TIE * chance
    order = np.argsort(-p, axis=1, kind="stable")
    falling = np.take_along_axis(p, order, axis=1)
    likelier = np.zeros_like(p)
    # equal classes have the same ones before them
    drops = falling[:, 1:] < falling[:, :-1]
    likelier[:, 1:] = np.where(drops, np.cumsum(falling, axis=1)[:, :-1], 0)
    before = np.empty_like(p)
    np.put_along_axis(before, order, np.maximum.accumulate(likelier, axis=1), axis=1)
    return np.maximum(1 - before - chance * p, 0)


@dataclass(frozen=True, kw_only=True)
class PredictionSets(BaseRule):
    """Name every label whose support reaches its cut: one, several or none.

    Make one with `choose`, from validation data. Lesson 02 explains it.

    Parameters
    ----------
    cuts : sequence of float, or "always" or "never", length n_classes
        On the scale of `support`, from 0 to 1, a class each; ``>=`` is named.
    label_names : sequence of str, length n_classes
        In the order of the network's logits.
    score : "lac" or "aps"
        What speaks for a class. "lac": its probability; where probabilities are true, no sets are
        shorter in the mean. "aps": 1 minus the probability of all likelier classes; sets follow how
        doubtful a message is, and without a draw the likeliest class is always named.
    randomized : bool, default False
        Let a draw decide whether a class at the border is named; see Notes.
    temperature : float, default 1
        Above 0.
    chosen : dict
        How the rule came about, plain JSON.

    Raises
    ------
    ValueError
        If there is not a cut for each name, or a field makes no sense.

    Notes
    -----
    The draw u of a message is made of its own logits: it looks like chance, and the same logits
    always get the same set, in a notebook, a service and a file. Coverage needs no true chance: a
    number made of the logits is a part of the score, and any score that is fixed before the
    validation rows are seen keeps the promise.

    What a draw is for is that coverage is no more than asked. Without one "aps" has a tie at its
    top: where the likeliest class is right more often than asked, it is named alone, and always.
    With one, some sets of sure messages are empty instead. With "lac" a draw parts rows of equal
    probability but different logits, as scores that were rounded have.

    References
    ----------
    Sadinle, Lei, Wasserman (2019), Least ambiguous set-valued classifiers with bounded error
    levels, Journal of the American Statistical Association 114. Romano, Sesia, Candes (2020),
    Classification with valid and adaptive coverage, NeurIPS. Vovk, Gammerman, Shafer (2005),
    Algorithmic learning in a random world: by class, as Mondrian predictors.

    Examples
    --------
    >>> rule = PredictionSets(cuts=(0.3, 0.3, 0.3), label_names=("bin", "bus", "tax"))
    >>> rule.decide([[3.0, 0.0, 0.0], [1.0, 0.9, 0.0]])
    array([[ True, False, False],
           [ True,  True, False]])
    """

    cuts: tuple[float, ...]
    label_names: tuple[str, ...]
    score: Score = "lac"
    randomized: bool = False
    temperature: float = 1.0
    chosen: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        cuts = tuple(check_cut(cut, "number") for cut in check_sequence("cuts", self.cuts))
        object.__setattr__(self, "cuts", cuts)
        self._check_shared(least=2)
        if len(self.label_names) != len(cuts):
            raise ValueError(
                f"there must be one name for each cut, got {len(self.label_names)} names and "
                f"{len(cuts)} cuts"
            )
        check_choice("score", self.score, get_args(Score))
        object.__setattr__(self, "randomized", check_flag("randomized", self.randomized))

    # How a rule comes about

    @classmethod
    def choose(
        cls,
        logits: ArrayLike,
        labels: ArrayLike,
        *,
        coverage: float = 0.9,
        score: Score = "lac",
        randomized: bool = False,
        by_class: bool = False,
        used: ArrayLike | None = None,
        label_names: Sequence[str] | None = None,
        temperature: float = 1.0,
    ) -> PredictionSets:
        """Take the highest cut that the true class of a new message reaches as often as asked.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)
            Validation logits.
        labels : array_like of int, shape (n,)
            Class indices. Messages that belong to no class are refused: no set can hold their
            label.
        coverage : float in (0, 1), default 0.9
            The set of a new message like these holds the true class with at least this probability.
        score, randomized, label_names, temperature
            See the class. Without names the classes are called "0", "1" and so on.
        by_class : bool, default False
            Keep the promise for the messages of each class by themselves: a cut each.
        used : array_like of float, shape (m, n_classes), optional
            Logits of the rows that something was already chosen on (the temperature, the best
            epoch). Needed where the temperature is not 1.

        Returns
        -------
        PredictionSets
            Where the rows are too few for the promise, fewer than ``coverage / (1 - coverage)``, a
            set names *all* labels; by class, that class is in every set.
            ``chosen["named_always"]`` lists these classes.

        Raises
        ------
        ValueError
            If the input does not fit, there are no rows, or rows were used before.

        Warns
        -----
        UserWarning
            If more of the likeliest classes are wrong than chance would make: are two labels
            swapped?

        Notes
        -----
        The promise is about a message drawn like these, and about the rule being chosen anew with
        it: over all such choices the mean coverage is ``1 - r / (n + 1)``, and at least that with
        ties, for ``r = floor((1 - coverage) (n + 1))``; `helpers.portable.conformal` has the
        argument. The coverage of one rule that was chosen varies around it: without ties it is
        drawn from Beta(n + 1 - r, r), and the number of sets that hold the truth among m new
        messages from the beta-binomial of it. By class all this holds with the class's own n.

        It is *marginal*: hard messages may have less, easy ones more. Messages that belong to no
        class are outside of it.

        Examples
        --------
        >>> z, y = np.log([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]]), [0, 1, 1]
        >>> rule = PredictionSets.choose(z, y, coverage=0.75)
        >>> rule.decide(np.log([[0.6, 0.4], [0.71, 0.29]])).tolist()
        [[True, True], [True, False]]
        >>> PredictionSets.choose(z, y, coverage=0.9).chosen["named_always"]
        [0, 1]
        """
        coverage = check_open_unit("coverage", coverage)
        by_class = check_flag("by_class", by_class)
        z = _class_logits(logits)
        n_classes = z.shape[1]
        names = tuple(map(str, range(n_classes))) if label_names is None else label_names
        rule = cls(
            cuts=(ALWAYS,) * n_classes,
            label_names=cast(Any, names),
            score=score,
            randomized=randomized,
            temperature=temperature,
        )
        true = check_labels_or_other(labels, len(z), n_classes, other=False)
        if len(z) == 0:
            raise ValueError("choosing needs at least one labelled message, got none")
        before = None if used is None else check_class_logits(used, "used")
        check_unused(cast(Floats, z), before, rule.temperature)
        warn_upside_down(wrong_answers(true, z.argmax(axis=1)), ANSWERS)

        reached = np.concatenate(
            [block[np.arange(len(block)), true[rows]] for rows, block in rule._supports(z)]
        )
        groups = [reached[true == k] for k in range(n_classes)] if by_class else [reached]
        cuts = [cut_for_coverage(group, coverage) for group in groups]
        cuts = cuts if by_class else cuts * n_classes
        chosen = {
            "method": "search",
            "criterion": "coverage",
            "coverage": coverage,
            "by_class": by_class,
            "n_samples": len(z),
            "n_by_class": np.bincount(true, minlength=n_classes).tolist(),
            "named_always": [k for k, cut in enumerate(cuts) if cut == ALWAYS],
            "fingerprint": fingerprint(z, true),
        }
        return cls(
            cuts=tuple(cuts),
            label_names=rule.label_names,
            score=score,
            randomized=rule.randomized,
            temperature=rule.temperature,
            chosen=chosen,
        )

    # How a rule is applied

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The cuts as numbers on the scale of `support`; 0 for always, 1 for never."""
        return tuple(np.clip(self.cuts, 0, 1).tolist())

    def _supports(self, z: NDArray[np.floating]) -> Iterator[tuple[slice, Floats]]:
        """Give the support of all classes, some rows at a time, so that memory stays small."""
        step = max(1, BLOCK // z.shape[1])
        for start in range(0, len(z), step):
            rows = slice(start, start + step)
            scaled = divided(np.ascontiguousarray(z[rows]), self.temperature)
            yield rows, support(scaled, self.score, self.randomized)

    def _checked(self, logits: ArrayLike) -> NDArray[np.floating]:
        z = _class_logits(logits)
        check_one_a_label(z, len(self.cuts))
        return z

    def decide(self, logits: ArrayLike) -> NDArray[np.bool_]:
        """Say of each label of each row whether the set names it.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        ndarray of bool, shape (n, n_classes)

        Raises
        ------
        ValueError
            If the array cannot be logits of a network with these labels.

        Examples
        --------
        >>> rule = PredictionSets(cuts=(0.6, "always"), label_names=("bin", "bus"))
        >>> rule.decide([[0.0, 0.0], [1.0, 0.0]])
        array([[False,  True],
               [ True,  True]])
        """
        z = self._checked(logits)
        named = np.empty(z.shape, dtype=bool)
        for rows, block in self._supports(z):
            named[rows] = block >= np.array(self.cuts)
        return named

    def explain(self, logits: ArrayLike) -> list[dict[str, Any]]:
        """Give each decision with its reasons.

        Parameters
        ----------
        logits : array_like of float, shape (n, n_classes)

        Returns
        -------
        list of dict
            One a row: ``labels`` (names, the likeliest first), ``probability`` (a dict of theirs,
            after the temperature), ``best`` (the likeliest label, named or not), ``accepted``
            (whether one label alone is named: nobody has to choose), ``reason``
            ("answered", "unsure" for several labels, "no label" for none).

        Examples
        --------
        >>> rule = PredictionSets(cuts=(0.3, 0.3, 0.3), label_names=("bin", "bus", "tax"))
        >>> record = rule.explain([[1.0, 1.1, 0.0]])[0]
        >>> record["labels"], record["accepted"], record["reason"]
        (['bus', 'bin'], False, 'unsure')
        """
        z = self._checked(logits)
        records = []
        for row, named in zip(z, self.decide(z), strict=True):
            p = softmax(divided(row, self.temperature))
            order = np.argsort(-p, kind="stable")
            found = {self.label_names[k]: float(p[k]) for k in order if named[k]}
            reason: Reason = "unsure" if found else "no label"
            if len(found) == 1:
                reason = "answered"
            records.append(
                {
                    "labels": list(found),
                    "probability": found,
                    "best": self.label_names[order[0]],
                    "accepted": len(found) == 1,
                    "reason": reason,
                }
            )
        return records


def _class_logits(logits: ArrayLike) -> NDArray[np.floating]:
    """Return logits with a column a class; a large array in float32 is not copied."""
    z = as_array("logits", logits)
    if z.ndim == 2 and z.shape[1] > 1:
        return check_label_logits(z)
    return check_class_logits(z)
