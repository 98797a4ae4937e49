"""The life of an embedded project: its port, PostgreSQL, secrets and schema, then its services, and back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from prt.config.constants.plans import limits_of
from prt.config.files import read_bytes
from prt.errors import UsageError
from prt.inputs import Input
from prt.local.postgres.server import Postgres, launched
from prt.local.project import extra, port
from prt.local.project.embedded import Project
from prt.local.project.options import Options
from prt.local.serving.keys import Keys, generate


@contextmanager
def prepared(options: Options, environ: Mapping[str, str]) -> Iterator[Project]:
    """Everything but the services, until the block's end. Raises UsageError, UnreachableError.

    `environ` is ours, for `PRT_POSTGRES_BIN`.
    """
    extra.require()
    check(options)
    with (
        closing(port.bound(options.port)) as listener,
        launched(options.data_dir, programs_folder=environ.get("PRT_POSTGRES_BIN")) as launch,
    ):
        # Imported while PostgreSQL starts: both take about as long.
        from prt.local.seed import loading  # noqa: F401, PLC0415
        from prt.local.serving import services  # noqa: F401, PLC0415

        postgres = launch.ready()
        keys, roles = _settled(options, postgres)
        yield Project(
            options=options,
            listener=listener,
            postgres=postgres,
            keys=keys,
            launch=launch,
            platform_roles=roles,
        )


def check(options: Options) -> None:
    """Raises UsageError for what can be known before anything starts."""
    if options.plan is not None:
        limits_of(options.plan)
    if options.rate <= 0:
        raise UsageError(f"{Input.RATE} must be above 0, not {options.rate:g}", "it is changes a second")
    for path in options.migrations:
        if not path.exists():
            raise UsageError(
                f"no such file or folder: {path}", f"{Input.MIGRATIONS} takes SQL files and folders of them"
            )
    if options.traffic and (options.migrations or not options.seed):
        raise UsageError(
            f"{Input.TRAFFIC} writes into the seed's tables, and they are not loaded",
            f"leave out {Input.TRAFFIC}, or {Input.MIGRATIONS} and {Input.NO_SEED}",
        )


def _settled(options: Options, postgres: Postgres) -> tuple[Keys, frozenset[str]]:
    """Secrets and schema: fresh ones, or those that the data folder kept."""
    from prt.local.seed import loading  # noqa: PLC0415

    if options.data_dir is None:
        return generate(), loading.load(postgres, options)
    folder = options.data_dir.expanduser().absolute()
    # Written last: without it an earlier start was interrupted, and what it left is thrown away.
    loaded = folder / "loaded.json"
    if loaded.exists():
        roles = msgspec.json.decode(read_bytes(loaded), type=frozenset[str])
        return msgspec.json.decode(read_bytes(folder / "keys.json"), type=Keys), roles
    keys = generate()
    _write(folder / "keys.json", msgspec.json.encode(keys))
    roles = loading.reset(postgres, options, keep_roles=None)
    _write(loaded, msgspec.json.encode(sorted(roles)))
    return keys, roles


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, for nobody else to read."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
