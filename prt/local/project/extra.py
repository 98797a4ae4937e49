"""Whether the packages of the extra `local` are here, before anything is started."""

from __future__ import annotations

import importlib.util

from prt.errors import UsageError

PACKAGES = ("psycopg", "bcrypt", "starlette", "uvicorn")
INSTALL = "pip install 'prt-realtime[local]'"


def require() -> None:
    """Raises UsageError naming what is missing; looks without importing."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"the embedded project needs {', '.join(missing)}", INSTALL)
