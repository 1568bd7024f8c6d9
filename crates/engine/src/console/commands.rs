//! Checks, sends, cancels and repeats commands.

use std::sync::Arc;

use wilco_dialect::{CommandKind, Dialect, LONGEST_SPAN_MS, json};
use wilco_ledger::{Command, Delivery, DeviceId, Millis, Policy, Retry, Submission, Timestamp};

use super::{Handle, beyond, command_id, device_id, fresh_id, not_found, usual_delivery};
use crate::{
    api::{
        self, CommandCheck, CommandRef, Confirmed, DeviceCheck, Failure, NewCommand, Sent, Settings, grouped, invalid,
    },
    catalogue::Known,
    controller::{Request, SharedConnection},
    dialects::Prepared,
    rollouts::Requested,
    store::{CommandTemplate, ConnectionId},
};

/// The longest note on a command, in characters.
const NOTE: usize = 10_000;

impl Handle {
    /// Sends a command to each of the devices. Returns once all of them are on the disk, before any is sent.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode::Invalid) if any of it is invalid; then nothing is sent;
    /// [`FailureCode::Store`](crate::api::FailureCode::Store).
    pub async fn send(&self, new: NewCommand) -> Result<Sent, Failure> {
        let connection = ConnectionId::from(new.connection.as_str());
        let shared = self.shared(&new.connection).await?;
        let known = self.catalogue.find(&connection, &new.command);
        let submissions = submissions(&new, &shared, &known, &self.settings.get())?;
        shared.permit(is_grave(&known, new.devices.len()), &new.confirmed)?;
        check_note(new.note.as_deref())?;
        let devices = submissions.iter().map(|submission| submission.device.as_str());
        if let Some(refusal) = beyond(&shared.named, devices) {
            return Err(refusal);
        }
        let ids = submissions.iter().map(|submission| submission.id.as_str().to_owned()).collect();
        self.request(|reply| Request::Send(connection, submissions, new.note, reply)).await??;
        Ok(Sent { ids })
    }

    /// Checks a command before it is sent, and the confirmation that it needs.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound) for the connection.
    pub async fn check_command(&self, command: NewCommand) -> Result<CommandCheck, Failure> {
        let shared = self.shared(&command.connection).await?;
        let connection = ConnectionId::from(command.connection.as_str());
        let resolve = |device: &String| shared.resolve(device).or_else(|| device_id(device).ok());
        let ids: Vec<DeviceId> = command.devices.iter().filter_map(resolve).collect();
        let busy = self.request(|reply| Request::BusyElsewhere(connection.clone(), ids.clone(), reply)).await?;
        let now = self.clock.now();
        let requested = Requested::of(&command.command, command.args.as_str());
        let check = |(id, busy): (DeviceId, Option<Command>)| {
            let busy = busy.map(|busy| busy_sentence(&busy, now));
            let considered = shared.consider(&id, &command.command, command.args.as_str());
            let fleet = shared.fleet.read();
            let device = fleet.get(&id);
            let (already, may_stay_silent, silent, refused) = match considered {
                Some(Ok(Prepared { already, answers_carry_ids, silent, .. })) => {
                    let may_stay_silent = already.is_some() && !answers_carry_ids;
                    (already, may_stay_silent, silent, None)
                }
                Some(Err(why)) => (None, false, None, Some(why)),
                None => {
                    let already = device.and_then(|device| requested.reported_by(device));
                    (already, false, None, None)
                }
            };
            let name = device.and_then(|device| device.description.as_ref()?.shown_name(&id)).map(str::to_owned);
            let found = already.is_some() || silent.is_some() || refused.is_some() || busy.is_some();
            let device = id.as_str().to_owned();
            found.then_some(DeviceCheck { device, name, already, may_stay_silent, silent, refused, busy })
        };
        let known = self.catalogue.find(&connection, &command.command);
        let permitted = shared.mode.permit(&shared.name);
        let refused = permitted.and_then(|()| shared.permit_unapproved(&known, command.devices.len())).err();
        Ok(CommandCheck {
            refused: refused.map(|refused| refused.message),
            confirmation: shared.mode.needs(is_grave(&known, command.devices.len())),
            devices: ids.into_iter().zip(busy).filter_map(check).collect(),
        })
    }

