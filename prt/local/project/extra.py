"""The check that the packages of the extra `local` are installed, before anything is started."""

from __future__ import annotations

import importlib.util

from prt.errors import UsageError

PACKAGES = ("psycopg", "bcrypt", "starlette", "uvicorn")
INSTALL = "pip install 'prt-realtime[local]'"


def require() -> None:
    """Raise UsageError with the names of the packages that are not installed. It imports none of them."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"the embedded project needs {', '.join(missing)}", INSTALL)
