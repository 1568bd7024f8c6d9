//! Requests of a rollout as they would be published, to review before anything is sent.

use wilco_dialect::Request;
use wilco_ledger::Timestamp;

use crate::{
    api::{Failure, PlannedRequest},
    controller::SharedConnection,
    new_command::command_id,
    store::{CommandTemplate, NewMember},
    views,
};

/// Where the ID of a command stands that has none yet: the name of its placeholder in request templates.
pub(crate) const ID: &str = "{id}";

/// What requests are made of, besides their devices.
pub(crate) struct Samples<'a> {
    pub(crate) shared: &'a SharedConnection,
    pub(crate) template: &'a CommandTemplate,
    /// The operator who asks, if one is named.
    pub(crate) by: Option<&'a str>,
    pub(crate) now: Timestamp,
}

impl Samples<'_> {
    /// A member's request as it would be published now; none where its dialect has no such command.
    ///
    /// # Errors
    /// None that can be expected.
    pub(crate) fn of(&self, member: &NewMember) -> Result<Option<PlannedRequest>, Failure> {
        let Samples { shared, template, by, now } = *self;
        let id = command_id(ID)?;
        let args = member.args.as_ref().unwrap_or(&template.args);
        let own = || shared.consider(&member.device, &template.name, args);
        let in_its_dialect = match if template.form.is_none() { own() } else { None } {
            Some(Ok(prepared)) => Some(prepared.form),
            Some(Err(_)) => return Ok(None),
            None => None,
        };
        let form = in_its_dialect.as_ref().or(template.form.as_deref());
        let request = Request {
            id: &id,
            command: &template.name,
            args,
            form,
            issued_at: now,
            expires_at: now + template.policy.time_to_live,
            attempt: 1,
            by: by.filter(|_| shared.names_operator(form)),
        };
        let outbound = shared.dialect.encode(&member.device, &request, now);
        let request = views::wire(&outbound.topic, &outbound.payload, 1);
        Ok(Some(PlannedRequest { device: member.device.as_str().to_owned(), request }))
    }

    /// The request of the first member in each dialect, with the dialect's name. A request that has a form of its own is the
    /// same in all dialects.
    ///
    /// # Errors
    /// None that can be expected.
    pub(crate) fn of_each_dialect(&self, members: &[NewMember]) -> Result<Vec<(String, PlannedRequest)>, Failure> {
        let members = if self.template.form.is_some() { &members[..members.len().min(1)] } else { members };
        let first = self.shared.first_in_each_dialect(members);
        let sample = |(dialect, member)| Ok(self.of(member)?.map(|request| (dialect, request)));
        first.into_iter().filter_map(|first| sample(first).transpose()).collect()
    }
}
