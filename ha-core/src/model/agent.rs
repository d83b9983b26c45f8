//! Agents: how they are named, and what one says of itself (the XML document that it prints for
//! `meta-data`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::xml::{Document, Element};
use crate::{Error, ErrorExt, Result};

/// The full name of an agent: `ocf:heartbeat:IPaddr2`, `systemd:nginx` ....
///
/// # Example
/// ```
/// use ha_core::model::agent::AgentName;
/// let agent: AgentName = "ocf:heartbeat:IPaddr2".parse()?;
/// assert_eq!(agent.provider.as_deref(), Some("heartbeat"));
/// let unit: AgentName = "systemd:getty@tty1".parse()?;
/// assert_eq!((unit.standard.as_str(), unit.name.as_str()), ("systemd", "getty@tty1"));
/// assert_eq!(unit.to_string(), "systemd:getty@tty1");
/// assert!("IPaddr2".parse::<AgentName>().is_err());
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentName {
    /// Which conventions it follows (`ocf`, `systemd`, `stonith` ...): what the CIB calls its class.
    pub standard: String,
    /// Its provider; OCF agents have one.
    pub provider: Option<String>,
    /// Its name among those of the standard and the provider: what the CIB calls its type.
    pub name: String,
}

impl AgentName {
    /// Returns the name that a primitive or a template gives; none when it does not give all of it.
    #[must_use]
    pub fn of(element: Element<'_>) -> Option<Self> {
        let word = |name| element.attribute(name).map(str::to_owned);
        Some(Self {
            standard: word("class")?,
            provider: word("provider"),
            name: word("type")?,
        })
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.provider {
            Some(provider) => write!(f, "{}:{provider}:{}", self.standard, self.name),
            None => write!(f, "{}:{}", self.standard, self.name),
        }
    }
}

impl FromStr for AgentName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (standard, rest) = text.split_once(':').unwrap_or_default();
        let (provider, name) = match rest.split_once(':') {
            Some((provider, name)) if standard == "ocf" => (Some(provider), name),
            _ => (None, rest),
        };
        if standard.is_empty() || name.is_empty() || provider == Some("") {
            return Err(Error::invalid(format!("{text:?} is no name of an agent"))
                .with_hint("it is like ocf:heartbeat:IPaddr2 or systemd:nginx"));
        }
        Ok(Self {
            standard: standard.to_owned(),
            provider: provider.map(str::to_owned),
            name: name.to_owned(),
        })
    }
}

/// An agent's description.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Name of the agent.
    pub name: String,
    /// Version of the agent, as it writes it.
    pub version: String,
    /// One line about what it runs.
    pub short_description: String,
    /// All that is to say about what it runs.
    pub long_description: String,
    /// What can be configured.
    pub parameters: Vec<Parameter>,
    /// What it can be asked to do.
    pub actions: Vec<Action>,
}

/// An instance attribute that an agent reads.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ParameterKind,
    /// Its value when none is given.
    pub default: Option<String>,
    /// Whether the agent refuses to work without it.
    pub is_required: bool,
    /// Whether no two resources may have the same value. Of several such parameters, those of one
    /// `unique_group` count together.
    pub is_unique: bool,
    /// Name of the group of parameters that are unique together.
    pub unique_group: Option<String>,
    /// Whether a change takes effect without a restart.
    pub is_reloadable: bool,
    /// Whether it should no longer be used.
    pub is_deprecated: bool,
    /// The name that it had formerly, and that the agent still takes.
    pub obsoletes: Option<String>,
    /// What it is for, in one line.
    pub short_description: String,
    /// What it is for.
    pub long_description: String,
}

/// What a parameter holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterKind {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A yes or no.
    Boolean,
    /// One of these.
    Select(Vec<String>),
    /// Another type, in the agent's word (`time`, `second`, ...).
    Other(String),
}

/// Something that an agent can be asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Action {
    /// Its name (`start`, `monitor`, ...).
    pub name: String,
    /// How long the agent's author thinks that it may take.
    pub timeout: Option<Duration>,
    /// How often it should be repeated; none for what is done once.
    pub interval: Option<Duration>,
    /// In which role it is repeated, in the agent's word.
    pub role: Option<String>,
}

