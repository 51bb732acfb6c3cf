"""Execute the lessons into build/: executed notebooks, their code alone, pages, and an index.

python -m tools.execute_lessons            all lessons
python -m tools.execute_lessons 01 03      some of them
python -m tools.execute_lessons --pictures also renew the pictures that the README shows
"""

from __future__ import annotations

import argparse
import ast
import base64
import copy
import html
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools.build_notebooks import anchor
from tools.lesson_page import page
from tools.site import TITLE, in_words, links, measured, shell, summary, write_pages

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PICTURES = ROOT / "notebooks" / "pictures"


@dataclass
class Lesson:
    """One executed lesson.

    Attributes
    ----------
    name : str
        As ``01_threshold``.
    title, promise : str
        From its first cell.
    seconds : float
    headline : dict
        The figures that the cell tagged ``headline`` gives.
    error : str or None
        The failing cell and what it raised.
    notebook : NotebookNode
        With outputs.
    """

    name: str
    title: str
    promise: str
    seconds: float = 0.0
    headline: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    notebook: Any = None


def execute(
    path: Path,
    *,
    settings: dict[str, Any] | None = None,
    progress: bool = True,
    timeout: int = 900,
) -> Lesson:
    """Execute one notebook in a kernel of its own.

    Parameters
    ----------
    path : Path
        An .ipynb file.
    settings : dict, optional
        Values that are set anew after the cell tagged ``settings``.
    progress : bool, default True
        Show the cell that runs, on a terminal.
    timeout : int, default 900
        Seconds a cell; if a message is lost between kernel and tool, nothing else ends the wait.

    Returns
    -------
    Lesson
    """
    notebook = nbformat.read(path, as_version=4)
    title, promise = _title(notebook)
    lesson = Lesson(path.stem, title, promise, notebook=notebook)
    if settings:
        _inject(notebook, settings)
    n_code = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0

    def on_cell(cell: Any, cell_index: int) -> None:
        nonlocal done
        if cell.cell_type == "code":
            done += 1
            if progress and sys.stdout.isatty():
                seconds = time.time() - started
                print(
                    f"\r{path.stem}: cell {done} of {n_code}, {seconds:.0f} s ", end="", flush=True
                )

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=on_cell,
    )
    started = time.time()
    try:
        client.execute()
    except CellExecutionError as error:
        lesson.error = _failing_cell(notebook, f"{error.ename}: {error.evalue}")
    except CellTimeoutError:
        lesson.error = _failing_cell(
            notebook, f"it did not end within {timeout} s; if the kernel was idle, run it again"
        )
    except (DeadKernelError, AssertionError):  # nbclient trips over a kernel that is gone
        lesson.error = _failing_cell(notebook, "the kernel died; was there enough memory?")
    lesson.seconds = time.time() - started
    lesson.headline = _headline(notebook)
    if progress and sys.stdout.isatty():
        print("\r" + " " * 60 + "\r", end="")
    return lesson


def _failing_cell(notebook: Any, raised: str) -> str:
    """Show the last cell that was started, and what it raised."""
    started = [c for c in notebook.cells if c.cell_type == "code" and "execution" in c.metadata]
    source = started[-1].source if started else "(none was started)"
    return f"--- the failing cell ---\n{source}\n--- it raised ---\n{raised}"


def _title(notebook: Any) -> tuple[str, str]:
    """Give the heading and the paragraph below it."""
    lines = [line for line in notebook.cells[0].source.splitlines() if not line.startswith("[![")]
    heading, *paragraphs = "\n".join(lines).strip().split("\n\n")
    return heading.removeprefix("# "), " ".join("".join(paragraphs[:1]).split())


def _inject(notebook: Any, settings: dict[str, Any]) -> None:
    """Set values anew, in a cell after the one tagged ``settings``."""
    places = [
        i for i, cell in enumerate(notebook.cells) if "settings" in cell.metadata.get("tags", [])
    ]
    if len(places) != 1:
        raise ValueError(f"expected one cell tagged settings, found {len(places)}")
    source = "\n".join(f"{name} = {value!r}" for name, value in settings.items())
    notebook.cells.insert(places[0] + 1, nbformat.v4.new_code_cell(source))


def _headline(notebook: Any) -> dict[str, Any]:
    for cell in notebook.cells:
        if "headline" in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if "data" in output and "text/plain" in output["data"]:
                    text = re.sub(r"\bnan\b", "None", output["data"]["text/plain"])
                    return ast.literal_eval(text)
    return {}


def _cover(notebook: Any) -> str | None:
    """Take the picture of the cell tagged ``cover``, as base64."""
    for cell in notebook.cells:
        if "cover" in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    return output["data"]["image/png"].replace("\n", "")
    return None


