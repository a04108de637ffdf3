about="format, clippy, licences and sources of dependencies, each crate by itself"
tools=(python3)
parts=(cargo-deny)

tier() {
    step "formatted" cargo fmt --check
    step "no warning of clippy in any target" \
        cargo clippy --locked --workspace --all-targets --all-features -- --deny warnings
    step "bans, licences and sources of dependencies" deny bans licenses sources
    if advisory_database_answers; then
        step "no known advisory against a dependency" deny advisories
    else
        note "advisories were not checked: their database, github.com/rustsec/advisory-db, does not answer"
    fi
    local crate
    for crate in $(products); do
        step "$crate builds by itself" cargo check --locked --package "$crate"
    done
}

deny() { "$TESTS_CARGO_DENY/bin/cargo-deny" --locked --all-features check --hide-inclusion-graph "$@"; }

advisory_database_answers() {
    timeout 20 git ls-remote --exit-code https://github.com/rustsec/advisory-db HEAD >/dev/null 2>&1
}

# The crates that people use; the packages `tests` and `benchmark` are built by other tiers.
products() { cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
print(*(p["name"] for p in json.load(sys.stdin)["packages"] if p["name"] not in ("tests", "benchmark")))'; }