    /// Sends a command again: identical to the last digit, with a new ID that refers to the old one.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound); `Invalid` when what the connection speaks has
    /// changed and cannot say it any more; `Store`.
    pub async fn send_again(
        &self,
        connection: &str,
        device: &str,
        id: &str,
        confirmed: Confirmed,
        note: Option<String>,
    ) -> Result<Sent, Failure> {
        check_note(note.as_deref())?;
        let shared = self.shared(connection).await?;
        let dialect = &shared.dialect;
        let connection = ConnectionId::from(connection);
        let command = self.store.command(&connection, &device_id(device)?, &command_id(id)?).await?;
        let submission = command.ok_or_else(|| not_found("command", id))?.submission;
        shared.permit(is_grave(&self.catalogue.find(&connection, &submission.name), 1), &confirmed)?;
        if submission.form.as_ref().is_none_or(|form| form.written.is_some())
            && let Some(again) = again_in_its_dialect(&shared, &submission)?
        {
            let ids = vec![again.id.as_str().to_owned()];
            self.request(|reply| Request::Send(connection, vec![again], note, reply)).await??;
            return Ok(Sent { ids });
        }
        let form = submission.form.as_deref();
        let refusal = dialect.refuses(&submission.name, &submission.args);
        if let Some(refusal) =
            refusal.or_else(|| form.and_then(|form| dialect.refuses_form(form, &submission.name, &submission.args)))
        {
            return Err(invalid(refusal, "It was sent with another dialect. Enter the command again."));
        }
        let answers_carry_ids =
            dialect.answers_carry_ids(&submission.name) && form.is_none_or(Dialect::form_carries_id);
        let again = Submission {
            id: fresh_id()?,
            again_of: Some(submission.id.clone()),
            rollout: None,
            automatic: false,
            by: None,
            policy: Policy { answers_carry_ids, ..submission.policy },
            ..Submission::clone(&submission)
        };
        let ids = vec![again.id.as_str().to_owned()];
        self.request(|reply| Request::Send(connection, vec![again], note, reply)).await??;
        Ok(Sent { ids })
    }

    /// Cancels a command that was not sent yet; stops waiting for one that was sent.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound).
    pub async fn cancel(&self, connection: &str, device: &str, id: &str) -> Result<(), Failure> {
        let (connection, device, id) = (ConnectionId::from(connection), device_id(device)?, command_id(id)?);
        self.request(|reply| Request::Cancel(connection, device, id, reply)).await?
    }
}

impl Handle {
    /// Dismisses one failed command, or all of them, from those that need attention.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode::NotFound) for an unknown connection; `Store`.
    pub async fn dismiss(&self, connection: &str, command: Option<CommandRef>) -> Result<(), Failure> {
        let one = command.map(|one| Ok::<_, Failure>((device_id(&one.device)?, command_id(&one.id)?))).transpose()?;
        self.request(|reply| Request::Dismiss(ConnectionId::from(connection), one, reply)).await?
    }
}

fn check_note(note: Option<&str>) -> Result<(), Failure> {
    if note.is_some_and(|note| note.chars().count() > NOTE) {
        return Err(invalid("The note is too long.".into(), "Write at most 10,000 characters."));
    }
    Ok(())
}

/// `Another console (Ana) sent restart 3 s ago, and it has not finished.`
fn busy_sentence(command: &Command, now: Timestamp) -> String {
    let by = command.submission.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
    let ago = now.since(command.submitted_at).0 / 1_000;
    let name = &command.submission.name;
    format!("Another console{by} sent {name} {} s ago, and it has not finished.", grouped(ago))
}

/// Whether a protected connection requires its name for this command: a dangerous one, or one for several devices.
fn is_grave(known: &Known, devices: usize) -> bool {
    devices > 1 || known.is_dangerous()
}

/// One submission for each device, or the reason why there is none at all.
fn submissions(
    new: &NewCommand,
    shared: &SharedConnection,
    known: &Known,
    settings: &Settings,
) -> Result<Vec<Submission>, Failure> {
    if new.devices.is_empty() {
        return Err(invalid("The command has no device.".into(), "Choose at least one."));
    }
    let CommandTemplate { name, args, form, policy } = template(new, &shared.dialect, known, settings)?;
    let again_of = new.again_of.as_deref().map(command_id).transpose()?;
    let mut seen = std::collections::HashSet::new();
    new.devices
        .iter()
        .map(|device| shared.resolve(device).map_or_else(|| device_id(device), Ok))
        .filter(|device| device.as_ref().map_or(true, |device| seen.insert(device.clone())))
        .map(|device| {
            let submission = Submission {
                device: device?,
                id: fresh_id()?,
                name: Arc::clone(&name),
                args: Arc::clone(&args),
                form: form.clone(),
                policy,
                again_of: again_of.clone(),
                rollout: None,
                automatic: new.automatic,
                by: None,
            };
            in_its_dialect(shared, submission)
        })
        .collect()
}

