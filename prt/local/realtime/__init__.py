"""The embedded Realtime server: Phoenix's protocol, on top of PostgreSQL's logical replication."""

from prt.local.realtime.service import Realtime
from prt.local.realtime.settings import Settings

__all__ = ["Realtime", "Settings"]
