//! The details of a rollout: answers, causes, common traits, and its note.

use std::collections::HashSet;

use wilco_ledger::{DeviceId, State};

use super::{Handle, number};
use crate::{
    answer_times,
    api::{Failure, RolloutDetail, RolloutView, SharedTrait, SlowAnswers, TimesView, UnexpectedDevice},
    controller::Request,
    fleet::Device,
    rollouts,
    store::{ConnectionId, StoredMember, StoredUnexpectedDevice},
};

/// Devices that are no members and are named, at most.
const UNEXPECTED_DEVICES: u32 = 100;

impl Handle {
    /// A rollout with an analysis of its members' answers.
    ///
    /// # Errors
    /// `NotFound`; `Store`.
    pub async fn rollout(&self, id: &str) -> Result<RolloutDetail, Failure> {
        let view = self.shown_rollout(number(id)?).await?;
        let members = self.store.rollout_members(view.number).await?;
        let (all_times, causes) = (rollouts::answer_times(&members), rollouts::causes(&members));
        let firmware_times = self.firmware_times(&view, &members).await;
        let disagree = self.disagreeing(&view, &members).await;
        let disagreed = self.disagreed(&view, &members).await?;
        let slow = self.slow_answers(&view, &members).await?;
        let shared = self.shared_traits(&view, members).await?;
        let followed_by = self.followers(&view.id);
        let (unexpected_devices, unexpected_count) =
            self.store.rollout_unexpected_devices(view.number, UNEXPECTED_DEVICES).await?;
        let unexpected_devices = unexpected_devices.into_iter().map(unexpected_device).collect();
        Ok(RolloutDetail {
            rollout: view,
            answer_times: all_times,
            firmware_times,
            causes,
            shared,
            slow,
            disagree,
            disagreed,
            followed_by,
            unexpected_devices,
            unexpected_count,
        })
    }

    /// Replaces a rollout's note; removes it if none is given. Returns once this is on the disk.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for one of more than 20,000 bytes; `Store`.
    pub async fn note_rollout(&self, id: &str, note: Option<String>) -> Result<RolloutView, Failure> {
        let number = number(id)?;
        let note = note.filter(|note| !note.trim().is_empty());
        if let Some(refusal) = note.as_deref().and_then(rollouts::refuse_note) {
            return Err(refusal);
        }
        self.shown_rollout(number).await?;
        self.request(|reply| Request::NoteRollout(number, note, reply)).await??;
        self.shown_rollout(number).await
    }

    /// The number of members that answered that they succeeded, but report other values.
    async fn disagreeing(&self, view: &RolloutView, members: &[StoredMember]) -> u32 {
        let Ok(shared) = self.shared(&view.spec.connection).await else { return 0 };
        let fleet = shared.fleet.read();
        let disagrees = |member: &&StoredMember| {
            let of = fleet.get(&member.device).and_then(|device| device.disagreement.as_deref());
            of.is_some_and(|of| Some(&of.command) == member.command.as_ref())
        };
        u32::try_from(members.iter().filter(disagrees).count()).unwrap_or(u32::MAX)
    }

    /// The number of members that reported other values after answering that they succeeded.
    async fn disagreed(&self, view: &RolloutView, members: &[StoredMember]) -> Result<u32, Failure> {
        let stored = self.store.disagreements(&ConnectionId::from(view.spec.connection.as_str())).await?;
        let known: HashSet<_> = stored.iter().map(|(device, of)| (device, &of.command)).collect();
        let disagreed = |member: &&StoredMember| {
            member.command.as_ref().is_some_and(|command| known.contains(&(&member.device, command)))
        };
        Ok(u32::try_from(members.iter().filter(disagreed).count()).unwrap_or(u32::MAX))
    }

    /// Answer times of the members by the firmware that they now report, if it differs.
    async fn firmware_times(&self, view: &RolloutView, members: &[StoredMember]) -> Vec<TimesView> {
        let Ok(shared) = self.shared(&view.spec.connection).await else { return Vec::new() };
        let fleet = shared.fleet.read();
        let firmware = |member: &StoredMember| fleet.get(&member.device).and_then(|device| device.firmware.clone());
        let times = members.iter().filter_map(|member| Some((firmware(member), rollouts::took(member)?)));
        let times = answer_times::by_name(times);
        if times.len() > 1 { times } else { Vec::new() }
    }

    /// The common traits of the failed members, by the current state of their devices. Members that were never sent to
    /// do not count.
    async fn shared_traits(&self, view: &RolloutView, members: Vec<StoredMember>) -> Result<Vec<SharedTrait>, Failure> {
        let with = |wanted: &[State]| -> Vec<DeviceId> {
            let is_wanted = |member: &&StoredMember| member.state.is_some_and(|state| wanted.contains(&state));
            members.iter().filter(is_wanted).map(|member| member.device.clone()).collect()
        };
        let failed = with(&[State::Failed, State::Rejected, State::TimedOut, State::Undeliverable]);
        let succeeded = with(&[State::Succeeded]);
        let (command, args) = (view.spec.command.name.clone(), view.spec.command.args.approximate());
        let now = self.clock.now();
        self.of_fleet(&view.spec.connection, move |fleet| {
            let fleet = fleet.read();
            let known = |ids: &[DeviceId]| -> Vec<Option<&Device>> { ids.iter().map(|id| fleet.get(id)).collect() };
            rollouts::shared_traits(&known(&failed), &known(&succeeded), (command.as_str(), &args), now)
        })
        .await
    }

    /// What the members have in common that answered much later than most.
    async fn slow_answers(&self, view: &RolloutView, members: &[StoredMember]) -> Result<Option<SlowAnswers>, Failure> {
        let slow = rollouts::slow_members(members);
        let (command, args) = (view.spec.command.name.clone(), view.spec.command.args.approximate());
        let now = self.clock.now();
        self.of_fleet(&view.spec.connection, move |fleet| slow.traits(&fleet.read(), (command.as_str(), &args), now))
            .await
    }

    /// The rollouts that follow one, oldest first.
    fn followers(&self, id: &str) -> Vec<String> {
        let shown = self.rollouts.read();
        let follows = |view: &&RolloutView| view.spec.follows.as_ref().is_some_and(|follows| follows.rollout == id);
        shown.values().filter(follows).map(|view| view.id.clone()).collect()
    }
}

fn unexpected_device(
    StoredUnexpectedDevice { device, state, message, at }: StoredUnexpectedDevice,
) -> UnexpectedDevice {
    UnexpectedDevice { device: device.as_str().to_owned(), state: state.into(), message, at: at.0 }
}
