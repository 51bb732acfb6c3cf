"""The tools that execute lessons: settings, headline, pages, and what they say of a failure."""

import html
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import check_seeds, execute_lessons, lesson_page
from tools.build_notebooks import fold_answers

ROOT = Path(__file__).parent.parent

PICTURE = (
    "from IPython.display import Image, display\ndisplay(Image(data=b'\\x89PNG', format='png'))"
)


def lesson(folder, *code):
    """Write a small lesson with settings, a headline and the given code cells."""
    folder.mkdir(exist_ok=True)
    cells = [
        nbformat.v4.new_markdown_cell("# 42 · A title\n\nIts promise,\nin two lines.\n\nMore."),
        nbformat.v4.new_code_cell("SEED = 0", metadata={"tags": ["settings"]}),
        *(nbformat.v4.new_code_cell(text) for text in code),
        nbformat.v4.new_code_cell(PICTURE, metadata={"tags": ["cover"]}),
        nbformat.v4.new_code_cell('{"seed": SEED, "x": 0.5}', metadata={"tags": ["headline"]}),
    ]
    path = folder / "42_small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_lesson_is_executed_with_other_settings_and_shown(tmp_path):
    """Settings are set anew, the headline is read, and page and index carry title and picture."""
    done = execute_lessons.execute(lesson(tmp_path), settings={"SEED": 7}, progress=False)
    assert done.error is None and done.headline == {"seed": 7, "x": 0.5}
    execute_lessons.write(done, tmp_path / "build")
    index = execute_lessons.write_index([done], tmp_path / "build").read_text(encoding="utf-8")
    assert "42 · A title" in index and "<p>Its promise, in two lines.</p>" in index
    assert "seed 7, x 0.5" in index
    assert "data:image/png;base64" in index and 'alt="' in index
    page = (tmp_path / "build" / "42_small.html").read_text(encoding="utf-8")
    assert "<title>42 · A title</title>" in page


def test_a_page_wraps_code_and_changes_no_letter_of_it():
    """Each line of code stands in an element with its indent; the text of all is the source."""
    source = (
        'for a in "<b> & c":\n    x = """one\n\n  two"""\n'
        "    transformers.AutoModelForSequenceClassification.from_pretrained(a)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    page = lesson_page.page(notebook, "T")
    lines = re.findall(r'<span class="line" style="--in:(\d+)">(.*?\n)</span>', page, re.DOTALL)
    assert [int(indent) for indent, _ in lines] == [0, 4, 0, 2, 4]
    shown = "".join(re.sub("<[^>]*>", "", text) for _, text in lines)
    assert html.unescape(shown) == source + "\n"
    assert page.count("<wbr>") == 2, "before the two dots of a long name"


def test_a_page_lets_long_column_names_wrap():
    """A heading may be broken after an underscore; its text stays, and so do the cells."""
    table = "<table><tr><th>average_precision</th><td>a_b</td></tr></table>"
    output = nbformat.v4.new_output("display_data", {"text/html": table})
    cell = nbformat.v4.new_code_cell("0", outputs=[output])
    page = lesson_page.page(nbformat.v4.new_notebook(cells=[cell]), "T")
    assert "<th>average_<wbr>precision</th>" in page and "<td>a_b</td>" in page


def test_answers_in_texts_are_folded_in_the_page():
    """The answer lies inside its fold, what follows outside."""
    cell = nbformat.v4.new_markdown_cell(fold_answers("*Answer*: it falls.\n\nMore."))
    page = lesson_page.page(nbformat.v4.new_notebook(cells=[cell]), "T")
    folded = "<details><summary>Answer</summary>\n<p>It falls.</p>\n</details>\n<p>More.</p>"
    assert folded in page


def test_outputs_that_answer_a_prediction_are_marked(tmp_path):
    """Of the code after a *Predict*, the last cell before the next text answers; no other cell."""
    new = nbformat.v4
    notebook = new.new_notebook(
        cells=[
            new.new_markdown_cell("# T"),
            new.new_code_cell("0"),
            new.new_markdown_cell("*Predict*: what is 1 + 1?"),
            new.new_code_cell("x = 1"),
            new.new_code_cell("x + x", metadata={"tags": ["cover"]}),
            new.new_markdown_cell("So it is."),
            new.new_code_cell("3"),
            new.new_markdown_cell("*Predict*: the end?"),
            new.new_code_cell("4"),
        ]
    )
    marked = lesson_page.mark_answers(notebook)
    assert [i for i, c in enumerate(marked.cells) if lesson_page.ANSWER in str(c.metadata)] == [
        4,
        8,
    ]
    assert marked.cells[4].metadata.tags == ["cover", lesson_page.ANSWER]
    assert lesson_page.ANSWER not in str(notebook)
    page = lesson_page.page(notebook, "T")
    assert f'celltag_{lesson_page.ANSWER}"' in page and 'createElement("details")' in page
    assert "max-width: 600px" in page.split("<script>\nconst answers")[0]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("number = 1\nnumber / 0", "number / 0\n--- it raised ---\nZeroDivisionError"),
        ("import os\nos.kill(os.getpid(), 9)", "the kernel died"),
    ],
)
def test_the_failing_cell_is_shown(tmp_path, code, words):
    """A cell that raises, or kills its kernel, is shown with what happened; the page says so."""
    done = execute_lessons.execute(lesson(tmp_path, code), progress=False)
    assert words in done.error
    index = execute_lessons.write_index([done], tmp_path).read_text(encoding="utf-8")
    assert "This run failed" in index


