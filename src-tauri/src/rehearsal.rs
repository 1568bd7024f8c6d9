//! The running rehearsal, one at a time.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use wilco_engine::api::{Failure, FailureCode, FaultDials, RehearsalPlan, RehearsalView};
use wilco_rehearsal::Rehearsal;

/// Runs rehearsals and stops them.
#[derive(Default)]
pub(crate) struct Rehearsals {
    /// Ends the one that is running.
    running: Mutex<Option<Arc<Notify>>>,
}

impl Rehearsals {
    /// Runs one to its end, in the place of one that is running.
    pub(crate) async fn run(
        &self,
        plan: RehearsalPlan,
        faults: &FaultDials,
        tell: impl FnMut(&RehearsalView),
    ) -> Result<RehearsalView, Failure> {
        let stop = Arc::new(Notify::new());
        self.stop();
        *self.lock() = Some(Arc::clone(&stop));
        // It is not dropped halfway: its engine would continue to run.
        let rehearsal = Rehearsal::prepare(plan, faults).await?;
        let ended = tokio::select! {
            ended = rehearsal.run(tell) => ended,
            () = stop.notified() => Err(stopped()),
        };
        rehearsal.stop().await;
        ended
    }

    /// Ends the one that is running.
    pub(crate) fn stop(&self) {
        if let Some(stop) = self.lock().take() {
            stop.notify_one();
        }
    }

    fn lock(&self) -> parking_lot::MutexGuard<'_, Option<Arc<Notify>>> {
        self.running.lock()
    }
}

fn stopped() -> Failure {
    Failure { code: FailureCode::Invalid, message: "The rehearsal was stopped.".into(), hint: None }
}
