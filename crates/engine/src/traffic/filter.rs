//! Topic filters as MQTT has them (MQTT 5 section 4.7).

use crate::api::{Failure, invalid};

/// A topic filter; an empty one lets everything through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicFilter(String);

impl TopicFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) where a wildcard stands where it cannot.
    pub(crate) fn parse(text: &str) -> Result<TopicFilter, Failure> {
        if text.len() > 65_535 || text.contains('\0') {
            return Err(invalid(
                "This is not a topic filter.".into(),
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
        Ok(TopicFilter(text.to_owned()))
    }

    /// Whether a topic matches.
    pub(crate) fn matches(&self, topic: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        // MQTT 5 section 4.7.2: a filter that begins with a wildcard does not match topics that begin with `$`.
        if topic.starts_with('$') && self.0.starts_with(['#', '+']) {
            return false;
        }
        let mut topic = topic.split('/');
        let mut filter = self.0.split('/');
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
    fn a_filter_that_is_none_is_refused_in_a_sentence() {
        let check = |filter: &str, expected: &str| {
            let said = TopicFilter::parse(filter).err().map(|failure| failure.message);
            assert_eq!(said.as_deref(), Some(expected), "{filter}");
        };
        check("plant/#/resp", "In 'plant/#/resp', # must be the last level.");
        check("plant#", "In 'plant#', # must be the last level.");
        check("plant/p+", "In 'plant/p+', + must be a whole level.");
        check("a\0b", "This is not a topic filter.");
    }
}
