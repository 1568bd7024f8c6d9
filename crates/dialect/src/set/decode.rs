//! Decodes messages.

use std::borrow::Cow;

use serde_json::Value;
use wilco_ledger::{Answer, Claim, CommandId, DeviceId, Outcome, Raw, Report, Reported, Timestamp};

use super::{Context, Decoded, DialectSet, Meaning, Member, body::Body, damaged::named};
use crate::{
    DecodedMessage, Inbound, TelemetryRest, Unreadable,
    devices::KnownDevice,
    file::{
        AnswerRule, At, Compare, LikeRule, MessageContext, OutcomeRule, Parts, PresenceRule, ReceiveRule, STARTED,
        StateRule, What, Word, flattened,
    },
    json::{ExactValue, canonical, whole},
    pattern::{Captures, Kind, Known, Pattern},
    wilco::{MOST_TAGS, short},
    words,
};

/// How much of a device's sentence is kept, in bytes.
const LONGEST_MESSAGE: usize = 16 * 1024;
/// The most measurements of one message.
pub(super) const MOST_SERIES: usize = 64;

/// A rule that has found its message.
pub(super) struct Found<'f, 's> {
    pub(super) member: &'f Member,
    pub(super) rule: &'f ReceiveRule,
    pub(super) looked: &'f MessageContext<'f, 's>,
    /// The text that was meant, without what was stripped from it.
    pub(super) like: Option<&'f str>,
    pub(super) device: DeviceId,
    pub(super) inbound: &'f Inbound<'f>,
    pub(super) context: &'f Context<'f>,
}

impl DialectSet {
    /// The meaning of a message in each dialect of the set. Empty if no dialect uses it.
    #[must_use]
    pub fn decode(&self, inbound: &Inbound<'_>, context: &Context<'_>) -> Vec<Decoded<'_>> {
        let mut decoded = Vec::new();
        let body = Body::of(inbound.payload);
        // A topic that a device has named itself is that device's, whatever else it looks like.
        let owners = context.devices.uses(inbound.topic).iter().filter_map(|(id, _)| context.devices.get(id));
        let below = context.devices.below_root(inbound.topic);
        let owners: Vec<&str> =
            owners.chain(below.as_ref().map(|(device, _)| *device)).map(|device| &*device.dialect).collect();
        let topic = below.as_ref().map_or(inbound.topic, |(_, topic)| topic);
        for member in self.members.iter().filter(|one| owners.is_empty() || owners.contains(&&*one.file.name)) {
            let mut add = |meaning| decoded.push(Decoded { dialect: &member.file.name, meaning });
            match &member.native {
                Some(native) => match native.decode(inbound) {
                    Ok(heard) => heard.into_iter().for_each(|heard| add(Meaning::Message(heard))),
                    Err(unreadable) => add(Meaning::Unreadable(unreadable)),
                },
                None => {
                    let is_told = member.decode_message(inbound, topic, &body, context, &mut add);
                    member.hear_named(inbound, &body, context, !is_told, &mut add);
                }
            }
        }
        decoded
    }
}

impl Member {
    /// Decodes by the dialect's rules. `topic` is the topic as the rules expect it. Returns whether the message is
    /// unreadable.
    fn decode_message(
        &self,
        inbound: &Inbound<'_>,
        topic: &str,
        body: &Body<'_>,
        context: &Context<'_>,
        add: &mut dyn FnMut(Meaning),
    ) -> bool {
        let (mut is_answer, mut held_back) = (false, None);
        let is_described = self.hear_by_rules(inbound, topic, body, context, &mut |meaning| match meaning {
            Meaning::Unreadable(_) => held_back = Some(meaning),
            meaning => {
                is_answer |= matches!(meaning, Meaning::Message(DecodedMessage::Answer(_)));
                add(meaning);
            }
        });
        if !is_described || is_answer {
            return false;
        }
        // What is damaged may still name its command, which the rule did not find.
        if body.damage().is_some_and(|why| self.hear_damaged(topic, body, &why, context, add)) {
            return true;
        }
        let is_told = held_back.is_some();
        held_back.into_iter().for_each(add);
        is_told
    }

