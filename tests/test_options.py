"""The options that say how to choose: each goes the whole way to a decision."""

import inspect
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import small_model
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment, systems
from helpers.choosing import choose_rule, criterion_of, report_rule
from helpers.decisions import (
    CostMatrix,
    Costs,
    PredictionSets,
    RejectCosts,
    RejectOption,
    ReviewBand,
    choose_unknown_cut,
)
from helpers.drift import figures_without_labels
from helpers.options import CRITERION
from helpers.reference import make_reference
from helpers.rules import changed, chosen_in_words
from helpers.score_files import read_rule
from helpers.serving import make_app

NAMES = ("bin", "bus", "tax")
BAND = "--max-false-omission 0.2 --max-false-discovery 0.4 --confidence 0.8"
APS = "--set-coverage 0.8 --set-score aps --randomized"
LOST = "--coverage 0.9 --max-lost 0.1"
PRICED = "--reject 0.4 --unknown-price 0.2"
BY_ENERGY = "--coverage 0.8 --measure energy"
WORDS = {
    BAND: "for at most 0.2 wrong of what is answered no and 0.4 of what is answered yes, "
    "promised with confidence 0.8",
    APS: "by coverage of 0.8",
    LOST: "by coverage of 0.9; unknown with at most 0.1 of known messages lost",
    PRICED: "by costs; unknown at a price of 0.2",
    BY_ENERGY: "by coverage of 0.8, with a cut on the energy",
}


def run(*words: object) -> str:
    """Run a command as it would be typed, and return what it printed."""
    done = CliRunner().invoke(command_line.app, " ".join(map(str, words)).split())
    assert done.exit_code == 0, done.output or done.exception
    return done.output


def test_the_flags_are_what_criterion_of_takes():
    """No way to choose lacks a flag, but those that a table gives and the names of the task."""
    from_tables = {"label_costs", "cost_matrix", "other", "label_names", "kind"}
    assert set(CRITERION) == set(inspect.signature(criterion_of).parameters) - from_tables


def of_three(rng, n):
    """Draw logits and labels of three classes; every fifth message belongs to none."""
    y = np.where(np.arange(n) % 5, rng.integers(0, 3, n), 3)
    z = rng.normal(size=(n, 3))
    z[y < 3] += 3 * np.eye(3)[y[y < 3]]
    return z, y


CHOOSE: dict[str, Callable[..., object]] = {
    APS: lambda z, y: PredictionSets.choose(
        z[y < 3], y[y < 3], coverage=0.8, score="aps", randomized=True, label_names=NAMES
    ),
    LOST: lambda z, y: choose_unknown_cut(
        choose_rule("multiclass", z, y, label_names=NAMES, criterion={"coverage": 0.9}),
        z,
        y,
        max_lost=0.1,
    ),
    PRICED: lambda z, y: choose_unknown_cut(
        choose_rule(
            "multiclass", z, y, label_names=NAMES, criterion={"costs": RejectCosts(reject=0.4)}
        ),
        z,
        y,
        costs=RejectCosts(reject=0.4),
        price=0.2,
    ),
    BY_ENERGY: lambda z, y: choose_rule(
        "multiclass", z, y, label_names=NAMES, criterion={"coverage": 0.8, "measure": "energy"}
    ),
}


