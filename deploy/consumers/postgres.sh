#!/usr/bin/env bash
# Takes the new rows of a topic over into PostgreSQL, each once: BROKERS=… TOPIC=… deploy/consumers/postgres.sh
#
# The tables are those of postgres.sql; psql finds the database by its own variables (PGHOST, PGDATABASE …). Rows and offsets move in
# one transaction for each partition, so a run that breaks off is none. Needs kcat with JSON, jq and psql.
set -euo pipefail

: "${BROKERS:?host:port, comma-separated}" "${TOPIC:?the topic of a stream}"

partitions=$(kcat -L -J -b "$BROKERS" -t "$TOPIC" | jq '.topics[0].partitions | length')
for ((partition = 0; partition < partitions; partition++)); do
  next=$(psql -qAtX -v topic="$TOPIC" -v partition="$partition" <<< \
    "SELECT coalesce(max(next_offset), 0) FROM dfinery_offsets WHERE topic = :'topic' AND partition = :partition")
  # One JSON document a line; no JSON has the two control characters that stand for delimiter and quote here.
  {
    echo "BEGIN;"
    echo "CREATE TEMPORARY TABLE incoming (message jsonb) ON COMMIT DROP;"
    printf '%s\n' "COPY incoming FROM STDIN (FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01');"
    kcat -C -J -q -b "$BROKERS" -t "$TOPIC" -p "$partition" -o "$next" -e
    printf '%s\n' '\.'
    cat << 'SQL'
WITH rows AS (
  SELECT (message ->> 'offset')::bigint AS at,
         to_timestamp((message ->> 'ts')::bigint / 1000.0) AS published_at,
         jsonb_object(ARRAY(SELECT jsonb_array_elements_text(message -> 'headers'))) AS headers,
         (message ->> 'payload')::jsonb AS value
  FROM incoming
), identified AS (
  SELECT at, published_at, value, headers ->> 'id' AS id, string_to_array(headers ->> 'export', '/') AS export FROM rows
), inserted AS (
  INSERT INTO dfinery_rows (service, stream, day, id, published_at, value)
  SELECT export[1], export[2], export[3]::date, id, published_at, value FROM identified WHERE id IS NOT NULL ORDER BY at
  ON CONFLICT DO NOTHING
)
INSERT INTO dfinery_offsets (topic, partition, next_offset)
SELECT :'topic', :partition, max(at) + 1 FROM rows HAVING count(*) > 0
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset;
COMMIT;
SQL
  } | psql -qX -v ON_ERROR_STOP=1 -v topic="$TOPIC" -v partition="$partition"
done
