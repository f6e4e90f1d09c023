//! What trying rules came to before: which of some rules match where the same holds of the fields they look at.
//!
//! Bounded; what it knows of values is where the memo keeps them, so that it forgets all when the memo drops any.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::clause::Test;
use crate::plan::Plan;
use crate::rules::Rules;

/// What is kept, in words of four bytes; past it all is forgotten.
const WORDS_MAX: usize = 1 << 21;
/// What an entry or a set takes beside its numbers.
const ENTRY_WORDS: usize = 10;
const SET_WORDS: usize = 40;

/// Rules proposed together.
pub struct Together {
    /// Fields that decide of the rules whose clauses are searched, or ask what is there.
    pub fields: Box<[u32]>,
    pub decided: Box<[u32]>,
    /// The others, to be tried each time.
    pub tried: Box<[u32]>,
}

struct Entry {
    hash: u64,
    /// The key and, behind it, the answer, in the numbers.
    start: u32,
    key: u32,
    answer: u32,
}

pub struct Verdicts {
    hasher: RandomState,
    generation: u32,
    sets: HashTable<Entry>,
    together: Vec<Together>,
    verdicts: HashTable<Entry>,
    numbers: Vec<u32>,
    words: usize,
    pub hits: u64,
    pub misses: u64,
}

impl Verdicts {
    pub fn new() -> Verdicts {
        Verdicts {
            hasher: RandomState::default(),
            generation: 0,
            sets: HashTable::new(),
            together: Vec::new(),
            verdicts: HashTable::new(),
            numbers: Vec::new(),
            words: 0,
            hits: 0,
            misses: 0,
        }
    }

    /// Before an event: forgets all if the memo does not keep what it kept, or if it is too much.
    pub fn settle(&mut self, generation: u32) {
        if generation != self.generation || self.words > WORDS_MAX {
            self.generation = generation;
            self.sets.clear();
            self.together.clear();
            self.verdicts.clear();
            self.numbers.clear();
            self.words = 0;
        }
    }

    /// The number of a set of rules.
    pub fn set(&mut self, candidates: &[u32], rules: &Rules, plan: &Plan) -> u32 {
        let hash = self.hasher.hash_one(candidates);
        if let Some(entry) = find(&self.sets, &self.numbers, hash, candidates) {
            return entry.answer;
        }
        let is_decided = |rule: &u32| {
            rules.clauses_of[*rule as usize].iter().all(|clause| {
                let test = &rules.tests[*clause as usize];
                // Anchors are tried with the search.
                test.is_searched()
                    || matches!(test, Test::Null | Test::Exists(_))
                    || !plan.rules_of.of(*clause).is_empty()
            })
        };
        let (decided, tried): (Vec<u32>, Vec<u32>) = candidates.iter().partition(|rule| is_decided(rule));
        let mut fields: Vec<u32> = decided.iter().flat_map(|rule| rules.fields_of(*rule)).collect();
        fields.sort_unstable();
        fields.dedup();
        let number = self.together.len() as u32;
        self.words += SET_WORDS + 2 * candidates.len() + fields.len();
        self.together.push(Together { fields: fields.into(), decided: decided.into(), tried: tried.into() });
        let (start, key) = (self.numbers.len() as u32, candidates.len() as u32);
        self.numbers.extend_from_slice(candidates);
        self.sets.insert_unique(hash, Entry { hash, start, key, answer: number }, |entry| entry.hash);
        number
    }

    pub fn together(&self, set: u32) -> &Together {
        &self.together[set as usize]
    }

    /// The rules that matched, where it is known.
    pub fn get(&mut self, key: &[u32]) -> Result<&[u32], u64> {
        let hash = self.hasher.hash_one(key);
        match find(&self.verdicts, &self.numbers, hash, key) {
            Some(entry) => {
                self.hits += 1;
                let from = (entry.start + entry.key) as usize;
                Ok(&self.numbers[from..from + entry.answer as usize])
            }
            None => {
                self.misses += 1;
                Err(hash)
            }
        }
    }

    /// hash: as get told.
    pub fn put(&mut self, hash: u64, key: &[u32], matched: &[u32]) {
        let start = self.numbers.len() as u32;
        self.words += ENTRY_WORDS + key.len() + matched.len();
        self.numbers.extend_from_slice(key);
        self.numbers.extend_from_slice(matched);
        let entry = Entry { hash, start, key: key.len() as u32, answer: matched.len() as u32 };
        self.verdicts.insert_unique(hash, entry, |entry| entry.hash);
    }

    pub fn entries(&self) -> usize {
        self.verdicts.len()
    }
}

fn find<'a>(table: &'a HashTable<Entry>, numbers: &[u32], hash: u64, key: &[u32]) -> Option<&'a Entry> {
    table.find(hash, |entry| {
        entry.hash == hash && numbers.get(entry.start as usize..(entry.start + entry.key) as usize) == Some(key)
    })
}
