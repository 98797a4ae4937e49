"""Relationships between a table and the resources embedded in it, found from the foreign keys.

https://docs.postgrest.org/en/stable/references/api/resource_embedding.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from prt.local.rest.catalog import ForeignKey
from prt.local.rest.errors import RestError
from prt.local.rest.query.tree import Embed
from prt.suggestions import nearest

Cardinality = Literal["many-to-one", "one-to-one", "one-to-many", "many-to-many"]


class Relationship(Struct, frozen=True):
    """A relationship from a table, the parent, to a table that can be embedded in it, the target.

    Attributes:
        cardinality: Whether one or several rows belong to each other, in PostgREST's terms.
        parent: The name of the parent table.
        target: The name of the target table.
        pairs: The columns that must be equal: (column of the parent, column of the target), or, with a
            junction, (column of the parent, column of the junction).
        constraint: The foreign key's name; with a junction, a description of both foreign keys.
        names: The names that select this relationship as a hint (`target!hint`).
        junction: The name of the table between both, for a many-to-many relationship.
        junction_pairs: The columns that must be equal: (column of the junction, column of the target).
        is_referring: Whether the foreign key is a constraint of the parent.
    """

    cardinality: Cardinality
    parent: str
    target: str
    pairs: tuple[tuple[str, str], ...]
    constraint: str
    names: frozenset[str]
    junction: str | None = None
    junction_pairs: tuple[tuple[str, str], ...] = ()
    is_referring: bool = False

    @property
    def is_to_one(self) -> bool:
        """Whether at most one row of the target belongs to each row of the parent."""
        return self.cardinality in {"many-to-one", "one-to-one"}

    def described(self) -> dict[str, str]:
        """Return the description that PostgREST's errors contain."""
        own = ", ".join(pair[0] for pair in self.pairs)
        other = ", ".join(pair[1] for pair in self.junction_pairs or self.pairs)
        relationship = f"{self.constraint} using {self.parent}({own}) and {self.target}({other})"
        if self.junction is not None:
            relationship = f"{self.junction} using {self.constraint}"
        return {
            "cardinality": self.cardinality,
            "embedding": f"{self.parent} with {self.target}",
            "relationship": relationship,
        }


def resolve(parent: str, embed: Embed, keys: tuple[ForeignKey, ...], schema: str) -> Relationship:
    """Return the relationship that an embedded resource means.

    Args:
        parent: The name of the table in which the resource is embedded.
        embed: The embedded resource.
        keys: The foreign keys of the schema.
        schema: The name of the schema, for the error message.

    Raises:
        RestError: `PGRST200` if there is no such relationship, `PGRST201` if several match.
    """
    found = [
        one
        for one, answers in _candidates(parent, keys)
        if embed.target in answers and (embed.hint is None or embed.hint in one.names)
    ]
    if embed.hint is None:
        found = [one for one in found if not _is_read_backwards(one, embed.target)]
    if len(found) > 1 and embed.hint is not None:
        # A hint matches both directions of a table that refers to itself: the referring rows are meant.
        found = [one for one in found if not one.is_referring] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous(parent, embed, found)
    raise _unknown(parent, embed, keys, schema)


def _is_read_backwards(one: Relationship, target: str) -> bool:
    """Return whether this is the direction that isn't meant, for a table that refers to itself.

    The table's name means the rows that refer to the parent row. The name of the column or of the constraint
    means the row to which the parent row refers.
    """
    return one.parent == one.target and one.junction is None and one.is_referring == (target == one.target)


def _candidates(parent: str, keys: tuple[ForeignKey, ...]) -> Iterator[tuple[Relationship, set[str]]]:
    """Yield each relationship of the parent with the names by which a `select` can mention its target."""
    for key in keys:
        names = {key.name, *(key.columns if len(key.columns) == 1 else ())}
        if key.table == parent:
            pairs = tuple(zip(key.columns, key.target_columns, strict=True))
            kind: Cardinality = "one-to-one" if key.is_one_to_one else "many-to-one"
            known = frozenset({*names, key.target})
            yield (
                Relationship(kind, parent, key.target, pairs, key.name, known, is_referring=True),
                {key.target, *names},
            )
        if key.target == parent:
            pairs = tuple(zip(key.target_columns, key.columns, strict=True))
            kind = "one-to-one" if key.is_one_to_one else "one-to-many"
            known = frozenset({*names, *(key.target_columns if len(key.target_columns) == 1 else ())})
            yield Relationship(kind, parent, key.table, pairs, key.name, known), {key.table, key.name}
            yield from _through(parent, key, keys)


def _through(
    parent: str, near: ForeignKey, keys: tuple[ForeignKey, ...]
) -> Iterator[tuple[Relationship, set[str]]]:
    for far in keys:
        if far.table == near.table and far.name != near.name and near.is_in_key and far.is_in_key:
            yield (
                Relationship(
                    "many-to-many",
                    parent,
                    far.target,
                    tuple(zip(near.target_columns, near.columns, strict=True)),
                    f"{near.name}({', '.join(near.columns)}) and {far.name}({', '.join(far.columns)})",
                    frozenset({near.table, far.name, near.name}),
                    near.table,
                    tuple(zip(far.columns, far.target_columns, strict=True)),
                ),
                {far.target},
            )


def _ambiguous(parent: str, embed: Embed, found: list[Relationship]) -> RestError:
    hints = (one.junction or one.constraint for one in found)
    choices = ", ".join(f"'{embed.target}!{hint}'" for hint in hints)
    return RestError(
        300,
        "PGRST201",
        f"Could not embed because more than one relationship was found for '{parent}' and '{embed.target}'",
        [one.described() for one in found],
        f"Try changing '{embed.target}' to one of the following: {choices}."
        " Find the desired relationship in the 'details' key.",
    )


def _unknown(parent: str, embed: Embed, keys: tuple[ForeignKey, ...], schema: str) -> RestError:
    targets = sorted({one.target for one, _ in _candidates(parent, keys)})
    near = nearest(embed.target, targets)
    using = f" using the hint '{embed.hint}'" if embed.hint is not None else ""
    return RestError(
        400,
        "PGRST200",
        f"Could not find a relationship between '{parent}' and '{embed.target}' in the schema cache",
        f"Searched for a foreign key relationship between '{parent}' and '{embed.target}'{using}"
        f" in the schema '{schema}', but no matches were found.",
        f"Perhaps you meant '{near}' instead of '{embed.target}'." if near else None,
    )
