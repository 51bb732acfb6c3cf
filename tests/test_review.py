"""Claims about helpers.portable.review: the exact pair of cuts, promises, and what is refused."""

import json
import warnings
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import NAMES, small_model
from fastapi.testclient import TestClient
from scipy.stats import binom

from helpers import deployment
from helpers.choosing import choose_rule, criterion_of, report_rule
from helpers.decisions import BinaryThreshold, Costs, ReviewBand, rule_from_dict
from helpers.page import report_page
from helpers.reports import report_review
from helpers.rules import changed
from helpers.score_files import ScoreRule, decide_file, write_rule
from helpers.scoring import score
from helpers.serving import make_app

HELPERS = Path(__file__).parents[1] / "helpers"
COSTS = Costs(false_positive=1, false_negative=20)


def brute(scores, positive, weight, costs, *, price=None, share=None):
    """Try every pair of cuts; give the least cost."""
    values = np.unique(scores)
    cuts = np.concatenate([[-np.inf], (values[1:] + values[:-1]) / 2, [np.inf]])
    table = costs.of(positive, np.zeros_like(positive)), costs.of(positive, np.ones_like(positive))
    best = np.inf
    for i, low in enumerate(cuts):
        for high in cuts[i:]:
            no, yes = scores < low, scores >= high
            read = weight[~no & ~yes].sum()
            if share is not None and read > (share + 1e-9) * weight.sum():
                continue
            cost = (weight * table[0])[no].sum() + (weight * table[1])[yes].sum()
            best = min(best, cost + (price or 0) * read)
    return best


def paid(rule, scores, positive, weight, costs, price=0.0):
    """Price the decisions of a rule."""
    said = rule.decide(scores)
    spent = np.where(said == 2, price, costs.of(positive, np.minimum(said, 1)))
    return float((weight * spent).sum())


@pytest.mark.parametrize("seed", range(60))
def test_no_pair_of_cuts_is_cheaper(seed):
    """On 1,200 small random cases with ties and weights no pair costs less than the chosen one."""
    rng = np.random.default_rng(seed)
    for _ in range(10):
        n = int(rng.integers(2, 14))
        scores = rng.integers(-4, 5, n) / 2 if rng.random() < 0.6 else rng.normal(size=n)
        positive = rng.random(n) < 0.4
        positive[:2] = [True, False]
        weight = rng.choice([0.0, 0.5, 1.0, 3.0], n) if rng.random() < 0.5 else np.ones(n)
        weight[:2] = 1.0
        right = rng.choice([0.0, 0.1], 2)
        costs = Costs(
            false_positive=float(rng.choice([1, 2, 7])),
            false_negative=float(rng.choice([1, 5, 20])),
            true_positive=float(right[0]),
            true_negative=float(right[1]),
        )
        price, share = float(rng.choice([0, 0.3, 1, 4])), float(rng.choice([0, 0.2, 0.5, 1]))
        options = {"costs": costs, "sample_weight": weight}
        rule = ReviewBand.choose(scores, positive, review=price, **options)
        found = paid(rule, scores, positive, weight, costs, price)
        want = brute(scores, positive, weight, costs, price=price)
        assert found == pytest.approx(want, rel=1e-9, abs=1e-9)
        rule = ReviewBand.choose(scores, positive, max_review=share, **options)
        read = weight[rule.decide(scores) == 2].sum()
        assert read <= (share + 1e-9) * weight.sum()
        found = paid(rule, scores, positive, weight, costs)
        want = brute(scores, positive, weight, costs, share=share)
        assert found == pytest.approx(want, rel=1e-9, abs=1e-9)


def test_without_a_band_it_is_the_yes_no_rule():
    """Where nobody may read, the decisions cost what those of BinaryThreshold cost."""
    rng = np.random.default_rng(0)
    y = rng.random(400) < 0.2
    z = rng.normal(size=400) + 1.5 * y
    plain = BinaryThreshold.choose(z, y, costs=COSTS)
    for options in ({"max_review": 0.0}, {"review": 1e6}):
        rule = ReviewBand.choose(z, y, costs=COSTS, **options)
        assert rule.low == rule.high
        assert COSTS.of(y, rule.decide(z)).sum() == COSTS.of(y, plain.decide(z)).sum()


