"""The pages around the lessons: links lead somewhere, nothing is loaded, figures are worked out."""

import html
import importlib.util
import inspect
import itertools
import re

import nbformat
import pytest

from helpers import decisions
from tools import (
    build_notebooks,
    execute_lessons,
    glossary,
    handout,
    lesson_page,
    notation,
    quiz,
    site,
    solutions,
)

SOURCES = sorted(build_notebooks.SOURCES.glob("[0-9][0-9]_*.py"))
LESSONS = sorted((build_notebooks.ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
LOADS = re.compile(r"<script[^>]*src=|<link\b|@import|url\(['\"]?http|import\(")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write all pages, the lessons without outputs."""
    folder = tmp_path_factory.mktemp("site")
    names = [path.stem for path in LESSONS]
    lessons = []
    for path, before, after in zip(LESSONS, ["", *names], [*names[1:], ""], strict=False):
        notebook = nbformat.read(path, as_version=4)
        title, promise = execute_lessons._title(notebook)
        lesson = execute_lessons.Lesson(path.stem, title, promise, notebook=notebook)
        execute_lessons.write(lesson, folder, before=before, after=after)
        lessons.append(lesson)
    execute_lessons.write_index(lessons, folder)
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


def test_every_link_leads_somewhere(pages):
    """Each link between pages names a page, and a place that this page has."""
    ids = {name: set(re.findall(r'\bid="([^"]*)"', text)) for name, text in pages.items()}
    lost, found = [], 0
    for name, text in pages.items():
        for link in re.findall(r'<a [^>]*href="([^"]*)"', text):
            page, _, place = link.partition("#")
            page = page or name
            if link.startswith("http") or not page.endswith(".html"):
                continue
            found += 1
            if page not in ids or (place and place not in ids[page]):
                lost.append((name, link))
    assert lost == [] and found > 300


def test_no_page_leads_out_of_the_folder_that_is_published(pages):
    """A relative link leads to a page or a notebook beside it, never to another file."""
    beside = {
        *pages,
        *(f"{path.stem}{end}" for path in LESSONS for end in (".ipynb", "_code.ipynb")),
    }
    for name, text in pages.items():
        found = {link.partition("#")[0] for link in re.findall(r'<a\b[^>]*href="([^"]*)"', text)}
        assert {link for link in found if link and not re.match(r"\w+:", link)} <= beside, name
    assert "(PORTING)" in re.sub(r"<[^>]*>", "", pages["index.html"])


def test_a_link_to_a_file_leads_to_the_repository_where_its_address_is_known():
    """A file that is shown as a page leads to the page, another to the address, else nowhere."""
    links = "".join(
        f'<a href="{path}">x</a>'
        for path in (
            "PORTING.md#y", "findings/onnxruntime_int8_mates.sh", "GLOSSARY.md",
            "notebooks/01_binary_threshold.ipynb", "https://example.org", "quiz.html", "#here",
        )
    )  # fmt: skip
    pages = ["glossary.html", "01_binary_threshold.html", "https://example.org", "quiz.html"]
    led = site.lead_somewhere(links, "https://github.com/a/b/", "v1.0")
    files = "https://github.com/a/b/blob/v1.0/"
    assert re.findall(r'href="([^"]*)"', led) == [
        f"{files}PORTING.md#y", f"{files}findings/onnxruntime_int8_mates.sh", *pages, "#here",
    ]  # fmt: skip
    alone = site.lead_somewhere(links, None, "main")
    assert re.findall(r'href="([^"]*)"', alone) == [*pages, "#here"] and alone.startswith("xx<a")


def test_pages_load_nothing_and_are_small(pages):
    """No page asks for a script, a font or a style; each weighs less than 3 MB, and is titled."""
    assert set(site.PAGES) | {"index.html"} <= set(pages)
    for name, text in pages.items():
        assert not LOADS.search(text), name
        assert len(text.encode()) < 3e6 and re.search(r"<title>[^<]+</title>", text)
        assert 'lang="en"' in text and "prefers-color-scheme: dark" in text


def test_lessons_lead_to_their_neighbours(pages):
    """A lesson links to the contents, the lesson before it and the one after it."""
    middle = pages[f"{LESSONS[1].stem}.html"]
    for target in ("index", LESSONS[0].stem, LESSONS[2].stem):
        assert f'href="{target}.html"' in middle
    assert "Before:" not in pages[f"{LESSONS[0].stem}.html"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem[:2])
def test_the_first_use_of_a_term_leads_to_its_line(pages, path):
    """Once a lesson at most, not in code, headings and links; no earlier use is in prose."""
    text = pages[f"{path.stem}.html"]
    linked = re.findall(r'<a class="term" href="glossary.html#([^"]*)">', text)
    assert len(set(linked)) == len(linked) >= 10
    blocks = re.findall(r"<(a|code|pre|h\d)\b[^>]*>(.*?)</\1>", text, re.DOTALL)
    assert not any('class="term"' in inside for _, inside in blocks)
    body = text.split("<main")[1]
    (logit,) = (term for term in glossary.terms() if term.name == "logit")
    first = body.split(f'<a class="term" href="glossary.html#{logit.place}"')[0] + "</div>"
    texts = re.findall(r'data-mime-type="text/markdown">(.*?)</div>', first, re.DOTALL)
    prose = re.sub(r"<(code|pre|h\d)\b.*?</\1>|<[^>]*>", " ", " ".join(texts), flags=re.DOTALL)
    assert texts and not re.search(logit.pattern, prose)


def test_each_line_of_the_glossary_leads_to_the_first_use(pages):
    """A line that names a lesson leads into it; nine in ten lead to a section."""
    uses = glossary.first_uses()
    for term in glossary.terms():
        (row,) = re.findall(f'<div id="{re.escape(term.place)}">.*', pages["glossary.html"])
        led = re.findall(r'href="(\d\d)_\w+\.html', row)
        assert led == ([uses[term][0][:2]] if term in uses else []), term.name
        assert not term.lessons or led[0] in term.lessons
    assert sum(bool(heading) for _, heading in uses.values()) >= 0.9 * len(uses) > 70


def test_each_symbol_stands_in_the_sections_that_the_notation_names(pages):
    """Each name of a line is in one of its sections, and each of them has one of the names."""
    texts = {
        f"{path.stem[:2]}.{heading.split(' ')[0]}": text
        for path in SOURCES
        for heading, _, text in glossary.sections_of(path)
    }
    for symbol in notation.symbols():
        found = {
            (name, section)
            for name in symbol.names
            for section in symbol.sections
            if notation.stands_in(name, texts[section])
        }
        assert {name for name, _ in found} == set(symbol.names)
        assert {section for _, section in found} == set(symbol.sections), symbol.names
    assert len(notation.symbols()) > 20 and 'href="notation.html"' in pages["handout.html"]


def test_each_letter_of_the_lessons_stands_in_the_notation():
    """A letter that prose uses in two places has its line; those that name examples are known."""
    names = {name for symbol in notation.symbols() for name in symbol.names}
    found = set()
    for source in SOURCES:
        for _, prose, _ in glossary.sections_of(source)[:-1]:  # not in the references
            prose = re.sub(r"\*\*|\\", "", prose)
            found |= set(re.findall(r"(?<![\w'’`-])([A-Za-z](?:_[A-Z]+)?\*?)(?![\w'’.)-])", prose))
    assert found >= {"p", "n", "T", "c_FP", "F*"}
    assert sorted(found - names - {"a", "A", "I"}) == ["P", "b", "c", "m", "s"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem[:2])
def test_solutions_stand_apart(pages, path):
    """Each solution is on the page that its lesson links to, folded, and not in the lesson."""
    source = build_notebooks.SOURCES / f"{path.stem}.py"
    found = solutions.exercises(source)
    assert len(found) == source.read_text(encoding="utf-8").count("\n# solution\n") > 0
    apart, lesson = pages[solutions.page_of(path.stem[:2])], pages[f"{path.stem}.html"]
    assert f'href="{solutions.page_of(path.stem[:2])}"' in lesson
    for one in found:
        assert f'<section id="{one.name}">' in apart
        folded = f"<details><summary>Solution</summary>\n<pre>{html.escape(one.solution)}</pre>"
        assert folded in apart
        assert html.escape(one.solution) not in re.sub(r"<[^>]*>", "", lesson)


def test_the_index_says_how_each_figure_was_made(pages):
    """Its tables are those of MEASURED.md; each names commands that are there to run."""
    made = pages["index.html"].split("What was measured")[1]
    tables = re.split(r"<table>", made)
    assert len(tables) > 3
    measured = (build_notebooks.ROOT / "MEASURED.md").read_text(encoding="utf-8")
    for row in re.findall(r"^\| .+ \|$", measured, re.MULTILINE):
        last = re.sub("[`*]", "", row.split("|")[-2]).strip()
        assert html.escape(last, quote=False) in re.sub(r"<[^>]*>", "", made), row
    for before, table in itertools.pairwise(tables):
        rows = re.findall(r"<tr>.*?</tr>", table.split("</table>")[0], re.DOTALL)[1:]
        each = [re.search("python -m|the same</td>", row) is not None for row in rows]
        assert all(each) or "python -m" in before.split("</table>")[-1]
    commands = set(re.findall(r"python -m ([\w.]+)", made))
    assert len(commands) >= 7 and all(importlib.util.find_spec(name) for name in commands)


def test_the_index_says_figures_in_words():
    """A lesson's figures become a sentence; one that lacks a figure is listed as it is."""
    said = site.in_words("01_binary_threshold", {"cost at 0.5": 0.456, "tuned": 0.271})
    assert said.endswith("a message cost 0.46; with the threshold chosen on validation data, 0.27.")
    assert site.in_words("01_binary_threshold", {"tuned": 0.271}) == "tuned 0.271"


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem[:2])
def test_every_sentence_of_the_index_has_its_figures(path):
    """The names in a sentence are those of the lesson's cell tagged headline."""
    cells = nbformat.read(path, as_version=4).cells
    (headline,) = (c.source for c in cells if "headline" in c.metadata.get("tags", []))
    for name in re.findall(r"{(.+?):[^:]+?}", site.WORDS[path.stem[:2]]):
        assert f'"{name}":' in headline


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem[:2])
def test_a_phone_wraps_each_line_of_code(pages, path):
    """All code of a lesson stands in lines that know their indent, also before it is executed."""
    blocks = re.findall(
        r'<div class="highlight [^>]*><pre>(.*?)</pre>', pages[f"{path.stem}.html"], re.S
    )
    cells = nbformat.read(path, as_version=4).cells
    assert len(blocks) == sum(cell.cell_type == "code" for cell in cells) > 5
    assert all('<span class="line" style="--in:' in block for block in blocks)


