"""The glossary as a page, and links both ways: from a term's first use to its line, and back."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import jupytext
from markdown_it import MarkdownIt

from tools.build_notebooks import ROOT, SOURCES, anchor

# Words of everyday language: they are terms only in the lessons that their line names.
EVERYDAY = frozenset({"Other", "cut", "energy", "head", "risk", "unknown"})
IN_BOLD = frozenset({"always / never", "near, far", "support"})  # terms only where they stand out
ROW = re.compile(r"^\| (?!term \|)(.+?) \| (.+?)(?: \((\d\d(?:, \d\d)*)\))? \|$", re.MULTILINE)
TAG = re.compile(r"(<[^>]*>)")
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
NO_PROSE = re.compile(r"^#+ [^\n]*$|```.*?```|`[^`]*`|\[[^]]*\]\([^)]*\)", re.MULTILINE | re.DOTALL)
NO_LINKS = ("a", "code", "pre", "summary", "h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(frozen=True)
class Term:
    """A line of the glossary.

    Attributes
    ----------
    name : str
        As the line spells it; several names of one line stand between commas or slashes.
    meaning : str
        In Markdown.
    lessons : tuple of str
        The numbers that the line names.
    """

    name: str
    meaning: str
    lessons: tuple[str, ...]

    @property
    def place(self) -> str:
        """Name the line, for links to it."""
        return "term-" + "-".join(re.findall(r"[a-z0-9]+", self.name.lower()))

    @property
    def pattern(self) -> str:
        r"""Match the term as a word, also its plural and past; a capital may begin a sentence.

        Examples
        --------
        >>> bool(re.search(Term("base rate", "", ()).pattern, "Base\nrates move"))
        True
        >>> bool(re.search(Term("F1", "", ()).pattern, "macro-F1"))
        False
        """
        return "|".join(map(_word, re.split(r" / |, ", self.name.replace("\\", ""))))

    def in_lesson(self, number: str) -> bool:
        """Say whether the word is this term in a lesson."""
        return self.name not in EVERYDAY | IN_BOLD or number in self.lessons


def _word(name: str) -> str:
    first, *rest = re.escape(name).replace(r"\ ", r"\s+")
    begins = f"[{first}{first.upper()}]" if first.isalpha() else first
    return rf"(?<![\w-]){begins}{''.join(rest)}(?:s|d|ed)?(?![\w-])"


@cache
def terms() -> tuple[Term, ...]:
    """Read the lines of the glossary.

    Examples
    --------
    >>> next(term.lessons for term in terms() if term.name == "base rate")
    ('04',)
    """
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    return tuple(
        Term(name, meaning, tuple(re.findall(r"\d\d", numbers)))
        for name, meaning, numbers in ROW.findall(text)
    )


class Linker:
    """Links the first use of each term in the texts of a lesson, one text after another.

    Parameters
    ----------
    lesson : str
        Its number.

    Examples
    --------
    >>> link = Linker("04")
    >>> link("<b>A cut</b>, <code>recall</code>, recall")
    '<b>A cut</b>, <code>recall</code>, <a class="term" href="glossary.html#term-recall">recall</a>'
    >>> link("<p>Recall again.</p>")
    '<p>Recall again.</p>'
    """

    def __init__(self, lesson: str) -> None:
        known = [term for term in terms() if term.in_lesson(lesson)]
        known.sort(key=lambda term: -len(term.name))  # of two, the longer one
        self.terms = known
        self.pattern = re.compile("|".join(f"({term.pattern})" for term in known))
        self.used: set[Term] = set()

    def __call__(self, text: str) -> str:
        """Put links into a piece of HTML; none into code, headings and links."""
        parts, depth, bold = [], 0, False
        for part in TAG.split(text):
            if found := re.match(r"<(/?)(\w+)", part):
                depth += (found[2] in NO_LINKS) * (-1 if found[1] else 1)
                bold = part == "<strong>"
            elif not depth:
                part = self.pattern.sub(partial(self._link, bold), part)
            parts.append(part)
        return "".join(parts)

    def _link(self, bold: bool, match: re.Match) -> str:
        term = self.terms[(match.lastindex or 1) - 1]
        if term in self.used or (term.name in IN_BOLD and not bold):
            return match[0]
        self.used.add(term)
        return f'<a class="term" href="glossary.html#{term.place}">{match[0]}</a>'


def sections_of(source: Path) -> list[tuple[str, str, str]]:
    """Give heading, prose and all text of each section of a lesson; the first has no heading."""
    found = [("", "", "")]
    for cell in jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells:
        if cell.cell_type == "markdown" and (heading := HEADING.search(cell.source)):
            found.append((heading[1], "", ""))
        name, prose, everything = found[-1]
        more = NO_PROSE.sub(" ` ", cell.source) if cell.cell_type == "markdown" else ""
        found[-1] = (name, f"{prose}\n{more}", f"{everything}\n{cell.source}")
    return found


@cache
def first_uses() -> dict[Term, tuple[str, str]]:
    """Find where each term is used first.

    Returns
    -------
    dict of Term to (str, str)
        The lesson's name, and the heading of the section, empty for the lines above all headings.
        In a lesson that the term's line names, if it names one; in the prose of a numbered section,
        if there is any; else the lesson alone. A term that no lesson uses is left out.

    Examples
    --------
    >>> [place for term, place in first_uses().items() if term.name == "Elkan's cut"]
    [('01_binary_threshold', '6 · The formula, and what it needs')]
    """
    lessons = {path.stem: sections_of(path) for path in sorted(SOURCES.glob("[0-9][0-9]_*.py"))}
    found = {}
    for term in terms():
        named = [name for name in lessons if name[:2] in (term.lessons or (name[:2],))]
        places = [(name, section) for name in named for section in lessons[name]]
        bold = rf"\*\*({term.pattern})\*\*" if term.name in IN_BOLD else term.pattern
        uses = [
            (name, section[0])
            for part, pattern in ((1, bold), (2, term.pattern))  # prose, then code and headings
            for name, section in places
            if re.search(pattern, section[part])
        ]
        uses.sort(key=lambda use: not use[1][:1].isdigit())  # numbered sections first
        uses += [(name, "") for name in named if term.lessons]
        if uses:
            found[term] = uses[0]
    return found


def entry(place: str, name: str, text: str, *uses: tuple[str, str]) -> str:
    """Write a line of a glossary as HTML.

    Parameters
    ----------
    place : str
        Its id.
    name, text : str
        In Markdown.
    *uses : (str, str)
        Lesson and heading, empty for none, of each place that the line leads to.

    Returns
    -------
    str

    Examples
    --------
    >>> entry("z", "z", "A *logit*", ("01_x", ""))
    '<div id="z"><dt>z</dt><dd>A <em>logit</em> <a href="01_x.html">01</a></dd></div>'
    """
    inline, links = MarkdownIt("commonmark"), ""
    for lesson, heading in uses:
        words = html.escape(" · ".join([lesson[:2], *([heading] if heading else [])]))
        links += f' <a href="{lesson}.html{"#" * bool(heading)}{anchor(heading)}">{words}</a>'
    return (
        f'<div id="{place}"><dt>{inline.renderInline(name)}</dt>'
        f"<dd>{inline.renderInline(text)}{links}</dd></div>"
    )


def glossary() -> str:
    """Write the glossary as HTML: each line has its place, and leads to the term's first use."""
    before = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").split("\n| term ")[0]
    before = before.replace(
        "A number names a lesson that uses it.",
        "A link leads to a lesson that explains or uses it.",
    )
    lines = [
        entry(term.place, term.name, term.meaning, *filter(None, [first_uses().get(term)]))
        for term in terms()
    ]
    top = MarkdownIt("commonmark").render(before)
    return f'{top}<dl class="lines">\n' + "\n".join(lines) + "\n</dl>"
