"""The pages around the lessons: quiz, traps, handout, glossary, notation. They load nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt

from helpers.page import WIDE
from tools.build_notebooks import ROOT, SOURCES, repository, revision, title_of
from tools.gallery import gallery
from tools.glossary import glossary
from tools.handout import handout
from tools.notation import notation
from tools.quiz import quiz
from tools.solutions import page_of, solutions

TITLE = "From logits to decisions"
PAGES = {  # after the lessons
    "quiz.html": "Quiz",
    "traps.html": "Gallery of traps",
    "handout.html": "Handout: one sheet, two sides",
    "glossary.html": "Glossary",
    "notation.html": "Notation",
}
# What a file of the repository is shown as, among these pages.
SHOWN = {
    "MEASURED.md": "index.html",
    "GLOSSARY.md": "glossary.html",
    "NOTATION.md": "notation.html",
}
A_LINK = re.compile(r'<a href="([^"#:]+)(#[^"]*)?">(.*?)</a>', re.DOTALL)
STYLE = (
    WIDE
    + """
:root { color-scheme: light dark; --ink: #222; --quiet: #555; --line: #ccc; --box: #f4f6f8;
  --link: #00578a; --failed: #a33d00; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --quiet: #aaa; --line: #555;
  --box: #22272c; --link: #7cc0f0; --failed: #ff9a5c; --page: #16191c; } }
body { font: 17px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 62rem; margin: 0 auto; padding: 1rem; }
a { color: var(--link); } img { max-width: 100%; background: #fff; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
article { display: flex; gap: 1.5rem; padding: 1.5rem 0; border-top: 1px solid var(--line);
  flex-wrap: wrap; }
article img { width: 22rem; align-self: flex-start; } article div { flex: 1 1 20rem; }
h2 { margin: 0 0 .4rem; font-size: 1.25rem; } h4 { margin: .6rem 0 .2rem; }
section { padding: 1rem 0; border-top: 1px solid var(--line); }
pre { background: var(--box); padding: .6rem; font-size: .8rem; margin: 0; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 0 1rem; } .pair > div { min-width: 0; }
summary { cursor: pointer; padding: .3rem; }
.figures { color: var(--quiet); font-size: .9rem; } .failed { color: var(--failed); }
h3 { margin: 1.4rem 0 .4rem; font-size: 1.1rem; }
.lines > div { padding: .4rem 0; border-bottom: 1px solid var(--line); }
dt { font-weight: 600; } dd { margin: 0; } :target { background: var(--box); }
@media (min-width: 600px) { .lines > div { display: grid; grid-template-columns: 12rem 1fr;
  gap: 0 1rem; } }
table { border-collapse: collapse; } td, th { padding: .3rem .6rem; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top; }
@media print { body { max-width: none; font-size: 10pt; padding: 0; } nav { display: none; }
  section, tr, article, .lines > div { break-inside: avoid; } }
"""
)
# What the figures of a lesson say, in words; the names are those of its cell tagged headline.
WORDS = {
    "00": "With a threshold of 0.5 a message cost {price at 0.5:.2f}; at {cheapest threshold:.2f}, "
    "the cheapest, {price there:.2f}.",
    "01": "With a threshold of 0.5 a message cost {cost at 0.5:.2f}; with the threshold chosen on "
    "validation data, {tuned:.2f}.",
    "02": "With a threshold of 0.6 the network answered {coverage at 0.6:.0%} of the messages, and "
    "{risk at 0.6:.1%} of its answers were wrong.",
    "03": "With 0.5 for every label macro-F1 was {macro-F1 at 0.5:.2f}; with a threshold for each, "
    "{macro-F1 each:.2f}.",
    "04": "When urgent messages got rarer, a message cost {cost at 1 %, old rule:.2f} with the old "
    "threshold and {cost at 1 %, moved rule:.2f} with the moved one.",
    "05": "Word counts were right on {right, word counts:.0%} of the test rows, the network on "
    "{right, network:.0%}.",
    "06": "Of 400 floors of recall that were met on the rows {plain floors broken:.0%} were broken "
    "on new messages; of promised ones {promised floors broken:.0%}.",
}


def shell(title: str, body: str, *, style: str = "", nav: str = "") -> str:
    """Put the page around a text.

    Parameters
    ----------
    title : str
    body : str
        HTML.
    style : str
        CSS, beside that of all pages.
    nav : str
        HTML of the links at the top; by default those to the contents and the other pages.

    Returns
    -------
    str
    """
    nav = nav or links()
    body = lead_somewhere(body, repository(), revision())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title><style>{STYLE}{style}</style></head>\n"
        f'<body><nav aria-label="Pages">{nav}</nav>\n<main>{body}</main></body></html>\n'
    )


def lead_somewhere(body: str, address: str | None, tag: str) -> str:
    """Turn links to files of the repository into links that a reader of the pages can follow.

    Parameters
    ----------
    body : str
        HTML.
    address : str or None
        Of the repository; without it a file that is no page is named, not linked.
    tag : str
        Tag or branch to open it at.

    Returns
    -------
    str

    Examples
    --------
    >>> lead_somewhere('<a href="PORTING.md">moves</a>, <a href="NOTATION.md">z</a>', None, "main")
    'moves, <a href="notation.html">z</a>'
    >>> lead_somewhere('<a href="PORTING.md">moves</a>', "https://github.com/a/b", "main")
    '<a href="https://github.com/a/b/blob/main/PORTING.md">moves</a>'
    """

    def led(match: re.Match) -> str:
        path, place, words = match[1], match[2] or "", match[3]
        if not (ROOT / path).exists():
            return match[0]  # a page
        lesson = re.fullmatch(r"notebooks/(\d\d_\w+)\.ipynb", path)
        page = f"{lesson[1]}.html" if lesson else SHOWN.get(path)
        if page is None and address is None:
            return words
        target = page or f"{(address or '').rstrip('/')}/blob/{tag}/{path}"
        return f'<a href="{target}{place}">{words}</a>'

    return A_LINK.sub(led, body)


def links(before: str = "", after: str = "", lesson: str = "") -> str:
    """Write the links of a page: to the contents, its neighbours, its solutions, the other pages.

    Examples
    --------
    >>> links(after="05_your_own_messages").split("</a>")[1]
    '<a href="05_your_own_messages.html">Next: 05'
    """
    found = [("index.html", "Contents")]
    found += [(f"{before}.html", f"Before: {before[:2]}")] if before else []
    found += [(f"{after}.html", f"Next: {after[:2]}")] if after else []
    found += [(page_of(lesson), "Solutions")] if lesson else []
    found += [(page, name.split(":")[0]) for page, name in PAGES.items()]
    return "".join(f'<a href="{page}">{name}</a>' for page, name in found)


def in_words(lesson: str, headline: Mapping[str, object]) -> str:
    """Say what the figures of a lesson mean; where that is not known, give them as they are.

    Examples
    --------
    >>> in_words("99_x", {"seed": 7, "x": 0.5})
    'seed 7, x 0.5'
    """
    sentence = WORDS.get(lesson[:2], "")
    names = re.findall(r"{(.+?):[^:]+}", sentence)
    if sentence and all(isinstance(headline.get(name), int | float) for name in names):
        return re.sub(r"{(.+?):([^:]+?)}", lambda m: format(headline[m[1]], m[2]), sentence)
    return summary(headline)


def summary(headline: Mapping[str, object]) -> str:
    """Write the headline figures in one line."""
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in headline.items()
    )


def lessons() -> dict[str, str]:
    """Give the names of all lessons, by number."""
    return {path.name[:2]: path.stem for path in sorted(SOURCES.glob("[0-9][0-9]_*.py"))}


def measured() -> str:
    """Write the figures of MEASURED.md as HTML, each with the command that made it."""
    text = (ROOT / "MEASURED.md").read_text(encoding="utf-8")
    section = text.split("\n", 1)[1]
    page = MarkdownIt("commonmark").enable("table").render(section)
    page = page.replace("h2>", "h3>")  # below a heading of the index
    page = page.replace("<table>", '<div class="wide" tabindex="0"><table>')
    return page.replace("</table>", "</table></div>")


def write_pages(folder: Path) -> list[Path]:
    """Write quiz, gallery, handout, glossary, notation and solutions into a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    body, style = handout()
    texts = {
        "quiz.html": shell(
            "Quiz",
            "<h1>Quiz</h1>\n<p>Choose an answer and click on it: it says whether it is right, and "
            "why.</p>\n" + quiz(lessons()),
        ),
        "traps.html": shell(
            "Gallery of traps",
            "<h1>Gallery of traps</h1>\n<p>Mistakes that real code has made. Each has the wrong "
            "way, the right way, and a check that tells them apart: take the check with you. Names "
            "that a piece of code does not define are those of its lesson.</p>\n" + gallery(),
        ),
        "handout.html": shell("Handout", body, style=style),
        "glossary.html": shell("Glossary", glossary()),
        "notation.html": shell("Notation", notation()),
    }
    for source in sorted(SOURCES.glob("[0-9][0-9]_*.py")):
        title, number = title_of(source), source.stem[:2]
        text = shell(f"Solutions: {title}", solutions(source, title))
        texts[page_of(number)] = text
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
