about="SQS semantics, and the bridge end to end, on ministack and ElasticMQ"
tools=(python3 java mvn)
parts=(ministack elasticmq)

tier() {
    step "cargo test --test servers" cargo_test servers
}
