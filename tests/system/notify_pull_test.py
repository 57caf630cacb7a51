"""notify-pull, with Kafka, a source that is slow when it is asked to be, and a connector that is killed:
what a sender of notices was told is ours is fetched, whatever happens then, and nothing that is
fetched twice is published twice."""

import concurrent.futures
import http.client
import http.server
import json
import random
import signal
import subprocess
import threading

import pytest

from published import keys_in
from stack.process import Process, free_port, wait_until

KILLS, KILLS_LONG = 10, 100
SENDERS = 3
RUN_ON_MAX_S = 0.4
AGAIN_S = 0.02
ANSWER_TIMEOUT_S = 60
START_TIMEOUT_S = 60
INTERVAL_MS = 86400000
SECRET = "an-invented-secret-of-the-path"

CONFIGURATION = """\
connector: {name}
institution: sus
system: sus-trials
source:
  transport: notify-pull
  format: json
  listen: {listen}
  path: /changed
  secrets: ${{env:NOTICE_SECRET}}
  id_field: record
  ids_per_minute_max: 100000
  url: {source}/list
  ids: ids
  get: /trial/{{id}}
{more}
target: {{domain: trial}}
records:
  - key: id
    version: {{tie: position}}
    fields:
      titles: [{{lang: {{value: en}}, text: title}}]
      status: {{from: status, table: {{planned: PLANNED}}, else: reject}}
"""


class Source:
    """Gives whatever trial it is asked for, and a list of those in `listed`. While `held` is set it
    keeps whoever asks for a trial waiting; `gone` are not there."""

    def __init__(self):
        self.listed = []
        self.gone = set()
        self.held = threading.Event()
        self.free = threading.Event()
        self.asked = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.free.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        if path == "/list":
            return {"ids": self.listed}
        key = path.removeprefix("/trial/")
        self.asked.append(key)
        if self.held.is_set():
            self.free.wait(ANSWER_TIMEOUT_S)
        return None if key in self.gone else {"id": key, "title": "A trial", "status": "planned"}

    def _handler(source):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answer = source.answer(self.path)
                body = json.dumps(answer).encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except ConnectionError:  # whoever asked was killed
                    self.close_connection = True

        return Handler


