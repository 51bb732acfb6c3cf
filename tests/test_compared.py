"""What COMPARED.md says of this package is true, and the page is what its script writes."""

import inspect
import math

import pytest

from tools import compare

OURS = {row.finding.__name__: row.finding for row in compare.ROWS}


def test_the_page_is_what_the_script_writes():
    """COMPARED.md is up to date with our code and with the outputs that findings state."""
    assert compare.PAGE.read_text(encoding="utf-8") == compare.page()


def test_each_row_has_a_test_and_each_finding_a_place():
    """Each row is tested below by name, none is there twice, and every finding is named."""
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(OURS) <= tests and len(OURS) == len(compare.ROWS)
    page = compare.PAGE.read_text(encoding="utf-8")
    for script in compare.FINDINGS.glob("*.sh"):
        assert page.count(f"(findings/{script.name})") == 1


def test_an_output_of_another_form_is_noticed(monkeypatch):
    """Where a finding states other lines than a row reads, or has no row, the script fails."""
    monkeypatch.setattr(compare, "header", lambda name: ("", "another output"))
    monkeypatch.setattr(compare, "library", lambda name: name)
    with pytest.raises(AssertionError, match="sklearn_tuned_never: its output has another form"):
        compare.line(compare.ROWS[0])
    monkeypatch.undo()
    with pytest.raises(AssertionError, match="no row for nothing"):
        compare.library("nothing")


def test_refusal_needs_a_refusal():
    """A row that says ValueError fails where nothing is refused."""
    with pytest.raises(AssertionError, match="nothing was refused, got 1"):
        compare.refusal(lambda: 1)


def test_sklearn_tuned_never():
    """Where every alarm costs 100 and each of five misses 1, the cheapest is no alarm, for 5."""
    assert OURS["sklearn_tuned_never"]() == {"cost": 5, "alarms": 0}


def test_sklearn_tuned_order():
    """The cut does not depend on the order of the candidates, and is one of them."""
    found = OURS["sklearn_tuned_order"]()
    assert found["ascending"] == found["descending"] and found["ascending"] in (0.4, 0.6, 0.8, 0.9)


def test_sklearn_temperature_half():
    """The temperature is 2 for one column and for two."""
    found = OURS["sklearn_temperature_half"]()
    assert found["one"] == pytest.approx(2, abs=0.1)
    assert found["one"] == pytest.approx(found["two"], rel=1e-6)


def test_sklearn_frozen_absent_class():
    """A temperature is found although a class is absent."""
    assert 0 < OURS["sklearn_frozen_absent_class"]()["temperature"] < math.inf


def test_sklearn_top_k_range():
    """Four logits above 0 are four times 1, three of them right, whatever row comes after."""
    assert OURS["sklearn_top_k_range"]() == {"alone": 3, "more": 3}


def test_forest_tie_at_half():
    """A score at the cut is positive."""
    assert OURS["forest_tie_at_half"]() == {"tie": 1}


def test_sklearn_log_loss_precision():
    """A sure mistake costs the same in each format: -log(1e-7), as a clipped probability does."""
    assert list(OURS["sklearn_log_loss_precision"]().values()) == pytest.approx(
        [-math.log(1e-7)] * 3
    )


def test_sklearn_absent_label_margin():
    """Of three labels, the one without positives falls back, and `chosen` says so."""
    assert OURS["sklearn_absent_label_margin"]()["fell_back"] == [2]


def test_torchmetrics_big_logits():
    """A perfect order has an AUROC of 1, however large the logits."""
    assert OURS["torchmetrics_big_logits"]() == {"small": 1, "large": 1}


def test_torchmetrics_absent_label():
    """A label that never occurs has no AUROC and does not lower macro-F1."""
    found = OURS["torchmetrics_absent_label"]()
    assert math.isnan(found["auroc"][0]) and found["auroc"][1] == 1 and found["macro_f1"] == 1


def test_confidenceinterval_above_one():
    """Both intervals stay within 0 and 1; that of right answers alone has no width."""
    found = OURS["confidenceinterval_above_one"]()
    assert found["f1"] == (1, 1, 1)
    assert 0 <= found["auroc"][1] <= 0.75 == found["auroc"][0] <= found["auroc"][2] <= 1


def test_onnxruntime_sigmoid_order():
    """The sigmoid never falls where the logit rises, and is exact at -20."""
    found = OURS["onnxruntime_sigmoid_order"]()
    assert found["down"] == 0 and found["at"] == pytest.approx(1 / (1 + math.exp(20)))


def test_onnxruntime_int8_mates():
    """Int8 is no number format here."""
    assert OURS["onnxruntime_int8_mates"]()["refused"].endswith("got 'int8'")


def test_skl2onnx_tuned_threshold():
    """A threshold from its JSON gives as many positives as before, neither none nor all."""
    found = OURS["skl2onnx_tuned_threshold"]()
    assert 0 < found["before"] == found["after"] < 400


def test_skl2onnx_margin_labels():
    """Cuts at 0 from their JSON give the labels whose margins reach 0."""
    found = OURS["skl2onnx_margin_labels"]()
    assert 0 < found["above"] == found["after"] < 1200


def test_catboost_threshold():
    """A rule from its JSON has the threshold that it had."""
    assert OURS["catboost_threshold"]() == {"threshold": pytest.approx(0.2)}


def test_mapie_no_threshold():
    """What no threshold can promise is refused when the rule is chosen."""
    assert "cannot promise a precision of 0.95" in OURS["mapie_no_threshold"]()["refused"]


def test_nan_score():
    """A score that is nan is refused, with its row."""
    assert OURS["nan_score"]()["refused"].endswith("first in row 2")


def test_float32_at_the_cut():
    """A float32 .7 lies below .7, in memory and from JSON."""
    assert OURS["float32_at_the_cut"]() == {"answers": [False, False]}


def test_iterstrat_sizes():
    """Shares that leave rows over are refused."""
    assert "sum to 1" in OURS["iterstrat_sizes"]()["refused"]


def test_iterstrat_unseeded():
    """The same rows give the same parts at each call."""
    assert OURS["iterstrat_unseeded"]() == {"agree": [True] * 5}


def test_datasets_integer_classes():
    """Numbers go by size."""
    assert OURS["datasets_integer_classes"]()["names"] == tuple(map(str, range(11)))


def test_datasets_class_range():
    """A class above the last name is refused."""
    assert OURS["datasets_class_range"]()["refused"] == (
        "label holds the class 3, and names 2 classes only"
    )


def test_tokenizers_uncased():
    """Case is folded by Unicode; accents and dotless i stay."""
    assert list(OURS["tokenizers_uncased"]().values()) == [False, False, False, True, True]


def test_our_functions_say_what_they_take():
    """Each of our figures says in a sentence what was done."""
    assert all(inspect.getdoc(finding) for finding in OURS.values())
