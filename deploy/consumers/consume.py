#!/usr/bin/env python3
"""Print each row of a topic once, a JSON object a line, up to the topic's present end.

BROKERS and TOPIC are variables of the environment. Needs confluent-kafka, which
pip installs. As a module it yields the records to duckdb_load.py.
"""

import os
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition


def identity(headers):
    """Return what identifies a row: service, stream, day, id.

    It is the same for the same row always. None stands for a record that is not
    the connector's.
    """
    named = {name: value.decode() for name, value in headers or [] if value is not None}
    if "op" in named:  # a profile that changes from A to B and back has A's id twice
        sys.exit("the topic is that of a stream with MODE=changes: read it as a table, as profiles.sh does")
    parts = named.get("export", "").split("/")
    if "id" not in named or len(parts) != 4:
        return None
    service, stream, day, _ = parts
    return service, stream, day, named["id"]


def records(brokers, topic, offsets=None):
    """Yield all records from the given offsets on, by partition, or from the start."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "dfinery-example",  # needed by the client; it commits nothing
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "enable.metrics.push": False,
        }
    )
    try:
        found = consumer.list_topics(topic, timeout=30).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        left = set(found.partitions)
        start = offsets or {}
        consumer.assign([TopicPartition(topic, p, start.get(p, OFFSET_BEGINNING)) for p in left])
        while left:
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error() is None:
                yield message
            elif message.error().code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            else:
                raise KafkaException(message.error())
    finally:
        consumer.close()


def main():
    """Print the rows."""
    seen = set()
    for message in records(os.environ["BROKERS"], os.environ["TOPIC"]):
        row = identity(message.headers())
        if row is None or row in seen:
            continue
        seen.add(row)
        sys.stdout.buffer.write(message.value() + b"\n")


if __name__ == "__main__":
    main()
