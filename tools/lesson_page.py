"""Make the page of an executed lesson: it fits a phone, and answers to predictions are folded."""

from __future__ import annotations

import copy
import html
import re
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert import HTMLExporter

from tools.glossary import Linker
from tools.solutions import page_of

ANSWER = "answer-of-this-run"
CODE = re.compile(r'(<div class="highlight hl-\w+"><pre>)(.*?)(</pre>)', re.DOTALL)
TAG = re.compile(r"<[^>]*>")
SPACE = re.compile(r"(?<!<span) ")  # between words, not inside a tag
DOT = '<span class="o">.</span>'
HEADING = re.compile(r"(<th[^>]*>)([^<]*)(?=</th>)")
LOADED = re.compile(  # what the page of a notebook would fetch: widgets, formulas, diagrams
    r'<script src="https?://[^"]*">\s*</script>|<script type="module">.*?</script>'
    r"|<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->",
    re.DOTALL,
)
PAPER = {"light": "#f5f5f5", "dark": "#212121"}  # behind code
# JupyterLab's own colours of these are too pale to be read by everybody
COLOURS = {
    "light": {
        "comment": "#2f6b6b",
        "operator": "#7a1fc0",
        "number": "#006b00",
        "prompt": "#616161",
    },
    "dark": {"comment": "#7cc4c4", "operator": "#cf9bff", "number": "#7fcf7f", "prompt": "#bdbdbd"},
}
DARK = (
    "body { background: var(--jp-layout-color0) !important; } .jp-RenderedImage img, "
    ".jp-RenderedHTMLCommon img { background: #fff; } .pages a { color: #7cc0f0; }"
)
FOLDER = "<code>notebooks/solutions</code>"
LESSON_LINK = re.compile(r'href="(\d\d_\w+)\.ipynb')
STYLE = """<style>
.jp-RenderedMarkdown p, .jp-RenderedMarkdown li { max-width: 52em; }
.jp-RenderedMarkdown a:not(.anchor-link) { text-decoration: underline; }
.jp-OutputArea-output pre { word-break: normal !important; overflow-wrap: anywhere; }
.jp-OutputArea-output { overflow-x: auto; }
summary { cursor: pointer; padding: .3em .5em; font: 600 14px system-ui, sans-serif; }
.jp-Cell > details > summary { margin-left: var(--jp-cell-prompt-width); }
.pages { display: flex; flex-wrap: wrap; gap: .2em 1.2em; padding: .6em; }
.pages { font: 15px system-ui, sans-serif; }
.pages a { color: #00578a; }
a.term {
  color: inherit !important; text-decoration: underline dotted; text-underline-offset: .2em;
}
#answers { float: right; font: 13px system-ui, sans-serif; }
.jp-OutputArea-output tr > :first-child {
  position: sticky; left: 0; background: var(--jp-layout-color0);
}
.wide::before {
  content: "more columns to the right \\2192"; position: sticky; left: 0; opacity: .7;
  font: 11px system-ui, sans-serif;
}
@media (max-width: 600px) {
  .jp-RenderedMarkdown code { white-space: pre-wrap !important; overflow-wrap: anywhere; }
  main, .jp-Cell { padding-left: 2px !important; padding-right: 2px !important; }
  .jp-Cell pre, .jp-Cell table { font-size: 11px !important; }
  .jp-Cell th, .jp-Cell td { padding: 3px 4px !important; }
  .jp-Cell > details > summary { margin-left: 0; }
  .jp-InputPrompt, .jp-OutputPrompt { display: none; }
  .line {
    display: block; white-space: pre-wrap; overflow-wrap: anywhere;
    padding-left: calc((var(--in) + 2) * 1ch); text-indent: calc((var(--in) + 2) * -1ch);
  }
  #answers { float: none; display: block; margin-left: auto; }
  .jp-RenderedMarkdown blockquote { margin-left: 0; }
}
</style>
"""
# without scripts every answer is in sight
FOLD = """<script>
const answers = ".celltag_answer-of-this-run > .jp-Cell-outputWrapper";
for (const box of document.querySelectorAll(answers)) {
  const fold = document.createElement("details"), head = document.createElement("summary");
  head.textContent = "What this run says";
  box.replaceWith(fold);
  fold.append(head, box);
}
const folds = [...document.querySelectorAll("details")];
if (folds.length) {
  const button = document.createElement("button");
  button.id = "answers";
  const name = () => button.textContent = folds[0].open ? "Fold answers" : "Open answers";
  button.onclick = () => {
    const open = !folds[0].open;
    for (const fold of folds) fold.open = open;
    name();
  };
  name();
  addEventListener("beforeprint", () => folds.forEach(fold => fold.open = true));
  document.querySelector("main").prepend(button);
}
const say = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const wide = target.scrollWidth > target.clientWidth + 1;
    target.classList.toggle("wide", wide);
    wide ? target.tabIndex = 0 : target.removeAttribute("tabindex");  // keys can scroll it
  }
});
for (const table of document.querySelectorAll(".jp-OutputArea-output table")) {
  const box = document.createElement("div");
  box.style.overflowX = "auto";
  table.replaceWith(box);
  box.append(table);
  say.observe(box);
}
</script>
"""


