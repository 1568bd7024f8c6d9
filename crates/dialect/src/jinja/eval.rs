//! Evaluates a template. `None` is Jinja's *undefined*: a template that writes one produces nothing.

use serde_json::Number;

use super::{Expression, Filter, Kind, LONGEST_TEXT, Operator, PARTS, Part};
use crate::json::ExactValue as Value;

pub(super) struct Scope<'a> {
    pub(super) value: &'a Value,
    pub(super) json: Option<&'a Value>,
}

impl Scope<'_> {
    /// A part of a colour: a number with its original digits.
    fn part(&self, place: usize) -> Option<Value> {
        let part = self.value.as_str().filter(|text| text.contains(','))?.split(',').nth(place)?;
        Value::parse(part).ok().filter(|part| matches!(part, Value::Number(_)))
    }
}

/// Writes the result; returns whether it could.
pub(super) fn write(parts: &[Part], scope: &Scope<'_>, text: &mut String) -> bool {
    parts.iter().all(|part| {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Value(expression) => match expression.of(scope) {
                Some(value) => text.push_str(&shown(&value)),
                None => return false,
            },
            Part::Choice(branches) => {
                let holds = |condition: &Option<Expression>| {
                    condition.as_ref().is_none_or(|condition| is_true(condition.of(scope).as_ref()))
                };
                if let Some((_, parts)) = branches.iter().find(|(condition, _)| holds(condition))
                    && !write(parts, scope, text)
                {
                    return false;
                }
            }
        }
        text.len() <= LONGEST_TEXT
    })
}

/// As Python writes it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => *value,
        Some(value @ Value::Number(_)) => value.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(_) => value.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        _ => None,
    }
}

/// A number with a fraction, `42.0` too; undefined where JSON has no number for it.
fn float(number: f64) -> Option<Value> {
    Number::from_f64(number).map(|number| Value::Number(number.to_string().into()))
}

/// A whole number that is written as one: to compute with it without losing digits.
fn whole(value: &Value) -> Option<i128> {
    let Value::Number(text) = value else { return None };
    text.parse().ok()
}

fn is_written_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(number: i128) -> Option<Value> {
    Some(Value::Number(number.to_string().into()))
}

/// As a whole number, without the fraction. The digits of one that is written as a whole number stay.
fn int(value: &Value) -> Option<Value> {
    let text = match value {
        Value::Number(text) => &**text,
        Value::String(text) => text.trim(),
        _ => "",
    };
    if is_written_whole(text) {
        return match text.parse() {
            Ok(whole) => number(whole),
            Err(_) => Some(Value::Number(text.into())),
        };
    }
    // Adding zero makes the negative zero a plain one.
    let cut = number_of(value)?.trunc() + 0.0;
    Some(Value::Number(format!("{cut:.0}").into()))
}

fn short(text: String) -> Option<Value> {
    (text.len() <= LONGEST_TEXT).then_some(Value::String(text))
}

