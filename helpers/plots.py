"""One function a figure: each takes an axes, draws on it and returns it.

Colours are Okabe and Ito's, which people with any colour vision can tell apart; lines differ in
style too. The lesson that explains a figure is named in its docstring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from helpers.decisions import Costs
from helpers.evaluation import CutCurve, Reliability, RiskCoverage
from helpers.probabilities import check_binary_labels

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#666666",
)
LINES = ("-", "--", "-.", ":")


def _tidy(ax: Axes, title: str, x: str, y: str) -> Axes:
    ax.set(title=title, xlabel=x, ylabel=y)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def score_histogram(
    probabilities: ArrayLike, labels: ArrayLike, names: Sequence[str], *, ax: Axes
) -> Axes:
    """Draw how the probabilities of the two classes spread (lesson 01).

    Parameters
    ----------
    probabilities : array_like of float in [0, 1], shape (n,)
    labels : array_like of int, shape (n,)
        0 or 1.
    names : sequence of two str
        Names of 0 and 1.
    ax : Axes

    Returns
    -------
    Axes
    """
    p = np.asarray(probabilities)
    true = check_binary_labels(labels, len(p))
    bins = np.linspace(0, 1, 41).tolist()
    for rows, name, colour, hatch in ((~true, names[0], SKY, ""), (true, names[1], RED, "//")):
        ax.hist(p[rows], bins, color=colour, alpha=0.75, hatch=hatch, edgecolor="white", label=name)
    ax.set_yscale("log")
    ax.legend(frameon=False, title="truth")
    return _tidy(ax, "Where the probabilities lie", "P(1)", "messages (log scale)")


def precision_recall_curve(curve: CutCurve, *, ax: Axes) -> Axes:
    """Draw precision against recall over all cuts, and the share of 1s as the floor (lesson 01).

    Parameters
    ----------
    curve : CutCurve
    ax : Axes

    Returns
    -------
    Axes
    """
    share = curve.n_positive / (curve.n_positive + curve.n_negative)
    ax.step(curve.recall, curve.precision, where="post", color=BLUE, label="network")
    ax.axhline(share, color=GREY, ls=":", label=f"saying 1 at random ({share:.2f})")
    ax.set(xlim=(0, 1.02), ylim=(0, 1.04))
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 0.12))
    return _tidy(ax, "Precision and recall", "recall", "precision")


def roc_curve(curve: CutCurve, *, ax: Axes) -> Axes:
    """Draw recall against the false positive rate over all cuts (lesson 01).

    Parameters
    ----------
    curve : CutCurve
    ax : Axes

    Returns
    -------
    Axes
    """
    ax.plot(curve.false_positive_rate, curve.recall, color=BLUE, label="network")
    ax.plot([0, 1], [0, 1], color=GREY, ls=":", label="saying 1 at random")
    ax.set(xlim=(-0.01, 1.02), ylim=(0, 1.04))
    ax.legend(frameon=False, loc="lower right")
    return _tidy(ax, "ROC", "false positive rate", "recall")


def cost_curve(
    curve: CutCurve,
    costs: Costs,
    *,
    ax: Axes,
    marks: Mapping[str, float] | None = None,
    band: tuple[float, float] | None = None,
) -> Axes:
    """Draw the cost a message against the threshold, with some thresholds marked (lesson 01).

    Parameters
    ----------
    curve : CutCurve
    costs : Costs
    ax : Axes
    marks : mapping of str to float in [0, 1], optional
        Thresholds (as probabilities) to mark with a line and a name.
    band : pair of float in [0, 1], optional
        Ends of a range of thresholds to shade.

    Returns
    -------
    Axes
    """
    cost = curve.mean_cost(costs)
    thresholds = np.concatenate([[1e-6], curve.thresholds.clip(1e-6, 1 - 1e-6)])
    # between two thresholds the upper one's decisions hold: a step that rises at its left edge
    ax.step(thresholds, np.concatenate([cost[:1], cost]), where="pre", color=BLUE)
    colours = (ORANGE, RED, GREEN, PURPLE)
    for i, (name, threshold) in enumerate((marks or {}).items()):
        ax.axvline(
            threshold,
            color=colours[i % 4],
            ls=LINES[(i + 1) % 4],
            label=f"{name} ({threshold:.2g})",
        )
    if band is not None:
        ax.axvspan(*band, color=YELLOW, alpha=0.4, lw=0, label="range of the cheapest")
    ax.set_xscale("logit")
    low = max(1e-4, float(np.quantile(thresholds, 0.02)) / 2)
    ax.set(xlim=(low, 1 - 1e-3), ylim=(0, None))
    places = [0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99]
    ax.set_xticks([x for x in places if x >= low], minor=False)
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    ax.xaxis.set_minor_formatter(lambda x, _: "")
    if marks or band:
        ax.legend(framealpha=0.85, edgecolor="none")  # it may lie on a marked line
    return _tidy(ax, "Cost at every threshold", "threshold on P(1), logit scale", "cost a message")


def reliability_diagram(bins: Mapping[str, Reliability], *, ax: Axes) -> Axes:
    """Draw observed shares against predicted probabilities (lesson 01).

    Parameters
    ----------
    bins : mapping of str to Reliability
        One line each; the size of a dot grows with the number of rows in its bin.
    ax : Axes

    Returns
    -------
    Axes
    """
    ax.plot([0, 1], [0, 1], color=GREY, ls=":", label="calibrated")
    styles = cycle(zip((BLUE, ORANGE, GREEN, RED), "os^D", LINES, strict=True))
    for (name, one), (colour, marker, line) in zip(bins.items(), styles, strict=False):
        label = f"{name} (calibration error {one.error:.3f})"
        ax.plot(one.predicted, one.observed, color=colour, ls=line, lw=1, alpha=0.7)
        ax.scatter(
            one.predicted,
            one.observed,
            s=12 + 12 * np.sqrt(one.count),
            color=colour,
            marker=marker,
            alpha=0.85,
            label=label,
        )
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.25), yticks=np.linspace(0, 1, 6))  # room above
    legend = ax.legend(frameon=False, loc="upper left")
    for handle in legend.legend_handles[1:]:
        if isinstance(handle, PathCollection):
            handle.set_sizes([40])
    return _tidy(ax, "Reliability", "mean predicted probability", "observed share of 1s")


def log_odds_reliability(
    bins: Mapping[str, Reliability], *, ax: Axes, cut: float | None = None
) -> Axes:
    """Draw observed shares with 95 % binomial intervals, both axes in log-odds (lesson 01).

    Parameters
    ----------
    bins : mapping of str to Reliability
        One colour each; bins with like numbers of rows (``strategy="mass"``) show small
        probabilities best.
    ax : Axes
    cut : float in (0, 1), optional
        A threshold to mark.

    Returns
    -------
    Axes
        A bin in which all or none are 1 has an interval and no dot.
    """
    lowest = 5e-4
    ends = np.array([lowest, 1 - lowest])
    ax.plot(ends, ends, color=GREY, ls=":", label="calibrated")
    styles = cycle(zip((BLUE, ORANGE, GREEN, RED), "os^D", strict=True))
    for (name, one), (colour, marker) in zip(bins.items(), styles, strict=False):
        x = one.predicted.clip(*ends)
        hits = np.rint(one.observed * one.count).astype(int)
        found = [
            binomtest(k, n).proportion_ci() for k, n in zip(hits, one.count.tolist(), strict=True)
        ]
        ax.vlines(x, *np.clip(np.transpose(found)[:2], *ends), color=colour, alpha=0.5)
        inside = (hits > 0) & (hits < one.count)
        ax.plot(x[inside], one.observed[inside], marker, color=colour, label=name)
    if cut is not None:
        ax.axvline(cut, color=RED, ls="--", label=f"cut ({cut:.2g})")
    ax.set(xscale="logit", yscale="logit", xlim=ends, ylim=ends)
    places = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99]
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(places)
        axis.set_major_formatter(lambda x, _: f"{x:g}")
        axis.set_minor_formatter(lambda x, _: "")
    ax.legend(frameon=False, loc="lower right")
    return _tidy(ax, "Reliability, log-odds axes", "mean predicted probability", "observed share")


def differences(table: Sequence[Mapping[str, Any]], *, ax: Axes) -> Axes:
    """Draw each rule's difference in cost to the reference with its interval.

    Parameters
    ----------
    table : sequence of mappings
        As `helpers.evaluation.report_binary` gives it.
    ax : Axes

    Returns
    -------
    Axes
    """
    for y, row in enumerate(table):
        colour = GREY if row["low"] <= 0 <= row["high"] else GREEN if row["high"] < 0 else RED
        ax.plot([row["low"], row["high"]], [y, y], color=colour, lw=2)
        ax.plot(row["difference"], y, "o", color=colour)
    ax.axvline(0, color=GREY, ls=":")
    ax.set_yticks(range(len(table)), [row["rule"] for row in table])
    ax.invert_yaxis()
    return _tidy(
        ax,
        "Difference in cost, 95 % interval",
        "difference in cost a message (left is cheaper)",
        "",
    )


def learning_curve(history: Sequence[Mapping[str, float]], *, ax: Axes) -> Axes:
    """Draw the losses after each epoch (lesson 03).

    Parameters
    ----------
    history : sequence of mappings
        As `helpers.training.fine_tune` keeps it.
    ax : Axes

    Returns
    -------
    Axes
    """
    epochs = [row["epoch"] for row in history]
    for name, colour, line in (("training_loss", GREY, "--"), ("validation_loss", BLUE, "-")):
        values = [row[name] for row in history]
        ax.plot(epochs, values, color=colour, ls=line, marker="o", label=name.replace("_", " "))
    ax.set(ylim=(0, None))
    if len(epochs) <= 10:
        ax.set_xticks(epochs)
    ax.legend(frameon=False)
    return _tidy(ax, "Learning curve", "epoch", "loss")


def co_occurrence(labels: ArrayLike, names: Sequence[str], *, ax: Axes) -> Axes:
    """Draw how often two labels stand on one message, as a share of the row's label (lesson 03).

    Parameters
    ----------
    labels : array_like of int or float, shape (n, n_labels)
        0 and 1.
    names : sequence of str, length n_labels
    ax : Axes

    Returns
    -------
    Axes
    """
    table = np.asarray(labels, dtype=np.float64)
    together = table.T @ table
    share = together / np.maximum(np.diag(together), 1)[:, None]
    np.fill_diagonal(share, np.nan)
    ax.imshow(share, cmap="cividis", vmin=0)
    for (row, column), value in np.ndenumerate(100 * share):
        if value >= 0.5:
            colour = "black" if value > 50 * np.nanmax(share) else "white"
            ax.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour, size=8)
    ax.set_xticks(range(len(names)), names, rotation=60, ha="right")
    ax.set_yticks(range(len(names)), names)
    return _tidy(ax, "% of the row's messages that also have", "also has", "has")


def label_f1(table: Sequence[Mapping[str, Any]], *, ax: Axes) -> Axes:
    """Draw each label's F1 on validation and on test beside that of always giving it (lesson 03).

    Parameters
    ----------
    table : sequence of mappings
        As `helpers.evaluation.report_each_label` gives it, with `validation`.
    ax : Axes

    Returns
    -------
    Axes
    """
    bars = (
        ("f1_always", "always given", GREY, ""),
        ("f1_validation", "validation, where the cut was chosen", ORANGE, "//"),
        ("f1", "test", BLUE, ""),
    )
    for i, (column, name, colour, hatch) in enumerate(bars):
        places = np.arange(len(table)) + 0.27 * (i - 1)
        widths = [row[column] for row in table]
        ax.barh(places, widths, 0.27, color=colour, hatch=hatch, edgecolor="white", label=name)
    ticks = [f"{row['label']} ({row['support_validation']})" for row in table]
    ax.set_yticks(range(len(table)), ticks)
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.4, -0.12))
    return _tidy(ax, "F1 of each label", "F1", "label (validation positives)")


def label_thresholds(
    thresholds: Mapping[str, Sequence[float]], names: Sequence[str], *, ax: Axes
) -> Axes:
    """Draw each label's threshold under some rules, on a logit scale (lesson 03).

    Parameters
    ----------
    thresholds : mapping of str to sequence of float in [0, 1], length n_labels
        Name of a rule to its thresholds.
    names : sequence of str, length n_labels
    ax : Axes

    Returns
    -------
    Axes
    """
    styles = cycle(zip((GREY, ORANGE, BLUE, GREEN), "|os^", strict=True))
    beside = np.linspace(-0.27, 0.27, len(thresholds))  # equal thresholds must not hide each other
    for y, (name, values), (colour, marker) in zip(
        beside, thresholds.items(), styles, strict=False
    ):
        x = np.clip(values, 1e-3, 1 - 1e-3)
        ax.plot(x, y + np.arange(len(names)), marker, color=colour, label=name, ms=5)
    ax.set_xscale("logit")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    places = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99]
    ax.set_xticks(places)
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    ax.xaxis.set_minor_formatter(lambda x, _: "")
    ax.grid(axis="y", alpha=0.3)
    ax.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.4, -0.15))
    return _tidy(ax, "A threshold for each label", "threshold, logit scale", "label")


def risk_coverage_curve(
    curves: Mapping[str, RiskCoverage],
    *,
    ax: Axes,
    marks: Mapping[str, tuple[float, float]] | None = None,
) -> Axes:
    """Draw the share of wrong answers against the share of answers (lesson 02).

    Parameters
    ----------
    curves : mapping of str to RiskCoverage
        One line each.
    ax : Axes
    marks : mapping of str to (float, float), optional
        Rules as points (coverage, risk), with a name.

    Returns
    -------
    Axes
    """
    styles = cycle(zip((BLUE, ORANGE, GREEN, RED), LINES, strict=True))
    for (name, curve), (colour, line) in zip(curves.items(), styles, strict=False):
        label = f"{name} (area {curve.aurc:.3f})"
        ax.plot(curve.coverage, curve.risk, color=colour, ls=line, label=label)
    shapes = cycle(zip((RED, PURPLE, GREEN, ORANGE), "osD^", strict=True))
    for (name, place), (colour, marker) in zip((marks or {}).items(), shapes, strict=False):
        ax.plot(*place, marker, color=colour, ms=8, label=name)
    ax.set(xlim=(0, 1.02), ylim=(0, None))
    ax.legend(frameon=False)
    return _tidy(ax, "Risk and coverage", "coverage: share answered", "risk: share wrong of these")


def intervals(table: Sequence[Mapping[str, Any]], *, ax: Axes) -> Axes:
    """Draw figures with their intervals, one line a group of texts (lesson 02).

    Parameters
    ----------
    table : sequence of mappings
        Each with ``name``, ``group``, ``value``, ``low``, ``high``; a name is a place on the
        y axis, a group a colour.
    ax : Axes

    Returns
    -------
    Axes
    """
    names = list(dict.fromkeys(row["name"] for row in table))
    groups = list(dict.fromkeys(row["group"] for row in table))
    for i, group in enumerate(groups):
        rows = [row for row in table if row["group"] == group]
        y = [names.index(row["name"]) + 0.22 * (i - (len(groups) - 1) / 2) for row in rows]
        colour, marker = (BLUE, ORANGE, GREEN, RED)[i % 4], "os^D"[i % 4]
        ax.hlines(y, [r["low"] for r in rows], [r["high"] for r in rows], color=colour, lw=2)
        ax.plot([r["value"] for r in rows], y, marker, color=colour, label=group)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(groups))
    return _tidy(ax, "Known against other, 95 % intervals", "AUROC", "")


def steps(table: Mapping[str, Sequence[str]], names: Sequence[str], *, ax: Axes) -> Axes:
    """Draw boxes that follow from one another, one column a way (lesson 00).

    Parameters
    ----------
    table : mapping of str to sequence of str
        From the first step to the last: its name, and what stands in the box of each column.
    names : sequence of str
        Of the columns.
    ax : Axes

    Returns
    -------
    Axes
    """
    for edge in ax.spines.values():
        edge.set_visible(False)
    ax.tick_params(length=0)
    ax.set(xlim=(0, len(names)), ylim=(len(table) - 0.5, -0.5))
    ax.set_xticks(np.arange(len(names)) + 0.5, names)
    ax.set_yticks(range(len(table)), list(table))
    box = {"fc": "#eef4f8", "ec": BLUE, "boxstyle": "round,pad=0.4"}
    for y, texts in enumerate(table.values()):
        for x, text in enumerate(texts):
            ax.text(x + 0.5, y, text, bbox=box, ha="center", va="center", fontsize=8, color="black")
            if y + 1 < len(table):
                ends = (x + 0.5, y + 0.7), (x + 0.5, y + 0.3)
                ax.annotate("", *ends, arrowprops={"arrowstyle": "->", "color": GREY})
    ax.set(title="From a text to an action", xlabel="shape of the labels")
    return ax
