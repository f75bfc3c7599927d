#!/usr/bin/env bash
# A connector at work, on the Kafka that KAFKA_TEST_BROKERS names and with the simulated API of the demo. Beside it every sh block of
# RUNBOOK.md is run as it is written; and a Prometheus scrapes it as in compose.yaml, and is asked all that the dashboard asks.
set -euo pipefail
cd "$(dirname "$0")/.."

. deploy/test-lib.sh
start_api
prefix=live-$RANDOM$RANDOM
admin=127.0.0.1:${ADMIN_PORT:-29680}
prometheus=127.0.0.1:${PROMETHEUS_PORT:-29690}
cat > "$work/env" << ENV
DFINERY_BASE_URL=$url
DFINERY_SERVICE_ID=1234
DFINERY_EXPORT_TOKEN=$token
KAFKA_BROKERS=$KAFKA_TEST_BROKERS
STREAMS=events,users
STREAM_EVENTS_TOPIC=$prefix.events
STREAM_EVENTS_START=13
STREAM_USERS_EXPORT=userprofile
STREAM_USERS_MODE=changes
STREAM_USERS_TOPIC=$prefix.users
LEDGER_TOPIC=$prefix.ledger
DEAD_LETTER_TOPIC=$prefix.dead-letters
ADMIN_ADDR=$admin
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

sed -e "s#connector:8080#$admin#" -e "s#/etc/prometheus/#$PWD/deploy/prometheus/#" -e 's/: 10s/: 1s/' deploy/compose/prometheus.yaml > "$work/prometheus.yaml"
promtool check config "$work/prometheus.yaml"
# dfinery_days counts days: promtool takes the word for a unit of time. It has nothing else to say.
curl --fail --silent --show-error "http://$admin/metrics" | promtool check metrics > "$work/metrics" 2>&1 || true
diff <(echo 'dfinery_days use base unit "seconds" instead of "days"') "$work/metrics"
prometheus --config.file "$work/prometheus.yaml" --storage.tsdb.path "$work/prometheus" --web.listen-address "$prometheus" > "$work/prometheus.log" 2>&1 &
pids+=($!)
ask() { curl -sS --fail-with-body "http://$prometheus/api/v1/query" --data-urlencode "query=$1"; }
# What happens before the first scrape is no increase: days before the start, each with a bad row, are exported after it.
for ((tries = 0; tries < 200; tries++)); do
  scraped=$(ask 'dfinery_exports_total{code="ok"}' 2> /dev/null | jq -R 'fromjson? | .data.result | length' || true)
  [ "${scraped:-0}" -eq 0 ] || break
  sleep 0.1
done
"$work/bin/dfinery-kafka" backfill events --from "$(date -u -d '16 days ago' +%F)" --to "$(date -u -d '14 days ago' +%F)" --yes --wait 1m

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

# Nothing to show for these is as it should be: no day is in danger, the breaker keeps still, and no stream needs a registry.
may_be_empty='^(Time until a day is lost|Reach|Breaker|Waiting for the schema registry)$'
jq -r '.panels[] | .title as $title | .targets[]?
  | [$title, (.expr | gsub("\\$service|\\$stream"; ".*") | gsub("\\$__rate_interval"; "10m"))] | join("\t")' deploy/grafana/dashboard.json > "$work/queries"
while IFS=$'\t' read -r title query; do
  for ((tries = 0; tries < 20; tries++)); do
    answer=$(ask "$query") || {
      echo "$title: $query: $answer" >&2
      exit 1
    }
    results=$(jq '.data.result | length' <<< "$answer")
    if [ "$results" -gt 0 ] || [[ $title =~ $may_be_empty ]]; then
      continue 2
    fi
    sleep 0.5
  done
  echo "the panel $title is empty: $query" >&2
  exit 1
done < "$work/queries"
echo "$(wc -l < "$work/queries") queries of the dashboard"
[ "$(curl -sS "http://$prometheus/api/v1/rules" | jq '[.data.groups[].rules[] | select(.health == "ok")] | length')" -gt 10 ]
