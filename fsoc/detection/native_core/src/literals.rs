//! Thousands of texts looked for in one text at once: by a few rare bytes of each, hashed, then compared whole.
//!
//! Of each text one piece of 8, 4 or 2 bytes is kept, the one that fewest other texts have. Every position of the
//! subject is asked of a bit table per size; few positions pass, and those are compared. No automaton, no worst case
//! but many texts that share all their pieces.

use foldhash::HashMap;

use crate::fold::PADDING;
use crate::program::Place;

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
const BITS_PER_ENTRY: usize = 24;

/// A text to look for. number: what is told where it is found.
pub struct Literal {
    pub text: Vec<u8>,
    pub place: Place,
    pub number: u32,
}

#[derive(Default)]
pub struct Literals {
    texts: Vec<u8>,
    spans: Vec<(u32, u32, u32)>,
    whole: HashMap<Box<[u8]>, Vec<u32>>,
    /// In every text there is.
    always: Vec<u32>,
    /// Of one byte, at an end: (byte, number).
    start_byte: Vec<(u8, u32)>,
    end_byte: Vec<(u8, u32)>,
    start: [Grams; 3],
    end: [Grams; 3],
    anywhere: [Grams; 3],
}

const SIZES: [usize; 3] = [8, 4, 2];

#[derive(Clone, Copy)]
struct Entry {
    gram: u64,
    literal: u32,
    offset: u32,
}

/// Pieces of one size.
#[derive(Default)]
struct Grams {
    entries: Vec<Entry>,
    bits: Vec<u64>,
    bits_shift: u32,
    directory: Vec<u32>,
    directory_shift: u32,
}

impl Literals {
    pub fn new(literals: Vec<Literal>) -> Literals {
        let mut made = Literals::default();
        let mut entries: [[Vec<Entry>; 3]; 3] = Default::default();
        let popular = popularity(&literals);
        for Literal { text, place, number } in literals {
            if place == Place::Whole {
                made.whole.entry(text.into()).or_default().push(number);
                continue;
            }
            match (text.as_slice(), place) {
                ([], _) => {
                    made.always.push(number);
                    continue;
                }
                ([byte], Place::Start) => made.start_byte.push((*byte, number)),
                ([byte], Place::End) => made.end_byte.push((*byte, number)),
                _ => {
                    let literal = made.spans.len() as u32;
                    let class = class_of(text.len());
                    let into = &mut entries[place as usize - 1][class];
                    let size = SIZES[class];
                    if text.len() == 1 {
                        into.extend((0..256).map(|next| Entry {
                            gram: u64::from(text[0]) | next << 8,
                            literal,
                            offset: 0,
                        }));
                    } else {
                        let offset = match place {
                            Place::Start => 0,
                            Place::End => text.len() - size,
                            _ => rarest(&text, size, &popular[class]),
                        };
                        into.push(Entry { gram: gram(&text[offset..], size), literal, offset: offset as u32 });
                    }
                    made.spans.push((made.texts.len() as u32, text.len() as u32, number));
                    made.texts.extend_from_slice(&text);
                }
            }
        }
        let [start, end, anywhere] = entries;
        made.start = start.map(Grams::new);
        made.end = end.map(Grams::new);
        made.anywhere = anywhere.map(Grams::new);
        made
    }

    /// Tells the number of each literal that stands in its place in `subject`; some more than once.
    /// padded: the subject and PADDING bytes more.
    pub fn find(&self, padded: &[u8], found: &mut impl FnMut(u32)) {
        let Some(subject) = padded.get(..padded.len().saturating_sub(PADDING)) else { return };
        self.always.iter().for_each(|number| found(*number));
        if let Some(numbers) = self.whole.get(subject) {
            numbers.iter().for_each(|number| found(*number));
        }
        if let (Some(first), Some(last)) = (subject.first(), subject.last()) {
            self.start_byte.iter().filter(|(byte, _)| byte == first).for_each(|(_, number)| found(*number));
            self.end_byte.iter().filter(|(byte, _)| byte == last).for_each(|(_, number)| found(*number));
        }
        for (class, size) in SIZES.into_iter().enumerate() {
            if subject.len() < size {
                continue;
            }
            if !self.start[class].entries.is_empty() {
                self.compare(&self.start[class], gram(subject, size), subject, 0, found);
            }
            if !self.end[class].entries.is_empty() {
                let at = subject.len() - size;
                self.compare(&self.end[class], gram(&subject[at..], size), subject, at, found);
            }
        }
        let [eight, four, two] = &self.anywhere;
        match (!eight.entries.is_empty(), !four.entries.is_empty(), !two.entries.is_empty()) {
            (true, true, true) => self.sweep::<true, true, true>(padded, subject, found),
            (true, true, false) => self.sweep::<true, true, false>(padded, subject, found),
            (true, false, true) => self.sweep::<true, false, true>(padded, subject, found),
            (true, false, false) => self.sweep::<true, false, false>(padded, subject, found),
            (false, true, true) => self.sweep::<false, true, true>(padded, subject, found),
            (false, true, false) => self.sweep::<false, true, false>(padded, subject, found),
            (false, false, true) => self.sweep::<false, false, true>(padded, subject, found),
            (false, false, false) => {}
        }
    }

