"""The embedded project as a value, which its preparation makes and which the services need."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from prt.local.postgres.server import Launch, Postgres
from prt.local.project import port
from prt.local.project.options import Options
from prt.local.project.variables import variables
from prt.local.serving.keys import Keys


@dataclass(frozen=True)
class Project:
    """A project whose PostgreSQL holds the schema and whose port is bound; nothing is served yet."""

    options: Options
    listener: socket.socket
    postgres: Postgres
    keys: Keys
    launch: Launch
    platform_roles: frozenset[str]

    @property
    def port(self) -> int:
        """Return the port that the project listens on."""
        number: int = self.listener.getsockname()[1]
        return number

    @property
    def url(self) -> str:
        """Return the URL of the project."""
        return f"http://{port.HOST}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables of `prt local env`; all but the URL are secrets."""
        return variables(url=self.url, database_url=self.postgres.url, keys=self.keys)
