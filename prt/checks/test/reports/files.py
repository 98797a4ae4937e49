"""Files for reports: checked to be writable before the tests, and never written half."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prt.errors import PrtError, UsageError
from prt.inputs import Input


class ReportFile:
    """A report's file. The text is written to a draft beside it, which then replaces the file.

    A device or a pipe has no draft and is written directly.
    """

    def __init__(self, path: Path, draft: Path | None) -> None:
        self._path = path
        self._draft = draft

    def write(self, text: str) -> None:
        """Write the report.

        Raises:
            PrtError: The file can't be written.
        """
        try:
            if self._draft is None:
                self._path.write_text(text, encoding="utf-8")
                return
            with self._draft.open("w", encoding="utf-8") as draft:
                draft.write(text)
                draft.flush()
                os.fsync(draft.fileno())
            self._draft.replace(self._path)
        except OSError as exc:
            raise PrtError(f"{self._path} can't be written: {exc.strerror}") from exc


@contextmanager
def report_file(path: Path, what: Input) -> Iterator[ReportFile]:
    """Prepare a report's file for the block, and remove its draft at the end.

    Raises:
        UsageError: The file can't be written.
    """
    hint = "choose a folder that exists and is yours"
    if path.is_dir():
        raise UsageError(f"{what} {path} is a folder", "name a file in it")
    if path.exists() and not path.is_file():
        yield ReportFile(path, None)
        return
    target = path.resolve()  # a symbolic link stays a link: its target is replaced
    try:
        if target.exists():
            target.open("a").close()
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as exc:
        raise UsageError(f"{what} {path} can't be written: {exc.strerror}", hint) from exc
    os.close(number)
    draft = Path(name)
    try:
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask)
        yield ReportFile(target, draft)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
