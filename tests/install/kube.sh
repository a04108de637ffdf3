# etcd, kube-apiserver, kube-controller-manager, kubelet, kube-scheduler, kube-proxy, kubectl and pause, from the Go module proxy.
version=1.34.4
variable=TESTS_KUBE
pins=(tests/cluster-parts/build.sh tests/cluster-parts/kube/go.mod tests/cluster-parts/kube/main.go tests/cluster-parts/kube/node.go tests/cluster-parts/pause/main.go)

install() {
    tests/cluster-parts/build.sh "$1" node
}
