//! The outermost members of one event: which of the names that rules know it has, and where their values stand.

use foldhash::{HashMap, HashMapExt};

use crate::json::{self, Kind, Span, Unsure};
use crate::tree::Tree;

pub const UNKNOWN: u32 = u32::MAX;
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
const NAMES_COMPARED_MAX: usize = 16;

/// Names that matter, by number. Few, from rules and mappings: an event adds none.
#[derive(Clone, Default)]
pub struct Names {
    names: Vec<Box<[u8]>>,
    /// A name's first and last bytes and length, and its number.
    table: Vec<(Ends, u32)>,
    shift: u32,
}

impl Names {
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The name's number, a new one if need be.
    pub fn add(&mut self, name: &[u8]) -> u32 {
        let known = self.find(name);
        if known != UNKNOWN {
            return known;
        }
        let number = self.reserve(name);
        if self.names.len() * 4 > self.table.len() {
            self.shift = 64 - (self.names.len() * 8).next_power_of_two().trailing_zeros();
            self.table = vec![(Ends::default(), UNKNOWN); 1 << (64 - self.shift)];
            for number in 0..self.names.len() {
                self.enter(number as u32);
            }
        } else {
            self.enter(number);
        }
        number
    }

    /// A number no name of an event has.
    pub fn add_unnamed(&mut self) -> u32 {
        self.reserve(&[0xFF])
    }

    fn reserve(&mut self, name: &[u8]) -> u32 {
        self.names.push(name.into());
        (self.names.len() - 1) as u32
    }

    fn enter(&mut self, number: u32) {
        let ends = Ends::of(&self.names[number as usize]);
        let mut slot = self.slot(ends);
        while self.table[slot].1 != UNKNOWN {
            slot = (slot + 1) & (self.table.len() - 1);
        }
        self.table[slot] = (ends, number);
    }

    #[inline]
    pub fn find(&self, name: &[u8]) -> u32 {
        if self.table.is_empty() {
            return UNKNOWN;
        }
        let ends = Ends::of(name);
        let mut slot = self.slot(ends);
        loop {
            let (known, number) = self.table[slot];
            if number == UNKNOWN {
                return UNKNOWN;
            }
            // Up to sixteen bytes the ends are all of a name.
            if known == ends && (name.len() <= 16 || *self.names[number as usize] == *name) {
                return number;
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
    }

    #[inline]
    fn slot(&self, ends: Ends) -> usize {
        let mixed = (ends.head ^ ends.tail.rotate_left(23) ^ u64::from(ends.length)).wrapping_mul(MULTIPLIER);
        ((mixed ^ mixed >> 29).wrapping_mul(MULTIPLIER) >> self.shift) as usize
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Ends {
    head: u64,
    tail: u64,
    length: u32,
}

impl Ends {
    #[inline]
    fn of(name: &[u8]) -> Ends {
        let length = name.len() as u32;
        match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(head), Some(tail)) => {
                Ends { head: u64::from_le_bytes(*head), tail: u64::from_le_bytes(*tail), length }
            }
            _ => Ends { head: name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), tail: 0, length },
        }
    }
}

pub struct Member {
    pub span: Span,
    name: (u32, u32),
    /// Whether the event has it as its own; not what was laid over it, nor what a later member of its name hides.
    own: bool,
    tree: Option<Tree>,
}

#[derive(Default)]
pub struct Members {
    list: Vec<Member>,
    /// By name's number: (the event it was last seen in, its place in the list).
    slots: Vec<(u32, u32)>,
    event: u32,
    of_json: bool,
}

impl Members {
    /// Forget the last event.
    pub fn clear(&mut self, names: &Names) {
        self.list.clear();
        self.of_json = false;
        self.event = self.event.wrapping_add(1);
        if self.event == 0 || self.slots.len() < names.len() {
            self.slots.clear();
            self.slots.resize(names.len(), (0, 0));
            self.event = 1;
        }
    }

    pub fn read_line(&mut self, line: &[u8], names: &Names) -> Result<(), Unsure> {
        self.clear(names);
        self.of_json = true;
        json::members(line, |start, end, span| {
            self.push(names.find(&line[start..end]), Some((start as u32, end as u32)), span, None);
        })
    }

