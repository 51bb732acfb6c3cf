"""Deal rows to parts, each label in like shares. Lesson 03 explains it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORK = 3e8  # limits the swaps that close gaps: cells of the table that may be looked at
WAIT = 8  # swaps before a row may move again


def random_split(labels: NDArray, validation: float, test: float, seed: int) -> NDArray:
    """Deal the rows of each label to the three parts in their shares.

    Parameters
    ----------
    labels : ndarray, shape (n,)
    validation, test : float in (0, 1)
        Shares of these parts.
    seed : int

    Returns
    -------
    ndarray of str, shape (n,)
        "train", "validation" or "test".

    Raises
    ------
    ValueError
        If the shares leave no room for one of the parts.

    Examples
    --------
    >>> where = random_split(np.array([0, 1] * 5), 0.2, 0.2, 0)
    >>> [int((where == part).sum()) for part in ("train", "validation", "test")]
    [6, 2, 2]
    """
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
    others, 2011). That can still leave a part without a label. Then rows are swapped between parts,
    each time the pair that closes the most such gaps and opens the fewest. The number of swaps is
    limited by work, not by time: the same seed gives the same split on every machine.

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
    rng = np.random.default_rng(seed)
    part = _deal(table, part_shares, sizes, rng)

    def gaps(part: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = np.array([table[part == p].any(axis=0) for p in range(n_parts)])
        return np.asarray(~found.all(axis=0) & table.any(axis=0))

    placeable = table.sum(axis=0) >= n_parts
    if (gaps(part) & placeable).any():
        part = _close_gaps(table[:, placeable], part, part_shares, rng)
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
    table: NDArray[np.bool_], part: NDArray[np.int64], shares: NDArray, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Swap rows between parts until each label is in each, or the steps are used up."""
    rows, n_parts = table.astype(np.int64), len(shares)
    least_size = np.maximum(np.ceil(shares * len(rows) - 1 - 1e-9), 1)
    most_size = np.floor(shares * len(rows) + 1 + 1e-9)
    counts = np.array([rows[part == p].sum(axis=0) for p in range(n_parts)])
    part, best, least = part.copy(), part, np.count_nonzero(counts == 0)
    last_moved = np.full(len(rows), -WAIT)

    def pick(
        among: NDArray[np.int64], home: int | NDArray, target: int, step: int
    ) -> tuple[int, float]:
        """Take the row whose move opens the fewest gaps and closes the most; ties at random."""
        opened = (rows[among] * (counts[home] == 1)).sum(axis=1)
        closed = (rows[among] * (counts[target] == 0)).sum(axis=1)
        resting = step - last_moved[among] < WAIT  # or two rows would change places for ever
        best = np.argmin(opened - closed + 1.5 * resting + 0.4 * rng.random(len(among)))
        return int(among[best]), float(opened[best] - closed[best])

    def move(row: int, target: int, step: int) -> None:
        counts[part[row]] -= rows[row]
        counts[target] += rows[row]
        part[row], last_moved[row] = target, step

    # a limit in work, not in seconds: the same split on every machine
    for step in range(int(np.clip(WORK / rows.size, 100, 2000))):
        gaps = np.argwhere(counts == 0)
        if len(gaps) == 0:
            return part
        target, label = gaps[rng.integers(len(gaps))]
        holders = np.flatnonzero(table[:, label])
        row, _ = pick(holders, part[holders], target, step)
        home = part[row]
        move(row, target, step)
        others = np.flatnonzero(part == target)
        back, price = pick(others[others != row], target, home, step)
        sizes = np.bincount(part, minlength=n_parts)
        fits = np.all((sizes >= least_size) & (sizes <= most_size))
        if price <= 0 or not fits:  # sizes may be off by one where that spares a gap
            move(back, home, step)
        left = np.count_nonzero(counts == 0)
        if left < least:
            best, least = part.copy(), left
    return best
