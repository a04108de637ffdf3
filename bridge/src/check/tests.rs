use std::collections::BTreeMap;

use super::*;

fn report() -> Report {
    Report {
        result: Grade::Failed,
        checks: vec![
            Finding::ok("configuration", "valid", "settings are valid".to_owned()),
            Finding::warning("queue", "exists", "doubtful".to_owned(), "look"),
            Finding::failed("queue", "exists", "gone".to_owned(), "make it"),
        ],
        settings: vec![
            ShownSetting { env: "K_SINK", value: "http://sink/".to_owned(), origin: "env K_SINK".to_owned() },
            ShownSetting { env: "NAME", value: "adapter".to_owned(), origin: "default".to_owned() },
        ],
    }
}

#[test]
fn people_read_one_line_per_check_with_fix_and_hint() {
    let mut out = Vec::new();
    report().print_text(&mut out).expect("memory can be written to");
    let expected = format!(
        "configuration\n    K_SINK = http://sink/ (env K_SINK)\n√ settings are valid\nqueue\n‼ doubtful\n    look\n    see {README}#check-queue\n× gone\n    make it\n    see {README}#check-queue\n1 failed, 1 warnings\n"
    );
    assert_eq!(String::from_utf8(out).expect("text"), expected);
}

#[test]
fn programs_read_json() {
    let mut out = Vec::new();
    report().print_json(&mut out).expect("memory can be written to");
    let json: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    let expected = serde_json::json!({
        "category": "queue", "check": "exists", "grade": "warning",
        "message": "doubtful", "fix": "look", "hint": format!("{README}#check-queue"),
    });
    assert_eq!(json["result"], "failed");
    assert_eq!(json["checks"][1], expected);
    assert_eq!(
        json["settings"][0],
        serde_json::json!({"env": "K_SINK", "value": "http://sink/", "origin": "env K_SINK"})
    );
}

#[test]
fn every_hint_leads_to_a_heading_of_the_readme() {
    let readme = include_str!("../../README.md");
    for category in ["configuration", "credentials", "queue", "attributes", "permissions", "sink"] {
        assert!(readme.lines().any(|line| line == format!("### Check {category}")), "### Check {category}");
    }
}

#[tokio::test]
async fn wrong_settings_are_findings_and_an_error() {
    let env = BTreeMap::from([("BRIDGE_WAIT_TIME".to_owned(), "x".to_owned())]);
    let (report, outcome) = check(&RunArgs::default(), &env, args::Check { send: false, json: false }).await;
    let errors = outcome.expect_err("three problems");
    assert_eq!(errors.0.len(), 3);
    assert_eq!(report.result, Grade::Failed);
    let wait = report.checks.last().expect("a finding");
    assert_eq!(wait.message, r#"BRIDGE_WAIT_TIME (flag --wait-time, field receive.waitTime) is "x""#);
    assert_eq!(wait.fix.as_deref(), Some("use whole seconds from 1s to 20s, such as 1s"));
}
