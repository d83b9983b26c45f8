//! Patterns of RELAX NG and what is left of one once a part of a document was read.
//!
//! Equal patterns have the same number, and what a step makes of a pattern is remembered: a document
//! that repeats itself costs one look-up per step.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// The number of a pattern.
pub(super) type P = u32;

/// Matches nothing.
pub(super) const NOT_ALLOWED: P = 0;
/// Matches that nothing is there.
pub(super) const EMPTY: P = 1;
/// Matches any text.
pub(super) const TEXT: P = 2;

/// The number of a name; [`ANY`] stands for all of them.
pub(super) type Name = u32;

/// Any name.
pub(super) const ANY: Name = u32::MAX;

/// A name that the schema does not have.
pub(super) const UNHEARD: Name = ANY - 1;

/// The number of a test of a value: see [`super::value`].
pub(super) type Test = u32;

/// The number of an element's declaration: see [`super::grammar`].
pub(super) type Declaration = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    NotAllowed,
    Empty,
    Text,
    Attribute(Name, Test),
    Element(Name, Declaration),
    Choice(P, P),
    Group(P, P),
    Interleave(P, P),
    OneOrMore(P),
}

/// What is known of a pattern without looking into it.
#[derive(Debug, Clone, Copy)]
struct Info {
    pattern: Pattern,
    /// It matches that nothing is there.
    nullable: bool,
    /// One bit per attribute name (modulo 64) inside of it.
    attributes: u64,
    /// The same for the elements.
    elements: u64,
}

/// What the values of one attribute lead to.
#[derive(Debug)]
struct AttributeStep {
    of: (P, Name),
    /// The tests that tell the values apart.
    tests: Box<[Test]>,
    /// What is left, by the tests that are passed.
    by_passed: Vec<(u64, P)>,
}

/// A cheap hash for small numbers that no document chooses.
#[derive(Debug, Default)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    #[inline]
    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as u64);
    }
}

pub(super) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

/// As many patterns as the check of a small CIB makes.
const USUAL: usize = 800;

fn with_room<K, V>(entries: usize) -> NumberMap<K, V> {
    HashMap::with_capacity_and_hasher(entries, BuildHasherDefault::default())
}

/// What an element can be, each with what is left then.
pub(super) type Steps = Arc<[(Declaration, P)]>;

/// All patterns of one schema.
#[derive(Debug)]
pub(super) struct Patterns {
    all: Vec<Info>,
    known: NumberMap<Pattern, P>,
    attribute_steps: Vec<AttributeStep>,
    step_of: NumberMap<(P, Name), usize>,
    element_steps: NumberMap<(P, Name), Steps>,
    closed: NumberMap<P, P>,
}

impl Patterns {
    pub(super) fn new() -> Self {
        let mut patterns = Self {
            all: Vec::with_capacity(USUAL),
            known: with_room(USUAL),
            attribute_steps: Vec::with_capacity(USUAL / 8),
            step_of: with_room(USUAL / 8),
            element_steps: with_room(USUAL / 8),
            closed: with_room(USUAL / 8),
        };
        for fixed in [Pattern::NotAllowed, Pattern::Empty, Pattern::Text] {
            patterns.number(fixed);
        }
        patterns
    }

    pub(super) fn pattern(&self, p: P) -> Pattern {
        self.all[p as usize].pattern
    }

    pub(super) fn is_nullable(&self, p: P) -> bool {
        self.all[p as usize].nullable
    }

