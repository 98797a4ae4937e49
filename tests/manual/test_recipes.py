"""Every recipe of the README and the manual, run as it stands there, against a project with traffic.

PyYAML reads those that are configurations of CI, whose commands are run too.
"""

from __future__ import annotations

import json
import queue
import re
import socket
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml

from prt.checks.test.contract import file as contract_file
from prt.pytest_plugin.link import Link
from tests.manual.pages import ROOT, text_of, written
from tests.manual.town import done, town, until
from tests.running import PATIENCE, clean_environment, piped

TEXT = "\n".join(written().values())
RECIPES = {
    name: (language, block)
    for name, language, block in re.findall(
        r"^<!-- recipe: (\w+) -->\n```(sh|yaml)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.M
    )
}
CI = "prt local run -- prt test --junit out.xml --report out.html"


@pytest.fixture(scope="module")
def shell() -> Iterator[dict[str, str]]:
    with town() as environment:
        yield environment


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A server's URL, and what was posted to it."""
    posted: list[dict[str, object]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests tell what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", posted
    server.shutdown()
    serving.join()
    server.server_close()


def ran(name: str, shell: dict[str, str], folder: Path) -> str:
    """What a recipe wrote to standard output."""
    language, block = RECIPES[name]
    assert language == "sh"
    result = done(block, shell, folder)
    assert result.returncode == 0, (block, result)
    return result.stdout


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_wait(shell: dict[str, str], tmp_path: Path) -> None:
    *before, change, end = lines(ran("wait", shell, tmp_path))
    assert {line["type"] for line in before} <= {"status"}
    assert (change["type"], change["eventType"], change["table"]) == ("change", "INSERT", "notifications")
    assert (end["type"], end["reason"]) == ("end", "count")


def test_expect(shell: dict[str, str], tmp_path: Path) -> None:
    assert ran("expect", shell, tmp_path) == ""


def test_jq(shell: dict[str, str], tmp_path: Path) -> None:
    written = ran("jq", shell, tmp_path).splitlines()
    assert len(written) == 5
    assert all(re.fullmatch(r"(INSERT|UPDATE|DELETE) [a-z_]+", line) for line in written)


def test_webhook(shell: dict[str, str], tmp_path: Path, webhook: tuple[str, list[dict[str, object]]]) -> None:
    url, posted = webhook
    ran("webhook", {**shell, "WEBHOOK": url}, tmp_path)
    assert {(one["type"], one["table"], one["eventType"]) for one in posted} == {
        ("change", "notifications", "INSERT")
    }


def test_file(shell: dict[str, str], tmp_path: Path) -> None:
    ran("file", shell, tmp_path)
    assert len(lines((tmp_path / "day.ndjson").read_text())) > 20
    assert lines((tmp_path / "again.lines").read_text())[-1]["events"] == 20


def test_alert(shell: dict[str, str], tmp_path: Path) -> None:
    assert ran("alert", shell, tmp_path) == ""
    failing = RECIPES["alert"][1].replace(">=1.5", ">=0.01")
    assert done(failing, shell, tmp_path).returncode == 1


def test_online(shell: dict[str, str], tmp_path: Path) -> None:
    assert ran("online", shell, tmp_path) == ""


def test_nats(shell: dict[str, str], tmp_path: Path) -> None:
    """A subscriber of its own, by the protocol's own words, gets what the recipe publishes."""
    server = subprocess.Popen(
        ["nats-server", "--addr", "127.0.0.1", "--port", "-1"], stderr=subprocess.PIPE, text=True
    )
    try:
        port = until(server, "Listening for client connections on ").rpartition(":")[2].strip()
        until(server, "Server is ready")
        with socket.create_connection(("127.0.0.1", int(port)), PATIENCE) as subscriber:
            answers = subscriber.makefile("rb")
            subscriber.sendall(b"CONNECT {}\r\nSUB realtime.> 1\r\nPING\r\n")
            while answers.readline() != b"PONG\r\n":
                pass
            ran("nats", {**shell, "NATS_HOST": "127.0.0.1", "NATS_PORT": port}, tmp_path)
            came = []
            while len(came) < 6:
                words = answers.readline().split()
                if words[0] == b"MSG":
                    came.append(json.loads(answers.read(int(words[-1]))))
                    assert words[1] == b"realtime.changes"
                    answers.readline()
    finally:
        server.terminate()
        server.communicate()
    assert [one["type"] for one in came] == ["change"] * 5 + ["end"]


class Alerts(BaseHTTPRequestHandler):
    """An Alertmanager that keeps the names of alerts that fire."""

    firing: queue.Queue[str]

    def do_POST(self) -> None:
        for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            self.firing.put(alert["labels"]["alertname"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests tell what matters."""


@pytest.fixture
def alertmanager() -> Iterator[tuple[int, queue.Queue[str]]]:
    """Its port, and the names of the alerts that were sent to it."""
    Alerts.firing = queue.Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Alerts)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port, Alerts.firing
    server.shutdown()
    serving.join()
    server.server_close()


def alerted(firing: queue.Queue[str], name: str) -> None:
    """Wait until an alert fires."""
    while firing.get(timeout=PATIENCE) != name:
        pass


@contextmanager
def prometheus(folder: Path, targets: str, alertmanager: int) -> Iterator[None]:
    """A real Prometheus with the manual's configuration, which is only in more of a hurry."""
    rules = yaml.safe_load(RECIPES["alerts"][1])
    [group] = rules["groups"]
    for rule in group["rules"]:
        rule.pop("for", None)
    group["rules"].append({"alert": "Ready", "expr": "prt_ready == 1"})
    config = yaml.safe_load(RECIPES["prometheus"][1])
    config["global"] = {"evaluation_interval": "200ms"}
    config["scrape_configs"][0]["scrape_interval"] = "200ms"
    assert config["scrape_configs"][0]["static_configs"][0]["targets"] == ["127.0.0.1:9464"]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [targets]
    config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]}
    [name] = config["rule_files"]
    (folder / name).write_text(yaml.safe_dump(rules))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--web.listen-address=127.0.0.1:0",
        ],
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_prometheus(
    shell: dict[str, str], tmp_path: Path, alertmanager: tuple[int, queue.Queue[str]]
) -> None:
    """It scrapes a watch, and an alert fires when the link to the project is cut."""
    port, firing = alertmanager
    project = urlsplit(shell["SUPABASE_URL"])
    link = Link(project.hostname or "", project.port or 0)
    try:
        behind = {**shell, "SUPABASE_URL": f"http://127.0.0.1:{link.port}"}
        with piped("watch", "notifications", "--metrics", "127.0.0.1:0", environment=behind) as watch:
            assert watch.process.stderr is not None
            printed = watch.process.stderr.readline().decode()
            assert printed.startswith("prt: metrics at http://"), printed
            with prometheus(tmp_path, printed.rpartition("//")[2].partition("/")[0], port):
                alerted(firing, "Ready")
                link.cut(is_held=True)
                alerted(firing, "RealtimeDown")
    finally:
        link.close()


