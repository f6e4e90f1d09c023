//! One line of JSON, checked whole and read in part: the members of the outermost object and where their values stand.
//!
//! What orjson accepts and this does not is told as unsure, never the other way round.

use crate::fold::hexadecimal;

/// Deeper lines are orjson's to judge.
const DEPTH_MAX: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    Null,
    True,
    False,
    /// Whole, its text as Python writes it.
    Int,
    /// As Python writes it.
    Float,
    /// Any other number of JSON.
    JsonNumber,
    Text,
    /// A text of JSON with escapes in it, each character escaped that must be and no other.
    Escaped,
    /// With escapes that need not be: of a letter, of a slash.
    EscapedOddly,
    Object,
    List,
}

/// A value's kind and place in the line; of texts what is between the quotes.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub kind: Kind,
    pub start: u32,
    pub end: u32,
}

pub struct Unsure;

type Checked<T> = Result<T, Unsure>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Escapes {
    None,
    Plain,
    Odd,
}

/// Calls `member(name's start, name's end, value)` for each member of the object that the line is.
pub fn members(line: &[u8], mut member: impl FnMut(usize, usize, Span)) -> Checked<()> {
    if simdutf8::basic::from_utf8(line).is_err() || line.len() > u32::MAX as usize / 2 {
        return Err(Unsure);
    }
    let mut at = blank(line, 0);
    if line.get(at) != Some(&b'{') {
        return Err(Unsure);
    }
    at = blank(line, at + 1);
    if line.get(at) == Some(&b'}') {
        return ended(line, at + 1);
    }
    loop {
        if line.get(at) != Some(&b'"') {
            return Err(Unsure);
        }
        let (end, escapes) = string(line, at + 1)?;
        if escapes != Escapes::None {
            return Err(Unsure);
        }
        let name = (at + 1, end);
        at = blank(line, end + 1);
        if line.get(at) != Some(&b':') {
            return Err(Unsure);
        }
        let (span, after) = value(line, blank(line, at + 1), DEPTH_MAX)?;
        member(name.0, name.1, span);
        at = blank(line, after);
        match line.get(at) {
            Some(b',') => at = blank(line, at + 1),
            Some(b'}') => return ended(line, at + 1),
            _ => return Err(Unsure),
        }
    }
}

fn ended(line: &[u8], at: usize) -> Checked<()> {
    if blank(line, at) == line.len() { Ok(()) } else { Err(Unsure) }
}

#[inline(always)]
pub fn blank(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The value that begins at `at`, and where it ends.
#[inline]
pub fn value(line: &[u8], at: usize, depth: usize) -> Checked<(Span, usize)> {
    let span = |kind, start: usize, end: usize| Span { kind, start: start as u32, end: end as u32 };
    match line.get(at) {
        Some(b'"') => {
            let (end, escapes) = string(line, at + 1)?;
            let kind = match escapes {
                Escapes::None => Kind::Text,
                Escapes::Plain => Kind::Escaped,
                Escapes::Odd => Kind::EscapedOddly,
            };
            Ok((span(kind, at + 1, end), end + 1))
        }
        Some(b'-' | b'0'..=b'9') => {
            let (kind, end) = number(line, at)?;
            Ok((span(kind, at, end), end))
        }
        Some(b't') => word(line, at, b"true", Kind::True),
        Some(b'f') => word(line, at, b"false", Kind::False),
        Some(b'n') => word(line, at, b"null", Kind::Null),
        Some(b'{') => {
            let end = object(line, at + 1, depth)?;
            Ok((span(Kind::Object, at, end), end))
        }
        Some(b'[') => {
            let end = list(line, at + 1, depth)?;
            Ok((span(Kind::List, at, end), end))
        }
        _ => Err(Unsure),
    }
}

fn word(line: &[u8], at: usize, word: &[u8], kind: Kind) -> Checked<(Span, usize)> {
    let end = at + word.len();
    if line.get(at..end) != Some(word) {
        return Err(Unsure);
    }
    Ok((Span { kind, start: at as u32, end: end as u32 }, end))
}

fn object(line: &[u8], at: usize, depth: usize) -> Checked<usize> {
    let depth = depth.checked_sub(1).ok_or(Unsure)?;
    let mut at = blank(line, at);
    if line.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        if line.get(at) != Some(&b'"') {
            return Err(Unsure);
        }
        let (end, escapes) = string(line, at + 1)?;
        at = blank(line, end + 1);
        if escapes != Escapes::None || line.get(at) != Some(&b':') {
            return Err(Unsure);
        }
        let (_, after) = value(line, blank(line, at + 1), depth)?;
        at = blank(line, after);
        match line.get(at) {
            Some(b',') => at = blank(line, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(Unsure),
        }
    }
}

fn list(line: &[u8], at: usize, depth: usize) -> Checked<usize> {
    let depth = depth.checked_sub(1).ok_or(Unsure)?;
    let mut at = blank(line, at);
    if line.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        let (_, after) = value(line, at, depth)?;
        at = blank(line, after);
        match line.get(at) {
            Some(b',') => at = blank(line, at + 1),
            Some(b']') => return Ok(at + 1),
            _ => return Err(Unsure),
        }
    }
}

