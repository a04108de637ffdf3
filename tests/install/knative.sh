# Knative Eventing with its multi-tenant broker and in-memory channel: images and manifests, from the Go module proxy.
version=0.50.0
variable=TESTS_KNATIVE
pins=(tests/cluster-parts/build-knative.sh tests/cluster-parts/images.sh tests/cluster-parts/scratch-image.py)

install() {
    tests/cluster-parts/build-knative.sh "$1" eventing "$version" &&
        tests/cluster-parts/images.sh "$1/images" "$1/bin" && rm -r "$1/bin"
}
