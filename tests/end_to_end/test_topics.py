"""What people do on a topic, seen by `prt presence` and `prt watch`, with other clients on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from tests.running import Piped, of_project, piped, ran, terminal

PAST = """
create policy past_read on realtime.messages for select to authenticated
  using (realtime.topic() = 'past:1')
"""


@contextmanager
def guest(project: dict[str, str], topic: str, key: str, *track: str) -> Iterator[Piped]:
    """Somebody on the roster, once the server has confirmed it."""
    words = [word for pair in track for word in ("--track", pair)] or ["--track", "{}"]
    with piped("presence", topic, "--key", key, *words, environment=of_project(project)) as client:
        client.until(lambda line: line.get("event") == "join" and line["key"] == key)
        yield client


def metas_of(line: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The state of a sync without what differs from run to run."""
    return {
        key: [
            {name: value for name, value in meta.items() if name not in ("presence_ref", "online_at")}
            for meta in metas
        ]
        for key, metas in line["state"].items()
    }


def test_once_names_exactly_those_who_are_there(project: dict[str, str]) -> None:
    us = "5eed0000-0000-4000-8000-0000000000a1"
    environment = of_project(project)
    with ExitStack() as stack:
        stack.enter_context(guest(project, "once:1", "ada", "status=busy", "desk=7"))
        stack.enter_context(guest(project, "once:1", "bob", '{"user_id": "b", "location": "/tasks"}'))
        stack.enter_context(guest(project, "once:2", "elsewhere"))
        with piped("presence", "once:1", environment=environment) as watcher:
            watcher.until(lambda line: line.get("event") == "sync" and len(line["state"]) == 2)
            with guest(project, "once:1", "gone"):
                pass
            watcher.until(lambda line: line.get("event") == "leave" and line["key"] == "gone")
        done = ran("presence", "once:1", "--once", "--json", environment=environment)
        there = ["ada", "bob"]
        assert done.returncode == 0, done.stderr
        sync, end = valid_lines(done.stdout)
        assert metas_of(sync) == {
            "ada": [{"user_id": us, "location": "terminal", "status": "busy", "desk": 7}],
            "bob": [{"user_id": "b", "location": "/tasks"}],
        }
        assert sync["event"] == "sync"
        assert (end["type"], end["exit_code"]) == ("end", 0)
        done = ran(
            *("presence", "once:1", "--once", "--json", "--track", "n=1", "--key", "us"),
            environment=environment,
        )
        sync, end = valid_lines(done.stdout)
        assert sorted(sync["state"]) == [*there, "us"]
        assert metas_of(sync)["us"] == [{"user_id": us, "location": "terminal", "n": 1}]
        done = ran("presence", "once:1", "--once", "-o", "text", "--columns", "desk", environment=environment)
        assert done.stdout.splitlines()[0] == "once:1: 2 online, 2 connections"
        assert sorted(line.split()[2] for line in done.stdout.splitlines()[2:]) == there


def valid_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("columns", [80, 140])
def test_the_roster_on_a_terminal(project: dict[str, str], columns: int) -> None:
    topic = f"seen:{columns}"
    words = ("presence", topic, "--track", "status=here", "--key", "me")
    with terminal(*words, environment=of_project(project), columns=columns) as view:
        view.until(lambda text: f"{topic}: 1 online" in text and "(you)" in text and "status here" in text)
        with guest(project, topic, "ada", "name=Ada", "status=busy"):
            text = view.until(lambda text: f"{topic}: 2 online" in text and "1 joined" not in text)
            heading = next(line for line in text.splitlines() if line.startswith("since"))
            assert heading.split()[:6] == ["since", "conn", "key", "user", "where", "status"]
            rows = [line.split() for line in text.splitlines() if " ada " in line or " me " in line]
            assert {row[2] for row in rows if row[1] == "1"} == {"ada", "me"}
        text = view.until(lambda text: f"{topic}: 1 online" in text and " leave " in text)
        assert "2 joined · 1 left · 0 changed" in text
        view.send(b"\x03")
        assert view.finish() == 130
        assert "1 online, 1 connection at the end; 2 joined, 1 left, 0 changed" in view.text


def test_whoever_is_waited_for(project: dict[str, str]) -> None:
    environment = of_project(project)
    with piped("presence", "wait:1", "--expect-key", "worker", environment=environment) as waiting:
        waiting.until(lambda line: line.get("event") == "sync")
        with guest(project, "wait:1", "somebody"), guest(project, "wait:1", "worker"):
            code, lines, _ = waiting.finish()
            assert (code, lines[-1]["reason"]) == (0, "expect")
            done = ran("presence", "wait:1", "--min", "2", "--expect-key", "worker", environment=environment)
            assert done.returncode == 0
            done = ran("presence", "wait:1", "--min", "3", "--timeout", "1", environment=environment)
            assert done.returncode == 124
            assert "prt: missing: " in done.stderr


