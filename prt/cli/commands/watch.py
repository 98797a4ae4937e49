"""`prt watch`: the live changes of tables and topics."""

# ruff: noqa: PLC0415, PLR0917 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from dataclasses import replace

from prt.cli.options import shared as options
from prt.cli.options.shared import KEPT


def watch(
    tables: options.Tables = None,
    schema: options.Schema = "public",
    event: options.Events = None,
    filter: options.Filters = None,  # noqa: A002 - the option's name
    select: options.Select = None,
    broadcast: options.Broadcasts = None,
    presence: options.PresenceTopics = None,
    private: options.Private = False,
    include: options.Include = None,
    exclude: options.Exclude = None,
    json: options.Json = False,
    output: options.Output = None,
    template: options.Template = None,
    only: options.Only = None,
    highlight: options.Highlight = None,
    view: options.Views = None,
    group_by: options.GroupBy = None,
    columns: options.Columns = None,
    wip: options.Wip = None,
    sort: options.Sort = None,
    plan: options.Plan = None,
    details: options.Details = False,
    once: options.Once = False,
    alert: options.AlertRules = None,
    fail_on_alert: options.FailOnAlert = None,
    bell: options.Bell = False,
    exec_: options.Exec = None,
    metrics: options.MetricsTarget = None,
    canary: options.CanaryTable = None,
    allow_writes: options.AllowWrites = False,
    keep: options.Keep = KEPT,
    edit: options.Edit = False,
    batch: options.Batch = None,
    record: options.Record = None,
    export: options.Export = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
    count: options.Count = None,
    duration: options.Duration = None,
    idle: options.Idle = None,
    timeout: options.Timeout = None,
    agent: options.Agent = False,
    expect: options.Expect = None,
    backfill: options.Backfill = True,
    verify: options.Verify = True,
    snapshot: options.Snapshot = False,
    since: options.Since = None,
    cursor: options.Cursor = None,
    key: options.Key = None,
    replay: options.ReplayOption = None,
    reconnect: options.Reconnect = True,
    max_reconnects: options.MaxReconnects = None,
    wait_for_server: options.WaitForServer = False,
    url: options.Url = None,
    local: options.Local = False,
    as_: options.As = None,
    profile: options.Profile = None,
    debug: options.Debug = False,
) -> int:
    """Show the live changes of tables and topics: a view on a terminal, NDJSON in a pipe.

    Without TABLE, the tables of the profile are watched, or else the group `all`, which is the demo's 30
    tables; with --broadcast or --presence and without TABLE, no table is watched.

    A watch goes on until Ctrl-C unless an option of "When to stop" ends it.

    prt watch productions 'project_tasks:INSERT,UPDATE'

    prt watch project_tasks --filter status=eq.done --select id,title,status

    prt watch --expect 'INSERT notifications' --timeout 60s --json

    prt watch --broadcast document:7=cursor-move --view cursors

    prt watch --metrics 127.0.0.1:9464 --quiet

    prt watch --local --template '{table} {eventType} {new[id]}'
    """
    from prt.app.actions import Actions
    from prt.app.watch import watch as run
    from prt.app.watch_request import WatchRequest
    from prt.cli.options.connection import check_canary, check_edit, connected_project
    from prt.cli.options.outputs import form_of, parse_metrics
    from prt.cli.options.recovery import parse_recovery
    from prt.cli.options.targets import Targets, parse_targets, with_canary
    from prt.cli.options.topics import check_topics_alone, check_views, parse_topics
    from prt.cli.options.views import check_rules, checked_severity, parse_rules, parse_views
    from prt.errors import UsageError
    from prt.events import Alert
    from prt.state.conditions.bounds import parse_bounds
    from prt.state.conditions.expectations import parse_expectations
    from prt.state.conditions.matching import Matching
    from prt.stream.live.supervisor import Policy
    from prt.views.panels.registry import ViewOptions
    from prt.views.sinks.stderr import notice

    def targets_of(words: list[str]) -> Targets:
        return parse_targets(words, schema=schema, events=event or (), filters=filter or (), select=select)

    form = form_of(
        json=json,
        output=output,
        template=template,
        only=only,
        highlight=highlight,
        no_color=no_color,
        batch=batch,
        export=export,
    )
    bounds = parse_bounds(count=count, duration=duration, idle=idle, timeout=timeout, once=once, agent=agent)
    expectations = parse_expectations(expect or ())
    matching = Matching(include or (), exclude or ())
    recovery = parse_recovery(
        backfill=backfill, verify=verify, snapshot=snapshot, since=since, cursor=cursor, keys=key or ()
    )
    policy = Policy(max_reconnects=max_reconnects if reconnect else 0, is_patient=wait_for_server)
    topics = parse_topics(broadcast or (), presence or (), is_private=private, replay=replay)
    if private and not topics:
        raise UsageError("--private is for topics", "add --broadcast TOPIC or --presence TOPIC")
    if topics and not tables:
        check_topics_alone(
            {
                "--event": event,
                "--filter": filter,
                "--select": select,
                "--snapshot": snapshot,
                "--since": since,
            }
        )
    viewing = parse_views(
        view,
        group_by=group_by,
        columns=columns,
        wip=wip or (),
        sort=sort,
        plan=plan,
        details=details,
        wants_rows=snapshot or once,
    )
    check_views(viewing.names, topics)
    measured = parse_metrics(metrics, canary, plan)
    fails_on = checked_severity(fail_on_alert)
    parse_rules(alert or (), viewing)
    targets = Targets([], []) if topics and not tables else targets_of(viewing.words(tables or []))
    with connected_project(url=url, as_=as_, profile=profile, local=local) as project:
        viewing = viewing.given(project.defaults)
        if not tables and not topics:
            own = [] if viewing.brings_tables else list(project.defaults.tables)
            targets = targets_of(viewing.words(own))
        bindings = [*targets.bindings, *viewing.companions(targets.bindings)]
        if measured is not None and measured.canary is not None:
            check_canary(project, is_allowed=allow_writes)
            bindings = with_canary(bindings, measured.canary)
        rules = parse_rules(alert or project.defaults.alerts, viewing)
        check_rules(rules if alert else (), bindings)
        if not quiet:
            for line in (*project.notices, *targets.notices):
                notice(line)
        if edit:
            check_edit(project, is_drawn=form.is_table and not once)
        request = WatchRequest(
            source=project,
            bindings=bindings,
            form=replace(viewing.form(form), keep=keep),
            bounds=bounds,
            expectations=expectations,
            matching=matching,
            recovery=viewing.recovery(recovery, bindings),
            policy=policy,
            views_of=viewing.views_of(ViewOptions(highlight=form.highlight), bindings),
            actions=Actions(
                bell=bell,
                command=exec_,
                wanted=lambda event: type(event) is Alert,
                report=None if form.is_table else notice,
            ),
            topics=topics,
            record=record,
            metrics=measured,
            rules=rules,
            fails_on=fails_on,
            is_once=once,
            is_quiet=quiet,
            can_edit=edit,
        )
        return run(request)
