"""Rendering of the manual's Markdown pages for a terminal or as plain text."""

from __future__ import annotations

import io
import re
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown, TableElement
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH: Final = 80
"""Width in columns of a page that is written to a pipe."""
PICTURE: Final = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n+", flags=re.MULTILINE)
MARKUP: Final = re.compile(r"^<(?:/?details|!--).*\n+", flags=re.MULTILINE)


class _WholeTable(TableElement):
    """A table that folds long words, which Rich would cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column in part.columns:
                    column.overflow = "fold"
            yield part


class _WholeCode(CodeBlock):
    """A code block whose lines are neither wrapped nor indented: what is copied from it runs."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # Bold instead of colours, which can be read on dark and light alike.
        yield Text(str(self.text).rstrip(), "bold", no_wrap=True, overflow="ignore")


class _Page(Markdown):
    elements = {  # noqa: RUF012 - as in Rich's own class
        **Markdown.elements,
        "table_open": _WholeTable,
        "fence": _WholeCode,
        "code_block": _WholeCode,
    }


def for_terminal(text: str) -> str:
    """Return the Markdown without pictures, comments and `<details>` tags, which a terminal can't show."""
    return MARKUP.sub("", PICTURE.sub("", text))


def draw(text: str, console: Console) -> None:
    """Print Markdown on a console in colour, at most 100 columns wide."""
    console.print(_Page(for_terminal(text), hyperlinks=False), width=min(console.width, 100), crop=False)


def plain(text: str) -> str:
    """Return Markdown as plain text of 80 columns, without colours or trailing spaces."""
    file = io.StringIO()
    console = Console(file=file, width=PLAIN_WIDTH, color_system=None, force_terminal=False)
    console.print(_Page(for_terminal(text), hyperlinks=False), crop=False)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())
