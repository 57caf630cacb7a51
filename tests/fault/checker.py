"""Looks at the records of a run alone, stage by stage, and says what went wrong, in Jepsen's words.

  lost          an input without an outcome, an outcome without its entry, a revision that is missing
  duplicate     two of what there must be one of
  torn          an outcome without the entry that was written with it, or the other way round (G1b)
  out of order  outcomes of one source record that are not in the order of its inputs
  wrong         something else than the inputs before it demand

It knows nothing of the programs: an input's outcome is worked out here again, from the inputs with
the same key, by a few lines of Python.
"""

import collections
import dataclasses
import io
import json
import pathlib

import confluent_kafka
import fastavro

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 60
WORDS = ("lost", "duplicate", "torn", "out of order", "wrong")
EXAMPLES = 3


@dataclasses.dataclass
class Record:
    partition: int
    offset: int
    key: str
    value: bytes
    time_ms: int = 0  # when it was appended


class Schemas:
    """Reads values in the Confluent wire format by the ids of the folder's registry.lock.json."""

    def __init__(self, folder=ROOT / "schemas"):
        self.folder = folder
        lock = json.loads((folder / "registry.lock.json").read_text())
        self.files = {entry["id"]: entry["file"] for entry in lock}
        self.parsed = {}

    def read(self, value):
        schema_id = int.from_bytes(value[1:5], "big")
        if schema_id not in self.parsed:
            text = (self.folder / self.files[schema_id]).read_text()
            self.parsed[schema_id] = fastavro.parse_schema(json.loads(text))
        return fastavro.schemaless_reader(io.BytesIO(value[5:]), self.parsed[schema_id], None)


def read_topic(bootstrap, topic):
    """Every committed record, each partition in the order of its offsets."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "fault-checker", "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True,
        "auto.offset.reset": "error"})
    try:
        partitions = consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        records, unended = [], set(partitions)
        while unended:
            message = consumer.poll(TIMEOUT_S)
            if message is None:
                raise TimeoutError(f"{topic}: nothing came within {TIMEOUT_S} s")
            if message.error() is None:
                records.append(Record(message.partition(), message.offset(),
                                      message.key().decode(), message.value(),
                                      message.timestamp()[1]))
            elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                unended.discard(message.partition())
            else:
                raise confluent_kafka.KafkaException(message.error())
        return records
    finally:
        consumer.close()


class Findings:
    def __init__(self):
        self.counts = collections.Counter()
        self.examples = collections.defaultdict(list)

    def add(self, word, count, text):
        if count > 0:
            self.counts[word] += count
            if len(self.examples[word]) < EXAMPLES:
                self.examples[word].append(text)

    @property
    def is_clean(self):
        return not self.counts

    def __str__(self):
        if self.is_clean:
            return "clean"
        return "; ".join(f"{self.counts[word]} {word} (such as {self.examples[word][0]})"
                         for word in WORDS if self.counts[word])


def by_key(records):
    grouped = collections.defaultdict(list)
    for record in records:
        grouped[record.partition, record.key].append(record)
    return grouped


def first_difference(said, wanted):
    return next(f"{a} where {b} was due" for a, b in zip(said, wanted) if a != b)


def outcomes(inputs, schemas, shard_of):
    """What must become of the versions of one source record, in the order in which they came: a list
    of (outcome, version in force). Versions only rise here; of the stamp, three fields are content.
    shard_of: of a value, the shard that it belongs to."""
    found, content = [], None
    for record in inputs:
        value = schemas.read(record.value)
        stamp = value.pop("statement")
        version = stamp["version"]
        value["said"] = [stamp["event_time"], stamp["state"], stamp["reason"]]
        if content is None:
            outcome = "NEW"
        elif value == content:
            outcome = "UNCHANGED"
        elif shard_of(value) != shard_of(content):
            outcome = "MOVED"
        else:
            outcome = "CHANGED"
        content = value
        found.append((outcome, version))
    return found


def check_entries(where, entries, said, schemas, findings):
    """The entries of one statement against its outcomes: one of each change, and of a move two, of
    which one takes back what was said in the other shard."""
    due = [version for outcome, version in said if outcome != "UNCHANGED"
           for _ in range(1 + (outcome == "MOVED"))]
    versions = [schemas.read(entry.value)["statement"]["version"] for entry in entries]
    place = {version: number for number, version in enumerate(due)}
    findings.add("torn", len(due) - len(entries), f"log of {where}")
    findings.add("duplicate", len(entries) - len(due), f"log of {where}")
    if len(entries) != len(due):
        return
    if sorted(versions) != sorted(due):
        findings.add("out of order", 1, f"log of {where}")
        return
    for partition in {entry.partition for entry in entries}:
        places = [place[version] for entry, version in zip(entries, versions)
                  if entry.partition == partition]
        findings.add("out of order", places != sorted(places), f"log of {where}")


def check_admit(read, institution, domain, schemas, shard_of, log_entries, findings):
    """Inputs against admitted records, and those against the log. The number of inputs."""
    inputs = read(f"ingest.{institution}.{domain}")
    admitted = by_key(read(f"admitted.{institution}.{domain}"))
    for (partition, key), asked in by_key(inputs).items():
        wanted = outcomes(asked, schemas, shard_of)
        said = [(each["outcome"], each["version"]) for each in
                (schemas.read(record.value) for record in admitted.pop((partition, key), []))]
        where = f"{institution} {key}"
        findings.add("lost", len(wanted) - len(said), f"outcomes of {where}")
        findings.add("duplicate", len(said) - len(wanted), f"outcomes of {where}")
        if len(said) == len(wanted) and said != wanted:
            same = sorted(said) == sorted(wanted)
            findings.add("out of order" if same else "wrong", 1,
                         f"outcomes of {where}: {first_difference(said, wanted)}")
        check_entries(where, log_entries.pop(f"{institution}/{key}", []), said, schemas, findings)
    findings.add("wrong", len(admitted), f"outcomes without an input: {list(admitted)[:1]}")
    return len(inputs)


def check_fold(read, domain, schemas, findings):
    """Revisions of a unified record begin with 1 and have no gap and no repetition. What moves to
    another shard begins anew there."""
    last = {}
    for record in read(f"unified.{domain}"):
        revision = schemas.read(record.value)["revision"]
        before = last.get((record.partition, record.key), 0)
        where = f"{record.key} revision {revision} after {before}"
        findings.add("lost", revision - before - 1, where)
        findings.add("duplicate", before - revision + 1, where)
        last[record.partition, record.key] = max(before, revision)
    return len({key for _, key in last})


def check(read, institutions, domain, schemas=None, shard_of=lambda value: 0):
    """(findings, numbers of inputs, entries and entities). read: a topic's records by its name."""
    schemas, findings = schemas or Schemas(), Findings()
    entries = read(f"log.{domain}")
    grouped = collections.defaultdict(list)
    for entry in entries:
        if entry.key.split("/")[0] in institutions:  # else it is no statement's
            grouped[entry.key].append(entry)
    inputs = sum(check_admit(read, institution, domain, schemas, shard_of, grouped, findings)
                 for institution in institutions)
    findings.add("wrong", len(grouped), f"entries without an input: {list(grouped)[:1]}")
    entities = check_fold(read, domain, schemas, findings)
    return findings, {"inputs": inputs, "entries": len(entries), "entities": entities}
