//! Python's objects as members of an event, and values as Python's objects.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::json::{Kind, Span, Unsure};
use crate::members::{Members, Names, UNKNOWN};
use crate::number::{Number, repr};
use crate::tree::{DEPTH_MAX, Tree};

type Checked<T> = Result<T, Unsure>;

/// Reads a dict's members, their texts copied to `bytes`. What it does not know is the plain evaluator's.
pub fn read_dict(fields: &Bound<'_, PyDict>, members: &mut Members, bytes: &mut Vec<u8>, names: &Names) -> Checked<()> {
    for (name, value) in fields.iter() {
        let number = match name.cast::<PyString>().ok().map(|name| name.to_str()) {
            Some(Ok(name)) => names.find(name.as_bytes()),
            _ => UNKNOWN,
        };
        let (span, tree) = read_value(&value, bytes)?;
        members.push(number, None, span, tree);
    }
    Ok(())
}

pub fn read_value(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> Checked<(Span, Option<Tree>)> {
    Ok(match read_tree(value, bytes, DEPTH_MAX)? {
        Tree::Scalar(span) => (span, None),
        tree => {
            let kind = if matches!(tree, Tree::List(_)) { Kind::List } else { Kind::Object };
            (Span { kind, start: 0, end: 0 }, Some(tree))
        }
    })
}

fn read_tree(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>, depth: usize) -> Checked<Tree> {
    let start = bytes.len();
    let kind = if let Ok(text) = value.cast::<PyString>() {
        bytes.extend_from_slice(text.to_str().map_err(|_| Unsure)?.as_bytes());
        Kind::Text
    } else if value.is_none() {
        Kind::Null
    } else if let Ok(flag) = value.cast::<PyBool>() {
        if flag.is_true() { Kind::True } else { Kind::False }
    } else if let Ok(number) = value.cast_exact::<PyInt>() {
        match number.extract::<i64>() {
            Ok(number) => bytes.extend_from_slice(number.to_string().as_bytes()),
            Err(_) => {
                bytes.extend_from_slice(number.str().map_err(|_| Unsure)?.to_str().map_err(|_| Unsure)?.as_bytes())
            }
        }
        Kind::Int
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        bytes.extend_from_slice(repr(number.value()).as_bytes());
        Kind::Float
    } else {
        return read_nested(value, bytes, depth.checked_sub(1).ok_or(Unsure)?);
    };
    if bytes.len() > u32::MAX as usize / 2 {
        return Err(Unsure);
    }
    Ok(Tree::Scalar(Span { kind, start: start as u32, end: bytes.len() as u32 }))
}

fn read_nested(value: &Bound<'_, PyAny>, bytes: &mut Vec<u8>, depth: usize) -> Checked<Tree> {
    if let Ok(fields) = value.cast::<PyDict>() {
        let mut members = Vec::with_capacity(fields.len());
        for (name, value) in fields.iter() {
            let start = bytes.len();
            let span = match name.cast::<PyString>().ok().map(|name| name.to_str()) {
                Some(Ok(name)) => {
                    bytes.extend_from_slice(name.as_bytes());
                    Some((start as u32, bytes.len() as u32))
                }
                _ => None,
            };
            members.push((span, read_tree(&value, bytes, depth)?));
        }
        return Ok(Tree::Object(members));
    }
    let items: Vec<Bound<'_, PyAny>> = if let Ok(items) = value.cast::<PyList>() {
        items.iter().collect()
    } else if let Ok(items) = value.cast::<PyTuple>() {
        items.iter().collect()
    } else {
        return Err(Unsure);
    };
    Ok(Tree::List(items.iter().map(|item| read_tree(item, bytes, depth)).collect::<Checked<_>>()?))
}

/// A scalar as Python decodes it.
pub fn object_of<'py>(py: Python<'py>, span: Span, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let raw = || String::from_utf8_lossy(span.raw(bytes)).into_owned();
    let int = |digits: String| py.get_type::<PyInt>().call1((digits,));
    match span.kind {
        Kind::Null | Kind::Object | Kind::List => Ok(py.None().into_bound(py)),
        Kind::True => Ok(PyBool::new(py, true).to_owned().into_any()),
        Kind::False => Ok(PyBool::new(py, false).to_owned().into_any()),
        Kind::Int => int(raw()),
        Kind::Float => Ok(PyFloat::new(py, raw().parse()?).into_any()),
        Kind::JsonNumber => match Number::of_json(&raw()) {
            Some(Number::Float(number)) => Ok(PyFloat::new(py, number).into_any()),
            Some(number) => int(number.text()),
            None => Ok(py.None().into_bound(py)),
        },
        Kind::Text | Kind::Escaped | Kind::EscapedOddly => {
            let mut text = Vec::new();
            span.text_into(bytes, &mut text);
            Ok(PyString::new(py, &String::from_utf8_lossy(&text)).into_any())
        }
    }
}
