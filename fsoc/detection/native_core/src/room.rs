//! What is known of one event while its rules are tried, in room that is used again for the next.

use pyo3::PyErr;

use crate::json::Span;
use crate::memo::Found;
use crate::rules::Rules;

#[derive(Clone, Copy, Default)]
pub struct FieldState {
    pub found_at: u32,
    pub marked_at: u32,
    pub present: bool,
    pub from: u32,
    pub to: u32,
}

pub struct Value {
    pub span: Span,
    pub found: Option<Found>,
}

/// What an event needs room for; used again for the next.
#[derive(Default)]
pub struct Room {
    /// Counts events; whatever is stamped with it is known of this one.
    pub now: u32,
    /// Counts views.
    pub view: u32,
    /// Clauses that were tried on this event.
    pub tried: Vec<u32>,
    /// Counts searches.
    pub search: u32,
    pub fields: Vec<FieldState>,
    pub values: Vec<Value>,
    pub true_at: Vec<u32>,
    pub tried_at: Vec<u32>,
    pub rule_at: Vec<u32>,
    pub mark_seen: Vec<u32>,
    pub rule_seen: Vec<u32>,
    /// The event whose texts all stand in `everything`, folded.
    pub glanced_at: u32,
    pub everything: Vec<u8>,
    /// The view that was last asked whether it has no keyword in the event, and the answer.
    pub keywords_of: (u32, bool),
    pub key: Vec<u32>,
    pub text: Vec<u8>,
    pub folded: Vec<u8>,
    pub proposed: Vec<u32>,
    pub marks: Vec<u32>,
    pub rules: Vec<u32>,
    pub candidates: Vec<u32>,
    pub error: Option<PyErr>,
    pub verified: u64,
    pub asked: u64,
}

impl Room {
    pub fn new(rules: &Rules) -> Room {
        let stamps = |count| vec![0; count];
        Room {
            fields: vec![FieldState::default(); rules.fields.len()],
            true_at: stamps(rules.marks),
            tried_at: stamps(rules.tests.len()),
            rule_at: stamps(rules.conditions.len()),
            mark_seen: stamps(rules.marks),
            rule_seen: stamps(rules.conditions.len()),
            ..Room::default()
        }
    }

    pub fn next_event(&mut self) {
        self.values.clear();
        self.tried.clear();
        if self.now == u32::MAX {
            self.now = 0;
            self.fields.fill(FieldState::default());
            self.true_at.fill(0);
            self.tried_at.fill(0);
        }
        self.now += 1;
    }

    pub fn next_view(&mut self) {
        if self.view == u32::MAX {
            self.view = 0;
            self.keywords_of.0 = 0;
            self.rule_at.fill(0);
        }
        self.view += 1;
    }

    pub fn next_search(&mut self) {
        if self.search == u32::MAX {
            self.search = 0;
            self.mark_seen.fill(0);
            self.rule_seen.fill(0);
        }
        self.search += 1;
    }
}
