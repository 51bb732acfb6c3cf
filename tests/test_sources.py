"""Rows are read from files, patterns, folders and data sets, with the parts that these tell."""

import datasets
import pandas as pd
import pytest

from helpers.sources import is_source, read_source
from helpers.table_files import file_task


def rows(start, n=30):
    """Make rows with texts that are all different."""
    return [{"text": f"text {i}", "label": "abc"[i % 3]} for i in range(start, start + n)]


def write(folder, names, n=30):
    """Write a table of `n` rows under each name."""
    folder.mkdir(exist_ok=True)
    for k, name in enumerate(names):
        pd.DataFrame(rows(k * n, n)).to_csv(folder / name, index=False)
    return folder


def sizes(task):
    """Count the rows of the three parts."""
    return [len(part) for part in (task.train, task.validation, task.test)]


def test_a_pattern_reads_all_files_in_the_order_of_their_names(tmp_path):
    """The rows of the files stand below each other, under the pattern's name."""
    write(tmp_path / "p", ["b.csv", "a.csv"])
    found = read_source(str(tmp_path / "p" / "*.csv"), ["text", "label"])
    assert found.name == "*.csv" and found.parts is None
    assert found.table["text"].tolist() == [f"text {i}" for i in (*range(30, 60), *range(30))]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    """A bracket in a file's name is no pattern where the file is there."""
    write(tmp_path / "p", ["a[1].csv", "a1.csv"])
    assert read_source(tmp_path / "p" / "a[1].csv", ["text"]).table["text"][0] == "text 0"


@pytest.mark.parametrize(
    "names",
    [
        ["train.csv", "dev.csv", "test.csv"],
        ["Training.csv", "Validation.csv", "Test.csv"],
        ["messages_train.csv", "messages_val.csv", "messages_test.csv"],
        ["train-00000-of-00001.csv", "eval-00000.csv", "testing.csv"],
    ],
)
def test_files_named_after_parts_are_these_parts(tmp_path, names):
    """As a pattern and as a folder, files called train, dev and test are the three parts."""
    folder = write(tmp_path / "p", names)
    for source in (folder, folder / "*.csv"):
        task = file_task(source)
        assert sizes(task) == [30, 30, 30] and task.validation.texts[0] == "text 30"


def test_a_folder_of_tables_with_semicolons_is_read_as_its_files_are(tmp_path):
    """The delimiter of each file is told, as it is of one file."""
    pd.DataFrame(rows(0)).to_csv(tmp_path / "a.csv", index=False, sep=";")
    assert list(read_source(tmp_path, ["text", "label"]).table) == ["text", "label"]


def test_a_part_that_is_missing_is_taken_from_the_training_part(tmp_path):
    """Train and test alone: a fifth of train chooses the rule, test stays, and a note says it."""
    folder = write(tmp_path / "p", ["train.csv", "test.csv"])
    with pytest.warns(UserWarning, match="has no validation part: a fifth of its training part"):
        task = file_task(folder)
    assert sizes(task) == [24, 6, 30] and task.test.texts[0] == "text 30"


def test_what_datasets_saved_keeps_its_splits_and_names(tmp_path):
    """A saved DatasetDict gives its parts, the order of its ClassLabel, and no unlabelled split."""
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["z", "b", "a"])}
    )

    def part(start, label=None):
        values = [i % 3 if label is None else label for i in range(30)]
        given = {"text": [f"text {start + i}" for i in range(30)], "label": values}
        return datasets.Dataset.from_dict(given, features=features)

    parts = {"train": part(0), "valid": part(30), "test": part(60), "unsupervised": part(90, -1)}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    task = file_task(tmp_path / "saved")
    assert sizes(task) == [30, 30, 30] and task.label_names == ("z", "b", "a")
    assert task.train.labels.tolist() == [i % 3 for i in range(30)]


def test_a_list_of_class_labels_is_many_labels(tmp_path):
    """Indices that a row lists become the names of its labels."""
    names = datasets.ClassLabel(names=["home", "water"])
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.List(names)})
    lists = [[k for k in range(2) if (i >> k) & 1] for i in range(60)]
    given = {"text": [f"text {i}" for i in range(60)], "label": lists}
    datasets.Dataset.from_dict(given, features=features).save_to_disk(tmp_path / "saved")
    task = file_task(tmp_path / "saved")
    assert task.kind == "multilabel" and task.label_names == ("home", "water")
    assert task.train.labels.sum() == sum(map(len, task.train.rows["label"]))


def test_a_folder_that_a_card_describes_is_loaded_by_datasets(tmp_path, monkeypatch):
    """A README means a data set: its configuration, and not the files' names, tells the splits."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = write(tmp_path / "p", ["one.csv", "two.csv", "three.csv"])
    files = "".join(
        f"  - {{split: {split}, path: {name}.csv}}\n"
        for split, name in (("train", "one"), ("validation", "two"), ("test", "three"))
    )
    card = f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    assert file_task(folder).test.texts[0] in {row["text"] for row in rows(30) + rows(60)}
    assert sizes(file_task(folder)) == [30, 30, 30]


def test_without_a_connection_an_id_is_one_sentence(monkeypatch):
    """The sentence says that neither a folder nor the Hub is there; a revision may stand behind."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")

    def refuse(repository, subset, *, revision):
        assert (repository, subset, revision) == ("nobody/none", "small", "abc")
        raise ConnectionError("Couldn't reach it\nat all")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(ValueError, match=r"no folder nobody/none@abc, and cannot get .*reached"):
        read_source("nobody/none@abc", ["text"], subset="small")


def test_what_datasets_refuses_is_one_sentence(tmp_path):
    """A folder without data is named, with the reason that datasets gives."""
    with pytest.raises(ValueError, match=r"datasets cannot load .*doesn't contain any data files"):
        read_source(tmp_path, ["text"])


@pytest.mark.parametrize(
    ("files", "source", "options", "words"),
    [
        ({}, "*.csv", {}, "no file is called like"),
        ({"a.csv": "text,label\n"}, "*.csv", {}, r"a\.csv has no rows"),
        (
            {"a.csv": "text,label\nx,y\n", "b.csv": "text,label,more\nx,y,z\n"},
            "*.csv",
            {},
            r"differ in their columns: more is not in both .*a\.csv and .*b\.csv",
        ),
        ({"a.csv": "text\nx\n"}, "a.csv", {"subset": "small"}, "--subset is for a data set"),
        ({"a.csv": "texts\nx\n"}, "*.csv", {}, "did you mean 'texts'"),
    ],
)
def test_sources_that_do_not_do_are_refused(tmp_path, files, source, options, words):
    """No file, no row, other columns, or an option for something else: one sentence."""
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        read_source(tmp_path / source, ["text"], **options)


def test_a_recipe_is_no_source(tmp_path, monkeypatch):
    """A word is a recipe unless a folder is called so."""
    monkeypatch.chdir(tmp_path)
    assert not is_source("urgent")
    (tmp_path / "urgent").mkdir()
    assert is_source("urgent")


def test_a_saved_network_is_no_table(tmp_path):
    """Its folder is told from one with data, before datasets reads its files as such."""
    (tmp_path / "decision.json").write_text("{}")
    with pytest.raises(ValueError, match="holds a saved network with its rule, and no table"):
        read_source(tmp_path, ["text"])


def test_the_reason_of_datasets_is_given(tmp_path, monkeypatch):
    """What stands behind its general sentence is in the message."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.json").write_text('{"text": "a"')
    with pytest.raises(ValueError, match=r"datasets cannot load .*: .*JSON"):
        read_source(tmp_path / "p", ["text"])
