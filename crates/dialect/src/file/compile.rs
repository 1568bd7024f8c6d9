//! Compiles a dialect file, and collects all of its problems.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use toml::Spanned;
use wilco_ledger::{Outcome, grouped};

use super::{
    Announce, AnswerRule, At, Code, Compare, DialectFile, Expect, FORMAT, FileProblem, Group, IdKind, LARGEST_FILE,
    LikeRule, MEMBER, OutcomeRule, Parts, PresenceRule, ReaderKind, ReceiveRule, RequestRule, StateRule, Test, VARIANT,
    What, Word,
    source::{
        As, CodeSource, ExpectSource, IdSource, LikeRuleSource, OneOrMany, OneOrManyValues, OutcomeSource,
        ReaderSource, ReceiveSource, RequestSource, Source, Subscribe, TestSource,
    },
};
use crate::{
    pattern::{Pattern, is_name},
    payload::Payload,
};

const MOST_RULES: usize = 128;
const MOST_IN_A_RULE: usize = 64;
const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 2_000;

/// Placeholders of a request besides settings and captures of the command's pattern.
const PLACES: [&str; 4] = ["device", "command", "id", "args"];

type Problems = Vec<(usize, String)>;

pub(super) fn file(text: &str) -> Result<DialectFile, Vec<FileProblem>> {
    let one = |at: usize, what: String| vec![FileProblem { line: line_of(text, at), what }];
    if text.len() > LARGEST_FILE {
        return Err(one(
            0,
            format!("The file has {} bytes; the limit is {}.", grouped(text.len()), grouped(LARGEST_FILE)),
        ));
    }
    let source: Source = toml::from_str(text).map_err(|error| {
        let what = error.message().trim_end_matches('.').to_owned();
        one(error.span().map_or(0, |span| span.start), format!("This is not valid in a dialect file: {what}."))
    })?;
    let mut problems = Problems::new();
    let file = compile(&source, &mut problems);
    if problems.is_empty() {
        return Ok(file);
    }
    problems.sort_by_key(|(at, _)| *at);
    Err(problems.into_iter().map(|(at, what)| FileProblem { line: line_of(text, at), what }).collect())
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn compile(source: &Source, problems: &mut Problems) -> DialectFile {
    if *source.format.get_ref() != FORMAT {
        let found = source.format.get_ref();
        problems.push((
            source.format.span().start,
            format!(
                "The format is version {found}, but this Wilco reads version {FORMAT}. Use a newer Wilco, or \
                     write version {FORMAT}."
            ),
        ));
    }
    let name = source.name.get_ref();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
        problems.push((
            source.name.span().start,
            "The name must be one word of lower-case letters, digits and '-', for example my-firmware.".to_owned(),
        ));
    }
    for (what, count) in
        [("[[request]] rules", source.requests.len()), ("[[receive]] rules", source.receive_rules.len())]
    {
        if count > MOST_RULES {
            problems.push((0, format!("There are {count} {what}; the limit is {MOST_RULES}.")));
        }
    }
    if source.receive_rules.is_empty() && source.code.is_none() && source.reader.is_none() {
        problems.push((0, "There is no [[receive]], so answers cannot be received. Add one.".to_owned()));
    }
    for (name, value) in &source.vars {
        if !is_name(name) || PLACES.contains(&name.as_str()) {
            problems.push((value.span().start, format!("A setting cannot be named '{name}'.")));
        }
        if value.get_ref().chars().any(|c| matches!(c, '+' | '#') || c.is_control()) {
            problems.push((
                value.span().start,
                format!(
                    "The setting '{name}' cannot be {:?}: its value is part of a topic, and cannot contain wildcards \
                     or control characters.",
                    value.get_ref()
                ),
            ));
        }
    }
    check_variant(source, problems);
    check_choices(source, problems);
    let vars: BTreeMap<String, String> =
        source.vars.iter().map(|(name, value)| (name.clone(), value.get_ref().clone())).collect();
    for name in source.titles.keys().filter(|name| !source.vars.contains_key(*name)) {
        problems.push((0, format!("[titles] names '{name}', but there is no such setting under [vars].")));
    }
    let mut file = DialectFile {
        name: name.as_str().into(),
        title: clipped(&source.title),
        about: clipped(&source.about),
        code: source.code.as_ref().map(|code| match code.get_ref() {
            CodeSource::Wilco => Code::Wilco,
            CodeSource::Text => Code::Text,
        }),
        reader: source.reader.map(reader),
        signs_in: source.sign_in.is_some(),
        on_request: source.subscribe == Subscribe::OnRequest,
        variants: source.variants.clone(),
        vars: vars.clone(),
        choices: source.choices.iter().map(|(name, words)| (name.clone(), words.get_ref().clone())).collect(),
        titles: source.titles.iter().map(|(name, title)| (name.clone(), clipped(title))).collect(),
        filters: Vec::new(),
        announce: None,
        compare: Compare {
            any: source.compare.any.clone(),
            same: source.compare.same.clone(),
            unreported: source.compare.unreported.clone(),
            reshaped: source.compare.reshaped.clone(),
            value_ends_at: source.compare.value_ends_at,
            keys_ignore_case: source.compare.keys_ignore_case,
            first_index_optional: source.compare.first_index_optional,
            words_without_index: source.compare.words_without_index,
            arrays_are_numbered: source.compare.arrays_are_numbered,
            objects_answer: source.compare.objects_answer,
        },
        words: Vec::new(),
        groups: Vec::new(),
        requests: Vec::new(),
        receive_rules: Vec::new(),
    };
    let mut at = Place { problems, vars: &vars, at: 0 };
    for filter in &source.filters {
        let pattern = at.spanned(filter.span()).filter(filter.get_ref());
        file.filters.push(pattern);
    }
    if let Some(announce) = &source.announce {
        let topic = at.spanned(announce.span()).topic(&announce.get_ref().topic);
        file.announce = Some(Announce { topic, payload: announce.get_ref().payload.as_str().into() });
    }
    for word in &source.words {
        let WordParts { text, begins } = at.spanned(word.span()).word(&word.get_ref().is, &word.get_ref().begins);
        file.words.push(Word { word: text.into(), begins, means: word.get_ref().means.outcome() });
    }
    for group in &source.groups {
        let group = group.get_ref();
        file.groups.push(Group { title: clipped(&group.title), device: group.device.as_str().into() });
    }
    let topic = source.topic.as_ref().map(Spanned::get_ref);
    for request in source.requests.iter().take(MOST_RULES) {
        let rule = at.spanned(request.span()).request(request.get_ref(), topic);
        file.requests.push(rule);
    }
    for receive in source.receive_rules.iter().take(MOST_RULES) {
        let rule = at.spanned(receive.span()).receive(receive.get_ref());
        file.receive_rules.push(rule);
    }
    file
}

