"""Deal rows to parts, each label in like shares, copies of a text together.

Lesson 03 explains it.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from helpers.columns import SPLITS
from helpers.portable.checks import is_real

STEPS = 1000  # of the search for a split without gaps


def copies_of(texts: Iterable[str]) -> NDArray[np.int64]:
    """Give each different text a number, and the same one to its copies.

    Two texts are copies if they are equal but for letter case, white space and the ways in which
    Unicode writes one character (NFKC: ``ﬁ`` and ``fi``, full-width and plain letters).

    Parameters
    ----------
    texts : iterable of str, length n

    Returns
    -------
    ndarray of int64, shape (n,)
        From 0, in the order in which the texts first occur.

    Examples
    --------
    >>> copies_of(["My bin", "the road", " MY  bin ", "Ｍｙ ｂｉｎ"]).tolist()
    [0, 1, 0, 0]
    """
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(folded(text), len(seen)) for text in texts], np.int64)


def folded(text: str) -> str:
    """Write a text as its copies are written too: see `copies_of`.

    Examples
    --------
    >>> folded(" MY  bin ")
    'my bin'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    lower = text.casefold()
    return " ".join((lower if lower.isascii() else unicodedata.normalize("NFKC", lower)).split())


def random_split(
    labels: NDArray,
    validation: float,
    test: float,
    seed: int,
    *,
    groups: ArrayLike | None = None,
) -> NDArray:
    """Deal the rows of each label to the three parts in their shares.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        One label a row.
    validation, test : float above 0
        Shares with a sum below 1.
    seed : int
    groups : array_like of int, shape (n,), optional
        Rows of one group share a part.

    Returns
    -------
    ndarray of str, shape (n,)
        ``train``, ``validation`` or ``test``, as `stratified_split` deals them.

    Raises
    ------
    ValueError
        If the shares make no sense, or there are fewer than three rows or groups.

    Examples
    --------
    >>> part = random_split(np.array(["no", "yes"] * 5), 0.2, 0.2, seed=0)
    >>> [int(np.sum(part == p)) for p in ("train", "validation", "test")]
    [6, 2, 2]
    """
    shares = three_shares(validation, test)
    return np.array(SPLITS, object)[_split(_one_hot(labels), shares, seed, groups)]


def _one_hot(labels: NDArray) -> csr_array:
    """Give one label a row as a sparse table of bool, shape (n, n_labels)."""
    found, code = np.unique(labels, return_inverse=True)
    rows = np.arange(len(code) + 1)
    return csr_array((np.ones(len(code), bool), code, rows), shape=(len(code), len(found)))


def fill_parts(
    parts: ArrayLike,
    labels: ArrayLike,
    *,
    share: float = 0.2,
    seed: int = 0,
    label_names: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
) -> NDArray:
    """Take the validation or test part that a given split lacks from its training part.

    Parameters
    ----------
    parts : array_like of str, shape (n,)
        ``train``, ``validation`` or ``test``; at least one ``train``.
    labels : array_like, shape (n,) or (n, n_labels)
        One label a row, or 0 and 1.
    share : float above 0
        Of the training part, for each part that is missing.
    seed : int
    label_names, groups
        As for `stratified_split`.

    Returns
    -------
    ndarray of str, shape (n,)
        The rows of the parts that are there stay where they are.

    Raises
    ------
    ValueError
        As `stratified_split` does.

    Examples
    --------
    >>> parts = fill_parts(["train"] * 8 + ["test"] * 2, list("ababababab"), share=0.25)
    >>> [int(np.sum(parts == name)) for name in SPLITS]
    [6, 2, 2]
    """
    filled, truth = np.array(parts, object), np.asarray(labels)
    missing = [name for name in SPLITS[1:] if name not in filled]
    if not missing:
        return filled
    train = np.flatnonzero(filled == "train")
    together = None if groups is None else np.asarray(groups)[train]
    shares = (1 - share * len(missing), *[share] * len(missing))
    if truth.ndim == 2:
        dealt = stratified_split(
            truth[train], shares, seed=seed, label_names=label_names, groups=together
        )
    else:
        dealt = _split(_one_hot(truth[train]), shares, seed, together)
    filled[train] = np.array(["train", *missing], object)[dealt]
    return filled


def three_shares(validation: float, test: float) -> tuple[float, float, float]:
    """Return the shares of the training, validation and test part, or say what is wrong.

    Examples
    --------
    >>> three_shares(0.25, 0.25)
    (0.5, 0.25, 0.25)
    """
    if not (
        is_real(validation) and is_real(test) and min(validation, test) > 0 < 1 - validation - test
    ):
        raise ValueError(
            "validation and test are shares above 0 with a sum below 1, "
            f"got {validation!r} and {test!r}"
        )
    return 1 - validation - test, validation, test


