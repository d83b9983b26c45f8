//! The CIB as a tree of elements: parse, edit, write, compare, patch.
//!
//! A [`Document`] holds the whole tree in a few flat buffers: copying one is a few `memcpy`s, and
//! depth costs nothing (no function here recurses). [`Element`] is a borrowed view of one
//! element, [`NodeId`] a number that names one for editing.
//!
//! ```
//! use ha_core::xml::Document;
//!
//! let mut cib = Document::parse(r#"<cib epoch="5"><configuration><nodes/></configuration></cib>"#)?;
//! let nodes = cib.root().child("configuration").and_then(|c| c.child("nodes")).map(|n| n.id());
//! let node = cib.append_child(nodes.ok_or("no nodes")?, "node");
//! cib.set_attribute(node, "uname", "maitre");
//! assert_eq!(cib.root().attribute("epoch"), Some("5"));
//! assert_eq!(
//!     cib.to_xml_compact(),
//!     r#"<cib epoch="5"><configuration><nodes><node uname="maitre"/></nodes></configuration></cib>"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is kept: elements, attributes, text that is not blank, and comments inside of the root
//! (patch sets count them; nothing else shows them). Processing instructions are skipped. What is
//! refused, with line and column: anything not well-formed, a
//! document type (so no entity beyond the five predefined ones), and any encoding but UTF-8.

mod builder;
mod diff;
mod document;
mod edit;
mod element;
mod names;
mod parse;
mod patch;
mod stamp;
mod write;

pub use builder::{Builder, Name};
pub use document::{Document, NodeId};
pub use element::{Attributes, Children, ChildrenNamed, Descendants, Element};
pub(crate) use element::{Content, Contents, Places};
pub(crate) use names::Names;
pub use names::is_name;
pub(crate) use parse::{end_of_name, scan_value, skip_blanks};
pub use patch::{Change, ChangedAttributes, Changes, PatchSet};
pub(crate) use stamp::Stamp;

#[cfg(test)]
mod patch_tests;
#[cfg(test)]
mod tests;
