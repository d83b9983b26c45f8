//! Changing the CIB.

use std::ffi::{CStr, CString};

use pacemaker_sys as sys;

use super::session::{Answer, Ask};
use super::{Cib, Section, schema};
use crate::live::ffi::pacemaker::Here;
use crate::live::pacemaker::error;
use crate::xml::{Document, Element, PatchSet};
use crate::{Error, ErrorKind, Result};

pub(super) const APPLY_PATCH: &CStr = c"cib_apply_diff";
pub(super) const UPGRADE: &CStr = c"cib_upgrade";

/// Changes. Each is one request to the CIB manager, which makes all of it or nothing.
///
/// Besides what each says, all of them fail with [`ErrorKind::Schema`] when the result would not
/// conform to the schema (the message names the element), [`ErrorKind::PermissionDenied`] when the
/// ACLs forbid it, and as [`Cib::query`] does. After [`ErrorKind::Timeout`] or
/// [`ErrorKind::Disconnected`] the change may have been made or not.
///
/// Many changes in a short time wait for their turn, at most until the deadline
/// ([`ErrorKind::TryAgain`]): see the documentation of the module.
impl Cib {
    /// Adds an element to a section.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when there is an element of this name and id.
    ///
    /// # Example
    /// ```no_run
    /// use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
    /// use ha_core::xml::Document;
    /// let cib = Cib::connect(&ConnectOptions::default())?;
    /// let set = Document::parse("<cluster_property_set id='site'><nvpair id='site-stonith' \
    ///                            name='stonith-enabled' value='false'/></cluster_property_set>")?;
    /// cib.create(Section::CrmConfig, &set)?;
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[doc(alias = "cib_create")]
    pub fn create(&self, section: Section, element: &Document) -> Result<()> {
        self.change(
            c"cib_create",
            section,
            element,
            0,
            "create an element of the CIB",
        )
    }

    /// Changes an element that exists: sets the attributes given, and adds or changes the children
    /// given. What is not given stays as it is.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the section has no element of this name and id.
    #[doc(alias = "cib_modify")]
    pub fn modify(&self, section: Section, element: &Document) -> Result<()> {
        self.change(
            c"cib_modify",
            section,
            element,
            0,
            "modify an element of the CIB",
        )
    }

    /// As [`Cib::modify`], and adds the element when it does not exist.
    ///
    /// # Errors
    /// Those of every change.
    pub fn modify_or_create(&self, section: Section, element: &Document) -> Result<()> {
        let options = sys::cib_can_create;
        self.change(
            c"cib_modify",
            section,
            element,
            options,
            "modify an element of the CIB",
        )
    }

    /// Replaces a section, or an element in it, by another of the same name and id.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none to replace.
    #[doc(alias = "cib_replace")]
    pub fn replace(&self, section: Section, element: &Document) -> Result<()> {
        self.change(
            c"cib_replace",
            section,
            element,
            0,
            "replace an element of the CIB",
        )
    }

    /// Replaces the whole CIB.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when its version is older than the cluster's, and
    /// [`ErrorKind::Invalid`] when its root is not `cib`.
    pub fn replace_all(&self, cib: &Document) -> Result<()> {
        if cib.root().name() != "cib" {
            let name = cib.root().name();
            return Err(Error::invalid(format!("<{name}> is not a CIB (<cib>)")));
        }
        self.write(c"cib_replace", None, Some(cib), 0, "replace the CIB")
            .map(drop)
    }

