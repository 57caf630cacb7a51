"""A whole installation under the sanitizers: a real broker, some thousand records, a kill, clean stops. What
they find goes to the programs' logs, and a program in which one found something does not end with 0.

dev: addresses, undefined behaviour, leaks. tsan: threads, also in the test programs of the files that
have any; librdkafka is compiled for it as well (deploy/setup). The watchdog is left out: the sanitizer hands a
signal on when the program calls something, and what spins never does.
"""

import os
import re
import subprocess
import urllib.request

import pytest

from c_tests import SANITIZERS
from installations import OWN_SAMPLES, connector
from stack.installation import ROOT, Installation
from world import Feed

pytestmark = pytest.mark.long("minutes under the sanitizers")
CONNECTORS = [connector(name) for name in (
    "sus/trials", "lu/cris", "lumc/slots", "sus/ctgov", "sus/euctr", "lumc/calendar")]
THREADED = ["mock/kafka_consumer_test", "mock/kafka_producer_test", "mock/kafka_reader_test",
            "mock/task_test", "unit/server_test", "unit/log_test",
            "unit/http_poll_test", "unit/cache_test", "unit/counts_test"]
PIECE, PIECES = 1000, 3
BATCH_COUNT_MAX = 200  # the sanitizers are slow, and a transaction may last ten seconds
PROGRAM_TIMEOUT_S, BUILD_TIMEOUT_S, SETTLE_TIMEOUT_S = 900, 3600, 600
FOUND = re.compile(r"WARNING: ThreadSanitizer|ERROR: (?:Address|Leak)Sanitizer|runtime error:|"
                   r"SUMMARY: \w+Sanitizer")
ENVIRONMENT = {**SANITIZERS,
               "TSAN_OPTIONS": "history_size=4"}


@pytest.fixture(scope="module")
def build():
    """build(preset) once it is there; dev is there for every run."""

    def make(preset):
        if preset != "dev":
            subprocess.run([ROOT / "deploy" / "setup", "--tests", preset], check=True,
                           stdin=subprocess.DEVNULL, timeout=BUILD_TIMEOUT_S)
        return ROOT / "build" / preset

    return make


@pytest.fixture
def install(build, tmp_path, monkeypatch):
    """install(preset) starts broker and hub of that build."""
    running = []

    def start(preset):
        build(preset)
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        installation = Installation(tmp_path, OWN_SAMPLES, preset=preset)
        installation.hub_arguments = ["--batch-count-max", BATCH_COUNT_MAX]
        running.append(installation)
        installation.start_broker()
        installation.create_topics()
        installation.start_hub()
        return installation

    yield start
    for installation in running:
        installation.stop()


def expect_clean(folder):
    """No log has a sanitizer's word in it."""
    logs = sorted(folder.glob("*.log"))
    assert logs
    for path in logs:
        text = path.read_text(errors="replace")
        found = FOUND.search(text)
        assert not found, f"{path.name}\n{text[max(0, found.start() - 200):][:8000]}"


def ask(installation):
    """As an operator's browser and Prometheus do, while the hub works."""
    for path in ("livez", "readyz", "metrics", "version", "subjects"):
        with urllib.request.urlopen(f"{installation.registry}/{path}", timeout=60) as answer:
            assert answer.status == 200 and answer.read()


@pytest.mark.parametrize("preset", ["dev", "tsan"])
def test_an_installation_runs_without_a_finding(install, preset, tmp_path):
    installation = install(preset)
    installation.run_connectors(CONNECTORS)
    feed = Feed(installation.broker.bootstrap, 5, tmp_path)
    for piece in range(PIECES):
        feed.write(PIECE)
        ask(installation)
        installation.hub.kill()
        if piece == PIECES - 1:  # topics are read by threads of their own then
            (tmp_path / "state" / "data.mdb").unlink()
        installation.start_hub()
    installation.wait_until_settled(SETTLE_TIMEOUT_S)
    ask(installation)
    installation.start_connectors(CONNECTORS)
    installation.wait_until_settled(SETTLE_TIMEOUT_S)
    codes = {process.name: process.stop()
             for process in (*installation.connectors, installation.hub)}
    feed.stop()
    expect_clean(tmp_path)
    assert set(codes.values()) == {0}, codes


@pytest.mark.parametrize("program", THREADED)
def test_threads_do_not_race_in(build, program):
    done = subprocess.run([build("tsan") / "tests" / program], cwd=ROOT, check=False,
                          env={**os.environ, **ENVIRONMENT, "HUB_SCHEMAS": str(ROOT / "schemas")},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=PROGRAM_TIMEOUT_S)
    assert done.returncode == 0 and not FOUND.search(done.stdout), done.stdout[-8000:]


# --- the control ---

PLANTED = {"thread": "#include <pthread.h>\nstatic int n;\nstatic void *add(void *x) { n++; return x; }\n"
                     "int main(void) { pthread_t t; pthread_create(&t, 0, add, 0); n++;\n"
                     "return pthread_join(t, 0); }\n",
           "address": "#include <stdlib.h>\nint main(void) { volatile char *p = malloc(9); p[0] = 1;\n"
                      "p = 0; return p != 0; }\n",
           "undefined": "int main(int n, char **v) { (void)v; return (n << 31) + 2147483647 == 0; }\n"}


@pytest.mark.parametrize("sanitizer", PLANTED)
def test_a_mistake_made_on_purpose_is_found(build, tmp_path, sanitizer):
    source, program = tmp_path / "planted.c", tmp_path / "planted"
    source.write_text(PLANTED[sanitizer])
    subprocess.run(["cc", f"-fsanitize={sanitizer}", "-pthread", "-o", program, source], check=True)
    with (tmp_path / "planted.log").open("w") as log:
        subprocess.run([program], env={**os.environ, **ENVIRONMENT}, check=False, stdout=log,
                       stderr=log, timeout=PROGRAM_TIMEOUT_S)
    with pytest.raises(AssertionError):
        expect_clean(tmp_path)
