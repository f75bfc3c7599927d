#!/usr/bin/env bash
# Starts a real Apache Kafka on loopback and prints its bootstrap servers: kafka-up.sh [NODES] [DIR]
#
# KRaft, each node broker and controller, the jars from Maven Central. Needs Java 17 or newer and Maven.
# With three nodes or more, topics have three replicas and need two in sync.
#
#   KAFKA_PORT        the first node's port (19092); node N listens on KAFKA_PORT+100*(N-1), its controller on the port after that.
#                     Two clusters need two ports and two directories
#   KAFKA_PROPERTIES  more lines for server.properties, for example transactional.id.expiration.ms=10000
#   KAFKA_VERSION     4.3.0
#   KAFKA_HEAP        512m a node
#   KAFKA_FORMAT      more words for formatting the storage, for example --add-scram SCRAM-SHA-256=[name=me,password=secret]
#   KAFKA_JAVA        more words for java
#
# One node is killed with kill -9 "$(cat DIR/N/pid)" and comes back with DIR/N/start. All are stopped by kafka-down.sh DIR.
set -euo pipefail

nodes=${1:-1}
dir=${2:-${TMPDIR:-/tmp}/dfinery-kafka-test}
port=${KAFKA_PORT:-19092}
version=${KAFKA_VERSION:-4.3.0}
heap=${KAFKA_HEAP:-512m}
read -ra format <<< "${KAFKA_FORMAT:-}"
libs=${XDG_CACHE_HOME:-$HOME/.cache}/dfinery-kafka/kafka-$version

fail() {
  echo "kafka-up: $*" >&2
  exit 1
}

check_java() {
  command -v java > /dev/null || fail "java is missing: apt-get install default-jre-headless (17 or newer)"
  local release
  release=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${release:-0}" -ge 17 ] || fail "java 17 or newer is needed, this is ${release:-unknown}: apt-get install default-jre-headless"
}

# The jars appear under their final name only when all are there, so a broken download is not taken for a whole one.
fetch_jars() {
  [ -d "$libs" ] && return
  command -v mvn > /dev/null || fail "mvn is missing, it fetches Kafka: apt-get install maven"
  local part
  mkdir -p "$(dirname "$libs")"
  part=$(mktemp -d "$libs.XXXXXX")
  cat > "$part/pom.xml" << POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dfinery-kafka</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -Dstyle.color=never -f "$part/pom.xml" dependency:copy-dependencies -DoutputDirectory="$part" >&2 || {
    rm -rf "$part"
    fail "Maven could not fetch Apache Kafka $version"
  }
  mv -T "$part" "$libs" 2> /dev/null || rm -rf "$part" # somebody else was faster
}

write_properties() { # NODE
  local replicas=1 in_sync=1
  [ "$nodes" -ge 3 ] && replicas=3 in_sync=2
  local listen=$((port + 100 * ($1 - 1)))
  cat > "$dir/$1/server.properties" << PROPERTIES
process.roles=broker,controller
node.id=$1
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:$listen,CONTROLLER://127.0.0.1:$((listen + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$listen
log.dirs=$dir/$1/data
num.partitions=6
auto.create.topics.enable=false
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync
group.initial.rebalance.delay.ms=0
${KAFKA_PROPERTIES:-}
PROPERTIES
}

start_node() { # NODE
  local node=$dir/$1
  mkdir -p "$node"
  write_properties "$1"
  [ -d "$node/data" ] || java -cp "$libs/*" kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qk -c "$node/server.properties" "${format[@]}" \
    > "$node/format.log" 2>&1 || fail "the storage could not be formatted: see $node/format.log"
  cat > "$node/start" << START
#!/bin/sh
setsid nohup java -Xms128m -Xmx$heap ${KAFKA_JAVA:-} -cp "$libs/*" kafka.Kafka "$node/server.properties" > "$node/server.log" 2>&1 < /dev/null &
echo \$! > "$node/pid"
START
  chmod +x "$node/start"
  "$node/start"
}

registered() {
  java -cp "$libs/*" org.apache.kafka.tools.BrokerApiVersionsCommand --bootstrap-server "$servers" 2> /dev/null | grep -c '(id: '
}

[[ $nodes =~ ^[1-9]$ ]] || fail "NODES is 1 to 9, not $nodes"
check_java
fetch_jars
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
servers='' voters=''
for ((i = 1; i <= nodes; i++)); do
  listen=$((port + 100 * (i - 1)))
  (: < "/dev/tcp/127.0.0.1/$listen") 2> /dev/null && fail "something listens on port $listen already"
  servers+=${servers:+,}127.0.0.1:$listen
  voters+=${voters:+,}$i@127.0.0.1:$((listen + 1))
done
for ((i = 1; i <= nodes; i++)); do
  start_node "$i"
done
for ((tries = 0; tries < 60; tries++)); do
  for ((i = 1; i <= nodes; i++)); do
    kill -0 "$(cat "$dir/$i/pid")" 2> /dev/null || fail "node $i ended: see $dir/$i/server.log"
  done
  if [ "$(registered)" = "$nodes" ]; then
    echo "$servers"
    exit 0
  fi
  sleep 0.5
done
fail "Kafka is not ready: see $dir/*/server.log"
