//! Runs rollouts in the controller: starts, advances, changes and shows them.

use std::sync::Arc;

use wilco_ledger::{
    Command, Input,
    rollout::{self, Action, Effect},
};

use super::{Next, known::Known};
use crate::{
    absent::{no_rollout, not_found},
    api::{Failure, Presence, RolloutView, invalid, sentence},
    controller::{Connection, Controller},
    store::{Change, ConnectionId, NewMember, StoredRollout},
};

impl Connection {
    /// The current view of a rollout.
    fn rollout_view(&self, known: &Known) -> RolloutView {
        let fleet = self.fleet.read();
        known.view(&|device| fleet.get(device).is_some_and(|device| device.presence == Presence::Offline))
    }

    /// How those rollouts are shown that are different from what was last shown.
    pub(in crate::controller) fn take_changed_rollouts(&mut self) -> Vec<RolloutView> {
        let changed: Vec<u32> = self.rollouts.changed().map(|known| known.stored.number).collect();
        let views = changed
            .iter()
            .filter_map(|number| self.rollouts.known.get(number))
            .map(|known| self.rollout_view(known))
            .collect();
        self.rollouts.changed().for_each(|known| known.changed = false);
        self.rollouts.forget_old();
        views
    }
}

impl Controller {
    /// Lets every rollout take note of what has happened, and do what follows.
    pub(in crate::controller) fn run_rollouts(&mut self) {
        let ids: Vec<_> = self
            .connections
            .values()
            .filter(|known| !known.rollouts.known.is_empty() || !known.rollouts.news.is_empty())
            .map(|known| known.id().clone())
            .collect();
        ids.iter().for_each(|id| self.run_rollouts_of(id));
    }

    fn run_rollouts_of(&mut self, id: &ConnectionId) {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let Some(known) = self.connections.get_mut(id) else { return };
        let connected = known.sender.is_some();
        known.rollouts.catch_up(connected, now);
        let fleet = Arc::clone(&known.fleet);
        known.rollouts.tick(&fleet, now, wall);
        if known.ledger.more_room_at().is_some_and(|at| at <= now) {
            self.record(id, Input::Tick);
        }
        while let Some(known) = self.connections.get_mut(id).filter(|known| known.ledger.room() > 0) {
            match known.rollouts.next(&fleet, now) {
                None => break,
                Some(Ok(Next::Release(submissions, earlier))) => {
                    self.pending_batch.changes.extend(earlier);
                    submissions.into_iter().for_each(|submission| {
                        let submission = self.in_its_dialect(id, submission);
                        self.submit(id, submission);
                    });
                }
                Some(Ok(Next::Query(question, member))) => {
                    let place = (known.rollouts.last_served, member);
                    known.rollouts.queries.insert(question.id.clone(), place);
                    self.submit(id, question);
                }
                Some(Err(failure)) => {
                    self.feed.failure(failure);
                    break;
                }
            }
            if let Some(known) = self.connections.get_mut(id) {
                known.rollouts.catch_up(connected, now);
            }
        }
        self.note_rollouts(id);
    }

    /// Records the progress of rollouts if it must be written.
    fn note_rollouts(&mut self, id: &ConnectionId) {
        let Some(known) = self.connections.get_mut(id) else { return };
        for rollout in known.rollouts.changed() {
            let snapshot = rollout.snapshot();
            if rollout.is_unsaved(&snapshot) {
                rollout.stored.snapshot = snapshot.clone();
                let (number, snapshot) = (rollout.stored.number, Box::new(snapshot));
                self.pending_batch.changes.push(Change::RolloutSnapshot { number, snapshot });
            }
        }
    }

    /// A rollout begins, or waits for the approval that it needs: this is the one place where one is started. The caller gets
    /// its reply once it is on the disk.
    pub(in crate::controller) fn start_rollout(
        &mut self,
        mut rollout: StoredRollout,
        members: Vec<NewMember>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        self.permit(&rollout.connection)?;
        rollout.approval = self.approval_for(&rollout, &members)?;
        let entry = self.audit_started(&rollout, &members);
        let of = rollout.connection.as_str().to_owned();
        let known = self.connections.get_mut(&rollout.connection).ok_or_else(|| not_found("connection", &of))?;
        known.unread.clone().map_or(Ok(()), Err)?;
        let mut begun = Known::new(rollout.clone(), &members, now);
        rollout.snapshot = begun.snapshot();
        begun.stored.snapshot = rollout.snapshot.clone();
        if known.rollouts.connected {
            begun.handle(rollout::Input::Connected, now);
        }
        known.rollouts.known.insert(rollout.number, begun);
        self.pending_batch.changes.push(Change::Rollout { rollout: Box::new(rollout), members });
        self.write_down(entry);
        Ok(())
    }

