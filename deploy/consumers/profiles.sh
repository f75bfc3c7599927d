#!/usr/bin/env bash
# Keeps a PostgreSQL table equal to the topic of a stream with MODE=changes: BROKERS=… TOPIC=… deploy/consumers/profiles.sh
#
# The tables are those of postgres.sql. Each run takes what is new: of each key the newest record, which replaces the row or, without a value,
# deletes it. The changes of a partition and its offset are written in one transaction, so a run that breaks off changes nothing. Run it more often
# than the topic's delete.retention.ms: later, deletes may be gone from the topic. Needs kcat with JSON, jq and psql, and a database in UTF-8.
set -euo pipefail

: "${BROKERS:?host:port, comma-separated}" "${TOPIC:?the topic of a stream}"

partitions=$(kcat -L -J -b "$BROKERS" -t "$TOPIC" | jq '.topics[0].partitions | length')
for ((partition = 0; partition < partitions; partition++)); do
  next=$(psql -qAtX -v topic="$TOPIC" -v partition="$partition" <<< \
    "SELECT coalesce(max(next_offset), 0) FROM dfinery_offsets WHERE topic = :'topic' AND partition = :partition")
  # See postgres.sh for the control characters.
  {
    cat << 'SQL'
BEGIN;
CREATE TEMPORARY TABLE incoming (line text) ON COMMIT DROP;
CREATE FUNCTION pg_temp.parse(line text, OUT at bigint, OUT published_at timestamptz, OUT key text, OUT n int, OUT value jsonb, OUT record text,
                              OUT reason text) LANGUAGE plpgsql AS $$
DECLARE
  message json;
  headers jsonb;
BEGIN
  at := substring(line FROM '"offset":([0-9]+)');
  BEGIN
    record := convert_from(convert_to(line, 'LATIN1'), 'UTF8');
    message := record;
    headers := jsonb_object(ARRAY(SELECT json_array_elements_text(message -> 'headers')));
    IF headers ->> 'op' IS NULL THEN -- not a record of the connector
      RETURN;
    END IF;
    published_at := to_timestamp((message ->> 'ts')::bigint / 1000.0);
    key := message ->> 'key';
    n := split_part(headers ->> 'export', '/', 4); -- of one key it rises, over all days
    value := message ->> 'payload';
  EXCEPTION WHEN OTHERS THEN
    reason := SQLERRM;
    record := coalesce(record, encode(convert_to(line, 'LATIN1'), 'escape'));
  END;
END $$;
SQL
    printf '%s\n' "COPY incoming FROM STDIN (FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01');"
    kcat -C -J -q -b "$BROKERS" -t "$TOPIC" -p "$partition" -o "$next" -e
    printf '%s\n' '\.'
    cat << 'SQL'
WITH parsed AS MATERIALIZED (
  SELECT p.* FROM incoming, LATERAL pg_temp.parse(line) AS p
), newest AS (
  SELECT DISTINCT ON (key) * FROM parsed WHERE key IS NOT NULL AND reason IS NULL ORDER BY key, at DESC
), deleted AS (
  DELETE FROM dfinery_profiles AS old USING newest
  WHERE old.topic = :'topic' AND old.key = newest.key AND newest.value IS NULL AND newest.n > old.n
), upserted AS (
  INSERT INTO dfinery_profiles (topic, key, n, published_at, value)
  SELECT :'topic', key, n, published_at, value FROM newest WHERE value IS NOT NULL
  ON CONFLICT (topic, key) DO UPDATE SET n = excluded.n, published_at = excluded.published_at, value = excluded.value
  WHERE excluded.n > dfinery_profiles.n
), rejected AS (
  INSERT INTO dfinery_rejected (topic, partition, "offset", reason, record)
  SELECT :'topic', :partition, at, reason, record FROM parsed WHERE reason IS NOT NULL
  ON CONFLICT DO NOTHING
)
INSERT INTO dfinery_offsets (topic, partition, next_offset)
SELECT :'topic', :partition, max(at) + 1 FROM parsed HAVING count(*) > 0
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset;
COMMIT;
SQL
  } | PGCLIENTENCODING=LATIN1 psql -qX -v ON_ERROR_STOP=1 -v topic="$TOPIC" -v partition="$partition"
done
