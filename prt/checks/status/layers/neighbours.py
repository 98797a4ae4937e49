"""The answers of REST and of the database, which are requested if Realtime itself does not answer."""

from __future__ import annotations

from prt.checks.database import is_installed
from prt.checks.status.layers import catalog
from prt.checks.status.layers.gateway import Gateway
from prt.config.project import Project
from prt.errors import RefusedError, UnreachableError
from prt.stream.rest.session import Endpoint


async def answers(project: Project, endpoint: Endpoint, role: str) -> str:
    """Return the answers of REST and, if it can be asked, of the database, in a few words."""
    async with Gateway(endpoint.url, endpoint.key, endpoint.token) as http:
        rest = await http.get("/rest/v1/")
    words = [f"REST: {rest.error or rest.status}"]
    secret = project.database_url
    if secret is not None and is_installed():
        try:
            await catalog.read(secret.reveal(), (), role=role, claims={})
        except (UnreachableError, RefusedError) as exc:
            words.append(f"database: {exc.message}")
        else:
            words.append("database: ok")
    return " · ".join(words)
