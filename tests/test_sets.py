"""Claims about PredictionSets and max_missed: exact coverage, few rows, draws, every route."""

import json
import tracemalloc
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import small_model
from fastapi.testclient import TestClient
from scipy.stats import betabinom, kstest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment
from helpers.adoption import adopt
from helpers.choosing import choose_rule, criterion_of, report_rule
from helpers.decisions import LabelThresholds, PredictionSets, RejectOption, rule_from_dict
from helpers.page import report_page
from helpers.portable import sets
from helpers.portable.conformal import cut_for_coverage, cut_for_missed, draws, spare_rows
from helpers.portable.sets import support
from helpers.probabilities import softmax
from helpers.reports import report_sets
from helpers.rules import changed
from helpers.score_files import ScoreRule, decide_file, read_rule, write_rule
from helpers.scoring import score
from helpers.serving import make_app
from helpers.table_report import report_table

HELPERS = Path(__file__).parents[1] / "helpers"
VARIANTS = [("lac", False), ("lac", True), ("aps", False), ("aps", True)]
SETS = 2000


def population(rng, n, n_classes=5):
    """Draw logits, and labels that follow them, though not as surely as they say."""
    z = 1.5 * rng.normal(size=(n, n_classes))
    p = softmax(0.7 * z).cumsum(axis=1)
    return z, (rng.random((n, 1)) > p[:, :-1]).sum(axis=1)


# The cut


def slow_support(row, score, randomized):
    """Work out the support of each class of one row by its definition."""
    p, u = softmax(row), float(draws(row[np.newaxis])[0]) if randomized else 0.0
    if score == "lac":
        return [p_k + 1e-9 * u for p_k in p]
    return [1 - sum(other for other in p if other > p_k) - u * p_k for p_k in p]


@pytest.mark.parametrize(("score", "randomized"), VARIANTS)
def test_support_is_its_definition(score, randomized):
    """On 300 rows, with ties and with sure ones, it is what one row and one class give."""
    rng = np.random.default_rng(1)
    z = np.concatenate([rng.normal(size=(150, 4)), rng.integers(-3, 4, (150, 4)) * 2.0])
    slow = np.array([slow_support(row, score, randomized) for row in z])
    np.testing.assert_allclose(support(z, score, randomized), slow, atol=1e-12)


def test_the_cut_is_the_highest_that_misses_no_more_than_it_may():
    """On 1,000 random small samples with ties, by whole numbers: no higher cut is allowed."""
    rng = np.random.default_rng(2)
    for _ in range(1000):
        n, coverage = int(rng.integers(1, 40)), int(rng.integers(1, 100))
        values = rng.integers(0, 12, n) / 16
        allowed = (100 - coverage) * (n + 1) // 100
        fitting = [c for c in np.unique(values) if (values < c).sum() < allowed]
        expected = max(fitting) if allowed else -np.inf
        assert cut_for_coverage(values, coverage / 100) == expected


@pytest.mark.parametrize("coverage", [0.9, 0.95, 0.8, 0.99, 0.71])
def test_the_first_number_of_rows_that_can_promise(coverage):
    """One row fewer than coverage / (1 - coverage) gives all labels, that many give a cut."""
    enough = int(np.ceil(Fraction(str(coverage)) / (1 - Fraction(str(coverage)))))
    for n, few in ((enough - 1, True), (enough, False)):
        z = np.stack([np.linspace(1, 2, n), np.zeros(n)], axis=1)
        rule = PredictionSets.choose(z, np.zeros(n, dtype=int), coverage=coverage)
        assert rule.decide([[-9.0, 0.0]]).all() == few
        assert rule.chosen["named_always"] == ([0, 1] if few else [])
    assert spare_rows(99, 0.29) == 29


def test_eight_rows_are_never_the_largest_of_eight():
    """Nine in ten of eight rows is no quantile: all labels are named, by every variant."""
    z, y = population(np.random.default_rng(3), 8)
    for name, randomized in VARIANTS:
        rule = PredictionSets.choose(z, y, score=name, randomized=randomized)
        assert rule.decide(z).all() and set(rule.cuts) == {-np.inf}
        assert rule.explain(z)[0]["reason"] == "unsure"


# Coverage


