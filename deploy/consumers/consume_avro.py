#!/usr/bin/env python3
"""Print each row of a topic in Avro once, a JSON object a line, up to the topic's present end.

BROKERS, TOPIC and REGISTRY are variables of the environment. Each value is read with
the schema that it was written with, so that columns may have come meanwhile. Needs
confluent-kafka[avro,schemaregistry], which pip installs.
"""

import datetime
import json
import os

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from consume import identity, records


def text(value):
    """Write what JSON has no type for."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return str(value)  # a date or a decimal


def main():
    """Print the rows."""
    topic = os.environ["TOPIC"]
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": os.environ["REGISTRY"]}))
    seen = set()
    for message in records(os.environ["BROKERS"], topic):
        row = identity(message.headers())
        if row is None or row in seen:
            continue
        seen.add(row)
        value = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
        cells = {name: cell for name, cell in value.items() if cell is not None}
        print(json.dumps(cells, default=text, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main()
