about="unit tests, the bridge against the simulator, contracts; hermetic"
[ -z "${TESTS_LONG:-}" ] || tools=(python3)

tier() {
    step "cargo test" cargo test --locked --workspace
    [ -z "${TESTS_LONG:-}" ] || step "each known failure's test fails without its behaviour" tests/without
}
