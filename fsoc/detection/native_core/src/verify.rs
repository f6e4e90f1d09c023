//! Rules that were proposed, tried on the event; or what trying them came to when the same held.

use crate::json::Kind;
use crate::matching::Matching;
use crate::memo::Memo;

/// Fewer rules are sooner tried than looked up.
const TOGETHER_MIN: usize = 3;
/// In a key: no such field, or null. No place where the memo keeps anything, and no count of values.
const ABSENT: u32 = u32::MAX - 1;

impl Matching<'_> {
    pub fn verify(&mut self, candidates: &[u32], matched: &mut Vec<u32>) {
        if candidates.len() < TOGETHER_MIN {
            return self.try_each(candidates, matched);
        }
        let set = self.verdicts.set(candidates, self.rules, self.plan);
        let mut key = std::mem::take(&mut self.room.key);
        key.clear();
        key.push(set);
        let fields = self.verdicts.together(set).fields.len();
        let is_known = (0..fields).all(|place| {
            let field = self.verdicts.together(set).fields[place];
            self.write_state(field, &mut key)
        });
        if !is_known {
            self.try_each(candidates, matched);
        } else {
            match self.verdicts.get(&key) {
                Ok(known) => matched.extend_from_slice(known),
                Err(hash) => {
                    let before = matched.len();
                    let decided = self.verdicts.together(set).decided.clone();
                    self.try_each(&decided, matched);
                    self.verdicts.put(hash, &key, &matched[before..]);
                }
            }
            if !self.verdicts.together(set).tried.is_empty() {
                let tried = self.verdicts.together(set).tried.clone();
                self.try_each(&tried, matched);
            }
        }
        self.room.key = key;
    }

    fn try_each(&mut self, candidates: &[u32], matched: &mut Vec<u32>) {
        let rules = self.rules;
        for &rule in candidates {
            self.room.verified += 1;
            if self.holds(&rules.conditions[rule as usize], 0) {
                matched.push(rule);
            }
        }
    }

    /// All that rules whose clauses are searched can see of a field; false where it cannot be known again.
    fn write_state(&mut self, field: u32, key: &mut Vec<u32>) -> bool {
        if field == self.rules.everything() {
            key.push(ABSENT);
            return self.has_no_keyword();
        }
        let (from, to) = self.find(field);
        if !self.room.fields[field as usize].present {
            key.push(ABSENT);
            return true;
        }
        key.push(to - from);
        for value in from..to {
            let is_null = self.span(value).kind == Kind::Null;
            let found = if is_null { ABSENT } else { self.look_up(field, value) };
            if !is_null && !Memo::is_kept(found) {
                return false;
            }
            key.push(found);
        }
        true
    }
}
