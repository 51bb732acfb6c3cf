"""Claims about helpers.data: what the packaged corpus is, and what tables must be."""

import hashlib
import re
from collections import Counter
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from helpers.data import SPLITS, hub_label_task, hub_task, label_table_task, table_task
from helpers.messages import (
    COLUMNS,
    CORPUS,
    FAMILIES,
    INTENTS,
    OTHER,
    TOPICS,
    check_messages,
    corpus_task,
    load_corpus,
    read_messages,
)
from helpers.splits import stratified_split


@pytest.fixture(scope="module")
def corpus():
    """The packaged corpus as it is loaded."""
    return load_corpus()


@pytest.fixture(scope="module")
def rows(corpus):
    """All messages in one table, with names for indices and the words of each text."""
    table = pd.concat([corpus[s].to_pandas().assign(split=s) for s in SPLITS], ignore_index=True)
    return table.assign(
        intent=[(INTENTS + OTHER)[i] for i in table["intent"]],
        words=[re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.casefold()) for text in table["text"]],
    )


@pytest.fixture(scope="module")
def near(rows):
    """The messages without `other_far`: those that look like the desk's."""
    return rows[rows["intent"] != "other_far"]


# The packaged corpus


def test_corpus_has_three_label_views(corpus):
    """The loader gives a DatasetDict of three splits with the documented features."""
    assert isinstance(corpus, datasets.DatasetDict) and tuple(corpus) == SPLITS
    for part in corpus.values():
        kinds = part.features
        assert list(kinds) == ["id", "text", "urgent", "intent", "topics", "tone"]
        assert kinds["urgent"] == datasets.ClassLabel(names=["no", "yes"])
        assert kinds["intent"] == datasets.ClassLabel(names=[*INTENTS, *OTHER])
        assert kinds["intent"].num_classes == 51
        assert kinds["topics"] == datasets.List(datasets.ClassLabel(names=list(TOPICS)))
        assert kinds["topics"].feature.num_classes == 12


def test_label_lists_are_whole():
    """Seven families of seven intents make 49 names, all different; there are 12 topics."""
    assert [len(family) for family in FAMILIES.values()] == [7] * 7
    assert len(set(INTENTS + OTHER)) == 51 and len(set(TOPICS)) == 12


def test_splits_share_no_message(rows):
    """No id and, letter case and spaces aside, no text occurs twice in the whole corpus."""
    assert rows["id"].is_unique
    folded = rows["text"].map(lambda text: " ".join(text.casefold().split()))
    assert folded[folded.duplicated(keep=False)].tolist() == []


def test_intents_have_like_numbers(rows):
    """Each of the 49 intents has 44 to 46 train, 12 validation and 19 test messages."""
    table = pd.crosstab(rows["intent"], rows["split"]).loc[list(INTENTS)]
    assert table["train"].between(44, 46).all()
    assert (table["validation"] == 12).all() and (table["test"] == 19).all()


def test_urgent_messages_are_rare_but_not_too_few(near):
    """Between 8 and 12 % are urgent, at least 40 in validation and 50 in test."""
    assert 0.08 <= near["urgent"].mean() <= 0.12
    found = near.groupby("split")["urgent"].sum()
    assert found["validation"] >= 40 and found["test"] >= 50


def test_tone_does_not_give_urgency_away(near):
    """A third of the urgent ones or more are understated; alarming ones outnumber them twice."""
    urgent = near["urgent"] == 1
    assert (near.loc[urgent, "tone"] == "understated").mean() >= 1 / 3
    assert (near["tone"] == "alarming").sum() >= 2 * urgent.sum()


@pytest.mark.parametrize("split", SPLITS)
def test_length_says_little_about_urgency(near, split):
    """From the number of words alone the AUROC of urgent against harmless is near .5."""
    part = near[near["split"] == split]
    assert 0.4 <= roc_auc_score(part["urgent"], part["words"].map(len)) <= 0.6