    fn number(&mut self, pattern: Pattern) -> P {
        if let Some(&p) = self.known.get(&pattern) {
            return p;
        }
        let both = |a: P, b: P| (self.all[a as usize], self.all[b as usize]);
        let (nullable, attributes, elements) = match pattern {
            Pattern::NotAllowed => (false, 0, 0),
            Pattern::Empty | Pattern::Text => (true, 0, 0),
            Pattern::Attribute(name, _) => (false, bit(name), 0),
            Pattern::Element(name, _) => (false, 0, bit(name)),
            Pattern::Choice(a, b) => {
                let (a, b) = both(a, b);
                let nullable = a.nullable || b.nullable;
                (
                    nullable,
                    a.attributes | b.attributes,
                    a.elements | b.elements,
                )
            }
            Pattern::Group(a, b) | Pattern::Interleave(a, b) => {
                let (a, b) = both(a, b);
                let nullable = a.nullable && b.nullable;
                (
                    nullable,
                    a.attributes | b.attributes,
                    a.elements | b.elements,
                )
            }
            Pattern::OneOrMore(a) => {
                let a = self.all[a as usize];
                (a.nullable, a.attributes, a.elements)
            }
        };
        let p = self.all.len() as P;
        self.all.push(Info {
            pattern,
            nullable,
            attributes,
            elements,
        });
        self.known.insert(pattern, p);
        p
    }

    pub(super) fn attribute(&mut self, name: Name, test: Test) -> P {
        self.number(Pattern::Attribute(name, test))
    }

    pub(super) fn element(&mut self, name: Name, declaration: Declaration) -> P {
        self.number(Pattern::Element(name, declaration))
    }

    pub(super) fn choice(&mut self, a: P, b: P) -> P {
        if a == NOT_ALLOWED || a == b {
            return b;
        }
        if b == NOT_ALLOWED || (b == EMPTY && self.is_nullable(a)) {
            return a;
        }
        if a == EMPTY && self.is_nullable(b) {
            return b;
        }
        let mut rest = a;
        while let Pattern::Choice(x, y) = self.pattern(rest) {
            if x == b || y == b {
                return a;
            }
            rest = x;
        }
        self.number(Pattern::Choice(a, b))
    }

    pub(super) fn group(&mut self, a: P, b: P) -> P {
        match (a, b) {
            (NOT_ALLOWED, _) | (_, NOT_ALLOWED) => NOT_ALLOWED,
            (EMPTY, other) | (other, EMPTY) => other,
            _ => self.number(Pattern::Group(a, b)),
        }
    }

    pub(super) fn interleave(&mut self, a: P, b: P) -> P {
        match (a, b) {
            (NOT_ALLOWED, _) | (_, NOT_ALLOWED) => NOT_ALLOWED,
            (EMPTY, other) | (other, EMPTY) => other,
            _ => self.number(Pattern::Interleave(a, b)),
        }
    }

    pub(super) fn one_or_more(&mut self, a: P) -> P {
        match a {
            NOT_ALLOWED | EMPTY | TEXT => a,
            _ => self.number(Pattern::OneOrMore(a)),
        }
    }

    pub(super) fn zero_or_more(&mut self, a: P) -> P {
        let more = self.one_or_more(a);
        self.choice(more, EMPTY)
    }

    /// Returns the number of what reading an attribute means for a pattern.
    pub(super) fn attribute_step(&mut self, p: P, name: Name) -> usize {
        if let Some(&step) = self.step_of.get(&(p, name)) {
            return step;
        }
        let mut tests = Vec::new();
        self.collect_tests(p, name, &mut tests);
        let step = self.attribute_steps.len();
        self.attribute_steps.push(AttributeStep {
            of: (p, name),
            tests: tests.into(),
            by_passed: Vec::new(),
        });
        self.step_of.insert((p, name), step);
        step
    }

    /// Returns the tests that an attribute's value is put to.
    pub(super) fn tests(&self, step: usize) -> &[Test] {
        &self.attribute_steps[step].tests
    }

    fn collect_tests(&self, p: P, name: Name, tests: &mut Vec<Test>) {
        let info = self.all[p as usize];
        if info.attributes & (bit(name) | bit(ANY)) == 0 {
            return;
        }
        match info.pattern {
            Pattern::Attribute(its, test) => {
                let is_ours = its == name || its == ANY;
                if is_ours && !tests.contains(&test) {
                    tests.push(test);
                }
            }
            Pattern::Choice(a, b) | Pattern::Group(a, b) | Pattern::Interleave(a, b) => {
                self.collect_tests(a, name, tests);
                self.collect_tests(b, name, tests);
            }
            Pattern::OneOrMore(a) => self.collect_tests(a, name, tests),
            _ => {}
        }
    }

