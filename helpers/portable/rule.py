"""What all rules share: cuts, label names, how they were chosen, and how they travel as JSON."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from .checks import check_temperature, is_real

FORMAT_VERSION = 1

CUTS = {"always": -np.inf, "never": np.inf}


def named_cut(cut: float) -> float | Literal["always", "never"]:
    """Give a cut at infinity its name."""
    return "always" if cut == -np.inf else "never" if cut == np.inf else cut


def check_cut(cut: Any, kind: Literal["logit", "number"]) -> float | Literal["always", "never"]:
    """Return a cut as plain JSON, or say what it must be."""
    if is_real(cut):
        return float(cut)
    if isinstance(cut, str) and cut in CUTS:
        return str(cut)  # numpy's strings are no JSON
    raise ValueError(f'a cut must be a finite {kind}, "always" or "never", got {cut!r}')


def fingerprint(logits: ArrayLike, labels: ArrayLike) -> str:
    """Name a set of rows, whatever their order.

    A guard against a slip (reporting on the rows that chose the rule), not against intent.

    Parameters
    ----------
    logits : array_like of float, shape (n,) or (n, n_classes)
    labels : array_like, shape (n,) or (n, n_classes)

    Returns
    -------
    str
        Sixteen hexadecimal digits.

    Raises
    ------
    ValueError
        If there are no rows, or their numbers differ.

    Examples
    --------
    >>> fingerprint([1.0, 2.0], [0, 1]) == fingerprint([2.0, 1.0], [1, 0])
    True
    """
    logits, labels = np.atleast_1d(logits), np.atleast_1d(labels)
    n = len(labels)
    if n == 0 or len(logits) != n:
        raise ValueError(
            f"logits and labels must have the same number of rows, at least 1, "
            f"got {len(logits)} and {n}"
        )
    mixed = np.full(n, 0x5851F42D4C957F2D, dtype=np.uint64)
    for part in (logits, labels):
        table = part.reshape(n, -1)
        for start in range(0, table.shape[1], 16):
            block = np.asarray(table[:, start : start + 16], dtype=np.float32) + np.float32(0)
            if block.shape[1] % 2 and block.shape[1] > 1:
                block = np.pad(block, ((0, 0), (0, 1)))
            # two numbers at a time where there are two; adding 0 has made -0 a plain 0
            words = block.view(np.uint64 if block.shape[1] > 1 else np.uint32)
            for word in np.ascontiguousarray(words.T):
                # one round of a 64-bit mixing function; rows are summed at the end
                mixed ^= word
                mixed *= np.uint64(0x9E3779B97F4A7C15)
                mixed ^= mixed >> np.uint64(29)
    return f"{int(mixed.sum(dtype=np.uint64)):016x}"


def label_fingerprint(logits: ArrayLike, labels: ArrayLike) -> str:
    """Name a set of rows with many labels, whatever their order: see `fingerprint`.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_labels)
    labels : array_like of bool, shape (n, n_labels)

    Returns
    -------
    str
        Sixteen hexadecimal digits.

    Examples
    --------
    >>> label_fingerprint([[1.0, 2.0]], [[True, False]]) == fingerprint([[1.0, 2.0]], [[128]])
    True
    """
    return fingerprint(logits, np.packbits(np.asarray(labels, dtype=bool), axis=1))


class BaseRule:
    """What all rules share: a temperature, label names, how they were chosen, and how they travel.

    A rule is a frozen dataclass of plain JSON values. It has the class methods ``choose`` and
    others to make one, ``decide(logits)`` and ``explain(logits)`` to apply it.
    """

    temperature: float
    label_names: tuple[str, ...]
    chosen: dict[str, Any]

    def _check_shared(self, *, least: int, most: float = np.inf) -> None:
        """Check the fields that all rules have; `least` and `most` bound the number of names."""
        object.__setattr__(self, "temperature", check_temperature(self.temperature))
        names = self.label_names
        sound = isinstance(names, list | tuple) and least <= len(names) <= most
        if not sound or not all(isinstance(name, str) for name in names):
            wanted = "two names" if least == 2 else "one name"
            more = "" if least == most else " or more"
            raise ValueError(f"label_names must be {wanted}{more}, got {names!r}")
        if len(set(names)) < len(names):
            raise ValueError(f"label_names must differ, got {names!r}")
        object.__setattr__(self, "label_names", tuple(names))
        if not isinstance(self.chosen, dict):
            raise ValueError(f"chosen must be a dict, got {self.chosen!r}")
        object.__setattr__(self, "chosen", deepcopy(self.chosen))

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain JSON values.

        Returns
        -------
        dict

        Examples
        --------
        >>> from helpers.decisions import BinaryThreshold
        >>> BinaryThreshold(cut=1.5).to_dict()["cut"]
        1.5
        """
        values = {f.name: deepcopy(getattr(self, f.name)) for f in fields(self)}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {"format_version": FORMAT_VERSION, "rule": type(self).__name__, **plain}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        values : dict

        Returns
        -------
        a rule of this class

        Raises
        ------
        ValueError
            If the dict is of another rule, of a newer format, or lacks or adds a field.

        Examples
        --------
        >>> from helpers.decisions import BinaryThreshold
        >>> rule = BinaryThreshold(cut="never")
        >>> BinaryThreshold.from_dict(rule.to_dict()) == rule
        True
        """
        if not isinstance(values, dict) or values.get("rule") != cls.__name__:
            found = values.get("rule") if isinstance(values, dict) else type(values).__name__
            raise ValueError(f"expected a saved {cls.__name__}, got {found!r}")
        version = values.get("format_version")
        if version != FORMAT_VERSION:
            raise ValueError(
                f"this code reads format version {FORMAT_VERSION}, the rule has {version!r}: "
                "install the version of the helpers that saved it"
            )
        given = {k: v for k, v in values.items() if k not in ("rule", "format_version")}
        expected = {f.name for f in fields(cls)}
        if set(given) != expected:
            raise ValueError(
                f"a saved {cls.__name__} has the fields {sorted(expected)}, got {sorted(given)}"
            )
        return cls(**given)
