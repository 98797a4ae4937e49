"""The list of commands, and the function that runs one of them.

The module of a command is imported when it's run, so that `prt --help` takes no longer than Typer itself.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer
import typer.core
import typer.main

from prt import __version__
from prt.cli.failure import asks_for_agent, asks_for_traceback, report, silence_stdout
from prt.cli.help import with_plain_help
from prt.cli.options.names import OPTIONS
from prt.cli.unexpected import guard
from prt.config.terminal import serving_agent
from prt.errors import OutputError, ReaderGoneError, UsageError
from prt.inputs import named
from prt.signals import INTERRUPTED, exit_on_signals
from prt.stream.socket import sdk_log
from prt.suggestions import nearest
from prt.views.sinks.stderr import complain

ABOUT: Final = "Watch, test and trust Supabase Realtime from a terminal."
HELP: Final = "Show this message; after a command, show its options."


class Entry(NamedTuple):
    """A command: its name, the path of its function or group as `module:name`, and its line in the help."""

    name: str
    target: str
    line: str


COMMANDS: Final = (
    Entry("watch", "watch:watch", "Show live changes of tables and topics."),
    Entry("presence", "presence:presence", "Show who is online on a topic."),
    Entry("notify", "notify:app", "Show a user's notifications; send one, mark them as read."),
    Entry("test", "test:run_tests", "Test a project's realtime, for people and for CI."),
    Entry("audit", "audit:audit", "Account for every committed change: arrived, hidden, late, lost."),
    Entry("status", "status:status", "Find what is wrong with a project's realtime, and what mends it."),
    Entry("send", "send:send", "Send a broadcast over the socket or over HTTP."),
    Entry("update", "update:update", "Write a row and wait for the change to come back."),
    Entry("replay", "replay:replay", "Play a recording through the views and outputs of prt watch."),
    Entry("tap", "tap:tap", "Forward your own app's traffic, and name what it does wrong."),
    Entry("local", "local:app", "Run an embedded Supabase: up, run, env, status, stop and more."),
    Entry("demo", "demo:demo", "Show prt at work: an embedded project, its changes, a live view."),
    Entry("init", "init:init", "Write a profile of your project into prt.toml."),
    Entry("config", "config:config", "Show the settings in force, and where each came from."),
    Entry("help", "help:show_help", "Show a page of the manual, a command's help, or an error's."),
    Entry("skill", "skill:skill", "Print what an agent needs to know to use prt."),
    Entry("schema", "schema:schema", "Print the JSON Schema of the NDJSON lines."),
    Entry("completion", "completion:completion", "Print a shell's completion script."),
)

BEGINNING: Final = (
    ("Nothing to set up:", (("prt demo", "Show an embedded Supabase at work, in a live view."),)),
    (
        "Your project (set SUPABASE_URL and SUPABASE_ANON_KEY, or run `prt init`):",
        (
            ("prt watch", "Show its changes live."),
            ("prt status", "Find what is wrong with its realtime."),
            ("prt test", "Test its realtime, with an exit code for CI."),
        ),
    ),
    (
        "Your own tests, against an embedded project that ends with them:",
        (("prt local run -- pytest", "Run them against a real PostgreSQL, without Docker."),),
    ),
)


@contextmanager
def _pipe_guarded() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as exc:
        raise ReaderGoneError from exc


class Commands(typer.core.TyperGroup):
    """The group of all commands.

    A command's module is imported when it's run or completed, but not to list it.
    """

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names of the commands in the order of the help."""
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """Return a command; None if there is no such command."""
        entry = next((entry for entry in COMMANDS if entry.name == cmd_name), None)
        return None if entry is None else _load(entry)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first argument names.

        Raises:
            UsageError: There is no such command; the hint has the nearest name.
        """
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            near = nearest(args[0], names)
            raise UsageError(
                f"no command {args[0]}", f"did you mean `prt {near}`?" if near else "see `prt --help`"
            )
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments.

        Raises:
            ReaderGoneError: The reader of the output has gone.
        """
        with _pipe_guarded():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            ReaderGoneError: The reader of the output has gone.
        """
        with _pipe_guarded():
            return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands as plain text in 24 lines, which fit on a screen.

        Rich isn't used, because its import would take longer than everything else.
        """
        formatter.write_text(ABOUT)
        # A section would begin with an empty line, but there are only 24 lines.
        formatter.write_heading("Commands")
        formatter.indent()
        formatter.write_dl([(entry.name, entry.line) for entry in COMMANDS])
        formatter.dedent()
        with formatter.section("Options"):
            records = [record for one in self.get_params(ctx) if (record := one.get_help_record(ctx))]
            formatter.write_dl([*records[:-1], (records[-1][0], HELP)])


