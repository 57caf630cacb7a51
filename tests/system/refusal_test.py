"""A hub refuses to start where it and the topics disagree: it says with what it would start, ends, and
has written nothing."""

import json
import shutil

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

import cleaning
from installations import take
from stack.installation import ROOT
from stack.process import Process, free_port, wait_until

pytestmark = pytest.mark.long("an installation of its own for hubs that do not start")
START_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def installation(install):
    started = install()
    take(started)
    assert started.hub.stop() == 0
    return started


@pytest.fixture
def schemas(tmp_path):
    return shutil.copytree(ROOT / "schemas", tmp_path / "schemas")


def ends(installation):
    """Where every topic partition ends, markers of transactions and all."""
    consumer = Consumer({"bootstrap.servers": installation.broker.bootstrap, "group.id": "ends"})
    found = {(name, number): consumer.get_watermark_offsets(TopicPartition(name, number), 30)[1]
             for name, topic in consumer.list_topics(timeout=30).topics.items()
             if not name.startswith("__") for number in topic.partitions}
    consumer.close()
    return found


def start(installation, folder, schemas):
    return Process("another", [installation.programs / "atmp-hub", "--instance", "another",
                               "--schemas", schemas, "--state", folder / "state",
                               "--listen", f"127.0.0.1:{free_port()}"],
                   folder / "another.log", installation.environment).start()


def refusal(installation, folder, schemas=ROOT / "schemas"):
    """What a hub with these schemas says when it stops."""
    before = ends(installation)
    hub = start(installation, folder, schemas)
    assert hub.wait(START_TIMEOUT_S) == 1
    assert ends(installation) == before
    last = hub.log_text().splitlines()[-1]
    assert "event=stopped" in last and "level=error" in last
    return last


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1))


def test_topics_with_other_partitions_than_the_schemas_ask_for(installation, schemas, tmp_path):
    edit(schemas / "domains" / "exchange.avsc", lambda schema: schema.update({"hub:shard": "lot"}))
    edit(schemas / "domains" / "exchange.avsc", lambda schema: schema["fields"].append(
        {"name": "lot", "type": "string", "default": "", "doc": "What picks the shard.",
         "hub:merge": ["latest"], "hub:conflict": "minor"}))
    cleaning.lock(schemas)
    said = refusal(installation, tmp_path, schemas)
    assert "topic log.exchange has 1 partitions; 4 would pass" in said


def test_a_lock_that_is_not_the_one_that_the_shards_were_worked_on_with(installation, schemas, tmp_path):
    subjects = ("exchange", "unified.exchange")
    edit(schemas / "registry.lock.json", lambda lock: lock.__setitem__(
        slice(None), [entry for entry in lock if entry["subject"] not in subjects]))
    cleaning.lock(schemas)
    said = refusal(installation, tmp_path, schemas)
    assert "was worked on with schemas up to" in said
    assert "does not have them all: one that has them would pass" in said


def test_schemas_that_are_not_those_of_their_lock(installation, schemas, tmp_path):
    edit(schemas / "domains" / "exchange.avsc", lambda schema: schema.update(doc="Other words."))
    assert "hubctl schema lock" in refusal(installation, tmp_path, schemas)


def test_rules_that_are_not_those_of_the_log_are_said_and_not_used(installation, schemas, tmp_path):
    """The log says by which rules a shard is folded, whoever folds it: nothing to refuse."""
    edit(schemas / "domains" / "trial.avsc", lambda schema: next(
        field for field in schema["fields"] if field["name"] == "status").update(
            {"hub:conflict": "critical"}))
    cleaning.lock(schemas)
    before = ends(installation)
    hub = start(installation, tmp_path, schemas)
    wait_until(lambda: "event=rules_not_in_force" in hub.log_text(), "a word about the rules")
    assert hub.stop() == 0
    assert ends(installation) == before
    assert "log.trial/0 is folded by the rules" in hub.log_text()


def test_a_shard_of_a_newer_core(installation, tmp_path):
    """As if a hub of the next release had worked on it: the core is the last field but none."""
    consumer = Consumer({"bootstrap.servers": installation.broker.bootstrap, "group.id": "newer"})
    consumer.assign([TopicPartition("unified.trial", 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    assert message.value()[-1] == 2  # core 1, as Avro writes it
    producer = Producer({"bootstrap.servers": installation.broker.bootstrap})
    producer.produce("unified.trial", key=message.key(), value=message.value()[:-1] + b"\x04",
                     partition=0)
    assert producer.flush(30) == 0
    said = refusal(installation, tmp_path)
    assert "unified.trial/0 was made by core 2, this one is 1" in said