/// A command in the form of its device's dialect. One with a user's own form does not change.
fn in_its_dialect(shared: &SharedConnection, submission: Submission) -> Result<Submission, Failure> {
    if submission.form.is_some() {
        return Ok(submission);
    }
    match shared.prepare(&submission.device, &submission.name, &submission.args, &submission.id) {
        None => Ok(submission),
        Some(Ok(prepared)) => Ok(prepared.into_submission(submission)),
        Some(Err(why)) => Err(invalid(why, "Choose a command that the device supports.")),
    }
}

/// Repeats a command of a device in another dialect; none for Wilco's own.
fn again_in_its_dialect(shared: &SharedConnection, submission: &Submission) -> Result<Option<Submission>, Failure> {
    let again = Submission {
        id: fresh_id()?,
        again_of: Some(submission.id.clone()),
        rollout: None,
        automatic: false,
        by: None,
        form: None,
        ..Submission::clone(submission)
    };
    let again = in_its_dialect(shared, again)?;
    Ok(Some(again).filter(|again| again.form.is_some()))
}

/// The submission for each device, or why it cannot be sent.
pub(super) fn template(
    new: &NewCommand,
    dialect: &Dialect,
    known: &Known,
    settings: &Settings,
) -> Result<CommandTemplate, Failure> {
    let name = new.command.as_str();
    if name.trim() != name {
        return Err(invalid(
            format!("The name of the command, {name:?}, begins or ends with a space."),
            "Remove the space.",
        ));
    }
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        return Err(invalid("The command has no name.".into(), "Enter a name of at most 128 bytes, for example led."));
    }
    let args = json::object(new.args.as_str()).map_err(|why| invalid(why, "Write {\"key\": value}."))?;
    if let Some(refusal) = known.refuses(&args) {
        return Err(invalid(refusal, "Change the arguments, or edit the command in the catalogue."));
    }
    let (name, args): (Arc<str>, Arc<str>) = (name.into(), args.into());
    let kind = known.kind();
    let form = kind.and_then(|kind| kind.form.clone()).map(Arc::new);
    let refusal = dialect.refuses(&name, &args);
    if let Some(refusal) = refusal.or_else(|| form.as_ref().and_then(|form| dialect.refuses_form(form, &name, &args))) {
        return Err(invalid(refusal, "Change it and send it again."));
    }
    let answers_carry_ids = dialect.answers_carry_ids(&name) && form.as_deref().is_none_or(Dialect::form_carries_id);
    let policy = policy(new, kind, settings, answers_carry_ids)?;
    Ok(CommandTemplate { name, args, form, policy })
}

/// Its delivery, timeouts and retries: from the options, otherwise from the catalogue.
fn policy(
    new: &NewCommand,
    kind: Option<&CommandKind>,
    settings: &Settings,
    answers_carry_ids: bool,
) -> Result<Policy, Failure> {
    Ok(Policy {
        delivery: match new.delivery {
            Some(api::Delivery::Now) => Delivery::Now,
            Some(api::Delivery::BrokerHolds) => Delivery::BrokerHolds,
            Some(api::Delivery::HoldHere) => Delivery::HoldHere,
            None => usual_delivery(kind),
        },
        timeout: span(new.timeout_ms, kind.map_or(settings.timeout(), |kind| kind.timeout), "timeout")?,
        time_to_live: span(new.ttl_ms, kind.map_or(settings.time_to_live(), |kind| kind.time_to_live), "time to live")?,
        retry: Retry {
            permitted: new.retries.is_some_and(|retries| retries > 0) || kind.is_some_and(|kind| kind.safe_to_repeat),
            limit: new.retries.unwrap_or(0).min(100),
            pause: Millis::seconds(2),
        },
        answer_expected: !new.no_answer && kind.is_none_or(|kind| kind.answer_expected),
        answers_carry_ids,
    })
}

/// A given duration, 1 ms … 7 days.
fn span(given: Option<u64>, otherwise: Millis, what: &str) -> Result<Millis, Failure> {
    match given {
        None => Ok(otherwise),
        Some(milliseconds @ 1..=LONGEST_SPAN_MS) => Ok(Millis(milliseconds)),
        Some(other) => {
            Err(invalid(format!("A {what} of {other} ms is not allowed."), "Enter a value from 1 ms to 7 days."))
        }
    }
}

#[cfg(test)]
mod tests;
