"""`prt send`: broadcasts to a topic, over the socket or over HTTP."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from typing import Annotated, Final

import typer

from prt.cli.options import shared as options

SENDING: Final = "Sending"

Http = Annotated[
    bool,
    typer.Option(
        "--http",
        help="Send over HTTP instead of a websocket, which needs no right to read a private topic.",
        rich_help_panel=SENDING,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="N",
        help="Send at most N messages per second. [default: no limit]",
        rich_help_panel=SENDING,
    ),
]
Repeat = Annotated[
    int,
    typer.Option("--repeat", metavar="N", min=1, help="Send the message N times.", rich_help_panel=SENDING),
]
Answer = Annotated[
    str,
    typer.Option(
        "--timeout",
        metavar="TIME",
        help="Exit with 1 if the server does not acknowledge a message within TIME (5s, 1m).",
        rich_help_panel=SENDING,
    ),
]
Persist = Annotated[
    bool,
    typer.Option(
        "--persist",
        help="Ask the server to store the messages for clients that join later; needs --private.",
        rich_help_panel=SENDING,
    ),
]
Ttl = Annotated[
    str | None,
    typer.Option(
        "--ttl",
        metavar="TIME",
        help="Let the server delete the stored messages after TIME (10m, 2h); needs --persist.",
        rich_help_panel=SENDING,
        show_default=False,
    ),
]
Results = Annotated[
    bool,
    typer.Option(
        "--json",
        help=(
            "Write a JSON line for each message: whether it was acknowledged, and after how many "
            "milliseconds."
        ),
        rich_help_panel=options.OUTPUT,
    ),
]


def send(
    topic: Annotated[
        str,
        typer.Argument(metavar="TOPIC", help="The topic to send to, such as document:7.", show_default=False),
    ],
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT", help="The name of the event, such as cursor-move.", show_default=False
        ),
    ],
    payload: Annotated[
        str,
        typer.Argument(
            metavar="PAYLOAD",
            help=(
                "The message: JSON, @FILE to read it from FILE, or - to send one message for each "
                "line of standard input."
            ),
        ),
    ] = "{}",
    private: options.Private = False,
    http: Http = False,
    rate: Rate = None,
    repeat: Repeat = 1,
    persist: Persist = False,
    ttl: Ttl = None,
    timeout: Answer = "5s",
    json: Results = False,
    quiet: options.Quiet = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Send a broadcast, such as a cursor move.

    Over a websocket the server acknowledges each message. If no policy permits you to send to a private
    topic, the server does not answer, and the exit code is 1.

    prt send document:7 cursor-move '{"position": {"x": 1, "y": 2}}'

    prt send document:7 cursor-move - --rate 60 < moves.ndjson

    prt send room:1 cue '{"go": 12}' --http

    prt send room:1 cue '{"go": 12}' --private --persist --ttl 10m
    """
    from prt.app.send import SendRequest
    from prt.app.send import send as run
    from prt.cli.options.connection import connected_project
    from prt.cli.options.payloads import payloads_of
    from prt.cli.options.topics import topic_of
    from prt.errors import UsageError
    from prt.state.conditions.bounds import parse_duration
    from prt.views.sinks.stderr import notice

    topic = topic_of(topic, "TOPIC")
    if not event.strip():
        raise UsageError("EVENT is empty", "prt send document:7 cursor-move")
    if rate is not None and not rate > 0:
        raise UsageError("--rate must be more than 0", "messages a second")
    if persist and not private:
        raise UsageError("--persist needs --private", "only messages to private topics are stored")
    if ttl is not None and not persist:
        raise UsageError("--ttl needs --persist", "without it nothing is stored")
    stored = persist if ttl is None else {"ttl": max(1, round(parse_duration(ttl, "--ttl")))}
    payloads = payloads_of(payload, repeat=repeat, is_object=http)
    seconds = parse_duration(timeout, "--timeout")
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        if not quiet:
            for line in project.notices:
                notice(line)
        request = SendRequest(
            project=project,
            topic=topic,
            event=event,
            payloads=payloads,
            is_private=private,
            is_http=http,
            persist=stored,
            seconds=seconds,
            interval=0.0 if rate is None else 1 / rate,
            is_json=json,
            is_quiet=quiet,
        )
        return run(request)
