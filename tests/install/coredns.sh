# The cluster's name server, as an image.
version=1.14.3
variable=TESTS_COREDNS
pins=(tests/cluster-parts/build.sh tests/cluster-parts/images.sh tests/cluster-parts/scratch-image.py tests/cluster-parts/coredns/go.mod tests/cluster-parts/coredns/main.go)

install() {
    tests/cluster-parts/build.sh "$1/bin" coredns && tests/cluster-parts/images.sh "$1/images" "$1/bin" && rm -r "$1/bin"
}
