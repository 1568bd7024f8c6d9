//! Learns a dialect: proposes a dialect file from about a minute of messages while a device was used.
//!
//! The proposal is a start: it says for each part what was seen and what could not be determined. Messages that share an ID
//! are a request and its answer; without any, the likeliest two are (`without_ids`). If the user marks a request and its
//! answer, these are not guessed.

mod fields;
mod fill;
mod outcomes;
mod without_ids;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wilco_ledger::grouped;

use fill::{fill_answer, fill_request, fill_rest, fill_state, header};
use outcomes::says_outcome;

use crate::{file::DialectForm, ids::uuids_in, json::ExactValue};

/// The longest wait from a request to its answer, milliseconds.
const ANSWERED_WITHIN: i64 = 10_000;
/// The most messages that are looked at, and the largest of them, bytes.
const MOST: usize = 5_000;
const LARGEST: usize = 16 * 1_024;
/// The most pairs of a request and an answer, and the most answers of one request.
const MOST_PAIRS: usize = 5_000;
const MOST_ANSWERS: usize = 16;
/// Members by which requests and answers name a command.
const IDS: [&str; 12] = [
    "id",
    "tid",
    "cid",
    "uuid",
    "msgid",
    "messageId",
    "requestId",
    "request_id",
    "transaction",
    "correlationId",
    "clientToken",
    "seq",
];
/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When, Unix milliseconds.
    pub at: i64,
    /// Its topic.
    pub topic: String,
    /// Its payload as text.
    pub payload: String,
    /// Whether the message was retained.
    pub retained: bool,
}

/// A proposed dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The form.
    pub form: DialectForm,
    /// The dialect file.
    pub file: String,
    /// Remarks about findings and about what could not be determined, one sentence each.
    pub remarks: Vec<String>,
}

/// A request and its answer.
struct Pair<'a> {
    request: &'a Observed,
    answer: &'a Observed,
    /// The member that names the command in both, [`IN_TOPIC`], or the answer's field, and its value; none where the answer names no command.
    id: Option<(String, String)>,
    device: String,
}

/// In place of a member: the ID is a level of both topics.
const IN_TOPIC: &str = "{id}";

/// The relation of a pair of messages.
enum Kind {
    /// The second one is the outcome.
    Answer,
    /// The second one reports the device's state.
    State,
}

/// Proposes a dialect with this name.
///
/// # Errors
/// A sentence: why nothing can be proposed.
pub fn learn(name: &str, messages: &[Observed]) -> Result<Proposal, String> {
    let usable: Vec<&Observed> = usable(messages);
    let live: Vec<&Observed> = usable.iter().copied().filter(|one| !one.retained).collect();
    let pairs = pairs(&live);
    let Some(pair) = likeliest(&pairs) else {
        let (request, answer) = without_ids::likeliest(&live).ok_or_else(|| {
            let topics = usable.iter().map(|one| one.topic.as_str()).collect::<BTreeSet<_>>().len();
            let (messages, topics) = (counted(usable.len(), "message"), counted(topics, "topic"));
            format!(
                "No two of {messages} on {topics} look like a request and its answer. Send a command while Wilco is \
                 listening."
            )
        })?;
        let mut proposal = described(name, request, answer, &usable)?;
        let guessed = if proposal.form.answer_id.is_empty() { GUESSED } else { LIKELIEST };
        proposal.remarks.insert(0, guessed.to_owned());
        return Ok(proposal);
    };
    let wanted = shape(pair);
    let of_shape: Vec<&Observed> = pairs.iter().filter(|one| shape(one) == wanted).map(|pair| pair.answer).collect();
    Ok(proposal(name, pair, &Kind::Answer, &of_shape, &usable))
}

