"""`prt local`: the commands for the embedded Supabase. Each command imports what it needs when it runs."""

from __future__ import annotations

import typer

from prt.cli.commands import local_project as local_running
from prt.cli.commands import local_up as local_start
from prt.cli.commands.local_migrations import MigratingCommand

app = typer.Typer(
    help="Run an embedded Supabase: a real PostgreSQL, Realtime, REST and Auth on one port of 127.0.0.1.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up", cls=MigratingCommand)(local_start.up)
app.command("run", cls=MigratingCommand, context_settings={"allow_interspersed_args": False})(local_start.run)
app.command("status")(local_running.status)
app.command("env")(local_running.env)
app.command("token")(local_running.token)
app.command("traffic")(local_running.traffic)
app.command("reset")(local_running.reset)
app.command("stop")(local_running.stop)
