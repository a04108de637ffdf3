about="the bridge's requests, read by three independent CloudEvents libraries"
tools=(python3 node npm go)
parts=(reader-python reader-node reader-go)

tier() {
    step "cargo test --test readers" cargo_test readers
}