/// Proposes a dialect from a given request and, if there is one, its answer or state report, both as indices of
/// messages.
///
/// # Errors
/// A sentence: why these two cannot be a request and its answer.
pub fn propose(name: &str, messages: &[Observed], request: usize, answer: Option<usize>) -> Result<Proposal, String> {
    let usable = usable(messages);
    let chosen = |place: usize| {
        let message = messages.get(place).filter(|one| one.payload.len() <= LARGEST);
        let message = message
            .ok_or_else(|| format!("The message is missing, or larger than {LARGEST} bytes. Choose another one."))?;
        if message.topic.contains(char::is_control) {
            return Err(
                "Its topic has a control character, which no dialect file can have. Choose another message.".to_owned()
            );
        }
        Ok(message)
    };
    let request = chosen(request)?;
    let Some(answer) = answer.map(chosen).transpose()? else {
        let device = likeliest_level(&request.topic).ok_or("The topic of the request has no level for a device.")?;
        let pair = Pair { request, answer: request, id: own_id(request), device };
        let mut remarks = vec![format!("Requests go to '{}'. Choose the message that answers it.", request.topic)];
        let mut form = header(name);
        fill_request(&mut form, &pair, &mut remarks);
        form.silent = "Whether this firmware reports results is unknown.".to_owned();
        fill_rest(&mut form, &pair, &usable, &mut remarks);
        return Ok(Proposal { file: form.text(HEAD), form, remarks });
    };
    described(name, request, answer, &usable)
}

/// A dialect of these two.
fn described(name: &str, request: &Observed, answer: &Observed, usable: &[&Observed]) -> Result<Proposal, String> {
    if request.topic == answer.topic {
        return Err("The request and its answer are on the same topic, so Wilco cannot tell them apart.".to_owned());
    }
    let in_topic = topic_id(request, answer, usable);
    let device = shared_level(&request.topic, &without(&answer.topic, in_topic.as_deref())).ok_or_else(|| {
        let (request, answer) = (&request.topic, &answer.topic);
        format!(
            "'{request}' and '{answer}' have no level in common that could be the device's name. Choose other \
                 messages."
        )
    })?;
    let in_topic = in_topic.map(|level| (IN_TOPIC.to_owned(), level));
    let in_field = || fields::shared(request, answer, &device, usable).map(|shared| (shared.answer, shared.id));
    let id = shared_id(request, answer, &device, usable).or(in_topic).or_else(in_field);
    let kind = if id.is_some() || says_outcome(answer) { Kind::Answer } else { Kind::State };
    let pair = Pair { request, answer, id, device };
    let topic = pair.template(&answer.topic);
    let is_alike = |one: &&Observed| fits(&one.topic, &topic);
    let answers: Vec<&Observed> = usable.iter().copied().filter(is_alike).collect();
    Ok(proposal(name, &pair, &kind, &answers, usable))
}

/// The remark about a guessed pair of request and answer that share no ID.
const GUESSED: &str = "No two messages share an ID. These two are the most likely request and answer. If they are \
                       not, choose the messages yourself.";
/// The remark about a guessed pair of texts that share an ID.
const LIKELIEST: &str = "No message names an ID. These two are the most likely request and answer. If they are not, \
                         choose the messages yourself.";
/// A comment at the head of what is proposed.
const HEAD: &str = "# Proposed from received messages. Check every part of it.\n";

fn proposal(name: &str, pair: &Pair<'_>, kind: &Kind, answers: &[&Observed], usable: &[&Observed]) -> Proposal {
    let mut remarks = Vec::new();
    let mut form = header(name);
    let under = pair.id.as_ref().map_or(String::new(), |(member, id)| match member.as_str() {
        IN_TOPIC => format!(", with the ID in the topic ('{id}')"),
        field if fields::is_field(field) => format!(", with the ID in a field of the text ('{id}')"),
        member => format!(" under '{member}'"),
    });
    let verb = match kind {
        Kind::Answer => "are answered",
        Kind::State => "change the state that is reported",
    };
    remarks.push(format!(
        "Requests go to '{}' and {verb} on '{}'{under} ({} seen).",
        pair.request.topic,
        pair.answer.topic,
        counted(answers.len(), "message")
    ));
    fill_request(&mut form, pair, &mut remarks);
    match kind {
        Kind::Answer => fill_answer(&mut form, pair, answers, &mut remarks),
        Kind::State => fill_state(&mut form, pair, &mut remarks),
    }
    fill_rest(&mut form, pair, usable, &mut remarks);
    Proposal { file: form.text(HEAD), form, remarks }
}