    /// The parts of a topic, if a rule is for it.
    pub(super) fn captures<'t>(
        &self,
        rule: &ReceiveRule,
        topic: &'t str,
        known: &Known<'_, '_>,
    ) -> Option<Captures<'t>> {
        let patterns = rule.topics.iter().filter(|pattern| self.is_set_for(pattern));
        patterns.into_iter().find_map(|pattern| pattern.read(topic, Kind::Topic, known))
    }

    /// Decodes a readable message. Returns whether its topic is described, and not ignored.
    fn hear_by_rules(
        &self,
        inbound: &Inbound<'_>,
        topic: &str,
        body: &Body<'_>,
        context: &Context<'_>,
        add: &mut dyn FnMut(Meaning),
    ) -> bool {
        let bound = |name: &str| self.setting(name);
        let is_device = |name: &str| context.devices.has_address(&self.file.name, name);
        let known = Known { bound: &bound, is_device: &is_device };
        let mut is_described = false;
        for rule in &self.file.receive_rules {
            let Some(captures) = self.captures(rule, topic, &known) else { continue };
            if matches!(rule.what, What::Nothing) && rule.when.is_empty() {
                return is_described;
            }
            is_described = true;
            let Ok(text) = body.text() else { return is_described };
            let looked = MessageContext { text, json: body.json(), captures: &captures, setting: &bound };
            if !rule.when.iter().all(|test| test.holds(&looked)) {
                continue;
            }
            if matches!(rule.what, What::Nothing) {
                return is_described;
            }
            let mut like = None;
            let mut in_text = Captures::default();
            let holder;
            if let Some(wanted) = &rule.like {
                let Some(found) = looked.text_at(&wanted.at) else { continue };
                holder = found;
                let Some((text, captures)) = self.like(wanted, &holder, &known) else { continue };
                (like, in_text) = (Some(text), captures);
            }
            if rule.parts == Parts::Whole {
                let Some(device) = self.device_of(rule, &looked, &in_text, context) else { continue };
                Found { member: self, rule, looked: &looked, like, device, inbound, context }.read(add);
            } else {
                self.hear_parts(rule, &looked, inbound, context, add);
            }
            if !rule.also {
                return is_described;
            }
        }
        is_described
    }

    fn like<'t>(&self, like: &LikeRule, text: &'t str, known: &Known<'_, '_>) -> Option<(&'t str, Captures<'t>)> {
        let stripped = like.strip.iter().find_map(|start| text.strip_prefix(start.as_str())).unwrap_or(text);
        let captures = like.any.iter().find_map(|pattern| pattern.read(stripped, Kind::Text, known))?;
        Some((stripped, captures))
    }

    /// The device by its name in topics; `None` for an invalid name.
    pub(super) fn device(&self, name: &str, context: &Context<'_>) -> Option<DeviceId> {
        match context.devices.named(&self.file.name, name) {
            Some(known) => Some(known.id.clone()),
            None => DeviceId::new(name).ok(),
        }
    }

    pub(super) fn device_of(
        &self,
        rule: &ReceiveRule,
        looked: &MessageContext<'_, '_>,
        in_text: &Captures<'_>,
        context: &Context<'_>,
    ) -> Option<DeviceId> {
        if let Some(name) = in_text.get("device") {
            return self.device(name, context);
        }
        let name = match &rule.device {
            Some(At::Place(pattern)) if pattern.names("asked") => {
                // The topic names no device; the ID identifies the command, and so the device.
                let What::Answer(answer) = &rule.what else { return None };
                let id = looked.text_at(answer.id.as_ref()?)?;
                return context.wire_ids.find(&id).map(|(device, _)| device.clone());
            }
            Some(at) => looked.text_at(at)?,
            None => looked.captures.get("device")?.to_owned(),
        };
        let name = match &rule.device_like {
            Some(like) => {
                let none = |_: &str| None;
                let known = Known { bound: &none, is_device: &|_| false };
                like.read(&name, Kind::Text, &known)?.get("device")?.to_owned()
            }
            None => name,
        };
        self.device(&name, context)
    }

    pub(super) fn reported(&self, device: Option<&KnownDevice>, key: &str, value: &str) -> Reported {
        let compare = &self.file.compare;
        let same = device.map_or(value, |device| device.word(value));
        let compared = compare.value(same);
        let own = (*compared != *value).then(|| value.into());
        Reported { key: compare.key(key), value: compared, own, word: Word::outcome(&self.file.words, value) }
    }
}

