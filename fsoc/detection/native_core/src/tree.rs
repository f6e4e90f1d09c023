//! Objects and lists within an event, as spans of its bytes: dotted names through them, and all that is in them.

use foldhash::{HashMap, HashMapExt};

use crate::json::{self, Kind, Span};

/// As orjson has it, and some less: what is deeper goes to the plain evaluator.
pub const DEPTH_MAX: usize = 1_000;
/// Up to so many names of an object are compared one by one.
const NAMES_COMPARED_MAX: usize = 32;

pub enum Tree {
    Scalar(Span),
    List(Vec<Tree>),
    /// Each name once. A name is a place in the event's bytes; None: not a text, so that nothing asks for it.
    Object(Vec<(Option<(u32, u32)>, Tree)>),
}

impl Tree {
    /// The value that begins at `at`. The line was checked; of equal names the last counts.
    pub fn of_json(line: &[u8], at: usize) -> (Tree, usize) {
        let ending = |close: u8, mut at: usize| {
            at = json::blank(line, at);
            match line.get(at) {
                Some(b',') => (false, json::blank(line, at + 1)),
                Some(byte) if *byte == close => (true, at + 1),
                _ => (true, at),
            }
        };
        match line.get(at) {
            Some(b'[') => {
                let mut items = Vec::new();
                let mut at = json::blank(line, at + 1);
                if line.get(at) == Some(&b']') {
                    return (Tree::List(items), at + 1);
                }
                loop {
                    let (item, after) = Tree::of_json(line, at);
                    items.push(item);
                    let (ended, next) = ending(b']', after);
                    if ended || next <= at {
                        return (Tree::List(items), next);
                    }
                    at = next;
                }
            }
            Some(b'{') => {
                let mut members: Vec<(Option<(u32, u32)>, Tree)> = Vec::new();
                let mut at = json::blank(line, at + 1);
                if line.get(at) == Some(&b'}') {
                    return (Tree::Object(members), at + 1);
                }
                loop {
                    let Ok((name, after)) = json::value(line, at, 1) else { return (Tree::Object(members), at) };
                    let (value, after) = Tree::of_json(line, json::blank(line, json::blank(line, after) + 1));
                    members.push((Some((name.start, name.end)), value));
                    let (ended, next) = ending(b'}', after);
                    if ended || next <= at {
                        return (Tree::Object(last_of_each(line, members)), next);
                    }
                    at = next;
                }
            }
            _ => match json::value(line, at, 1) {
                Ok((span, after)) => (Tree::Scalar(span), after),
                Err(_) => (Tree::Scalar(Span { kind: Kind::Null, start: 0, end: 0 }), line.len()),
            },
        }
    }

    /// What `name` leads to, lists laid flat; whether it leads anywhere. As event._resolve.
    pub fn resolve(&self, bytes: &[u8], name: &[u8], out: &mut impl FnMut(Span)) -> bool {
        match self {
            Tree::Scalar(_) => false,
            Tree::List(items) => {
                let mut reached = false;
                for item in items {
                    reached |= item.resolve(bytes, name, out);
                }
                reached
            }
            Tree::Object(members) => {
                if let Some(value) = member(bytes, members, name) {
                    value.leaves(out);
                    return true;
                }
                memchr::memchr_iter(b'.', name).any(|dot| {
                    member(bytes, members, &name[..dot])
                        .is_some_and(|value| value.resolve(bytes, &name[dot + 1..], out))
                })
            }
        }
    }

    /// The items of lists within lists; an object is an item.
    pub fn leaves(&self, out: &mut impl FnMut(Span)) {
        match self {
            Tree::Scalar(span) => out(*span),
            Tree::List(items) => items.iter().for_each(|item| item.leaves(out)),
            Tree::Object(_) => out(Span { kind: Kind::Object, start: 0, end: 0 }),
        }
    }

    /// Every scalar, however deep.
    pub fn everything(&self, out: &mut impl FnMut(Span)) {
        match self {
            Tree::Scalar(span) => out(*span),
            Tree::List(items) => items.iter().for_each(|item| item.everything(out)),
            Tree::Object(members) => members.iter().for_each(|(_, value)| value.everything(out)),
        }
    }
}

fn member<'a>(bytes: &[u8], members: &'a [(Option<(u32, u32)>, Tree)], name: &[u8]) -> Option<&'a Tree> {
    let is = |span: &Option<(u32, u32)>| span.is_some_and(|(start, end)| &bytes[start as usize..end as usize] == name);
    members.iter().find(|(span, _)| is(span)).map(|(_, value)| value)
}

fn last_of_each(line: &[u8], members: Vec<(Option<(u32, u32)>, Tree)>) -> Vec<(Option<(u32, u32)>, Tree)> {
    let name = |place: usize| members[place].0.map(|(start, end)| &line[start as usize..end as usize]);
    let mut kept = vec![true; members.len()];
    if members.len() <= NAMES_COMPARED_MAX {
        for (place, kept) in kept.iter_mut().enumerate() {
            *kept = (place + 1..members.len()).all(|later| name(later) != name(place));
        }
    } else {
        let mut last = HashMap::with_capacity(members.len());
        for place in 0..members.len() {
            if let Some(earlier) = last.insert(name(place), place) {
                kept[earlier] = false;
            }
        }
    }
    members.into_iter().zip(kept).filter_map(|(member, kept)| kept.then_some(member)).collect()
}
