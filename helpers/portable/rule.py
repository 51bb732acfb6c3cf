"""What all rules share: cuts, label names, how they were chosen, and how they travel as JSON."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import as_array, check_label_matrix
from .checks import check_names, check_temperature, is_real, shown

FORMAT_VERSION = 2  # of a rule and of the decision file; the one before is read too

ALWAYS, NEVER = -np.inf, np.inf  # cuts that every score reaches, and none
WORDS = {ALWAYS: "always", NEVER: "never"}  # what stands for them in JSON, which has no infinity

# why a message has its answer, in the records of rules that may leave it to a person
Reason = Literal["answered", "unsure", "unknown", "no label", "none of these"]


def check_cut(cut: Any, kind: Literal["logit", "number"]) -> float:
    """Return a cut as a float, or say what it must be.

    Examples
    --------
    >>> check_cut("never", "logit"), check_cut(1, "logit")
    (inf, 1.0)
    """
    for value, word in WORDS.items():
        if isinstance(cut, str | float | np.floating) and cut in (value, word):
            return value
    if not is_real(cut):
        raise ValueError(f'a cut must be a {kind}, "always" or "never", got {shown(cut)}')
    return float(cut)


def _plain(value: Any) -> Any:
    """Write a field as JSON: a tuple as a list, costs as a dict, a cut at infinity as its word."""
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return WORDS.get(value, value) if isinstance(value, float) else deepcopy(value)


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
        If there are no rows, their numbers differ, or they hold no numbers.

    Examples
    --------
    >>> fingerprint([1.0, 2.0], [0, 1]) == fingerprint([2.0, 1.0], [1, 0])
    True
    """
    logits = np.atleast_1d(as_array("logits", logits))
    labels = np.atleast_1d(as_array("labels", labels))
    n = len(labels)
    if n == 0 or len(logits) != n:
        raise ValueError(
            f"logits and labels must have the same number of rows, at least 1, "
            f"got {len(logits)} and {n}"
        )
    tables = logits.reshape(n, -1), labels.reshape(n, -1)
    some = range(0, n, 2**15)  # rows that a cache holds
    total = sum(_mixed_sum(*(part[start : start + 2**15] for part in tables)) for start in some)
    return f"{total % 2**64:016x}"


def _mixed_sum(*tables: NDArray[Any]) -> int:
    """Mix the numbers of each row into one, and sum these."""
    mixed = np.full(len(tables[0]), 0x5851F42D4C957F2D, dtype=np.uint64)
    for table in tables:
        for start in range(0, table.shape[1], 16):
            columns = table[:, start : start + 16]
            with np.errstate(over="ignore"):  # adding 0 makes -0 a plain 0
                block = np.add(
                    columns, np.float32(0), dtype=np.float32, order="C", casting="unsafe"
                )
            if block.shape[1] % 2 and block.shape[1] > 1:
                block = np.pad(block, ((0, 0), (0, 1)))
            # two numbers at a time where there are two
            words = block.view(np.uint64 if block.shape[1] > 1 else np.uint32)
            for word in np.ascontiguousarray(words.T):
                # one round of a 64-bit mixing function; rows are summed at the end
                mixed ^= word
                mixed *= np.uint64(0x9E3779B97F4A7C15)
                mixed ^= mixed >> np.uint64(29)
    return int(mixed.sum(dtype=np.uint64))


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

    Raises
    ------
    ValueError
        If there are no rows, or the shapes differ.

    Examples
    --------
    >>> label_fingerprint([[1.0, 2.0]], [[True, False]]) == fingerprint([[1.0, 2.0]], [[128]])
    True
    """
    scores = as_array("logits", logits)
    return fingerprint(scores, np.packbits(check_label_matrix(labels, scores.shape), axis=-1))


def check_version(values: dict[str, Any], what: str) -> None:
    """Refuse a format that this code does not read.

    Examples
    --------
    >>> check_version({"format_version": 1}, "rule")
    """
    version = values.get("format_version")
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        raise ValueError(
            f"this code reads the format versions 1 to {FORMAT_VERSION}, the {what} has "
            f"{shown(version)}: install the version of the helpers that saved it"
        )


def _from_version_1(values: dict[str, Any]) -> dict[str, Any]:
    """Give the names of version 2 to what version 1 wrote."""
    renamed = {"measure" if name == "score" else name: value for name, value in values.items()}
    chosen = renamed.get("chosen")
    if isinstance(chosen, dict):
        chosen = dict(chosen)
        if "confidence" in chosen:
            chosen["confidence_level"] = chosen.pop("confidence")
        way = chosen.pop("way", None)
        if way == "threshold":
            chosen = {"method": "given", **chosen}
        elif way == "costs, by formula":
            chosen = {"method": "formula", "criterion": "costs", **chosen}
        elif way is not None:
            chosen = {"method": "search", "criterion": way, **chosen}
        renamed["chosen"] = chosen
    return renamed


class BaseRule:
    """What all rules share: a temperature, label names, how they were chosen, and how they travel.

    Its cuts are on the scale "logit divided by the temperature", or on that of a measure of
    confidence that is computed from such quotients.

    A rule is a frozen dataclass of plain JSON values. It has the class methods ``choose`` and
    others to make one, ``decide(logits)`` and ``explain(logits)`` to apply it.
    """

    temperature: float
    label_names: tuple[str, ...]
    chosen: dict[str, Any]

    def _check_shared(self, *, least: int, most: float = np.inf) -> None:
        """Check the fields that all rules have; `least` and `most` bound the number of names."""
        object.__setattr__(self, "temperature", check_temperature(self.temperature))
        names = check_names("label_names", self.label_names, least=least, most=most)
        object.__setattr__(self, "label_names", names)
        if not isinstance(self.chosen, dict):
            raise ValueError(f"chosen must be a dict, got {shown(self.chosen)}")
        try:
            json.dumps(self.chosen, allow_nan=False)
        except (RecursionError, TypeError, ValueError):
            raise ValueError(
                f"chosen must hold plain JSON values alone, got {shown(self.chosen)}"
            ) from None
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
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(cast(Any, self))}
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
            If the dict is of another rule, of an unknown format, or lacks or adds a field.

        Examples
        --------
        >>> from helpers.decisions import BinaryThreshold
        >>> rule = BinaryThreshold(cut="never")
        >>> BinaryThreshold.from_dict(rule.to_dict()) == rule
        True
        """
        found = values.get("rule") if isinstance(values, dict) else type(values).__name__
        if not isinstance(found, str) or not isinstance(values, dict) or found != cls.__name__:
            raise ValueError(f"expected a saved {cls.__name__}, got {shown(found)}")
        check_version(values, "rule")
        values = _from_version_1(values) if values["format_version"] == 1 else values
        given = {k: v for k, v in values.items() if k not in ("rule", "format_version")}
        expected = {f.name for f in fields(cast(Any, cls))}
        if set(given) != expected:
            raise ValueError(
                f"a saved {cls.__name__} has the fields {sorted(expected)}, "
                f"got {sorted(map(str, given))}"
            )
        return cls(**given)
