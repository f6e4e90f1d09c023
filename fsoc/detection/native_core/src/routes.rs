//! Which rules are tried on an event, as Python's Router answers; its answers are kept by what decides them.

use foldhash::{HashMap, HashMapExt};
use pyo3::prelude::*;

use crate::clause::stands;
use crate::fold::Folds;
use crate::json::{Kind, Span};
use crate::members::Members;
use crate::program::Place;
use crate::views::View;

pub const REMEMBERED_MAX: usize = 4096;
pub const ROUTES_MAX: usize = 1024;
/// Begins a key of what decides; no number of a field, and no kind of a value.
const KIND: u8 = 0xFE;
/// Longer texts are not worth remembering by.
const TEXT_BYTES_MAX: u32 = 256;

pub type Route = Vec<View>;
/// As Python has it: per view, (name a rule uses, name in the event) and the rules.
pub type Answer = Vec<(Vec<(String, String)>, Vec<u32>)>;

#[derive(Default)]
pub struct Routes {
    pub routes: Vec<Route>,
    by_answer: HashMap<Answer, u32>,
    /// By the object Python answered with, which is kept so that its place is not used again.
    by_object: HashMap<usize, (Py<PyAny>, u32)>,
    by_key: HashMap<Box<[u8]>, u32>,
    pub asked: u64,
}

impl Routes {
    pub fn of_key(&self, key: &[u8]) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    pub fn remember(&mut self, key: &[u8], route: u32) {
        if self.by_key.len() >= REMEMBERED_MAX {
            self.by_key.clear();
        }
        self.by_key.insert(key.into(), route);
    }

    pub fn of_object(&self, object: &Bound<'_, PyAny>) -> Option<u32> {
        self.by_object.get(&(object.as_ptr() as usize)).map(|(_, route)| *route)
    }

    pub fn is_full(&self) -> bool {
        self.routes.len() >= ROUTES_MAX
    }

    pub fn clear(&mut self) {
        *self = Routes { asked: self.asked, ..Routes::default() };
    }

    /// make: the views, where the answer is new.
    pub fn keep(&mut self, object: &Bound<'_, PyAny>, answer: Answer, make: impl FnOnce(&Answer) -> Route) -> u32 {
        let route = match self.by_answer.get(&answer) {
            Some(route) => *route,
            None => {
                let route = self.routes.len() as u32;
                self.routes.push(make(&answer));
                self.by_answer.insert(answer, route);
                route
            }
        };
        if self.by_object.len() >= REMEMBERED_MAX {
            self.by_object = HashMap::new();
        }
        self.by_object.insert(object.as_ptr() as usize, (object.clone().unbind(), route));
        route
    }
}

/// A field that decides. texts: what a text of it is compared with, folded; None: all of it may decide.
pub struct Deciding {
    pub name: String,
    pub number: u32,
    pub texts: Option<Vec<(Place, Vec<u8>)>>,
}

/// All that decides a route, written to `key`; false where that is not worth remembering by.
pub fn write_key(key: &mut Vec<u8>, deciding: &[Deciding], members: &Members, bytes: &[u8]) -> bool {
    for (place, field) in deciding.iter().enumerate() {
        let Some(found) = members.place(field.number) else { continue };
        key.push(place as u8);
        if !write_span(key, members.span(found), bytes) {
            return false;
        }
    }
    true
}

/// What of it decides, so that of texts nobody compares with anything one is like the other.
pub fn write_kind(key: &mut Vec<u8>, deciding: &[Deciding], members: &Members, bytes: &[u8], folds: &Folds) -> bool {
    key.push(KIND);
    for (place, field) in deciding.iter().enumerate() {
        let Some(found) = members.place(field.number) else { continue };
        let span = members.span(found);
        key.push(place as u8);
        match &field.texts {
            Some(texts) if span.is_text() => {
                let mut text = Vec::new();
                span.text_into(bytes, &mut text);
                let text = folds.folded(&text);
                key.push(KIND);
                key.extend(texts.iter().map(|(place, wanted)| u8::from(stands(*place, &text, wanted))));
            }
            _ if !write_span(key, span, bytes) => return false,
            _ => {}
        }
    }
    true
}

fn write_span(key: &mut Vec<u8>, span: Span, bytes: &[u8]) -> bool {
    let length = span.end - span.start;
    if matches!(span.kind, Kind::Object | Kind::List) || length > TEXT_BYTES_MAX {
        return false;
    }
    key.push(span.kind as u8);
    key.extend_from_slice(&(length as u16).to_le_bytes());
    key.extend_from_slice(&bytes[span.start as usize..span.end as usize]);
    true
}