impl Expression {
    fn of(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Expression::Constant(value) => Some(value.clone()),
            Expression::Name(name) => match PARTS.iter().find(|(part, _)| *part == &**name) {
                Some((_, place)) => scope.part(*place),
                None if **name == *"value" => Some(scope.value.clone()),
                None if **name == *"value_json" => scope.json.cloned(),
                None => None,
            },
            Expression::Slice(value, from, to) => {
                let place = |at: &Option<Box<Expression>>| match at {
                    Some(at) => at.of(scope).as_ref().and_then(whole).map(Some),
                    None => Some(None),
                };
                slice(&value.of(scope)?, place(from)?, place(to)?)
            }
            Expression::Member(..) => self.member(scope),
            Expression::Filter(value, filter, arguments) => filtered(value, *filter, arguments, scope),
            Expression::Not(value) => Some(Value::Bool(!is_true(value.of(scope).as_ref()))),
            Expression::Negative(value) => {
                let value = value.of(scope)?;
                match whole(&value) {
                    Some(whole) => number(whole.checked_neg()?),
                    None => float(-number_of(&value)?),
                }
            }
            Expression::Two(left, operator, right) => two(left, *operator, right, scope),
            Expression::Is(value, kind, positive) => {
                let value = value.of(scope);
                let is = match kind {
                    Kind::Defined => value.is_some(),
                    Kind::None => value == Some(Value::Null),
                    Kind::Number => matches!(value, Some(Value::Number(_))),
                    Kind::String => matches!(value, Some(Value::String(_))),
                };
                Some(Value::Bool(is == *positive))
            }
            Expression::Choice(condition, value, otherwise) => {
                if is_true(condition.of(scope).as_ref()) {
                    return value.of(scope);
                }
                otherwise.as_ref().map_or_else(|| Some(Value::from("")), |otherwise| otherwise.of(scope))
            }
            Expression::List(items) => items.iter().map(|item| item.of(scope)).collect::<Option<_>>().map(Value::Array),
        }
    }

    /// On a path of members, the value is copied only at the end, because `value_json` may be large.
    fn member(&self, scope: &Scope<'_>) -> Option<Value> {
        let mut keys = Vec::new();
        let mut root = self;
        while let Expression::Member(value, key) = root {
            keys.push(key.of(scope)?);
            root = value;
        }
        let owned;
        let mut found = match root {
            Expression::Name(name) if **name == *"value" => scope.value,
            Expression::Name(name) if **name == *"value_json" => scope.json?,
            other => {
                owned = other.of(scope)?;
                &owned
            }
        };
        for key in keys.iter().rev() {
            found = match (found, key) {
                (Value::Array(items), Value::Number(index)) => items.get(index.parse::<usize>().ok()?)?,
                (Value::Object(_), key) => found.get(key.as_str()?)?,
                _ => return None,
            };
        }
        Some(found.clone())
    }
}

fn two(left: &Expression, operator: Operator, right: &Expression, scope: &Scope<'_>) -> Option<Value> {
    let left = left.of(scope);
    match operator {
        Operator::Or => return if is_true(left.as_ref()) { left } else { right.of(scope) },
        Operator::And => return if is_true(left.as_ref()) { right.of(scope) } else { left },
        _ => {}
    }
    let right = right.of(scope);
    match operator {
        Operator::Equal => return Some(Value::Bool(same(left.as_ref(), right.as_ref()))),
        Operator::Unequal => return Some(Value::Bool(!same(left.as_ref(), right.as_ref()))),
        _ => {}
    }
    let (left, right) = (left?, right?);
    let numbers = || Some((left.as_f64()?, right.as_f64()?));
    let computed = |of_whole: fn(i128, i128) -> Option<i128>, of_others: fn(f64, f64) -> f64| match whole(&left)
        .zip(whole(&right))
    {
        Some((left, right)) => of_whole(left, right).and_then(number),
        None => numbers().and_then(|(left, right)| float(of_others(left, right))),
    };
    match operator {
        Operator::In | Operator::NotIn => {
            let is = match &right {
                Value::Array(items) => items.iter().any(|item| same(Some(item), Some(&left))),
                Value::String(text) => text.contains(left.as_str()?),
                Value::Object(_) => right.get(left.as_str()?).is_some(),
                _ => return None,
            };
            Some(Value::Bool(is == (operator == Operator::In)))
        }
        Operator::Join => short(format!("{}{}", shown(&left), shown(&right))),
        Operator::Add if left.as_str().is_some() && right.as_str().is_some() => {
            short(format!("{}{}", shown(&left), shown(&right)))
        }
        Operator::Add => computed(i128::checked_add, |left, right| left + right),
        Operator::Subtract => computed(i128::checked_sub, |left, right| left - right),
        Operator::Multiply => computed(i128::checked_mul, |left, right| left * right),
        Operator::Divide => numbers().and_then(|(left, right)| float(left / right)),
        // As Python rounds: down, and the remainder has the sign of the divisor.
        Operator::Whole => computed(
            |left, by| {
                let quotient = left.checked_div(by)?;
                Some(if left % by != 0 && (left < 0) != (by < 0) { quotient - 1 } else { quotient })
            },
            |left, by| (left / by).floor(),
        ),
        Operator::Remainder => computed(
            |left, by| {
                let rest = left.checked_rem(by)?;
                Some(if rest != 0 && (rest < 0) != (by < 0) { rest + by } else { rest })
            },
            |left, by| left - by * (left / by).floor(),
        ),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let order = match (&left, &right) {
                (Value::String(left), Value::String(right)) => left.cmp(right),
                _ => match whole(&left).zip(whole(&right)) {
                    Some((left, right)) => left.cmp(&right),
                    None => numbers().and_then(|(left, right)| left.partial_cmp(&right))?,
                },
            };
            Some(Value::Bool(match operator {
                Operator::Less => order.is_lt(),
                Operator::LessOrEqual => order.is_le(),
                Operator::Greater => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        Operator::Or | Operator::And | Operator::Equal | Operator::Unequal => None,
    }
}

fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left @ Value::Number(one)), Some(right @ Value::Number(other))) => {
            // Whole numbers to the last digit, others as doubles.
            let are_whole = is_written_whole(one) && is_written_whole(other);
            one == other || !are_whole && left.as_f64().is_some_and(|left| right.as_f64() == Some(left))
        }
        (left, right) => left == right,
    }
}

