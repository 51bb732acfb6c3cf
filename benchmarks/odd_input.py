"""Bad and odd input for every function of the rules, probabilities, evaluation and reports.

python -m benchmarks.odd_input --examples 10000
python -m benchmarks.odd_input --examples 200 --only choose

Each function gets arguments that are right, and some of them replaced: by things of another kind
(None, a set, a table, a generator), or by the right thing made odd (another dtype, memory order or
shape, NaN, the largest and smallest numbers, a row less). It must answer, as a brute force does
where there is one, or raise a ValueError or TypeError in words of its own; no warning of numpy may
come through.
"""

from __future__ import annotations

import argparse
import datetime
import decimal
import fractions
import linecache
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import GeneratorType, TracebackType
from typing import Any

import numpy as np
import pandas as pd
import scipy.special

from helpers import decisions, evaluation, intervals, probabilities, reports
from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    PredictionSets,
    RejectCosts,
    RejectOption,
)
from helpers.portable import arrays, checks

HELPERS = Path(decisions.__file__).parent
NUMBERS = [0, 1, -1, 0.5, 1.5, 95, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 1e-300, 1e100]
NUMBERS += [10**400, -(10**400), 2**63, 2**64, True, np.float32(0.3), np.int64(3), np.uint8(2)]
NUMBERS += [np.float16(0.25), np.longdouble("1e4000"), fractions.Fraction(1, 3), np.bool_(True)]
THINGS: list[Callable[[], Any]] = [
    lambda: None,
    lambda: "0.5",
    lambda: "",
    lambda: "ab",
    lambda: b"ab",
    lambda: 1j,
    lambda: object(),
    lambda: decimal.Decimal("0.5"),
    lambda: datetime.date(2020, 1, 1),
    lambda: pd.NA,
    lambda: pd.NaT,
    lambda: Ellipsis,
    lambda: len,
    lambda: int,
    lambda: [],
    lambda: (),
    lambda: {},
    lambda: {0: "a", 1: "b"},
    lambda: {"a", "b"},
    lambda: frozenset((0, 1)),
    lambda: {0: "a", 1: "b"}.values(),
    lambda: (one for one in (0.0, 1.0)),
    lambda: range(3),
    lambda: [[1.0], [1.0, 2.0]],
    lambda: [None, 1.0],
    lambda: ["a", "b"],
    lambda: ["a", 1.0],
    lambda: ["a", "a"],
    lambda: [[["a"]]],
    lambda: [object()],
    lambda: [10**400, 1],
    lambda: [1j],
    lambda: [pd.NA, 1],
    lambda: [{1}, {2}],
    lambda: np.array(0.5),
    lambda: np.array("a"),
    lambda: np.array(None),
    lambda: np.array([]),
    lambda: np.empty((0, 3)),
    lambda: np.empty((3, 0)),
    lambda: np.zeros((2, 2, 2)),
    lambda: np.array(["a", "b"]),
    lambda: np.array(["a", "b"], dtype=object),
    lambda: np.array([b"a"]),
    lambda: np.array(["2020-01-01"], dtype="M8[D]"),
    lambda: np.array([1], dtype="m8[s]"),
    lambda: np.zeros(2, dtype=[("a", float)]),
    lambda: np.ma.array([1.0, 2.0], mask=[0, 1]),
    lambda: np.ma.masked,
    lambda: pd.Series([1, None], dtype="Int64"),
    lambda: pd.Series(["a", "b"], dtype="category"),
    lambda: pd.Index(["a", "b"]),
    lambda: pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
    lambda: scipy.sparse.csr_array(np.eye(2)),
    lambda: Costs(false_positive=1, false_negative=2),
    lambda: RejectCosts(reject=0.3),
    lambda: BinaryThreshold(cut=0.0),
    lambda: RejectOption.from_threshold(0.5, label_names=("a", "b")),
    lambda: LabelThresholds(cuts=(0.0,)),
    lambda: np.random.default_rng(0),
    lambda: np.random.RandomState(0),
]


def odd(rng: np.random.Generator) -> Any:
    """Take a thing of another kind, or a number at the edge."""
    if rng.random() < 0.4:
        return NUMBERS[rng.integers(len(NUMBERS))]
    return THINGS[rng.integers(len(THINGS))]()


