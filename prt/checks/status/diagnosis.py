"""The diagnosis of `prt status`: it examines the layers in order, and stops below one that failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from msgspec import Struct

from prt.checks import delivery
from prt.checks.database import is_installed
from prt.checks.delivery import Delivery, Partitioned
from prt.checks.status.layers import (
    catalog,
    configuration,
    database,
    gateway,
    neighbours,
    network,
    signing,
    tables,
    topics,
    undelivered,
    wire,
)
from prt.checks.status.layers.catalog import Database
from prt.checks.status.layers.evidence import TableFacts
from prt.checks.status.layers.gateway import Answer, Gateway
from prt.checks.status.layers.source_listener import POLICY, Received, SourceListener, listening_to
from prt.config.project import Project
from prt.config.secret import Secret, claims_of, facts_of
from prt.errors import PrtError, RefusedError, UnreachableError, UsageError
from prt.results import LAYERS, Finding, Layer, of_error
from prt.stream.binding import Binding
from prt.stream.live.source import Live
from prt.stream.rest.column_types import unfilterable_of
from prt.stream.rest.session import Endpoint, Session, session_of
from prt.stream.socket.failures import NoAnswerError
from prt.stream.timing import Timing
from prt.stream.topic import TopicSettings

SYSTEM = "system"
"""The channel on which the seed's application watches the state of its connection."""
READS_AT_ONCE = 4
_LEAVES: Final = ("table", "broadcast", "presence", "private")
"""The layers on which no other layer depends."""


class Plan(Struct, frozen=True, kw_only=True):
    """The plan of a diagnosis. `known` are the names of tables from which a misspelt name is corrected."""

    bindings: tuple[Binding, ...] = ()
    known: tuple[str, ...] = ()
    topic: str
    is_private: bool = False
    is_default: bool = False
    """Whether the user named no tables. A table that does not exist is then not a failure."""
    timing: Timing


Report = Callable[[Finding], None]


async def diagnose(project: Project, plan: Plan, report: Report) -> None:
    """Report each layer's findings to `report`, from the top; layers below one that failed count as skipped.

    An exception of `report` ends the diagnosis and is raised here.
    """
    reached: set[Layer] = set()
    failed: list[Layer] = []

    def note(finding: Finding) -> None:
        reached.add(finding.layer)
        if finding.state == "failed" and finding.layer not in _LEAVES:
            failed.append(finding.layer)
        report(finding)

    await _Diagnosis(project, plan, note).run()
    if failed:
        for layer in LAYERS[LAYERS.index(failed[0]) + 1 :]:
            if layer not in reached and _applies(layer, project, plan):
                report(Finding(layer=layer, state="skipped", figure="not reached", is_reached=False))


def _applies(layer: Layer, project: Project, plan: Plan) -> bool:
    if layer == "tls":
        return project.url.startswith("https:")
    return (layer != "sign-in" or project.identity == "user") and (layer != "table" or bool(plan.bindings))


