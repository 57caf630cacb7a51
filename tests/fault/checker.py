"""Looks at the records of a run alone, stage by stage, and says what went wrong, in Jepsen's words.

  lost          an input without an outcome, an outcome without its entry, a revision that is missing
  duplicate     two of what there must be one of
  torn          an outcome without the entry that was written with it, or the other way round (G1b)
  out of order  outcomes of one source record that are not in the order of its inputs
  wrong         something else than the inputs before it demand

It knows nothing of the programs: an input's outcome is worked out here again, from the inputs with
the same key, by a few lines of Python. Ten million records pass through it: a topic is read once and
nothing of a record is kept but a number or two.
"""

import array
import collections
import dataclasses
import hashlib
import io
import json
import pathlib

import confluent_kafka
import fastavro

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 60
WORDS = ("lost", "duplicate", "torn", "out of order", "wrong")
EXAMPLES = 3
POISON = ("fault", b"poison")  # a header of what was written to be refused


@dataclasses.dataclass
class Record:
    partition: int
    offset: int
    key: str
    value: bytes
    headers: callable = list  # asked of few
    time_ms: int = 0  # when it was appended


class Schemas:
    """Reads values in the Confluent wire format by the ids of the folder's registry.lock.json."""

    def __init__(self, folder=ROOT / "schemas"):
        self.folder = folder
        lock = json.loads((folder / "registry.lock.json").read_text())
        self.files = {entry["id"]: entry["file"] for entry in lock}
        self.parsed = {}

    def schema(self, schema_id, last):
        """Of an Avro record the first fields are a record too: up to the one named, or all."""
        if (schema_id, last) not in self.parsed:
            schema = json.loads((self.folder / self.files[schema_id]).read_text())
            names = [field["name"] for field in schema["fields"]]
            schema["fields"] = schema["fields"][:names.index(last) + 1 if last else None]
            self.parsed[schema_id, last] = fastavro.parse_schema(schema)
        return self.parsed[schema_id, last]

    def read(self, value, last=None):
        return self.split(value, last)[0]

    def split(self, value, last):
        """What is there up to a field, and the bytes after it."""
        body = io.BytesIO(value[5:])
        schema = self.schema(int.from_bytes(value[1:5], "big"), last)
        return fastavro.schemaless_reader(body, schema, None), body.read()


def text(key):
    return (key or b"").decode(errors="replace")


