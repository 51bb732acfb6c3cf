"""A rule for the scores of another system: kept in one file, applied to a table. Needs numpy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.files import check_target, write_whole
from helpers.portable.arrays import Floats, as_floats
from helpers.portable.decisions import YES_NO, Rule, checksum, rule_from_dict
from helpers.portable.labels import LabelThresholds
from helpers.scores import Kind, from_probabilities
from helpers.server_scores import read_answer
from helpers.tables import Row, format_of, read_all
from helpers.writing import Writer

FORMAT = "logits-to-decisions scores"
NEW = "decision"  # the column that is added
Scale = Literal["logits", "probabilities"]


@dataclass(frozen=True, kw_only=True)
class ScoreRule:
    """A rule, and what the scores are that it decides.

    Parameters
    ----------
    rule : a rule of `helpers.decisions`
    columns : tuple of str
        Those of the table that hold the scores, in the order of the labels.
    scale : "logits" or "probabilities"
        What stands in them; probabilities go through `from_probabilities`.
    data : str
        Name of the data that chose the rule.

    Raises
    ------
    ValueError
        If the scale is neither, columns are missing or doubled, or their number does not fit.
    """

    rule: Rule
    columns: tuple[str, ...]
    scale: Scale = "logits"
    data: str = ""

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            raise ValueError(f'scale must be "logits" or "probabilities", got {self.scale!r}')
        names = self.columns
        if not names or not all(isinstance(c, str) for c in names) or len(set(names)) < len(names):
            raise ValueError(f"columns must be different names, got {names}")
        sizes = (1, 2) if self.kind == "binary" else (len(self.rule.label_names),)
        if self.rule.label_names and len(names) not in sizes:
            raise ValueError(f"expected {sizes[-1]} score columns for this rule, got {len(names)}")

    @property
    def kind(self) -> Kind:
        """The kind of task that the rule decides."""
        if isinstance(self.rule, YES_NO):
            return "binary"
        return "multilabel" if isinstance(self.rule, LabelThresholds) else "multiclass"

    def logits(self, scores: ArrayLike) -> Floats:
        """Bring scores to the scale of the rule.

        Parameters
        ----------
        scores : array_like of float, shape (n, n_columns)

        Returns
        -------
        ndarray of float64
        """
        return as_logits(scores, kind=self.kind, scale=self.scale)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        Returns
        -------
        dict
        """
        whole = {
            "format": FORMAT,
            "format_version": 1,
            "rule": self.rule.to_dict(),
            "columns": list(self.columns),
            "scale": self.scale,
            "data": self.data,
        }
        return {**whole, "checksum": checksum(whole)}

    @classmethod
    def from_dict(cls, values: Any) -> ScoreRule:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        values : dict

        Returns
        -------
        ScoreRule

        Raises
        ------
        ValueError
            If it is something else, of a newer format, lacks a field, or was changed by hand.

        Examples
        --------
        >>> from helpers.decisions import BinaryThreshold
        >>> kept = ScoreRule(rule=BinaryThreshold.from_threshold(0.2), columns=("p",))
        >>> ScoreRule.from_dict(kept.to_dict()) == kept
        True
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError("it is no rule that `python -m helpers choose` wrote")
        if values.get("format_version") != 1:
            raise ValueError(f"it has format version {values.get('format_version')!r}, 1 is known")
        if values.get("checksum") != checksum(values):
            raise ValueError("it was changed by hand: choose the rule again")
        try:
            rule, columns = rule_from_dict(values["rule"]), tuple(values["columns"])
            return cls(rule=rule, columns=columns, scale=values["scale"], data=values["data"])
        except KeyError as error:
            raise ValueError(f"the field {error} is missing") from None


