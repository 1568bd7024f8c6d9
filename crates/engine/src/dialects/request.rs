//! Prepares a request to a device of another dialect.

use wilco_dialect::{CommandToEncode, IdKind, KnownDevice};
use wilco_ledger::{CommandId, DeviceId, Expectation, Policy, Submission, WireForm, WrittenMessage};

use super::ConnectionDialects;
use crate::sample;

/// A command for a device of another dialect, ready to be submitted.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The message, and what shows that it was carried out.
    pub(crate) form: WireForm,
    /// Something can come back.
    pub(crate) answer_expected: bool,
    /// Answers name their command.
    pub(crate) answers_carry_ids: bool,
    /// The reported value, if it is the requested one; the device then may report nothing, because nothing changes.
    pub(crate) already: Option<String>,
    /// Why nothing can come back, as a sentence.
    pub(crate) silent: Option<String>,
}

impl Prepared {
    /// A user's command, as it is sent to its device.
    pub(crate) fn into_submission(self, submission: Submission) -> Submission {
        let policy = Policy {
            answer_expected: submission.policy.answer_expected && self.answer_expected,
            answers_carry_ids: self.answers_carry_ids,
            ..submission.policy
        };
        Submission { form: Some(self.form.into()), policy, ..submission }
    }
}

impl ConnectionDialects {
    /// The device with this name in topics or this display name, if it is unique and no other device has it as its ID.
    pub(crate) fn named(&self, name: &str) -> Option<DeviceId> {
        if DeviceId::new(name).is_ok_and(|id| self.devices.get(&id).is_some()) {
            return None;
        }
        let is_it = |device: &&KnownDevice| &*device.address == name || device.name.as_deref() == Some(name);
        let mut named = self.devices.iter().filter(is_it);
        named.next().filter(|_| named.next().is_none()).map(|device| device.id.clone())
    }

    /// Prepares a request to a device; none for Wilco's own dialect. `command` and `args` are what the user meant, so
    /// that `led` works for any relay or light.
    ///
    /// # Errors
    /// A sentence: why it cannot be asked like this.
    pub(crate) fn prepare(
        &mut self,
        device: &DeviceId,
        command: &str,
        args: &str,
        id: &CommandId,
    ) -> Option<Result<Prepared, String>> {
        let known = match self.device_to_ask(device)? {
            Ok(known) => known,
            Err(why) => return Some(Err(why)),
        };
        let had_number = self.wire_ids.of(device, id).is_some();
        let prepared = self.write(&known, command, args, id);
        if prepared.is_err() && !had_number {
            self.wire_ids.release(device, id);
        }
        Some(prepared)
    }

    /// Why a device does not support the request, or its current report. Changes nothing.
    pub(crate) fn consider(&self, device: &DeviceId, command: &str, args: &str) -> Option<Result<Prepared, String>> {
        let known = match self.device_to_ask(device)? {
            Ok(known) => known,
            Err(why) => return Some(Err(why)),
        };
        // A placeholder, which is never sent.
        let id = CommandId::new(sample::ID).map_err(|error| error.to_string());
        Some(id.and_then(|id| self.message(&known, command, args, &id, sample::ID)))
    }

    /// The dialect in which a device is asked; none for Wilco's own, and for a device that no dialect has found.
    pub(crate) fn dialect_of(&self, device: &DeviceId) -> Option<&str> {
        match self.devices.get(device) {
            Some(known) => Some(&known.dialect),
            None if self.speaks_own => None,
            None => self.only_unannounced(),
        }
    }

    fn device_to_ask(&self, device: &DeviceId) -> Option<Result<KnownDevice, String>> {
        if let Some(known) = self.devices.get(device) {
            return Some(Ok(known.clone()));
        }
        if self.speaks_own {
            return None;
        }
        // With only one dialect, a device that is not known yet can be sent requests by its name in topics.
        Some(match self.only_unannounced() {
            Some(only) => Ok(KnownDevice::new(device.clone(), only, device.as_str())),
            None => Err(format!("No dialect that is enabled on this connection has found a device '{device}'.")),
        })
    }

    /// The only dialect whose devices are listed without an announcement.
    fn only_unannounced(&self) -> Option<&str> {
        let mut names = self.set.names().filter(|name| self.set.lists_unannounced(name));
        names.next().filter(|_| names.next().is_none())
    }

    fn write(&mut self, known: &KnownDevice, command: &str, args: &str, id: &CommandId) -> Result<Prepared, String> {
        let (own, own_args) = known.in_place_of(command, args)?;
        let wire_id = match self.set.id_kind(&CommandToEncode { device: known, command: &own, args: &own_args })? {
            IdKind::Int31 => self.wire_ids.number(&known.id, id).to_string(),
            IdKind::Text => {
                // An answer on a topic that names no device is found by its ID.
                self.wire_ids.adopt(id.as_str(), &known.id, id);
                id.as_str().to_owned()
            }
            IdKind::None => id.as_str().to_owned(),
        };
        self.message(known, command, args, id, &wire_id)
    }

    fn message(
        &self,
        known: &KnownDevice,
        command: &str,
        args: &str,
        id: &CommandId,
        wire_id: &str,
    ) -> Result<Prepared, String> {
        let (command, args) = known.in_place_of(command, args)?;
        let message = self.set.encode(
            &CommandToEncode { device: known, command: &command, args: &args },
            &self.devices,
            id,
            wire_id,
        )?;
        let (answer_expected, answers_carry_ids) = (message.answer_expected(), message.answers_carry_ids());
        let reported = self.reported.get(&known.id).map_or(&[][..], Vec::as_slice);
        let already = message.expects.as_ref().filter(|expects| expects.is_met_by(reported)).map(already);
        let silent = match &message.expects {
            Some(Expectation::Nothing(why)) => Some(why.to_string()),
            _ => None,
        };
        let written = WrittenMessage {
            dialect: known.dialect.clone(),
            topic: message.topic.into(),
            payload: message.payload.into(),
            wire_id: (wire_id != id.as_str()).then(|| wire_id.into()),
        };
        let form = WireForm {
            expects: message.expects.map(Box::new),
            written: Some(Box::new(written)),
            ..WireForm::default()
        };
        Ok(Prepared { form, answer_expected, answers_carry_ids, already, silent })
    }
}

/// The current report of a device, in a few words.
fn already(expects: &Expectation) -> String {
    let Expectation::State { terms, .. } = expects else { return String::new() };
    match &**terms {
        [one] => one.value.as_deref().unwrap_or(&one.key).to_owned(),
        several => {
            let shown = |term: &wilco_ledger::Term| format!("{} = {}", term.key, term.value.as_deref().unwrap_or("…"));
            several.iter().take(4).map(shown).collect::<Vec<_>>().join(", ")
        }
    }
}
