about="the images on a real node with real Knative Eventing, from kubectl apply on; root on Linux"
tools=(go openssl curl python3 strip nsenter)
parts=(kube coredns testpod knative knative-conformance kn ministack)

tier() {
    step "containerd, runc, CNI plugins and iptables" cluster programs || return 1
    step "cargo test --test cluster --no-run" \
        cargo test --locked --workspace --all-features --test cluster --no-run || return 1
    step "images of bridge and controller" cluster images || return 1
    trap 'cluster logs "$tier_log"; cluster down' EXIT
    step "a node with Knative Eventing" cluster up || return 1
    # They wait for Pods most of the time, hence more than there are cores. Inside there is no network.
    step "cargo test --test cluster" cluster exec \
        cargo test --offline --locked --workspace --all-features --test cluster -- --test-threads 4
}

cluster() { tests/cluster-parts/cluster.sh "$@"; }
