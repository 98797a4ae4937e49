"""The people of `prt demo`, as somebody sees them who has nothing else."""

from __future__ import annotations

from prt.local.seed.story.colleagues import COLLEAGUES
from tests.running import clean_environment, terminal


def test_the_demo_has_colleagues() -> None:
    names = [one.name for one in COLLEAGUES]
    words = ("demo", "--view", "presence,cursors", "--rate", "20")
    with terminal(*words, environment=clean_environment(), columns=170, lines=30) as view:
        # On the roster, and beside the canvas.
        view.until(lambda text: sum(text.count(name) >= 2 for name in names) >= 2)
        view.send(b"\x03")
        assert view.finish() == 130