@pytest.mark.parametrize("n", [8, 9, 30, 99])
@pytest.mark.parametrize(("name", "randomized"), VARIANTS)
def test_coverage_is_the_beta_binomial_one(name, randomized, n):
    """Over 2,000 choices of n rows the sets hold the truth as often as the exact law says."""
    rng, m = np.random.default_rng(n), 40
    z, y = population(rng, SETS * (n + m))
    true = support(z, name, randomized)[np.arange(len(y)), y].reshape(SETS, n + m)
    cuts = np.array([cut_for_coverage(row[:n], 0.9) for row in true])
    held = (true[:, n:] >= cuts[:, np.newaxis]).sum(axis=1)
    rank = (n + 1) // 10
    if rank == 0:
        assert (held == m).all()
        return
    law = betabinom(m, n + 1 - rank, rank)
    assert abs(held.mean() - law.mean()) < 4 * law.std() / SETS**0.5
    shares = np.array([(held <= k).mean() for k in range(m + 1)])
    assert np.abs(shares - law.cdf(np.arange(m + 1))).max() < 1.95 / SETS**0.5
    one = slice(0, n)
    rule = PredictionSets.choose(z[one], y[one], score=name, randomized=randomized)
    assert set(rule.cuts) == {cuts[0]}
    assert rule.decide(z[n : n + m])[np.arange(m), y[n : n + m]].sum() == held[0]


@pytest.mark.parametrize(("name", "randomized"), VARIANTS)
def test_coverage_of_each_class(name, randomized):
    """By class each one has its own exact mean; without, the rare one is held less often."""
    rng, n, m = np.random.default_rng(5), 60, 30
    held, expected, spread, pooled = (np.zeros(3) for _ in range(4))
    y = rng.choice(3, size=(SETS, n + m), p=[0.6, 0.3, 0.1])
    z = rng.normal(size=(SETS, n + m, 3)) + np.diag([1.2, 1.0, 0.3])[y]
    every = support(z.reshape(-1, 3), name, randomized).reshape(z.shape)
    true = np.take_along_axis(every, y[..., np.newaxis], axis=2)[..., 0]
    for i in range(SETS):
        one = cut_for_coverage(true[i, :n], 0.8)
        cuts, size = [], np.bincount(y[i, :n], minlength=3)
        for k in range(3):
            cuts.append(cut_for_coverage(true[i, :n][y[i, :n] == k], 0.8))
            new = true[i, n:][y[i, n:] == k]
            rank = (int(size[k]) + 1) // 5
            held[k] += (new >= cuts[k]).sum()
            pooled[k] += (new >= one).sum()
            expected[k] += len(new) * (1 - rank / (size[k] + 1))
            # the variance of the beta-binomial
            a, b, total = size[k] + 1 - rank, rank, size[k] + 1
            spread[k] += len(new) * a * b * (total + len(new)) / (total**2 * (total + 1))
        if i < 20:
            options = {"coverage": 0.8, "score": name, "randomized": randomized, "by_class": True}
            rule = PredictionSets.choose(z[i, :n], y[i, :n], **options)
            assert rule.cuts == tuple(cuts)
            assert rule.chosen["named_always"] == np.flatnonzero(size < 4).tolist()
            assert np.array_equal(rule.decide(z[i, n:]), every[i, n:] >= np.array(cuts))
    assert (np.abs(held - expected) < 4 * np.sqrt(spread)).all()
    seen = np.bincount(y[:, n:].ravel())
    assert pooled[2] / seen[2] < 0.75 < held[2] / seen[2]


def test_ties_are_never_under_the_promise_and_draws_part_them():
    """With probabilities of nine values coverage is at least exact; with a draw it is exact."""
    rng, n, m = np.random.default_rng(6), 39, 40
    p_true = rng.integers(1, 10, SETS * (n + m)) / 10
    rest = (1 - p_true) * rng.beta(2, 2, p_true.shape)
    z = np.log(np.stack([p_true, rest, 1 - p_true - rest], axis=1))
    means = {}
    for randomized in (False, True):
        true = support(z, "lac", randomized)[:, 0].reshape(SETS, n + m)
        if not randomized:
            true = true.round(9)  # equal ones are equal, to the digit
        cuts = np.array([cut_for_coverage(row[:n], 0.9) for row in true])
        means[randomized] = (true[:, n:] >= cuts[:, np.newaxis]).mean()
    law = betabinom(m, 36, 4)
    assert abs(means[True] - 0.9) < 4 * law.std() / m / SETS**0.5
    assert means[False] > 0.92


# The draw


