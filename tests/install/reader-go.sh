# Reads CloudEvents as a Knative broker does, with github.com/cloudevents/sdk-go/v2.
version=2.16.2
variable=TESTS_READER_GO
pins=(tests/readers/go/go.mod tests/readers/go/go.sum tests/readers/go/main.go)

install() {
    go build -C tests/readers/go -trimpath -o "$1/reader" .
}
