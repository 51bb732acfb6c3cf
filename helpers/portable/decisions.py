"""Every rule under one name, and what ``decision.json`` holds. Needs numpy alone.

Lesson 01 explains `Costs`, `BinaryThreshold` and `ReviewBand`, lesson 02 `RejectCosts`,
`RejectOption` and `PredictionSets`, lesson 03 `LabelThresholds`, lesson 04 `Decision`.
`MinimumExpectedCost` is for one of many, as `RejectOption` is, under any `CostMatrix`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .binary import BinaryThreshold
from .expected_cost import MinimumExpectedCost
from .labels import LabelThresholds
from .reject import RejectOption
from .review import ReviewBand
from .rule import FORMAT_VERSION, check_version
from .sets import PredictionSets

Rule = (
    BinaryThreshold
    | ReviewBand
    | RejectOption
    | MinimumExpectedCost
    | PredictionSets
    | LabelThresholds
)
YES_NO = (BinaryThreshold, ReviewBand)  # rules of two labels, which one logit can decide
Dtype = Literal["bf16", "fp16", "fp32"]
DECISION_FILE = "decision.json"
FORMAT = "logits-to-decisions"


def rule_from_dict(values: dict[str, Any]) -> Rule:
    """Read any rule that `to_dict` wrote.

    Parameters
    ----------
    values : dict

    Returns
    -------
    a rule of `helpers.decisions`

    Raises
    ------
    ValueError
        If the dict is of no known rule, of a newer format, or lacks or adds a field.

    Examples
    --------
    >>> rule_from_dict(BinaryThreshold(cut=1.5).to_dict()).cut
    1.5
    """
    name = values.get("rule") if isinstance(values, dict) else type(values).__name__
    rules = {rule.__name__: rule for rule in get_args(Rule)}
    if name not in rules:
        raise ValueError(f"expected a saved rule, one of {', '.join(rules)}, got {name!r}")
    return rules[name].from_dict(values)


def checksum(values: dict[str, Any]) -> str:
    """Compute what tells that a decision file was changed by hand.

    A guard against slips, not against intent.

    Parameters
    ----------
    values : dict
        Plain JSON; its own ``checksum`` is left out.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> checksum({"a": 1}) == checksum({"checksum": "x", "a": 1})
    True
    """
    plain = {name: value for name, value in values.items() if name != "checksum"}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What ``decision.json`` holds: the rule, and what it needs to mean the same elsewhere.

    Parameters
    ----------
    rule : a rule of `helpers.decisions`
    dtype : "bf16", "fp16" or "fp32"
        Mixed precision of the logits that the rule was chosen on; every route uses it.
    max_length : int
        Tokens; longer texts are cut.
    files : mapping of str to str
        Files beside this one and the SHA-256 of their bytes.
    data : str
        Name of the data that the rule was chosen on.

    Raises
    ------
    ValueError
        If dtype or max_length is none.
    """

    rule: Rule
    dtype: Dtype
    max_length: int = 128
    files: Mapping[str, str] = field(default_factory=dict)
    data: str = ""

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Dtype):
            raise ValueError(f'dtype must be "bf16", "fp16" or "fp32", got {self.dtype!r}')
        if type(self.max_length) is not int or self.max_length < 3:
            raise ValueError(f"max_length must be an int of at least 3, got {self.max_length!r}")
        if not isinstance(self.data, str) or not isinstance(self.files, Mapping):
            raise ValueError("files must be a mapping and data a string")
        for name, found in self.files.items():
            plain = isinstance(name, str) and name == name.rpartition("/")[2] and name[:1] != "."
            if not plain or not isinstance(found, str):
                raise ValueError(f"files must map names to SHA-256 texts, got {name!r}: {found!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        Returns
        -------
        dict
        """
        values = {
            "dtype": self.dtype,
            "max_length": self.max_length,
            "data": self.data,
            "files": dict(self.files),
        }
        head = {"format": FORMAT, "format_version": FORMAT_VERSION}
        whole = {**head, "rule": self.rule.to_dict(), **values}
        return {**whole, "checksum": checksum(whole)}

    @classmethod
    def from_dict(cls, values: Any) -> Decision:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        values : dict

        Returns
        -------
        Decision

        Raises
        ------
        ValueError
            If the dict is of another format, of a newer one, lacks a field, or was changed by hand.

        Examples
        --------
        >>> decision = Decision(rule=BinaryThreshold.from_threshold(0.7), dtype="fp32")
        >>> Decision.from_dict(decision.to_dict()).rule.threshold
        0.7
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError(f"it was not written by {FORMAT}")
        check_version(values, "file")
        try:
            fields = {name: values[name] for name in ("dtype", "max_length", "files", "data")}
            if values["format_version"] > 1 and values["checksum"] != checksum(values):
                raise ValueError(
                    "it was changed by hand: `python -m helpers rule FOLDER` changes a rule soundly"
                )
            known = {"format", "format_version", "rule", "checksum", *fields}
            if unknown := sorted(set(values) - known):
                raise ValueError(f"unknown fields: {', '.join(unknown)}")
            rule = rule_from_dict(values["rule"])
        except KeyError as error:
            raise ValueError(f"the field {error} is missing") from None
        return cls(rule=rule, **fields)
