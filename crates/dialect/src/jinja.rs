//! The subset of Jinja that device announcements use: `{{ value_json.temperature | round(1) }}` and the like.
//!
//! It has no loops, no macros, no attributes of objects and nothing that makes a text longer than its parts. Template,
//! depth and output are bounded, so whatever a device sends, evaluating it costs little. [`Template::parse`] refuses a
//! template that needs more; its values are then shown unchanged and compared with nothing.

mod eval;
mod parse;

use wilco_ledger::grouped;

use crate::json::ExactValue;

/// The longest template, bytes.
const LONGEST: usize = 4 * 1024;
/// The longest payload that a template is tried on, bytes.
pub(crate) const LONGEST_PAYLOAD: usize = 128 * 1024;
/// The longest result, bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// A template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
    reads_json: bool,
}

/// The reason why a template is not used, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The template is not valid: {0}.")]
pub struct Unusable(String);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(Box<str>),
    Value(Expression),
    /// The conditions with their parts; the last one has no condition for `else`.
    Choice(Vec<(Option<Expression>, Vec<Part>)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Constant(ExactValue),
    Name(Box<str>),
    Member(Box<Expression>, Box<Expression>),
    Filter(Box<Expression>, Filter, Vec<Expression>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Two(Box<Expression>, Operator, Box<Expression>),
    Is(Box<Expression>, Kind, bool),
    Choice(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    List(Vec<Expression>),
    /// A slice of a text or a list.
    Slice(Box<Expression>, Option<Box<Expression>>, Option<Box<Expression>>),
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
    Format,
}

/// The parts of a colour that a template may name, each with its place in `255,128,0`, `30,100` or `0.543,0.407`.
const PARTS: [(&str, usize); 7] = [("red", 0), ("green", 1), ("blue", 2), ("hue", 0), ("sat", 1), ("x", 0), ("y", 1)];

/// Other values of a light that a template may ask for. Only one value is set at a time, so these are undefined.
const UNSET: [&str; 8] =
    ["brightness", "color_temp", "color_temp_kelvin", "effect", "flash", "transition", "white_value", "white"];

impl Template {
    /// Parses a template.
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
        let reads_json = text.contains("value_json") || text.contains("from_json");
        parse::template(text).map(|parts| Template { parts, reads_json }).map_err(Unusable)
    }

    /// Whether it takes its value from a payload that is JSON.
    pub(crate) fn reads_json(&self) -> bool {
        self.reads_json
    }

    /// The value for a payload. `None` if there is none.
    #[must_use]
    pub fn value(&self, payload: &str) -> Option<String> {
        let is_short = payload.len() <= LONGEST_PAYLOAD;
        let json = if is_short && self.reads_json { ExactValue::parse(payload).ok() } else { None };
        self.value_in(payload, json.as_ref())
    }

    /// The value of a payload that has been read already, if it is JSON.
    pub(crate) fn value_in(&self, payload: &str, json: Option<&ExactValue>) -> Option<String> {
        if payload.len() > LONGEST_PAYLOAD {
            return None;
        }
        self.render(&ExactValue::from(payload), json)
    }

    /// The result for a value to send. Digits change only if the template computes with them.
    #[must_use]
    pub fn command(&self, value: &ExactValue) -> Option<String> {
        self.render(value, None)
    }

    fn render(&self, value: &ExactValue, json: Option<&ExactValue>) -> Option<String> {
        let mut text = String::new();
        let scope = eval::Scope { value, json };
        eval::write(&self.parts, &scope, &mut text).then(|| text.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Template;
    use crate::json::ExactValue;

    #[test]
    fn announced_templates_are_evaluated() {
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
        check("{{ value[0:2] | int(base=16) }},{{ value[-4:-2] | int(0, 16) }}", "ff8000", Some("255,128"));
        check("{{ value[2:] }}{{ value[:2] }}{{ value[1:9] }}", "äöü", Some("üäööü"));
        check("{{ value_json.l[1:] | tojson }}", r#"{"l":[1,2.50,3]}"#, Some("[2.50,3]"));
        check("{{ value | int(base=16) }}", "no", None);
        let formatted = "{{ '%02x %3d %-3s| %.1f %5.2f %% %X' | format(7, 7.9, value, 1, 2.345, 255) }}";
        check(formatted, "a", Some("07   7 a  | 1.0  2.35 % FF"));
        check("{{ '%s' | format(value_json.t) }}", r#"{"t":1.50}"#, Some("1.50"));
        check("{{ '%d' | format }}", "a", None);
        check("{{ '%q' | format(1) }}", "a", None);
        check("{{ '%99d' | format(1) }}", "a", None);
        check("{{ red }}", "1,2", Some("1"));
        check("{{ value }}{% if brightness is defined %}!{% endif %}{{ transition | d }}", "on", Some("on"));
        check("{{ brightness }}", "on", None);
        check("plain", "x", Some("plain"));
        check("{# a remark #}{{ value }}", "x", Some("x"));
        check("{{- value -}}", "x", Some("x"));
        check("{{ 1 / 0 }}", "x", None);
    }

    #[test]
    fn a_command_is_made_of_a_value() {
        let template = Template::parse(r#"{"level": {{ value | int }}, "on": {{ 'true' if value > 0 else 'false' }}}"#);
        assert_eq!(
            template.expect("a template").command(&ExactValue::parse("40.7").expect("JSON")).as_deref(),
            Some(r#"{"level": 40, "on": true}"#)
        );
    }

    #[test]
    fn a_template_names_the_parts_of_a_colour() {
        let check = |template: &str, colour: &str, expected: Option<&str>| {
            let made = Template::parse(template).expect("a template").command(&ExactValue::from(colour));
            assert_eq!(made.as_deref(), expected, "{template} {colour}");
        };
        // Of OpenBK.
        check("{{'#%02x%02x%02x0000'|format(red,green,blue)}}", "255,128,0", Some("#ff80000000"));
        check("{{ red }};{{ green }};{{ blue }}", "255,128,0", Some("255;128;0"));
        check("{{ hue }},{{ sat }}", "30,100", Some("30,100"));
        check("{{ x }},{{ y }}", "0.5430,0.407", Some("0.5430,0.407"));
        check("{{ blue }}", "30,100", None);
        check("{{ red }}", "orange", None);
    }

    #[test]
    fn digits_change_only_where_a_template_computes_with_them() {
        let check = |template: &str, value: &str, expected: &str| {
            let template = Template::parse(template).expect("a template");
            let sent = template.command(&ExactValue::parse(value).expect("JSON"));
            assert_eq!(sent.as_deref(), Some(expected), "{value}");
            let reported = template.value(value);
            assert_eq!(reported.as_deref(), Some(expected), "{value} as text");
        };
        for number in ["1e10", "1.50", "-0.0", "9007199254740993", "123456789012345678901234567890", "1e400"] {
            check("{{ value }}", number, number);
            check(r#"{"v": {{ value }}}"#, number, &format!(r#"{{"v": {number}}}"#));
        }
        check("{{ value | int }}", "9007199254740993", "9007199254740993");
        check("{{ value | int }}", "-123456789012345678901234567890", "-123456789012345678901234567890");
        check("{{ value | int }}", "1e20", "100000000000000000000");
        check("{{ value | int }}", "-7.9", "-7");
        check("{{ value | int + 1 }}", "9007199254740993", "9007199254740994");
        check("{{ value | int - 1 }}", "-9007199254740993", "-9007199254740994");
        check("{{ (value | int) * 10 }}", "9007199254740993", "90071992547409930");
        check("{{ (value | int) // 2 }}", "-9007199254740993", "-4503599627370497");
        check("{{ (value | int) % 10 }}", "-9007199254740993", "7");
        check("{{ value | int | abs }}", "-9007199254740993", "9007199254740993");
        check("{{ -(value | int) }}", "9007199254740993", "-9007199254740993");
        check("{{ (value | int) == 9007199254740992 }}", "9007199254740993", "False");
        check("{{ (value | int) > 9007199254740992 }}", "9007199254740993", "True");
        check("{{ value | float == 1.5 }}", "1.50", "True");
        let reported = |template: &str, payload: &str| Template::parse(template).expect("a template").value(payload);
        let payload = r#"{"n":123456789012345678901234567890,"l":[1.50,1e10],"t":20.649}"#;
        assert_eq!(reported("{{ value_json.n }}", payload).as_deref(), Some("123456789012345678901234567890"));
        assert_eq!(reported("{{ value_json | tojson }}", payload).as_deref(), Some(payload));
        assert_eq!(reported("{{ value_json.l[0] }} {{ value_json.l[1] }}", payload).as_deref(), Some("1.50 1e10"));
        assert_eq!(reported("{{ value_json.t | round(1) }}", payload).as_deref(), Some("20.6"));
    }

    #[test]
    fn input_beyond_the_limit_is_refused() {
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