    /// Removes the element of this name and id from a section.
    ///
    /// The CIB manager itself reports success also when there is none. So this looks first; when two
    /// programs remove the same element at the same moment, both may be told that they did.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the section has no such element, [`ErrorKind::Invalid`] when the
    /// element has no id.
    #[doc(alias = "cib_delete")]
    pub fn delete(&self, section: Section, element: &Document) -> Result<()> {
        let (name, id) = (element.root().name(), element.root().attribute("id"));
        let Some(id) = id else {
            return Err(Error::invalid(format!("the <{name}> to delete has no id")));
        };
        let quote = if id.contains('\'') { '"' } else { '\'' };
        if id.contains(quote) {
            return Err(Error::invalid(format!("{id:?} is not an id")));
        }
        let path = format!("//{section}/descendant::{name}[@id={quote}{id}{quote}]");
        if self.query_xpath(&path)?.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no <{name} id=\"{id}\"> in {section}"),
            ));
        }
        self.change(
            c"cib_delete",
            section,
            element,
            0,
            "delete an element of the CIB",
        )
    }

    /// Removes all elements that an `XPath` expression matches, and returns how many there were.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the expression is not one for elements.
    pub fn delete_xpath(&self, expression: &str) -> Result<usize> {
        let matches = self.query_xpath(expression)?.len();
        if matches > 0 {
            let mut ask = self
                .ask(c"cib_delete")
                .options(sys::cib_xpath | sys::cib_multiple);
            ask.section = Some(super::xpath_string(expression)?);
            ask.write = true;
            ask.run("delete elements of the CIB", accept)?;
        }
        Ok(matches)
    }

    /// Applies a patch set to the cluster's CIB, provided that this has the version that the patch
    /// set starts from.
    ///
    /// One that does not raise the version (as [`PatchSet::between`] of two documents that differ only
    /// in their configuration) is sent so that it does.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the CIB has another version, or does not have what the patch set
    /// changes: query it and compute the change again. [`ErrorKind::Invalid`] when the patch set
    /// states no versions.
    #[doc(alias = "cib_apply_diff")]
    pub fn apply(&self, patch: &PatchSet) -> Result<()> {
        // Without versions the daemon would report success and do nothing.
        let (Some(source), Some(target)) = (patch.source(), patch.target()) else {
            return Err(Error::invalid("the patch set does not state its versions"));
        };
        let mut document = Document::copy_of(patch.root());
        if target <= source {
            let raised = document
                .root()
                .child("version")
                .and_then(|v| v.child("target"));
            if let Some(target) = raised.map(Element::id) {
                document.set_attribute(target, "admin_epoch", &source.admin_epoch.to_string());
                document.set_attribute(target, "epoch", &(source.epoch + 1).to_string());
                document.set_attribute(target, "num_updates", "0");
            }
        }
        self.write(
            APPLY_PATCH,
            None,
            Some(&document),
            0,
            "apply a patch set to the CIB",
        )
        .map(drop)
    }

    /// Makes the CIB manager of this node send its whole CIB to all nodes (`cibadmin --sync`); each
    /// takes it over unless its own is newer.
    ///
    /// Returns when it is on its way: what the others made of it is not reported. A cluster keeps
    /// its copies equal by itself; this is for repairs.
    ///
    /// # Errors
    /// Those of every change.
    #[doc(alias = "cib_sync")]
    pub fn sync(&self) -> Result<()> {
        self.write(c"cib_sync", None, None, 0, "synchronise the CIB")
            .map(drop)
    }

    /// Brings the CIB to the newest schema that the cluster's nodes know; tells whether that changed
    /// it.
    ///
    /// # Errors
    /// Those of every change.
    #[doc(alias = "cib_upgrade")]
    pub fn upgrade(&self) -> Result<bool> {
        const SCHEMA_UNCHANGED: i32 = -211;
        let mut ask = self.ask(UPGRADE);
        ask.write = true;
        ask.run("upgrade the CIB's schema", |here, answer| {
            if answer.rc == SCHEMA_UNCHANGED {
                return Ok(false);
            }
            accept(here, answer).map(|()| true)
        })
    }

    /// Raises the epoch, which makes this CIB newer than its copies.
    ///
    /// # Errors
    /// Those of every change.
    #[doc(alias = "cib_bump")]
    pub fn bump_epoch(&self) -> Result<()> {
        self.write(c"cib_bump", None, None, 0, "raise the CIB's epoch")
            .map(drop)
    }

    fn change(
        &self,
        operation: &'static CStr,
        section: Section,
        element: &Document,
        options: u32,
        what: &'static str,
    ) -> Result<()> {
        let section = section.as_c_str().to_owned();
        self.write(operation, Some(section), Some(element), options, what)
    }

    fn write(
        &self,
        operation: &'static CStr,
        section: Option<CString>,
        data: Option<&Document>,
        options: u32,
        what: &'static str,
    ) -> Result<()> {
        let ask = Ask {
            section,
            data: data.cloned(),
            write: true,
            ..self.ask(operation).options(options)
        };
        ask.run(what, accept)
    }
}

/// Turns the return code of a change into a result.
fn accept(here: &Here, answer: Answer) -> Result<()> {
    const SCHEMA_VALIDATION: i32 = -203;
    match answer.rc {
        0.. => Ok(()),
        SCHEMA_VALIDATION => {
            let refused = answer
                .output
                .map(|output| output.to_document())
                .transpose()?;
            Err(schema::explain(here, refused.as_ref()).with_code(SCHEMA_VALIDATION))
        }
        rc => Err(error::legacy(rc)),
    }
}
