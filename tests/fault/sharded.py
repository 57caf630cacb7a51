"""Statements about domains that have several shards: slots of GMP facilities, and cleanings, a domain
made for the test; with a few trials that the slots refer to."""

import hashlib
import io
import json
import random

import fastavro
from confluent_kafka import Producer

PICKING = {"gmp-slot": "facility", "cleaning": "hall"}  # the field whose value picks the shard
DOMAINS = (*PICKING, "trial")
SHARDS = 4
VOICES = {"gmp-slot": [("lumc", "lumc-mes"), ("lumc", "lumc-calendar"), ("sus", "sus-atmp")],
          "cleaning": [("lumc", "lumc-mes"), ("lumc", "lumc-calendar")],
          "trial": [("sus", "sus-trials"), ("lumc", "cart-register")]}
PLACES, NUMBERS, TRIALS = 24, 150, 20
HOUR_MS = 3600 * 1000


def shard_of(domain, value):
    """The first four bytes of the digest of what picks it."""
    if domain not in PICKING:
        return 0
    digest = hashlib.sha256(value[PICKING[domain]].encode()).digest()
    return int.from_bytes(digest[:4], "big") % SHARDS


class Feed:
    def __init__(self, schemas, bootstrap, seed):
        self.chance = random.Random(seed)
        self.producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True,
                                  "partitioner": "murmur2_random", "linger.ms": 5, "log_level": 0})
        self.encoders = {domain: self.encoder(schemas, domain) for domain in DOMAINS}
        self.said = {}
        self.written = dict.fromkeys(DOMAINS, 0)
        self.versions = 0

    @staticmethod
    def encoder(folder, subject):
        entry = [entry for entry in json.loads((folder / "registry.lock.json").read_text())
                 if entry["subject"] == subject][-1]
        parsed = fastavro.parse_schema(json.loads((folder / entry["file"]).read_text()))
        head = b"\0" + entry["id"].to_bytes(4, "big")

        def encode(value):
            out = io.BytesIO()
            fastavro.schemaless_writer(out, parsed, value)
            return head + out.getvalue()

        return encode

    def content(self, domain, number):
        """What is said of it; now and then from another place than before."""
        chance = self.chance
        own = {"scheme": "cleaning" if domain == "cleaning" else "slot", "issuer": "rooms",
               "value": f"N{number}", "relation": "SELF"}
        place = f"place-{number % PLACES if chance.random() < 0.97 else chance.randrange(PLACES)}"
        if domain == "trial":
            return {"identifiers": [{"scheme": "nct", "value": self.nct(number % TRIALS),
                                     "relation": "SELF"}],
                    "status": chance.choice(["RECRUITING", "COMPLETED", "WITHDRAWN"])}
        if domain == "cleaning":
            return {"identifiers": [own], "hall": place, "room": chance.choice(["one", "two"]),
                    "status": chance.choice(["PLANNED", "DONE"])}
        start = chance.randrange(2000) * HOUR_MS
        return {"identifiers": [own], "facility": place, "suite": "suite",
                "links": [{"domain": "trial", "role": "trial", "identifier":
                           {"scheme": "nct", "value": self.nct(chance.randrange(TRIALS)),
                            "relation": "SELF"}}],
                "interval": {"start": {"time": start},
                             "end": {"time": start + chance.randrange(1, 9) * HOUR_MS}},
                "status": chance.choice(["HELD", "BOOKED", "CANCELLED"])}

    @staticmethod
    def nct(number):
        return f"NCT99{number:06}"

    def write(self, count):
        chance = self.chance
        for _ in range(count):
            domain = chance.choice(["gmp-slot"] * 5 + ["cleaning"] * 4 + ["trial"])
            institution, system = chance.choice(VOICES[domain])
            number = chance.randrange(NUMBERS if domain != "trial" else TRIALS)
            name = self.nct(number) if domain == "trial" else f"N{number}"
            key = f"{system}/{name}"
            topic = f"ingest.{institution}.{domain}"
            if (topic, key) not in self.said or chance.random() < 0.8:  # else the same again
                self.said[topic, key] = self.content(domain, number)
            self.versions += 1
            value = {"statement": {"version": str(self.versions)}, **self.said[topic, key]}
            self.producer.produce(topic, key=key, value=self.encoders[domain](value))
            self.written[domain] += 1
        assert self.producer.flush(60) == 0

    def stop(self):
        self.producer.flush(10)
