"""Audited changes in sentences: what became of them, and why."""

from __future__ import annotations

from prt.events import Account, Loss, LossCause
from prt.views.drawing.figures import counted, per_second, timestamp_text


def cause_text(cause: LossCause) -> str:
    """Return the likeliest cause of a loss as a clause."""
    at = f" at {timestamp_text(cause.at)}" if cause.at is not None else ""
    match cause.code:
        case "connection":
            return f"the audit's own channel had a gap: {cause.subject}"
        case "restart":
            return f"the database restarted, crashed or closed its connections, seen{at}"
        case "structured_filter":
            return (
                f"a client filters on {cause.subject}, an array or composite column: evaluating that fails "
                "in the database, and every client loses the changes of that poll"
            )
        case "publication":
            return f"the publication changed, seen{at}"
        case "slot":
            return f"Realtime's replication slot was replaced, seen{at}"
        case "rate":
            return (
                f"the rate: {per_second(cause.rate or 0)} committed, {per_second(cause.average or 0)} over "
                "the minute; above the project's messages a second the server drops changes"
            )
        case "unexplained":
            return (
                "nothing was seen that explains it; messages to other clients count against the rate as "
                "well, and a filter on an array column may have come and gone"
            )


def loss_text(loss: Loss) -> str:
    """Return a lost change as a line."""
    when = timestamp_text(loss.committed)
    return f"{loss.event_type} {loss.table} {loss.key or '-'} of {when}: {cause_text(loss.cause)}"


def account_text(account: Account) -> str:
    """Return a table's account as a line."""
    parts = [f"{getattr(account, name):,} {name}" for name in Account.__struct_fields__[3:]]
    return f"{account.table}: {counted(account.committed, 'change')} committed, {', '.join(parts)}"