def test_a_private_topic_without_policies_is_refused_with_the_remedy(project: dict[str, str]) -> None:
    done = ran("presence", "shut:1", "--private", "--once", "--json", environment=of_project(project))
    assert done.returncode == 3
    assert [line["type"] for line in valid_lines(done.stdout)] == ["end"]
    assert done.stderr.count("You do not have permissions to read from this Channel topic: shut:1") == 1
    assert 'hint: create policy "authenticated hears shut:1" on realtime.messages for select' in done.stderr


def test_a_broadcast_of_another_client_beside_tables(project: dict[str, str]) -> None:
    environment = of_project(project)
    topic = "document:e2e"
    words = ("watch", "project_tasks", "--broadcast", f"{topic}=cursor-move", "--presence", topic)
    expected = ("--expect", f"broadcast {topic} cursor-move userId=u1 position.x=5")
    with piped(*words, *expected, environment=environment) as watch:
        ready = {watch.until_ready()["topic"], watch.until_ready()["topic"]}
        assert topic in ready
        assert len(ready) == 2
        with guest(project, topic, "ada"):
            watch.until(lambda line: line.get("event") == "join" and line["key"] == "ada")
        sent = ran("send", topic, "other", "{}", environment=environment)
        assert sent.returncode == 0, sent.stderr
        payload = '{"userId":"u1","position":{"x":5,"y":9}}'
        assert ran("send", topic, "cursor-move", payload, environment=environment).returncode == 0
        code, lines, _ = watch.finish()
    assert (code, lines[-1]["reason"]) == (0, "expect")
    received = [line for line in lines if line["type"] == "broadcast"]
    assert [(line["topic"], line["event"], line["payload"]) for line in received] == [
        (topic, "cursor-move", {"userId": "u1", "position": {"x": 5, "y": 9}})
    ]


def test_a_template_of_broadcasts_and_no_table_without_one(project: dict[str, str]) -> None:
    environment = of_project(project)
    template = "{topic} {event} {payload[x]}"
    words = ("watch", "--broadcast", "template:1", "--count", "1", "--template", template)
    with (
        piped(*words, environment=environment) as watch,
        piped("watch", "--broadcast", "template:1", environment=environment) as beside,
    ):
        ready = beside.until_ready()
        assert (ready["topic"], ready["tables"]) == ("template:1", None)
        send_until_received(watch, project)
        out, _ = watch.rest()
    assert out.splitlines()[-1] == "template:1 e 5"


def send_until_received(watch: Piped, project: dict[str, str]) -> None:
    """Sends until the other has ended: the text output does not show when it has joined."""
    while watch.process.poll() is None:
        assert ran("send", "template:1", "e", '{"x":5}', environment=of_project(project)).returncode == 0


@pytest.mark.parametrize("columns", [80, 140])
def test_cursors_on_a_terminal(project: dict[str, str], columns: int) -> None:
    environment = of_project(project)
    topic = f"canvas:{columns}"
    words = ("watch", "--broadcast", f"{topic}=cursor-move", "--view", "cursors")
    with terminal(*words, environment=environment, columns=columns) as view:
        view.until(lambda text: "READY" in text and "waiting for the first move" in text)
        payload = '{"userId":"u1","name":"Ada","position":{"x":500,"y":300}}'
        assert ran("send", topic, "cursor-move", payload, environment=environment).returncode == 0
        text = view.until(lambda text: "1 cursor · 1 move," in text and text.count("Ada") == 2)
        assert any("A Ada" in line for line in text.splitlines())


def test_private_broadcasts_of_before_are_marked(project: dict[str, str]) -> None:
    environment = of_project(project)
    send = "select realtime.send(%s::jsonb, 'note', 'past:1', true)"
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as database:
        database.execute(PAST)
        try:
            with piped("watch", "--broadcast", "past:1", "--private", environment=environment) as early:
                early.until_ready()
                database.execute(send, ('{"n": 1}',))
                first = early.until(lambda line: line["type"] == "broadcast")
            words = ("watch", "--broadcast", "past:1", "--private", "--replay", "since=1h,limit=5")
            with piped(*words, "--count", "2", environment=environment) as watch:
                before = watch.until(lambda line: line["type"] == "broadcast")
                database.execute(send, ('{"n": 2}',))
                code, lines, _ = watch.finish()
        finally:
            database.execute("drop policy past_read on realtime.messages")
    assert code == 0
    received = [line for line in lines if line["type"] == "broadcast"]
    assert before["meta"] == {**first["meta"], "replayed": True}
    assert [line["payload"]["n"] for line in received] == [1, 2]
    assert "replayed" not in received[1]["meta"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["watch", "--broadcast", "a", "--replay", "since=1h"], "--replay is for private broadcasts"),
        (["watch", "--private"], "--private is for topics"),
        (["watch", "--view", "cursor"], 'unknown view "cursor"'),
        (["presence", " "], "TOPIC names no topic"),
        (["presence", "a", "--key", "k"], "--key is ours, and nothing puts us on the roster"),
        (["presence", "a", "--track", "{"], "--track is not a JSON object: {"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(project: dict[str, str], words: list[str], message: str) -> None:
    done = ran(*words, environment=of_project(project))
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert first.startswith(f"prt: {message}")
    assert second.startswith("hint: ")
