"""What connectors have written, as consumers that read what is committed find it."""

import confluent_kafka


def keys_in(installation, topic="ingest.sus.trial", system="sus-trials"):
    """The key of every committed record, without its system, each partition in its order."""
    return [key for keys in keys_by_partition(installation, topic, system) for key in keys]


def keys_by_partition(installation, topic="ingest.sus.trial", system="sus-trials"):
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": installation.broker.bootstrap, "group.id": "looking",
        "enable.auto.commit": False, "isolation.level": "read_committed",
        "enable.partition.eof": True, "fetch.queue.backoff.ms": 10})
    try:
        partitions = consumer.list_topics(topic, 30).topics[topic].partitions
        found = {number: [] for number in partitions}
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        unended = set(partitions)
        while unended:
            message = consumer.poll(30)
            assert message is not None, f"{topic}: nothing came"
            if message.error() is None:
                found[message.partition()].append(
                    message.key().decode().removeprefix(f"{system}/"))
            else:
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF
                unended.discard(message.partition())
    finally:
        consumer.close()
    return list(found.values())


def reason_of_last_position(installation, name):
    """(by, reason) in the headers of the last position of a connector."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": installation.broker.bootstrap,
                                         "group.id": "positions", "auto.offset.reset": "earliest",
                                         "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([confluent_kafka.TopicPartition("position", 0, 0)])
    found = None
    while (message := consumer.poll(10)) is not None and message.error() is None:
        if message.key() == name.encode():
            headers = {key: value.decode() for key, value in message.headers() or []}
            found = (headers.get("hub_by"), headers.get("hub_reason"))
    consumer.close()
    return found
