"""What texts can be, in one place for the pipeline, the service, files and notebooks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

# separators, control and format characters: the zero-width space is one
UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")


def is_blank(text: str) -> bool:
    r"""Tell whether a text has nothing to read: white space, control and unseen characters alone.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_blank(" \n"), is_blank("\u200b"), is_blank("?")
    (True, True, False)
    """
    return all(unicodedata.category(character) in UNSEEN for character in text)


def check_text(text: Any, where: str = "") -> str:
    """Return a text that can be decided, or say why it cannot.

    Parameters
    ----------
    text : str
    where : str
        Said behind the fault, as ``" at place 3"``.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is no string, or blank.

    Examples
    --------
    >>> check_text("a leak")
    'a leak'
    """
    if not isinstance(text, str):
        raise ValueError(f"texts must be strings, got {type(text).__name__}{where}")
    if is_blank(text):
        raise ValueError(f"a text must not be blank, got {text[:20]!r}{where}")
    return str(text)


def in_order(texts: Any) -> Iterable[Any]:
    """Return what holds several texts in an order, or say why it does not.

    Parameters
    ----------
    texts : iterable

    Returns
    -------
    iterable
        The same.

    Raises
    ------
    ValueError
        If it is one string, a set or a mapping, or nothing that can be gone through.

    Examples
    --------
    >>> in_order(("a leak", "a bin"))
    ('a leak', 'a bin')
    """
    if isinstance(texts, str):
        raise ValueError("texts must be a sequence of strings, got one string")
    if isinstance(texts, AbstractSet | Mapping) or not isinstance(texts, Iterable):
        found = type(texts).__name__
        raise ValueError(f"texts must be strings in an order, as a list, got a {found}")
    return texts


def check_texts(texts: Iterable[str], *, blank: bool = False) -> list[str]:
    """Return texts as a list, in their order, or say why they cannot be.

    Parameters
    ----------
    texts : iterable of str, length n
        A list, tuple, Series, array, data set's column or generator.
    blank : bool, default False
        Take blank texts too.

    Returns
    -------
    list of str, length n

    Raises
    ------
    ValueError
        If it is one string, a set (it has no order) or a mapping, or an item is no string, or blank
        where that is not taken; the place is named.

    Examples
    --------
    >>> check_texts(("a leak", "a bin"))
    ['a leak', 'a bin']
    """
    listed = list(in_order(texts))
    for i, text in enumerate(listed):
        if not isinstance(text, str):
            raise ValueError(
                f"texts must be a sequence of strings, got {type(text).__name__} at place {i}"
            )
        if not blank and is_blank(text):
            check_text(text, f" at place {i}")
    return [str(text) for text in listed]