def stratified_split(
    labels: ArrayLike,
    shares: Sequence[float] = (0.6, 0.2, 0.2),
    *,
    seed: int = 0,
    label_names: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Deal rows with many labels to parts, so that each label is spread in like shares.

    Parameters
    ----------
    labels : array_like of int, float or bool, shape (n, n_labels)
        0 or 1. Rows without a label are dealt too.
    shares : sequence of float above 0, length n_parts
        Summing to 1.
    seed : int
    label_names : sequence of str, optional
        For the warning.
    groups : array_like of int, shape (n,), optional
        Rows of one group share a part, as copies of a text must (`copies_of`).

    Returns
    -------
    ndarray of int64, shape (n,)
        The part of each row. The size of each part is its share of n, to within 1; groups of
        several rows may move it further.

    Raises
    ------
    ValueError
        If the labels are no 0/1 table, the shares make no sense, or there are fewer rows (or
        groups) than parts.

    Warns
    -----
    UserWarning
        With the labels that are missing from a part: those with fewer rows than parts, and those
        for which no such split was found. With the sizes, where large groups make one differ from
        its share by more than a tenth.

    Notes
    -----
    The rarest label is dealt first, each row to the part that lacks most of it (Sechidis and
    others, 2011), and its last rows to parts that have none. That can still leave a part without a
    label: then rows change places, each time the ones that leave the fewest such gaps, for a fixed
    number of steps. The same seed gives the same split on every machine.

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
    names = range(table.shape[1]) if label_names is None else label_names
    names = tuple(map(str, names))
    if len(names) != table.shape[1]:
        raise ValueError(f"expected a name for each of {table.shape[1]} labels, got {len(names)}")
    part = _split(csr_array(table.astype(bool)), shares, seed, groups)
    found = np.array([table[part == p].any(axis=0) for p in range(len(shares))])
    missing = np.flatnonzero(~found.all(axis=0) & found.any(axis=0))
    if len(missing):
        warnings.warn(
            f"these labels are missing from a part: {', '.join(names[k] for k in missing)}",
            stacklevel=2,
        )
    return part


def _split(
    table: csr_array, shares: Sequence[float], seed: int, groups: ArrayLike | None
) -> NDArray[np.int64]:
    """Deal the rows of a sparse table of bool, shape (n, n_labels)."""
    n = table.shape[0]
    sound = all(map(is_real, shares)) and len(shares) > 1 and min(shares) > 0
    if not sound or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"shares must be two or more numbers above 0 that sum to 1, got {shares}")
    wanted = np.asarray(shares, dtype=np.float64)
    group = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    if group.shape != (n,):
        raise ValueError(f"expected a group for each of {n} rows, got shape {group.shape}")
    weight = np.bincount(group)
    if len(weight) < len(wanted):
        what = "rows" if groups is None else "different texts or groups"
        raise ValueError(f"{len(wanted)} parts need at least as many {what}, got {len(weight)}")
    member = csr_array((np.ones(n, np.int64), (group, np.arange(n))), shape=(len(weight), n))
    held = csr_array(member @ table.astype(np.int64))  # rows of each group with each label
    rng = np.random.default_rng(seed)
    part = _deal(held, weight, wanted, rng)
    part = _close_gaps(held, weight, part, wanted, rng)
    sizes = np.bincount(part, weight, len(wanted))
    if np.any(np.abs(sizes - wanted * n) > np.maximum(1, 0.1 * wanted * n) + 1e-9):
        warnings.warn(
            "rows that must stay together make parts of "
            f"{', '.join(f'{size:.0f}' for size in sizes)} rows, where "
            f"{', '.join(f'{size:.0f}' for size in wanted * n)} were asked",
            stacklevel=3,
        )
    return part[group]


def _spread(held: csr_array, part: NDArray[np.int64], n_parts: int) -> NDArray[np.int64]:
    """Count the groups with each label in each part, shape (n_parts, n_labels)."""
    dealt = csr_array(
        (np.ones(len(part), np.int64), (part, np.arange(len(part)))), shape=(n_parts, len(part))
    )
    return (dealt @ (held > 0).astype(np.int64)).toarray()