def as_logits(scores: ArrayLike, *, kind: Kind, scale: Scale) -> Floats:
    """Bring scores of either scale to logits.

    Parameters
    ----------
    scores : array_like of float, shape (n,) or (n, n_columns)
    kind : "binary", "multiclass" or "multilabel"
    scale : "logits" or "probabilities"

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ValueError
        As `from_probabilities` does.

    Examples
    --------
    >>> as_logits([[0.5], [0.5]], kind="binary", scale="probabilities")
    array([0., 0.])
    """
    if scale == "probabilities":
        return from_probabilities(scores, kind=kind)
    return as_floats("scores", scores)


def write_rule(path: str | Path, kept: ScoreRule) -> Path:
    """Write a rule into a file of its own, whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.json``; may be one that this function wrote before.
    kept : ScoreRule

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If the name ends otherwise, or another file stands there.
    """
    path = check_rule_place(path)
    write_whole(path, json.dumps(kept.to_dict(), indent=2, ensure_ascii=False) + "\n")
    return path


def check_rule_place(path: str | Path) -> Path:
    """Say whether `write_rule` may write there.

    Parameters
    ----------
    path : path

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If the name does not end in ``.json``, its folder is not there, or another file is.
    """
    path = check_target(path, ".json")
    if path.exists():
        try:
            read_rule(path)
        except ValueError:
            raise ValueError(f"{path} is something else: name a new file") from None
    return path


def read_rule(path: str | Path) -> ScoreRule:
    """Read a file that `write_rule` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    ScoreRule

    Raises
    ------
    ValueError
        If there is none, or it is something else.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no rule file {path}")
    try:
        return ScoreRule.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def read_scores(
    path: str | Path, columns: Sequence[str], *, encoding: str = "utf-8", exact: bool = False
) -> tuple[list[Row], Floats]:
    """Read a table and the numbers in some of its columns.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv`` or ``.jsonl``, each also with ``.gz``, or ``.parquet``; or ``.npy``, an
        array of shape (n,) or (n, n_columns); or ``.json``, a server's answer as for
        `scores_of_answer`.
    columns : sequence of str
    encoding : str, default "utf-8"
    exact : bool, default False
        Keep how numbers were written in JSON lines, as `read_rows` does.

    Returns
    -------
    rows : list of (dict, line), length n
        ``line`` is what stood in a JSON lines file, else None.
    scores : ndarray of float64, shape (n, n_columns)

    Raises
    ------
    ValueError
        If the file or a column is missing, a row cannot be read, a score is no finite number, or
        there is no row; the row is named.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() == ".npy":
        return _read_array(path, columns)
    if path.suffix.lower() == ".json":
        answered = read_answer(path, columns)
        return [(dict(zip(columns, one, strict=True)), None) for one in answered.tolist()], answered
    rows = read_all(path, columns, encoding, exact=exact)
    if not rows:
        raise ValueError(f"{path} has no rows")
    cells = [[row.get(column) for column in columns] for row, _ in rows]
    return rows, as_numbers(path, cells, columns)


def as_numbers(path: Path, cells: Any, columns: Sequence[str], start: int = 0) -> Floats:
    """Take the cells of score columns as numbers, or name the first that is none.

    Parameters
    ----------
    path : Path
        The file, for the message.
    cells : sequence of sequences, n rows of n_columns
    columns : sequence of str
    start : int, default 0
        The rows of the file before these.

    Returns
    -------
    ndarray of float64, shape (n, n_columns)

    Raises
    ------
    ValueError
        If a cell holds no finite number.

    Examples
    --------
    >>> as_numbers(Path("scored.csv"), [["0.5"], ["2"]], ["z"]).tolist()
    [[0.5], [2.0]]
    """
    try:
        scores = np.array(cells, dtype=np.float64)
    except (TypeError, ValueError):
        scores = np.array([[_number(cell) for cell in row] for row in cells])
    if not np.isfinite(scores).all():
        i, k = np.argwhere(~np.isfinite(scores))[0]
        raise ValueError(
            f"{path}, row {start + i + 1}: {columns[k]} must hold a finite number, got "
            f"{cells[i][k]!r}"
        )
    return scores


