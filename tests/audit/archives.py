"""An archiver before a Kafka, and what its archive is made of."""

import io
import json
import os
import random
import re
import urllib.request

import confluent_kafka
import fastavro
import fastavro.utils

from stack.installation import ROOT
from stack.process import Failed, Process, free_port, wait_until

PROGRAMS = ROOT / "build" / "release" / "bin"
SCHEMAS = ROOT / "schemas"
DEPLOYMENT = "archive.test.example"
ONCE_TIMEOUT_S = 120
WAIT_S = 60
# Several schemas take turns in the log, as they do in a real one.
SUBJECTS = ["trial", "fact", "decision", "rules", "unified.trial"]
KEYS = [b"sus/K-1", "sus/Å".encode(), b"\xff\xfe"]
TOPICS = {"ingest.sus.trial": 2, "log.trial": 1, "unified.gmp-slot": 4, "deadletter.hub": 1}


class Archiver:
    """One archive of one Kafka."""

    def __init__(self, folder, bootstrap, key, name="archive", arguments=()):
        self.folder = folder / name
        self.log = folder / f"{name}.log"
        self.listen = f"127.0.0.1:{free_port()}"
        self.command = [PROGRAMS / "atmp-archive", "--archive", self.folder, "--key", key,
                        "--deployment", DEPLOYMENT, "--listen", self.listen, *arguments]
        self.environment = {**os.environ, "HUB_BOOTSTRAP": bootstrap, "HUB_SCHEMAS": str(SCHEMAS)}
        self.process = None

    def start(self, *arguments):
        self.process = Process("atmp-archive", [*self.command, *arguments], self.log,
                               self.environment).start()
        return self

    def run_once(self):
        code = self.start("--once").process.wait(ONCE_TIMEOUT_S)
        if code != 0:
            raise Failed(f"atmp-archive ended with {code}\n{self.process.tail()}")

    def files(self, *folders):
        """By their names within the archive: the files of partitions' logs in those folders."""
        return {str(path.relative_to(self.folder)): path.read_bytes()
                for path in self.folder.rglob("*") if path.is_file()
                and path.relative_to(self.folder).parts[1:2] and
                path.relative_to(self.folder).parts[0] != "rollup" and
                path.relative_to(self.folder).parts[1] in folders}


def metric(archiver, name):
    with urllib.request.urlopen(f"http://{archiver.listen}/metrics", timeout=5) as answer:
        found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.M)
    return float(found[1]) if found else None


def is_ready(archiver):
    try:
        with urllib.request.urlopen(f"http://{archiver.listen}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_for_round(archiver):
    """Until all there was is archived and signed."""
    try:
        wait_until(lambda: not archiver.process.is_running() or is_ready(archiver),
                   "a whole round", WAIT_S)
    except Failed as error:
        raise Failed(f"{error}\n{archiver.process.tail()}") from error
    if not archiver.process.is_running():
        raise Failed(f"atmp-archive ended\n{archiver.process.tail()}")


def committed(bootstrap, topic):
    """Every committed message, as any consumer finds it."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "committed", "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True})
    try:
        partitions = set(consumer.list_topics(topic, WAIT_S).topics[topic].partitions)
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        while partitions:
            message = consumer.poll(WAIT_S)
            assert message is not None, f"{topic}: nothing came"
            if message.error() is None:
                yield message
            else:
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF
                partitions.discard(message.partition())
    finally:
        consumer.close()


class Values:
    """Values of the hub's own schemas, from a seed, as they are on Kafka."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        lock = json.loads((SCHEMAS / "registry.lock.json").read_text())
        latest = {entry["subject"]: entry for entry in lock}
        self.schemas = {latest[subject]["id"]: fastavro.parse_schema(
            json.loads((SCHEMAS / latest[subject]["file"]).read_text())) for subject in SUBJECTS}
        random.seed(seed)  # fastavro's chance
        self.values = [self._encode(schema_id, value) for schema_id, schema in self.schemas.items()
                       for value in fastavro.utils.generate_many(schema, 20)]

    def _encode(self, schema_id, value):
        body = io.BytesIO()
        fastavro.schemaless_writer(body, self.schemas[schema_id], value)
        return b"\0" + schema_id.to_bytes(4, "big") + body.getvalue()

    def decode(self, value):
        """What it means; what is of none of these schemas is left as it is."""
        schema = self.schemas.get(int.from_bytes((value or b"")[1:5], "big"))
        if schema is None:
            return value
        return fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)

    def next(self):
        """Now and then none, and now and then bytes that are no value."""
        kind = self.chance.random()
        if kind < 0.05:
            return None
        return self.chance.randbytes(30) if kind < 0.1 else self.chance.choice(self.values)


class Feed:
    """Writes to some of the topics in transactions, of which some are aborted."""

    def __init__(self, bootstrap, seed):
        self.values = Values(seed)
        self.chance = random.Random(seed)
        self.committed = 0
        self.producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap,
                                                  "transactional.id": "feed"})
        self.producer.init_transactions(60)

    def write(self, count, commits=False):
        """commits: for certain."""
        aborts = self.chance.random() < 0.2 and not commits
        self.producer.begin_transaction()
        for _ in range(count):
            topic = self.chance.choice(list(TOPICS))
            keyless = topic in ("log.trial", "deadletter.hub")  # the others are compacted
            key = self.chance.choice([*KEYS, None] if keyless else KEYS)
            self.producer.produce(
                topic, self.values.next(), key, self.chance.randrange(TOPICS[topic]),
                headers=[("ce_id", b"feed/1"), ("none", None), ("bytes", b"\xff")])
        if aborts:
            self.producer.flush(60)
            self.producer.abort_transaction(60)
        else:
            self.producer.commit_transaction(60)
            self.committed += count