    /// Somebody does something to a rollout.
    pub(in crate::controller) fn act_on_rollout(&mut self, number: u32, action: Action) -> Result<(), Failure> {
        let now = self.clock.now();
        let of = self.connections.iter().find(|(_, known)| known.rollouts.known.contains_key(&number));
        let ended = || {
            let shown = self.shown.read();
            match shown.contains_key(&number) {
                true => refusal(rollout::Refusal::Ended),
                false => no_rollout(&number.to_string()),
            }
        };
        let id = of.map(|(id, _)| id.clone()).ok_or_else(ended)?;
        self.permit_action(&id, action)?;
        let known = self.connections.get(&id).and_then(|known| known.rollouts.get(number));
        let rollout = known.ok_or_else(|| no_rollout(&number.to_string()))?;
        if let Some(refused) = rollout.machine.refuses(action) {
            return Err(refusal(refused));
        }
        if !matches!(action, Action::Pause | Action::Stop) {
            self.permit_here(&id, &rollout.stored)?;
            self.permit_confirmed(&id, &rollout.stored)?;
        }
        let known = self.connections.get_mut(&id).and_then(|known| known.rollouts.known.get_mut(&number));
        let rollout = known.ok_or_else(|| no_rollout(&number.to_string()))?;
        let effects = rollout.handle(rollout::Input::Act(action), now);
        let unsent: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Cancel { member } => rollout.members.get(*member as usize),
                Effect::Release { .. } => None,
            })
            .filter_map(|member| Some((member.device.clone(), member.command.clone()?)))
            .collect();
        for (device, command) in unsent {
            let known = self.connections.get(&id);
            let is_unsent =
                known.and_then(|known| known.ledger.command(&device, &command)).is_some_and(Command::is_unsent);
            if is_unsent {
                self.record(&id, Input::Cancel { device, id: command });
            }
        }
        Ok(())
    }

    /// A user changes the note of a rollout.
    pub(in crate::controller) fn note_rollout(&mut self, number: u32, note: Option<String>) -> Result<(), Failure> {
        let now = self.clock.now();
        let known = self.connections.values_mut().find_map(|known| known.rollouts.known.get_mut(&number));
        if let Some(known) = known {
            known.stored.spec.note.clone_from(&note);
            known.changed = true;
            known.changed_at = now;
        } else {
            let shown = self.shown.read();
            let view = shown.get(&number).ok_or_else(|| no_rollout(&number.to_string()))?;
            let mut view = view.clone();
            view.spec.note.clone_from(&note);
            view.changed_at = view.changed_at.max(now.0);
            self.pending_batch.noted.push(view);
        }
        self.pending_batch.changes.push(Change::RolloutNote { number, note });
        Ok(())
    }

    /// These are on the disk as they are.
    pub(in crate::controller) fn show_rollouts(&mut self, views: Vec<RolloutView>) {
        if views.is_empty() {
            return;
        }
        let mut shown = self.shown.write();
        for view in views {
            self.feed.rollout(view.clone());
            if let Some(before) = shown.get(&view.number) {
                let connection = ConnectionId::from(view.spec.connection.as_str());
                let known = self.connections.get(&connection);
                let name = known.map_or(connection.as_str(), |known| &known.profile.name);
                self.notifications.iter_mut().for_each(|notifications| notifications.rollout(before, &view, name));
            }
            shown.insert(view.number, view);
        }
    }

    /// How those rollouts are shown that are different from what was last shown.
    pub(in crate::controller) fn take_changed_rollouts(&mut self) -> Vec<RolloutView> {
        self.connections.values_mut().flat_map(Connection::take_changed_rollouts).collect()
    }
}

fn refusal(refusal: rollout::Refusal) -> Failure {
    let hint = match refusal {
        rollout::Refusal::Unapproved => {
            "Save the approval request, have it approved, and import the approval. You can stop the rollout at any \
             time."
        }
        rollout::Refusal::Ended => {
            "To send the command again, retry the failed devices or send it to all of them again."
        }
        rollout::Refusal::NotRunning => "Resume it, or stop it.",
        rollout::Refusal::NotPaused => "Pause it first, or let it continue.",
        rollout::Refusal::NoStageWaits => "Wait until the current stage has finished, or close it.",
        rollout::Refusal::NothingToClose => "Wait until every device of the stage has been sent the command.",
    };
    invalid(sentence(&refusal.to_string()), hint)
}
