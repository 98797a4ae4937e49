"""The manual: one page a topic in Markdown, and in `commands/` a generated page for each command.

The pages are for `prt help TOPIC` and for GitHub; how one is drawn in a terminal belongs to `views/drawing/`.
"""

from __future__ import annotations

from importlib import resources
from typing import Final

SUFFIX: Final = ".md"


def topics() -> dict[str, str]:
    """Return the name of every topic in alphabetical order, with the sentence below its heading."""
    return {name: _summary(page(name)) for name in _names()}


def page(topic: str) -> str:
    """Return a page's Markdown. Raises KeyError for an unknown topic."""
    if topic not in _names():
        raise KeyError(topic)
    return resources.files(__name__).joinpath(topic + SUFFIX).read_text(encoding="utf-8")


def errors() -> dict[str, str]:
    """Return the section of the page `errors` about each error, by its id."""
    sections = page("errors").split("\n## ")[1:]
    return {(parts := section.partition("\n"))[0]: parts[2].strip() for section in sections}


def _names() -> list[str]:
    files = (file.name for file in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(SUFFIX) for name in files if name.endswith(SUFFIX))


def _summary(text: str) -> str:
    """Return the first paragraph after the heading, as one line."""
    return " ".join(text.split("\n\n")[1].split())
