"""Connectors that are killed while they read: what they have published, by its keys."""

import collections
import random
import subprocess

from confluent_kafka import Consumer, KafkaError, TopicPartition

KILLS, KILLS_LONG = 10, 100
DELAY_MAX_S = 1.0


def keys_of(installation, topic):
    """How often each key was written, as a consumer of what is committed sees it."""
    consumer = Consumer({"bootstrap.servers": installation.broker.bootstrap, "group.id": "killing",
                         "enable.auto.commit": False, "isolation.level": "read_committed",
                         "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    keys, left = collections.Counter(), len(partitions)
    while left:
        message = consumer.poll(30)
        assert message is not None, f"{topic}: nothing came"
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF
            left -= 1
        else:
            keys[message.key().decode()] += 1
    consumer.close()
    return keys


def read_and_kill(request, installation, file, source, seed):
    """What was published of a source that grows while its connector is killed again and again."""
    print(f"tests/run {request.path.parent.name}/{request.path.name} -- --seed {seed}")
    chance = random.Random(seed)
    for _ in range(KILLS_LONG if request.config.getoption("--long") else KILLS):
        process = installation.start_connector(file)
        source.grow()
        try:
            code = process.child.wait(chance.uniform(0, DELAY_MAX_S))
            raise AssertionError(f"it ended with {code}\n{process.tail()}")
        except subprocess.TimeoutExpired:
            process.kill()
    source.grow()
    installation.run_connectors([file])
    return keys_of(installation, "ingest.sus.trial")
