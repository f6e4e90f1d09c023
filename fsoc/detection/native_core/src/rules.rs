//! A rule set made ready: fields and how they are found, clauses and what decides them, conditions. Never changes.

use foldhash::{HashMap, HashMapExt};

use crate::clause::{Finder, Test, parts_known};
use crate::code::{Code, code_of};
use crate::fold::Folds;
use crate::members::Names;
use crate::program::{Clause, Condition, EVERYTHING, Program};

/// From so many texts of one field on, an Or is a mark of its own.
const TOGETHER_MIN: usize = 6;

/// A field by its name, or by a path of names: (its beginning, what is left).
pub struct Field {
    pub name: u32,
    pub paths: Vec<(u32, Box<[u8]>)>,
}

/// Many lists of numbers, one behind the other.
#[derive(Default)]
pub struct Lists {
    ends: Vec<u32>,
    numbers: Vec<u32>,
}

impl Lists {
    pub fn new(lists: &[Vec<u32>]) -> Lists {
        let mut made = Lists { ends: vec![0], numbers: Vec::new() };
        for list in lists {
            made.numbers.extend_from_slice(list);
            made.ends.push(made.numbers.len() as u32);
        }
        made
    }

    #[inline]
    pub fn of(&self, number: u32) -> &[u32] {
        match self.ends.get(number as usize..number as usize + 2) {
            Some(&[from, to]) => &self.numbers[from as usize..to as usize],
            _ => &[],
        }
    }
}

pub enum Node {
    /// A mark of a field: a clause that is searched, or an Or of some.
    Marked {
        field: u32,
        mark: u32,
    },
    /// A clause that is tried when asked for.
    Tried(u32),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    AtLeast(i64, Box<[Node]>),
    Not(Box<Node>),
}

pub struct Rules {
    pub names: Names,
    pub field_names: Vec<String>,
    /// The last is everything.
    pub fields: Vec<Field>,
    pub finders: Vec<Finder>,
    pub tests: Vec<Test>,
    /// Of each clause.
    pub field_of: Vec<u32>,
    /// The Ors that each clause is in: marks past the clauses.
    pub ors_of: Lists,
    pub marks: usize,
    pub conditions: Vec<Code>,
    pub clauses_of: Vec<Vec<u32>>,
    /// Clauses that are not searched but seen to in samples.
    pub sampled: Vec<u32>,
    pub folds: Folds,
}

impl Rules {
    pub fn new(program: &Program, folds: Folds) -> Result<Rules, String> {
        let mut names = Names::default();
        let mut fields: Vec<Field> = program.fields.iter().map(|name| field(name, &mut names)).collect();
        let everything = fields.len() as u32;
        fields.push(Field { name: names.add_unnamed(), paths: Vec::new() });
        let mut tests = Vec::with_capacity(program.clauses.len());
        let mut field_of = Vec::with_capacity(program.clauses.len());
        let mut by_field = vec![Vec::new(); fields.len()];
        for (number, clause) in program.clauses.iter().enumerate() {
            let field = if clause.field() == EVERYTHING { everything } else { clause.field() as u32 };
            let others = if let Clause::Same { other, .. } = clause { *other } else { 0 };
            let known = if let Clause::Wildcards { parts, .. } = clause { parts_known(parts) } else { true };
            if field > everything || others >= everything.max(1) || !known {
                return Err(format!("clause {number} names what there is not"));
            }
            by_field[field as usize].push(number as u32);
            field_of.push(field);
            tests.push(Test::new(clause)?);
        }
        let finders = by_field.iter().map(|clauses| Finder::new(clauses, &tests, &folds)).collect();
        let mut writer = Writer { tests: &tests, field_of: &field_of, ors: HashMap::new(), clauses: Vec::new() };
        let mut conditions = Vec::with_capacity(program.conditions.len());
        let mut clauses_of = Vec::with_capacity(program.conditions.len());
        for condition in &program.conditions {
            conditions.push(code_of(&writer.node(condition)?));
            let mut clauses = std::mem::take(&mut writer.clauses);
            clauses.sort_unstable();
            clauses.dedup();
            clauses_of.push(clauses);
        }
        let ors = writer.ors;
        let mut ors_of = vec![Vec::new(); tests.len()];
        for (clauses, mark) in &ors {
            clauses.iter().for_each(|clause| ors_of[*clause as usize].push(*mark));
        }
        let ors_of = Lists::new(&ors_of);
        let marks = tests.len() + ors.len();
        let sampled = (0..tests.len() as u32).filter(|clause| tests[*clause as usize].is_sampled()).collect();
        let field_names = program.fields.clone();
        Ok(Rules {
            names,
            field_names,
            fields,
            finders,
            tests,
            field_of,
            ors_of,
            marks,
            conditions,
            clauses_of,
            sampled,
            folds,
        })
    }