def test_topics_are_one_or_two(near):
    """A message has 1.3 to 1.9 topics on average, and 3 to 7 % have none."""
    n_topics = near["topics"].map(len)
    assert 1.3 <= n_topics.mean() <= 1.9
    assert 0.03 <= (n_topics == 0).mean() <= 0.07


def test_test_messages_are_new(rows):
    """Under 1 % of the test messages share over .7 of their word set with another split's."""
    bags = [set(words) for words in rows["words"]]
    index = {word: i for i, word in enumerate(sorted(set().union(*bags)))}
    pairs = [(n, index[word]) for n, bag in enumerate(bags) for word in bag]
    held = csr_array((np.ones(len(pairs)), np.array(pairs).T), shape=(len(rows), len(index)))
    size, test = held.sum(axis=1), (rows["split"] == "test").to_numpy()
    shared = (held[test] @ held[~test].T).toarray()
    jaccard = shared / (size[test][:, None] + size[~test] - shared)
    assert (jaccard.max(axis=1) > 0.7).mean() < 0.01


def test_no_phrase_comes_back_often(rows):
    """No five words in a row occur in .5 % of the messages, no opening of three in over 1.5 %."""
    phrases, openings = Counter(), Counter()
    for words in rows["words"]:
        phrases.update({tuple(words[i : i + 5]) for i in range(len(words) - 4)})
        openings[tuple(words[:3])] += 1
    phrase, opening = phrases.most_common(1)[0], openings.most_common(1)[0]
    assert phrase[1] < 0.005 * len(rows), phrase
    assert opening[1] <= 0.015 * len(rows), opening


def test_vocabulary_is_rich(rows):
    """The 49 intents use at least 4,500 different words."""
    assert len(set(rows.loc[rows["intent"].isin(INTENTS), "words"].explode())) >= 4500


def test_corpus_is_small():
    """The corpus and its description take less than a megabyte."""
    files = [f for f in CORPUS.iterdir() if f.suffix in (".csv", ".md")]
    assert sum(f.stat().st_size for f in files) < 10**6


# The corpus format


def messages(**columns):
    """Give six sound messages, two a split, with some columns replaced."""
    table = pd.DataFrame(
        {
            "id": [f"m{i}" for i in range(6)],
            "text": [f"Message number {i}" for i in range(6)],
            "urgent": ["0", "1"] * 3,
            "intent": ["new_bin", "water_leak", "other_far"] * 2,
            "topics": ["waste", "home;water", ""] * 2,
            "tone": ["plain", "understated", "alarming"] * 2,
            "split": ["train", "train", "validation", "validation", "test", "test"],
        }
    )
    return table.assign(**columns)


def with_first(column, value):
    """Six messages, the first with another value in one column."""
    return messages(**{column: [value, *messages()[column][1:]]})


def test_sound_messages_pass():
    """Messages in the corpus format are accepted."""
    assert check_messages(messages()) is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (with_first("text", "  "), "empty text: m0"),
        (with_first("id", ""), "empty id: row 0"),
        (with_first("urgent", "yes"), r"urgent outside its list \('yes'\): m0"),
        (with_first("intent", "new_bins"), r"intent outside its list \('new_bins'\): m0"),
        (with_first("tone", ""), r"tone outside its list \(''\): m0"),
        (with_first("split", "dev"), r"split outside its list \('dev'\): m0"),
        (with_first("topics", "waste;bins"), r"topics outside their list \('bins'\): m0"),
        (with_first("topics", "waste;"), r"topics outside their list \(''\): m0"),
        (with_first("topics", "home;home"), "topic named twice: m0"),
        (with_first("id", "m1"), "id twice in a split: m1, m1"),
        (with_first("id", "m5"), "id in two splits: m5, m5"),
        (messages(text=""), "empty text: m0, m1, m2, m3, m4 and 1 more"),
        (messages(note="x"), "note"),
    ],
)
def test_each_fault_is_named(table, words):
    """Each fault is named with the messages that it was found at."""
    with pytest.raises(ValueError, match=words):
        check_messages(table)


