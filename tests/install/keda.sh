# KEDA's CustomResourceDefinitions, from the Go module proxy.
version=2.21.0
variable=TESTS_KEDA
pins=()

install() {
    local module directory
    module=$(go mod download -json "github.com/kedacore/keda/v2@v$version") || return 1
    # What Go's checksum database says of this version.
    grep -q '"Sum": "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps="' <<<"$module" || return 1
    directory=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$module")
    cp "$directory"/config/crd/bases/keda.sh_{scaledobjects,triggerauthentications,clustertriggerauthentications}.yaml "$1"
}
