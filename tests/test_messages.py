"""Claims about helpers.messages: what the packaged corpus is, and the format of its files."""

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

from helpers.columns import SPLITS
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


# Its views


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


# A second reader


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


def test_the_card_counts_the_messages_without_a_topic():
    """Of the messages read again all but the mended ones still have no topic, as the card says."""
    card = (CORPUS / "README.md").read_text(encoding="utf-8")
    read = int(re.search(r"all (\d+) messages without a topic", card)[1])
    mended = int(re.search(r"(\d+) of them name a topic", card)[1])
    table = read_messages()
    left = (table["topics"] == "") & (table["intent"] != "other_far")
    assert left.sum() == read - mended


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
