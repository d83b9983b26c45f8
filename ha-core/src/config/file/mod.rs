//! Configurations from files, in TOML or JSON.

mod build;
mod layout;

use std::path::Path;

use super::Config;
use crate::xml::Document;
use crate::{Error, ErrorExt, Result};
use layout::Layout;

/// Configurations from files (feature `toml`).
///
/// The layout is the same in TOML and JSON. At the top: `owner`, `schema`; tables of values:
/// `options`, `resource-defaults`, `operation-defaults`; lists of objects: `node`, `template`,
/// `primitive` (with `operation`), `group`, `clone`, `bundle`, `location`, `colocation`, `order`,
/// `ticket`, `fencing-level`, `acl-role`, `acl-user`, `acl-group`, `tag`, `alert`. Groups, clones
/// and bundles name their members, which are primitives of the file. A `location` has a `node` or a
/// `rule`, with a `score`, or several `rules`, each with its `rule` and `score` (or `score-attribute`). What this layout cannot say
/// is written as XML: `raw` is a list of tables with `xml`. A name that is not known is an error.
impl Config {
    /// Reads a configuration in TOML.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it cannot be understood; the message
    /// says the line (or the object), what is wrong and what would do.
    ///
    /// # Example
    /// ```
    /// use std::time::Duration;
    /// use ha_core::config::{Config, Expression, Group, Location, Primitive};
    /// use ha_core::value::Score;
    ///
    /// let file = r##"
    ///     owner = "sphynx"
    ///
    ///     [options]
    ///     stonith-enabled = false
    ///
    ///     [[primitive]]
    ///     id = "VIP_externe"
    ///     agent = "ocf:heartbeat:IPaddr2"
    ///     parameters = { ip = "192.168.0.23", cidr_netmask = 24 }
    ///     [[primitive.operation]]
    ///     name = "monitor"
    ///     interval = "10s"
    ///     timeout = "20s"
    ///
    ///     [[group]]
    ///     id = "sphynx"
    ///     members = ["VIP_externe"]
    ///
    ///     [[location]]
    ///     id = "sphynx_needs_gateway"
    ///     resource = "sphynx"
    ///     score = "-INFINITY"
    ///     rule = "not_defined pingd or pingd lte 0"
    /// "##;
    /// let s = Duration::from_secs;
    /// let built = Config::new()
    ///     .owned_by("sphynx")
    ///     .option("stonith-enabled", false)
    ///     .group(Group::new("sphynx", [
    ///         Primitive::ocf("heartbeat", "IPaddr2", "VIP_externe")
    ///             .parameter("ip", "192.168.0.23")
    ///             .parameter("cidr_netmask", 24)
    ///             .monitor(s(10), s(20)),
    ///     ]))
    ///     .location(Location::rule(
    ///         "sphynx_needs_gateway",
    ///         "sphynx",
    ///         -Score::INFINITY,
    ///         Expression::not_defined("pingd").or(Expression::at_most("pingd", 0)),
    ///     ));
    /// assert_eq!(Config::from_toml(file)?, built);
    ///
    /// let wrong = "[[primitive]]\nid = \"x\"\nagent = \"IPaddr2\"";
    /// let error = Config::from_toml(wrong).unwrap_err();
    /// assert!(error.to_string().starts_with("line 3: "), "{error}");
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self> {
        let layout: Layout = toml::from_str(text).map_err(|error| {
            let message = error.message().trim_end();
            Error::invalid(match error.span() {
                Some(span) => {
                    let before = text.as_bytes().get(..span.start).unwrap_or_default();
                    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
                    format!("line {line}: {message}")
                }
                None => message.to_owned(),
            })
        })?;
        build::config(layout)
    }

    /// Reads a configuration in JSON, of the same layout as [`Config::from_toml`].
    ///
    /// # Errors
    /// As [`Config::from_toml`].
    ///
    /// # Example
    /// ```
    /// use ha_core::config::Config;
    /// let file = r#"{"primitive": [{"id": "arv_rsc", "agent": "systemd:arv"}]}"#;
    /// assert_eq!(Config::from_json(file)?.resources[0].id(), "arv_rsc");
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self> {
        let layout: Layout = serde_json::from_str(text).map_err(|error| {
            let line = error.line();
            let message = error.to_string();
            let place = format!(" at line {line} column {}", error.column());
            let message = message.strip_suffix(&place).unwrap_or(&message);
            Error::invalid(format!("line {line}: {message}"))
        })?;
        build::config(layout)
    }

    /// Reads a configuration from a file: JSON or XML (a CIB) when its name ends with `.json` or
    /// `.xml`, else TOML.
    ///
    /// # Errors
    /// Those of reading a file, [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is not
    /// UTF-8 or cannot be understood.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let what = || format!("read the configuration {}", path.display());
        let bytes = std::fs::read(path).with_context(what)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let config = if extension == Some("xml") {
            Document::parse_bytes(&bytes).and_then(|cib| Self::read(&cib))
        } else {
            let text = str::from_utf8(&bytes)
                .map_err(|e| Error::invalid("it is not UTF-8").with_source(e))
                .with_context(what)?;
            match extension {
                Some("json") => Self::from_json(text),
                _ => Self::from_toml(text),
            }
        };
        config.with_context(what)
    }
}
