"""Docstrings that take entries from that of another class, where each is written once."""

import inspect
import re

ENTRIES = re.compile(r"^<(\w+) - (\w+)>$", re.M)
SECTION = re.compile(r"^<(\w+)>$", re.M)


def with_entries_of(source):
    """Decorate a class in whose docstring some lines stand for text of the docstring of ``source``.

    ``<first - last>`` are the entries of a section from one name to another, ``<Title>`` is a whole
    section.
    """

    def decorate(cls):
        if cls.__doc__ is not None and source.__doc__ is not None:  # as with python -OO
            texts = inspect.cleandoc(source.__doc__)
            doc = ENTRIES.sub(lambda m: _entries(texts, *m.groups()), inspect.cleandoc(cls.__doc__))
            cls.__doc__ = SECTION.sub(lambda m: _section(texts, m[1]), doc)
        return cls

    return decorate


def _entries(text, first, last):
    """The text from the entry of one name to the end of that of another."""
    pattern = rf"^{first}\b[^\n]* :.*?^(?:[\w, ]+, )?{last}\b[^\n]* :.*?(?=\n\n\S|\Z)"
    return re.search(pattern, text, re.S | re.M)[0]


def _section(text, title):
    return re.search(rf"^{title}\n-+\n.*?(?=\n\n\S[^\n]*\n---|\Z)", text, re.S | re.M)[0]
