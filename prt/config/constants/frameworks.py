"""The variables with which web frameworks pass a Supabase project to the browser."""

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
"""Names of a client key without a framework's prefix, and the variable of a project with its value."""

URL_NAMES: Final = tuple(f"{prefix}SUPABASE_URL" for prefix in _PREFIXES)


def browser_variables(project: Mapping[str, str]) -> dict[str, str]:
    """Return the URL and client keys of a project under the names of all frameworks, without server keys."""
    keys = {
        f"{prefix}{name}": project[variable]
        for prefix in _PREFIXES
        if prefix
        for name, variable in _KEYS.items()
    }
    return dict.fromkeys(URL_NAMES, project["SUPABASE_URL"]) | keys
