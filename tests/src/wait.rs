//! Waits for the outside world, whose time cannot be paused.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const STEP: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer, at most for so long.
///
/// # Errors
/// When there is none by then; `what` ends the sentence "there was no …".
pub fn soon<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if started.elapsed() > within {
            bail!("there was no {what} within {within:?}");
        }
        std::thread::sleep(STEP);
    }
}

/// As [`soon`], where asking takes time itself.
///
/// # Errors
/// When there is no answer by then, or asking does not work.
pub async fn soon_async<T>(what: &str, within: Duration, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if started.elapsed() > within {
            bail!("there was no {what} within {within:?}");
        }
        tokio::time::sleep(STEP * 5).await;
    }
}
