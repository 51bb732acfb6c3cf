"""What a saved folder keeps of the rows that chose its rule, to compare later messages with.

Logits and labels, how long the texts were, and hashes of the words that the network has seen.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.portable.arrays import as_floats
from helpers.seen_texts import MOST, hashes

REFERENCE_FILE = ".reference.npz"  # no answer depends on it: it may be added or removed
MOST_ROWS = 5_000
MOST_NUMBERS = 2_000_000  # logits: with a thousand labels fewer rows are kept


@dataclass(frozen=True, eq=False)
class Reference:
    """Rows that chose a rule.

    Attributes
    ----------
    logits : ndarray of float32, shape (n,) or (n, n_logits)
    labels : ndarray of int, shape (n,) or (n, n_labels)
        As the rule's ``choose`` took them.
    words : ndarray of uint64, shape (n_words,)
        Hashes of the words that the network was trained on.
    lengths : ndarray of int, shape (n,)
        Words of each text.
    unknown : ndarray of float, shape (n,)
        Share of them that `words` does not hold.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    words: NDArray[np.uint64]
    lengths: NDArray[np.int64]
    unknown: NDArray[np.float64]


def make_reference(
    logits: ArrayLike,
    labels: ArrayLike,
    texts: Sequence[str],
    *,
    train_texts: Sequence[str] | None = None,
) -> Reference:
    """Summarise the rows that chose a rule.

    Parameters
    ----------
    logits : array_like of float, shape (n,), (n, 1), (n, 2), (n, n_classes) or (n, n_labels)
    labels : array_like of int, shape (n,) or (n, n_labels)
    texts : sequence of str, length n
    train_texts : sequence of str, optional
        What trained the network. Without it a word is known if another of `texts` has it too.

    Returns
    -------
    Reference
        Of more than 5,000 rows a random sample, always the same.

    Raises
    ------
    ValueError
        If there are no rows, or their numbers differ.

    Examples
    --------
    >>> kept = make_reference([1.0, -1.0], [1, 0], ["a leak", "a bin"], train_texts=["a leak!"])
    >>> kept.lengths.tolist(), kept.unknown.tolist()
    ([2, 2], [0.0, 0.5])
    """
    z, y = as_floats("logits", logits).astype(np.float32), as_floats("labels", labels)
    if not len(z) == len(y) == len(texts) > 0:
        raise ValueError(
            "logits, labels and texts must have the same number of rows, at least 1, got "
            f"{len(z)}, {len(y)} and {len(texts)}"
        )
    lengths = np.array([count_words(text) for text in texts])
    if train_texts is None:
        each = [set(_words(text)) for text in texts]
        _, first, times = np.unique(
            [word for words in each for word in words], return_index=True, return_counts=True
        )
        alone = np.zeros(sum(map(len, each)), bool)
        alone[first[times == 1]] = True
        rows = np.repeat(np.arange(len(texts)), [len(words) for words in each])
        lone = np.bincount(rows[alone], minlength=len(texts))
        unknown = lone / np.maximum([len(words) for words in each], 1)
        words = _hashed(texts)
    else:
        words = _hashed(train_texts)
        unknown = unknown_words(texts, words)
    most = min(MOST_ROWS, max(MOST_NUMBERS // max(z[0].size, 1), 1))
    kept = np.arange(len(z))
    if len(z) > most:
        kept = np.sort(np.random.default_rng(0).choice(len(z), most, replace=False))
    return Reference(z[kept], y[kept].astype(np.int64), words, lengths[kept], unknown[kept])


def count_words(text: str) -> int:
    """Count the words of a text.

    Examples
    --------
    >>> count_words("My bin, again!")
    3
    """
    return len(_words(text))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _hashed(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Hash the different words of texts; of very many keep the smallest hashes, a sample."""
    return np.unique(hashes(sorted({word for text in texts for word in _words(text)})))[:MOST]


def unknown_words(texts: Sequence[str], words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Tell which share of each text's different words is not among known ones.

    Parameters
    ----------
    texts : sequence of str, length n
    words : ndarray of uint64, shape (n_words,)
        See `Reference`.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 where a text has no word.

    Examples
    --------
    >>> known = make_reference([1.0], [1], ["the bin"], train_texts=["the bin"]).words
    >>> unknown_words(["The bin", "the zoo", "?"], known).tolist()
    [0.0, 0.5, 0.0]
    """
    each = [set(_words(text)) for text in texts]
    listed = sorted(set().union(*each)) if each else []
    hashed = hashes(listed)
    told = hashed <= words[-1] if len(words) == MOST else np.ones(len(hashed), bool)
    new = dict(zip(listed, ~np.isin(hashed, words), strict=True))
    asked = dict(zip(listed, told, strict=True))
    return np.array(
        [
            sum(new[word] for word in text if asked[word]) / max(sum(map(asked.get, text)), 1)  # type: ignore[arg-type]
            for text in each
        ],
        dtype=np.float64,
    )


def write_reference(folder: str | Path, reference: Reference) -> Path:
    """Write what was kept into a saved folder.

    Parameters
    ----------
    folder : path
    reference : Reference

    Returns
    -------
    Path
        The file; no answer depends on it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> kept = make_reference([1.0], [1], ["a leak"])
    >>> with TemporaryDirectory() as folder:
    ...     file = write_reference(folder, kept)
    ...     again = read_reference(folder)
    >>> again.labels.tolist()
    [1]
    """
    path = Path(folder) / REFERENCE_FILE
    np.savez(path, **vars(reference))
    return path


def read_reference(folder: str | Path) -> Reference:
    """Read what `write_reference` wrote.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Reference

    Raises
    ------
    ValueError
        If the folder keeps none, or the file cannot be read.

    Examples
    --------
    See `write_reference`.

    >>> read_reference("no such folder")
    Traceback (most recent call last):
    ValueError: no such folder keeps no rows that chose its rule: train or adopt it anew, ...
    """
    path = Path(folder) / REFERENCE_FILE
    if not path.is_file():
        raise ValueError(
            f"{folder} keeps no rows that chose its rule: train or adopt it anew, or write them "
            "with helpers.reference.write_reference"
        )
    try:
        with np.load(path, allow_pickle=False) as kept:
            return Reference(**{name: kept[name] for name in kept.files})
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
