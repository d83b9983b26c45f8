//! Saying where a CIB departs from its schema, with the schemas and the library that Pacemaker uses.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use pacemaker_sys as sys;

use super::Here;
use super::log::collect_xml_messages;
use super::xml::Tree;
use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

unsafe extern "C" {
    fn xmlRelaxNGNewParserCtxt(url: *const c_char) -> *mut c_void;
    fn xmlRelaxNGFreeParserCtxt(context: *mut c_void);
    fn xmlRelaxNGParse(context: *mut c_void) -> *mut c_void;
    fn xmlRelaxNGFree(schema: *mut c_void);
    fn xmlRelaxNGNewValidCtxt(schema: *mut c_void) -> *mut c_void;
    fn xmlRelaxNGFreeValidCtxt(context: *mut c_void);
    fn xmlRelaxNGValidateDoc(context: *mut c_void, doc: *mut sys::xmlDoc) -> c_int;
}

/// One thing that does not conform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The element, as `<name id="...">`, below the nearest one with an id when it has none.
    pub(crate) element: String,
    pub(crate) message: String,
    depth: usize,
}

/// A compiled schema.
struct Schema(*mut c_void);

impl Schema {
    fn load(here: &Here, file: &CStr) -> Result<Self> {
        let (schema, messages) = collect_xml_messages(here, || {
            // SAFETY: the context is made, used and freed here; the path is NUL-terminated.
            unsafe {
                let context = xmlRelaxNGNewParserCtxt(file.as_ptr());
                if context.is_null() {
                    return std::ptr::null_mut();
                }
                let schema = xmlRelaxNGParse(context);
                xmlRelaxNGFreeParserCtxt(context);
                schema
            }
        });
        if schema.is_null() {
            let why = messages
                .first()
                .map_or("libxml2 cannot read it", |m| m.text.as_str());
            let message = format!("schema {}: {why}", file.to_string_lossy());
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("install the schemas of Pacemaker, or set PCMK_schema_directory"));
        }
        Ok(Self(schema))
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // SAFETY: made by `load`, freed once.
        unsafe { xmlRelaxNGFree(self.0) };
    }
}

/// Returns where a document departs from the schema in `file`, the deepest element first; nothing
/// when it conforms.
pub(crate) fn faults(here: &Here, document: &Document, file: &CString) -> Result<Vec<Fault>> {
    let schema = Schema::load(here, file)?;
    let tree = Tree::new(here, document)?;
    let (result, messages) = collect_xml_messages(here, || {
        // SAFETY: schema and tree outlive the context, which is freed here.
        unsafe {
            let context = xmlRelaxNGNewValidCtxt(schema.0);
            if context.is_null() {
                return -1;
            }
            let result = xmlRelaxNGValidateDoc(context, tree.document());
            xmlRelaxNGFreeValidCtxt(context);
            result
        }
    });
    if result == 0 {
        return Ok(Vec::new());
    }
    let mut faults: Vec<Fault> = messages
        .iter()
        .map(|message| {
            // SAFETY: the node is one of `tree`, which is alive, or null.
            let (element, depth) = unsafe { locate(message.node) };
            Fault {
                element,
                message: message.text.clone(),
                depth,
            }
        })
        .collect();
    // libxml2 reports each level that fails because of the one below it.
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.depth));
    faults.dedup();
    if faults.is_empty() {
        faults.push(Fault {
            element: "<cib>".to_owned(),
            message: "libxml2 does not say why".to_owned(),
            depth: 0,
        });
    }
    Ok(faults)
}

/// Says which element a node is or belongs to, and how deep it is.
///
/// # Safety
/// `node` is null or a node of a tree that is alive.
unsafe fn locate(mut node: *const sys::xmlNode) -> (String, usize) {
    let mut said = String::new();
    let mut found_id = false;
    let mut depth = 0;
    // SAFETY: links of the tree, valid or null; names are NUL-terminated.
    unsafe {
        while !node.is_null() {
            if (*node).type_ == sys::XML_ELEMENT_NODE {
                depth += 1;
                if !found_id {
                    let name = CStr::from_ptr((*node).name.cast()).to_string_lossy();
                    let id = sys::xmlGetProp(node, c"id".as_ptr().cast());
                    let inner = if said.is_empty() { "" } else { " in " };
                    said = if id.is_null() {
                        format!("{said}{inner}<{name}>")
                    } else {
                        let text = CStr::from_ptr(id.cast()).to_string_lossy().into_owned();
                        libc::free(id.cast());
                        found_id = true;
                        format!("{said}{inner}<{name} id=\"{text}\">")
                    };
                }
            }
            node = (*node).parent;
        }
    }
    (said, depth)
}
