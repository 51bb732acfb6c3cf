"""Hashes tell texts that a network has seen from new ones, in less than a megabyte."""

import numpy as np
import pytest

from helpers.seen_texts import MOST, SEEN_FILE, hashes, shares_seen, write_seen


def test_seen_texts_are_found_again_whatever_their_case_and_spaces(tmp_path):
    """Each part's share is that of its texts, copies included; nothing else is found."""
    write_seen(tmp_path, {"train": ["My bin", "the road"], "validation": ["a leak"]})
    shares = shares_seen(tmp_path, ["my  BIN", "the road", "A leak", "new"])
    assert shares == {"train": 0.5, "validation": 0.25}
    assert shares_seen(tmp_path, []) == {"train": 0.0, "validation": 0.0}


def test_many_texts_are_sampled(tmp_path):
    """Of large parts a sample is kept that still gives the share, within a megabyte."""
    old = [f"text {i}" for i in range(4 * MOST)]
    write_seen(tmp_path, {"train": old, "validation": old})
    assert (tmp_path / SEEN_FILE).stat().st_size < 1_000_000
    asked = [*old[:4000], *(f"new {i}" for i in range(12_000))]
    assert shares_seen(tmp_path, asked)["train"] == pytest.approx(0.25, abs=0.03)
    assert shares_seen(tmp_path, asked[4000:])["train"] == 0


def test_the_hash_is_the_same_on_every_machine():
    """It does not change from run to run, as Python's own does."""
    assert f"{hashes(['the road'])[0].byteswap():016x}" == "578101338ccd0755"  # b2sum -l 64


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_a_file_that_tells_nothing_is_none(tmp_path, content):
    """Without the file, or with a spoilt one, nothing is told, and nothing fails."""
    assert shares_seen(tmp_path, ["a"]) == {}
    (tmp_path / SEEN_FILE).write_bytes(content)
    assert shares_seen(tmp_path, ["a"]) == {}


def test_no_text_can_be_read_from_the_file(tmp_path):
    """Numbers alone are kept."""
    write_seen(tmp_path, {"train": ["my secret bin"]})
    with np.load(tmp_path / SEEN_FILE) as kept:
        assert kept["train"].dtype == np.uint64 and kept["train"].shape == (1,)
    assert b"secret" not in (tmp_path / SEEN_FILE).read_bytes()
