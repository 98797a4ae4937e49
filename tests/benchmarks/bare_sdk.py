"""The same job with the bare `realtime` package, as its documentation has it; runs until it is killed."""

from __future__ import annotations

import asyncio
import os

from realtime import AsyncRealtimeClient
from realtime.types import RealtimePostgresChangesListenEvent


async def main() -> None:
    client = AsyncRealtimeClient(f"{os.environ['SUPABASE_URL']}/realtime/v1", os.environ["SUPABASE_ANON_KEY"])
    await client.connect()
    channel = client.channel("outage")
    channel.on_postgres_changes(
        RealtimePostgresChangesListenEvent.All, lambda _: None, table="project_tasks", schema="public"
    )
    await channel.subscribe()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
