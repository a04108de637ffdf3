# Reads CloudEvents with npm `cloudevents`.
version=10.0.0
variable=TESTS_READER_NODE
pins=(tests/readers/node/package.json tests/readers/node/package-lock.json)

install() {
    cp "${pins[@]}" "$1" && npm --prefix "$1" ci --no-audit --no-fund --ignore-scripts
}
