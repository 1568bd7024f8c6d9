//! The schema of a colour, from which the window makes a form.

use serde_json::{Map, Value, json};
use wilco_dialect::ColourNotation;

/// Regular expressions (ECMA-262) of the parts of a colour.
const HEX: &str = "[0-9A-Fa-f]{6}([0-9A-Fa-f]{2}){0,2}";
const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})";
const DEGREES: &str = r"(360(\.0+)?|(3[0-5][0-9]|[12]?[0-9]{1,2})(\.[0-9]+)?)";
const PERCENT: &str = r"(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)";
const UNIT: &str = r"(1(\.0+)?|0(\.[0-9]+)?)";

/// The schema: `"format": "color"`, the notation's name, and what a colour in that notation is.
pub(super) fn schema(notation: ColourNotation) -> Value {
    const RGB: &str = "Red, green and blue, each from 0 to 255";
    const HSB: &str = "Hue from 0 to 360, saturation and brightness from 0 to 100";
    const HS: &str = "Hue from 0 to 360 and saturation from 0 to 100";
    const XY: &str = "CIE 1931 x and y, each from 0 to 1";
    let (what, example, kind) = match notation {
        // White channels may follow.
        ColourNotation::Hex => ("Red, green and blue as hexadecimal digits", "FF8000", text("#?", &[HEX])),
        ColourNotation::Rgb => (RGB, "255,128,0", text("", &[BYTE, BYTE, BYTE])),
        ColourNotation::NamedRgb => (RGB, "rgb,255,128,0", text("rgb,", &[BYTE, BYTE, BYTE])),
        ColourNotation::Hsb => (HSB, "30,100,100", text("", &[DEGREES, PERCENT, PERCENT])),
        ColourNotation::NamedHsv => (HSB, "hsv,30,100,100", text("hsv,", &[DEGREES, PERCENT, PERCENT])),
        ColourNotation::Hs => (HS, "30,100", text("", &[DEGREES, PERCENT])),
        ColourNotation::Xy => (XY, "0.543,0.407", text("", &[UNIT, UNIT])),
        ColourNotation::NamedXyz => (XY, "xyz,0.543,0.407", text("xyz,", &[UNIT, UNIT])),
        ColourNotation::XyObject => (XY, "0.543,0.407", object(&[("x", 1), ("y", 1)])),
        ColourNotation::HsObject => (HS, "30,100", object(&[("hue", 360), ("saturation", 100)])),
        ColourNotation::ShortHsObject => (HS, "30,100", object(&[("h", 360), ("s", 100)])),
        ColourNotation::RgbObject => (RGB, "255,128,0", object(&[("r", 255), ("g", 255), ("b", 255)])),
        ColourNotation::LongRgbObject => (RGB, "255,128,0", object(&[("red", 255), ("green", 255), ("blue", 255)])),
        ColourNotation::RgbList => (RGB, "255,128,0", list(3, 255)),
    };
    let mut schema = kind;
    schema.insert("title".to_owned(), "Colour".into());
    schema.insert("description".to_owned(), format!("{what}: {example}").into());
    schema.insert("format".to_owned(), "color".into());
    schema.insert("notation".to_owned(), notation.name().into());
    Value::Object(schema)
}

/// A text of these parts with commas between them.
fn text(before: &str, parts: &[&str]) -> Map<String, Value> {
    let pattern = format!("^{before}{}$", parts.join(","));
    Map::from_iter([("type".to_owned(), "string".into()), ("pattern".to_owned(), pattern.into())])
}

/// So many whole numbers from 0 to a limit.
fn list(count: u8, most: u16) -> Map<String, Value> {
    let item = json!({"type": "integer", "minimum": 0, "maximum": most});
    Map::from_iter([
        ("type".to_owned(), "array".into()),
        ("items".to_owned(), item),
        ("minItems".to_owned(), count.into()),
        ("maxItems".to_owned(), count.into()),
    ])
}

/// Numbers from 0 to a limit, by name.
fn object(members: &[(&str, u16)]) -> Map<String, Value> {
    let number = |most: u16| json!({"type": "number", "minimum": 0, "maximum": most});
    let properties: Map<_, _> = members.iter().map(|(name, most)| ((*name).to_owned(), number(*most))).collect();
    Map::from_iter([
        ("type".to_owned(), "object".into()),
        ("properties".to_owned(), properties.into()),
        ("required".to_owned(), members.iter().map(|(name, _)| *name).collect()),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wilco_dialect::ColourNotation;

    use super::{BYTE, schema};

    #[test]
    fn a_colour_has_the_form_of_its_notation() {
        let rgb = json!({
            "type": "string", "format": "color", "notation": "named rgb", "title": "Colour",
            "description": "Red, green and blue, each from 0 to 255: rgb,255,128,0",
            "pattern": format!("^rgb,{BYTE},{BYTE},{BYTE}$"),
        });
        assert_eq!(schema(ColourNotation::NamedRgb), rgb);
        let member = |most: u16| json!({"type": "number", "minimum": 0, "maximum": most});
        let hs = json!({
            "type": "object", "format": "color", "notation": "hs object", "title": "Colour",
            "description": "Hue from 0 to 360 and saturation from 0 to 100: 30,100",
            "properties": {"hue": member(360), "saturation": member(100)}, "required": ["hue", "saturation"],
        });
        assert_eq!(schema(ColourNotation::HsObject), hs);
        let list = json!({
            "type": "array", "format": "color", "notation": "rgb list", "title": "Colour",
            "description": "Red, green and blue, each from 0 to 255: 255,128,0",
            "items": {"type": "integer", "minimum": 0, "maximum": 255}, "minItems": 3, "maxItems": 3,
        });
        assert_eq!(schema(ColourNotation::RgbList), list);
    }
}
