"""Claims about MinimumExpectedCost: the formula, the guarded repair of calibration, every route."""

import json
import warnings
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import torch
from cases import simulated
from conftest import small_model
from fastapi.testclient import TestClient

from helpers import deployment
from helpers.choosing import choose_rule, criterion_of, report_rule
from helpers.decisions import (
    BinaryThreshold,
    CostMatrix,
    Costs,
    MinimumExpectedCost,
    RejectCosts,
    RejectOption,
    rule_from_dict,
)
from helpers.page import report_page
from helpers.portable.bias_search import STEP, STEPS, cheaper_bias
from helpers.probabilities import fit_temperature, softmax
from helpers.reports import report_reject
from helpers.rules import changed
from helpers.score_files import ScoreRule, decide_file, write_rule
from helpers.scoring import score
from helpers.serving import make_app
from helpers.table_audit import audit_sections

HELPERS = Path(__file__).parents[1] / "helpers"
NAMES = ("bin", "bus", "tax")


def random_costs(rng, k, reject=None, unknown=False):
    """Draw costs with free right answers, and a column for the reject."""
    matrix = rng.uniform(1, 20, (k, k)) * (1 - np.eye(k))
    matrix = matrix if reject is None else np.column_stack([matrix, np.full(k, float(reject))])
    row = rng.uniform(1, 20, matrix.shape[1]) if unknown else None
    return CostMatrix(costs=matrix, unknown=row)


