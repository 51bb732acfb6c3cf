"""Small files: a wrong place is said before the work, and a file is written whole or not at all."""

from pathlib import Path

import pytest

from helpers.files import check_target, write_whole


def test_a_wrong_place_is_said(tmp_path):
    """Another ending, a missing folder, and a folder in place of a file are told apart."""
    (tmp_path / "is.json").mkdir()
    for name, words in (
        ("a.txt", r"expected a name that ends in \.json, got .*a\.txt"),
        ("none/a.json", "there is no folder .*none: make it first"),
        ("is.json", "is a folder: name a file"),
    ):
        with pytest.raises(ValueError, match=words):
            check_target(tmp_path / name, ".json")
    assert check_target(tmp_path / "A.JSON", ".json") == tmp_path / "A.JSON"


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    """Where writing fails half way, the old text stands and no scratch file is left."""
    place = tmp_path / "a.json"
    write_whole(place, "old")
    real = Path.write_text

    def half(self, text, **options):
        real(self, text[:1], **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space left"):
        write_whole(place, "new")
    assert place.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
