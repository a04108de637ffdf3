# kn, Knative's command line client, from the Go module proxy: the newest of which the proxy serves every module.
version=0.42.0
variable=TESTS_KN

install() {
    local scratch module
    scratch=$(mktemp -d)
    module=$(cd "$scratch" && printf 'module scratch\n' >go.mod && go mod download -json "knative.dev/client@v$version" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
    rm -r "$scratch"
    # Where it lies, because 'go install' wants a list of versions; not from vendor/, of which a module has the list alone.
    (cd "$module" && CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -ldflags '-s -w' -o "$1/kn" ./cmd/kn)
}
