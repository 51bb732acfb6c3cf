"""Build the learner's and the solution notebooks from notebooks/source.

python -m tools.build_notebooks            write both copies of every lesson, and the badges
python -m tools.build_notebooks --check    write nothing; name what a build would change
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote

try:
    import jupytext
except ImportError:
    sys.exit("jupytext is missing: run this with the Python in .venv, after python3 run.py")

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "notebooks" / "source"
EXERCISE = re.compile(
    r"(?P<given>.*)^# solution\n(?P<solution>.*)^# check\n(?P<check>.*)", re.MULTILINE | re.DOTALL
)
ANSWER = re.compile(r"^\*Answer\*: (.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
FOLDED = "<details><summary>Answer</summary>\n\n{}\n\n</details>"
MARKER = re.compile(r"(\d+[.)]|[-*+]|#{1,6}|>)(\s|$)")
SECTION = re.compile(r"^# ## (\d+) · (.+)$", re.MULTILINE)
LINK = re.compile(r"\[\[(\d\d\.\d+)\]\]")
BADGES = re.compile(r"(<!-- badges -->\n).*?(<!-- end of badges -->)", re.DOTALL)
GITHUB = re.compile(r"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+?)/?")
INSTALL = """# @title Only for Google Colab: install {{ display-mode: "form" }}
REPOSITORY = "{address}"  # @param {{type: "string"}}

import sys
from pathlib import Path

if "google.colab" in sys.modules:
    wheels = [path.resolve().as_uri() for path in sorted(Path().glob("logits_to_decisions-*.whl"))]
    if not wheels and not REPOSITORY.startswith("https://"):
        raise ValueError(
            "Paste the address of this project, https://github.com/owner/name, into the field "
            "REPOSITORY above, or upload its wheel (folder icon on the left), and run this again."
        )
    source = wheels[-1] if wheels else f"git+{{REPOSITORY.strip()}}@{revision}"
    %pip install -q "logits-to-decisions[serve] @ {{source}}"
