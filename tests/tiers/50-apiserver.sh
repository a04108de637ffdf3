tools=(go openssl curl)
about="the controller on a real etcd and kube-apiserver, with RBAC and KEDA's definitions; no node"
parts=(kube keda)

tier() {
    step "cargo test --test controller" cargo_test controller
}
