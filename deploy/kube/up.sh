#!/usr/bin/env bash
# Starts a Kubernetes control plane on loopback, with kwok in a kubelet's place: deploy/kube/up.sh BIN DIR
#
# BIN is what build.sh has filled, and has kwok too. DIR gets kubeconfig (an administrator's), logs and data; down.sh DIR ends it.
# Pods become ready, and those of `helm test` succeed, without any container: what is real is the API, admission, controllers and
# the scheduler.
#
#   KUBE_PORT  the API server's port (16443); the five that follow are used, too
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
dir=$(mkdir -p "$2" && cd "$2" && pwd)
port=${KUBE_PORT:-16443}
server=https://127.0.0.1:$port
etcd=http://127.0.0.1:$((port + 1))
cd "$dir"

fail() {
  echo "kube/up: $*" >&2
  "$here/down.sh" "$dir"
  exit 1
}

# start NAME ARGUMENTS…
start() {
  local name=$1
  shift
  setsid nohup "$bin/$name" "$@" > "$name.log" 2>&1 < /dev/null &
  echo $! > "$name.pid"
}

# await WHAT NAME COMMAND…: until the command succeeds, while NAME runs
await() {
  local what=$1 name=$2
  shift 2
  for ((tries = 0; tries < 240; tries++)); do
    "$@" > /dev/null 2>&1 && return
    kill -0 "$(cat "$name.pid")" 2> /dev/null || fail "$name ended: $(tail -n 5 "$name.log")"
    sleep 0.25
  done
  fail "$what: see $dir/$name.log"
}

kubectl() { "$bin/kubectl" --kubeconfig=kubeconfig "$@"; }

openssl genrsa -out accounts.key 2048 2> /dev/null
openssl rsa -in accounts.key -pubout -out accounts.pub 2> /dev/null
token=$(openssl rand -hex 16)
(umask 077 && echo "$token,admin,admin,system:masters" > tokens.csv)
cat > kubeconfig << CONFIG
apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: "$server", certificate-authority: $dir/certs/apiserver.crt}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: local, context: {cluster: local, user: admin}}]
current-context: local
CONFIG

start etcd --name local --data-dir "$dir/etcd" --unsafe-no-fsync --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
  --listen-peer-urls "http://127.0.0.1:$((port + 2))" --initial-advertise-peer-urls "http://127.0.0.1:$((port + 2))" \
  --initial-cluster "local=http://127.0.0.1:$((port + 2))"
start kube-apiserver --etcd-servers "$etcd" --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$port" --cert-dir "$dir/certs" \
  --endpoint-reconciler-type none --service-cluster-ip-range 10.96.0.0/16 --authorization-mode Node,RBAC --token-auth-file tokens.csv \
  --anonymous-auth=false --service-account-issuer https://kubernetes.default.svc --service-account-key-file accounts.pub \
  --service-account-signing-key-file accounts.key --allow-privileged
await "the API server is not ready" kube-apiserver kubectl get --raw /readyz
start kube-controller-manager --kubeconfig kubeconfig --authentication-kubeconfig kubeconfig --authorization-kubeconfig kubeconfig \
  --bind-address 127.0.0.1 --secure-port $((port + 3)) --cert-dir "$dir/certs-controllers" --leader-elect=false \
  --service-account-private-key-file accounts.key --root-ca-file certs/apiserver.crt
start kube-scheduler --kubeconfig kubeconfig --authentication-kubeconfig kubeconfig --authorization-kubeconfig kubeconfig \
  --bind-address 127.0.0.1 --secure-port $((port + 4)) --cert-dir "$dir/certs-scheduler" --leader-elect=false
stages=$(cd "$here" && GOFLAGS=-mod=mod go mod download -json sigs.k8s.io/kwok@v0.8.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/kustomize/stage
start kwok --kubeconfig kubeconfig --manage-all-nodes --server-address "127.0.0.1:$((port + 5))" --config "$here/stages.yaml" \
  --config "$stages/node/fast/node-initialize.yaml" --config "$stages/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml" \
  --config "$stages/pod/fast/pod-ready.yaml" --config "$stages/pod/fast/pod-complete.yaml" --config "$stages/pod/fast/pod-delete.yaml"
await "there is no default service account" kube-controller-manager kubectl get serviceaccount default
for node in node-1 node-2; do
  kubectl apply -f - > /dev/null << NODE
apiVersion: v1
kind: Node
metadata: {name: $node, labels: {kubernetes.io/hostname: $node, kubernetes.io/os: linux, topology.kubernetes.io/zone: $node}}
status: {allocatable: {cpu: "8", memory: 16Gi, pods: "110"}, capacity: {cpu: "8", memory: 16Gi, pods: "110"}}
NODE
done
await "the nodes are not ready" kwok kubectl wait --for=condition=Ready nodes --all --timeout=1s
