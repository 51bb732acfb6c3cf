"""Make the page of an executed lesson: it fits a phone, and answers to predictions are folded."""

from __future__ import annotations

import copy
import html
import re
from pathlib import Path
from typing import Any

from nbconvert import HTMLExporter

ANSWER = "answer-of-this-run"
LOADED = re.compile(  # what the page of a notebook would fetch: widgets, formulas, diagrams
    r'<script src="https?://[^"]*">\s*</script>|<script type="module">.*?</script>'
    r"|<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->",
    re.DOTALL,
)
DARK = (
    "body { background: var(--jp-layout-color0) !important; } .jp-RenderedImage img, "
    ".jp-RenderedHTMLCommon img { background: #fff; } .pages a { color: #7cc0f0; }"
)
LESSON_LINK = re.compile(r'href="(\d\d_\w+)\.ipynb')
STYLE = """<style>
.jp-RenderedMarkdown p, .jp-RenderedMarkdown li { max-width: 52em; }
.jp-OutputArea-output pre { word-break: normal !important; overflow-wrap: anywhere; }
.jp-OutputArea-output { overflow-x: auto; }
summary { cursor: pointer; padding: .3em .5em; font: 600 14px system-ui, sans-serif; }
.jp-Cell > details > summary { margin-left: var(--jp-cell-prompt-width); }
.pages { display: flex; flex-wrap: wrap; gap: .2em 1.2em; padding: .6em; }
.pages { font: 15px system-ui, sans-serif; }
.pages a { color: #00578a; }
#answers { float: right; font: 13px system-ui, sans-serif; }
@media (max-width: 600px) {
  .jp-RenderedMarkdown code { white-space: pre-wrap !important; overflow-wrap: anywhere; }
  main, .jp-Cell { padding-left: 2px !important; padding-right: 2px !important; }
  .jp-Cell pre, .jp-Cell table { font-size: 11px !important; }
  .jp-Cell th, .jp-Cell td { padding: 3px 4px !important; }
  .jp-Cell > details > summary { margin-left: 0; }
  .jp-InputPrompt, .jp-OutputPrompt { display: none; }
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


def page(notebook: Any, title: str, *, nav: str = "") -> str:
    """Write an executed lesson as one HTML page.

    Parameters
    ----------
    notebook : NotebookNode
        With outputs.
    title : str
    nav : str
        HTML of links, for the top and the end of the page.

    Returns
    -------
    str
        It loads nothing; its colours are those that the reader's system asks for.
    """
    text, _ = HTMLExporter(embed_images=True).from_notebook_node(mark_answers(notebook))
    text = LOADED.sub("", text)
    text = LESSON_LINK.sub(r'href="\1.html', text)  # pages link to pages
    text = text.replace("<title>Notebook</title>", f"<title>{html.escape(title)}</title>")
    head, body = text.split("</head>", 1)
    body, end = body.rsplit("</body>", 1)
    style = STYLE.replace("</style>", f"{_dark()}</style>")
    before, main = body.split("<main", 1)
    top = f'<nav class="pages" aria-label="Pages">{nav}</nav>' if nav else ""
    return f"{head}{style}</head>{before}{top}<main{main}{top}{FOLD}</body>{end}"


def _dark() -> str:
    """Take the colours of JupyterLab's dark theme, for readers whose system is dark."""
    for folder in HTMLExporter().template_paths:
        theme = Path(folder) / "static" / "theme-dark.css"
        if theme.is_file():
            text = theme.read_text(encoding="utf-8")
            return f"@media screen and (prefers-color-scheme: dark) {{ {text} {DARK} }}"
    return ""