def test_a_folded_answer_holds_its_text(pages):
    """In the page of a lesson each answer stands inside its fold, and no fold is empty."""
    fold = re.compile(r"<details><summary>Answer</summary>(.*?)</details>", re.DOTALL)
    found = [inside for text in pages.values() for inside in fold.findall(text)]
    assert len(found) > 20 and all("<p>" in inside for inside in found)


def test_the_handout_shows_calls_that_there_are():
    """Each call on the handout names a rule and a way to make it, with options that it takes."""
    for _, call in handout.RULES:
        rule, method, options = re.fullmatch(r"(\w+)\.(\w+)\((.*)\)", call).groups()
        rule = "BinaryThreshold" if rule == "rule" else rule
        taken = inspect.signature(getattr(getattr(decisions, rule), method)).parameters
        for option in re.findall(r"(\w+)=", re.sub(r"\(.*?\)", "", options)):
            assert option in taken, (call, option)


def test_the_handout_works_its_figures_out():
    """Its figures are those of the formulas beside them."""
    examples = {name: example for name, _, example in handout.formulas()}
    assert examples["threshold of two prices"] == f"1 and 20: {1 / 21:.3f}; 1 and 5: {1 / 6:.3f}"
    assert examples["weight w in the loss"].endswith("0.50")
    assert examples["no error in n rows"].startswith("59 ") and 0.95**59 <= 0.05 < 0.95**58
    body, style = handout.handout()
    assert body.count('class="side"') == 2 and "@page" in style


