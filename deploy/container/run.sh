#!/usr/bin/env bash
# Runs a command of the image that build.sh has built, as the chart's pods do: read-only, without capabilities, as a numeric user
# that is nobody, in MEMORY (128m): deploy/container/run.sh DIR COMMAND…
#
# The program's own variables are handed on; the token, as in a pod, as a file.
set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
dir=$(cd "$1" && pwd)
shift
export HOME=${HOME:-/root} CONTAINERS_CONF=$dir/containers.conf
secrets=$(mktemp -d "$dir/secrets.XXXXXX")
trap 'rm -rf "$secrets"' EXIT
printf '%s' "${DFINERY_EXPORT_TOKEN:-}" > "$secrets/token"
unset DFINERY_EXPORT_TOKEN
chmod 755 "$secrets" # the store's own directory keeps others out
variables=(--env DFINERY_EXPORT_TOKEN_FILE=/run/secrets/dfinery-token/token)
for name in $(compgen -e); do
  case $name in
    DFINERY_* | STREAM* | KAFKA_* | LEDGER_TOPIC | DEAD_LETTER_TOPIC | ADMIN_* | LOG_* | GOMEMLIMIT) variables+=(--env "$name") ;;
  esac
done
cd "$dir" # conmon leaves a file oom where it is
podman --root "$dir/store" --runroot "$dir/run" --storage-driver overlay run --rm --network host --pull never \
  --user 65532:65532 --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --pids-limit 64 --memory "${MEMORY:-128m}" \
  --volume "$secrets:/run/secrets/dfinery-token:ro" "${variables[@]}" "localhost/dfinery-kafka:${IMAGE_TAG:-amd64}" "$@"
