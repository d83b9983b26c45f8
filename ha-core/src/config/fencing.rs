//! The fencing topology: which devices fence a node, in which order.

use super::macros::part;
use super::rest::Rest;
use crate::name::Id;

part! {
    /// Devices that fence a node together; the levels of a node are tried one after the other.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::FencingLevel;
    /// let first = FencingLevel::node("maitre", 1, ["ipmi_maitre"]);
    /// let second = FencingLevel::node("maitre", 2, ["pdu_a", "pdu_b"]);
    /// assert_eq!(second.devices().collect::<Vec<_>>(), ["pdu_a", "pdu_b"]);
    /// # let _ = first;
    /// ```
    FencingLevel {
        /// Its id.
        id: Option<Id> = own "id",
        /// The node.
        target: Option<String> = optional "target",
        /// A regular expression for the names of nodes.
        target_pattern: Option<String> = optional "target-pattern",
        /// A node attribute that the nodes have, ...
        target_attribute: Option<String> = optional "target-attribute",
        /// ... and its value.
        target_value: Option<String> = optional "target-value",
        /// Its place among the levels of the node, from 1.
        index: u32 = required "index",
        /// The ids of the devices, with commas between them.
        device_list: String = required "devices",
    }

    fn suffix(&self, _: &str) -> String {
        let targets = [&self.target, &self.target_pattern, &self.target_value];
        let target = targets.into_iter().flatten().next();
        format!("fl-{}-{}", target.map_or("", String::as_str), self.index)
    }
}

impl FencingLevel {
    fn make<I: AsRef<str>>(index: u32, devices: impl IntoIterator<Item = I>) -> Self {
        let devices: Vec<I> = devices.into_iter().collect();
        let devices: Vec<&str> = devices.iter().map(AsRef::as_ref).collect();
        Self {
            id: None,
            target: None,
            target_pattern: None,
            target_attribute: None,
            target_value: None,
            index,
            device_list: devices.join(","),
            rest: Rest::default(),
        }
    }

    /// Makes a level of a node.
    #[must_use]
    pub fn node<I: AsRef<str>>(
        node: &str,
        index: u32,
        devices: impl IntoIterator<Item = I>,
    ) -> Self {
        let target = Some(node.to_owned());
        Self {
            target,
            ..Self::make(index, devices)
        }
    }

    /// Makes a level of the nodes whose names match a regular expression.
    #[must_use]
    pub fn pattern<I: AsRef<str>>(
        pattern: &str,
        index: u32,
        devices: impl IntoIterator<Item = I>,
    ) -> Self {
        let target_pattern = Some(pattern.to_owned());
        Self {
            target_pattern,
            ..Self::make(index, devices)
        }
    }

    /// Makes a level of the nodes that have an attribute of this value.
    #[must_use]
    pub fn attribute<I: AsRef<str>>(
        name: &str,
        value: &str,
        index: u32,
        devices: impl IntoIterator<Item = I>,
    ) -> Self {
        Self {
            target_attribute: Some(name.to_owned()),
            target_value: Some(value.to_owned()),
            ..Self::make(index, devices)
        }
    }

    /// Returns the ids of the devices.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.device_list.split(',').map(str::trim)
    }
}
