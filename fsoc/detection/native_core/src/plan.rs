//! What is searched for: each rule's anchor, turned about. Made apart, swapped in between two batches.

use crate::clause::Test;
use crate::rules::{Lists, Rules};

pub struct Plan {
    /// Of each clause: the rules it is an anchor of.
    pub rules_of: Lists,
    /// Of each field: anchors that nothing proposes, tried on every new value.
    pub eager: Vec<Vec<u32>>,
    /// Rules tried always.
    pub always: Vec<bool>,
    /// Of each rule, the fields of its anchor.
    pub fields_of: Vec<Vec<u32>>,
}

impl Plan {
    pub fn new(rules: &Rules, anchors: &[Option<Vec<u32>>]) -> Result<Plan, String> {
        if anchors.len() != rules.conditions.len() {
            return Err(format!("{} anchors for {} rules", anchors.len(), rules.conditions.len()));
        }
        let mut plan = Plan {
            rules_of: Lists::default(),
            eager: vec![Vec::new(); rules.fields.len()],
            always: anchors.iter().map(Option::is_none).collect(),
            fields_of: vec![Vec::new(); anchors.len()],
        };
        let mut rules_of = vec![Vec::new(); rules.tests.len()];
        for (rule, anchor) in anchors.iter().enumerate() {
            for &clause in anchor.iter().flatten() {
                let Some(rules_of) = rules_of.get_mut(clause as usize) else {
                    return Err(format!("there is no clause {clause}"));
                };
                if matches!(rules.tests[clause as usize], Test::Null | Test::Exists(_) | Test::Same { .. }) {
                    // Not functions of one value: no search finds where they hold.
                    plan.always[rule] = true;
                    continue;
                }
                rules_of.push(rule as u32);
                let field = rules.field_of[clause as usize];
                plan.fields_of[rule].push(field);
                if !rules.is_proposed(clause) {
                    plan.eager[field as usize].push(clause);
                }
            }
            plan.fields_of[rule].sort_unstable();
            plan.fields_of[rule].dedup();
        }
        plan.rules_of = Lists::new(&rules_of);
        for eager in &mut plan.eager {
            eager.sort_unstable();
            eager.dedup();
        }
        Ok(plan)
    }
}