def test_the_formula_is_the_least_of_three_expected_costs():
    """On calibrated probabilities each answer of from_costs is one of least expected cost."""
    rng = np.random.default_rng(1)
    p = np.linspace(0.001, 0.999, 999)
    z = np.log(p / (1 - p))
    for _ in range(200):
        tp, tn = rng.choice([0.0, 0.2, 0.5], 2)
        costs = Costs(
            false_positive=tp + tn + rng.random() * 5 + 0.01,
            false_negative=tp + tn + rng.random() * 30 + 0.01,
            true_positive=tp,
            true_negative=tn,
        )
        price = float(rng.random() * 3)
        rule = ReviewBand.from_costs(costs, review=price)
        each = np.stack(
            [
                p * costs.false_negative + (1 - p) * costs.true_negative,
                p * costs.true_positive + (1 - p) * costs.false_positive,
                np.full(len(p), price),
            ]
        )
        assert np.allclose(each[rule.decide(z), np.arange(len(p))], each.min(axis=0), atol=1e-9)


@pytest.mark.parametrize("slope", [3.0, 0.0], ids=["steep", "flat"])
def test_a_promise_is_broken_by_chance_alone(slope):
    """In 2,000 choices of 300 rows either side breaks its word no more often than allowed."""
    rng = np.random.default_rng(2)
    level, bound, n, times, broken, answered = 0.9, 0.1, 300, 2000, 0, 0
    grid = np.linspace(-6, 6, 4001)
    chance = 1 / (1 + np.exp(-slope * grid)) if slope else np.where(grid >= 0, 0.89, 0.11)
    mass = np.exp(-(grid**2) / 8)
    mass /= mass.sum()
    for _ in range(times):
        z = rng.choice(grid, n, p=mass)
        y = rng.random(n) < np.interp(z, grid, chance)
        try:
            rule = ReviewBand.choose(
                z,
                y,
                max_false_omission=bound,
                max_false_discovery=bound,
                confidence_level=level,
            )
        except ValueError:
            continue
        no, yes = grid < rule.low, grid >= rule.high
        omission = (mass * chance)[no].sum() / max(mass[no].sum(), 1e-12)
        discovery = (mass * (1 - chance))[yes].sum() / max(mass[yes].sum(), 1e-12)
        broken += omission > bound + 1e-9 or discovery > bound + 1e-9
        answered += no.any() or yes.any()
    assert broken <= binom.ppf(0.999, times, 1 - level)
    assert slope == 0 or answered > 0.9 * times


def test_a_side_that_cannot_be_promised_is_never_answered():
    """With too few likely 1s the rule never says 1, and still answers 0."""
    rng = np.random.default_rng(3)
    y = rng.random(400) < 0.02
    z = rng.normal(size=400) - 3 + y
    rule = ReviewBand.choose(
        z, y, max_false_omission=0.2, max_false_discovery=0.05, confidence_level=0.9
    )
    assert rule.high == np.inf and rule.low > -np.inf
    assert set(rule.decide(z)) <= {0, 2}


def test_it_travels_as_json():
    """A rule written and read is the same rule, infinite cuts included."""
    rule = ReviewBand.from_costs(COSTS, review=0.5, label_names=("wait", "urgent"))
    again = rule_from_dict(json.loads(json.dumps(rule.to_dict())))
    assert again == rule
    never = ReviewBand(low="always", high="never")
    assert rule_from_dict(json.loads(json.dumps(never.to_dict()))) == never
    assert set(never.decide([-9.0, 0.0, 9.0])) == {2}


def test_a_record_says_which_of_three():
    """The label is a name or the word for reading; the probability is that of 1."""
    rule = ReviewBand(low=-1, high=1, label_names=("wait", "urgent"), review="read it")
    said = [(one["label"], one["accepted"]) for one in rule.explain([-2.0, 0.0, 2.0])]
    assert said == [("wait", True), ("read it", False), ("urgent", True)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "give costs with review"),
        ({"costs": COSTS}, "got costs"),
        ({"costs": COSTS, "review": 1, "max_review": 0.1}, "got costs, review, max_review"),
        ({"review": 1}, "got review"),
        ({"costs": 3, "review": 1}, "costs must be Costs"),
        ({"costs": COSTS, "review": -1}, "review must be a cost, at least 0"),
        ({"costs": COSTS, "review": "1"}, "review must be a cost"),
        ({"costs": COSTS, "max_review": 1.1}, "max_review must be a share"),
        ({"max_false_omission": 0.1, "confidence_level": 0.9}, "got max_false_omission, conf"),
        (
            {"max_false_omission": 0, "max_false_discovery": 0.1, "confidence_level": 0.9},
            "max_false_omission",
        ),
        (
            {"max_false_omission": 0.01, "max_false_discovery": 0.01, "confidence_level": 0.9},
            "4 messages cannot promise",
        ),
        ({"costs": COSTS, "review": 1, "used": [3.0]}, "used goes with a promise"),
        ({"costs": COSTS, "review": 1, "sample_weight": [1]}, "sample_weight must have shape"),
        ({"costs": COSTS, "review": 1, "review_name": "1"}, "label_names and review must differ"),
    ],
)
def test_what_makes_no_sense_is_refused(options, words):
    """Each wrong call says what was expected and what came."""
    with pytest.raises(ValueError, match=words):
        ReviewBand.choose([-1.0, 0.0, 1.0, 2.0], [0, 1, 0, 1], **options)


