//! A document of headings, tables and bars, as one self-contained HTML page or as Markdown.
//!
//! Every text in it may come from a device, so all of it is escaped.

use std::fmt::Write;

/// A document.
pub(super) struct Document {
    pub(super) title: String,
    pub(super) parts: Vec<Part>,
}

/// A part of a document.
pub(super) enum Part {
    Heading(&'static str),
    Text(String),
    /// A user's text, with its line breaks.
    Quote(String),
    Facts(Vec<(&'static str, String)>),
    Table {
        heads: Vec<&'static str>,
        rows: Vec<Vec<String>>,
    },
    Bars(Vec<(String, u32)>),
}

/// A bar's length in Markdown, characters.
const BAR: u32 = 40;

const STYLE: &str = "
:root { color-scheme: light dark; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; font: 14px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { margin-top: 2rem; font-size: 1.1rem; }
table { border-collapse: collapse; }
th, td { padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }
blockquote { margin: 0; padding-left: 1rem; border-left: 3px solid #8888; white-space: pre-wrap; }
.bars td { border: 0; padding-block: 0; white-space: nowrap; } .bars td:nth-child(2) { width: 24rem; }
.bar { height: 0.8rem; background: #2f6feb; }
";

impl Document {
    /// As a page. Its policy forbids scripts and requests, should a text get past the escaping.
    pub(super) fn html(&self) -> String {
        let title = escape_html(&self.title);
        let body: String = self.parts.iter().map(Part::html).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
        )
    }

    pub(super) fn markdown(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(Part::markdown).collect();
        format!("# {}\n\n{}", escape_markdown(&self.title), parts.join("\n"))
    }
}

impl Part {
    fn html(&self) -> String {
        let row = |tag: &str, cells: &[String]| {
            let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape_html(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        };
        match self {
            Part::Heading(text) => format!("<h2>{}</h2>\n", escape_html(text)),
            Part::Text(text) => format!("<p>{}</p>\n", escape_html(text)),
            Part::Quote(text) => {
                let lines: Vec<_> = text.lines().map(escape_html).collect();
                format!("<blockquote>{}</blockquote>\n", lines.join("\n"))
            }
            Part::Facts(facts) => {
                let rows: String = facts
                    .iter()
                    .map(|(label, value)| format!("<tr><th>{label}</th><td>{}</td></tr>\n", escape_html(value)))
                    .collect();
                format!("<table>\n{rows}</table>\n")
            }
            Part::Table { heads, rows } => {
                let heads: Vec<_> = heads.iter().map(|head| (*head).to_owned()).collect();
                let rows: String = rows.iter().map(|cells| row("td", cells)).collect();
                format!("<table>\n<thead>{}</thead>\n<tbody>\n{rows}</tbody>\n</table>\n", row("th", &heads).trim_end())
            }
            Part::Bars(bars) => {
                let longest = longest(bars);
                let rows: String = bars
                    .iter()
                    .map(|(label, count)| {
                        let percent = f64::from(*count) * 100.0 / f64::from(longest);
                        let label = escape_html(label);
                        format!(
                            "<tr><td>{label}</td><td><div class=\"bar\" style=\"width:{percent:.1}%\"></div></td>\
                             <td>{count}</td></tr>\n"
                        )
                    })
                    .collect();
                format!("<table class=\"bars\">\n{rows}</table>\n")
            }
        }
    }

    fn markdown(&self) -> String {
        let row = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let rule = |columns: usize| format!("|{}\n", " --- |".repeat(columns));
        match self {
            Part::Heading(text) => format!("## {text}\n"),
            Part::Text(text) => format!("{}\n", escape_markdown(text)),
            Part::Quote(text) => {
                let lines: Vec<_> = text.lines().map(|line| format!("> {}", escape_markdown(line))).collect();
                format!("{}\n", lines.join("\\\n"))
            }
            Part::Facts(facts) => {
                let rows: String = facts
                    .iter()
                    .map(|(label, value)| row(&mut [(*label).to_owned(), escape_markdown(value)].into_iter()))
                    .collect();
                format!("| | |\n{}{rows}", rule(2))
            }
            Part::Table { heads, rows } => {
                let mut text = row(&mut heads.iter().map(|head| (*head).to_owned()));
                text.push_str(&rule(heads.len()));
                rows.iter().for_each(|cells| text.push_str(&row(&mut cells.iter().map(|cell| escape_markdown(cell)))));
                text
            }
            Part::Bars(bars) => {
                let longest = longest(bars);
                let mut text = format!("| From sent to answered | Answers | |\n{}", rule(3));
                for (label, count) in bars {
                    let length = u64::from(*count) * u64::from(BAR) / u64::from(longest);
                    let bar = "█".repeat(usize::try_from(length).unwrap_or_default().max(1));
                    let _ = writeln!(text, "| {} | {count} | {bar} |", escape_markdown(label));
                }
                text
            }
        }
    }
}

fn longest(bars: &[(String, u32)]) -> u32 {
    bars.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1)
}

/// A text in one line, in which what cannot be seen can be seen.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\r' | '\t' => shown.push(' '),
            // Marks that turn the direction of what follows, and those of no width.
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                shown.extend(char.escape_unicode());
            }
            char if char.is_control() => shown.extend(char.escape_unicode()),
            char => shown.push(char),
        }
    }
    shown
}

fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in visible(text).chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char => escaped.push(char),
        }
    }
    escaped
}

