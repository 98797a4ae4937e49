"""The REST requests of a verification: keys and dates of the rows in a window, or with given keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from prt.errors import ProtocolError
from prt.stream import values
from prt.stream.binding import Binding
from prt.stream.filters import postgrest as conditions
from prt.stream.filters.postgrest import Parameters
from prt.stream.recovery.verification.rules import Dated
from prt.stream.rest.client import Page, Rest
from prt.stream.rest.pages import KEYS_ASKED, PAGE_ROWS, Shape
from prt.stream.values import Key

NOW = "now"
"""PostgreSQL's text for the start of the present transaction, by the database's own clock."""
SMALLEST_CAP = 100
"""The smallest number of rows at which a server is assumed to limit an answer."""

_row = msgspec.json.Decoder(dict[str, Any]).decode
_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class PageEnd(Struct, frozen=True):
    """The last row of a page, after which the next page begins.

    Attributes:
        date: The text of its date; None if only its creation dates it.
        key: The texts of its key columns.
    """

    date: str | None
    key: tuple[str, ...]


class Found(Struct, frozen=True):
    """The rows of one answer.

    Attributes:
        rows: Keys and dates of the rows; rows without a date are left out.
        date: The server's time of the answer (µs), or None.
        next: The row after which the next page begins; None if the window was read to its end.
    """

    rows: list[Dated]
    date: int | None
    next: PageEnd | None = None


class DateColumns(Struct, frozen=True, kw_only=True):
    """The columns that date the rows of one binding; `created` dates rows in which `written` is null."""

    written: str
    created: str | None


def date_columns(shape: Shape, binding: Binding) -> DateColumns | None:
    """Return the columns that date the writes which the binding asks for, or None if no column does."""
    if binding.event == "DELETE":
        return None
    if binding.event == "INSERT":
        return None if shape.created is None else DateColumns(written=shape.created, created=None)
    if shape.written is None or (binding.event == "UPDATE" and shape.written == shape.created):
        return None
    created = None if shape.created == shape.written else shape.created
    return DateColumns(written=shape.written, created=created)


class PageSizes:
    """The sizes of the pages so far, which show whether more rows follow a page.

    A server may return fewer rows than it was asked for, although there are more.
    """

    def __init__(self) -> None:
        self._largest = 0

    def is_full(self, count: int, *, is_first: bool) -> bool:
        """Return whether more rows may follow a page.

        Args:
            count: How many rows the page has.
            is_first: Whether it is the first page.
        """
        if count >= PAGE_ROWS:
            return True
        is_cut = count >= max(SMALLEST_CAP, self._largest)
        if count == 0 and not is_first:
            self._largest += 1  # the page before was complete
        self._largest = max(self._largest, count)
        return is_cut and count > 0


class KeyPage(Struct, frozen=True):
    """A page of keys.

    Attributes:
        keys: The keys.
        date: The server's time of the answer (µs), or None.
        next: The last key if more keys may follow, else None.
    """

    keys: list[Key]
    date: int | None
    next: Key | None


class KeyReads:
    """The requests for the keys of one binding's rows, one page per request."""

    def __init__(self, rest: Rest, binding: Binding, shape: Shape) -> None:
        """Prepare the requests.

        Args:
            rest: The REST client.
            binding: The binding whose rows are read, with its filter.
            shape: The key and date columns of the table.
        """
        self._rest = rest
        self._binding = binding
        self._key = shape.key
        self._filter = conditions.parameters_of(binding.filter)
        self._pages = PageSizes()

    async def page(self, behind: Key | None) -> KeyPage:
        """Read a page of keys in their order.

        Args:
            behind: The key after which the page begins; None for the first page.

        Raises:
            PrtError: What `Rest.read` raises.
        """
        names = ",".join(map(conditions.column, self._key))
        after = [] if behind is None else [conditions.after(self._key, list(map(values.text, behind)))]
        parameters = [("select", names), *self._filter, *after, ("order", names), ("limit", str(PAGE_ROWS))]
        page = await self._rest.read(self._binding.schema, self._binding.table, parameters, is_repeated=False)
        keys = [key for raw in page.rows if (key := values.key_of(_row(raw), self._key)) is not None]
        is_full = self._pages.is_full(len(page.rows), is_first=behind is None)
        return KeyPage(keys, page.date, keys[-1] if keys and is_full else None)

    async def present(self, keys: Sequence[Key]) -> set[Key]:
        """Return which keys have a row, whether or not the binding's filter matches it.

        Args:
            keys: The keys, of which no more than `KEYS_ASKED` are looked at.

        Raises:
            PrtError: What `Rest.read` raises.
        """
        texts = [[values.text(value) for value in key] for key in keys[:KEYS_ASKED]]
        names = ",".join(map(conditions.column, self._key))
        page = await self._rest.read(
            self._binding.schema,
            self._binding.table,
            [("select", names), conditions.one_of(self._key, texts), ("limit", str(PAGE_ROWS))],
            is_repeated=False,
        )
        return {key for raw in page.rows if (key := values.key_of(_row(raw), self._key)) is not None}


