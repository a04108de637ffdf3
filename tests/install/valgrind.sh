# Counts instructions. Comes from the distribution, since it must fit the C library.
version=debian
variable=TESTS_VALGRIND

install() {
    command -v valgrind >/dev/null && return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "install valgrind with the package manager of this machine"
        return 1
    fi
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends valgrind
}
