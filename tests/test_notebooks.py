"""The lessons keep the rules in CONTRIBUTING.md, and both copies are what a build gives."""

import ast
import json
import re
import shutil
import sys
import types
from pathlib import Path

import nbformat
import pytest

from tools import build_notebooks

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "notebooks" / "source").glob("[0-9][0-9]_*.py"))
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
ids = pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem[:2])


def cells(path, kind=None):
    """Give the cells of a notebook, of one kind or all."""
    notebook = nbformat.read(path, as_version=4)
    return [c for c in notebook.cells if kind in (None, c.cell_type)]


def copy_of_the_project(folder, address=None):
    """Copy what a build reads, and set an address in the copy."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    if address:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        text = re.sub(
            r"^# Repository = .*$|^Repository = .*$",
            f'Repository = "{address}"',
            text,
            flags=re.MULTILINE,
        )
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


@ids
def test_no_cell_needs_an_output_widget(path):
    """No lesson uses interact or Output: executed without a browser, such cells may never end."""
    used = re.compile(r"\binteract(ive|ive_output|_manual)?\(|widgets\.Output")
    assert [c.source for c in cells(path, "code") if used.search(c.source)] == []


def test_files_are_what_a_build_gives():
    """Learner copies, solution copies and README equal a fresh build, byte for byte."""
    assert build_notebooks.differing(build_notebooks.outputs()) == []


def test_a_stale_or_orphaned_copy_is_found(tmp_path):
    """The check names a copy that was edited by hand and one that has no source."""
    root = copy_of_the_project(tmp_path)
    edited = root / "notebooks" / LESSONS[0].name
    edited.write_text(edited.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    orphan = root / "notebooks" / "99_gone.ipynb"
    orphan.write_text("{}", encoding="utf-8")
    found = build_notebooks.differing(build_notebooks.outputs(root), root)
    assert set(found) == {edited, orphan}


def colab_cell(notebook):
    """Give the code of the Colab cell as a function of what is installed, without installing it."""
    code = "".join(notebook["cells"][1]["source"])
    code, count = re.subn(r'%pip install -q "(.*)"', r'asked = f"\1"', code)
    assert count == 1
    return code


def test_an_address_gives_badges_and_an_install_cell(tmp_path, monkeypatch):
    """With an address set, badge and Colab cell take this release from there; README lists all."""
    address = "https://github.com/someone/something"
    root = copy_of_the_project(tmp_path, address)
    files = build_notebooks.outputs(root)
    for path, text in files.items():
        assert "someone/something" in text, path
    notebook = json.loads(files[root / "notebooks" / LESSONS[0].name])
    tag = build_notebooks.revision(root)
    assert f"blob/{tag}/notebooks/{LESSONS[0].name}" in "".join(notebook["cells"][0]["source"])
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(colab_cell(notebook), space)
    assert space["asked"] == f"logits-to-decisions[serve] @ git+{address}@{tag}"
    badges = [line for line in files[root / "README.md"].splitlines() if "colab-badge" in line]
    titles = [line.partition(".ipynb) ")[2] for line in badges]
    assert len(set(titles)) == len(LESSONS) and titles[0].startswith("00 · ")


def test_the_colab_cell_asks_for_an_address_or_takes_a_wheel(tmp_path, monkeypatch):
    """Without an address the cell says in one sentence what to do; a wheel beside it is taken."""
    notebook = json.loads(build_notebooks.build(SOURCES[0], solved=False, address=None))
    assert "colab-badge" not in json.dumps(notebook)
    code = colab_cell(notebook)
    monkeypatch.chdir(tmp_path)
    exec(code, {})  # nowhere but in Colab does it do anything
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    with pytest.raises(ValueError, match=r"^Paste the address .*, or upload its wheel .* again\.$"):
        exec(code, {})
    wheel = tmp_path / "logits_to_decisions-0.1.0-py3-none-any.whl"
    wheel.touch()
    space = {}
    exec(code, space)
    assert space["asked"] == f"logits-to-decisions[serve] @ {wheel.as_uri()}"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/a/b.git",
        "git@github.com:a/b",
        "https://gitlab.com/a/b",
        "https://github.com/a",
        "http://github.com/a/b",
    ],
)
def test_an_address_that_colab_cannot_open_is_refused(tmp_path, address):
    """Colab opens notebooks of GitHub alone: another address stops the build with what it takes."""
    root = copy_of_the_project(tmp_path, address)
    with pytest.raises(ValueError, match=r"as https://github.com/owner/name, got '"):
        build_notebooks.outputs(root)


def test_a_version_under_way_is_taken_from_main(tmp_path):
    """Between releases there is no tag to take."""
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0.dev1"\n')
    assert build_notebooks.revision(tmp_path) == "main"


def test_a_lesson_without_title_is_refused(tmp_path):
    """A source that does not begin with a title cannot be built."""
    source = tmp_path / "05_none.py"
    source.write_text("# %%\nx = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="first cell must be the title"):
        build_notebooks.build(source, solved=False, address=None)


def test_exercises_are_blank_for_learners_and_solved_in_solutions(tmp_path):
    """Above `# solution` goes to the learner, below it to the solution copy."""
    source = tmp_path / "05_none.py"
    source.write_text(
        "# %% [markdown]\n# # T\n\n# %%\nanswer = ...\n# solution\nanswer = 42\n# check\nanswer\n"
    )
    learner = build_notebooks.build(source, solved=False, address=None)
    solved = build_notebooks.build(source, solved=True, address=None)
    assert "answer = ..." in learner and "42" not in learner
    assert "answer = 42" in solved and "answer = ..." not in solved


def test_answers_are_folded():
    """A paragraph that begins with *Answer* is folded alone, and begins with a capital."""
    text = build_notebooks.fold_answers("Before.\n\n*Answer*: no,\nit falls.\n\nAfter *this*.")
    folded = "<details><summary>Answer</summary>\n\nNo,\nit falls.\n\n</details>"
    assert text == f"Before.\n\n{folded}\n\nAfter *this*."


@ids
def test_every_answer_of_a_lesson_is_folded(path):
    """No built lesson shows an answer in sight, and each fold is closed again."""
    for cell in cells(path, "markdown"):
        assert "*Answer*" not in cell.source
        assert cell.source.count("<details>") == cell.source.count("\n\n</details>")


@ids
def test_no_outputs_and_valid_format(path):
    """A committed notebook is valid and holds no outputs and no execution counts."""
    nbformat.validate(nbformat.read(path, as_version=4))
    assert all(not c.outputs and c.execution_count is None for c in cells(path, "code"))


@ids
def test_size_of_cells(path):
    """At most 45 code cells, 86 in all; 15 code lines (20 for a figure), 120 words a text cell."""
    assert len(cells(path, "code")) <= 45 and 25 <= len(cells(path)) <= 86
    for cell in cells(path, "code"):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= (20 if "plt." in cell.source else 15), cell.source
    for cell in cells(path, "markdown"):
        assert len(cell.source.split()) <= 120, cell.source


@ids
def test_every_claim_is_shown(path):
    """A claim is printed, or is the last line of its cell: the page says whether it holds."""
    for cell in cells(path, "code"):
        if "claim(" in cell.source:
            tree = ast.parse(cell.source)
            bare = [node for node in ast.walk(tree) if isinstance(node, ast.Expr)]
            calls = [node for node in bare if ast.unparse(node).startswith("claim(")]
            assert set(calls) <= {tree.body[-1]}, cell.source


@ids
def test_figures_fit_a_phone(path):
    """Every figure says its size, and is at most 4.8 inches wide: its letters stay legible."""
    for cell in cells(path, "code"):
        made = re.findall(r"plt\.(?:figure|subplots)\(", cell.source)
        widths = re.findall(r"figsize=\(([\d.]+),", cell.source)
        assert len(widths) == len(made) and all(float(w) <= 4.8 for w in widths), cell.source


@ids
def test_text_between_code_cells(path):
    """Text stands between code cells; at most two follow one another (compute, then show)."""
    run = 0
    for cell in cells(path)[2:]:
        run = run + 1 if cell.cell_type == "code" else 0
        assert run <= 2, cell.source


@ids
def test_one_cell_of_each_named_kind(path):
    """One cell holds the settings, one the headline figures, one the picture for the index."""
    tags = [tag for c in cells(path) for tag in c.metadata.get("tags", [])]
    assert [tags.count(name) for name in ("settings", "headline", "cover")] == [1, 1, 1]


@ids
def test_at_most_nine_numbered_sections(path):
    """A lesson has up to nine numbered sections, in order."""
    titles = [
        int(m[1])
        for c in cells(path, "markdown")
        for m in re.finditer(r"^## (\d+) ·", c.source, re.M)
    ]
    assert titles == list(range(1, len(titles) + 1)) and len(titles) <= 9


def test_the_index_of_questions_leads_somewhere():
    """Lesson 00 has at least 40 questions, none twice; each leads to a heading of its lesson."""
    index = next(path for path in LESSONS if path.stem.startswith("00"))
    text = "\n".join(c.source for c in cells(index, "markdown"))
    lines = re.findall(r"^- (.+): \[(.+)\]\((\w+\.ipynb)#(.+)\)$", text, re.MULTILINE)
    assert len(lines) >= 40 and len({question for question, *_ in lines}) == len(lines)
    for _, name, lesson, place in lines:
        headings = re.findall(
            r"^## (.+)$",
            "\n".join(c.source for c in cells(ROOT / "notebooks" / lesson, "markdown")),
            re.MULTILINE,
        )
        assert place in [build_notebooks.anchor(h) for h in headings]
        assert name.startswith(lesson[:2])
    assert {lesson for *_, lesson, _ in lines} >= {path.name for path in LESSONS if path != index}


def test_a_link_to_no_section_is_refused():
    """A text cannot link to a section that its lesson does not have."""
    with pytest.raises(ValueError, match=r"a lesson: \[\[01\.9\]\] leads nowhere"):
        build_notebooks.link_sections("see [[01.9]]", {}, "a lesson")


@ids
def test_exercises_have_a_check_each(path):
    """Each exercise of the lesson is checked by its number and solved in the other copy."""
    text = "\n".join(c.source for c in cells(path))
    number = path.stem[:2]
    asked = re.findall(rf"\*\*({number}\.\d)\*\*", text)
    assert (2 if number == "00" else 3) <= len(asked) <= 5  # 00 shows how one works
    assert re.findall(rf'check\("({number}\.\d)"', text) == asked
    solved = "\n".join(c.source for c in cells(path.parent / "solutions" / path.name, "code"))
    assert "answer = ..." not in solved


@pytest.mark.parametrize(
    "text",
    [
        "give an array of decisions, 0 or\n1. Why would that be wrong?",
        "the sum of three\n- and of four",
        "a number\n# that counts",
        "more\n> than half",
        "A list:\n\n- one\n\ntwo or\n3) four",
    ],
)
def test_a_line_that_would_begin_a_list_is_refused(text):
    """A paragraph that is wrapped at a number or a sign would be rendered as something else."""
    with pytest.raises(ValueError, match="begins with a sign that starts a list"):
        build_notebooks.check_paragraphs(text, "a lesson")


@pytest.mark.parametrize(
    "text",
    [
        "## A heading\n\nText in\ntwo lines.",
        "- one\n- two\n  goes on\n- three",
        "1. one\n2. two",
        "| a | b |\n|---|---|\n| - | > |",
        "Cost 1.5 and\n2.5 together; -1 and\n-2 too",
    ],
)
def test_lists_headings_and_tables_are_taken(text):
    """What begins as a list goes on as one; figures at the beginning of a line are text."""
    build_notebooks.check_paragraphs(text, "a lesson")


def test_a_script_made_of_a_lesson_is_a_py():
    """The notebooks say what a converter shall call a script that is made of them."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        assert metadata["language_info"]["file_extension"] == ".py"
