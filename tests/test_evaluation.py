"""Claims about measures of decisions, each against a worked example, an oracle or brute force."""

from itertools import permutations

import numpy as np
import pytest
import torch
from cases import FULL_PRICES, QUICK, label_sample, sample
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from torchmetrics.functional.classification import (
    binary_calibration_error,
    multiclass_calibration_error,
    multilabel_auroc,
    multilabel_average_precision,
    multilabel_exact_match,
    multilabel_f1_score,
    multilabel_hamming_distance,
)

from helpers.decisions import BinaryThreshold, LabelThresholds, RejectOption
from helpers.evaluation import (
    Counts,
    counts,
    cut_curve,
    f1_scores,
    label_scores,
    ranking_scores,
    reliability,
    risk_coverage,
    separation,
)
from helpers.intervals import paired_bootstrap_f1
from helpers.probabilities import confidence, sigmoid, softmax
from helpers.reports import report_each_label, report_labels

# Counts


def test_counts_by_hand():
    """Of 1 1 1 0 0 against 1 0 1 1 0: found 2, alarms 1, missed 1, quiet 1; both shares 2/3."""
    found = counts([1, 0, 1, 1, 0], [1, 1, 1, 0, 0])
    assert found == Counts(true_positive=2, false_positive=1, false_negative=1, true_negative=1)
    assert found.recall == found.precision == 2 / 3


@QUICK
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_counts_equal_scikit_learn(rows):
    """The four counts are those of scikit-learn's confusion matrix."""
    predicted, labels = np.array(rows).T
    found = counts(labels, predicted)
    (tn, fp), (fn, tp) = metrics.confusion_matrix(labels, predicted, labels=[False, True])
    assert found == Counts(int(tp), int(fp), int(fn), int(tn))


def test_shares_of_nothing():
    """Without true 1s there is no recall, without predicted 1s no precision."""
    found = counts([0, 0], [0, 0])
    assert np.isnan(found.recall) and np.isnan(found.precision)
    assert counts([], []) == Counts(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("predicted", "labels", "words"),
    [
        ([0, 1], [0, 1, 1], r"shape \(3,\)"),
        ([0, 0.5], [0, 1], "0 or 1, got"),
        ([0, 1], [0, 3], "0 or 1, got"),
    ],
)
def test_counts_refuse(predicted, labels, words):
    """Decisions and labels are 0 or 1 and equally many."""
    with pytest.raises(ValueError, match=words):
        counts(labels, predicted)


# The curve


@pytest.mark.parametrize("seed", range(5))
def test_curve_equals_brute_force(seed):
    """At every cut the counts, the shares and the cost are those of deciding there."""
    z, y = sample(seed)
    curve = cut_curve(z, y)
    np.testing.assert_array_equal(curve.cuts, [*sorted(set(z)), np.inf])
    for i, cut in enumerate(curve.cuts):
        predicted = (z >= cut).astype(int)
        found = counts(y, predicted)
        assert curve.true_positives[i] == found.true_positive
        assert curve.false_positives[i] == found.false_positive
        assert curve.recall[i] == found.recall
        np.testing.assert_equal(curve.precision[i], found.precision)
        assert curve.mean_cost(FULL_PRICES)[i] == pytest.approx(FULL_PRICES.of(y, predicted).mean())


def test_curve_equals_scikit_learn():
    """ROC and precision-recall are scikit-learn's at the same cuts."""
    z, y = sample(1)
    curve = cut_curve(z, y)
    rate, recall, cuts = metrics.roc_curve(y, z, drop_intermediate=False)
    np.testing.assert_array_equal(curve.cuts, cuts[::-1])
    np.testing.assert_allclose(curve.false_positive_rate, rate[::-1])
    np.testing.assert_allclose(curve.recall, recall[::-1])
    precision, recall, cuts = metrics.precision_recall_curve(y, z)
    np.testing.assert_array_equal(curve.cuts[:-1], cuts)
    np.testing.assert_allclose(curve.precision[:-1], precision[:-1])
    np.testing.assert_allclose(curve.recall, recall)


