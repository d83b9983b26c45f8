//! Walking a document, and saying what the schema does not allow.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::Fault;
use super::grammar::Grammar;
use super::pattern::{Declaration, EMPTY, NOT_ALLOWED, Name, P, Steps, UNHEARD};
use super::value::{Type, trimmed};
use crate::xml::{Content, Contents, Document, Element};
use crate::{Error, ErrorKind, Result};

/// How many faults are looked for.
const MOST_FAULTS: usize = 20;

/// An element whose inside is being read.
struct Open<'d> {
    element: Element<'d>,
    rest: Contents<'d>,
    /// What it could be, and what each of these still asks for.
    candidates: Vec<(Declaration, P)>,
    /// For the candidates of the parent (by number): ours, and what is left of the parent's then.
    links: Vec<(usize, usize, P)>,
}

pub(super) struct Check<'g, 'd> {
    grammar: &'g mut Grammar,
    /// The grammar's numbers for the document's names.
    names: Vec<Name>,
    open: Vec<Open<'d>>,
    /// Elements that were read, whose buffers can be used again.
    idle: Vec<Open<'d>>,
    ids: HashSet<&'d str, RandomState>,
    references: Vec<(Element<'d>, &'d str, &'d str)>,
    faults: Vec<Fault>,
}

impl<'g, 'd> Check<'g, 'd> {
    pub(super) fn new(grammar: &'g mut Grammar) -> Self {
        Self {
            grammar,
            names: Vec::new(),
            open: Vec::new(),
            idle: Vec::new(),
            ids: HashSet::with_capacity_and_hasher(128, RandomState::default()),
            references: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub(super) fn run(mut self, start: P, document: &'d Document) -> Result<Vec<Fault>> {
        let root = document.root();
        let name = self.number(root.symbol(), root.name());
        let steps = self.grammar.patterns.element_steps(start, name);
        if steps.is_empty() {
            self.fault(root, "it may not be the root".to_owned());
            return Ok(self.faults);
        }
        self.enter(root, [steps].into_iter())?;
        while let Some(open) = self.open.last_mut() {
            if self.faults.len() >= MOST_FAULTS {
                return Ok(self.faults);
            }
            match open.rest.next() {
                Some(Content::Element(child)) => self.child(child)?,
                Some(Content::Text(_)) => self.text(),
                Some(Content::Comment(_)) => {}
                None => self.leave(),
            }
        }
        self.check_references();
        Ok(self.faults)
    }

    /// Returns the grammar's number for a name of the document.
    fn number(&mut self, symbol: u32, name: &str) -> Name {
        let at = symbol as usize;
        if self.names.len() <= at {
            self.names.resize(at + 32, UNHEARD);
        }
        // The schema may have come to know more since.
        if self.names[at] == UNHEARD {
            self.names[at] = self.grammar.name(name);
        }
        self.names[at]
    }

    fn child(&mut self, child: Element<'d>) -> Result<()> {
        let name = self.number(child.symbol(), child.name());
        let Some(parent) = self.open.last() else {
            return Ok(());
        };
        let patterns = &mut self.grammar.patterns;
        if let [(_, p)] = parent.candidates[..] {
            let steps = patterns.element_steps(p, name);
            if !steps.is_empty() {
                return self.enter(child, std::iter::once(steps));
            }
        } else {
            let states = parent.candidates.iter();
            let steps: Vec<Steps> = states
                .map(|&(_, p)| patterns.element_steps(p, name))
                .collect();
            if steps.iter().any(|steps| !steps.is_empty()) {
                return self.enter(child, steps.into_iter());
            }
        }
        let mut expected = Vec::new();
        for &(_, p) in &parent.candidates {
            patterns.next_elements(p, &mut expected);
        }
        let message = match self.list(&expected).as_str() {
            "" => "it may not be here".to_owned(),
            names => format!("it may not be here; these may: {names}"),
        };
        self.fault(child, message);
        Ok(())
    }

    /// Begins to read an element; `steps` are those of each candidate of its parent.
    fn enter(&mut self, element: Element<'d>, steps: impl Iterator<Item = Steps>) -> Result<()> {
        let idle = self.idle.pop();
        let mut open = idle.unwrap_or_else(|| Open {
            element,
            rest: Contents::none(element),
            candidates: Vec::with_capacity(1),
            links: Vec::with_capacity(1),
        });
        open.element = element;
        open.rest = element.contents();
        for (of_parent, steps) in steps.enumerate() {
            for &(declaration, left) in &*steps {
                let mut known = open.candidates.iter();
                let known = known.position(|&(its, _)| its == declaration);
                let ours = known.unwrap_or(open.candidates.len());
                if known.is_none() {
                    let inside = self.grammar.inside(declaration)?;
                    open.candidates.push((declaration, inside));
                }
                open.links.push((of_parent, ours, left));
            }
        }
        let taken = match open.candidates[..] {
            [(declaration, _)] => self.grammar.takes_anything(declaration)?,
            _ => false,
        };
        if taken {
            open.candidates[0].1 = EMPTY;
            open.rest = Contents::none(element);
        } else {
            self.attributes(element, &mut open.candidates)?;
        }
        self.open.push(open);
        Ok(())
    }

    fn attributes(
        &mut self,
        element: Element<'d>,
        candidates: &mut [(Declaration, P)],
    ) -> Result<()> {
        for (symbol, name, value) in element.attributes_with_symbols() {
            if name == "xmlns" && !value.is_empty() {
                self.fault(element, format!("it is of the namespace {value:?}"));
            }
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let number = self.number(symbol, name);
            let mut is_free = None;
            if let [(_, p)] = candidates {
                // Nearly always there is one thing that an element can be.
                let step = self.grammar.patterns.attribute_step(*p, number);
                let passed = self.passed(step, element, name, value, &mut is_free)?;
                let next = self.grammar.patterns.after_attribute(step, passed);
                if next != NOT_ALLOWED {
                    *p = next;
                    continue;
                }
            }
            let mut next = Vec::with_capacity(candidates.len());
            let mut is_known = false;
            for &(_, p) in &*candidates {
                let step = self.grammar.patterns.attribute_step(p, number);
                let passed = self.passed(step, element, name, value, &mut is_free)?;
                is_known |= !self.grammar.patterns.tests(step).is_empty();
                next.push(self.grammar.patterns.after_attribute(step, passed));
            }
            if next.iter().any(|&p| p != NOT_ALLOWED) {
                for ((_, p), next) in candidates.iter_mut().zip(next) {
                    *p = next;
                }
            } else if is_free == Some(false) {
                self.fault(
                    element,
                    format!("{name}={value:?} is the name of another element"),
                );
            } else if is_known {
                self.fault(
                    element,
                    format!("{name} may not be {value:?}, or not beside the others"),
                );
            } else {
                self.fault(element, format!("it may not have the attribute {name}"));
            }
        }
        if let [(_, p)] = candidates {
            let closed = self.grammar.patterns.after_attributes(*p);
            if closed != NOT_ALLOWED {
                *p = closed;
                return Ok(());
            }
        }
        let closed: Vec<P> = candidates
            .iter()
            .map(|&(_, p)| self.grammar.patterns.after_attributes(p))
            .collect();
        if closed.iter().all(|&p| p == NOT_ALLOWED) {
            let mut missing = Vec::new();
            for &(_, p) in &*candidates {
                self.grammar.patterns.required_attributes(p, &mut missing);
            }
            let message = match self.list(&missing).as_str() {
                "" => "attributes are missing".to_owned(),
                names => format!("an attribute is missing: {names}"),
            };
            self.fault(element, message);
            // What is inside cannot be judged, as little is known of what it should be.
            for (_, p) in candidates.iter_mut() {
                *p = self.grammar.patterns.without_attributes(*p);
            }
            return Ok(());
        }
        for ((_, p), closed) in candidates.iter_mut().zip(closed) {
            *p = closed;
        }
        Ok(())
    }

    /// Puts a value to the tests of a step, and returns a bit for each that it passes.
    fn passed(
        &mut self,
        step: usize,
        element: Element<'d>,
        name: &'d str,
        value: &'d str,
        is_free: &mut Option<bool>,
    ) -> Result<u64> {
        let tests = self.grammar.patterns.tests(step);
        if tests.len() > 64 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the schema says more than can be told of attribute {name}"),
            ));
        }
        let (ids, references) = (&mut self.ids, &mut self.references);
        let mut special = |of: Type| {
            if of == Type::Id {
                return *is_free.get_or_insert_with(|| ids.insert(trimmed(value)));
            }
            references.push((element, name, trimmed(value)));
            true
        };
        let mut passed = 0;
        for (at, &test) in tests.iter().enumerate() {
            if Grammar::passes(&self.grammar.rules, test, value, &mut special) {
                passed |= 1 << at;
            }
        }
        Ok(passed)
    }

