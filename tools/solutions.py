"""The solutions as pages of their own: each exercise, and below it its solution, folded."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jupytext
from markdown_it import MarkdownIt

from tools.build_notebooks import EXERCISE, anchor

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
QUESTION = re.compile(r"^\*\*(\d\d\.\d+)\*\* (.+)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    """An exercise of a lesson.

    Attributes
    ----------
    name : str
        As ``"01.3"``.
    question : str
        In Markdown.
    solution : str
        Code.
    heading : str
        Of the section that it stands in.
    """

    name: str
    question: str
    solution: str
    heading: str


@cache
def exercises(source: Path) -> tuple[Exercise, ...]:
    """Read the exercises of a lesson, in order.

    Parameters
    ----------
    source : Path
        In percent format.

    Returns
    -------
    tuple of Exercise

    Raises
    ------
    ValueError
        If a solution has no question of its own, a paragraph that begins with a number in bold.
    """
    found, heading, asked = [], "", None
    for cell in jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells:
        if cell.cell_type == "markdown":
            heading = next(iter(HEADING.findall(cell.source)), heading)
            asked = QUESTION.search(cell.source) or asked
        elif solved := EXERCISE.fullmatch(cell.source):
            if asked is None or any(one.name == asked[1] for one in found):
                raise ValueError(f"{source.name}: expected a question above each solution")
            found.append(Exercise(asked[1], asked[2], solved["solution"].strip(), heading))
    return tuple(found)


def page_of(number: str) -> str:
    """Name the page with the solutions of a lesson.

    Examples
    --------
    >>> page_of("01")
    'solutions_01.html'
    """
    return f"solutions_{number}.html"


def solutions(source: Path, title: str) -> str:
    """Write the solutions of a lesson as HTML, without the page around them.

    Parameters
    ----------
    source : Path
    title : str
        Of the lesson.

    Returns
    -------
    str
    """
    inline, parts = MarkdownIt("commonmark"), []
    for one in exercises(source):
        back = f"{source.stem}.html#{anchor(one.heading)}"
        parts.append(
            f'<section id="{one.name}"><h2>Exercise {one.name}</h2>\n'
            f"{inline.render(one.question)}<details><summary>Solution</summary>\n"
            f"<pre>{html.escape(one.solution)}</pre></details>\n"
            f'<p><a href="{back}">Back to the exercise</a></p></section>'
        )
    return (
        f"<h1>Solutions: {html.escape(title)}</h1>\n<p>Names that a solution does not define are "
        f'those of <a href="{source.stem}.html">its lesson</a>. The solved notebook is in '
        "<code>notebooks/solutions</code>.</p>\n" + "\n".join(parts)
    )
