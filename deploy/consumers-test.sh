#!/usr/bin/env bash
# Runs every sh block of consumers/README.md as it is written, on the Kafka that KAFKA_TEST_BROKERS names, and compares what was read.
#
# All rows are in the topic twice, with the same ids, as after a backfill --again. Needs kafka-up.sh's jars, kcat, jq, Python with venv, and PostgreSQL,
# of which it runs a server of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

. deploy/test-lib.sh

nobody=() # PostgreSQL refuses to run as root
[ "$(id -u)" -ne 0 ] || nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)

postgres() {
  local bin=$1
  install -d -m 755 "$work"
  mkdir "$work/pg"
  [ "$(id -u)" -ne 0 ] || chown nobody "$work/pg"
  "${nobody[@]}" "$bin/initdb" -D "$work/pg/data" -U test --auth trust > "$work/initdb.log"
  "${nobody[@]}" "$bin/postgres" -D "$work/pg/data" -p "$PGPORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= > "$work/postgres.log" 2>&1 &
  pids+=($!)
  await "$work/postgres.log" 'ready to accept connections'
}

publish() {
  start_api
  local common=("DFINERY_BASE_URL=$url" DFINERY_SERVICE_ID=1234 "DFINERY_EXPORT_TOKEN=$token" "KAFKA_BROKERS=$BROKERS"
    "DEAD_LETTER_TOPIC=$DEAD_LETTERS" ADMIN_ADDR= LOG_LEVEL=warn)
  local environ=("${common[@]}" "STREAM_EVENTS_TOPIC=$TOPIC" "LEDGER_TOPIC=$TOPIC.ledger" STREAM_EVENTS_START=3 STREAM_EVENTS_POLL_INTERVAL=1h)
  env -i "${environ[@]}" "$work/bin/dfinery-kafka" run --once
  rows=$(count)
  env -i "${environ[@]}" "$work/bin/dfinery-kafka" backfill events --yes --again --from "$(TZ=Asia/Seoul date -d '3 days ago' +%F)" --to "$(TZ=Asia/Seoul date -d yesterday +%F)"
  env -i "${environ[@]}" "$work/bin/dfinery-kafka" run --once
  env -i "${common[@]}" STREAMS=users STREAM_USERS_EXPORT=userprofile STREAM_USERS_MODE=changes "STREAM_USERS_TOPIC=$PROFILES" "LEDGER_TOPIC=$PROFILES.ledger" \
    "$work/bin/dfinery-kafka" run --once
}

# publish_avro: days in Avro. The older ones have a field more, so that two versions of the schema stand side by side.
publish_avro() {
  local columns='df_total_purchase_amount:decimal(12,2)'
  local environ=("DFINERY_BASE_URL=$url" DFINERY_SERVICE_ID=1234 "DFINERY_EXPORT_TOKEN=$token" "KAFKA_BROKERS=$BROKERS" "STREAM_EVENTS_TOPIC=$AVRO_TOPIC"
    "LEDGER_TOPIC=$AVRO_TOPIC.ledger" "DEAD_LETTER_TOPIC=$AVRO_TOPIC.dead-letters" STREAM_EVENTS_POLL_INTERVAL=1h ADMIN_ADDR= LOG_LEVEL=warn
    STREAM_EVENTS_FORMAT=avro "SCHEMA_REGISTRY_URL=$REGISTRY")
  env -i "${environ[@]}" STREAM_EVENTS_START=1 "STREAM_EVENTS_COLUMNS=$columns" "$work/bin/dfinery-kafka" run --once
  env -i "${environ[@]}" STREAM_EVENTS_START=3 "STREAM_EVENTS_COLUMNS=$columns,df_os_version:string:os-version" "$work/bin/dfinery-kafka" run --once
}

count() { kcat -C -b "$BROKERS" -t "$TOPIC" -o beginning -e -q -f '.\n' | wc -l; }

