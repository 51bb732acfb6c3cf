"""The report page: the rule's figures on new rows, in one file that loads nothing."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from helpers.decisions import BinaryThreshold, Costs, LabelThresholds, RejectCosts, RejectOption
from helpers.page import report_page

RNG = np.random.default_rng(0)
N = 200
Y = (RNG.random(N) < 0.3).astype(int)
Z = RNG.normal(3.0 * Y - 2)
CLASSES = RNG.integers(0, 3, N)
Z3 = RNG.normal(2.0 * np.eye(3)[CLASSES])
TABLE = (RNG.random((N, 3)) < 0.4).astype(int)
ZT = RNG.normal(3.0 * TABLE - 1.5)
TEXTS = [f'message {i} <script>alert("{i}")</script>' for i in range(N)]
RULES = {
    "binary": (
        BinaryThreshold.choose(
            Z + 1e-3, Y, costs=Costs(false_positive=1, false_negative=5), label_names=("no", "yes")
        ),
        Z,
        Y,
    ),
    "reject": (
        RejectOption.choose(
            Z3 + 1e-3, CLASSES, costs=RejectCosts(reject=0.3), label_names=("a", "b", "c")
        ),
        Z3,
        CLASSES,
    ),
    "labels": (
        LabelThresholds.choose(ZT + 1e-3, TABLE, macro_f1=True, label_names=("a", "b", "c")),
        ZT,
        TABLE,
    ),
}


class Addresses(HTMLParser):
    """Collect what a page would load, its elements, and images without a description."""

    def __init__(self):
        super().__init__()
        self.loaded, self.tags, self.bare = [], set(), 0

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        values = dict(attrs)
        self.loaded += [v for k, v in attrs if k in ("src", "href") and not v.startswith("data:")]
        self.bare += tag == "img" and not values.get("alt")


@pytest.mark.parametrize("kind", RULES)
def test_the_page_loads_nothing_and_escapes_texts(kind):
    """No address leaves the page, every figure is described, and a text cannot become a script."""
    rule, z, y = RULES[kind]
    page = report_page(rule, z, y, texts=TEXTS)
    found = Addresses()
    found.feed(page.html)
    assert found.loaded == [] and found.bare == 0 and "script" not in found.tags
    assert {"main", "table"} <= found.tags


@pytest.mark.parametrize("kind", RULES)
def test_the_sections_are_plain_json_and_hold_the_reports_figures(kind):
    """What stands on the page stands in the sections; the last row of the table is this rule's."""
    rule, z, y = RULES[kind]
    sections = json.loads(json.dumps(report_page(rule, z, y).sections, allow_nan=False))
    table = next(s["rows"] for s in sections if s["heading"] == "Beside the plain rule")
    assert table[1]["rule"] == "this rule"
    if kind == "labels":
        assert table[1]["exact_match"] == pytest.approx((rule.decide(z) == y).all(axis=1).mean())
    elif kind == "binary":
        predicted = rule.decide(z)
        paid = Costs(false_positive=1, false_negative=5).of(y, predicted).mean()
        assert table[1]["cost"] == pytest.approx(paid)


def test_the_surest_mistakes_are_mistakes_and_the_surest():
    """Each listed row is answered wrongly, and none that is left out is surer."""
    rule, z, y = RULES["binary"]
    sections = report_page(rule, z, y, texts=TEXTS).sections
    rows = next(s["rows"] for s in sections if s["heading"] == "Sure, and wrong")
    listed = np.array([row["row"] - 1 for row in rows])
    wrong = np.flatnonzero(rule.decide(z) != y)
    assert set(listed) <= set(wrong) and len(listed) == min(10, len(wrong))
    sure = np.abs(rule.probability(z) - 0.5)
    rest = np.setdiff1d(wrong, listed)
    assert not len(rest) or sure[listed].min() >= sure[rest].max()
    assert [row["text"] for row in rows] == [TEXTS[i] for i in listed]


@pytest.mark.parametrize("kind", RULES)
def test_rows_that_chose_the_rule_are_refused_or_stamped(kind):
    """The page keeps the guard of all reports."""
    rule, z, y = RULES[kind]
    with pytest.raises(ValueError, match="these rows chose"):
        report_page(rule, z + 1e-3, y)
    page = report_page(rule, z + 1e-3, y, seen=True)
    assert "optimistic" in page.html


def test_the_wrong_number_of_texts_is_named():
    """Texts must be as many as rows."""
    rule, z, y = RULES["binary"]
    with pytest.raises(ValueError, match=f"a text for each of {N} rows, got 3"):
        report_page(rule, z, y, texts=["a", "b", "c"])


def test_one_class_alone_still_gives_a_page():
    """Without a positive there is no curve, and no error."""
    rule, z, _ = RULES["binary"]
    page = report_page(rule, z, np.zeros(N, dtype=int))
    assert re.search(r"precision (nan|0)", page.html)


def test_the_same_rows_give_the_same_page():
    """Nothing on the page depends on the day or the run."""
    rule, z, y = RULES["reject"]
    assert report_page(rule, z, y).html == report_page(rule, z, y).html
