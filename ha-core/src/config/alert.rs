//! Alerts: programs that are run when something happens.

use super::attributes::{AttributeSet, plain};
use super::checked;
use super::macros::part;
use super::rest::Rest;
use super::value::Value;
use crate::name::Id;

part! {
    /// A program that is run when something happens.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::Alert;
    /// let mail = Alert::new("mail", "/usr/share/pacemaker/alerts/alert_smtp.sh")
    ///     .parameter("email_sender", "ha@example.org")
    ///     .recipient("admin@example.org");
    /// # let _ = mail;
    /// ```
    Alert {
        /// Its id.
        id: Id = required "id",
        /// The program.
        path: String = required "path",
        /// What it is for, for people.
        description: Option<String> = optional "description",
        /// How it is run.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What it is told.
        parameters: Vec<AttributeSet> = many "instance_attributes",
        /// What it is run for; without it, for everything but attributes.
        select: Option<AlertSelection> = one "select",
        /// For whom it is run, once each.
        recipients: Vec<Recipient> = many "recipient",
    }
}

part! {
    /// What an alert is run for.
    AlertSelection {
        /// When node attributes change.
        attributes: Option<SelectedAttributes> = one "select_attributes",
        /// When nodes are fenced.
        fencing: Option<Selected> = one "select_fencing",
        /// When nodes come and go.
        nodes: Option<Selected> = one "select_nodes",
        /// When something is done with resources.
        resources: Option<Selected> = one "select_resources",
    }
}

part! {
    /// That something is selected.
    Selected {}
}

part! {
    /// Node attributes whose changes are selected; all when none is listed.
    SelectedAttributes {
        /// Their names.
        list: Vec<SelectedAttribute> = many "attribute",
    }
}

part! {
    /// The name of a node attribute.
    SelectedAttribute {
        /// Its id.
        id: Option<Id> = own "id",
        /// The name.
        name: String = required "name",
    }
}

part! {
    /// For whom an alert is run.
    Recipient {
        /// Its id.
        id: Option<Id> = own "id",
        /// What the program takes as an address.
        value: String = required "value",
        /// Who it is, for people.
        description: Option<String> = optional "description",
        /// How it is run for this one.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What it is told for this one.
        parameters: Vec<AttributeSet> = many "instance_attributes",
    }
}

impl Alert {
    /// Makes an alert that runs a program.
    #[must_use]
    pub fn new(id: impl AsRef<str>, path: &str) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id.as_ref(), &mut rest),
            path: path.to_owned(),
            description: None,
            meta: Vec::new(),
            parameters: Vec::new(),
            select: None,
            recipients: Vec::new(),
            rest,
        }
    }

    /// Sets how it is run: `timeout`, `timestamp-format`.
    #[must_use]
    pub fn meta(mut self, name: &str, value: impl Into<Value>) -> Self {
        plain(&mut self.meta).set(name, value);
        self
    }

    /// Sets what the program is told, in its environment.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        plain(&mut self.parameters).set(name, value);
        self
    }

    /// Adds for whom it is run.
    #[must_use]
    pub fn recipient(mut self, value: &str) -> Self {
        self.recipients.push(Recipient {
            id: None,
            value: value.to_owned(),
            description: None,
            meta: Vec::new(),
            parameters: Vec::new(),
            rest: Rest::default(),
        });
        self
    }

    /// Runs it when nodes are fenced.
    #[must_use]
    pub fn on_fencing(mut self) -> Self {
        self.selection().fencing = Some(Selected::new());
        self
    }

    /// Runs it when nodes come and go.
    #[must_use]
    pub fn on_nodes(mut self) -> Self {
        self.selection().nodes = Some(Selected::new());
        self
    }

    /// Runs it when something is done with resources.
    #[must_use]
    pub fn on_resources(mut self) -> Self {
        self.selection().resources = Some(Selected::new());
        self
    }

    /// Runs it when these node attributes change; when any does, if none is named.
    #[must_use]
    pub fn on_attributes<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let attribute = |name: &str| SelectedAttribute {
            id: None,
            name: name.to_owned(),
            rest: Rest::default(),
        };
        self.selection().attributes = Some(SelectedAttributes {
            list: names.into_iter().map(attribute).collect(),
            rest: Rest::default(),
        });
        self
    }

    fn selection(&mut self) -> &mut AlertSelection {
        self.select.get_or_insert_with(|| AlertSelection {
            attributes: None,
            fencing: None,
            nodes: None,
            resources: None,
            rest: Rest::default(),
        })
    }
}

impl Selected {
    fn new() -> Self {
        Self {
            rest: Rest::default(),
        }
    }
}