/// The setting `variant`, if it has a value, must name one of the variants.
fn check_variant(source: &Source, problems: &mut Problems) {
    let Some(value) = source.vars.get(VARIANT).filter(|value| !value.get_ref().is_empty()) else { return };
    if source.variants.contains(value.get_ref()) {
        return;
    }
    let variant = value.get_ref();
    let what = match source.variants.is_empty() {
        true => format!(
            "The setting 'variant' is '{variant}', but the file has no variants. Name them: variants = [\"a\", \"b\"]."
        ),
        false => format!("There is no variant '{variant}'. Available: {}.", source.variants.join(", ")),
    };
    problems.push((value.span().start, what));
}

/// The words of a setting: each setting exists, and what it is by default is one of them.
fn check_choices(source: &Source, problems: &mut Problems) {
    for (name, words) in &source.choices {
        let at = words.span().start;
        let words = words.get_ref();
        let Some(default) = source.vars.get(name).map(Spanned::get_ref) else {
            problems.push((at, format!("[choices] names '{name}', but there is no such setting under [vars].")));
            continue;
        };
        if name == VARIANT {
            problems.push((at, "The choices of 'variant' are those of 'variants'.".to_owned()));
        } else if words.is_empty() || words.len() > MOST_IN_A_RULE {
            problems.push((at, format!("The setting '{name}' needs from 1 to {MOST_IN_A_RULE} choices.")));
        } else if !words.contains(default) {
            let words = words.join(", ");
            problems.push((at, format!("The setting '{name}' is '{default}', which is none of its choices: {words}.")));
        }
    }
}

