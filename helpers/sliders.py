"""A slider that also moves in a page without a kernel: all it can show is worked out before."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOVE = (
    "const rows = JSON.parse(this.dataset.rows)[this.value];"
    "const cells = this.closest('div').querySelectorAll('b');"
    "rows.forEach((text, i) => cells[i].textContent = text);"
    "this.setAttribute('aria-valuetext', rows[0])"
)


@dataclass(frozen=True)
class Slider:
    """What `slider` gives: a notebook shows it as HTML, a terminal its first place as text.

    Attributes
    ----------
    rows : tuple of tuple of str
        For each place what stands beside each name.
    names : tuple of str
        The first is the slider's label.
    start : int
        The place that is shown first.
    """

    rows: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    start: int

    def __repr__(self) -> str:
        shown = zip(self.names, self.rows[self.start], strict=True)
        return ", ".join(f"{name} {text}" for name, text in shown)

    def _repr_html_(self) -> str:
        rows = html.escape(json.dumps(self.rows))
        first = self.rows[self.start]
        cells = "".join(
            f"<span>{html.escape(name)}</span><b>{html.escape(text)}</b>"
            for name, text in zip(self.names, first, strict=True)
        )
        # no colours: the text has those of the page around it, be it light or dark
        return (
            '<div style="max-width: 30em; padding: 0.5em 0; color: inherit">'
            f'<input type="range" min="0" max="{len(self.rows) - 1}" value="{self.start}"'
            f' aria-label="{html.escape(self.names[0])}" aria-valuetext="{html.escape(first[0])}"'
            f' style="width: 100%; margin: 0.5em 0" data-rows="{rows}" oninput="{MOVE}">'
            '<output style="display: grid; gap: 0 1em; grid-template-columns: max-content 1fr">'
            f"{cells}</output></div>"
        )


def slider(columns: Mapping[str, Iterable[object]], *, start: int = 0) -> Slider:
    """Make a slider over the rows of a table.

    It is plain HTML with its own few lines of script, and needs neither a kernel nor a network.
    Where scripts are not run, it stays at its first place.

    Parameters
    ----------
    columns : mapping of str to iterable
        A column each, of equal length: what stands beside that name at each place. The first
        column names the place.
    start : int, default 0
        The place that is shown first, from 0 on.

    Returns
    -------
    Slider

    Raises
    ------
    ValueError
        If there is no column or no row, the columns differ in length, or `start` is not a place.

    Examples
    --------
    >>> slider({"threshold": ["0.1", "0.5"], "missed": ["3", "8"]}, start=1)
    threshold 0.5, missed 8
    """
    table = [[str(text) for text in column] for column in columns.values()]
    lengths = sorted({len(column) for column in table})
    if len(lengths) != 1 or lengths == [0]:
        raise ValueError(
            f"expected columns of one length, at least 1, got the lengths {lengths} in "
            f"{len(table)} columns"
        )
    if not 0 <= start < lengths[0]:
        raise ValueError(f"start must be a place from 0 to {lengths[0] - 1}, got {start!r}")
    return Slider(tuple(zip(*table, strict=True)), tuple(map(str, columns)), start)
