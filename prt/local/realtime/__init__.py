"""The embedded Realtime server: Phoenix's protocol over PostgreSQL's logical replication."""

from prt.local.realtime.service import Realtime, Settings

__all__ = ["Realtime", "Settings"]
