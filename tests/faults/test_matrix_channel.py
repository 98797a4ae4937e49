"""The matrix, second part: channels, tokens, publications."""

from __future__ import annotations

import time

from prt.local.serving.keys import Keys
from prt.stream.rest.session import Endpoint, Session
from tests.faults.staging import Account, Stage, play
from tests.faults.watching import hurried

Project = dict[str, str]


def test_a_stale_close_of_a_former_join_is_none(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.send("phx_close", {}, join_ref="99")
        await stage.settle(gaps=0)
        assert len(stage.watch.statuses("READY")) == stage.proxy.connections == 1

    verdict = play(project, script, account, "stale-phx-close")
    assert verdict.delivered == verdict.writes == 5


LIFE_SECONDS = 4
"""Of a token that expires while a watch goes on: READY has to come before."""


class Tokens:
    """As a project's Auth signs them: for these seconds, one after the other, the last one again."""

    def __init__(self, project: Project, *seconds: float) -> None:
        secret = project["SUPABASE_JWT_SECRET"]
        self._keys = Keys(jwt_secret=secret, anon="", service_role="", publishable="", secret="")
        self._key = project["SUPABASE_ANON_KEY"]
        self._lives = list(seconds)
        self.renewals = 0

    def session(self, url: str, *, is_renewable: bool = True) -> Session:
        async def renew() -> Endpoint:
            self.renewals += 1
            return self._endpoint(url)

        return Session(self._endpoint(url), renew if is_renewable else None)

    def _endpoint(self, url: str) -> Endpoint:
        life = self._lives.pop(0) if len(self._lives) > 1 else self._lives[0]
        claims = {"role": "anon", "aud": "authenticated", "turn": self.renewals}
        return Endpoint(url=url, key=self._key, token=self._keys.sign(claims, seconds=life))


def test_a_token_that_nobody_can_renew_is_announced_and_ends_the_watch(
    project: Project, account: Account
) -> None:
    tokens = Tokens(project, LIFE_SECONDS)

    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.watch.until_ended()
        assert stage.watch.error is not None
        assert stage.watch.error.exit_code == 3
        reasons = [status.reason or "" for status in stage.watch.statuses("READY")]
        assert any("can't be renewed" in reason for reason in reasons)

    verdict = play(
        project,
        script,
        account,
        "token-expired",
        session_at=lambda url: tokens.session(url, is_renewable=False),
    )
    assert verdict.delivered > 4, "the first rows, and some of the traffic"


def test_a_renewed_token_costs_nothing(project: Project, account: Account) -> None:
    tokens = Tokens(project, LIFE_SECONDS, 3600)

    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            while not tokens.renewals:
                await stage.ledger.until_more(10)
            # Past the first one's end.
            end = time.time() + LIFE_SECONDS
            while time.time() < end:
                await stage.ledger.until_more(10)
        await stage.settle(gaps=0)
        assert stage.proxy.joins == 1

    verdict = play(project, script, account, "token-renewed", session_at=tokens.session)
    assert (verdict.delivered, verdict.gaps) == (verdict.writes, 0)


def test_a_token_that_expired_while_the_link_was_down_is_renewed(project: Project, account: Account) -> None:
    # The second one, too, is dead when it comes: a join with it is refused.
    tokens = Tokens(project, 3600, -10, 3600)

    async def script(stage: Stage) -> None:
        session = stage.session
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            stage.proxy.is_shut = True
            stage.proxy.cut("rst")
            await stage.ledger.until_more(20)
            await session.renew()
            stage.proxy.heal()
            await stage.watch.until_ready(2)
        await stage.settle()
        assert tokens.renewals == 2

    assert play(project, script, account, "token-late", session_at=tokens.session).recovered >= 20


def test_a_server_that_subscribes_anew_by_itself_was_deaf(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger, proxy = stage.ledger, stage.proxy
        # What a real server does within a minute of a migration: its subscriptions are gone, then anew.
        await ledger.execute("alter publication supabase_realtime drop table {table}, {other}")
        await ledger.insert(3)
        await ledger.insert(2, table=1)
        await ledger.execute("alter publication supabase_realtime add table {table}, {other}")
        proxy.system("Subscribed to PostgreSQL", "ok")
        await stage.settle()
        assert proxy.joins == 1

    verdict = play(project, script, account, "publication")
    assert (verdict.recovered, verdict.declared, verdict.gaps) == (5, 0, 1)


def test_changes_in_flight_behind_an_answered_heartbeat_are_missed_and_found(
    project: Project, account: Account
) -> None:
    async def script(stage: Stage) -> None:
        ledger, proxy = stage.ledger, stage.proxy
        # A polling server answers heartbeats while changes still wait in it.
        proxy.drop_changes()
        await ledger.insert(3)
        answered = proxy.heartbeats
        await proxy.until(lambda proxy: proxy.heartbeats >= answered + 2)
        proxy.cut("rst")
        await stage.watch.until_ready(2)
        await stage.settle()

    verdict = play(project, script, account, "in-flight", timing=hurried(heartbeat=0.25))
    assert (verdict.recovered, verdict.declared) == (3, 0)
