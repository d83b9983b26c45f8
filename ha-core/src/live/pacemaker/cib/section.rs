//! The sections of the CIB that a request can name.

use std::ffi::CStr;
use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// A section of the CIB.
///
/// A closed list, because the CIB manager takes a section that it does not know for the whole CIB.
///
/// # Example
/// ```
/// use ha_core::live::pacemaker::cib::Section;
/// assert_eq!("crm_config".parse::<Section>()?, Section::CrmConfig);
/// assert!("crm-config".parse::<Section>().is_err());
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Section {
    /// Everything that an administrator configures.
    Configuration,
    /// The cluster's own options.
    CrmConfig,
    /// The nodes.
    Nodes,
    /// The resources.
    Resources,
    /// The constraints between resources and nodes.
    Constraints,
    /// Defaults of resources' meta-attributes.
    RscDefaults,
    /// Defaults of operations' options.
    OpDefaults,
    /// Which fence devices serve which node, in what order.
    FencingTopology,
    /// Access control lists.
    Acls,
    /// Named sets of resources.
    Tags,
    /// Alert agents and their recipients.
    Alerts,
    /// What the cluster recorded: node states, transient attributes, operation history.
    Status,
}

impl Section {
    /// Every section.
    pub const ALL: [Self; 12] = [
        Self::Configuration,
        Self::CrmConfig,
        Self::Nodes,
        Self::Resources,
        Self::Constraints,
        Self::RscDefaults,
        Self::OpDefaults,
        Self::FencingTopology,
        Self::Acls,
        Self::Tags,
        Self::Alerts,
        Self::Status,
    ];

    /// Returns the section's name, which is its element's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        // The names below are ASCII.
        self.as_c_str().to_str().unwrap_or_default()
    }

    pub(super) fn as_c_str(self) -> &'static CStr {
        match self {
            Self::Configuration => c"configuration",
            Self::CrmConfig => c"crm_config",
            Self::Nodes => c"nodes",
            Self::Resources => c"resources",
            Self::Constraints => c"constraints",
            Self::RscDefaults => c"rsc_defaults",
            Self::OpDefaults => c"op_defaults",
            Self::FencingTopology => c"fencing-topology",
            Self::Acls => c"acls",
            Self::Tags => c"tags",
            Self::Alerts => c"alerts",
            Self::Status => c"status",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Section {
    type Err = Error;

    /// Returns the section of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when there is none, with the list of those
    /// that exist.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|section| section.as_str() == name)
            .ok_or_else(|| {
                let known: Vec<_> = Self::ALL.into_iter().map(Self::as_str).collect();
                Error::invalid(format!("the CIB has no kind of section named {name:?}"))
                    .with_hint(format!("the sections are: {}", known.join(", ")))
            })
    }
}
