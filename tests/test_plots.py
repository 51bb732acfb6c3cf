"""Claims about helpers.plots: each figure is drawn where it was asked for, and labelled."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from scipy.stats import beta
from sklearn.metrics import average_precision_score

from helpers import plots
from helpers.decisions import BinaryThreshold, Costs
from helpers.evaluation import cut_curve, reliability, risk_coverage
from helpers.probabilities import sigmoid
from helpers.reports import report_binary

PRICES = Costs(false_positive=1, false_negative=5)
RNG = np.random.default_rng(0)
Y = (RNG.random(200) < 0.3).astype(int)
Z = RNG.normal(2.0 * Y - 1, 1.5)
CURVE = cut_curve(Z, Y)
RULES = {
    "half": BinaryThreshold(cut=0.0),
    "formula": BinaryThreshold.from_costs(PRICES),
    "always": BinaryThreshold(cut="always"),
}
TABLE = report_binary(RULES, Z, Y, PRICES, rng=RNG)
FIGURES = {
    "score_histogram": (sigmoid(Z), Y, ("wait", "urgent")),
    "precision_recall_curve": (CURVE,),
    "roc_curve": (CURVE,),
    "cost_curve": (CURVE, PRICES),
    "reliability_diagram": ({"network": reliability(sigmoid(Z), Y)},),
    "log_odds_reliability": ({"network": reliability(sigmoid(Z), Y, n_bins=8, strategy="mass")},),
    "differences": (TABLE,),
    "learning_curve": (
        [
            {"epoch": 1, "training_loss": 0.4, "validation_loss": 0.3},
            {"epoch": 2, "training_loss": 0.2, "validation_loss": 0.25},
        ],
    ),
    "co_occurrence": ([[1, 1, 0], [1, 0, 0], [0, 1, 1]], ("home", "water", "money")),
    "label_f1": (
        [
            {"label": n, "f1": 0.7, "f1_validation": 0.8, "f1_always": 0.2, "support_validation": 5}
            for n in ("home", "water")
        ],
    ),
    "label_thresholds": ({"0.5": [0.5, 0.5], "own": [0.2, 1.0]}, ("home", "water")),
    "risk_coverage_curve": ({"softmax": risk_coverage(np.abs(Z), (Z > 0) != Y)},),
    "intervals": (
        [
            {"name": name, "group": group, "value": 0.8, "low": 0.7, "high": 0.9}
            for name in RULES
            for group in ("near", "far")
        ],
    ),
    "steps": ({"text": ["gas", "tap"], "action": ["call out", "wait"]}, ("one", "other")),
}
every = pytest.mark.parametrize("name", FIGURES)


def axes():
    """New axes on an Agg canvas."""
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


def draw(name, *arguments, **options):
    """Draw one figure, rendered to pixels; return its axes."""
    ax = axes()
    assert getattr(plots, name)(*arguments, ax=ax, **options) is ax
    ax.figure.canvas.draw()
    return ax


def legend(ax):
    """The texts of the legend."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_every_figure_is_tested():
    """This file draws each public function of the module."""
    public = {
        name
        for name, value in vars(plots).items()
        if callable(value) and value.__module__ == plots.__name__ and not name.startswith("_")
    }
    assert public == set(FIGURES)


@every
def test_figures_are_labelled(name):
    """Each function draws on the axes that it was given, and names the figure and its x axis."""
    ax = draw(name, *FIGURES[name])
    assert ax.get_title() and ax.get_xlabel()
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert ax.get_ylabel() or ticks in (list(RULES), list(FIGURES["steps"][0]))
    assert ax.has_data() or len(ax.texts) >= 4


@every
def test_figures_leave_other_axes_alone(name):
    """Nothing is drawn but on the axes that were given."""
    figure = Figure()
    FigureCanvasAgg(figure)
    mine, other = figure.subplots(1, 2)
    getattr(plots, name)(*FIGURES[name], ax=mine)
    assert not other.has_data() and not other.get_title() and len(figure.axes) == 2


def test_histogram_counts_every_message():
    """The bars of the two classes hold all messages, and the legend names the classes."""
    ax = draw("score_histogram", *FIGURES["score_histogram"])
    heights = [sum(bar.get_height() for bar in bars) for bars in ax.containers]
    assert heights == [(Y == 0).sum(), (Y == 1).sum()]
    assert legend(ax) == ["wait", "urgent"]