fn filtered(value: &Expression, filter: Filter, arguments: &[Expression], scope: &Scope<'_>) -> Option<Value> {
    let value = value.of(scope);
    let argument = |index: usize| arguments.get(index).and_then(|argument| argument.of(scope));
    match filter {
        Filter::Default => {
            return value.filter(|value| *value != Value::Null).or_else(|| Some(argument(0).unwrap_or("".into())));
        }
        Filter::Iif => {
            let holds = is_true(value.as_ref());
            let otherwise = || argument(1).unwrap_or(Value::Bool(false));
            return Some(if holds { argument(0).unwrap_or(Value::Bool(true)) } else { otherwise() });
        }
        Filter::Float => return value.as_ref().and_then(number_of).and_then(float).or_else(|| argument(0)),
        Filter::Int => {
            let read = match argument(1).as_ref().and_then(whole) {
                Some(base) => value.as_ref().and_then(|value| int_of_base(value, base)),
                None => value.as_ref().and_then(int),
            };
            return read.or_else(|| argument(0).filter(|default| *default != Value::Null));
        }
        _ => {}
    }
    let value = value?;
    match filter {
        Filter::Round => {
            let digits = argument(0).as_ref().and_then(whole).unwrap_or(0).clamp(-12, 12);
            let scale = 10_f64.powi(i32::try_from(digits).ok()?);
            float((number_of(&value)? * scale).round() / scale)
        }
        Filter::Lower => short(shown(&value).to_lowercase()),
        Filter::Upper => short(shown(&value).to_uppercase()),
        Filter::Trim => Some(Value::from(shown(&value).trim())),
        Filter::String => Some(Value::String(shown(&value))),
        Filter::Abs => match whole(&value) {
            Some(whole) => number(whole.checked_abs()?),
            None => float(number_of(&value)?.abs()),
        },
        Filter::ToJson => short(value.to_string()),
        Filter::FromJson => Value::parse(value.as_str()?).ok(),
        Filter::Replace => {
            let (from, to) = (shown(&argument(0)?), shown(&argument(1)?));
            let text = shown(&value);
            let longest = text.len().checked_mul(to.len().max(1))?;
            if from.is_empty() || longest > LONGEST_TEXT * 16 {
                return None;
            }
            short(text.replace(&from, &to))
        }
        Filter::Length => number(
            i128::try_from(match &value {
                Value::Array(items) => items.len(),
                Value::Object(members) => members.len(),
                other => shown(other).chars().count(),
            })
            .ok()?,
        ),
        Filter::Title | Filter::Capitalize => {
            let text = shown(&value).to_lowercase();
            let mut begins = true;
            let each = text.chars().map(|c| {
                let made = if begins { c.to_ascii_uppercase() } else { c };
                begins = filter == Filter::Title && !c.is_alphanumeric();
                made
            });
            short(each.collect())
        }
        Filter::Bool => match shown(&value).to_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Some(Value::Bool(true)),
            "false" | "off" | "no" | "0" => Some(Value::Bool(false)),
            _ => argument(0),
        },
        Filter::Format => {
            let values: Vec<Value> = arguments.iter().map(|argument| argument.of(scope)).collect::<Option<_>>()?;
            short(formatted(value.as_str()?, &values)?)
        }
        Filter::Default | Filter::Iif | Filter::Float | Filter::Int => None,
    }
}

