//! Thousands of texts looked for in one text at once: by a few rare bytes of each, hashed, then compared whole.
//!
//! Of each text one piece of 8, 4, 3 or 2 bytes is kept, the one that fewest other texts have. Every position of the
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
    whole: HashMap<Box<[u8]>, Vec<u32>>,
    /// A bit for each length of a whole text, the last for all that are longer.
    whole_lengths: u64,
    /// In every text there is.
    always: Vec<u32>,
    /// Of one byte, at an end: (byte, number).
    start_byte: Vec<(u8, u32)>,
    end_byte: Vec<(u8, u32)>,
    start: [Grams; SIZES.len()],
    end: [Grams; SIZES.len()],
    anywhere: [Grams; SIZES.len()],
}

const SIZES: [usize; 4] = [8, 4, 3, 2];

#[derive(Clone, Copy)]
struct Entry {
    gram: u64,
    /// Where in the text the piece stands.
    offset: u32,
    /// Where among all texts the text stands, and how long it is.
    text: u32,
    length: u32,
    number: u32,
}

/// Pieces of one size: each in the slot of its hash, or in one of those that follow.
#[derive(Default)]
struct Grams {
    bits: Vec<u64>,
    bits_shift: u32,
    slots: Vec<Entry>,
    slots_shift: u32,
    size: u32,
}

/// What no text's length is.
const FREE: Entry = Entry { gram: 0, offset: 0, text: 0, length: u32::MAX, number: 0 };

impl Literals {
    pub fn new(literals: Vec<Literal>) -> Literals {
        let mut made = Literals::default();
        let mut entries: [[Vec<Entry>; SIZES.len()]; 3] = Default::default();
        let popular = popularity(&literals);
        for Literal { text, place, number } in literals {
            if place == Place::Whole {
                made.whole_lengths |= 1 << text.len().min(63);
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
                    let class = class_of(text.len());
                    let into = &mut entries[place as usize - 1][class];
                    let size = SIZES[class];
                    let (at, length) = (made.texts.len() as u32, text.len() as u32);
                    made.texts.extend_from_slice(&text);
                    if let [byte] = text[..] {
                        let gram = |next: u64| u64::from(byte) | next << 8;
                        into.extend((0..256).map(|next| Entry {
                            gram: gram(next),
                            offset: 0,
                            text: at,
                            length,
                            number,
                        }));
                    } else {
                        let offset = match place {
                            Place::Start => 0,
                            Place::End => text.len() - size,
                            _ => rarest(&text, class, &popular),
                        };
                        let gram = gram(&text[offset..], size);
                        into.push(Entry { gram, offset: offset as u32, text: at, length, number });
                    }
                }
            }
        }
        let [start, end, anywhere] = entries;
        let grams = |entries: [Vec<Entry>; SIZES.len()]| {
            let mut sizes = SIZES.into_iter();
            entries.map(|entries| Grams::new(entries, sizes.next().unwrap_or(0) as u32))
        };
        made.start = grams(start);
        made.end = grams(end);
        made.anywhere = grams(anywhere);
        made
    }

    /// Whether nothing is looked for within texts: then finding costs as much as remembering.
    pub fn is_quick(&self) -> bool {
        [&self.start, &self.end, &self.anywhere].into_iter().flatten().all(|grams| grams.is_empty())
    }

    /// Tells the number of each literal that stands in its place in `subject`; some more than once.
    /// padded: the subject and PADDING bytes more.
    pub fn find(&self, padded: &[u8], found: &mut impl FnMut(u32)) {
        let Some(subject) = padded.get(..padded.len().saturating_sub(PADDING)) else { return };
        self.always.iter().for_each(|number| found(*number));
        if self.whole_lengths >> subject.len().min(63) & 1 == 1
            && let Some(numbers) = self.whole.get(subject)
        {
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
            let at = subject.len() - size;
            for (grams, at) in [(&self.start[class], 0), (&self.end[class], at)] {
                if !grams.is_empty() {
                    let gram = gram(&subject[at..], size);
                    if grams.may_have(gram) {
                        self.compare(grams, gram, subject, at, found);
                    }
                }
            }
        }
        for grams in self.anywhere.iter().filter(|grams| !grams.is_empty()) {
            let mask = u64::MAX >> (64 - 8 * grams.size);
            for (at, window) in padded.windows(8).take(subject.len()).enumerate() {
                let Some(bytes) = window.first_chunk::<8>() else { return };
                let gram = u64::from_le_bytes(*bytes) & mask;
                if grams.may_have(gram) {
                    self.compare(grams, gram, subject, at, found);
                }
            }
        }
    }

    #[inline]
    fn compare(&self, grams: &Grams, gram: u64, subject: &[u8], at: usize, found: &mut impl FnMut(u32)) {
        let mut slot = (hash(gram) >> grams.slots_shift) as usize;
        while let Some(entry) = grams.slots.get(slot) {
            if entry.length == FREE.length {
                return;
            }
            slot += 1;
            if entry.gram != gram {
                continue;
            }
            let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
            let end = start + entry.length as usize;
            // A piece that is all of the text need not be compared again.
            let is_all = entry.length == grams.size;
            if end <= subject.len() && (is_all || self.text(entry) == &subject[start..end]) {
                found(entry.number);
            }
        }
    }

    fn text(&self, entry: &Entry) -> &[u8] {
        &self.texts[entry.text as usize..(entry.text + entry.length) as usize]
    }
}

