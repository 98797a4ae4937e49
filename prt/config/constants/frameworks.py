"""The variables by which web frameworks hand a Supabase project to the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PREFIXES: Final = ("", "NEXT_PUBLIC_", "NUXT_PUBLIC_", "VITE_", "EXPO_PUBLIC_", "REACT_APP_", "PUBLIC_")
_KEYS: Final[Mapping[str, str]] = {
    "SUPABASE_KEY": "SUPABASE_PUBLISHABLE_KEY",
    "SUPABASE_ANON_KEY": "SUPABASE_ANON_KEY",
    "SUPABASE_PUBLISHABLE_KEY": "SUPABASE_PUBLISHABLE_KEY",
    "SUPABASE_PUBLISHABLE_DEFAULT_KEY": "SUPABASE_PUBLISHABLE_KEY",
}
"""What a client key is called after a prefix, and which variable of a project it is."""

URL_NAMES: Final = tuple(f"{prefix}SUPABASE_URL" for prefix in _PREFIXES)


def browser_variables(project: Mapping[str, str]) -> dict[str, str]:
    """Return the URL and the client keys of a project under every framework's names, never a server key."""
    keys = {
        f"{prefix}{name}": project[variable]
        for prefix in _PREFIXES
        if prefix
        for name, variable in _KEYS.items()
    }
    return dict.fromkeys(URL_NAMES, project["SUPABASE_URL"]) | keys
