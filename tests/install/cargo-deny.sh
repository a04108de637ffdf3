# Checks licences, sources and duplicates of dependencies.
version=0.20.2
variable=TESTS_CARGO_DENY

install() {
    CARGO_TARGET_DIR=$1/target cargo install --quiet --locked --root "$1" "cargo-deny@$version" && rm -rf "$1/target"
}
