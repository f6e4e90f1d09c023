//! From a line or a dict to its members and its route; Python's Router is asked for what is not remembered.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::Unsure;
use crate::engine::{Engine, State};
use crate::json::{Kind, Span};
use crate::python::read_dict;
use crate::routes::{Answer, Deciding, write_key, write_kind};

const STATED_BYTES_MAX: usize = 256;
/// Between what decides in the event and what its sender states.
const STATED: u8 = 0xFF;

pub enum Outcome {
    Blank,
    Unsure,
    Untried,
    Tried,
}

pub fn unsure() -> PyErr {
    Unsure::new_err("left to the plain evaluator")
}

impl Engine {
    pub fn match_line(&mut self, py: Python<'_>, line: &[u8]) -> PyResult<Outcome> {
        if self.state.members.read_line(line, &self.names).is_err() {
            let is_blank = line.iter().all(|byte| matches!(byte, b'\t'..=b'\r' | b' '));
            return Ok(if is_blank { Outcome::Blank } else { Outcome::Unsure });
        }
        let Some((stated, route)) = self.known_route_of_line(line) else { return Ok(Outcome::Unsure) };
        let route = match route {
            Some(route) => route,
            None => {
                let Some(route) = self.route_of_line(py, line, stated)? else { return Ok(Outcome::Unsure) };
                // What the route's views look at may have been of no interest before.
                if self.state.members.read_line(line, &self.names).is_err() {
                    return Ok(Outcome::Unsure);
                }
                self.state.members.remove(self.logsource);
                route
            }
        };
        self.run(py, Some(line), route)?;
        Ok(if self.routes.routes[route as usize].is_empty() { Outcome::Untried } else { Outcome::Tried })
    }

    /// None where what is stated is no object.
    fn known_route_of_line(&mut self, line: &[u8]) -> Option<(Option<Span>, Option<u32>)> {
        let stated = self.state.members.remove(self.logsource);
        if stated.is_some_and(|stated| !matches!(stated.kind, Kind::Object | Kind::Null)) {
            return None;
        }
        self.state.key.clear();
        let known = write_key(&mut self.state.key, &self.deciding, &self.state.members, line);
        let mut tail = std::mem::take(&mut self.state.tail);
        tail.clear();
        let mut is_short = true;
        if let Some(stated) = stated {
            tail.extend_from_slice(&[STATED, b'J']);
            tail.extend_from_slice(stated.raw(line));
            is_short = stated.raw(line).len() <= STATED_BYTES_MAX;
        }
        let route = self.known_route(known, is_short.then_some(&tail), Some(line));
        self.state.tail = tail;
        Some((stated, route))
    }

    /// By all that decides, or by what of it decides; the keys are left for the answer where it is not known.
    /// tail: what is stated; None: it is not worth remembering by.
    fn known_route(&mut self, is_key: bool, tail: Option<&Vec<u8>>, line: Option<&[u8]>) -> Option<u32> {
        let State { members, bytes, key, kind, .. } = &mut self.state;
        kind.clear();
        let Some(tail) = tail else {
            key.clear();
            return None;
        };
        if is_key {
            key.extend_from_slice(tail);
            if let Some(route) = self.routes.of_key(key) {
                return Some(route);
            }
        } else {
            key.clear();
        }
        if !write_kind(kind, &self.deciding, members, line.unwrap_or(bytes), &self.rules.folds) {
            kind.clear();
            return None;
        }
        kind.extend_from_slice(tail);
        let route = self.routes.of_key(kind)?;
        if is_key {
            self.routes.remember(key, route);
        }
        Some(route)
    }

    fn route_of_line(&mut self, py: Python<'_>, line: &[u8], stated: Option<Span>) -> PyResult<Option<u32>> {
        let fields = PyDict::new(py);
        for Deciding { name, number, .. } in &self.deciding {
            if let Some(place) = self.state.members.place(*number) {
                let span = self.state.members.span(place);
                let quotes = u32::from(span.is_text());
                let token = &line[(span.start - quotes) as usize..(span.end + quotes) as usize];
                fields.set_item(name, PyBytes::new(py, token))?;
            }
        }
        let stated = stated.map(|stated| PyBytes::new(py, stated.raw(line)));
        match self.route_of_json.bind(py).call1((fields, stated)) {
            Ok(answer) => Ok(Some(self.keep(&answer)?)),
            Err(error) if error.is_instance_of::<PyValueError>(py) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn read_dict(&mut self, fields: &Bound<'_, PyDict>) -> PyResult<()> {
        let State { members, bytes, .. } = &mut self.state;
        bytes.clear();
        members.clear(&self.names);
        read_dict(fields, members, bytes, &self.names).map_err(|_| unsure())
    }

    pub fn route_of_dict(&mut self, fields: &Bound<'_, PyDict>, stated: &Bound<'_, PyAny>) -> PyResult<u32> {
        let State { members, bytes, key, .. } = &mut self.state;
        key.clear();
        let is_key = write_key(key, &self.deciding, members, bytes);
        let mut tail = Vec::new();
        let mut known = true;
        if let Ok(stated) = stated.cast_exact::<PyDict>() {
            tail.extend_from_slice(&[STATED, b'P']);
            for name in ["product", "category", "service"] {
                let Some(value) = stated.get_item(name)?.filter(|value| !value.is_none()) else {
                    tail.push(0);
                    continue;
                };
                let text = value.cast::<PyString>().ok().and_then(|text| text.to_str().ok());
                let text = text.filter(|text| text.len() < STATED_BYTES_MAX);
                known &= text.is_some();
                tail.push(1);
                tail.extend_from_slice(text.unwrap_or_default().as_bytes());
                tail.push(0xFF);
            }
        } else {
            known = stated.is_none();
        }
        if let Some(route) = self.known_route(is_key, known.then_some(&tail), None) {
            return Ok(route);
        }
        let answer = self.route.bind(fields.py()).call1((fields, stated))?;
        let route = self.keep(&answer)?;
        self.read_dict(fields)?;
        Ok(route)
    }

    /// Keep an answer under the keys that were written, if any was.
    fn keep(&mut self, answer: &Bound<'_, PyAny>) -> PyResult<u32> {
        self.routes.asked += 1;
        let route = match self.routes.of_object(answer) {
            Some(route) => route,
            None => {
                let views: Answer = answer.getattr("views")?.extract()?;
                if self.routes.is_full() {
                    let mut tried = std::mem::take(&mut self.tried_before);
                    for view in self.routes.routes.iter().flatten() {
                        self.add_tried(view, &mut tried);
                    }
                    self.tried_before = tried;
                    self.routes.clear();
                }
                let (rules, names) = (&self.rules, &mut self.names);
                self.routes.keep(answer, views, |views| {
                    let raw = views.iter().map(|(aliases, indexes)| {
                        let numbered = aliases.iter().filter_map(|(wanted, name)| {
                            let field = rules.field_names.iter().position(|field| field == wanted)?;
                            Some((field as u32, names.add(name.as_bytes())))
                        });
                        (numbered.collect(), indexes.clone())
                    });
                    crate::views::views(rules, raw.collect())
                })
            }
        };
        for key in [&self.state.key, &self.state.kind] {
            if !key.is_empty() {
                self.routes.remember(key, route);
            }
        }
        Ok(route)
    }
}
