-- Flink SQL (Kafka SQL connector, JSON format). Not run by our tests. Name the columns that you use; others are ignored.
CREATE TABLE events (
  df_unified_id      STRING,
  event_name         STRING,
  df_server_datetime STRING,
  headers            MAP<STRING, BYTES> METADATA,
  published_at       TIMESTAMP_LTZ(3)   METADATA FROM 'timestamp',
  id  AS DECODE(headers['id'], 'UTF-8'),
  day AS SPLIT_INDEX(DECODE(headers['export'], 'UTF-8'), '/', 2),
  WATERMARK FOR published_at AS published_at
) WITH (
  'connector' = 'kafka',
  'topic' = 'dfinery.events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'events-by-flink',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.ignore-parse-errors' = 'false'
);

-- Each row once: needed with DELIVERY=at-least-once, and after a backfill --again.
CREATE VIEW distinct_events AS
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY day, id ORDER BY published_at) AS copy FROM events
) WHERE copy = 1;

-- The same of a stream with STREAM_X_FORMAT=avro (avro-confluent format). A column that Avro does not allow as a name is mapped: a-b is a_x2d_b.
CREATE TABLE typed_events (
  df_unified_id      STRING,
  event_name         STRING,
  df_server_datetime TIMESTAMP_LTZ(3),
  df_discount        DOUBLE,
  headers            MAP<STRING, BYTES> METADATA,
  id AS DECODE(headers['id'], 'UTF-8'),
  WATERMARK FOR df_server_datetime AS df_server_datetime - INTERVAL '1' HOUR
) WITH (
  'connector' = 'kafka',
  'topic' = 'dfinery.events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'typed-events-by-flink',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'avro-confluent',
  'avro-confluent.url' = 'http://registry:8081'
);
