//! Edits of the cluster's options and of defaults.

use super::{section, section_made, values};
use crate::Result;
use crate::name::check_value;
use crate::xml::{Document, Element, NodeId};

/// The id of the set that has the cluster's options, as Pacemaker's tools make it.
pub(in crate::change) const SET: &str = "cib-bootstrap-options";

/// What kind of defaults is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Defaults {
    /// Meta-attributes of resources (`rsc_defaults`).
    Resources,
    /// Of operations (`op_defaults`).
    Operations,
}

impl Defaults {
    fn section(self) -> &'static str {
        match self {
            Self::Resources => "rsc_defaults",
            Self::Operations => "op_defaults",
        }
    }
}

/// Returns the value of an option of the cluster, as it is configured.
#[must_use]
pub fn value<'d>(cib: &'d Document, name: &str) -> Option<&'d str> {
    values::get(
        cib,
        section(cib, "crm_config")?,
        "cluster_property_set",
        name,
    )
}

/// Sets an option of the cluster.
///
/// # Errors
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the name is no
/// [`ValueName`](crate::name::ValueName), or the value has control characters.
pub fn set(cib: &mut Document, name: &str, value: &str) -> Result<()> {
    check_value(name, value)?;
    let options = section_made(cib, "crm_config");
    let id = SET;
    values::set(cib, options, "cluster_property_set", id, name, value);
    Ok(())
}

/// Removes an option of the cluster: its default holds again.
pub fn unset(cib: &mut Document, name: &str) {
    if let Some(options) = section_id(cib, "crm_config") {
        values::unset(cib, options, "cluster_property_set", name);
    }
}

/// Returns a default of resources or operations that applies always.
#[must_use]
pub fn default_value<'d>(cib: &'d Document, defaults: Defaults, name: &str) -> Option<&'d str> {
    let section = section(cib, defaults.section())?;
    values::get(cib, section, "meta_attributes", name)
}

/// Sets a default of resources or operations.
///
/// # Errors
/// As for [`set`].
pub fn set_default(cib: &mut Document, defaults: Defaults, name: &str, value: &str) -> Result<()> {
    check_value(name, value)?;
    let section = section_made(cib, defaults.section());
    let id = format!("{}-options", defaults.section());
    values::set(cib, section, "meta_attributes", &id, name, value);
    Ok(())
}

/// Removes a default of resources or operations.
pub fn unset_default(cib: &mut Document, defaults: Defaults, name: &str) {
    if let Some(section) = section_id(cib, defaults.section()) {
        values::unset(cib, section, "meta_attributes", name);
    }
}

fn section_id(cib: &Document, name: &str) -> Option<NodeId> {
    section(cib, name).map(Element::id)
}