def altered(rng: np.random.Generator, good: Any) -> Any:
    """Make the right thing odd."""
    if not isinstance(good, np.ndarray):
        if isinstance(good, tuple) and good and isinstance(good[0], str):
            return [
                set,
                frozenset,
                list,
                np.array,
                pd.Index,
                pd.Series,
                lambda x: dict(enumerate(x)).values(),
            ][rng.integers(7)](good)
        return [good, [good], (good,), {"a": good}, [good, good]][rng.integers(5)]
    array = good.copy()
    for _ in range(rng.integers(1, 3)):
        way = rng.integers(16)
        if way < 4 and array.size and array.dtype.kind in "if":
            flat = array.astype(float)
            low = rng.random() < 0.5
            values = [np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0, 0.5, 2, -1, 1e16]
            flat.flat[rng.integers(flat.size)] = values[rng.integers(3 if low else len(values))]
            array = flat
        elif way == 4:
            array = array[:-1]
        elif way == 5:
            array = array.T
        elif way == 6:
            array = array[..., None] if array.ndim < 3 else array[0]
        elif way == 7:
            array = array.ravel()
        elif way == 8:
            array = array[::-1]
        elif way == 9 and array.dtype.kind in "iuf":
            with np.errstate(all="ignore"):
                array = array * [1e307, 1e-310, 1e5, 0, -1, 0.1][rng.integers(6)]
        elif way == 10:
            array = array[:0]
        elif way == 11 and array.dtype.kind in "iuf":
            array = np.round(array)
    kinds = [np.float16, np.float32, np.longdouble, ">f8", "<f4", int, bool, object, complex, str]
    way = rng.integers(22)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if way < len(kinds):
            try:
                return array.astype(kinds[way])
            except (OverflowError, TypeError, ValueError):
                return array
        if way == 10:
            return array.tolist()
        if way == 11:
            return np.asfortranarray(array)
        if way == 12 and array.ndim in (1, 2):
            return pd.DataFrame(array)
        if way == 13 and array.ndim == 1:
            return pd.Series(array)
        if way == 14:
            return np.ma.array(array, mask=rng.random(array.shape) < 0.1)
        if way == 15 and array.ndim == 2:
            return np.matrix(array)
        if way == 16:
            array.flags.writeable = False
        if way == 17:
            return tuple(array.tolist()) if array.ndim else array
        if way == 18 and array.ndim == 1:
            return pd.Series(array).convert_dtypes()
        if way == 19:
            return [np.asarray(row) for row in array] if array.ndim else array
    return array


# What is called, with arguments that are right


