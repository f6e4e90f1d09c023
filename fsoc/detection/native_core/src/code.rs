//! A condition laid out flat: each node before its parts, so that trying it reads on where it stands.

use crate::rules::Node;

#[derive(Clone, Copy)]
pub enum Op {
    /// A mark of a field.
    Marked {
        field: u32,
        mark: u32,
    },
    /// A clause that is tried when asked for.
    Tried(u32),
    /// end: where what comes after its parts stands.
    And {
        end: u32,
    },
    Or {
        end: u32,
    },
    AtLeast {
        count: u32,
        end: u32,
    },
    /// Of the one part that follows.
    Not,
}

pub type Code = Box<[Op]>;

pub fn code_of(node: &Node) -> Code {
    let mut code = Vec::new();
    write(node, &mut code);
    code.into()
}

fn write(node: &Node, code: &mut Vec<Op>) {
    let at = code.len();
    match node {
        Node::Marked { field, mark } => code.push(Op::Marked { field: *field, mark: *mark }),
        Node::Tried(clause) => code.push(Op::Tried(*clause)),
        Node::And(parts) | Node::Or(parts) | Node::AtLeast(_, parts) => {
            code.push(Op::Not);
            parts.iter().for_each(|part| write(part, code));
            let end = code.len() as u32;
            code[at] = match node {
                Node::And(_) => Op::And { end },
                Node::Or(_) => Op::Or { end },
                Node::AtLeast(count, _) => Op::AtLeast { count: (*count).clamp(0, i64::from(u32::MAX)) as u32, end },
                _ => Op::Not,
            };
        }
        Node::Not(part) => {
            code.push(Op::Not);
            write(part, code);
        }
    }
}

/// Where the node after the one at `at` stands.
#[inline]
pub fn after(code: &[Op], mut at: usize) -> usize {
    loop {
        match code.get(at) {
            Some(Op::Not) => at += 1,
            Some(Op::And { end } | Op::Or { end } | Op::AtLeast { end, .. }) => return *end as usize,
            _ => return at + 1,
        }
    }
}