def test_the_quiz_is_whole():
    """Each lesson has 4 to 6 questions; no two answers of one are equal, and each is explained."""
    asked = quiz.questions()
    assert set(asked) == {path.stem[:2] for path in LESSONS}
    for lesson in asked.values():
        assert 4 <= len(lesson) <= 6
        for question in lesson:
            answers, reasons = zip(question.right, *question.wrong, strict=True)
            assert len(set(answers)) == len(answers) >= 3 and all(reasons)


def test_the_quiz_does_not_give_the_right_answer_away(pages):
    """The right answer is now first, now last; each is worked out where it is a figure."""
    first = re.findall(r"</p><details><summary>[^<]*</summary><p><b>(Right|No)", pages["quiz.html"])
    n = sum(len(lesson) for lesson in quiz.questions().values())
    assert len(first) == n and 0.1 < first.count("Right") / n < 0.6
    assert pages["quiz.html"].count("<b>Right") == n
    one = quiz.questions()["01"][0]
    assert one.right[0] == f"{1 / 6:.3f}" and one.wrong[0][0] == "0.200"


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem[:2])
def test_the_notebook_for_the_screen_has_all_code_and_nothing_else(path):
    """Its code cells are those of the lesson, in order; between them stand the headings alone."""
    lesson = nbformat.read(path, as_version=4)
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text="7")], 7
    alone = execute_lessons.code_alone(lesson)
    nbformat.validate(alone)
    code = [[c for c in book.cells if c.cell_type == "code"] for book in (lesson, alone)]
    assert [c.source for c in code[0]] == [c.source for c in code[1]]
    assert all(c.outputs == [] and c.execution_count is None for c in code[1])
    lines = [
        line for c in alone.cells if c.cell_type == "markdown" for line in c.source.splitlines()
    ]
    assert len(lines) > 8 and all(re.match("#+ ", line) for line in lines)
    sections = build_notebooks.sections(build_notebooks.SOURCES)
    assert {f"## {h}" for name, h in sections.values() if name == path.stem} <= set(lines)