def good(rng: np.random.Generator) -> dict[str, Any]:
    """Draw small arguments that are right."""
    n, k = int(rng.integers(2, 8)), int(rng.integers(2, 4))
    step = [0.5, 1e-3][int(rng.integers(2))]
    one = np.round(rng.normal(0, 2, n) / step) * step
    many = np.round(rng.normal(0, 2, (n, k)) / step) * step
    yes = rng.integers(0, 2, n)
    yes[:2] = [0, 1]
    matrix = rng.integers(0, 2, (n, k))
    matrix[0, 0] = 1
    return {
        "one": one,
        "many": many,
        "yes": yes,
        "said": rng.integers(0, 2, n),
        "matrix": matrix,
        "said_matrix": rng.integers(0, 2, (n, k)),
        "known": rng.integers(0, k, n),
        "classes": rng.integers(0, k + 1, n),
        "said_classes": rng.integers(0, k + 1, n),
        "weight": rng.integers(1, 4, n).astype(float),
        "used": one + 100,
        "used_many": many + 100,
        "p": rng.random(n),
        "two": ("no", "yes"),
        "names": tuple("abc"[:k]),
        "k": k,
        "costs": Costs(
            false_positive=int(rng.integers(1, 9)), false_negative=int(rng.integers(1, 9))
        ),
        "reject": RejectCosts(reject=0.25, error=1, unknown=2),
        "unit": 0.5,
        "low": 0.01,
        "high": 0.99,
        "small": 0.9,
        "measure": str(rng.choice(probabilities.MEASURES)),
        "temperature": float(rng.choice([0.5, 1.0, 2.0])),
        "cuts": tuple(rng.choice([-1.0, 0.0, 1.5], k).tolist()),
        "cut": 0.25,
        "candidates": np.array([0.2, 0.5, 0.8]),
        "flag": True,
        "off": False,
        "count": 3,
        "none": 0,
        "word": "top1",
        "score": str(rng.choice(["lac", "aps"])),
        "strategy": str(rng.choice(["width", "mass"])),
        "average": str(rng.choice(["micro", "macro"])),
        "rng": np.random.default_rng(int(rng.integers(99))),
        "pair": (one, one[:2]),
        "validation": (many, matrix),
        "binary_rules": {"half": BinaryThreshold(cut=0.0), "high": BinaryThreshold(cut=1.0)},
        "reject_rules": {"half": RejectOption.from_threshold(0.5, label_names=tuple("abc"[:k]))},
        "set_rules": {"": PredictionSets(cuts=(0.2,) * k, label_names=tuple("abc"[:k]))},
        "label_rules": {"half": LabelThresholds(cuts=(0.0,) * k), "said": matrix},
        "label_rule": LabelThresholds(cuts=(0.0,) * k),
        "reference": "half",
        "saved": BinaryThreshold(cut=0.0).to_dict(),
        "chosen": {},
        "other": "Other",
        "number": 0.5,
        "price": 2.0,
        "name": "value",
        "cost_matrix": np.array([[0.0, 3.0], [1.0, 0.0]]),
    }


def mean_of(rows: Any) -> float:
    """Give a statistic to draw again."""
    return float(np.mean(rows))


# What the answer must be, whatever the arguments were made of


def _naive_binary(result: Any, logits: Any, cut: float, temperature: float) -> bool:
    z = probabilities.binary_logit(logits)
    return result.tolist() == [int(one / float(temperature) >= cut) for one in z.tolist()]


def _naive_labels(result: Any, logits: Any, cuts: Any, temperature: float) -> bool:
    z = arrays.as_floats("logits", logits)
    reached = [
        [int(value / float(temperature) >= cut) for value, cut in zip(row, cuts, strict=True)]
        for row in z
    ]
    return result.tolist() == reached


def _naive_reject(result: Any, logits: Any, cut: float, temperature: float) -> bool:
    z = arrays.as_floats("logits", logits) / float(temperature)
    p = scipy.special.softmax(z, axis=1)
    clear = np.abs(p.max(axis=1) - cut) > 1e-12
    naive = np.where(p.max(axis=1) >= cut, z.argmax(axis=1), z.shape[1])
    return np.array_equal(np.asarray(result)[clear], naive[clear])


def _cheapest_binary(rule: Any, logits: Any, labels: Any, costs: Costs) -> bool:
    z, y = probabilities.binary_logit(logits), arrays.check_binary_labels(labels)
    least = min(costs.of(y, z >= cut).sum() for cut in [*z, np.inf])
    return np.isclose(costs.of(y, rule.decide(logits)).sum(), least, rtol=1e-9, atol=0)


def _cheapest_reject(rule: Any, logits: Any, labels: Any, costs: RejectCosts) -> bool:
    z = arrays.as_floats("logits", logits)
    scores, k = rule.confidence(z), z.shape[1]
    best = z.argmax(axis=1)
    paid = [
        costs.of(labels, np.where(scores >= cut, best, k), n_classes=k).sum()
        for cut in [*scores, np.inf]
    ]
    found = costs.of(labels, rule.decide(z), n_classes=k).sum()
    return np.isclose(found, min(paid), rtol=1e-9, atol=0)


def _best_micro(rule: Any, logits: Any, labels: Any) -> bool:
    z, y = arrays.as_floats("logits", logits), arrays.check_label_matrix(labels)

    def f1(said: Any) -> float:
        return 2 * (said & y).sum() / max(said.sum() + y.sum(), 1)

    tries = product(*([*np.unique(column), np.inf] for column in z.T))
    best = max(f1(z >= np.array(cuts)) for cuts in tries)
    return np.isclose(f1(rule.decide(z) == 1), best, rtol=1e-12, atol=0)


