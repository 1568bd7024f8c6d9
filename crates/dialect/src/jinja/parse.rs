//! Parses a template.

use super::{Expression, Filter, Kind, Operator, PARTS, Part, UNSET};
use crate::json::ExactValue;

const DEEPEST: usize = 24;
const MOST_TOKENS: usize = 1_000;

pub(super) fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut pieces = pieces(text)?.into_iter().peekable();
    let parts = block(&mut pieces, 0)?;
    match pieces.next() {
        None => Ok(parts),
        Some(_) => Err("a block ends but does not begin".to_owned()),
    }
}

/// A stretch of a template.
enum Piece<'t> {
    Text(&'t str),
    Value(&'t str),
    Statement(&'t str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim = false;
    while !rest.is_empty() {
        let begin = ["{{", "{%", "{#"].iter().filter_map(|mark| rest.find(mark)).min();
        let (plain, after) = rest.split_at(begin.unwrap_or(rest.len()));
        let closes_trimmed = after.get(2..3) == Some("-");
        let plain = if trim { plain.trim_start() } else { plain };
        let plain = if closes_trimmed { plain.trim_end() } else { plain };
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        let Some(mark) = after.get(..2) else { break };
        let close = match mark {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        let end = after.find(close).ok_or_else(|| format!("'{mark}' is not closed"))?;
        let inside = after.get(2..end).unwrap_or_default();
        trim = inside.ends_with('-');
        let inside = inside.strip_prefix('-').unwrap_or(inside);
        let inside = inside.strip_suffix('-').unwrap_or(inside).trim();
        match mark {
            "{{" => pieces.push(Piece::Value(inside)),
            "{%" => pieces.push(Piece::Statement(inside)),
            _ => {}
        }
        rest = &after[end + 2..];
    }
    Ok(pieces)
}

type Pieces<'t> = std::iter::Peekable<std::vec::IntoIter<Piece<'t>>>;

fn block(pieces: &mut Pieces<'_>, depth: usize) -> Result<Vec<Part>, String> {
    if depth > DEEPEST {
        return Err("its blocks are nested too deeply".to_owned());
    }
    let mut parts = Vec::new();
    while let Some(piece) = pieces.peek() {
        match piece {
            Piece::Text(text) => parts.push(Part::Text((*text).into())),
            Piece::Value(text) => parts.push(Part::Value(expression(text)?)),
            Piece::Statement(statement) => match statement.split_once(char::is_whitespace) {
                Some(("if", condition)) => {
                    let condition = expression(condition)?;
                    pieces.next();
                    parts.push(choice(condition, pieces, depth)?);
                    continue;
                }
                Some(("elif", _)) => return Ok(parts),
                None if matches!(*statement, "else" | "endif") => return Ok(parts),
                _ => {
                    let word = statement.split_whitespace().next().unwrap_or_default();
                    return Err(format!("'{word}' is not supported"));
                }
            },
        }
        pieces.next();
    }
    Ok(parts)
}

fn choice(condition: Expression, pieces: &mut Pieces<'_>, depth: usize) -> Result<Part, String> {
    let mut branches = vec![(Some(condition), block(pieces, depth + 1)?)];
    loop {
        let Some(Piece::Statement(statement)) = pieces.next() else { return Err("'if' has no 'endif'".to_owned()) };
        match statement.split_once(char::is_whitespace) {
            Some(("elif", condition)) => {
                let condition = expression(condition)?;
                branches.push((Some(condition), block(pieces, depth + 1)?));
            }
            _ if statement == "else" => branches.push((None, block(pieces, depth + 1)?)),
            _ => return Ok(Part::Choice(branches)),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'t> {
    Name(&'t str),
    Constant(ExactValue),
    Sign(&'t str),
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    const SIGNS: [&str; 24] = [
        "==", "!=", "<=", ">=", "//", "<", ">", "+", "-", "*", "/", "%", "~", "|", "(", ")", "[", "]", ",", ".", "=",
        "{", "}", ":",
    ];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if tokens.len() > MOST_TOKENS {
            return Err("it is too long".to_owned());
        }
        let length;
        if first.is_ascii_digit() {
            length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
            let number = ExactValue::parse(&rest[..length]).ok().filter(|number| number.as_f64().is_some());
            tokens.push(Token::Constant(number.ok_or_else(|| format!("{} is not a number", &rest[..length]))?));
        } else if first.is_alphabetic() || first == '_' {
            length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(match &rest[..length] {
                "true" | "True" => Token::Constant(ExactValue::Bool(true)),
                "false" | "False" => Token::Constant(ExactValue::Bool(false)),
                "none" | "None" => Token::Constant(ExactValue::Null),
                name => Token::Name(name),
            });
        } else if matches!(first, '\'' | '"') {
            let (text, end) = string(rest, first)?;
            length = end;
            tokens.push(Token::Constant(ExactValue::String(text)));
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| format!("'{first}' is not supported"))?;
            length = sign.len();
            tokens.push(Token::Sign(sign));
        }
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn string(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut read = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            'n' if escaped => read.push('\n'),
            't' if escaped => read.push('\t'),
            _ if escaped => read.push(c),
            '\\' => {
                escaped = true;
                continue;
            }
            _ if c == quote => return Ok((read, at + 1)),
            _ => read.push(c),
        }
        escaped = false;
    }
    Err("a string has no closing quote".to_owned())
}

fn expression(text: &str) -> Result<Expression, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let parsed = parser.choice()?;
    match parser.tokens.get(parser.at) {
        None => Ok(parsed),
        Some(token) => Err(format!("unexpected {}", shown(token))),
    }
}

fn shown(token: &Token<'_>) -> String {
    match token {
        Token::Name(name) => format!("'{name}'"),
        Token::Sign(sign) => format!("'{sign}'"),
        Token::Constant(value) => value.to_string(),
    }
}

struct Parser<'p, 't> {
    tokens: &'p [Token<'t>],
    at: usize,
    depth: usize,
}

impl<'p, 't> Parser<'p, 't> {
    fn peek(&self) -> Option<&'p Token<'t>> {
        self.tokens.get(self.at)
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let takes = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(takes);
        takes
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let takes = matches!(self.peek(), Some(Token::Name(found)) if *found == name);
        self.at += usize::from(takes);
        takes
    }

    fn wants(&mut self, sign: &str) -> Result<(), String> {
        if self.takes_sign(sign) { Ok(()) } else { Err(format!("'{sign}' is missing")) }
    }

    fn choice(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        let mut parsed = self.two(0)?;
        if self.takes_name("if") {
            let condition = self.two(0)?;
            let otherwise = if self.takes_name("else") { Some(Box::new(self.choice()?)) } else { None };
            parsed = Expression::Choice(Box::new(condition), Box::new(parsed), otherwise);
        }
        self.depth -= 1;
        Ok(parsed)
    }

    /// Parses binary operators, from the lowest precedence on.
    fn two(&mut self, level: usize) -> Result<Expression, String> {
        const LEVELS: usize = 7;
        if level == LEVELS {
            return self.unary();
        }
        if level == 2 && self.takes_name("not") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("it is nested too deeply".to_owned());
            }
            let negated = self.two(2)?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(negated)));
        }
        let mut left = self.two(level + 1)?;
        let mut steps = 0;
        loop {
            steps += 1;
            if steps > 128 {
                return Err("it is too long".to_owned());
            }
            if level == 3 && self.takes_name("is") {
                left = self.kind(left)?;
                continue;
            }
            let Some(operator) = self.operator(level) else { return Ok(left) };
            let right = self.two(level + 1)?;
            left = Expression::Two(Box::new(left), operator, Box::new(right));
        }
    }

    fn kind(&mut self, left: Expression) -> Result<Expression, String> {
        let positive = !self.takes_name("not");
        let kind = match self.peek() {
            Some(Token::Name("defined")) => Kind::Defined,
            Some(Token::Constant(ExactValue::Null)) => Kind::None,
            Some(Token::Name("number")) => Kind::Number,
            Some(Token::Name("string")) => Kind::String,
            _ => return Err("this test is not supported".to_owned()),
        };
        self.at += 1;
        Ok(Expression::Is(Box::new(left), kind, positive))
    }

    fn operator(&mut self, level: usize) -> Option<Operator> {
        let operator = match (level, self.peek()?) {
            (0, Token::Name("or")) => Operator::Or,
            (1, Token::Name("and")) => Operator::And,
            (3, Token::Sign("==")) => Operator::Equal,
            (3, Token::Sign("!=")) => Operator::Unequal,
            (3, Token::Sign("<")) => Operator::Less,
            (3, Token::Sign("<=")) => Operator::LessOrEqual,
            (3, Token::Sign(">")) => Operator::Greater,
            (3, Token::Sign(">=")) => Operator::GreaterOrEqual,
            (3, Token::Name("in")) => Operator::In,
            (3, Token::Name("not")) if self.tokens.get(self.at + 1) == Some(&Token::Name("in")) => {
                self.at += 1;
                Operator::NotIn
            }
            (4, Token::Sign("~")) => Operator::Join,
            (5, Token::Sign("+")) => Operator::Add,
            (5, Token::Sign("-")) => Operator::Subtract,
            (6, Token::Sign("*")) => Operator::Multiply,
            (6, Token::Sign("/")) => Operator::Divide,
            (6, Token::Sign("//")) => Operator::Whole,
            (6, Token::Sign("%")) => Operator::Remainder,
            _ => return None,
        };
        self.at += 1;
        Some(operator)
    }

    fn unary(&mut self) -> Result<Expression, String> {
        if self.takes_sign("-") {
            let value = self.primary()?;
            let negative = Expression::Negative(Box::new(value));
            return self.behind(negative);
        }
        let value = self.primary()?;
        self.behind(value)
    }

    fn primary(&mut self) -> Result<Expression, String> {
        let token = self.peek().ok_or("it ends too early")?;
        self.at += 1;
        match token {
            Token::Constant(value) => Ok(Expression::Constant(value.clone())),
            Token::Sign("(") => {
                let inside = self.choice()?;
                self.wants(")")?;
                Ok(inside)
            }
            Token::Sign("[") => Ok(Expression::List(self.list("]")?)),
            Token::Name("iif") if self.takes_sign("(") => {
                let mut arguments = self.list(")")?;
                if arguments.is_empty() {
                    return Err("iif() has no arguments".to_owned());
                }
                let condition = arguments.remove(0);
                Ok(Expression::Filter(Box::new(condition), Filter::Iif, arguments))
            }
            Token::Name(name @ ("float" | "int")) if self.takes_sign("(") => {
                let mut arguments = self.list(")")?;
                if arguments.is_empty() {
                    return Err(format!("{name}() has no arguments"));
                }
                let value = arguments.remove(0);
                let filter = if *name == "int" { Filter::Int } else { Filter::Float };
                Ok(Expression::Filter(Box::new(value), filter, arguments))
            }
            Token::Name(name @ ("value" | "value_json")) => Ok(Expression::Name((*name).into())),
            Token::Name(name) if PARTS.iter().any(|(part, _)| part == name) || UNSET.contains(name) => {
                Ok(Expression::Name((*name).into()))
            }
            other => Err(format!("{} is not supported", shown(other))),
        }
    }

    /// Parses members and filters after a value.
    fn behind(&mut self, value: Expression) -> Result<Expression, String> {
        let mut value = value;
        for _ in 0..64 {
            if self.takes_sign(".") {
                let Some(Token::Name(name)) = self.peek() else { return Err("a name is missing after '.'".to_owned()) };
                self.at += 1;
                if name.starts_with('_') {
                    return Err(format!("'{name}' is not supported"));
                }
                if self.takes_sign("(") {
                    value = self.method(value, name)?;
                    continue;
                }
                value = Expression::Member(Box::new(value), Box::new(Expression::Constant(ExactValue::from(*name))));
            } else if self.takes_sign("[") {
                value = self.inside(value)?;
            } else if self.takes_sign("|") {
                let Some(Token::Name(name)) = self.peek() else { return Err("a filter has no name".to_owned()) };
                self.at += 1;
                let filter = filter(name)?;
                let arguments = if self.takes_sign("(") { self.list(")")? } else { Vec::new() };
                if let Some(filter) = filter {
                    value = Expression::Filter(Box::new(value), filter, arguments);
                }
            } else {
                return Ok(value);
            }
        }
        Err("it is too long".to_owned())
    }

    /// Parses a subscript: a key, or the bounds of a slice.
    fn inside(&mut self, value: Expression) -> Result<Expression, String> {
        let from = if matches!(self.peek(), Some(Token::Sign(":"))) { None } else { Some(Box::new(self.choice()?)) };
        if !self.takes_sign(":") {
            self.wants("]")?;
            let key = from.ok_or("a key is missing")?;
            return Ok(Expression::Member(Box::new(value), key));
        }
        let to = if matches!(self.peek(), Some(Token::Sign("]"))) { None } else { Some(Box::new(self.choice()?)) };
        self.wants("]")?;
        Ok(Expression::Slice(Box::new(value), from, to))
    }

    fn method(&mut self, value: Expression, name: &str) -> Result<Expression, String> {
        let mut arguments = self.list(")")?;
        let filter = match name {
            "get" if !arguments.is_empty() => {
                let key = arguments.remove(0);
                let member = Expression::Member(Box::new(value), Box::new(key));
                return Ok(Expression::Filter(Box::new(member), Filter::Default, arguments));
            }
            "lower" => Filter::Lower,
            "upper" => Filter::Upper,
            "strip" => Filter::Trim,
            "replace" => Filter::Replace,
            "title" => Filter::Title,
            _ => return Err(format!("'{name}()' is not supported")),
        };
        Ok(Expression::Filter(Box::new(value), filter, arguments))
    }

    fn list(&mut self, close: &str) -> Result<Vec<Expression>, String> {
        let mut items = Vec::new();
        while !self.takes_sign(close) {
            if let (Some(Token::Name(name)), Some(Token::Sign("="))) = (self.peek(), self.tokens.get(self.at + 1)) {
                self.at += 2;
                // The second argument of `int`, without the first.
                if *name == "base" && items.is_empty() {
                    items.push(Expression::Constant(ExactValue::Null));
                }
            }
            items.push(self.choice()?);
            if !self.takes_sign(",") {
                self.wants(close)?;
                break;
            }
        }
        Ok(items)
    }
}

/// The filter of that name; `None` for one that changes nothing here.
fn filter(name: &str) -> Result<Option<Filter>, String> {
    Ok(Some(match name {
        "float" => Filter::Float,
        "int" => Filter::Int,
        "round" => Filter::Round,
        "lower" => Filter::Lower,
        "upper" => Filter::Upper,
        "trim" => Filter::Trim,
        "default" | "d" => Filter::Default,
        "string" => Filter::String,
        "abs" => Filter::Abs,
        "tojson" | "to_json" => Filter::ToJson,
        "from_json" => Filter::FromJson,
        "iif" => Filter::Iif,
        "replace" => Filter::Replace,
        "length" | "count" => Filter::Length,
        "title" => Filter::Title,
        "capitalize" => Filter::Capitalize,
        "bool" => Filter::Bool,
        "format" => Filter::Format,
        "is_defined" => return Ok(None),
        other => return Err(format!("the filter '{other}' is not supported")),
    }))
}