    fn sweep<const EIGHT: bool, const FOUR: bool, const TWO: bool>(
        &self,
        padded: &[u8],
        subject: &[u8],
        found: &mut impl FnMut(u32),
    ) {
        let [eight, four, two] = &self.anywhere;
        for (at, window) in padded.windows(8).take(subject.len()).enumerate() {
            let Ok(bytes) = window.try_into() else { return };
            let word = u64::from_le_bytes(bytes);
            let in_eight = EIGHT && eight.may_have(word);
            let in_four = FOUR && four.may_have(word & 0xFFFF_FFFF);
            let in_two = TWO && two.may_have(word & 0xFFFF);
            if in_eight | in_four | in_two {
                if in_eight {
                    self.compare(eight, word, subject, at, found);
                }
                if in_four {
                    self.compare(four, word & 0xFFFF_FFFF, subject, at, found);
                }
                if in_two {
                    self.compare(two, word & 0xFFFF, subject, at, found);
                }
            }
        }
    }

    #[inline]
    fn compare(&self, grams: &Grams, gram: u64, subject: &[u8], at: usize, found: &mut impl FnMut(u32)) {
        for entry in grams.bucket(gram) {
            if entry.gram != gram {
                continue;
            }
            let (from, length, number) = self.spans[entry.literal as usize];
            let text = &self.texts[from as usize..(from + length) as usize];
            let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
            if subject.get(start..start + text.len()) == Some(text) {
                found(number);
            }
        }
    }
}

impl Grams {
    fn new(mut entries: Vec<Entry>) -> Grams {
        if entries.is_empty() {
            return Grams::default();
        }
        let directory_log = (entries.len() * 2).next_power_of_two().trailing_zeros();
        let bits_log = (entries.len() * BITS_PER_ENTRY).next_power_of_two().trailing_zeros().max(6);
        let (directory_shift, bits_shift) = (64 - directory_log, 64 - bits_log);
        entries.sort_by_key(|entry| hash(entry.gram) >> directory_shift);
        let mut bits = vec![0; 1 << (bits_log - 6)];
        let mut directory = vec![0_u32; (1 << directory_log) + 1];
        for entry in &entries {
            let bit = hash(entry.gram) >> bits_shift;
            bits[(bit >> 6) as usize] |= 1_u64 << (bit & 63);
            directory[(hash(entry.gram) >> directory_shift) as usize + 1] += 1;
        }
        for slot in 1..directory.len() {
            directory[slot] += directory[slot - 1];
        }
        Grams { entries, bits, bits_shift, directory, directory_shift }
    }

    #[inline(always)]
    fn may_have(&self, gram: u64) -> bool {
        let bit = hash(gram) >> self.bits_shift;
        self.bits.get((bit >> 6) as usize).is_some_and(|word| word >> (bit & 63) & 1 == 1)
    }

    #[inline]
    fn bucket(&self, gram: u64) -> &[Entry] {
        let slot = (hash(gram) >> self.directory_shift) as usize;
        &self.entries[self.directory[slot] as usize..self.directory[slot + 1] as usize]
    }
}

#[inline(always)]
fn hash(gram: u64) -> u64 {
    // The high half is folded in first: the pieces of paths differ there alone.
    (gram ^ gram >> 29).wrapping_mul(MULTIPLIER)
}

fn class_of(length: usize) -> usize {
    if length >= 8 {
        0
    } else if length >= 4 {
        1
    } else {
        2
    }
}

fn gram(text: &[u8], size: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes[..size].copy_from_slice(&text[..size]);
    u64::from_le_bytes(bytes)
}

/// How many texts have each piece, by class.
fn popularity(literals: &[Literal]) -> [HashMap<u64, u32>; 3] {
    let mut counts: [HashMap<u64, u32>; 3] = Default::default();
    for literal in literals {
        for (class, size) in SIZES.into_iter().enumerate() {
            for piece in literal.text.windows(size) {
                *counts[class].entry(gram(piece, size)).or_default() += 1;
            }
        }
    }
    counts
}

fn rarest(text: &[u8], size: usize, counts: &HashMap<u64, u32>) -> usize {
    let count = |at: &usize| counts.get(&gram(&text[*at..], size)).copied().unwrap_or(0);
    (0..=text.len() - size).min_by_key(count).unwrap_or(0)
}
