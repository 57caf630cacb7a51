"""Replay: what was archived comes again, once, in its order, though it is interrupted; and never where it would
pass for what is."""

import hashlib
import json
import os
import pty
import random
import re
import shutil
import subprocess
import time

import confluent_kafka
import confluent_kafka.admin
import pytest

from archives import DEPLOYMENT, PROGRAMS, SCHEMAS, TOPICS, WAIT_S, Archiver, Feed, committed
from stack.installation import ROOT, make_signing_key
from stack.kafka import Broker
from stack.process import Process, wait_until

BATCHES = 12
TIMEOUT_S = 120
KILLS = 6
AUTHORIZED = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""
CACHE = ROOT.home() / ".cache" / "atmp-hub"
FAKETIME = CACHE / "faketime" / "usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def order(message):
    """Of what was appended at different times, and of equal times."""
    return message.timestamp()[1], message.topic(), message.partition(), message.offset()


class World:
    """A Kafka, what was committed to it, and its archive."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.broker = Broker(folder / "kafka").start()
        subprocess.run([PROGRAMS / "hubctl", "topic", "create", "--bootstrap", self.broker.bootstrap],
                       check=True, capture_output=True, cwd=ROOT)
        self.feed = Feed(self.broker.bootstrap, seed)
        for _ in range(BATCHES):
            self.feed.write(60)
        make_signing_key(folder / "archive.pem")
        self.archiver = Archiver(folder, self.broker.bootstrap, folder / "archive.pem")
        self.archiver.run_once()
        topics = [path.name.rpartition("-")[0] for path in self.archiver.folder.iterdir()
                  if (path / "checkpoint").exists()]
        self.messages = sorted((message for topic in sorted(set(topics) - {""})
                                for message in committed(self.broker.bootstrap, topic)), key=order)
        assert len(self.messages) >= self.feed.committed > 300
        self.environment = {**os.environ, "HUB_ARCHIVE": str(self.archiver.folder),
                            "HUB_BOOTSTRAP": self.broker.bootstrap, "HUB_SCHEMAS": "nowhere"}

    def replay(self, *arguments, archive=None, code=0, **environment):
        """What it said; and it ended with that code."""
        own = {**self.environment, **environment}
        if archive is not None:
            own["HUB_ARCHIVE"] = str(archive)
        done = subprocess.run([PROGRAMS / "hubctl", "replay", *map(str, arguments)], env=own,
                              capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
                              cwd=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self, log, *arguments):
        return Process("hubctl", [PROGRAMS / "hubctl", "replay", *arguments,
                                  "--archive", self.archiver.folder], log, self.environment).start()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("replay"), seed=20561126)
    yield world
    world.broker.stop()


@pytest.fixture(scope="module")
def whole(world):
    """A file that everything was replayed to."""
    path = world.folder / "whole.jsonl"
    world.replay("--to-file", path)
    return path


def certificate(path):
    return json.loads(path.with_name(path.name + ".certificate.json").read_text())


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def place(line):
    return line["topic"], line["partition"], line["offset"]


def place_of(message):
    return message.topic(), message.partition(), message.offset()


# --- to a file ---


def test_a_file_has_what_was_committed_in_the_order_in_which_it_happened(world, whole):
    assert [place(line) for line in lines_of(whole)] == [place_of(each) for each in world.messages]


def text(octets):
    """As lines have it: null is null, and what is no text is in hexadecimal."""
    try:
        return None if octets is None else octets.decode()
    except UnicodeDecodeError:
        return octets.hex()


def test_a_line_has_the_key_the_headers_and_the_value_that_were_committed(world, whole):
    for line, message in zip(lines_of(whole), world.messages, strict=True):
        assert line["key"] == text(message.key())
        assert line["headers"] == {name: text(value) for name, value in message.headers() or []}
        value = world.feed.values.decode(message.value())
        assert (line["value"] is None) == (value is None or isinstance(value, bytes))
        assert line.get("bytes") == (value.hex() if isinstance(value, bytes) else None)
        if isinstance(value, dict) and "rules" in value:
            assert line["value"]["rules"] == value["rules"]


def test_a_line_is_as_consume_prints_it(world, whole):
    printed = {}
    for topic in TOPICS:
        done = subprocess.run([PROGRAMS / "hubctl", "consume", topic, "-o", "json"], check=True,
                              capture_output=True, text=True, cwd=ROOT,
                              env={**world.environment, "HUB_SCHEMAS": str(SCHEMAS)})
        printed |= {place(line): line for line in map(json.loads, done.stdout.splitlines())}
    assert printed
    for line in lines_of(whole):
        marks = line.pop("replayed")
        assert marks["archive"] == f"{DEPLOYMENT}/{line['topic']}-{line['partition']}"
        if line["topic"] in TOPICS:
            assert line == printed[place(line)]


def test_the_certificate_says_what_it_is(world, whole):
    told, lines = certificate(whole), lines_of(whole)
    digest = hashlib.sha256(bytes.fromhex("".join(line["replayed"]["sha256"] for line in lines)))
    assert (told["count"], told["digest"]) == (len(lines), digest.hexdigest())
    for name, line in (("first", lines[0]), ("last", lines[-1])):
        assert told[name] == {key: line[key] for key in ("topic", "partition", "offset", "timestamp")}
    assert told["keys"] == "each log's own"
    for log in told["logs"]:
        signed = (world.archiver.folder / log["log"] / "checkpoint").read_text().splitlines()
        assert signed[:3] == [log["origin"], str(log["size"]), log["root"]]
        assert (world.archiver.folder / log["log"] / "log.vkey").read_text().strip() == log["key"]
    made = {(rules["topic"], rules["rules"], rules["core"]): rules["records"]
            for rules in told["rules"]}
    unified = [(line["topic"], line["value"]["rules"], line["value"]["core"]) for line in lines
               if line["topic"].startswith("unified.") and "rules" in (line["value"] or {})]
    assert made == {each: unified.count(each) for each in unified} != {}
    assert not whole.with_name(whole.name + ".certificate.json.begun").exists()


def test_a_range_a_topic_and_a_domain_are_what_was_asked_for(world, whole, tmp_path):
    lines = lines_of(whole)
    times = sorted(line["timestamp"] for line in lines)
    begin, end = times[len(times) // 3], times[2 * len(times) // 3]
    assert begin < end

    def iso(timestamp):
        seconds, milliseconds = divmod(timestamp, 1000)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03}Z"

    world.replay("--to-file", tmp_path / "range", "--from", iso(begin), "--to", iso(end))
    assert lines_of(tmp_path / "range") == [line for line in lines
                                            if begin <= line["timestamp"] < end]
    assert certificate(tmp_path / "range")["from"] == iso(begin)
    world.replay("--to-file", tmp_path / "topic", "--topic", "log.trial")
    assert lines_of(tmp_path / "topic") == [line for line in lines if line["topic"] == "log.trial"]
    world.replay("--to-file", tmp_path / "domain", "--domain", "trial")
    assert lines_of(tmp_path / "domain") == [
        line for line in lines if line["topic"] in ("log.trial", "ingest.sus.trial")]
    world.replay("--to-file", tmp_path / "none", "--from", "2056-01-01")
    assert certificate(tmp_path / "none")["count"] == 0
    assert (tmp_path / "none").read_bytes() == b""


def test_what_cannot_be_is_refused_with_what_would_pass(world, whole, tmp_path):
    file = tmp_path / "file"
    for arguments, code, words in (
            ([], 2, "--to-file FILE or --to-topic replay.NAME"),
            (["--to-file", file, "--from", "yesterday"], 1, "2026-03-01T12:00:00+01:00 would pass"),
            (["--to-file", file, "--from", "2026-03-02", "--to", "2026-03-02"], 1, "must be later"),
            (["--to-file", file, "--topic", "log.nothing"], 1, "no log of what is asked for"),
            (["--to-file", file, "--resume"], 1, "nothing to go on with"),
            (["--to-file", whole], 1, "is there already"),
            (["--to-file", whole, "--resume"], 1, "it is whole"),
            (["--to-file", file, "--key", "nobody"], 2, "no key")):
        assert words in world.replay(*arguments, code=code)
        assert not file.exists()


def begun_of(world, path):
    """As a replay leaves it that was killed just after it began."""
    told = certificate(path)
    return json.dumps({name: told[name] for name in ("from", "to", "topic", "domain", "entity",
                                                     "logs")})


def test_cut_anywhere_it_becomes_the_same_file(world, whole, tmp_path, seed):
    chance = random.Random(seed)
    data = whole.read_bytes()
    for cut in (0, 1, data.index(b"\n"), data.index(b"\n") + 1, len(data) - 1, len(data),
                *(chance.randrange(len(data)) for _ in range(KILLS))):
        path = tmp_path / f"{cut}"
        path.write_bytes(data[:cut])
        path.with_name(f"{cut}.certificate.json.begun").write_text(begun_of(world, whole))
        world.replay("--to-file", path, "--resume")
        assert path.read_bytes() == data
        told, due = certificate(path), certificate(whole)
        assert {**told, "file": ""} == {**due, "file": ""}


def test_killed_it_becomes_the_same_file(world, whole, tmp_path):
    path = tmp_path / "killed"
    lines = whole.read_bytes().count(b"\n")
    took_s = (lines_of(whole)[-1]["timestamp"] - lines_of(whole)[0]["timestamp"]) / 1000
    arguments = ["--to-file", path, "--speed", str(took_s / 6)]
    for kill in range(1, 4):
        process = world.start(tmp_path / "log", *arguments)
        wait_until(lambda due=kill * lines // 5: path.exists() and path.read_bytes().count(b"\n") > due,
                   "lines", WAIT_S)
        process.kill()
        arguments = ["--to-file", path, "--speed", str(took_s / 6), "--resume"]
    assert path.read_bytes().count(b"\n") < lines
    world.replay("--to-file", path, "--resume")
    assert path.read_bytes() == whole.read_bytes()
    assert certificate(path)["digest"] == certificate(whole)["digest"]


def test_interrupted_it_says_how_to_go_on(world, whole, tmp_path):
    path = tmp_path / "stopped"
    process = world.start(tmp_path / "log", "--to-file", path, "--speed", "0.001")
    wait_until(lambda: path.exists() and path.stat().st_size > 0, "a line", WAIT_S)
    process.child.terminate()
    assert process.child.wait(WAIT_S) == 1
    assert "--resume goes on with it" in (tmp_path / "log").read_text()
    assert not path.with_name("stopped.certificate.json").exists()
    assert "is there already; --resume" in world.replay("--to-file", path, code=1)
    assert "not with --topic" in world.replay("--to-file", path, "--resume", "--topic", "log.trial",
                                              code=1)
    world.replay("--to-file", path, "--resume")
    assert path.read_bytes() == whole.read_bytes()


def test_on_a_terminal_it_shows_how_far_it_is(world, tmp_path):
    terminal, own = pty.openpty()
    said = b""
    with subprocess.Popen([PROGRAMS / "hubctl", "replay", "--to-file", tmp_path / "file", "--speed", "0.2"],
                          env=world.environment, stdout=own, stderr=own) as child:
        os.close(own)
        deadline = time.monotonic() + WAIT_S
        while not re.search(rb"\d+ records, \d+/s, \d+:\d\d:\d\d left", said):
            assert time.monotonic() < deadline, said
            said += os.read(terminal, 1000)
        child.kill()
    os.close(terminal)


def test_what_another_wrote_is_not_gone_on_with(world, whole, tmp_path):
    lines = whole.read_text().splitlines(keepends=True)
    for name, text, words in (("swapped", lines[1] + lines[0], "are not the first ones"),
                              ("more", "".join([*lines, lines[0]]), "records are written"),
                              ("other", "{}\n", "line 1 is none of a replay")):
        path = tmp_path / name
        path.write_text(text)
        path.with_name(f"{name}.certificate.json.begun").write_text(begun_of(world, whole))
        assert words in world.replay("--to-file", path, "--resume", code=1)
        assert not path.with_name(f"{name}.certificate.json").exists()


# --- what was altered ---


def test_an_altered_byte_ends_it_with_the_record_s_name_and_no_certificate(world, tmp_path):
    copy = tmp_path / "archive"
    shutil.copytree(world.archiver.folder, copy)
    segment = copy / "log.trial-0" / "segments" / "0.avro"
    data = bytearray(segment.read_bytes())
    data[-20] ^= 1
    segment.write_bytes(data)
    path = tmp_path / "file"
    said = world.replay("--to-file", path, archive=copy, code=1)
    assert f"{DEPLOYMENT}/log.trial-0: record " in said
    assert "are not those that were archived" in said
    assert not path.with_name("file.certificate.json").exists()


def test_another_key_than_that_of_the_archive_is_refused(world, tmp_path):
    make_signing_key(tmp_path / "other.pem")
    other = Archiver(tmp_path, world.broker.bootstrap, tmp_path / "other.pem", "other")
    other.run_once()
    keys = tmp_path / "keys"
    keys.write_text("".join(path.read_text() for path in sorted(other.folder.glob("*/log.vkey"))))
    said = world.replay("--to-file", tmp_path / "file", "--key", keys, code=1)
    assert "has not signed it" in said
    world.replay("--to-file", tmp_path / "own", "--key", keys, archive=other.folder)
    assert certificate(tmp_path / "own")["keys"] == "given"


# --- to a topic ---


def messages_of(world, topic):
    found = list(committed(world.broker.bootstrap, topic))
    assert [message.partition() for message in found] == [0] * len(found)
    return found


def expect_all(world, topic):
    """Every record is there once, in order, as it was, and says so."""
    found = messages_of(world, topic)
    assert len(found) == len(world.messages)
    for number, (message, due) in enumerate(zip(found, world.messages, strict=True), 1):
        headers = message.headers()
        assert (message.key(), message.value()) == (due.key(), due.value())
        assert headers[:-3] == (due.headers() or [])
        marks = dict(headers[-3:])
        assert marks["hub_replayed_from"].decode() == \
            f"{due.topic()}-{due.partition()}@{due.offset()}"
        assert marks["hub_replayed_time"].decode().endswith(f".{due.timestamp()[1] % 1000:03}Z")
        assert marks["hub_replay"].decode().split()[0] == str(number)
    return dict(found[-1].headers())["hub_replay"].decode().split()[1]


def test_a_topic_gets_every_record_once_and_marked(world, whole, tmp_path):
    told = tmp_path / "told.json"
    world.replay("--to-topic", "replay.once", "--certificate", told)
    digest = expect_all(world, "replay.once")
    assert digest == certificate(whole)["digest"] == json.loads(told.read_text())["digest"]
    assert "has records already" in world.replay("--to-topic", "replay.once", "--certificate",
                                                 tmp_path / "again.json", code=1)


def test_killed_at_any_time_a_topic_gets_every_record_once(world, tmp_path, seed):
    chance = random.Random(seed)
    told = tmp_path / "told.json"
    took_s = (order(world.messages[-1])[0] - order(world.messages[0])[0]) / 1000
    arguments = ["--to-topic", "replay.killed", "--certificate", told, "--speed", str(took_s / 30)]
    begun = tmp_path / "told.json.begun"
    for _ in range(KILLS):
        process = world.start(tmp_path / "log", *arguments, *(["--resume"] if begun.exists() else []))
        wait_until(begun.exists, "its beginning", WAIT_S)
        try:
            process.child.wait(chance.uniform(0.1, 1.5))
        except subprocess.TimeoutExpired:
            process.kill()
    assert not told.exists(), "it was never killed in the middle"
    assert 0 < len(messages_of(world, "replay.killed")) < len(world.messages)
    world.replay("--to-topic", "replay.killed", "--certificate", told, "--resume")
    assert expect_all(world, "replay.killed") == json.loads(told.read_text())["digest"]


def end_of(world, topic):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": world.broker.bootstrap,
                                         "group.id": "ends"})
    try:
        return consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), WAIT_S)[1]
    finally:
        consumer.close()


@pytest.mark.parametrize("topic", ["unified.gmp-slot", "log.trial", "decision", "replay", "replay.",
                                   "Replay.x", "replays.x", ""])
def test_a_live_topic_is_refused(world, tmp_path, topic):
    before = {name: end_of(world, name) for name in TOPICS}
    said = world.replay("--to-topic", topic, "--certificate", tmp_path / "told", code=2)
    assert "a name that begins with replay. would pass" in said
    assert {name: end_of(world, name) for name in TOPICS} == before
    assert not list(tmp_path.iterdir())


def allow(bootstrap, principal, topics, pattern):
    acl = confluent_kafka.admin
    binding = acl.AclBinding(acl.ResourceType.TOPIC, topics, pattern, principal, "*",
                             acl.AclOperation.ALL, acl.AclPermissionType.ALLOW)
    admin = acl.AdminClient({"bootstrap.servers": bootstrap})
    for answer in admin.create_acls([binding]).values():
        answer.result(WAIT_S)


def is_denied(bootstrap, topic):
    errors = []
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, b"", b"key", on_delivery=lambda error, _: errors.append(error))
    producer.flush(WAIT_S)
    code = errors[0] and errors[0].code()
    return code == confluent_kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_whoever_may_write_to_replay_topics_may_not_to_live_ones(world, tmp_path):
    """By Kafka itself, with one prefixed rule; the hub is allowed everything, and is somebody else."""
    broker = Broker(tmp_path / "kafka", properties=AUTHORIZED).start()
    try:
        subprocess.run([PROGRAMS / "hubctl", "topic", "create", "--bootstrap", broker.bootstrap],
                       check=True, capture_output=True, cwd=ROOT)
        assert not is_denied(broker.bootstrap, "log.trial")
        patterns = confluent_kafka.admin.ResourcePatternType
        allow(broker.bootstrap, "User:ANONYMOUS", "replay.", patterns.PREFIXED)
        allow(broker.bootstrap, "User:hub", "*", patterns.LITERAL)
        for topic in TOPICS:
            wait_until(lambda live=topic: is_denied(broker.bootstrap, live), "its denial", WAIT_S)
        world.replay("--to-topic", "replay.allowed", "--certificate", tmp_path / "told",
                     HUB_BOOTSTRAP=broker.bootstrap)
        assert json.loads((tmp_path / "told").read_text())["count"] == len(world.messages)
    finally:
        broker.stop()


# --- years later ---


def test_an_archive_that_grew_is_replayed_as_it_was(world, whole, tmp_path):
    """Last but one: from here on the archive has more."""
    data = whole.read_bytes()
    path = tmp_path / "grown"
    path.write_bytes(data[:len(data) // 2])
    path.with_name("grown.certificate.json.begun").write_text(begun_of(world, whole))
    copy = tmp_path / "archive"
    shutil.copytree(world.archiver.folder, copy)
    world.feed.write(200)
    grown = Archiver(tmp_path, world.broker.bootstrap, world.folder / "archive.pem", "archive")
    grown.run_once()
    world.replay("--to-file", path, "--resume", archive=copy)
    assert path.read_bytes() == data
    world.replay("--to-file", tmp_path / "more", archive=copy)
    assert certificate(tmp_path / "more")["count"] > certificate(path)["count"]


@pytest.fixture
def in_2056():
    """Found before jemalloc, which asks for the time before faketime can tell it, is the C library's malloc."""
    if not FAKETIME.exists():
        pytest.skip("NO FAKETIME: deploy/setup --tests unpacks it")
    later = {"LD_PRELOAD": f"{FAKETIME} libc.so.6", "FAKETIME": "@2056-03-02 00:00:00", "TZ": "UTC"}
    said = subprocess.run(["date", "+%Y"], env=later, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "2056"
    return later


def test_in_2056_it_is_the_same(world, whole, tmp_path, in_2056):
    world.replay("--to-file", tmp_path / "file", **in_2056)
    assert (tmp_path / "file").read_bytes() == whole.read_bytes()
    told, due = certificate(tmp_path / "file"), certificate(whole)
    assert {**told, "file": ""} == {**due, "file": ""}