def code_alone(notebook: Any) -> Any:
    r"""Make the copy for live coding on a screen: all code and all headings, no text, no output.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    >>> cells = [new_markdown_cell("# A\nB"), new_code_cell("# C"), new_markdown_cell("D")]
    >>> [cell.source for cell in code_alone(new_notebook(cells=cells)).cells]
    ['# A', '# C']
    """
    alone = copy.deepcopy(notebook)
    for cell in alone.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("execution", None)
        else:
            cell.source = "\n".join(re.findall(r"^#+ .*$", cell.source, re.MULTILINE))
    alone.cells = [cell for cell in alone.cells if cell.cell_type == "code" or cell.source]
    return alone


def write(lesson: Lesson, folder: Path = BUILD, *, before: str = "", after: str = "") -> None:
    """Write the executed notebook, its code alone, and its page, which leads to its neighbours."""
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(lesson.notebook, folder / f"{lesson.name}.ipynb")
    nbformat.write(code_alone(lesson.notebook), folder / f"{lesson.name}_code.ipynb")
    number = lesson.name[:2]
    text = page(lesson.notebook, lesson.title, nav=links(before, after, number), lesson=number)
    (folder / f"{lesson.name}.html").write_text(text, encoding="utf-8")


INDEX = """<h1>From logits to decisions</h1>
<p>A text classifier is a network that gives logits, and a rule that turns logits into an action.
These lessons teach the rule. Each page below was executed on this machine; the figures are those of
this run, and another machine's may differ a little.</p>
<p>Came with a question? <a href="00_start_here.html#{index}">I want to ...</a> leads to the section
that answers it.</p>
"""


def write_index(lessons: list[Lesson], folder: Path = BUILD) -> Path:
    """Write the page that leads to all lessons, and the pages around them."""
    articles = []
    for lesson in lessons:
        cover = _cover(lesson.notebook)
        picture = (
            f'<img src="data:image/png;base64,{cover}" alt="A figure from the lesson: '
            f'{html.escape(lesson.title)}">'
            if cover
            else ""
        )
        figures = (
            '<p class="failed">This run failed; the page shows where.</p>'
            if lesson.error
            else f"<p>{html.escape(in_words(lesson.name, lesson.headline))}</p>"
        )
        articles.append(
            f'<article>{picture}<div><h2><a href="{lesson.name}.html">{html.escape(lesson.title)}'
            f"</a></h2><p>{html.escape(lesson.promise)}</p>{figures}"
            f'<p class="figures">{lesson.seconds:.0f} seconds here · '
            f'<a href="{lesson.name}.ipynb">executed notebook</a> · '
            f'<a href="{lesson.name}_code.ipynb">code alone, for the screen</a></p></div></article>'
        )
    write_pages(folder)
    path = folder / "index.html"
    body = INDEX.format(index=anchor("6 · I want to ...")) + "\n".join(articles)
    body += f"<section><h2>What was measured, and how</h2>\n{measured()}</section>"
    path.write_text(shell(TITLE, body), encoding="utf-8")
    return path


def main() -> None:
    """Execute lessons one after another; exit 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers, as 01; all by default")
    parser.add_argument(
        "--pictures", action="store_true", help="renew the pictures in notebooks/pictures too"
    )
    arguments = parser.parse_args()
    chosen = arguments.lessons
    paths = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    unknown = [number for number in chosen if not any(p.name.startswith(number) for p in paths)]
    if unknown or not paths:
        sys.exit(f"no lesson {', '.join(unknown)}; there are {', '.join(p.stem for p in paths)}")
    if chosen:
        paths = [p for p in paths if p.name.startswith(tuple(chosen))]
    lessons = []
    for path in paths:
        if not sys.stdout.isatty():
            print(f"{path.stem}: running", flush=True)
        lesson = execute(path)
        place = paths.index(path)
        before, *_, after = ["", *(p.stem for p in paths), ""][place : place + 3]
        write(lesson, before=before, after=after)
        lessons.append(lesson)
        if arguments.pictures and (cover := _cover(lesson.notebook)):
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / f"{lesson.name}.png").write_bytes(base64.b64decode(cover))
        result = "FAILED" if lesson.error else summary(lesson.headline)
        print(f"{lesson.name}: {lesson.seconds:.0f} s; {result}", flush=True)
        if lesson.error:
            print(lesson.error, flush=True)
    index = write_index(lessons)
    print(f"open {index.relative_to(ROOT)} in a browser")
    if any(lesson.error for lesson in lessons):
        sys.exit(1)


if __name__ == "__main__":
    main()
