//! `sigma-rust-lines RULES EVENTS`: what `fsoc detect` prints, by the library sigma-rust. Not an engine: a loop.
//!
//! The library matches one rule with one event. Which rules an event is tried with is decided here, by the logsource it
//! states, so that the library is not asked about rules that do not concern it.

use sigma_rust::{rule_from_yaml, Event, Rule};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::{env, fs, io, path::Path};

type Logsource = [Option<String>; 3];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let [_, folder, events] = &arguments[..] else {
        panic!("usage: sigma-rust-lines RULES EVENTS");
    };
    let mut rules = Vec::new();
    let mut refused = 0;
    load(Path::new(folder), &mut rules, &mut refused)?;
    eprintln!("{} rules, {refused} refused", rules.len());

    let mut routes: HashMap<Logsource, Vec<usize>> = HashMap::new();
    let mut out = BufWriter::new(io::stdout().lock());
    for (number, line) in BufReader::new(fs::File::open(events)?).lines().enumerate() {
        let mut event: serde_json::Value = serde_json::from_str(&line?)?;
        let stated = event.as_object_mut().and_then(|fields| fields.remove("logsource"));
        let logsource = ["product", "category", "service"]
            .map(|name| stated.as_ref()?.get(name)?.as_str().map(str::to_owned));
        let Ok(event) = Event::try_from(event) else { continue };
        let route = routes.entry(logsource).or_insert_with_key(|logsource| covering(&rules, logsource));
        let matched: Vec<&str> = route
            .iter()
            .map(|&index| &rules[index])
            .filter(|rule| rule.is_match(&event))
            .filter_map(|rule| rule.id.as_deref())
            .collect();
        if !matched.is_empty() {
            writeln!(out, "{}", serde_json::json!({"event": number, "rules": matched}))?;
        }
    }
    out.flush()
}

fn load(path: &Path, rules: &mut Vec<Rule>, refused: &mut usize) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            load(&entry?.path(), rules, refused)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "yml") {
        match rule_from_yaml(&fs::read_to_string(path)?) {
            Ok(rule) => rules.push(rule),
            Err(_) => *refused += 1,
        }
    }
    Ok(())
}

fn covering(rules: &[Rule], [product, category, service]: &Logsource) -> Vec<usize> {
    let unset_or = |wanted: &Option<String>, stated: &Option<String>| wanted.is_none() || wanted == stated;
    (0..rules.len())
        .filter(|&index| {
            let own = &rules[index].logsource;
            unset_or(&own.product, product) && unset_or(&own.category, category) && unset_or(&own.service, service)
        })
        .collect()
}
