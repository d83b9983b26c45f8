//! Blocks of attributes: which apply, in what order, and who wins.

use crate::model::{Cib, scalar};
use crate::xml::Element;

use super::rule::{self, RuleInput};
use super::table::Values;

/// How a set of blocks is read into a table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BlockOptions<'a> {
    /// A block applied later replaces what an earlier one set.
    pub(super) overwrite: bool,
    /// The block with this id is applied first, whatever its score.
    pub(super) first: Option<&'a str>,
}

/// Fills a table from the blocks named `name` among these elements.
///
/// Blocks apply by score, highest first; of equal scores the last in the document applies first.
pub(super) fn apply_blocks<'d>(
    cib: &Cib<'d>,
    parent: Element<'d>,
    name: &str,
    options: BlockOptions<'_>,
    input: &RuleInput<'_, 'd>,
    table: &mut impl Values<'d>,
) {
    let mut blocks: Vec<(bool, i32, Element<'d>)> = parent
        .children_named(name)
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
            apply_block(cib, block, options.overwrite, table);
        }
    }
}

fn apply_block<'d>(
    cib: &Cib<'d>,
    block: Element<'d>,
    overwrite: bool,
    table: &mut impl Values<'d>,
) {
    // Old configurations wrap the pairs.
    let pairs = block.child("attributes").unwrap_or(block);
    for pair in pairs.children_named("nvpair") {
        let other = pair.attribute("id-ref").and_then(|_| {
            let found = cib.resolve(pair);
            (found.id() != pair.id()).then_some(found)
        });
        let part = |name| {
            pair.attribute(name)
                .or_else(|| other.and_then(|o| o.attribute(name)))
        };
        let (Some(name), Some(value)) = (part("name"), part("value")) else {
            continue;
        };
        if value == "#default" {
            table.remove(name);
        } else if overwrite {
            table.set(name, value);
        } else {
            table.set_default(name, value);
        }
    }
}