impl Found<'_, '_> {
    pub(super) fn read(&self, add: &mut dyn FnMut(Meaning)) {
        match &self.rule.what {
            What::Answer(rule) => match self.answer(rule) {
                Ok(Some(answer)) => add(Meaning::Message(DecodedMessage::Answer(answer))),
                Ok(None) => {}
                Err(why) => {
                    let id = named(rule, self.looked, self.context).map(|(_, id)| id);
                    add(Meaning::Unreadable(Unreadable { device: Some(self.device.clone()), why, id }));
                }
            },
            What::State(rule) => self.state(rule, add),
            What::Presence(rule) => self.presence(rule, add),
            What::Telemetry { at, time, key } => {
                let Some(value) = self.looked.value_at(at) else { return };
                let mut series = series(&value);
                // A number by itself has the name that the rule gives it.
                let name = key.as_ref().and_then(|key| self.filled(key));
                series.extend(name.and_then(|name| Some((name, value.as_f64()?))));
                if let Some(At::Pointer(time)) = time {
                    series.retain(|(name, _)| **time != *format!("{at}/{name}"));
                }
                if !series.is_empty() {
                    let (device, rest) = (self.device.clone(), TelemetryRest::default());
                    let at = time.as_ref().and_then(|time| self.time(time));
                    add(Meaning::Message(DecodedMessage::Telemetry { device, at, series, rest }));
                }
            }
            What::Started => self.started(add),
            What::Nothing => {}
        }
    }

    fn known(&self) -> Option<&KnownDevice> {
        self.context.devices.get(&self.device)
    }

    fn presence(&self, rule: &PresenceRule, add: &mut dyn FnMut(Meaning)) {
        let word = rule.at.as_ref().map_or_else(|| Some(self.looked.text.to_owned()), |at| self.looked.text_at(at));
        let Some(word) = word else { return };
        let word = self.known().map_or(word.trim(), |device| device.word(word.trim()));
        let is_one = |words: &[String]| words.iter().any(|one| one.eq_ignore_ascii_case(word));
        let online = is_one(&rule.online);
        if online || is_one(&rule.offline) {
            add(Meaning::Message(DecodedMessage::Presence {
                device: self.device.clone(),
                online,
                boot: rule.boot.as_ref().and_then(|at| self.name(at)),
                firmware: rule.firmware.as_ref().and_then(|at| self.name(at)),
                tags: rule.tags.as_ref().map(|at| self.tags(at)).unwrap_or_default(),
                since: rule.since.as_ref().and_then(|at| self.time(at)),
            }));
        }
        if online {
            self.started(add);
        }
    }

    /// A text of valid length for a name.
    fn name(&self, at: &At) -> Option<String> {
        match at {
            At::Pointer(pointer) => self.looked.value_at(pointer)?.as_str().map(short),
            At::Place(_) | At::Field(_) => self.looked.text_at(at).as_deref().map(short),
        }
    }

    fn tags(&self, at: &At) -> Vec<String> {
        let At::Pointer(pointer) = at else { return Vec::new() };
        let Some(value) = self.looked.value_at(pointer) else { return Vec::new() };
        let tags = value.as_array().unwrap_or_default();
        tags.iter().filter_map(ExactValue::as_str).take(MOST_TAGS).map(short).collect()
    }

    /// Milliseconds since 1970 by the device's clock.
    fn time(&self, at: &At) -> Option<Timestamp> {
        let written = match at {
            At::Pointer(pointer) => self.looked.value_at(pointer)?.approximate(),
            At::Place(_) | At::Field(_) => Value::from(self.looked.text_at(at)?),
        };
        whole(&written).map(Timestamp)
    }

    fn started(&self, add: &mut dyn FnMut(Meaning)) {
        let values = vec![Reported { word: None, ..self.member.reported(None, STARTED, "started") }];
        add(Meaning::Report(report(self.device.clone(), values, self.inbound)));
    }