    fn text(&mut self) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let patterns = &mut self.grammar.patterns;
        let next: Vec<P> = open
            .candidates
            .iter()
            .map(|&(_, p)| patterns.after_text(p))
            .collect();
        if next.iter().all(|&p| p == NOT_ALLOWED) {
            let element = open.element;
            self.fault(element, "it may not hold this text".to_owned());
            return;
        }
        for ((_, p), next) in open.candidates.iter_mut().zip(next) {
            *p = next;
        }
    }

    /// Ends an element: its parent goes on with what is left if it was good.
    fn leave(&mut self) {
        let Some(mut open) = self.open.pop() else {
            return;
        };
        self.finish(&open);
        open.candidates.clear();
        open.links.clear();
        self.idle.push(open);
    }

    fn finish(&mut self, open: &Open<'d>) {
        let patterns = &mut self.grammar.patterns;
        if let ([(_, p)], [(0, 0, left)]) = (&open.candidates[..], &open.links[..])
            && patterns.is_nullable(*p)
            && let Some(parent) = self.open.last_mut()
            && let [(_, state)] = &mut parent.candidates[..]
        {
            *state = *left;
            return;
        }
        let mut is_good: Vec<bool> = open
            .candidates
            .iter()
            .map(|&(_, p)| patterns.is_nullable(p))
            .collect();
        if !is_good.contains(&true) {
            let mut missing = Vec::new();
            for &(_, p) in &open.candidates {
                patterns.next_elements(p, &mut missing);
            }
            is_good.fill(true);
            let message = match self.list(&missing).as_str() {
                "" => "something is missing in it".to_owned(),
                names => format!("something is missing in it, one of: {names}"),
            };
            self.fault(open.element, message);
        }
        let Some(parent) = self.open.last_mut() else {
            return;
        };
        let patterns = &mut self.grammar.patterns;
        for (at, (_, p)) in parent.candidates.iter_mut().enumerate() {
            *p = NOT_ALLOWED;
            for &(of_parent, ours, left) in &open.links {
                if of_parent == at && is_good[ours] {
                    *p = patterns.choice(*p, left);
                }
            }
        }
    }

    fn check_references(&mut self) {
        for (element, name, value) in std::mem::take(&mut self.references) {
            if !self.ids.contains(value) {
                self.fault(element, format!("{name}={value:?} names no element"));
            }
        }
    }

    fn list(&self, names: &[Name]) -> String {
        let names: Vec<&str> = names
            .iter()
            .map(|&name| self.grammar.text_of(name))
            .collect();
        names.join(", ")
    }

    fn fault(&mut self, element: Element<'_>, message: String) {
        if self.faults.len() < MOST_FAULTS {
            let path = element.path();
            self.faults.push(Fault { path, message });
        }
    }
}
