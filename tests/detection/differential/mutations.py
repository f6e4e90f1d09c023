"""Errors that a faster engine could have: one change of its text each. test_mutations.py shows that each is found."""

from __future__ import annotations

from typing import NamedTuple

FAST = "fsoc/detection/fast/"
NATIVE = "fsoc/detection/native_core/src/"


class Mutation(NamedTuple):
    """wrong: what the engine then does. old: replaced wherever it stands in the file."""

    wrong: str
    path: str
    old: str
    new: str


OF_NATIVE = (
    Mutation(
        "remembers by the value without its type",
        f"{NATIVE}search.rs",
        "(field << 4 | span.kind as u32, span.raw(self.bytes))",
        "(field << 4, span.raw(self.bytes))",
    ),
    Mutation(
        "remembers by the value without its field",
        f"{NATIVE}search.rs",
        "(field << 4 | span.kind as u32, span.raw(self.bytes))",
        "(span.kind as u32, span.raw(self.bytes))",
    ),
    Mutation(
        "takes a text found without case for one with case",
        f"{NATIVE}clause.rs",
        "if *cased { (folds.folded(text), clause | TO_TRY) }",
        "if *cased { (folds.folded(text), clause) }",
    ),
    Mutation(
        "searches a cased text for what it is not folded to",
        f"{NATIVE}clause.rs",
        "if *cased { (folds.folded(text), clause | TO_TRY) }",
        "if *cased { (text.clone(), clause | TO_TRY) }",
    ),
    Mutation(
        "folds ASCII alone", f"{NATIVE}fold.rs", "        if text.is_ascii() {\n", "        if !text.is_empty() {\n"
    ),
    Mutation(
        "cuts an anchor: of several clauses one is not searched",
        f"{NATIVE}plan.rs",
        "anchor.iter().flatten() {",
        "anchor.iter().flatten().take(1) {",
    ),
    Mutation(
        "forgets the rules that are tried always",
        f"{NATIVE}plan.rs",
        "always: anchors.iter().map(Option::is_none).collect()",
        "always: anchors.iter().map(|_| false).collect()",
    ),
    Mutation(
        "drops an alias",
        f"{NATIVE}matching.rs",
        "self.view.aliases.iter().rev().filter(",
        "self.view.aliases.iter().rev().skip(1).filter(",
    ),
    Mutation(
        "tries the rules of other logsources too",
        f"{NATIVE}matching.rs",
        "if view.has_rule(rule) && ",
        "if ",
    ),
    Mutation("wants one more than at least so many", f"{NATIVE}matching.rs", "held >= count", "held > count"),
    Mutation(
        "takes the start for the end",
        f"{NATIVE}clause.rs",
        "Place::Start => subject.starts_with(text)",
        "Place::Start => subject.ends_with(text)",
    ),
    Mutation(
        "lets the ends of a text with wildcards overlap",
        f"{NATIVE}glob.rs",
        "is_some_and(|start| start >= at)",
        "is_some_and(|_| true)",
    ),
    Mutation(
        "takes a byte for a character",
        f"{NATIVE}glob.rs",
        "    Some(at + 1 + rest)",
        "    Some(at + 1 + rest.min(0))",
    ),
    Mutation(
        "tells a rule's id twice",
        f"{NATIVE}engine.rs",
        "if !self.shares_id[rule as usize] || ",
        "if true || ",
    ),
    Mutation(
        "takes the first of equal names", f"{NATIVE}tree.rs", "(place + 1..members.len()).all(", "(0..place).all("
    ),
    Mutation("looks for keywords in no object", f"{NATIVE}tree.rs", "value.everything(out))", "value.leaves(out))"),
    Mutation(
        "takes a missing field for one that is not null",
        f"{NATIVE}matching.rs",
        "Test::Null => from == to || ",
        "Test::Null => ",
    ),
    Mutation(
        "compares with what is less alone",
        f"{NATIVE}matching.rs",
        "Order::Lte => ordering != Ordering::Greater",
        "Order::Lte => ordering == Ordering::Less",
    ),
    Mutation(
        "requires of a pattern what may be left out",
        f"{NATIVE}pattern.rs",
        "if repeated.min == 0 { None }",
        "if repeated.min > 9 { None }",
    ),
    Mutation(
        "reads a pattern beyond ASCII by its own lights",
        f"{NATIVE}pattern.rs",
        "if !text.is_ascii() || memchr::memchr(0x0B, text).is_some() {",
        "if text.is_empty() && memchr::memchr(0x0B, text).is_some() {",
    ),
    Mutation(
        "holds an address of IPv4 in the clothes of IPv6 for another",
        f"{NATIVE}clause.rs",
        "self.is_four && address.mapped.is_some_and(within)",
        "false && address.mapped.is_some_and(within)",
    ),
    Mutation(
        "keeps its memory when other anchors are searched",
        f"{NATIVE}engine.rs",
        "        self.plans += 1;\n        self.state.memo.forget();",
        "        self.plans += 1;",
    ),
)