def test_curve_of_two_logits():
    """A two-logit head has the curve of its difference; thresholds end at 1."""
    z, y = sample(2)
    one, two = cut_curve(z, y), cut_curve(np.stack([0 * z, z], axis=1), y)
    np.testing.assert_array_equal(one.mean_cost(FULL_PRICES), two.mean_cost(FULL_PRICES))
    assert one.thresholds[-1] == 1 and np.all(np.diff(one.thresholds) > 0)


def test_least_of_the_curve_is_what_the_search_finds():
    """The chosen rule pays the least mean cost of the curve."""
    z, y = sample(3)
    rule = BinaryThreshold.choose(z, y, costs=FULL_PRICES)
    paid = FULL_PRICES.of(y, rule.decide(z)).mean()
    assert paid == pytest.approx(cut_curve(z, y).mean_cost(FULL_PRICES).min())


@pytest.mark.parametrize(
    ("z", "y", "words"),
    [
        ([1.0, 2.0], [1, 1], "each class, got 2 positives among 2"),
        ([1.0, 2.0], [0, 0], "each class, got 0 positives among 2"),
        ([], [], "each class, got 0 positives among 0"),
        ([1.0, 2.0], [0, 1, 1], "one for each row"),
    ],
)
def test_curve_refuses(z, y, words):
    """A curve needs both classes, and a label for each row."""
    with pytest.raises(ValueError, match=words):
        cut_curve(z, y)


# Calibration


def test_calibration_error_by_hand():
    """.95 and 1.0 share the tenth bin: mean .975 against the share 1/2 makes .475."""
    bins = reliability([0.95, 1.0], [1, 0], n_bins=10)
    assert bins.error == pytest.approx((0.95 + 1.0) / 2 - 1 / 2)
    assert bins.count.tolist() == [2]


def test_calibration_error_weighs_the_bins():
    """One row off by .9 and three off by .2 make (1 * .9 + 3 * .2) / 4."""
    bins = reliability([0.9, 0.2, 0.2, 0.2], [0, 0, 0, 0], n_bins=2)
    assert bins.error == pytest.approx((0.9 + 3 * 0.2) / 4)
    np.testing.assert_allclose(bins.predicted, [0.2, 0.9])


@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_calibration_error_equals_torchmetrics(n_bins):
    """Away from the edges of the bins the error is torchmetrics'."""
    rng = np.random.default_rng(n_bins)
    p = (rng.integers(0, n_bins, 500) + rng.uniform(0.01, 0.99, 500)) / n_bins
    y = (rng.random(500) < p**2).astype(int)
    oracle = binary_calibration_error(torch.tensor(p), torch.tensor(y), n_bins=n_bins, norm="l1")
    assert reliability(p, y, n_bins=n_bins).error == pytest.approx(float(oracle), rel=1e-5)


def test_an_edge_belongs_to_the_upper_bin():
    """Of five bins .2 opens the second one, and 1 closes the last."""
    bins = reliability([0.0, 0.19, 0.2, 1.0], [0, 0, 1, 1], n_bins=5)
    assert bins.count.tolist() == [2, 1, 1]
    np.testing.assert_allclose(bins.observed, [0, 1, 1])


@pytest.mark.parametrize(("n", "n_bins"), [(100, 15), (15, 15), (7, 15), (1, 1), (31, 2)])
def test_bins_of_equal_mass(n, n_bins):
    """Bins by mass hold all rows in order, in sizes within 1 of each other."""
    p = np.random.default_rng(n).random(n)
    bins = reliability(p, p > 0.5, n_bins=n_bins, strategy="mass")
    assert bins.count.sum() == n and len(bins.count) == min(n, n_bins)
    assert np.ptp(bins.count) <= 1
    assert np.all(np.diff(bins.predicted) > 0)