export BROKERS=$KAFKA_TEST_BROKERS TOPIC=consumers-$RANDOM$RANDOM PGHOST=127.0.0.1 PGPORT=${PGPORT:-29790} PGUSER=test PGDATABASE=postgres
export DEAD_LETTERS=$TOPIC.dead-letters PROFILES=$TOPIC.profiles FILE=$work/rows.duckdb
mkdir "$work/bin"
jars=$(find "${XDG_CACHE_HOME:-$HOME/.cache}/dfinery-kafka" -maxdepth 1 -name 'kafka-*.*.*' | sort | tail -n 1)
printf '#!/bin/sh\nexec java -cp "%s/*" org.apache.kafka.tools.consumer.ConsoleConsumer "$@" 2> /dev/null\n' "$jars" > "$work/bin/kafka-console-consumer.sh"
chmod +x "$work/bin/kafka-console-consumer.sh"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'confluent-kafka[avro,schemaregistry]==2.16.1' duckdb==2.0.1
postgres "$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)"
publish
REGISTRY=$(REGISTRY_PORT=${REGISTRY_PORT:-29781} deploy/registry-up.sh "$work/registry")
pids+=("$(cat "$work/registry/pid")")
export REGISTRY AVRO_TOPIC=$TOPIC.avro
publish_avro

# Each command of the README writes into a file of its own.
awk -v out="$work/out" '
  /^```sh$/ { inside = 1; block++; print "exec > " out "." block; next }
  /^```$/ { inside = 0; next }
  inside { print }' deploy/consumers/README.md > "$work/blocks"
PATH=$work/venv/bin:$work/bin:$PATH bash -euo pipefail "$work/blocks"

# same WHAT GOT WANT
same() {
  if [ "$2" -ne "$3" ]; then
    echo "$1: $2, not $3" >&2
    exit 1
  fi
  echo "$1: $2"
}

all=$(count)
if [ "$rows" -le 1000 ] || [ "$all" -le $((rows + 1000)) ]; then
  echo "the topic was to have most of its $rows rows twice: $all" >&2
  exit 1
fi
same "records by kcat" "$(grep -c '^{' "$work/out.1")" "$all"
same "records by event" "$(awk '{ n += $1 } END { print n }' "$work/out.2")" "$(kcat -C -b "$BROKERS" -t "$TOPIC" -o beginning -e -q -f '%s\n' | jq -r .event_name | sort | uniq -c | sort -rn | head | awk '{ n += $1 } END { print n }')"
same "dead letters" "$(grep -c '"code":"field_count"' "$work/out.3")" 7 # of 4 days, and of 3 again
same "records by Kafka's console consumer" "$(grep -c 'id:.*export:1234/events/' "$work/out.4")" "$all"
same "rows by the Go consumer" "$(wc -l < "$work/out.5")" "$rows"
same "rows in PostgreSQL" "$(psql -qAtXc 'SELECT count(*) FROM dfinery_rows')" "$rows"
deploy/consumers/postgres.sh
same "rows in PostgreSQL after another run" "$(psql -qAtXc 'SELECT count(*) FROM dfinery_rows')" "$rows"
diff <(jq -cS . "$work/out.5" | sort) <(psql -qAtXc 'SELECT value FROM dfinery_rows' | jq -cS . | sort) || {
  echo "the Go consumer and PostgreSQL differ" >&2
  exit 1
}

same "rows by the Python consumer" "$(wc -l < "$work/out.7")" "$rows"
diff <(sort "$work/out.5") <(sort "$work/out.7") || {
  echo "the Go and the Python consumer differ" >&2
  exit 1
}
stored() { "$work/venv/bin/python3" -c 'import duckdb, sys; [print(value) for value, in duckdb.connect(sys.argv[1]).execute("SELECT value FROM dfinery_rows").fetchall()]' "$FILE"; }
same "rows in DuckDB" "$(stored | wc -l)" "$rows"
"$work/venv/bin/python3" deploy/consumers/duckdb_load.py "$FILE"
diff <(sort "$work/out.5") <(stored | sort) || {
  echo "the Go consumer and DuckDB differ" >&2
  exit 1
}