def test_cuts_the_wrong_way_round_are_refused():
    """The low cut never lies above the high one."""
    with pytest.raises(ValueError, match=r"low must be at most high, got 1\.0 and 0\.0"):
        ReviewBand(low=1, high=0)


def test_a_formula_without_a_band_is_refused():
    """A right 1 that costs as much as a false alarm leaves no high cut."""
    with pytest.raises(ValueError, match="costs more than a right 1"):
        ReviewBand.from_costs(
            Costs(false_positive=1, false_negative=5, true_positive=1), review=0.1
        )


BAND = ReviewBand(low=1.5, high=3.5, temperature=1.3, label_names=NAMES, review="read it")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    """Save the small network with a band."""
    place = tmp_path_factory.mktemp("band") / "desk"
    with torch.random.fork_rng():
        model = small_model()
    return deployment.save(place, model, tokenizer, BAND, dtype="fp32", data="a test")


def test_every_route_gives_the_same_three_answers(folder, texts, tmp_path):
    """Notebook, pipeline, service, file and scores alone say the same of 40 messages."""
    few = texts[:40]
    desk = deployment.load(folder)
    said = [record["label"] for record in desk.explain(few)]
    assert set(said) == {*NAMES, "read it"}
    assert [one["label"] for one in desk.pipeline()(few)] == said
    with TestClient(make_app(desk)) as client:
        found = client.post("/classify", json={"texts": few}).json()["results"]
    assert [one["label"] for one in found] == said
    pd.DataFrame({"text": few}).to_csv(tmp_path / "in.csv", index=False)
    score(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    decided = pd.read_csv(tmp_path / "out.csv")
    assert decided["decision_label"].tolist() == said
    assert set(decided["decision_low_threshold"]) == {BAND.thresholds[0]}
    z = pd.DataFrame(desk.logits(few), columns=["no", "yes"])
    z.to_csv(tmp_path / "z.csv", index=False)
    write_rule(tmp_path / "rule.json", ScoreRule(rule=BAND, columns=("no", "yes")))
    decide_file(tmp_path / "rule.json", tmp_path / "z.csv", tmp_path / "z-out.csv")
    assert pd.read_csv(tmp_path / "z-out.csv")["decision"].tolist() == said


def test_the_file_satisfies_the_schema(folder):
    """What is saved beside the network is what the published schema describes, for every way."""
    schema = json.loads((HELPERS / "decision.schema.json").read_text(encoding="utf-8"))
    values = json.loads((folder / "decision.json").read_text(encoding="utf-8"))
    jsonschema.validate(values, schema)
    z, y = np.linspace(-3, 3, 200), np.linspace(-3, 3, 200) > 0.5
    promise = {"max_false_omission": 0.3, "max_false_discovery": 0.3, "confidence_level": 0.8}
    for way in ({"costs": COSTS, "review": 1}, {"costs": COSTS, "max_review": 0.1}, promise):
        rule = ReviewBand.choose(z, y, **way)
        jsonschema.validate({**values, "rule": rule.to_dict()}, schema)


def test_a_saved_band_is_changed_by_its_ends():
    """One end or both are set as probabilities; another word is refused."""
    new = changed(BAND, thresholds="low=0.2")
    assert new.thresholds[0] == pytest.approx(0.2) and new.high == BAND.high
    assert changed(BAND, thresholds="low=0.2,high=0.2").decide([9.0]).tolist() == [1]
    with pytest.raises(ValueError, match="a band has the thresholds low and high, got middle"):
        changed(BAND, thresholds="middle=0.2")
    with pytest.raises(ValueError, match="threshold does not go with a ReviewBand"):
        changed(BAND, threshold=0.2)


def test_criteria_reports_and_pages_know_the_band():
    """By its price and by its share: chosen, reported beside 0.5, and written as a page."""
    rng = np.random.default_rng(5)
    y = rng.random(600) < 0.3
    z = rng.normal(size=600) + 2 * y - 1
    for asked in ({"review": 0.5}, {"max_review": 0.2}):
        criterion = criterion_of("binary", false_positive=1, false_negative=5, **asked)
        options = {"label_names": ("wait", "urgent"), "criterion": criterion}
        rule = choose_rule("binary", z[:300], y[:300], **options)
        assert isinstance(rule, ReviewBand) and rule.chosen["criterion"] == next(iter(asked))
        plain, band = report_rule(rule, z[300:], y[300:], costs=criterion["costs"])
        assert plain["read"] == 0 and band["cost"] < plain["cost"]
        page = report_page(rule, z[300:], y[300:], texts=["a text"] * 300)
        assert page.sections[2]["heading"] == "Three answers" and "review" in page.html
        with pytest.raises(ValueError, match="these rows chose the rule"):
            report_rule(rule, z[:300], y[:300])


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("binary", {"review": 1}, "review goes with false_positive and false_negative"),
        ("multiclass", {"review": 1, "reject": 1}, "review is for yes/no; this is one of many"),
        (
            "multilabel",
            {"max_review": 0.1, "false_positive": 1, "false_negative": 2},
            "max_review is for yes/no; this is many labels",
        ),
    ],
)
def test_a_price_of_reading_needs_the_two_others(kind, options, words):
    """Without costs of the two mistakes, or for another kind, it is refused."""
    with pytest.raises(ValueError, match=words):
        criterion_of(kind, **options)