fn usable(messages: &[Observed]) -> Vec<&Observed> {
    messages.iter().filter(|one| one.payload.len() <= LARGEST).take(MOST).collect()
}

fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

fn object(payload: &str) -> Option<ExactValue> {
    ExactValue::of_device(payload).ok().filter(ExactValue::is_object)
}

/// Every message with the next ones on another topic that name the same id.
fn pairs<'a>(live: &[&'a Observed]) -> Vec<Pair<'a>> {
    let read: Vec<_> = live.iter().map(|one| object(&one.payload)).collect();
    let mut named: HashMap<(&str, String), Vec<usize>> = HashMap::new();
    for (place, said) in read.iter().enumerate() {
        for id in said.iter().flat_map(|said| IDS.iter().filter_map(|id| Some((*id, shown(said.get(id)?)?)))) {
            named.entry(id).or_default().push(place);
        }
    }
    let mut pairs = Vec::new();
    for (place, request) in live.iter().enumerate() {
        let Some((member, id)) = read[place].as_ref().and_then(id_of) else { continue };
        let Some(same) = named.get(&(member.as_str(), id.clone())) else { continue };
        let later = same[same.partition_point(|other| *other <= place)..].iter().map(|other| live[*other]);
        let soon = later.take_while(|one| one.at - request.at <= ANSWERED_WITHIN);
        for answer in soon.filter(|one| one.topic != request.topic).take(MOST_ANSWERS) {
            if pairs.len() >= MOST_PAIRS {
                return pairs;
            }
            if let Some(device) = shared_level(&request.topic, &answer.topic) {
                pairs.push(Pair { request, answer, id: Some((member.clone(), id.clone())), device });
            }
        }
    }
    pairs
}

/// The member that names a command, by its usual names.
fn id_of(asked: &ExactValue) -> Option<(String, String)> {
    IDS.iter().find_map(|member| Some(((*member).to_owned(), shown(asked.get(member)?)?)))
}

fn own_id(request: &Observed) -> Option<(String, String)> {
    id_of(&object(&request.payload)?)
}

/// The member whose value two messages share: one that is called an id, or else a number or a text of which each is
/// likely to be there only once, or one whose value is another in another exchange.
fn shared_id(request: &Observed, answer: &Observed, device: &str, usable: &[&Observed]) -> Option<(String, String)> {
    let (asked, said) = (object(&request.payload)?, object(&answer.payload)?);
    let is_shared = |member: &str, id: &str| said.get(member).and_then(shown).is_some_and(|other| other == id);
    if let Some((member, id)) = id_of(&asked).filter(|(member, id)| is_shared(member, id)) {
        return Some((member, id));
    }
    let looks_unique = |id: &str| id.len() >= 4 && id.contains(|c: char| c.is_ascii_digit());
    let members = asked.members().iter().filter_map(|(member, value)| Some((member.clone(), shown(value)?)));
    let shared: Vec<_> = members.filter(|(member, id)| is_shared(member, id)).collect();
    let unique = shared.iter().find(|(_, id)| looks_unique(id)).cloned();
    unique.or_else(|| {
        let values = |topic: &str, member: &str| -> BTreeSet<String> {
            let topic = template(topic, device);
            let alike = usable.iter().filter(|one| fits(&one.topic, &topic));
            alike.filter_map(|one| shown(object(&one.payload)?.get(member)?)).collect()
        };
        shared.into_iter().find(|(member, id)| {
            let answered = values(&answer.topic, member);
            values(&request.topic, member).iter().any(|other| other != id && answered.contains(other))
        })
    })
}

