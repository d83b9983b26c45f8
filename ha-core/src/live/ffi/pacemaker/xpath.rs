//! Checking `XPath` expressions with the library that pacemaker-based evaluates them with.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::{CStr, CString, c_char, c_int, c_void};

use pacemaker_sys as sys;

use super::Here;
use super::escape;
use super::log::collect_xml_messages;
use super::xml::Tree;
use crate::xml::Document;
use crate::{Error, Result};

unsafe extern "C" {
    fn xmlXPathNewContext(doc: *mut sys::xmlDoc) -> *mut c_void;
    fn xmlXPathFreeContext(context: *mut c_void);
    fn xmlXPathEvalExpression(expression: *const c_char, context: *mut c_void) -> *mut Object;
    fn xmlXPathFreeObject(object: *mut Object);
}

/// The head of libxml2's `xmlXPathObject`.
#[repr(C)]
struct Object {
    kind: c_int,
}

/// How many expressions are remembered as good.
const REMEMBERED: usize = 256;

thread_local! {
    static GOOD: RefCell<HashSet<CString>> = RefCell::new(HashSet::new());
}

/// Refuses what is not an `XPath` expression for elements: the CIB manager gives the same answer to
/// such a one as when nothing matches.
pub(crate) fn check(here: &Here, expression: &CStr) -> Result<()> {
    const NODE_SET: c_int = 1;
    // A program asks the same few questions again and again.
    if GOOD.with_borrow(|good| good.contains(expression)) {
        return Ok(());
    }
    // It travels as an attribute.
    let mut message = Document::new("cib_command");
    let root = message.root().id();
    message.set_attribute(root, "cib_section", &expression.to_string_lossy());
    escape::check(&message)?;
    let tree = Tree::parse(here, "<cib/>")?;
    let (kind, messages) = collect_xml_messages(here, || {
        // SAFETY: the tree outlives the context, and the context the object; each is freed once.
        unsafe {
            let context = xmlXPathNewContext(tree.document());
            if context.is_null() {
                return None;
            }
            let object = xmlXPathEvalExpression(expression.as_ptr(), context);
            let kind = (!object.is_null()).then(|| (*object).kind);
            if !object.is_null() {
                xmlXPathFreeObject(object);
            }
            xmlXPathFreeContext(context);
            kind
        }
    });
    let text = expression.to_string_lossy();
    match kind {
        Some(NODE_SET) => {
            GOOD.with_borrow_mut(|good| {
                if good.len() >= REMEMBERED {
                    good.clear();
                }
                good.insert(expression.to_owned());
            });
            Ok(())
        }
        Some(_) => Err(Error::invalid(format!(
            "the XPath expression {text:?} gives a value, not elements"
        ))
        .with_hint("ask for the elements and compute the value from them")),
        None => {
            let why = messages
                .first()
                .map_or("it cannot be evaluated", |m| m.text.as_str());
            Err(Error::invalid(format!(
                "bad XPath expression {text:?}: {why}"
            )))
        }
    }
}
