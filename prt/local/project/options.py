"""The options of an embedded project."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from prt.config.local_stack import Stack

DEFAULT_PORT = 54321
DEFAULT_RATE = 2.0


class Options(Struct, frozen=True, kw_only=True):
    """`port` None: 54321, or a free one where it is taken; 0: a free one. No `data_dir`: ephemeral.

    `migrations` take the place of the seed. `rate` is traffic's changes a second, `traffic_seed` makes
    them repeatable. `plan` is one whose
    limits are kept, `poll_seconds` the pause between polls of changes, which are streamed otherwise.
    `realtime` replaces settings of Realtime by their names, for tests that can't wait as long as it does.
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
    """`es256` or `rs256`; None keeps the key of the data folder, or signs with the JWT secret."""
    anonymous_sign_ins: bool = False
    stack: Stack | None = None
    """The local project of Supabase's CLI whose ports and secrets this one takes."""
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