@QUICK
@given(st.integers(0, 10**6), st.integers(1, 30), st.sampled_from(["width", "mass"]))
def test_bins_keep_the_means(seed, n_bins, strategy):
    """Weighted by count the bins give back the mean probability and the share of 1s."""
    rng = np.random.default_rng(seed)
    p, y = rng.random(40), rng.integers(0, 2, 40)
    bins = reliability(p, y, n_bins=n_bins, strategy=strategy)
    assert np.average(bins.predicted, weights=bins.count) == pytest.approx(p.mean())
    assert np.average(bins.observed, weights=bins.count) == pytest.approx(y.mean())
    assert abs(p.mean() - y.mean()) - 1e-12 <= bins.error <= 1


@pytest.mark.parametrize(
    ("p", "y", "options", "words"),
    [
        ([], [], {}, "n of at least 1"),
        ([[0.5]], [1], {}, r"shape \(n,\)"),
        ([0.5, 1.1], [0, 1], {}, "after sigmoid or softmax"),
        ([0.5, np.nan], [0, 1], {}, "after sigmoid or softmax"),
        ([0.5, 0.6], [0, 2], {}, "0 or 1, got"),
        ([0.5, 0.6], [0], {}, "one for each row"),
        ([0.5], [1], {"n_bins": 0}, "n_bins must be a whole number"),
        ([0.5], [1], {"n_bins": 2.5}, "n_bins must be a whole number"),
        ([0.5], [1], {"strategy": "depth"}, 'must be "width" or "mass", got \'depth\''),
    ],
)
def test_reliability_refuses(p, y, options, words):
    """Rows, probabilities, labels, bins and strategy are checked."""
    with pytest.raises(ValueError, match=words):
        reliability(p, y, **options)


# Many labels


