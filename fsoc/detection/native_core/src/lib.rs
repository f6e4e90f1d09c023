//! Sigma matching for fsoc. Python reads rules, plans and routes; here events are read and matched.

mod clause;
mod code;
mod engine;
mod fold;
mod glob;
mod json;
mod literals;
mod matching;
mod members;
mod memo;
mod number;
mod pattern;
mod plan;
mod program;
mod python;
mod room;
mod routes;
mod routing;
mod rules;
mod search;
mod tree;
mod value;
mod verdicts;
mod verify;
mod views;

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pyo3::create_exception!(fsoc_native, Unsure, PyValueError, "An event the plain evaluator is to judge.");

/// A rule set made ready. Never changes; any thread may use it.
#[pyclass(frozen, name = "Rules")]
struct PyRules(Arc<rules::Rules>);

/// What is searched for; see Engine.adopt.
#[pyclass(frozen, name = "Plan")]
struct PyPlan(Arc<plan::Plan>);

#[pymethods]
impl PyRules {
    /// program: as JSON. folds: what str.casefold makes of each character that it changes.
    #[new]
    fn new(py: Python<'_>, program: &[u8], folds: Vec<(char, String)>) -> PyResult<PyRules> {
        py.detach(|| {
            let program: program::Program = serde_json::from_slice(program).map_err(|error| error.to_string())?;
            rules::Rules::new(&program, fold::Folds::new(folds))
        })
        .map(|rules| PyRules(Arc::new(rules)))
        .map_err(PyValueError::new_err)
    }

    fn plan(&self, py: Python<'_>, anchors: Vec<Option<Vec<u32>>>) -> PyResult<PyPlan> {
        py.detach(|| plan::Plan::new(&self.0, &anchors))
            .map(|plan| PyPlan(Arc::new(plan)))
            .map_err(PyValueError::new_err)
    }

    /// Clauses that Python decides on every value it is asked about.
    fn asked(&self) -> Vec<usize> {
        let tests = self.0.tests.iter().enumerate();
        tests.filter(|(_, test)| matches!(test, clause::Test::Asked)).map(|(clause, _)| clause).collect()
    }
}

#[pyfunction]
fn repr_of_float(number: f64) -> String {
    number::repr(number)
}

/// -1, 0, 1; None where they are not ordered. Both as Python writes them.
#[pyfunction]
fn compare(mine: &str, its: &str) -> Option<i8> {
    Some(number::Number::of_python(mine)?.compare(&number::Number::of_python(its)?)? as i8)
}

#[pyfunction]
fn number_of(text: &str) -> Option<String> {
    Some(number::Number::of_text(text.as_bytes())?.text())
}

#[pyfunction]
fn accepts(line: &[u8]) -> bool {
    json::members(line, |_, _, _| {}).is_ok()
}

/// Whether a pattern holds of a text; None where that is RE2's to tell.
#[pyfunction]
fn pattern_holds(pattern: &str, text: &[u8]) -> Option<bool> {
    pattern::Pattern::new(pattern)?.holds(text)
}

#[pyfunction]
fn in_network(address: &[u8], network: &str) -> Option<bool> {
    let network = clause::Network::new(network)?;
    Some(network.has(&clause::Address::new(address)?))
}

#[pymodule]
fn fsoc_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRules>()?;
    module.add_class::<PyPlan>()?;
    module.add_class::<engine::Engine>()?;
    module.add("Unsure", module.py().get_type::<Unsure>())?;
    module.add_function(wrap_pyfunction!(repr_of_float, module)?)?;
    module.add_function(wrap_pyfunction!(compare, module)?)?;
    module.add_function(wrap_pyfunction!(number_of, module)?)?;
    module.add_function(wrap_pyfunction!(accepts, module)?)?;
    module.add_function(wrap_pyfunction!(pattern_holds, module)?)?;
    module.add_function(wrap_pyfunction!(in_network, module)?)?;
    Ok(())
}
