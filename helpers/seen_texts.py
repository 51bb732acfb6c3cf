"""Which texts trained a network and chose its rule: a saved folder keeps their hashes.

A guard against a slip (reporting on rows that were seen), not against intent.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from helpers.splits import folded

SEEN_FILE = ".seen_texts.npz"  # no answer depends on it, so a name that may be added or removed
MOST = 60_000  # hashes of a part: two parts stay below a megabyte


def hashes(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Give each text a number of eight bytes, and the same one to its copies (see `copies_of`).

    Parameters
    ----------
    texts : iterable of str, length n

    Returns
    -------
    ndarray of uint64, shape (n,)

    Examples
    --------
    >>> first, second, third = hashes(["My bin", " MY  bin ", "the road"])
    >>> first == second, first == third
    (np.True_, np.False_)
    """
    digests = (
        blake2b(folded(text).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for text in texts
    )
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def write_seen(folder: Path, seen: Mapping[str, Iterable[str]]) -> None:
    """Write the hashes of texts into a folder.

    Parameters
    ----------
    folder : Path
    seen : mapping of str to iterable of str
        The texts of each part, as ``{"train": ..., "validation": ...}``. Of more than 60,000
        different ones the smallest hashes are kept: a sample that needs no seed.
    """
    kept = {name: np.unique(hashes(texts))[:MOST] for name, texts in seen.items()}
    np.savez(folder / SEEN_FILE, **kept)  # type: ignore[arg-type]


def shares_seen(folder: Path, texts: Iterable[str]) -> dict[str, float]:
    """Tell which share of texts a saved folder has seen.

    Parameters
    ----------
    folder : Path
    texts : iterable of str

    Returns
    -------
    dict of str to float
        Of each part; from a sample where the part is large. Empty if the folder does not tell.

    Examples
    --------
    >>> shares_seen(Path("no such folder"), ["a leak"])
    {}
    """
    asked, shares = hashes(texts), {}
    try:
        with np.load(folder / SEEN_FILE, allow_pickle=False) as kept:
            for name in kept.files:
                known = kept[name]
                told = asked[asked <= known[-1]] if len(known) == MOST else asked
                shares[name] = float(np.isin(told, known).mean()) if len(told) else 0.0
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return {}
    return shares