class DateReads:
    """The requests for keys and dates of one binding's rows; every method sends one.

    Raises:
        PrtError: What `Rest.read` raises.
    """

    def __init__(self, rest: Rest, binding: Binding, shape: Shape, columns: DateColumns) -> None:
        """Prepare the requests.

        Args:
            rest: The REST client.
            binding: The binding whose rows are read, with its filter.
            shape: The key and date columns of the table.
            columns: The columns that date the writes which the binding asks for.
        """
        self._rest = rest
        self._binding = binding
        self._shape = shape
        self.key = shape.key
        self.columns = columns
        self._filter = conditions.parameters_of(binding.filter)
        names = [*shape.key, columns.written, columns.created, shape.created]
        wanted = dict.fromkeys(name for name in names if name is not None)
        self._select = ("select", ",".join(map(conditions.column, wanted)))
        self._pages = PageSizes()

    async def window(self, start: int, behind: PageEnd | None) -> Found:
        """Read a page of the rows dated from a moment until now, oldest first.

        Args:
            start: The moment, in µs.
            behind: The row after which the page begins; None for the first page.
        """
        order = ",".join(
            [
                f"{conditions.column(self.columns.written)}.asc.nullslast",
                *map(conditions.column, self._key_order),
            ]
        )
        page = await self._read([*self._filter, self._window(start, behind), ("order", order)])
        rows = list(map(self._dated_row, page.rows))
        last = (
            self._page_end_of(page.rows[-1])
            if self._pages.is_full(len(rows), is_first=behind is None)
            else None
        )
        return Found([dated for dated in rows if dated is not None], page.date, last)

    async def future(self) -> Found:
        """Read the rows whose date lies in the future, the earliest first."""
        name = conditions.column(self.columns.written)
        where = [("and", f"({name}.gt.{NOW})"), ("order", name)]
        page = await self._read([*self._filter, *where])
        return Found([one for one in map(self._dated_row, page.rows) if one is not None], page.date)

    async def rows(self, keys: Sequence[Key]) -> Found:
        """Read the rows with up to `KEYS_ASKED` keys, except those that the binding's filter excludes."""
        texts = [[values.text(value) for value in key] for key in keys[:KEYS_ASKED]]
        page = await self._read([*self._filter, conditions.one_of(self._shape.key, texts)])
        return Found([one for one in map(self._dated_row, page.rows) if one is not None], page.date)

    async def whole_rows(self, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
        """Read the rows with these keys, with all columns. Keys beyond the first `KEYS_ASKED` are ignored."""
        texts = [[values.text(value) for value in key] for key in keys[:KEYS_ASKED]]
        where = [conditions.one_of(self._shape.key, texts), ("limit", str(PAGE_ROWS))]
        page = await self._rest.read(
            self._binding.schema, self._binding.table, [("select", "*"), *where], is_repeated=False
        )
        rows: list[dict[str, Any]] = [msgspec.json.decode(raw) for raw in page.rows]
        return {key: row for row in rows if (key := values.key_of(row, self._shape.key)) is not None}

    async def public_keys(self, keys: Sequence[Key]) -> set[Key]:
        """Return which of up to `KEYS_ASKED` keys have a row that can be read without a user's token."""
        texts = [[values.text(value) for value in key] for key in keys[:KEYS_ASKED]]
        select = ("select", ",".join(map(conditions.column, self._shape.key)))
        where = [conditions.one_of(self._shape.key, texts), ("limit", str(PAGE_ROWS))]
        page = await self._rest.read(
            self._binding.schema,
            self._binding.table,
            [select, *where],
            is_repeated=False,
            is_anonymous=True,
        )
        keys_found = (values.key_of(msgspec.json.decode(raw), self._shape.key) for raw in page.rows)
        return {key for key in keys_found if key is not None}

    async def one_key(self) -> Found:
        """Read a single row by its key, which every table can answer fast."""
        order = ",".join(map(conditions.column, self._shape.key))
        page = await self._read([("order", order)], limit=1)
        return Found([], page.date)

    @property
    def _key_order(self) -> list[str]:
        return [name for name in self._shape.key if name != self.columns.written]

    async def _read(self, parameters: Parameters, *, limit: int = PAGE_ROWS) -> Page:
        asked = [self._select, *parameters, ("limit", str(limit))]
        return await self._rest.read(self._binding.schema, self._binding.table, asked, is_repeated=False)

    def _window(self, start: int, behind: PageEnd | None) -> tuple[str, str]:
        written, created = self.columns.written, self.columns.created
        dated = None if behind is not None and behind.date is None else self._dated(written, start)
        undated = None
        if created is not None:
            undated = [f"{conditions.column(written)}.is.null", *self._dated(created, start)]
        if behind is not None:
            names = self._key_order
            if dated is not None:
                texts = [behind.date or "", *behind.key]
                operator, tree = conditions.after([written, *names], texts)
                dated.append(operator + tree)
            elif undated is not None:
                operator, tree = conditions.after(names, behind.key)
                undated.append(operator + tree)
        if dated is None or undated is None:
            return "and", f"({','.join(dated or undated or [])})"
        return "or", f"(and({','.join(dated)}),and({','.join(undated)}))"

    @staticmethod
    def _dated(name: str, start: int) -> list[str]:
        column = conditions.column(name)
        return [f"{column}.gte.{conditions.quoted(values.timestamp(start))}", f"{column}.lte.{NOW}"]

    def _dated_row(self, raw: Raw) -> Dated | None:
        """Return key and dates of a row, or None if it has no date or no key."""
        columns = _columns_of(raw)
        try:
            key = values.key_of(
                {name: msgspec.json.decode(columns[name]) for name in self._shape.key}, self._shape.key
            )
        except KeyError as exc:
            raise ProtocolError(f"REST left out the column {exc.args[0]}") from exc
        if key is None:
            return None
        created = self._moment(columns, self._shape.created)
        date = self._moment(columns, self.columns.written)
        if date is None:
            date = created if self.columns.created is not None else None
        return None if date is None else Dated(key, date, created)

    def _page_end_of(self, raw: Raw) -> PageEnd:
        columns = _columns_of(raw)
        date = msgspec.json.decode(columns[self.columns.written])
        key = tuple(values.text(msgspec.json.decode(columns[name])) for name in self._key_order)
        return PageEnd(None if date is None else values.text(date), key)

    @staticmethod
    def _moment(columns: dict[str, Raw], name: str | None) -> int | None:
        raw = None if name is None else columns.get(name)
        return None if raw is None else values.moment(msgspec.json.decode(raw))
