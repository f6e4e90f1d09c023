//! One way to look at an event: what is tried on it under which names, and what need not be.

use aho_corasick::packed;

use crate::clause::Test;
use crate::fold::Folds;
use crate::plan::Plan;
use crate::rules::Rules;

/// (what rules call a field, number of the name its values stand under); the rules.
pub type Raw = (Vec<(u32, u32)>, Vec<u32>);

/// The views of a route. A rule stands in a later one only if that shows it something else than an earlier one does.
pub fn views(rules: &Rules, raw: Vec<Raw>) -> Vec<View> {
    let changed =
        |one: &Raw, other: &Raw| -> Vec<u32> { one.0.iter().chain(&other.0).map(|(field, _)| *field).collect() };
    let mut made: Vec<View> = Vec::with_capacity(raw.len());
    for (place, view) in raw.iter().enumerate() {
        let is_new = |rule: &&u32| {
            !raw[..place].iter().any(|earlier| {
                let changed = changed(earlier, view);
                earlier.1.binary_search(rule).is_ok() && !rules.fields_of(**rule).any(|field| changed.contains(&field))
            })
        };
        let known = view.1.iter().filter(|rule| (**rule as usize) < rules.conditions.len());
        let mut new = View::new(rules, view.0.clone(), known.filter(is_new).copied().collect());
        new.changed = if place > 0 { changed(&raw[place - 1], view) } else { Vec::new() };
        made.push(new);
    }
    made
}

/// One way to look at an event.
pub struct View {
    /// (field, number of the name its values stand under).
    pub aliases: Vec<(u32, u32)>,
    pub rules: Vec<u32>,
    rule_bits: Vec<u64>,
    clause_bits: Vec<u64>,
    /// Fields that its rules look at.
    pub fields: Vec<u32>,
    /// Of these, those with anchors of the plan; and the rules tried always.
    pub anchored: Vec<u32>,
    pub always: Vec<u32>,
    plan: u32,
    /// Fields that stand for something else than in the view before.
    pub changed: Vec<u32>,
    pub keywords: Keywords,
    /// Events seen, by field that was there; of samples only.
    pub tried: Vec<u64>,
}

impl View {
    pub fn new(rules: &Rules, aliases: Vec<(u32, u32)>, indexes: Vec<u32>) -> View {
        let mut made = View {
            aliases,
            rule_bits: vec![0; rules.conditions.len().div_ceil(64)],
            clause_bits: vec![0; rules.tests.len().div_ceil(64)],
            fields: Vec::new(),
            anchored: Vec::new(),
            always: Vec::new(),
            plan: 0,
            changed: Vec::new(),
            keywords: Keywords::Any,
            tried: vec![0; rules.fields.len()],
            rules: indexes.into_iter().filter(|rule| (*rule as usize) < rules.conditions.len()).collect(),
        };
        for &rule in &made.rules {
            set(&mut made.rule_bits, rule);
            for &clause in &rules.clauses_of[rule as usize] {
                set(&mut made.clause_bits, clause);
                made.fields.push(rules.field_of[clause as usize]);
            }
        }
        made.fields.sort_unstable();
        made.fields.dedup();
        made.keywords = Keywords::new(rules, &made);
        made
    }

    #[inline]
    pub fn has_rule(&self, rule: u32) -> bool {
        has(&self.rule_bits, rule)
    }

    #[inline]
    pub fn has_clause(&self, clause: u32) -> bool {
        has(&self.clause_bits, clause)
    }

    /// Made ready for a plan, by its number; the first is 1.
    pub fn follow(&mut self, plan: &Plan, number: u32) {
        if self.plan == number {
            return;
        }
        self.plan = number;
        let anchored = self.rules.iter().flat_map(|rule| &plan.fields_of[*rule as usize]);
        self.anchored = anchored.copied().collect();
        self.anchored.sort_unstable();
        self.anchored.dedup();
        self.always = self.rules.iter().copied().filter(|rule| plan.always[*rule as usize]).collect();
    }
}

#[inline]
fn has(bits: &[u64], number: u32) -> bool {
    bits.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
}

fn set(bits: &mut [u64], number: u32) {
    if let Some(word) = bits.get_mut(number as usize / 64) {
        *word |= 1 << (number % 64);
    }
}

/// The quickest way to know that no keyword of a view's rules is in an event.
pub enum Keywords {
    /// There is no such way.
    Any,
    None,
    /// As they are, and as they stand in JSON.
    Few {
        plain: packed::Searcher,
        escaped: packed::Searcher,
    },
}

impl Keywords {
    fn new(rules: &Rules, view: &View) -> Keywords {
        let everything = rules.everything();
        let mut texts: Vec<Vec<u8>> = Vec::new();
        for (clause, test) in rules.tests.iter().enumerate() {
            if rules.field_of[clause] != everything || !view.has_clause(clause as u32) {
                continue;
            }
            match test {
                Test::Text { text, number: None, .. } => texts.push(rules.folds.folded(text)),
                Test::Glob { glob, .. } => texts.push(rules.folds.folded(&glob.longest)),
                Test::Regex(pattern) if !pattern.required.is_empty() => texts.extend_from_slice(&pattern.required),
                _ => return Keywords::Any,
            }
        }
        if texts.iter().any(Vec::is_empty) {
            return Keywords::Any;
        }
        if texts.is_empty() {
            return Keywords::None;
        }
        let escaped: Option<Vec<Vec<u8>>> = texts.iter().map(|text| escaped(text)).collect();
        // Where they are many, looking at values one by one, most of them seen before, is as quick.
        match (packed::Searcher::new(&texts), escaped.and_then(packed::Searcher::new)) {
            (Some(plain), Some(escaped)) => Keywords::Few { plain, escaped },
            _ => Keywords::Any,
        }
    }

    /// Whether the bytes of an event, folded, may hold one.
    pub fn may_be_in(&self, folded: &[u8], is_of_json: bool) -> bool {
        match self {
            Keywords::Any => true,
            Keywords::None => false,
            Keywords::Few { plain, escaped } => (if is_of_json { escaped } else { plain }).find(folded).is_some(),
        }
    }
}

/// A text as JSON writes it where it escapes what must be and no more; None for those with rarer escapes.
fn escaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => return None,
            _ => out.push(byte),
        }
    }
    Some(out)
}

/// Every text of an event in one, folded. bytes: all of it.
pub fn everything_folded(folds: &Folds, bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    folds.fold_into(bytes, out);
    // What has no text of its own where the event came from Python.
    out.extend_from_slice(b" true false");
}
