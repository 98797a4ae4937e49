"""The embedded project, whatever the variables of the libraries below are set to."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from prt.config import environment
from prt.local.postgres.server import Postgres
from tests.local.commands import up
from tests.running import clean_environment, of_project, piped, ran

REFUSING = {
    "PGSSLMODE": "require",
    "PGGSSENCMODE": "require",
    "PGREQUIREAUTH": "none",
    "PGCHANNELBINDING": "require",
    "PGSERVICE": "elsewhere",
    "PGSERVICEFILE": "/nowhere/services",
    "PGHOSTADDR": "127.0.0.9",
    "PGTARGETSESSIONATTRS": "standby",
    "PGMINPROTOCOLVERSION": "latest",
    "PGOPTIONS": "-c default_transaction_read_only=on",
    "PSYCOPG_IMPL": "none",
    "WEBSOCKETS_MAX_NUM_HEADERS": "many",
    "WEBSOCKETS_MAX_LINE_LENGTH": "10",
    "WEB_CONCURRENCY": "some",
}
"""Any one of them keeps a client of ours from its work."""

ALTERING = {
    "PGTZ": "Asia/Kathmandu",
    "PGDATESTYLE": "German",
    "PGCLIENTENCODING": "LATIN1",
    "PGGEQO": "off",
    "PGOPTIONS": "-c intervalstyle=iso_8601 -c bytea_output=escape",
}
"""With these, values or the order of rows would be others."""


TABLE = """
    create table spans (id int primary key, at timestamptz, span interval, bytes bytea, name text);
    alter publication supabase_realtime add table spans;
    grant all on spans to anon, authenticated, service_role
"""


@pytest.mark.parametrize("name", REFUSING)
def test_a_project_starts_whatever_the_environment_sets_for_libraries(name: str) -> None:
    run = ran(
        "local",
        "run",
        "--no-seed",
        "--",
        sys.executable,
        "-c",
        f"import os; print(os.environ[{name!r}])",
        environment=clean_environment(**{name: REFUSING[name]}),
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, f"{REFUSING[name]}\n", "")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("altered") / "runtime"


@pytest.fixture(scope="module")
def altered(runtime: Path) -> Iterator[dict[str, str]]:
    """The variables of a project whose owner has the altering variables in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRT_RUNTIME_DIR", str(runtime))
        for name, value in ALTERING.items():
            patch.setenv(name, value)
        with up("--port", "0", "--no-seed") as project:
            for name in ALTERING:
                patch.delenv(name)
            variables = project.environment()
            with psycopg.connect(variables["SUPABASE_DB_URL"]) as connection:
                connection.execute(TABLE)
            yield variables


def test_no_variable_alters_a_value_on_the_wire(altered: dict[str, str]) -> None:
    watching = piped("watch", "spans", "--count", "1", "--json", environment=of_project(altered))
    with psycopg.connect(altered["SUPABASE_DB_URL"], autocommit=True) as connection, watching as watch:
        watch.until_ready()
        connection.execute(
            "insert into spans values (1, '2026-03-04 05:06:07Z', '1 day 02:00', '\\x00ff', 'žluťoučký')"
        )
        change = watch.until(lambda line: line["type"] == "change")
    assert change["new"] == {
        "id": 1,
        "at": "2026-03-04T05:06:07+00:00",
        "span": "1 day 02:00:00",
        "bytes": "00ff",
        "name": "žluťoučký",
    }


@pytest.mark.usefixtures("altered")
def test_the_diagnosis_reaches_the_embedded_database_too(runtime: Path) -> None:
    hostile = {"PGSSLMODE": "require", "PGSERVICE": "elsewhere"}

    run = ran(
        "status",
        "spans",
        "--local",
        "--json",
        environment=clean_environment(PRT_RUNTIME_DIR=str(runtime), **hostile),
    )

    findings = {line["layer"]: line for line in map(json.loads, run.stdout.splitlines()) if "layer" in line}
    assert findings["database"]["state"] == "ok", run.stdout


def test_an_address_of_the_project_answers_what_libpq_would_ask_a_file() -> None:
    postgres = Postgres(port=1, password="secret", owner_password="other", pid=2)
    found = psycopg.conninfo.conninfo_to_dict(postgres.conninfo())

    assert found["passfile"] == "/dev/null"
    assert (found["sslmode"], found["gssencmode"], found["client_encoding"]) == ("disable", "disable", "utf8")


def test_what_is_withdrawn_stays_in_what_we_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSOCKETS_SERVER", "x")

    environment.withdraw(environment.LIBRARIES)

    assert "WEBSOCKETS_SERVER" not in os.environ
    assert environment.environment()["WEBSOCKETS_SERVER"] == "x"