class _Diagnosis:
    """A diagnosis under way. Each step reports its findings, and whether the next step is possible."""

    def __init__(self, project: Project, plan: Plan, report: Report) -> None:
        self._report = report
        self._project = project
        self._plan = plan
        self._key = project.api_key
        self._facts = facts_of(self._key)
        self._health = Answer()
        self._session: Session | None = None
        self._known: tuple[str, ...] = ()
        self._roots: dict[tuple[str, str], Partitioned] = {}

    @property
    def _key_origin(self) -> str:
        name = "server_key" if self._project.identity == "service" else "client_key"
        return self._project.origins.get(name, "the key")

    @property
    def _endpoint(self) -> Endpoint:
        assert self._session is not None  # noqa: S101 - opened by the sign-in
        return self._session.endpoint

    @property
    def _role(self) -> str:
        return configuration.role_of(self._project, self._endpoint.token)

    async def run(self) -> None:
        if not (self._is_configured() and await self._is_reached() and await self._is_answered()):
            return
        async with AsyncExitStack() as stack:
            try:
                self._session = await stack.enter_async_context(session_of(self._project))
            except PrtError as exc:
                self._report(of_error("sign-in", exc, figure="refused"))
                return
            if self._project.identity == "user":
                figure = f"{self._project.email} as {self._role}"
                self._report(Finding(layer="sign-in", state="ok", figure=figure))
            signed = await signing.of_token(self._project, self._endpoint)
            if signed is not None:
                self._report(signed)
            if signed is None or signed.state != "failed":
                await self._signed_in()

    def _is_configured(self) -> bool:
        found = configuration.judge(self._project, time.time())
        for finding in found:
            self._report(finding)
        return all(finding.state != "failed" for finding in found)

    async def _is_reached(self) -> bool:
        url, address = self._project.url, network.address_of(self._project.url)
        answer = await network.resolved(address)
        self._report(network.judge_dns(url, address, answer))
        if answer.error is not None:
            return False
        answer = await network.connected(address)
        self._report(network.judge_tcp(address, answer))
        if answer.error is None and address.scheme == "https" and address.proxy is None:
            answer = await network.encrypted(address)
            is_deaf = answer.error is not None and answer.code is None
            speaks_http = is_deaf and await network.speaks_http(address)
            self._report(network.judge_tls(url, address, answer, time.time(), speaks_http=speaks_http))
        return answer.error is None

    async def _is_answered(self) -> bool:
        url = self._project.url
        async with Gateway(url, self._key.reveal()) as http:
            self._health = await http.health()
        address = network.address_of(url)
        is_odd = self._health.error is not None or self._health.status == 400
        speaks_tls = is_odd and address.scheme == "http" and await network.speaks_tls(address)
        finding = gateway.judge(
            url, self._health, key_origin=self._key_origin, facts=self._facts, speaks_tls=speaks_tls
        )
        self._report(finding)
        return finding.state != "failed"

    async def _signed_in(self) -> None:
        settings = TopicSettings(topic=self._topic, events=(), is_private=self._plan.is_private)
        source = self._live((), settings)
        async with listening_to(source) as listener:
            is_joined = await listener.until(lambda received: received.status == "READY", self._patience)
            for finding in await self._connection(listener):
                self._report(finding)
            if not is_joined:
                return
            await self._database_and_tables()
            await topics.examine(
                self._live,
                self._plan.topic,
                self._report,
                role=self._role,
                is_private=self._plan.is_private,
            )
            self._report(wire.judge_system(listener.received))

    async def _connection(self, listener: SourceListener) -> list[Finding]:
        """Return the findings about the handshake, the heartbeat and the join that were reached."""
        received = listener.received
        shaken = received.milliseconds("connecting", "joining")
        if shaken is None:
            error = received.error or NoAnswerError(self._project.host)
            if wire.is_key_foreign(error):
                unknown = await signing.of_refused_key(self._endpoint, self._key_origin)
                if unknown is not None:
                    return [unknown]
            return [
                wire.judge_handshake(
                    error,
                    host=self._project.host,
                    facts=self._facts,
                    key_origin=self._key_origin,
                    is_bare=gateway.is_bare(self._health),
                    others=await neighbours.answers(self._project, self._endpoint, self._role)
                    if wire.is_realtime_down(error)
                    else "",
                )
            ]
        found = [Finding(layer="handshake", state="ok", milliseconds=shaken)]
        await listener.until(lambda received: received.round_trip_ms is not None, wire.PULSE_SECONDS)
        if received.round_trip_ms is not None or received.error is None:
            found.append(wire.judge_heartbeat(received.round_trip_ms))
        joined = received.milliseconds("joining", "subscribed")
        if received.status == "READY" and joined is not None:
            return [*found, Finding(layer="join", state="ok", figure=f"as {self._role}", milliseconds=joined)]
        return [*found, wire.judge_join("join", received.error, role=self._role, topic=self._topic)]

    async def _database_and_tables(self) -> None:
        bindings = self._plan.bindings
        names = list(dict.fromkeys((binding.schema, binding.table) for binding in bindings))
        read = await self._database(names)
        if not bindings or (read is not None and database.is_unusable(read)):
            return
        found = await unfilterable_of(self._endpoint, bindings)
        for one in found:
            self._report(tables.judge_unfilterable(one))
        refused = [one.binding for one in found]
        bindings = tuple(binding for binding in bindings if binding not in refused)
        if not bindings:
            return
        received = await self._subscribed(bindings, names)
        if "ready" not in received.phases and not received.refused:
            channel = "the tables' channel"
            self._report(wire.judge_join("table", received.error, role=self._role, topic=channel))
            return
        judged = [tables.judge(facts) for facts in await self._table_facts(names, received, read)]
        absent = [found for found in judged if self._plan.is_default and tables.is_missing(found)]
        for finding in (one for found in judged if found not in absent for one in found):
            self._report(finding)
        if absent:
            self._report(tables.judge_default(len(absent), self._known))

    async def _database(self, names: Sequence[tuple[str, str]]) -> Database | None:
        """Read and report the database's state; return None if it can't be read."""
        secret = self._project.database_url
        if secret is None or not is_installed():
            self._report(database.judge_absence(is_configured=secret is not None))
            return None
        claims = claims_of(self._endpoint.token or self._endpoint.key) or {"role": self._role}
        try:
            read = await catalog.read(secret.reveal(), names, role=self._role, claims=claims)
        except (UsageError, UnreachableError, RefusedError) as exc:
            origin = self._project.origins.get("database_url", "SUPABASE_DB_URL")
            self._report(database.judge_failure(exc, origin))
            return None
        for finding in database.judge(read, self._role):
            self._report(finding)
        return read

    async def _subscribed(self, bindings: Sequence[Binding], names: Sequence[tuple[str, str]]) -> Received:
        """Subscribe as `prt watch` does, and return what was received until changes flow."""
        before = await self._delivery(names)
        self._roots = {} if before is None else {(one.schema, one.name): one for one in before.roots}
        topic = self._plan.topic if self._plan.is_private else None
        settings = None if topic is None else TopicSettings(topic=topic, events=(), is_private=True)
        async with listening_to(self._live(bindings, settings)) as listener:
            is_ready = await listener.until(
                lambda received: received.status == "READY", self._patience + len(bindings)
            )
            if is_ready and before is not None:
                finding = await undelivered.examine(
                    listener,
                    lambda: self._delivery(names),
                    before,
                    passes_row_security=self._passes_row_security,
                    is_filtered=any(binding.filter is not None for binding in bindings),
                )
                if finding is not None:
                    self._report(finding)
            return listener.received

    async def _delivery(self, names: Sequence[tuple[str, str]]) -> Delivery | None:
        secret = self._project.database_url
        return None if secret is None else await delivery.read(secret.reveal(), names)

    async def _table_facts(
        self, names: Sequence[tuple[str, str]], received: Received, database: Database | None
    ) -> list[TableFacts]:
        endpoint, server = self._endpoint, self._project.server_key
        slots = asyncio.Semaphore(READS_AT_ONCE)
        async with (
            Gateway(endpoint.url, endpoint.key, endpoint.token) as http,
            Gateway(endpoint.url, (server or self._key).reveal()) as as_server,
        ):
            known = database.others if database is not None else await http.tables()
            self._known, known = known, known or self._plan.known

            async def of(schema: str, table: str, own: tuple[str, str]) -> TableFacts:
                read = counted = None
                if database is None and table != catalog.WILDCARD:
                    async with slots:
                        read = await http.row(schema, table)
                        if server is not None and read.status == 200 and read.json() == []:
                            counted = await as_server.count(schema, table)
                bindings = tuple(one for one in self._plan.bindings if (one.schema, one.table) == own)
                name = f"{own[0]}.{own[1]}"
                refused = tuple(status for status in received.refused if name in (status.tables or ()))
                return TableFacts(
                    schema=schema,
                    table=table,
                    bindings=bindings,
                    role=self._role,
                    passes_row_security=self._passes_row_security
                    or (database is not None and database.server.passes_row_security),
                    is_catalog_read=database is not None,
                    relation=database.relations.get((schema, table)) if database else None,
                    read=read,
                    counted=counted,
                    is_ready="ready" in received.phases and len(refused) < len(bindings),
                    refused=refused,
                    partitioned=self._roots.get((schema, table)),
                    known=known,
                )

            return await asyncio.gather(*(of(*one) for one in catalog.expanded(names, database)))

    @property
    def _passes_row_security(self) -> bool:
        return facts_of(Secret(self._endpoint.token or self._endpoint.key)).is_server_key

    def _live(self, bindings: Sequence[Binding], settings: TopicSettings | None) -> Live:
        assert self._session is not None  # noqa: S101 - opened by the sign-in
        timing = self._plan.timing
        return Live(self._session, bindings, settings=settings, policy=POLICY, timing=timing)

    @property
    def _topic(self) -> str:
        """Return the topic that stays joined: a private one is the plan's, as policies may allow no other."""
        return self._plan.topic if self._plan.is_private else SYSTEM

    @property
    def _patience(self) -> float:
        timing = self._plan.timing
        return timing.up + timing.join