def _deal(
    held: csr_array, weight: NDArray[np.int64], shares: NDArray, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Deal the groups of the rarest label first, each to the part that lacks most of it."""
    (n, n_labels), parts = held.shape, range(len(shares))
    sizes = np.diff(np.round(np.cumsum(np.append(0, shares)) * weight.sum())).astype(int)
    while sizes.min() == 0:  # a share of less than half a row
        sizes[sizes.argmax()] -= 1
        sizes[sizes.argmin()] += 1
    size, room, weights = sizes.tolist(), sizes.tolist(), weight.tolist()
    lack = (shares[:, None] * held.sum(axis=0)).tolist()
    bare = [[True] * n_labels for _ in parts]  # of this label, so far
    left = np.bincount(held.indices, minlength=n_labels).tolist()
    starts, labels, counts = held.indptr.tolist(), held.indices.tolist(), held.data.tolist()
    part = np.full(n, -1)

    def place(g: int, label: int | None) -> None:
        fits = [p for p in parts if room[p] >= weights[g]]
        if label is None or not fits:
            best = max(parts, key=lambda p: room[p] / size[p])
        else:
            first = [p for p in fits if bare[p][label]]
            if first and left[label] <= sum(bare[p][label] for p in parts):
                fits = first
            best = max(fits, key=lambda p: (lack[p][label], room[p] / size[p]))
        part[g] = best
        room[best] -= weights[g]
        for i in range(starts[g], starts[g + 1]):
            lack[best][labels[i]] -= counts[i]
            bare[best][labels[i]] = False
            left[labels[i]] -= 1
            waiting[labels[i]] -= 1

    for together in (True, False):  # single rows come last: they fill each part to its size
        order = rng.permutation(np.flatnonzero((weight > 1) == together))
        order = order[np.argsort(-weight[order], kind="stable")]
        having = held[order].tocsc()
        waiting = np.diff(having.indptr).tolist()
        while any(waiting):
            rarest = min((k for k in range(n_labels) if waiting[k]), key=left.__getitem__)
            for g in order[having.indices[having.indptr[rarest] : having.indptr[rarest + 1]]]:
                if part[g] < 0:
                    place(int(g), rarest)
        rest = order[part[order] < 0]
        if together:
            for g in rest.tolist():
                place(g, None)
        else:
            places = np.repeat(parts, np.maximum(room, 0))
            part[rest] = rng.permutation(places)[: len(rest)]
    for p in parts:  # large groups can leave a part empty
        while not np.any(part == p):
            fullest = np.bincount(part, minlength=len(parts)).argmax()
            inside = np.flatnonzero(part == fullest)
            part[inside[weight[inside].argmin()]] = p
    return part


def _close_gaps(
    held: csr_array,
    weight: NDArray[np.int64],
    part: NDArray[np.int64],
    shares: NDArray,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Let groups change places, so that fewer labels are missing from a part.

    A tabu search: each step takes one gap, and of the moves and exchanges that close it the best,
    also where others open; what has moved rests for some steps; the best split of all is kept.
    """
    n_parts, wanted = len(shares), shares * weight.sum()
    placeable = np.bincount(held.indices, minlength=held.shape[1]) >= n_parts
    held = csr_array(held[:, np.flatnonzero(placeable)] > 0).astype(np.int64)
    having = held.tocsc()
    found = _spread(held, part, n_parts)
    size = np.bincount(part, weight, n_parts)
    low = np.minimum(np.maximum(np.ceil(wanted - 1 - 1e-9), 1), size)
    high = np.maximum(np.floor(wanted + 1 + 1e-9), size)
    best, fewest, part = part, np.sum(found == 0), part.copy()
    free = np.zeros(len(part), np.int64)  # the step from which a group may move again

    def some(groups: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        groups = groups[free[groups] <= step]
        return rng.choice(groups, most, replace=False) if len(groups) > most else groups

    for step in range(STEPS):
        if fewest == 0:
            break
        gaps = np.argwhere(found == 0)
        p, label = gaps[rng.integers(len(gaps))]
        givers = some(having.indices[having.indptr[label] : having.indptr[label + 1]], 16)
        takers = some(np.flatnonzero(part == p), 512)
        q = part[givers]
        # the gaps that open less those that close, where a label leaves q for p, or p for q
        to_p = (found[q] == 1).astype(np.int64) - (found[p] == 0)
        to_q = (found[p] == 1).astype(np.int64) - (found[q] == 0)
        giving = held[givers].toarray()
        alone = (giving * to_p).sum(axis=1)
        both = held[takers] @ (to_q - giving * (to_p + to_q)).T + alone
        back = np.append(weight[takers], 0)[:, None]  # in the last row nothing comes back
        new_p, new_q = size[p] + weight[givers] - back, size[q] - weight[givers] + back
        fits = (low[p] <= new_p) & (new_p <= high[p]) & (low[q] <= new_q) & (new_q <= high[q])
        if not fits.any():
            continue
        opened = np.where(fits, np.vstack([both, alone]), np.iinfo(np.int64).max)
        ties = np.argwhere(opened == opened.min())
        taker, giver = ties[rng.integers(len(ties))]
        moves = [(givers[giver], q[giver], p)]
        if taker < len(takers):
            moves.append((takers[taker], p, q[giver]))
        for g, source, target in moves:
            part[g] = target
            size[source] -= weight[g]
            size[target] += weight[g]
            labels = held.indices[held.indptr[g] : held.indptr[g + 1]]
            found[source, labels] -= 1
            found[target, labels] += 1
            free[g] = step + 1 + rng.integers(10)
        if np.sum(found == 0) < fewest:
            best, fewest = part.copy(), np.sum(found == 0)
    return best