def test_histogram_refuses_labels_that_do_not_fit():
    """Labels come one for each probability."""
    with pytest.raises(ValueError, match="one for each row"):
        plots.score_histogram([0.2, 0.3], [1], ("a", "b"), ax=axes())


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("precision_recall_curve", CURVE.recall, CURVE.precision),
        ("roc_curve", CURVE.false_positive_rate, CURVE.recall),
    ],
)
def test_curves_hold_their_points(name, x, y):
    """The first line goes through the curve's points."""
    line = draw(name, CURVE).lines[0]
    np.testing.assert_array_equal(line.get_xdata(), x)
    np.testing.assert_array_equal(line.get_ydata(), y)


def test_floor_of_precision_is_the_share_of_ones():
    """Saying 1 at random has the share of 1s as its precision, which the legend names."""
    ax = draw("precision_recall_curve", CURVE)
    assert ax.lines[1].get_ydata()[0] == pytest.approx(Y.mean())
    assert legend(ax)[1].endswith(f"({Y.mean():.2f})")


@pytest.mark.parametrize("threshold", [0.05, 1 / 6, 0.5, 0.9])
def test_cost_curve_shows_the_cost_of_a_threshold(threshold):
    """Read off the steps, the cost at a threshold is that of deciding with it."""
    line = draw("cost_curve", CURVE, PRICES).lines[0]
    x, y = line.get_xdata(), line.get_ydata()
    assert line.get_drawstyle() == "steps-pre"
    paid = PRICES.of(Y, BinaryThreshold.from_threshold(threshold).decide(Z)).mean()
    assert y[np.searchsorted(x, threshold)] == pytest.approx(paid)


def test_cost_curve_marks_rules():
    """Marks are lines with a name, also at the thresholds 0 and 1 of "always" and "never"."""
    marks = {"half": 0.5, "always": 0.0, "never": 1.0}
    ax = draw("cost_curve", CURVE, PRICES, marks=marks)
    assert legend(ax) == ["half (0.5)", "always (0)", "never (1)"]
    assert [line.get_xdata()[0] for line in ax.lines[1:]] == list(marks.values())
    assert draw("cost_curve", CURVE, PRICES).get_legend() is None


@pytest.mark.parametrize("n", [1, 3, 5])
def test_reliability_diagram_draws_each_network(n):
    """Each network has its dots and its calibration error in the legend."""
    bins = {f"network {i}": reliability(sigmoid(Z + i), Y) for i in range(n)}
    ax = draw("reliability_diagram", bins)
    dots = [c for c in ax.collections if isinstance(c, PathCollection)]
    assert len(dots) == n
    named = [f"{name} (calibration error {b.error:.3f})" for name, b in bins.items()]
    assert [text for text in legend(ax) if "network" in text] == named
    np.testing.assert_allclose(
        dots[0].get_offsets(),
        np.column_stack([bins["network 0"].predicted, bins["network 0"].observed]),
    )


@pytest.mark.parametrize(
    ("low", "high", "colour"), [(-2, -1, "GREEN"), (-1, 1, "GREY"), (0, 0, "GREY"), (1, 2, "RED")]
)
def test_differences_show_their_sign(low, high, colour):
    """An interval below 0 is green, above 0 red, and grey where it holds 0."""
    row = {"rule": "one", "difference": (low + high) / 2, "low": low, "high": high}
    ax = draw("differences", [row])
    assert ax.lines[0].get_color() == getattr(plots, colour)
    assert list(ax.lines[0].get_xdata()) == [low, high]


def test_differences_read_from_the_top():
    """The first rule of the table stands at the top, under its name."""
    ax = draw("differences", TABLE)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(RULES)
    assert ax.yaxis_inverted()


def test_area_under_the_drawn_precision_recall_curve_is_average_precision():
    """The steps as drawn enclose scikit-learn's average precision: none comes a step late."""
    rng = np.random.default_rng(0)
    labels = (rng.random(40) < 0.3).astype(int)
    logits = rng.normal(labels)
    ax = Figure().subplots()
    plots.precision_recall_curve(cut_curve(logits, labels), ax=ax)
    line = ax.get_lines()[0]
    assert line.get_drawstyle() == "steps-post"
    recall, precision = line.get_data()
    area = np.sum((recall[:-1] - recall[1:]) * precision[:-1])
    assert area == pytest.approx(average_precision_score(labels, logits))


