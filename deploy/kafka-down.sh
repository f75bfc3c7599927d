#!/usr/bin/env bash
# Stops the nodes that kafka-up.sh started in DIR and removes them with their data: kafka-down.sh [DIR]
set -euo pipefail

dir=${1:-${TMPDIR:-/tmp}/dfinery-kafka-test}
[ -d "$dir" ] || exit 0
dir=$(cd "$dir" && pwd)

# A pid of a file may be another process by now.
running() { # NODE'S DIRECTORY
  [ -f "$1/pid" ] && ps -o args= -p "$(cat "$1/pid")" 2> /dev/null | grep -qF "$1/server.properties"
}

signal() { # SIGNAL
  local node
  for node in "$dir"/[1-9]; do
    if running "$node"; then
      kill "-$1" "$(cat "$node/pid")" || true
    fi
  done
}

stopped() {
  local node
  for node in "$dir"/[1-9]; do
    if running "$node"; then
      return 1
    fi
  done
}

signal TERM
for ((tries = 0; tries < 100; tries++)); do
  stopped && break
  sleep 0.1
done
stopped || signal KILL # a node without a quorum of controllers waits for one before it ends
for node in "$dir"/[1-9]; do
  [ -f "$node/server.properties" ] && rm -rf "$node"
done
[ -f "$dir/pki/ca.pem" ] && rm -rf "$dir/pki"
rmdir "$dir" 2> /dev/null || true