def test_report_review_refuses_what_makes_no_sense():
    """Another rule, and a price below 0."""
    z, y, rng = [-1.0, 1.0], [0, 1], np.random.default_rng(0)
    with pytest.raises(ValueError, match="names to ReviewBand"):
        report_review({"a": BinaryThreshold(cut=0.0)}, z, y, COSTS, rng=rng)
    with pytest.raises(ValueError, match="review must be a cost"):
        report_review({"a": BAND}, z, y, COSTS, review=-1, rng=rng)


def brute_exact(z, y, price):
    """Try the scores themselves as cuts."""
    cuts, best = [*np.unique(z), np.inf], np.inf
    for i, low in enumerate(cuts):
        for high in cuts[i:]:
            said = np.where(z >= high, 1, np.where(z < low, 0, 2))
            spent = np.where(said == 2, price, COSTS.of(y, np.minimum(said, 1)))
            best = min(best, float(spent.sum()))
    return best


@pytest.mark.parametrize("seed", range(3))
def test_neighbouring_numbers_and_dear_readings_keep_the_best_cut(seed):
    """Scores a rounding apart, and a reading at 1e100, end at the least cost there is."""
    rng = np.random.default_rng(seed)
    for _ in range(40):
        z = 1 + np.spacing(1.0) * rng.integers(0, 6, 8)
        y = rng.permutation([True, False] * 4)
        for price in (0.1, 1e16, 1e100):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # half of these are upside down
                rule = ReviewBand.choose(z, y, costs=COSTS, review=price)
            want = brute_exact(z, y, price)
            assert paid(rule, z, y, np.ones(8), COSTS, price) == pytest.approx(want)


@pytest.mark.parametrize(
    ("z", "y", "weight"), [([1.0, 2.0], [0, 1], [0, 0]), ([1.0, 2.0], [1, 1], None)]
)
def test_a_missing_class_is_said(z, y, weight):
    """Without a weighted row of each class nothing is chosen."""
    with pytest.raises(ValueError, match="at least one message of each class"):
        ReviewBand.choose(z, y, costs=COSTS, review=1, sample_weight=weight)


def test_tiny_weights_and_costs_count():
    """A class whose weight is 1e-20 of the other's is there, and so are costs of 1e-320."""
    options = {"sample_weight": [1e-20, 1e-20, 1, 1e-20, 1]}
    z, y = [0.0, 1.0, 2.0, 3.0, 4.0], [0, 0, 1, 0, 1]
    rule = ReviewBand.choose(z, y, costs=COSTS, review=0.1, **options)
    assert rule.chosen["n_positive"] == 2
    tiny = Costs(false_positive=1e-320, false_negative=1e-320)
    assert ReviewBand.choose(z, y, costs=tiny, max_review=0.5).low <= 4


def test_a_label_called_review_leaves_another_word():
    """Where a label is called review, a person reads under another name."""
    options = {"label_names": ("ok", "review"), "criterion": {"costs": COSTS, "review": 0.1}}
    rule = choose_rule("binary", [-1.0, 0.0, 1.0, 2.0], [0, 1, 0, 1], **options)
    assert rule.review == "a person reads"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_review": 20.0}, r"max_review must be a share in \[0, 1\], got 20"),
        ({"review": -1.0}, "review must be a cost"),
        ({"review": 1.0, "max_review": 0.1}, "give review or max_review, not both"),
    ],
)
def test_criteria_are_checked_before_any_training(given, words):
    """A share in percent, a price below 0 or both ways at once stop at the criterion."""
    with pytest.raises(ValueError, match=words):
        criterion_of("binary", false_positive=1, false_negative=5, **given)
