#!/usr/bin/env bash
# Builds deploy/Dockerfile with buildah, without any registry: deploy/container/build.sh DIR [ARCH…]
#
# golang:1.26 is made from this machine's own toolchain, its certificates and its shell. The images are
# localhost/dfinery-kafka:ARCH and localhost/dfinery-kafka-simulator (of the machine's own architecture), in the store below DIR;
# DIR/containers.conf is for podman on a machine without systemd and user namespaces. Needs root, buildah, podman and runc.
set -euo pipefail
cd "$(dirname "$0")/../.."

dir=$(mkdir -p "$1" && cd "$1" && pwd)
shift
own=$(go env GOARCH)
architectures=("${@:-$own}")
golang=docker.io/library/golang:1.26

cat > "$dir/containers.conf" << 'CONF'
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
export CONTAINERS_CONF=$dir/containers.conf
build() { buildah --root "$dir/store" --runroot "$dir/run" --storage-driver overlay "$@"; }

base() {
  local container root library
  container=$(build from scratch)
  root=$(build mount "$container")
  mkdir -p "$root"/{bin,usr/local,go,tmp,root,src,out,proc,sys,dev,etc/ssl/certs}
  chmod 1777 "$root/tmp"
  cp -L /bin/sh "$root/bin/sh"
  for library in $(ldd /bin/sh | grep -oE '/[^ ]+'); do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cp -a "$(go env GOROOT)" "$root/usr/local/go"
  build config --label "go=$(go env GOVERSION)" --env PATH=/usr/local/go/bin:/bin --env GOPATH=/go --env GOCACHE=/go/cache --env GOTOOLCHAIN=local --workingdir /go "$container"
  build umount "$container" > /dev/null
  build commit --quiet --rm "$container" "$golang"
}

made=$(build inspect --type image --format '{{index .OCIv1.Config.Labels "go"}}' "$golang" 2> /dev/null || true)
[ "$made" = "$(go env GOVERSION)" ] || base
# What this machine has downloaded and compiled already is used again.
common=(--layers --isolation chroot --network host --pull-never --file deploy/Dockerfile --ignorefile deploy/Dockerfile.dockerignore
  --build-arg "GOPROXY=$(go env GOPROXY)" --build-arg "VERSION=${VERSION:-v0.0.0-dev}" --build-arg "REVISION=${REVISION:-}"
  --volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/go/cache")
for arch in "${architectures[@]}"; do
  # --platform "linux/$arch" does this where buildah knows --platform=$BUILDPLATFORM in a FROM; Debian 12's does not.
  build bud --quiet "${common[@]}" --build-arg TARGETOS=linux --build-arg "TARGETARCH=$arch" --tag "localhost/dfinery-kafka:$arch" .
done
build bud --quiet "${common[@]}" --build-arg TARGETOS=linux --build-arg "TARGETARCH=$own" --target simulator --tag localhost/dfinery-kafka-simulator .