OF_FAST = (
    Mutation(
        "remembers what rules came to by values without their types",
        f"{FAST}lane.py",
        "return matched if seen == types else self._route.matched(self._targets, fields)",
        "return matched",
    ),
    Mutation("remembers numbers without their type", f"{FAST}memo.py", "key = (kind, raw)", "key = (int, raw)"),
    Mutation("takes 0.0 for -0.0", f"{FAST}memo.py", "key = (kind, repr(raw))", "key = (kind, raw)"),
    Mutation("takes a tuple for a value", f"{FAST}memo.py", "elif kind is tuple:", "elif kind is list:"),
    Mutation(
        "remembers routes without the types of what decides",
        f"{FAST}lanes.py",
        "return found if [*map(type, key)] == types else self._new(shape, fields, stated)",
        "return found",
    ),
    Mutation(
        "searches a cased text for what it is not folded to",
        f"{FAST}search.py",
        "self._put(place, text.casefold() if cased else text, index, certain=not cased)",
        "self._put(place, text, index, certain=not cased)",
    ),
    Mutation(
        "takes a text found without case for one with case",
        f"{FAST}search.py",
        "self._put(place, text.casefold() if cased else text, index, certain=not cased)",
        "self._put(place, text.casefold(), index, certain=True)",
    ),
    Mutation(
        "holds a text that is a number for that number",
        f"{FAST}search.py",
        "            if is_number(value.raw):\n",
        "            if value.text:\n",
    ),
    Mutation(
        "proposes patterns for ASCII alone and tries no other",
        f"{FAST}search.py",
        "if self._beyond_ascii and not text.isascii():",
        "if self._beyond_ascii and not text:",
    ),
    Mutation(
        "looks at the start for what is to stand at the end",
        f"{FAST}search.py",
        "table.get(folded[-length:], ())",
        "table.get(folded[:length], ())",
    ),
    Mutation(
        "cuts an anchor: of several clauses one is not searched",
        f"{FAST}searches.py",
        "            for index in sorted(anchor):\n",
        "            for index in sorted(anchor)[:1]:\n",
    ),
    Mutation("forgets the rules that are tried always", f"{FAST}searches.py", "self.always.add(rule)", "pass"),
    Mutation(
        "drops an alias", f"{FAST}lane.py", "if wanted == name and source in names:", "if wanted == name == source:"
    ),
    Mutation(
        "holds a gate open where a field has one value only",
        f"{FAST}views.py",
        "found = {*self.always, *self.gated}",
        "found = {*self.always}",
    ),
    Mutation(
        "wants one more than at least so many",
        f"{FAST}conditions.py",
        "for part in parts) >= count",
        "for part in parts) > count",
    ),
    Mutation(
        "wants one more than at least so many, compiled",
        f"{FAST}conditions.py",
        ">= {self._name(count)})",
        "> {self._name(count)})",
    ),
    Mutation(
        "takes the start for the end",
        f"{FAST}conditions.py",
        'return f"t.startswith({name})"',
        'return f"t.endswith({name})"',
    ),
    Mutation(
        "takes any start for any end",
        f"{FAST}conditions.py",
        'f"t.startswith({self._name(tuple(starts))})"',
        'f"t.endswith({self._name(tuple(starts))})"',
    ),
    Mutation(
        "looks at the first of several values alone",
        f"{FAST}conditions.py",
        "            raise SeveralError\n",
        "            found = found[:1]\n",
    ),
    Mutation(
        "looks for keywords in a line that writes characters by number",
        f"{FAST}keywords.py",
        "if _BY_NUMBER in line and _BY_NUMBER in line.replace",
        "if not line and _BY_NUMBER in line.replace",
    ),
    Mutation(
        "looks for keywords of ASCII in ASCII alone",
        f"{FAST}keywords.py",
        "if max(found) >= len(self._of_run):\n            return None",
        "if max(found) >= len(self._of_run):\n            return ()",
    ),
    Mutation(
        "proposes once or more for what may be there not at all",
        f"{FAST}proposals.py",
        '("*" if int(match[1]) == 0 else "+")',
        '("+" if int(match[1]) == 0 else "+")',
    ),
    Mutation(
        "tries rules in a view of other names too",
        f"{FAST}views.py",
        "rules = {each - view.first for each in targets if 0 <= each - view.first < self.rules_total} - matched",
        "rules = {each % self.rules_total for each in targets} - matched",
    ),
)
