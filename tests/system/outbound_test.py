"""webhook-out and file-out, with a receiver that is not ours (the package `standardwebhooks`), Kafka, and
a connector that is killed: what is subscribed to is told in the order of its partition, under numbers
without a gap, and what is told twice is told under the same id with the same bytes."""

import base64
import collections
import hashlib
import http.server
import io
import json
import random
import struct
import subprocess
import threading
import time

import confluent_kafka
import fastavro
import pytest
import standardwebhooks

from stack.installation import ROOT
from stack.process import Process, wait_until

KILLS, KILLS_LONG = 10, 100
RUN_ON_MAX_S = 0.1
EVENTS_PER_KILL = 40
START_TIMEOUT_S = 60
TOPICS = "unified.trial", "unified.gmp-slot"
SECRET, NEWER, FOREIGN = ("whsec_" + base64.b64encode(each).decode() for each in (
    b"thirty-two bytes of a secret ...", b"the one that takes its place ...",
    b"and one that nobody signs with ."))

WEBHOOK = """\
connector: {name}
institution: lu
subscribe: {{topics: [unified.trial, unified.gmp-slot], since: {since}}}
target: {{transport: webhook-out, url: '{url}', secrets: ['${{env:OUT_SECRET}}', '${{env:OUT_NEWER}}']{more}}}
"""
FILES = """\
connector: {name}
institution: lu
subscribe: {{topics: [unified.trial, unified.gmp-slot], since: {since}}}
target: {{transport: file-out, folder: {out}{more}}}
"""


class Writer:
    """Writes unified records, as the hub would."""

    def __init__(self, bootstrap):
        lock = json.loads((ROOT / "schemas" / "registry.lock.json").read_text())
        self.schemas = {each["subject"]: each for each in lock}  # the last of each
        self.parsed = {topic: fastavro.parse_schema(
            json.loads((ROOT / "schemas" / self.schemas[topic]["file"]).read_text()))
            for topic in TOPICS}
        self.producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "linger.ms": 0,
                                                 "log_level": 0})
        self.aborting = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap, "transactional.id": "a-writer-that-gives-up",
            "log_level": 0})
        self.aborting.init_transactions()
        self.partitions = {topic: len(self.producer.list_topics(topic).topics[topic].partitions)
                           for topic in TOPICS}
        self.written = []  # (topic, partition, offset, key)

    def value(self, topic, key, kind="ACTIVE", into=None):
        sources = next(field["type"] for field in self.parsed[topic]["fields"]
                       if field["name"] == "sources")
        record = {"entity_id": key, "kind": kind, "into": into, "founder": "sus-trials/1",
                  "founded_offset": 1, "revision": 1, "changed": [], "value": None,
                  "sources": {field["name"]: -1 for field in sources["fields"]},
                  "statements": [], "conflicts": [], "rules": "", "core": 1}
        out = io.BytesIO()
        out.write(struct.pack(">bI", 0, self.schemas[topic]["id"]))
        fastavro.schemaless_writer(out, self.parsed[topic], record)
        return out.getvalue()

    def write(self, key, topic=TOPICS[0], partition=0, value=b"", change="updated", **more):
        """The record's place; its value is of `more`, unless it is given."""
        placed = []
        self.producer.produce(
            topic, self.value(topic, key, **more) if value == b"" else value, key,
            partition=partition, headers={"ce_type": f"atmp.{topic.partition('.')[2]}.{change}"},
            on_delivery=lambda error, message: placed.append((error, message)))
        self.producer.flush()
        (error, message), = placed
        assert error is None
        self.written.append((topic, partition, message.offset(), key))
        return self.written[-1]

    def give_up(self, key, topic=TOPICS[0]):
        """A record that is never committed."""
        self.aborting.begin_transaction()
        self.aborting.produce(topic, self.value(topic, key), key, partition=0)
        self.aborting.flush()
        self.aborting.abort_transaction()

    def write_some(self, chance, count):
        for _ in range(count):
            topic = chance.choice(TOPICS)
            self.write(f"e-{len(self.written)}", topic, chance.randrange(self.partitions[topic]))


