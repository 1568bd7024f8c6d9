//! The subset of Jinja that device announcements use: `{{ value_json.temperature | round(1) }}` and the like.
//!
//! It has no loops, no macros, no attributes of objects and nothing that makes a text longer than its parts. Template,
//! depth and output are bounded, so whatever a device sends, evaluating it costs little. [`Template::parse`] refuses a
//! template that needs more; its values are then shown unchanged and compared with nothing.

mod eval;
mod parse;

use serde_json::Value;
use wilco_ledger::grouped;

/// The longest template, bytes.
const LONGEST: usize = 4 * 1024;
/// The longest payload that a template is tried on, bytes.
const LONGEST_PAYLOAD: usize = 128 * 1024;
/// The longest result, bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// A template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

/// Why a template is not used, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The template is not valid: {0}.")]
pub struct Unusable(String);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(Box<str>),
    Value(Expression),
    /// Each condition with its parts, the last without one for `else`.
    Choice(Vec<(Option<Expression>, Vec<Part>)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Constant(Value),
    Name(Box<str>),
    Member(Box<Expression>, Box<Expression>),
    Filter(Box<Expression>, Filter, Vec<Expression>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Two(Box<Expression>, Operator, Box<Expression>),
    Is(Box<Expression>, Kind, bool),
    Choice(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    List(Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
    Whole,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Defined,
    None,
    Number,
    String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Float,
    Int,
    Round,
    Lower,
    Upper,
    Trim,
    Default,
    String,
    Abs,
    ToJson,
    FromJson,
    Iif,
    Replace,
    Length,
    Title,
    Capitalize,
    Bool,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Unusable`] for one that is too long, broken, or needs what is not there.
    pub fn parse(text: &str) -> Result<Template, Unusable> {
        if text.len() > LONGEST {
            return Err(Unusable(format!(
                "it has {} bytes, and at most {} are read",
                grouped(text.len()),
                grouped(LONGEST)
            )));
        }
        parse::template(text).map(|parts| Template { parts }).map_err(Unusable)
    }

    /// The value of a payload. `None` if it has none.
    #[must_use]
    pub fn value(&self, payload: &str) -> Option<String> {
        if payload.len() > LONGEST_PAYLOAD {
            return None;
        }
        let json = serde_json::from_str(payload).ok();
        self.render(&Value::from(payload), json.as_ref())
    }

    /// The result for a value that is to be sent.
    #[must_use]
    pub fn command(&self, value: &Value) -> Option<String> {
        self.render(value, None)
    }

    fn render(&self, value: &Value, json: Option<&Value>) -> Option<String> {
        let mut text = String::new();
        let scope = eval::Scope { value, json };
        eval::write(&self.parts, &scope, &mut text).then(|| text.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Template;

    #[test]
    fn what_devices_announce_is_evaluated() {
        let check = |template: &str, payload: &str, expected: Option<&str>| {
            let made = Template::parse(template).expect("a template").value(payload);
            assert_eq!(made.as_deref(), expected, "{template} {payload}");
        };
        check("{{ value }}", "ON", Some("ON"));
        check("{{ value_json.state }}", r#"{"state":"ON"}"#, Some("ON"));
        check("{{value_json['a b'].c[1]}}", r#"{"a b":{"c":[1,2.5]}}"#, Some("2.5"));
        check("{{ value_json[\"x\"] | float }}", r#"{"x":"42"}"#, Some("42.0"));
        check("{{ value_json.t | round(1) }}", r#"{"t":20.649}"#, Some("20.6"));
        check("{{ value_json.t | round }}", r#"{"t":20.649}"#, Some("21.0"));
        check("{{ value | int }}", "7.9", Some("7"));
        check("{{ (value | float(0) * 2 + 1) | int }}", "x", Some("1"));
        check("{{ 'open' if value_json.v else 'shut' }}", r#"{"v":true}"#, Some("open"));
        check("{{ 'ON' if value == '1' else 'OFF' }}", "1", Some("ON"));
        check(
            "{% if value_json.p > 5 %}high{% elif value_json.p > 1 %}mid{% else %}low{% endif %}",
            r#"{"p":3}"#,
            Some("mid"),
        );
        check("{{ value_json.x | default('none') }}", "{}", Some("none"));
        check("{{ value_json.x is defined }}", "{}", Some("False"));
        check("{{ value_json.on }}", r#"{"on":true}"#, Some("True"));
        check("{{ value_json.gone }}", "{}", None);
        check("{{ value_json.a }}", "no json", None);
        check("{{ value in ['a', 'b'] and not value == 'b' }}", "a", Some("True"));
        check("{{ value | upper ~ '!' }}", "a", Some("A!"));
        check("{{ 7 // 2 }} {{ 7 % 2 }} {{ -3 | abs }}", "", Some("3 1 3"));
        check("{{ (value | from_json).x }}", r#"{"x":1}"#, Some("1"));
        check("{{ value_json | tojson }}", r#"{"x":1}"#, Some(r#"{"x":1}"#));
        check("{{ iif(value == 'a', 1, 2) }}", "a", Some("1"));
        check("{{ value_json.get('x') }}", r#"{"x":1}"#, Some("1"));
        check("plain", "x", Some("plain"));
        check("{# a remark #}{{ value }}", "x", Some("x"));
        check("{{- value -}}", "x", Some("x"));
        check("{{ 1 / 0 }}", "x", None);
    }

    #[test]
    fn a_command_is_made_of_a_value() {
        let template = Template::parse(r#"{"level": {{ value | int }}, "on": {{ 'true' if value > 0 else 'false' }}}"#);
        assert_eq!(
            template.expect("a template").command(&json!(40.7)).as_deref(),
            Some(r#"{"level": 40, "on": true}"#)
        );
    }

    #[test]
    fn what_is_more_than_that_is_refused() {
        let check = |template: &str| assert!(Template::parse(template).is_err(), "{template}");
        check("{% for x in range(999999999) %}a{% endfor %}");
        check("{{ states('sensor.x') }}");
        check("{{ value.__class__ }}");
        check("{{ value | nonsense }}");
        check("{% set x = 1 %}");
        check("{{ value");
        check("{% if value %}");
        check("{{ 'a }}");
        check("{{ 1 + }}");
        check(&format!("{{{{ {}1{} }}}}", "(".repeat(1_500), ")".repeat(1_500)));
        check(&format!("{{{{ {}1 }}}}", "not ".repeat(900)));
        check(&"x".repeat(5_000));
    }

    #[test]
    fn a_bomb_stays_small() {
        // Texts are not multiplied, and what is joined is cut off where it becomes too long.
        assert_eq!(Template::parse("{{ 'x' * 1000000000 }}").expect("a template").value("1"), None);
        let joined = format!("{{{{ value{} }}}}", " ~ value".repeat(100));
        let made = Template::parse(&joined).expect("a template").value(&"x".repeat(10_000));
        assert_eq!(made, None);
        assert_eq!(Template::parse("{{ 9e300 * 9e300 }}").expect("a template").value("1"), None);
    }
}
