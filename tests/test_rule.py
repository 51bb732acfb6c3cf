"""Claims about what all rules share: how they travel, and the names of sets of rows."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from cases import PRICES, QUICK, two_classes
from hypothesis import given
from hypothesis import strategies as st

from helpers.decisions import BinaryThreshold, fingerprint
from helpers.portable.search import check_unused

ROOT = Path(__file__).parents[1]


def sample_rules():
    """One rule of each origin."""
    z, y = two_classes(np.random.default_rng(9), n=200, digits=3)
    yield BinaryThreshold(cut="never", temperature=np.float32(2.5))
    yield BinaryThreshold.from_threshold(np.float64(0.3), label_names=("wait", "urgent"))
    yield BinaryThreshold.from_costs(PRICES)
    ways = (
        {"costs": PRICES},
        {"f_beta": np.int64(2)},
        {"min_recall": np.float64(0.9), "confidence_level": np.float64(0.8)},
        {"min_precision": 1 / 3},
    )
    for way in ways:
        yield BinaryThreshold.choose(z, y, temperature=1.7, **way)


@pytest.mark.parametrize(
    "rule", list(sample_rules()), ids=lambda rule: rule.chosen.get("criterion", "none")
)
def test_rule_survives_json(rule):
    """A rule of any origin comes back from JSON equal, and decides alike."""
    back = BinaryThreshold.from_dict(json.loads(json.dumps(rule.to_dict(), allow_nan=False)))
    assert back == rule
    z = np.random.default_rng(0).normal(0, 3, 500)
    np.testing.assert_array_equal(back.decide(z), rule.decide(z))


def test_saved_rule_says_how_it_was_chosen():
    """The way, the size and the fingerprint of the data travel with the rule."""
    z, y = two_classes(np.random.default_rng(10))
    chosen = BinaryThreshold.choose(z, y, min_recall=0.9).to_dict()["chosen"]
    expected = {
        "method": "search",
        "criterion": "min_recall",
        "min_recall": 0.9,
        "n_samples": len(z),
        "n_positive": int(y.sum()),
        "fingerprint": fingerprint(z, y),
    }
    assert chosen == expected


def test_changing_the_saved_values_leaves_the_rule():
    """What `to_dict` returns is a copy: writing into it does not rewrite the rule."""
    rule = BinaryThreshold.from_threshold(0.5)
    rule.to_dict()["chosen"]["method"] = "rewritten"
    assert rule.chosen["method"] == "given"


def changed(**values):
    """A saved rule with some values replaced; None takes the field away."""
    saved = BinaryThreshold(cut=0.0).to_dict() | values
    return {k: v for k, v in saved.items() if v is not None}


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (changed(rule="TopK"), "expected a saved BinaryThreshold, got 'TopK'"),
        (changed(rule=None), "expected a saved BinaryThreshold, got None"),
        ([1, 2], "expected a saved BinaryThreshold, got 'list'"),
        (changed(format_version=3), "format versions 1 to 2, the rule has 3"),
        (changed(format_version=None), "format versions 1 to 2, the rule has None"),
        (changed(cut=None), "has the fields .*'cut'.*, got"),
        (changed(note="new"), "got .*'note'"),
        (changed(cut="often"), "cut must be a logit"),
        (changed(temperature=0), "temperature must be"),
    ],
)
def test_foreign_rules_are_refused(saved, words):
    """Another rule, another format, and fields too few or too many are refused."""
    with pytest.raises(ValueError, match=words):
        BinaryThreshold.from_dict(saved)


@QUICK
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_fingerprint_names_the_rows(seed, columns):
    """The order of the rows does not matter; one flipped label or two swapped ones do."""
    rng = np.random.default_rng(seed)
    z, y = rng.normal(0, 2, (30, columns)), rng.integers(0, 2, 30)
    y[:2] = [0, 1]
    name = fingerprint(z, y)
    order = rng.permutation(30)
    assert re.fullmatch("[0-9a-f]{16}", name)
    assert fingerprint(z[order], y[order]) == name == fingerprint(np.float32(z), y == 1)
    flipped, swapped = y.copy(), y.copy()
    flipped[rng.integers(30)] ^= 1
    swapped[:2] = [1, 0]
    names = {name, fingerprint(z, flipped), fingerprint(z, swapped), fingerprint(z[:-1], y[:-1])}
    assert len(names) == 4


def fresh(code, *arguments):
    """Run code in a new interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_numpy_alone_applies_a_rule(tmp_path):
    """With every other package blocked, a saved rule is read and applied."""
    rule = BinaryThreshold.from_threshold(0.7, temperature=2.0, label_names=("wait", "urgent"))
    path = tmp_path / "rule.json"
    path.write_text(json.dumps(rule.to_dict()), encoding="utf-8")
    code = """
import json, sys
for name in ("torch", "transformers", "scipy", "sklearn", "pandas", "datasets", "matplotlib"):
    sys.modules[name] = None
from helpers.decisions import BinaryThreshold
rule = BinaryThreshold.from_dict(json.load(open(sys.argv[1], encoding="utf-8")))
print([reason["label"] for reason in rule.explain([[0.0, 1.0], [0.0, 9.0]])])
"""
    assert fresh(code, str(path)).strip() == "['wait', 'urgent']"


def test_importing_the_package_loads_nothing_else():
    """`import helpers` costs next to nothing: it loads no other package, numpy included."""
    code = """
import sys
before = set(sys.modules)
import helpers
loaded = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - set(sys.stdlib_module_names)))
"""
    assert fresh(code).strip() == "['helpers']"


def test_a_fingerprint_reads_any_memory_order():
    """Columns side by side, slices and huge numbers name the same rows as a plain copy."""
    z = np.random.default_rng(0).normal(size=(30, 5))
    y = np.arange(30) % 2
    wide = np.repeat(z, 2, axis=1)
    for same in (np.asfortranarray(z), np.array([*z.T]).T, wide[:, ::2], z.tolist()):
        assert fingerprint(same, y) == fingerprint(z, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert re.fullmatch("[0-9a-f]{16}", fingerprint([[1e308, -1e308]], [1]))


def test_a_zero_below_zero_is_a_zero():
    """Rows that differ in the sign of a zero are the same rows, in both guards."""
    assert fingerprint([0.0, 1.0], [0, 1]) == fingerprint([-0.0, 1.0], [0, 1])
    with pytest.raises(ValueError, match="1 of 2 rows have been used"):
        check_unused(np.array([-0.0, 1.0]), np.array([0.0]))


@pytest.mark.parametrize("chosen", [{"n": np.int64(3)}, {"a": {1, 2}}, {"a": np.nan}, {"a": len}])
def test_how_a_rule_was_chosen_is_plain_json(chosen):
    """What JSON cannot hold is refused when the rule is made, not when it is saved."""
    with pytest.raises(ValueError, match="chosen must hold plain JSON values alone"):
        BinaryThreshold(cut=0.0, chosen=chosen)