class Receiver:
    """Believes nobody but the package. `answer` says what an event is answered with."""

    def __init__(self):
        self.told = []  # (id, event), of what was answered with 2xx
        self.asked = []  # (time, id, status), of all
        self.bodies = collections.defaultdict(set)
        self.unsigned = []
        self.answer = lambda event: (204, {})
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.take(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request, body):
        headers = dict(request.headers.items())
        for secret in (SECRET, NEWER):
            try:
                standardwebhooks.Webhook(secret).verify(body, headers)
            except standardwebhooks.WebhookVerificationError as error:
                self.unsigned.append(str(error))
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(FOREIGN).verify(body, headers)
        event = json.loads(body)
        status, more = self.answer(event)
        identifier = headers["webhook-id"]
        self.asked.append((time.monotonic(), identifier, status, request.path))
        self.bodies[identifier].add(body)
        if 200 <= status < 300:
            self.told.append((identifier, event))
        try:
            request.send_response(status)
            for name, value in {**more, "Content-Length": "0"}.items():
                request.send_header(name, value)
            request.end_headers()
        except OSError:  # it was killed meanwhile
            pass

    def keys(self):
        return [event["key"] for _, event in self.told]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Subscribed:
    """A connector that subscribes, and what its operator sees."""

    def __init__(self, installation, folder, name, text, **more):
        self.installation = installation
        self.name = name
        self.folder = folder
        self.file = folder / f"{name}.yaml"
        self.file.write_text(text.format(name=name, **more))
        self.process = None

    @property
    def environment(self):
        return {**self.installation.environment, "OUT_SECRET": SECRET, "OUT_NEWER": NEWER,
                "USER": "anna"}

    def start(self):
        self.process = Process(self.name,
                               [self.installation.programs / "connector", "run", self.file],
                               self.folder / f"{self.name}.log", self.environment).start()
        return self

    def await_subscribed(self):
        wait_until(lambda: self.status().get("state") == "RUNNING" and self.status().get("position"),
                   f"start of {self.name}", START_TIMEOUT_S)
        return self

    def do(self, *arguments):
        return subprocess.run([self.installation.programs / "connector", *map(str, arguments)],
                              env=self.environment, check=False, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)

    def status(self):
        done = self.do("status", self.name, "-o", "json")
        return json.loads(done.stdout)[0] if done.returncode == 0 else {}

    def await_telling(self, **wanted):
        wait_until(lambda: self.status() | wanted == self.status(), f"{self.name} telling {wanted}")

    def stop(self):
        if self.process is not None:
            self.process.stop()


@pytest.fixture(scope="module")
def installation(install, tmp_path_factory):
    return install(tmp_path_factory.mktemp("no-samples"), hub=False)


@pytest.fixture(scope="module")
def writer(installation):
    return Writer(installation.broker.bootstrap)


@pytest.fixture
def receiver():
    started = Receiver()
    yield started
    started.stop()
    assert started.unsigned == []
    assert all(len(bodies) == 1 for bodies in started.bodies.values())


@pytest.fixture
def run(installation, tmp_path):
    """run(name, text, ...) starts a connector of that configuration."""
    running = []

    def start(name, text, since="now", more="", **rest):
        running.append(Subscribed(installation, tmp_path, name, text, since=since, more=more,
                                  **rest).start())
        return running[-1]

    yield start
    for each in running:
        each.stop()


def assert_whole(events, written):
    """Of events by their numbers: no gap, every record once, each partition in its order."""
    assert sorted(events) == list(range(1, len(written) + 1))
    places = [(event["topic"], event["partition"], event["offset"], event["key"])
              for _, event in sorted(events.items())]
    assert sorted(places) == sorted(written)
    last = {}
    for topic, partition, offset, _ in places:
        assert offset > last.get((topic, partition), -1)
        last[topic, partition] = offset


def kill_while_written(request, seed, writer, connector, count_told):
    """What is written while it is killed again and again, each time in the midst of telling."""
    print(f"tests/run system/outbound_test.py -- --seed {seed}")
    chance = random.Random(seed)
    begin = len(writer.written)
    for _ in range(KILLS_LONG if request.config.getoption("--long") else KILLS):
        told = count_told()
        writer.write_some(chance, EVENTS_PER_KILL)
        writer.give_up("never")
        wait_until(lambda: count_told() > told, "something told", interval_s=0.01)
        with pytest.raises(subprocess.TimeoutExpired):  # it runs on, as it should
            connector.process.child.wait(chance.uniform(0, RUN_ON_MAX_S))
        connector.process.kill()
        connector.start()
    connector.await_subscribed()
    return writer.written[begin:]


