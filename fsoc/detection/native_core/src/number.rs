//! Numbers as Python has them: whole ones of any size, floats, compared exactly, and floats as `repr` writes them.

use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    Int(i128),
    /// Beyond i128: digits without leading zeros.
    Big {
        negative: bool,
        digits: String,
    },
    Float(f64),
}

/// Equal for equal numbers, whatever their type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Int(i128),
    Big(bool, String),
    Bits(u64),
}

/// From here on floats are whole and may be beyond i128.
const WHOLE_BEYOND: f64 = 1.7e38;

impl Number {
    /// An int or a float as Python writes it.
    pub fn of_python(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(whole(text.starts_with('-'), digits));
        }
        text.parse().ok().map(Number::Float)
    }

    /// The number a text is as a whole: event.number_of.
    pub fn of_text(text: &[u8]) -> Option<Number> {
        let first = *text.first()?;
        if !(first.is_ascii_digit() || first == b'+' || first == b'-') || text.len() > 88 {
            return None;
        }
        let signed = usize::from(!first.is_ascii_digit());
        let mut at = signed + digits(&text[signed..], 40)?;
        let whole_end = at;
        let mut is_float = false;
        if text.get(at) == Some(&b'.') {
            at += 1 + digits(&text[at + 1..], 40)?;
            is_float = true;
        }
        if matches!(text.get(at), Some(b'e' | b'E')) {
            at += 1;
            at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
            at += digits(&text[at..], 3)?;
            is_float = true;
        }
        if at != text.len() {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        if is_float {
            text.parse().ok().map(Number::Float)
        } else {
            Some(whole(first == b'-', &text[signed..whole_end]))
        }
    }

    /// A number of JSON as orjson reads it: whole within 64 bits, else a float.
    pub fn of_json(token: &str) -> Option<Number> {
        if !token.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            if let Ok(number) = token.parse::<i64>() {
                return Some(Number::Int(number.into()));
            }
            if let Ok(number) = token.parse::<u64>() {
                return Some(Number::Int(number.into()));
            }
        }
        token.parse().ok().map(Number::Float)
    }

    pub fn text(&self) -> String {
        match self {
            Number::Int(number) => number.to_string(),
            Number::Big { negative, digits } => format!("{}{digits}", if *negative { "-" } else { "" }),
            Number::Float(number) => repr(*number),
        }
    }

    /// None for what equals nothing.
    pub fn key(&self) -> Option<Key> {
        match self {
            Number::Int(number) => Some(Key::Int(*number)),
            Number::Big { negative, digits } => Some(Key::Big(*negative, digits.clone())),
            Number::Float(number) if number.is_nan() => None,
            Number::Float(number) if number.is_infinite() || number.fract() != 0.0 => Some(Key::Bits(number.to_bits())),
            Number::Float(number) if number.abs() < WHOLE_BEYOND => Some(Key::Int(*number as i128)),
            Number::Float(number) => match whole(*number < 0.0, &format!("{:.0}", number.abs())) {
                Number::Int(number) => Some(Key::Int(number)),
                Number::Big { negative, digits } => Some(Key::Big(negative, digits)),
                Number::Float(_) => None,
            },
        }
    }

    /// Exactly, as Python does; None where one is not a number.
    pub fn compare(&self, other: &Number) -> Option<Ordering> {
        if let (Number::Float(mine), Number::Float(its)) = (self, other) {
            return mine.partial_cmp(its);
        }
        let (mine, its) = (Scale::of(self)?, Scale::of(other)?);
        Some(mine.compare(&its))
    }
}

/// A number as its whole part and the sign of what is left.
enum Scale {
    Infinite(Ordering),
    Whole(i128, Ordering),
    Big(bool, String),
}

impl Scale {
    fn of(number: &Number) -> Option<Scale> {
        Some(match number {
            Number::Float(number) if number.is_nan() => return None,
            Number::Float(number) if number.is_infinite() => Scale::Infinite(number.partial_cmp(&0.0)?),
            Number::Float(number) if number.abs() < WHOLE_BEYOND => {
                Scale::Whole(number.trunc() as i128, number.fract().partial_cmp(&0.0)?)
            }
            _ => match number.key()? {
                Key::Int(number) => Scale::Whole(number, Ordering::Equal),
                Key::Big(negative, digits) => Scale::Big(negative, digits),
                Key::Bits(_) => return None,
            },
        })
    }

    fn sign(&self) -> Ordering {
        match self {
            Scale::Infinite(sign) => *sign,
            Scale::Whole(number, rest) => number.cmp(&0).then(*rest),
            Scale::Big(negative, _) => {
                if *negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }

    fn compare(&self, other: &Scale) -> Ordering {
        match (self, other) {
            (Scale::Whole(mine, rest), Scale::Whole(its, others)) => mine.cmp(its).then(rest.cmp(others)),
            (Scale::Big(mine, digits), Scale::Big(its, others)) if mine == its => {
                let ordered = digits.len().cmp(&others.len()).then_with(|| digits.cmp(others));
                if *mine { ordered.reverse() } else { ordered }
            }
            (Scale::Infinite(mine), Scale::Infinite(its)) => mine.cmp(its),
            (Scale::Infinite(mine), _) => *mine,
            (_, Scale::Infinite(its)) => its.reverse(),
            // A number beyond i128 is further from zero than one within.
            (Scale::Big(..), Scale::Whole(..)) => self.sign(),
            (Scale::Whole(..), Scale::Big(..)) => other.sign().reverse(),
            (Scale::Big(..), Scale::Big(..)) => self.sign().cmp(&other.sign()),
        }
    }
}

fn whole(negative: bool, digits: &str) -> Number {
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Number::Int(0);
    }
    match digits.parse::<i128>() {
        Ok(number) => Number::Int(if negative { -number } else { number }),
        Err(_) => Number::Big { negative, digits: digits.to_owned() },
    }
}

/// How many digits there are, at least one and at most `most`.
fn digits(text: &[u8], most: usize) -> Option<usize> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=most).contains(&count).then_some(count)
}

/// A float as Python's repr writes it.
pub fn repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf".into() } else { "inf".into() };
    }
    // Of two texts that are as short and as near Python takes the even one, as Ryu does and Rust's own does not.
    let mut room = ryu::Buffer::new();
    let text = room.format_finite(number);
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let all = [whole, fraction].concat();
    let digits = all.trim_start_matches('0');
    // Where the point stands, counted from the first digit that is not zero.
    let point = whole.len() as i32 + exponent - (all.len() - digits.len()) as i32;
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    if !(-3..=16).contains(&point) {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let exponent = point - 1;
        return format!("{sign}{first}{dot}{rest}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    let count = digits.len() as i32;
    if point <= 0 {
        format!("{sign}0.{}{digits}", "0".repeat(-point as usize))
    } else if point >= count {
        format!("{sign}{digits}{}.0", "0".repeat((point - count) as usize))
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{sign}{whole}.{fraction}")
    }
}
