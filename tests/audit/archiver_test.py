"""The archiver: what was committed is archived, and killed anywhere its archive becomes what it would have
been."""

import contextlib
import random
import subprocess
import threading
import time

import fastavro
import pytest

from archives import PROGRAMS, TOPICS, WAIT_S, Archiver, Feed, committed, metric, wait_for_round
from stack.installation import make_signing_key
from stack.kafka import Broker
from stack.process import wait_until

KILLS = 50
TRANSACTIONS_A_KILL = 12
DELAY_MAX_S = 0.6
SEGMENT_SIZE_MAX = 100000


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archiver")
    broker = Broker(folder / "kafka").start()
    subprocess.run([PROGRAMS / "hubctl", "topic", "create", "--bootstrap", broker.bootstrap],
                   check=True, capture_output=True, cwd=PROGRAMS.parents[2])
    yield broker
    broker.stop()


@pytest.fixture
def key(tmp_path):
    make_signing_key(tmp_path / "archive.pem")
    return tmp_path / "archive.pem"


def records_of(archiver, topic, partition):
    """As a reader that knows nothing of us finds them: of all segments, by their index."""
    found = []
    for path in archiver.folder.glob(f"{topic}-{partition}/segments/*.avro"):
        with path.open("rb") as file:
            found += list(fastavro.reader(file))
    found.sort(key=lambda record: record["index"])
    assert [record["index"] for record in found] == list(range(len(found)))
    return found


def text(octets):
    """As the archive has it: as a string where it is one."""
    try:
        return octets.decode()
    except (AttributeError, UnicodeDecodeError):
        return octets


def comparable(message, values):
    return {"offset": message.offset(),
            "timestamp": message.timestamp()[1],
            "key": text(message.key()),
            "headers": [{"name": name, "value": text(value)} for name, value in message.headers()],
            "value": values.decode(message.value())}


def test_what_was_committed_is_archived_and_nothing_else(broker, key, tmp_path, seed):
    feed = Feed(broker.bootstrap, seed)
    for _ in range(10):
        feed.write(50)
    archiver = Archiver(tmp_path, broker.bootstrap, key)
    archiver.run_once()
    count = 0
    for topic, partitions in TOPICS.items():
        archived = {partition: records_of(archiver, topic, partition)
                    for partition in range(partitions)}
        for message in committed(broker.bootstrap, topic):
            record = archived[message.partition()].pop(0)
            record["timestamp"] = round(record["timestamp"].timestamp() * 1000)
            del record["index"]
            assert record == comparable(message, feed.values)
            count += 1
        assert not any(archived.values()), "more than there is"
    assert count >= feed.committed


def count_signed(archiver):
    return len(list(archiver.folder.glob("rollup/checkpoints/[0-9]*")))


def test_killed_anywhere_it_becomes_what_it_would_have_been(broker, key, tmp_path, seed):
    chance = random.Random(seed)
    feed = Feed(broker.bootstrap, seed)
    arguments = ["--interval-ms", "20", "--segment-size-max", SEGMENT_SIZE_MAX]
    killed = Archiver(tmp_path, broker.bootstrap, key, "killed", arguments)
    due = threading.Semaphore(0)  # transactions: as many on a slow machine as on a fast one
    ended = threading.Event()

    def write():
        while due.acquire() and not ended.is_set():
            feed.write(chance.randrange(1, 400))

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(KILLS):
            before = count_signed(killed)
            due.release(TRANSACTIONS_A_KILL)
            killed.start()
            if number % 2 == 0:  # else it may come to nothing
                wait_until(lambda: count_signed(killed) > before, "it signing", WAIT_S)
            with contextlib.suppress(subprocess.TimeoutExpired):
                killed.process.child.wait(chance.uniform(0, DELAY_MAX_S))  # it runs on, as it should
            killed.process.kill()
    finally:
        ended.set()
        due.release()
        writing.join()
    killed.run_once()
    undisturbed = Archiver(tmp_path, broker.bootstrap, key, "undisturbed",
                           ["--segment-size-max", SEGMENT_SIZE_MAX])
    undisturbed.run_once()
    due, found = (archiver.files("segments", "tile") for archiver in (undisturbed, killed))
    assert [name for name in due if found.get(name) != due[name]] == []
    assert [name for name in found if name not in due and ".p/" not in name] == []


def test_what_is_far_behind_is_an_error(broker, key, tmp_path, seed):
    """Records are there for longer than it may be behind."""
    feed = Feed(broker.bootstrap, seed)
    feed.write(10, commits=True)
    written_s = time.time()
    wait_until(lambda: time.time() > written_s + 1.1, "the records being old", WAIT_S)
    archiver = Archiver(tmp_path, broker.bootstrap, key, arguments=["--lag-alarm-s", "1"]).start()
    wait_for_round(archiver)
    assert metric(archiver, "atmp_archive_lag_seconds") < 60
    assert metric(archiver, "atmp_archive_records_total") >= 10
    archiver.process.stop()
    assert "event=archive_lag " in archiver.log.read_text()
    assert "event=archive_lag_over" in archiver.log.read_text()


def test_two_do_not_write_one_archive(broker, key, tmp_path):
    first = Archiver(tmp_path, broker.bootstrap, key).start()
    wait_for_round(first)
    second = Archiver(tmp_path, broker.bootstrap, key)
    second.log = tmp_path / "second.log"
    assert second.start("--once").process.wait(WAIT_S) == 1
    assert "another process writes this archive" in second.log.read_text()
    assert first.process.is_running()
    assert first.process.stop() == 0


def test_an_archive_of_another_kafka_is_refused(broker, key, tmp_path, seed):
    Feed(broker.bootstrap, seed).write(20, commits=True)
    archiver = Archiver(tmp_path, broker.bootstrap, key)
    archiver.run_once()
    other = Broker(tmp_path / "kafka").start()
    try:
        subprocess.run([PROGRAMS / "hubctl", "topic", "create", "--bootstrap", other.bootstrap],
                       check=True, capture_output=True, cwd=PROGRAMS.parents[2])
        archiver.environment["HUB_BOOTSTRAP"] = other.bootstrap
        assert archiver.start("--once").process.wait(WAIT_S) == 1
        assert "was made anew, or is of another Kafka" in archiver.log.read_text()
    finally:
        other.stop()


def test_a_key_that_is_none_is_refused(broker, tmp_path):
    (tmp_path / "archive.pem").write_text("no key")
    archiver = Archiver(tmp_path, broker.bootstrap, tmp_path / "archive.pem")
    assert archiver.start("--once").process.wait(WAIT_S) == 1
    assert "openssl genpkey" in archiver.log.read_text()
