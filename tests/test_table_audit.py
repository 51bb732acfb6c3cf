"""A report looks the table over: what it lists was put there."""

import numpy as np
import pytest

from helpers import table_audit
from helpers.decisions import LabelThresholds, RejectOption
from helpers.table_audit import audit_sections

RNG = np.random.default_rng(0)


def test_a_wrong_label_of_one_of_many_is_named():
    """The two of 90 rows whose labels were changed are listed with the label they had; no Other."""
    truth = np.arange(90) % 3
    z = 4.0 * np.eye(3)[truth] + RNG.normal(0, 0.3, (90, 3))
    z[[10, 20]] *= 2  # of these the network is surest
    given = truth.copy()
    given[[10, 20]] = (truth[[10, 20]] + 1) % 3
    given[30] = 3  # of no label: there is none to doubt
    rule = RejectOption.from_threshold(0.5, label_names=("a", "b", "c"))
    rows = audit_sections(rule, z, given)[0]["rows"]
    assert {row["row"] for row in rows} == {11, 21}
    assert all(row["rather"] == "abc"[truth[row["row"] - 1]] for row in rows)


def test_wrong_labels_of_many_are_named_by_label():
    """A label that is missing and one that is too many are both found, and told apart."""
    truth = (RNG.random((100, 2)) < 0.4).astype(int)
    z = 8.0 * truth - 4 + RNG.normal(0, 0.3, (100, 2))
    z[[5, 6], [0, 1]] *= 2  # of these the network is surest
    given = truth.copy()
    given[5, 0], given[6, 1] = 1 - given[5, 0], 1 - given[6, 1]
    rule = LabelThresholds.from_thresholds(0.5, label_names=("home", "water"))
    rows = audit_sections(rule, z, given)[0]["rows"]
    first = ("not home", "home") if truth[5, 0] else ("home", "not home")
    second = ("not water", "water") if truth[6, 1] else ("water", "not water")
    found = {(row["row"], row["label"], row["rather"]) for row in rows}
    assert found == {(6, *first), (7, *second)}


def test_a_large_table_is_compared_in_part_and_says_so(monkeypatch):
    """Beyond the limit the first rows alone are compared with each other."""
    monkeypatch.setattr(table_audit, "MOST", 3)
    texts = [
        "the bin is full today",
        "my road is closed",
        "THE BIN is full today",
        "my road is closed",
    ]
    rule = LabelThresholds.from_thresholds(0.5, label_names=("home",))
    near = audit_sections(rule, np.full((4, 1), -2.0), np.array([[0], [1], [0], [1]]), texts=texts)[
        1
    ]
    assert [(row["row"], row["earlier row"], row["labels"]) for row in near["rows"]] == [
        (3, 1, "same")
    ]
    assert near["text"].endswith("Compared were the first 3 rows.")


@pytest.mark.parametrize(
    ("truncated", "said"),
    [
        (None, "2 texts have at most 3 letters or digits."),
        (
            np.array([False] * 4 + [True] * 20),
            "2 texts have at most 3 letters or digits. 20 are longer than the network reads: "
            "their ends were cut off.",
        ),
    ],
)
def test_short_and_cut_texts_are_counted_and_ten_are_shown(truncated, said):
    """Neither crowds the other out of the list."""
    texts = ["ok", "?!", "a leak", "my bin", *(f"a long text about pipe {i}" for i in range(20))]
    rule = LabelThresholds.from_thresholds(0.5, label_names=("home",))
    labels = np.arange(24)[:, None] % 2
    shown = audit_sections(rule, np.full((24, 1), -2.0), labels, texts=texts, truncated=truncated)[
        2
    ]
    assert shown["text"] == said
    kinds = [row["what"] for row in shown["rows"]]
    assert kinds == ["short", "short"] + ["cut"] * (8 if truncated is not None else 0)