/// A value that can be an id.
fn shown(value: &ExactValue) -> Option<String> {
    match value {
        ExactValue::String(text) if !text.is_empty() && text.len() <= 128 => Some(text.clone()),
        ExactValue::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The level that both topics share and that names the command: a number or a UUID, which no other topics have and which
/// is asked for once. It is the last level of the request, or another shared level looks more like a device. Of several,
/// the one that differs in other requests.
fn topic_id(request: &Observed, answer: &Observed, usable: &[&Observed]) -> Option<String> {
    let has_digit = |level: &str| level.contains(|c: char| c.is_ascii_digit());
    let is_number = |level: &str| !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = |level: &&str| is_number(level) || !uuids_in(level).is_empty();
    let has = |topic: &str, level: &str| topic.split('/').any(|one| one == level);
    let shared: Vec<&str> =
        request.topic.split('/').filter(|level| !level.is_empty() && has(&answer.topic, level)).collect();
    if shared.len() < 2 {
        return None;
    }
    let ids = shared.iter().copied().filter(is_id).filter_map(|level| {
        let (asked, said) = (template(&request.topic, level), template(&answer.topic, level));
        let times = usable.iter().filter(|one| one.topic == request.topic).count();
        let is_elsewhere =
            usable.iter().any(|one| has(&one.topic, level) && !fits(&one.topic, &asked) && !fits(&one.topic, &said));
        let others = usable.iter().filter(|one| one.topic != request.topic && fits(&one.topic, &asked)).count();
        let is_last = request.topic.split('/').next_back() == Some(level);
        let is_beside_device = shared.iter().any(|other| *other != level && has_digit(other));
        (times == 1 && !is_elsewhere && (is_last || is_beside_device)).then_some((others, level))
    });
    ids.max_by_key(|(others, level)| (*others, level.len())).map(|(_, level)| level.to_owned())
}

/// A topic without a level.
fn without(topic: &str, level: Option<&str>) -> String {
    topic.split('/').filter(|one| Some(*one) != level).collect::<Vec<_>>().join("/")
}

/// The level that two topics share and that is likeliest a device's name: one that is at the same place in neither, or the
/// longest.
fn shared_level(one: &str, other: &str) -> Option<String> {
    let theirs: Vec<&str> = other.split('/').collect();
    let shared = one.split('/').filter(|level| !level.is_empty() && theirs.contains(level));
    shared.max_by_key(|level| weight(level)).map(str::to_owned)
}

fn likeliest_level(topic: &str) -> Option<String> {
    let levels: Vec<&str> = topic.split('/').filter(|level| !level.is_empty()).collect();
    let some = if levels.len() > 1 { &levels[..levels.len() - 1] } else { &levels[..] };
    some.iter().max_by_key(|level| weight(level)).map(|level| (*level).to_owned())
}

fn weight(level: &str) -> (bool, usize) {
    (level.contains(|c: char| c.is_ascii_digit()), level.len())
}

/// The first pair of the shape of which the most was seen.
fn likeliest<'p, 'a>(pairs: &'p [Pair<'a>]) -> Option<&'p Pair<'a>> {
    let mut seen: BTreeMap<Shape, (usize, &'p Pair<'a>)> = BTreeMap::new();
    for pair in pairs {
        seen.entry(shape(pair)).or_insert((0, pair)).0 += 1;
    }
    seen.into_values().max_by_key(|(times, _)| *times).map(|(_, pair)| pair)
}

impl Pair<'_> {
    /// A topic with placeholders for the device's name and the ID.
    fn template(&self, topic: &str) -> String {
        let made = template(topic, &self.device);
        match &self.id {
            Some((member, id)) if member == IN_TOPIC => {
                let levels = made.split('/').map(|level| if level == id { IN_TOPIC } else { level });
                levels.collect::<Vec<_>>().join("/")
            }
            _ => made,
        }
    }
}

/// The topics of a pair without the device, and the member that names the command.
type Shape = (String, String, Option<String>);

fn shape(pair: &Pair<'_>) -> Shape {
    let member = pair.id.as_ref().map(|(member, _)| member.clone());
    (pair.template(&pair.request.topic), pair.template(&pair.answer.topic), member)
}

/// A topic with the device's name as a place.
fn template(topic: &str, device: &str) -> String {
    let braced = topic.replace(['{', '}'], "_");
    let levels = braced.split('/').map(|level| if level == device { "{device}" } else { level });
    levels.collect::<Vec<_>>().join("/")
}

/// Whether a topic is one of a template, of whatever device.
fn fits(topic: &str, template: &str) -> bool {
    let mut levels = topic.split('/');
    template
        .split('/')
        .all(|wanted| levels.next().is_some_and(|level| matches!(wanted, "{device}" | IN_TOPIC) || wanted == level))
        && levels.next().is_none()
}

#[cfg(test)]
mod tests;
