use super::*;

const ARN: &str = "arn:aws:sqs:eu-north-1:123456789012:orders";

fn validated_with(metadata: Value, spec: Value) -> Result<Adapter, Invalid> {
    let mut object = json!({
        "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource",
        "metadata": {"name": "orders", "namespace": "ns", "uid": "u"},
        "spec": {"queueArn": ARN, "sink": {"uri": "http://display"}},
    });
    for (part, fields) in [("metadata", metadata), ("spec", spec)] {
        for (name, value) in fields.as_object().into_iter().flatten() {
            object[part][name] = value.clone();
        }
    }
    validate(&serde_json::from_value(object).unwrap(), &sink(), None)
}

fn validated(spec: Value) -> Result<Adapter, Invalid> {
    validated_with(json!({}), spec)
}

fn sink() -> Addressable {
    Addressable { url: "http://display".to_owned(), ..Addressable::default() }
}

fn refused(path: &str, problem: &str) -> Result<Adapter, Invalid> {
    Err(Invalid::Spec(vec![(path.to_owned(), problem.to_owned())]))
}

/// A source with nothing but queue and sink, with every default that is the controller's.
#[test]
fn the_least_source_becomes_this_adapter() {
    let expected = Adapter {
        owner: Owner { name: "orders".to_owned(), namespace: "ns".to_owned(), uid: "u".to_owned() },
        sink: sink(),
        dead_letter_sink: None,
        queue: Queue {
            url: None,
            arn: Some(ARN.to_owned()),
            region: "eu-north-1".to_owned(),
            endpoint_url: None,
            endpoint: None,
            name: "orders".to_owned(),
            known_arn: Some(ARN.to_owned()),
            event_arn: ARN.to_owned(),
            event_url: "https://sqs.eu-north-1.amazonaws.com/123456789012/orders".to_owned(),
        },
        credentials: Credentials { base: Base::Ambient, assume_role: None },
        sink_headers_secret: None,
        extensions: BTreeMap::new(),
        format: Format::Auto,
        tuning: Tuning::default(),
        replicas: 1,
        pod: Pod {
            service_account: "default".to_owned(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::from([("sidecar.istio.io/inject".to_owned(), "true".to_owned())]),
            env: Vec::new(),
            resources: json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}),
            scheduling: BTreeMap::new(),
        },
        autoscaling: None,
    };
    assert_eq!(validated(json!({})), Ok(expected));
}

/// Every duration: its bounds, what is none, and how its problem is told.
#[test]
fn durations_are_iso_8601_and_within_their_bounds() {
    type Set = fn(&str) -> Value;
    let durations: [(&str, Set, u64, u64, &str); 6] = [
        ("spec.delivery.backoffDelay", |text| json!({"delivery": {"backoffDelay": text}}), 0, 300, "PT5M1S"),
        ("spec.delivery.timeout", |text| json!({"delivery": {"timeout": text}}), 1, 39_600, "PT11H1S"),
        ("spec.delivery.retryAfterMax", |text| json!({"delivery": {"retryAfterMax": text}}), 0, 900, "PT15M1S"),
        ("spec.receive.waitTime", |text| json!({"receive": {"waitTime": text}}), 1, 20, "PT21S"),
        (
            "spec.receive.visibilityTimeout",
            |text| json!({"receive": {"visibilityTimeout": text}}),
            10,
            43_200,
            "PT12H1S",
        ),
        ("spec.drainTimeout", |text| json!({"drainTimeout": text}), 10, 3_600, "PT1H1S"),
    ];
    for (path, set, least, most, too_long) in durations {
        for edge in [least, most] {
            assert!(validated(set(&format!("PT{edge}S"))).is_ok(), "{path}: {edge} s");
        }
        for wrong in [too_long, "PT", "30s", "P1D", ""] {
            let problem =
                format!("must be an ISO 8601 duration between {least}s and {most}s, such as PT30S, not {wrong:?}");
            assert_eq!(validated(set(wrong)), refused(path, &problem));
        }
    }
    let read = validated(json!({"delivery": {"timeout": "PT1H1M1.5S"}})).unwrap();
    assert_eq!(read.tuning.timeout, Some(Duration::from_millis(3_661_500)));
}

