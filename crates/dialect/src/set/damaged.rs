//! Unreadable messages: finds the device and the command that they concern, if possible.

use wilco_ledger::{CommandId, DeviceId};

use super::{Context, Meaning, Member, body::Body};
use crate::{
    Unreadable,
    file::{AnswerRule, MessageContext, What},
    pattern::{Captures, Known},
};

impl Member {
    /// Reports a damaged message by the rule that would have read it: as an answer, or as a report of state if its device
    /// is known. Returns whether there is such a rule.
    pub(super) fn hear_damaged(
        &self,
        topic: &str,
        body: &Body<'_>,
        why: &str,
        context: &Context<'_>,
        add: &mut dyn FnMut(Meaning),
    ) -> bool {
        let bound = |name: &str| self.setting(name);
        let is_device = |name: &str| context.devices.has_address(&self.file.name, name);
        let known = Known { bound: &bound, is_device: &is_device };
        let is_known =
            |device: &DeviceId| context.devices.get(device).is_some_and(|known| known.dialect == self.file.name);
        let salvaged = body.salvaged();
        let (mut report, mut likely_answer, mut likely_report) = (None, None, None);
        for rule in &self.file.receive_rules {
            let Some(captures) = self.captures(rule, topic, &known) else { continue };
            let looked = MessageContext { text: "", json: Some(&salvaged), captures: &captures, setting: &bound };
            if !rule.when.iter().all(|test| test.may_hold(&looked)) {
                continue;
            }
            let is_certain = rule.when.iter().all(|test| test.holds(&looked));
            let device = || self.device_of(rule, &looked, &Captures::default(), context);
            match &rule.what {
                What::Nothing if is_certain => {
                    (likely_answer, likely_report) = (None, None);
                    break;
                }
                What::Answer(of) => {
                    let named = named(of, &looked, context);
                    let by_id = named.as_ref().and_then(|(device, _)| device.clone());
                    let (device, id) = (device().or(by_id), named.map(|(_, id)| id));
                    let answer = Meaning::Unreadable(Unreadable { device, why: why.to_owned(), id });
                    if is_certain {
                        add(answer);
                        return true;
                    }
                    let is_plausible = |answer: &Meaning| match answer {
                        Meaning::Unreadable(Unreadable { device: Some(device), .. }) => is_known(device),
                        _ => true,
                    };
                    likely_answer = likely_answer.or(Some(answer).filter(is_plausible));
                }
                What::State(_) => {
                    let device = device().filter(is_known);
                    let found = device.map(|device| Meaning::UnreadableReport(Unreadable::of(device, why.to_owned())));
                    if is_certain {
                        report = report.or(found);
                    } else {
                        likely_report = likely_report.or(found);
                    }
                    if is_certain && !rule.also {
                        break;
                    }
                }
                What::Nothing | What::Presence(_) | What::Telemetry { .. } | What::Started => {}
            }
        }
        let meaning = report.or(likely_answer).or(likely_report);
        let is_told = meaning.is_some();
        meaning.into_iter().for_each(add);
        is_told
    }
}

/// The command whose ID is still readable, and its device where the ID is one of ours.
pub(super) fn named(
    rule: &AnswerRule,
    looked: &MessageContext<'_, '_>,
    context: &Context<'_>,
) -> Option<(Option<DeviceId>, CommandId)> {
    let id = looked.text_at(rule.id.as_ref()?).filter(|id| !id.is_empty() && id != "null")?;
    match context.wire_ids.find(&id) {
        Some((device, command)) => Some((Some(device.clone()), command.clone())),
        None => Some((None, CommandId::new(&id).ok()?)),
    }
}
