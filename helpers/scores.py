"""Numbers alone: scores of another system as logits, with no network at hand. Needs numpy."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from helpers.portable.arrays import Floats

Kind = Literal["binary", "multiclass", "multilabel"]
CLIP = (
    1e-7  # probabilities nearer to 0 or 1 are taken as this far: about float32's own step below 1
)


def from_probabilities(probabilities: ArrayLike, *, kind: Kind) -> Floats:
    """Turn the probabilities of another system into logits that a rule can take.

    Parameters
    ----------
    probabilities : array_like of float in [0, 1]
        ``"binary"``: shape (n,) or (n, 1), the probability of 1, or (n, 2), rows that sum to 1.
        ``"multiclass"``: shape (n, n_classes), rows that sum to 1. ``"multilabel"``: shape
        (n, n_labels), each label by itself.
    kind : "binary", "multiclass" or "multilabel"

    Returns
    -------
    ndarray of float64, shape (n,), (n, n_classes) or (n, n_labels)
        Log-odds for yes/no and for many labels; logarithms for one of many. Sigmoid or softmax of
        them gives the probabilities back.

    Raises
    ------
    ValueError
        If a value lies outside [0, 1] or is NaN, the shape does not fit the kind, or rows that
        should sum to 1 do not (to .01).

    Warns
    -----
    UserWarning
        With the number of probabilities that were 0 or 1, or nearer than 1e-7: these are taken as
        1e-7 away from it, and stand in no order among themselves any more.

    Examples
    --------
    >>> from_probabilities([0.5, 0.2], kind="binary").round(3)
    array([ 0.   , -1.386])
    """
    try:
        p = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"probabilities must be an array of numbers: {error}") from None
    if kind not in ("binary", "multiclass", "multilabel"):
        raise ValueError(f'kind must be "binary", "multiclass" or "multilabel", got {kind!r}')
    columns = p.shape[1] if p.ndim == 2 else 1
    fits = {"binary": columns <= 2, "multiclass": p.ndim == 2 and columns >= 2}
    if p.ndim not in (1, 2) or columns == 0 or not fits.get(kind, p.ndim == 2):
        wanted = {
            "binary": "(n,), (n, 1) or (n, 2)",
            "multiclass": "(n, n_classes), two classes or more",
            "multilabel": "(n, n_labels)",
        }
        raise ValueError(f"{kind} probabilities have shape {wanted[kind]}, got {p.shape}")
    outside = ~((p >= 0) & (p <= 1))
    if outside.any():
        raise ValueError(
            f"probabilities must lie in [0, 1], got {p[outside][0]}: are these logits? Then they "
            "need no conversion"
        )
    whole = kind == "multiclass" or (kind == "binary" and columns == 2)
    if whole:
        off = np.abs(p.sum(axis=1) - 1)
        if len(off) and off.max() > 0.01:
            raise ValueError(
                f"each row must sum to 1, got {p[off.argmax()].sum():.4g} in row {off.argmax()}: "
                "a sigmoid for each column is kind multilabel"
            )
    clipped = int(np.count_nonzero((p < CLIP) | (p > 1 - CLIP)))
    if clipped and kind != "multiclass":
        _warn(clipped, p.size)
    if kind == "multiclass":
        # a class of probability 0 is common and harmless; a winner of 1 hides how sure it was
        winners = int(np.count_nonzero(p.max(axis=1, initial=0) > 1 - CLIP))
        if winners:
            _warn(winners, len(p))
        return np.log(np.clip(p, CLIP, 1.0))
    p = np.clip(p, CLIP, 1 - CLIP)
    if whole:
        return np.log(p[:, 1]) - np.log(p[:, 0])
    odds = np.log(p) - np.log1p(-p)
    return odds.reshape(len(p)) if kind == "binary" else odds


def _warn(clipped: int, total: int) -> None:
    warnings.warn(
        f"{clipped} of {total} probabilities are within {CLIP:g} of 0 or 1 and are taken as that "
        "far: they stand in no order among themselves. Export logits if the system has them",
        stacklevel=3,
    )
