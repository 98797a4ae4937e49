"""The shape of `prt`, read from its imports and definitions.

The tests hold what may import what, and how much may stand in one place.

The rules are described in the manual's page `architecture`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "prt"

LAYERS = (
    ("pytest_plugin",),
    ("cli",),
    ("app",),
    ("checks",),
    ("views",),
    ("state",),
    ("tap",),
    ("stream", "local"),
    ("postgres",),
    ("manual",),
    ("config",),
    ("results",),
    ("events", "errors", "inputs", "clock", "suggestions", "processes", "signals"),
    ("redaction", "quoting", "decoding"),
)
"""The packages from top to bottom: imports point only down this list.

The packages of one line never import each other.
"""

MODULES = 15
MODULES_OF_A_LIST = 30
LISTS = {"prt/cli/commands", "prt/views/panels", "prt/checks/test/suites"}
"""Folders with one module for each item of a list that users see."""

LINES = 60
PARAMETERS = 8

ONLY_IN = {
    "supabase": ("stream",),
    "supabase_auth": ("stream",),
    "realtime": ("stream",),
    "rich": ("views", "cli"),
}
"""The packages of `prt` that may import a library."""

OPTION = re.compile(r"(?<![\w-])--[a-z]")
"""The name of an option in a text."""

ARGUMENTS = {
    "prt.local.postgres.cluster",
    "prt.local.postgres.programs",
    "prt.local.postgres.server",
    "prt.local.postgres.watchdog",
}
"""Modules that start PostgreSQL's programs: a text that begins with `--` is an argument of theirs."""

STYLESHEETS = {"prt.checks.test.reports.charts", "prt.checks.test.reports.html"}
"""Modules with CSS, in which a custom property is `--NAME:` or `var(--NAME)`."""

CUSTOM_PROPERTY = re.compile(r"var\(--[a-z]+\)|--[a-z]+:")

HEAVY = ("supabase", "realtime", "httpx", "psycopg", "starlette", "uvicorn", "prometheus_client")
"""Libraries that no help may wait for."""


class Module(NamedTuple):
    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package directly below `prt`, or the module itself where it stands there."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imported(module: Module) -> Iterator[str]:
    """Yield the name of every module that `module` imports anywhere, for type checking too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else node.module


def own_imports(module: Module) -> set[str]:
    return {name for name in imported(module) if name.split(".")[0] == "prt"}


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def hold(broken: Iterable[str]) -> None:
    """Fail on whatever breaks a rule."""
    assert sorted(broken) == []


def test_imports_point_down() -> None:
    place = {name: level for level, names in enumerate(LAYERS) for name in names}
    upward = [
        f"{module.name} imports {name}"
        for module in modules().values()
        if module.package and module.package != "__main__"
        for name in sorted(own_imports(module))
        if (package := [*name.split("."), ""][1]) and package != module.package
        if place[package] <= place[module.package]
    ]
    hold(upward)


def test_nothing_is_imported_in_a_circle() -> None:
    graph = {name: own_imports(module) - {name} for name, module in modules().items()}
    hold(f"{group[0]} and {len(group) - 1} more" for group in circles(graph))


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph.get(name, ()):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        for name in graph:
            if name not in index:
                visit(name)
    finally:
        sys.setrecursionlimit(limit)
    return found


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    elsewhere = [
        module.name
        for module in modules().values()
        if module.package not in ONLY_IN[library]
        and any(name.split(".")[0] == library for name in imported(module))
    ]
    hold(elsewhere)


def test_only_config_reads_the_environment() -> None:
    readers = [
        module.name
        for module in modules().values()
        if module.package not in {"config", "pytest_plugin"}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv", "environb"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    hold(readers)


def test_one_module_decides_whether_a_person_sits_at_a_terminal() -> None:
    """An agent has a terminal, too, and wants neither colours nor questions."""
    askers = [
        module.name
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "isatty"
    ]
    assert askers == ["prt.config.terminal"]


def test_only_the_command_line_knows_the_names_of_options() -> None:
    """The packages below it name what was given as an `Input`.

    Commands, the manual and the pytest plugin, which runs commands, may name options.
    """
    named: dict[str, int] = defaultdict(int)
    for module in modules().values():
        if module.package in {"cli", "manual", "pytest_plugin"}:
            continue
        for text in texts(module):
            if module.name in ARGUMENTS and text.startswith("--"):
                continue
            if module.name in STYLESHEETS:
                text = CUSTOM_PROPERTY.sub("", text)  # noqa: PLW2901 - what is left of it
            named[module.name] += len(OPTION.findall(text))
    hold((f"{name}: {count}" for name, count in named.items() if count))


def texts(module: Module) -> Iterator[str]:
    """Yield the constant texts of a module, those in f-strings too, without docstrings."""
    described = {
        id(node.value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield node.value


def test_an_input_is_named_when_its_sentence_is_made() -> None:
    """A constant of a module would keep the name that was in force when the module was imported."""
    early = [
        f"{module.name}:{node.lineno}"
        for module in modules().values()
        for node in outside_functions(module.tree)
        if isinstance(node, ast.FormattedValue)
        and isinstance(node.value, ast.Attribute)
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id == "Input"
    ]
    hold(early)


def outside_functions(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that are evaluated when a module is imported."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.expr):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from outside_functions(child)


def test_no_folder_holds_more_modules_than_a_reader_can_survey() -> None:
    held: dict[str, int] = defaultdict(int)
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py":
            held[path.parent.relative_to(ROOT).as_posix()] += 1
    crowded = {
        folder: count
        for folder, count in held.items()
        if count > (MODULES_OF_A_LIST if folder in LISTS else MODULES)
    }
    hold((f"{folder}: {count}" for folder, count in crowded.items()))


def test_every_package_documents_what_belongs_there() -> None:
    silent = [
        module.name
        for module in modules().values()
        if module.path.name == "__init__.py" and not (ast.get_docstring(module.tree) or "").strip()
    ]
    hold(silent)


def test_every_function_fits_a_screen() -> None:
    long = [
        f"{module.name}.{function.name}: {function.end_lineno - function.lineno + 1} lines"
        for module in modules().values()
        if not module.name.startswith("prt.cli.commands")
        for function in functions(module)
        if function.end_lineno is not None and function.end_lineno - function.lineno + 1 > LINES
    ]
    hold(long)


def test_no_function_takes_more_parameters_than_one_can_hold() -> None:
    wide = [
        f"{module.name}.{function.name}: {count}"
        for module in modules().values()
        for function in functions(module)
        if not module.name.startswith("prt.cli.commands")
        if (count := parameters(function)) > PARAMETERS
    ]
    hold(wide)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([arg for arg in named if arg.arg not in {"self", "cls"}])


@pytest.mark.parametrize(
    ("name", "owner"), [("get_close_matches", "prt.suggestions"), ("time_ns", "prt.clock")]
)
def test_there_is_one_clock_and_one_nearest_word(name: str, owner: str) -> None:
    users = [
        module.name
        for module in modules().values()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr == name)
        or (isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names))
    ]
    # A reference that is unique needs more than µs.
    assert {*users} - {"prt.local.realtime.channels.presence"} == {owner}


def test_no_import_changes_a_logger() -> None:
    changed = [
        module.name
        for module in modules().values()
        for node in at_import(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"addHandler", "addFilter", "setLevel", "propagate", "disabled"}
    ]
    hold(changed)


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when a module is imported: all but the insides of functions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from at_import(node)


def test_help_loads_no_library_that_takes_time() -> None:
    script = (
        "import sys; sys.argv = ['prt', '--help']; from prt.cli.entry import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"
