#!/usr/bin/env bash
# Starts a real schema registry on loopback and prints the URL for SCHEMA_REGISTRY_URL: registry-up.sh [DIR]
#
# Apicurio Registry, which speaks Confluent's API, from Maven Central. It keeps everything in memory: a restart empties it.
# Needs Java 17 or newer, Maven and curl. Stop it with: kill "$(cat DIR/pid)"; start it again with DIR/start.
#
#   REGISTRY_PORT     the port (18081)
#   REGISTRY_VERSION  3.0.9, the newest that runs on Java 17
set -euo pipefail

dir=${1:-${TMPDIR:-/tmp}/dfinery-kafka-registry}
port=${REGISTRY_PORT:-18081}
version=${REGISTRY_VERSION:-3.0.9}
home=${XDG_CACHE_HOME:-$HOME/.cache}/dfinery-kafka/registry-$version
url=http://127.0.0.1:$port/apis/ccompat/v7

fail() {
  echo "registry-up: $*" >&2
  exit 1
}

# The folder appears under its final name only when all of it is there.
fetch() {
  [ -d "$home" ] && return
  command -v mvn > /dev/null || fail "mvn is missing, it fetches the registry: apt-get install maven"
  local part archive
  mkdir -p "$(dirname "$home")"
  part=$(mktemp -d "$home.XXXXXX")
  mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all" -DoutputDirectory="$part" >&2 || {
    rm -rf "$part"
    fail "Maven could not fetch Apicurio Registry $version"
  }
  archive=$(ls "$part"/*.tar.gz)
  tar xzf "$archive" -C "$part"
  rm "$archive"
  mv -T "$part" "$home" 2> /dev/null || rm -rf "$part" # another process was faster
}

command -v java > /dev/null || fail "java is missing: apt-get install default-jre-headless (17 or newer)"
command -v curl > /dev/null || fail "curl is missing: apt-get install curl"
fetch
(: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && fail "something listens on port $port already"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
cat > "$dir/start" << START
#!/bin/sh
QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT=$port \
  setsid nohup java -Xmx384m -jar "$home/apicurio-registry-app-$version-runner.jar" > "$dir/server.log" 2>&1 < /dev/null &
echo \$! > "$dir/pid"
START
chmod +x "$dir/start"
"$dir/start"
for ((tries = 0; tries < 120; tries++)); do
  if curl -sf "$url/subjects" > /dev/null; then
    echo "$url"
    exit
  fi
  kill -0 "$(cat "$dir/pid")" 2> /dev/null || break
  sleep 0.5
done
tail -n 5 "$dir/server.log" >&2
fail "the registry did not start: see $dir/server.log"
