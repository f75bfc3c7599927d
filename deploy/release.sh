#!/usr/bin/env bash
# Makes what a release consists of: deploy/release.sh VERSION [DIR]
#
# For each system an archive with the binary, the README and the changelog; the chart's package; a list of all modules that the
# binaries contain (CycloneDX); and checksums of all these. VERSION is like v0.1.0, and has a section of CHANGELOG.md. The same commit gives
# the same bytes. Needs helm, as HELM or in PATH, jq and zip.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?a version such as v0.1.0}
dir=$(mkdir -p "${2:-dist}" && cd "${2:-dist}" && pwd)
systems=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64)

fail() {
  echo "release: $*" >&2
  exit 1
}

[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-z.]+)?$ ]] || fail "$version is no version such as v0.1.0"
grep -q "^## ${version#v}$" CHANGELOG.md || fail "CHANGELOG.md has no section ${version#v}"
grep -q "^appVersion: ${version#v}$" helm/dfinery-kafka/Chart.yaml || fail "helm/dfinery-kafka/Chart.yaml has another appVersion"
[ -z "$(ls -A "$dir")" ] || fail "$dir is not empty"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# archive NAME: of the folder NAME in work; the order, owners and times of files are always the same
archive() {
  find "$work/$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  case $1 in
    *windows*) (cd "$work" && find "$1" -type f | LC_ALL=C sort | TZ=UTC zip -qX "$dir/$1.zip" -@) ;;
    *) tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$1" | gzip -n9 > "$dir/$1.tar.gz" ;;
  esac
}

for system in "${systems[@]}"; do
  os=${system%/*} arch=${system#*/} suffix=
  [ "$os" != windows ] || suffix=.exe
  name=dfinery-kafka-${version#v}-$os-$arch
  mkdir "$work/$name"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version -X main.commit=$commit" \
    -o "$work/$name/dfinery-kafka$suffix" ./cmd/dfinery-kafka
  cp README.md CHANGELOG.md "$work/$name/"
  archive "$name"
done

"${HELM:-helm}" package helm/dfinery-kafka --version "${version#v}" --app-version "${version#v}" --destination "$work/chart" > /dev/null
# helm writes the time of packaging into the archive.
mkdir "$work/unpacked"
tar -C "$work/unpacked" -xzf "$work/chart/dfinery-kafka-${version#v}.tgz"
tar -C "$work/unpacked" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" -cf - dfinery-kafka | gzip -n9 > "$dir/dfinery-kafka-${version#v}.tgz"

# Go writes what a binary is made of into it.
go version -m -json "$work/dfinery-kafka-${version#v}-linux-amd64/dfinery-kafka" | jq --arg version "$version" --arg commit "$commit" \
  --arg time "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" '
  def library: {type: "library", "bom-ref": .purl} + .;
  {bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
   metadata: {timestamp: $time, component: {type: "application", name: "dfinery-kafka", version: $version, "bom-ref": "dfinery-kafka",
     properties: [{name: "commit", value: $commit}, {name: "go", value: .GoVersion}]}},
   components: ([{name: "std", version: (.GoVersion | ltrimstr("go")), purl: "pkg:golang/std@\(.GoVersion | ltrimstr("go"))"} | library]
     + [.Deps[] | (.Replace // .) | {name: .Path, version: .Version, purl: "pkg:golang/\(.Path)@\(.Version)"} | library])}' \
  > "$dir/dfinery-kafka-${version#v}.cdx.json"
(cd "$dir" && sha256sum -- * | LC_ALL=C sort -k 2 > "$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
cat "$dir/SHA256SUMS"