def calibrated(rng, n, k):
    """Draw logits and labels from their softmax."""
    z = rng.normal(0, 1, (n, k)) + 2 * np.eye(k)[rng.integers(0, k, n)]
    y = (softmax(z).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return z, y.clip(max=k - 1)


# The formula


@pytest.mark.parametrize("seed", range(20))
def test_the_answer_is_the_cheapest_of_all(seed):
    """On 1,000 random cases no other answer costs less in the mean, added up by hand."""
    rng = np.random.default_rng(seed)
    for _ in range(50):
        k = int(rng.integers(2, 6))
        costs = random_costs(rng, k, reject=rng.uniform(0, 9) if rng.random() < 0.5 else None)
        rule = MinimumExpectedCost(
            costs=costs,
            label_names=tuple("abcdef"[:k]),
            temperature=rng.uniform(0.5, 3),
            bias=rng.normal(size=k),
        )
        z = rng.normal(0, 3, (4, k))
        for row, said in zip(z, rule.decide(z), strict=True):
            weight = np.exp(row / rule.temperature + rule.bias)
            by_hand = [
                sum(w * line[a] for w, line in zip(weight, costs.costs, strict=True))
                for a in range(len(costs.costs[0]))
            ]
            assert by_hand[said] <= min(by_hand) * (1 + 1e-9)


def test_equal_costs_are_chows_rule():
    """One price for all mistakes, one for the reject: `RejectOption.from_costs` decides alike."""
    z = np.random.default_rng(0).normal(0, 2, (500, 4))
    matrix = np.column_stack([1 - np.eye(4), np.full(4, 0.3)])
    rule = MinimumExpectedCost.from_costs(CostMatrix(costs=matrix), label_names=tuple("abcd"))
    chow = RejectOption.from_costs(RejectCosts(reject=0.3), label_names=tuple("abcd"))
    assert rule.decide(z).tolist() == chow.decide(z).tolist()
    assert len(set(rule.decide(z))) == 5


def test_two_classes_are_elkans_cut():
    """Of two classes without a reject the threshold is that of the two prices."""
    z = np.random.default_rng(0).normal(0, 2, (500, 2))
    rule = MinimumExpectedCost.from_costs(
        CostMatrix(costs=[[0, 1], [20, 0]]), label_names=("wait", "urgent")
    )
    elkan = BinaryThreshold.from_costs(Costs(false_positive=1, false_negative=20))
    assert rule.decide(z).tolist() == elkan.decide(z).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_what_is_never_the_cheapest_is_found(seed):
    """On 100 random matrices the answers that win nowhere on a fine grid, by some margin."""
    rng = np.random.default_rng(seed)
    grid = np.array([(i, j, 40 - i - j) for i in range(41) for j in range(41 - i)]) / 40
    for _ in range(20):
        matrix = rng.integers(0, 6, (3, 4)).astype(float)
        if not np.ptp(matrix, axis=1).any():
            continue
        never = CostMatrix(costs=matrix).never_cheapest()
        expected = grid @ matrix
        for a in range(4):
            lead = np.delete(expected, a, axis=1).min(axis=1) - expected[:, a]
            if lead.max() > 1e-9:
                assert a not in never
            elif lead.max() < -0.3:  # a step of the grid moves an expected cost by .25 at most
                assert a in never


def test_an_answer_that_is_never_given_is_named():
    """A label that costs more than another whatever is true, and a reject that is too dear."""
    matrix = [[0, 1, 2, 9], [5, 0, 1, 9], [5, 1, 2, 9]]
    with pytest.warns(UserWarning, match="never the cheapest answer .*: tax, Other"):
        MinimumExpectedCost.from_costs(CostMatrix(costs=matrix), label_names=NAMES)


# The repair of the calibration


def gains(warp, runs, *, n=300, k=3):
    """Choose under costs on warped logits; give what it saves beside the temperature alone."""
    saved, paid, kinds = [], [], []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        costs = random_costs(rng, k, reject=4)
        (z, y), (z_new, y_new) = calibrated(rng, n, k), calibrated(rng, 3000, k)
        shift = rng.normal(0, 2, k)
        z, z_new = warp(z, shift), warp(z_new, shift)
        rule = MinimumExpectedCost.choose(z, y, costs=costs)
        plain = MinimumExpectedCost(
            costs=costs, label_names=rule.label_names, temperature=fit_temperature(z, y)
        )
        each = [costs.of(y_new, one.decide(z_new)).mean() for one in (plain, rule)]
        saved.append(each[0] - each[1])
        paid.append(each[0])
        kinds.append(rule.chosen["bias"])
    return np.array(saved), np.array(paid), kinds


@pytest.mark.filterwarnings("ignore:never the cheapest")
def test_the_repair_loses_nothing_where_nothing_is_broken():
    """On calibrated logits no loss can be told over 200 simulations; a bias is rarely kept."""
    saved, paid, kinds = gains(lambda z, _: 2 * z, 200)
    error = saved.std(ddof=1) / np.sqrt(len(saved))
    assert saved.mean() > -2 * error
    assert abs(saved.mean()) < 0.003 * paid.mean()
    assert kinds.count("none") >= 180


@pytest.mark.filterwarnings("ignore:never the cheapest")
def test_the_repair_gains_where_classes_are_out_of_place():
    """Logits of some classes too high, of others too low: a tenth of the cost is saved at least."""
    saved, paid, kinds = gains(lambda z, shift: 2 * (z + shift), 40)
    assert saved.mean() > 0.1 * paid.mean()
    assert saved.mean() > 5 * saved.std(ddof=1) / np.sqrt(len(saved))
    assert kinds.count("none") <= 4


def test_steps_for_cost_gain_where_log_loss_cannot_help():
    """A class that is too sure where it wins, and right on average: the steps are kept, and pay."""

    def draw(rng, n):
        y = rng.integers(0, 2, n)
        z = np.where(y == 1, rng.normal(1, 0.5, n), rng.normal(-1, 0.5, n))
        lie = rng.random(n) < 0.25  # a quarter of the rows look alike, and cost most by class 1
        z[lie], y[lie] = 0.9 + 0.02 * rng.normal(size=lie.sum()), rng.random(lie.sum()) < 0.2
        return np.column_stack([-z, z, np.full(n, -9.0)]), y

    rng = np.random.default_rng(0)
    costs = CostMatrix(costs=[[0, 4, 9], [3, 0, 9], [9, 9, 0]])
    (z, y), (z_new, y_new) = draw(rng, 2000), draw(rng, 5000)
    rule = MinimumExpectedCost.choose(z, y, costs=costs)
    assert rule.chosen["bias"] == "cost"
    plain = MinimumExpectedCost(
        costs=costs, label_names=rule.label_names, temperature=fit_temperature(z, y)
    )
    before, after = (costs.of(y_new, one.decide(z_new)).mean() for one in (plain, rule))
    assert after < 0.8 * before


@pytest.mark.parametrize("seed", range(30))
def test_steps_end_where_no_step_helps(seed):
    """The rows never pay more than before, and tried one by one over all rows no step is left."""
    rng = np.random.default_rng(seed)
    k, n = int(rng.integers(2, 5)), 60
    matrix = random_costs(rng, k, reject=3).matrix
    scores, y = rng.normal(0, 1.5, (n, k)), rng.integers(0, k, n)
    paid = matrix[y]

    def cost(bias):
        return paid[np.arange(n), (softmax(scores + bias) @ matrix).argmin(axis=1)]

    bias = cheaper_bias(scores, paid, matrix)
    assert cost(bias).sum() <= cost(np.zeros(k)).sum()
    if np.abs(bias).sum() > 4:
        return  # it may have run out of rounds
    now = cost(bias)
    for a in range(k):
        for step in STEPS:
            saved = now - cost(bias + step * np.eye(k)[a])
            assert saved.sum() <= STEP * np.sqrt((saved**2).sum()) + 1e-9


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3, 1e200])
def test_rows_without_a_mistake_make_sure_probabilities(size):
    """Logits that are all right, however small, are believed about as far as their number goes."""
    y = np.arange(60) % 3
    z = size * (np.eye(3)[y] - 0.1 * np.random.default_rng(0).random((60, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule = MinimumExpectedCost.choose(z, y, costs=GOOD, label_names=NAMES)
    assert rule.decide(z).tolist() == y.tolist()
    assert rule.probability(z)[np.arange(60), y].mean() == pytest.approx(61 / 62, abs=0.005)


def test_rows_of_no_class_have_a_say_in_the_steps_alone():
    """They count in n_other; without a price for them they are refused."""
    rng = np.random.default_rng(0)
    z, y = calibrated(rng, 300, 3)
    y[:60] = 3
    priced = random_costs(rng, 3, reject=2, unknown=True)
    rule = MinimumExpectedCost.choose(z, y, costs=priced, label_names=NAMES)
    assert rule.chosen["n_other"] == 60 and rule.chosen["n_samples"] == 300
    assert priced.of([3, 3], [0, 3]).tolist() == [priced.unknown[0], priced.unknown[3]]
    with pytest.raises(ValueError, match="60 rows belong to no class, and the costs say nothing"):
        MinimumExpectedCost.choose(z, y, costs=random_costs(rng, 3, reject=2))
    with pytest.raises(ValueError, match="at least one message that belongs to a class, got 300"):
        MinimumExpectedCost.choose(z, np.full(300, 3), costs=priced)


def test_two_swapped_labels_are_named():
    """Where the others are answered well the pair is named, and the rule is made all the same."""
    z, y = simulated(4, n=600, seed=1)
    z = 3 * z
    y = (softmax(z).cumsum(axis=1) < np.random.default_rng(0).random((600, 1))).sum(axis=1)
    swapped = np.array([0, 2, 1, 3])[y]
    costs = CostMatrix(costs=1 - np.eye(4))
    with pytest.warns(UserWarning, match="wrong between b and c, .*: are these two labels swapped"):
        MinimumExpectedCost.choose(z, swapped, costs=costs, label_names=tuple("abcd"))
    with pytest.warns(UserWarning, match="wrong between b and c"):
        RejectOption.choose(z, swapped, coverage=0.9, label_names=tuple("abcd"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RejectOption.choose(z, y, coverage=0.9)


# What is refused

GOOD = CostMatrix(costs=[[0, 5, 9, 1], [3, 0, 4, 1], [2, 2, 0, 1]])


@pytest.mark.parametrize(
    ("costs", "unknown", "words"),
    [
        ([[0, 1]], None, r"got shape \(1, 2\)"),
        ([0, 1], None, r"got shape \(2,\)"),
        ([[0, 1, 2, 3], [1, 0, 2, 3]], None, r"one more for the reject, got shape \(2, 4\)"),
        ([[0, 1], [1]], None, "must be an array of real numbers"),
        ([[0, -1], [1, 0]], None, r"from 0 to 1e100, got -1 at costs\[0\]\[1\]"),
        ([[0, 1], [float("nan"), 0]], None, r"got nan at costs\[1\]\[0\]"),
        ([[0, 1e101], [1, 0]], None, r"got 1e\+101"),
        ([[1, 1], [2, 2]], None, "the same for every answer"),
        ([[0, 1], [1, 0]], [1, 2, 3], r"unknown must be 2 costs, one an answer, got \(3,\)"),
        ([[0, 1], [1, 0]], [1, -2], r"got -2 at unknown\[1\]"),
    ],
)
def test_costs_that_are_none_are_refused(costs, unknown, words):
    """Another shape, a number that is no cost, and costs that decide nothing."""
    with pytest.raises(ValueError, match=words):
        CostMatrix(costs=costs, unknown=unknown)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"costs": [[0, 1], [1, 0]]}, r"costs must be CostMatrix\("),
        ({"label_names": ("a", "b")}, "the costs have 3 classes, the logits or labels 2"),
        ({"bias": (1, 2)}, r"bias must be 3 finite numbers, got \(1, 2\)"),
        ({"bias": (1, 2, float("inf"))}, "bias must be 3 finite numbers"),
        ({"other": "tax"}, "must be a string that is no label, got 'tax'"),
        ({"temperature": 0}, "temperature must be a finite number above 0"),
        ({"costs": {"costs": 1}}, "costs must have costs and unknown, got"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields, words):
    """Fields that do not fit each other say which."""
    with pytest.raises(ValueError, match=words):
        MinimumExpectedCost(**{"costs": GOOD, "label_names": NAMES, **fields})


def test_input_that_does_not_fit_is_refused():
    """Logits of other labels, probabilities that are none, answers that are not priced."""
    rule = MinimumExpectedCost(costs=GOOD, label_names=NAMES)
    with pytest.raises(ValueError, match="expected 3 logits a row, one a label, got 2"):
        rule.decide([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"must have shape \(n, 3\), got \(1, 2\)"):
        GOOD.expected([[0.5, 0.5]])
    with pytest.raises(ValueError, match="each row must sum to 1"):
        GOOD.expected([[0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match="predicted must be class indices from 0 to 1, got 2"):
        CostMatrix(costs=[[0, 1], [1, 0]]).of([0], [2])
    with pytest.raises(ValueError, match="the costs have 3 classes, the logits or labels 2"):
        MinimumExpectedCost.choose([[1.0, 2.0]], [0], costs=GOOD)


# Everywhere that a rule goes

RULE = MinimumExpectedCost(
    costs=GOOD, label_names=NAMES, other="ask", temperature=0.3, bias=(-2.5, -1.0, 3.5)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    """Save a small network of three labels with the rule."""
    place = tmp_path_factory.mktemp("matrix") / "desk"
    with torch.random.fork_rng():
        model = small_model(3, NAMES)
    return deployment.save(place, model, tokenizer, RULE, dtype="fp32", data="a test")


def test_every_route_gives_the_same_answers(folder, texts, tmp_path):
    """Notebook, pipeline, service, file and scores alone say the same of 40 messages."""
    few = texts[:40]
    desk = deployment.load(folder)
    said = [record["label"] for record in desk.explain(few)]
    assert set(said) == {*NAMES, "ask"}
    assert [one["label"] for one in desk.pipeline()(few)] == said
    top = desk.pipeline()(few[0], top_k=3)
    p = RULE.probability(desk.logits(few[:1]))[0]
    assert sorted(row["score"] for row in top) == pytest.approx(sorted(p), abs=1e-5)
    with TestClient(make_app(desk)) as client:
        found = client.post("/classify", json={"texts": few}).json()["results"]
    assert [one["label"] for one in found] == said
    pd.DataFrame({"text": few}).to_csv(tmp_path / "in.csv", index=False)
    score(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    decided = pd.read_csv(tmp_path / "out.csv")
    assert decided["decision_label"].tolist() == said
    assert (decided["decision_expected_cost"] <= decided["decision_second_cost"]).all()
    pd.DataFrame(desk.logits(few), columns=NAMES).to_csv(tmp_path / "z.csv", index=False)
    write_rule(tmp_path / "rule.json", ScoreRule(rule=RULE, columns=NAMES))
    decide_file(tmp_path / "rule.json", tmp_path / "z.csv", tmp_path / "z-out.csv")
    assert pd.read_csv(tmp_path / "z-out.csv")["decision"].tolist() == said


def test_the_file_satisfies_the_schema(folder):
    """What is saved is what the schema describes; it comes back as the same rule."""
    schema = json.loads((HELPERS / "decision.schema.json").read_text(encoding="utf-8"))
    values = json.loads((folder / "decision.json").read_text(encoding="utf-8"))
    jsonschema.validate(values, schema)
    assert rule_from_dict(values["rule"]) == RULE
    z, y = calibrated(np.random.default_rng(0), 200, 3)
    priced = CostMatrix(costs=GOOD.costs, unknown=(9, 9, 9, 1))
    for rule in (
        MinimumExpectedCost.choose(z, y, costs=priced, label_names=NAMES),
        MinimumExpectedCost.from_costs(priced, label_names=NAMES),
    ):
        jsonschema.validate({**values, "rule": json.loads(json.dumps(rule.to_dict()))}, schema)
        assert rule_from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


def test_criteria_reports_and_pages_know_the_matrix():
    """Chosen, reported beside answering everything, written as a page, audited."""
    z, y = calibrated(np.random.default_rng(3), 600, 3)
    criterion = criterion_of("multiclass", cost_matrix=GOOD, other="ask")
    options = {"label_names": NAMES, "criterion": criterion}
    rule = choose_rule("multiclass", z[:300], y[:300], **options)
    assert isinstance(rule, MinimumExpectedCost) and rule.other == "ask"
    every, this = report_rule(rule, z[300:], y[300:], costs=criterion["costs"])
    assert every["coverage"] == 1 and this["cost"] < every["cost"]
    by_hand = GOOD.of(y[300:], rule.decide(z[300:])).mean()
    assert report_rule(rule, z[300:], y[300:])[1]["cost"] == pytest.approx(by_hand)
    page = report_page(rule, z[300:], y[300:], texts=["a text"] * 300)
    table = page.sections[2]
    assert table["heading"] == "What each label costs" and "ask" in page.html
    assert sum(row["cost"] for row in table["rows"]) == pytest.approx(300 * by_hand)
    mistakes = page.sections[3]["rows"]
    assert mistakes[0]["cost"] == max(row["cost"] for row in mistakes)
    assert audit_sections(rule, z[300:], y[300:])[0]["heading"] == "Labels to look at"
    with pytest.raises(ValueError, match="these rows chose the rule"):
        report_rule(rule, z[:300], y[:300])


def test_a_label_called_other_leaves_the_name_to_it():
    """Then what is not answered is called otherwise."""
    z, y = calibrated(np.random.default_rng(3), 90, 3)
    criterion = criterion_of("multiclass", cost_matrix=GOOD)
    rule = choose_rule("multiclass", z, y, label_names=("bin", "bus", "Other"), criterion=criterion)
    assert rule.other == "No answer"


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (
            "binary",
            {"cost_matrix": GOOD},
            r"\(--costs\) is for one of many; this is yes/no",
        ),
        ("multiclass", {"cost_matrix": GOOD, "reject": 1}, "reject.s in a column of its own"),
        ("multiclass", {"cost_matrix": [[0, 1], [1, 0]]}, r"costs must be CostMatrix\("),
        ("multiclass", {"cost_matrix": np.eye(2)}, r"costs must be CostMatrix\("),
        ("multiclass", {"cost_matrix": GOOD, "coverage": 0.5}, "exactly one of"),
        ("multiclass", {"other": "ask", "coverage": 0.5}, "names the reject of a cost matrix"),
    ],
)
def test_a_matrix_goes_with_nothing_else(kind, options, words):
    """It is for one of many, and a way to choose by itself."""
    with pytest.raises(ValueError, match=words):
        criterion_of(kind, **options)


def test_a_saved_rule_takes_other_costs():
    """The calibration stays, unless it was fitted for the old costs."""
    new = CostMatrix(costs=1 - np.eye(3))
    rule = changed(RULE, costs=new)
    assert (rule.costs, rule.bias, rule.temperature) == (new, RULE.bias, RULE.temperature)
    fitted = MinimumExpectedCost(costs=GOOD, label_names=NAMES, chosen={"bias": "cost"})
    with pytest.raises(ValueError, match="was fitted for its old costs: choose it anew"):
        changed(fitted, costs=new)
    with pytest.raises(ValueError, match="threshold does not go with a MinimumExpectedCost"):
        changed(RULE, threshold=0.5)
    with pytest.raises(ValueError, match=r"costs must be CostMatrix\("):
        changed(RULE, costs=RejectCosts(reject=0.3))


def test_reports_refuse_other_rules():
    """A yes/no rule has no place beside these."""
    z, y = [[1.0, 0.0, 0.0]], [0]
    with pytest.raises(ValueError, match="names to RejectOption or MinimumExpectedCost"):
        report_reject({"a": BinaryThreshold(cut=0.0)}, z, y, GOOD, rng=np.random.default_rng(0))
