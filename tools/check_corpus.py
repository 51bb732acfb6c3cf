"""Measure how hard the corpus is: networks, word counts, and the intents they confuse.

python -m tools.check_corpus            train with seeds 0, 1 and 2, and print
python -m tools.check_corpus --write    and put the figures into the data card
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from helpers.data import Task
from helpers.messages import CORPUS, INTENTS, OTHER, corpus_task, load_corpus
from helpers.prediction import predict_logits
from helpers.probabilities import softmax
from helpers.recipes import RECIPES
from helpers.training import fine_tune

CARD = CORPUS / "README.md"
MARKS = ("<!-- difficulty: tools/check_corpus.py writes this -->", "<!-- end of difficulty -->")


def logits_of(view: str, seed: int, texts: list[list[str]]) -> list[NDArray]:
    """Fine-tune the offline recipe of a view, and read lists of texts."""
    recipe = RECIPES[view, "offline"]
    settings = replace(recipe.settings, seed=seed)
    tuned = fine_tune(recipe.load_task(), recipe.checkpoint, settings, progress=False)
    return [predict_logits(tuned.model, tuned.tokenizer, part) for part in texts]


def word_counts(task: Task) -> Pipeline:
    """Fit a logistic regression on word counts; for topics, weighted ones, as lesson 03 does."""
    if task.kind == "multilabel":
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        head = OneVsRestClassifier(LogisticRegression(C=30, class_weight="balanced"))
    else:
        words = CountVectorizer(ngram_range=(1, 2), min_df=1, binary=True)
        head = LogisticRegression(max_iter=2000)
    return make_pipeline(words, head).fit(task.train.texts, task.train.labels)


def from_intent(task: Task) -> tuple[float, float]:
    """Say what the true intent alone tells: urgent AUROC, or topic micro-F1 and set accuracy."""
    train, test = task.train, task.test
    groups = {i: train.labels[(train.rows["intent"] == i).to_numpy()] for i in INTENTS + OTHER[:1]}
    if task.kind == "binary":
        scores = test.rows["intent"].map({i: y.mean() for i, y in groups.items()})
        return float(roc_auc_score(test.labels, scores)), float("nan")
    commonest = {i: Counter(map(tuple, y)).most_common(1)[0][0] for i, y in groups.items()}
    predicted = np.array(test.rows["intent"].map(commonest).tolist())
    f1 = np.array(test.rows["intent"].map({i: y.mean(axis=0) >= 0.4 for i, y in groups.items()}))
    return (
        float(f1_score(test.labels, np.array(f1.tolist()), average="micro")),
        float((predicted == test.labels).all(axis=1).mean()),
    )


def confused(predicted: NDArray, labels: NDArray) -> Counter[tuple[str, str]]:
    """Count the pairs of intents that are taken for each other, in either direction.

    Examples
    --------
    >>> confused(np.array([1, 0, 2]), np.array([0, 1, 2])).most_common()
    [(('missed_collection', 'new_bin'), 2)]
    """
    pairs = ((i, j) for i, j in zip(predicted, labels, strict=True) if i != j)
    return Counter((INTENTS[min(pair)], INTENTS[max(pair)]) for pair in pairs)


def spread(values: list[float]) -> str:
    """Write figures of several seeds as least to greatest.

    Examples
    --------
    >>> spread([0.912, 0.904]), spread([0.5])
    ('0.904 to 0.912', '0.500')
    """
    low, high = f"{min(values):.3f}", f"{max(values):.3f}"
    return low if low == high else f"{low} to {high}"


def measure(seeds: list[int]) -> str:
    """Train and describe, as Markdown."""
    rows = load_corpus()["test"].to_pandas()
    others = [
        rows.loc[rows["intent"] == len(INTENTS) + k, "text"].tolist() for k in range(len(OTHER))
    ]
    intent, urgent, topics = (corpus_task(view) for view in ("intent", "urgent", "topics"))
    found: dict[str, list[float]] = {
        name: [] for name in ("intent", "near", "far", "urgent", "topics")
    }
    pairs: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        known, *unknown = logits_of("intent", seed, [list(intent.test.texts), *others])
        predicted = known.argmax(axis=1)
        found["intent"].append(float((predicted == intent.test.labels).mean()))
        pairs += confused(predicted, intent.test.labels)
        sure = softmax(known).max(axis=1)
        for name, logits in zip(("near", "far"), unknown, strict=True):
            other = softmax(logits).max(axis=1)
            is_known = np.repeat([1, 0], [len(sure), len(other)])
            found[name].append(float(roc_auc_score(is_known, np.concatenate([sure, other]))))
        (z,) = logits_of("urgent", seed, [list(urgent.test.texts)])
        found["urgent"].append(float(roc_auc_score(urgent.test.labels, z[:, 1] - z[:, 0])))
        (z,) = logits_of("topics", seed, [list(topics.test.texts)])
        found["topics"].append(float(f1_score(topics.test.labels, z >= 0, average="micro")))

    counted = {task.name: word_counts(task) for task in (intent, urgent, topics)}
    accuracy = counted[intent.name].score(intent.test.texts, intent.test.labels)
    p_urgent = counted[urgent.name].predict_proba(urgent.test.texts)[:, 1]
    said = counted[topics.name].predict(topics.test.texts)
    f1, same_set = from_intent(topics)
    table = [
        ("intent: accuracy", spread(found["intent"]), f"{accuracy:.3f}", ""),
        ("other_near against known, by largest softmax: AUROC", spread(found["near"]), "", ""),
        ("other_far against known, by largest softmax: AUROC", spread(found["far"]), "", ""),
        (
            "urgent: AUROC",
            spread(found["urgent"]),
            f"{roc_auc_score(urgent.test.labels, p_urgent):.3f}",
            f"{from_intent(urgent)[0]:.3f}",
        ),
        (
            "urgent: AUROC from the number of words alone",
            "",
            f"{roc_auc_score(urgent.test.labels, [len(t.split()) for t in urgent.test.texts]):.3f}",
            "",
        ),
        (
            "topics: micro-F1 at 0.5",
            spread(found["topics"]),
            f"{f1_score(topics.test.labels, said, average='micro'):.3f}",
            f"{f1:.3f}",
        ),
        ("topics: the whole set right", "", "", f"{same_set:.3f}"),
    ]
    lines = [
        "| on the test part | network | word counts | true intent alone |",
        "|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(row)} |" for row in table]
    lines += ["", "| taken for each other | times |", "|---|---|"]
    lines += [f"| `{a}`, `{b}` | {n} |" for (a, b), n in pairs.most_common(10)]
    n_test = len(intent.test) * len(seeds)
    lines += ["", f"Times among {n_test:,} answers (seeds {', '.join(map(str, seeds))})."]
    return "\n".join(lines)


def put(text: str, card: str) -> str:
    """Replace what stands between the marks of the card.

    Examples
    --------
    >>> put("new", f"a{MARKS[0]}old{MARKS[1]}b").splitlines()[1:3]
    ['', 'new']
    """
    start, end = map(re.escape, MARKS)
    replaced, n = re.subn(
        f"{start}.*?{end}", lambda _: f"{MARKS[0]}\n\n{text}\n\n{MARKS[1]}", card, flags=re.DOTALL
    )
    if n != 1:
        raise ValueError(f"the card must hold {MARKS[0]} and {MARKS[1]} once, found {n}")
    return replaced


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the figures into the data card")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    text = measure(arguments.seeds)
    print(text)
    if arguments.write:
        CARD.write_text(put(text, CARD.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
