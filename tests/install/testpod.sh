# A Pod that records events, as an image.
version=1
variable=TESTS_TESTPOD
pins=(tests/cluster-parts/build.sh tests/cluster-parts/images.sh tests/cluster-parts/scratch-image.py tests/cluster-parts/testpod/main.go)

install() {
    tests/cluster-parts/build.sh "$1/bin" testpod && tests/cluster-parts/images.sh "$1/images" "$1/bin" && rm -r "$1/bin"
}
