"""What connectors have written, as consumers that read what is committed find it."""

import confluent_kafka


def keys_in(installation, topic="ingest.sus.trial", system="sus-trials"):
    """The key of every committed record, without its system, each partition in its order."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": installation.broker.bootstrap, "group.id": "looking",
        "enable.auto.commit": False, "isolation.level": "read_committed",
        "enable.partition.eof": True, "fetch.queue.backoff.ms": 10})
    found = []
    try:
        partitions = consumer.list_topics(topic, 30).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        unended = set(partitions)
        while unended:
            message = consumer.poll(30)
            assert message is not None, f"{topic}: nothing came"
            if message.error() is None:
                found.append(message.key().decode().removeprefix(f"{system}/"))
            else:
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF
                unended.discard(message.partition())
    finally:
        consumer.close()
    return found
