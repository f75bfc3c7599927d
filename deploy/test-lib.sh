# What live-test.sh and consumers-test.sh share; to be sourced from the repository's root.
# shellcheck shell=bash

work=$(mktemp -d)
pids=() # of what runs in the background: ended at the end

finish() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2> /dev/null || true
    wait "$pid" 2> /dev/null || true
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

# start_api: builds the programs into $work/bin, and runs the API simulator at $url with $token
start_api() {
  mkdir -p "$work/bin"
  go build -o "$work/bin/" ./cmd/dfinery-kafka ./cmd/simulator
  "$work/bin/simulator" -addr 127.0.0.1:0 -rows 500 > "$work/api.log" 2>&1 &
  pids+=($!)
  await "$work/api.log" DFINERY_EXPORT_TOKEN
  # shellcheck disable=SC2034 # for the caller
  url=$(sed -n 's/^export DFINERY_BASE_URL=//p' "$work/api.log")
  # shellcheck disable=SC2034
  token=$(sed -n 's/^export DFINERY_EXPORT_TOKEN=//p' "$work/api.log")
}
