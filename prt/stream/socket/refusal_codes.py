"""The meaning of a refusal as a code, which is read from the server's text.

Sources: the server's error codes, and recorded handshakes, joins and system messages.
"""

from __future__ import annotations

from typing import Final, Literal

Code = Literal[
    "token_missing",
    "token_malformed",
    "token_expired",
    "token_incomplete",
    "token_foreign",
    "token_refused",
    "unauthorized",
    "private_only",
    "disabled",
    "tenant_unknown",
    "no_realtime",
    "no_websocket",
    "unavailable",
    "realtime_down",
    "project_unreachable",
    "no_db_connections",
    "too_many_requests",
    "too_many_connections",
    "too_many_channels",
    "too_many_joins",
    "too_many_messages",
    "presence_too_often",
    "payload_too_large",
    "unpublished",
    "filter_column",
    "select_column",
    "value",
    "missing_partition",
    "join_interrupted",
    "join_payload",
    "policies_unchecked",
    "changes_late",
    "changes_refused",
    "not_stored",
    "other",
]
"""What a refusal means.

In a handshake the token is the project's key. `filter_column` and `select_column` refuse columns that do not
exist or may not be read; `value` refuses a value that does not fit its column's type. `unavailable` is what
Realtime reports of itself; `realtime_down` is what the gateway reports of Realtime. `changes_late` and
`changes_refused` answer a join that asked the server to wait for its subscription."""

_WORDS: Final[tuple[tuple[str, Code], ...]] = (
    ("Failed to validate JWT signature", "token_foreign"),
    ("not a valid JWT", "token_malformed"),
    ("has expired", "token_expired"),
    ("required in JWT", "token_incomplete"),
    ("API key is missing", "token_missing"),
    ("do not have permissions", "unauthorized"),
    ("disabled for this tenant", "disabled"),
    ("Tenant not found", "tenant_unknown"),
    ("Too many connected users", "too_many_connections"),
    ("Too many joins", "too_many_joins"),
    ("payload_size_exceeded", "payload_too_large"),
    ("message size exceeded", "payload_too_large"),
    ("presence rate limit", "presence_too_often"),
    ("presence messages", "presence_too_often"),
    ("Too many messages", "too_many_messages"),
    ("unable to connect to the project database", "project_unreachable"),
)
_PREFIXES: Final[dict[str, Code]] = {
    "Unauthorized": "unauthorized",
    "PrivateOnly": "private_only",
    "JwtSignatureError": "token_foreign",
    "ChannelRateLimitReached": "too_many_channels",
    "ClientJoinRateLimitReached": "too_many_joins",
    "ConnectionRateLimitReached": "too_many_connections",
    "DatabaseConnectionRateLimitReached": "no_db_connections",
    "DatabaseLackOfConnections": "no_db_connections",
    "IncreaseConnectionPool": "no_db_connections",
    "UnableToConnectToProject": "project_unreachable",
    "RealtimeDisabledForTenant": "disabled",
    "TenantNotFound": "tenant_unknown",
    "MissingPartition": "missing_partition",
    "MusterJoinError": "join_interrupted",
    "InvalidJoinPayload": "join_payload",
    "UnableToSetPolicies": "policies_unchecked",
    "PostgresChangesSubscribeTimeout": "changes_late",
    "RealtimeDisabledForConfiguration": "changes_refused",
    "UnableToPersistMessage": "not_stored",
}
_STATUSES: Final[dict[int, Code]] = {
    401: "token_refused",
    404: "no_realtime",
    429: "too_many_requests",
    502: "realtime_down",
    503: "realtime_down",
    504: "realtime_down",
}
_EXCEPTIONS: Final[tuple[tuple[str, Code], ...]] = (
    ("invalid column for filter ", "filter_column"),
    ("invalid column for select ", "select_column"),
)


RowError = Literal["unauthorized", "no_primary_key", "too_large"]
"""Why a change comes without its row."""

_ROW_ERRORS: Final[tuple[tuple[str, RowError], ...]] = (("401", "unauthorized"), ("400", "no_primary_key"))


_IDS: Final[dict[Code, str]] = {"unpublished": "E-TABLE-UNPUBLISHED", "other": "E-REFUSED-BY-SERVER"}
"""The ids of errors that are not made from the code's own name."""


def error_id(code: Code) -> str:
    """Return the stable id of the error that a refusal with this code becomes, such as `E-TOKEN-EXPIRED`."""
    return _IDS.get(code) or f"E-{code.upper().replace('_', '-')}"


def of_words(text: str) -> Code:
    """Return the code of a refused join, of a `system` error, or of a refused message, from its text."""
    prefix = _PREFIXES.get(text.partition(":")[0])
    if prefix == "not_stored":
        return prefix  # the rest of the text may contain words of other refusals
    found = next((code for words, code in _WORDS if words in text), None)
    return found or prefix or "other"


def of_handshake(status: int, words: str) -> Code:
    """Return the code for a handshake that the server refused with an HTTP status.

    Args:
        status: The HTTP status.
        words: The error message in the answer's body, or an empty text.
    """
    found = next((code for part, code in _WORDS if part in words), None)
    return found or _STATUSES.get(status, "unavailable" if status >= 500 else "no_websocket")


def of_exception(text: str) -> tuple[Code, str | None]:
    """Return the code of a refused binding, with the column or the text that it is about, or None."""
    for words, code in _EXCEPTIONS:
        _, found, column = text.partition(words)
        if found:
            return code, column.strip()
    if "22P02" in text or "invalid input syntax" in text:
        return "value", text.rpartition(") ")[2] or text
    return "other", None


def of_row(errors: list[str]) -> RowError:
    """Return why a change comes without its row, from its `errors`."""
    text = "; ".join(errors)
    return next((code for words, code in _ROW_ERRORS if words in text), "too_large")
