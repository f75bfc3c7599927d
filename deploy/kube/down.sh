#!/usr/bin/env bash
# Ends what up.sh started in DIR, the API server before etcd: deploy/kube/down.sh DIR
set -euo pipefail

for name in kwok kube-scheduler kube-controller-manager kube-apiserver etcd; do
  file=$1/$name.pid
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  kill "$pid" 2> /dev/null || true
  for ((tries = 0; tries < 40; tries++)); do
    kill -0 "$pid" 2> /dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2> /dev/null || true
  rm "$file"
done