#[test]
fn bytes_are_a_quantity_and_decide_about_memory() {
    let problem = |text: &str| format!("must be a quantity of at least 12Mi, such as 64Mi, not {text:?}");
    for (wrong, shown) in [(json!("11Mi"), "11Mi"), (json!(1), "1"), (json!("much"), "much")] {
        let spec = json!({"flow": {"maxInFlightBytes": wrong}});
        assert_eq!(validated(spec), refused("spec.flow.maxInFlightBytes", &problem(shown)));
    }
    for (right, bytes, limit) in [(json!("12Mi"), 12 << 20, "152Mi"), (json!(64 << 20), 64 << 20, "256Mi")] {
        let adapter = validated(json!({"flow": {"maxInFlightBytes": right}})).unwrap();
        assert_eq!(adapter.tuning.max_in_flight_bytes, Some(bytes));
        assert_eq!(adapter.pod.resources["limits"]["memory"], limit);
    }
}

/// Parts of a PodSpec that the API server stores without looking at them.
#[test]
fn what_a_pod_spec_does_not_have_is_refused_by_its_path() {
    let misspelt = "has a field that a PodSpec does not have there: correct its spelling";
    let cases = [
        ("spec.template.resources", json!({"resources": {"limit": {"cpu": "1"}}}), misspelt),
        (
            "spec.template.affinity",
            json!({"affinity": {"nodeAfinity": {"a": "b"}}, "nodeSelector": {"a": "b"}}),
            misspelt,
        ),
        (
            "spec.template.tolerations",
            json!({"tolerations": [{"operator": 5}]}),
            "is not what a PodSpec has there: invalid type: integer `5`, expected a string",
        ),
        (
            "spec.template.nodeSelector",
            json!({"nodeSelector": {"a": 1}}),
            "is not what a PodSpec has there: invalid type: integer `1`, expected a string",
        ),
        (
            "spec.template.topologySpreadConstraints",
            json!({"topologySpreadConstraints": {"maxSkew": 1}}),
            "is not what a PodSpec has there: invalid type: map, expected a sequence",
        ),
        ("spec.template.imagePullSecrets", json!({"imagePullSecrets": [{"nam": "x"}]}), misspelt),
        (
            "spec.template.env[1]",
            json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldReff": {"fieldPath": "a"}}}]}),
            misspelt,
        ),
    ];
    for (path, template, problem) in cases {
        let outcome = validated(json!({"template": template.clone()}));
        assert_eq!(outcome, refused(path, problem), "{template}");
    }
}

#[test]
fn amounts_may_be_numbers() {
    let adapter =
        validated(json!({"template": {"resources": {"requests": {"cpu": 0.5, "memory": 1_000_000}}}})).unwrap();
    assert_eq!(adapter.pod.resources, json!({"requests": {"cpu": "0.5", "memory": "1000000"}}));
}

#[test]
fn certificates_of_both_sinks_are_parsed() {
    let hollow = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let cases = [
        ("spec.sink.CACerts", json!({"sink": {"uri": "https://display", "CACerts": hollow}})),
        (
            "spec.delivery.deadLetterSink.CACerts",
            json!({"delivery": {"deadLetterSink": {"uri": "https://d", "CACerts": hollow}}}),
        ),
    ];
    for (path, spec) in cases {
        let Err(Invalid::Spec(problems)) = validated(spec) else { panic!("{path} is accepted") };
        assert_eq!((problems.len(), problems[0].0.as_str()), (1, path));
        assert!(problems[0].1.starts_with("certificate 1 is not an X.509 certificate: "), "{}", problems[0].1);
    }
    assert!(validated(json!({"sink": {"uri": "https://display", "CACerts": ""}})).is_ok());
}

