"""How an embedded resource hangs on its parent, decided from the foreign keys.

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
    """`pairs` are (parent's column, target's column); through a junction, both go to its columns.

    `is_referring`: the foreign key is the parent's.
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
        """Return whether at most one row belongs to each."""
        return self.cardinality in {"many-to-one", "one-to-one"}

    def described(self) -> dict[str, str]:
        """Return the description that PostgREST gives in a refusal."""
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
    """RestError PGRST200 where nothing leads from parent to target, PGRST201 where several ways do."""
    found = [
        one
        for one, answers in _candidates(parent, keys)
        if embed.target in answers and (embed.hint is None or embed.hint in one.names)
    ]
    if embed.hint is None:
        found = [one for one in found if not _is_read_backwards(one, embed.target)]
    if len(found) > 1 and embed.hint is not None:
        # In a table that refers to itself a hint names both directions: the rows that refer to this one.
        found = [one for one in found if not one.is_referring] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous(parent, embed, found)
    raise _unknown(parent, embed, keys, schema)


def _is_read_backwards(one: Relationship, target: str) -> bool:
    """Return whether a table that refers to itself is meant the other way round.

    Its own name stands for the rows that refer to this one; the row that this one refers to goes by the
    name of the column, or of the constraint.
    """
    return one.parent == one.target and one.junction is None and one.is_referring == (target == one.target)


def _candidates(parent: str, keys: tuple[ForeignKey, ...]) -> Iterator[tuple[Relationship, set[str]]]:
    """Every relationship of the parent, with the targets' names that it answers to."""
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
