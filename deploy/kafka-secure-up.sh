#!/usr/bin/env bash
# Starts a real Apache Kafka with every kind of listener and the StandardAuthorizer: kafka-secure-up.sh [DIR]
#
# Prints its addresses, NAME=HOST:PORT a line, and keeps them in DIR/pki/addresses beside what clients need. Stop it with
# kafka-down.sh DIR. Whoever comes without a login is a super user.
#
#   ADMIN      no TLS, no login
#   TLS        TLS, no login
#   MTLS       TLS with client certificates: pki/client.pem is User:CN=dfinery,O=Test
#   SASL       TLS, and a login by PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 (user dfinery, password in pki/password) or OAUTHBEARER
#              (RS256 tokens with the audience kafka, signed by pki/oauth.key with the key id test)
#   SASL_PLAIN the same without TLS; who logged in by OAUTHBEARER has to do so again every two seconds
#   EXPIRED    TLS with a certificate that has expired
#   STRANGER   TLS with a certificate for another host name
#   PROXIED    as ADMIN, but advertised by the port after its own, where a proxy is to stand
#
#   KAFKA_PORT        the port of ADMIN (19392); the others follow
#   KAFKA_PROPERTIES  more lines for server.properties
#   others            as kafka-up.sh has them
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-${TMPDIR:-/tmp}/dfinery-kafka-secure}
port=${KAFKA_PORT:-19392}
names=(TLS MTLS SASL SASL_PLAIN EXPIRED STRANGER PROXIED)

command -v openssl > /dev/null || {
  echo "kafka-secure-up: openssl is missing: apt-get install openssl" >&2
  exit 1
}
mkdir -p "$dir/pki"
dir=$(cd "$dir" && pwd)
pki=$dir/pki

authority() { # NAME
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/O=Test/CN=$1" -keyout "$pki/$1.key" -out "$pki/$1.pem" 2> /dev/null
}

# certificate NAME SUBJECT DAYS NAMES: signed by the authority ca, with its key in NAME.key, and both in NAME.all for Kafka
certificate() {
  openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$pki/$1.key" -out "$pki/$1.csr" 2> /dev/null
  printf 'subjectAltName=%s\n' "$4" > "$pki/$1.ext"
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -CAcreateserial -days "$3" -extfile "$pki/$1.ext" -out "$pki/$1.pem" 2> /dev/null
  cat "$pki/$1.key" "$pki/$1.pem" > "$pki/$1.all"
  rm "$pki/$1.csr" "$pki/$1.ext"
}

make_pki() {
  authority ca
  authority other-ca
  certificate broker "/O=Test/CN=broker" 30 "IP:127.0.0.1,DNS:localhost"
  certificate expired "/O=Test/CN=broker" -1 "IP:127.0.0.1,DNS:localhost"
  certificate stranger "/O=Test/CN=broker" 30 "DNS:kafka.example"
  certificate client "/O=Test/CN=dfinery" 30 "DNS:dfinery"
  certificate expired-client "/O=Test/CN=dfinery" -1 "DNS:dfinery"
  openssl rand -hex 12 > "$pki/password"
  openssl genrsa -out "$pki/oauth.key" 2048 2> /dev/null
  local modulus
  modulus=$(openssl rsa -in "$pki/oauth.key" -noout -modulus | cut -d= -f2 | sed 's/../\\x&/g')
  modulus=$(printf '%b' "$modulus" | base64 -w 0 | tr '+/' '-_' | tr -d '=')
  printf '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"test","n":"%s","e":"AQAB"}]}\n' "$modulus" > "$pki/jwks.json"
}

# listener NAME CERTIFICATE: lines for a listener with TLS
listener() {
  local prefix=listener.name.${1,,}
  printf '%s\n' "$prefix.ssl.keystore.type=PEM" "$prefix.ssl.keystore.location=$pki/$2.all"
}

properties() {
  local plain="org.apache.kafka.common.security.plain.PlainLoginModule required user_dfinery=\"$password\";"
  local scram="org.apache.kafka.common.security.scram.ScramLoginModule required;"
  local oauth="org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
  local listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1)) advertised=PLAINTEXT://127.0.0.1:$port
  local i name sasl
  for i in "${!names[@]}"; do
    listeners+=,${names[i]}://127.0.0.1:$((port + 2 + i))
    advertised+=,${names[i]}://127.0.0.1:$((port + 2 + i))
  done
  advertised=${advertised/PROXIED:*/PROXIED://127.0.0.1:$((port + 2 + ${#names[@]}))}
  cat << PROPERTIES
listeners=$listeners
advertised.listeners=$advertised
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,TLS:SSL,MTLS:SSL,SASL:SASL_SSL,SASL_PLAIN:SASL_PLAINTEXT,EXPIRED:SSL,STRANGER:SSL,PROXIED:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
sasl.oauthbearer.jwks.endpoint.url=file://$pki/jwks.json
sasl.oauthbearer.expected.audience=kafka
listener.name.sasl_plain.oauthbearer.connections.max.reauth.ms=2000
listener.name.mtls.ssl.client.auth=required
listener.name.mtls.ssl.truststore.type=PEM
listener.name.mtls.ssl.truststore.location=$pki/ca.pem
PROPERTIES
  for name in sasl sasl_plain; do
    sasl=listener.name.$name
    printf '%s\n' "$sasl.plain.sasl.jaas.config=$plain" "$sasl.scram-sha-256.sasl.jaas.config=$scram" "$sasl.scram-sha-512.sasl.jaas.config=$scram" \
      "$sasl.oauthbearer.sasl.jaas.config=$oauth" \
      "$sasl.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
  done
  listener TLS broker
  listener MTLS broker
  listener SASL broker
  listener EXPIRED expired
  listener STRANGER stranger
  printf '%s\n' "${KAFKA_PROPERTIES:-}"
}

[ -f "$pki/jwks.json" ] || make_pki
password=$(cat "$pki/password")
KAFKA_PROPERTIES=$(properties)
KAFKA_FORMAT="--add-scram SCRAM-SHA-256=[name=dfinery,password=$password] --add-scram SCRAM-SHA-512=[name=dfinery,password=$password]"
KAFKA_JAVA="-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://$pki/jwks.json"
export KAFKA_PROPERTIES KAFKA_FORMAT KAFKA_JAVA KAFKA_PORT=$port
admin=$("$here/kafka-up.sh" 1 "$dir")
{
  echo "ADMIN=$admin"
  for i in "${!names[@]}"; do
    echo "${names[i]}=127.0.0.1:$((port + 2 + i))"
  done
} | tee "$pki/addresses"
