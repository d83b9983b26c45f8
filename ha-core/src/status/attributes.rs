//! Blocks of attributes: which apply, in what order, and who wins.

use std::cell::RefCell;
use std::rc::Rc;

use crate::model::{Cib, scalar};
use crate::xml::{Element, NodeId};

use super::rule::{self, RuleInput};
use super::table::{Map, Values};

/// How a set of blocks is read into a table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BlockOptions<'a> {
    /// A block applied later replaces what an earlier one set.
    pub(super) overwrite: bool,
    /// The block with this id is applied first, whatever its score.
    pub(super) first: Option<&'a str>,
}

/// Fills a table from these blocks of attributes.
///
/// Blocks apply by score, highest first; of equal scores the last in the document applies first.
pub(super) fn apply_blocks<'d>(
    cib: &Cib<'d>,
    blocks: impl Iterator<Item = Element<'d>>,
    long: &LongBlocks<'d>,
    options: BlockOptions<'_>,
    input: &RuleInput<'_, 'd>,
    table: &mut impl Values<'d>,
) {
    let mut blocks: Vec<(bool, i32, Element<'d>)> = blocks
        .map(|element| {
            let block = cib.resolve(element);
            let first = options
                .first
                .is_some_and(|id| block.attribute("id") == Some(id));
            let score = block
                .attribute("score")
                .map_or(0, |s| scalar::score(s, input.health));
            (first, score, block)
        })
        .collect();
    match blocks.as_slice() {
        [] => return,
        [_] => {}
        _ => {
            blocks.reverse();
            blocks.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)));
        }
    }
    for (_, _, block) in blocks {
        if rule::passes(cib, block, input) {
            apply_block(cib, block, long, options.overwrite, table);
        }
    }
}

fn apply_block<'d>(
    cib: &Cib<'d>,
    block: Element<'d>,
    long: &LongBlocks<'d>,
    overwrite: bool,
    table: &mut impl Values<'d>,
) {
    let wanted = table.wanted();
    let mut apply = |name, value| {
        if value == "#default" {
            table.remove(name);
        } else if overwrite {
            table.set(name, value);
        } else {
            table.set_default(name, value);
        }
    };
    match wanted.filter(|_| is_long(block)) {
        Some(wanted) => {
            for &(name, value) in long.pairs(cib, block, wanted).iter() {
                apply(name, value);
            }
        }
        None => values(cib, block).for_each(|(name, value)| apply(name, value)),
    }
}

/// The pairs of a block.
fn pairs_of<'d>(block: Element<'d>) -> impl Iterator<Item = Element<'d>> {
    // Old configurations wrap them.
    let pairs = block.child("attributes").unwrap_or(block);
    pairs.children_named("nvpair")
}

fn is_long(block: Element<'_>) -> bool {
    let mut children = block.children();
    let is_wrapped = children.next().is_some_and(|e| e.name() == "attributes");
    is_wrapped || children.nth(LONG).is_some()
}

/// The names and values of a block.
fn values<'d>(cib: &Cib<'d>, block: Element<'d>) -> impl Iterator<Item = (&'d str, &'d str)> {
    pairs_of(block).filter_map(|pair| {
        let other = pair.attribute("id-ref").and_then(|_| {
            let found = cib.resolve(pair);
            (found.id() != pair.id()).then_some(found)
        });
        let part = |name| {
            pair.attribute(name)
                .or_else(|| other.and_then(|o| o.attribute(name)))
        };
        Some((part("name")?, part("value")?))
    })
}

/// Of how many pairs on it is remembered which of them somebody asks for.
const LONG: usize = 32;

/// What is asked for in long blocks: many resources may refer to one.
#[derive(Debug, Default)]
pub(super) struct LongBlocks<'d>(RefCell<Map<Asked, Pairs<'d>>>);

/// A block, and where the list of the names asked for is, with its length.
type Asked = (Source, (usize, usize));
/// The element, and where its document is.
type Source = (NodeId, usize);
type Pairs<'d> = Rc<[(&'d str, &'d str)]>;

impl<'d> LongBlocks<'d> {
    fn pairs(
        &self,
        cib: &Cib<'d>,
        block: Element<'d>,
        wanted: &'static [&'static str],
    ) -> Pairs<'d> {
        let document = std::ptr::from_ref(block.document()).addr();
        let asked = (
            (block.id(), document),
            (wanted.as_ptr().addr(), wanted.len()),
        );
        let mut known = self.0.borrow_mut();
        let read = || {
            let values = values(cib, block);
            values.filter(|(name, _)| wanted.contains(name)).collect()
        };
        Rc::clone(known.entry(asked).or_insert_with(read))
    }
}