def test_label_scores_by_hand():
    """Sets ab, b, none against a, b, none: 2 hits, 1 alarm: micro-F1 is 4/5, and 2 of 3 match."""
    found = label_scores([[1, 0], [0, 1], [0, 0]], [[1, 1], [0, 1], [0, 0]])
    assert found["micro_f1"] == pytest.approx(4 / 5)
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["samples_f1"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert found["jaccard"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert found["exact_match"] == pytest.approx(2 / 3)
    assert found["hamming"] == pytest.approx(1 / 6)


@pytest.mark.parametrize("seed", range(5))
def test_label_scores_equal_scikit_learn_and_torchmetrics(seed):
    """All figures are those of scikit-learn; torchmetrics agrees where it has them."""
    z, y = label_sample(seed)
    said = (z > 0).astype(int)
    found = label_scores(y, said)
    for average in ("micro", "macro", "samples"):
        expected = metrics.f1_score(y, said, average=average, zero_division=1)
        assert found[f"{average}_f1"] == pytest.approx(expected)
    assert found["exact_match"] == pytest.approx(metrics.accuracy_score(y, said))
    assert found["hamming"] == pytest.approx(metrics.hamming_loss(y, said))
    expected = metrics.jaccard_score(y, said, average="samples", zero_division=1)
    assert found["jaccard"] == pytest.approx(expected)
    p, t = torch.tensor(said), torch.tensor(y)
    assert found["exact_match"] == pytest.approx(multilabel_exact_match(p, t, 5).item())
    assert found["hamming"] == pytest.approx(
        multilabel_hamming_distance(p, t, 5, average="micro").item()
    )
    assert found["macro_f1"] == pytest.approx(multilabel_f1_score(p, t, 5, average="macro").item())
    micro = multilabel_f1_score(p, t, 5, average="micro").item()
    assert found["micro_f1"] == pytest.approx(micro)


@pytest.mark.parametrize("seed", range(5))
def test_ranking_scores_equal_scikit_learn_and_torchmetrics(seed):
    """Areas and average precisions are those of scikit-learn and torchmetrics, with ties."""
    z, y = label_sample(seed)
    auroc, average_precision = ranking_scores(z, y)
    assert auroc == pytest.approx(metrics.roc_auc_score(y, z, average=None))
    assert average_precision == pytest.approx(metrics.average_precision_score(y, z, average=None))
    p, t = torch.tensor(sigmoid(z)), torch.tensor(y)
    assert auroc == pytest.approx(multilabel_auroc(p, t, 5, average=None).numpy(), abs=1e-6)
    theirs = multilabel_average_precision(p, t, 5, average=None).numpy()
    assert average_precision == pytest.approx(theirs, abs=1e-6)


@pytest.mark.filterwarnings("ignore:all logits lie in")
def test_the_area_of_hard_decisions_is_balanced_accuracy():
    """On 0/1 decisions in place of scores the area is the balanced accuracy of each label."""
    z, y = label_sample()
    said = (z > 0).astype(int)
    expected = [metrics.balanced_accuracy_score(y[:, k], said[:, k]) for k in range(5)]
    assert ranking_scores(said, y)[0] == pytest.approx(expected)
    assert np.all(ranking_scores(z, y)[0] >= expected)


def test_an_absent_label_poisons_nothing():
    """A label that no row has gets NaN with a warning, and the averages leave it out."""
    z, y = label_sample()
    without = y.copy()
    without[:, 2] = 0
    rule = LabelThresholds.from_thresholds(0.5, label_names=tuple("abcde"))
    with pytest.warns(UserWarning, match="no row has c: no figures"):
        row = report_each_label(rule, z, without)[2]
    assert all(np.isnan(row[name]) for name in ("f1", "auroc", "average_precision", "recall"))
    with pytest.warns(UserWarning, match="left out of averages"):
        found = report_labels({"half": rule}, z, without)[0]
    kept = [0, 1, 3, 4]
    expected = metrics.f1_score(y[:, kept], rule.decide(z)[:, kept], average="macro")
    assert found["macro_f1"] == pytest.approx(expected)
    none = label_scores([[0, 0]], [[0, 1]])
    assert np.isnan(none["micro_f1"]) and np.isnan(none["macro_f1"])
    assert none["samples_f1"] == none["jaccard"] == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: f1_scores([1], [1]), r"shape \(n, n_labels\), got \(1,\)"),
        (lambda: f1_scores([[1]], [[1, 0]]), r"the labels' shape \(1, 1\), got \(1, 2\)"),
        (lambda: f1_scores([[1]], [[2]]), "0 or 1, got 2"),
        (lambda: label_scores(np.empty((0, 2)), np.empty((0, 2))), "at least one row"),
        (lambda: ranking_scores([[0.5, 2.0]], [[1]]), r"the shape \(1, 2\)"),
        (
            lambda: paired_bootstrap_f1(
                [[1]], [[1]], [[1]], rng=np.random.default_rng(0), average="weighted"
            ),
            '"micro" or "macro", got',
        ),
        (
            lambda: paired_bootstrap_f1([[0]], [[1]], [[1]], rng=np.random.default_rng(0)),
            "at least one label that occurs",
        ),
    ],
)
def test_label_figures_refuse_what_does_not_fit(call, words):
    """Each error says what was expected and what came."""
    with pytest.raises(ValueError, match=words):
        call()


SHORT = st.lists(
    st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=6
)  # confidences that tie, and whether each answer is wrong


# Answering only what is sure


def test_risk_and_coverage_by_hand():
    """Right at .9, wrong at .8, right at .8, wrong at .3: answering 1, 3, 4 risks 0, 1/3, 2/4."""
    curve = risk_coverage([0.8, 0.3, 0.9, 0.8], [1, 1, 0, 0])
    np.testing.assert_allclose(curve.cuts, [0.9, 0.8, 0.3])
    np.testing.assert_allclose(curve.coverage, [1 / 4, 3 / 4, 1])
    np.testing.assert_allclose(curve.risk, [0, 1 / 3, 2 / 4])
    assert curve.aurc == pytest.approx((0 + 0.5 / 2 + 1 / 3 + 2 / 4) / 4)


@QUICK
@given(SHORT)
def test_area_is_the_mean_over_all_orders_of_ties(rows):
    """The area is the mean of the prefix risks, taken over every order of equal confidences."""
    sure, wrong = np.array(rows, dtype=float).T
    areas = []
    for order in permutations(range(len(sure))):
        if np.all(np.diff(sure[list(order)]) <= 0):
            prefix = np.cumsum(wrong[list(order)]) / np.arange(1, len(sure) + 1)
            areas.append(prefix.mean())
    assert risk_coverage(sure, wrong).aurc == pytest.approx(np.mean(areas))