# The table of profiles follows the topic: a profile that changes, one that is deleted, and one that was deleted and comes back.
table() { psql -qAtXc "SELECT key, value FROM dfinery_profiles WHERE topic = '$PROFILES' ORDER BY key"; }
newest() {
  kcat -C -J -q -b "$BROKERS" -t "$PROFILES" -o beginning -e | jq -rs 'group_by(.key) | map(max_by(.offset)) | sort_by(.key)[] | select(.payload) | .key + "|" + .payload'
}
profile() {
  kcat -P -b "$BROKERS" -t "$PROFILES" -p "$2" -k "$1" -H "id=AAAAAAAAAAAAAAAAAAAAAA" -H "export=1234/users/2026-11-30/$3" -H "op=$4"
}
tombstone() {
  printf '%s:\n' "$1" | kcat -P -b "$BROKERS" -t "$PROFILES" -p "$2" -K : -Z -H "id=AAAAAAAAAAAAAAAAAAAAAA" -H "export=1234/users/2026-11-30/$3" -H "op=d"
}
partition_of() { kcat -C -q -b "$BROKERS" -t "$PROFILES" -o beginning -e -f '%k %p\n' | awk -v key="$1" '$1 == key { print $2; exit }'; }
as_json() { jq -cS -R 'split("|") | [.[0], (.[1:] | join("|") | fromjson)]'; }
same "profiles in PostgreSQL" "$(table | wc -l)" "$(newest | wc -l)"
readarray -t keys < <(table | cut -d '|' -f 1 | head -n 3)
printf '{"city":"Busan"}' | profile "${keys[0]}" "$(partition_of "${keys[0]}")" 7 u
tombstone "${keys[1]}" "$(partition_of "${keys[1]}")" 7
tombstone "${keys[2]}" "$(partition_of "${keys[2]}")" 7
printf '{"city":"Jeju"}' | profile "${keys[2]}" "$(partition_of "${keys[2]}")" 8 c
TOPIC=$PROFILES deploy/consumers/profiles.sh
diff <(newest | as_json | sort) <(table | as_json | sort) || {
  echo "the table of profiles differs from the topic" >&2
  exit 1
}
same "profiles that were deleted" "$(psql -qAtXc "SELECT count(*) FROM dfinery_profiles WHERE key = '${keys[1]}'")" 0

avro=$(TOPIC=$AVRO_TOPIC count)
same "versions of the schema" "$(curl -sf "$REGISTRY/subjects/$AVRO_TOPIC-value/versions" | jq length)" 2
same "rows in Avro by the Python consumer" "$(wc -l < "$work/out.10")" "$avro"
same "rows in Avro by the Go consumer" "$(wc -l < "$work/out.11")" "$avro"
diff <(jq -cS 'map_values(if type == "number" then . + 0 else . end)' "$work/out.10" | sort) <(jq -cS 'map_values(if type == "number" then . + 0 else . end)' "$work/out.11" | sort) || {
  echo "the Go and the Python consumer of Avro differ" >&2
  exit 1
}

# Records that PostgreSQL can't hold go to a table of their own, the others go on, whenever they come.
export TOPIC=$TOPIC.odd
odd() {
  local id=$1
  kcat -P -b "$BROKERS" -t "$TOPIC" -p 0 -k key -H "id=$id" -H "export=1234/events/2026-11-23/1" "${@:2}"
}
java -cp "$jars/*" org.apache.kafka.tools.TopicCommand --bootstrap-server "$BROKERS" --create --topic "$TOPIC" --partitions 1 2> /dev/null
printf '{"memo":"first"}' | odd good1
printf '{"memo":"a\\u0000b"}' | odd nul
printf '{"memo":"\\ud800"}' | odd surrogate
printf '{"memo":"\xff"}' | odd latin1
printf 'no JSON' | odd text
printf '{}' | kcat -P -b "$BROKERS" -t "$TOPIC" -p 0 -H id=stranger -H export=1234
printf '{"memo":"no headers"}' | kcat -P -b "$BROKERS" -t "$TOPIC" -p 0
printf '{"memo":"second"}' | odd good2
deploy/consumers/postgres.sh
printf '{"memo":"third"}' | odd good3
deploy/consumers/postgres.sh
diff - <(psql -qAtXc "SELECT id, value FROM dfinery_rows WHERE day = '2026-11-23' ORDER BY id") << 'END'
good1|{"memo": "first"}
good2|{"memo": "second"}
good3|{"memo": "third"}
END
diff - <(psql -qAtXc 'SELECT "offset", reason FROM dfinery_rejected ORDER BY "offset"') << 'END'
1|unsupported Unicode escape sequence: \u0000 cannot be converted to text.
2|invalid input syntax for type json: Unicode low surrogate must follow a high surrogate.
3|invalid byte sequence for encoding "UTF8": 0xff
4|invalid input syntax for type json: Token "no" is invalid.
5|the record has no value, or its header export names no day
END
same "next offset" "$(psql -qAtX -v topic="$TOPIC" <<< "SELECT next_offset FROM dfinery_offsets WHERE topic = :'topic'")" 9
