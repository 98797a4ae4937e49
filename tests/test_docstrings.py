"""What a machine can judge of docstrings and messages: that they are there, and how they begin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest

from tests.test_architecture import Module, hold, modules, texts

NO_BEGINNING: Final = re.compile(
    r"(About|Above|Across|After|Against|Along|Among|Around|As|At|Before|Behind|Below|Beside|Between|Beyond|By"
    r"|Down|During|For|From|In|Inside|Into|Like|Near|Of|Off|On|Onto|Out|Over|Since|Through|To|Toward|Under"
    r"|Until|Up|Upon|With|Within|Without|Whose|Where|What)\b|[a-z]"
)
"""Prepositions, pronouns and lower-case words, with which a fragment begins."""

MESSAGE: Final = re.compile(r"knows no|has none|\b(?<!there )is no (?!longer\b)", re.IGNORECASE)
"""How no message is worded: "X is no Y" is "X is not a Y", "X knows no Y" is "unknown Y"."""

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Definition(NamedTuple):
    """A module, class or function; `is_public` if neither its name nor that of its class begins with `_`."""

    name: str
    node: Documented
    is_public: bool


def definitions(module: Module) -> Iterator[Definition]:
    """Yield a module with its classes, functions and methods, but no function that stands in another."""
    yield Definition(module.name, module.tree, True)
    yield from _within(module.tree, module.name, is_public=True)


def _within(node: ast.AST, name: str, *, is_public: bool) -> Iterator[Definition]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            own = Definition(f"{name}.{child.name}", child, is_public and not child.name.startswith("_"))
            yield own
            if isinstance(child, ast.ClassDef):
                yield from _within(child, own.name, is_public=own.is_public)
        elif isinstance(child, ast.If | ast.Try | ast.With):
            yield from _within(child, name, is_public=is_public)


def is_overload(node: Documented) -> bool:
    """Return whether a function is only a signature of the one that follows it, which has the docstring."""
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(each) in {"overload", "typing.overload"} for each in decorators)


def faults(definition: Definition) -> Iterator[str]:
    """Yield what is wrong with a docstring, one sentence each."""
    text = ast.get_docstring(definition.node)
    if not text:
        if definition.is_public and not is_overload(definition.node):
            yield f"{definition.name} has no docstring"
        return
    if NO_BEGINNING.match(text):
        yield f"{definition.name} begins as no sentence does: {text.splitlines()[0]}"


@pytest.mark.parametrize("package", sorted({module.package for module in modules().values()}))
def test_docstrings_are_there_and_begin_as_sentences(package: str) -> None:
    written = [module for module in modules().values() if module.package == package]
    hold(fault for module in written for definition in definitions(module) for fault in faults(definition))


def test_messages_are_worded_plainly() -> None:
    hold(
        f"{module.name}: {text}"
        for module in modules().values()
        for text in texts(module)
        if MESSAGE.search(text)
    )