    /// Returns what is left once an attribute was read; `passed` has a bit for each of its
    /// [tests](Self::tests).
    pub(super) fn after_attribute(&mut self, step: usize, passed: u64) -> P {
        let known = &self.attribute_steps[step];
        if let Some(&(_, left)) = known.by_passed.iter().find(|(its, _)| *its == passed) {
            return left;
        }
        let (p, name) = known.of;
        let tests = known.tests.iter().enumerate();
        let passed_tests: Vec<Test> = tests
            .filter(|(at, _)| passed & (1 << at) != 0)
            .map(|(_, &test)| test)
            .collect();
        let left = self.attribute_left(p, name, &passed_tests);
        self.attribute_steps[step].by_passed.push((passed, left));
        left
    }

    fn attribute_left(&mut self, p: P, name: Name, passed: &[Test]) -> P {
        let info = self.all[p as usize];
        if info.attributes & (bit(name) | bit(ANY)) == 0 {
            return NOT_ALLOWED;
        }
        match info.pattern {
            Pattern::Attribute(its, test) => {
                if (its == name || its == ANY) && passed.contains(&test) {
                    EMPTY
                } else {
                    NOT_ALLOWED
                }
            }
            Pattern::Choice(a, b) => {
                let a = self.attribute_left(a, name, passed);
                let b = self.attribute_left(b, name, passed);
                self.choice(a, b)
            }
            Pattern::Group(a, b) => {
                let left = self.attribute_left(a, name, passed);
                let with_a = self.group(left, b);
                let left = self.attribute_left(b, name, passed);
                let with_b = self.group(a, left);
                self.choice(with_a, with_b)
            }
            Pattern::Interleave(a, b) => {
                let left = self.attribute_left(a, name, passed);
                let with_a = self.interleave(left, b);
                let left = self.attribute_left(b, name, passed);
                let with_b = self.interleave(a, left);
                self.choice(with_a, with_b)
            }
            Pattern::OneOrMore(a) => {
                let left = self.attribute_left(a, name, passed);
                let more = self.choice(p, EMPTY);
                self.group(left, more)
            }
            _ => NOT_ALLOWED,
        }
    }

    /// Returns what is left when there are no more attributes.
    pub(super) fn after_attributes(&mut self, p: P) -> P {
        let info = self.all[p as usize];
        if info.attributes == 0 {
            return p;
        }
        if let Some(&left) = self.closed.get(&p) {
            return left;
        }
        let left = match info.pattern {
            Pattern::Attribute(..) => NOT_ALLOWED,
            _ => self.rebuilt(p, Self::after_attributes),
        };
        self.closed.insert(p, left);
        left
    }

    /// Returns what is left when all attributes are taken as given.
    pub(super) fn without_attributes(&mut self, p: P) -> P {
        match self.pattern(p) {
            Pattern::Attribute(..) => EMPTY,
            _ => self.rebuilt(p, Self::without_attributes),
        }
    }

    /// Puts a pattern together again from what becomes of its parts; one without parts stays.
    fn rebuilt(&mut self, p: P, part: fn(&mut Self, P) -> P) -> P {
        match self.pattern(p) {
            Pattern::Choice(a, b) => {
                let (a, b) = (part(self, a), part(self, b));
                self.choice(a, b)
            }
            Pattern::Group(a, b) => {
                let (a, b) = (part(self, a), part(self, b));
                self.group(a, b)
            }
            Pattern::Interleave(a, b) => {
                let (a, b) = (part(self, a), part(self, b));
                self.interleave(a, b)
            }
            Pattern::OneOrMore(a) => {
                let a = part(self, a);
                self.one_or_more(a)
            }
            _ => p,
        }
    }

    /// Collects the attributes without which a pattern cannot match.
    pub(super) fn required_attributes(&self, p: P, names: &mut Vec<Name>) {
        match self.pattern(p) {
            Pattern::Attribute(name, _) if name != ANY => names.push(name),
            Pattern::Group(a, b) | Pattern::Interleave(a, b) => {
                self.required_attributes(a, names);
                self.required_attributes(b, names);
            }
            Pattern::OneOrMore(a) => self.required_attributes(a, names),
            Pattern::Choice(a, b) => {
                let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
                self.required_attributes(a, &mut of_a);
                self.required_attributes(b, &mut of_b);
                names.extend(of_a.iter().filter(|name| of_b.contains(name)));
            }
            _ => {}
        }
    }

