"""The embedded Realtime server: Phoenix's protocol over PostgreSQL's logical replication."""

from prt.local.realtime.service import Realtime
from prt.local.realtime.settings import Settings

__all__ = ["Realtime", "Settings"]
