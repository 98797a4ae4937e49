"""The life of an embedded project: its port, PostgreSQL, secrets and schema, then its services, and back."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from prt.config.constants.plans import limits_of
from prt.config.files import read_bytes, write_whole
from prt.config.local_stack import PASSWORD
from prt.errors import UnreachableError, UsageError
from prt.inputs import Input
from prt.local.postgres.server import Launch, launched
from prt.local.project import extra, port
from prt.local.project.embedded import Project
from prt.local.project.options import Options
from prt.local.serving.keys import Keys, generate, of_stack, rotated
from prt.local.serving.signing import algorithm_of

LOADED = "loaded.json"
"""The file of a data folder that is written last. Without it, the rest of an earlier start is thrown away."""


@contextmanager
def prepared(options: Options, environ: Mapping[str, str]) -> Iterator[Project]:
    """Prepare all of a project but its services, and take it down at the end of the block.

    Args:
        options: The options of the project.
        environ: The environment, for `PRT_POSTGRES_BIN`.

    Raises:
        UsageError: A port, a folder or the user's SQL is at fault.
        UnreachableError: PostgreSQL did not start.
    """
    extra.require()
    check(options)
    with (
        closing(_listener(options)) as listener,
        launched(
            options.data_dir,
            programs_folder=environ.get("PRT_POSTGRES_BIN"),
            filling=None if options.data_dir else _filling(options),
            port=None if options.stack is None else options.stack.database_port,
            password=None if options.stack is None else PASSWORD,
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


def _listener(options: Options) -> socket.socket:
    return port.bound(options.port) if options.stack is None else port.of_stack(options.stack, options.port)


def check(options: Options) -> None:
    """Raise UsageError for faults of the options that show before anything starts."""
    if options.plan is not None:
        limits_of(options.plan)
    if options.signing_key is not None:
        algorithm_of(options.signing_key)
    if options.stack is not None:
        of_stack(options.stack)
        if options.stack.is_encrypted:
            raise UsageError(
                "supabase/config.toml asks for TLS, which the embedded project doesn't speak",
                f"set api.tls.enabled to false there, or leave out {Input.LIKE_CLI}",
            )
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
    """Return whether a data folder is complete: it is not if the first start with it was interrupted."""
    return (data_dir.expanduser().absolute() / LOADED).exists()


def _settled(options: Options, launch: Launch) -> tuple[Keys, frozenset[str]]:
    """Return the keys and the roles of the platform: new ones, or those that the data folder has."""
    import psycopg  # noqa: PLC0415

    from prt.local.seed import loading  # noqa: PLC0415

    if options.data_dir is None:
        return _keys(options, None), _filled(options, launch)
    postgres = launch.ready()
    folder = options.data_dir.expanduser().absolute()
    loaded = folder / LOADED
    if is_filled(folder):
        roles = msgspec.json.decode(read_bytes(loaded), type=frozenset[str])
        keys = _keys(options, msgspec.json.decode(read_bytes(folder / "keys.json"), type=Keys))
        _keep(folder / "keys.json", msgspec.json.encode(keys))
        return keys, roles
    keys = _keys(options, None)
    _keep(folder / "keys.json", msgspec.json.encode(keys))
    try:
        roles = loading.reset(postgres, options, keep_roles=None)
    except psycopg.OperationalError as error:  # a full disk, say
        raise UnreachableError(
            f"PostgreSQL could not load the schema: {error.diag.message_primary or error}",
            "start it again; what was loaded so far is thrown away",
        ) from error
    _keep(loaded, msgspec.json.encode(sorted(roles)))
    return keys, roles


def _keys(options: Options, kept: Keys | None) -> Keys:
    """Return fresh keys or those that the data folder kept, with the signing key that is asked for.

    Another signing key than before is a rotation: what the former ones signed stays good.
    """
    keys = kept or generate()
    if options.stack is not None:
        keys = msgspec.structs.replace(of_stack(options.stack), signing=keys.signing)
    keys = msgspec.structs.replace(keys, is_open=options.stack is not None)
    return rotated(keys, None if options.signing_key is None else algorithm_of(options.signing_key))


def _keep(path: Path, content: bytes) -> None:
    """Write a file of the data folder. Raise UsageError if there is no room for it."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise UsageError(
            f"can't write {path}: {error.strerror}", "make room on the disk, or choose another data folder"
        ) from error


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
            # No running project has the password of a kept cluster.
            password = secrets.token_urlsafe(24)
            loading.set_superuser_password(postgres, password)
            postgres = launch.keep({"password": password})
    return loading.fill(postgres, options, password=password)


def _filling(options: Options) -> list[bytes]:
    """Return all of our files that a prepared cluster depends on, which are read but not imported."""
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