/// In CommonMark, a backslash before punctuation makes it literal.
fn escape_markdown(text: &str) -> String {
    let text = visible(text);
    let mut escaped = String::with_capacity(text.len());
    for (place, char) in text.char_indices() {
        let is_markup = "\\`*_{}[]<>#|~&!$".contains(char);
        let begins_a_list = place == 0 && "-+=".contains(char);
        // An address is no link.
        let is_link = char == ':' && text.get(place..).is_some_and(|rest| rest.starts_with("://"));
        if is_markup || begins_a_list || is_link {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Document, Part, escape_html, escape_markdown};

    #[test]
    fn text_from_a_device_is_never_markup() {
        let check = |text: &str, html: &str, markdown: &str| {
            assert_eq!((escape_html(text).as_str(), escape_markdown(text).as_str()), (html, markdown));
        };
        check("jammed", "jammed", "jammed");
        check("<script>", "&lt;script&gt;", "\\<script\\>");
        check("'\"&", "&#39;&quot;&amp;", "'\"\\&");
        check("a | b", "a | b", "a \\| b");
        check("[x](http://evil)", "[x](http://evil)", "\\[x\\](http\\://evil)");
        check("one\ntwo", "one two", "one two");
        check("- 1", "- 1", "\\- 1");
        check("\u{202e}gpj", "\\u{202e}gpj", "\\\\u\\{202e\\}gpj");
        check("\u{1b}[2J", "\\u{1b}[2J", "\\\\u\\{1b\\}\\[2J");
    }

    #[test]
    fn every_kind_of_part_escapes_its_text() {
        let evil = "</td><img src=x onerror=alert(1)>|`".to_owned();
        let parts = vec![
            Part::Text(evil.clone()),
            Part::Quote(evil.clone()),
            Part::Facts(vec![("State", evil.clone())]),
            Part::Table { heads: vec!["Message"], rows: vec![vec![evil.clone()]] },
            Part::Bars(vec![(evil.clone(), 3)]),
        ];
        let document = Document { title: evil, parts };
        assert!(!document.html().contains("<img"), "{}", document.html());
        assert_eq!(document.html().matches("&lt;img").count(), 7);
        assert_eq!(document.markdown().matches("\\<img").count(), 6);
        assert!(!document.markdown().contains(">|`"), "{}", document.markdown());
    }
}
