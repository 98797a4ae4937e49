"""Removal of secrets, of values of rows, and of what identifies a project, from texts and frames.

This module lists what is kept of a frame; every other value is replaced by the name of its type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from prt.config.hosts import is_loopback
from prt.config.project import Project
from prt.config.secret import claims_of
from prt.redaction import redact
from prt.stream.binding import Binding

_UUID: Final = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
# It begins where its first part begins: a search from each character would take hours for a long text.
_EMAIL: Final = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_REF: Final = re.compile(r"\b[a-z]{20}\b")
_CONDITION: Final = re.compile(r'((?:"[^"]*"|\w+)=(?:not\.)?\w+\.)(.*)', re.DOTALL)
_SHORTEST: Final = 2

_KEPT_TEXTS: Final = frozenset(
    {"status", "extension", "schema", "table", "type", "commit_timestamp", "event"}
)
"""Members of frames whose texts are kept, because they come from the protocol or from the schema."""
_ROWS: Final = ("record", "old_record")
_PROTOCOL: Final = (
    "phx_reply",
    "phx_close",
    "phx_error",
    "phx_join",
    "phx_leave",
    "system",
    "postgres_changes",
)
"""Events of frames whose members have known names."""


class Scrubber:
    """Removes what may not be published. `project` is None if there is no project."""

    def __init__(self, project: Project | None, bindings: Iterable[Binding] = ()) -> None:
        self._hidden: dict[str, str] = {str(Path.home()): "~"}
        if project is not None:
            self._learn(project)
        for binding in bindings:
            for _, value in _conditions(binding.filter):
                if len(value) >= _SHORTEST:
                    self._hidden.setdefault(value, "<value>")

    def text(self, text: str) -> str:
        """Return a sentence, ours or a server's, without values that are known or look private."""
        text = redact(text)
        for value in sorted(self._hidden, key=len, reverse=True):
            word = self._hidden[value]
            text = word.join(re.split(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text))
        for pattern, word in ((_EMAIL, "<email>"), (_UUID, "<uuid>"), (_REF, "<ref>")):
            text = pattern.sub(word, text)
        return text

    def texts(self, value: Any) -> Any:
        """Return a JSON-like value with all of its texts scrubbed."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self.texts(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.texts(one) for one in value]
        return value

    def payload(self, event: str, payload: Any) -> Any:
        """Return the payload of a frame: its members if the protocol defines them, otherwise its type."""
        if event in _PROTOCOL and isinstance(payload, dict):
            return self._members(payload)
        return kind_of(payload)

    def _members(self, value: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, one in value.items():
            if name in _ROWS and isinstance(one, dict):
                found[name] = {column: kind_of(cell) for column, cell in one.items()}
            elif name == "columns" and isinstance(one, list):
                found[name] = one
            elif name == "filter" and isinstance(one, str):
                found[name] = filter_shape(one)
            elif isinstance(one, dict):
                found[name] = self._members(one)
            elif isinstance(one, list):
                found[name] = [
                    self._members(item) if isinstance(item, dict) else kind_of(item) for item in one
                ]
            elif isinstance(one, str):
                is_kept = name in _KEPT_TEXTS
                found[name] = one if is_kept else self.text(one) if name in _WORDS else kind_of(one)
            else:
                found[name] = one
        return found

    def _learn(self, project: Project) -> None:
        host = urlsplit(project.url).hostname or ""
        if host and not is_loopback(host):
            self._hidden[host] = "<host>"
        if project.email:
            self._hidden[project.email] = "<email>"
        claims = claims_of(project.token.reveal()) if project.token else None
        for claim in ("sub", "email", "phone"):
            value = (claims or {}).get(claim)
            if isinstance(value, str) and len(value) >= _SHORTEST:
                self._hidden[value] = f"<{claim}>"


_WORDS: Final = frozenset({"message", "reason"})
"""Members of frames that hold a server's sentence."""


def kind_of(value: Any) -> str:
    """Return the type of a JSON value, as `<string>`."""
    if value is None:
        return "<null>"
    if isinstance(value, bool):
        return "<boolean>"
    kinds = ((str, "<string>"), (int | float, "<number>"), (dict, "<object>"), (list, "<array>"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "<value>")


def filter_shape(text: str) -> str:
    """Return a filter with its columns and operators, but without its values."""
    return ",".join(f"{condition}<value>" for condition, _ in _conditions(text))


def _conditions(text: str | None) -> list[tuple[str, str]]:
    """Return `COLUMN=OPERATOR.` and the value of each part between commas.

    A part that is a further value has an empty column.
    """
    found = []
    for part in (text or "").split(","):
        match = _CONDITION.fullmatch(part)
        found.append((match[1], match[2].strip('()"')) if match else ("", part.strip('()"')))
    return found if text else []
