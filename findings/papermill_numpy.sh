#!/usr/bin/env bash
# papermill: a parameter from numpy arrives as a string.
#
# Packages: papermill 2.7.0, nbformat 5.11.1, numpy 2.4.6.
# Expected (no guess was written down): a numpy number arrives as the number, numpy's False as
# False, a tuple as a tuple or a list.
# Seen: numpy's bool, int64 and float32 and a tuple arrive as strings, and "False" is true in
# Python; float64 arrives as the number.
#
#   papermill 2.7.0
#   # Parameters
#   quick = "False"
#   seed = "3"
#   threshold = "0.25"
#   cost = 0.25
#   seeds = "(1, 2)"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile papermill==2.7.0 nbformat==5.11.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import tempfile
from importlib.metadata import version
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_notebook
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

book = new_notebook(cells=[new_code_cell("quick = True", metadata={"tags": ["parameters"]})])
book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python"}
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "lesson.ipynb")
    nbformat.write(book, path)
    node = load_notebook_node(str(path))
given = {
    "quick": np.bool_(False),
    "seed": np.int64(3),
    "threshold": np.float32(0.25),
    "cost": np.float64(0.25),
    "seeds": (1, 2),
}
cells = parameterize_notebook(node, given).cells
injected = next(c for c in cells if "injected-parameters" in c.metadata.get("tags", []))
print("papermill", version("papermill"))
print(injected.source)
got = {}
exec(injected.source, got)
assert got["quick"] == "False" and bool(got["quick"])
assert got["seed"] == "3" and got["threshold"] == "0.25" and got["seeds"] == "(1, 2)"
assert got["cost"] == 0.25
END
