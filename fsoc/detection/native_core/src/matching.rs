//! One event against the rules of its route: anchors in its values, then the rules they propose. As plain.py finds.

use std::cmp::Ordering;

use pyo3::PyErr;

use crate::clause::{Address, TO_TRY, Test, stands};
use crate::fold::PADDING;
use crate::json::{Kind, Span};
use crate::members::Members;
use crate::memo::{Found, Memo, NOTHING, VALUE_BYTES_MAX};
use crate::number::Number;
use crate::plan::Plan;
use crate::program::Order;
use crate::room::{FieldState, Room, Value};
use crate::routes::View;
use crate::rules::{Node, Rules};

/// Python's answer for one clause and one value.
pub type Ask<'a> = &'a dyn Fn(u32, Span, &[u8]) -> Result<bool, PyErr>;

pub struct Matching<'a> {
    pub rules: &'a Rules,
    pub plan: &'a Plan,
    pub view: &'a View,
    pub bytes: &'a [u8],
    pub members: &'a mut Members,
    pub memo: &'a mut Memo,
    pub room: &'a mut Room,
    pub ask: Ask<'a>,
}

impl Matching<'_> {
    /// Adds the rules of the view that match, but for those in `matched` already.
    pub fn run(&mut self, matched: &mut Vec<u32>) {
        self.room.next_view();
        let now = self.room.now;
        for rule in matched.iter() {
            self.room.rule_at[*rule as usize] = now;
        }
        self.room.candidates.clear();
        let view = self.view;
        for &field in &view.anchored {
            let (from, to) = self.find(field);
            for value in from..to {
                let found = self.look_up(field, value);
                let (rules, _) = self.memo.read(found);
                for &rule in rules {
                    if view.has_rule(rule) && self.room.rule_at[rule as usize] != now {
                        self.room.rule_at[rule as usize] = now;
                        self.room.candidates.push(rule);
                    }
                }
            }
        }
        for &rule in &view.always {
            if self.room.rule_at[rule as usize] != now {
                self.room.candidates.push(rule);
            }
        }
        let rules = self.rules;
        for place in 0..self.room.candidates.len() {
            let rule = self.room.candidates[place];
            self.room.verified += 1;
            if self.holds(&rules.nodes[rule as usize]) {
                matched.push(rule);
            }
        }
    }

    /// Tells every clause of the view's rules that holds, and every field that is there. Asks Python nothing.
    pub fn sample(&mut self, mut hit: impl FnMut(u32), mut there: impl FnMut(u32)) {
        self.room.next_view();
        let (view, rules) = (self.view, self.rules);
        for &field in &view.fields {
            let (from, to) = self.find(field);
            if self.room.fields[field as usize].present {
                there(field);
            }
            self.room.next_search();
            for value in from..to {
                let found = self.look_up(field, value);
                let (_, marks) = self.memo.read(found);
                for &mark in marks {
                    let seen = &mut self.room.mark_seen[mark as usize];
                    if (mark as usize) < rules.tests.len() && view.has_clause(mark) && *seen != self.room.search {
                        *seen = self.room.search;
                        hit(mark);
                    }
                }
            }
        }
        for &clause in &rules.sampled {
            let (test, field) = (&rules.tests[clause as usize], rules.field_of[clause as usize]);
            if !view.has_clause(clause) || self.room.fields[field as usize].found_at != self.room.now {
                continue;
            }
            // Anchors were tried above already, and told.
            if !self.plan.rules_of[clause as usize].is_empty() {
                continue;
            }
            if matches!(test, Test::Regex(_) | Test::Compare { .. }) && self.tried(clause) {
                hit(clause);
            }
        }
    }

    fn holds(&mut self, node: &Node) -> bool {
        match node {
            Node::Marked { field, mark } => {
                self.mark(*field);
                self.room.true_at[*mark as usize] == self.room.now
            }
            Node::Tried(clause) => self.tried(*clause),
            Node::And(parts) => parts.iter().all(|part| self.holds(part)),
            Node::Or(parts) => parts.iter().any(|part| self.holds(part)),
            Node::AtLeast(count, parts) => {
                let mut held = 0;
                for part in parts {
                    held += i64::from(self.holds(part));
                }
                held >= *count
            }
            Node::Not(part) => !self.holds(part),
        }
    }

    /// The values of a field, by their places.
    fn find(&mut self, field: u32) -> (u32, u32) {
        let state = self.room.fields[field as usize];
        if state.found_at == self.room.now {
            return (state.from, state.to);
        }
        let from = self.room.values.len() as u32;
        let values = &mut self.room.values;
        let mut add = |span| values.push(Value { span, found: None });
        let present = if field == self.rules.everything() {
            self.members.everything(self.bytes, &mut add);
            true
        } else {
            let known = &self.rules.fields[field as usize];
            let over = self.view.aliases.iter().rev().filter(|(wanted, _)| *wanted == field);
            let over = over.filter_map(|(_, name)| self.members.place(*name)).next();
            if let Some(place) = over.or_else(|| self.members.place(known.name)) {
                self.members.leaves(place, self.bytes, &mut add);
                true
            } else {
                known.paths.iter().any(|(head, rest)| {
                    self.members
                        .place(*head)
                        .is_some_and(|place| self.members.resolve(place, self.bytes, rest, &mut add))
                })
            }
        };
        let to = self.room.values.len() as u32;
        let state = &mut self.room.fields[field as usize];
        *state = FieldState { found_at: self.room.now, present, from, to, ..*state };
        (from, to)
    }

    fn mark(&mut self, field: u32) {
        if self.room.fields[field as usize].marked_at == self.room.now {
            return;
        }
        let (from, to) = self.find(field);
        for value in from..to {
            let found = self.look_up(field, value);
            let (_, marks) = self.memo.read(found);
            for &mark in marks {
                self.room.true_at[mark as usize] = self.room.now;
            }
        }
        self.room.fields[field as usize].marked_at = self.room.now;
    }

    fn look_up(&mut self, field: u32, value: u32) -> Found {
        let Value { span, found } = self.room.values[value as usize];
        if let Some(found) = found {
            return found;
        }
        let found = if matches!(span.kind, Kind::Null | Kind::Object) {
            NOTHING
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

    /// Leaves in the room what holds of the value, and the rules to try for it.
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
                let clause = marks[place] as usize;
                for &or in &rules.ors_of[clause] {
                    if self.room.mark_seen[or as usize] != search {
                        self.room.mark_seen[or as usize] = search;
                        marks.push(or);
                    }
                }
                for &rule in &plan.rules_of[clause] {
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
            _ if self.plan.rules_of[clause as usize].is_empty() => false,
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

    /// A clause that is not searched, of the field's values; once per view.
    fn tried(&mut self, clause: u32) -> bool {
        let (rules, field) = (self.rules, self.rules.field_of[clause as usize]);
        if !self.plan.rules_of[clause as usize].is_empty() {
            // An anchor: tried with the search, and remembered with it.
            self.mark(field);
            return self.room.true_at[clause as usize] == self.room.now;
        }
        if self.room.tried_at[clause as usize] == self.room.now {
            return self.room.true_at[clause as usize] == self.room.now;
        }
        let (from, to) = self.find(field);
        let holds = match &rules.tests[clause as usize] {
            Test::Null => from == to || (from..to).any(|value| self.span(value).kind == Kind::Null),
            Test::Exists(wanted) => self.room.fields[field as usize].present == *wanted,
            Test::Same { other, place, cased } => {
                let others = self.find(*other);
                (from..to).any(|mine| {
                    (others.0..others.1).any(|its| self.is_same(self.span(mine), self.span(its), *place, *cased))
                })
            }
            _ => {
                let mut text = Vec::new();
                (from..to).any(|value| {
                    let span = self.span(value);
                    text.clear();
                    span.text_into(self.bytes, &mut text) && self.value_holds(clause, span, &text)
                })
            }
        };
        self.room.tried_at[clause as usize] = self.room.now;
        if holds {
            self.room.true_at[clause as usize] = self.room.now;
        }
        holds
    }

    fn span(&self, value: u32) -> Span {
        self.room.values[value as usize].span
    }

    /// A clause that is not searched, of one value with its text.
    fn value_holds(&mut self, clause: u32, span: Span, text: &[u8]) -> bool {
        match &self.rules.tests[clause as usize] {
            Test::Regex(pattern) => match pattern.holds(text) {
                Some(holds) => holds,
                None => self.asked(clause, span),
            },
            Test::Compare { order, number } => {
                let ordering = span.number(self.bytes).and_then(|mine| mine.compare(number));
                ordering.is_some_and(|ordering| match order {
                    Order::Lt => ordering == Ordering::Less,
                    Order::Lte => ordering != Ordering::Greater,
                    Order::Gt => ordering == Ordering::Greater,
                    Order::Gte => ordering != Ordering::Less,
                })
            }
            _ => self.asked(clause, span),
        }
    }

    fn asked(&mut self, clause: u32, span: Span) -> bool {
        self.room.asked += 1;
        (self.ask)(clause, span, self.bytes).unwrap_or_else(|error| {
            self.room.error.get_or_insert(error);
            false
        })
    }

    fn is_same(&self, mine: Span, its: Span, place: crate::program::Place, cased: bool) -> bool {
        if place == crate::program::Place::Whole && (mine.is_number() || its.is_number()) {
            let numbers = mine.number(self.bytes).zip(its.number(self.bytes));
            return numbers.is_some_and(|(mine, its)| mine.compare(&its) == Some(Ordering::Equal));
        }
        let text = |span: Span| {
            let mut text = Vec::new();
            span.text_into(self.bytes, &mut text).then(|| if cased { text } else { self.rules.folds.folded(&text) })
        };
        text(mine).zip(text(its)).is_some_and(|(mine, its)| stands(place, &mine, &its))
    }
}
