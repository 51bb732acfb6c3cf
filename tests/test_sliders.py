"""Claims about helpers.sliders: a slider moves in a page without a kernel, and is accessible."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from helpers.sliders import slider

COLUMNS = {"threshold": ["0.1", "0.5", '<"0.9">'], "missed": [3, 8, 11]}


class Tags(HTMLParser):
    """Keep each tag's attributes, and all text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Keep it."""
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        """Keep it."""
        self.text.append(data)


def test_the_first_place_stands_in_the_page_without_a_script():
    """Where scripts are not run, names and values of the first place are read all the same."""
    page = Tags(slider(COLUMNS, start=2)._repr_html_())
    assert page.text == ["threshold", '<"0.9">', "missed", "11"]
    assert repr(slider(COLUMNS)) == "threshold 0.1, missed 3"


def test_every_place_travels_with_the_slider():
    """The input holds all rows, has a label for a screen reader, and asks nothing of a network."""
    text = slider(COLUMNS, start=1)._repr_html_()
    (box,) = [attributes for tag, attributes in Tags(text).found if tag == "input"]
    assert json.loads(box["data-rows"]) == [["0.1", "3"], ["0.5", "8"], ['<"0.9">', "11"]]
    assert (box["min"], box["max"], box["value"]) == ("0", "2", "1")
    assert (box["aria-label"], box["aria-valuetext"]) == ("threshold", "0.5")
    assert not re.search(r"https?:|<script|\bid=", text)


def test_it_names_no_colour():
    """The text takes the colour of the page, so it is read in a light and in a dark one."""
    text = slider(COLUMNS)._repr_html_()
    assert re.findall(r"color: ([^;\"]+)", text) == ["inherit"]


@pytest.mark.skipif(not shutil.which("node"), reason="no JavaScript engine here")
def test_moving_it_shows_the_place():
    """The script that runs on a move writes that place's values beside the names."""
    (box,) = [a for tag, a in Tags(slider(COLUMNS)._repr_html_()).found if tag == "input"]
    script = f"""
    const cells = [{{}}, {{}}], said = {{}};
    const box = {{ value: "1", dataset: {{ rows: {json.dumps(box["data-rows"])} }},
      closest: () => ({{ querySelectorAll: () => cells }}),
      setAttribute: (name, text) => said[name] = text }};
    (function () {{ {box["oninput"]} }}).call(box);
    console.log(JSON.stringify([cells.map(c => c.textContent), said["aria-valuetext"]]))"""
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["0.5", "8"], "0.5"]


@pytest.mark.parametrize(
    ("columns", "start", "words"),
    [
        ({}, 0, r"got the lengths \[\] in 0 columns"),
        ({"a": []}, 0, r"got the lengths \[0\] in 1 columns"),
        ({"a": [1], "b": [1, 2]}, 0, r"got the lengths \[1, 2\] in 2 columns"),
        ({"a": [1, 2]}, 2, "start must be a place from 0 to 1, got 2"),
        ({"a": [1, 2]}, -1, "start must be a place from 0 to 1, got -1"),
    ],
)
def test_what_is_no_table_is_refused(columns, start, words):
    """Columns of different lengths, no rows, or a start outside of them raise."""
    with pytest.raises(ValueError, match=words):
        slider(columns, start=start)
