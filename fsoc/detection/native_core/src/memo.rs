//! What was found in values seen before. Bounded; two generations, the older dropped whole; a value is kept from the
//! second time it is seen, so that values nobody repeats cost no room.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Per generation.
pub const ENTRIES_MAX: usize = 1 << 16;
pub const BYTES_MAX: usize = 16 << 20;
/// Longer values are searched each time.
pub const VALUE_BYTES_MAX: usize = 4 << 10;
const SEEN_ONCE: usize = 1 << 16;
const FLEETING: u32 = 1 << 31;

struct Entry {
    hash: u64,
    tag: u32,
    start: u32,
    length: u32,
    found: u32,
}

#[derive(Default)]
struct Generation {
    table: HashTable<Entry>,
    values: Vec<u8>,
    /// Of each value: how many rules, the rules, how many marks, the marks.
    found: Vec<u32>,
    /// Where in `found` what was found stands, by its hash.
    shared: HashTable<(u64, u32)>,
}

impl Generation {
    fn get(&self, hash: u64, tag: u32, value: &[u8]) -> Option<&Entry> {
        self.table.find(hash, |entry| {
            entry.hash == hash
                && entry.tag == tag
                && self.values.get(entry.start as usize..(entry.start + entry.length) as usize) == Some(value)
        })
    }

    fn bytes(&self) -> usize {
        self.values.len() + self.found.len() * size_of::<u32>() + self.table.len() * size_of::<Entry>()
    }

    fn clear(&mut self) {
        self.table.clear();
        self.values.clear();
        self.found.clear();
        self.shared.clear();
    }

    /// Keeps what was found, once for all values it was found in.
    fn keep(&mut self, hash: u64, rules: &[u32], marks: &[u32]) -> u32 {
        let is_it = |entry: &(u64, u32)| entry.0 == hash && split(&self.found[entry.1 as usize..]) == (rules, marks);
        if let Some((_, known)) = self.shared.find(hash, is_it) {
            return *known;
        }
        let found = self.found.len() as u32;
        write(&mut self.found, rules, marks);
        self.shared.insert_unique(hash, (hash, found), |entry| entry.0);
        found
    }
}

fn write(into: &mut Vec<u32>, rules: &[u32], marks: &[u32]) {
    into.push(rules.len() as u32);
    into.extend_from_slice(rules);
    into.push(marks.len() as u32);
    into.extend_from_slice(marks);
}

/// Where to read what was found; good until the next event.
pub type Found = u32;
pub const NOTHING: Found = u32::MAX;

pub struct Memo {
    hasher: RandomState,
    new: Generation,
    old: Generation,
    fleeting: Vec<u32>,
    seen_once: Vec<u32>,
    entries_max: usize,
    bytes_max: usize,
    /// Changes whenever what was found must be looked up anew.
    pub generation: u32,
    pub hits: u64,
    pub misses: u64,
}

impl Memo {
    pub fn new(entries_max: usize, bytes_max: usize) -> Memo {
        Memo {
            hasher: RandomState::default(),
            new: Generation::default(),
            old: Generation::default(),
            fleeting: Vec::new(),
            seen_once: vec![0; SEEN_ONCE],
            entries_max,
            bytes_max,
            generation: 0,
            hits: 0,
            misses: 0,
        }
    }

    #[inline]
    pub fn hash(&self, tag: u32, value: &[u8]) -> u64 {
        self.hasher.hash_one(value) ^ u64::from(tag).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[inline]
    pub fn get(&mut self, hash: u64, tag: u32, value: &[u8]) -> Option<Found> {
        if let Some(entry) = self.new.get(hash, tag, value) {
            self.hits += 1;
            return Some(entry.found);
        }
        self.get_old(hash, tag, value)
    }

    fn get_old(&mut self, hash: u64, tag: u32, value: &[u8]) -> Option<Found> {
        let Some(found) = self.old.get(hash, tag, value).map(|entry| entry.found) else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        let kept = if found == NOTHING {
            NOTHING
        } else {
            let (rules, marks) = split(&self.old.found[found as usize..]);
            self.new.keep(self.hasher.hash_one((rules, marks)), rules, marks)
        };
        self.enter(hash, tag, value, kept);
        Some(kept)
    }

    /// Remember, if it was seen before; either way, where to read it.
    pub fn put(&mut self, hash: u64, tag: u32, value: &[u8], rules: &[u32], marks: &[u32]) -> Found {
        let kept = value.len() <= VALUE_BYTES_MAX && self.was_seen(hash);
        let found = self.write(kept, rules, marks);
        if kept {
            self.enter(hash, tag, value, found);
        }
        found
    }

    fn write(&mut self, kept: bool, rules: &[u32], marks: &[u32]) -> Found {
        if rules.is_empty() && marks.is_empty() {
            return NOTHING;
        }
        if kept {
            return self.new.keep(self.hasher.hash_one((rules, marks)), rules, marks);
        }
        let found = self.fleeting.len() as u32;
        write(&mut self.fleeting, rules, marks);
        found | FLEETING
    }

    /// The rules to try, and the marks that hold.
    #[inline]
    pub fn read(&self, found: Found) -> (&[u32], &[u32]) {
        if found == NOTHING {
            return (&[], &[]);
        }
        let from = if found & FLEETING == 0 { &self.new.found } else { &self.fleeting };
        split(&from[(found & !FLEETING) as usize..])
    }

    /// Between two events, when nothing that was found is read any more.
    #[inline]
    pub fn settle(&mut self) {
        self.fleeting.clear();
        if self.new.table.len() >= self.entries_max || self.new.bytes() >= self.bytes_max {
            std::mem::swap(&mut self.new, &mut self.old);
            self.new.clear();
            self.generation = self.generation.wrapping_add(1);
        }
    }

    pub fn forget(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.new.clear();
        self.old.clear();
        self.fleeting.clear();
    }

    /// Whether it can be read after this event too.
    pub fn is_kept(found: Found) -> bool {
        found == NOTHING || found & FLEETING == 0
    }

    pub fn entries(&self) -> usize {
        self.new.table.len() + self.old.table.len()
    }

    pub fn bytes(&self) -> usize {
        self.new.bytes() + self.old.bytes()
    }

    fn was_seen(&mut self, hash: u64) -> bool {
        let (place, print) = (hash as usize % SEEN_ONCE, (hash >> 32) as u32 | 1);
        std::mem::replace(&mut self.seen_once[place], print) == print
    }

    fn enter(&mut self, hash: u64, tag: u32, value: &[u8], found: u32) {
        let start = self.new.values.len() as u32;
        self.new.values.extend_from_slice(value);
        let entry = Entry { hash, tag, start, length: value.len() as u32, found };
        self.new.table.insert_unique(hash, entry, |entry| entry.hash);
    }
}

#[inline]
fn split(found: &[u32]) -> (&[u32], &[u32]) {
    let (rules, rest) = found[1..].split_at(found[0] as usize);
    (rules, &rest[1..=rest[0] as usize])
}
