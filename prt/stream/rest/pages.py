"""Reading a binding's rows page by page: the columns that identify and date them, and the read orders."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import msgspec
from msgspec import Raw, Struct

from prt.decoding import decoded
from prt.errors import ProtocolError
from prt.inputs import Input
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.filters import postgrest
from prt.stream.filters.postgrest import Parameters
from prt.stream.rest.answers import UnknownColumnError
from prt.stream.rest.client import Page, Rest, TooLargeError
from prt.stream.values import Key

PAGE_ROWS = 1_000
"""The rows of one page: the most that Supabase's PostgREST returns."""
KEYS_ASKED = 100
"""The most keys in one request, because the length of a URL is limited."""
UPDATED, CREATED = "updated_at", "created_at"
"""The usual columns that date a row's last change and its creation."""

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode

Stamp = tuple[int | None, int | None]
"""When a row was written and when it was created (µs since the epoch), as its columns show it; None if they
don't."""


class Shape(Struct, frozen=True, kw_only=True):
    """The columns of a table that reading needs.

    Attributes:
        key: The key columns.
        written: The column that dates a row's last change ("cursor"), or None.
        created: The column that dates a row's creation, or None.
    """

    key: tuple[str, ...]
    written: str | None
    created: str | None


class ReadOrder(Struct, frozen=True, kw_only=True):
    """An order in which the rows of a table are read.

    Attributes:
        cursor: The date column that comes first; None for the order of the key alone.
        where: Conditions that keep the rows which are read in this order.
    """

    cursor: str | None
    where: tuple[tuple[str, str], ...] = ()

    def columns(self, shape: Shape) -> tuple[str, ...]:
        """Return the columns of the order. The key comes last, so that no two rows are equal."""
        head = () if self.cursor is None or self.cursor in shape.key else (self.cursor,)
        return (*head, *shape.key)


class UnknownCursorError(ProtocolError):
    """The table lacks the date column that the user gave."""

    id = UnknownColumnError.id


class Row(Struct, frozen=True, gc=False):
    """A row that was read.

    Attributes:
        key: The key.
        raw: The row as JSON, with the columns of the binding's `select`.
        stamp: When it was written and created.
        position: The texts of the order's columns, after which the next page begins.
    """

    key: Key
    raw: Raw
    stamp: Stamp
    position: tuple[str, ...]

    @property
    def moment(self) -> int | None:
        """When the row was last written (µs since the epoch), or None."""
        written, created = self.stamp
        return created if written is None else written


def read_orders_of(shape: Shape, binding: Binding) -> list[ReadOrder]:
    """Return the orders that together contain every row with a date once.

    Two orders may be needed, because many tables set `updated_at` only when a row is updated.
    """
    written, created = shape.written, shape.created
    if written is None or (binding.event == "INSERT" and created is not None):
        return [ReadOrder(cursor=created)]
    first = ReadOrder(cursor=written)
    if created is None or created == written:
        return [first]
    return [first, ReadOrder(cursor=created, where=(postgrest.condition(written, "is.null"),))]


async def shape_of(rest: Rest, binding: Binding, key: tuple[str, ...], cursor: str | None) -> Shape:
    """Check that a table has the key columns, and find out which columns date its rows.

    Args:
        rest: The REST client.
        binding: A binding of the table.
        key: The key columns.
        cursor: The date column that the user gave, or None.

    Raises:
        UnknownCursorError: If the table lacks the date column that the user gave.
        ProtocolError: If a key column does not exist.
        PrtError: What `Rest.read` raises.
    """
    wanted = list(dict.fromkeys([*key, *([cursor] if cursor else []), UPDATED, CREATED]))
    while True:
        select = ",".join(map(postgrest.column, wanted))
        try:
            await rest.read(binding.schema, binding.table, [("select", select), ("limit", "0")])
            break
        except UnknownColumnError as exc:
            missing = next((name for name in wanted if exc.is_of(name)), None)
            if missing is None:
                raise
            if missing in key:
                raise ProtocolError(
                    f"no column {missing} tells its rows apart: name the key ({Input.KEY})"
                ) from exc
            if missing == cursor:
                raise UnknownCursorError(f"{binding.name} has no column {cursor} ({Input.CURSOR})") from exc
            wanted.remove(missing)
    written = next((name for name in (cursor, UPDATED, CREATED) if name in wanted), None)
    return Shape(key=key, written=written, created=CREATED if CREATED in wanted else None)


class Answer(Struct, frozen=True):
    """The rows of one answer, and when the server gave it (µs since the epoch), or None."""

    rows: list[Row]
    date: int | None


