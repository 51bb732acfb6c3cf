"""What moves a logit is measured by the script that writes PORTING.md; its parts hold."""

import re

import numpy as np
import pytest

from helpers import deployment
from helpers.portable.probabilities import binary_logit
from tools import port_moves
from tools.port_moves import raw_logits, table


@pytest.fixture(scope="module")
def ready(saved):
    """Load the small network."""
    return deployment.load(saved)


def test_only_what_is_read_moves_a_logit(ready, texts):
    """Batches and padding move a logit by rounding alone; a cut moves the texts that it meets."""
    one, some = (ready.model, ready.tokenizer), texts[:16]
    base = raw_logits(*one, some)
    assert np.allclose(base, ready.logits(some), atol=1e-4)
    for options in ({"batch": 1}, {"pad_to": 200}, {"batch": 5, "pad_to": 64}):
        assert np.allclose(base, raw_logits(*one, some, **options), atol=1e-4)
    long = np.array([len(ids) for ids in ready.tokenizer(some)["input_ids"]]) > 8
    assert long.any()
    for keep in ("right", "left"):
        moved = np.abs(raw_logits(*one, some, cut=8, keep=keep) - base).max(axis=1)
        assert (moved[long] > 1e-3).any() and (moved[~long] < 1e-4).all()
    assert ready.tokenizer.truncation_side == "right"


def test_padding_is_padding(ready, texts, monkeypatch):
    """With `pad_to` the network is handed that many tokens."""
    seen = []
    forward = ready.model.forward
    monkeypatch.setattr(
        ready.model,
        "forward",
        lambda *given, **named: seen.append(named["input_ids"].shape) or forward(*given, **named),
    )
    raw_logits(ready.model, ready.tokenizer, texts[:3], pad_to=77)
    assert [tuple(shape) for shape in seen] == [(3, 77)]


def test_the_table_has_a_line_a_way(ready, texts):
    """Each way is a row of figures; two digits move a logit more than four."""
    lines = table(ready.model, ready.tokenizer, texts[:8], ready.rule)
    rows = {line.split(" | ")[0][2:]: line.split(" | ") for line in lines[2:]}
    assert float(rows["one text at a time"][1]) < 1e-4
    assert float(rows["probabilities with 2 digits"][1]) > float(
        rows["probabilities with 4 digits"][1]
    )
    assert all(len(row) == 6 and re.search(r"\d+ of 8", row[4]) for row in rows.values())


def test_the_page_holds_what_its_text_says():
    """PORTING.md has a row a way, and its four groups agree with the figures in the table."""
    text = port_moves.PAGE.read_text(encoding="utf-8")
    part = text.split(port_moves.MARKS[0])[1].split(port_moves.MARKS[1])[0]
    assert "PyTorch" in part and "bf16 instructions" in part
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    rows = {line.split(" | ")[0][2:]: line.split(" | ") for line in lines}
    largest = {name: float(row[1]) for name, row in rows.items()}
    flips = {name: int(row[4].split()[0]) for name, row in rows.items()}
    for word in ("fp32 (texts", "one text at a time", "padded", "sdpa", "Keras", "32.0, float32"):
        found = [name for name in rows if word in name]
        assert found and all(largest[n] < 1e-5 and flips[n] == 0 for n in found if "int8" not in n)
    for word in ("all weights in bf16", "all weights in fp16", "bf16 autocast"):
        found = [name for name in rows if word in name]
        assert found and all(largest[n] < 0.1 and flips[n] <= 4 for n in found)
    for word in ("2 digits", "first are kept", "last are kept", "dynamic int8"):
        assert all(largest[n] > 1 and flips[n] > 4 for n in rows if word in n), word
    assert largest[next(n for n in rows if "predict_proba" in n)] < 1e-12
    none_of_400 = 1 - 0.025 ** (1 / 400)
    assert round(none_of_400, 3) == 0.009


def test_both_columns_are_one_logit():
    """Logits of two columns are compared as their difference."""
    z = np.array([[0.0, 1.0], [2.0, -1.0]])
    assert port_moves.moved(port_moves.BinaryThreshold(cut=0.0), z, z + 3).largest == pytest.approx(
        0
    )
    assert binary_logit(z).tolist() == [1, -3]
