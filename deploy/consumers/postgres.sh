#!/usr/bin/env bash
# Copies the new rows of a topic into PostgreSQL, each once: BROKERS=… TOPIC=… deploy/consumers/postgres.sh
#
# The tables are those of postgres.sql; psql finds the database by its own variables (PGHOST, PGDATABASE …). The rows of a partition and
# its offset are written in one transaction, so a run that breaks off changes nothing. A record that PostgreSQL can't hold, for example
# one with a NUL character, goes to dfinery_rejected with the reason, and the others go on. Needs kcat with JSON, jq and psql, and a
# database in UTF-8.
set -euo pipefail

: "${BROKERS:?host:port, comma-separated}" "${TOPIC:?the topic of a stream}"

partitions=$(kcat -L -J -b "$BROKERS" -t "$TOPIC" | jq '.topics[0].partitions | length')
for ((partition = 0; partition < partitions; partition++)); do
  next=$(psql -qAtX -v topic="$TOPIC" -v partition="$partition" <<< \
    "SELECT coalesce(max(next_offset), 0) FROM dfinery_offsets WHERE topic = :'topic' AND partition = :partition")
  # One JSON document a line; no JSON has the two control characters that stand for delimiter and quote here. The lines come in as
  # LATIN1, which takes every byte: what is not UTF-8 is found for each record alone.
  {
    cat << 'SQL'
BEGIN;
CREATE TEMPORARY TABLE incoming (line text) ON COMMIT DROP;
CREATE FUNCTION pg_temp.parse(line text, OUT at bigint, OUT published_at timestamptz, OUT id text, OUT export text[], OUT day date,
                              OUT value jsonb, OUT record text, OUT reason text) LANGUAGE plpgsql AS $$
DECLARE
  message json;
  headers jsonb;
  detail text;
BEGIN
  at := substring(line FROM '"offset":([0-9]+)');
  BEGIN
    record := convert_from(convert_to(line, 'LATIN1'), 'UTF8');
    message := record;
    published_at := to_timestamp((message ->> 'ts')::bigint / 1000.0);
    headers := jsonb_object(ARRAY(SELECT json_array_elements_text(message -> 'headers')));
    id := headers ->> 'id';
    export := string_to_array(headers ->> 'export', '/');
    IF id IS NULL THEN -- not a record of the connector
      RETURN;
    END IF;
    day := export[3];
    value := message ->> 'payload';
    IF value IS NULL OR day IS NULL THEN
      reason := 'the record has no value, or its header export names no day';
    END IF;
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    reason := concat_ws(': ', SQLERRM, nullif(detail, ''));
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
), inserted AS (
  INSERT INTO dfinery_rows (service, stream, day, id, published_at, value)
  SELECT export[1], export[2], day, id, published_at, value FROM parsed WHERE id IS NOT NULL AND reason IS NULL ORDER BY at
  ON CONFLICT DO NOTHING
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

rejected=$(psql -qAtX -v topic="$TOPIC" <<< "SELECT count(*) FROM dfinery_rejected WHERE topic = :'topic'")
if [ "$rejected" -gt 0 ]; then
  echo "$TOPIC: records that PostgreSQL could not hold: $rejected, each in dfinery_rejected with the reason" >&2
fi