@pytest.mark.parametrize("column", COLUMNS)
def test_each_missing_column_is_named(column):
    """A table without one of the columns is refused by its name."""
    with pytest.raises(ValueError, match=f"columns missing: {column}; unknown: none; expected "):
        check_messages(messages().drop(columns=column))


def test_all_faults_come_at_once():
    """Several faults stand in one error, a line each."""
    table = messages(id=["m5", *messages()["id"][1:]], urgent="2", text="", topics="sky")
    with pytest.raises(ValueError, match="not in the corpus format") as caught:
        check_messages(table)
    lines = str(caught.value).splitlines()[1:]
    starts = ["id in two", "empty text", "urgent outside", "topics outside"]
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == starts


def test_messages_are_read_as_they_were_written(tmp_path):
    """Files are read in the order of their names, with commas, quotes and empty cells intact."""
    table = messages(text=['A "quote", a comma', "Übergröße", "NA", "null", "5", "a\nb"])
    table[3:].to_csv(tmp_path / "b.csv", index=False)
    table[:3].to_csv(tmp_path / "a.csv", index=False)
    pd.testing.assert_frame_equal(read_messages(tmp_path).astype(object), table.astype(object))


def test_empty_folder_is_refused(tmp_path):
    """A folder without .csv files is named in the error."""
    with pytest.raises(ValueError, match=f"messages in {re.escape(str(tmp_path))}, found none"):
        read_messages(tmp_path)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_missing_in_one_file_is_named(tmp_path, column):
    """A second file that lacks a column is refused by the column's name."""
    table = messages()
    table[:3].to_csv(tmp_path / "a.csv", index=False)
    table[3:].drop(columns=column).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(ValueError, match=rf"\b{column}\b"):
        read_messages(tmp_path)


def test_faulty_files_do_not_load(tmp_path):
    """The loader and the views check the files too."""
    with_first("intent", "bins").to_csv(tmp_path / "a.csv", index=False)
    for load in (load_corpus, lambda folder: corpus_task("urgent", folder=folder)):
        with pytest.raises(ValueError, match="intent outside its list"):
            load(tmp_path)


# Tasks


@pytest.mark.parametrize(
    ("view", "kind", "dtype", "columns", "kept"),
    [
        ("urgent", "binary", np.int64, (), (*INTENTS, "other_near")),
        ("intent", "multiclass", np.int64, (), INTENTS),
        ("topics", "multilabel", np.float32, (12,), (*INTENTS, "other_near")),
    ],
)
def test_views_of_the_corpus(rows, view, kind, dtype, columns, kept):
    """Each view has its kind, its label names, and a label for each message that it keeps."""
    task = corpus_task(view)
    assert (task.name, task.kind) == (f"corpus/{view}", kind)
    assert len(task.label_names) == {"urgent": 2, "intent": 49, "topics": 12}[view]
    known = rows[rows["intent"].isin(kept)]
    for split in SPLITS:
        part, expected = getattr(task, split), known[known["split"] == split]
        assert part.labels.dtype == dtype and part.labels.shape == (len(part), *columns)
        assert part.texts == tuple(expected["text"]) == tuple(part.rows["text"])
        if view == "topics":
            wanted = [[i in topics for i in range(12)] for topics in expected["topics"]]
        elif view == "intent":
            wanted = expected["intent"].map(INTENTS.index)
        else:
            wanted = expected["urgent"]
        np.testing.assert_array_equal(part.labels, wanted)


def test_unknown_view():
    """There are three views and no other."""
    with pytest.raises(ValueError, match="one of urgent, intent, topics, got 'tone'"):
        corpus_task("tone")