fn number(line: &[u8], start: usize) -> Checked<(Kind, usize)> {
    let digits = |mut at: usize| {
        while matches!(line.get(at), Some(b'0'..=b'9')) {
            at += 1;
        }
        at
    };
    let whole = start + usize::from(line.get(start) == Some(&b'-'));
    let mut at = digits(whole);
    if at == whole || (line.get(whole) == Some(&b'0') && at > whole + 1) {
        return Err(Unsure);
    }
    // Eighteen digits are within 64 bits; `-0` is 0.
    let mut kind =
        if at - whole <= 18 && (whole == start || line[whole] != b'0') { Kind::Int } else { Kind::JsonNumber };
    if line.get(at) == Some(&b'.') {
        let end = digits(at + 1);
        if end == at + 1 {
            return Err(Unsure);
        }
        (kind, at) = (Kind::JsonNumber, end);
    }
    if matches!(line.get(at), Some(b'e' | b'E')) {
        let from = at + 1 + usize::from(matches!(line.get(at + 1), Some(b'+' | b'-')));
        let end = digits(from);
        if end == from {
            return Err(Unsure);
        }
        (kind, at) = (Kind::JsonNumber, end);
    }
    if kind == Kind::JsonNumber {
        let token = std::str::from_utf8(&line[start..at]).map_err(|_| Unsure)?;
        if !token.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(Unsure);
        }
    }
    Ok((kind, at))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where the string ends whose text begins at `at`, and what escapes it has.
#[inline]
fn string(line: &[u8], mut at: usize) -> Checked<(usize, Escapes)> {
    let mut escapes = Escapes::None;
    loop {
        // Eight bytes at once: a high bit for each quote, backslash and control character. The first is exact.
        while let Some(chunk) = line.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*chunk);
            let quotes = word ^ (ONES * b'"' as u64);
            let slashes = word ^ (ONES * b'\\' as u64);
            let special = ((quotes.wrapping_sub(ONES) & !quotes)
                | (slashes.wrapping_sub(ONES) & !slashes)
                | (word.wrapping_sub(ONES * 0x20) & !word))
                & HIGHS;
            if special != 0 {
                at += (special.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        match line.get(at) {
            Some(b'"') => return Ok((at, escapes)),
            Some(b'\\') => {
                let is_odd = matches!(line.get(at + 1), Some(b'u' | b'/'));
                escapes = escapes.max(if is_odd { Escapes::Odd } else { Escapes::Plain });
                at = escape(line, at + 1)?;
            }
            Some(0x20..) => at += 1,
            _ => return Err(Unsure),
        }
    }
}

/// Where what follows the backslash ends.
fn escape(line: &[u8], at: usize) -> Checked<usize> {
    match line.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match hexadecimal(line, at + 1) {
            0xDC00..0xE000 | u32::MAX => Err(Unsure),
            0xD800..0xDC00 => {
                let low = hexadecimal(line, at + 7);
                if line.get(at + 5..at + 7) == Some(b"\\u") && (0xDC00..0xE000).contains(&low) {
                    Ok(at + 11)
                } else {
                    Err(Unsure)
                }
            }
            _ => Ok(at + 5),
        },
        _ => Err(Unsure),
    }
}