class Reader:
    """The reader of one binding's rows. Every method may raise what `Rest.read` raises."""

    def __init__(self, rest: Rest, binding: Binding, shape: Shape) -> None:
        """Prepare the requests.

        Args:
            rest: The REST client.
            binding: The binding whose rows are read, with its filter and its columns.
            shape: The key and date columns of the table.
        """
        self._rest = rest
        self._binding = binding
        self.shape = shape
        self._filter = postgrest.parameters_of(binding.filter)
        extra = [*shape.key, *(name for name in (shape.written, shape.created) if name is not None)]
        self._select = (
            "*"
            if binding.select is None
            else ",".join(map(postgrest.column, dict.fromkeys([*binding.select, *extra])))
        )

    async def pages(self, read_order: ReadOrder, *, since: int | None) -> AsyncGenerator[Answer, None]:
        """Read the rows in an order, page by page.

        Args:
            read_order: The order.
            since: The date (µs) from which on rows are read; None for all rows that have a date.
        """
        order = read_order.columns(self.shape)
        where = list(read_order.where)
        if read_order.cursor is not None:
            dated = "not.is.null" if since is None else f"gte.{values.timestamp(since)}"
            where.append(postgrest.condition(read_order.cursor, dated))
        async for page in self._paged([("select", self._select), *self._filter, *where], order):
            yield Answer([self._row(raw, order) for raw in page.rows], page.date)

    async def rows(self, keys: Sequence[Key]) -> AsyncGenerator[Answer, None]:
        """Read the rows with these keys that the binding's filter matches, `KEYS_ASKED` keys at a time."""
        for start in range(0, len(keys), KEYS_ASKED):
            texts = [[values.text(value) for value in key] for key in keys[start : start + KEYS_ASKED]]
            where = postgrest.one_of(self.shape.key, texts)
            page = await self._read([("select", self._select), *self._filter, where])
            yield Answer([self._row(raw, self.shape.key) for raw in page.rows], page.date)

    async def latest(self, read_order: ReadOrder, limit: int, *, is_whole: bool = False) -> Answer:
        """Read the rows that were written last.

        Args:
            read_order: The order, which is reversed.
            limit: The most rows.
            is_whole: Whether to read all columns, rather than keys and dates.
        """
        order = read_order.columns(self.shape)
        names = [*self.shape.key, *(n for n in (self.shape.written, self.shape.created) if n is not None)]
        dates = ",".join(map(postgrest.column, dict.fromkeys(names)))
        page = await self._read(
            [
                ("select", self._select if is_whole else dates),
                *self._filter,
                *read_order.where,
                ("order", ",".join(f"{postgrest.column(name)}.desc.nullslast" for name in order)),
                ("limit", str(limit)),
            ]
        )
        return Answer([self._row(raw, order) for raw in page.rows], page.date)

    async def has_undated(self, column: str) -> bool:
        """Return whether a row has null in this column."""
        name = postgrest.column(self.shape.key[0])
        where = postgrest.condition(column, "is.null")
        page = await self._read([("select", name), *self._filter, where, ("limit", "1")])
        return bool(page.rows)

    async def keys(self) -> AsyncGenerator[list[Key], None]:
        """Read the keys of the rows that the filter matches, page by page."""
        select = [("select", ",".join(map(postgrest.column, self.shape.key)))]
        async for page in self._paged([*select, *self._filter], self.shape.key):
            yield [self._row(raw, self.shape.key).key for raw in page.rows]

    async def present(self, keys: Sequence[Key]) -> AsyncIterator[tuple[Sequence[Key], set[Key]]]:
        """Look up which keys have a row, whether or not the filter matches it, `KEYS_ASKED` keys at a time.

        Yields:
            Some of the keys, and those of them that have a row.
        """
        select = ("select", ",".join(map(postgrest.column, self.shape.key)))
        for start in range(0, len(keys), KEYS_ASKED):
            asked = keys[start : start + KEYS_ASKED]
            texts = [[values.text(value) for value in key] for key in asked]
            page = await self._read([select, postgrest.one_of(self.shape.key, texts)])
            yield asked, {self._row(raw, self.shape.key).key for raw in page.rows}

    async def _paged(self, parameters: Parameters, order: tuple[str, ...]) -> AsyncGenerator[Page, None]:
        """Yield pages until one is empty: a server may give fewer rows than asked, and still have more."""
        ordered = [*parameters, ("order", ",".join(map(postgrest.column, order)))]
        behind: Parameters = []
        size = PAGE_ROWS
        while True:
            try:
                page = await self._read([*ordered, *behind, ("limit", str(size))])
            except TooLargeError:
                if size == 1:
                    raise
                size = max(size // 8, 1)
                continue
            if not page.rows:
                return
            yield page
            behind = [postgrest.after(order, self._row(page.rows[-1], order).position)]

    async def _read(self, parameters: Parameters) -> Page:
        return await self._rest.read(self._binding.schema, self._binding.table, parameters)

    def _row(self, raw: Raw, order: tuple[str, ...]) -> Row:
        try:
            return self._read_row(raw, order)
        except KeyError as exc:
            raise ProtocolError(f"REST left out the column {exc.args[0]}") from exc
        except (ValueError, RecursionError) as exc:  # msgspec's and Unicode's errors are ValueErrors
            raise ProtocolError("REST answered a row that can't be read") from exc

    def _read_row(self, raw: Raw, order: tuple[str, ...]) -> Row:
        shape = self.shape
        columns = _columns_of(raw)
        row = {name: decoded(columns[name]) for name in {*order, *shape.key}}
        key = values.key_of(row, shape.key)
        if key is None:
            raise ProtocolError(f"a row has null in its key: name another ({Input.KEY})")
        stamp = (self._moment(columns, shape.written), self._moment(columns, shape.created))
        select = self._binding.select
        if select is not None:
            raw = Raw(msgspec.json.encode({name: columns[name] for name in select if name in columns}))
        return Row(key, raw, stamp, tuple(values.text(row[name]) for name in order))

    @staticmethod
    def _moment(columns: dict[str, Raw], name: str | None) -> int | None:
        raw = None if name is None else columns.get(name)
        return None if raw is None else values.moment(decoded(raw))
