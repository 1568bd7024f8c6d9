//! Follows commands until each has come to its end.

use std::{collections::HashMap, process::ExitCode, time::Duration};

use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};
use wilco_engine::api::{Batch, CommandView, HistoryQuery, LinkState};
use wilco_ledger::State;

use super::{
    ladder::{Ladder, Step},
    teller::Teller,
};
use crate::{
    base::Base,
    interrupt::Interrupt,
    link,
    output::{count, state_name},
    problem::{self, NOT_DONE, Problem},
};

/// Up to so many commands are told from their events, so that no state is left out.
const EVERY_STATE: usize = 200;
/// What was missed is read again after this at the latest.
const CATCH_UP: Duration = Duration::from_millis(400);
/// So many rows of the history at a time.
const PAGE: u32 = 1_000;

/// Commands on their way.
pub(super) struct Follow<'a> {
    base: &'a mut Base,
    connection: String,
    batches: Receiver<Batch>,
    commands: HashMap<String, Followed>,
    open: usize,
    teller: Teller,
    /// How long the connection may be away before what is unsent is withdrawn.
    patience: Duration,
    /// Since when the connection is away, and why.
    away: Option<(Instant, Option<Problem>)>,
    last_sequence: Option<u64>,
    catch_up: Option<Instant>,
}

struct Followed {
    device: String,
    ladder: Ladder,
    unsent: bool,
}

