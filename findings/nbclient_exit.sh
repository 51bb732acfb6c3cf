#!/usr/bin/env bash
# nbclient: a cell that calls exit(1) passes, and the cells after it run.
#
# Packages: nbclient 0.11.0, ipykernel 7.4.0, nbformat 5.11.1.
# Expected (no guess was written down): the execution fails, as it does for sys.exit(1), or stops
# there.
# Seen: sys.exit(1) fails the execution; the exit that IPython puts in its place ends nothing, and
# the execution passes.
#
#   nbclient 0.11.0 ipykernel 7.4.0
#   import sys; sys.exit(1): CellExecutionError: SystemExit 1
#   exit(1): no error, then after
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile nbclient==0.11.0 ipykernel==7.4.0 nbformat==5.11.1
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

print("nbclient", version("nbclient"), "ipykernel", version("ipykernel"))
answers = []
for source in ("import sys; sys.exit(1)", "exit(1)"):
    book = new_notebook(cells=[new_code_cell(source), new_code_cell("print('after')")])
    try:
        NotebookClient(book, timeout=120, kernel_name="python3").execute()
        answers.append("no error, then " + book.cells[1].outputs[0]["text"].strip())
    except CellExecutionError as error:
        answers.append(f"CellExecutionError: {error.ename} {error.evalue}")
    print(f"{source}: {answers[-1]}")
assert answers == ["CellExecutionError: SystemExit 1", "no error, then after"]
END