def mark_answers(notebook: Any) -> Any:
    """Tag the cells whose outputs answer a prediction.

    Parameters
    ----------
    notebook : NotebookNode
        Where a text asks to *Predict*, the last code cell before the next text answers.

    Returns
    -------
    NotebookNode
        A copy.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    >>> cells = [new_markdown_cell("*Predict*: 1 + 1?"), new_code_cell("x = 1"), new_code_cell("2")]
    >>> [cell.metadata.get("tags") for cell in mark_answers(new_notebook(cells=cells)).cells]
    [None, None, ['answer-of-this-run']]
    """
    marked = copy.deepcopy(notebook)
    asked, last = False, None
    for cell in [*marked.cells, None]:
        if cell is not None and cell.cell_type == "code":
            last = cell
            continue
        if asked and last is not None:
            last.metadata["tags"] = [*last.metadata.get("tags", []), ANSWER]
        asked, last = cell is not None and "*Predict*" in cell.source, None
    return marked


def hang_lines(text: str) -> str:
    r"""Put each line of code into an element that knows its indent, so that a phone can wrap it.

    Where no space is near, a line may also be broken before a dot.

    Parameters
    ----------
    text : str
        A page with coloured code: no element goes on from one line to the next.

    Returns
    -------
    str

    Examples
    --------
    >>> code = '<div class="highlight hl-ipython3"><pre>if a:\n  <b>b</b>\n</pre>'
    >>> print(hang_lines(code))
    <div class="highlight hl-ipython3"><pre><span class="line" style="--in:0">if a:
    </span><span class="line" style="--in:2">  <b>b</b>
    </span></pre>
    """

    def breakable(run: str) -> str:
        return run.replace(DOT, f"<wbr>{DOT}") if len(TAG.sub("", run)) > 25 else run

    def hang(line: str) -> str:
        bare = TAG.sub("", line)
        indent = len(bare) - len(bare.lstrip(" "))
        inside = " ".join(map(breakable, SPACE.split(line)))
        return f'<span class="line" style="--in:{indent}">{inside}</span>'

    return CODE.sub(lambda m: m[1] + "".join(map(hang, m[2].splitlines(True))) + m[3], text)


class Exporter(HTMLExporter):
    """Makes a page; the first use of each term in a text cell leads to the glossary.

    Parameters
    ----------
    lesson : str
        Its number; empty for no such links.
    """

    def __init__(self, lesson: str) -> None:
        super().__init__()  # embed_images would close each <details> before its answer
        self._link = Linker(lesson) if lesson else str

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Write the text of a cell as HTML."""
        return self._link(super().markdown2html(context, source))


def page(notebook: Any, title: str, *, nav: str = "", lesson: str = "") -> str:
    """Write an executed lesson as one HTML page.

    Parameters
    ----------
    notebook : NotebookNode
        With outputs.
    title : str
    nav : str
        HTML of links, for the top and the end of the page.
    lesson : str
        The lesson's number: its first use of a term then links to the glossary, and the folder of
        the solutions to their page.

    Returns
    -------
    str
        It loads nothing; its colours are those that the reader's system asks for.
    """
    text, _ = Exporter(lesson).from_notebook_node(mark_answers(notebook))
    text = hang_lines(text)
    text = HEADING.sub(lambda m: m[1] + m[2].replace("_", "_<wbr>"), text)  # a long name wraps
    text = text.replace("<th></th>", "<td></td>")  # a corner is no heading
    text = LOADED.sub("", text)
    text = LESSON_LINK.sub(r'href="\1.html', text)  # pages link to pages
    if lesson:
        text = text.replace(FOLDER, f'<a href="{page_of(lesson)}">{FOLDER}</a>')
    text = text.replace("<title>Notebook</title>", f"<title>{html.escape(title)}</title>")
    head, body = text.split("</head>", 1)
    body, end = body.rsplit("</body>", 1)
    style = STYLE.replace("</style>", f"{_colours('light')}{_dark()}</style>")
    before, main = body.split("<main", 1)
    top = f'<nav class="pages" aria-label="Pages">{nav}</nav>' if nav else ""
    foot = top.replace('"Pages"', '"Pages, once more"')
    return f"{head}{style}</head>{before}{top}<main{main}{foot}{FOLD}</body>{end}"


def _colours(scheme: str) -> str:
    """Write the colours of code and of cell numbers as CSS."""
    each = COLOURS[scheme]
    code = ("comment", "operator", "number")
    named = "".join(f"--jp-mirror-editor-{name}-color: {each[name]} !important; " for name in code)
    prompt = f"color: {each['prompt']} !important; opacity: 1 !important;"
    return f":root {{ {named}}} .jp-InputPrompt, .jp-OutputPrompt {{ {prompt} }} "


def _dark() -> str:
    """Take the colours of JupyterLab's dark theme, for readers whose system is dark."""
    for folder in HTMLExporter().template_paths:
        theme = Path(folder) / "static" / "theme-dark.css"
        if theme.is_file():
            text = theme.read_text(encoding="utf-8")
            text += DARK + _colours("dark")
            return f"@media screen and (prefers-color-scheme: dark) {{ {text} }}"
    return ""
