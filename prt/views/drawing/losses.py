"""The results of `prt audit` as sentences: lost changes with their causes, and the account of a table."""

from __future__ import annotations

from prt.events import Account, Loss, LossCause
from prt.views.drawing.figures import counted, per_second, timestamp_text


def cause_text(cause: LossCause) -> str:
    """Return the likeliest cause of a loss, as a clause."""
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
    """Return a lost change with its likeliest cause, as one line."""
    when = timestamp_text(loss.committed)
    return f"{loss.event_type} {loss.table} {loss.key or '-'} of {when}: {cause_text(loss.cause)}"


def account_text(account: Account) -> str:
    """Return the account of a table as one line: how many changes were committed, arrived, lost and so on."""
    parts = [f"{getattr(account, name):,} {name}" for name in Account.__struct_fields__[3:]]
    return f"{account.table}: {counted(account.committed, 'change')} committed, {', '.join(parts)}"
