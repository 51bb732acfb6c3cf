r"""Compare two systems' scores of the same texts: how many decisions flip, how far scores move.

python -m tools.port_check old.csv new.csv --rule rule.json --key id
python -m tools.port_check old.csv answers.json --rule rule.json       a server's answer, by place
python -m tools.port_check old.csv new.csv --threshold 0.2 --score positive_probability \
    --probabilities                                                    a rule by hand
python -m tools.port_check old.csv new.csv --rule rule.json --at-most 0.01    exit 1 above 1 %

The rule is a file of `python -m helpers choose`. Tables, .npy and .json are read as `decide` reads
them. PORTING.md says what moves a score, and when to choose again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for python tools/port_check.py

from scipy.stats import binomtest

from helpers.decisions import BinaryThreshold, LabelThresholds
from helpers.portable.arrays import Floats
from helpers.portable.decisions import YES_NO
from helpers.portable.probabilities import binary_logit, confidence, sigmoid, softmax
from helpers.score_files import ScoreRule, names_of, read_rule, read_scores


@dataclass(frozen=True, kw_only=True)
class Ported:
    """What a rule decides on the scores of two systems.

    Attributes
    ----------
    n, flips : int
        Texts, and those that are decided otherwise; with many labels, in any label.
    interval : (float, float)
        Of the share that flips: exact binomial (Clopper and Pearson).
    changes : dict of str to int
        From which decision to which, the most frequent first; of many labels, which label came or
        went.
    measure : str
        What moves: the logit (before the temperature) or the rule's measure of confidence.
    largest, typical, mean : float
        The largest move, the median of its size, and its mean with the sign of new minus old.
    where : int
        The row of the largest move, from 0.
    probability : float
        The largest move of a probability (after the temperature).
    """

    n: int
    flips: int
    interval: tuple[float, float]
    changes: dict[str, int]
    measure: str
    largest: float
    typical: float
    mean: float
    where: int
    probability: float


def compared(
    kept: ScoreRule, old: Floats, new: Floats, *, confidence_level: float = 0.95
) -> Ported:
    """Decide the logits of two systems by one rule, and say what differs.

    Parameters
    ----------
    kept : ScoreRule
    old, new : ndarray of float64, shape (n,) or (n, n_columns)
        Logits of the same texts in the same order.
    confidence_level : float in (0, 1), default 0.95

    Returns
    -------
    Ported

    Raises
    ------
    ValueError
        If there are no texts, the numbers of texts differ, or the rule refuses the logits.

    Examples
    --------
    >>> kept = ScoreRule(rule=BinaryThreshold.from_threshold(0.5), columns=("z",))
    >>> found = compared(kept, np.array([-1.0, 0.1, 2.0]), np.array([-1.0, -0.1, 2.0]))
    >>> found.flips, found.changes, round(found.largest, 3), found.where
    (1, {'1 -> 0': 1}, 0.2, 1)
    """
    if len(old) != len(new) or not len(old):
        raise ValueError(f"expected the same texts of both, got {len(old)} and {len(new)} rows")
    rule = kept.rule
    said = [names_of(rule, rule.decide(z)) for z in (old, new)]
    flipped = [i for i, (a, b) in enumerate(zip(*said, strict=True)) if a != b]
    changes = Counter(change for i in flipped for change in _changes(said[0][i], said[1][i]))
    if isinstance(rule, YES_NO):
        measure, (a, b) = "logit", (binary_logit(old), binary_logit(new))
        p, q = (sigmoid(z / rule.temperature) for z in (a, b))
    elif isinstance(rule, LabelThresholds):
        measure, (a, b) = "logit", (old, new)
        p, q = (sigmoid(z / rule.temperature) for z in (a, b))
    else:
        measure = f"confidence ({rule.measure})"
        scaled = [z / rule.temperature for z in (old, new)]
        a, b = (confidence(z, measure=rule.measure) for z in scaled)
        p, q = map(softmax, scaled)
    move = b - a
    size = np.abs(move).reshape(len(move), -1).max(axis=1)
    found = binomtest(len(flipped), len(old)).proportion_ci(confidence_level)
    return Ported(
        n=len(old),
        flips=len(flipped),
        interval=(float(found.low), float(found.high)),
        changes=dict(changes.most_common()),
        measure=measure,
        largest=float(size.max()),
        typical=float(np.median(np.abs(move))),
        mean=float(move.mean()),
        where=int(size.argmax()),
        probability=float(np.abs(q - p).max()),
    )


def _changes(before: Any, after: Any) -> list[str]:
    """Word what changed for one text."""
    if isinstance(before, str):
        return [f"{before} -> {after}"]
    came, went = set(after) - set(before), set(before) - set(after)
    return [f"+{name}" for name in sorted(came)] + [f"-{name}" for name in sorted(went)]


def read_both(
    kept: ScoreRule, old: Path, new: Path, *, new_rule: ScoreRule, key: str | None
) -> tuple[Floats, Floats, list[Any]]:
    """Read both systems' logits, row by row of the same text, and what names the rows."""
    (rows, z), (others, y) = (
        (found, one.logits(scores))
        for one, (found, scores) in (
            (kept, read_scores(old, kept.columns)),
            (new_rule, read_scores(new, new_rule.columns)),
        )
    )
    if key is None:
        if len(rows) != len(others):
            raise ValueError(
                f"{old} has {len(rows)} rows and {new} {len(others)}: name the column that both "
                "know a text by, as --key id"
            )
        return z, y, list(range(1, len(rows) + 1))
    names = [_keys(path, found, key) for path, found in ((old, rows), (new, others))]
    for (a, b), path in (((0, 1), new), ((1, 0), old)):
        if lacking := [name for name in names[a] if name not in names[b]]:
            raise ValueError(f"{path} lacks {len(lacking)} texts, first {key} = {lacking[0]!r}")
    order = [names[1][name] for name in names[0]]
    return z, y[order], list(names[0])