@pytest.mark.parametrize("n", [1, 100])
def test_with_fewer_keeps_a_part_of_the_training_texts(n):
    """Some training texts are kept with their labels; validation and test stay."""
    task = corpus_task("urgent")
    fewer = task.with_fewer(n, seed=3)
    assert len(fewer.train) == len(set(fewer.train.texts)) == n
    assert fewer.validation is task.validation and fewer.test is task.test
    label_of = dict(zip(task.train.texts, task.train.labels, strict=True))
    assert [label_of[text] for text in fewer.train.texts] == fewer.train.labels.tolist()
    assert fewer.train.texts == tuple(fewer.train.rows["text"])
    assert fewer.train.texts == task.with_fewer(n, seed=3).train.texts
    assert fewer.train.texts != task.with_fewer(n, seed=4).train.texts


def test_with_fewer_refuses_other_numbers():
    """One text at least, and no more than there are."""
    task = corpus_task("urgent")
    for n in (0, -1, len(task.train) + 1):
        with pytest.raises(ValueError, match=f"between 1 and {len(task.train)}, got {n}"):
            task.with_fewer(n)
    assert len(task.with_fewer(len(task.train)).train) == len(task.train)


def own_table(n=100, names=("no", "yes"), **columns):
    """A table of one's own, the labels in turn."""
    label = [names[i % len(names)] for i in range(n)]
    table = pd.DataFrame({"text": [f"text {i}" for i in range(n)], "label": label})
    return table.assign(**columns)


def test_table_with_its_own_split():
    """A column of splits is followed, and indices follow the sorted labels."""
    part_of = ["train"] * 60 + ["validation"] * 10 + ["test"] * 30
    task = table_task(own_table(part=part_of), name="mine", split="part")
    assert (task.name, task.kind, task.label_names) == ("mine", "binary", ("no", "yes"))
    assert [len(getattr(task, s)) for s in SPLITS] == [60, 10, 30]
    assert task.test.texts[0] == "text 70"
    assert task.test.labels.tolist() == [0, 1] * 15 and task.test.labels.dtype == np.int64


def test_table_is_split_in_like_shares():
    """Each label goes to the three parts in its shares; every row goes somewhere, once."""
    table = own_table(300, names=("a", "b", "b", "c", "c", "c"))
    task = table_task(table, name="mine", validation=0.1, test=0.3, seed=1)
    assert task.kind == "multiclass"
    counts = {s: np.bincount(getattr(task, s).labels).tolist() for s in SPLITS}
    assert counts == {"train": [30, 60, 90], "validation": [5, 10, 15], "test": [15, 30, 45]}
    texts = [text for s in SPLITS for text in getattr(task, s).texts]
    assert sorted(texts) == sorted(table["text"])
    again = table_task(table, name="mine", validation=0.1, test=0.3, seed=1)
    other = table_task(table, name="mine", validation=0.1, test=0.3, seed=2)
    assert again.train.texts == task.train.texts != other.train.texts


def test_table_index_does_not_matter():
    """Rows are taken by place: a table cut out of another works the same."""
    table = own_table()
    moved = table.set_index(np.arange(100)[::-1] + 7)
    assert table_task(moved, name="a").test.texts == table_task(table, name="a").test.texts


