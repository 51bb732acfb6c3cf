"""What a trained system reaches on a test part, and whether its promises hold there."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline

from helpers.decisions import BinaryThreshold, Costs, LabelThresholds, PredictionSets, RejectOption
from helpers.evaluation import label_scores, separation
from helpers.intervals import paired_bootstrap, paired_bootstrap_f1
from helpers.probabilities import MEASURES

DRAWS = 200
Figures = dict[str, Any]


def rounded(values: Any) -> Any:
    """Round every number of a figure to four places."""
    if isinstance(values, dict):
        return {name: rounded(value) for name, value in values.items()}
    if isinstance(values, tuple | list):
        return [rounded(value) for value in values]
    return round(float(values), 4) if isinstance(values, float | np.floating) else values


def word_counts(texts: list[str], labels: NDArray, costs: Costs) -> Any:
    """Fit scikit-learn's tuned classifier: tf-idf, logistic regression, the cut of least cost."""
    saved = make_scorer(lambda true, said: -costs.of(true, said).mean())
    words = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        LogisticRegression(C=10, max_iter=1000),
    )
    return TunedThresholdClassifierCV(words, scoring=saved, thresholds=500).fit(texts, labels)


def binary_figures(
    z: NDArray, labels: NDArray, rule: BinaryThreshold, costs: Costs, other: NDArray
) -> Figures:
    """Compare the cost of a tuned cut with that of 0.5, and with what another classifier said."""
    said = {
        "tuned": rule.decide(z),
        "half": BinaryThreshold.from_threshold(0.5).decide(z),
        "scikit_learn": other,
    }
    paid = {name: costs.of(labels, one) for name, one in said.items()}
    figures: Figures = {f"cost_{name}": float(one.mean()) for name, one in paid.items()}
    for name in ("half", "scikit_learn"):
        rng = np.random.default_rng(0)
        figures[f"difference_to_{name}"] = paired_bootstrap(paid["tuned"], paid[name], rng=rng)
    hit = said["tuned"][labels == 1]
    return figures | {
        "positives": int((labels == 1).sum()),
        "found": int(hit.sum()),
        "false_alarms": int(said["tuned"][labels == 0].sum()),
    }


def label_figures(z: NDArray, labels: NDArray, rule: LabelThresholds) -> Figures:
    """Score cuts for many labels beside 0.5."""
    half = LabelThresholds.from_thresholds(0.5, label_names=rule.label_names)
    kept = ("micro_f1", "macro_f1", "jaccard")
    scores, plain = (label_scores(labels, one.decide(z)) for one in (rule, half))
    figures: Figures = {name: scores[name] for name in kept}
    return figures | {f"{name}_at_half": plain[name] for name in kept}


def macro_figures(
    z: NDArray, labels: NDArray, rule: LabelThresholds, *, average: str = "macro"
) -> Figures:
    """Give F1 with the cuts of a rule, and how much it gains over 0.5, with an interval."""
    half = LabelThresholds.from_thresholds(0.5, label_names=rule.label_names)
    one, other = rule.decide(z), half.decide(z)
    gain = paired_bootstrap_f1(
        labels,
        one,
        other,
        rng=np.random.default_rng(0),
        average=average,  # type: ignore[arg-type]
    )
    return {
        "macro_f1": label_scores(labels, one)["macro_f1"],
        "macro_f1_at_half": label_scores(labels, other)["macro_f1"],
        "gain": gain,
        "fell_back": len(rule.chosen.get("fell_back", ())),
    }


def reject_threshold(rule: RejectOption, z: NDArray, labels: NDArray, *, accuracy: float) -> float:
    """Take the highest cut that still answers so many of all messages, and rightly.

    By a standard error more than that, so that a test part keeps it too, where the network is good
    enough. Only messages that have a label choose the cut.
    """
    sure = rule.confidence(z)
    right = np.sort(sure[z.argmax(axis=1) == labels])[::-1]
    error = np.sqrt(accuracy * (1 - accuracy) / len(labels))
    for wanted in (accuracy + error, accuracy):
        needed = int(np.ceil(wanted * len(labels)))
        if needed <= len(right):
            return float(right[needed - 1])
    return float(sure.min())