def _close(oracle: Callable[..., Any]) -> Callable[..., bool]:
    def same(result: Any, values: Any) -> bool:
        with np.errstate(all="ignore"):
            return np.allclose(
                result, oracle(arrays.as_floats("values", values)), rtol=1e-9, equal_nan=True
            )

    return same


def _sure(oracle: Callable[..., Any]) -> Callable[..., bool]:
    """Compare counts of a yes/no function with a plain loop."""

    def same(result: Any, labels: Any, predicted: Any) -> bool:
        return result == oracle(
            arrays.check_binary_labels(labels).tolist(),
            arrays.check_binary_labels(predicted).tolist(),
        )

    return same


def _four(labels: list[bool], predicted: list[bool]) -> evaluation.Counts:
    seen = Counter(zip(labels, predicted, strict=True))
    return evaluation.Counts(
        true_positive=seen[True, True],
        false_positive=seen[False, True],
        false_negative=seen[True, False],
        true_negative=seen[False, False],
    )


def _area(result: Any, known: Any, other: Any) -> bool:
    a, b = arrays.as_floats("known", known), arrays.as_floats("other", other)
    return np.isclose(result.auroc, np.mean([(x > y) + (x == y) / 2 for x in a for y in b]))


Target = tuple[Callable[..., Any], dict[str, str], dict[str, str], Callable[..., bool] | None]
SHARED = {"temperature": "temperature"}
BINARY = {"label_names": "two", **SHARED}
REJECT = {"label_names": "names", "measure": "measure", "other": "other", **SHARED}
LABELS = {"label_names": "names", "empty": "word", **SHARED}
PROMISE = {"confidence_level": "low", "used": "used"}
INTERVAL = {"n_resamples": "count", "confidence_level": "unit"}
SETS = {"score": "score", "randomized": "flag"}
REPORT = {"reference": "reference", "seen": "flag"}


def _binary(cut: Any, temperature: Any, logits: Any) -> Any:
    return BinaryThreshold(cut=cut, temperature=temperature).decide(logits)


def _labels(cuts: Any, temperature: Any, logits: Any) -> Any:
    return LabelThresholds(cuts=cuts, temperature=temperature).decide(logits)


def _reject(cut: Any, temperature: Any, logits: Any, label_names: Any) -> Any:
    rule = RejectOption(cut=cut, temperature=temperature, label_names=label_names)
    return rule.decide(logits)


def _sets(cuts: Any, label_names: Any, logits: Any) -> Any:
    return PredictionSets(cuts=cuts, label_names=label_names).decide(logits)


def _naive_sets(result: Any, logits: Any, cuts: Any, label_names: Any) -> bool:
    z = arrays.as_floats("logits", logits)
    words = {"always": -np.inf, "never": np.inf}
    at = np.array([words.get(cut, cut) if isinstance(cut, str) else cut for cut in cuts])
    return np.array_equal(result, probabilities.softmax(z) >= at)


