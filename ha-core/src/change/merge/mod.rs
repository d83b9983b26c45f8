//! Bringing a CIB to a desired configuration, by meaning, and leaving alone what others configured.

mod meaning;
mod object;
pub(in crate::change) mod owner;

pub use meaning::same;
pub use owner::{TakenOver, tag_of};

use super::edit::{find_node, section_made, values};
use crate::name::Id;
use crate::xml::{Document, Element, NodeId};
use crate::{Error, ErrorKind, Result};

/// Changes a CIB so that it has a desired configuration.
///
/// * An object that is desired (resource, constraint, tag, alert ...) becomes as it is desired, as a whole,
///   unless it means the same already. Ids of its parts, the order of its values and other spellings of the
///   same (`10` and `10s`, `true` and `yes`, `INFINITY` and `+INFINITY`) mean nothing. What administrators set
///   meanwhile stays unless the desired configuration speaks of it: the meta-attributes `target-role`,
///   `is-managed` and `maintenance`.
/// * Options, defaults and attributes of nodes are single values: others stay.
/// * With an owner, what was desired for this owner the last time and no longer is, is removed, with the
///   references to it, unless another owner has it too. The CIB remembers it in a tag, `owned-by-OWNER`; a
///   single value that somebody had set to the same before is not the owner's. Without an owner nothing is
///   removed.
///
/// A second run changes nothing.
///
/// # Errors
/// [`ErrorKind::NotFound`] when a desired attribute is one of a node that is not configured,
/// [`ErrorKind::Invalid`] when a desired object has no id, or two have the same,
/// [`ErrorKind::AlreadyExists`] when an object of another kind has its id.
///
/// # Example
/// ```
/// use ha_core::change::merge;
/// use ha_core::xml::Document;
/// let desired = Document::parse(
///     "<cib><configuration><crm_config><cluster_property_set id='o'><nvpair id='o-1' \
///      name='stonith-enabled' value='false'/></cluster_property_set></crm_config>\
///      </configuration></cib>",
/// )?;
/// let mut cib = Document::parse("<cib><configuration/><status/></cib>")?;
/// merge(&mut cib, &desired, None)?;
/// let once = cib.clone();
/// merge(&mut cib, &desired, None)?;
/// assert_eq!(cib, once);
/// # Ok::<(), ha_core::Error>(())
/// ```
pub fn merge(cib: &mut Document, desired: &Document, owner: Option<&Id>) -> Result<()> {
    check_ids(desired)?;
    let mut merge = Merge {
        cib,
        owned: Vec::new(),
    };
    let configuration = desired.root().child("configuration");
    for section in configuration.into_iter().flat_map(Element::children) {
        merge.section(section)?;
    }
    let owned = merge.owned;
    if let Some(owner) = owner {
        owner::settle(cib, owner, owned)?;
    }
    Ok(())
}

struct Merge<'a> {
    cib: &'a mut Document,
    /// The ids of what the desired configuration speaks of, as they are in the CIB.
    owned: Vec<String>,
}

impl Merge<'_> {
    fn section(&mut self, desired: Element<'_>) -> Result<()> {
        match desired.name() {
            name @ ("crm_config" | "rsc_defaults" | "op_defaults") => self.sets(name, desired),
            "nodes" => desired.children().try_for_each(|node| self.node(node)),
            name => {
                let section = section_made(self.cib, name);
                for object in desired.children() {
                    self.object(section, object)?;
                }
                Ok(())
            }
        }
    }

    /// Options and defaults: single values, but for sets that apply only sometimes.
    fn sets(&mut self, name: &str, desired: Element<'_>) -> Result<()> {
        let section = section_made(self.cib, name);
        for set in desired.children() {
            if values::is_plain(set) {
                let id = set.attribute("id").unwrap_or(name);
                self.values(section, set, id);
            } else {
                self.object(section, set)?;
            }
        }
        Ok(())
    }

    fn node(&mut self, desired: Element<'_>) -> Result<()> {
        let name = desired.attribute("uname").unwrap_or_default();
        let node = match find_node(self.cib, name) {
            Ok(node) => node.id(),
            // One that Corosync does not know yet, but that has been given its number. It belongs to nobody:
            // machines are not removed by leaving them out.
            Err(_) if desired.attribute("id").is_some() => {
                let nodes = section_made(self.cib, "nodes");
                let node = self.cib.append_child(nodes, "node");
                for (name, value) in desired.attributes() {
                    self.cib.set_attribute(node, name, value);
                }
                node
            }
            Err(e) => return Err(e),
        };
        let id = self.cib.element(node).attribute("id").unwrap_or_default();
        let prefix = format!("nodes-{id}");
        for set in desired.children() {
            let id = match set.name() {
                "utilization" => format!("{prefix}-utilization"),
                _ => prefix.clone(),
            };
            if values::is_plain(set) {
                self.values(node, set, &id);
            } else {
                self.object(node, set)?;
            }
        }
        Ok(())
    }

    fn values(&mut self, owner: NodeId, desired: Element<'_>, id: &str) {
        for (name, value) in object::pairs(desired) {
            let tag = desired.name();
            let current = values::get(self.cib, self.cib.element(owner), tag, name);
            let is_so = current.is_some_and(|now| meaning::same_value(tag, name, now, value));
            if !is_so {
                values::set(self.cib, owner, tag, id, name, value);
            }
            // A value that somebody else had set to the same before us stays when we no longer want it.
            let pair = values::pair_id(self.cib, owner, tag, name);
            self.owned
                .extend(pair.filter(|pair| !is_so || owner::is_owned(self.cib, pair)));
        }
    }

    fn object(&mut self, parent: NodeId, desired: Element<'_>) -> Result<()> {
        let Some(id) = desired.attribute("id") else {
            let name = desired.name();
            return Err(Error::invalid(format!("a desired <{name}> has no id")));
        };
        let mut all = self
            .cib
            .root()
            .child("configuration")
            .into_iter()
            .flat_map(Element::descendants);
        // A remote node has the id of the resource that connects it.
        let has_own = |e: &Element<'_>| !meaning::is_reference(e.name()) && e.name() != "node";
        let namesake = all.find(|e| e.attribute("id") == Some(id) && has_own(e));
        let current = namesake
            .filter(|e| object::can_become(*e, desired))
            .map(Element::id);
        if let (Some(other), None) = (namesake, current) {
            let (name, other) = (desired.name(), other.name());
            let message = format!("the id {id} is that of a <{other}>, and a <{name}> is desired");
            return Err(Error::new(ErrorKind::AlreadyExists, message)
                .with_hint("choose another id, or remove the other one first"));
        }
        object::bring(self.cib, parent, current, desired);
        let parts = desired
            .descendants()
            .filter(|part| crate::model::is_resource(part.name()));
        let parts = parts
            .filter_map(|part| part.attribute("id"))
            .map(str::to_owned);
        self.owned.push(id.to_owned());
        self.owned.extend(parts.filter(|part| part != id));
        Ok(())
    }
}

/// Two objects of one id would overwrite each other.
fn check_ids(desired: &Document) -> Result<()> {
    let configuration = desired.root().child("configuration");
    let mut seen = std::collections::HashSet::new();
    for element in configuration.into_iter().flat_map(Element::descendants) {
        let id = element
            .attribute("id")
            .filter(|_| !meaning::is_reference(element.name()));
        if let Some(id) = id
            && !seen.insert(id)
        {
            return Err(Error::invalid(format!(
                "two desired elements have the id {id}"
            )));
        }
    }
    Ok(())
}
