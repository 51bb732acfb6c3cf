"""Deal rows to parts, each label in like shares. Lesson 03 explains it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def random_split(labels: NDArray, validation: float, test: float, seed: int) -> NDArray:
    """Deal the rows of each label to the three parts in their shares."""
    if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
        raise ValueError(
            "validation and test are shares above 0 with a sum below 1, "
            f"got {validation} and {test}"
        )
    rng = np.random.default_rng(seed)
    where = np.full(len(labels), "train", dtype=object)
    for name in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == name))
        n_test, n_validation = round(test * len(rows)), round(validation * len(rows))
        where[rows[:n_test]] = "test"
        where[rows[n_test : n_test + n_validation]] = "validation"
    return where


def stratified_split(
    labels: NDArray,
    shares: Sequence[float] = (0.6, 0.2, 0.2),
    *,
    seed: int = 0,
    label_names: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """Deal rows with many labels to parts, so that each label is spread in like shares.

    Parameters
    ----------
    labels : ndarray of int, float or bool, shape (n, n_labels)
        0 or 1. Rows without a label are dealt too.
    shares : sequence of float above 0, length n_parts
        Summing to 1.
    seed : int
    label_names : sequence of str, optional
        For the warning.

    Returns
    -------
    ndarray of int64, shape (n,)
        The part of each row. The size of each part is its share of n, to within 1.

    Raises
    ------
    ValueError
        If the labels are no 0/1 table, the shares make no sense, or there are fewer rows than
        parts.

    Warns
    -----
    UserWarning
        With the labels that are missing from a part: those with fewer rows than parts, and those
        for which there is no such split.

    Notes
    -----
    The rarest label is dealt first, each row to the part that lacks most of it (Sechidis and
    others, 2011). That can still leave a part without a label. Then an integer program looks for a
    split with no such gap, or as few as can be, that moves as few rows as possible.

    References
    ----------
    Sechidis, Tsoumakas, Vlahavas (2011), On the stratification of multi-label data, ECML PKDD.

    Examples
    --------
    >>> labels = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    >>> part = stratified_split(labels, (1 / 3, 1 / 3, 1 / 3))
    >>> [labels[part == p].sum(axis=0).tolist() for p in range(3)]
    [[1, 1], [1, 1], [1, 1]]
    """
    table = np.asarray(labels)
    if table.ndim != 2 or not np.isin(table, (0, 1)).all():
        raise ValueError(f"labels must be 0 or 1, of shape (n, n_labels), got {table.shape}")
    table = table.astype(bool)
    n, n_labels = table.shape
    part_shares = np.asarray(shares, dtype=np.float64)
    n_parts = len(part_shares)
    if n_parts < 2 or not np.all(part_shares > 0) or abs(part_shares.sum() - 1) > 1e-9:
        raise ValueError(f"shares must be two or more numbers above 0 that sum to 1, got {shares}")
    if n < n_parts:
        raise ValueError(f"{n_parts} parts need at least as many rows, got {n}")
    names = tuple(map(str, range(n_labels))) if label_names is None else tuple(label_names)
    sizes = np.diff(np.round(np.cumsum(np.append(0, part_shares)) * n)).astype(int)
    while sizes.min() == 0:  # a share of less than half a row
        sizes[sizes.argmax()] -= 1
        sizes[sizes.argmin()] += 1
    part = _deal(table, part_shares, sizes, np.random.default_rng(seed))

    def gaps(part: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = np.array([table[part == p].any(axis=0) for p in range(n_parts)])
        return ~found.all(axis=0) & table.any(axis=0)

    placeable = table.sum(axis=0) >= n_parts
    if (gaps(part) & placeable).any():
        part = _close_gaps(table[:, placeable], part, part_shares)
    missing = np.flatnonzero(gaps(part))
    if len(missing):
        warnings.warn(
            f"these labels are missing from a part: {', '.join(names[k] for k in missing)}",
            stacklevel=2,
        )
    return part


def _deal(
    table: NDArray[np.bool_], shares: NDArray, sizes: NDArray, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Deal the rows of the rarest label first, each to the part that lacks most of it."""
    part = np.full(len(table), -1)
    room = sizes.astype(float)
    wanted = shares[:, None] * table.sum(axis=0)
    left = table.sum(axis=0)
    while left.any():
        rarest = int(np.argmin(np.where(left > 0, left, len(table) + 1)))
        for row in rng.permutation(np.flatnonzero(table[:, rarest] & (part < 0))):
            open_parts = np.flatnonzero(room > 0)
            lack = np.stack([wanted[open_parts, rarest], room[open_parts] / sizes[open_parts]])
            best = open_parts[np.lexsort((rng.random(len(open_parts)), lack[1], lack[0]))[-1]]
            part[row] = best
            room[best] -= 1
            wanted[best] -= table[row]
            left -= table[row]
    rest = rng.permutation(np.flatnonzero(part < 0))
    part[rest] = np.repeat(np.arange(len(sizes)), room.astype(int))
    return part


def _close_gaps(
    table: NDArray[np.bool_], part: NDArray[np.int64], shares: NDArray
) -> NDArray[np.int64]:
    """Put each label into each part where that can be done, moving as few rows as possible."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    (n, n_labels), n_parts = table.shape, len(shares)
    # unknowns: row i in part p (n_parts blocks of n), then a gap for each label and part
    labels = sparse.block_diag([sparse.csr_array(table.T.astype(float))] * n_parts)
    n_gaps = n_labels * n_parts
    each_label = sparse.hstack([labels, sparse.eye_array(n_gaps)])
    each_row = sparse.hstack(
        [sparse.eye_array(n)] * n_parts + [sparse.coo_array((n, n_gaps), dtype=float)]
    )
    each_part = sparse.hstack(
        [
            sparse.kron(sparse.eye_array(n_parts), np.ones((1, n))),
            sparse.coo_array((n_parts, n_gaps), dtype=float),
        ]
    )
    stays = (part == np.arange(n_parts)[:, None]).ravel()
    found = milp(
        np.concatenate([-stays.astype(float), np.full(n_gaps, n + 1.0)]),
        integrality=np.ones(n * n_parts + n_gaps),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(each_label.tocsr(), 1, np.inf),
            LinearConstraint(each_row.tocsr(), 1, 1),
            LinearConstraint(
                each_part.tocsr(),
                np.maximum(np.ceil(shares * n - 1 - 1e-9), 1),
                np.floor(shares * n + 1 + 1e-9),
            ),
        ],
        options={"time_limit": 60},
    )
    if found.x is None:
        return part
    return np.round(found.x[: n * n_parts]).reshape(n_parts, n).argmax(axis=0)