def test_the_index_leads_to_the_notebooks_for_the_screen(pages):
    """Each lesson has its own, beside the executed one."""
    for path in LESSONS:
        assert f'href="{path.stem}_code.ipynb"' in pages["index.html"]


def luminance(colour):
    """Give the relative luminance of #rrggbb, or #rgb, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Give the contrast of two colours, from 1 to 21."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_paper(scheme):
    """All text has a contrast of 4.5 at least, code and its comments included."""
    for colour in lesson_page.COLOURS[scheme].values():
        assert contrast(colour, lesson_page.PAPER[scheme]) >= 4.5
    half = site.STYLE.split("@media (prefers-color-scheme: dark)")[scheme == "dark"]
    named = dict(re.findall(r"--(\w+): (#\w+)", half))
    for name in ("ink", "quiet", "link", "failed"):
        assert contrast(named[name], named["page"]) >= 4.5 <= contrast(named[name], named["box"])
    assert contrast("#408080", "#f5f5f5") < 4.5  # what a comment had before


def test_pages_can_be_read_without_seeing_them(pages):
    """Pictures have words, headings skip no level, landmarks and headings of tables are named."""
    for name, text in pages.items():
        body = text.split("<body")[1]
        pictures = re.findall(r"<img\b[^>]*>", body)
        assert all(re.search(r'alt="[^"]{9,}"', picture) for picture in pictures), name
        levels = [int(level) for level in re.findall(r"<h([1-6])\b", body)]
        assert levels[0] == 1 and all(b - a <= 1 for a, b in itertools.pairwise(levels)), name
        navs = re.findall(r'<nav [^>]*aria-label="([^"]*)"', body)
        assert len(set(navs)) == len(navs) >= 1 and "<th></th>" not in body, name
        for box in re.findall(r'<div class="wide"[^>]*>', body):
            assert 'tabindex="0"' in box


def test_a_dark_page_has_the_dark_theme():
    """The colours of a lesson's page follow the reader's system."""
    assert "--jp-layout-color0" in lesson_page._dark()
