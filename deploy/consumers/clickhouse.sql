-- ClickHouse, Kafka engine. Not run by our tests. The raw value is kept: columns come and go.
CREATE TABLE dfinery_queue (value String) ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka:9092', kafka_topic_list = 'dfinery.events', kafka_group_name = 'clickhouse', kafka_format = 'JSONAsString';

-- Of rows with the same identity one is kept, when parts are merged; SELECT … FINAL sees one at once.
CREATE TABLE dfinery_events
(
  export       String,
  id           String,
  published_at DateTime64(3),
  user         String,
  event        LowCardinality(String),
  value        String,
  day          Date MATERIALIZED toDate(splitByChar('/', export)[3])
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (day, id);

CREATE MATERIALIZED VIEW dfinery_events_sink TO dfinery_events AS
SELECT
  _headers.value[indexOf(_headers.name, 'export')] AS export,
  _headers.value[indexOf(_headers.name, 'id')] AS id,
  _timestamp_ms AS published_at,
  JSONExtractString(value, 'df_unified_id') AS user,
  JSONExtractString(value, 'event_name') AS event,
  value
FROM dfinery_queue
WHERE has(_headers.name, 'id');

-- The same of a stream with STREAM_X_FORMAT=avro. Columns that the table does not name are left out; STREAM_X_META=true has id and day in the value.
CREATE TABLE dfinery_typed_queue
(
  df_unified_id      String,
  event_name         Nullable(String),
  df_server_datetime Nullable(DateTime64(3)),
  df_discount        Nullable(Float64)
)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka:9092', kafka_topic_list = 'dfinery.events', kafka_group_name = 'clickhouse-typed', kafka_format = 'AvroConfluent',
  format_avro_schema_registry_url = 'http://registry:8081', input_format_avro_allow_missing_fields = 1;
