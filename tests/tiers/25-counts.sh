about="instructions of the pure parts, counted by valgrind"
parts=(valgrind)

tier() {
    step "cargo test --test instructions" cargo_test instructions
}
