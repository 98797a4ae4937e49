"""The variables of `prt local env`, with which every client finds the embedded project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from prt.config.sources import register_secrets
from prt.local.project.registry import Entry
from prt.local.seed.people import MEMBER
from prt.local.serving.keys import Keys
from prt.local.serving.signing import SigningKey

TOKEN_SECONDS = 7 * 24 * 3600
"""How long `PRT_TOKEN` is valid: longer than the hour of a sign-in, because nobody refreshes a variable."""

SESSION_ID = "5eed0000-0000-4000-8000-0000000000c3"


def variables(*, url: str, database_url: str, keys: Keys) -> dict[str, str]:
    """Return the variables of a project. All but the URL are secrets, and are registered as such.

    Args:
        url: The URL of the project.
        database_url: The URL of its database.
        keys: Its keys. They sign `PRT_TOKEN`, a session of the seed's member that begins now.
    """
    found = {
        "SUPABASE_URL": url,
        "SUPABASE_ANON_KEY": keys.anon,
        "SUPABASE_PUBLISHABLE_KEY": keys.publishable,
        "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
        "SUPABASE_SECRET_KEY": keys.secret,
        "SUPABASE_DB_URL": database_url,
        "SUPABASE_JWT_SECRET": keys.jwt_secret,
        "PRT_TOKEN": keys.sign(member_claims(), seconds=TOKEN_SECONDS),
    }
    register_secrets(found)
    return found


def keys_of(environment: Mapping[str, str], signing: Sequence[Mapping[str, str]] = ()) -> Keys:
    """Return the keys of a project that another process runs, with which tokens can be signed.

    Args:
        environment: Its variables.
        signing: Its signing keys, as its entry in the registry has them.
    """
    return Keys(
        jwt_secret=environment["SUPABASE_JWT_SECRET"],
        anon=environment["SUPABASE_ANON_KEY"],
        service_role=environment["SUPABASE_SERVICE_ROLE_KEY"],
        publishable=environment["SUPABASE_PUBLISHABLE_KEY"],
        secret=environment["SUPABASE_SECRET_KEY"],
        signing=msgspec.convert(signing, tuple[SigningKey, ...]),
    )


def renewed(entry: Entry) -> dict[str, str]:
    """Return a project's variables with a session that starts now, because it may have been up for weeks."""
    environment = entry.environment
    return variables(
        url=environment["SUPABASE_URL"],
        database_url=environment["SUPABASE_DB_URL"],
        keys=keys_of(environment, entry.signing),
    )


def member_claims() -> dict[str, object]:
    """Return the claims of the seed's member, as Auth's sessions carry them."""
    return {
        "aud": "authenticated",
        "role": "authenticated",
        "sub": MEMBER.id,
        "email": MEMBER.email,
        "session_id": SESSION_ID,
        "aal": "aal1",
        "is_anonymous": False,
    }
