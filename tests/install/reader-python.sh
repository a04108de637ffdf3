# Reads CloudEvents with PyPI `cloudevents`, and judges structured ones by the JSON Schema of CloudEvents.
version=2.2.0
variable=TESTS_READER_PYTHON
pins=(tests/readers/python/requirements.txt)

install() {
    python3 -m venv "$1" && "$1/bin/pip" install --quiet --require-hashes --requirement "${pins[0]}"
}