    /// name: None where no other member can have it.
    #[inline]
    pub fn push(&mut self, number: u32, name: Option<(u32, u32)>, span: Span, tree: Option<Tree>) {
        if let Some(slot) = self.slots.get_mut(number as usize) {
            if slot.0 == self.event
                && let Some(earlier) = self.list.get_mut(slot.1 as usize)
            {
                earlier.own = false;
            }
            *slot = (self.event, self.list.len() as u32);
        }
        self.list.push(Member { span, name: name.unwrap_or((0, 0)), own: true, tree });
    }

    /// Lay a value over the event that is none of its own.
    pub fn push_over(&mut self, number: u32, span: Span, tree: Option<Tree>) {
        self.push(number, None, span, tree);
        if let Some(member) = self.list.last_mut() {
            member.own = false;
        }
    }

    #[inline]
    pub fn place(&self, number: u32) -> Option<usize> {
        let slot = self.slots.get(number as usize)?;
        (slot.0 == self.event).then_some(slot.1 as usize)
    }

    pub fn span(&self, place: usize) -> Span {
        self.list[place].span
    }

    /// Take a member out of the event, by its name.
    pub fn remove(&mut self, number: u32) -> Option<Span> {
        let place = self.place(number)?;
        self.slots[number as usize].0 = 0;
        self.list[place].own = false;
        Some(self.list[place].span)
    }

    fn tree(&mut self, place: usize, bytes: &[u8]) -> Option<&Tree> {
        let member = &mut self.list[place];
        if member.tree.is_none() && self.of_json && matches!(member.span.kind, Kind::Object | Kind::List) {
            member.tree = Some(Tree::of_json(bytes, member.span.start as usize).0);
        }
        member.tree.as_ref()
    }

    /// Whether each text of the event's own stands in its bytes as rules see it, but for escapes that must be.
    pub fn shows_texts(&self) -> bool {
        let is_shown = |member: &Member| {
            !member.own
                || !matches!(member.span.kind, Kind::Object | Kind::List | Kind::JsonNumber | Kind::EscapedOddly)
        };
        !self.of_json || self.list.iter().all(is_shown)
    }

    pub fn is_of_json(&self) -> bool {
        self.of_json
    }

    /// The values of a member, lists laid flat.
    #[inline]
    pub fn leaves(&mut self, place: usize, bytes: &[u8], out: &mut impl FnMut(Span)) {
        let span = self.list[place].span;
        if span.kind != Kind::List {
            out(span);
        } else if let Some(tree) = self.tree(place, bytes) {
            tree.leaves(out);
        }
    }

    pub fn resolve(&mut self, place: usize, bytes: &[u8], name: &[u8], out: &mut impl FnMut(Span)) -> bool {
        self.tree(place, bytes).is_some_and(|tree| tree.resolve(bytes, name, out))
    }

    /// Every scalar of the event's own.
    pub fn everything(&mut self, bytes: &[u8], out: &mut impl FnMut(Span)) {
        if self.of_json {
            self.hide_repeated(bytes);
        }
        for place in 0..self.list.len() {
            let Member { span, own, .. } = self.list[place];
            if !own {
                continue;
            }
            if !matches!(span.kind, Kind::Object | Kind::List) {
                out(span);
            } else if let Some(tree) = self.tree(place, bytes) {
                tree.everything(out);
            }
        }
    }

    /// Of members that rules do not name, too, the last of a name counts.
    fn hide_repeated(&mut self, bytes: &[u8]) {
        let list = &mut self.list;
        let name = |member: &Member| &bytes[member.name.0 as usize..member.name.1 as usize];
        if list.len() <= NAMES_COMPARED_MAX {
            for place in 0..list.len() {
                if list[place + 1..].iter().any(|later| name(later) == name(&list[place])) {
                    list[place].own = false;
                }
            }
            return;
        }
        let mut last: HashMap<&[u8], usize> = HashMap::with_capacity(list.len());
        for place in 0..list.len() {
            if let Some(earlier) = last.insert(name(&list[place]), place) {
                list[earlier].own = false;
            }
        }
    }
}
