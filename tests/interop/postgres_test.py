"""PostgreSQL, Debian's own, as a source: an outbox that is written while its reader is killed, TLS, and
passwords."""

import subprocess
import time

import pytest

from killing import keys_of, read_and_kill
from outbox import Server, Writer
from stack.process import wait_until

STOP_MAX_S = 5  # of a busy machine; a second is meant
PASSWORD = "s3cret"


class Outbox:
    """Each row has a key of its own. In each pair the row with the lower id is committed last."""

    def __init__(self, server):
        self.writers = [Writer(server), Writer(server)]
        self.count = 0

    def grow(self):
        slow, quick = self.writers
        for _ in range(10):
            slow.do("BEGIN")
            self.write(slow)
            for _ in range(3):
                self.write(quick)
            slow.do("COMMIT")

    def write(self, writer):
        writer.insert(f'{{"id": "r{self.count}"}}')
        self.count += 1

    def keys(self):
        return {f"sus-trials/r{number}" for number in range(self.count)}

    def stop(self):
        for writer in self.writers:
            writer.stop()


def certify(folder, name, *options):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout",
                    folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", f"/CN={name}",
                    *options], check=True, capture_output=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("postgres")
    certify(folder, "ca")
    certify(folder, "stranger")
    certify(folder, "server", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext",
            "subjectAltName=DNS:db.sus.example", "-addext", "basicConstraints=CA:FALSE")
    server = Server(folder, "ssl=on", f"ssl_cert_file={folder}/server.pem",
                    f"ssl_key_file={folder}/server.key")
    server.start()
    server.make_outbox()
    writer = Writer(server)
    writer.do(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'; "
              "CREATE TABLE guarded (LIKE hub_outbox INCLUDING ALL); "
              "INSERT INTO guarded (payload) VALUES ('{\"id\": \"guarded\"}'); "
              "GRANT SELECT ON guarded TO guarded")
    writer.stop()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def installation(install):
    return install(hub=False)


def configure(server, name, connection, more):
    file = server.folder / f"{name}.yaml"
    file.write_text(f"""\
connector: {name}
institution: sus
system: sus-trials
source: {{transport: postgres, format: json, connection: "{connection}"{more}}}
target: {{domain: trial}}
records:
  - key: id
    version: {{tie: position}}
    fields:
      titles: [{{lang: {{value: en}}, text: {{value: A trial}}}}]
      status: {{value: PLANNED}}
""")
    return file


def by_tls(server, name, authority="ca", host="db.sus.example", more=""):
    connection = (f"host={host} hostaddr=127.0.0.1 port={server.port} dbname=postgres user=guarded "
                  f"sslrootcert={server.folder}/{authority}.pem")
    return configure(server, name, connection,
                     f", table: guarded, channel: '', password: '${{env:POSTGRES_TEST_PASSWORD}}'{more}")


def warning_of(installation, file, text):
    """Whether a connector that goes on trying says so."""
    process = installation.start_connector(file)
    wait_until(lambda: text in process.tail(), f"the warning '{text}'")
    process.stop()


def test_a_killed_reader_skips_and_doubles_nothing(request, server, installation, seed):
    outbox = Outbox(server)
    outbox.grow()
    file = configure(server, "postgres-killed", server.connection, ", batch_rows: 7")
    keys = read_and_kill(request, installation, file, outbox, seed)
    outbox.stop()
    assert {key: count for key, count in keys.items() if "/r" in key} == \
        dict.fromkeys(outbox.keys(), 1)


def test_tls_and_a_password_open_what_is_guarded(server, installation, monkeypatch):
    monkeypatch.setenv("POSTGRES_TEST_PASSWORD", PASSWORD)
    installation.run_connectors([by_tls(server, "postgres-tls")])
    assert keys_of(installation, "ingest.sus.trial")["sus-trials/guarded"] == 1


def test_a_server_of_another_authority_is_not_believed(server, installation, monkeypatch):
    monkeypatch.setenv("POSTGRES_TEST_PASSWORD", PASSWORD)
    warning_of(installation, by_tls(server, "postgres-stranger", authority="stranger"),
               "certificate verify failed")


def test_a_server_of_another_name_is_not_believed(server, installation, monkeypatch):
    monkeypatch.setenv("POSTGRES_TEST_PASSWORD", PASSWORD)
    warning_of(installation, by_tls(server, "postgres-name", host="other.sus.example"),
               "does not match host name")


def test_a_server_that_wants_tls_is_not_told_without(server, installation, monkeypatch):
    monkeypatch.setenv("POSTGRES_TEST_PASSWORD", PASSWORD)
    warning_of(installation, by_tls(server, "postgres-plain", more=", sslmode: disable"),
               "pg_hba.conf")


def test_a_reader_whose_table_is_locked_stops_at_once(server, installation):
    writer, looking = Writer(server), Writer(server)  # a transaction sees who is there once
    writer.do("BEGIN; LOCK TABLE hub_outbox")
    process = installation.start_connector(configure(server, "postgres-locked", server.connection, ""))
    wait_until(lambda: looking.do("SELECT count(*) FROM pg_stat_activity WHERE "
                                 "application_name = 'atmp-hub' AND wait_event_type = 'Lock'") != ["0"],
               "the reader waiting for the table")
    begun = time.monotonic()
    assert process.stop() == 0
    took_s = time.monotonic() - begun
    writer.do("ROLLBACK")
    writer.stop()
    looking.stop()
    assert took_s < STOP_MAX_S
