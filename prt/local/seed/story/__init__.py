"""The story of the demo traffic: a production's day as random SQL statements, created without a database."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from prt.local.seed.story.board import Board
from prt.local.seed.story.messages import Messages
from prt.local.seed.story.money import Books
from prt.local.seed.story.show import Show
from prt.local.seed.story.steps import Step
from prt.local.seed.story.workflows import APPROVALS, BOOKINGS, HOURS, INCIDENTS, ORDERS, Workflow

__all__ = ["Step", "story"]


def story(random: Random) -> Iterator[Step]:
    """Yield the steps of a day without end, which change the seed's rows and add others.

    The same state of `random` yields the same steps. The first steps undo what an earlier story did. Tables
    keep their size, because the story deletes as many rows as it adds.
    """
    messages = Messages(random)
    board = Board(random)
    books = Books(random, messages)
    show = Show(random, messages)
    bookings, incidents, approvals, orders, hours = (
        Workflow(random, kind, messages) for kind in (BOOKINGS, INCIDENTS, APPROVALS, ORDERS, HOURS)
    )
    for part in (board, books, show, bookings, incidents, approvals, orders, hours, messages):
        yield from part.opening()

    scenes = {
        board.move: 30,
        board.add: 7,
        board.edit: 6,
        board.comment: 5,
        board.milestone: 1,
        books.expense: 14,
        books.refund: 1,
        books.purchase: 5,
        books.invoice: 2,
        show.advance: 9,
        show.sell: 5,
        show.hand_over: 3,
        show.look_around: 3,
        show.post: 3,
        show.upload: 2,
        show.tidy: 3,
        bookings.go_on: 5,
        incidents.go_on: 4,
        approvals.go_on: 3,
        orders.go_on: 3,
        hours.go_on: 5,
        messages.read: 3,
    }
    choices, weights = list(scenes), list(scenes.values())
    # The first visible change is always a task that moves on the board.
    yield from board.move()
    while True:
        yield from random.choices(choices, weights)[0]()
