//! Reading a schema's files, and making patterns of what they say when a document first needs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex_lite::Regex;

use super::pattern::{
    ANY, Declaration, EMPTY, NOT_ALLOWED, Name, NumberMap, P, Patterns, TEXT, Test, UNHEARD,
};
use super::source::{Item, Source};
use super::value::{Rule, Type, plain_words, says, trimmed};
use crate::xml::Names;
use crate::{Error, ErrorExt, ErrorKind, Result};

/// How deep patterns may lie in each other.
const DEEPEST: usize = 200;

/// One place in the files.
type Place = (usize, u32);

/// The definitions that are visible in one place.
#[derive(Debug, Default)]
struct Scope {
    parent: Option<usize>,
    start: Vec<Place>,
    /// The bodies of the definitions, by the numbers of their names.
    defines: Vec<(Name, Place)>,
    made: NumberMap<Name, P>,
}

/// The inside of one element that the schema declares.
#[derive(Debug, Clone, Copy)]
struct Declared {
    scope: usize,
    place: Place,
    /// How many items in front are no pattern, but the class of its name.
    class: usize,
    inside: Option<P>,
    /// Whether its inside is whatever there can be.
    takes_anything: Option<bool>,
}

/// What a schema says, as far as it was needed.
#[derive(Debug)]
pub(super) struct Grammar {
    directory: PathBuf,
    files: Vec<(String, Arc<Source>)>,
    /// What a whole file stands for.
    made_files: NumberMap<usize, P>,
    scopes: Vec<Scope>,
    pub(super) patterns: Patterns,
    declared: Vec<Declared>,
    declared_at: NumberMap<(usize, usize, u32), Declaration>,
    pub(super) rules: Vec<Rule>,
    /// The names of elements and attributes, and apart from them those of definitions.
    names: Names,
    definitions: Names,
    depth: usize,
}

/// The number of a file's outermost element.
const ROOT: u32 = 0;

const ANY_TEXT: Test = 0;
const BLANK: Test = 1;
const NEVER: Test = 2;

