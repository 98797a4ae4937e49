from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from prt.local.people import MEMBER
from tests.running import clean_environment

JS = Path(__file__).with_name("js")


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The npm packages of `js/package-lock.json`: installed once a lock, kept in the user's cache."""
    lock = (JS / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "prt-tests"
    installed = cache / f"js-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not installed.exists():
        cache.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=cache))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(JS / name, draft)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=draft, check=True)
        draft.rename(installed)
    return installed / "node_modules"


@pytest.fixture(scope="session")
def scripts(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of `js/` beside their packages: Node looks for these from the script's own folder."""
    folder = tmp_path_factory.mktemp("js")
    for script in [*JS.glob("*.mjs"), JS / "package.json"]:
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(node_modules, target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def node_environment(project: dict[str, str]) -> dict[str, str]:
    """What the scripts read: the project's variables, and a member to sign in as."""
    return clean_environment(
        **{name: value for name, value in project.items() if name.startswith("SUPABASE_")},
        MEMBER_EMAIL=MEMBER.email,
        MEMBER_PASSWORD=MEMBER.password,
    )