fn clipped(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(LONGEST_TEXT)].into()
}

fn reader(source: ReaderSource) -> ReaderKind {
    match source {
        ReaderSource::HomeAssistant => ReaderKind::HomeAssistant,
        ReaderSource::Zigbee2mqtt => ReaderKind::Zigbee2Mqtt,
        ReaderSource::Tasmota => ReaderKind::Tasmota,
        ReaderSource::Shelly => ReaderKind::Shelly,
        ReaderSource::ShellyGen1 => ReaderKind::ShellyGen1,
        ReaderSource::Homie5 => ReaderKind::Homie5,
        ReaderSource::Homie4 => ReaderKind::Homie4,
        ReaderSource::ThingsboardGateway => ReaderKind::ThingsBoardGateway,
    }
}

fn texts(given: Option<&OneOrMany>) -> Vec<Box<str>> {
    given.map_or(&[][..], OneOrMany::all).iter().map(|text| text.as_str().into()).collect()
}

/// Whether a broker accepts a topic filter (MQTT 5 section 4.7.1), and it is not for messages of every kind.
fn is_usable_filter(filter: &str) -> Result<(), &'static str> {
    let levels: Vec<&str> = filter.split('/').collect();
    let (last, before) = levels.split_last().unwrap_or((&"", &[]));
    if filter.is_empty() {
        return Err("is empty");
    }
    if filter.chars().any(char::is_control) {
        return Err("has a control character");
    }
    if before.iter().any(|level| level.contains('#')) || (last.contains('#') && *last != "#") {
        return Err("has a '#' that is not the entire last level");
    }
    if levels.iter().any(|level| level.contains('+') && *level != "+") {
        return Err("has a '+' that is not an entire level");
    }
    if levels[0] == "$share" {
        return Err("is a shared subscription, so other clients receive some of its messages");
    }
    if levels.iter().all(|level| matches!(*level, "+" | "#")) {
        return Err("matches every message. Give at least part of a level");
    }
    Ok(())
}

/// Whether a filter has no level before `#` that is fixed.
fn matches_everything(filter: &str) -> bool {
    filter.strip_suffix('#').is_some_and(|before| before.split('/').all(|level| matches!(level, "+" | "")))
}

struct WordParts {
    text: String,
    begins: bool,
}

/// Where in the file we are, and what is wrong there.
struct Place<'a> {
    problems: &'a mut Problems,
    vars: &'a BTreeMap<String, String>,
    at: usize,
}

