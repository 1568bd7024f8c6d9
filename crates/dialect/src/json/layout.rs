//! The white space between the parts of a JSON text. The parts keep their original text.

use super::tokens;

/// JSON text without the white space between its parts.
pub(super) fn compact(text: &str) -> String {
    parts(text).collect()
}

/// JSON text with one line per part, indented by two spaces per level, for insertion at `level`.
#[must_use]
pub fn indented(text: &str, level: usize) -> String {
    let mut written = String::with_capacity(2 * text.len());
    let mut level = level;
    let mut parts = parts(text).peekable();
    let line = |written: &mut String, level: usize| {
        written.push('\n');
        written.extend(std::iter::repeat_n("  ", level));
    };
    while let Some(part) = parts.next() {
        match part {
            "{" | "[" => {
                written.push_str(part);
                level += 1;
                // An empty one stays on its line.
                if !matches!(parts.peek(), Some(&("}" | "]"))) {
                    line(&mut written, level);
                }
            }
            "}" | "]" => {
                level = level.saturating_sub(1);
                if !written.ends_with(['{', '[']) {
                    line(&mut written, level);
                }
                written.push_str(part);
            }
            "," => {
                written.push(',');
                line(&mut written, level);
            }
            ":" => written.push_str(": "),
            other => written.push_str(other),
        }
    }
    written
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    tokens(text).filter(|token| !token.starts_with([' ', '\t', '\r', '\n']))
}

#[cfg(test)]
mod tests {
    use super::{compact, indented};

    #[test]
    fn only_the_white_space_changes() {
        let written = r#"{"b":[1.50,{"c":1e10}],"a":{},"t":"a: {[,\" ","e":[],"\u00e4":10000000000000000000001}"#;
        let value: serde_json::Value = serde_json::from_str(r#"{"a":[1,{"b":"x: {"}],"c":{},"d":[]}"#).expect("JSON");
        assert_eq!(indented(&value.to_string(), 0), format!("{value:#}"));
        let lines = indented(written, 2);
        assert!(lines.starts_with("{\n      \"b\": [\n        1.50,\n") && lines.ends_with("\n    }"), "{lines}");
        assert_eq!(compact(&lines), written);
        assert_eq!(indented("{ }", 1), "{}");
    }
}
