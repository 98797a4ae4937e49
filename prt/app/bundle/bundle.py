"""A bundle: its file, the short watch, and the content."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from prt.app.bundle.archive import bundle_file, write_bundle
from prt.app.bundle.frames import Frames, watch_briefly
from prt.app.bundle.scrubbing import Scrubber
from prt.config.project import Project
from prt.config.report import Setting
from prt.results import Finding
from prt.stream.binding import Binding
from prt.stream.topic import TopicSettings


class Bundle:
    """The content of a bundle for a bug report."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._scrubber = Scrubber(None)
        self._frames: Frames | None = None

    def watch(self, project: Project, bindings: Sequence[Binding], settings: TopicSettings | None) -> None:
        """Watch for a few seconds, and keep the frames."""
        self._scrubber = Scrubber(project, bindings)
        self._frames = asyncio.run(watch_briefly(project, bindings, settings, self._scrubber))

    def write(self, settings: Sequence[Setting], findings: Sequence[Finding]) -> None:
        """Write the bundle."""
        write_bundle(self._file, self._scrubber, settings=settings, findings=findings, frames=self._frames)


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """Yield a bundle in a new file, which is removed again if the block fails.

    Raises:
        UsageError: The file exists, or can't be created.
    """
    with bundle_file(path) as file:
        yield Bundle(file)
