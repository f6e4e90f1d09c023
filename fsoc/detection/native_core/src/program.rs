//! The rule set as fsoc/detection/program.py writes it. Data only; nothing here matches.

use serde::Deserialize;

/// The field of keywords: every scalar of the event.
pub const EVERYTHING: i64 = -1;

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Whole,
    Start,
    End,
    Anywhere,
}

impl Place {
    pub fn of(name: &str) -> Option<Place> {
        [("whole", Place::Whole), ("start", Place::Start), ("end", Place::End), ("anywhere", Place::Anywhere)]
            .into_iter()
            .find_map(|(known, place)| (known == name).then_some(place))
    }
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    Lt,
    Lte,
    Gt,
    Gte,
}

/// 0 is `*`, 1 is `?`.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub enum Part {
    Text(String),
    Wild(u8),
}

#[derive(Deserialize, Debug)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Clause {
    Text { field: i64, text: String, place: Place, cased: bool, number: Option<String> },
    Wildcards { field: i64, parts: Vec<Part>, cased: bool },
    Regex { field: i64, pattern: String },
    Number { field: i64, number: String },
    Bool { field: i64, flag: bool },
    Compare { field: i64, order: Order, number: String, part: Option<String> },
    Time { field: i64 },
    Network { field: i64, network: String },
    Same { field: i64, other: u32, place: Place, cased: bool },
    Null { field: i64 },
    Exists { field: i64, wanted: bool },
}

impl Clause {
    pub fn field(&self) -> i64 {
        match self {
            Clause::Text { field, .. }
            | Clause::Wildcards { field, .. }
            | Clause::Regex { field, .. }
            | Clause::Number { field, .. }
            | Clause::Bool { field, .. }
            | Clause::Compare { field, .. }
            | Clause::Time { field }
            | Clause::Network { field, .. }
            | Clause::Same { field, .. }
            | Clause::Null { field }
            | Clause::Exists { field, .. } => *field,
        }
    }
}

#[derive(Deserialize, Debug)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Condition {
    Is { clause: u32 },
    And { parts: Vec<Condition> },
    Or { parts: Vec<Condition> },
    AtLeast { count: i64, parts: Vec<Condition> },
    Not { part: Box<Condition> },
}

#[derive(Deserialize, Debug)]
pub struct Program {
    pub fields: Vec<String>,
    pub clauses: Vec<Clause>,
    pub conditions: Vec<Condition>,
}
