//! Regular expressions whose meaning on plain ASCII is RE2's: run here. Every other pattern or text goes to RE2 itself.

use regex_automata::meta;
use regex_automata::nfa::thompson::NFA;
use regex_syntax::ast::{self, Ast, Visitor};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Bounds on what one pattern may take; beyond them it is RE2's.
const NFA_BYTES_MAX: usize = 4 << 20;
const LAZY_BYTES_MAX: usize = 1 << 20;
/// A pattern of so many states may remember more of them together: with less it begins anew all the time, and 8 KiB
/// take (a{1,30}){1,30}b 200 ms. Few rules have such a pattern.
const LARGE_STATES: usize = 250;
const LARGE_LAZY_BYTES_MAX: usize = 32 << 20;
/// How many texts, and how long, a pattern's alternatives are written out as.
const TEXTS_MAX: usize = 32;
const TEXT_LENGTH_MIN: usize = 2;

pub struct Pattern {
    regex: meta::Regex,
    /// Folded texts of which each match holds one; none where there are no good ones.
    pub required: Vec<Vec<u8>>,
}

impl Pattern {
    /// None where the pattern is RE2's to run.
    pub fn new(pattern: &str) -> Option<Pattern> {
        // `{,n}` is a text to RE2 and a repetition here.
        if !pattern.is_ascii() || pattern.contains("{,") {
            return None;
        }
        let parsed = ast::parse::Parser::new().parse(pattern).ok()?;
        ast::visit(&parsed, Portable).ok()?;
        let hir = TranslatorBuilder::new().unicode(false).utf8(false).build().translate(pattern, &parsed).ok()?;
        let limit = NFA::config().utf8(false).nfa_size_limit(Some(NFA_BYTES_MAX));
        let states = NFA::compiler().configure(limit).build_from_hir(&hir).ok()?.states().len();
        let config = meta::Config::new()
            .utf8_empty(false)
            .nfa_size_limit(Some(NFA_BYTES_MAX))
            .hybrid_cache_capacity(if states < LARGE_STATES { LAZY_BYTES_MAX } else { LARGE_LAZY_BYTES_MAX });
        let regex = meta::Builder::new().configure(config).build_from_hir(&hir).ok()?;
        Some(Pattern { regex, required: required(&hir).unwrap_or_default() })
    }

    /// None where only RE2 can tell: `\s` knows no vertical tab there, and other characters are read otherwise.
    pub fn holds(&self, text: &[u8]) -> Option<bool> {
        if !text.is_ascii() || memchr::memchr(0x0B, text).is_some() {
            return None;
        }
        Some(self.regex.is_match(text))
    }
}

/// Refuses whatever RE2 and Rust may read differently.
struct Portable;

impl Visitor for Portable {
    type Output = ();
    type Err = ();

    fn finish(self) -> Result<(), ()> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        match ast {
            Ast::ClassUnicode(_) => Err(()),
            Ast::Literal(literal) => plain(literal),
            Ast::Assertion(assertion) => match assertion.kind {
                ast::AssertionKind::StartLine
                | ast::AssertionKind::EndLine
                | ast::AssertionKind::StartText
                | ast::AssertionKind::EndText
                | ast::AssertionKind::WordBoundary
                | ast::AssertionKind::NotWordBoundary => Ok(()),
                _ => Err(()),
            },
            Ast::Flags(set) => flags(&set.flags),
            Ast::Group(group) => group.flags().map_or(Ok(()), flags),
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), ()> {
        match item {
            ast::ClassSetItem::Literal(literal) => plain(literal),
            ast::ClassSetItem::Range(range) => plain(&range.start).and(plain(&range.end)),
            ast::ClassSetItem::Unicode(_) | ast::ClassSetItem::Bracketed(_) => Err(()),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), ()> {
        Err(())
    }
}

fn plain(literal: &ast::Literal) -> Result<(), ()> {
    if literal.c.is_ascii() { Ok(()) } else { Err(()) }
}

fn flags(flags: &ast::Flags) -> Result<(), ()> {
    for item in &flags.items {
        if let ast::FlagsItemKind::Flag(flag) = &item.kind
            && !matches!(
                flag,
                ast::Flag::CaseInsensitive | ast::Flag::MultiLine | ast::Flag::DotMatchesNewLine | ast::Flag::SwapGreed
            )
        {
            return Err(());
        }
    }
    Ok(())
}

type Texts = Vec<Vec<u8>>;

/// Folded texts of which one stands in every match.
fn required(hir: &Hir) -> Option<Texts> {
    let found = match hir.kind() {
        HirKind::Capture(capture) => return required(&capture.sub),
        HirKind::Repetition(repeated) => {
            return if repeated.min == 0 { None } else { required(&repeated.sub) };
        }
        HirKind::Alternation(parts) => {
            let each: Option<Vec<Texts>> = parts.iter().map(required).collect();
            each.map(|texts| texts.concat())
        }
        HirKind::Concat(parts) => of_sequence(parts),
        _ => exact(hir),
    };
    found.filter(good)
}

fn of_sequence(parts: &[Hir]) -> Option<Texts> {
    let mut best: Option<Texts> = None;
    let mut run: Texts = vec![Vec::new()];
    for part in parts {
        match exact(part) {
            Some(texts) if texts.len() * run.len() <= TEXTS_MAX => run = product(&run, &texts),
            Some(texts) => {
                best = better(best, Some(std::mem::replace(&mut run, texts)));
            }
            None => {
                best = better(best, Some(std::mem::replace(&mut run, vec![Vec::new()])));
                best = better(best, required(part));
            }
        }
    }
    better(best, Some(run))
}

fn good(texts: &Texts) -> bool {
    !texts.is_empty() && texts.len() <= TEXTS_MAX && texts.iter().all(|text| text.len() >= TEXT_LENGTH_MIN)
}

fn better(mine: Option<Texts>, its: Option<Texts>) -> Option<Texts> {
    let length = |texts: &Option<Texts>| {
        texts.as_ref().filter(|texts| good(texts)).and_then(|texts| texts.iter().map(Vec::len).min()).unwrap_or(0)
    };
    if length(&its) > length(&mine) { its } else { mine }
}

fn product(run: &Texts, texts: &Texts) -> Texts {
    let mut out: Texts = run.iter().flat_map(|head| texts.iter().map(move |tail| [&head[..], tail].concat())).collect();
    out.sort();
    out.dedup();
    out
}

/// All the texts a part can be, folded, where they are few.
fn exact(hir: &Hir) -> Option<Texts> {
    let texts = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
        HirKind::Literal(literal) => vec![literal.0.to_ascii_lowercase()],
        HirKind::Class(Class::Bytes(class)) => {
            let count: usize = class.ranges().iter().map(|range| range.len()).sum();
            if count > TEXTS_MAX {
                return None;
            }
            let members = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            members.map(|byte| vec![byte.to_ascii_lowercase()]).collect()
        }
        HirKind::Capture(capture) => return exact(&capture.sub),
        HirKind::Concat(parts) => {
            let mut run: Texts = vec![Vec::new()];
            for part in parts {
                let texts = exact(part)?;
                if run.len() * texts.len() > TEXTS_MAX {
                    return None;
                }
                run = product(&run, &texts);
            }
            run
        }
        HirKind::Alternation(parts) => parts.iter().map(exact).collect::<Option<Vec<Texts>>>()?.concat(),
        _ => return None,
    };
    let mut texts = texts;
    texts.sort();
    texts.dedup();
    (texts.len() <= TEXTS_MAX).then_some(texts)
}