impl Metadata {
    /// Reads the document that an agent prints.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is not the XML of a `resource-agent`.
    ///
    /// # Example
    /// ```
    /// use ha_core::model::agent::{Metadata, ParameterKind};
    /// let agent = Metadata::parse(r#"<resource-agent name="IPaddr2" version="1.0">
    ///   <parameters><parameter name="cidr_netmask"><content type="integer" default="24"/></parameter>
    ///   </parameters><actions><action name="start" timeout="20s"/></actions></resource-agent>"#)?;
    /// assert_eq!(agent.parameters[0].kind, ParameterKind::Integer);
    /// assert_eq!(agent.parameters[0].default.as_deref(), Some("24"));
    /// assert_eq!(agent.actions[0].timeout, Some(std::time::Duration::from_secs(20)));
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let document =
            Document::parse(&without_doctype(text)).context("read an agent's metadata")?;
        let root = document.root();
        if root.name() != "resource-agent" {
            return Err(Error::invalid(format!(
                "an agent's metadata begins with <{}> instead of <resource-agent>",
                root.name()
            )));
        }
        let all = |list: &str, name: &'static str| {
            let list = root.child(list);
            list.into_iter()
                .flat_map(move |list| list.children_named(name))
        };
        Ok(Self {
            name: root.attribute("name").unwrap_or_default().to_owned(),
            version: match root.attribute("version") {
                Some(version) => version.to_owned(),
                None => root.child("version").map_or_else(String::new, |e| words(e)),
            },
            short_description: match root.attribute("shortdesc") {
                Some(text) => text.to_owned(),
                None => description(root, "shortdesc"),
            },
            long_description: description(root, "longdesc"),
            parameters: all("parameters", "parameter").map(parameter).collect(),
            actions: all("actions", "action").map(action).collect(),
        })
    }

    /// Returns the parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    /// Returns the action of this name; the first, when there is one for each role.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name)
    }
}

fn parameter(element: Element<'_>) -> Parameter {
    let flag = |name| element.attribute(name).is_some_and(is_true);
    let content = element.child("content");
    let attribute = |name| content.and_then(|content| content.attribute(name));
    let kind = match attribute("type").unwrap_or("string") {
        "string" => ParameterKind::String,
        "integer" => ParameterKind::Integer,
        "boolean" => ParameterKind::Boolean,
        "select" => ParameterKind::Select(
            content
                .into_iter()
                .flat_map(|content| content.children_named("option"))
                .filter_map(|option| option.attribute("value").map(str::to_owned))
                .collect(),
        ),
        other => ParameterKind::Other(other.to_owned()),
    };
    Parameter {
        name: element.attribute("name").unwrap_or_default().to_owned(),
        kind,
        default: attribute("default").map(str::to_owned),
        is_required: flag("required"),
        is_unique: flag("unique") || element.attribute("unique-group").is_some(),
        unique_group: element.attribute("unique-group").map(str::to_owned),
        is_reloadable: flag("reloadable"),
        is_deprecated: flag("deprecated") || element.child("deprecated").is_some(),
        obsoletes: element.attribute("obsoletes").map(str::to_owned),
        short_description: description(element, "shortdesc"),
        long_description: description(element, "longdesc"),
    }
}

fn action(element: Element<'_>) -> Action {
    let time = |name| element.attribute(name).and_then(duration);
    Action {
        name: element.attribute("name").unwrap_or_default().to_owned(),
        timeout: time("timeout"),
        interval: time("interval").filter(|interval| !interval.is_zero()),
        role: element.attribute("role").map(str::to_owned),
    }
}

/// The English text of a description, or the first.
fn description(parent: Element<'_>, name: &'static str) -> String {
    let english = |e: &Element<'_>| {
        e.attribute("lang")
            .is_some_and(|lang| lang.starts_with("en"))
    };
    let chosen = parent
        .children_named(name)
        .find(english)
        .or_else(|| parent.child(name));
    chosen.map_or_else(String::new, words)
}

