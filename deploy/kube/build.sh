#!/usr/bin/env bash
# Builds a Kubernetes control plane, and kubectl, from Go modules into one binary: deploy/kube/build.sh DIR
#
# DIR gets links named etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl to it. It takes some minutes and
# 3 GB of Go's caches the first time. Nothing is built when DIR has the version already.
set -euo pipefail

version=1.37.2
dir=$(mkdir -p "$1" && cd "$1" && pwd)
binary=$dir/kubernetes-$version
[ -x "$binary" ] && exit 0

module=$(mktemp -d)
trap 'rm -rf "$module"' EXIT
cp "$(dirname "$0")/kubernetes.go.txt" "$module/main.go"
cd "$module"
source=$(GOFLAGS=-mod=mod go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
# Its own go.mod replaces the modules of its staging directory, which are published as v0.X: the same requirements without that.
sed -E "s#^module .*#module kubernetes-local#; /^replace \(/,/^\)/d; s#^(\s*k8s.io/[a-z-]+) v0\.0\.0\$#\1 v0.${version#1.}#" "$source/go.mod" > go.mod
cp "$source/go.sum" .
chmod u+w go.mod go.sum
go mod edit -require="k8s.io/kubernetes@v$version"
go mod tidy > tidy.log 2>&1 || {
  cat tidy.log >&2
  exit 1
}
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$version" -o "$binary" .
for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  ln -sf "$binary" "$dir/$name"
done