def test_copies_of_a_text_share_a_part():
    """A text that occurs twice, letter case and spaces aside, is never in two parts."""
    table = own_table()
    table = pd.concat([table, table.assign(text=table["text"].str.upper() + " ")])
    task = table_task(table, name="mine", seed=3)
    parts = [{t.casefold().strip() for t in getattr(task, s).texts} for s in SPLITS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(table) / 2


def test_label_list_gives_order_and_size():
    """A list of labels sets the indices, also for a label that does not occur."""
    task = table_task(own_table(), name="mine", label_names=["yes", "maybe", "no"])
    assert task.kind == "multiclass" and task.label_names == ("yes", "maybe", "no")
    assert set(task.train.labels) == {0, 2}


def test_other_column_names():
    """Text and label may have names of their own; whole-number labels become names."""
    table = pd.DataFrame({"sms": [f"t{i}" for i in range(20)], "spam": [0, 1] * 10})
    assert table_task(table, name="sms", text="sms", label="spam").label_names == ("0", "1")


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        (own_table().drop(columns="label"), {}, "columns missing: label; found text"),
        (own_table(), {"text": "body", "split": "part"}, "columns missing: body, part"),
        (own_table(text=["a", " ", None, "b"] * 25), {}, "50 empty texts, first in row 1"),
        (own_table(), {"label_names": ["no", "maybe"]}, "outside the list: 'yes'; the list is"),
        (own_table(label=["no", None] * 50), {}, "50 rows without a label, first in row 1"),
        (own_table(label=["no", "yes", None, "no"] * 25), {}, "label"),
        (own_table(names=("no",)), {}, "two different labels or more, got"),
        (own_table(part="train"), {"split": "part"}, "the part validation is empty"),
        (own_table(part="dev"), {"split": "part"}, "part must be one of .*, got 'dev'"),
        (own_table(4), {}, "the part validation is empty"),
        (own_table(), {"validation": 0.0}, "shares above 0 with a sum below 1, got 0.0 and 0.2"),
        (own_table(), {"validation": 0.5, "test": 0.5}, "shares above 0 with a sum below 1"),
    ],
)
def test_table_refuses(table, options, words):
    """Each fault of a table or its options is refused in words that name it."""
    with pytest.raises(ValueError, match=words):
        table_task(table, name="mine", **options)


# The Hub, without a network


def on_the_hub(monkeypatch, labels, splits=SPLITS, kind=None):
    """Stand in for the Hub: a data set with these labels in each split."""
    kind = kind or datasets.ClassLabel(names=["ham", "spam"])
    features = datasets.Features({"text": datasets.Value("string"), "label": kind})
    calls = []

    def load(repository, configuration, *, revision):
        calls.append((repository, configuration, revision))
        return datasets.DatasetDict(
            {
                s: datasets.Dataset.from_dict(
                    {"text": [f"{s} {i}" for i in range(len(labels))], "label": labels},
                    features=features,
                )
                for s in splits
            }
        )

    monkeypatch.setattr(datasets, "load_dataset", load)
    return calls


def test_hub_task_keeps_three_splits(monkeypatch):
    """A data set with the three parts is taken as it is, at the given commit."""
    calls = on_the_hub(monkeypatch, [0, 1, 1])
    task = hub_task("owner/name", revision="abc", configuration="plain")
    assert calls == [("owner/name", "plain", "abc")]
    assert task.label_names == ("ham", "spam") and task.kind == "binary"
    assert task.validation.texts == ("validation 0", "validation 1", "validation 2")
    assert task.validation.labels.tolist() == [0, 1, 1]


def test_hub_task_splits_what_has_no_three_parts(monkeypatch):
    """A data set without a validation part is split at random, none of its rows lost."""
    on_the_hub(monkeypatch, [0, 1] * 25, splits=("train", "test"))
    task = hub_task("owner/name", revision="abc")
    assert [len(getattr(task, s)) for s in SPLITS] == [60, 20, 20]


def test_hub_task_needs_class_labels(monkeypatch):
    """A label column that is no ClassLabel is refused by name."""
    on_the_hub(monkeypatch, [0, 1], kind=datasets.Value("int64"))
    with pytest.raises(ValueError, match="no ClassLabel column 'label'"):
        hub_task("owner/name", revision="abc")


def test_hub_task_takes_labels_that_are_names(monkeypatch):
    """Labels that are text give the names that occur, sorted; an unlabelled row is refused."""
    on_the_hub(monkeypatch, ["spam", "ham", "spam"], kind=datasets.Value("string"))
    task = hub_task("owner/name", revision="abc")
    assert task.label_names == ("ham", "spam") and task.test.labels.tolist() == [1, 0, 1]
    on_the_hub(monkeypatch, ["spam", "ham", None], kind=datasets.Value("string"))
    with pytest.raises(ValueError, match="3 rows without a label"):
        hub_task("owner/name", revision="abc")


