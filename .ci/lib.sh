# What the scripts beside it share; to be sourced from the repository's root. work is a directory of the script's own, gone at its end.
# The tools' binaries are kept in ${XDG_CACHE_HOME:-~/.cache}/dfinery-kafka.
# shellcheck shell=bash

cache=${XDG_CACHE_HOME:-$HOME/.cache}/dfinery-kafka
work=$(mktemp -d)

# cleanup ends the Kafkas that a script has started; one that starts something else defines its own.
cleanup() {
  local cluster
  [ ! -f "$work/registry/pid" ] || kill "$(cat "$work/registry/pid")" 2> /dev/null || true
  for cluster in "$work"/kafka*; do
    [ ! -d "$cluster" ] || deploy/kafka-down.sh "$cluster"
    ! mountpoint -q "$cluster" || umount "$cluster"
  done
}

# finish names the step that failed, if one did.
finish() {
  local status=$? running
  mapfile -t running < <(jobs -rp) # steps that run beside the others
  [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2> /dev/null || true
  cleanup
  if [ "$status" -ne 0 ]; then
    printf '\nFAILED: %s\n' "${current:-setup}" >&2
  fi
  rm -rf "$work"
}
trap finish EXIT

# failures FILE prints what the failed tests of a go test -v printed, the last lines of each; or the end of the file.
failures() {
  awk '
    NR == FNR { if (sub(/^ *--- FAIL: /, "")) failed[$1] = 1; next }
    /^=== / { test = $3; next }
    test in failed { line[test, ++lines[test]] = $0 }
    END {
      for (test in lines)
        for (i = lines[test] > 60 ? lines[test] - 60 : 1; i <= lines[test]; i++)
          print substr(line[test, i], 1, 600)
    }' "$1" "$1"
  grep -E '^ *--- FAIL|^FAIL|^panic:' "$1" || tail -n 100 "$1"
}

step() {
  current=$*
  printf '\n=== %s (%d s)\n' "$current" "$SECONDS"
}

# have COMMAND PACKAGE: installs Debian's package if the command is missing.
have() {
  command -v "$1" > /dev/null && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    echo "$1 is missing: install the package $2" >&2
    return 1
  fi
  if [ -z "${updated:-}" ]; then
    apt-get update -qq
    updated=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" > "$work/apt.log" 2>&1 || {
    cat "$work/apt.log" >&2
    return 1
  }
}

# tool MODULE VERSION: builds a command, and prints where it is. Each version has a directory of its own: a new pin is a new binary.
tool() {
  local bin=$cache/tools/$2
  if [ ! -x "$bin/$(basename "$1")" ]; then
    GOBIN=$bin CGO_ENABLED=0 GOFLAGS=-mod=mod go install "$1@$2" >&2
  fi
  echo "$bin/$(basename "$1")"
}

# readers prints a Python that has confluent-kafka's deserializers and protoc, from PyPI. Each version has a folder of its own, which appears
# under its final name only when all of it is there.
readers() {
  local home=$cache/readers-2.16.1
  if [ ! -x "$home/bin/python" ]; then
    rm -rf "$home.part"
    python3 -m venv "$home.part" >&2
    "$home.part/bin/python" -m pip install --quiet --disable-pip-version-check 'confluent-kafka[avro,json,protobuf,schemaregistry]==2.16.1' grpcio-tools >&2
    mv "$home.part" "$home"
  fi
  echo "$home/bin/python"
}