@pytest.mark.parametrize("flags", CHOOSE)
def test_choose_decide_and_report_scores(flags, tmp_path):
    """The rule of the flags is that of the call in Python; it decides and reports other rows."""
    rng = np.random.default_rng(0)
    for name in ("own", "new"):
        z, y = of_three(rng, 300)
        table = pd.DataFrame(z, columns=NAMES)
        table["topic"] = np.array([*NAMES, "zoo"])[y]
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        if name == "own":
            want = CHOOSE[flags](z, y)
    rule, page = tmp_path / "rule.json", tmp_path / "page.html"
    columns = "--score bin,bus,tax --label topic"
    run("choose", tmp_path / "own.csv", columns, flags, "--output", rule)
    found = read_rule(rule).rule
    assert found == want and chosen_in_words(found) == WORDS[flags]
    run("decide", rule, tmp_path / "new.csv", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    said = [json.loads(line)["decision"] for line in lines]
    records = found.explain(z)
    assert [set(one) if isinstance(one, list) else one for one in said] == [
        set(one["labels"]) if "labels" in one else one["label"] for one in records
    ]
    run("report", rule, tmp_path / "new.csv --label topic --output", page)
    assert WORDS[flags] in page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def network(tmp_path_factory, tokenizer, texts):
    """Save a network for two labels and one for three; label texts nearly as they do."""
    rng, place = np.random.default_rng(1), tmp_path_factory.mktemp("networks")
    for names in (("no", "yes"), NAMES):
        many = len(names) > 2
        with torch.random.fork_rng():
            model = small_model(len(names), names)
        rule = (
            RejectOption(cut=0.5, label_names=names)
            if many
            else ReviewBand(low=0, high=0, label_names=names)
        )
        saved = deployment.save(place / names[-1], model, tokenizer, rule, dtype="fp32")
        z = deployment.load(saved).logits(texts)
        margin = z[:, 1] - z[:, 0]
        likely = z.argmax(axis=1) if many else (margin > np.median(margin)).astype(int)
        label = np.where(rng.random(len(z)) < 0.1, rng.integers(0, len(names), len(z)), likely)
        table = pd.DataFrame({"text": texts, "label": np.array(names)[label]})
        if many:
            table.loc[::9, "label"] = "Other"
        for part in (0, 1):
            table[part::2].to_csv(place / f"{names[-1]}-{part}.csv", index=False)
    return place


@pytest.mark.parametrize("flags", [BAND, APS, PRICED, BY_ENERGY])
def test_a_network_goes_the_whole_way(flags, network, texts, tmp_path):
    """Adopted, shown, scored, watched, reported and served: one rule, one answer."""
    name = "yes" if flags == BAND else "tax"
    desk, out, page = tmp_path / "desk", tmp_path / "out.csv", tmp_path / "page.html"
    new = network / f"{name}-1.csv"
    run("adopt", network / name, network / f"{name}-0.csv", flags, "--output", desk)
    ready = deployment.load(desk)
    assert json.loads(run("rule", desk)) == ready.rule.to_dict()
    assert chosen_in_words(ready.rule) == WORDS[flags]
    run("score", desk, new, out)
    key = "labels" if flags == APS else "label"
    few = pd.read_csv(new)["text"].tolist()
    records = ready.explain(few)
    cells = pd.read_csv(out)[f"decision_{key}"]
    assert [json.loads(cell) if flags == APS else cell for cell in cells] == [
        one[key] for one in records
    ]
    assert "moved: 0 of" in run("watch", desk, out)
    run("report", desk, new, "--output", page)
    assert WORDS[flags] in page.read_text(encoding="utf-8")
    with TestClient(make_app(ready)) as client:
        answers = client.post("/classify", json={"texts": few[:20]}).json()["results"]
    assert [one[key] for one in answers] == [one[key] for one in records[:20]]
    if flags == BAND:
        run("rule", desk, "--thresholds low=0.1")
        assert deployment.load(desk).rule.chosen["method"] == "given"
    elif flags != APS:
        run("rule", desk, "--threshold 0.7")
        again = deployment.load(desk).rule
        assert again.unknown_cut == ready.rule.unknown_cut and again.threshold == 0.7


def test_unknown_costs_what_chose_its_cut():
    """Report and watch price what is unknown by its own price, not by that of Other."""
    rng = np.random.default_rng(2)
    (z, y), (new, truth) = of_three(rng, 400), of_three(rng, 400)
    criterion = criterion_of("multiclass", reject=0.4, unknown_price=0.1)
    rule = choose_rule("multiclass", z, y, label_names=NAMES, criterion=criterion)
    why = np.array([record["reason"] for record in rule.explain(new)])
    assert {"unknown", "unsure"} <= set(why) and np.array_equal(why == "unknown", rule.unknown(new))
    prices = {"unknown": 0.1, "unsure": 0.4}
    paid = np.select(
        [why == one for one in prices], list(prices.values()), rule.decide(new) != truth
    )
    assert report_rule(rule, new, truth, costs=criterion["costs"])[1]["cost"] == paid.mean()
    then = make_reference(new, truth, ["a text"] * len(new))
    cost = figures_without_labels(rule, then, rule.explain(new))[1]
    at_0 = np.mean(np.where(why == "unsure", 0.4, 0) + 0.1 * (why == "unknown"))
    assert (cost["what"], cost["then"]) == ("cost", pytest.approx(paid.mean()))
    assert at_0 < cost["now"] < at_0 + np.isin(why, list(prices), invert=True).mean() / 2


RISK = {"max_risk": 0.1, "confidence_level": 0.9}


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("binary", {"max_false_omission": 0.1, "confidence_level": 0.9}, "give all three"),
        ("binary", {"max_false_omission": 0.1, "max_false_discovery": 0.1}, "give all three"),
        ("binary", {"max_false_discovery": 0.1, "f_beta": 1}, "chosen by exactly one of"),
        (
            "multiclass",
            {"max_false_discovery": 0.1},
            "is for yes/no; this is one of many",
        ),
        ("multiclass", {"set_coverage": 0.9, "set_score": "raps"}, 'set_score must be "lac" or'),
        ("multiclass", {"coverage": 0.9, "set_score": "lac"}, "set_score goes with set_coverage"),
        ("multiclass", {"reject": 1, "randomized": True}, "randomized goes with set_coverage"),
        ("multiclass", {"max_lost": 0.1}, "chosen by exactly one of.*got none"),
        ("multiclass", {"coverage": 0.9, "unknown_price": 1}, "by max_lost; got coverage"),
        ("multiclass", {**RISK, "max_lost": 0.1}, "by max_lost; got max_risk"),
        ("multiclass", {"max_risk": 0.1}, "promise: .* on the command line --confidence 0.9"),
        ("binary", {"max_review": 0.1}, "costs of the two mistakes: give them, too"),
        ("multiclass", {"error": 1}, "error, the cost of a wrong label, needs reject"),
        ("multiclass", {"reject": 1, "max_lost": 0.1, "unknown_price": 1}, "not both"),
        ("multiclass", {"reject": 1, "max_lost": 5}, r"max_lost must be a share in \[0, 1\]"),
        ("multiclass", {"reject": 1, "unknown_price": -1}, "unknown_price must be a cost"),
        ("binary", {"f_beta": 1, "max_lost": 0.1}, "max_lost is for one of many; this is yes/no"),
        ("multiclass", {"reject": 1, "measure": "sure"}, 'measure must be "softmax"'),
        ("multiclass", {**RISK, "measure": "energy"}, "reject or coverage, not with max"),
        ("multiclass", {"set_coverage": 0.9, "measure": "logit"}, "not with set_coverage"),
        ("binary", {"f_beta": 1, "measure": "energy"}, "measure is for one of many; this is yes"),
    ],
)
def test_what_does_not_go_together_is_refused(kind, options, words):
    """Each is said before any training."""
    with pytest.raises(ValueError, match=words):
        criterion_of(kind, **options)