def test_hub_task_refuses_rows_without_a_label(monkeypatch):
    """A label of -1, the Hub's mark for an unlabelled row, is not taken for the last class."""
    on_the_hub(monkeypatch, [0, 1, -1])
    with pytest.raises(ValueError, match="label"):
        hub_task("owner/name", revision="abc")


def second_reading():
    """Give the corpus rows and the second reader's labels of 400 random messages, side by side."""
    second = pd.read_csv(
        Path(__file__).parent / "second_reading.csv", dtype=str, keep_default_na=False
    ).set_index("id")
    first = read_messages().set_index("id").loc[second.index]
    digests = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in first["text"]]
    assert digests == second["text_sha256"].tolist(), "these are not the texts that were read"
    return first, second


@pytest.mark.parametrize("view", ["urgent", "intent"])
def test_a_second_reader_agrees(view):
    """Of 400 random messages, read blind, Cohen's kappa is at least .85 for urgent and intent."""
    first, second = second_reading()
    assert len(second) == 400
    assert cohen_kappa_score(first[view], second[view]) >= 0.85


def test_a_second_reader_agrees_on_topics():
    """Cohen's kappa over all pairs of message and topic is at least .85."""
    marks = [
        [t in cell.split(";") for cell in part["topics"] for t in TOPICS]
        for part in second_reading()
    ]
    assert cohen_kappa_score(*marks) >= 0.85
    differs = np.any(np.reshape(marks[0], (400, -1)) != np.reshape(marks[1], (400, -1)), axis=1)
    assert 1 / 8 < differs.mean() < 1 / 5, "the data card says about one in six"


# Many labels


