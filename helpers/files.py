"""Small files: where one may be written, and how it is written whole."""

from __future__ import annotations

from pathlib import Path


def check_target(path: str | Path, ending: str) -> Path:
    """Say whether a file with this ending may be written.

    Parameters
    ----------
    path : path
    ending : str
        As ``".json"``, in any letter case.

    Returns
    -------
    Path
        With ``~`` resolved.

    Raises
    ------
    ValueError
        If the name ends otherwise, its folder is not there, or it is a folder.

    Examples
    --------
    >>> check_target("rule.txt", ".json")
    Traceback (most recent call last):
    ValueError: expected a name that ends in .json, got rule.txt
    """
    path = Path(path).expanduser()
    if path.suffix.lower() != ending:
        raise ValueError(f"expected a name that ends in {ending}, got {path}")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}: make it first")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file")
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a text file beside its place, then move it there: the old one, or the new one whole.

    Parameters
    ----------
    path : Path
    text : str
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