    /// Collects the elements that may come next.
    pub(super) fn next_elements(&self, p: P, names: &mut Vec<Name>) {
        match self.pattern(p) {
            Pattern::Element(name, _) if name != ANY && !names.contains(&name) => names.push(name),
            Pattern::Choice(a, b) | Pattern::Interleave(a, b) => {
                self.next_elements(a, names);
                self.next_elements(b, names);
            }
            Pattern::Group(a, b) => {
                self.next_elements(a, names);
                if self.is_nullable(a) {
                    self.next_elements(b, names);
                }
            }
            Pattern::OneOrMore(a) => self.next_elements(a, names),
            _ => {}
        }
    }

    /// Returns the declarations that an element of this name could be of, each with what is left
    /// once it was read.
    pub(super) fn element_steps(&mut self, p: P, name: Name) -> Steps {
        if let Some(steps) = self.element_steps.get(&(p, name)) {
            return Arc::clone(steps);
        }
        let mut steps = Vec::new();
        self.collect_steps(p, name, &mut steps);
        let steps: Steps = steps.into();
        self.element_steps.insert((p, name), Arc::clone(&steps));
        steps
    }

    fn collect_steps(&mut self, p: P, name: Name, steps: &mut Vec<(Declaration, P)>) {
        let info = self.all[p as usize];
        if info.elements & (bit(name) | bit(ANY)) == 0 {
            return;
        }
        let from = steps.len();
        match info.pattern {
            Pattern::Element(its, declaration) if its == name || its == ANY => {
                steps.push((declaration, EMPTY));
            }
            Pattern::Choice(a, b) => {
                self.collect_steps(a, name, steps);
                self.collect_steps(b, name, steps);
            }
            Pattern::Group(a, b) => {
                self.collect_steps(a, name, steps);
                for (_, left) in &mut steps[from..] {
                    *left = self.group(*left, b);
                }
                if self.is_nullable(a) {
                    self.collect_steps(b, name, steps);
                }
            }
            Pattern::Interleave(a, b) => {
                self.collect_steps(a, name, steps);
                for (_, left) in &mut steps[from..] {
                    *left = self.interleave(*left, b);
                }
                let from = steps.len();
                self.collect_steps(b, name, steps);
                for (_, left) in &mut steps[from..] {
                    *left = self.interleave(a, *left);
                }
            }
            Pattern::OneOrMore(a) => {
                self.collect_steps(a, name, steps);
                let more = self.choice(p, EMPTY);
                for (_, left) in &mut steps[from..] {
                    *left = self.group(*left, more);
                }
            }
            _ => {}
        }
    }

    /// Returns what is left once a text was read.
    pub(super) fn after_text(&mut self, p: P) -> P {
        match self.pattern(p) {
            Pattern::Text => TEXT,
            Pattern::Choice(a, b) => {
                let (a, b) = (self.after_text(a), self.after_text(b));
                self.choice(a, b)
            }
            Pattern::Group(a, b) => {
                let left = self.after_text(a);
                let in_a = self.group(left, b);
                if !self.is_nullable(a) {
                    return in_a;
                }
                let in_b = self.after_text(b);
                self.choice(in_a, in_b)
            }
            Pattern::Interleave(a, b) => {
                let left = self.after_text(a);
                let in_a = self.interleave(left, b);
                let left = self.after_text(b);
                let in_b = self.interleave(a, left);
                self.choice(in_a, in_b)
            }
            Pattern::OneOrMore(a) => {
                let left = self.after_text(a);
                let more = self.choice(p, EMPTY);
                self.group(left, more)
            }
            _ => NOT_ALLOWED,
        }
    }
}

fn bit(name: Name) -> u64 {
    if name == ANY {
        1 << 63
    } else {
        1 << (name % 63)
    }
}
