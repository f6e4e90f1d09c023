//! The engine that Python holds: events in, rule ids out. Keeps what was seen between events, all of it bounded.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::json::Span;
use crate::matching::Matching;
use crate::members::Members;
use crate::memo::{self, Memo};
use crate::plan::Plan;
use crate::program::Place;
use crate::python::{object_of, read_value};
use crate::room::Room;
use crate::routes::{Deciding, Routes};
use crate::routing::{Outcome, unsure};
use crate::rules::Rules;
use crate::verdicts::Verdicts;
use crate::views::View;
use crate::{PyPlan, PyRules};

const SAMPLE_EVERY: u64 = 64;
/// More fields that decide than this cannot be told apart in a key.
const DECIDING_MAX: usize = 250;

/// (place, text) each; None: more of a text decides.
type Compared = Option<Vec<(String, String)>>;

#[pyclass]
pub struct Engine {
    pub rules: Arc<Rules>,
    pub names: crate::members::Names,
    pub plan: Arc<Plan>,
    pub plans: u32,
    pub ids: Vec<Py<PyString>>,
    /// Of each rule, the first with its id.
    pub first_of_id: Vec<u32>,
    pub shares_id: Vec<bool>,
    pub deciding: Vec<Deciding>,
    pub logsource: u32,
    pub route: Py<PyAny>,
    pub route_of_json: Py<PyAny>,
    pub holds: Py<PyAny>,
    pub routes: Routes,
    pub of_tickets: Vec<View>,
    pub over_of_tickets: u32,
    pub state: State,
    pub hits: Vec<u64>,
    pub tried_before: Vec<u64>,
}

/// What one event after the other uses.
pub struct State {
    pub members: Members,
    pub memo: Memo,
    pub verdicts: Verdicts,
    pub room: Room,
    pub bytes: Vec<u8>,
    pub key: Vec<u8>,
    pub kind: Vec<u8>,
    pub tail: Vec<u8>,
    pub matched: Vec<u32>,
    pub events: u64,
    pub found: u64,
}

#[pymethods]
impl Engine {
    /// route(fields, stated) and route_of_json(fields as JSON, stated as JSON) answer with a routes.Route;
    /// holds(clause, value) decides what is not decided here. over: the field laid over tickets.
    #[new]
    #[pyo3(signature = (rules, plan, ids, deciding, route, route_of_json, holds, of_tickets, over, entries_max=memo::ENTRIES_MAX, bytes_max=memo::BYTES_MAX))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        rules: &PyRules,
        plan: &PyPlan,
        ids: Vec<Bound<'_, PyString>>,
        deciding: Vec<(String, Compared)>,
        route: Py<PyAny>,
        route_of_json: Py<PyAny>,
        holds: Py<PyAny>,
        of_tickets: Vec<u32>,
        over: &str,
        entries_max: usize,
        bytes_max: usize,
    ) -> PyResult<Engine> {
        let rules = rules.0.clone();
        if ids.len() != rules.conditions.len() || deciding.len() > DECIDING_MAX {
            let text =
                format!("{} ids, {} rules, {} deciding fields", ids.len(), rules.conditions.len(), deciding.len());
            return Err(PyValueError::new_err(text));
        }
        let mut names = rules.names.clone();
        let mut shares_id = vec![false; ids.len()];
        let mut first_by_id = foldhash::HashMap::default();
        let mut first_of_id = Vec::with_capacity(ids.len());
        for (place, id) in ids.iter().enumerate() {
            let first = *first_by_id.entry(id.to_str()?.to_owned()).or_insert(place as u32);
            first_of_id.push(first);
            if first != place as u32 {
                (shares_id[place], shares_id[first as usize]) = (true, true);
            }
        }
        let mut fields_deciding = Vec::with_capacity(deciding.len());
        for (name, texts) in deciding {
            let known = |(place, text): (String, String)| Some((Place::of(&place)?, text.into_bytes()));
            let texts = texts.and_then(|texts| texts.into_iter().map(known).collect());
            fields_deciding.push(Deciding { number: names.add(name.as_bytes()), name, texts });
        }
        let over_of_tickets = names.add_unnamed();
        let over = rules.field_names.iter().position(|name| name == over);
        let aliases = over.map(|field| (field as u32, over_of_tickets)).into_iter().collect();
        Ok(Engine {
            of_tickets: vec![View::new(&rules, aliases, of_tickets)],
            over_of_tickets,
            deciding: fields_deciding,
            logsource: names.add(b"logsource"),
            names,
            plan: plan.0.clone(),
            plans: 1,
            first_of_id,
            shares_id,
            ids: ids.into_iter().map(Bound::unbind).collect(),
            route,
            route_of_json,
            holds,
            routes: Routes::default(),
            hits: vec![0; rules.tests.len()],
            tried_before: vec![0; rules.tests.len()],
            state: State {
                members: Members::default(),
                memo: Memo::new(entries_max, bytes_max),
                verdicts: Verdicts::new(),
                room: Room::new(&rules),
                bytes: Vec::new(),
                key: Vec::new(),
                kind: Vec::new(),
                tail: Vec::new(),
                matched: Vec::new(),
                events: 0,
                found: 0,
            },
            rules,
        })
    }

    /// (place and ids of the events that matched; places left to the caller; events; events without a route).
    #[allow(clippy::type_complexity)]
    fn match_lines<'py>(
        &mut self,
        lines: &Bound<'py, PyList>,
    ) -> PyResult<(Vec<(usize, Bound<'py, PyList>)>, Vec<usize>, u64, u64)> {
        let py = lines.py();
        let (mut matched, mut unsure, mut events, mut untried) = (Vec::new(), Vec::new(), 0, 0);
        for (place, line) in lines.iter().enumerate() {
            let line = line.cast::<PyBytes>()?.as_bytes();
            match self.match_line(py, line)? {
                Outcome::Blank => {}
                Outcome::Unsure => unsure.push(place),
                Outcome::Untried => (events, untried) = (events + 1, untried + 1),
                Outcome::Tried => {
                    events += 1;
                    if !self.state.matched.is_empty() {
                        matched.push((place, self.ids_of_matched(py)?));
                    }
                }
            }
        }
        Ok((matched, unsure, events, untried))
    }

    /// Raises Unsure for what the plain evaluator is to judge.
    fn match_event<'py>(
        &mut self,
        fields: &Bound<'py, PyDict>,
        stated: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = fields.py();
        self.read_dict(fields)?;
        let route = self.route_of_dict(fields, stated)?;
        self.run(py, None, route)?;
        self.ids_of_matched(py)
    }

    /// The ticket's own; over: what is laid over it, or None.
    fn match_own<'py>(&mut self, body: &Bound<'py, PyDict>, over: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        self.read_dict(body)?;
        if !over.is_none() {
            let (span, tree) = read_value(over, &mut self.state.bytes).map_err(|_| unsure())?;
            self.state.members.push_over(self.over_of_tickets, span, tree);
        }
        let mut views = std::mem::take(&mut self.of_tickets);
        let ran = self.run_views(body.py(), None, &mut views);
        self.of_tickets = views;
        ran?;
        self.ids_of_matched(body.py())
    }

    fn adopt(&mut self, plan: &PyPlan) {
        self.plan = plan.0.clone();
        self.plans += 1;
        self.state.memo.forget();
    }

    /// By clause: on how many sampled events it was tried, and on how many it held.
    fn rates(&self) -> (Vec<u64>, Vec<u64>) {
        let mut tried = self.tried_before.clone();
        for view in self.routes.routes.iter().flatten().chain(&self.of_tickets) {
            self.add_tried(view, &mut tried);
        }
        (tried, self.hits.clone())
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (state, counters) = (&self.state, PyDict::new(py));
        counters.set_item("events", state.events)?;
        counters.set_item("matches", state.found)?;
        counters.set_item("verified", state.room.verified)?;
        counters.set_item("asked", state.room.asked)?;
        counters.set_item("memo_entries", state.memo.entries())?;
        counters.set_item("memo_bytes", state.memo.bytes())?;
        counters.set_item("memo_hits", state.memo.hits)?;
        counters.set_item("memo_misses", state.memo.misses)?;
        counters.set_item("verdicts", state.verdicts.entries())?;
        counters.set_item("verdict_hits", state.verdicts.hits)?;
        counters.set_item("verdict_misses", state.verdicts.misses)?;
        counters.set_item("routes", self.routes.routes.len())?;
        counters.set_item("routes_asked", self.routes.asked)?;
        Ok(counters)
    }
}

