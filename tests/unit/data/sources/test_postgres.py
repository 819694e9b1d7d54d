"""Tables of a PostgreSQL server that runs for these tests (`tests/support/postgres_server.py`)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.sources import postgres
from nnspec.diagnostics import Diagnostic
from nnspec.diagnostics.text import to_text
from tests.support.data_files import run
from tests.support.postgres_server import PASSWORD, USER, Server, programs, running_server
from tests.unit.data.section.test_plan import plan_of, slot

if programs() is None:  # .ci/run installs it
    pytest.skip("PostgreSQL is left out: it is not installed (apt-get install postgresql)", allow_module_level=True)

TEXT = """
source: {sql: "URL", table: sales, secret: SHOP_PASSWORD}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [price, size]}}
outputs: {y: {columns: [sold]}}
"""
X = slot("x", ("feature", 2))
Y = slot("y", ("target", 1), task="regression")
TABLES = """
CREATE TABLE sales (id int PRIMARY KEY, day date, price numeric(6, 2), size smallint, sold double precision,
                    moment timestamptz, is_open boolean, shop text, tags int[], photo bytea, kind varchar(3));
INSERT INTO sales VALUES
  (3, '2020-01-03', 3.50, 30, 3, '2020-01-03 01:00+02', true, 'b', '{1}', '\\x00', 'u'),
  (1, '2020-01-01', 1.50, 10, 1, '2020-01-01 01:00+00', false, 'a', NULL, NULL, 'v'),
  (2, NULL, 2.50, 20, 2, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, '2020-01-04', 4.50, 40, 4, '2020-01-04 01:00+00', true, 'NA', NULL, NULL, 'w');
CREATE SCHEMA other;
CREATE TABLE other."Odd ""name"" x" AS SELECT 1.0 AS price, 2 AS size, 3 AS sold, g FROM generate_series(1, 50000) g;
CREATE VIEW slow AS SELECT 1 AS price, 1 AS size, 1 AS sold FROM pg_sleep(60);
CREATE TABLE hidden (price int, size int, sold int);
CREATE ROLE guest LOGIN PASSWORD 'guest';
GRANT SELECT ON sales TO guest;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as found:
        with connected(found) as connection:
            connection.execute(TABLES)
        yield found


