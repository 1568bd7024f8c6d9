//! Follows a rollout until it ends.

use std::process::ExitCode;

use tokio::sync::mpsc::Receiver;
use wilco_engine::api::{
    Batch, CommandState, MemberQuery, MemberState, MemberView, RolloutAction, RolloutView, WaitsFor,
};

use super::{
    detail,
    line::{self, RolloutLine},
};
use crate::{
    base::Base,
    interrupt::Interrupt,
    options::Listing,
    output::{Output, clean, count, state_name, visible_name},
    problem::{self, NOT_DONE, Problem, UNAPPROVED},
};

/// Members that did not do it are named, this many of them.
const NAMED: u32 = 20;
/// Members that may have been sent their command, and are not finished.
const OUT: [CommandState; 4] =
    [CommandState::Sent, CommandState::AtBroker, CommandState::Accepted, CommandState::Running];
/// Members whose device failed, or did not answer.
const FAILED: [CommandState; 5] = [
    CommandState::Failed,
    CommandState::Rejected,
    CommandState::TimedOut,
    CommandState::Undeliverable,
    CommandState::Expired,
];

/// A running rollout.
pub(super) struct Follow<'a> {
    base: &'a mut Base,
    view: RolloutView,
    batches: Receiver<Batch>,
    listing: Listing,
    output: Output,
    printed: Option<RolloutLine>,
    unread: bool,
    /// An interrupt stops it instead of pausing it.
    stops: bool,
    /// It is not followed while it waits for approval.
    leaves_unapproved: bool,
}

impl<'a> Follow<'a> {
    /// `batches` must be subscribed to before the rollout is started, so that no change is missed.
    pub(super) fn new(base: &'a mut Base, view: RolloutView, batches: Receiver<Batch>, listing: Listing) -> Follow<'a> {
        let output = match listing {
            Listing::Text => Output::text(),
            Listing::Json => Output::data(),
        };
        Follow {
            base,
            view,
            batches,
            listing,
            output,
            printed: None,
            unread: false,
            stops: false,
            leaves_unapproved: false,
        }
    }

    /// An interrupt withdraws what was not sent yet, in a running app too.
    pub(super) fn stopped_by_interrupt(self) -> Follow<'a> {
        Follow { stops: true, ..self }
    }