def _keys(path: Path, rows: Sequence[Any], key: str) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    for i, (row, _) in enumerate(rows):
        if key not in row:
            raise ValueError(f"{path} has no column {key}: leave --key out to go by place")
        name = str(row[key])
        if name in found:
            raise ValueError(f"{path} has {key} = {name!r} in rows {found[name] + 1} and {i + 1}")
        found[name] = i
    return found


def worded(ported: Ported, named: Sequence[Any], confidence_level: float) -> str:
    """Write the findings in lines."""
    low, high = ported.interval
    lines = [
        f"{ported.flips} of {ported.n} decisions flip: {ported.flips / ported.n:.2%}, "
        f"{confidence_level:.0%} interval {low:.2%} to {high:.2%}",
        *(f"  {n} x {change}" for change, n in ported.changes.items()),
        f"largest move of the {ported.measure}: {ported.largest:.3g} (text "
        f"{named[ported.where]}); of a probability: {ported.probability:.3g}",
        f"half of the moves are below {ported.typical:.2g}; their mean is {ported.mean:+.2g}",
    ]
    if abs(ported.mean) > 0.5 * ported.typical and ported.typical > 1e-4:
        lines.append("the moves have a direction, the new scores are shifted: choose again on them")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print; 1 if more may flip than is allowed, 2 if the files do not fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="scores of the system that the rule was chosen on")
    parser.add_argument("new", type=Path, help="scores of the other system, of the same texts")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--rule", type=Path, help="the .json file of choose")
    way.add_argument("--threshold", type=float, help="a probability; needs --score")
    parser.add_argument("--score", help="score columns: a,b; by default the rule's")
    parser.add_argument("--new-score", help="those of the new system, if they have other names")
    parser.add_argument("--probabilities", action="store_true", help="with --threshold: of the old")
    parser.add_argument(
        "--new-scale", choices=["logits", "probabilities"], help="of the new system, if another"
    )
    parser.add_argument("--key", help="the column that names a text; by default by place")
    parser.add_argument("--level", type=float, default=0.95, help="of the interval")
    parser.add_argument("--at-most", type=float, help="share that may flip: else exit 1")
    given = parser.parse_args(arguments)
    try:
        for name, value in (("level", given.level), ("at-most", given.at_most)):
            if value is not None and not 0 < value < 1:
                raise ValueError(f"--{name} must lie between 0 and 1, got {value}")
        columns = tuple(given.score.split(",")) if given.score else None
        if given.rule:
            if given.probabilities:
                raise ValueError(
                    "--probabilities goes with --threshold: a rule file says it itself"
                )
            kept = read_rule(given.rule)
            kept = kept if columns is None else replace(kept, columns=columns)
        elif columns is None:
            raise ValueError("--threshold needs --score: the column of the scores")
        else:
            scale = "probabilities" if given.probabilities else "logits"
            rule = BinaryThreshold.from_threshold(given.threshold)
            kept = ScoreRule(rule=rule, columns=columns, scale=scale)  # type: ignore[arg-type]
        new_rule = replace(
            kept,
            columns=tuple(given.new_score.split(",")) if given.new_score else kept.columns,
            scale=given.new_scale or kept.scale,
        )
        old, new, named = read_both(kept, given.old, given.new, new_rule=new_rule, key=given.key)
        ported = compared(kept, old, new, confidence_level=given.level)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(worded(ported, named, given.level))
    if given.at_most is not None and ported.interval[1] > given.at_most:
        print(f"up to {ported.interval[1]:.2%} may flip, {given.at_most:.2%} are allowed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