impl Engine {
    pub fn run(&mut self, py: Python<'_>, line: Option<&[u8]>, route: u32) -> PyResult<()> {
        let mut views = std::mem::take(&mut self.routes.routes[route as usize]);
        let ran = self.run_views(py, line, &mut views);
        self.routes.routes[route as usize] = views;
        ran
    }

    /// line: where the members' texts stand; None: in the bytes copied from Python.
    fn run_views(&mut self, py: Python<'_>, line: Option<&[u8]>, views: &mut [View]) -> PyResult<()> {
        let State { members, memo, verdicts, room, bytes, matched, events, found, .. } = &mut self.state;
        let bytes = line.unwrap_or(bytes);
        matched.clear();
        *events += 1;
        let holds = self.holds.bind(py);
        let ask = |clause: u32, span: Span, bytes: &[u8]| {
            holds.call1((clause, object_of(py, span, bytes)?))?.extract::<bool>()
        };
        let (rules, plan) = (&*self.rules, &*self.plan);
        room.next_event();
        verdicts.settle(memo.generation);
        for view in views {
            view.follow(plan, self.plans);
            let mut tried = std::mem::take(&mut view.tried);
            let mut matching = Matching { rules, plan, view, bytes, members, memo, verdicts, room, ask: &ask };
            matching.run(matched);
            if *events % SAMPLE_EVERY == 1 {
                let hits = &mut self.hits;
                matching.sample(|clause| hits[clause as usize] += 1, |field| tried[field as usize] += 1);
            }
            view.tried = tried;
        }
        memo.settle();
        *found += matched.len() as u64;
        room.error.take().map_or(Ok(()), Err)
    }

    fn ids_of_matched<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let matched = &mut self.state.matched;
        matched.sort_unstable();
        let mut ids: Vec<&Py<PyString>> = Vec::with_capacity(matched.len());
        for &rule in matched.iter() {
            // Variants of a rule share its id, which is told once: where the first of them matched.
            let id = &self.ids[self.first_of_id[rule as usize] as usize];
            if !self.shares_id[rule as usize] || !ids.iter().any(|other| other.is(id)) {
                ids.push(id);
            }
        }
        PyList::new(py, ids)
    }

    pub fn add_tried(&self, view: &View, tried: &mut [u64]) {
        for (clause, count) in tried.iter_mut().enumerate() {
            let test = &self.rules.tests[clause];
            if (test.is_searched() || test.is_sampled()) && view.has_clause(clause as u32) {
                *count += view.tried[self.rules.field_of[clause] as usize];
            }
        }
    }
}
