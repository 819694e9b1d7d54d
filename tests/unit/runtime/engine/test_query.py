"""Queries are locked down to their tables: ways out, limits (NN566), places of errors. DuckDB runs all of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nnspec.runtime.engine.query import Fault, Limits, QueryError, run_query

FEW = Limits(2**28, 1.5)
PATIENT = Limits(2**28, 120)  # in which memory runs out on any machine, however much it has to do
NOT_A_SELECT = """
COPY source TO 'OUT'
COPY source FROM 'FILE'
ATTACH 'OUT' AS other
DETACH memory
INSTALL httpfs
LOAD httpfs
PRAGMA version
PRAGMA database_list
CALL pragma_version()
SET threads = 4
SET enable_external_access = true
RESET lock_configuration
EXPORT DATABASE 'OUT'
IMPORT DATABASE 'OUT'
CREATE TABLE other AS SELECT 1
CREATE MACRO f(x) AS x + 1
CREATE SECRET s (TYPE s3)
CREATE VIEW v AS FROM 'FILE'
DROP TABLE source
DELETE FROM source
UPDATE source SET a = 1
INSERT INTO source VALUES (1, 2.0, 'x')
BEGIN
VACUUM
CHECKPOINT
USE memory
EXPLAIN SELECT 1
DESCRIBE source
SUMMARIZE source
SHOW TABLES
FROM (DESCRIBE source)
SELECT 1; SELECT 2
SELECT a FROM source; COPY source TO 'OUT'
WITH x AS (INSERT INTO source VALUES (1, 2.0, 'x') RETURNING a) FROM x
PIVOT source ON store USING sum(a)
FROM (PIVOT source ON store USING sum(a))
EXECUTE other
-- nothing
"""
BEYOND = """
SELECT * FROM 'FILE'
SELECT * FROM "FILE"
SELECT * FROM source, 'FILE'
SELECT * FROM 'https://example.org/a.parquet'
SELECT * FROM read_csv('FILE')
SELECT * FROM read_csv_auto('FILE')
SELECT * FROM read_parquet('FILE')
SELECT * FROM read_json('FILE')
SELECT * FROM read_text('FILE')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM sniff_csv('FILE')
SELECT * FROM parquet_metadata('FILE')
SELECT * FROM glob('*')
WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x
SELECT (SELECT content FROM read_text('/etc/passwd')) AS c FROM source
SELECT a FROM source WHERE EXISTS (FROM read_csv('FILE'))
SELECT a FROM source UNION ALL SELECT size(content) FROM read_blob('FILE')
SELECT * FROM source, LATERAL (FROM read_text(store))
SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('source')
SELECT * FROM json_execute_serialized_sql('{}')
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_tables
SELECT * FROM information_schema.tables
SELECT * FROM pg_catalog.pg_class
SELECT * FROM sqlite_master
SELECT * FROM system.main.duckdb_settings()
SELECT * FROM pragma_database_size()
SELECT * FROM enable_logging()
SELECT getenv('HOME')
SELECT current_setting('home_directory')
SELECT getvariable('x')
SELECT current_database()
SELECT pg_get_viewdef(1)
SELECT write_log('x')
SELECT ?
SELECT $name
"""
MOMENT = """
SELECT random() FROM source
SELECT uuid() FROM source
SELECT now() FROM source
SELECT current_date FROM source
SELECT CURRENT_TIMESTAMP FROM source
SELECT today() FROM source
SELECT age(DATE '2020-01-01') FROM source
SELECT * FROM source USING SAMPLE 3
SELECT * FROM source TABLESAMPLE reservoir(2)
SELECT a FROM source ORDER BY random()
SELECT sleep_ms(60000)
SELECT pg_sleep(60)
SELECT repeat(store, 1000000000) FROM source
SELECT lpad(store, a * 1000000, 'x') FROM source
"""


def source(connection: object, name: str) -> None:
    connection.execute(  # type: ignore[attr-defined]
        f"CREATE TABLE {name} AS SELECT range AS a, range * 1.5 AS b, CASE WHEN range % 2 = 0 THEN 'x' END AS store "
        "FROM range(1000)"
    )


def fault_of(sql: str, limits: Limits | None = None) -> QueryError:
    with pytest.raises(QueryError) as caught:
        run_query(sql, {"source": source, "stores": source}, limits)
    return caught.value


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("sql", [*lines(NOT_A_SELECT), *lines(BEYOND), *lines(MOMENT)])
def test_ways_out(sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, out = tmp_path / "secret.csv", tmp_path / "out"
    secret.write_text("word\nhush\n")
    monkeypatch.chdir(tmp_path)
    begin = time.monotonic()
    error = fault_of(sql.replace("FILE", str(secret)).replace("OUT", str(out)))
    assert "hush" not in f"{error} {error.notes}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"]
    assert time.monotonic() - begin < 20
    misses = sql.startswith(("SELECT * FROM 'FILE'", 'SELECT * FROM "FILE"', "EXECUTE", "SELECT * FROM system."))
    assert misses or error.fault is Fault.REFUSED


def test_variables_of_python_are_no_tables() -> None:
    hidden = {"a": [1]}
    assert hidden
    assert fault_of("SELECT * FROM hidden").fault is Fault.FAILS


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT count(*) FROM source a, source b, source c, source d", "takes longer than 1.5 s"),
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t", "longer than 1.5 s"),
        ("SELECT x.a, y.a AS b, z.a AS c FROM source x, source y, source z", "needs more than 0.25 GiB of memory"),
        ("SELECT list(x.a) FROM source x, source y, source z", "needs more than 0.25 GiB of memory"),
        ("SELECT * FROM range(100000000000)", "needs more than 0.25 GiB of memory"),
    ],
)
def test_limits(sql: str, said: str) -> None:
    error = fault_of(sql, PATIENT if "memory" in said else FEW)
    assert error.fault is Fault.LIMIT
    assert said in str(error)


DEEP = ["(" * 5000 + "1" + ")" * 5000, "1" + "+1" * 5000, "abs(" * 600 + "1" + ")" * 600]


@pytest.mark.parametrize("sql", DEEP)
def test_deep_nesting(sql: str) -> None:
    assert fault_of(f"SELECT {sql}").fault in (Fault.FAILS, Fault.REFUSED)


@pytest.mark.parametrize(
    ("sql", "at", "note"),
    [
        ("SELECT stor FROM source", "stor", 'Candidate bindings: "store"'),
        ("SELECT 'é€' AS x,\n  stor\nFROM source", "stor", 'Candidate bindings: "store"'),
        ("SELECT a FROM sorce", "sorce", 'Did you mean "source"?'),
        ("SELECT a FORM source x", "source", ""),
        ("SELECT sqrtt(a) FROM source", "sqrtt(a)", 'Did you mean "sqrt"?'),
        ("SELECT a, CAST(store AS INT) FROM source", "CAST(store AS INT)", ""),
    ],
)
def test_places(sql: str, at: str, note: str) -> None:
    error = fault_of(sql)
    assert error.position is not None
    assert sql.encode()[error.position : error.position + error.length].decode() == at
    assert note in " ".join(error.notes)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, b FROM source",
        "FROM source",
        "SELECT a, b FROM source;  -- a comment; with a semicolon",
        "WITH s AS (SELECT * FROM source) SELECT s.a, t.b FROM s JOIN stores t USING (a)",
        "WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t WHERE a < 10) SELECT a, a AS b FROM t",
        "SELECT a, sum(b) OVER (ORDER BY a ROWS 3 PRECEDING) AS b FROM source",
        "SELECT a, b FROM source UNION ALL BY NAME SELECT b, a FROM stores",
        "SELECT range AS a, 1 AS b FROM range(3)",
        "SELECT unnest([1, 2]) AS a, 1 AS b",
        "SELECT a, lpad(store, 3, '0') AS b FROM \"source\"",
        "SELECT a, date_trunc('day', DATE '2020-01-01' + CAST(a AS INT)) AS b FROM source ORDER BY a DESC",
        "VALUES (1, 2)",
    ],
)
def test_what_a_query_may_do(sql: str) -> None:
    assert len(run_query(sql, {"source": source, "stores": source}).types) >= 2


def test_rows_without_an_order_come_alike_each_time() -> None:
    sql = "SELECT a % 97 AS k, sum(b) AS s FROM source GROUP BY k"
    first = run_query(sql, {"source": source})
    again = run_query(sql, {"source": source})
    rows = first.rows(f"SELECT * FROM {first.origin}")
    assert len(rows) == 97
    assert rows == again.rows(f"SELECT * FROM {again.origin}")