def _explain(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda logits, **fields: rule(**fields).explain(logits)


def _pair(known: Any, other: Any, **options: Any) -> Any:
    return intervals.auroc_interval(known, other, **options)


def targets() -> dict[str, Target]:
    """Name what is called: the arguments it needs, those it may have, and what it must answer."""
    p, e, r = probabilities, evaluation, reports
    choose, some, many = BinaryThreshold.choose, RejectOption.choose, LabelThresholds.choose
    logits, rows = {"logits": "one"}, {"logits": "many"}
    yes = {**logits, "labels": "yes"}
    three = {**rows, "labels": "classes"}
    sets = {**rows, "labels": "matrix"}
    both = {"labels": "yes", "predicted": "said"}
    grids = {"labels": "matrix", "predicted": "said_matrix"}
    return {
        "is_real": (checks.is_real, {"value": "number"}, {}, None),
        "shown": (checks.shown, {"value": "number"}, {}, None),
        "check_temperature": (checks.check_temperature, {"value": "number"}, {}, None),
        "check_open_unit": (
            lambda value: checks.check_open_unit("a", value),
            {"value": "number"},
            {},
            None,
        ),
        "check_floor": (
            lambda value: checks.check_floor("a", value),
            {"value": "number"},
            {},
            None,
        ),
        "check_count": (
            lambda value: checks.check_count("a", value, least=1),
            {"value": "count"},
            {},
            None,
        ),
        "check_flag": (lambda value: checks.check_flag("a", value), {"value": "flag"}, {}, None),
        "check_choice": (
            lambda value: checks.check_choice("a", value, ("b", "top1")),
            {"value": "word"},
            {},
            None,
        ),
        "check_names": (lambda value: checks.check_names("a", value), {"value": "names"}, {}, None),
        "check_sequence": (
            lambda value: checks.check_sequence("a", value),
            {"value": "cuts"},
            {},
            None,
        ),
        "as_array": (lambda values: arrays.as_array("a", values), {"values": "many"}, {}, None),
        "as_floats": (lambda values: arrays.as_floats("a", values), {"values": "many"}, {}, None),
        "check_finite": (
            lambda values: arrays.check_finite("a", values),
            {"values": "one"},
            {},
            None,
        ),
        "check_logits": (arrays.check_logits, rows, {}, None),
        "check_class_logits": (arrays.check_class_logits, rows, {}, None),
        "check_label_logits": (arrays.check_label_logits, rows, {}, None),
        "check_binary_labels": (arrays.check_binary_labels, {"labels": "yes"}, {}, None),
        "check_label_matrix": (arrays.check_label_matrix, {"labels": "matrix"}, {}, None),
        "check_labels_or_other": (
            lambda labels: arrays.check_labels_or_other(labels, None, 3),
            {"labels": "classes"},
            {},
            None,
        ),
        "binary_logit": (p.binary_logit, logits, {}, None),
        "sigmoid": (
            p.sigmoid,
            {"logits": "many"},
            {},
            lambda result, logits: _close(scipy.special.expit)(result, logits),
        ),
        "logit": (
            p.logit,
            {"probabilities": "p"},
            {},
            lambda result, probabilities: _close(scipy.special.logit)(result, probabilities),
        ),
        "log_softmax": (
            p.log_softmax,
            rows,
            {},
            lambda result, logits: _close(lambda z: scipy.special.log_softmax(z, axis=-1))(
                result, logits
            ),
        ),
        "softmax": (
            p.softmax,
            rows,
            {},
            lambda result, logits: _close(lambda z: scipy.special.softmax(z, axis=-1))(
                result, logits
            ),
        ),
        "fit_temperature yes/no": (p.fit_temperature, yes, {}, None),
        "fit_temperature classes": (p.fit_temperature, {**rows, "labels": "known"}, {}, None),
        "confidence": (p.confidence, rows, {"measure": "measure"}, None),
        "prior_shift": (p.prior_shift, {"old": "unit", "new": "small"}, {}, None),
        "Costs": (
            Costs,
            {"false_positive": "price", "false_negative": "price"},
            {"true_positive": "number", "true_negative": "number"},
            lambda result, **_: 0 <= result.threshold <= 1,
        ),
        "Costs.from_matrix": (Costs.from_matrix, {"cost": "cost_matrix"}, {}, None),
        "Costs.of": (
            lambda costs, **x: decisions.check_costs(costs).of(**x),
            {"costs": "costs", **both},
            {},
            None,
        ),
        "RejectCosts": (
            RejectCosts,
            {"reject": "number"},
            {"error": "price", "unknown": "price"},
            lambda result, **_: 0 <= result.threshold <= 1,
        ),
        "RejectCosts.of": (
            RejectCosts(reject=0.5).of,
            {"labels": "classes", "predicted": "said_classes", "n_classes": "k"},
            {},
            None,
        ),
        "fingerprint": (decisions.fingerprint, three, {}, None),
        "label_fingerprint": (decisions.label_fingerprint, sets, {}, None),
        "rule_from_dict": (decisions.rule_from_dict, {"values": "saved"}, {}, None),
        "from_dict fields": (
            lambda **fields: BinaryThreshold.from_dict(
                {**BinaryThreshold(cut=0.0).to_dict(), **fields}
            ),
            {},
            {
                "cut": "cut",
                "temperature": "temperature",
                "label_names": "two",
                "chosen": "chosen",
                "rule": "name",
                "format_version": "count",
                "more": "number",
            },
            None,
        ),
        "BinaryThreshold": (BinaryThreshold, {"cut": "cut"}, {**BINARY, "chosen": "chosen"}, None),
        "BinaryThreshold.from_threshold": (
            BinaryThreshold.from_threshold,
            {"threshold": "unit"},
            BINARY,
            None,
        ),
        "BinaryThreshold.from_costs": (
            BinaryThreshold.from_costs,
            {"costs": "costs"},
            BINARY,
            None,
        ),
        "BinaryThreshold.choose costs": (choose, {**yes, "costs": "costs"}, {}, _cheapest_binary),
        "BinaryThreshold.choose options": (
            choose,
            {**yes, "costs": "costs"},
            {"sample_weight": "weight", **BINARY},
            None,
        ),
        "BinaryThreshold.choose min_recall": (
            choose,
            {**yes, "min_recall": "unit"},
            {**PROMISE, **BINARY},
            None,
        ),
        "BinaryThreshold.choose min_precision": (
            choose,
            {**yes, "min_precision": "low"},
            {**PROMISE, **BINARY},
            None,
        ),
        "BinaryThreshold.choose floors": (
            choose,
            {**yes, "min_recall": "unit", "min_precision": "low"},
            {**PROMISE, **BINARY},
            None,
        ),
        "BinaryThreshold.choose f_beta": (
            choose,
            {**yes, "f_beta": "price"},
            {"sample_weight": "weight", **BINARY},
            None,
        ),
        "BinaryThreshold.decide": (
            _binary,
            {"cut": "cut", "temperature": "temperature", **logits},
            {},
            _naive_binary,
        ),
        "BinaryThreshold.probability": (BinaryThreshold(cut=0.0).probability, logits, {}, None),
        "BinaryThreshold.explain": (
            _explain(BinaryThreshold),
            {"cut": "cut", **logits},
            BINARY,
            None,
        ),
        "BinaryThreshold.at_base_rate": (
            BinaryThreshold(cut=0.0).at_base_rate,
            {"old": "unit", "new": "small"},
            {},
            None,
        ),
        "RejectOption": (
            RejectOption,
            {"cut": "cut", "label_names": "names"},
            {**REJECT, "chosen": "chosen"},
            None,
        ),
        "RejectOption.from_threshold": (
            RejectOption.from_threshold,
            {"threshold": "unit", "label_names": "names"},
            REJECT,
            None,
        ),
        "RejectOption.from_costs": (
            RejectOption.from_costs,
            {"costs": "reject", "label_names": "names"},
            SHARED,
            None,
        ),
        "RejectOption.choose costs": (some, {**three, "costs": "reject"}, {}, _cheapest_reject),
        "RejectOption.choose options": (some, {**three, "costs": "reject"}, REJECT, None),
        "RejectOption.choose coverage": (some, {**three, "coverage": "unit"}, REJECT, None),
        "RejectOption.choose max_risk": (
            some,
            {**three, "max_risk": "high", "confidence_level": "low"},
            {"candidates": "candidates", "used": "used_many", **REJECT},
            None,
        ),
        "RejectOption.decide": (
            _reject,
            {"cut": "cut", "temperature": "temperature", "label_names": "names", **rows},
            {},
            lambda result, logits, cut, temperature, label_names: (
                cut in ("always", "never") or _naive_reject(result, logits, cut, temperature)
            ),
        ),
        "RejectOption.explain": (
            _explain(RejectOption),
            {"cut": "cut", "label_names": "names", **rows},
            REJECT,
            None,
        ),
        "PredictionSets": (
            PredictionSets,
            {"cuts": "cuts", "label_names": "names"},
            {"chosen": "chosen", **SETS, **SHARED},
            None,
        ),
        "PredictionSets.choose": (
            PredictionSets.choose,
            three,
            {"coverage": "unit", "by_class": "flag", "label_names": "names", **SETS},
            None,
        ),
        "PredictionSets.choose used": (
            PredictionSets.choose,
            {**three, "used": "used_many"},
            SHARED,
            None,
        ),
        "PredictionSets.decide": (
            _sets,
            {"cuts": "cuts", "label_names": "names", **rows},
            {},
            _naive_sets,
        ),
        "PredictionSets.explain": (
            _explain(PredictionSets),
            {"cuts": "cuts", "label_names": "names", **rows},
            {**SETS, **SHARED},
            None,
        ),
        "LabelThresholds": (
            LabelThresholds,
            {"cuts": "cuts"},
            {**LABELS, "chosen": "chosen"},
            None,
        ),
        "LabelThresholds.from_thresholds": (
            LabelThresholds.from_thresholds,
            {"thresholds": "unit", "label_names": "names"},
            LABELS,
            None,
        ),
        "LabelThresholds.choose micro_f1": (
            lambda logits, labels: many(logits, labels, micro_f1=True, min_positives=0),
            sets,
            {},
            _best_micro,
        ),
        "LabelThresholds.choose options": (
            many,
            {**sets, "micro_f1": "flag"},
            {"shared": "flag", "min_positives": "none", **LABELS},
            None,
        ),
        "LabelThresholds.choose macro_f1": (
            many,
            {**sets, "macro_f1": "flag"},
            {"min_positives": "none", **LABELS},
            None,
        ),
        "LabelThresholds.choose max_missed": (
            many,
            {**sets, "max_missed": "unit"},
            {"shared": "flag", **LABELS},
            None,
        ),
        "LabelThresholds.choose costs": (
            many,
            {**sets, "costs": "costs"},
            {"shared": "flag", "min_positives": "none", **LABELS},
            None,
        ),
        "LabelThresholds.choose floors": (
            many,
            {**sets, "min_recall": "low", "min_precision": "low"},
            {**PROMISE, "used": "many", **LABELS},
            None,
        ),
        "highest_confidence": (
            decisions.highest_confidence,
            {"n": "count", "floor": "unit"},
            {"mistakes": "none"},
            None,
        ),
        "highest_floor": (
            decisions.highest_floor,
            {"n": "count", "confidence_level": "unit"},
            {"mistakes": "none"},
            None,
        ),
        "fewest_rows": (
            decisions.fewest_rows,
            {"floor": "unit", "confidence_level": "unit"},
            {"mistakes": "none"},
            None,
        ),
        "LabelThresholds.decide": (
            _labels,
            {"cuts": "cuts", "temperature": "temperature", **rows},
            {},
            lambda result, logits, cuts, temperature: (
                any(isinstance(c, str) for c in cuts)
                or _naive_labels(result, logits, cuts, temperature)
            ),
        ),
        "LabelThresholds.explain": (
            _explain(LabelThresholds),
            {"cuts": "cuts", **rows},
            LABELS,
            None,
        ),
        "counts": (e.counts, both, {}, _sure(_four)),
        "cut_curve": (e.cut_curve, yes, {}, None),
        "mean_cost": (
            lambda costs, **x: e.cut_curve(**x).mean_cost(costs),
            {**yes, "costs": "costs"},
            {},
            None,
        ),
        "reliability": (
            lambda **x: e.reliability(**x).error,
            {"probabilities": "p", "labels": "yes"},
            {"n_bins": "count", "strategy": "strategy"},
            lambda result, **_: 0 <= result <= 1,
        ),
        "f1_scores": (e.f1_scores, grids, {}, None),
        "label_scores": (e.label_scores, grids, {}, None),
        "ranking_scores": (e.ranking_scores, sets, {}, None),
        "risk_coverage": (e.risk_coverage, {"confidence": "one", "wrong": "yes"}, {}, None),
        "separation": (e.separation, {"known": "one", "other": "p"}, {}, _area),
        "bootstrap_interval": (
            lambda **x: intervals.bootstrap_interval(statistic=mean_of, **x),
            {"values": "one", "rng": "rng", "n_resamples": "count"},
            INTERVAL,
            None,
        ),
        "paired_bootstrap": (
            intervals.paired_bootstrap,
            {"first": "one", "second": "weight", "rng": "rng", "n_resamples": "count"},
            INTERVAL,
            None,
        ),
        "paired_bootstrap_f1": (
            intervals.paired_bootstrap_f1,
            {
                "labels": "matrix",
                "first": "said_matrix",
                "second": "matrix",
                "rng": "rng",
                "n_resamples": "count",
            },
            {"average": "average", **INTERVAL},
            None,
        ),
        "auroc_interval": (
            intervals.auroc_interval,
            {"known": "one", "other": "p", "rng": "rng", "n_resamples": "count"},
            {"baseline": "pair", **INTERVAL},
            None,
        ),
        "report_binary": (
            r.report_binary,
            {"rules": "binary_rules", **yes, "costs": "costs", "rng": "rng"},
            REPORT,
            None,
        ),
        "report_reject": (
            r.report_reject,
            {"rules": "reject_rules", **three, "costs": "reject", "rng": "rng"},
            REPORT,
            None,
        ),
        "report_sets": (r.report_sets, {"rules": "set_rules", **three}, {"seen": "flag"}, None),
        "report_labels": (
            r.report_labels,
            {"rules": "label_rules", **sets},
            {"seen": "flag"},
            None,
        ),
        "report_each_label": (
            r.report_each_label,
            {"rule": "label_rule", **sets},
            {"seen": "flag", "validation": "validation"},
            None,
        ),
    }


# Running them


def own_words(error: BaseException) -> bool:
    """Tell whether an error was raised by a line of ours that says `raise`."""
    step: TracebackType | None = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None or not isinstance(error, ValueError | TypeError) or not str(error):
        return False
    path = step.tb_frame.f_code.co_filename
    line = linecache.getline(path, step.tb_lineno).strip()
    return Path(path).is_relative_to(HELPERS) and line.startswith("raise ")


def arguments(
    target: Target, rng: np.random.Generator, other: Callable[[], Any] | None = None
) -> dict[str, Any]:
    """Draw arguments that are right, and make some of them odd; `other` gives things instead."""
    _, needed, optional, _ = target
    right = good(rng)
    names = {**needed, **{k: v for k, v in optional.items() if rng.random() < 0.25}}
    given = {name: right[key] for name, key in names.items()}
    for name in given:
        chance = rng.random()
        if chance < 0.2:
            given[name] = odd(rng) if other is None else other()
        elif chance < 0.5:
            given[name] = altered(rng, given[name])
    return given


def fault(target: Target, given: dict[str, Any]) -> str | None:
    """Call it: None if it answers rightly or refuses in its own words, else what went wrong."""
    function, _, _, oracle = target
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=UserWarning, module="benchmarks|helpers|tests")
        for words in ("all logits lie", "no temperature is best", "upside down", "no row has"):
            warnings.filterwarnings("ignore", message=words)
        try:
            result = function(**given)
        except Exception as error:
            if own_words(error):
                return None
            return f"{type(error).__name__}: {error}"
    spent = any(isinstance(value, GeneratorType) for value in given.values())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if oracle is not None and not spent and not oracle(result, **given):
            return f"answers {result!r}, which is not what a brute force finds"
    return None


def main(examples: int, seed: int, only: str, show: int) -> int:
    """Call each function with so many arguments; name the faults."""
    bad = 0
    for name, target in targets().items():
        if only not in name:
            continue
        started, faults = time.perf_counter(), []
        for example in range(examples):
            given = arguments(target, np.random.default_rng([seed, example]))
            found = fault(target, given)
            if found:
                faults.append((example, found, given))
        seconds = time.perf_counter() - started
        print(f"{name:40} {examples:,} calls, {len(faults)} faults, {seconds:.0f} s", flush=True)
        for example, found, given in faults[:show]:
            print(f"  {example}: {found[:300]}\n     {str(given)[:400]}")
        bad += len(faults)
    print(f"{bad} faults")
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="functions whose name holds this")
    parser.add_argument("--show", type=int, default=3, help="faults to print for each function")
    given = parser.parse_args()
    sys.exit(bool(main(given.examples, given.seed, given.only, given.show)))