def test_draws_are_even_and_stay():
    """They spread evenly; a shift of all logits, or their last digits, hardly move them."""
    rng = np.random.default_rng(7)
    z = rng.normal(size=(20_000, 4))
    assert kstest(draws(z), "uniform").pvalue > 0.001
    assert kstest(draws(z.round(2)), "uniform").statistic < 0.02
    moved = draws(z + 3.0 + 1e-6 * rng.random(z.shape)) - draws(z)
    assert np.mean(np.minimum(np.abs(moved), 1 - np.abs(moved)) < 0.01) == 1
    far = draws(np.array([[1e300, -1e300, 0.0]]))
    assert 0 <= far[0] < 1


def test_the_same_row_gets_the_same_set_in_any_company(monkeypatch):
    """Alone, in a block, in float32, in another memory order: nothing about a set changes."""
    z, y = population(np.random.default_rng(8), 500)
    z = z.astype(np.float32)
    for name, randomized in VARIANTS:
        rule = PredictionSets.choose(z, y, score=name, randomized=randomized)
        whole = rule.decide(z)
        alone = np.concatenate([rule.decide(row) for row in z[:, np.newaxis]])
        monkeypatch.setattr(sets, "BLOCK", 35)
        again = PredictionSets.choose(z, y, score=name, randomized=randomized)
        assert again == rule
        for other in (alone, rule.decide(np.asfortranarray(z)), rule.decide(z.astype(float))):
            assert np.array_equal(other, whole)
        monkeypatch.undo()


def test_aps_without_a_draw_always_names_the_likeliest():
    """Its sets are heads of the ranking, none is empty; a network that is too good is right more
    often than asked by its likeliest class alone. With a draw empty sets make coverage exact.
    """
    z, y = population(np.random.default_rng(9), 3000)
    plain = PredictionSets.choose(z[:1000], y[:1000], score="aps").decide(z[1000:])
    ranks = (-z[1000:]).argsort(axis=1)
    in_order = np.take_along_axis(plain, ranks, axis=1)
    assert plain.any(axis=1).all()
    assert (in_order[:, 1:] <= in_order[:, :-1]).all()
    z[np.arange(len(y)), y] += 6
    sure, drawn = (
        report_sets({"": PredictionSets.choose(z[:1000], y[:1000], **options)}, z[1000:], y[1000:])
        for options in ({"score": "aps"}, {"score": "aps", "randomized": True})
    )
    assert (sure[0]["one"], sure[0]["empty"]) == (1, 0) and sure[0]["low"] > 0.9
    assert drawn[0]["low"] < 0.9 < drawn[0]["high"] and drawn[0]["empty"] > 0.05


def test_memory_holds_a_block(monkeypatch):
    """Choosing and deciding keep no second copy of the logits, whatever their number."""
    rng = np.random.default_rng(10)
    z = rng.normal(size=(40_000, 100)).astype(np.float32)
    y = z.argmax(axis=1)
    monkeypatch.setattr(sets, "BLOCK", 20_000)
    tracemalloc.start()
    rule = PredictionSets.choose(z, y)
    named = rule.decide(z)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert named.nbytes == 4_000_000 and peak < z.nbytes


# Many labels: the share that is missed


def missed(scores, positive, cut):
    """Add up over rows the share of true labels below a cut, as fractions."""
    total = Fraction(0)
    for row, true in zip(scores, positive, strict=True):
        if true.any():
            total += Fraction(int((row[true] < cut).sum()), int(true.sum()))
    return total


def test_no_higher_cut_keeps_the_share_of_missed_labels():
    """On 1,000 random small tables with ties and bare rows: the highest of all cuts that may be."""
    rng = np.random.default_rng(11)
    for _ in range(1000):
        n, percent = int(rng.integers(1, 14)), int(rng.integers(3, 70))
        scores = rng.integers(-3, 4, (n, 3)).astype(float)
        positive = rng.random((n, 3)) < 0.5
        budget = Fraction(percent * (n + 1), 100) - 1
        cuts = [-np.inf, *np.unique(scores[positive]), np.inf]
        fitting = [c for c in cuts if missed(scores, positive, c) <= budget]
        found = cut_for_missed(scores, positive, percent / 100)
        assert found == (max(fitting) if budget >= 0 else -np.inf)


