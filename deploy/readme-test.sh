#!/usr/bin/env bash
# Runs shell blocks of the README as they are written, one after the other in one shell, in a copy of the repository.
# The line before such a block says how:
#
#   <!-- run -->             it must succeed
#   <!-- run filled-in -->   after dfinery.env was filled in with the API and the Kafka of a demo, in place of real ones
#   <!-- run until-term -->  its one command gets SIGTERM after 3 s, and must succeed
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
demo=

finish() {
  if [ -n "$demo" ]; then
    kill "$demo" 2> /dev/null || true
    wait "$demo" || true
  fi
  rm -rf "$work"
}
trap finish EXIT

start_demo() {
  go build -o "$work/demo" ./cmd/demo
  "$work/demo" --keep > "$work/demo.out" 2>&1 &
  demo=$!
  for ((tries = 0; tries < 600; tries++)); do
    grep -q 'kcat -C' "$work/demo.out" && break
    if ! kill -0 "$demo" 2> /dev/null || [ "$tries" -eq 599 ]; then
      cat "$work/demo.out" >&2
      return 1
    fi
    sleep 0.1
  done
  sed -n 's/^export //p' "$(sed -n 's/^ *source //p' "$work/demo.out")" > "$work/filled-in.env"
}

# script writes one program of all blocks.
script() {
  echo 'set -euo pipefail'
  awk -v filled="$work/filled-in.env" '
    /^<!-- run( [a-z-]+)? -->$/ { how = ($3 == "-->") ? "plain" : $3; next }
    how != "" && !inside && $0 == "```sh" { inside = 1; if (how == "filled-in") print "cat " filled " >> dfinery.env"; next }
    how != "" && !inside { print "a block must follow its <!-- run --> at once: line " NR > "/dev/stderr"; exit 1 }
    inside && $0 == "```" { inside = 0; how = ""; next }
    inside {
      shown = $0; gsub(/\047/, "\047\\\047\047", shown)
      print "printf \"\\n$ %s\\n\" \047" shown "\047"
      print (how == "until-term") ? "timeout --preserve-status --signal=TERM 3 " $0 : $0
    }' README.md
}

script > "$work/blocks.sh"
[ "$(grep -c '^printf' "$work/blocks.sh")" -ge 5 ] || {
  echo "the README has fewer commands to run than expected" >&2
  exit 1
}
start_demo
mkdir "$work/copy"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work/copy"
cd "$work/copy"
env -i HOME="$HOME" PATH="$PATH" bash "$work/blocks.sh"
