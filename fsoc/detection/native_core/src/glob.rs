//! Texts with wildcards against a whole text. Time at most the text's length times the longest run between two `*`.

use memchr::memmem::Finder;

use crate::program::Part;

/// What stands between two `*`: texts, and how many single characters.
enum Piece {
    Text(Vec<u8>),
    One,
}

type Run = Vec<Piece>;

pub struct Glob {
    first: Run,
    middle: Vec<(Option<Finder<'static>>, Run)>,
    /// None: there is no `*`, and `first` is everything.
    last: Option<Run>,
    pub longest: Vec<u8>,
}

impl Glob {
    pub fn new(parts: &[Part]) -> Glob {
        let mut runs: Vec<Run> = vec![Vec::new()];
        for part in parts {
            match part {
                Part::Wild(0) => runs.push(Vec::new()),
                Part::Wild(_) => push(&mut runs, Piece::One),
                Part::Text(text) => push(&mut runs, Piece::Text(text.clone().into_bytes())),
            }
        }
        let mut longest: &[u8] = &[];
        for piece in runs.iter().flatten() {
            if let Piece::Text(text) = piece
                && text.len() > longest.len()
            {
                longest = text;
            }
        }
        let longest = longest.to_vec();
        let last = if runs.len() > 1 { runs.pop() } else { None };
        let mut runs = runs.into_iter();
        let first = runs.next().unwrap_or_default();
        let middle = runs.filter(|run| !run.is_empty()).map(|run| (finder(&run), run)).collect();
        Glob { first, middle, last, longest }
    }

    pub fn holds(&self, text: &[u8]) -> bool {
        let Some(mut at) = forward(&self.first, text, 0) else { return false };
        let Some(last) = &self.last else { return at == text.len() };
        for (finder, run) in &self.middle {
            loop {
                if let Some(finder) = finder {
                    let Some(found) = finder.find(&text[at..]) else { return false };
                    at += found;
                }
                if let Some(end) = forward(run, text, at) {
                    at = end;
                    break;
                }
                let Some(next) = character_end(text, at) else { return false };
                at = next;
            }
        }
        backward(last, text).is_some_and(|start| start >= at)
    }
}

fn push(runs: &mut [Run], piece: Piece) {
    if let Some(run) = runs.last_mut() {
        run.push(piece);
    }
}

fn finder(run: &Run) -> Option<Finder<'static>> {
    match run.first() {
        Some(Piece::Text(text)) => Some(Finder::new(text).into_owned()),
        _ => None,
    }
}

fn character_end(text: &[u8], at: usize) -> Option<usize> {
    text.get(at)?;
    let rest = text[at + 1..].iter().take_while(|byte| **byte & 0xC0 == 0x80).count();
    Some(at + 1 + rest)
}

/// Where the run ends that begins at `at`.
fn forward(run: &Run, text: &[u8], mut at: usize) -> Option<usize> {
    for piece in run {
        at = match piece {
            Piece::Text(piece) => text[at..].starts_with(piece).then_some(at + piece.len())?,
            Piece::One => character_end(text, at)?,
        };
    }
    Some(at)
}

/// Where the run begins that ends with the text.
fn backward(run: &Run, text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    for piece in run.iter().rev() {
        end = match piece {
            Piece::Text(piece) => text[..end].ends_with(piece).then(|| end - piece.len())?,
            Piece::One => text[..end].iter().rposition(|byte| *byte & 0xC0 != 0x80)?,
        };
    }
    Some(end)
}
