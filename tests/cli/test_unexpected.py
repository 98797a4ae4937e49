"""What nobody expected, from every place where Python would write to standard error by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.running import clean_environment

SECRET = "Zq7w-never-shown"
HOSTILE = r"\x1b]0;title\x07\x1b[31m\u202e\nprt: forged " + SECRET

PLACES = {
    "a task that nobody waits for": """
async def act():
    async def fail(): raise KeyError(HOSTILE)
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
asyncio.run(act())
""",
    "a callback": """
async def act():
    def fail(): raise KeyError(HOSTILE)
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0)
asyncio.run(act())
""",
    "a task's callback": """
async def act():
    def fail(_): raise KeyError(HOSTILE)
    task = asyncio.create_task(asyncio.sleep(0))
    task.add_done_callback(fail)
    await task
    await asyncio.sleep(0)
asyncio.run(act())
""",
    "a thread": """
def fail(): raise KeyError(HOSTILE)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
""",
    "a finalizer": """
class One:
    def __del__(self): raise KeyError(HOSTILE)
One()
gc.collect()
""",
    "a command": "raise KeyError(HOSTILE)",
    "a cancelled command": "raise asyncio.CancelledError(HOSTILE)",
    "a group with others": "raise BaseExceptionGroup('x', [KeyError(HOSTILE), asyncio.CancelledError()])",
    "a library's logger with an error": """
try: raise KeyError(HOSTILE)
except KeyError: logging.getLogger('library').exception('it went wrong')
""",
    "outside of the command": "sys.excepthook(KeyError, KeyError(HOSTILE), None)",
}

SCRIPT = """
import asyncio, gc, logging, sys, threading, types, warnings
from prt.cli import main as ground
from prt.redaction import register
register({secret!r})
HOSTILE = '{hostile}'
def act(debug: bool = False) -> None:
    code = compile({body!r}, 'acting', 'exec')
    exec(code, globals())
module = types.ModuleType('prt.cli.commands.acting')
module.act = act
sys.modules['prt.cli.commands.acting'] = module
ground.COMMANDS = (ground.Entry('act', 'acting:act', 'Acts.'),)
sys.argv = ['prt', 'act', *{options!r}]
ground.main()
"""


def reported(body: str, *options: str) -> list[str]:
    """The lines of standard error."""
    script = SCRIPT.format(secret=SECRET, hostile=HOSTILE, body=body, options=options)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env=clean_environment(), timeout=60, check=False
    )
    assert done.stdout == b""
    return done.stderr.decode().split("\n")[:-1]


@pytest.mark.parametrize("body", PLACES.values(), ids=PLACES)
def test_an_error_is_one_line_and_a_hint(body: str) -> None:
    first, hint = reported(body)
    assert first.startswith("prt: unexpected ")
    assert first.endswith("; this is a bug in prt")
    assert hint == "hint: run it again with --debug and report the traceback"
    assert "title" in first
    assert SECRET not in first
    assert first.isprintable()


@pytest.mark.parametrize("body", PLACES.values(), ids=PLACES)
def test_a_traceback_with_debug_is_escaped_and_without_secrets(body: str) -> None:
    lines = reported(body, "--debug")
    assert any(line.startswith(("Traceback", "KeyError")) for line in lines)
    assert lines[-1] == "hint: report it with the traceback"
    assert all(line.isprintable() for line in lines)
    assert SECRET not in "".join(lines)
    assert not any(line.startswith("prt: forged") for line in lines)


@pytest.mark.parametrize(
    "body",
    ["logging.getLogger('library').warning('it says %s', HOSTILE)", "warnings.warn(HOSTILE, UserWarning)"],
    ids=["a logger", "a warning"],
)
def test_the_words_of_a_library_are_one_line(body: str) -> None:
    (line,) = reported(body)
    assert line.startswith("prt: ")
    assert line.isprintable()
    assert SECRET not in line


@pytest.mark.parametrize(
    "body",
    [
        "logging.getLogger('library').info('details')",
        "import jwt; jwt.encode({}, 'a-short-secret-for-tests', 'HS256')",
    ],
    ids=["a logger", "a short secret"],
)
def test_messages_of_a_library_to_its_developers_are_not_printed(body: str) -> None:
    assert reported(body) == []
