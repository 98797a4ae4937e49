"""Keys that write: they move a card to another column, or mark a notification as read.

A write that is refused is undone on the screen.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from msgspec import Raw

from prt.app.notifications.marking import mark_rows
from prt.app.notifications.table import NotificationTable
from prt.app.update import equals
from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Change, Event
from prt.state.board import NOWHERE
from prt.state.rows.difference import value_text
from prt.state.screen import Screen
from prt.state.update import Update
from prt.state.viewport.intents import Intent
from prt.stream.rest.client import Rest
from prt.views.drawing.figures import milliseconds
from prt.views.panels.board import BoardView
from prt.views.panels.notifications import Toasts
from prt.views.panels.page import Page

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode
_STEPS = {Intent.MOVE_LEFT: -1, Intent.MOVE_RIGHT: 1}


class EditControls:
    """Writes over REST as the watching identity; `target` is the table of notifications, if any."""

    is_replay = False

    def __init__(self, rest: Rest, target: NotificationTable | None = None) -> None:
        self._rest = rest
        self._target = target
        self._page: Page | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._unconfirmed: list[Update] = []

    def attach(self, page: Page) -> None:
        """Let a page show the keys that write."""
        self._page = page
        page.allow_editing()

    def act(self, intent: Intent, screen: Screen, page: Page) -> bool:
        """Write what a key asks for. Return whether the key writes."""
        if intent in _STEPS and isinstance(page.active, BoardView):
            self._move(page.active, _STEPS[intent], screen, page)
        elif intent is Intent.MARK_READ and isinstance(page.active, Toasts):
            key = page.active.selected
            if key is None or self._target is None:
                page.message = "select a notification first"
            else:
                self._start(self._mark(self._target, key, page))
        else:
            return False
        return True

    def observe(self, event: Event) -> None:
        """Note a change, which may be the echo of a write."""
        if not self._unconfirmed or type(event) is not Change or self._page is None:
            return
        for update in list(self._unconfirmed):
            if not update.concerns(event):
                continue
            update.apply(event)
            if update.confirmed_at is not None:
                self._unconfirmed.remove(update)
                took = (update.confirmed_at - (update.applied_at or 0)) / 1000
                self._page.message = (
                    f"{_moved(update)}: confirmed by its echo after {milliseconds(took).strip()}"
                )

    async def close(self) -> None:
        """Wait for the writes that are in progress."""
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _move(self, view: BoardView, step: int, screen: Screen, page: Page) -> None:
        key, target = view.selected, view.neighbour(step)
        row = None if key is None else view.board.row(key)
        if key is None or row is None:
            page.message = "select a card first"
        elif target is None:
            page.message = "there is no column on that side"
        elif any(raw_key(update) == key for update in self._unconfirmed):
            page.message = "wait: the card's last move is not confirmed yet"
        else:
            columns = _columns_of(row)
            board = view.board
            names = board.key_columns(board.schema, board.table)
            value = Raw(b"null" if target == NOWHERE else msgspec.json.encode(target))
            update = Update(
                board.schema, board.table, {name: columns[name] for name in names}, {board.group_by: value}
            )
            update.found(Raw(row), wall_clock())
            update.apply_locally(wall_clock())
            self._unconfirmed.append(update)
            self._show(view, update.row or row, update)
            page.message = f"{_moved(update)}: being written"
            self._start(self._write(view, update, screen, page))

    async def _write(self, view: BoardView, update: Update, screen: Screen, page: Page) -> None:
        try:
            rows = await self._rest.update(update.schema, update.table, equals(update.key), update.values)
            if not rows:
                raise PrtError("a row level security policy lets this identity read the row, not write it")
        except PrtError as exc:
            update.roll_back(exc.message, wall_clock())
            if update in self._unconfirmed:
                self._unconfirmed.remove(update)
            self._show(view, update.row or bytes(update.before or b"{}"), update)
            view.board.moves -= 2  # both moves are undone
            page.message = f"! {_moved(update)}: rolled back: {exc.message}"
        else:
            update.commit(rows[0], wall_clock())
            if update.confirmed_at is not None:
                self._unconfirmed.remove(update)
                page.message = f"{_moved(update)}: confirmed by its echo"
            else:
                page.message = f"{_moved(update)}: written, waiting for its echo"
        page.touch()

    @staticmethod
    def _show(view: BoardView, row: bytes, update: Update) -> None:
        view.apply(
            Change(
                at=wall_clock(),
                topic="",
                event_type="UPDATE",
                schema=update.schema,
                table=update.table,
                commit_timestamp=None,
                new=Raw(row),
            )
        )

    async def _mark(self, target: NotificationTable, key: str, page: Page) -> None:
        try:
            now = await mark_rows(self._rest, target, [key])
            page.message = "marked as read" if now else "it had been read before, or is not ours"
        except PrtError as exc:
            page.message = f"! not marked: {exc.message}"
        page.touch()


def raw_key(update: Update) -> bytes:
    """Return the key in the board's form: raw JSON values joined with commas."""
    return b",".join(bytes(value) for value in update.key.values())


def _moved(update: Update) -> str:
    columns = {} if update.before is None else _columns_of(update.before)
    title = next(
        (value_text(columns[name]) for name in ("title", "name") if name in columns), update.key_text
    )
    cell = update.cells[0] if update.cells else None
    (target,) = (value_text(value) for value in update.values.values())
    return f"'{title}' {cell.before if cell and cell.before else '?'} → {target}"
