//! The formats in which firmware expects colours. Forms convert between them; this module does not.

/// The colour format of a device. Red, green and blue are 0 … 255, hue is 0 … 360 degrees, saturation and brightness
/// are 0 … 100 %, and `x` and `y` are those of CIE 1931, 0 … 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColourNotation {
    /// `FF8000`: red, green and blue as hexadecimal digits.
    Hex,
    /// `255,128,0`: red, green and blue.
    Rgb,
    /// `30,100,100`: hue, saturation and brightness.
    Hsb,
    /// `30,100`: hue and saturation.
    Hs,
    /// `0.543,0.407`: `x` and `y`.
    Xy,
    /// `rgb,255,128,0`.
    NamedRgb,
    /// `hsv,30,100,100`.
    NamedHsv,
    /// `xyz,0.543,0.407`: `x` and `y`, from which `z` follows.
    NamedXyz,
    /// `{"x":0.543,"y":0.407}`.
    XyObject,
    /// `{"hue":30,"saturation":100}`.
    HsObject,
    /// `{"h":30,"s":100}`.
    ShortHsObject,
    /// `{"r":255,"g":128,"b":0}`.
    RgbObject,
    /// `{"red":255,"green":128,"blue":0}`.
    LongRgbObject,
    /// `[255,128,0]`.
    RgbList,
}

impl ColourNotation {
    /// Its name in the schema of a form: the value of `notation` beside `"format": "color"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ColourNotation::Hex => "hex",
            ColourNotation::Rgb => "rgb",
            ColourNotation::Hsb => "hsb",
            ColourNotation::Hs => "hs",
            ColourNotation::Xy => "xy",
            ColourNotation::NamedRgb => "named rgb",
            ColourNotation::NamedHsv => "named hsv",
            ColourNotation::NamedXyz => "named xyz",
            ColourNotation::XyObject => "xy object",
            ColourNotation::HsObject => "hs object",
            ColourNotation::ShortHsObject => "short hs object",
            ColourNotation::RgbObject => "rgb object",
            ColourNotation::LongRgbObject => "long rgb object",
            ColourNotation::RgbList => "rgb list",
        }
    }
}
