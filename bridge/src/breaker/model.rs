//! The breaker beside one that looks at every answer since it was last closed. I/O: the clock.

use fastrand::Rng;
use proptest::prelude::*;

use super::*;

fn sign() -> impl Strategy<Value = Sign> {
    prop_oneof![
        5 => Just(Sign::Accepted),
        3 => Just(Sign::Retryable),
        2 => Just(Sign::NoConnection),
        2 => Just(Sign::Unauthorized),
        1 => Just(Sign::Neutral),
    ]
}

fn is_retryable(sign: Sign) -> bool {
    matches!(sign, Sign::Retryable | Sign::NoConnection)
}

fn run(answers: &[(u64, Sign)], of: impl Fn(Sign) -> bool) -> usize {
    answers.iter().rev().take_while(|(_, sign)| of(*sign)).count()
}

fn opens(answers: &[(u64, Sign)], second: u64) -> bool {
    let recent: Vec<Sign> = answers.iter().filter(|(at, _)| second - at < 10).map(|(_, sign)| *sign).collect();
    let share = |of: fn(Sign) -> bool| recent.iter().filter(|sign| of(**sign)).count() * 2 >= recent.len();
    run(answers, |sign| sign == Sign::NoConnection) >= 5
        || run(answers, is_retryable) >= 8
        || (recent.len() >= 20 && (share(is_retryable) || share(|sign| sign == Sign::Unauthorized)))
}

proptest! {
    #[test]
    fn the_breaker_follows_from_the_answers_since_it_was_closed(
        answers in proptest::collection::vec((sign(), 0..700u64), 1..200),
    ) {
        let start = Instant::now();
        let (mut breaker, mut rng) = (Breaker::new(start), Rng::with_seed(1));
        let (mut state, mut acceptances, mut milliseconds) = (State::Closed, 0, 0);
        let mut seen: Vec<(u64, Sign)> = Vec::new();
        for (sign, pause) in answers {
            milliseconds += pause;
            let now = start + Duration::from_millis(milliseconds);
            seen.push((milliseconds / 1_000, sign));
            let next = match state {
                State::Closed if opens(&seen, milliseconds / 1_000) => State::Open,
                State::Open if sign == Sign::Accepted => State::HalfOpen,
                State::HalfOpen if sign == Sign::Accepted && acceptances == 2 => State::Closed,
                State::HalfOpen if is_retryable(sign) || sign == Sign::Unauthorized => State::Open,
                same @ (State::Closed | State::Open | State::HalfOpen) => same,
            };
            let transition = breaker.record(sign, now, &mut rng);
            prop_assert_eq!(transition.map(|transition| transition.to), (next != state).then_some(next));
            acceptances = match next {
                State::HalfOpen if state == State::Open => 1,
                State::HalfOpen => acceptances + usize::from(sign == Sign::Accepted),
                State::Closed | State::Open => 0,
            };
            if next == State::Closed && state == State::HalfOpen {
                seen.clear();
            }
            state = next;
            prop_assert_eq!(breaker.state(), state);
            let probe = breaker.poll_timeout();
            if state == State::Open {
                let at = probe.expect("an open breaker probes");
                prop_assert!(at <= now + Duration::from_secs(30), "a probe at least each 30 s");
            }
        }
    }
}