@pytest.mark.parametrize("n", [8, 12, 50])
def test_the_missed_share_is_kept_in_the_mean(n):
    """Over 2,000 choices the mean share of missed labels is at most 1 in 10, and not far below."""
    rng, m = np.random.default_rng(n), 40
    positive = rng.random((SETS, n + m, 4)) < 0.4
    z = rng.normal(size=positive.shape) + 1.5 * positive
    lost = np.zeros(SETS)
    for i, (scores, true) in enumerate(zip(z, positive, strict=True)):
        cut = cut_for_missed(scores[:n], true[:n], 0.1)
        size = true[n:].sum(axis=1)
        lost[i] = ((true[n:] & (scores[n:] < cut)).sum(axis=1) / np.maximum(size, 1)).mean()
    error = lost.std() / SETS**0.5
    assert lost.mean() < 0.1 + 3 * error
    assert lost.mean() > 0.1 - 2 / (n + 1) - 3 * error
    if n == 8:
        assert not lost.any()


def test_many_labels_choose_by_the_missed_share():
    """It is one cut for all labels, kept in the record; too few rows give every label."""
    rng = np.random.default_rng(12)
    y = rng.random((400, 3)) < 0.3
    z = rng.normal(size=y.shape) + 2 * y
    rule = LabelThresholds.choose(z, y, max_missed=0.1, temperature=2.0)
    assert len(set(rule.cuts)) == 1 and rule.cuts[0] == cut_for_missed(z / 2, y, 0.1)
    assert (rule.chosen["criterion"], rule.chosen["max_missed"]) == ("max_missed", 0.1)
    assert LabelThresholds.choose(z[:8], y[:8], max_missed=0.1).decide(z).all()
    with pytest.raises(ValueError, match="max_missed must lie strictly between 0 and 1, got 1"):
        LabelThresholds.choose(z, y, max_missed=1)
    with pytest.raises(ValueError, match=r"exactly one of micro_f1, .*max_missed; got"):
        LabelThresholds.choose(z, y, max_missed=0.1, macro_f1=True)


# What is refused


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cuts": (0.5,)}, "one name for each cut, got 2 names and 1 cuts"),
        ({"cuts": (0.5, "rarely")}, 'cut must be a number, "always" or "never", got .rarely'),
        ({"cuts": 0.5}, "cuts must be a sequence"),
        ({"score": "raps"}, 'score must be "lac" or "aps", got .raps'),
        ({"randomized": 1}, "randomized must be True or False, got 1"),
        ({"label_names": ("a", "a")}, "label_names must differ"),
        ({"temperature": 0}, "temperature must be"),
    ],
)
def test_rules_that_make_no_sense(values, words):
    """Every field is checked when a rule is made."""
    with pytest.raises(ValueError, match=words):
        PredictionSets(**{"cuts": (0.5, 0.5), "label_names": ("a", "b")} | values)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"coverage": 1}, "coverage must lie strictly between 0 and 1, got 1"),
        ({"score": "raps"}, "score must be"),
        ({"by_class": "yes"}, "by_class must be True or False"),
        ({"labels": [0, 1, 2]}, "class indices from 0 to 1, got 2"),
        ({"labels": [0, 1]}, r"labels must have shape \(3,\)"),
        ({"logits": [1.0, 2.0, 3.0]}, "at least 2 classes"),
        ({"logits": np.empty((0, 2)), "labels": []}, "at least one labelled message"),
        ({"temperature": 2.0}, "pass their logits as used="),
        ({"used": [[1.0, 2.0]]}, "1 of 3 rows have been used"),
    ],
)
def test_choices_that_make_no_sense(options, words):
    """Options and data are refused in a sentence; rows that chose the temperature are, too."""
    given = {"logits": [[1.0, 2.0], [3.0, -1.0], [0.5, -2.0]], "labels": [1, 0, 0]} | options
    logits, labels = given.pop("logits"), given.pop("labels")
    with pytest.raises(ValueError, match=words):
        PredictionSets.choose(logits, labels, **given)


def test_swapped_labels_are_told():
    """Where the likeliest class is wrong beyond chance, a warning asks whether two are swapped."""
    z, y = population(np.random.default_rng(13), 300, n_classes=2)
    with pytest.warns(UserWarning, match="swapped"):
        PredictionSets.choose(3 * z, 1 - z.argmax(axis=1))
    assert PredictionSets.choose(z, y).decide(z).any()


# Where the rule goes

