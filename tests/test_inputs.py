"""Claims about input: whatever holds the numbers, each public function answers as for a list."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from cases import PRICES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks import odd_input
from helpers import evaluation, intervals, probabilities, reports
from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    RejectCosts,
    RejectOption,
    fingerprint,
    label_fingerprint,
)

RNG = np.random.default_rng(0)
N = 60
CLASSES = RNG.integers(0, 4, N)
Z = RNG.integers(-16, 17, (N, 3)) / 4  # quarters: exact in every dtype, bfloat16 included
Z[np.arange(N), np.minimum(CLASSES, 2)] += 2
ONE, YES, MATRIX = Z[:, 0], RNG.integers(0, 2, N), RNG.integers(0, 2, (N, 3))
WEIGHT = np.arange(N) % 4 + 1.0
NAMES = ("a", "b", "c")
REJECT = RejectCosts(reject=0.3)
RULES = {
    "binary": BinaryThreshold.from_threshold(0.5, temperature=2.0),
    "reject": RejectOption.from_threshold(0.6, label_names=NAMES),
    "labels": LabelThresholds.from_thresholds(0.5, label_names=NAMES),
}


def holders(values):
    """Hold the same numbers in all ways that people have them."""
    values = values.copy()
    flat = values.ndim == 1
    frame = pd.Series(values) if flat else pd.DataFrame(values)
    held = {
        "columns": np.asfortranarray(values),
        "transposed": values if flat else np.array([*values.T]).T,
        "slice": np.repeat(values, 2, axis=0)[::2],
        "backwards": values[::-1].copy()[::-1],
        "inner slice": values if flat else np.repeat(values, 2, axis=1)[:, ::2],
        "frame": frame,
        "frame of objects": frame.astype(object),
        "nullable frame": frame.astype("Float64"),
        "to_numpy": frame.to_numpy(),
        "matrix": values if flat else np.matrix(values),
        "masked, nothing missing": np.ma.array(values),
        "rows": list(values),
        "tuple": tuple(map(tuple, values)) if not flat else tuple(values.tolist()),
        "needs a gradient": torch.tensor(values, dtype=torch.float64, requires_grad=True),
        "list of tensors": list(torch.tensor(values, dtype=torch.bfloat16)),
    }
    for dtype in ("f2", "f4", "f8", ">f2", ">f4", ">f8", "g", "O"):
        held[dtype] = values.astype(dtype)
    if np.array_equal(values, np.round(values)):
        held |= {dtype: values.astype(dtype) for dtype in ("i1", "i8", ">i4")}
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        held[str(dtype)] = torch.tensor(values).to(dtype)
    held["read-only"] = values.copy()
    held["read-only"].flags.writeable = False
    return held


def on_disk(values, folder):
    """Map the numbers from a file."""
    mapped = np.memmap(folder / "values", dtype=values.dtype, mode="w+", shape=values.shape)
    mapped[:] = values
    return mapped


def fresh():
    """Make the same generator each time."""
    return np.random.default_rng(0)


def choose(rule, **options):
    """Choose with fixed options."""
    return lambda *args: rule.choose(*args, **options)


FEW = {"n_resamples": 20}
CALLS = {
    "binary_logit": (probabilities.binary_logit, Z[:, :2]),
    "sigmoid": (probabilities.sigmoid, Z),
    "logit": (probabilities.logit, np.abs(Z) / 8),
    "softmax": (probabilities.softmax, Z),
    "log_softmax": (probabilities.log_softmax, Z),
    "fit_temperature, yes/no": (probabilities.fit_temperature, ONE, YES),
    "fit_temperature, classes": (probabilities.fit_temperature, Z, np.minimum(CLASSES, 2)),
    **{
        f"confidence, {measure}": (lambda z, m=measure: probabilities.confidence(z, measure=m), Z)
        for measure in probabilities.MEASURES
    },
    "Costs.from_matrix": (Costs.from_matrix, np.array([[0.0, 3.0], [1.0, 0.5]])),
    "Costs.of": (PRICES.of, YES, 1 - YES),
    "RejectCosts.of": (lambda y, s: REJECT.of(y, s, n_classes=3), CLASSES, CLASSES[::-1]),
    "fingerprint": (fingerprint, Z, CLASSES),
    "label_fingerprint": (label_fingerprint, Z, MATRIX),
    "binary, costs": (
        lambda z, y, w: BinaryThreshold.choose(z, y, costs=PRICES, sample_weight=w),
        *(ONE, YES, WEIGHT),
    ),
    "binary, promise": (
        lambda z, y, used: BinaryThreshold.choose(
            z, y, min_recall=0.8, confidence_level=0.6, used=used
        ),
        *(Z[:, :2], YES, Z[:, :2] + [0, 100]),
    ),
    "reject, costs": (choose(RejectOption, costs=REJECT), Z, CLASSES),
    "reject, coverage": (choose(RejectOption, coverage=0.5, temperature=2.0), Z, CLASSES),
    "reject, promise": (
        lambda z, y, cuts, used: RejectOption.choose(
            z, y, max_risk=0.9, confidence_level=0.6, candidates=cuts, used=used
        ),
        *(Z, CLASSES, np.arange(1, 8) / 8, Z + 100),
    ),
    "labels, micro": (choose(LabelThresholds, micro_f1=True, temperature=2.0), Z, MATRIX),
    "labels, macro": (choose(LabelThresholds, macro_f1=True, min_positives=0), Z, MATRIX),
    "labels, shared": (choose(LabelThresholds, costs=PRICES, shared=True), Z, MATRIX),
    **{
        f"{kind}.{method}": (getattr(rule, method), ONE if kind == "binary" else Z)
        for kind, rule in RULES.items()
        for method in ("decide", "explain", "probability", "confidence")
        if hasattr(rule, method)
    },
    "counts": (evaluation.counts, YES, 1 - YES),
    "cut_curve": (lambda *args: vars(evaluation.cut_curve(*args)), ONE, YES),
    "reliability": (lambda *args: vars(evaluation.reliability(*args)), np.abs(ONE) / 8, YES),
    "f1_scores": (evaluation.f1_scores, MATRIX, MATRIX[::-1]),
    "label_scores": (evaluation.label_scores, MATRIX, MATRIX[::-1]),
    "ranking_scores": (evaluation.ranking_scores, Z, MATRIX),
    "risk_coverage": (lambda *args: vars(evaluation.risk_coverage(*args)), ONE, YES),
    "separation": (evaluation.separation, ONE, Z[:9, 1]),
    "bootstrap_interval": (
        lambda v: intervals.bootstrap_interval(v, np.mean, rng=fresh(), **FEW),
        Z,
    ),
    "paired_bootstrap": (
        lambda *args: intervals.paired_bootstrap(*args, rng=fresh(), **FEW),
        *(ONE, Z[:, 1]),
    ),
    "paired_bootstrap_f1": (
        lambda *args: intervals.paired_bootstrap_f1(*args, rng=fresh(), **FEW),
        *(MATRIX, MATRIX[::-1], 1 - MATRIX),
    ),
    "auroc_interval": (
        lambda a, b, *pair: intervals.auroc_interval(a, b, baseline=pair, rng=fresh(), **FEW),
        *(ONE, Z[:9, 1], Z[:, 1], Z[:9, 2]),
    ),
    "report_binary": (
        lambda *args: reports.report_binary({"a": RULES["binary"]}, *args, PRICES, rng=fresh()),
        *(ONE, YES),
    ),
    "report_reject": (
        lambda *args: reports.report_reject({"a": RULES["reject"]}, *args, REJECT, rng=fresh()),
        *(Z, CLASSES),
    ),
    "report_labels": (
        lambda z, y, said: reports.report_labels({"a": RULES["labels"], "b": said}, z, y),
        *(Z, MATRIX, 1 - MATRIX),
    ),
    "report_each_label": (
        lambda z, y, *pair: reports.report_each_label(RULES["labels"], z, y, validation=pair),
        *(Z, MATRIX, Z[::-1], MATRIX[::-1]),
    ),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("name", CALLS)
def test_whatever_holds_the_numbers_gives_what_a_list_gives(name, tmp_path):
    """Memory orders, dtypes, frames, tensors and maps of a file answer to the last bit alike."""
    call, *values = CALLS[name]
    expected = repr(call(*(part.tolist() for part in values)))
    held = [holders(part) for part in values]
    for kind in set.union(*map(set, held)):
        given = [one.get(kind, part) for one, part in zip(held, values, strict=True)]
        assert repr(call(*given)) == expected, kind
    on_file = [on_disk(part, tmp_path) for part in values[:1]]
    assert repr(call(*on_file, *values[1:])) == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "got masked"),
        ([1.0, None], r"real numbers, got \[1.0, None\]"),
        ({0.5, 1.5}, "real numbers, got {0.5, 1.5}"),
        ([[1.0], [1.0, 2.0]], "as many in each row"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r"of datetime64\[D\]"),
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), "real numbers"),
        (torch.zeros(2, dtype=torch.complex64), "of complex64"),
        ((one for one in (1.0, 2.0)), "got <generator"),
    ],
)
def test_what_holds_no_numbers_is_named(values, words):
    """Missing values, sets, ragged rows, dates and generators are refused in one sentence."""
    with pytest.raises(ValueError, match=f"^logits must be an array of .*{words}"):
        RULES["binary"].decide(values)


def test_numbers_beyond_float64_are_refused():
    """What becomes infinite in float64 is no logit, and numpy says nothing on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="must be finite"):
            RULES["labels"].decide(np.full((2, 3), np.longdouble("1e4000")))
        with pytest.raises(ValueError, match="divided by the temperature must be finite"):
            BinaryThreshold(cut="never", temperature=1e-300).decide([1e300])