def test_measure_is_no_way_to_price_confusions():
    """A cost matrix has no cut, and the formula for two prices gives one on the softmax alone."""
    matrix = CostMatrix(costs=np.ones((3, 3)) - np.eye(3))
    with pytest.raises(ValueError, match="measure goes with reject or coverage, not with cost_m"):
        criterion_of("multiclass", cost_matrix=matrix, measure="energy")
    rule = RejectOption.from_threshold(2.0, measure="energy", label_names=NAMES)
    with pytest.raises(ValueError, match="this rule's is on the energy: choose it anew"):
        changed(rule, costs=RejectCosts(reject=0.4))


class Stopped(Exception):
    """Raised where the training would begin."""


@pytest.mark.parametrize("flags", [BAND, APS, LOST])
def test_train_takes_them(flags, tmp_path, monkeypatch):
    """They reach the training, which keeps the last epoch; a price of unknown stops before it."""

    def look(task, checkpoint, settings, **_):
        raise Stopped(settings.keep_best)

    monkeypatch.setattr(systems, "fine_tune", look)
    n_labels = 2 if flags == BAND else 3
    rows = [{"text": f"text {i}", "label": i % n_labels} for i in range(60)]
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    call = f"train {tmp_path / 'mine.csv'} --output {tmp_path / 'desk'} "
    done = CliRunner().invoke(command_line.app, (call + flags).split())
    assert isinstance(done.exception, Stopped) and done.exception.args == (False,)
    if flags == LOST:
        done = CliRunner().invoke(command_line.app, (call + PRICED).split())
        with pytest.raises(ValueError, match="unknown_price is weighed on rows that belong to no"):
            raise done.exception


