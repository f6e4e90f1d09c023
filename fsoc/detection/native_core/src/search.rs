//! What holds of one value: remembered, or searched for all clauses of its field at once.

use crate::clause::{Address, TO_TRY, Test, stands};
use crate::fold::PADDING;
use crate::json::{Kind, Span};
use crate::matching::Matching;
use crate::memo::{Found, NOTHING, VALUE_BYTES_MAX};
use crate::number::Number;
use crate::room::Value;

impl Matching<'_> {
    pub fn look_up(&mut self, field: u32, value: u32) -> Found {
        let Value { span, found } = self.room.values[value as usize];
        if let Some(found) = found {
            return found;
        }
        let found = if matches!(span.kind, Kind::Null | Kind::Object) {
            NOTHING
        } else if self.is_quick(field, span.kind) {
            self.search(field, span);
            self.keep_quick(field, span)
        } else {
            let (tag, raw) = (field << 4 | span.kind as u32, span.raw(self.bytes));
            let hash = self.memo.hash(tag, raw);
            let known = if raw.len() > VALUE_BYTES_MAX { None } else { self.memo.get(hash, tag, raw) };
            known.unwrap_or_else(|| {
                self.search(field, span);
                self.memo.put(hash, tag, raw, &self.room.rules, &self.room.marks)
            })
        };
        self.room.values[value as usize].found = Some(found);
        found
    }

    /// What holds of few values is kept, for what it has come to can be remembered then.
    fn keep_quick(&mut self, field: u32, span: Span) -> Found {
        let (rules, marks) = (&self.room.rules, &self.room.marks);
        if rules.is_empty() && marks.is_empty() {
            return NOTHING;
        }
        let (tag, raw) = (field << 4 | span.kind as u32, span.raw(self.bytes));
        let hash = self.memo.hash(tag, raw);
        match self.memo.get(hash, tag, raw) {
            Some(found) => found,
            None => self.memo.put(hash, tag, raw, rules, marks),
        }
    }

    /// Whether a value is as soon searched as remembered.
    fn is_quick(&self, field: u32, kind: Kind) -> bool {
        (self.rules.finders[field as usize].is_quick || kind == Kind::Int) && self.plan.eager[field as usize].is_empty()
    }

    /// Leaves in the room what holds of the value, and the rules to try for it.
    #[inline(never)]
    fn search(&mut self, field: u32, span: Span) {
        self.room.next_search();
        let search = self.room.search;
        let (rules, plan, finder) = (self.rules, self.plan, &self.rules.finders[field as usize]);
        let mut text = std::mem::take(&mut self.room.text);
        let mut folded = std::mem::take(&mut self.room.folded);
        let mut proposed = std::mem::take(&mut self.room.proposed);
        let mut marks = std::mem::take(&mut self.room.marks);
        text.clear();
        folded.clear();
        proposed.clear();
        marks.clear();
        self.room.rules.clear();
        if !finder.is_empty && span.text_into(self.bytes, &mut text) {
            rules.folds.fold_into(&text, &mut folded);
            let length = folded.len();
            folded.resize(length + PADDING, 0);
            finder.literals.find(&folded, &mut |number| proposed.push(number));
            for &number in &proposed {
                let clause = number & !TO_TRY;
                if self.room.mark_seen[clause as usize] == search {
                    continue;
                }
                self.room.mark_seen[clause as usize] = search;
                if number == clause || self.proposed_holds(clause, span, &text, &folded[..length]) {
                    marks.push(clause);
                }
            }
            self.search_numbers(field, span, &mut marks);
            self.search_networks(field, span, &text, &mut marks);
            for &clause in &plan.eager[field as usize] {
                if self.value_holds(clause, span, &text) {
                    marks.push(clause);
                }
            }
            for place in 0..marks.len() {
                let clause = marks[place];
                for &or in rules.ors_of.of(clause) {
                    if self.room.mark_seen[or as usize] != search {
                        self.room.mark_seen[or as usize] = search;
                        marks.push(or);
                    }
                }
                for &rule in plan.rules_of.of(clause) {
                    if self.room.rule_seen[rule as usize] != search {
                        self.room.rule_seen[rule as usize] = search;
                        self.room.rules.push(rule);
                    }
                }
            }
        }
        (self.room.text, self.room.folded, self.room.proposed, self.room.marks) = (text, folded, proposed, marks);
    }

    fn proposed_holds(&mut self, clause: u32, span: Span, text: &[u8], folded: &[u8]) -> bool {
        match &self.rules.tests[clause as usize] {
            Test::Text { text: wanted, place, .. } => stands(*place, text, wanted),
            Test::Glob { glob, cased } => glob.holds(if *cased { text } else { folded }),
            // Those that are no anchors wait until a rule asks.
            _ if self.plan.rules_of.of(clause).is_empty() => false,
            _ => self.value_holds(clause, span, text),
        }
    }

    fn search_numbers(&mut self, field: u32, span: Span, marks: &mut Vec<u32>) {
        let finder = &self.rules.finders[field as usize];
        if finder.numbers.is_empty() && (finder.raw_numbers.is_empty() || !span.is_number()) {
            return;
        }
        let Some(key) = span.number(self.bytes).as_ref().and_then(Number::key) else { return };
        let raw = if span.is_number() { finder.raw_numbers.get(&key) } else { None };
        for &clause in finder.numbers.get(&key).into_iter().chain(raw).flatten() {
            let seen = &mut self.room.mark_seen[clause as usize];
            if *seen != self.room.search {
                *seen = self.room.search;
                marks.push(clause);
            }
        }
    }

    fn search_networks(&mut self, field: u32, span: Span, text: &[u8], marks: &mut Vec<u32>) {
        let networks = &self.rules.finders[field as usize].networks;
        if networks.is_empty() || !span.is_text() {
            return;
        }
        let address = Address::new(text);
        if address.is_none() && !text.contains(&b'%') {
            return;
        }
        for &clause in networks {
            let holds = match (&self.rules.tests[clause as usize], &address) {
                (Test::Network(network), Some(address)) => network.has(address),
                _ => self.asked(clause, span),
            };
            if holds {
                marks.push(clause);
            }
        }
    }
}