@pytest.mark.parametrize("seed", range(4))
def test_risk_and_coverage_equal_brute_force(seed):
    """At every cut, coverage and risk are those of a rule with that cut."""
    rng = np.random.default_rng(seed)
    z, y = np.round(rng.normal(0, 2, (60, 3)), 1), rng.integers(0, 3, 60)
    curve = risk_coverage(confidence(z), z.argmax(axis=1) != y)
    for cut, coverage, risk in zip(curve.cuts, curve.coverage, curve.risk, strict=True):
        said = RejectOption(cut=cut, label_names=("a", "b", "c")).decide(z)
        assert coverage == pytest.approx(np.mean(said < 3))
        assert risk == pytest.approx(np.mean(said[said < 3] != y[said < 3]))
    assert curve.risk[-1] == pytest.approx(np.mean(z.argmax(axis=1) != y))


def test_the_order_alone_makes_the_area():
    """Any rising function of the confidence has the same area."""
    rng = np.random.default_rng(0)
    sure, wrong = rng.random(50), rng.random(50) < 0.3
    assert risk_coverage(np.exp(5 * sure), wrong).aurc == risk_coverage(sure, wrong).aurc


def test_separation_by_hand():
    """Of known .9 .8 .3 and other .5 .3: pairs won 2 + 2, one tie, makes 4.5 / 6; both pass .3."""
    found = separation([0.9, 0.8, 0.3], [0.5, 0.3])
    assert found.auroc == pytest.approx((2 + 2.5) / 6) and found.fpr95 == 1
    assert separation([1.0, 2.0], [0.0]).auroc == 1 and separation([1.0, 2.0], [0.0]).fpr95 == 0


@QUICK
@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=50),
    st.lists(st.integers(0, 8), min_size=1, max_size=30),
)
def test_separation_equals_scikit_learn(known, other):
    """AUROC is scikit-learn's; the rate at 95 % is read off its curve, ties and all."""
    known, other = np.array(known, float), np.array(other, float)
    truth, scores = np.repeat([1, 0], [len(known), len(other)]), np.concatenate([known, other])
    found = separation(known, other)
    assert found.auroc == pytest.approx(metrics.roc_auc_score(truth, scores))
    rate, recall, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    assert found.fpr95 == pytest.approx(rate[np.flatnonzero(recall >= 0.95 - 1e-12)[0]])


@pytest.mark.parametrize(
    ("function", "first", "second", "words"),
    [
        (risk_coverage, [], [], "confidence must be finite .* n at least 1"),
        (risk_coverage, [0.5, np.nan], [0, 1], "confidence .* with NaN or infinity"),
        (risk_coverage, [0.5], [2], "0 or 1"),
        (risk_coverage, [0.5], [0, 1], "one for each row"),
        (separation, [], [0.5], "known must be finite"),
        (separation, [0.5], [[0.5]], r"other must be finite .* got shape \(1, 1\)"),
        (separation, [0.5], [np.inf], "other .* with NaN or infinity"),
    ],
)
def test_curves_of_confidences_refuse(function, first, second, words):
    """Confidences are finite and there is at least one; wrong is 0 or 1 for each."""
    with pytest.raises(ValueError, match=words):
        function(first, second)


def test_calibration_error_of_many_classes_equals_torchmetrics():
    """On largest softmax and correctness the error is torchmetrics' for many classes."""
    rng = np.random.default_rng(0)
    z = 2 * rng.normal(size=(400, 7))
    y = rng.integers(0, 7, 400)
    oracle = multiclass_calibration_error(
        torch.tensor(softmax(z)), torch.tensor(y), num_classes=7, n_bins=15, norm="l1"
    )
    ours = reliability(confidence(z), z.argmax(axis=1) == y)
    assert ours.error == pytest.approx(float(oracle), rel=1e-5)
