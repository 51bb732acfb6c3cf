#!/usr/bin/env bash
# nbconvert: with embed_images a fold in a text cell is closed before what it should hold.
#
# Packages: nbconvert 7.17.2, nbformat 5.11.1, beautifulsoup4 4.15.0, mistune 3.4.0.
# Expected (no guess was written down): embed_images puts pictures into the page and leaves all other
# HTML of a text as it is.
# Seen: each piece of HTML between paragraphs is parsed and written by itself, so that an element
# that is opened in one piece is closed at its end: the fold is empty, and its text stands open
# below it. Without embed_images the fold holds its text.
#
#   nbconvert 7.17.2
#   embed_images=False: the text stands inside the fold
#   embed_images=True: the fold is closed before the text
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile nbconvert==7.17.2 nbformat==5.11.1 \
    beautifulsoup4==4.15.0 mistune==3.4.0
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook

print("nbconvert", version("nbconvert"))
text = "<details><summary>Answer</summary>\n\nforty-two\n\n</details>"
book = new_notebook(cells=[new_markdown_cell(text)])
inside = {}
for embed in (False, True):
    page, _ = HTMLExporter(embed_images=embed).from_notebook_node(book)
    start = page.index("<summary>Answer")
    inside[embed] = page.index("forty-two", start) < page.index("</details>", start)
    told = "the text stands inside the fold" if inside[embed] else "the fold is closed before the text"
    print(f"embed_images={embed}: {told}")
assert inside == {False: True, True: False}
END