def _load(entry: Entry) -> Any:
    module_name, _, name = entry.target.partition(":")
    found = getattr(import_module(f"prt.cli.commands.{module_name}"), name)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_command(found)
    else:
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(entry.name, context_settings=CONTEXT)(found)
        command = typer.main.get_command(alone)
    command.name = entry.name
    return with_plain_help(command)


CONTEXT: Final = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(cls=Commands, add_completion=False, context_settings=CONTEXT, invoke_without_command=True)


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version  # noqa: PLC0415 - it takes 20 ms, and only this option needs it

        typer.echo(f"prt {__version__} (realtime {version('realtime')}, supabase {version('supabase')})")
        raise typer.Exit


@app.callback(help=ABOUT)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the versions."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", hidden=True, help="Show a traceback if something fails.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(ABOUT)
        width = max(len(command) for _, commands in BEGINNING for command, _ in commands)
        for heading, commands in BEGINNING:
            typer.echo(f"\n{heading}")
            for command, line in commands:
                typer.echo(f"  {command:{width}}  {line}")
        typer.echo("\nAll commands: prt --help; all options of one: prt COMMAND --help")


def main(*, heeds_interrupts: bool = False) -> None:
    """Run the `prt` command, and exit.

    Args:
        heeds_interrupts: Whether Ctrl-C unwinds the stack from now on; so far it has ended the process at
            once.
    """
    guard(is_debug=asks_for_traceback(sys.argv[1:]))
    sys.exit(run(sys.argv[1:], heeds_interrupts=heeds_interrupts))


def run(arguments: Sequence[str], *, heeds_interrupts: bool = False) -> int:
    """Run a command, report its error on standard error, and return the exit code."""
    exit_on_signals()
    sdk_log.silence()
    with named(OPTIONS), serving_agent(asks_for_agent(arguments)):
        try:
            if heeds_interrupts:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            code = _exit_code(list(arguments))
        except KeyboardInterrupt:
            code = INTERRUPTED
        return _flush_stdout(code)


_PATHS: Final = (
    "--record",
    "--export",
    "--metrics",
    "--bundle",
    "--junit",
    "--report",
    "--data-dir",
    "--migrations",
)
"""The options whose value is a path, which can have any bytes."""


def _require_utf8(arguments: list[str]) -> None:
    """Check that the arguments are UTF-8, except paths and the arguments of another program.

    PostgreSQL, JSON and URLs can't have other texts.

    Raises:
        UsageError: An argument is not UTF-8.
    """
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for before, argument in zip(("", *own), own, strict=False):
        is_path = before in _PATHS or argument.startswith(("@", *(f"{name}=" for name in _PATHS)))
        if not is_path and own[0] != "replay" and any("\ud800" <= one <= "\udfff" for one in argument):
            raise UsageError(f"an argument is not UTF-8: {argument}", "write it in UTF-8")


def _exit_code(arguments: list[str]) -> int:
    try:
        _require_utf8(arguments)
        result = typer.main.get_command(app).main(arguments, prog_name="prt", standalone_mode=False)
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except KeyboardInterrupt:
        raise
    except BaseException as exc:
        return report(exc, arguments)
    return result if isinstance(result, int) else 0


def _flush_stdout(code: int) -> int:
    """Write what is still buffered, so that a failure can be reported. Return the exit code."""
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
    except OSError as exc:
        silence_stdout()
        complain(OutputError(exc).message, None)
        return code or 1
    return code
