#!/usr/bin/env bash
# Runs every sh block of RUNBOOK.md as it is written, beside a connector at work: on the Kafka that KAFKA_TEST_BROKERS names, with
# the simulated API of the demo.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
pids=()

finish() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2> /dev/null || true
    wait "$pid" || true
  done
  rm -rf "$work"
}
trap finish EXIT

# await FILE TEXT: until a background program has said so
await() {
  for ((tries = 0; tries < 600; tries++)); do
    grep -q "$2" "$1" && return
    sleep 0.1
  done
  cat "$1" >&2
  return 1
}

mkdir "$work/bin"
go build -o "$work/bin/" ./cmd/dfinery-kafka ./cmd/demo
"$work/bin/demo" -api 127.0.0.1:0 -rows 500 > "$work/api.log" 2>&1 &
pids+=($!)
await "$work/api.log" token
read -r url token < <(sed -n 's/.* at \(.*\), token \(.*\)/\1 \2/p' "$work/api.log")
prefix=runbook-$RANDOM$RANDOM
cat > "$work/env" << ENV
DFINERY_BASE_URL=$url
DFINERY_SERVICE_ID=1234
DFINERY_EXPORT_TOKEN=$token
KAFKA_BROKERS=$KAFKA_TEST_BROKERS
STREAM_EVENTS_TOPIC=$prefix.events
STREAM_EVENTS_START=13
LEDGER_TOPIC=$prefix.ledger
DEAD_LETTER_TOPIC=$prefix.dead-letters
ADMIN_ADDR=127.0.0.1:${ADMIN_PORT:-29680}
RETRY_BACKOFF=100ms
RETRY_MAX_BACKOFF=1s
ENV
set -a
# shellcheck source=/dev/null
. "$work/env"
set +a
unset KAFKA_TEST_BROKERS
"$work/bin/dfinery-kafka" run > "$work/run.log" 2>&1 &
pids+=($!)
await "$work/run.log" '"code":"query_error"'

awk '
  /^```sh$/ { inside = 1; next }
  /^```$/ { inside = 0; next }
  inside { shown = $0; gsub(/\047/, "\047\\\047\047", shown); print "printf \"\\n$ %s\\n\" \047" shown "\047"; print }' deploy/RUNBOOK.md > "$work/blocks"
[ "$(grep -c ^printf "$work/blocks")" -gt 20 ] || {
  echo "the runbook has fewer commands than expected" >&2
  exit 1
}
PATH=$work/bin:$PATH bash -euo pipefail "$work/blocks" > "$work/out" 2>&1 || {
  tail -n 40 "$work/out" >&2
  exit 1
}
echo "$(grep -c ^printf "$work/blocks") commands"
