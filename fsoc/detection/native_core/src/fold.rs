//! Texts without letter case, by the table Python's str.casefold makes; and texts of JSON without their escapes.

use foldhash::HashMap;

/// Room behind a folded text so that eight bytes can be read from any of its positions.
pub const PADDING: usize = 8;

pub struct Folds {
    by_code: HashMap<u32, Box<[u8]>>,
    /// By code >> 8: whether any character there changes.
    pages: Vec<bool>,
}

impl Folds {
    pub fn new(folds: impl IntoIterator<Item = (char, String)>) -> Folds {
        let mut made = Folds { by_code: HashMap::default(), pages: vec![false; 0x1100] };
        for (from, to) in folds {
            made.pages[(from as usize) >> 8] = true;
            made.by_code.insert(from as u32, to.into_bytes().into());
        }
        made
    }

    pub fn folded(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.fold_into(text, &mut out);
        out
    }

    /// Appends; `text` is UTF-8, surrogates written as three bytes.
    pub fn fold_into(&self, text: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(text);
        let Some(added) = out.get_mut(start..) else { return };
        added.make_ascii_lowercase();
        if text.is_ascii() {
            return;
        }
        // Most characters beyond ASCII have no letter case: what was copied stands up to the first that has.
        let mut at = 0;
        let mut changed = false;
        while let Some(ahead) = text.get(at..).and_then(beyond_ascii) {
            if changed {
                out.extend(text[at..at + ahead].iter().map(u8::to_ascii_lowercase));
            }
            at += ahead;
            let first = text[at];
            let length = if first < 0xE0 {
                2
            } else if first < 0xF0 {
                3
            } else {
                4
            };
            let bytes = text.get(at..at + length).unwrap_or(&text[at..]);
            let lead = u32::from(first) & (0x7F >> length);
            let code = bytes[1..].iter().fold(lead, |code, byte| code << 6 | u32::from(byte & 0x3F));
            let folded = match self.pages.get((code >> 8) as usize) {
                Some(true) => self.by_code.get(&code),
                _ => None,
            };
            if folded.is_some() && !changed {
                changed = true;
                out.truncate(start + at);
            }
            if changed {
                out.extend_from_slice(folded.map_or(bytes, |to| to));
            }
            at += bytes.len();
        }
        if changed {
            out.extend(text[at..].iter().map(u8::to_ascii_lowercase));
        }
    }
}

/// Where the first byte beyond ASCII stands.
fn beyond_ascii(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let high = u64::from_le_bytes(*chunk) & 0x8080_8080_8080_8080;
        if high != 0 {
            return Some(at + (high.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    text.get(at..)?.iter().position(|byte| *byte >= 0x80).map(|ahead| at + ahead)
}

/// What stands between the quotes of a JSON string that was checked, without escapes; appends.
pub fn unescape_into(raw: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < raw.len() {
        let plain = memchr::memchr(b'\\', &raw[at..]).unwrap_or(raw.len() - at);
        out.extend_from_slice(&raw[at..at + plain]);
        at += plain;
        let Some(&escape) = raw.get(at + 1) else { return };
        at += 2;
        match escape {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let mut code = hexadecimal(raw, at);
                at += 4;
                if (0xD800..0xDC00).contains(&code) {
                    let low = hexadecimal(raw, at + 2);
                    at += 6;
                    code = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF);
                }
                let mut room = [0; 4];
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut room).as_bytes());
            }
            itself => out.push(itself),
        }
    }
}

/// Four hexadecimal digits; u32::MAX where there are none.
pub fn hexadecimal(text: &[u8], at: usize) -> u32 {
    let Some(digits) = text.get(at..at + 4) else { return u32::MAX };
    digits.iter().fold(0, |code, &digit| match (digit as char).to_digit(16) {
        Some(value) if code != u32::MAX => code << 4 | value,
        _ => u32::MAX,
    })
}
