from __future__ import annotations

from collections.abc import Iterator

import pytest

from prt.local.postgres.server import Postgres, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A plain server: superuser `postgres`, nothing in it."""
    with running() as server:
        yield server