impl<'a> Follow<'a> {
    pub(super) fn new(
        base: &'a mut Base,
        connection: String,
        batches: Receiver<Batch>,
        commands: impl IntoIterator<Item = (String, String)>,
        patience: Duration,
        teller: Teller,
    ) -> Follow<'a> {
        let followed = |(id, device)| (id, Followed { device, ladder: Ladder::default(), unsent: true });
        let commands: HashMap<_, _> = commands.into_iter().map(followed).collect();
        Follow {
            base,
            connection,
            batches,
            open: commands.len(),
            commands,
            teller,
            patience,
            away: None,
            last_sequence: None,
            // Something may have happened before the first batch that we hear.
            catch_up: Some(Instant::now() + CATCH_UP),
        }
    }

    /// Until all have ended, or nothing can be sent, or somebody interrupts it.
    pub(super) async fn run(mut self, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
        while self.open > 0 {
            let catch_up = self.catch_up;
            let withdraw = self.away.as_ref().map(|(since, _)| *since + self.patience).filter(|_| self.any_unsent());
            tokio::select! {
                batch = self.batches.recv() => match batch {
                    Some(batch) => self.heard(&batch).await?,
                    None => self.listen_again().await?,
                },
                () = at(catch_up) => self.read_again().await?,
                () = at(withdraw) => {
                    self.withdraw().await?;
                    if let Some(problem) = self.never_sent() {
                        return Err(problem);
                    }
                }
                () = interrupt.heard() => {
                    tokio::select! {
                        stopped = self.interrupted() => stopped?,
                        // Once more means at once.
                        () = interrupt.heard() => {}
                    }
                    return Err(Problem::Interrupted);
                }
            }
            self.teller.flush()?;
        }
        let states = || self.commands.values().map(|followed| followed.ladder.state());
        let all_done = states().all(|state| matches!(state, State::Succeeded | State::Unconfirmed));
        self.teller.summary(states().map(State::as_str))?;
        Ok(if all_done { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
    }

    async fn heard(&mut self, batch: &Batch) -> Result<(), Problem> {
        let missed = self.last_sequence.is_some_and(|last| batch.sequence != last + 1);
        self.last_sequence = Some(batch.sequence);
        if missed || batch.more_commands {
            self.catch_up.get_or_insert(Instant::now() + CATCH_UP);
        }
        if let Some(view) = link::heard(batch, &self.connection) {
            let waited = self.away.take();
            self.away = match view.link {
                LinkState::Online { .. } => None,
                // It will not come back, so there is nothing to wait for.
                LinkState::Stopped { .. } => {
                    Some((Instant::now().checked_sub(self.patience).unwrap_or_else(Instant::now), link::trouble(view)))
                }
                _ => {
                    let (since, why) = waited.unwrap_or((Instant::now(), None));
                    Some((since, link::trouble(view).or(why)))
                }
            };
        }
        for view in &batch.commands {
            self.look_at(view).await?;
        }
        Ok(())
    }

    /// Tells what is new of a command, if it is one of ours.
    async fn look_at(&mut self, view: &CommandView) -> Result<(), Problem> {
        if !self.commands.contains_key(&view.id) {
            return Ok(());
        }
        if self.commands.len() > EVERY_STATE {
            return self.tell(view, |ladder| ladder.stands(view));
        }
        self.look_closely_at(&view.device, &view.id).await
    }

    async fn look_closely_at(&mut self, device: &str, id: &str) -> Result<(), Problem> {
        let detail = self.base.console().command(&self.connection, device, id).await?;
        self.tell(&detail.command, |ladder| ladder.climb(&detail))
    }

    fn tell(&mut self, view: &CommandView, look: impl FnOnce(&mut Ladder) -> Vec<Step>) -> Result<(), Problem> {
        let Some(followed) = self.commands.get_mut(&view.id) else { return Ok(()) };
        let was_final = followed.ladder.is_final();
        let steps = look(&mut followed.ladder);
        followed.unsent = is_unsent(view);
        if !was_final && followed.ladder.is_final() {
            self.open -= 1;
        }
        self.teller.tell(&steps)
    }

    /// Reads from the history what the feed has not told.
    async fn read_again(&mut self) -> Result<(), Problem> {
        let started = Instant::now();
        self.catch_up = None;
        if self.commands.len() <= EVERY_STATE {
            for (id, device) in self.those(|followed| !followed.ladder.is_final()) {
                self.look_closely_at(&device, &id).await?;
            }
        } else {
            self.read_history().await?;
        }
        // With very many, reading must not be all that is done.
        if self.open > 0 && started.elapsed() > CATCH_UP {
            self.catch_up = Some(Instant::now() + started.elapsed() * 2);
        }
        Ok(())
    }

    async fn read_history(&mut self) -> Result<(), Problem> {
        let mut query =
            HistoryQuery { connection: Some(self.connection.clone()), limit: PAGE, ..HistoryQuery::default() };
        // Newest first, so they come soon, and all of them are there.
        let mut left = self.commands.len();
        loop {
            let page = self.base.console().history(query.clone()).await?;
            for view in &page.commands {
                left = left.saturating_sub(usize::from(self.commands.contains_key(&view.id)));
                self.look_at(view).await?;
            }
            if page.next.is_none() || left == 0 {
                return Ok(());
            }
            query.cursor = page.next;
        }
    }

    /// The feed has ended: we were too slow, or the engine was another program's and has ended.
    async fn listen_again(&mut self) -> Result<(), Problem> {
        self.batches = match self.base.console().listen().await {
            Ok(batches) => batches,
            Err(_) => {
                self.base.reopen().await?;
                self.base.console().listen().await?
            }
        };
        self.last_sequence = None;
        self.read_again().await
    }

    /// Takes back what has provably not been sent.
    async fn withdraw(&mut self) -> Result<(), Problem> {
        for (id, device) in self.those(|followed| followed.unsent && !followed.ladder.is_final()) {
            // To cancel one that has just been sent would be to stop waiting for it.
            let before = self.base.console().command(&self.connection, &device, &id).await?;
            if is_unsent(&before.command) {
                self.base.console().cancel(&self.connection, &device, &id).await?;
            }
            let after = self.base.console().command(&self.connection, &device, &id).await?.command;
            self.look_at(&after).await?;
        }
        self.teller.flush()
    }

    /// The connection's trouble, if because of it nothing at all was sent.
    fn never_sent(&mut self) -> Option<Problem> {
        let none = self.commands.values().all(|followed| followed.ladder.state() == State::Cancelled);
        let (_, why) = self.away.take().filter(|_| none)?;
        Some(why.unwrap_or_else(|| {
            Problem::new("The connection was lost before anything was sent.", "Nothing will be sent. Try again.")
        }))
    }

    async fn interrupted(&mut self) -> Result<(), Problem> {
        self.withdraw().await?;
        let withdrawn = self.commands.values().filter(|one| one.ladder.state() == State::Cancelled).count();
        let out: Vec<_> = self.commands.values().filter(|one| !one.ladder.is_final()).collect();
        let named = |one: &&Followed| format!("{} ({})", one.device, state_name(one.ladder.state().as_str()));
        let mut names: Vec<_> = out.iter().take(10).map(named).collect();
        names.sort_unstable();
        if out.len() > names.len() {
            names.push("…".to_owned());
        }
        let mut what = Vec::new();
        if withdrawn > 0 {
            what.push(format!("{} withdrawn before being sent", count(withdrawn)));
        }
        if !out.is_empty() {
            what.push(format!("{} still out: {}", count(out.len()), names.join(", ")));
        }
        let hint = "They may still be done. What devices say is kept in the history of a stored connection.";
        problem::warn(&format!("Interrupted; {}.", what.join(", ")), (!out.is_empty()).then_some(hint));
        Ok(())
    }

    /// Ids and devices of some of the commands.
    fn those(&self, wanted: impl Fn(&Followed) -> bool) -> Vec<(String, String)> {
        let wanted = self.commands.iter().filter(|(_, followed)| wanted(followed));
        wanted.map(|(id, followed)| (id.clone(), followed.device.clone())).collect()
    }

    fn any_unsent(&self) -> bool {
        self.commands.values().any(|followed| followed.unsent && !followed.ladder.is_final())
    }
}

fn is_unsent(view: &CommandView) -> bool {
    view.attempts == 0 && matches!(view.state.as_str(), "queued" | "held")
}

/// Then; never, if there is no then.
async fn at(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}