def decide_file(
    rule: str | Path, source: str | Path, target: str | Path, *, encoding: str = "utf-8"
) -> int:
    """Decide every row of a table of scores; its columns stay, ``decision`` is added.

    Parameters
    ----------
    rule : path
        As `write_rule` wrote it.
    source : path
        As for `read_scores`.
    target : path
        A new file in any of these formats, but an array.
    encoding : str, default "utf-8"

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    ValueError
        As `read_rule` and `read_scores` do; if the target is there already or has another
        format, or the source has a column ``decision``. Nothing is written then.

    Notes
    -----
    ``decision`` is the label that is answered; of many labels, a list in JSON lines and JSON text
    elsewhere. The other columns leave as they came, to the digit.
    """
    kept, source, target = read_rule(rule), Path(source).expanduser(), Path(target).expanduser()
    to_kind = format_of(target).kind
    if target.exists():
        raise ValueError(f"{target} is there already: name a new file")
    if not target.parent.is_dir():
        raise ValueError(f"there is no folder {target.parent}")
    rows, scores = read_scores(source, kept.columns, encoding=encoding, exact=to_kind == "csv")
    if any(NEW in row for row, _ in rows):
        raise ValueError(f"{source} has a column {NEW} already")
    decisions = names_of(kept.rule, kept.rule.decide(kept.logits(scores)))
    as_lines = to_kind == "jsonl" and rows[0][1] is not None  # then each row has its own columns
    columns = None if as_lines else list(rows[0][0])
    writer = Writer(target, source, columns, {NEW: decisions[0]}, encoding)
    made = [(row, {NEW: one}, line) for (row, line), one in zip(rows, decisions, strict=True)]
    part, scratch = (target.with_name(f".{target.name}.{end}") for end in ("part", "new"))
    try:
        writer.part(part, made)
        writer.join([part], scratch)
        scratch.replace(target)
    finally:
        part.unlink(missing_ok=True)
        scratch.unlink(missing_ok=True)
    return len(rows)


def names_of(rule: Rule, decided: ArrayLike) -> list[str] | list[list[str]]:
    """Name decisions.

    Parameters
    ----------
    rule : a rule with label names
    decided : array_like of int, shape (n,) or (n, n_labels)
        As ``rule.decide`` gives it.

    Returns
    -------
    list of str, or of list of str, length n

    Examples
    --------
    >>> from helpers.decisions import BinaryThreshold
    >>> names_of(BinaryThreshold.from_threshold(0.5, label_names=("wait", "urgent")), [0, 1])
    ['wait', 'urgent']
    """
    beyond = getattr(rule, "other", getattr(rule, "review", ""))  # no label
    names = np.array([*rule.label_names, beyond], dtype=object)
    answers = np.asarray(decided)
    if answers.ndim == 2:
        return [[str(names[k]) for k in np.flatnonzero(row)] for row in answers]
    return list(map(str, names[answers]))


def load_array(path: str | Path) -> NDArray[Any]:
    """Read a ``.npy`` file; no pickled object is ever opened.

    Parameters
    ----------
    path : path

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If there is none, or it holds something else.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"the array {path} is not there")
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} is no .npy file of numbers: {error}") from None


def _read_array(path: Path, columns: Sequence[str]) -> tuple[list[Row], Floats]:
    array = as_floats("scores", load_array(path))
    array = array.reshape(-1, 1) if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] != len(columns) or not len(array):
        raise ValueError(f"{path} must have {len(columns)} columns, got shape {array.shape}")
    if not np.isfinite(array).all():
        i, k = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"{path}, row {i + 1}: {columns[k]} must be a finite number")
    return [(dict(zip(columns, row, strict=True)), None) for row in array.tolist()], array


def _number(cell: Any) -> float:
    try:
        return float("nan") if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError):
        return float("nan")
