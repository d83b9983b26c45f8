//! Changing a cluster: what one wants, what would change, what would happen.
//!
//! A [`Plan`] is data: a CIB, the same CIB after an edit, and the patch between them. It can be printed
//! (what changes, by the names people know), handed to Pacemaker's scheduler ([`simulate`]: what would
//! start, stop or move), written to a file, or applied to a live cluster, which takes all of it or
//! nothing. The edits themselves ([`edit`]) are functions on a [`Document`](crate::xml::Document): the
//! same for a live cluster, a CIB file and a copy in memory.
//!
//! # Example
//! ```
//! use ha_core::change::{Plan, edit};
//! use ha_core::xml::Document;
//! let cib = Document::parse(
//!     "<cib admin_epoch='0' epoch='1' num_updates='0'><configuration><crm_config/><nodes/><resources>\
//!      <primitive id='VIP' class='ocf' provider='heartbeat' type='IPaddr2'/></resources>\
//!      <constraints/></configuration><status/></cib>",
//! )?;
//! let plan = Plan::new(cib, |cib| edit::resource::stop(cib, "VIP"))?;
//! assert_eq!(plan.to_string(), "~ primitive VIP\n    meta target-role: Stopped\n");
//! # Ok::<(), ha_core::Error>(())
//! ```

mod describe;
pub mod edit;
#[cfg(feature = "toml")]
mod export;
mod merge;
mod plan;
mod simulate;
pub mod validate;

pub use describe::{Change, Difference, Field, differences};
#[cfg(feature = "toml")]
pub use export::to_toml;
pub use merge::{TakenOver, merge, same, tag_of};
pub use plan::Plan;
pub use simulate::{Action, ActionKind, outstanding, simulate};