def test_learning_curve_shows_both_losses():
    """Training and validation loss are drawn at their epochs, from 0 up."""
    ax = draw("learning_curve", *FIGURES["learning_curve"])
    assert legend(ax) == ["training loss", "validation loss"]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.4, 0.2], [0.3, 0.25]]
    assert ax.get_ylim()[0] == 0


def test_co_occurrence_is_a_share_of_the_rows_label():
    """Of two messages about home one is about water too; the diagonal is left blank."""
    ax = draw("co_occurrence", *FIGURES["co_occurrence"])
    shown = ax.images[0].get_array().filled(np.nan)
    assert shown[0, 1] == 0.5 and shown[2, 1] == 1.0 and np.isnan(np.diag(shown)).all()


def test_equal_label_thresholds_stand_beside_each_other():
    """No mark of one rule hides another's, though both have the same threshold for a label."""
    ax = draw("label_thresholds", {"one": [0.3, 0.4], "two": [0.3, 0.4]}, ("home", "water"))
    first, second = (line.get_ydata() for line in ax.get_lines()[:2])
    assert np.abs(first - second).min() > 0.1 and np.abs(first - [0, 1]).max() < 0.5


def test_label_thresholds_shows_never_at_the_edge():
    """Each rule is a row of marks; a threshold of 1 is drawn at the right edge."""
    ax = draw("label_thresholds", *FIGURES["label_thresholds"])
    assert legend(ax) == ["0.5", "own"]
    assert ax.lines[1].get_xdata().tolist() == [0.2, 0.999]


def test_label_f1_draws_three_bars_a_label():
    """For each label stand the baseline, validation and test side by side."""
    ax = draw("label_f1", *FIGURES["label_f1"])
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert widths == [[0.2, 0.2], [0.8, 0.8], [0.7, 0.7]]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["home (5)", "water (5)"]


def test_risk_coverage_curve_holds_its_points_and_marks():
    """The line goes through the curve's points; rules are points with a name."""
    (curves,) = FIGURES["risk_coverage_curve"]
    curve = curves["softmax"]
    ax = draw("risk_coverage_curve", curves, marks={"a": (0.5, 0.1), "b": (0.9, 0.2)})
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), curve.coverage)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), curve.risk)
    assert legend(ax) == [f"softmax (area {curve.aurc:.3f})", "a", "b"]
    assert [line.get_xdata()[0] for line in ax.lines[1:]] == [0.5, 0.9]


def test_intervals_stand_beside_their_name():
    """Each name has its place from the top, each group its colour and its dots."""
    ax = draw("intervals", *FIGURES["intervals"])
    assert legend(ax) == ["near", "far"] and ax.yaxis_inverted()
    dots = [line for line in ax.lines if line.get_marker() != "None"]
    assert [np.round(line.get_ydata()).tolist() for line in dots] == [[0, 1, 2], [0, 1, 2]]


def test_log_odds_reliability_draws_exact_intervals():
    """Each bin has its exact binomial interval; only bins with both classes have a dot."""
    p = np.repeat([0.001, 0.2, 0.9], 100)
    truth = np.concatenate([np.zeros(100), np.arange(100) < 30, np.ones(100)])
    bins = reliability(p, truth, n_bins=3, strategy="mass")
    ax = draw("log_odds_reliability", {"network": bins}, cut=0.05)
    segments = np.array(ax.collections[0].get_segments())
    assert segments[:, 0, 0] == pytest.approx([0.001, 0.2, 0.9])
    assert segments[0, :, 1] == pytest.approx([5e-4, beta.ppf(0.975, 1, 100)])
    assert segments[1, :, 1] == pytest.approx(beta.ppf([0.025, 0.975], [30, 31], [71, 70]))
    assert segments[2, :, 1] == pytest.approx([beta.ppf(0.025, 100, 1), 1 - 5e-4])
    assert ax.lines[1].get_ydata() == pytest.approx([0.3])
    assert legend(ax) == ["calibrated", "network", "cut (0.05)"]


def test_cost_curve_shades_a_range():
    """A range of thresholds is shaded between its ends, and named."""
    ax = draw("cost_curve", CURVE, PRICES, band=(0.1, 0.3))
    assert legend(ax) == ["range of the cheapest"]
    assert (ax.patches[0].get_x(), ax.patches[0].get_width()) == pytest.approx((0.1, 0.2))
