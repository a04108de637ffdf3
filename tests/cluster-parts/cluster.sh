#!/usr/bin/env bash
# cluster.sh: one node with Knative Eventing and images of what was built last, for the tier `cluster`. Root on Linux.
#   programs     installs what the distribution has: containerd, runc, CNI plugins, iptables
#   images       of target/debug/bridge and target/debug/controller
#   up           Node Ready, Knative Available
#   exec CMD...  inside: sees Pods, Services and their names; no outside network
#   logs DIR     copies what the node's programs logged
#   down         nothing of it is left but the images, kept with KUBE_KEEP_IMAGES=1
# By hand: eval "$(tests/run --env cluster)", then images, up, exec, down.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$here/../../target}")
# A short path, because sockets are in it, and one per checkout.
state=${TMPDIR:-/tmp}/sqs-bridge-$(cksum <<<"$here" | cut -d' ' -f1)
node() {
    KUBE_BIN=$TESTS_KUBE KUBE_DIR=$state \
        KUBE_IMAGES="$target/cluster/images $TESTS_COREDNS/images $TESTS_TESTPOD/images $TESTS_KNATIVE/images" \
        "$here/node.sh" "$@"
}

programs() {
    if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
        echo "this tier starts a Kubernetes node in namespaces of its own: run it as root on Linux"
        return 1
    fi
    local missing=()
    command -v containerd >/dev/null || missing+=(containerd)
    command -v runc >/dev/null || missing+=(runc)
    command -v iptables >/dev/null || missing+=(iptables)
    [ -x /usr/lib/cni/bridge ] || missing+=(containernetworking-plugins)
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || { echo "install ${missing[*]}: there is no apt-get here to do it"; return 1; }
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
}

# Without debug information, which is most of the program and would only be copied.
stripped() { # program, name
    local copy=$target/cluster/bin/$2
    [ "$copy" -nt "$target/debug/$1" ] || strip --strip-debug -o "$copy" "$target/debug/$1"
}

images() {
    mkdir -p "$target/cluster/bin"
    stripped bridge sqs-bridge
    stripped controller source-controller
    ln -sf "$TESTS_KUBE/pause" "$target/cluster/bin/pause"
    "$here/images.sh" "$target/cluster/images" "$target/cluster/bin"
}

up() { node up && KNATIVE_DIR=$TESTS_KNATIVE node exec "$here/knative.sh"; }

case ${1:-} in
    programs | images | up) "$1" ;;
    exec) shift; TESTS_HOST=10.240.0.1 TESTS_NODE=$state node exec "$@" ;;
    logs) cp "$state"/*.log "$2" 2>/dev/null || true ;;
    down) node down; [ "${KUBE_KEEP_IMAGES:-}" = 1 ] || rm -rf "$state" ;;
    *) sed -n '2,10s/^# *//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
