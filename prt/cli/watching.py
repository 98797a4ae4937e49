"""From what is to be watched to an exit code: the way that every watching command shares."""

# ruff: noqa: PLC0415 - imports cost where they are used

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from prt.cli import options

if TYPE_CHECKING:
    from prt.cli.acting import Actions
    from prt.cli.outputs import Form
    from prt.cli.recovering import Recovering
    from prt.config import Project
    from prt.state.bounds import Bounds
    from prt.state.expectations import Expectations
    from prt.state.matching import Matching
    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.session import Endpoint
    from prt.stream.supervisor import Policy
    from prt.views.view import View


def watched(
    project: Project,
    bindings: Sequence[Binding] | Callable[[Endpoint], Sequence[Binding]],
    *,
    form: Form,
    bounds: Bounds,
    expectations: Expectations,
    matching: Matching,
    recovering: Recovering | None = None,
    policy: Policy | None = None,
    views_of: Callable[[Screen], Sequence[View]] | None = None,
    actions: Actions | None = None,
    is_quiet: bool = False,
) -> int:
    """Watches until a bound is met; the exit code. `views_of` makes what is drawn. Raises PrtError.

    `bindings` may wait for the session that tells who we are.
    """
    import asyncio
    from contextlib import nullcontext

    from prt.cli.following import Ending, follow
    from prt.cli.outputs import opened
    from prt.cli.recovering import Recovering
    from prt.cli.stderr import notice
    from prt.cli.telling import Teller
    from prt.state.bounds import Progress
    from prt.stream.recovery import Recovery
    from prt.stream.rest import Rest
    from prt.stream.session import session_of
    from prt.stream.source import Live

    is_view = form.kind is options.OutputForm.TABLE
    missed = recovering or Recovering()
    tell = None if is_view or is_quiet else Teller()

    async def main() -> Ending:
        started = asyncio.get_running_loop().time()
        async with session_of(project) as session, Rest(lambda: session.endpoint) as rest:
            wanted = bindings(session.endpoint) if callable(bindings) else bindings
            keys = missed.keys_of(wanted)
            recovery = Recovery(
                rest,
                wanted,
                is_backfilling=missed.backfill,
                keeps_snapshot=missed.snapshot,
                since=missed.since,
                cursor=missed.cursor,
                keys=keys,
            )
            source = Live(session, wanted, policy=policy, recovery=recovery)
            notes = actions.notes if actions else ()
            async with actions or nullcontext():
                with opened(form, project.host, keys, views_of, notes) as output:
                    progress = Progress(bounds, expectations, started=started)
                    acting = actions.around(output) if actions else output
                    ending = await follow(source, acting, progress, matching, tell)
                if actions and ending.end.reason != "signal":
                    await actions.finish()
            return ending

    ending = asyncio.run(main())
    if ending.end.reason == "signal" and not is_view:
        notice(f"stopped after {ending.end.events} events")
    if actions and is_view:
        for note in actions.notes:
            notice(note)
    for missing in expectations.missing():
        notice(str(missing))
    if ending.error is not None:
        raise ending.error
    return ending.end.exit_code