impl Grams {
    fn new(mut entries: Vec<Entry>, size: u32) -> Grams {
        if entries.is_empty() {
            return Grams::default();
        }
        let slots_log = (entries.len() * 2).next_power_of_two().trailing_zeros();
        let bits_log = (entries.len() * BITS_PER_ENTRY).next_power_of_two().trailing_zeros().max(6);
        let (slots_shift, bits_shift) = (64 - slots_log, 64 - bits_log);
        entries.sort_by_key(|entry| hash(entry.gram));
        let mut bits = vec![0; 1 << (bits_log - 6)];
        // In the order of their hashes none wraps around: what comes last may stand behind all slots.
        let mut slots = vec![FREE; 1 << slots_log];
        let mut next = 0;
        for entry in entries {
            let bit = hash(entry.gram) >> bits_shift;
            bits[(bit >> 6) as usize] |= 1_u64 << (bit & 63);
            let slot = next.max((hash(entry.gram) >> slots_shift) as usize);
            if slot == slots.len() {
                slots.push(FREE);
            }
            slots[slot] = entry;
            next = slot + 1;
        }
        Grams { bits, bits_shift, slots, slots_shift, size }
    }

    fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    #[inline(always)]
    fn may_have(&self, gram: u64) -> bool {
        let bit = hash(gram) >> self.bits_shift;
        self.bits.get((bit >> 6) as usize).is_some_and(|word| word >> (bit & 63) & 1 == 1)
    }
}

#[inline(always)]
fn hash(gram: u64) -> u64 {
    // The high half is folded in first: the pieces of paths differ there alone.
    (gram ^ gram >> 29).wrapping_mul(MULTIPLIER)
}

/// The largest pieces that a text has.
fn class_of(length: usize) -> usize {
    SIZES.iter().position(|size| *size <= length).unwrap_or(SIZES.len() - 1)
}

fn gram(text: &[u8], size: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes[..size].copy_from_slice(&text[..size]);
    u64::from_le_bytes(bytes)
}

/// How many texts have each piece, by class, and how often there is each byte.
struct Popularity {
    pieces: [HashMap<u64, u32>; SIZES.len()],
    bytes: [u32; 256],
}

fn popularity(literals: &[Literal]) -> Popularity {
    let mut counts: [HashMap<u64, u32>; SIZES.len()] = Default::default();
    let mut bytes = [0; 256];
    for literal in literals {
        literal.text.iter().for_each(|byte| bytes[*byte as usize] += 1);
        for (class, size) in SIZES.into_iter().enumerate() {
            for piece in literal.text.windows(size) {
                *counts[class].entry(gram(piece, size)).or_default() += 1;
            }
        }
    }
    Popularity { pieces: counts, bytes }
}

/// Where the piece begins that fewest texts have, and of those the one of the rarest bytes.
fn rarest(text: &[u8], class: usize, popularity: &Popularity) -> usize {
    let size = SIZES[class];
    let rank = |at: &usize| {
        let piece = &text[*at..*at + size];
        let common: u32 = piece.iter().map(|byte| popularity.bytes[*byte as usize]).fold(0, u32::saturating_add);
        (popularity.pieces[class].get(&gram(piece, size)).copied().unwrap_or(0), common)
    };
    (0..=text.len() - size).min_by_key(rank).unwrap_or(0)
}
