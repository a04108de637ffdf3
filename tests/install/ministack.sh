# An AWS of its own (SQS, EventBridge, SNS, S3, CloudWatch) in one process; PyPI, MIT.
version=1.5.33
variable=TESTS_MINISTACK
pins=(tests/install/ministack.txt)

install() {
    python3 -m venv "$1" && "$1/bin/pip" install --quiet --require-hashes --requirement "${pins[0]}"
}
