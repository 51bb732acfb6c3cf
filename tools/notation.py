"""The notation as a page: each symbol, its shape, and the sections that use it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt

from tools.build_notebooks import ROOT, SOURCES, sections
from tools.glossary import entry

ROW = re.compile(r"^\| (?!symbol \|)(.+?) \| (.+?) \((\d\d\.\d.*?)\) \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Symbol:
    """A line of the notation.

    Attributes
    ----------
    names : tuple of str
        What the line explains.
    meaning, shape : str
        In Markdown.
    sections : tuple of str
        Where it is used, as ``"01.6"``.
    """

    names: tuple[str, ...]
    meaning: str
    shape: str
    sections: tuple[str, ...]


def stands_in(name: str, text: str) -> bool:
    r"""Say whether a symbol is in a text, as a word of its own.

    Examples
    --------
    >>> stands_in("F*", r"down to F\*/2"), stands_in("F", "F1")
    (True, False)
    """
    return re.search(rf"(?<![\w'’]){re.escape(name)}(?![\w'’])", text.replace("\\", "")) is not None


@cache
def symbols() -> tuple[Symbol, ...]:
    """Read the lines of the notation.

    Examples
    --------
    >>> symbols()[0].names, symbols()[0].sections
    (('n',), ('06.2',))
    """
    text = (ROOT / "NOTATION.md").read_text(encoding="utf-8")
    return tuple(
        Symbol(tuple(names.replace("\\", "").split(", ")), meaning, shape, tuple(used.split(", ")))
        for names, meaning, used, shape in ROW.findall(text)
    )


def notation() -> str:
    """Write the notation as HTML; a line leads to the sections that it names."""
    top = (ROOT / "NOTATION.md").read_text(encoding="utf-8").split("\n| symbol ")[0]
    known = sections(SOURCES)
    lines = [
        entry(
            f"symbol-{number}",
            ", ".join(symbol.names).replace("*", r"\*").replace("_", r"\_"),
            f"{symbol.meaning} ({symbol.shape})",
            *(known[section] for section in symbol.sections),
        )
        for number, symbol in enumerate(symbols())
    ]
    return (
        MarkdownIt("commonmark").render(top) + '<dl class="lines">\n' + "\n".join(lines) + "\n</dl>"
    )