impl Place<'_> {
    fn spanned(&mut self, span: Range<usize>) -> &mut Self {
        self.at = span.start;
        self
    }

    fn wrong(&mut self, what: String) {
        self.problems.push((self.at, what));
    }

    fn pattern(&mut self, what: &str, text: &str) -> Pattern {
        Pattern::parse(text).unwrap_or_else(|why| {
            self.wrong(format!("The {what} '{text}' is not valid: {why}."));
            Pattern::parse("").unwrap_or_else(|_| unreachable!("it is empty"))
        })
    }

    /// A topic to publish or to subscribe to.
    fn topic(&mut self, text: &str) -> Pattern {
        if text.is_empty() {
            self.wrong("The topic is empty.".to_owned());
        }
        if let Some(wildcard) = text.chars().find(|c| matches!(c, '+' | '#')) {
            self.wrong(format!(
                "The topic '{text}' has the wildcard {wildcard}. Use a placeholder such as {{device}}."
            ));
        }
        if text.chars().any(char::is_control) {
            self.wrong(format!("The topic {text:?} has a control character."));
        }
        self.pattern("topic", text)
    }

    /// A topic filter as it is written in the file.
    fn filter(&mut self, text: &str) -> Pattern {
        let pattern = self.pattern("filter", text);
        let unknown = pattern.places().find(|place| !self.vars.contains_key(*place)).map(str::to_owned);
        if let Some(unknown) = unknown {
            self.wrong(format!("The filter '{text}' names {{{unknown}}}, but there is no such setting under [vars]."));
        }
        // A setting stands for parts of levels, without wildcards.
        let filled = pattern.fill(&|_| Some(Cow::Borrowed("x"))).unwrap_or_default();
        if let Err(why) = is_usable_filter(&filled) {
            self.wrong(format!("The filter '{text}' {why}."));
        }
        pattern
    }

    fn word(&mut self, is: &Option<String>, begins: &Option<String>) -> WordParts {
        match (is, begins) {
            (Some(is), None) => WordParts { text: is.clone(), begins: false },
            (None, Some(begins)) => WordParts { text: begins.clone(), begins: true },
            _ => {
                self.wrong("A word needs either 'is' or 'begins'.".to_owned());
                WordParts { text: String::new(), begins: false }
            }
        }
    }

    fn request(&mut self, source: &RequestSource, usual_topic: Option<&OneOrMany>) -> RequestRule {
        let commands = source.command.as_ref().map_or(&[][..], OneOrMany::all);
        let commands: Vec<Pattern> = commands.iter().map(|command| self.pattern("command", command)).collect();
        let topics = source.topic.as_ref().or(usual_topic).map_or(&[][..], OneOrMany::all);
        // What has several levels in a command's name has them in the topic too.
        let topics: Vec<Pattern> = topics.iter().map(|topic| self.topic(topic).spanning_as_in(&commands)).collect();
        if topics.is_empty() {
            self.wrong("The request has no topic.".to_owned());
        }
        let payload = match (&source.json, &source.text) {
            (Some(_), Some(_)) => {
                self.wrong("A request can have 'json' or 'text', not both.".to_owned());
                Payload::Empty
            }
            (Some(template), None) => Payload::json(template).unwrap_or_else(|why| {
                self.wrong(format!("The payload is not valid: {why}."));
                Payload::Empty
            }),
            (None, Some(template)) => Payload::Text(self.pattern("payload", template), source.empty.as_str().into()),
            (None, None) => Payload::Empty,
        };
        let id = match source.id {
            IdSource::Text => IdKind::Text,
            IdSource::Int31 => IdKind::Int31,
            IdSource::None => IdKind::None,
        };
        let names_id = payload.places().contains(&"id") || topics.iter().any(|topic| topic.names("id"));
        match (names_id, id) {
            (true, IdKind::None) => {
                self.wrong("The request contains {id}. Add its type: id = \"text\" or id = \"int31\".".to_owned());
            }
            (false, IdKind::Text | IdKind::Int31) => {
                self.wrong("The request has an ID, but neither its topic nor its payload contains {id}.".to_owned());
            }
            _ => {}
        }
        let expect = source.expect.as_ref().map(|expect| self.expect(expect));
        if expect.is_some() && source.silent.is_some() {
            self.wrong("A request can expect a report or be silent, not both.".to_owned());
        }
        let known = |name: &str| {
            let captured = !commands.is_empty() && commands.iter().all(|command| command.names(name));
            captured || PLACES.contains(&name) || name.starts_with("args.") || self.vars.contains_key(name)
        };
        let mut unknown: Vec<String> = Vec::new();
        let in_expect = expect.iter().flat_map(|expect| {
            expect.key.places().chain(expect.value.iter().flat_map(Pattern::places)).filter(|name| *name != "key")
        });
        let all = topics.iter().flat_map(Pattern::places).chain(payload.places()).chain(in_expect);
        for name in all {
            let name = name.trim_end_matches('?');
            if !known(name) && !unknown.iter().any(|one| one == name) {
                unknown.push(name.to_owned());
            }
        }
        for name in unknown {
            self.wrong(format!(
                "{{{name}}} is unknown. Available: {{device}}, {{command}}, {{id}}, {{args}}, {{args.name}}, the \
                 names in the command's pattern, and the settings under [vars]."
            ));
        }
        if source.silent.as_deref().is_some_and(|why| why.trim().is_empty()) {
            self.wrong("Explain why the device cannot report back: silent = \"…\".".to_owned());
        }
        for name in source.settings.keys().filter(|name| !self.vars.contains_key(*name)) {
            self.wrong(format!("The request depends on '{name}', but there is no such setting under [vars]."));
        }
        let silent = source.silent.as_deref().map(clipped);
        RequestRule {
            commands,
            device: source.device.as_deref().map(Into::into),
            needs: source.needs.clone(),
            only: source.only.clone(),
            values: source.values.clone(),
            settings: source.settings.clone(),
            topics,
            payload,
            id,
            expect,
            silent,
        }
    }

    fn expect(&mut self, source: &ExpectSource) -> Expect {
        let key = source.key.as_deref().unwrap_or("{key}");
        if source.key.is_none() && source.each.is_none() {
            self.wrong("An expectation needs key = \"…\" or each = \"args\".".to_owned());
        }
        Expect {
            key: self.pattern("key", key),
            value: source.value.as_deref().map(|value| self.pattern("value", value)),
            each: source.each.as_deref().map(Into::into),
            words_under: source.words_under.iter().map(|key| self.pattern("key", key)).collect(),
        }
    }

    fn receive(&mut self, source: &ReceiveSource) -> ReceiveRule {
        let topics: Vec<Pattern> = source.topic.all().iter().map(|topic| self.topic(topic)).collect();
        if topics.is_empty() {
            self.wrong("This [[receive]] has no topic.".to_owned());
        }
        for topic in &topics {
            let fixed = topic.plain().chars().any(|c| c != '/');
            let by_setting = topic.places().any(|place| self.vars.contains_key(place));
            let set = |name: &str| self.vars.contains_key(name).then_some(Cow::Borrowed("x"));
            if (!fixed && !by_setting) || matches_everything(&topic.filter(&set)) {
                self.wrong(format!("The topic '{topic}' matches every message. Give at least part of a level."));
            }
        }
        let when = source.when.iter().map(|test| self.test(test)).collect();
        let like = source.like.as_ref().map(|like| self.like(like));
        let parts = match source.device.as_deref() {
            Some(MEMBER) => Parts::Devices,
            _ if source.items => Parts::Items,
            _ => Parts::Whole,
        };
        if parts != Parts::Whole && !matches!(source.kind, As::State | As::Telemetry) {
            self.wrong("Only as = \"state\" and as = \"telemetry\" can read the parts of a payload.".to_owned());
        }
        let device = source.device.as_deref().filter(|at| *at != MEMBER).map(|at| self.at("device", at));
        let device_like = source.device_like.as_deref().map(|like| self.pattern("device_like", like));
        let names = |name: &str| {
            let in_like = like.as_ref().is_some_and(|like| like.any.iter().all(|pattern| pattern.names(name)));
            in_like || topics.iter().all(|topic| topic.names(name))
        };
        if device.is_none() && parts != Parts::Devices && !names("device") && source.kind != As::Ignore {
            self.wrong("Nothing here identifies the device. Add {device} to the topic, or device = \"…\".".to_owned());
        }
        if source.outcome.len() > MOST_IN_A_RULE || source.when.len() > MOST_IN_A_RULE {
            self.wrong(format!("One [[receive]] has more than {MOST_IN_A_RULE} rules."));
        }
        if source.kind == As::Answer && source.outcome.is_empty() {
            self.wrong(
                "The answer has no outcome. If its arrival already means success, add outcome = [{ means = \
                 \"succeeded\" }]."
                    .to_owned(),
            );
        }
        if source.kind != As::Answer && !source.outcome.is_empty() {
            self.wrong("Only as = \"answer\" can have an outcome.".to_owned());
        }
        if source.kind == As::Presence && (source.online.is_empty() || source.offline.is_empty()) {
            self.wrong("A presence needs words: online = [\"…\"], offline = [\"…\"].".to_owned());
        }
        let what = self.what(source);
        ReceiveRule { topics, what, when, like, device, device_like, also: source.also, parts }
    }

    fn what(&mut self, source: &ReceiveSource) -> What {
        match source.kind {
            As::Answer => What::Answer(AnswerRule {
                id: source.id.as_deref().map(|at| self.at("id", at)),
                outcome: source.outcome.iter().take(MOST_IN_A_RULE).map(|rule| self.outcome(rule)).collect(),
                result: source.result.as_deref().map(|at| self.at("result", at)),
                progress: source.progress.as_deref().map(|at| self.at("progress", at)),
                id_in: source.id_in.as_deref().map(|at| self.at("text with the ID", at)),
                time: source.time.as_deref().map(|at| self.at("time", at)),
                lenient: source.lenient,
            }),
            As::State => What::State(StateRule {
                at: source.at.as_deref().unwrap_or_default().into(),
                key: source.key.as_deref().map(|key| self.pattern("key", key)),
                met: source.met.and_then(super::source::OutcomeMeaning::outcome).unwrap_or(Outcome::Succeeded),
                steps: source.steps,
            }),
            As::Presence => What::Presence(PresenceRule {
                at: source.at.as_deref().map(|at| self.at("at", at)),
                online: source.online.clone(),
                offline: source.offline.clone(),
                boot: source.boot.as_deref().map(|at| self.at("boot", at)),
                firmware: source.firmware.as_deref().map(|at| self.at("firmware", at)),
                tags: source.tags.as_deref().map(|at| self.at("tags", at)),
                since: source.since.as_deref().map(|at| self.at("since", at)),
            }),
            As::Telemetry => What::Telemetry {
                at: source.at.as_deref().unwrap_or_default().into(),
                time: source.time.as_deref().map(|at| self.at("time", at)),
                key: source.key.as_deref().map(|key| self.pattern("key", key)),
            },
            As::Started => What::Started,
            As::Ignore => What::Nothing,
        }
    }

    fn at(&mut self, what: &str, text: &str) -> At {
        At::parse(text).unwrap_or_else(|why| {
            self.wrong(format!("The path of the {what}, '{text}', is not valid: {why}."));
            At::Pointer("".into())
        })
    }

    fn test(&mut self, source: &TestSource) -> Test {
        let TestSource { at, is, begins, word, from, to, exists } = source;
        self.test_of(at.as_ref(), is.as_ref(), (begins.as_ref(), word.as_ref()), (*from, *to), *exists)
    }

    fn test_of(
        &mut self,
        at: Option<&String>,
        is: Option<&OneOrManyValues>,
        (begins, word): (Option<&OneOrMany>, Option<&OneOrMany>),
        (from, to): (Option<f64>, Option<f64>),
        exists: Option<bool>,
    ) -> Test {
        let tests_a_text = begins.is_some() || word.is_some();
        let tests_something = is.is_some() || tests_a_text || from.is_some() || to.is_some() || exists.is_some();
        if at.is_none() && tests_something {
            self.wrong("A test needs at = \"/status\" or at = \"{status}\".".to_owned());
        }
        Test {
            at: at.map(|at| self.at("value", at)),
            is: is.map(OneOrManyValues::all).unwrap_or_default().into_iter().map(Into::into).collect(),
            begins: texts(begins),
            words: texts(word),
            from,
            to,
            exists: exists.unwrap_or(true),
        }
    }

    fn outcome(&mut self, source: &OutcomeSource) -> OutcomeRule {
        let OutcomeSource { at, is, begins, word, from, to, exists, means, message } = source;
        let of_text = (begins.as_ref(), word.as_ref());
        OutcomeRule {
            test: self.test_of(at.as_ref(), is.as_ref(), of_text, (*from, *to), *exists),
            means: means.outcome(),
            message: message.iter().flat_map(OneOrMany::all).map(|at| self.at("message", at)).collect(),
        }
    }

    fn like(&mut self, source: &LikeRuleSource) -> LikeRule {
        LikeRule {
            at: self.at("text", &source.at),
            strip: source.strip.clone(),
            any: source.any.iter().take(MOST_IN_A_RULE).map(|text| self.pattern("text", text)).collect(),
        }
    }
}
