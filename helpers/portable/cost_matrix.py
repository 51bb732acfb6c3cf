"""What each answer costs for each true class: `CostMatrix`, for one label of many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, as_floats, check_labels_or_other
from .checks import shown
from .costs import LARGEST

TIE = 1e-9  # of the dearest cost: what is closer than that is no difference


@dataclass(frozen=True, kw_only=True)
class CostMatrix:
    """What each answer costs for each true class, in any one unit.

    Parameters
    ----------
    costs : array_like of float, shape (n_classes, n_classes) or (n_classes, n_classes + 1)
        ``costs[true][answer]``, at least 0. A last column beyond the classes is the reject: what it
        costs that a person reads a message of each class.
    unknown : array_like of float, shape (n_answers,), optional
        What each answer costs where the message belongs to no class. Needed only where there are
        such messages.

    Raises
    ------
    ValueError
        If the shape is another, a cost is no number from 0 to 1e100, or no class has two
        different ones.

    Notes
    -----
    A row is a true class, as in scikit-learn's confusion matrix. `Costs.from_matrix` reads a matrix
    of two classes the other way round, as Elkan writes it.

    Examples
    --------
    >>> costs = CostMatrix(costs=[[0, 5, 1], [2, 0, 1]])
    >>> costs.n_classes, costs.has_reject
    (2, True)
    """

    costs: tuple[tuple[float, ...], ...]
    unknown: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        matrix = as_floats("a cost matrix costs[true][answer]", self.costs)
        k = len(matrix) if matrix.ndim == 2 else 0
        if k < 2 or matrix.shape[1] not in (k, k + 1):
            raise ValueError(
                "a cost matrix costs[true][answer] has a row for each of two or more classes, and "
                f"as many columns or one more for the reject, got shape {matrix.shape}"
            )
        _check_range(matrix, "costs")
        if not np.ptp(matrix, axis=1).any():
            raise ValueError("the costs must differ: each class costs the same for every answer")
        object.__setattr__(self, "costs", tuple(map(tuple, matrix.tolist())))
        if self.unknown is not None:
            row = as_floats("unknown", self.unknown)
            if row.shape != matrix.shape[1:]:
                raise ValueError(
                    f"unknown must be {matrix.shape[1]} costs, one an answer, got {row.shape}"
                )
            _check_range(row, "unknown")
            object.__setattr__(self, "unknown", tuple(row.tolist()))

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.costs)

    @property
    def has_reject(self) -> bool:
        """Whether there is an answer beyond the classes."""
        return len(self.costs[0]) > len(self.costs)

    @property
    def matrix(self) -> Floats:
        """The costs as an array, shape (n_classes, n_answers)."""
        return np.array(self.costs)

    def rows_of(self, labels: ArrayLike) -> Floats:
        """Give each message what every answer to it costs.

        Parameters
        ----------
        labels : array_like of int, shape (n,)
            True classes; ``n_classes`` is a message of no class.

        Returns
        -------
        ndarray of float64, shape (n, n_answers)

        Raises
        ------
        ValueError
            If a value is no class, or a message belongs to none and the costs say nothing of such.

        Examples
        --------
        >>> CostMatrix(costs=[[0, 5, 1], [2, 0, 1]]).rows_of([1, 0])
        array([[2., 0., 1.],
               [0., 5., 1.]])
        """
        true = check_labels_or_other(labels, None, self.n_classes)
        if self.unknown is None and (other := int(np.count_nonzero(true == self.n_classes))):
            raise ValueError(
                f"{other} rows belong to no class, and the costs say nothing of such: give "
                "unknown=, in a table a row with the name of the reject"
            )
        whole = self.matrix if self.unknown is None else np.vstack([self.matrix, self.unknown])
        return whole[true]

    def of(self, labels: ArrayLike, predicted: ArrayLike) -> Floats:
        """Look up the cost of each decision.

        Parameters
        ----------
        labels, predicted : array_like of int, shape (n,)
            True classes and answers; ``n_classes`` is a message of no class, and the reject.

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If a value is no class or answer, the lengths differ, or a message belongs to no class
            and the costs say nothing of such.

        Examples
        --------
        >>> CostMatrix(costs=[[0, 5, 1], [2, 0, 1]]).of([0, 0, 1], [1, 2, 1])
        array([5., 1., 0.])
        """
        rows = self.rows_of(labels)
        said = check_labels_or_other(
            predicted, len(rows), self.n_classes, other=self.has_reject, name="predicted"
        )
        return rows[np.arange(len(rows)), said]

    def expected(self, probabilities: ArrayLike) -> Floats:
        """Compute what each answer costs in the mean, given the probability of each class.

        Parameters
        ----------
        probabilities : array_like of float, shape (n, n_classes)
            Each row sums to 1.

        Returns
        -------
        ndarray of float64, shape (n, n_answers)

        Raises
        ------
        ValueError
            If they are no probabilities of these classes.

        Examples
        --------
        >>> CostMatrix(costs=[[0, 5, 1], [2, 0, 1]]).expected([[0.5, 0.5]])
        array([[1. , 2.5, 1. ]])
        """
        p = as_floats("probabilities", probabilities)
        if p.ndim != 2 or p.shape[1] != self.n_classes:
            raise ValueError(f"probabilities must have shape (n, {self.n_classes}), got {p.shape}")
        if not ((p >= 0) & (np.abs(p.sum(axis=1, keepdims=True) - 1) < 1e-6)).all():
            raise ValueError("probabilities must be at least 0, and each row must sum to 1")
        return p @ self.matrix

    def never_cheapest(self) -> list[int]:
        """Find the answers that are the single cheapest one for no probabilities at all.

        Returns
        -------
        list of int
            Indices of answers. A rule by expected cost gives them never, or at a tie alone.

        Notes
        -----
        An answer that is the single cheapest for one of the classes is not among them. For each
        other answer a linear program looks for the probabilities at which it wins by most.

        Examples
        --------
        >>> CostMatrix(costs=[[0, 5, 3], [2, 0, 3]]).never_cheapest()
        [2]
        >>> CostMatrix(costs=[[0, 5, 1], [2, 0, 1]]).never_cheapest()
        []
        """
        matrix = self.matrix / self.matrix.max()
        two = np.partition(matrix, 1, axis=1)[:, :2]
        sure = matrix.argmin(axis=1)[two[:, 1] - two[:, 0] > TIE]
        return [a for a in range(matrix.shape[1]) if a not in sure and _most_won(matrix, a) <= TIE]


def _most_won(matrix: Floats, answer: int) -> float:
    """Find by how much an answer can be cheaper than each other one, at the best probabilities."""
    from scipy.optimize import linprog

    won = np.delete(matrix, answer, axis=1).T - matrix[:, answer]
    if (won <= TIE).all(axis=1).any():  # another one is as cheap for every class
        return 0.0
    n_classes = len(matrix)
    found = linprog(
        np.append(np.zeros(n_classes), -1.0),
        A_ub=np.column_stack([-won, np.ones(len(won))]),
        b_ub=np.zeros(len(won)),
        A_eq=np.append(np.ones(n_classes), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, 1)] * n_classes + [(None, None)],
    )
    return float(-found.fun)


def _check_range(costs: NDArray[np.floating], name: str) -> None:
    good = (costs >= 0) & (costs <= LARGEST)
    if not good.all():
        place = "".join(f"[{i}]" for i in np.argwhere(~good)[0])
        raise ValueError(
            f"each cost must be a number from 0 to 1e100, got {costs[~good][0]:g} at {name}{place}"
        )


def check_cost_matrix(costs: Any, n_classes: int | None = None) -> CostMatrix:
    """Return a cost matrix, or say how to make one.

    Parameters
    ----------
    costs : CostMatrix
    n_classes : int, optional
        How many classes it must have.

    Returns
    -------
    CostMatrix

    Raises
    ------
    ValueError
        If it is anything else, or has another number of classes.

    Examples
    --------
    >>> check_cost_matrix(CostMatrix(costs=[[0, 5], [2, 0]])).has_reject
    False
    """
    if not isinstance(costs, CostMatrix):
        raise ValueError(f"costs must be CostMatrix(costs=[[...], ...]), got {shown(costs)}")
    if n_classes is not None and costs.n_classes != n_classes:
        raise ValueError(
            f"the costs have {costs.n_classes} classes, the logits or labels {n_classes}"
        )
    return costs
