"""Looking after connectors that run: their states in words, pause and resume, back-off that is seen and
ended, and a position that is moved by whoever says why."""

import http.server
import json
import subprocess
import threading
import time

import pytest

from published import keys_in, reason_of_last_position
from stack.process import Process, free_port, wait_until

START_TIMEOUT_S = 60
MAPPING = """\
target: {domain: trial}
records:
  - key: id
    version: {tie: position}
    fields:
      titles: [{lang: {value: en}, text: title}]
      status: {from: status, table: {planned: PLANNED}, else: reject}
"""
DROP = """\
connector: {name}
institution: sus
system: sus-trials
source: {{transport: file-drop, format: json, folder: {folder}, poll_interval_ms: 100,
          settle_ms: 0}}
"""
POLL = """\
connector: {name}
institution: sus
system: sus-trials
source: {{transport: http-poll, format: json, url: 'http://127.0.0.1:{port}/trials', interval_ms: 100}}
"""


@pytest.fixture(scope="module")
def installation(install, tmp_path_factory):
    return install(tmp_path_factory.mktemp("no-samples"), hub=False)


class Operated:
    """A connector, and what its operator does."""

    def __init__(self, installation, folder, name, source, **more):
        self.installation = installation
        self.name = name
        self.folder = folder
        self.file = folder / f"{name}.yaml"
        self.file.write_text(source.format(name=name, folder=folder / "drop", **more) + MAPPING)
        (folder / "drop").mkdir()
        self.process = None

    def start(self):
        self.process = Process(self.name, [self.installation.programs / "connector", "run", self.file],
                               self.folder / f"{self.name}.log", self.installation.environment).start()
        wait_until(lambda: self.tells("state") == "RUNNING", f"start of {self.name}", START_TIMEOUT_S)
        return self

    def do(self, *arguments):
        return subprocess.run([self.installation.programs / "connector", *map(str, arguments)],
                              env={**self.installation.environment, "USER": "anna"}, check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def status(self):
        done = self.do("status", self.name, "-o", "json")
        return json.loads(done.stdout)[0] if done.returncode == 0 else {}

    def tells(self, name):
        return self.status().get(name)

    def await_telling(self, **wanted):
        wait_until(lambda: all(self.tells(name) == value for name, value in wanted.items()),
                   f"{self.name} telling {wanted}")

    def drop(self, key):
        new = self.folder / f"{key}.new"
        new.write_text(json.dumps({"id": key, "title": f"Trial {key}", "status": "planned"}))
        new.rename(self.folder / "drop" / f"{key}.json")

    def await_published(self, *keys):
        wait_until(lambda: set(keys) <= set(keys_in(self.installation)), f"{keys} in Kafka")


@pytest.fixture
def operated(installation, tmp_path, request):
    """operated(name, source) starts one."""
    running = []

    def start(name, source=DROP, **more):
        running.append(Operated(installation, tmp_path, name, source, **more).start())
        return running[-1]

    yield start
    for each in running:
        each.process.stop()


def test_one_that_has_read_all_is_idle(operated):
    one = operated("idle")
    one.drop("idle-1")
    one.await_published("idle-1")
    one.await_telling(state="RUNNING", source="IDLE")
    wait_until(lambda: one.tells("counts")["read"] == 1, "its count")
    assert "idle-1.json" in one.tells("position")
    table = one.do("status").stdout.splitlines()
    assert table[0].split()[:3] == ["CONNECTOR", "STATE", "SOURCE"]
    assert any(line.split()[:3] == ["idle", "RUNNING", "IDLE"] for line in table)


def test_one_that_is_paused_reads_nothing_until_it_is_resumed(operated):
    one = operated("paused")
    assert one.do("pause", "paused").returncode == 1  # without a reason
    assert one.do("pause", "paused", "--reason", "the folder is moved").returncode == 0
    one.await_telling(state="PAUSED", why="anna: the folder is moved")
    one.drop("paused-1")
    one.process.stop()
    one.process.start()  # a pause outlives the process
    one.await_telling(state="PAUSED")
    assert "paused-1" not in keys_in(one.installation)
    assert one.do("resume", "paused", "--reason", "moved").returncode == 0
    one.await_published("paused-1")
    one.await_telling(state="RUNNING", why=None)


class Trials(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"id": "stalled-1", "title": "Late", "status": "planned"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def test_a_source_that_cannot_be_reached_is_stalled_until_it_can_be(operated):
    port = free_port()
    one = operated("stalled", POLL, port=port)
    one.await_telling(state="RUNNING", source="STALLED")
    far_s = 5
    wait_until(lambda: (one.tells("next_try") or 0) > (time.time() + far_s) * 1000,
               "a back-off of some seconds")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Trials)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    next_try = one.tells("next_try")
    assert one.do("retry", "stalled").returncode == 0
    one.await_published("stalled-1")
    wait_until(lambda: one.tells("source") in ("READING", "IDLE"), "the source's word")
    assert one.tells("reached") < next_try  # it did not wait until then
    server.shutdown()


def test_a_position_is_moved_only_while_it_is_stopped_and_with_a_reason(operated):
    one = operated("moved")
    one.drop("moved-1")
    one.await_published("moved-1")
    shown = one.do("position", one.file).stdout
    assert "moved-1.json" in shown
    refused = one.do("position", one.file, "--to", "{}", "--reason", "again")
    assert refused.returncode == 1 and "connector stop moved" in refused.stderr
    assert one.do("stop", "moved").returncode == 0
    assert one.tells("state") == "STOPPED"
    assert one.do("stop", "moved").returncode == 1
    assert "--reason" in one.do("position", one.file, "--to", "{}").stderr
    assert "--to" in one.do("position", one.file, "--to", "{", "--reason", "again").stderr
    assert one.do("position", one.file, "--to", shown, "--reason", "for the test").returncode == 0
    assert one.do("position", one.file).stdout == shown
    assert reason_of_last_position(one.installation, "moved") == ("anna", "for the test")
    one.start()
    one.drop("moved-2")
    one.await_published("moved-2")
    assert keys_in(one.installation).count("moved-1") == 1


def test_one_that_is_killed_has_failed(operated):
    one = operated("killed")
    one.process.kill()
    assert (one.tells("state"), one.tells("why")) == ("FAILED", "it ended without a word")
    assert one.do("status", "nobody").returncode == 1