def rare_labels(seed, n=60):
    """Draw a table with common labels and ones with 3 to 6 rows, and rows without a label."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 6)) < [0.4, 0.3, 0.1, 0.0, 0.0, 0.0]).astype(int)
    for k in (3, 4, 5):
        labels[rng.choice(n, rng.integers(3, 7), replace=False), k] = 1
    return labels


def sound(labels, part, shares):
    """Tell whether sizes are within 1, and each label with enough rows is in every part."""
    sizes = np.bincount(part, minlength=len(shares))
    close = np.all(np.abs(sizes - np.array(shares) * len(part)) <= 1)
    enough = labels.sum(axis=0) >= len(shares)
    placed = np.all([labels[part == p].any(axis=0) for p in range(len(shares))], axis=0)
    return close and placed[enough].all()


@pytest.mark.parametrize("shares", [(0.6, 0.2, 0.2), (0.7, 0.3), (0.9, 0.05, 0.05)])
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.filterwarnings("ignore:these labels are missing")
def test_stratified_split_places_rare_labels(seed, shares):
    """Sizes are within 1 of their shares, and labels with as many rows as parts are in each."""
    labels = rare_labels(seed)
    part = stratified_split(labels, shares, seed=seed)
    assert sound(labels, part, shares)
    assert np.array_equal(part, stratified_split(labels, shares, seed=seed))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore:these labels are missing")
def test_stratified_split_finds_a_split_where_there_is_one(seed):
    """On tiny tables it leaves as few gaps as the best of all splits of those sizes."""
    rng = np.random.default_rng(seed)
    labels = rng.random((6, 4)) < 0.5
    enough = labels.sum(axis=0) >= 3

    def gaps(part):
        return sum((~labels[part == p].any(axis=0))[enough].sum() for p in range(3))

    best = 9
    for code in range(3**6):
        part = np.array([code // 3**i % 3 for i in range(6)])
        if np.all(np.abs(np.bincount(part, minlength=3) - 2) <= 1):
            best = min(best, gaps(part))
    assert gaps(stratified_split(labels, (1 / 3, 1 / 3, 1 / 3), seed=seed)) == best


def test_a_large_table_is_split_without_gaps():
    """20,000 rows with 60 labels, ten of them with 1 to 10 rows: each that can be placed is."""
    rng = np.random.default_rng(0)
    labels = rng.random((20_000, 60)) < rng.beta(0.5, 8, 60)
    for k in range(10):
        labels[:, k] = False
        labels[rng.choice(20_000, k + 1, replace=False), k] = True
    with pytest.warns(UserWarning, match="missing from a part: 0, 1"):  # one row, and two
        part = stratified_split(labels, (0.6, 0.2, 0.2))
    assert sound(labels, part, (0.6, 0.2, 0.2))


def test_two_rows_of_a_label_go_to_two_parts():
    """A label with two rows is in both of two parts, and named where there are three."""
    labels = np.zeros((40, 2), dtype=int)
    labels[:20, 0] = 1
    labels[[0, 5], 1] = 1  # both also have the common label: the known failure of the greedy way
    for seed in range(10):
        part = stratified_split(labels, (0.8, 0.2), seed=seed)
        assert sound(labels, part, (0.8, 0.2))
    with pytest.warns(UserWarning, match="missing from a part: privacy"):
        stratified_split(labels, label_names=("home", "privacy"))


def test_a_label_that_cannot_be_placed_is_named():
    """Where two labels need the one row of a small part, one of them is named."""
    labels = np.zeros((21, 3), dtype=int)
    labels[0:3, 0] = labels[3:6, 1] = labels[6:9, 2] = 1
    with pytest.warns(UserWarning, match="missing from a part: [abc], [abc]"):
        stratified_split(labels, (19 / 21, 1 / 21, 1 / 21), label_names=tuple("abc"))


def test_stratified_split_keeps_the_shares_of_each_label():
    """Each label of the corpus is dealt in its shares, to within two rows."""
    labels = corpus_task("topics").train.labels
    part = stratified_split(labels, (0.6, 0.2, 0.2))
    for p, share in enumerate((0.6, 0.2, 0.2)):
        off = labels[part == p].sum(axis=0) - share * labels.sum(axis=0)
        assert np.abs(off).max() <= 2


@pytest.mark.parametrize(
    ("labels", "shares", "words"),
    [
        ([1, 0], (0.5, 0.5), r"0 or 1, of shape \(n, n_labels\), got \(2,\)"),
        ([[2], [0]], (0.5, 0.5), "must be 0 or 1"),
        ([[1], [0]], (0.5, 0.4), "that sum to 1"),
        ([[1], [0]], (1.0,), "two or more numbers"),
        ([[1], [0]], (0.4, 0.3, 0.3), "3 parts need at least as many rows, got 2"),
    ],
)
def test_stratified_split_refuses(labels, shares, words):
    """Tables and shares that make no sense are refused."""
    with pytest.raises(ValueError, match=words):
        stratified_split(np.array(labels), shares)


def label_table(n=20):
    """A table of texts with two 0/1 columns; some rows have neither."""
    return pd.DataFrame(
        {
            "text": [f"text {i}" for i in range(n)],
            "a": [1, 0, 0, 0] * (n // 4),
            "b": [0, 1] * (n // 2),
        }
    )


def test_label_table_task():
    """Columns of 0 and 1 become a multilabel task; rows without a label are kept."""
    task = label_table_task(label_table(), name="mine", labels=["a", "b"], label_names=["A", "B"])
    assert task.kind == "multilabel" and task.label_names == ("A", "B")
    assert [len(getattr(task, s)) for s in SPLITS] == [12, 4, 4]
    assert task.train.labels.dtype == np.float32
    whole = np.concatenate([getattr(task, s).labels for s in SPLITS])
    assert whole.sum(axis=0).tolist() == [5, 10] and (whole.sum(axis=1) == 0).sum() == 5
    for s in SPLITS:
        part = getattr(task, s)
        assert part.rows[["a", "b"]].to_numpy().tolist() == part.labels.tolist()


def test_label_table_task_with_its_own_split():
    """A split column decides where there is one."""
    rows = label_table(4).assign(split=["train", "test", "validation", "train"])
    task = label_table_task(rows, name="mine", labels=["a", "b"], split="split")
    assert task.train.texts == ("text 0", "text 3") and task.test.labels.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"labels": ["a", "c"]}, "columns missing: c; found text, a, b"),
        ({"a": 2}, {}, "a must be 0 or 1, got 2"),
        ({"text": " "}, {}, "20 empty texts, first in row 0"),
        ({}, {"label_names": ["A"]}, "one different name for each of 2 labels"),
        ({}, {"label_names": ["A", "A"]}, "one different name"),
        ({"split": "dev"}, {"split": "split"}, "split must be one of .*, got 'dev'"),
        ({"split": "train"}, {"split": "split"}, "the part validation is empty"),
    ],
)
def test_label_table_task_refuses(change, options, words):
    """Tables that do not fit are refused by what is wrong with them."""
    with pytest.raises(ValueError, match=words):
        rows = label_table().assign(**change)
        label_table_task(rows, **{"name": "mine", "labels": ["a", "b"], **options})


@pytest.fixture
def hub(monkeypatch):
    """Stand in for the Hub: `load_dataset` gives what the test puts there."""
    given = {}

    def load(repository, configuration, *, revision):
        given["asked"] = (repository, configuration, revision)
        return given["data"]

    monkeypatch.setattr(datasets, "load_dataset", load)
    return given


def test_hub_label_task_reads_columns_of_truths(hub):
    """Boolean columns become labels, and a missing validation part is taken from training."""
    rows = label_table(40).astype({"a": bool, "b": bool})
    hub["data"] = datasets.DatasetDict(
        train=datasets.Dataset.from_pandas(rows), test=datasets.Dataset.from_pandas(rows[:8])
    )
    task = hub_label_task("someone/some", revision="abc", labels=("a", "b"))
    assert hub["asked"] == ("someone/some", None, "abc")
    assert [len(getattr(task, s)) for s in SPLITS] == [32, 8, 8]
    assert task.test.texts == tuple(rows["text"][:8]) and task.label_names == ("a", "b")


def test_hub_label_task_reads_lists_of_labels(hub):
    """Lists of ClassLabels become 0/1 columns, with the names that are given."""
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.List(datasets.ClassLabel(names=["10", "20", "30"])),
        }
    )
    part = datasets.Dataset.from_dict(
        {"text": ["x", "y", "z"], "label": [[0, 2], [], [1]]}, features=features
    )
    hub["data"] = datasets.DatasetDict(train=part, validation=part, test=part)
    task = hub_label_task("a/b", revision="c", labels="label", names={"10": "social questions"})
    assert task.label_names == ("social questions", "20", "30")
    assert task.train.labels.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("parts", "labels", "words"),
    [
        (("train",), ("a", "b"), r"the parts train and test, got \['train'\]"),
        (("train", "test"), "a", "no column 'a' that lists ClassLabels"),
        (("train", "test"), "z", "no column 'z'"),
    ],
)
def test_hub_label_task_refuses(hub, parts, labels, words):
    """Data sets without the parts or the columns are refused."""
    part = datasets.Dataset.from_pandas(label_table())
    hub["data"] = datasets.DatasetDict(dict.fromkeys(parts, part))
    with pytest.raises(ValueError, match=words):
        hub_label_task("a/b", revision="c", labels=labels)


def test_each_confusion_in_the_card_has_its_sentence():
    """The data card explains every pair of intents that its table says are confused."""
    card = (CORPUS / "README.md").read_text(encoding="utf-8")
    pairs = re.findall(r"^\| (`\w+`, `\w+`) \| \d+ \|$", card, flags=re.MULTILINE)
    assert len(pairs) == 10
    assert [pair for pair in pairs if f"- {pair}: " not in card] == []


def test_urgent_is_as_rare_as_the_lessons_say():
    """In each part about one message in twelve is urgent: lessons 01 and 04 say so in words."""
    task = corpus_task("urgent")
    for part in (task.train, task.validation, task.test):
        assert 11 <= 1 / part.labels.mean() <= 13.5
