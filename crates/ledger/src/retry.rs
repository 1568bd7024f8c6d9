//! The pauses before a command is resent.

use crate::{CommandId, Millis, Retry};

/// The pause after the given number of sends: doubled for each, and lengthened by up to a quarter, so that a thousand
/// commands that fell silent together are not repeated together. The jitter comes from the id: no randomness in here.
pub(crate) fn pause(retry: &Retry, id: &CommandId, attempt: u32) -> Millis {
    let doublings = attempt.saturating_sub(1).min(32);
    let pause = retry.pause.0.saturating_mul(1 << doublings);
    let jitter = hash(id, attempt) % (pause / 4).saturating_add(1);
    Millis(pause.saturating_add(jitter))
}

/// FNV-1a: the same in every version of the program, unlike the standard library's.
fn hash(id: &CommandId, attempt: u32) -> u64 {
    id.as_str()
        .bytes()
        .chain(attempt.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::pause;
    use crate::{CommandId, Millis, Retry};

    #[test]
    fn pauses_double_and_vary_by_a_quarter_at_the_most() {
        let check = |milliseconds: u64, attempt: u32, low: u64, high: u64| {
            let retry = Retry { permitted: true, limit: 9, pause: Millis(milliseconds) };
            for n in 0..200 {
                let id = CommandId::new(format!("command-{n}")).expect("a short id");
                let pause = pause(&retry, &id, attempt).0;
                assert!((low..=high).contains(&pause), "{pause} ms for attempt {attempt}");
            }
        };
        check(2_000, 1, 2_000, 2_500);
        check(2_000, 2, 4_000, 5_000);
        check(2_000, 4, 16_000, 20_000);
        check(0, 7, 0, 0);
        check(u64::MAX, 400, u64::MAX, u64::MAX);
    }

    #[test]
    fn a_thousand_silent_commands_are_spread() {
        let retry = Retry { permitted: true, limit: 9, pause: Millis(4_000) };
        let pauses: std::collections::BTreeSet<u64> =
            (0..1_000).map(|n| pause(&retry, &CommandId::new(format!("{n}")).expect("a short id"), 1).0).collect();
        assert!(pauses.len() > 500, "only {} different pauses", pauses.len());
    }
}
