"""Statements about slots of GMP facilities, made from a seed: what three systems say about the same slots, in the
proportions of statements.c. Slots of a suite never overlap, and their status takes legal steps only."""

import hashlib
import io
import itertools
import json
import random

import fastavro
from confluent_kafka import Producer

from load import ROOT, newest_schema

DOMAIN = "gmp-slot"
SHARDS, FACILITIES_OF_SHARD = 4, 6
SYSTEMS = [("lumc-mes", "lumc", 100), ("sus-atmp", "sus", 70), ("lumc-calendar", "lumc", 25)]  # % of slots
BEGAN_MS, HOUR_MS = 1735689600000, 3600 * 1000  # 2025-01-01
SPAN_H = 8  # what each slot has for itself
TRANSACTION_TIMEOUT_MS = 600_000


def shard_of(facility):
    return int.from_bytes(hashlib.sha256(facility.encode()).digest()[:4], "big") % SHARDS


def make_facilities():
    """As many in each shard."""
    found = [[] for _ in range(SHARDS)]
    for number in itertools.count():
        name = f"facility-{number}"
        if len(found[shard_of(name)]) < FACILITIES_OF_SHARD:
            found[shard_of(name)].append(name)
        if all(len(names) == FACILITIES_OF_SHARD for names in found):
            return [name for names in found for name in names]


def make_encoder():
    newest = newest_schema(DOMAIN)
    schema = fastavro.parse_schema(json.loads((ROOT / "schemas" / newest["file"]).read_text()))

    def encode(value):
        out = io.BytesIO(b"\0" + newest["id"].to_bytes(4, "big"))
        out.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(out, schema, value)
        return out.getvalue()

    return encode


def tells_of(share_percent, slot):
    return (slot * 2654435761 >> 7) % 100 < share_percent


class Slots:
    """records: [(topic, key, value)]; expected: what the hub must make of them."""

    def __init__(self, events, slots, seed):
        self.chance = random.Random(seed)
        self.facilities = make_facilities()
        self.encode = make_encoder()
        self.facts = [("HELD", 0, 0) for _ in range(slots)]  # status, hours into its span, step
        self.told = {}  # (slot, system) → its facts and when
        self.events = events
        self.expected = {"created": 0, "changed": 0, "unchanged": 0}
        self.records = [self.tell(sequence) for sequence in range(1, events + 1)]
        self.expected["entities"] = len({slot for slot, _ in self.told})
        self.bytes = sum(len(key) + len(value) for _, key, value in self.records)

    def tell(self, sequence):
        chance = self.chance
        slot = int(len(self.facts) * chance.random() ** 3)  # few are told of often
        system, institution, _ = chance.choice([each for each in SYSTEMS if tells_of(each[2], slot)])
        self.advance(slot, system, sequence)
        value = self.value(slot, *self.told[slot, system], sequence)
        return f"ingest.{institution}.{DOMAIN}", f"{system}/S{slot}", self.encode(value)

    def advance(self, slot, system, sequence):
        """What the system says of it next, and what the hub must count it as."""
        told = self.told.get((slot, system))
        if told and self.expected["unchanged"] * 10 < sequence * 3:
            self.expected["unchanged"] += 1
            return
        while told and told[0] == self.facts[slot]:
            self.facts[slot] = self.changed(*self.facts[slot])
        self.told[slot, system] = self.facts[slot], BEGAN_MS + sequence * 10
        self.expected["changed" if told else "created"] += 1

    def changed(self, status, hours, step):
        field = self.chance.choice(["status", "hours", "step"])
        return ({"HELD": "BOOKED", "BOOKED": "HELD"}[status] if field == "status" else status,
                self.chance.randrange(SPAN_H // 2) if field == "hours" else hours,
                step + 1 if field == "step" else step)

    def value(self, slot, facts, event_ms, sequence):
        status, hours, step = facts
        start = BEGAN_MS + (slot * SPAN_H + hours) * HOUR_MS
        return {"statement": {"version": str(sequence), "event_time": {"time": event_ms}},
                "identifiers": [{"scheme": "slot", "issuer": "rooms", "value": f"S{slot}", "relation": "SELF"}],
                "facility": self.facilities[slot % len(self.facilities)], "suite": f"suite {slot % 7}",
                "interval": {"start": {"time": start}, "end": {"time": start + SPAN_H // 2 * HOUR_MS}},
                "status": status, "process_step": f"step {step}"}


class Withheld:
    """Records in the ingest topics that no reader sees before they are released, all at once."""

    def __init__(self, bootstrap, records):
        self.producer = Producer({
            "bootstrap.servers": bootstrap, "transactional.id": "bench-slots", "linger.ms": 5,
            "partitioner": "murmur2_random", "queue.buffering.max.messages": len(records) + 1,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS, "log_level": 0})
        self.producer.init_transactions()
        self.producer.begin_transaction()
        for topic, key, value in records:
            self.producer.produce(topic, key=key, value=value)
        self.producer.flush()

    def release(self):
        self.producer.commit_transaction()
