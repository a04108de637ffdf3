about="unit tests, the bridge against the simulator, contracts; hermetic"
[ -z "${TESTS_LONG:-}" ] || parts=(cargo-fuzz) tools=(c++ python3)

tier() {
    step "cargo test" cargo test --locked --workspace
    [ -n "${TESTS_LONG:-}" ] || return 0
    step "each known failure's test fails without its behaviour" tests/without
    step "a minute of random input for each fuzz target" tests/fuzz
}