NAMES = ("bin", "bus", "tax")
RULE = PredictionSets(
    cuts=(0.3, 0.25, 0.4), score="lac", randomized=True, temperature=1.3, label_names=NAMES
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    """Save the small network with sets."""
    place = tmp_path_factory.mktemp("sets") / "desk"
    with torch.random.fork_rng():
        model = small_model(3, NAMES)
    return deployment.save(place, model, tokenizer, RULE, dtype="fp32", data="a test")


def test_every_route_names_the_same_labels(folder, texts, tmp_path):
    """Notebook, pipeline, service, file and scores alone say the same of 40 messages."""
    few = texts[:40]
    desk = deployment.load(folder)
    said = [record["labels"] for record in desk.explain(few)]
    assert len({len(one) for one in said}) > 1
    pipeline = desk.pipeline()
    assert [one["labels"] for one in pipeline(few)] == said
    top = pipeline(few[0], top_k=None)
    assert [row["label"] for row in top if row["accepted"]] == said[0]
    assert sum(row["score"] for row in top) == pytest.approx(1)
    with TestClient(make_app(desk)) as client:
        found = client.post("/classify", json={"texts": few}).json()["results"]
    assert [one["labels"] for one in found] == said
    pd.DataFrame({"text": few}).to_csv(tmp_path / "in.csv", index=False)
    score(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    decided = pd.read_csv(tmp_path / "out.csv")
    assert [json.loads(cell) for cell in decided["decision_labels"]] == said
    pd.DataFrame(desk.logits(few), columns=NAMES).to_csv(tmp_path / "z.csv", index=False)
    write_rule(tmp_path / "rule.json", ScoreRule(rule=RULE, columns=NAMES))
    decide_file(tmp_path / "rule.json", tmp_path / "z.csv", tmp_path / "z-out.csv")
    cells = pd.read_csv(tmp_path / "z-out.csv")["decision"]
    assert [set(json.loads(cell)) for cell in cells] == [set(one) for one in said]


def test_a_network_is_adopted_with_sets_and_reported(folder, texts, tmp_path):
    """`adopt` keeps the promise on rows that fitted no temperature; `report` makes the page."""
    rng = np.random.default_rng(17)
    rows = {"text": texts[:160], "label": rng.choice(NAMES, 160)}
    pd.DataFrame(rows).iloc[:80].to_csv(tmp_path / "own.csv", index=False)
    pd.DataFrame(rows).iloc[80:].to_csv(tmp_path / "new.csv", index=False)
    asked = {"criterion": {"set_coverage": 0.8}}
    with pytest.raises(ValueError, match="a promise does not hold on the rows"):
        adopt(folder, tmp_path / "own.csv", tmp_path / "a", temperature=True, **asked)
    adopted = adopt(folder, tmp_path / "own.csv", tmp_path / "a", **asked)
    assert adopted.report[1]["coverage"] == pytest.approx((80 - 16 + 1) / 80)
    assert "optimistic" in adopted.report[1]["note"]
    page = report_table(tmp_path / "a", tmp_path / "new.csv")
    assert page.sections[1]["rows"][1]["low"] < 0.8 < page.sections[1]["rows"][1]["high"]
    assert "Of 3 labels each that enough speaks for (lac)." in page.html


def test_the_record_of_a_message():
    """The likeliest label first, with probabilities; none, one and several are told apart."""
    rule = PredictionSets(cuts=(0.3, 0.3, 0.6), label_names=NAMES)
    p = [[0.36, 0.54, 0.1], [0.9, 0.05, 0.05], [0.25, 0.25, 0.5]]
    both, one, none = rule.explain(np.log(p))
    assert both["labels"] == ["bus", "bin"] == list(both["probability"])
    assert both["probability"]["bus"] == pytest.approx(0.54)
    assert (one["labels"], one["accepted"], both["accepted"]) == (["bin"], True, False)
    assert (none["labels"], none["best"], none["accepted"]) == ([], "tax", False)
    assert none["reason"] == "no label"
    some = PredictionSets(cuts=(0.3, "always", 0.6), label_names=NAMES).explain(np.log(p))[1]
    assert some["reason"] == "unsure"
    json.dumps([both, one, none, some], allow_nan=False)


def test_the_file_satisfies_the_schema(folder):
    """What is saved is what the published schema describes, for every variant and by class."""
    schema = json.loads((HELPERS / "decision.schema.json").read_text(encoding="utf-8"))
    values = json.loads((folder / "decision.json").read_text(encoding="utf-8"))
    jsonschema.validate(values, schema)
    z, y = population(np.random.default_rng(14), 200, n_classes=3)
    for name, randomized in VARIANTS:
        options = {"score": name, "randomized": randomized, "by_class": randomized}
        rule = PredictionSets.choose(z, y, label_names=NAMES, **options)
        text = json.dumps(rule.to_dict())
        assert rule_from_dict(json.loads(text)) == rule
        jsonschema.validate({**values, "rule": json.loads(text)}, schema)
    missed = LabelThresholds.choose(z, z > 1, max_missed=0.1, label_names=NAMES)
    jsonschema.validate({**values, "rule": missed.to_dict()}, schema)


def test_criteria_reports_and_pages_know_sets():
    """Chosen by the kind, without a temperature and without Other; reported with an interval."""
    z, y = population(np.random.default_rng(15), 900, n_classes=3)
    y[::10] = 3  # Other
    criterion = criterion_of("multiclass", set_coverage=0.8, by_class=True)
    options = {"label_names": NAMES, "criterion": criterion}
    rule = choose_rule("multiclass", z[:600], y[:600], **options)
    assert isinstance(rule, PredictionSets) and rule.temperature == 1
    assert rule.chosen["n_samples"] == 540 and rule.chosen["by_class"]
    plain, found = report_rule(rule, z[600:], y[600:])
    assert (plain["mean_size"], plain["one"]) == (1, 1)
    assert found["low"] < 0.8 < found["high"] and found["coverage"] > plain["coverage"]
    named = rule.decide(z[600:])
    assert found["empty"] == pytest.approx((~named.any(axis=1)).mean())
    page = report_page(rule, z[600:], y[600:], texts=["a text"] * 300)
    assert page.sections[2]["heading"] == "How many labels a set names"
    assert sum(row["rows"] for row in page.sections[2]["rows"]) == 300
    json.dumps(page.sections, allow_nan=False)
    few = choose_rule("multiclass", z[:9], y[:9], **options)
    assert "Too few rows chose" in report_page(few, z[600:], y[600:]).html
    with pytest.raises(ValueError, match="these rows chose the rule"):
        report_rule(rule, z[:600], y[:600])  # with the rows of Other, or without
    assert "optimistic" in report_rule(rule, z[:600], y[:600], seen=True)[1]["note"]
    assert np.isnan(report_rule(rule, z[:9:10], y[:9:10])[1]["coverage"])
    with pytest.raises(ValueError, match="names to PredictionSets"):
        report_sets({"a": RejectOption(cut=0.5, label_names=NAMES)}, z, y)
    with pytest.raises(ValueError, match="threshold does not go with a PredictionSets"):
        changed(rule, threshold=0.2)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("multiclass", {"by_class": True, "coverage": 0.9}, "by_class goes with set_coverage"),
        ("multiclass", {"set_coverage": 90}, "set_coverage must lie strictly between 0 and 1"),
        ("binary", {"set_coverage": 0.9}, "set_coverage is for one of many; this is yes/no"),
        ("multilabel", {"max_missed": 0}, "max_missed must lie strictly between 0 and 1"),
        ("multilabel", {"max_missed": 0.1, "confidence_level": 0.9}, "max_missed is kept in the m"),
        ("multiclass", {"max_missed": 0.1}, "max_missed is for many labels; this is one of many"),
    ],
)
def test_criteria_of_another_kind(kind, options, words):
    """What does not go together is said before any training."""
    with pytest.raises(ValueError, match=words):
        criterion_of(kind, **options)


def test_sets_for_scores_of_another_system(tmp_path):
    """`choose --set-coverage` and `decide` name lists of labels in a table of probabilities."""
    z, y = population(np.random.default_rng(16), 300, n_classes=3)
    table = pd.DataFrame(softmax(z).round(4), columns=NAMES)
    table["topic"] = np.array(NAMES)[y]
    table.to_csv(tmp_path / "scored.csv", index=False)
    rule, out = tmp_path / "rule.json", tmp_path / "out.jsonl"
    scored = str(tmp_path / "scored.csv")
    asked = f"choose {scored} --score bin,bus,tax --label topic --probabilities"
    asked += f" --set-coverage 0.9 --by-class --output {rule}"
    for line in (asked, f"decide {rule} {scored} {out}"):
        said = CliRunner().invoke(command_line.app, line.split())
        assert said.exit_code == 0, said.output
    kept = read_rule(rule).rule
    assert isinstance(kept, PredictionSets) and kept.chosen["by_class"]
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    held = np.mean([row["topic"] in row["decision"] for row in rows])
    assert 0.88 < held < 0.94
