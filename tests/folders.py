"""A working directory and a home for tests of the configuration, and keys to put there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt

from prt.config.project import Project, resolve
from prt.config.sources import Surroundings


def key(role: str = "anon", **claims: Any) -> str:
    return jwt.encode({"role": role, **claims}, "a-secret-of-thirty-two-characters", "HS256")


ANON = key("anon")
SERVICE = key("service_role")


class Folder:
    """A working directory inside a home, and what is configured in both."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.path = root / "home" / "clone"
        self.path.mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def write_own(self, text: str) -> None:
        path = self.home / ".config" / "prt" / "prt.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def resolve(self, environ: Mapping[str, str] | None = None, **options: Any) -> Project:
        return resolve(
            surroundings=Surroundings(
                environ=environ or {},
                directory=self.path,
                own=self.home / ".config" / "prt",
                now=1_000.0,
            ),
            **options,
        )