    /// While it waits for the approval of a second installation it is not followed.
    pub(super) fn unless_unapproved(self) -> Follow<'a> {
        Follow { leaves_unapproved: true, ..self }
    }

    /// Runs until it has ended, or is interrupted.
    pub(super) async fn run(self, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
        let id = self.view.id.clone();
        self.follow(interrupt).await.map_err(|problem| match problem {
            Problem::Message { message, hint } => Problem::Unclear {
                message: format!("{message} Rollout {id} has started, but this command no longer follows it."),
                hint: Some(format!(
                    "{}Check its state: wilco rollout show {id}.",
                    hint.map(|hint| hint + " ").unwrap_or_default()
                )),
            },
            other => other,
        })
    }

    async fn follow(mut self, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
        self.print_progress()?;
        if self.leaves_unapproved && self.is_unapproved() {
            return Ok(self.unapproved());
        }
        while self.view.ended_at.is_none() {
            tokio::select! {
                batch = self.batches.recv() => match batch {
                    Some(batch) => self.apply(&batch)?,
                    None => self.listen_again().await?,
                },
                () = interrupt.received() => return self.interrupted().await,
            }
        }
        self.name_those_not_done().await?;
        self.name_unexpected_devices().await?;
        Ok(if line::all_done(&self.view) { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
    }

    fn is_unapproved(&self) -> bool {
        self.view.waits_for == Some(WaitsFor::Approval)
    }

    /// Explains how to have it approved.
    fn unapproved(&self) -> ExitCode {
        let id = &self.view.id;
        problem::warn(
            &format!("Rollout {id} waits for the approval of a second installation. Nothing was sent."),
            Some(&format!(
                "Save its request with wilco approval request {id} FILE, have a colleague sign it, and import the \
                 answer with wilco approval import FILE."
            )),
        );
        ExitCode::from(UNAPPROVED)
    }

    fn apply(&mut self, batch: &Batch) -> Result<(), Problem> {
        if let Some(view) = batch.rollouts.iter().find(|view| view.number == self.view.number) {
            // The reply is newer than this batch.
            if view.changed_at >= self.view.changed_at {
                self.view = view.clone();
                self.print_progress()?;
            }
        }
        let connection = &self.view.spec.connection;
        if batch.connections.as_ref().is_some_and(|all| all.iter().all(|one| one.id != *connection)) {
            // There is nothing left to look at.
            return Err(Problem::Unclear {
                message: format!("Rollout {} was removed together with its connection.", self.view.id),
                hint: Some("Devices may still carry out commands that were sent before.".into()),
            });
        }
        Ok(())
    }

    /// The feed has ended: this program was too slow, or the engine was another program's and has ended.
    async fn listen_again(&mut self) -> Result<(), Problem> {
        self.batches = self.base.console().listen().await?;
        self.view = super::find(self.base, &self.view.id).await?;
        self.print_progress()
    }

    /// A rollout of this program's engine does not continue without it, so it is paused; a running app continues it.
    async fn interrupted(self) -> Result<ExitCode, Problem> {
        let id = &self.view.id;
        if self.stops {
            return self.stopped().await;
        }
        if !self.base.is_own() {
            problem::warn(
                &format!("Interrupted; rollout {id} continues in the running Wilco."),
                Some(&format!("Follow it with wilco rollout watch {id}, or stop it with wilco rollout stop {id}.")),
            );
            return Err(Problem::Interrupted);
        }
        if self.is_unapproved() {
            problem::warn(
                &format!("Interrupted; rollout {id} still waits for approval."),
                Some(&format!(
                    "Import the answer with wilco approval import FILE, or stop it with wilco rollout stop {id}."
                )),
            );
            return Err(Problem::Interrupted);
        }
        // It may have ended or halted just now.
        let paused = self.base.console().act_on_rollout(id, RolloutAction::Pause).await;
        let stands = paused.map_or("did not change", |_| "is paused");
        problem::warn(
            &format!("Interrupted; rollout {id} {stands}."),
            Some(&format!("Resume it with wilco rollout resume {id}, or stop it with wilco rollout stop {id}.")),
        );
        Err(Problem::Interrupted)
    }

    /// Stops it, and prints the unfinished commands.
    async fn stopped(&self) -> Result<ExitCode, Problem> {
        let id = &self.view.id;
        // It may have ended just now.
        let stopped = self.base.console().act_on_rollout(id, RolloutAction::Stop).await;
        let counts = stopped.as_ref().map_or(self.view.counts, |view| view.counts);
        let query =
            MemberQuery { rollout: id.clone(), states: OUT.map(MemberState::from).to_vec(), ..MemberQuery::default() };
        let out = self.base.console().rollout_members(query, 0, 10).await?;
        let mut what = vec![format!("rollout {id} {}", if stopped.is_ok() { "is stopped" } else { "did not change" })];
        if counts.pending + counts.cancelled > 0 {
            what.push(format!("{} cancelled before being sent", count((counts.pending + counts.cancelled) as usize)));
        }
        if out.matching > 0 {
            let state = |member: &MemberView| state_name(member.state);
            let mut names: Vec<_> =
                out.rows.iter().map(|member| format!("{} ({})", visible_name(&member.device), state(member))).collect();
            if out.matching as usize > names.len() {
                names.push("…".to_owned());
            }
            what.push(format!("{} unfinished: {}", count(out.matching as usize), names.join(", ")));
        }
        let hint = "Devices may still carry them out. Their answers appear in the history of a stored connection.";
        problem::warn(&format!("Interrupted; {}.", what.join(", ")), (out.matching > 0).then_some(hint));
        Err(Problem::Interrupted)
    }

    /// Prints its progress, if it has changed.
    fn print_progress(&mut self) -> Result<(), Problem> {
        let line = RolloutLine::of(&self.view);
        if self.printed.as_ref().is_some_and(|printed| printed.says_the_same(&line)) {
            return Ok(());
        }
        let text = line::text(&self.view);
        let why =
            self.view.why.clone().filter(|why| self.printed.as_ref().is_none_or(|printed| printed.why() != Some(why)));
        let listing = self.listing;
        self.print(|output| {
            match listing {
                Listing::Json => output.json(&line)?,
                Listing::Text => {
                    output.line(&text)?;
                    if let Some(why) = why {
                        output.line(&clean(&why))?;
                    }
                }
            }
            output.flush()
        })?;
        self.printed = Some(line);
        Ok(())
    }

    /// Lists members that failed, with their messages.
    async fn name_those_not_done(&mut self) -> Result<(), Problem> {
        if self.listing == Listing::Json || line::all_done(&self.view) {
            return Ok(());
        }
        let query = MemberQuery {
            rollout: self.view.id.clone(),
            states: FAILED.map(MemberState::from).to_vec(),
            ..MemberQuery::default()
        };
        let page = self.base.console().rollout_members(query, 0, NAMED).await?;
        let left_out = page.matching as usize - page.rows.len().min(page.matching as usize);
        self.print(|output| {
            for member in &page.rows {
                let message = member.message.as_deref().map(|message| format!(": {}", clean(message)));
                let state = state_name(member.state);
                output.line(&format!("{} {state}{}", visible_name(&member.device), message.unwrap_or_default()))?;
            }
            if left_out > 0 {
                output.line(&format!("… and {} more", count(left_out)))?;
            }
            output.flush()
        })
    }

    /// Lists devices that answered a broadcast but are not members of it.
    async fn name_unexpected_devices(&mut self) -> Result<(), Problem> {
        if self.listing == Listing::Json || !self.view.spec.is_broadcast() {
            return Ok(());
        }
        let detail = self.base.console().rollout(&self.view.id).await?;
        let Some(line) = detail::unexpected_devices(&detail) else { return Ok(()) };
        self.print(|output| {
            output.line(&line)?;
            output.flush()
        })
    }

    /// If the reader of the output is gone, the rollout is still followed, because its end determines the exit status.
    fn print(&mut self, print: impl FnOnce(&mut Output) -> Result<(), Problem>) -> Result<(), Problem> {
        if self.unread {
            return Ok(());
        }
        match print(&mut self.output) {
            Err(Problem::Unread) => {
                self.unread = true;
                Ok(())
            }
            outcome => outcome,
        }
    }
}
