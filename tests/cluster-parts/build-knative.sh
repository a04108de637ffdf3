#!/bin/bash
# build-knative.sh DIR eventing|conformance VERSION: Knative's programs from the Go module proxy, static
#   eventing     servers (DIR/bin) and their manifests (DIR/config, DIR/third_party)
#   conformance  upstream's conformance tests: conformance.test as it is, source.test for kinds that it does not know
# Each is built where the module cache has it, with the release's own go.mod and go.sum: 'go mod tidy' cannot work, because modules
# that only tools and other tests import are not served by the proxy.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); mkdir -p "$1"; dir=$(cd "$1" && pwd)
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-buildvcs=false -modcacherw"
flags=(-trimpath -ldflags '-s -w')
module() { # path and version -> its folder
  local scratch; scratch=$(mktemp -d)
  (cd "$scratch"; printf 'module scratch\n' >go.mod; go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
  rm -r "$scratch"
}
eventing() {
  cd "$(module "knative.dev/eventing@v$1")"
  mkdir -p "$dir/bin"
  go build "${flags[@]}" -o "$dir/bin/" ./cmd/{controller,webhook,mtchannel_broker,broker/ingress,broker/filter,in_memory/channel_controller,in_memory/channel_dispatcher}
  cp -r config "$dir"; mkdir -p "$dir/third_party"; cp -r third_party/eventing-integrations-latest "$dir/third_party"
  chmod -R u+w "$dir"
}
conformance() {
  (cd "$(module "knative.dev/eventing@v$1")"; go test -c "${flags[@]}" -tags e2e -o "$dir/conformance.test" ./test/conformance)
  cd "$here/conformance"
  grep -q "knative.dev/eventing v$1\$" go.mod || { echo "build-knative.sh: conformance/go.mod is of another version; run conformance/gomod.sh v$1" >&2; exit 1; }
  go test -c "${flags[@]}" -o "$dir/source.test" .
}
case $2 in eventing | conformance) "$2" "$3" ;; *) echo "build-knative.sh: $2?" >&2; exit 2 ;; esac
