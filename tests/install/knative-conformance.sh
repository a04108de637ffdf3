# Knative Eventing's own conformance tests.
version=0.50.0
variable=TESTS_KNATIVE_CONFORMANCE
pins=(tests/cluster-parts/build-knative.sh tests/cluster-parts/conformance/go.mod tests/cluster-parts/conformance/go.sum tests/cluster-parts/conformance/source_test.go)

install() {
    tests/cluster-parts/build-knative.sh "$1" conformance "$version"
}