    /// Whether the search of its field finds where the clause may hold; else every value is tried.
    pub fn is_proposed(&self, clause: u32) -> bool {
        let test = &self.tests[clause as usize];
        test.is_searched() || matches!(test, Test::Regex(pattern) if !pattern.required.is_empty())
    }

    /// The fields a rule looks at; some more than once.
    pub fn fields_of(&self, rule: u32) -> impl Iterator<Item = u32> {
        self.clauses_of[rule as usize].iter().flat_map(|clause| {
            let other = if let Test::Same { other, .. } = self.tests[*clause as usize] { Some(other) } else { None };
            std::iter::once(self.field_of[*clause as usize]).chain(other)
        })
    }

    pub fn everything(&self) -> u32 {
        (self.fields.len() - 1) as u32
    }
}

fn field(name: &str, names: &mut Names) -> Field {
    let paths = name
        .match_indices('.')
        .map(|(dot, _)| (names.add(&name.as_bytes()[..dot]), name.as_bytes()[dot + 1..].into()))
        .collect();
    Field { name: names.add(name.as_bytes()), paths }
}

struct Writer<'a> {
    tests: &'a [Test],
    field_of: &'a [u32],
    ors: HashMap<Vec<u32>, u32>,
    clauses: Vec<u32>,
}

impl Writer<'_> {
    fn node(&mut self, condition: &Condition) -> Result<Node, String> {
        Ok(match condition {
            Condition::Is { clause } => {
                if *clause as usize >= self.tests.len() {
                    return Err(format!("there is no clause {clause}"));
                }
                self.clauses.push(*clause);
                if self.tests[*clause as usize].is_searched() {
                    Node::Marked { field: self.field_of[*clause as usize], mark: *clause }
                } else {
                    Node::Tried(*clause)
                }
            }
            Condition::And { parts } => Node::And(self.parts(parts)?.into()),
            Condition::Or { parts } => {
                let parts = self.parts(parts)?;
                self.or(parts)
            }
            Condition::AtLeast { count, parts } => Node::AtLeast(*count, self.parts(parts)?.into()),
            Condition::Not { part } => Node::Not(Box::new(self.node(part)?)),
        })
    }

    /// What is cheap to know first: the order of parts changes nothing that is found.
    fn parts(&mut self, parts: &[Condition]) -> Result<Vec<Node>, String> {
        let mut made: Vec<Node> = parts.iter().map(|part| self.node(part)).collect::<Result<_, _>>()?;
        made.sort_by_key(|node| node.effort(self.tests));
        Ok(made)
    }

    fn or(&mut self, parts: Vec<Node>) -> Node {
        let mut by_field: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut others = Vec::new();
        for part in parts {
            match part {
                Node::Marked { field, mark } if (mark as usize) < self.tests.len() => {
                    by_field.entry(field).or_default().push(mark);
                }
                _ => others.push(part),
            }
        }
        let mut made = Vec::new();
        let mut fields: Vec<_> = by_field.into_iter().collect();
        fields.sort();
        for (field, mut clauses) in fields {
            if clauses.len() < TOGETHER_MIN {
                made.extend(clauses.iter().map(|mark| Node::Marked { field, mark: *mark }));
                continue;
            }
            clauses.sort_unstable();
            clauses.dedup();
            let next = (self.tests.len() + self.ors.len()) as u32;
            let mark = *self.ors.entry(clauses).or_insert(next);
            made.push(Node::Marked { field, mark });
        }
        made.extend(others);
        match made.pop() {
            Some(only) if made.is_empty() => only,
            Some(last) => {
                made.push(last);
                Node::Or(made.into())
            }
            None => Node::Or(Box::new([])),
        }
    }
}

impl Node {
    fn effort(&self, tests: &[Test]) -> u32 {
        match self {
            Node::Marked { .. } => 0,
            Node::Tried(clause) => match &tests[*clause as usize] {
                Test::Null | Test::Exists(_) => 0,
                Test::Asked => 1_000,
                _ => 30,
            },
            Node::And(parts) | Node::Or(parts) | Node::AtLeast(_, parts) => {
                1 + parts.iter().map(|part| part.effort(tests)).fold(0, u32::saturating_add)
            }
            Node::Not(part) => part.effort(tests),
        }
    }
}
