"""An archive of seeded records, written by the library that archives, and what was put into it."""

import io
import json
import os
import pathlib
import random
import subprocess

import fastavro

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITER = ROOT / "build" / "release" / "tests" / "audit" / "write_archive"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "atmp-hub"
DEPLOYMENT = "audit.example"
SUBJECTS = ("unified.trial", "unified.gmp-slot")
BEGINS_MS = 1772323200000  # 2026-03-01
SEGMENT_SIZE_MAX = 20000
PRIVATE = bytes(range(1, 33))
LETTERS = "abcXYZ019 -:/éåß漢"


def registered(subject):
    """Id and file of the subject's last schema."""
    entries = json.loads((ROOT / "schemas" / "registry.lock.json").read_text())
    entry = max((entry for entry in entries if entry["subject"] == subject),
                key=lambda entry: entry["version"])
    return entry["id"], ROOT / "schemas" / entry["file"]


class Values:
    """Values of a schema, at random."""

    def __init__(self, dice, schema):
        self.dice = dice
        self.named = {}
        self.schema = schema
        self.collect(schema, "")

    def collect(self, schema, namespace):
        if isinstance(schema, list):
            for branch in schema:
                self.collect(branch, namespace)
        elif isinstance(schema, dict):
            namespace = schema.get("namespace", namespace)
            if "name" in schema:
                self.named[schema["name"]] = schema
                self.named[f"{namespace}.{schema['name']}"] = schema
            for inner in [schema.get("items"), schema.get("values"),
                          *[field["type"] for field in schema.get("fields", [])]]:
                self.collect(inner, namespace)
            if isinstance(schema.get("type"), (dict, list)):
                self.collect(schema["type"], namespace)

    def text(self):
        return "".join(self.dice.choices(LETTERS, k=self.dice.randrange(20)))

    def make(self, schema=None, depth=0):
        schema = self.schema if schema is None else schema
        if isinstance(schema, list):
            branches = schema if depth < 5 else [schema[0]]
            return self.make(self.dice.choice(branches), depth + 1)
        if isinstance(schema, str):
            return self.simple(schema) if schema not in self.named \
                else self.make(self.named[schema], depth)
        kind = schema["type"]
        if kind == "record":
            return {field["name"]: self.make(field["type"], depth + 1)
                    for field in schema["fields"]}
        if kind == "enum":
            return self.dice.choice(schema["symbols"])
        if kind == "array":
            return [self.make(schema["items"], depth + 1) for _ in range(self.dice.randrange(3))]
        if kind == "map":
            return {self.text(): self.make(schema["values"], depth + 1)
                    for _ in range(self.dice.randrange(3))}
        if kind == "fixed":
            return self.dice.randbytes(schema["size"])
        return self.make(kind, depth)

    def simple(self, name):
        return {"null": lambda: None, "boolean": lambda: self.dice.random() < 0.5,
                "int": lambda: self.dice.randrange(30000),
                "long": lambda: self.dice.randrange(2 ** 42),
                "float": lambda: float(self.dice.randrange(1000)),
                "double": lambda: self.dice.randrange(10 ** 6) / 8,
                "string": self.text,
                "bytes": lambda: self.dice.randbytes(self.dice.randrange(20))}[name]()


def encode(schema, value):
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, value)
    return body.getvalue()


def hexadecimal(value):
    return "-" if value is None else f"x{value.hex()}"


class Archive:
    """One partition's log in a folder, of `size` records, signed at some of its sizes."""

    def __init__(self, folder, size, seed=1, topic="unified.slot", private=PRIVATE,
                 signed=None):
        self.folder = pathlib.Path(folder)
        self.topic = topic
        self.size = size
        self.private = private
        self.dice = random.Random(seed)
        self.schemas = {}  # id -> (path, parsed)
        self.records = []
        self.lines = []
        for subject in SUBJECTS:
            schema_id, path = registered(subject)
            raw = json.loads(path.read_text())
            self.schemas[schema_id] = (path, raw, fastavro.parse_schema(raw))
            self.lines.append(f"schema {schema_id} {path}")
        self.signed = sorted(signed or {size // 7 + 1, size // 2, size})
        self.make()

    def make(self):
        offset = 0
        for index in range(self.size):
            record = self.record(offset, index)
            self.records.append(record)
            headers = ",".join(f"{name}:{hexadecimal(value)}" for name, value in record["headers"])
            self.lines.append(" ".join(map(str, (
                "record", offset, record["timestamp"], hexadecimal(record["key"]), headers or "-",
                record["kind"], record["schema"], hexadecimal(record["encoded"])))))
            offset += self.dice.choice((1, 1, 1, 2, 5))
            if index + 1 in self.signed:
                self.lines.append(f"sign {offset}")
        self.next_offset = offset

    def record(self, offset, index):
        dice = self.dice
        kind = dice.choices(("avro", "null", "bytes"), (8, 1, 1))[0]
        schema = dice.choice(list(self.schemas)) if kind == "avro" else 0
        value = encoded = None
        if kind == "avro":
            value = Values(dice, self.schemas[schema][1]).make()
            encoded = encode(self.schemas[schema][2], value)
        elif kind == "bytes":
            encoded = dice.randbytes(dice.randrange(60))
        headers = [(f"ce_{number}", dice.choice((None, b"text", b"\xff\x00")))
                   for number in range(dice.randrange(3))]
        return {"index": index, "offset": offset, "timestamp": BEGINS_MS + 1000 * index,
                "key": dice.choice((None, f"sus/{index}".encode(), b"\xfe\xff")), "kind": kind,
                "schema": schema, "value": value, "encoded": encoded, "headers": headers}

    def write(self, folder=None, lines=None, deployment=DEPLOYMENT):
        subprocess.run([WRITER, folder or self.folder, deployment, self.topic, "0",
                        hexadecimal(self.private), str(SEGMENT_SIZE_MAX)],
                       input="\n".join(lines or self.lines) + "\n", text=True, check=True,
                       timeout=120)
        return self

    def written_until(self, size, folder):
        """What it was when it had that size and was signed, in another folder."""
        last = [at for at, line in enumerate(self.lines) if line.startswith("sign ")][
            self.signed.index(size)]
        self.write(folder, self.lines[:last + 1])
        return folder

    def roll_up(self):
        """Tells the roll-up log beside it what the log is now."""
        self.write(lines=["rollup"])
        return self.folder.with_name("rollup")

    @property
    def origin(self):
        return f"{DEPLOYMENT}/{self.topic}-0"

    @property
    def key(self):
        return (self.folder / "log.vkey").read_text().strip()

    def segments(self):
        return sorted((self.folder / "segments").iterdir(), key=lambda path: int(path.stem))

    def leaf(self, index):
        """What the log says of a record."""
        bundle = next((self.folder / "tile" / "entries").glob(f"{index // 256:03d}*"))
        if bundle.is_dir():
            bundle = max(bundle.iterdir(), key=lambda path: int(path.name))
        data, at = bundle.read_bytes(), 0
        for _ in range(index % 256):
            at += 2 + int.from_bytes(data[at:at + 2], "big")
        return json.loads(data[at + 2:at + 2 + int.from_bytes(data[at:at + 2], "big")])
