//! Finds intact parts of damaged JSON.

use std::fmt;

use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The first members of a damaged JSON object, as far as they are whole: of an object that was cut off, or that is followed
/// by something else.
pub(crate) fn whole_members(text: &str) -> Vec<(String, Box<RawValue>)> {
    struct Gather<'a>(&'a mut Vec<(String, Box<RawValue>)>);

    impl<'de> Visitor<'de> for Gather<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut pending = None;
            while let Some(key) = map.next_key::<String>()? {
                self.0.extend(pending.take());
                let value: Box<RawValue> = map.next_value()?;
                // A string ends with a quote. A number may have been cut off anywhere.
                if value.get().starts_with('"') {
                    self.0.push((key, value));
                } else {
                    pending = Some((key, value));
                }
            }
            self.0.extend(pending);
            Ok(())
        }
    }

    let mut members = Vec::new();
    // It ends in an error where the message is damaged; what came before that is what is wanted.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(Gather(&mut members));
    members
}

#[cfg(test)]
mod tests {
    use super::whole_members;

    #[test]
    fn only_what_is_whole_is_found() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<String> =
                whole_members(text).into_iter().map(|(name, value)| format!("{name}={}", value.get())).collect();
            assert_eq!(found, expected, "{text}");
        };
        check(r#"{"id":7,"src":"lamp","result":{"a":"#, &["id=7", "src=\"lamp\""]);
        check(r#"{"id":7"#, &[]);
        check(r#"{"id":7,"#, &[]);
        check(r#"{"id":7,"s"#, &[]);
        check(r#"{"src":"lamp"#, &[]);
        check(r#"{"src":"lamp""#, &["src=\"lamp\""]);
        check(r#"{"id":7}}"#, &["id=7"]);
        check("[1", &[]);
    }
}