# Bad and odd input

TARGETS = odd_input.targets()
# a count that makes sense is small, or the call takes as long as it asks for
INTEGERS = st.integers(-200, 200) | st.integers(min_value=10**9) | st.integers(max_value=-(10**9))
NUMBERS = st.one_of(
    st.none(), st.booleans(), INTEGERS, st.floats(), st.floats(width=16), st.text(max_size=3)
)
NESTED = st.recursive(
    NUMBERS,
    lambda one: st.one_of(
        st.lists(one, max_size=4),
        st.tuples(one, one),
        st.dictionaries(st.text(max_size=2), one, max_size=2),
    ),
    max_leaves=8,
)
KINDS = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.floating_dtypes(), hnp.complex_number_dtypes()
)
ARRAYS = hnp.arrays(KINDS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


@pytest.mark.parametrize("name", TARGETS)
def test_odd_input_is_answered_rightly_or_refused_in_words(name):
    """Of 60 calls with odd arguments each is answered as by brute force, or refused by us."""
    for example in range(60):
        given = odd_input.arguments(TARGETS[name], np.random.default_rng([99, example]))
        assert odd_input.fault(TARGETS[name], given) is None, given


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=12, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_what_hypothesis_thinks_of_is_answered_rightly_or_refused(name, data, seed):
    """The same holds for nested lists and arrays of every dtype in place of an argument."""
    other = lambda: data.draw(NESTED | ARRAYS)
    with np.errstate(all="ignore"):
        given = odd_input.arguments(TARGETS[name], np.random.default_rng(seed), other)
    assert odd_input.fault(TARGETS[name], given) is None