class Notified:
    """A connector that takes notices, in an installation without a hub."""

    def __init__(self, installation, source, folder, name, more):
        self.installation = installation
        self.name = name
        self.listen = f"127.0.0.1:{free_port()}"
        self.file = folder / f"{name}.yaml"
        self.file.write_text(CONFIGURATION.format(name=name, listen=self.listen, source=source.url,
                                                  more=more))
        self.process = None

    def start(self):
        environment = {**self.installation.environment, "NOTICE_SECRET": SECRET}
        self.process = Process(self.name, [self.installation.programs / "connector", "run", self.file],
                               self.file.with_suffix(".log"), environment).start()
        return self

    def await_listening(self):
        wait_until(lambda: self.post("", path="/") is not None, f"start of {self.name}",
                   START_TIMEOUT_S)
        return self

    def post(self, form, path=f"/changed/{SECRET}"):
        """(status, headers), or None where there was no answer."""
        connection = http.client.HTTPConnection(self.listen, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("POST", path, form,
                               {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def tell(self, *keys):
        assert self.post("&".join(f"record={key}" for key in keys))[0] == 200

    def stop(self):
        if self.process is not None:
            self.process.stop()


@pytest.fixture(scope="module")
def installation(install, tmp_path_factory):
    return install(tmp_path_factory.mktemp("no-samples"), hub=False)


@pytest.fixture
def source():
    source = Source()
    yield source
    source.stop()


@pytest.fixture
def run(installation, source, tmp_path):
    """run(name, more) starts a connector of that configuration."""
    running = []

    def start(name, more=f"  interval_ms: {INTERVAL_MS}"):
        running.append(Notified(installation, source, tmp_path, name, more).start())
        return running[-1].await_listening()

    yield start
    for each in running:
        each.stop()


def await_published(installation, *keys):
    wait_until(lambda: set(keys) <= set(keys_in(installation)), f"{keys} in Kafka",
               START_TIMEOUT_S)


def test_a_notice_is_fetched_at_once_and_what_is_gone_is_a_dead_letter(installation, source, run):
    source.gone.add("noticed-gone")
    run("noticed").tell("noticed", "noticed-gone", "noticed-too")
    await_published(installation, "noticed", "noticed-too")
    wait_until(lambda: keys_in(installation, "deadletter.sus"), "a dead letter")
    assert source.asked == ["noticed", "noticed-gone", "noticed-too"]


def test_a_lost_notice_is_made_good_by_the_sweep(installation, source, run):
    run("swept", "  interval_ms: 200")
    source.listed = ["nobody-told"]
    await_published(installation, "nobody-told")


def test_what_was_taken_is_fetched_after_a_kill(installation, source, run):
    source.held.set()
    killed = run("killed-once")
    killed.tell("kept-1", "kept-2")
    wait_until(lambda: source.asked, "the source being asked")
    killed.process.kill()
    source.held.clear()
    killed.start()
    await_published(installation, "kept-1", "kept-2")
    found = keys_in(installation)
    assert (found.count("kept-1"), found.count("kept-2")) == (1, 1)


def test_nobody_hears_200_while_kafka_is_away(installation, run):
    nacking = run("nacking", "  answer_timeout_ms: 1000")
    waiting = run("waiting", "  while_away: wait\n  answer_timeout_ms: 60000")
    broker = installation.broker.process.child
    with concurrent.futures.ThreadPoolExecutor() as threads:
        broker.send_signal(signal.SIGSTOP)
        try:
            status, headers = nacking.post("record=nacked")
            assert (status, headers["Retry-After"]) == (503, "10")
            patient = threads.submit(waiting.post, "record=waited-for")
            with pytest.raises(concurrent.futures.TimeoutError):
                patient.result(1)
            assert nacking.post("record=nacked-at-once")[0] == 503
        finally:
            broker.send_signal(signal.SIGCONT)
        assert patient.result(ANSWER_TIMEOUT_S)[0] == 200
    wait_until(lambda: nacking.post("record=nacked")[0] == 200, "Kafka to be there again")
    await_published(installation, "nacked", "waited-for")


class Sender:
    """Tells of one trial after the other, each until it hears 200."""

    def __init__(self, notified, name, stop):
        self.notified = notified
        self.name = name
        self.stop = stop
        self.told = []  # of which it has heard 200
        self.repeated = 0

    def run(self):
        while not self.stop.is_set():
            key = f"{self.name}-{len(self.told):05}"
            while (answer := self.notified.post(f"record={key}")) is None or answer[0] != 200:
                assert answer is None or answer[0] == 503, answer
                self.repeated += 1
                self.stop.wait(AGAIN_S)
            self.told.append(key)


def test_what_is_told_to_a_killed_connector_is_neither_skipped_nor_doubled(
        request, seed, installation, source, run):
    print(f"tests/run system/notify_pull_test.py -- --seed {seed}")
    chance = random.Random(seed)
    killed = run("killed")
    stop = threading.Event()
    senders = [Sender(killed, name, stop) for name in ("anna", "bertil", "cecilia")[:SENDERS]]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        running = [threads.submit(sender.run) for sender in senders]
        try:
            for _ in range(KILLS_LONG if request.config.getoption("--long") else KILLS):
                heard = sum(len(sender.told) for sender in senders)
                wait_until(lambda: sum(len(sender.told) for sender in senders) > heard,
                           "an answer after the kill")
                with pytest.raises(subprocess.TimeoutExpired):  # it runs on, as it should
                    killed.process.child.wait(chance.uniform(0, RUN_ON_MAX_S))
                killed.process.kill()
                killed.start()
        finally:
            stop.set()
        for each in running:
            each.result(ANSWER_TIMEOUT_S)
    told = [key for sender in senders for key in sender.told]
    await_published(installation, *told)
    found = [key for key in keys_in(installation) if key.split("-")[0] in ("anna", "bertil", "cecilia")]
    print(f"{len(told)} told of, {sum(sender.repeated for sender in senders)} of it repeatedly, "
          f"{len(source.asked)} times the source was asked")
    assert sorted(found) == sorted(told)
    assert sum(sender.repeated for sender in senders) >= KILLS
