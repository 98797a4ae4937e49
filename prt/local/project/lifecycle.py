"""The life of an embedded project: its port, PostgreSQL, secrets and schema, then its services, and back."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from prt.config.constants.plans import limits_of
from prt.config.files import read_bytes
from prt.errors import UsageError
from prt.inputs import Input
from prt.local.postgres.server import Launch, launched
from prt.local.project import extra, port
from prt.local.project.embedded import Project
from prt.local.project.options import Options
from prt.local.serving.keys import Keys, generate

LOADED = "loaded.json"
"""The file of a data folder that is written last. Without it, what an earlier start left is thrown away."""


@contextmanager
def prepared(options: Options, environ: Mapping[str, str]) -> Iterator[Project]:
    """Everything but the services, until the block's end. Raises UsageError, UnreachableError.

    `environ` is ours, for `PRT_POSTGRES_BIN`.
    """
    extra.require()
    check(options)
    with (
        closing(port.bound(options.port)) as listener,
        launched(
            options.data_dir,
            programs_folder=environ.get("PRT_POSTGRES_BIN"),
            filling=None if options.data_dir else _filling(options),
        ) as launch,
    ):
        # Imported while PostgreSQL starts: both take about as long.
        from prt.local.seed import loading  # noqa: F401, PLC0415
        from prt.local.serving import services  # noqa: F401, PLC0415

        keys, roles = _settled(options, launch)
        postgres = launch.ready()
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


def is_filled(data_dir: Path) -> bool:
    """Return whether a data folder has its schema. Otherwise its first start has been interrupted."""
    return (data_dir.expanduser().absolute() / LOADED).exists()


def _settled(options: Options, launch: Launch) -> tuple[Keys, frozenset[str]]:
    """Secrets and schema: fresh ones, or those that the data folder kept."""
    from prt.local.seed import loading  # noqa: PLC0415

    if options.data_dir is None:
        return generate(), _filled(options, launch)
    postgres = launch.ready()
    folder = options.data_dir.expanduser().absolute()
    loaded = folder / LOADED
    if is_filled(folder):
        roles = msgspec.json.decode(read_bytes(loaded), type=frozenset[str])
        return msgspec.json.decode(read_bytes(folder / "keys.json"), type=Keys), roles
    keys = generate()
    _write(folder / "keys.json", msgspec.json.encode(keys))
    roles = loading.reset(postgres, options, keep_roles=None)
    _write(loaded, msgspec.json.encode(sorted(roles)))
    return keys, roles


def _filled(options: Options, launch: Launch) -> frozenset[str]:
    """Fill an ephemeral project, whose cluster is a copy of a prepared one or is kept for the next start."""
    from prt.local.seed import loading  # noqa: PLC0415

    postgres = launch.ready()
    password = None
    if launch.note is not None:
        password = launch.note["password"]
    else:
        loading.prepare(postgres, is_seeded=options.has_seed)
        if launch.keeps:
            # What is kept has a password that no project has while it is up.
            password = secrets.token_urlsafe(24)
            loading.set_superuser_password(postgres, password)
            postgres = launch.keep({"password": password})
    return loading.fill(postgres, options, password=password)


def _filling(options: Options) -> list[bytes]:
    """Return all that a prepared cluster depends on, read without importing it."""
    local = Path(__file__).parents[1]
    files = [path for name in ("postgres", "seed") for path in sorted((local / name).rglob("*"))]
    return [
        str(options.has_seed).encode(),
        *(
            path.read_bytes()
            for path in (*files, local / "auth" / "passwords.py")
            if path.is_file() and path.suffix != ".pyc"
        ),
    ]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, for nobody else to read."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