def test_alerts(tmp_path: Path) -> None:
    """The rules are those that `test_prometheus` gives to a real one."""
    (tmp_path / "realtime.rules.yaml").write_text(RECIPES["alerts"][1])
    (tmp_path / "prometheus.yml").write_text(RECIPES["prometheus"][1])
    judged = done("promtool check config prometheus.yml", clean_environment(), tmp_path)
    assert judged.returncode == 0, judged
    assert "6 rules found" in judged.stdout + judged.stderr


def test_nagios(shell: dict[str, str], tmp_path: Path) -> None:
    assert ran("nagios", shell, tmp_path).startswith("REALTIME OK - ")


def test_textfile(shell: dict[str, str], tmp_path: Path) -> None:
    ran("textfile", shell, tmp_path)
    assert "\nprt_status_up 1.0\n" in (tmp_path / "status.prom").read_text()


def is_a_report_of_all(folder: Path) -> bool:
    suites = ElementTree.parse(folder / "out.xml").getroot()
    assert int(suites.attrib["tests"]) > 20
    assert suites.attrib["failures"] == "0"
    return (folder / "out.html").read_text().startswith("<!doctype html>")


@pytest.fixture(scope="module")
def ci(shell: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the recipe `ci` ran, as in a job of GitHub; both have the same command."""
    folder = tmp_path_factory.mktemp("ci")
    job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    ran("ci", {**shell, **job}, folder)
    return folder


def test_ci(ci: Path) -> None:
    assert RECIPES["ci"][1].splitlines()[-1].startswith(CI)
    assert is_a_report_of_all(ci)
    assert lines((ci / "results.ndjson").read_text())[-1]["type"] == "slis"


def test_contract(shell: dict[str, str], tmp_path: Path) -> None:
    ran("contract", shell, tmp_path)
    held = lines((tmp_path / "held.ndjson").read_text())
    assert {one["test"] for one in held if one.get("suite") == "contract"} == {"publication", "notifications"}
    assert held[-1]["exit_code"] == 0
    assert 'name = "public.notifications"' in (tmp_path / "realtime.toml").read_text()
    cases = ElementTree.parse(tmp_path / "out.xml").getroot().iter("testcase")
    assert "prt.contract" in {case.get("classname") for case in cases}


def test_the_example_of_a_contract_is_one(tmp_path: Path) -> None:
    [example] = re.findall(r"^```toml\n(.*?)^```$", text_of("contract"), re.DOTALL | re.M)
    path = tmp_path / "realtime.toml"
    path.write_text(example)
    uncommented = [
        line for line in contract_file.text(contract_file.read(path)).splitlines() if line[:1] != "#"
    ]
    assert "\n".join(uncommented) + "\n" == example.replace('"2s"', '"2000ms"')


def installs_us(command: str) -> bool:
    """`pip install 'NAME[extra]'` of what pyproject.toml calls so; nothing is fetched here."""
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = re.fullmatch(r"pip install '([\w-]+)\[(\w+)\]'", command)
    return found is not None and (found[1], found[2] in ours["optional-dependencies"]) == (ours["name"], True)


def test_github(ci: Path) -> None:
    [job] = yaml.safe_load(RECIPES["github"][1])["jobs"].values()
    [install, proof] = [step["run"] for step in job["steps"] if "run" in step]
    assert installs_us(install)
    assert proof == CI
    assert "p95" in (ci / "summary.md").read_text()


def test_gitlab() -> None:
    """Its command is the one of the others, which are run."""
    job = yaml.safe_load(RECIPES["gitlab"][1])["realtime"]
    install, proof = job["script"]
    assert installs_us(install)
    assert proof == CI
    assert {*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]} == {"out.html", "out.xml"}


def test_each_recipe_has_its_test() -> None:
    assert {f"test_{name}" for name in RECIPES} <= set(globals())
    assert len(RECIPES) == TEXT.count("<!-- recipe: ")
