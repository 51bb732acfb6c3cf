"""What decisions cost: `Costs` for yes/no (lesson 01), `RejectCosts` for label or Other (02)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, as_floats, check_binary_labels, check_labels_or_other
from .checks import check_count, is_real, shown

LARGEST = 1e100  # of all costs: their sums and quotients stay numbers


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
        If a cost is no number up to 1e100; if right answers are free and a mistake costs less than
        0, or both cost 0; if right answers are not free and a mistake is no dearer than the right
        answer.

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
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if not is_real(value) or abs(float(value)) > LARGEST:
                raise ValueError(f"{name} must be a finite number up to 1e100, got {shown(value)}")
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
        matrix = as_floats("a cost matrix cost[predicted][true]", cost)
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

    def of(self, labels: ArrayLike, predicted: ArrayLike) -> Floats:
        """Look up the cost of each decision.

        Parameters
        ----------
        labels, predicted : array_like of int, shape (n,)
            True labels and decisions, 0 or 1.

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If a value is not 0 or 1, or the lengths differ.

        Examples
        --------
        >>> Costs(false_positive=1, false_negative=20).of([1, 0, 1, 0], [1, 1, 0, 0])
        array([ 0.,  1., 20.,  0.])
        """
        true = check_binary_labels(labels).astype(int)
        said = check_binary_labels(predicted, len(true), "predicted").astype(int)
        return np.array(
            [
                [self.true_negative, self.false_negative],
                [self.false_positive, self.true_positive],
            ]
        )[said, true]


def check_costs(costs: Any) -> Costs:
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
            f"Costs.from_matrix(...), got {shown(costs)}"
        )
    return costs


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
        If a cost is no number up to 1e100, `reject` is below 0, or one of the others is not above
        0.

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
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            low = 0.0 if name == "reject" else 5e-324
            if not is_real(value) or not low <= float(value) <= LARGEST:
                least = "at least 0" if name == "reject" else "above 0"
                raise ValueError(
                    f"{name} must be a finite number {least}, up to 1e100, got {shown(value)}"
                )
            object.__setattr__(self, name, float(value))

    @property
    def threshold(self) -> float:
        """Chow's threshold: the calibrated largest softmax from which answering is the cheaper."""
        return max(1 - self.reject / self.error, 0.0)

    def of(self, labels: ArrayLike, predicted: ArrayLike, *, n_classes: int) -> Floats:
        """Look up the cost of each decision.

        Parameters
        ----------
        labels, predicted : array_like of int, shape (n,)
            True labels and decisions, class indices; `n_classes` stands for Other.
        n_classes : int
            At least 1.

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If a value lies outside ``range(n_classes + 1)``, or the lengths differ.

        Examples
        --------
        >>> RejectCosts(reject=0.4, unknown=2).of([0, 0, 1, 2, 2], [0, 1, 2, 2, 0], n_classes=2)
        array([0. , 1. , 0.4, 0.4, 2. ])
        """
        n_classes = check_count("n_classes", n_classes, least=1)
        true = check_labels_or_other(labels, None, n_classes)
        said = check_labels_or_other(predicted, len(true), n_classes, name="predicted")
        unknown = self.error if self.unknown is None else self.unknown
        wrong = np.where(true == n_classes, unknown, self.error)
        return np.where(said == n_classes, self.reject, np.where(said == true, 0.0, wrong))


def check_price(name: str, value: Any) -> float:
    """Return a cost as a float, or say what it must be.

    Examples
    --------
    >>> check_price("review", 2)
    2.0
    """
    if not is_real(value) or not 0 <= float(value) <= LARGEST:
        raise ValueError(f"{name} must be a cost, at least 0 and up to 1e100, got {shown(value)}")
    return float(value)


def check_reject_costs(costs: Any) -> RejectCosts:
    """Return costs, or say how to make them.

    Examples
    --------
    >>> check_reject_costs(RejectCosts(reject=0.4)).error
    1.0
    """
    if not isinstance(costs, RejectCosts):
        raise ValueError(f"costs must be RejectCosts(reject=..., error=...), got {shown(costs)}")
    return costs
