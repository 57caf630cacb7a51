"""Numbers of persons, placed in every field of every sample in turn, through the real connectors: none of them is
in a topic, a log or a metric afterwards, and every document that had one is accounted for."""

import datetime
import itertools
import re
import shutil
import urllib.request

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from installations import OWN_SAMPLES

# Made up, with check digits that hold; a Dutch number is one only beside a word that says so.
CANARIES = {"personnummer": "19121212-1212", "samordningsnummer": "191212721219",
            "burgerservicenummer": "BSN 123456782"}
HARMLESS = "19121212-1213"  # its check digit does not hold: the control
TOLD = re.compile(rb"(?:19)?121212-?1212|(?:19)?121272-?1219|123456782")
MOMENT = "2026-02-16T08:12:40.000Z"
SNAPSHOTS_FROM = datetime.date(2000, 1, 1)


def json_fields(text):
    """Values, not names: (where its text begins and ends, what it is to be put in)."""
    for found in re.finditer(r'"((?:[^"\\]|\\.)*)"(\s*:)?|(?<=[\s:\[,])-?\d[\d.eE+-]*', text):
        if found[1] is not None and found[2] is None:
            yield (*found.span(1), "{}")
        elif found[1] is None:
            yield (*found.span(), '"{}"')


def xml_fields(text):
    for found in re.finditer(r'>([^<>]*[^<>\s][^<>]*)<|\s(?!xmlns)[\w:.-]+="([^"<>]*)"', text):
        if not text[:found.start()].rstrip().endswith("<?xml"):
            yield (*found.span(1 if found[1] is not None else 2), "{}")


def hl7_fields(text):
    for found in re.finditer(r"(?<=[|^~])[^|^~\r\n]+", text):
        if not re.fullmatch(r"\\&", found[0]):
            yield (*found.span(), "{}")


def labelled_fields(text):
    for found in re.finditer(r"(?<=:)[^\r\n]+", text):
        yield (*found.span(), " {}")


def cell_fields(text):
    """Of the first row of each table; a name of a column is none."""
    separator = max("\t;,", key=text.split("\n", 1)[0].count)
    first = text.index("\n") + 1
    end = text.find("\n", first)
    for found in re.finditer(rf'(?:^|(?<={separator}))(?:"(?:[^"]|"")*"|[^{separator}\r]*)',
                             text[first:end]):
        yield found.start() + first, found.end() + first, "{}"


FIELDS = {".json": json_fields, ".xml": xml_fields, ".hl7": hl7_fields, ".ics": labelled_fields,
          ".txt": labelled_fields, ".csv": cell_fields, ".tab": cell_fields}


def table_of_canaries(text, canaries):
    """A row for each cell of the first one and each canary, each with an id of its own."""
    head, row = text.split("\n")[:2]
    cells = row.split("\t")
    rows = [[canary if i == at else cell for i, cell in enumerate(cells)]
            for at in range(len(cells)) for canary in canaries]
    for number, changed in enumerate(rows):
        if changed[0] == cells[0]:
            changed[0] = f"{cells[0]}{number}"
    return "\n".join([head, *map("\t".join, rows)]) + "\n", len(rows)


def name_of(path, number):
    """One that the connector takes; what is called by a day is of another day each."""
    if re.search(r"\d{4}-\d{2}-\d{2}$", path.stem):
        day = SNAPSHOTS_FROM + datetime.timedelta(days=number)
        return re.sub(r"\d{4}-\d{2}-\d{2}$", str(day), path.stem) + path.suffix
    if path.suffix == ".txt" and "." in path.stem:
        return f"{path.stem}.{number}{path.suffix}"
    return f"{path.stem}-{number}{path.suffix}"


def with_own_entries(changed, text, number):
    """A page of a feed that is XML still, and does not repeat another one's entries. What an entry is
    known by is no place for a canary: such a feed is refused whole (unit/atom_test.c)."""
    if "<feed" not in text:
        return changed
    known_by = re.compile(r"(<entry>.*?<id>)[^<]*(</id>\s*<updated>)[^<]*", re.S)
    entries = itertools.count()
    changed = known_by.sub(lambda found: f"{found[1]}{number}-{next(entries)}{found[2]}{MOMENT}",
                           changed)
    return text.partition("?>")[0] + "?>" + changed.partition("?>")[2]


def plant(samples, folder, canaries):
    """A copy of each sample for each of its fields and each canary, with that in its place. How many."""
    number = 0
    for path in sorted(samples.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        there = folder / path.relative_to(samples).parent
        there.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".txt" and "\t" in text:  # it is known by its name
            changed, count = table_of_canaries(text, canaries)
            (there / path.name).write_text(changed)
            number += count
            continue
        for start, end, form in FIELDS[path.suffix](text):
            for canary in canaries:
                changed = text[:start] + form.format(canary) + text[end:]
                # A register serves one revision of each study.
                changed = re.sub(r'"NCT\d{8}"', f'"NCT{number:08}"', changed)
                changed = with_own_entries(changed, text, number)
                (there / name_of(path, number)).write_bytes(
                    changed.encode("utf-8", "surrogateescape"))
                number += 1
    return number


def everything_in(broker):
    """(topic, bytes) of each record: its key, its value and its headers."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "canary",
                         "enable.auto.commit": False, "enable.partition.eof": True,
                         "isolation.level": "read_uncommitted"})  # what was aborted has left, too
    partitions = [TopicPartition(name, number, 0)
                  for name, topic in consumer.list_topics().topics.items()
                  for number in topic.partitions if not name.startswith("__")]
    consumer.assign(partitions)
    left = len(partitions)
    while left:
        message = consumer.poll(30)
        assert message is not None, "nothing came"
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF
            left -= 1
            continue
        headers = b"\n".join(name.encode() + b"=" + (value or b"")
                             for name, value in message.headers() or [])
        yield message.topic(), b"\n".join((message.key() or b"", message.value() or b"", headers))
    consumer.close()


@pytest.fixture
def planted(install, tmp_path):
    """planted(canaries): an installation whose connectors have read them, and how many there were."""
    def start(canaries):
        samples = tmp_path / "samples"
        count = plant(OWN_SAMPLES, samples, canaries)
        installation = install(samples)
        installation.run_connectors()
        installation.wait_until_settled()
        shutil.rmtree(samples)
        return installation, count

    return start


def logs_and_metrics(installation):
    for path in installation.folder.glob("*.log"):
        yield path.name, path.read_bytes()
    with urllib.request.urlopen(f"{installation.registry}/metrics", timeout=10) as answer:
        yield "metrics", answer.read()


def test_no_number_of_a_person_leaves(planted, capsys):
    installation, count = planted(CANARIES.values())
    found = [(where, TOLD.search(data)[0], data)
             for what in (everything_in(installation.broker), logs_and_metrics(installation))
             for where, data in what if TOLD.search(data)]
    held = sum(1 for path in (installation.folder / "state" / "held").rglob("*") if path.is_file())
    with capsys.disabled():
        print(f"\n{count:,} documents with a number of a person in one field each: {len(found)} "
              f"told of outside, {held:,} kept back whole")
    assert not found, [(where, number, data[:300]) for where, number, data in found[:5]]
    assert held > count // 2


def test_what_only_looks_like_one_is_published(planted):
    """The control: what is placed so does arrive, in statements and in dead letters."""
    installation, _ = planted([HARMLESS])
    where = {topic.split(".")[0] for topic, data in everything_in(installation.broker)
             if HARMLESS.encode() in data}
    assert {"ingest", "unified", "deadletter"} <= where