def read_topic(bootstrap, topic):
    """Gives every committed record, each partition in the order of its offsets."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": "fault-checker", "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True,
        "auto.offset.reset": "error", "fetch.queue.backoff.ms": 10})
    try:
        partitions = consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions
        # The beginning, which is not 0 where something was deleted: that would be a finding below.
        consumer.assign([confluent_kafka.TopicPartition(topic, number, confluent_kafka.OFFSET_BEGINNING)
                         for number in partitions])
        unended = set(partitions)
        while unended:
            messages = consumer.consume(5000, 0.05) or consumer.consume(1, TIMEOUT_S)
            if not messages:
                raise TimeoutError(f"{topic}: nothing came within {TIMEOUT_S} s")
            for message in messages:
                if message.error() is None:
                    yield Record(message.partition(), message.offset(), text(message.key()),
                                 message.value(), message.headers, message.timestamp()[1])
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    unended.discard(message.partition())
                else:
                    raise confluent_kafka.KafkaException(message.error())
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

    def take(self, other):
        """Those of another part of the run."""
        self.counts.update(other.counts)
        for word, texts in other.examples.items():
            self.examples[word] = (self.examples[word] + texts)[:EXAMPLES]

    @property
    def is_clean(self):
        return not self.counts

    def __str__(self):
        if self.is_clean:
            return "clean"
        return "; ".join(f"{self.counts[word]} {word} (such as {self.examples[word][0]})"
                         for word in WORDS if self.counts[word])


def numbers():
    return array.array("q")


def by_shard():
    return collections.defaultdict(numbers)


def count(entries):
    return sum(map(len, entries.values()))


def taken_back(version):
    """What stands for the entry that takes a statement back from the shard that it leaves."""
    return hash(("taken back", version))


class Source:
    """One source record: what must become of its versions, in the order in which they came."""

    def __init__(self):
        self.version = None
        self.content = None
        self.shard = None
        self.outcomes = numbers()  # each the hash of (outcome, version in force)
        self.entries = by_shard()  # of the log, each the hash of its value
        self.late = by_shard()  # those that came after a newer one

    def take(self, value, version, content, shard):
        outcome = self.judge(version, content, shard)
        if outcome == "MOVED":
            self.entries[self.shard].append(taken_back(version))
        if outcome == "LATE":
            self.late[self.shard].append(hash(value))
        else:
            self.version, self.content, self.shard = version, content, shard
        if outcome in ("NEW", "CHANGED", "MOVED"):
            self.entries[shard].append(hash(value))
        self.outcomes.append(hash((outcome, self.version)))

    def judge(self, version, content, shard):
        """Versions of one feed compare as texts of one length, and no two are alike."""
        if self.version is None:
            return "NEW"
        if version.rjust(32, "0") < self.version.rjust(32, "0"):
            return "LATE"
        if content == self.content:
            return "UNCHANGED"
        return "CHANGED" if shard == self.shard else "MOVED"


def read_letters(read, domain, schemas, findings):
    """By topic, partition and offset of what was refused: (key, hash of the bytes)."""
    letters = {}
    for record in read("deadletter.hub"):
        letter = schemas.read(record.value)
        if not letter["topic"].endswith(f".{domain}"):
            continue
        place = letter["topic"], letter["partition"], letter["offset"]
        findings.add("duplicate", place in letters, f"dead letters of {place}")
        letters[place] = (text(letter["key"]), hashlib.sha256(letter["original"]).digest())
    return letters


def check_letter(record, letter, where, findings):
    if POISON not in (record.headers() or []):
        findings.add("wrong", 1, f"a sound record was refused: {where}")
    elif letter != (record.key, hashlib.sha256(record.value or b"").digest()):
        findings.add("torn", 1, f"a dead letter with other bytes: {where}")


UNREADABLE = (EOFError, IndexError, KeyError, OverflowError, TypeError, ValueError)


def read_inputs(read, topic, schemas, shard_of, letters, findings):
    """What must become of each source record, by partition and key; and the number of inputs."""
    sources, inputs = collections.defaultdict(Source), 0
    for record in read(topic):
        inputs += 1
        where = f"{topic}/{record.partition}@{record.offset}"
        letter = letters.pop((topic, record.partition, record.offset), None)
        if letter is not None:
            check_letter(record, letter, where, findings)
            continue
        try:
            stamp, rest = schemas.split(record.value, "statement")
        except UNREADABLE:
            findings.add("lost", 1, f"the dead letter of {where}")
            continue
        stamp = stamp["statement"]
        # Of the stamp, three fields are content.
        content = (stamp["event_time"], stamp["state"], stamp["reason"], rest)
        shard = 0 if shard_of is None else shard_of(schemas.read(record.value))
        sources[record.partition, record.key].take(record.value, stamp["version"], content, shard)
    return sources, inputs


def is_thinned(said, wanted):
    """Whether some were taken out of what was wanted, but not the last."""
    left = iter(wanted)
    return bool(said) and said[-1:] == wanted[-1:] and all(each in left for each in said)


def check_outcomes(where, said, wanted, compacted, findings):
    if compacted and is_thinned(said, wanted):
        return
    findings.add("lost", len(wanted) - len(said), f"outcomes of {where}")
    findings.add("duplicate", len(said) - len(wanted), f"outcomes of {where}")
    if len(said) == len(wanted) and said != wanted:
        first = next(i for i, each in enumerate(said) if each != wanted[i])
        findings.add("out of order" if sorted(said) == sorted(wanted) else "wrong", 1,
                     f"outcome {first + 1} of {len(wanted)} of {where}")


def check_entries(where, said, wanted, changes, findings):
    """Entries of one key, by shard."""
    findings.add("torn", changes - count(said), f"log of {where}")
    findings.add("duplicate", count(said) - changes, f"log of {where}")
    if count(said) == count(wanted) and said != wanted:
        same = all(sorted(said[shard]) == sorted(wanted[shard]) for shard in {*said, *wanted})
        findings.add("out of order" if same else "wrong", 1, f"log of {where}")


def check_admit(read, topics, schemas, shard_of, log, letters, compacted, findings):
    """Inputs against admitted records, and those against the log. topics: institution and domain. The
    number of inputs."""
    institution, domain = topics
    sources, inputs = read_inputs(read, f"ingest.{institution}.{domain}", schemas, shard_of, letters,
                                  findings)
    admitted = collections.defaultdict(lambda: (numbers(), collections.Counter()))
    for record in read(f"admitted.{institution}.{domain}"):
        value = schemas.read(record.value)
        said, kinds = admitted[record.partition, record.key]
        said.append(hash((value["outcome"], value["version"])))
        kinds[value["outcome"]] += 1
    for place, source in sources.items():
        said, kinds = admitted.pop(place, (numbers(), collections.Counter()))
        key = f"{institution}/{place[1]}"
        check_outcomes(key, said, source.outcomes, compacted, findings)
        late, changes = kinds["LATE"], len(said) - kinds["LATE"] - kinds["UNCHANGED"]
        changes += kinds["MOVED"]  # with an entry in either shard
        if compacted:
            late, changes = count(source.late), count(source.entries)
        check_entries(key, log.pop(key, by_shard()), source.entries, changes, findings)
        check_entries(f"late/{key}", log.pop(f"late/{key}", by_shard()), source.late, late, findings)
    findings.add("wrong", len(admitted), f"outcomes without an input: {list(admitted)[:1]}")
    return inputs


def check_fold(read, domain, schemas, compacted, findings):
    """Revisions of a unified record begin with 1 and have no gap and no repetition. What moves to
    another shard begins anew there."""
    last = {}
    for record in read(f"unified.{domain}"):
        revision = schemas.read(record.value, "revision")["revision"]
        before = last.get((record.partition, record.key), 0)
        where = f"{record.key} revision {revision} after {before}"
        if not compacted:
            findings.add("lost", revision - before - 1, where)
        findings.add("duplicate", before - revision + 1, where)
        last[record.partition, record.key] = max(before, revision)
    return len({key for _, key in last})


def entry_of(record, schemas, shard_of):
    """What an entry is told apart by: its bytes, which are an input's, or that it takes one back."""
    if shard_of is not None and any(name == "hub_moved_to" for name, _ in record.headers() or []):
        return taken_back(schemas.read(record.value, "statement")["statement"]["version"])
    return hash(record.value)


