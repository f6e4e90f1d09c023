//! What decides one clause, made once; and which clauses are looked for together, field by field.

use std::net::IpAddr;

use foldhash::HashMap;

use crate::fold::Folds;
use crate::glob::Glob;
use crate::literals::{Literal, Literals};
use crate::number::{Key, Number};
use crate::pattern::Pattern;
use crate::program::{Clause, Order, Part, Place};

/// matchers.py, one kind each.
pub enum Test {
    Text {
        text: Vec<u8>,
        place: Place,
        cased: bool,
        number: Option<Number>,
    },
    Glob {
        glob: Glob,
        cased: bool,
    },
    Regex(Pattern),
    Number(Number),
    Compare {
        order: Order,
        number: Number,
    },
    Network(Network),
    Same {
        other: u32,
        place: Place,
        cased: bool,
    },
    Null,
    Exists(bool),
    /// Python's to decide.
    Asked,
}

impl Test {
    pub fn new(clause: &Clause) -> Result<Test, String> {
        let number = |text: &str| Number::of_python(text).ok_or_else(|| format!("{text} is no number"));
        Ok(match clause {
            Clause::Text { text, place, cased, number: also, .. } => Test::Text {
                text: text.clone().into_bytes(),
                place: *place,
                cased: *cased,
                number: also.as_deref().map(number).transpose()?,
            },
            Clause::Wildcards { parts, cased, .. } => Test::Glob { glob: Glob::new(parts), cased: *cased },
            Clause::Regex { pattern, .. } => Pattern::new(pattern).map_or(Test::Asked, Test::Regex),
            Clause::Number { number: text, .. } => Test::Number(number(text)?),
            Clause::Bool { flag, .. } => {
                Test::Text { text: flag.to_string().into_bytes(), place: Place::Whole, cased: false, number: None }
            }
            Clause::Compare { order, number: text, part: None, .. } => {
                Test::Compare { order: *order, number: number(text)? }
            }
            Clause::Compare { .. } | Clause::Time { .. } => Test::Asked,
            Clause::Network { network, .. } => {
                Test::Network(Network::new(network).ok_or_else(|| format!("{network} is no network"))?)
            }
            Clause::Same { other, place, cased, .. } => Test::Same { other: *other, place: *place, cased: *cased },
            Clause::Null { .. } => Test::Null,
            Clause::Exists { wanted, .. } => Test::Exists(*wanted),
        })
    }

    /// Whether samples try it, where it is not searched.
    pub fn is_sampled(&self) -> bool {
        matches!(self, Test::Regex(_) | Test::Compare { .. })
    }

    /// Whether it is looked for together with the others of its field; else it is tried when a rule asks.
    pub fn is_searched(&self) -> bool {
        matches!(self, Test::Text { .. } | Test::Glob { .. } | Test::Number(_) | Test::Network(_))
    }
}

pub fn stands(place: Place, subject: &[u8], text: &[u8]) -> bool {
    match place {
        Place::Whole => subject == text,
        Place::Start => subject.starts_with(text),
        Place::End => subject.ends_with(text),
        Place::Anywhere => memchr::memmem::find(subject, text).is_some(),
    }
}

pub struct Network {
    address: u128,
    mask: u128,
    is_four: bool,
}

/// An address as it is written, and as IPv4 where it is that in the clothes of IPv6.
pub struct Address {
    plain: u128,
    is_four: bool,
    mapped: Option<u128>,
}

impl Network {
    pub fn new(text: &str) -> Option<Network> {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (address, is_four) = bits(address.parse().ok()?);
        let free = (if is_four { 32_u32 } else { 128 }).checked_sub(length)?;
        Some(Network { address, mask: u128::MAX.checked_shl(free).unwrap_or(0), is_four })
    }

    pub fn has(&self, address: &Address) -> bool {
        let within = |bits: u128| (bits & self.mask) == self.address;
        if address.is_four == self.is_four {
            within(address.plain)
        } else {
            self.is_four && address.mapped.is_some_and(within)
        }
    }
}

impl Address {
    pub fn new(text: &[u8]) -> Option<Address> {
        // The longest there is has 45.
        let address: IpAddr = std::str::from_utf8(text.get(..text.len().min(46))?).ok()?.parse().ok()?;
        let mapped = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(six) => six.to_ipv4_mapped().map(|four| u128::from(u32::from(four))),
        };
        let (plain, is_four) = bits(address);
        Some(Address { plain, is_four, mapped })
    }
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(four) => (u128::from(u32::from(four)), true),
        IpAddr::V6(six) => (u128::from(six), false),
    }
}

/// Set on a number of Literals: where it is found, the clause is still to be tried.
pub const TO_TRY: u32 = 1 << 31;

/// The clauses of one field that are looked for together.
#[derive(Default)]
pub struct Finder {
    pub literals: Literals,
    /// Of numbers, and of texts that are numbers.
    pub numbers: HashMap<Key, Vec<u32>>,
    /// Of numbers only.
    pub raw_numbers: HashMap<Key, Vec<u32>>,
    pub networks: Vec<u32>,
    pub is_empty: bool,
    /// As soon found as remembered.
    pub is_quick: bool,
}

impl Finder {
    pub fn new(clauses: &[u32], tests: &[Test], folds: &Folds) -> Finder {
        let mut made = Finder { is_empty: clauses.is_empty(), ..Finder::default() };
        let mut literals = Vec::new();
        for &clause in clauses {
            match &tests[clause as usize] {
                Test::Text { text, place, cased, number } => {
                    let (text, number_) =
                        if *cased { (folds.folded(text), clause | TO_TRY) } else { (text.clone(), clause) };
                    literals.push(Literal { text, place: *place, number: number_ });
                    if let Some(key) = number.as_ref().and_then(Number::key) {
                        made.raw_numbers.entry(key).or_default().push(clause);
                    }
                }
                Test::Glob { glob, .. } => literals.push(Literal {
                    text: folds.folded(&glob.longest),
                    place: Place::Anywhere,
                    number: clause | TO_TRY,
                }),
                Test::Regex(pattern) => {
                    for text in &pattern.required {
                        let text = text.clone();
                        literals.push(Literal { text, place: Place::Anywhere, number: clause | TO_TRY });
                    }
                }
                Test::Number(number) => {
                    if let Some(key) = number.key() {
                        made.numbers.entry(key).or_default().push(clause);
                    }
                }
                Test::Network(_) => made.networks.push(clause),
                _ => {}
            }
        }
        made.literals = Literals::new(literals);
        made.is_quick = made.literals.is_quick() && made.networks.is_empty();
        made
    }
}

pub fn parts_known(parts: &[Part]) -> bool {
    parts.iter().all(|part| !matches!(part, Part::Wild(2..)))
}
