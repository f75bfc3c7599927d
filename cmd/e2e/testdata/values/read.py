"""Print the values of a topic as confluent-kafka's deserializers read them.

read.py BROKERS TOPIC REGISTRY FORMAT: a JSON object a line, of the cells that are not
null. Each cell is a list of its type in Python and its text.
"""

import datetime
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.timestamp_pb2 import Timestamp


def records(brokers, topic):
    """Yield all values, up to the present end."""
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": topic, "enable.auto.commit": False, "enable.partition.eof": True, "enable.metrics.push": False}
    )
    left = set(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in left])
    while left:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error() is None:
            yield message.value()
        elif message.error().code() == KafkaError._PARTITION_EOF:
            left.discard(message.partition())
        else:
            raise KafkaException(message.error())
    consumer.close()


def text(value):
    """Return a cell as its type and a text that equal values share."""
    if isinstance(value, Timestamp):
        value = value.ToDatetime(tzinfo=datetime.timezone.utc)
    if isinstance(value, datetime.datetime):
        return ["datetime", value.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")]
    return [type(value).__name__, repr(value) if isinstance(value, float) else str(value)]


def avro(client, topic):
    """Read by the schema of each value's id; columns are named as the schema says."""
    deserialize = AvroDeserializer(client)
    names = {}

    def read(value):
        schema_id = int.from_bytes(value[1:5], "big")
        if schema_id not in names:
            fields = json.loads(client.get_schema(schema_id).schema_str)["fields"]
            names[schema_id] = {f["name"]: f.get("column", f["name"]) for f in fields}
        cells = deserialize(value, SerializationContext(topic, MessageField.VALUE))
        return {names[schema_id][name]: cell for name, cell in cells.items() if cell is not None}

    return read


def json_schema(client, topic):
    """Read and validate by the schema of each value's id."""
    schemas = {}

    def read(value):
        schema_id = int.from_bytes(value[1:5], "big")
        if schema_id not in schemas:
            schemas[schema_id] = JSONDeserializer(client.get_schema(schema_id).schema_str)
        cells = schemas[schema_id](value, SerializationContext(topic, MessageField.VALUE))
        return {name: cell for name, cell in cells.items() if cell is not None}

    return read


def protobuf(client, topic):
    """Read by the newest schema, compiled by protoc, as readers with generated code do."""
    where = tempfile.TemporaryDirectory()
    folder = pathlib.Path(where.name)
    (folder / "events.proto").write_text(client.get_latest_version(topic + "-value").schema.schema_str)
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--python_out={folder}", "events.proto"], check=True)
    sys.path.insert(0, str(folder))
    module = importlib.import_module("events_pb2")
    message = list(module.DESCRIPTOR.message_types_by_name)[0]
    deserialize = ProtobufDeserializer(getattr(module, message), {"use.deprecated.format": False})

    def read(value, _=where):
        decoded = deserialize(value, SerializationContext(topic, MessageField.VALUE))
        return {f.json_name: cell for f, cell in decoded.ListFields()}

    return read


def main():
    """Print the values."""
    brokers, topic, registry, form = sys.argv[1:]
    client = SchemaRegistryClient({"url": registry})
    read = {"avro": avro, "json-schema": json_schema, "protobuf": protobuf}[form](client, topic)
    for value in records(brokers, topic):
        print(json.dumps({name: text(cell) for name, cell in read(value).items()}))


if __name__ == "__main__":
    main()
