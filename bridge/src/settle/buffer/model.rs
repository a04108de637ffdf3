//! A buffer beside the plain list of what was pushed and not yet taken. I/O: the clock.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Push(u8),
    Wait(u64),
    Take,
    Finish,
    Hurry,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1..13u8).prop_map(Step::Push),
        3 => (0..300u64).prop_map(Step::Wait),
        5 => Just(Step::Take),
        3 => Just(Step::Finish),
        1 => Just(Step::Hurry),
    ]
}

const LINGER: Duration = Duration::from_millis(200);
const PARALLEL: usize = 2;

proptest! {
    #[test]
    fn batches_hold_what_was_pushed_in_order_and_go_when_full_or_old_or_hurried(
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut now = Instant::now();
        let mut buffer = Buffer::new(LINGER, PARALLEL);
        let (mut waiting, mut running, mut number) = (Vec::<(Instant, u32)>::new(), 0usize, 0u32);
        let mut hurried = false;
        for step in steps {
            match step {
                Step::Push(count) => {
                    for _ in 0..count {
                        number += 1;
                        buffer.push(number, now);
                        waiting.push((now, number));
                    }
                }
                Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                Step::Take => {
                    let old = waiting.first().is_some_and(|(since, _)| now >= *since + LINGER);
                    let due = waiting.len() >= BATCH || old || (hurried && !waiting.is_empty());
                    let expected = (due && running < PARALLEL).then(|| {
                        running += 1;
                        waiting.drain(..waiting.len().min(BATCH)).map(|(_, entry)| entry).collect::<Vec<_>>()
                    });
                    hurried &= !waiting.is_empty();
                    prop_assert_eq!(buffer.take(now), expected);
                }
                Step::Finish => {
                    buffer.finished();
                    running = running.saturating_sub(1);
                }
                Step::Hurry => {
                    buffer.hurry();
                    hurried = !waiting.is_empty();
                }
            }
            prop_assert_eq!(buffer.is_idle(), waiting.is_empty() && running == 0);
            let at = waiting.first().filter(|_| running < PARALLEL).map(|(since, _)| {
                if waiting.len() >= BATCH || hurried { *since } else { *since + LINGER }
            });
            prop_assert_eq!(buffer.poll_timeout(), at);
        }
    }
}