def test_a_cell_that_does_not_end_is_shown(tmp_path):
    """A cell that takes longer than its time is stopped and shown."""
    path = lesson(tmp_path, "import time\ntime.sleep(600)")
    done = execute_lessons.execute(path, progress=False, timeout=3)
    assert "time.sleep(600)\n--- it raised ---\nit did not end within 3 s" in done.error


def test_settings_need_their_cell(tmp_path):
    """A notebook without a cell tagged settings cannot be run under other settings."""
    path = tmp_path / "43_none.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# T")]), path)
    with pytest.raises(ValueError, match="one cell tagged settings, found 0"):
        execute_lessons.execute(path, settings={"SEED": 1}, progress=False)


def test_seeds_and_ranges():
    """Seeds are read as numbers and ranges; figures are given as least, middle and greatest."""
    assert check_seeds.seeds("0-2,7") == [0, 1, 2, 7]
    found = check_seeds.ranges([{"x": 3.0, "name": "a"}, {"x": 1.0}, {"x": 2.0}])
    assert found == {"x": "1 … 2 … 3"}


def test_a_library_that_writes_to_a_page_fails_the_notebook(tmp_path):
    """A line on stderr fails the run and is shown with its cell; our own line passes."""
    ours = "taking up the fine-tuning kept in 0a1b2c3d (38 s when it was done; "
    ours += "cache=False trains anew)"
    say = "import logging, sys, warnings\n"
    path = lesson(
        tmp_path,
        say + f"logging.warning({ours!r})\nprint({ours!r}, file=sys.stderr)",
        say + "warnings.warn('old', FutureWarning)",
    )
    quiet = lesson(tmp_path / "quiet", f"import sys\nprint({ours!r}, file=sys.stderr)")
    command = [sys.executable, "-m", "pytest", "--nbmake", "-p", "tools.quiet_pages", "-p"]
    command += ["no:cacheprovider", str(path), str(quiet)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "1 failed, 1 passed" in done.stdout
    assert f"cell 2: WARNING:root:{ours}" in done.stdout, "in another form it is not ours"
    assert re.search(r"cell 3: .*FutureWarning: old", done.stdout)
    assert f"cell 2: {ours}" not in done.stdout