def reject_figures(z: NDArray, labels: NDArray, rule: RejectOption) -> Figures:
    """Give the share of the known that is answered rightly, and of the unknown that is rejected."""
    known = labels < z.shape[1]
    said, sure = rule.decide(z), rule.confidence(z)
    return {
        "in_scope_accuracy": float((said == labels)[known].mean()),
        "oos_recall": float((said == z.shape[1])[~known].mean()),
        "accuracy_without_reject": float((z.argmax(axis=1) == labels)[known].mean()),
        "auroc": separation(sure[known], sure[~known]).auroc,
        "auroc_by_measure": auroc_by_measure(z[known], z[~known]),
    }


def auroc_by_measure(known: NDArray, unknown: NDArray) -> Figures:
    """Tell how well each measure of confidence tells the logits of the known from the others."""
    return {
        measure: separation(*(_confidence(z, measure) for z in (known, unknown))).auroc
        for measure in MEASURES
    }


def _confidence(z: NDArray, measure: Any) -> NDArray:
    names = tuple(map(str, range(z.shape[1])))
    return RejectOption(cut=0.0, measure=measure, label_names=names).confidence(z)


# Promises


def exceedances(
    choose: Callable[[NDArray[np.intp]], Any],
    broken: Callable[[Any], bool],
    *,
    n: int,
    n_chosen: int,
    confidence_level: float,
) -> Figures:
    """Choose a rule on random rows of a test bed, and count how often its promise is broken there.

    The rows are the whole world of this test: rows are drawn from it one by one, with replacement,
    as the promise supposes, and the rule meets all of it.

    Parameters
    ----------
    choose : callable
        Takes the numbers of the drawn rows, gives a rule, or raises ValueError where they are too
        few to promise.
    broken : callable
        Tells whether a rule breaks its promise on all rows.
    n, n_chosen : int
        Rows there are, rows that a draw takes.
    confidence_level : float

    Returns
    -------
    dict
        ``draws``, ``refused``, ``broken``, and the most that may be ``broken`` by chance: the
        99.9 % point of the binomial.
    """
    from scipy.stats import binom

    rng = np.random.default_rng(0)
    refused = found = 0
    for _ in range(DRAWS):
        rows = rng.integers(0, n, n_chosen)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rule = choose(rows)
        except ValueError:
            refused += 1
            continue
        found += broken(rule)
    most = int(binom.ppf(0.999, DRAWS, 1 - confidence_level))
    return {"draws": DRAWS, "refused": refused, "broken": found, "most_by_chance": most}


def recall_promise(z: NDArray, labels: NDArray, *, floor: float = 0.9) -> Figures:
    """Promise a recall on half of the rows, 200 times."""

    def choose(rows: NDArray[np.intp]) -> BinaryThreshold:
        return BinaryThreshold.choose(
            z[rows], labels[rows], min_recall=floor, confidence_level=0.95
        )

    def broken(rule: BinaryThreshold) -> bool:
        return bool(rule.decide(z)[labels == 1].mean() < floor)

    size = {"n": len(z), "n_chosen": len(z) // 2}
    return {"floor": floor} | exceedances(choose, broken, **size, confidence_level=0.95)


def risk_promise(z: NDArray, labels: NDArray, *, n_chosen: int, risk: float = 0.02) -> Figures:
    """Promise a risk on some of the rows, 200 times."""

    def choose(rows: NDArray[np.intp]) -> RejectOption:
        return RejectOption.choose(z[rows], labels[rows], max_risk=risk, confidence_level=0.95)

    def broken(rule: RejectOption) -> bool:
        said = rule.decide(z)
        answered = said < z.shape[1]
        return bool((said != labels)[answered].mean() > risk)

    size = {"n": len(z), "n_chosen": n_chosen}
    return {"risk": risk} | exceedances(choose, broken, **size, confidence_level=0.95)


def set_promise(z: NDArray, labels: NDArray, *, n_chosen: int, coverage: float = 0.9) -> Figures:
    """Choose sets on some of the rows, 200 times: mean coverage of the others, its own error."""
    rng = np.random.default_rng(0)
    held, sizes = [], []
    for _ in range(DRAWS):
        rows = rng.permutation(len(z))
        mine, others = rows[:n_chosen], rows[n_chosen:]
        rule = PredictionSets.choose(z[mine], labels[mine], coverage=coverage)
        named = rule.decide(z[others])
        held.append(named[np.arange(len(others)), labels[others]].mean())
        sizes.append(named.sum(axis=1).mean())
    error = float(np.std(held, ddof=1) / np.sqrt(DRAWS))
    return {
        "asked": coverage,
        "draws": DRAWS,
        "mean_coverage": float(np.mean(held)),
        "standard_error": error,
        "mean_labels": float(np.mean(sizes)),
    }
