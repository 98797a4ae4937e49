from __future__ import annotations

from prt.events import TableVerification, Verified, VerifiedScope
from prt.state.figures.verification import Verification

SECOND = 1_000_000


def verified(table: str, at: int | None, scope: VerifiedScope = "all", reason: str | None = None) -> Verified:
    return Verified(at=99 * SECOND, table=table, verified_at=at, scope=scope, reason=reason)


def test_the_last_word_on_each_table_counts() -> None:
    verification = Verification()
    for event in (
        verified("public.b", 10 * SECOND),
        verified("public.a", 30 * SECOND),
        verified("public.b", 20 * SECOND, "inserts", "an UPDATE left it as it was"),
        verified("public.c", None, "none", "no index on `updated_at`"),
    ):
        verification.apply(event)
    assert [one.table for one in verification.verified] == ["public.b", "public.a"]
    assert [one.table for one in verification.limited] == ["public.b", "public.c"]
    assert verification.ages(32_500_000) == {
        "public.a": TableVerification(age_seconds=2.5, scope="all"),
        "public.b": TableVerification(
            age_seconds=12.5, scope="inserts", reason="an UPDATE left it as it was"
        ),
        "public.c": TableVerification(age_seconds=None, scope="none", reason="no index on `updated_at`"),
    }


def test_an_age_is_never_negative() -> None:
    verification = Verification()
    verification.apply(verified("public.a", 30 * SECOND))
    assert verification.ages(29 * SECOND)["public.a"].age_seconds == 0


def test_a_table_without_any_verification_leaves_the_gaps_in_doubt() -> None:
    verification = Verification()
    assert not verification.has_unverified
    verification.apply(verified("public.a", 10 * SECOND))
    assert not verification.has_unverified
    verification.apply(verified("public.b", None, "none", "no column dates its rows"))
    assert verification.has_unverified
