//! Dialects of a set that use the same messages.

use super::{DialectSet, Member, covers};
use crate::{Discovery, Subscriptions, file::What};

/// The filters of a dialect's messages.
struct SubscribedTopics {
    /// Answers, presence and the like.
    messages: Vec<String>,
    /// Announcements under a topic of their own. Others can be told apart only by their content.
    announcements: Vec<String>,
}

impl DialectSet {
    /// Dialects of this set that use the same messages as answers, presence or announcements, as sentences.
    #[must_use]
    pub fn overlaps(&self) -> Vec<String> {
        self.overlaps_of(|_| true)
    }

    /// The same, limited to pairs with one of the given dialects.
    #[must_use]
    pub fn overlaps_of(&self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        if !self.names().any(&is_meant) {
            return Vec::new();
        }
        let heard: Vec<(&Member, SubscribedTopics)> =
            self.members.iter().map(|member| (member, member.subscribed_topics())).collect();
        let mut found = Vec::new();
        for (index, one) in heard.iter().enumerate() {
            for other in heard[index + 1..].iter().filter(|other| is_meant(name(one)) || is_meant(name(other))) {
                if let Some(filter) = shared(one, other) {
                    let (one, other) = (name(one), name(other));
                    found.push(format!(
                        "'{one}' and '{other}' both use '{filter}'. Enable only one of them, or change the topics of \
                         one."
                    ));
                }
            }
        }
        found
    }
}

fn name<'m>((member, _): &(&'m Member, SubscribedTopics)) -> &'m str {
    &member.file.name
}

/// A filter by which both read, the narrower of two.
fn shared<'h>(one: &'h (&Member, SubscribedTopics), other: &'h (&Member, SubscribedTopics)) -> Option<&'h str> {
    either(&one.1.messages, &other.1.messages)
        .or_else(|| either(announced(one, other), &other.1.messages))
        .or_else(|| either(announced(other, one), &one.1.messages))
}

/// The announcements of a dialect that another one could take for its own. Readers tell them apart by their content.
fn announced<'h>((_, of): &'h (&Member, SubscribedTopics), (to, _): &(&Member, SubscribedTopics)) -> &'h [String] {
    if to.file.reader.is_none() { &of.announcements } else { &[] }
}

fn either<'h>(one: &'h [String], other: &'h [String]) -> Option<&'h str> {
    let narrower = |one: &'h String| {
        other.iter().find_map(|other| {
            let narrower = if covers(other, one) { one } else { other };
            (covers(other, one) || covers(one, other)).then_some(narrower.as_str())
        })
    };
    one.iter().find_map(narrower)
}

impl Member {
    fn subscribed_topics(&self) -> SubscribedTopics {
        let reader = self.reader("");
        let announcements = reader.iter().flat_map(Discovery::filters).filter(|one| !one.starts_with('+'));
        SubscribedTopics { messages: self.messages(), announcements: announcements.collect() }
    }

    fn messages(&self) -> Vec<String> {
        if let Some(native) = &self.native {
            return native.filters(&Subscriptions::default()).into_iter().map(|filter| filter.filter).collect();
        }
        let value = |name: &str| self.setting(name);
        let receive_rules = self.file.receive_rules.iter().filter(|hear| !matches!(hear.what, What::Nothing));
        let topics = receive_rules.flat_map(|hear| hear.topics.iter().filter(|topic| self.is_set_for(topic)));
        let by_rules: Vec<String> = topics.map(|topic| topic.filter(&value)).collect();
        if by_rules.is_empty() {
            // Code reads everything that it subscribes to.
            return self.file.filters.iter().filter_map(|filter| filter.fill(&value).ok()).collect();
        }
        by_rules
    }
}

#[cfg(test)]
mod tests {
    use crate::{DialectFile, DialectSet, Topics, shipped};

    fn file(name: &str, topic: &str) -> DialectFile {
        let text =
            format!("format = 1\nname = \"{name}\"\ntitle = \"X\"\n[[receive]]\ntopic = \"{topic}\"\nas = \"state\"\n");
        DialectFile::parse(&text).expect("a dialect file")
    }

    fn with(dialect: &str, topic: &str) -> Vec<String> {
        let other = shipped().iter().find(|file| file.name() == dialect).expect("a dialect").clone();
        DialectSet::new([file("mine", topic), other], &Topics::default()).overlaps()
    }

    #[test]
    fn a_dialect_that_reads_another_one_s_messages_is_named_with_the_filter() {
        let check = |dialect: &str, topic: &str, filter: &str| {
            let overlaps = with(dialect, topic);
            let expected = format!("'mine' and '{dialect}' both use '{filter}'. ");
            assert!(overlaps.len() == 1 && overlaps[0].starts_with(&expected), "{topic}: {overlaps:?}");
        };
        check("tasmota", "stat/{device}/RESULT", "stat/+/RESULT");
        check("wilco", "{device}/status", "+/status");
        // What code alone reads, and announcements.
        check("homeassistant", "homeassistant/{device}/x", "homeassistant/+/x");
        check("tasmota", "tasmota/discovery/{device}/config", "tasmota/discovery/+/config");
        check("shelly-gen1", "shellies/{device}", "shellies/announce");
        for dialect in shipped().iter().map(DialectFile::name) {
            assert_eq!(with(dialect, "plant/{device}/online"), Vec::<String>::new());
        }
    }

    #[test]
    fn only_pairs_that_are_meant_are_compared() {
        let files = [file("a", "x/{device}"), file("b", "x/{device}"), file("c", "x/{device}")];
        let set = DialectSet::new(files, &Topics::default());
        assert_eq!(set.overlaps().len(), 3);
        assert_eq!(set.overlaps_of(|name| name == "b").len(), 2);
        assert_eq!(set.overlaps_of(|_| false), Vec::<String>::new());
    }
}
