"""The object behind the fixture `prt_realtime`: it opens watches, sends messages and tracks presences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import pytest

from prt.pytest_plugin.link import Link
from prt.pytest_plugin.program import Child, Line
from prt.pytest_plugin.project import Project, User
from prt.pytest_plugin.watch import READY_SECONDS, Watch, running

DIAGNOSIS_SECONDS: Final = 60.0
WRONG: Final = ("failed", "warning", "unknown")

Who = User | str | None
"""A signed-in user, an email address, `anon` or `service`; None is the identity that `prt` chooses."""


class Realtime:
    """The entry point of a test to the project's Realtime.

    Watches that are still open when its block ends are closed.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the watches that are still open."""
        self._open.close()

    def watch(self, table: str, *, filter: str | Sequence[str] | None = None, as_: Who = None) -> Watch:  # noqa: A002 - the option's name
        """Return a watch of a table, for a `with` block.

        Args:
            table: TABLE, SCHEMA.TABLE or TABLE:EVENT,EVENT.
            filter: A condition such as `status=eq.open`, or several, all of which the server applies.
            as_: The identity that watches, which decides which rows arrive.
        """
        conditions = [filter] if isinstance(filter, str) else list(filter or ())
        chosen = [table, *(word for one in conditions for word in ("--filter", one))]
        return self._watch(table, ["watch", *chosen], as_, ["status", *chosen])

    def broadcast(
        self, topic: str, event: str | None = None, *, is_private: bool = False, as_: Who = None
    ) -> Watch:
        """Return a watch of a topic's broadcasts, for a `with` block.

        Args:
            topic: The topic's name.
            event: The event to watch; None means all events.
            is_private: Whether to join a private channel.
            as_: The identity that watches.
        """
        return self._topic(
            "--broadcast", topic, topic if event is None else f"{topic}={event}", is_private, as_
        )

    def presence(self, topic: str, *, is_private: bool = False, as_: Who = None) -> Watch:
        """Return a watch of the presences on a topic, for a `with` block."""
        return self._topic("--presence", topic, topic, is_private, as_)

    def send(
        self,
        topic: str,
        event: str,
        payload: Mapping[str, Any] | None = None,
        *,
        is_private: bool = False,
        as_: Who = None,
    ) -> None:
        """Send a broadcast and wait for the server's acknowledgement.

        Args:
            topic: The topic's name.
            event: The broadcast's event.
            payload: A mapping that is sent as JSON; None sends `{}`.
            is_private: Whether to send on a private channel.
            as_: The identity that sends.
        """
        __tracebackhide__ = True
        arguments, environment = self._identity(as_)
        private = ["--private"] if is_private else []
        child = self._project.program.run(
            ["send", topic, event, json.dumps(payload or {}), "--json", *private, *arguments],
            environment,
            READY_SECONDS,
        )
        if child.stop():
            pytest.fail(f"prt: the broadcast to {topic} was not sent\n{child.errors}")

    @contextmanager
    def track(self, topic: str, key: str, *, as_: Who = None, **state: Any) -> Iterator[None]:
        """Track a presence with a key and a state on a topic while the block runs."""
        __tracebackhide__ = True
        arguments, environment = self._identity(as_)
        command = ["presence", topic, "--key", key, "--track", json.dumps(state), "--json", *arguments]
        with running(self._project.program.start(command, environment)) as child:

            def is_present() -> bool:
                return any(key in (line.get("key"), *(line.get("state") or ())) for line in child.lines)

            if not child.wait_for(is_present, READY_SECONDS):
                pytest.fail(f"prt: {key} did not become present on {topic}\n{child.complaints()}")
            yield

    def _topic(self, option: str, topic: str, value: str, is_private: bool, as_: Who) -> Watch:
        private = ["--private"] if is_private else []
        status = ["status", "--topic", topic, *private]
        return self._watch(topic, ["watch", option, value, *private], as_, status)

    def _watch(self, subject: str, command: Sequence[str], as_: Who, status: Sequence[str]) -> Watch:
        arguments, environment = self._identity(as_)
        program = self._project.program
        link = self._link()
        url = [] if link is None else ["--url", f"http://127.0.0.1:{link.port}"]

        def start() -> Child:
            return program.start([*command, "--json", *url, *arguments], environment)

        def diagnose() -> str:
            child = program.run([*status, "--json", *arguments], environment, DIAGNOSIS_SECONDS)
            return _diagnosis(child.lines, child.errors)

        watch = Watch(subject, start, diagnose, link)
        self._open.callback(watch.close)
        return watch

    def _link(self) -> Link | None:
        """Return a link that can be cut, or None over TLS.

        The project's certificate would not be valid for the link's address.
        """
        address = urlsplit(self._project.url)
        if address.scheme != "http" or address.hostname is None or address.path:
            return None
        return Link(address.hostname, address.port or 80)

    def _identity(self, as_: Who) -> tuple[list[str], dict[str, str]]:
        environment = self._project.environment()
        if as_ is None:
            return [], environment
        if as_ in ("anon", "service"):
            return ["--as", str(as_)], environment
        user = self._project.sign_in(as_) if isinstance(as_, str) else as_
        if user.token is None:
            user = self._project.sign_in(user.email)
        return [], {**environment, "PRT_TOKEN": user.token or ""}


def _diagnosis(lines: Sequence[Line], errors: str) -> str:
    layers = [line for line in lines if line.get("type") == "layer"]
    wrong = [line for line in layers if line.get("state") in WRONG]
    if not layers:
        return errors or "  prt status wrote nothing"
    if not wrong:
        return f"  nothing is wrong: {len(layers)} checks passed"
    text = []
    for line in wrong:
        words = [line["layer"], line.get("table"), line.get("check")]
        text.append(f"  {line['state']}: {' '.join(filter(None, words))}: {line.get('figure') or ''}")
        text += [f"    {name}: {line[name]}" for name in ("why", "remedy") if line.get(name)]
    return "\n".join(text)