/// A text of digits of another base, such as `ff`.
fn int_of_base(value: &Value, base: i128) -> Option<Value> {
    let digits = shown(value);
    let digits = digits.trim();
    let digits = if base == 16 { digits.strip_prefix("0x").unwrap_or(digits) } else { digits };
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base))?;
    i128::from_str_radix(digits, base).ok().and_then(number)
}

/// The part from one place up to another. A negative place counts from the end.
fn slice(value: &Value, from: Option<i128>, to: Option<i128>) -> Option<Value> {
    let range = |length: usize| {
        let length = i128::try_from(length).unwrap_or(i128::MAX);
        let place = |at: i128| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length);
        let (from, to) = (place(from.unwrap_or(0)), place(to.unwrap_or(length)));
        let (from, to) = (usize::try_from(from).unwrap_or_default(), usize::try_from(to).unwrap_or_default());
        (from, to.saturating_sub(from))
    };
    match value {
        Value::String(text) => {
            let (skipped, taken) = range(text.chars().count());
            Some(Value::String(text.chars().skip(skipped).take(taken).collect()))
        }
        Value::Array(items) => {
            let (skipped, taken) = range(items.len());
            Some(Value::Array(items.iter().skip(skipped).take(taken).cloned().collect()))
        }
        _ => None,
    }
}

/// Python's `%`: `%d`, `%s`, `%f`, `%x` and `%X`, with a width, a precision and the flags `0` and `-`.
fn formatted(text: &str, values: &[Value]) -> Option<String> {
    let mut values = values.iter();
    let mut made = String::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('%') {
        made.push_str(plain);
        if let Some(after) = after.strip_prefix('%') {
            made.push('%');
            rest = after;
            continue;
        }
        let flags = after.len() - after.trim_start_matches(['0', '-']).len();
        let (flags, after) = after.split_at(flags);
        let (width, after) = digits(after)?;
        let (precision, after) = match after.strip_prefix('.') {
            Some(after) => digits(after)?,
            None => (None, after),
        };
        let kind = after.chars().next()?;
        rest = &after[kind.len_utf8()..];
        let one = converted(values.next()?, kind, precision)?;
        let missing = width.unwrap_or(0).saturating_sub(one.chars().count());
        match (flags.contains('-'), flags.contains('0')) {
            (true, _) => made.extend(one.chars().chain(std::iter::repeat_n(' ', missing))),
            (false, true) => {
                let (sign, number) = one.strip_prefix('-').map_or(("", &*one), |number| ("-", number));
                made.push_str(sign);
                made.extend(std::iter::repeat_n('0', missing));
                made.push_str(number);
            }
            (false, false) => {
                made.extend(std::iter::repeat_n(' ', missing));
                made.push_str(&one);
            }
        }
        if made.len() > LONGEST_TEXT {
            return None;
        }
    }
    made.push_str(rest);
    Some(made)
}

/// A width or a precision, of two digits at most.
fn digits(text: &str) -> Option<(Option<usize>, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    match length {
        0 => Some((None, text)),
        1 | 2 => text[..length].parse().ok().filter(|width| *width <= 64).map(|width| (Some(width), &text[length..])),
        _ => None,
    }
}

fn converted(value: &Value, kind: char, precision: Option<usize>) -> Option<String> {
    Some(match kind {
        's' => shown(value),
        'd' | 'i' => shown(&int(value)?),
        'x' => format!("{:x}", whole(&int(value)?)?),
        'X' => format!("{:X}", whole(&int(value)?)?),
        'f' => format!("{:.*}", precision.unwrap_or(6), number_of(value)?),
        _ => return None,
    })
}