impl Grammar {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            files: Vec::new(),
            made_files: NumberMap::default(),
            scopes: vec![Scope::default()],
            patterns: Patterns::new(),
            declared: Vec::new(),
            declared_at: NumberMap::default(),
            rules: vec![Rule::Any, Rule::Blank, Rule::Never],
            names: Names::new(),
            definitions: Names::new(),
            depth: 0,
        }
    }

    /// Returns the pattern of a whole file.
    pub(super) fn file(&mut self, name: &str) -> Result<P> {
        let file = self.load(name)?;
        if let Some(&made) = self.made_files.get(&file) {
            return Ok(made);
        }
        let made = self.pattern(0, (file, ROOT))?;
        self.made_files.insert(file, made);
        Ok(made)
    }

    /// Returns the pattern of what is inside an element.
    pub(super) fn inside(&mut self, declaration: Declaration) -> Result<P> {
        let declared = self.declared[declaration as usize];
        if let Some(inside) = declared.inside {
            return Ok(inside);
        }
        let inside = self.group_of(declared.scope, declared.place, declared.class)?;
        self.declared[declaration as usize].inside = Some(inside);
        Ok(inside)
    }

    /// Tells whether an element takes whatever there can be inside of one.
    pub(super) fn takes_anything(&mut self, declaration: Declaration) -> Result<bool> {
        if let Some(known) = self.declared[declaration as usize].takes_anything {
            return Ok(known);
        }
        let inside = self.inside(declaration)?;
        let takes = self.is_anything(inside)?;
        self.declared[declaration as usize].takes_anything = Some(takes);
        Ok(takes)
    }

    fn is_anything(&mut self, p: P) -> Result<bool> {
        use super::pattern::Pattern;
        // That there may be nothing needs no saying: a text may be empty.
        let Pattern::OneOrMore(choice) = self.patterns.pattern(p) else {
            return Ok(false);
        };
        let (mut attribute, mut element, mut text) = (false, None, false);
        let mut rest = vec![choice];
        while let Some(next) = rest.pop() {
            match self.patterns.pattern(next) {
                Pattern::Choice(a, b) => rest.extend([a, b]),
                Pattern::Attribute(ANY, ANY_TEXT) => attribute = true,
                Pattern::Element(ANY, declaration) => element = Some(declaration),
                Pattern::Text => text = true,
                _ => {}
            }
        }
        match element.filter(|_| attribute && text) {
            Some(declaration) => Ok(self.inside(declaration)? == p),
            None => Ok(false),
        }
    }

    /// Returns the number of a name of a document; all that the schema does not know have one.
    pub(super) fn name(&self, name: &str) -> Name {
        self.names.find(name).unwrap_or(UNHEARD)
    }

    pub(super) fn text_of(&self, name: Name) -> &str {
        self.names.name(name)
    }

    /// Puts a text to a test. What depends on the rest of the document is asked of `special`.
    pub(super) fn passes(
        rules: &[Rule],
        test: Test,
        text: &str,
        special: &mut dyn FnMut(Type) -> bool,
    ) -> bool {
        match &rules[test as usize] {
            Rule::Any => true,
            Rule::Blank => trimmed(text).is_empty(),
            Rule::Never => false,
            Rule::Token(word) => says(word, text),
            Rule::Exactly(word) => word == text,
            Rule::OneOf(tests) => tests
                .iter()
                .any(|&test| Self::passes(rules, test, text, special)),
            Rule::Data {
                of,
                patterns,
                except,
            } => {
                of.takes(text)
                    && patterns.iter().all(|pattern| pattern.is_match(text))
                    && except.is_none_or(|test| !Self::passes(rules, test, text, special))
                    && (!matches!(of, Type::Id | Type::IdReference) || special(*of))
            }
        }
    }

    fn load(&mut self, name: &str) -> Result<usize> {
        if let Some(at) = self.files.iter().position(|(its, _)| its == name) {
            return Ok(at);
        }
        let path = self.directory.join(name);
        let what = || format!("read the schema {}", path.display());
        let text = std::fs::read_to_string(&path).with_context(what)?;
        let source = Source::new(text).with_context(what)?;
        self.files.push((name.to_owned(), Arc::new(source)));
        Ok(self.files.len() - 1)
    }

    fn text<'s>(&self, place: Place, item: Item<'s>) -> Result<&'s str> {
        let text = item.text();
        text.ok_or_else(|| self.unsupported(place, "a text with markup in it"))
    }

    fn unsupported(&self, place: Place, what: &str) -> Error {
        let file = &self.files[place.0].0;
        Error::new(
            ErrorKind::Unsupported,
            format!("the schema's file {file} holds {what}, which is not understood here"),
        )
    }

    /// Returns the pattern of all that an item holds, one after the other, without the first few.
    fn group_of(&mut self, scope: usize, place: Place, skip: usize) -> Result<P> {
        let source = Arc::clone(&self.files[place.0].1);
        let mut all = EMPTY;
        for child in source.item(place.1).children().skip(skip) {
            let next = self.pattern(scope, (place.0, child.number()))?;
            all = self.patterns.group(all, next);
        }
        Ok(all)
    }

    fn pattern(&mut self, scope: usize, place: Place) -> Result<P> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unsupported(place, "definitions that lie too deep in each other"));
        }
        let made = self.pattern_here(scope, place);
        self.depth -= 1;
        made
    }

    fn pattern_here(&mut self, scope: usize, place: Place) -> Result<P> {
        let source = Arc::clone(&self.files[place.0].1);
        let element = source.item(place.1);
        let attribute = |name| element.attribute(name);
        let required = |grammar: &Self, name| {
            attribute(name).ok_or_else(|| {
                grammar.unsupported(place, &format!("<{}> without {name}", element.name()))
            })
        };
        Ok(match element.name() {
            "element" => {
                let (name, class) = self.name_class(place, element)?;
                let key = (scope, place.0, place.1);
                let next = self.declared.len() as Declaration;
                let declaration = *self.declared_at.entry(key).or_insert(next);
                if declaration == next {
                    self.declared.push(Declared {
                        scope,
                        place,
                        class,
                        inside: None,
                        takes_anything: None,
                    });
                }
                self.patterns.element(name, declaration)
            }
            "attribute" => {
                let (name, class) = self.name_class(place, element)?;
                let mut values = element.children().skip(class);
                let test = match (values.next(), values.next()) {
                    (None, _) => ANY_TEXT,
                    (Some(only), None) => self.test(scope, (place.0, only.number()))?,
                    _ => return Err(self.unsupported(place, "an attribute of several patterns")),
                };
                if test == NEVER {
                    NOT_ALLOWED
                } else {
                    self.patterns.attribute(name, test)
                }
            }
            "group" => self.group_of(scope, place, 0)?,
            "interleave" | "mixed" => {
                let mut all = EMPTY;
                for child in element.children() {
                    let next = self.pattern(scope, (place.0, child.number()))?;
                    all = self.patterns.interleave(all, next);
                }
                if element.name() == "mixed" {
                    all = self.patterns.interleave(all, TEXT);
                }
                all
            }
            "choice" => {
                let mut all = NOT_ALLOWED;
                for child in element.children() {
                    let next = self.pattern(scope, (place.0, child.number()))?;
                    all = self.patterns.choice(all, next);
                }
                all
            }
            "optional" => {
                let all = self.group_of(scope, place, 0)?;
                self.patterns.choice(all, EMPTY)
            }
            "zeroOrMore" => {
                let all = self.group_of(scope, place, 0)?;
                self.patterns.zero_or_more(all)
            }
            "oneOrMore" => {
                let all = self.group_of(scope, place, 0)?;
                self.patterns.one_or_more(all)
            }
            "empty" => EMPTY,
            "notAllowed" => NOT_ALLOWED,
            "text" => TEXT,
            "ref" => self.define(scope, required(self, "name")?, place)?,
            "parentRef" => {
                let Some(parent) = self.scopes[scope].parent else {
                    return Err(self.unsupported(place, "a parentRef outside of a grammar"));
                };
                self.define(parent, required(self, "name")?, place)?
            }
            "externalRef" => self.file(required(self, "href")?)?,
            "grammar" => {
                let new = self.scopes.len();
                self.scopes.push(Scope {
                    parent: Some(scope),
                    ..Scope::default()
                });
                self.collect(new, place, &Overridden::default())?;
                let mut all = NOT_ALLOWED;
                for start in self.scopes[new].start.clone() {
                    let next = self.group_of(new, start, 0)?;
                    all = self.patterns.choice(all, next);
                }
                all
            }
            other => return Err(self.unsupported(place, &format!("<{other}>"))),
        })
    }

    /// Returns the name of an element or an attribute, and how many of the items inside say it.
    fn name_class(&mut self, place: Place, element: Item<'_>) -> Result<(Name, usize)> {
        if let Some(name) = element.attribute("name") {
            return Ok((number(&mut self.names, name), 0));
        }
        match element.children().next() {
            Some(class) if class.name() == "name" => {
                let name = self.text(place, class)?;
                Ok((number(&mut self.names, trimmed(name)), 1))
            }
            Some(class) if class.name() == "anyName" && class.children().next().is_none() => {
                Ok((ANY, 1))
            }
            _ => Err(self.unsupported(place, "a class of names")),
        }
    }

    /// Finds the bodies of a definition.
    fn bodies(&mut self, scope: usize, name: &str, place: Place) -> Result<Vec<Place>> {
        let number = number(&mut self.definitions, name);
        let defines = self.scopes[scope].defines.iter();
        let bodies = defines.filter(|(its, _)| *its == number);
        let bodies: Vec<Place> = bodies.map(|&(_, body)| body).collect();
        if bodies.is_empty() {
            return Err(self.unsupported(place, &format!("a reference to nothing ({name})")));
        }
        Ok(bodies)
    }

    fn define(&mut self, scope: usize, name: &str, place: Place) -> Result<P> {
        let number = number(&mut self.definitions, name);
        if let Some(&made) = self.scopes[scope].made.get(&number) {
            return Ok(made);
        }
        let mut all = None;
        for body in self.bodies(scope, name, place)? {
            let next = self.group_of(scope, body, 0)?;
            let combine = self.files[body.0].1.item(body.1).attribute("combine");
            all = Some(match (all, combine) {
                (None, _) => next,
                (Some(all), Some("interleave")) => self.patterns.interleave(all, next),
                (Some(all), _) => self.patterns.choice(all, next),
            });
        }
        let made = all.unwrap_or(NOT_ALLOWED);
        self.scopes[scope].made.insert(number, made);
        Ok(made)
    }

    /// Collects the definitions of a grammar, those of the files that it includes too.
    fn collect(&mut self, scope: usize, place: Place, overridden: &Overridden) -> Result<()> {
        let source = Arc::clone(&self.files[place.0].1);
        for child in source.item(place.1).children() {
            let here = (place.0, child.number());
            match child.name() {
                "define" => {
                    let name = child.attribute("name").unwrap_or_default();
                    let number = number(&mut self.definitions, name);
                    if !overridden.defines.contains(&number) {
                        self.scopes[scope].defines.push((number, here));
                    }
                }
                "start" if overridden.start => {}
                "start" => self.scopes[scope].start.push(here),
                "div" => self.collect(scope, here, overridden)?,
                "include" => {
                    let Some(href) = child.attribute("href") else {
                        return Err(self.unsupported(here, "an include of nothing"));
                    };
                    if self.depth >= DEEPEST {
                        return Err(self.unsupported(here, "files that include each other"));
                    }
                    let file = self.load(href)?;
                    let mut more = overridden.clone();
                    self.override_with(child, &mut more);
                    self.depth += 1;
                    self.collect(scope, (file, ROOT), &more)?;
                    self.depth -= 1;
                    self.collect(scope, here, overridden)?;
                }
                other => return Err(self.unsupported(here, &format!("<{other}>"))),
            }
        }
        Ok(())
    }

    fn override_with(&mut self, include: Item<'_>, overridden: &mut Overridden) {
        for child in include.children() {
            match (child.name(), child.attribute("name")) {
                ("start", _) => overridden.start = true,
                ("define", Some(name)) => {
                    overridden.defines.push(number(&mut self.definitions, name));
                }
                ("div", _) => self.override_with(child, overridden),
                _ => {}
            }
        }
    }

    /// Returns the test that a text must pass.
    fn test(&mut self, scope: usize, place: Place) -> Result<Test> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unsupported(place, "definitions that lie too deep in each other"));
        }
        let made = self.test_here(scope, place);
        self.depth -= 1;
        made
    }

    fn test_here(&mut self, scope: usize, place: Place) -> Result<Test> {
        let source = Arc::clone(&self.files[place.0].1);
        let element = source.item(place.1);
        let places =
            |of: Item<'_>| -> Vec<Place> { of.children().map(|e| (place.0, e.number())).collect() };
        let rule = match element.name() {
            "text" => return Ok(ANY_TEXT),
            "empty" => return Ok(BLANK),
            "notAllowed" => return Ok(NEVER),
            "value" => {
                let text = self.text(place, element)?;
                match element.attribute("type") {
                    None | Some("token") => Rule::Token(plain_words(text)),
                    Some("string") => Rule::Exactly(text.to_owned()),
                    Some(other) => {
                        return Err(self.unsupported(place, &format!("a value of type {other}")));
                    }
                }
            }
            "data" => self.data(scope, place, element)?,
            "choice" => self.one_of(scope, &places(element))?,
            "optional" => {
                let mut tests = vec![BLANK];
                for place in places(element) {
                    tests.push(self.test(scope, place)?);
                }
                Rule::OneOf(tests)
            }
            "group" | "define" if element.children().count() == 1 => {
                return self.test(scope, places(element)[0]);
            }
            "ref" => {
                let name = element.attribute("name").unwrap_or_default();
                let bodies = self.bodies(scope, name, place)?;
                self.one_of(scope, &bodies)?
            }
            other => return Err(self.unsupported(place, &format!("<{other}> in an attribute"))),
        };
        self.rules.push(rule);
        Ok(self.rules.len() as Test - 1)
    }

    fn one_of(&mut self, scope: usize, places: &[Place]) -> Result<Rule> {
        let tests: Result<Vec<Test>> = places.iter().map(|&at| self.test(scope, at)).collect();
        tests.map(Rule::OneOf)
    }

    fn data(&mut self, scope: usize, place: Place, element: Item<'_>) -> Result<Rule> {
        let name = element.attribute("type").unwrap_or_default();
        let of = Type::named(name)
            .ok_or_else(|| self.unsupported(place, &format!("data of type {name}")))?;
        let (mut patterns, mut except) = (Vec::new(), None);
        for child in element.children() {
            match (child.name(), child.attribute("name")) {
                ("param", Some("pattern")) if of == Type::String => {
                    let whole = format!("^(?:{})$", trimmed(self.text(place, child)?));
                    let pattern = Regex::new(&whole);
                    patterns.push(pattern.map_err(|_| self.unsupported(place, "a pattern"))?);
                }
                ("except", _) => {
                    let places: Vec<Place> =
                        child.children().map(|e| (place.0, e.number())).collect();
                    let rule = self.one_of(scope, &places)?;
                    self.rules.push(rule);
                    except = Some(self.rules.len() as Test - 1);
                }
                _ => return Err(self.unsupported(place, "a parameter of data")),
            }
        }
        Ok(Rule::Data {
            of,
            patterns,
            except,
        })
    }
}

/// What an include says anew.
#[derive(Debug, Clone, Default)]
struct Overridden {
    start: bool,
    defines: Vec<Name>,
}

/// Returns the number of a name, which stays the same.
fn number(names: &mut Names, name: &str) -> Name {
    names.intern(name, |_| true).unwrap_or(UNHEARD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_anything_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let anything = r#"<grammar><start><ref name="any"/></start><define name="any">
            <zeroOrMore><choice>
              <attribute><anyName/><text/></attribute>
              <element><anyName/><ref name="any"/></element>
              <text/>
            </choice></zeroOrMore></define></grammar>"#;
        let root = r#"<element name="cib">
            <element name="status"><externalRef href="any.rng"/></element>
            <element name="other"><zeroOrMore><attribute><anyName/></attribute></zeroOrMore></element>
          </element>"#;
        for (name, text) in [("any.rng", anything), ("root.rng", root)] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let mut grammar = Grammar::new(folder.path());
        grammar.file("root.rng").expect("understood");
        grammar.inside(0).expect("understood");
        let takes: Vec<bool> = (0..3)
            .map(|declaration| grammar.takes_anything(declaration).expect("understood"))
            .collect();
        assert_eq!(takes, [false, true, false]);
    }
}
