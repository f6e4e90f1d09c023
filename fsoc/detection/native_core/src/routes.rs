//! Which rules are tried on an event, as Python's Router answers; its answers are kept by what decides them.

use foldhash::{HashMap, HashMapExt};
use pyo3::prelude::*;

use crate::json::{Kind, Span};
use crate::members::Members;
use crate::views::View;

pub const REMEMBERED_MAX: usize = 4096;
pub const ROUTES_MAX: usize = 1024;
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

/// All that decides a route, written to `key`; false where that is not worth remembering by.
pub fn write_key(key: &mut Vec<u8>, deciding: &[u32], members: &Members, bytes: &[u8]) -> bool {
    for (place, &name) in deciding.iter().enumerate() {
        let Some(found) = members.place(name) else { continue };
        let span = members.span(found);
        key.push(place as u8);
        if !write_span(key, span, bytes) {
            return false;
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
