//! Topic filters with MQTT wildcards (MQTT 5 section 4.7).

use crate::api::{Failure, invalid};

/// Topic filters, of which one must match; an empty one lets everything through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicFilter(Vec<String>);

impl TopicFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) where a wildcard stands where it cannot.
    pub(crate) fn parse(text: &str) -> Result<TopicFilter, Failure> {
        if text.len() > 65_535 || text.contains('\0') {
            return Err(invalid(
                "This is not a valid topic filter.".into(),
                "A topic filter has at most 65,535 bytes and no NUL.",
            ));
        }
        let levels: Vec<_> = text.split('/').collect();
        let hint = "Enter a topic filter such as plant/+/resp or plant/#.";
        for (place, level) in levels.iter().enumerate() {
            if level.contains('#') && (*level != "#" || place + 1 < levels.len()) {
                return Err(invalid(format!("In '{text}', # must be the last level."), hint));
            }
            if level.contains('+') && *level != "+" {
                return Err(invalid(format!("In '{text}', + must be a whole level."), hint));
            }
        }
        Ok(TopicFilter(vec![text.to_owned()]))
    }

    /// Any of these valid filters.
    pub(crate) fn any_of(filters: Vec<String>) -> TopicFilter {
        TopicFilter(filters)
    }

    /// Whether a topic matches.
    pub(crate) fn matches(&self, topic: &str) -> bool {
        self.0.iter().any(|filter| matches(filter, topic))
    }
}

fn matches(filter: &str, topic: &str) -> bool {
    if filter.is_empty() {
        return true;
    }
    // MQTT 5 section 4.7.2: a filter that begins with a wildcard does not match topics that begin with `$`.
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    let mut topic = topic.split('/');
    let mut filter = filter.split('/');
    loop {
        match (filter.next(), topic.next()) {
            // Also what is one level up: `a/#` matches `a`.
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TopicFilter;

    #[test]
    fn filters_match_as_mqtt_has_it() {
        let check = |filter: &str, topic: &str, expected: bool| {
            let matches = TopicFilter::parse(filter).map(|filter| filter.matches(topic));
            assert_eq!(matches.ok(), Some(expected), "{filter} {topic}");
        };
        check("", "plant/pump-7/resp", true);
        check("", "$SYS/uptime", true);
        check("#", "plant/pump-7/resp", true);
        check("#", "$SYS/uptime", false);
        check("+/uptime", "$SYS/uptime", false);
        check("$SYS/#", "$SYS/uptime", true);
        check("plant/+/resp", "plant/pump-7/resp", true);
        check("plant/+/resp", "plant/pump-7/status", false);
        check("plant/+", "plant/pump-7/resp", false);
        check("plant/#", "plant", true);
        check("plant/#", "plant/", true);
        check("plant/#", "plants/pump-7", false);
        check("plant/+", "plant/", true);
        check("plant", "plant/pump-7", false);
        check("pump-7 /resp", "pump-7 /resp", true);
        check(" pump-7/resp", " pump-7/resp", true);
        check(" pump-7/resp", "pump-7/resp", false);
        check("pump-7/resp ", "pump-7/resp", false);
    }

    #[test]
    fn one_of_several_filters_is_enough() {
        let several = TopicFilter::any_of(vec!["+/online".to_owned(), "a/#".to_owned()]);
        assert_eq!(["plug/online", "a/b", "b/a"].map(|topic| several.matches(topic)), [true, true, false]);
        assert!(!TopicFilter::any_of(Vec::new()).matches("a"));
    }

    #[test]
    fn a_filter_that_is_none_is_refused_in_a_sentence() {
        let check = |filter: &str, expected: &str| {
            let said = TopicFilter::parse(filter).err().map(|failure| failure.message);
            assert_eq!(said.as_deref(), Some(expected), "{filter}");
        };
        check("plant/#/resp", "In 'plant/#/resp', # must be the last level.");
        check("plant#", "In 'plant#', # must be the last level.");
        check("plant/p+", "In 'plant/p+', + must be a whole level.");
        check("a\0b", "This is not a valid topic filter.");
    }
}
