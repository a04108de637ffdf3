//! Everything that people get wrong, from the cause to what `kubectl get` and `status` say, and that it goes.
//!
//! The adapters are real: the pods of these sources are processes of the bridge, with an SQS, an STS and sinks of their own.

mod aws;
mod cluster;
mod place;
mod sinks;

use std::time::Instant;

use tests::apiserver::{on_a_runtime, root};

use crate::shared::controlled;
use place::{Act, Place, Told};

/// Something that is wrong, and what is told of it.
struct Fault {
    /// What is wrong, for people.
    what: &'static str,
    /// Status of Ready.
    ready: &'static str,
    /// Reason of Ready.
    reason: &'static str,
    /// Status and reason of DeliveryHealthy.
    delivering: (&'static str, &'static str),
    /// The message of Ready or, if that is True, of DeliveryHealthy; with the names of [`Place::plain`].
    sentence: &'static str,
    /// How it is repaired, for people.
    repair: &'static str,
    /// Does it.
    cause: Act,
    /// Repairs it.
    mend: Act,
}

/// One that keeps a source from being ready, while what was received is delivered.
fn fault(
    what: &'static str,
    reason: &'static str,
    sentence: &'static str,
    repair: &'static str,
    cause: Act,
    mend: Act,
) -> Fault {
    Fault { what, ready: "False", reason, delivering: ("True", ""), sentence, repair, cause, mend }
}

impl Fault {
    /// The same, but no adapter tells of deliveries.
    fn unobserved(self) -> Self {
        Self { delivering: ("Unknown", "NotObserved"), ..self }
    }

    /// The same, but it is only deliveries that suffer.
    fn of_deliveries(self) -> Self {
        Self { ready: "True", reason: "", delivering: ("False", self.reason), ..self }
    }
}

fn faults() -> Vec<Fault> {
    aws::faults().into_iter().chain(cluster::faults()).chain(sinks::faults()).collect()
}

/// If this fails, a user waits in front of a source that does not say what is wrong, or says so for ever.
#[test]
fn each_fault_is_told_with_cause_and_fix_and_goes_with_its_repair() {
    on_a_runtime(async {
        let outcomes = futures::future::join_all(faults().into_iter().map(told_and_gone)).await;
        let mut wrong = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok((what, told, gone)) => println!("{what}: told after {told:.1} s, gone after {gone:.1} s"),
                Err(problem) => wrong.push(problem),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// What was wrong, and the seconds until it was told and until it was gone.
async fn told_and_gone(fault: Fault) -> Result<(&'static str, f64, f64), String> {
    let Fault { what, ready, reason, delivering, sentence, cause, mend, .. } = fault;
    let mut place = Place::new(controlled()).await;
    let began = Instant::now();
    cause(&mut place).await;
    let delivering = (delivering.0.to_owned(), delivering.1.to_owned());
    let expected = (ready.to_owned(), reason.to_owned(), delivering, sentence.to_owned());
    let as_expected = async |now: &Told| *now == expected;
    place.until(ready, as_expected).await.map_err(|last| format!("{what} is told so: {last:?}"))?;
    let told = began.elapsed().as_secs_f64();
    let began = Instant::now();
    mend(&mut place).await;
    let gone = async |now: &Told| (now.0.as_str(), now.2.0.as_str()) == ("True", "True");
    place.until("False", gone).await.map_err(|last| format!("{what} is repaired, and this is told: {last:?}"))?;
    Ok((what, told, began.elapsed().as_secs_f64()))
}

const START: &str = "<!-- faults: made by the tests of the tier apiserver -->\n";
const END: &str = "<!-- end of faults -->";

/// What people read is what the test above sees.
#[test]
fn the_document_shows_every_fault_as_it_is_told() {
    let path = root().join("source-controller/TROUBLESHOOTING.md");
    let document = std::fs::read_to_string(&path).expect("source-controller/TROUBLESHOOTING.md");
    let (before, rest) = document.split_once(START).expect("the mark where the faults start");
    let (shown, after) = rest.split_once(END).expect("the mark where the faults end");
    let expected = table();
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{before}{START}{expected}{END}{after}")).expect("the document can be written");
    } else {
        let command = "UPDATE_README=1 tests/run apiserver";
        assert_eq!(shown, expected, "TROUBLESHOOTING.md shows other faults than the tests: run {command}");
    }
}

fn table() -> String {
    let mut text =
        "\n| What is wrong | READY | REASON | DELIVERING | What status says | Repair |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for Fault { what, ready, reason, delivering, sentence, repair, .. } in faults() {
        let delivering = format!("{} {}", delivering.0, code(delivering.1));
        let cells = [
            what,
            ready,
            &code(reason),
            delivering.trim_end(),
            &sentence.replace('|', "\\|").replace('<', "&lt;"),
            repair,
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text.push('\n');
    text
}

fn code(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!("`{word}`") }
}
