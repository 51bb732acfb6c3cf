"""A pytest plugin: a notebook that nbmake executes fails where a library writes to its page.

python -m pytest --nbmake -p tools.quiet_pages notebooks

A warning in red frightens a learner who can do nothing about it. What this package itself has to
say there is listed below, line by line.
"""

from __future__ import annotations

import re
from typing import Any

from nbmake import pytest_items
from nbmake.nb_result import NotebookError, NotebookResult
from nbmake.nb_run import NotebookRun

OURS = (
    r"taking up the fine-tuning kept in [0-9a-f]{8} "
    r"\(\d+ s when it was done; cache=False trains anew\)",
)


def foreign_lines(notebook: Any) -> list[tuple[int, str]]:
    """Give the lines on a notebook's stderr that are not ours, each with the number of its cell."""
    return [
        (number, line)
        for number, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
        for line in output["text"].splitlines()
        if line.strip() and not any(re.fullmatch(pattern, line) for pattern in OURS)
    ]


class QuietRun(NotebookRun):
    """The run of nbmake, which fails where such lines were written."""

    def execute(self) -> NotebookResult:
        """Execute, then read what stands on stderr."""
        result = super().execute()
        if result.error is None and (found := foreign_lines(result.nb)):
            lines = [f"cell {number}: {line}" for number, line in found]
            result.error = NotebookError(
                summary=f"{len(lines)} lines on stderr that are not ours: {lines[0]}",
                trace="\n".join(["a library wrote to the page", *lines]),
                failing_cell_index=found[0][0],
            )
        return result


pytest_items.NotebookRun = QuietRun
