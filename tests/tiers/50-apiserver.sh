tools=(go openssl curl)
about="the controller on a real etcd and kube-apiserver, with RBAC; no node"
parts=(kube)

tier() {
    step "cargo test --test controller" cargo_test controller
}