#[test]
fn a_name_must_fit_into_a_label() {
    let fits = "a".repeat(63);
    assert!(validated_with(json!({"name": fits}), json!({})).is_ok());
    let problem = "must be at most 63 characters, it becomes a label value: choose a shorter name";
    assert_eq!(validated_with(json!({"name": format!("{fits}a")}), json!({})), refused("metadata.name", problem));
}

/// Regions and queues by the adapter's own rules, of which two say how their problems are told.
#[test]
fn a_region_that_cannot_be_known_is_told_apart_from_a_wrong_spec() {
    let url = json!({"queueArn": null, "queueUrl": "http://localhost:9324/queue/q"});
    let Err(Invalid::Region(problem)) = validated(url.clone()) else { panic!("a region is known") };
    assert!(problem.starts_with("spec.region: "), "{problem}");
    // With another problem beside it, both are told as problems of the spec.
    let mut both = url;
    both["drainTimeout"] = json!("long");
    let Err(Invalid::Spec(problems)) = validated(both) else { panic!("it is accepted") };
    let paths: Vec<&str> = problems.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["spec.drainTimeout", "spec.region"]);

    let Err(Invalid::Spec(problems)) = validated(json!({"queueArn": "arn:aws:s3:::bucket"})) else {
        panic!("accepted")
    };
    assert_eq!(problems[0].0, "spec.queueArn");
    let Err(Invalid::Spec(problems)) = validated(json!({"queueArn": null})) else { panic!("accepted") };
    assert_eq!(problems[0].0, "spec.queueUrl");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let spec = json!({"drainTimeout": "x", "flow": {"maxInFlightBytes": "1"}, "template": {"nodeSelector": {"a": 1}}});
    let Err(invalid) = validated(spec) else { panic!("it is accepted") };
    let told = invalid.to_string();
    let paths: Vec<&str> = told.split("; ").filter_map(|one| one.split_once(": ")).map(|(path, _)| path).collect();
    assert_eq!(paths, ["spec.flow.maxInFlightBytes", "spec.drainTimeout", "spec.template.nodeSelector"]);
}

#[test]
fn a_flat_sink_keeps_the_events_of_eventing_awssqs() {
    let flat = json!({"apiVersion": "v1", "kind": "Service", "name": "display"});
    let format = |spec: Value| validated(spec).unwrap().format;
    assert_eq!(format(json!({"sink": flat})), Format::EventingAwssqs);
    assert_eq!(format(json!({"sink": flat, "event": {"format": "auto"}})), Format::Auto);
    assert_eq!(format(json!({"event": {"format": "triggermesh"}})), Format::TriggerMesh);
    assert_eq!(validated(json!({})).unwrap().tuning.format, None, "the adapter's own default applies");
}

#[test]
fn a_session_is_named_after_the_source_unless_the_user_names_it() {
    let role = "arn:aws:iam::123456789012:role/r";
    let assumed =
        |spec: Value| validated_with(json!({"name": "a".repeat(63)}), spec).unwrap().credentials.assume_role.unwrap();
    let named = |name: Option<&str>| {
        let mut assume = json!({"roleArn": role, "externalId": "ex"});
        assume["sessionName"] = json!(name);
        assumed(json!({"auth": {"assumeRole": assume}}))
    };
    let expected = |session_name: String| AssumeRole {
        role_arn: role.to_owned(),
        external_id: Some("ex".to_owned()),
        session_name,
    };
    assert_eq!(named(Some("me")), expected("me".to_owned()));
    assert_eq!(named(None), expected(format!("ns.{}", "a".repeat(61))));
}

#[test]
fn annotations_of_the_template_win_over_those_of_the_spec() {
    let spec = json!({
        "annotations": {"a": "1", "b": "1", "sidecar.istio.io/inject": "false"}, "template": {"annotations": {"b": "2"}},
    });
    let expected = [("a", "1"), ("b", "2"), ("sidecar.istio.io/inject", "false")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(validated(spec).unwrap().pod.annotations, expected);
}
