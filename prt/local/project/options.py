"""The options of an embedded project."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from prt.config.local_stack import Stack

DEFAULT_PORT = 54321
DEFAULT_RATE = 2.0


class Options(Struct, frozen=True, kw_only=True):
    """The options of an embedded project.

    Attributes:
        port: The port; None takes 54321, or a free one if that is taken, and 0 takes a free one.
        data_dir: The folder of its data; None makes an ephemeral project.
        migrations: SQL files and folders, in place of the seed.
        seed: Whether it has the built-in tables and rows.
        traffic: Whether users change its rows.
        rate: How many rows they change a second.
        traffic_seed: The number that makes their changes repeatable; None makes other ones each time.
        plan: The plan whose limits it keeps; None keeps those of the server.
        poll_seconds: The pause between polls of changes; None streams them.
        signing_key: `es256` or `rs256`; None keeps the key of the data folder, or signs with the JWT secret.
        anonymous_sign_ins: Whether users may sign in without any credentials.
        stack: The local project of Supabase's CLI whose ports and secrets it takes.
        realtime: Settings of Realtime by their names, for tests that can't wait as long as it does.
    """

    port: int | None = None
    data_dir: Path | None = None
    migrations: tuple[Path, ...] = ()
    seed: bool = True
    traffic: bool = False
    rate: float = DEFAULT_RATE
    traffic_seed: int | None = None
    plan: str | None = None
    poll_seconds: float | None = None
    signing_key: str | None = None
    anonymous_sign_ins: bool = False
    stack: Stack | None = None
    realtime: dict[str, float | tuple[float, ...]] = {}

    @property
    def has_seed(self) -> bool:
        """Whether the project has the seed's tables."""
        return self.seed and not self.migrations


def encode(options: Options) -> bytes:
    """Return options as JSON, for the process that runs the project."""
    return msgspec.json.encode(options, enc_hook=str)


def decode(text: bytes) -> Options:
    """Return the options that `encode` wrote."""
    return msgspec.json.decode(text, type=Options, dec_hook=lambda kind, value: kind(value))
