"""Generate the pages of commands, the generated sections of the others, and the pictures."""

from __future__ import annotations

from prt.cli.options.names import OPTIONS
from prt.inputs import named
from tests.manual.man import MAN, man_pages
from tests.manual.pages import COMMANDS, written
from tests.manual.pictures import draw_all
from tests.manual.sections import command_pages, rewritten

if __name__ == "__main__":
    with named(OPTIONS):
        for path, text in written().items():
            path.write_text(rewritten(text), encoding="utf-8")
        for old in COMMANDS.glob("*.md"):
            old.unlink()
        for name, text in command_pages().items():
            (COMMANDS / f"{name}.md").write_text(text, encoding="utf-8")
        MAN.mkdir(exist_ok=True)
        for old in MAN.glob("*.1"):
            old.unlink()
        for name, text in man_pages().items():
            (MAN / name).write_text(text, encoding="utf-8")
        draw_all()