    fn answer(&self, rule: &AnswerRule) -> Result<Option<Answer>, String> {
        let Some(fits) = rule.outcome.iter().find(|one| one.fits(self.looked)) else {
            if rule.lenient {
                return Ok(None);
            }
            return Err(format!(
                "This answer is unreadable: no outcome in {}.",
                words::shortened(self.looked.text, 80)
            ));
        };
        // The missing part of a damaged answer may say that the command failed.
        let says_more = rule.outcome.iter().any(OutcomeRule::looks_into) || matches!(rule.id, Some(At::Pointer(_)));
        if fits.is_for_all() && says_more && self.looked.is_damaged() {
            return Err("This answer is unreadable: it begins as JSON and is not valid JSON.".to_owned());
        }
        let Some(outcome) = fits.means else { return Ok(None) };
        let message = match self.like {
            Some(text) => Some(text.to_owned()),
            None => fits.message.iter().find_map(|at| {
                let text = self.looked.text_at(at).filter(|text| says_something(text))?;
                // Of a whole payload the line break at its end is no part of what it says.
                let is_member = matches!(at, At::Pointer(pointer) if !pointer.is_empty());
                Some(if is_member { text } else { text.trim().to_owned() })
            }),
        };
        let claim = match rule.id.as_ref().and_then(|at| self.looked.text_at(at)) {
            Some(id) if !id.is_empty() && id != "null" => Claim::Id(self.command(&id)?),
            _ => match rule.id_in.as_ref().and_then(|at| self.looked.text_at(at)) {
                Some(text) => Claim::Within(words::shortened(text.trim(), LONGEST_MESSAGE).into()),
                None => Claim::Nothing,
            },
        };
        let result = rule.result.as_ref().and_then(|at| match at {
            // `null` is no result.
            At::Pointer(pointer) => {
                let value = self.looked.value_at(pointer).filter(|value| **value != ExactValue::Null);
                value.map(|value| canonical(&value.to_string()))
            }
            At::Place(_) | At::Field(_) => self.looked.text_at(at).map(|text| ExactValue::String(text).to_string()),
        });
        Ok(Some(Answer {
            device: self.device.clone(),
            claim,
            correlation: None,
            outcome,
            progress: self.progress(rule, outcome),
            message: message.map(|message| words::shortened(&message, LONGEST_MESSAGE).into()),
            result: result.map(Into::into),
            said_at: rule.time.as_ref().and_then(|at| self.time(at)),
            retained: self.inbound.retained,
            raw: raw(self.inbound),
        }))
    }

    /// The command of an ID in a message: the mapped one, or the ID itself.
    fn command(&self, id: &str) -> Result<CommandId, String> {
        match self.context.wire_ids.find(id) {
            Some((_, command)) => Ok(command.clone()),
            None => CommandId::new(id).map_err(|error| format!("This answer is unreadable: {error}.")),
        }
    }

    fn progress(&self, rule: &AnswerRule, outcome: Outcome) -> Option<u8> {
        let text = rule.progress.as_ref().filter(|_| outcome == Outcome::Running)?;
        let text = self.looked.text_at(text)?;
        let percent =
            text.trim().trim_end_matches('%').trim().parse::<f64>().ok().filter(|number| number.is_finite())?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 … 100")]
        Some(percent.clamp(0.0, 100.0) as u8)
    }

    fn state(&self, rule: &StateRule, add: &mut dyn FnMut(Meaning)) {
        let root = self.looked.value_at(&rule.at);
        let compare = &self.member.file.compare;
        let mut values = Vec::new();
        match root.as_deref() {
            Some(value @ ExactValue::Object(members)) => {
                let key = self.key(rule).unwrap_or_default();
                flattened(&key, value, &mut values);
                // Of what is made of several values, the whole too.
                if !key.is_empty() {
                    values.push((key, canonical(&value.to_string())));
                } else {
                    values.extend(
                        members.iter().take(MOST_SERIES).flat_map(|(name, value)| made_up(name, value, compare)),
                    );
                }
                let state = value.to_string();
                add(Meaning::Message(DecodedMessage::State { device: self.device.clone(), state }));
            }
            Some(value) => {
                let reported = self.key(rule).map(|key| (key, value.plain()));
                self.measured(rule, reported.as_ref(), value.as_f64(), add);
                values.extend(reported);
            }
            // Homie writes an empty text as one NUL. A payload without anything is none.
            None if rule.at.is_empty() && (!self.looked.text.is_empty() || self.inbound.payload == [0_u8]) => {
                values.extend(self.key(rule).map(|key| (key, self.looked.text.to_owned())));
            }
            None => {}
        }
        if values.is_empty() {
            return;
        }
        let reported = |(key, value): &(String, String)| {
            let reported = self.member.reported(self.known(), key, value);
            let word = (compare.objects_answer && value.starts_with('{')).then_some(Outcome::Succeeded);
            Reported { word: reported.word.or(word), ..reported }
        };
        let values = values.iter().map(reported).collect();
        let report = report(self.device.clone(), values, self.inbound);
        add(Meaning::Report(Report { met: rule.met, steps: rule.steps, ..report }));
    }

