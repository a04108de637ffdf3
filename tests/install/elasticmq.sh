# An SQS server by other people, in Java; Maven Central, Apache-2.0. No single jar is published, hence the class path.
version=1.7.1
variable=TESTS_ELASTICMQ
pins=(tests/install/elasticmq/pom.xml)

install() {
    "${maven[@]}" --file "${pins[0]}" -Delasticmq.version="$version" -DoutputDirectory="$1/lib" \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
}