def read_log(read, domain, institutions, schemas, shard_of):
    """The entries of statements by key and shard; and the number of all."""
    grouped, entries = collections.defaultdict(by_shard), 0
    for record in read(f"log.{domain}"):
        entries += 1
        if record.key.removeprefix("late/").split("/")[0] in institutions:
            grouped[record.key][record.partition].append(entry_of(record, schemas, shard_of))
    return grouped, entries


def check(read, institutions, domain, schemas=None, shard_of=None, compacted=False):
    """(findings, numbers of inputs, dead letters, entries and entities). read: a topic's records by
    its name. shard_of: of a value, the shard that it belongs to; None where there is one. compacted:
    what a later record of the same key replaced may be missing, but for the inputs and the log."""
    schemas, findings = schemas or Schemas(), Findings()
    log, entries = read_log(read, domain, institutions, schemas, shard_of)
    letters = read_letters(read, domain, schemas, findings)
    refused = len(letters)
    inputs = sum(check_admit(read, (institution, domain), schemas, shard_of, log, letters, compacted,
                             findings) for institution in institutions)
    findings.add("wrong", len(log), f"entries without an input: {list(log)[:1]}")
    findings.add("wrong", len(letters), f"dead letters without an input: {list(letters)[:1]}")
    entities = check_fold(read, domain, schemas, compacted, findings)
    return findings, {"inputs": inputs, "dead letters": refused, "entries": entries,
                      "entities": entities}