    /// A number that the device has announced as one is a measurement too. A request that is repeated is none.
    fn measured(
        &self,
        rule: &StateRule,
        reported: Option<&(String, String)>,
        number: Option<f64>,
        add: &mut dyn FnMut(Meaning),
    ) {
        let (Some((key, _)), Some(number)) = (reported, number.filter(|number| number.is_finite())) else { return };
        let is_announced = self.known().is_some_and(|device| {
            let mut variables = device.variables.iter();
            variables.any(|one| one.is_number && one.topic.is_none() && *one.key == **key)
        });
        if is_announced && rule.met == Outcome::Succeeded {
            let (device, rest) = (self.device.clone(), TelemetryRest::default());
            let series = vec![(key.clone(), number)];
            add(Meaning::Message(DecodedMessage::Telemetry { device, at: None, series, rest }));
        }
    }

    fn key(&self, rule: &StateRule) -> Option<String> {
        self.filled(rule.key.as_ref()?)
    }

    /// A name with the parts of the topic.
    fn filled(&self, name: &Pattern) -> Option<String> {
        name.fill(&|name| self.looked.captures.get(name).map(Cow::Borrowed)).ok()
    }
}

/// What a value that is made of several is besides: an object as a whole, the items of an array by their numbers.
fn made_up(name: &str, value: &ExactValue, compare: &Compare) -> Vec<(String, String)> {
    match value {
        ExactValue::Object(members) => {
            // `{"2":"WifiManager"}` is the value 2, and what it stands for.
            let number = members.first().map(|(number, _)| number).filter(|number| {
                compare.objects_answer && members.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())
            });
            vec![(name.to_owned(), number.cloned().unwrap_or_else(|| canonical(&value.to_string())))]
        }
        ExactValue::Array(items) if compare.arrays_are_numbered => {
            let items = items.iter().take(MOST_SERIES).enumerate();
            let plain = items.filter(|(_, item)| !matches!(item, ExactValue::Object(_) | ExactValue::Array(_)));
            plain.map(|(place, item)| (format!("{name}{}", place + 1), item.plain())).collect()
        }
        _ => Vec::new(),
    }
}

fn says_something(text: &str) -> bool {
    !text.trim().is_empty() && text != "null"
}

pub(super) fn presence(device: DeviceId, online: bool) -> DecodedMessage {
    DecodedMessage::Presence { device, online, boot: None, firmware: None, tags: Vec::new(), since: None }
}

pub(super) fn report(device: DeviceId, values: Vec<Reported>, inbound: &Inbound<'_>) -> Report {
    Report {
        device,
        values: values.into(),
        met: Outcome::Succeeded,
        steps: false,
        retained: inbound.retained,
        raw: raw(inbound),
    }
}

fn raw(inbound: &Inbound<'_>) -> Raw {
    Raw { topic: inbound.topic.into(), payload: inbound.payload.into(), qos: inbound.qos, cut: None }
}

/// The numbers in a value, at any depth.
fn series(value: &ExactValue) -> Vec<(String, f64)> {
    fn add(prefix: &str, value: &ExactValue, series: &mut Vec<(String, f64)>) {
        match value {
            _ if series.len() >= MOST_SERIES => {}
            // A number by itself has no name.
            ExactValue::Number(_) if prefix.is_empty() => {}
            ExactValue::Number(_) => series.extend(value.as_f64().map(|number| (prefix.to_owned(), number))),
            ExactValue::Object(members) => {
                for (name, value) in members {
                    let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    add(&name, value, series);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    add("", value, &mut found);
    found
}
