"""What hubctl status and refold say is wrong, where something is: the controls of the other tests."""

import json

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from installations import take


@pytest.fixture(scope="module")
def installation(install):
    started = install()
    take(started)
    return started


def write(installation, topic, key, value):
    producer = Producer({"bootstrap.servers": installation.broker.bootstrap})
    producer.produce(topic, value=value, key=key, partition=0)
    assert producer.flush(30) == 0


def first_record(installation, topic):
    consumer = Consumer({"bootstrap.servers": installation.broker.bootstrap, "group.id": "control"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    return message


def test_nothing_is_wrong_at_first(installation):
    assert installation.ctl_result("status").returncode == 0
    assert installation.ctl_result("refold", "trial").returncode == 0


def test_each_conflict_is_listed_for_those_who_should_act(installation):
    every = installation.ctl_json("conflict", "list")
    for institution in ("sus", "lumc", "lu"):
        listed = installation.ctl_json("conflict", "list", "--owner", institution)
        assert listed == [conflict for conflict in every if institution in conflict["owners"]]
    assert every and all(conflict["owners"] for conflict in every)
    assert installation.ctl_json("conflict", "list", "--owner", "nobody") == []


def test_a_record_that_no_connector_counted_is_found(installation):
    """It claims to come from LU, by a key that is nobody's; the hub refuses it, and status tells that
    more was read than was published."""
    write(installation, "ingest.lu.trial", "nobody/1", b"\x00nothing of ours")
    installation.wait_until_settled()
    result = installation.ctl_result("status")
    assert result.returncode == 1
    assert "trial: published by connectors" in result.stdout
    assert "is not read by admit" in result.stdout
    letters = [letter for letter in installation.ctl_json("dlq", "list")
               if letter["place"].startswith("deadletter.hub/")]
    assert len(letters) == 1
    shown = json.loads(installation.ctl("dlq", "show", letters[0]["place"], "-o", "json"))
    assert shown["stage"] == "admit" and shown["topic"] == "ingest.lu.trial"
    assert bytes.fromhex(shown["original"]) == b"\x00nothing of ours"


def test_a_unified_record_that_no_fold_made_is_found(installation):
    record = first_record(installation, "unified.trial")
    write(installation, "unified.trial", record.key(), record.value())
    result = installation.ctl_result("refold", "trial")
    assert result.returncode == 1
    assert "the log gives no such record" in result.stdout
    assert "0 compacted away, 1 differences" in result.stdout


def test_a_listing_that_no_fold_made_is_found(installation):
    write(installation, "unified.identifier", b"nct:NCT99000101", b"\x00nothing of ours")
    result = installation.ctl_result("refold", "trial")
    assert result.returncode == 1
    assert "unified.identifier" in result.stdout and "0 compacted away, 2 differences" in result.stdout
    assert ", 0 compacted away, 0 differences" in installation.ctl("refold", "gmp-slot")


def test_a_key_that_is_no_text_is_shown_in_hexadecimal(installation):
    write(installation, "match.trial", b"\xff\x01a", None)
    shown = [json.loads(line) for line in
             installation.ctl("consume", "match.trial", "-o", "json").splitlines()]
    assert shown[-1]["key"] == "ff0161" and shown[-1]["value"] is None
