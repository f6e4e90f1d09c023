//! One event against the rules of its route: anchors in its values, then the rules they propose. As plain.py finds.

use std::cmp::Ordering;

use pyo3::PyErr;

use crate::clause::{Test, stands};
use crate::code::{Op, after};
use crate::json::{Kind, Span};
use crate::members::Members;
use crate::memo::{Memo, NOTHING};
use crate::plan::Plan;
use crate::program::Order;
use crate::room::{FieldState, Room, Value};

use crate::rules::Rules;
use crate::verdicts::Verdicts;
use crate::views::{Keywords, View, everything_folded};

/// Python's answer for one clause and one value.
pub type Ask<'a> = &'a dyn Fn(u32, Span, &[u8]) -> Result<bool, PyErr>;

pub struct Matching<'a> {
    pub rules: &'a Rules,
    pub plan: &'a Plan,
    pub view: &'a View,
    pub bytes: &'a [u8],
    pub members: &'a mut Members,
    pub memo: &'a mut Memo,
    pub verdicts: &'a mut Verdicts,
    pub room: &'a mut Room,
    pub ask: Ask<'a>,
}

impl Matching<'_> {
    /// Adds the rules of the view that match, but for those in `matched` already. Views of an event follow each other;
    /// what is known of fields that the next one does not change is kept.
    pub fn run(&mut self, matched: &mut Vec<u32>) {
        self.room.next_view();
        self.forget_changed();
        let seen = self.room.view;
        for rule in matched.iter() {
            self.room.rule_at[*rule as usize] = seen;
        }
        self.room.candidates.clear();
        let view = self.view;
        for &field in &view.anchored {
            if field == self.rules.everything() && self.has_no_keyword() {
                continue;
            }
            let (from, to) = self.find(field);
            for value in from..to {
                let found = self.look_up(field, value);
                let (rules, _) = self.memo.read(found);
                for &rule in rules {
                    if view.has_rule(rule) && self.room.rule_at[rule as usize] != seen {
                        self.room.rule_at[rule as usize] = seen;
                        self.room.candidates.push(rule);
                    }
                }
            }
        }
        for &rule in &view.always {
            if self.room.rule_at[rule as usize] != seen {
                self.room.candidates.push(rule);
            }
        }
        let candidates = std::mem::take(&mut self.room.candidates);
        self.verify(&candidates, matched);
        self.room.candidates = candidates;
    }

    fn forget_changed(&mut self) {
        let (view, now) = (self.view, self.room.now);
        for &field in &view.changed {
            let state = self.room.fields[field as usize];
            if state.found_at != now {
                continue;
            }
            for value in state.from..state.to {
                let (_, marks) = self.memo.read(self.room.values[value as usize].found.unwrap_or(NOTHING));
                marks.iter().for_each(|mark| self.room.true_at[*mark as usize] = 0);
            }
            self.room.fields[field as usize] = FieldState::default();
        }
        // Another view has other keywords, and clauses that look at two fields.
        self.room.fields[self.rules.everything() as usize].marked_at = 0;
        while let Some(clause) = self.room.tried.pop() {
            self.room.tried_at[clause as usize] = 0;
            self.room.true_at[clause as usize] = 0;
        }
    }

    /// Whether a glance at the whole event shows that no keyword of the view can be in it.
    pub fn has_no_keyword(&mut self) -> bool {
        let (rules, everything) = (self.rules, self.rules.everything() as usize);
        if matches!(self.view.keywords, Keywords::Any)
            || !self.plan.eager[everything].is_empty()
            || !self.members.shows_texts()
        {
            return false;
        }
        if self.room.keywords_of.0 == self.room.view {
            return self.room.keywords_of.1;
        }
        let Room { everything: folded, glanced_at, fields, now, .. } = &mut *self.room;
        if *glanced_at != *now {
            *glanced_at = *now;
            everything_folded(&rules.folds, self.bytes, folded);
        }
        let has_none = !self.view.keywords.may_be_in(folded, self.members.is_of_json());
        if has_none {
            fields[everything].marked_at = *now;
        }
        self.room.keywords_of = (self.room.view, has_none);
        has_none
    }

    /// Tells every clause of the view's rules that holds, and every field that is there. Asks Python nothing.
    pub fn sample(&mut self, mut hit: impl FnMut(u32), mut there: impl FnMut(u32)) {
        let (view, rules) = (self.view, self.rules);
        for &field in &view.fields {
            if field == rules.everything() && self.has_no_keyword() {
                there(field);
                continue;
            }
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
            if !self.plan.rules_of.of(clause).is_empty() {
                continue;
            }
            if matches!(test, Test::Regex(_) | Test::Compare { .. }) && self.tried(clause) {
                hit(clause);
            }
        }
    }

    pub fn holds(&mut self, code: &[Op], at: usize) -> bool {
        match code[at] {
            Op::Marked { field, mark } => {
                if self.room.fields[field as usize].marked_at != self.room.now {
                    self.mark(field);
                }
                self.room.true_at[mark as usize] == self.room.now
            }
            Op::Tried(clause) => self.tried(clause),
            Op::And { end } => {
                let mut part = at + 1;
                while part < end as usize {
                    if !self.holds(code, part) {
                        return false;
                    }
                    part = after(code, part);
                }
                true
            }
            Op::Or { end } => {
                let mut part = at + 1;
                while part < end as usize {
                    if self.holds(code, part) {
                        return true;
                    }
                    part = after(code, part);
                }
                false
            }
            Op::AtLeast { count, end } => {
                let (mut part, mut held) = (at + 1, 0);
                while part < end as usize {
                    held += u32::from(self.holds(code, part));
                    part = after(code, part);
                }
                held >= count
            }
            Op::Not => !self.holds(code, at + 1),
        }
    }

    /// The values of a field, by their places.
    pub fn find(&mut self, field: u32) -> (u32, u32) {
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
        if field == self.rules.everything() && self.has_no_keyword() {
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

    /// A clause that is not searched, of the field's values; once per view.
    fn tried(&mut self, clause: u32) -> bool {
        let (rules, field) = (self.rules, self.rules.field_of[clause as usize]);
        if !self.plan.rules_of.of(clause).is_empty() {
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
                let mut text = std::mem::take(&mut self.room.text);
                let holds = (from..to).any(|value| {
                    let span = self.span(value);
                    text.clear();
                    span.text_into(self.bytes, &mut text) && self.value_holds(clause, span, &text)
                });
                self.room.text = text;
                holds
            }
        };
        self.room.tried_at[clause as usize] = self.room.now;
        self.room.tried.push(clause);
        if holds {
            self.room.true_at[clause as usize] = self.room.now;
        }
        holds
    }

    pub fn span(&self, value: u32) -> Span {
        self.room.values[value as usize].span
    }

    /// A clause that is not searched, of one value with its text.
    pub fn value_holds(&mut self, clause: u32, span: Span, text: &[u8]) -> bool {
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

    pub fn asked(&mut self, clause: u32, span: Span) -> bool {
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
