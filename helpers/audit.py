"""Look a table over before it is trusted: label errors, near copies, texts far from the rest.

What is found is for a person to read, not to be removed unread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from helpers.portable.arrays import Floats

BLOCK = 2048  # texts that are compared with all others at a time


def likely_label_errors(
    probabilities: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Name the rows whose label a network that has not seen them doubts, the likeliest error first.

    Parameters
    ----------
    probabilities : array_like of float in [0, 1], shape (n, n_classes)
        Of rows that the network was not trained on. For a yes/no task give both columns; for many
        labels ask for one label after the other.
    labels : array_like of int, shape (n,)
        Class indices.

    Returns
    -------
    rows : ndarray of int64, shape (m,)
        By the probability of the given label, lowest first.
    suggested : ndarray of int64, shape (m,)
        What the network would have them be.

    Raises
    ------
    ValueError
        If the shapes do not fit, a probability lies outside [0, 1], or a label is no class index.

    Notes
    -----
    Confident learning: a class is credible for a row where its probability is at least the mean
    probability that rows labelled so give to it. A row is named where another class is credible,
    more so than the given one. A threshold of its own for each class allows for classes that the
    network is less sure of.

    References
    ----------
    Northcutt, Jiang, Chuang (2021), Confident learning: estimating uncertainty in dataset labels,
    Journal of Artificial Intelligence Research 70.

    Examples
    --------
    >>> p = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.95, 0.05]]
    >>> likely_label_errors(p, [0, 0, 1, 1, 1])
    (array([4]), array([0]))
    """
    p = np.asarray(probabilities, dtype=np.float64)
    given = np.asarray(labels)
    if p.ndim != 2 or p.shape[1] < 2 or given.shape != (len(p),):
        raise ValueError(
            "expected probabilities of shape (n, n_classes), two classes or more, and n labels, "
            f"got {p.shape} and {given.shape}"
        )
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("probabilities must lie in [0, 1]: pass them after sigmoid or softmax")
    n_classes = p.shape[1]
    if given.dtype.kind not in "iu" or (
        len(given) and not 0 <= given.min() <= given.max() < n_classes
    ):
        raise ValueError(f"labels must be class indices from 0 to {n_classes - 1}")
    given = given.astype(np.int64)
    own = p[np.arange(len(p)), given]
    count = np.bincount(given, minlength=n_classes)
    total = np.bincount(given, weights=own, minlength=n_classes)
    credible_from = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    credible = np.where(p >= credible_from, p, -1.0)
    best = credible.argmax(axis=1)
    rows = np.flatnonzero((credible.max(axis=1) > own) & (best != given))
    rows = rows[np.argsort(own[rows], kind="stable")]
    return rows, best[rows].astype(np.int64)


def near_copies(texts: Sequence[str], *, least: float = 0.9) -> list[tuple[int, int, float]]:
    """Find pairs of texts that are the same but for a few words.

    Parameters
    ----------
    texts : sequence of str, length n
    least : float in (0, 1], default 0.9
        Cosine similarity of their groups of three to five letters.

    Returns
    -------
    list of tuple of int, int, float
        Two places, the first one lower, and how alike the texts are; the most alike first. A text
        is paired with its nearest earlier one alone.

    Raises
    ------
    ValueError
        If `least` lies outside (0, 1].

    Examples
    --------
    >>> near_copies(["The bin was not emptied today.", "the bin was not emptied  today", "A leak"])
    [(0, 1, 1.0)]
    """
    if not 0 < least <= 1:
        raise ValueError(f"least must lie in (0, 1], got {least!r}")
    pairs = []
    for start, alike in _similarities(texts):
        for row, line in enumerate(alike, start=start):
            line = line[:row]  # earlier texts alone
            if len(line) and line.max() >= least - 1e-9:
                pairs.append((int(line.argmax()), row, round(min(float(line.max()), 1.0), 6)))
    return sorted(pairs, key=lambda pair: (-pair[2], pair[1]))


def far_texts(texts: Sequence[str], *, share: float = 0.01) -> NDArray[np.int64]:
    """Name the texts that are least like any other: another language, codes, an upload gone wrong.

    Parameters
    ----------
    texts : sequence of str, length n
    share : float in (0, 1], default 0.01
        How many to name, at least one.

    Returns
    -------
    ndarray of int64, shape (m,)
        Places, the furthest first.

    Raises
    ------
    ValueError
        If `share` lies outside (0, 1].

    Examples
    --------
    >>> far_texts(["the bin is full", "0x5f3759df", "my bin is full"], share=0.1)
    array([1])
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share!r}")
    nearest = np.zeros(len(texts))
    for start, alike in _similarities(texts):
        rows = np.arange(len(alike))
        alike[rows, start + rows] = -1  # itself
        nearest[start : start + len(alike)] = alike.max(axis=1)
    n = int(np.ceil(share * len(texts)))
    return np.argsort(nearest, kind="stable")[:n]


def _similarities(texts: Sequence[str]) -> Iterator[tuple[int, Floats]]:
    """Give the cosine similarity of a block of texts to all texts, block by block."""
    if len(texts) == 0:
        return
    folded = [
        " ".join("".join(c if c.isalnum() else " " for c in t.casefold()).split()) for t in texts
    ]
    words = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=1)
    try:
        table = sparse.csr_array(words.fit_transform(folded), dtype=np.float32)
    except ValueError:  # no text has a letter
        table = sparse.csr_array((len(texts), 1), dtype=np.float32)
    for start in range(0, len(texts), BLOCK):
        yield start, (table[start : start + BLOCK] @ table.T).toarray()
