//! Evaluates a template. `None` is Jinja's *undefined*: a template that writes one produces nothing.

use serde_json::{Number, Value};

use super::{Expression, Filter, Kind, LONGEST_TEXT, Operator, Part};

pub(super) struct Scope<'a> {
    pub(super) value: &'a Value,
    pub(super) json: Option<&'a Value>,
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
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        _ => None,
    }
}

/// A number with a fraction, `42.0` too; undefined where JSON has no number for it.
fn float(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as a fraction is cut off here anyway")]
fn whole(number: f64) -> Value {
    Value::from(number as i64)
}

fn short(text: String) -> Option<Value> {
    (text.len() <= LONGEST_TEXT).then_some(Value::String(text))
}

impl Expression {
    fn of(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Expression::Constant(value) => Some(value.clone()),
            Expression::Name(name) if **name == *"value" => Some(scope.value.clone()),
            Expression::Name(_) => scope.json.cloned(),
            Expression::Member(..) => self.member(scope),
            Expression::Filter(value, filter, arguments) => filtered(value, *filter, arguments, scope),
            Expression::Not(value) => Some(Value::Bool(!is_true(value.of(scope).as_ref()))),
            Expression::Negative(value) => match value.of(scope)? {
                Value::Number(number) if number.is_i64() => Some(Value::from(number.as_i64()?.checked_neg()?)),
                other => float(-number_of(&other)?),
            },
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

    /// Along a path of members the value is not copied before its end: `value_json` may be large.
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
            Expression::Name(_) => scope.json?,
            other => {
                owned = other.of(scope)?;
                &owned
            }
        };
        for key in keys.iter().rev() {
            found = match (found, key) {
                (Value::Array(items), Value::Number(index)) => items.get(usize::try_from(index.as_u64()?).ok()?)?,
                (Value::Object(members), key) => members.get(key.as_str()?)?,
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
    let is_whole = left.is_i64() && right.is_i64();
    let made = |number: f64| if is_whole { Some(whole(number)) } else { float(number) };
    match operator {
        Operator::In | Operator::NotIn => {
            let is = match &right {
                Value::Array(items) => items.iter().any(|item| same(Some(item), Some(&left))),
                Value::String(text) => text.contains(left.as_str()?),
                Value::Object(members) => members.contains_key(left.as_str()?),
                _ => return None,
            };
            Some(Value::Bool(is == (operator == Operator::In)))
        }
        Operator::Join => short(format!("{}{}", shown(&left), shown(&right))),
        Operator::Add if left.is_string() && right.is_string() => short(format!("{}{}", shown(&left), shown(&right))),
        Operator::Add => numbers().and_then(|(left, right)| made(left + right)),
        Operator::Subtract => numbers().and_then(|(left, right)| made(left - right)),
        Operator::Multiply => numbers().and_then(|(left, right)| made(left * right)),
        Operator::Divide => numbers().and_then(|(left, right)| float(left / right)),
        Operator::Whole => numbers().filter(|(_, by)| *by != 0.0).and_then(|(left, by)| made((left / by).floor())),
        Operator::Remainder => numbers().filter(|(_, by)| *by != 0.0).and_then(|(left, by)| made(left.rem_euclid(by))),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let order = match (&left, &right) {
                (Value::String(left), Value::String(right)) => left.cmp(right),
                _ => numbers().and_then(|(left, right)| left.partial_cmp(&right))?,
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
        (Some(Value::Number(left)), Some(Value::Number(right))) => left.as_f64() == right.as_f64(),
        (left, right) => left == right,
    }
}

fn filtered(value: &Expression, filter: Filter, arguments: &[Expression], scope: &Scope<'_>) -> Option<Value> {
    let value = value.of(scope);
    let argument = |index: usize| arguments.get(index).and_then(|argument| argument.of(scope));
    match filter {
        Filter::Default => {
            return value.filter(|value| !value.is_null()).or_else(|| Some(argument(0).unwrap_or(Value::Null)));
        }
        Filter::Iif => {
            let holds = is_true(value.as_ref());
            let otherwise = || argument(1).unwrap_or(Value::Bool(false));
            return Some(if holds { argument(0).unwrap_or(Value::Bool(true)) } else { otherwise() });
        }
        Filter::Float => return value.as_ref().and_then(number_of).and_then(float).or_else(|| argument(0)),
        Filter::Int => return value.as_ref().and_then(number_of).map(whole).or_else(|| argument(0)),
        _ => {}
    }
    let value = value?;
    match filter {
        Filter::Round => {
            let digits = argument(0).and_then(|digits| digits.as_i64()).unwrap_or(0).clamp(-12, 12);
            let scale = 10_f64.powi(i32::try_from(digits).ok()?);
            float((number_of(&value)? * scale).round() / scale)
        }
        Filter::Lower => short(shown(&value).to_lowercase()),
        Filter::Upper => short(shown(&value).to_uppercase()),
        Filter::Trim => Some(Value::from(shown(&value).trim())),
        Filter::String => Some(Value::String(shown(&value))),
        Filter::Abs => match value.as_i64() {
            Some(number) => Some(Value::from(number.checked_abs()?)),
            None => float(number_of(&value)?.abs()),
        },
        Filter::ToJson => short(value.to_string()),
        Filter::FromJson => serde_json::from_str(value.as_str()?).ok(),
        Filter::Replace => {
            let (from, to) = (shown(&argument(0)?), shown(&argument(1)?));
            let text = shown(&value);
            let longest = text.len().checked_mul(to.len().max(1))?;
            if from.is_empty() || longest > LONGEST_TEXT * 16 {
                return None;
            }
            short(text.replace(&from, &to))
        }
        Filter::Length => Some(Value::from(match &value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            other => shown(other).chars().count(),
        })),
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
        Filter::Default | Filter::Iif | Filter::Float | Filter::Int => None,
    }
}
