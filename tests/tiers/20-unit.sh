about="unit tests, the bridge against the simulator, contracts; hermetic"

tier() {
    step "cargo test" cargo test --locked --workspace
}
