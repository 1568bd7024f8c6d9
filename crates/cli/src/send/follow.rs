//! Follows a command until it is finished.

use std::{process::ExitCode, time::Duration};

use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};
use wilco_engine::api::{Batch, CommandState, CommandView, DevicePassword, LinkState};

use super::{progress::CommandProgress, step_printer::StepPrinter};
use crate::{
    base::Base,
    interrupt::Interrupt,
    link,
    output::{state_name, visible_name},
    problem::{self, NOT_DONE, Problem},
};

/// Missed changes are read again after this time at the latest.
const CATCH_UP: Duration = Duration::from_millis(400);

/// A running command.
pub(super) struct Follow<'a> {
    base: &'a mut Base,
    batches: Receiver<Batch>,
    connection: String,
    device: String,
    /// The command's id.
    id: String,
    progress: CommandProgress,
    unsent: bool,
    step_printer: StepPrinter,
    /// How long the connection may be away before what is unsent is withdrawn.
    connect_timeout: Duration,
    /// Since when the connection is away, and why.
    away: Option<(Instant, Option<Problem>)>,
    last_sequence: Option<u64>,
    catch_up: Option<Instant>,
}

impl<'a> Follow<'a> {
    /// `batches` were listened to before the command was sent, so that no change is missed.
    pub(super) fn new(
        base: &'a mut Base,
        connection: String,
        batches: Receiver<Batch>,
        (id, device): (String, String),
        connect_timeout: Duration,
        step_printer: StepPrinter,
    ) -> Follow<'a> {
        Follow {
            base,
            batches,
            connection,
            device,
            id,
            progress: CommandProgress::default(),
            unsent: true,
            step_printer,
            connect_timeout,
            away: None,
            last_sequence: None,
            // Something may have happened before the first batch.
            catch_up: Some(Instant::now() + CATCH_UP),
        }
    }

    /// Runs until it has ended, nothing can be sent, or it is interrupted.
    pub(super) async fn run(mut self, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
        let outcome = self.follow(interrupt).await;
        let Err(Problem::Message { message, hint } | Problem::Unclear { message, hint }) = &outcome else {
            return outcome;
        };
        if self.is_withdrawn().await {
            return outcome;
        }
        Err(self.unclear(message, hint.clone()))
    }

    async fn follow(&mut self, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
        while !self.progress.is_final() {
            let catch_up = self.catch_up;
            let withdraw = self.away.as_ref().map(|(since, _)| *since + self.connect_timeout).filter(|_| self.unsent);
            tokio::select! {
                batch = self.batches.recv() => match batch {
                    Some(batch) => self.apply(&batch).await?,
                    None => self.listen_again().await?,
                },
                () = at(catch_up) => self.read_again().await?,
                () = at(withdraw) => {
                    self.withdraw().await?;
                    if let Some(problem) = self.never_sent() {
                        return Err(problem);
                    }
                }
                () = interrupt.received() => {
                    tokio::select! {
                        stopped = self.interrupted() => stopped?,
                        // Once more means at once.
                        () = interrupt.received() => {}
                    }
                    return Err(Problem::Interrupted);
                }
            }
            self.step_printer.flush()?;
        }
        if self.progress.state() == CommandState::Rejected {
            self.print_password_hint().await;
        }
        let done = matches!(self.progress.state(), CommandState::Succeeded | CommandState::Unconfirmed);
        Ok(if done { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
    }

    /// Prints that the device requires signed requests, and how to set a password.
    async fn print_password_hint(&self) {
        let detail = self.base.console().device(&self.connection, &self.device).await;
        let password = detail.ok().and_then(|detail| detail.described).and_then(|described| described.password);
        if password == Some(DevicePassword::Wanted) {
            let name = visible_name(&self.device);
            problem::warn(
                &format!("{name} requires a password, and none is set."),
                Some(&format!("Set it with wilco devices password -c CONNECTION -d {name}.")),
            );
        }
    }

    async fn apply(&mut self, batch: &Batch) -> Result<(), Problem> {
        let missed = self.last_sequence.is_some_and(|last| batch.sequence != last + 1);
        self.last_sequence = Some(batch.sequence);
        if missed || batch.more_commands {
            self.catch_up.get_or_insert(Instant::now() + CATCH_UP);
        }
        if let Some(view) = link::view_of(batch, &self.connection) {
            let waited = self.away.take();
            self.away = match view.link {
                LinkState::Online { .. } => None,
                // It will not come back, so there is nothing to wait for.
                LinkState::Stopped { .. } => Some((
                    Instant::now().checked_sub(self.connect_timeout).unwrap_or_else(Instant::now),
                    link::trouble(view),
                )),
                _ => {
                    let (since, why) = waited.unwrap_or((Instant::now(), None));
                    Some((since, link::trouble(view).or(why)))
                }
            };
        }
        if batch.commands.iter().any(|view| view.id == self.id) { self.look().await } else { Ok(()) }
    }

    /// Prints changes of the command.
    async fn look(&mut self) -> Result<(), Problem> {
        let detail = self.base.console().command(&self.connection, &self.device, &self.id).await?;
        self.unsent = is_unsent(&detail.command);
        let steps = self.progress.new_steps(&detail);
        self.step_printer.print_steps(&steps)
    }

    /// Reads changes that the feed has not reported.
    async fn read_again(&mut self) -> Result<(), Problem> {
        self.catch_up = None;
        self.look().await
    }

    /// The feed has ended: this program was too slow, or the engine was another program's and has ended.
    async fn listen_again(&mut self) -> Result<(), Problem> {
        self.batches = self.base.console().listen().await?;
        self.last_sequence = None;
        self.read_again().await
    }

    /// Cancels the command if it was certainly not sent.
    async fn withdraw(&mut self) -> Result<(), Problem> {
        // To cancel one that has just been sent would be to stop waiting for it.
        let before = self.base.console().command(&self.connection, &self.device, &self.id).await?;
        if is_unsent(&before.command) {
            self.base.console().cancel(&self.connection, &self.device, &self.id).await?;
        }
        self.look().await?;
        self.step_printer.flush()
    }

    /// The problem of the connection that prevented sending.
    fn never_sent(&mut self) -> Option<Problem> {
        let (_, why) = self.away.take().filter(|_| self.progress.state() == CommandState::Cancelled)?;
        Some(why.unwrap_or_else(|| {
            Problem::new("The connection was lost before any command was sent.", "Nothing was sent. Try again.")
        }))
    }

    /// Nothing was sent, and nothing will be. This program's engine may be about to send commands that were unsent at
    /// the last check, so those are cancelled first.
    async fn is_withdrawn(&self) -> bool {
        if self.progress.state() == CommandState::Cancelled {
            return true;
        }
        if !self.unsent || !self.base.is_passing() {
            return false;
        }
        let (console, connection, device, id) = (self.base.console(), &self.connection, &self.device, &self.id);
        let now = async || console.command(connection, device, id).await.ok().map(|detail| detail.command);
        if !now().await.is_some_and(|command| is_unsent(&command)) {
            return false;
        }
        // It was refused where the command has left meanwhile: that shows in its state.
        let _ = console.cancel(connection, device, id).await;
        now().await.is_some_and(|command| command.attempts == 0 && command.state == CommandState::Cancelled)
    }

    /// It can no longer be followed: returns its last known state.
    fn unclear(&self, why: &str, hint: Option<String>) -> Problem {
        let stood = if self.unsent {
            "It was waiting to be sent. Wilco sends it when it next runs on this connection, unless its time to live \
             has passed."
        } else {
            "It was sent, or may have been."
        };
        let hint = hint.map(|hint| format!("{hint} ")).unwrap_or_default();
        Problem::Unclear {
            message: format!(
                "{why} Wilco can no longer follow the command for {}. {stood}",
                visible_name(&self.device)
            ),
            hint: Some(format!("{hint}Check wilco history before you repeat it.")),
        }
    }

    async fn interrupted(&mut self) -> Result<(), Problem> {
        if self.unsent {
            self.withdraw().await?;
        }
        if self.progress.is_final() {
            problem::warn("Interrupted; 1 command cancelled before being sent.", None);
        } else {
            let state = state_name(self.progress.state());
            problem::warn(
                &format!("Interrupted; 1 command unfinished: {} ({state}).", visible_name(&self.device)),
                Some("The device may still carry it out. Its answers appear in the history of a stored connection."),
            );
        }
        Ok(())
    }
}

fn is_unsent(view: &CommandView) -> bool {
    view.attempts == 0 && matches!(view.state, CommandState::Queued | CommandState::Held)
}

/// Then; never, if there is no then.
async fn at(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}
