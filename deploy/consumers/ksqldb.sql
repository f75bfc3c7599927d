-- ksqlDB. Not run by our tests. Name the columns that you use; others are ignored.
CREATE STREAM events (
  df_unified_id VARCHAR KEY,
  event_name VARCHAR,
  df_server_datetime VARCHAR,
  id BYTES HEADER('id'),
  export BYTES HEADER('export')
) WITH (KAFKA_TOPIC = 'dfinery.events', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');

CREATE TABLE events_by_name AS
SELECT event_name, COUNT(*) AS events FROM events GROUP BY event_name EMIT CHANGES;

-- The same of a stream with STREAM_X_FORMAT=avro: columns and types come from the schema registry (ksql.schema.registry.url).
CREATE STREAM typed_events (df_unified_id VARCHAR KEY)
WITH (KAFKA_TOPIC = 'dfinery.events', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'AVRO');
