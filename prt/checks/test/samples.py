"""The rows of the suite `rls`: a row of the user and, with the server key, rows of others and of conditions.

A single row can't distinguish an identity that receives all rows from one that receives some.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from prt.checks.test.context import Context
from prt.checks.test.contract import conditions
from prt.checks.test.contract.conditions import MissingClaimError
from prt.checks.test.contract.terms import Event, Identity
from prt.checks.test.identities import own_claims, token_claims
from prt.checks.test.outcomes import SkippedError
from prt.checks.test.rows import Row, Rows
from prt.errors import RefusedError
from prt.stream.filters.grammar import Condition
from prt.stream.rest.answers import RejectedError

Values = dict[str, Any]
MOST: Final = 12
"""The largest number of rows to write."""
_FAR: Final = 987_654_321
"""A number that is added to an existing value to get one that probably nobody uses."""


class Sample(Struct, kw_only=True):
    """A row in its state after each write. `readers` are the identities that can read it over REST."""

    rows: Rows
    states: list[Row]
    readers: list[Identity] = []

    @property
    def row(self) -> Row:
        """Return the row as it was after the last write."""
        return self.states[-1]

    def has(self, event: Event) -> bool:
        """Return whether the row had such an event. Every row is deleted in the end."""
        return event != "UPDATE" or len(self.states) > 1


async def written(
    context: Context,
    writer: Identity,
    watching: Collection[Identity],
    agreed: Collection[tuple[Identity, str]],
) -> list[Sample]:
    """Write the rows and return them, the writer's own row first.

    Args:
        context: The context of the table.
        writer: The identity that writes the first row.
        watching: The identities that take part.
        agreed: Identities, each with a condition. For each of them a row that meets the condition, and a row
            that does not, is tried.

    Raises:
        SkippedError: The first row can't be written.
        PrtError: REST failed.
    """
    rows = await context.rows(writer)
    # The server's rows come before the first insert: their trial ends with removing all rows of this run.
    server = await _server(context) if "service" in watching else None
    found = [Sample(rows=rows, states=[await rows.insert("rls")])]
    if server is None:
        return found
    claims = {who: token_claims((await context.identities.session(who)).endpoint) for who in watching}
    first = found[0].row.values
    for number, attempts in enumerate(_variants(first, claims, agreed), 1):
        if len(found) == MOST:
            break
        if (row := await _first_written(context, server, f"rls, {number}", attempts)) is not None:
            found.append(Sample(rows=server, states=[row]))
    return found


async def _server(context: Context) -> Rows | None:
    try:
        return await context.rows("service")
    except SkippedError:
        return None


async def _first_written(context: Context, server: Rows, tag: str, attempts: Sequence[Values]) -> Row | None:
    """Return the first of several rows that the table accepts, None if it accepts none of them."""
    for values in attempts:
        try:
            return await server.insert(tag, **values)
        except (SkippedError, RejectedError, RefusedError):
            continue
    if not context.is_loopback or not attempts:
        return None  # on a project in use, a row with another user's value would be shown to that user
    values = dict(attempts[-1])
    for column in values:
        other = await server.other_value(await context.identities.rest("service"), column, values[column])
        if other is not None:
            try:
                return await server.insert(tag, **{**values, column: other})
            except (SkippedError, RejectedError, RefusedError):
                continue
    return None


def _variants(
    first: Values, claims: Mapping[Identity, Values], agreed: Collection[tuple[Identity, str]]
) -> Iterator[list[Values]]:
    """Yield the values of the rows to try besides the first.

    Each is a list of attempts. The first attempt that the table accepts is used.
    """
    own = _owned(first, claims)
    wanted: list[list[Values]] = []
    if (stranger := claims.get("stranger", {}).get("sub")) is not None and own:
        wanted.append([dict.fromkeys(own, stranger)])
    for column, values in _claimed(first, claims).items():
        wanted += [[{column: value}] for value in [*values, _unlike(values[0])]]
    for who, text in sorted(agreed):
        inside = _meeting(text, claims.get(who, {}), first)
        if inside:
            others = [_meeting(text, claims[other], first) for other in sorted(claims) if other != who]
            outside = [one for one in others if one and one != inside]
            column = next(iter(inside))
            outside.append({**inside, column: _unlike(inside[column])})
            wanted += [[inside], outside]
    seen: list[Values] = []
    for attempts in wanted:
        if all(str(first[column]) == str(value) for column, value in attempts[0].items()):
            continue
        if attempts[0] not in seen:
            seen.append(attempts[0])
            yield [{**own, **values} for values in attempts]


def _owned(first: Values, claims: Mapping[Identity, Values]) -> Values:
    """Return the columns of the first row that hold its user's id, so that other rows get no other owner."""
    user = claims.get("member", {}).get("sub")
    return {} if user is None else {column: value for column, value in first.items() if value == user}


def _claimed(first: Values, claims: Mapping[Identity, Values]) -> dict[str, list[Any]]:
    """Return the values of the claims that are named like a column, because a policy may compare the two."""
    found: dict[str, list[Any]] = {}
    for who in sorted(claims):
        for name, value in own_claims(claims[who]).items():
            if name in first and value not in found.setdefault(name, []):
                found[name].append(value)
    return found


def _meeting(text: str, claims: Values, first: Values) -> Values | None:
    """Return values that meet a condition; None if they can't be derived from it, or a claim is missing."""
    try:
        found = conditions.filled(text, claims)
    except MissingClaimError:
        return None
    values = {one.column: value for one in found if (value := _value(one)) is not None}
    return values if values and all(column in first for column in values) else None


def _value(one: Condition) -> str | None:
    if one.is_negated or one.operator not in ("eq", "in", "gte", "lte"):
        return None
    return next(iter(one.elements()), None) if one.operator == "in" else one.value


def _unlike(value: Any) -> Any:
    """Return a different value of the same kind."""
    text = str(value)
    if text in ("true", "false"):
        return text == "false"
    if text.removeprefix("-").isdecimal():
        return int(text) + _FAR
    try:
        uuid.UUID(text)
    except ValueError:
        return f"{text}-prt-test"
    return str(uuid.uuid4())