WAYS_TO_CHOOSE = {
    "binary": (
        {"false_positive": 1, "false_negative": 5},
        {"false_positive": 1, "false_negative": 5, "review": 0.3},
        {"false_positive": 1, "false_negative": 5, "max_review": 0.2},
        {"min_recall": 0.8},
        {"min_recall": 0.6, "min_precision": 0.6},
        {"min_recall": 0.7, "confidence_level": 0.9},
        {"max_false_omission": 0.2, "max_false_discovery": 0.3, "confidence_level": 0.9},
        {"f_beta": 2},
    ),
    "multiclass": (
        {"reject": 1, "error": 4},
        {"reject": 1, "measure": "energy"},
        {"reject": 1, "error": 4, "max_lost": 0.1},
        {"cost_matrix": CostMatrix(costs=[[0, 1, 2, 1], [1, 0, 2, 1], [2, 2, 0, 1]])},
        {"coverage": 0.8},
        {"coverage": 0.8, "max_lost": 0.1, "measure": "margin"},
        {"max_risk": 0.3, "confidence_level": 0.8},
        {"set_coverage": 0.9},
        {"set_coverage": 0.9, "by_class": True},
        {"set_coverage": 0.9, "set_score": "aps", "randomized": True},
    ),
    "multilabel": (
        {"false_positive": 1, "false_negative": 5},
        {"label_costs": [Costs(false_positive=1, false_negative=k) for k in (1, 2, 3)]},
        {"min_recall": 0.8},
        {"min_precision": {"a": 0.6, "b": 0.6, "c": 0.6}},
        {"min_recall": 0.7, "confidence_level": 0.8},
        {"micro_f1": True},
        {"macro_f1": True},
        {"max_missed": 0.2},
    ),
}


@pytest.mark.parametrize(
    ("kind", "asked"), [(kind, one) for kind, ways in WAYS_TO_CHOOSE.items() for one in ways]
)
def test_what_criterion_of_accepts_can_be_chosen(kind, asked):
    """No combination passes before a training and fails after it."""
    rng = np.random.default_rng(0)
    names = ("a", "b", "c") if kind != "binary" else ("no", "yes")
    y = {"binary": rng.integers(0, 2, 400), "multiclass": rng.integers(0, 3, 400)}.get(
        kind, rng.integers(0, 2, (400, 3))
    )
    truth = np.eye(3)[y] if kind == "multiclass" else y
    z = 4.0 * truth - 2 + rng.normal(size=truth.shape)
    criterion = criterion_of(kind, **asked, label_names=names)
    rule = choose_rule(kind, z, y, label_names=names, criterion=criterion)
    assert tuple(rule.label_names) == names and len(rule.decide(z)) == 400