"""


def repository(root: Path = ROOT) -> str | None:
    """Read the repository's address from pyproject.toml; None while none is set.

    Raises
    ------
    ValueError
        If it is no address of a repository on GitHub, from where alone Colab opens notebooks.
    """
    address = _project(root).get("urls", {}).get("Repository")
    if address is not None:
        _on_github(address)
    return address


def revision(root: Path = ROOT) -> str:
    """Name what a badge opens and the Colab cell installs: the release, or main before the next.

    Examples
    --------
    >>> revision().startswith("v") or revision() == "main"
    True
    """
    version = _project(root)["version"]
    return "main" if "dev" in version else f"v{version}"


def _project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _on_github(address: str) -> str:
    found = GITHUB.fullmatch(address)
    if found is None or found[1].endswith(".git"):
        raise ValueError(
            "expected the address of a repository on GitHub, as https://github.com/owner/name, got "
            f"{address!r}"
        )
    return found[1]


def badge(address: str, lesson: str, title: str, revision: str = "main") -> str:
    """Write a Colab badge in Markdown.

    Parameters
    ----------
    address : str
        Of the repository on GitHub.
    lesson : str
        Name of the notebook, without its ending.
    title : str
        Of the lesson; read aloud where the picture is not seen.
    revision : str
        Tag or branch.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the address is not one of GitHub.

    Examples
    --------
    >>> badge("https://github.com/a/b", "01_x", "01 · X").split("](")[-1]
    'https://colab.research.google.com/github/a/b/blob/main/notebooks/01_x.ipynb)'
    """
    path = _on_github(address)
    return (
        f"[![Open {title} in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{path}/blob/{revision}/notebooks/{lesson}.ipynb)"
    )


def title_of(source: Path) -> str:
    """Read the title of a lesson, the first heading of its source."""
    found = re.search(r"^# # (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else source.stem


def build(source: Path, *, solved: bool, address: str | None, revision: str = "main") -> str:
    """Make one notebook; fold each paragraph that begins with ``*Answer*:``.

    Parameters
    ----------
    source : Path
        A lesson in percent format.
    solved : bool
        Of an exercise, keep what stands between ``# solution`` and ``# check``; otherwise keep
        what stands above. The check stays in both.
    address : str or None
        Of the repository, for the badge and the Colab cell; without it that cell asks for one.
    revision : str
        Tag or branch that badge and Colab cell take.

    Returns
    -------
    str
        The text of an .ipynb file.

    Raises
    ------
    ValueError
        If the first cell is not a title, or a paragraph would be rendered as something else.
    """
    text = link_sections(source.read_text(encoding="utf-8"), sections(source.parent), source.name)
    parsed = jupytext.reads(text, fmt="py:percent")
    cells = [_cell(c.cell_type, c.source, c.metadata.get("tags", [])) for c in parsed.cells]
    if not cells or not "".join(cells[0]["source"]).startswith("# "):
        raise ValueError(f"{source.name}: the first cell must be the title, a line with '# '")
    for cell in cells:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            check_paragraphs(text, source.name)
            cell["source"] = _lines(fold_answers(text))
        exercise = EXERCISE.fullmatch("".join(cell["source"]))
        if exercise:
            answer = exercise["solution" if solved else "given"].strip("\n")
            cell["source"] = _lines(f"{answer}\n\n{exercise['check']}")
    if address:
        title = "".join(cells[0]["source"])
        opens = badge(address, source.stem, title_of(source), revision)
        cells[0]["source"] = _lines(f"{opens}\n\n{title}")
    colab = INSTALL.format(address=address or "", revision=revision).rstrip()
    cells.insert(1, _cell("code", colab, ["colab"]))
    _add_ids(cells, source.stem)
    notebook = {
        "cells": cells,
        "metadata": {
            "accelerator": "GPU",
            "colab": {"gpuType": "T4", "provenance": [], "toc_visible": True},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            # with the extension, `jupyter nbconvert --to script` writes a .py and not a .txt
            "language_info": {"file_extension": ".py", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def sections(folder: Path) -> dict[str, tuple[str, str]]:
    """Find the numbered sections of all lessons.

    Parameters
    ----------
    folder : Path
        Of the sources.

    Returns
    -------
    dict of str to (str, str)
        For ``"03.6"`` the lesson's name and the heading, ``"6 · A threshold for each label"``.
    """
    return {
        f"{source.stem[:2]}.{number}": (source.stem, f"{number} · {heading}")
        for source in sorted(folder.glob("[0-9][0-9]_*.py"))
        for number, heading in SECTION.findall(source.read_text(encoding="utf-8"))
    }


def anchor(heading: str) -> str:
    """Name the place of a heading, as the pages that are made of notebooks do.

    Examples
    --------
    >>> anchor("3 · P(urgent)")
    '3-%C2%B7-P(urgent)'
    """
    return quote(heading.replace(" ", "-"), safe="?/:@!$&'()*+,;=")


def link_sections(text: str, known: dict[str, tuple[str, str]], where: str) -> str:
    """Write a link for each ``[[03.6]]``: to section 6 of lesson 03, named by its heading.

    Parameters
    ----------
    text : str
        A source.
    known : dict
        What `sections` gives.
    where : str
        Named in the message.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such section.

    Examples
    --------
    >>> link_sections("see [[01.2]]", {"01.2": ("01_threshold", "2 · Fine-tune")}, "a lesson")
    'see [01 · 2 Fine-tune](01_threshold.ipynb#2-%C2%B7-Fine-tune)'
    """

    def link(match: re.Match) -> str:
        if match[1] not in known:
            raise ValueError(f"{where}: {match[0]} leads nowhere; there is no such section")
        lesson, heading = known[match[1]]
        number, _, name = heading.partition(" · ")
        return f"[{lesson[:2]} · {number} {name}]({lesson}.ipynb#{anchor(heading)})"

    return LINK.sub(link, text)


def check_paragraphs(text: str, where: str) -> None:
    """Refuse a line that was wrapped so that it begins a list, a heading or a quotation.

    Parameters
    ----------
    text : str
        Of a text cell.
    where : str
        Named in the message.

    Raises
    ------
    ValueError
        If a line inside a paragraph begins with a number and a full stop, or another sign that
        Markdown takes for the beginning of something.
    """
    plain = False  # whether the line before belongs to a plain paragraph
    for line in text.splitlines():
        begins = MARKER.match(line) is not None
        if plain and begins:
            raise ValueError(
                f"{where}: the line {line[:40]!r} begins with a sign that starts a list, a heading "
                "or a quotation: wrap the paragraph elsewhere"
            )
        plain = bool(line.strip()) and (plain or not (begins or line[0] in " |"))


def fold_answers(text: str) -> str:
    r"""Fold each paragraph of a text cell that begins with ``*Answer*:``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        A click opens what is folded, in Jupyter, in Colab and in the exported page.

    Examples
    --------
    >>> fold_answers("*Answer*: it falls.")
    '<details><summary>Answer</summary>\n\nIt falls.\n\n</details>'
    """
    return ANSWER.sub(lambda m: FOLDED.format(m[1][0].upper() + m[1][1:]), text)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _cell(kind: str, text: str, tags: list[str]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": _lines(text)}
    if tags:
        cell["metadata"]["tags"] = list(tags)
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _add_ids(cells: list[dict[str, Any]], lesson: str) -> None:
    """Name each cell by a hash of its text, so that a build changes no id without need."""
    seen: dict[str, int] = {}
    for cell in cells:
        text = f"{lesson}\n{cell['cell_type']}\n{''.join(cell['source'])}"
        seen[text] = seen.get(text, -1) + 1
        cell["id"] = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()[:12]


def outputs(root: Path = ROOT) -> dict[Path, str]:
    """Give every file that a build writes, with its text."""
    address, tag = repository(root), revision(root)
    files = {}
    sources = sorted((root / "notebooks" / "source").glob("[0-9][0-9]_*.py"))
    for source in sources:
        for folder, solved in ((root / "notebooks", False), (root / "notebooks/solutions", True)):
            text = build(source, solved=solved, address=address, revision=tag)
            files[folder / f"{source.stem}.ipynb"] = text
    readme = root / "README.md"
    badges = "".join(
        f"- {badge(address, s.stem, title_of(s), tag)} {title_of(s)}\n" for s in sources if address
    )
    files[readme] = BADGES.sub(rf"\g<1>{badges}\g<2>", readme.read_text(encoding="utf-8"))
    return files


def differing(files: dict[Path, str], root: Path = ROOT) -> list[Path]:
    """List the files that are missing, differ from a build, or have no source."""
    different = [
        path
        for path, text in files.items()
        if not path.exists() or path.read_bytes() != text.encode()
    ]
    found = [*(root / "notebooks").glob("*.ipynb"), *(root / "notebooks/solutions").glob("*.ipynb")]
    return different + [path for path in found if path not in files]


def main() -> None:
    """Build, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if stale")
    check = parser.parse_args().check
    files = outputs()
    stale = differing(files)
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check and path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8", newline="\n")
        elif not check:
            print(f"  has no source: remove it or restore notebooks/source/{path.stem}.py")
    if check and stale:
        sys.exit("run: python -m tools.build_notebooks")


if __name__ == "__main__":
    main()
