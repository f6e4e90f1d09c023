//! What one value is to a rule: its text, its number. As event.Value.

use crate::fold::unescape_into;
use crate::json::{Kind, Span};
use crate::number::Number;

impl Span {
    #[inline]
    pub fn raw<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Float | Kind::JsonNumber)
    }

    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Escaped | Kind::EscapedOddly)
    }

    /// Appends the text, as JSON writes it, without quotes; false for what has none.
    pub fn text_into(&self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        match self.kind {
            Kind::Null | Kind::Object | Kind::List => return false,
            Kind::True => out.extend_from_slice(b"true"),
            Kind::False => out.extend_from_slice(b"false"),
            Kind::Escaped | Kind::EscapedOddly => unescape_into(self.raw(bytes), out),
            Kind::Int | Kind::Float | Kind::Text => out.extend_from_slice(self.raw(bytes)),
            Kind::JsonNumber => {
                if let Some(number) = self.number(bytes) {
                    out.extend_from_slice(number.text().as_bytes());
                }
            }
        }
        true
    }

    pub fn number(&self, bytes: &[u8]) -> Option<Number> {
        let raw = self.raw(bytes);
        match self.kind {
            Kind::Int => {
                let text = std::str::from_utf8(raw).ok()?;
                text.parse::<i64>().map_or_else(|_| Number::of_python(text), |number| Some(Number::Int(number.into())))
            }
            Kind::Float => Number::of_python(std::str::from_utf8(raw).ok()?),
            Kind::JsonNumber => Number::of_json(std::str::from_utf8(raw).ok()?),
            Kind::Text => Number::of_text(raw),
            Kind::Escaped | Kind::EscapedOddly => {
                let mut text = Vec::new();
                unescape_into(raw, &mut text);
                Number::of_text(&text)
            }
            _ => None,
        }
    }
}