/// A text without the white space around it.
fn words(element: Element<'_>) -> String {
    element.text().trim().to_owned()
}

fn is_true(word: &str) -> bool {
    ["1", "true", "yes", "on", "y"]
        .iter()
        .any(|yes| word.eq_ignore_ascii_case(yes))
}

/// Reads a time as agents write it: a number of seconds, or one with its unit.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let milliseconds = match text[end..].trim() {
        "" | "s" | "sec" => number.checked_mul(1000)?,
        "ms" | "msec" => number,
        "us" | "usec" => number / 1000,
        "m" | "min" => number.checked_mul(60_000)?,
        "h" | "hr" => number.checked_mul(3_600_000)?,
        _ => return None,
    };
    Some(Duration::from_millis(milliseconds))
}

/// Agents begin with a document type that says nothing; XML of a cluster never has one.
fn without_doctype(text: &str) -> String {
    let Some(start) = text.find("<!DOCTYPE") else {
        return text.to_owned();
    };
    match text[start..].find('>') {
        // With declarations of its own it is refused by the parser.
        Some(length) if !text[start..start + length].contains('[') => {
            format!("{}{}", &text[..start], &text[start + length + 1..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn reads_every_field() -> Result<()> {
        let text = r#"<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="essai" version="0.9"><version>1.1</version>
<longdesc lang="fr">Un essai</longdesc><longdesc lang="en">
A test
</longdesc><shortdesc lang="en">Test</shortdesc>
<parameters>
<parameter name="host" unique="1" required="true"><longdesc lang="en">Where</longdesc><content type="string"/></parameter>
<parameter name="mode" unique-group="g" reloadable="1"><deprecated/><content type="select" default="a">
<option value="a"/><option value="b"/></content></parameter>
<parameter name="wait"><content type="time" default="5s"/></parameter>
</parameters>
<actions><action name="start" timeout="90"/><action name="monitor" timeout="20s" interval="10s" role="Promoted"/>
<action name="meta-data" timeout="500ms" interval="0"/><action name="odd" timeout="soon"/></actions></resource-agent>"#;
        let agent = Metadata::parse(text)?;
        assert_eq!(
            (agent.name.as_str(), agent.version.as_str()),
            ("essai", "0.9")
        );
        assert_eq!(agent.long_description, "A test");
        assert_eq!(agent.short_description, "Test");
        let host = agent.parameter("host").expect("host");
        assert!(
            host.is_required && host.is_unique && !host.is_reloadable && host.default.is_none()
        );
        assert_eq!(host.long_description, "Where");
        let mode = agent.parameter("mode").expect("mode");
        assert!(mode.is_unique && mode.is_reloadable && mode.is_deprecated && !mode.is_required);
        assert_eq!(
            mode.kind,
            ParameterKind::Select(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(mode.default.as_deref(), Some("a"));
        assert_eq!(
            agent.parameters[2].kind,
            ParameterKind::Other("time".to_owned())
        );
        let times: Vec<_> = agent
            .actions
            .iter()
            .map(|a| (a.timeout, a.interval))
            .collect();
        let (seconds, millis) = (Duration::from_secs, Duration::from_millis);
        assert_eq!(times[0], (Some(seconds(90)), None));
        assert_eq!(times[1], (Some(seconds(20)), Some(seconds(10))));
        assert_eq!(times[2], (Some(millis(500)), None));
        assert_eq!(times[3], (None, None));
        assert_eq!(
            agent.action("monitor").and_then(|a| a.role.as_deref()),
            Some("Promoted")
        );
        Ok(())
    }

    #[test]
    fn refuses_what_is_not_metadata() {
        for text in [
            "",
            "usage: agent start|stop",
            "<cib/>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><resource-agent/>",
        ] {
            assert_eq!(
                Metadata::parse(text).unwrap_err().kind(),
                ErrorKind::Invalid,
                "{text}"
            );
        }
    }
}