def test_what_a_killed_connector_tells_collapses_to_every_event_once(request, seed, writer, run,
                                                                     receiver):
    connector = run("killed", WEBHOOK, url=receiver.url).await_subscribed()
    written = kill_while_written(request, seed, writer, connector,
                                 lambda: len(receiver.bodies))
    wait_until(lambda: len(receiver.bodies) == len(written), "every event", 120)
    events = {}
    for identifier, event in receiver.told:
        assert identifier == f"killed/{event['number']}"
        assert events.setdefault(event["number"], event) == event
    print(f"{len(receiver.told)} deliveries of {len(events)} events")
    assert_whole(events, written)
    assert len(receiver.told) > len(events), "no event was told twice, so nothing was tried"
    assert connector.process.stop() == 0
    told = len(receiver.told)
    connector.start().await_subscribed()
    writer.write("one more")
    wait_until(lambda: receiver.keys()[-1] == "one more", "an event after the restart")
    assert len(receiver.told) == told + 1, "what was stopped in peace repeats nothing"


def test_an_event_is_the_record_as_it_is_consumed(installation, writer, run, receiver):
    run("telling", WEBHOOK, url=receiver.url).await_subscribed()
    writer.write("trial-1", change="registered")
    writer.write("trial-2", change="merged", kind="MERGED", into="trial-1")
    writer.write("trial-3", value=None, change="withdrawn")
    wait_until(lambda: len(receiver.told) == 3, "three events")
    first, merged, gone = (event for _, event in receiver.told)
    consumed = {line["offset"]: line for line in map(
        json.loads, installation.ctl("consume", TOPICS[0], "-o", "json").splitlines())}
    assert first["data"] == consumed[first["offset"]]["value"]
    assert (first["number"], first["type"], first["kind"]) == (1, "atmp.trial.registered", "ACTIVE")
    assert (first["subscription"], first["key"]) == ("telling", "trial-1")
    assert (merged["kind"], merged["data"]["into"]) == ("MERGED", "trial-1")
    assert (gone["kind"], gone["data"], gone["key"]) == ("TOMBSTONE", None, "trial-3")


def test_a_receiver_that_is_away_is_waited_for(writer, run, receiver):
    receiver.answer = lambda event: (500, {})
    connector = run("patient", WEBHOOK, url=receiver.url).await_subscribed()
    writer.write("waited-for")
    connector.await_telling(source="STALLED")
    assert "answered 500" in connector.status()["source_why"]
    connector.process.kill()
    connector.start()
    receiver.answer = lambda event: (302, {"Location": receiver.url + "/elsewhere"})
    wait_until(lambda: any(status == 302 for _, _, status, _ in receiver.asked), "a redirect")
    receiver.answer = lambda event: (200, {})
    writer.write("the next")
    wait_until(lambda: receiver.keys() == ["waited-for", "the next"], "both events")
    assert {path for *_, path in receiver.asked} == {"/events"}
    assert {name for _, name, _, _ in receiver.asked} == {"patient/1", "patient/2"}


def test_it_comes_back_as_late_as_it_is_asked_to(writer, run, receiver):
    answers = iter([(429, {"Retry-After": "3"}), (503, {"Retry-After": "2"})])
    receiver.answer = lambda event: next(answers, (200, {}))
    run("asked", WEBHOOK, url=receiver.url).await_subscribed()
    writer.write("busy")
    wait_until(lambda: receiver.keys() == ["busy"], "the event")
    first, second, third = (at for at, *_ in receiver.asked)
    assert second - first >= 2.9 and third - second >= 1.9


def test_410_ends_the_subscription_for_later_starts_too(writer, run, receiver):
    receiver.answer = lambda event: (410, {})
    connector = run("unwanted", WEBHOOK, url=receiver.url).await_subscribed()
    writer.write("unwanted")
    assert connector.process.wait(START_TIMEOUT_S) == 0
    connector.start()
    assert connector.process.wait(START_TIMEOUT_S) == 0
    status = connector.status()
    assert status["state"] == "STOPPED" and "410 Gone" in status["why"]
    assert len(receiver.asked) == 1
    position = json.loads(connector.do("position", connector.file).stdout) | {"ended": None}
    receiver.answer = lambda event: (200, {})
    done = connector.do("position", connector.file, "--to", json.dumps(position), "--reason",
                        "they want it again")
    assert done.returncode == 0, done.stderr
    connector.start()
    wait_until(lambda: receiver.keys() == ["unwanted"], "the event after all")
    assert receiver.told[0][0] == "unwanted/1"


def dead_letters(installation, connector):
    lines = installation.ctl("consume", "deadletter.lu", "-o", "json").splitlines()
    return [letter for letter in (json.loads(line)["value"] for line in lines)
            if letter["connector"] == connector]


