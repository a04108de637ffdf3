# Runs the fuzz targets of bridge/fuzz.
version=0.13.2
variable=TESTS_CARGO_FUZZ

install() {
    CARGO_TARGET_DIR=$1/target cargo install --quiet --locked --root "$1" "cargo-fuzz@$version" && rm -rf "$1/target"
}