def connected(server: Server) -> psycopg.Connection:
    place = {"host": "127.0.0.1", "port": server.port, "dbname": "postgres"}
    return psycopg.connect(user=USER, password=PASSWORD, **place)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password where a spec looks for it, and no rows of the test before."""
    from nnspec.data.sources.sql import SOURCE

    SOURCE.forget()
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def told(text: str, root: Path) -> list[Diagnostic]:
    found = probe(plan_of(text, root, allow_outside=True), {"x": X}, {"y": Y})
    assert PASSWORD not in to_text(found) + repr(found)
    return found


def test_rows_in_the_order_of_the_key(server: Server, tmp_path: Path) -> None:
    text = TEXT.replace("URL", server.url)
    assert told(text, tmp_path) == []
    data = run(text, tmp_path, [X], [Y], allow_outside=True)
    rows = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    assert rows.tolist() == [[1.5, 10], [2.5, 20], [3.5, 30], [4.5, 40]]


def test_types(server: Server, tmp_path: Path) -> None:
    text = TEXT.replace("URL", server.url).replace("split:", "query: QUERY\nsplit:")
    sql = (
        "SELECT price, CAST(typeof(price) = 'DOUBLE' AND typeof(size) = 'BIGINT' AND typeof(is_open) = 'BOOLEAN' AND "
        "typeof(day) = 'DATE' AND typeof(moment) = 'TIMESTAMP WITH TIME ZONE' AND typeof(shop) = 'VARCHAR' AS INT) "
        "AS size, epoch(moment) AS sold FROM source WHERE moment IS NOT NULL ORDER BY id"
    )
    data = run(text.replace("QUERY", f'"{sql}"'), tmp_path, [X], [Y], allow_outside=True)
    rows = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    assert rows.tolist() == [[1.5, 1], [3.5, 1], [4.5, 1]]
    moments = np.concatenate([data.splits[name].target["y"] for name in ("train", "test")]).ravel()
    days = ["2020-01-01T01:00", "2020-01-02T23:00", "2020-01-04T01:00"]
    expected = np.array(days, "datetime64[s]").astype(np.int64)
    np.testing.assert_allclose(moments, expected, rtol=1e-7)
    word = slot("x", ("feature", 2), dtype="string")
    dates = TEXT.replace("URL", server.url).replace("[price, size]", "[day, kind]")
    dates = dates.replace("split:", "missing: drop\nsplit:")
    data = run(dates, tmp_path, [word], [Y], allow_outside=True)
    assert data.splits["train"].raw["x"].tolist() == [["2020-01-01", "v"]]


def test_missing_values_and_what_is_refused(server: Server, tmp_path: Path) -> None:
    text = TEXT.replace("URL", server.url)
    (fault, *_) = told(text.replace("[price, size]", "[price, is_open]"), tmp_path)
    assert (fault.code, "row 2" in fault.message) == ("NN504", True)
    for column in ("tags", "photo"):
        (fault,) = told(text.replace("[price, size]", f"[price, {column}]"), tmp_path)
        assert (fault.code, f"`{column}`" in fault.message) == ("NN502", True)


def test_many_rows_of_a_table_in_a_schema(server: Server, tmp_path: Path) -> None:
    text = TEXT.replace("URL", server.url).replace("table: sales", "table: 'other.Odd \"name\" x'")
    data = run(text.replace("[price, size]", "[g, size]"), tmp_path, [X], [Y], allow_outside=True)
    rows = np.concatenate([data.splits[name].raw["x"][:, 0] for name in ("train", "test")])
    np.testing.assert_array_equal(rows, np.arange(1, 50001))


@pytest.mark.parametrize(
    ("change", "said", "todo"),
    [
        (("table: sales", "table: sale"), "has no table `sale`", "use `sales`"),
        (("table: sales", "table: other.sales"), "has no table `other.sales`", ""),
        (("/postgres", "/nowhere"), "cannot be reached, or refuses the connection", ""),
        ((USER, "nobody"), "refuses the password in `SHOP_PASSWORD`", "SHOP_PASSWORD"),
        ((", secret: SHOP_PASSWORD", ""), "needs `secret`", "secret: NAME"),
        (("SHOP_PASSWORD", "SHOP_WORD"), "`SHOP_WORD`, which contains the password, is not set", "export SHOP_WORD"),
        ((f"{USER}@", f"{USER}:word@"), "contains a password", "secret: NAME"),
        (("/postgres", "/postgres?passfile=/etc/passwd"), "`passfile` cannot be set", ""),
        (("/postgres", "/postgres?service=x"), "`service` cannot be set", ""),
        (("127.0.0.1", "127.0.0.1:999999"), "is not the address of a server", ""),
    ],
)
def test_faults(change: tuple[str, str], said: str, todo: str, server: Server, tmp_path: Path) -> None:
    url = server.url
    if change[1].endswith("999999"):
        url = url.replace(f":{server.port}", "")
    (fault,) = told(TEXT.replace("URL", url).replace(*change), tmp_path)
    assert (fault.code, fault.path) == ("NN567", "data.source.sql")
    assert said in fault.message
    assert todo in " ".join(fix.message for fix in fault.fixes)


def test_a_wrong_password(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "another-w0rd")
    (fault,) = told(TEXT.replace("URL", server.url), tmp_path)
    assert "refuses the password in `SHOP_PASSWORD`" in fault.message
    assert "another-w0rd" not in repr(fault)


def test_a_server_that_is_away(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"postgresql://{USER}@127.0.0.1:{taken.getsockname()[1]}/postgres"
        (fault,) = told(TEXT.replace("URL", url), tmp_path)
    assert fault.code == "NN567"
    assert "cannot be reached" in fault.message
    assert "Connection refused" in " ".join(fault.notes)


def test_a_table_that_may_not_be_read(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "guest")
    text = TEXT.replace("URL", server.url.replace(USER, "guest"))
    assert told(text, tmp_path) == []
    (fault,) = told(text.replace("table: sales", "table: hidden"), tmp_path)
    assert (fault.code, "does not let this user read" in fault.message) == ("NN567", True)


def test_what_takes_too_long_ends(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres.SETTINGS, "statement_timeout", 500)
    (fault,) = told(TEXT.replace("URL", server.url).replace("table: sales", "table: slow"), tmp_path)
    assert (fault.code, "takes longer" in fault.message) == ("NN567", True)


def test_the_server_is_only_read_and_gets_no_password(server: Server, tmp_path: Path) -> None:
    """The log of the server: each statement is a SELECT or sets the session; rows come by a cursor."""
    run(TEXT.replace("URL", server.url), tmp_path, [X], [Y], allow_outside=True)
    log = (server.folder / "log").read_text(encoding="utf-8")
    assert 'DECLARE "nnspec"' in log
    assert PASSWORD not in log
    with connected(server) as connection:
        assert connection.execute("SELECT count(*) FROM sales").fetchone() == (4,)


def test_a_server_that_asks_for_the_password_itself_does_not_get_it(tmp_path: Path) -> None:
    """A spec may name any server and any variable: it gets no more than a proof."""
    import threading

    heard = bytearray()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4)

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:  # it is closed
                    return
                client.settimeout(3)
                try:
                    while data := client.recv(4096):
                        heard.extend(data)
                        is_ssl = data[4:8] == (80877103).to_bytes(4, "big")
                        client.sendall(b"N" if is_ssl else b"R\x00\x00\x00\x08\x00\x00\x00\x03")  # send it in clear
                except OSError:
                    pass
                client.close()

        threading.Thread(target=serve, daemon=True).start()
        url = f"postgresql://{USER}@127.0.0.1:{listener.getsockname()[1]}/postgres"
        (fault,) = told(TEXT.replace("URL", url), tmp_path)
    assert fault.code == "NN567"
    assert PASSWORD.encode() not in heard
    assert USER.encode() in heard
