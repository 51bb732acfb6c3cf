"""The teacher's page agrees with the lessons: every exercise has its line, and the clock holds."""

import itertools
import re

import pytest

from helpers.exercises import CHECKS
from tools.build_notebooks import ROOT

TEXT = (ROOT / "TEACHING.md").read_text(encoding="utf-8")


def rows(heading):
    """Give the cells of each row of a table, by the heading above it."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)[1:]
    return [row.split(" | ") for row in found]


def minutes(lesson):
    """Give the minutes of each section of a lesson, by its number."""
    name = "Section by section" if lesson == "01" else f"Lesson {lesson}, section by section"
    return {int(row[0].split(" ")[0]): int(row[1]) for row in rows(name)}


def test_each_exercise_says_what_it_shows_about_the_learner():
    """There is one row for each exercise, in order, with what it shows and what helps."""
    found = rows("What each exercise shows about the learner")
    assert [row[0] for row in found] == sorted(CHECKS)
    assert all(len(row) == 3 and all(row) for row in found)


def test_the_day_by_the_clock_leaves_each_section_its_minutes():
    """Slots follow one another, hold what their sections take, and a break comes each hour."""
    slots, taught = [], 0
    for begin, end, what in rows("A day by the clock"):
        begin, end = (int(h) * 60 + int(m) for h, m in (t.split(":") for t in (begin, end)))
        slots.append((begin, end, what))
        if found := re.match(r"Lesson (\d\d), sections (\d) to (\d)", what):
            each, first, last = minutes(found[1]), int(found[2]), int(found[3])
            assert sum(each[i] for i in range(first, last + 1)) <= end - begin, what
            taught += 1
    assert taught == 7
    pauses = [(begin, end) for begin, end, what in slots if what in ("Break", "Lunch")]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(slots))
    ends, begins = [slots[0][0], *(end for _, end in pauses)], [b for b, _ in pauses]
    assert max(b - a for a, b in zip(ends, [*begins, slots[-1][1]], strict=True)) <= 60


@pytest.mark.parametrize("lesson", ["01", "02", "03", "04", "05"])
def test_a_table_of_sections_names_those_of_its_lesson(lesson):
    """Every section has its row, and no row a section that the lesson lacks."""
    (source,) = (ROOT / "notebooks/source").glob(f"{lesson}_*.py")
    numbers = re.findall(r"^# ## (\d+) · ", source.read_text(encoding="utf-8"), re.MULTILINE)
    assert list(minutes(lesson)) == [int(n) for n in numbers]


def test_the_minutes_stated_are_those_of_the_lessons():
    """The table of trial readings states what the lessons state, in all three columns."""
    found = rows("How long a lesson takes")
    assert [row[0] for row in found] == ["01", "02", "03", "04", "05", "06"]
    for lesson, core, _, _, further, _, exercises, *_ in found:
        (source,) = (ROOT / "notebooks/source").glob(f"{lesson}_*.py")
        text = " ".join(source.read_text(encoding="utf-8").replace("\n# ", " ").split())
        time = text.split("**Time**: ")[1].split("The code")[0]
        told = re.findall(r"(?:about|another|exercises) (\d+)", time)
        assert told == [core, further, *([exercises] if exercises != "none" else [])], lesson