def test_what_is_refused_for_too_long_is_a_dead_letter_and_the_next_goes_on(installation, writer,
                                                                            run, receiver):
    receiver.answer = lambda event: (422 if event["key"] == "poison" else 200, {})
    run("giving-up", WEBHOOK, url=receiver.url, more=", give_up_after_s: 1").await_subscribed()
    writer.write("before")
    topic, partition, offset, _ = writer.write("poison")
    *_, broken, _ = writer.write("broken", value=b"\0\0\0\0\1 what is this?")
    writer.write("after")
    wait_until(lambda: receiver.keys() == ["before", "after"], "what is not poison")
    assert [event["number"] for _, event in receiver.told] == [1, 4]
    refused, unread = dead_letters(installation, "giving-up")
    original = writer.value(topic, "poison")
    assert (refused["stage"], refused["code"]) == ("deliver", "REFUSED")
    assert "answered 422" in refused["reason"]
    assert (refused["topic"], refused["partition"], refused["offset"]) == (topic, partition, offset)
    assert bytes.fromhex(refused["original"]) == original
    assert refused["original_hash"] == hashlib.sha256(original).hexdigest()
    assert (unread["stage"], unread["code"], unread["offset"]) == ("deliver", "ENCODING", broken)


def test_it_stops_instead_where_that_is_wanted(installation, writer, run, receiver):
    receiver.answer = lambda event: (500, {})
    connector = run("stopping", WEBHOOK, url=receiver.url,
                    more=", give_up_after_s: 1, on_failure: stop").await_subscribed()
    writer.write("stopped-at")
    assert connector.process.wait(START_TIMEOUT_S) == 1
    assert connector.status()["state"] == "FAILED"
    assert "answered 500" in connector.status()["why"]
    assert dead_letters(installation, "stopping") == []


def test_a_reader_that_pauses_is_told_nothing(writer, run, receiver):
    connector = run("resting", WEBHOOK, url=receiver.url).await_subscribed()
    assert connector.do("pause", "resting", "--reason", "they move").returncode == 0
    connector.await_telling(state="PAUSED")
    writer.write("later")
    assert connector.do("resume", "resting", "--reason", "they have moved").returncode == 0
    wait_until(lambda: receiver.keys() == ["later"], "the event")


def lines_of(folder):
    """{number: event} of all files, which are named by their numbers."""
    events = {}
    for path in sorted(folder.glob("*json")):
        lines = path.read_text().split("\n")
        assert lines.pop() == "", f"{path.name} is half a file"
        found = [json.loads(line) for line in lines]
        numbers = [event["number"] for event in found]
        named = path.stem.split("-")
        assert [int(part) for part in named] == [numbers[0], numbers[-1]][:len(named)]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert not events.keys() & set(numbers), "a number is in two files"
        events.update(zip(numbers, found, strict=True))
    return events


@pytest.mark.parametrize("name, more", [("filing", ""),
                                        ("rolling", ", events_per_file: 7, wait_ms: 300")])
def test_a_killed_connector_leaves_whole_files_with_every_event_once(request, seed, writer, run,
                                                                     tmp_path, name, more):
    folder = tmp_path / "out"
    seen = {}  # as whoever looks into the folder has found it first

    def count_seen():
        for path in folder.glob("*json"):
            if path.name not in seen:
                seen[path.name] = path.read_bytes()
        return len(seen)

    connector = run(name, FILES, out=folder, more=more).await_subscribed()
    written = kill_while_written(request, seed, writer, connector, count_seen)
    wait_until(lambda: len(lines_of(folder)) == len(written), "every event", 120)
    assert_whole(lines_of(folder), written)
    assert connector.process.stop() == 0
    assert all((folder / file).read_bytes() == found for file, found in seen.items())
    assert list(folder.glob("*.tmp")) == []


def test_what_stands_in_a_topic_is_told_from_the_beginning(installation, writer, run, tmp_path):
    """Every number is in a file or in a dead letter."""
    writer.write("stands already")
    writer.write("broken too", value=b"\0\0\0\0\1 what is this?")
    run("all", FILES, since="beginning", out=tmp_path / "out",
        more=", events_per_file: 1000, wait_ms: 0")

    def found():
        dead = {int(letter["document"].removeprefix("all/")):
                {"topic": letter["topic"], "partition": letter["partition"],
                 "offset": letter["offset"], "key": bytes.fromhex(letter["key"]).decode()}
                for letter in dead_letters(installation, "all")}
        told = lines_of(tmp_path / "out") if (tmp_path / "out").is_dir() else {}
        assert not dead.keys() & told.keys()
        return dead | told

    wait_until(lambda: len(found()) == len(writer.written), "all of them")
    assert_whole(found(), writer.written)
