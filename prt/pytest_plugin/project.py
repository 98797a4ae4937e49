"""The project that tests use: an embedded one, or the remote project of the environment."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest

from prt.pytest_plugin.http import AnswerError, request
from prt.pytest_plugin.program import PYTHON, Program, only_project, without_project

START_SECONDS: Final = 180.0
TOKEN_SECONDS: Final = 7 * 24 * 3600
ANNOUNCE: Final = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"
"""A program for `prt local run`: it writes the project's variables, and ends when its input is closed."""
CLIENT_KEYS: Final = ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY", "SUPABASE_KEY")
SERVER_KEYS: Final = ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY")


@dataclass(frozen=True)
class User:
    """A user of the project. `token` is a JWT if the user has signed in, else None."""

    email: str
    id: str
    role: str = "authenticated"
    token: str | None = field(default=None, repr=False)


class Project:
    """A Supabase project: its URL, keys and users."""

    def __init__(
        self, program: Program, variables: Mapping[str, str], *, is_own: bool, is_writable: bool
    ) -> None:
        """Describe a project.

        Args:
            program: The `prt` program that watches it.
            variables: `SUPABASE_URL`, the keys and `SUPABASE_DB_URL`.
            is_own: Whether the plugin started the project, and may empty its tables.
            is_writable: Whether tests may insert rows.
        """
        self.program = program
        self.variables = only_project(variables)
        self.is_own = is_own
        self.is_writable = is_writable
        self.url = variables["SUPABASE_URL"].rstrip("/")
        self.key = _first(variables, CLIENT_KEYS)
        self.service_key = _first(variables, SERVER_KEYS)
        self.database = variables.get("SUPABASE_DB_URL")
        self._made: list[tuple[str, dict[str, Any]]] = []

    @property
    def users(self) -> tuple[User, ...]:
        """Return the users that the project has now, with the roles of their tokens."""
        if not self.service_key:
            return ()
        found = request(f"{self.url}/auth/v1/admin/users", key=self.service_key)
        return tuple(
            User(one.get("email") or "", one["id"], one.get("role") or "authenticated")
            for one in found["users"]
        )

    def environment(self) -> dict[str, str]:
        """Return the environment variables for a child process that uses this project."""
        return {**without_project(os.environ), **self.variables, "PYTHONUNBUFFERED": "1"}

    def sign_in(self, email: str, password: str | None = None) -> User:
        """Sign a user in and return the user with a token.

        Without a password, PRT_PASSWORD is used. A user of the embedded project needs no password.
        """
        password = password or os.environ.get("PRT_PASSWORD")
        if password is None and self.is_own:
            return self._signed(email)
        if password is None:
            raise pytest.UsageError(f"prt: no password for {email}: set PRT_PASSWORD, or give one to sign_in")
        answer = request(
            f"{self.url}/auth/v1/token?grant_type=password",
            key=self.key,
            method="POST",
            body={"email": email, "password": password},
        )
        user = answer["user"]
        return User(email, user["id"], user.get("role") or "authenticated", answer["access_token"])

    def insert(self, table: str, row: Mapping[str, Any] | None = None, /, **columns: Any) -> dict[str, Any]:
        """Insert a row with the server key, and return it as the database stored it.

        The table is given as `TABLE` or `SCHEMA.TABLE`. A remote project requires `--allow-writes`, and the
        row is deleted by its `id` after the test. A table without that column is refused first.
        """
        if not self.is_writable:
            raise pytest.UsageError("prt: a remote project is only read: run pytest with --allow-writes")
        if not self.is_own:
            self._require_id(table)
        written = {**(row or {}), **columns}
        rows = self._rest("POST", table, body=written, headers={"Prefer": "return=representation"})
        made: dict[str, Any] = rows[0]
        if not self.is_own:
            self.made(table, id=made["id"])
        return made

    def _require_id(self, table: str) -> None:
        try:
            self._rest("GET", table, {"select": "id", "limit": "0"})
        except AnswerError as error:
            raise pytest.UsageError(
                f"prt: nothing was written: rows of {table} can't be deleted by their id ({error}); "
                "write the row yourself, and give its key to made(TABLE, …)"
            ) from error

    def _rest(self, method: str, table: str, query: Mapping[str, str] | None = None, **more: Any) -> Any:
        """Send a request about a table's rows with the server key, and return the decoded answer."""
        schema, _, name = table.rpartition(".")
        profile = {"Accept-Profile": schema, "Content-Profile": schema} if schema else {}
        return request(
            f"{self.url}/rest/v1/{quote(name)}?{urlencode(query or {})}",
            key=self.service_key,
            method=method,
            headers={**profile, **more.pop("headers", {})},
            **more,
        )

    def made(self, table: str, **key: Any) -> None:
        """Register a row that the test inserted, so that it is deleted by its key after the test.

        The project must be writable.
        """
        if not self.is_writable:
            raise pytest.UsageError("prt: a remote project is only read: run pytest with --allow-writes")
        if not key:
            raise pytest.UsageError("prt: made(TABLE, …) needs the columns of the key")
        self._made.append((table, key))

    @contextmanager
    def cleaned(self) -> Iterator[None]:
        """Clean up after the block, according to the kind of project."""
        mark = self._emptied(None) if self.is_own else None
        try:
            yield
        finally:
            self._delete_made()
            if mark is not None:
                self._emptied(mark)

    def _emptied(self, since: int | None) -> int:
        query = "" if since is None else f"?since={since}"
        key = self.variables["SUPABASE_SECRET_KEY"]
        answer = request(f"{self.url}/local/v1/empty{query}", key=key, method="POST")
        return int(answer["mark"])

    def _delete_made(self) -> None:
        """Delete the registered rows, the newest first, because later rows may refer to earlier ones."""
        refused = []
        while self._made:
            table, key = self._made.pop()
            try:
                self._rest("DELETE", table, {name: f"eq.{value}" for name, value in key.items()})
            except AnswerError as error:
                refused.append(f"{table} {key}: {error}")
        if refused:
            pytest.fail("prt: rows of this test remain:\n" + "\n".join(refused), pytrace=False)

    def _signed(self, email: str) -> User:
        user = next((one for one in self.users if one.email == email), None)
        if user is None:
            known = ", ".join(one.email for one in self.users) or "none"
            raise pytest.UsageError(f"prt: no user {email} in the embedded project; there are: {known}")
        claims = {
            "aud": "authenticated",
            "role": user.role,
            "sub": user.id,
            "email": email,
            "exp": int(time.time()) + TOKEN_SECONDS,
        }
        token = _jwt(claims, self.variables["SUPABASE_JWT_SECRET"])
        return User(email, user.id, user.role, token)


def _first(variables: Mapping[str, str], names: Sequence[str]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")


def _jwt(claims: Mapping[str, Any], secret: str) -> str:
    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = {"alg": "HS256", "typ": "JWT"}
    text = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{encoded(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))}"


@contextmanager
def embedded(program: Program, migrations: Sequence[str]) -> Iterator[Project]:
    """Start an embedded project, which ends with the block, or at the latest with our process."""
    paths = [word for path in migrations for word in ("--migrations", path)]
    command = ["local", "run", *paths, "--", *PYTHON, "-c", ANNOUNCE]
    child = program.start(command, without_project(os.environ))
    try:
        if not child.wait_for(lambda: bool(child.lines), START_SECONDS):
            raise pytest.UsageError(f"prt: the embedded project did not start\n{child.complaints()}")
        yield Project(program, child.lines[0], is_own=True, is_writable=True)
    finally:
        child.stop()


def remote(program: Program, *, is_writable: bool) -> Project:
    """Return the project that the environment variables describe."""
    if not os.environ.get("SUPABASE_URL"):
        raise pytest.UsageError("prt: --prt-remote needs SUPABASE_URL and the project's keys")
    return Project(program, os.environ, is_own=False, is_writable=is_writable)
