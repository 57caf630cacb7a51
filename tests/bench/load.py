"""What all subjects are given: generated statements in the ingest topics, written once."""

import json
import os
import pathlib
import subprocess

from stack.process import Failed

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
MEMORY = "/dev/shm"  # a folder in it
PROGRAMS = ROOT / "build" / "release" / "tests" / "bench"
INSTITUTIONS = ["sus", "lu", "lumc"]
INGEST = [f"ingest.{name}.trial" for name in INSTITUTIONS]


def call(command, **environment):
    """What a program prints; Failed where it does not end well."""
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, env={**os.environ, **environment})
    if done.returncode != 0:
        raise Failed(f"{command[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(what, found, wanted):
    """The benchmark is worth nothing where its subjects did not do the work."""
    if found != wanted:
        raise Failed(f"{what}: {found}, where {wanted} was generated")


def newest_schema(subject):
    """Its entry in the lock file: {id, version, file, ...}"""
    listed = json.loads((ROOT / "schemas" / "registry.lock.json").read_text())
    return max((each for each in listed if each["subject"] == subject),
               key=lambda each: each["version"])


def schema_id(subject):
    return newest_schema(subject)["id"]


class Topics:
    def __init__(self, broker):
        self.broker = broker

    def create_all(self):
        call([BIN / "hubctl", "topic", "create"], HUB_BOOTSTRAP=self.broker.bootstrap,
             HUB_SCHEMAS=str(ROOT / "schemas"))

    def create(self, *names):
        call([PROGRAMS / "topics", "create", self.broker.bootstrap, *names])

    def drop(self, *names):
        call([PROGRAMS / "topics", "drop", self.broker.bootstrap, *names])

    def read(self, *names):
        """{topic: {records, bytes, digest, first_ms, last_ms}}"""
        return json.loads(call([PROGRAMS / "topics", "read", self.broker.bootstrap, *names]))


class Load:
    """records, bytes, digest: of what was written; created, changed, unchanged, entities,
    conflicts_open: what the hub must make of it."""

    def __init__(self, broker, events, trials, seed):
        self.topics = Topics(broker)
        self.topics.create_all()
        written = json.loads(call([PROGRAMS / "produce", broker.bootstrap, events, trials, seed],
                                  HUB_SCHEMAS=str(ROOT / "schemas")))
        self.events = written["records"]
        self.bytes = written["bytes"]
        self.digest = written["digest"]
        self.expected = written
        found = self.topics.read(*INGEST)
        expect("ingested records", sum(each["records"] for each in found.values()), self.events)
        expect("ingested digest", self.sum_of_digests(found.values()), self.digest)

    @staticmethod
    def sum_of_digests(found):
        """Digests of records add up."""
        return f"{sum(int(each['digest'], 16) for each in found) % 2**64:016x}"
