"""The matrix, third part: what the backfill meets, and what nobody can ask for."""

from __future__ import annotations

from tests.faults.staging import Account, Stage, play

Project = dict[str, str]


def test_a_loss_during_the_backfill_extends_the_gap(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger, proxy, watch = stage.ledger, stage.proxy, stage.watch
        proxy.is_shut = True
        proxy.cut("rst")
        await ledger.insert(5)
        # The first backfill gets no further than its first request.
        proxy.rest_is_held = True
        asked = proxy.requests
        proxy.heal()
        await watch.until_ready(2)
        await proxy.until(lambda proxy: proxy.requests > asked)
        proxy.is_shut = True
        proxy.cut("rst")
        await ledger.insert(5)
        proxy.rest_is_held = False
        proxy.heal()
        await watch.until_ready(3)
        await stage.settle()

    verdict = play(project, script, account, "again")
    assert (verdict.recovered, verdict.declared) == (10, 0)


def test_a_backfill_that_rest_refuses_is_reported(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger, proxy = stage.ledger, stage.proxy
        proxy.is_shut = True
        proxy.cut("rst")
        await ledger.insert(5)
        proxy.rest_answer = (500, '{"message":"no"}')
        proxy.heal()
        await stage.watch.until_ready(2)
        await stage.settle()
        (gap,) = stage.watch.gaps
        assert (gap.recovered, gap.complete) == (0, False)
        assert "500" in gap.cause

    assert play(project, script, account, "rest-refuses").declared == 5


def test_deletes_make_a_gap_incomplete(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger, proxy = stage.ledger, stage.proxy
        keys = await ledger.insert(3)
        await stage.watch.until_seen(*keys)
        proxy.is_shut = True
        proxy.cut("rst")
        await ledger.delete(*keys[:2])
        await ledger.insert(2)
        proxy.heal()
        await stage.watch.until_ready(2)
        await stage.settle()
        (gap,) = stage.watch.gaps
        assert (gap.recovered, gap.complete) == (2, False)
        assert "delete" in gap.cause.lower()

    verdict = play(project, script, account, "deletes")
    assert (verdict.recovered, verdict.declared) == (2, 2)


def test_deletes_are_found_by_the_keys_of_a_snapshot(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger, proxy = stage.ledger, stage.proxy
        # Rows from before the watch come with the snapshot.
        keys = stage.present
        await stage.watch.until(lambda watch: len(set(watch.keys("snapshot"))) == 2 * len(keys))
        proxy.is_shut = True
        proxy.cut("rst")
        await ledger.delete(*keys[:2])
        await ledger.update(keys[2])
        await ledger.insert(2)
        proxy.heal()
        await stage.watch.until_ready(2)
        await stage.settle()
        (gap,) = stage.watch.gaps
        assert gap.complete, gap.cause
        deleted = [change for change in stage.watch.changes if change.event_type == "DELETE"]
        assert [(change.source, change.old_row()["id"]) for change in deleted] == [
            ("backfill", key) for key in keys[:2]
        ]

    verdict = play(project, script, account, "deletes-snapshot", present=5, keeps_snapshot=True)
    assert (verdict.recovered, verdict.declared) == (5, 0)


def test_a_transaction_from_before_the_gap_is_found_by_the_overlap(
    project: Project, account: Account
) -> None:
    async def script(stage: Stage) -> None:
        ledger, proxy = stage.ledger, stage.proxy
        keys = await ledger.insert(3)
        await stage.watch.until_seen(*keys)
        proxy.is_shut = True
        proxy.cut("rst")
        await ledger.update(*keys, age=3)
        proxy.heal()
        await stage.watch.until_ready(2)
        await stage.settle()

    verdict = play(project, script, account, "transaction")
    assert (verdict.recovered, verdict.declared) == (3, 0)
