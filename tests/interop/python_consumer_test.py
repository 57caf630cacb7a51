"""A stock Python consumer, with none of our code, reads what the hub publishes.

Schemas come from the hub's registry endpoint, by the ids in the records.
"""

import functools
import subprocess
import sys

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

import readme

CLOUDEVENTS = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "content-type"}


@pytest.fixture(scope="module")
def installation(own_installation):
    return own_installation


@pytest.fixture(scope="module")
def read(installation):
    """read(topic): every committed record, decoded: [(key, value, headers)]"""
    deserialise = AvroDeserializer(SchemaRegistryClient({"url": installation.registry}))

    @functools.cache
    def read_all(topic):
        consumer = Consumer({"bootstrap.servers": installation.broker.bootstrap,
                             "group.id": f"test-{topic}", "enable.auto.commit": False,
                             "isolation.level": "read_committed", "enable.partition.eof": True,
                             "auto.offset.reset": "earliest"})
        partitions = consumer.list_topics(topic).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        records, left = [], len(partitions)
        while left:
            message = consumer.poll(30)
            assert message is not None, f"{topic}: nothing came"
            if message.error():
                left -= 1
                continue
            context = SerializationContext(topic, MessageField.VALUE)
            records.append((message.key().decode(), deserialise(message.value(), context),
                            dict(message.headers() or [])))
        consumer.close()
        return records

    return read_all


def topics(installation, prefix):
    return [topic["topic"] for topic in installation.ctl_json("topic", "list")
            if topic["topic"].startswith(prefix)]


def unified_topics(installation):
    return [name for name in topics(installation, "unified.") if name != "unified.identifier"]


def test_every_unified_topic_is_read(installation, read):
    names = unified_topics(installation)
    assert len(names) >= 3
    listed = {entity["entity_id"]: entity
              for entity in installation.ctl_json("entity", "list", "--all")}
    found = {}
    for name in names:
        for key, value, _ in read(name):
            assert key == value["entity_id"]
            found[key] = value
    assert set(found) == set(listed)
    for key, value in found.items():
        assert value["kind"] == listed[key]["kind"]
        assert value["revision"] == listed[key]["revision"]
        assert [s["key"] for s in value["statements"]] == \
               [s["key"] for s in listed[key]["statements"]]


def test_revisions_have_no_gap(installation, read):
    for name in unified_topics(installation):
        revisions = {}
        for key, value, _ in read(name):
            revisions.setdefault(key, []).append(value["revision"])
        for key, numbers in revisions.items():
            assert numbers == list(range(1, len(numbers) + 1)), key


def test_numbers_lead_to_entities(installation, read):
    """The last record of each key, as a table has it, whichever partition is read last."""
    latest = {key: value for key, value, _ in read("unified.identifier")}
    listed = {entity["entity_id"] for entity in installation.ctl_json("entity", "list")}
    found = {entity for value in latest.values() if value for entity in value["entities"]}
    assert set() != found <= listed
    for key, value in latest.items():
        assert not value or value["identifier"] in (key, key.rsplit("#", 1)[0])


@pytest.mark.parametrize("prefix", ["ingest.", "log.", "conflict.", "match.", "admitted.",
                                    "deadletter.", "position"])
def test_all_else_is_read_too(installation, read, prefix):
    assert any([read(name) for name in topics(installation, prefix)]) or prefix == "match."


def test_every_record_has_the_envelope(installation, read):
    for name in topics(installation, "unified.") + topics(installation, "conflict."):
        for key, _, headers in read(name):
            assert CLOUDEVENTS <= set(headers), (name, key)
            assert headers["ce_specversion"] == b"1.0"
            assert headers["ce_subject"].decode() == key


def test_the_readmes_consumer_prints_every_trial(installation):
    """As it is printed, but for the two addresses and an end that comes sooner."""
    text, = readme.code("python")
    for printed, actual in (("http://127.0.0.1:8081", installation.registry),
                            ("127.0.0.1:19092", installation.broker.bootstrap),
                            ("poll(10)", "poll(3)")):
        assert text.count(printed) == 1
        text = text.replace(printed, actual)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    trials = [entity for entity in installation.ctl_json("entity", "list", "--domain", "trial")]
    for trial in trials:
        assert f"{trial['entity_id']} ACTIVE {trial['value']['status']}" in done.stdout
