//! Between libxml2's trees and [`Document`]s, without any XML text in the direction that matters.

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;

use pacemaker_sys as sys;

use super::Here;
use super::log::collect_xml_messages;
use crate::xml::{Builder, Document, Name};
use crate::{Error, ErrorKind, Result};

/// The C libraries go down a tree by calls of themselves, and end the process when their stack is full.
/// A CIB has some twenty levels; libxml2 itself stops at 256 unless it is told not to.
const DEEPEST: usize = 1000;

fn check_depth(document: &Document) -> Result<()> {
    let mut open = vec![document.root().children()];
    while let Some(children) = open.last_mut() {
        match children.next() {
            Some(_) if open.len() >= DEEPEST => {
                let text = format!("the XML has more than {DEEPEST} levels of elements");
                return Err(Error::new(ErrorKind::Limit, text));
            }
            Some(child) => open.push(child.children()),
            None => drop(open.pop()),
        }
    }
    Ok(())
}

/// A tree that libxml2 parsed and we own.
#[derive(Debug)]
pub(super) struct Tree(NonNull<sys::xmlDoc>);

impl Tree {
    /// Makes the C tree of a document. Must happen on the Pacemaker thread: Pacemaker 2's library
    /// marks each node as it is made, by hooks that it set on that thread only.
    pub(super) fn new(here: &Here, document: &Document) -> Result<Self> {
        check_depth(document)?;
        Self::parse(here, &document.to_xml_compact())
    }

    pub(super) fn parse(here: &Here, text: &str) -> Result<Self> {
        let length = c_int::try_from(text.len())
            .map_err(|_| Error::new(ErrorKind::Limit, "the XML is larger than 2 GiB"))?;
        let options = sys::XML_PARSE_NONET | sys::XML_PARSE_HUGE | sys::XML_PARSE_NOBLANKS;
        // SAFETY: the text is valid for its length; no URL and no encoding are given.
        let (doc, messages) = collect_xml_messages(here, || unsafe {
            sys::xmlReadMemory(
                text.as_ptr().cast(),
                length,
                std::ptr::null(),
                std::ptr::null(),
                options as c_int,
            )
        });
        NonNull::new(doc).map(Self).ok_or_else(|| {
            let why = messages
                .first()
                .map_or("it is not well-formed", |m| m.text.as_str());
            Error::invalid(format!("libxml2 refuses the XML: {why}"))
        })
    }

    pub(super) fn document(&self) -> *mut sys::xmlDoc {
        self.0.as_ptr()
    }

    pub(super) fn root(&self) -> *mut sys::xmlNode {
        // SAFETY: the document is ours and alive.
        unsafe { sys::xmlDocGetRootElement(self.0.as_ptr()) }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // SAFETY: ours, and freed once. Pacemaker 3 keeps data only on trees it made itself.
        unsafe { sys::xmlFreeDoc(self.0.as_ptr()) };
    }
}

/// A tree that Pacemaker's library made and gave to us.
#[derive(Debug)]
pub(super) struct Output(NonNull<sys::xmlNode>);

impl Output {
    /// # Safety
    /// `node` is null or a tree that the library gave away, that nothing else frees.
    pub(super) unsafe fn new(node: *mut sys::xmlNode) -> Option<Self> {
        NonNull::new(node).map(Self)
    }

    pub(super) fn node(&self) -> *const sys::xmlNode {
        self.0.as_ptr()
    }

    pub(super) fn to_document(&self) -> Result<Document> {
        // SAFETY: the tree is alive as long as `self` is.
        unsafe { document(self.node()) }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: ours, freed once, by the library's own function: Pacemaker 3 keeps private data
        // on each node, which `xmlFreeDoc` would leak.
        unsafe { sys::free_xml(self.0.as_ptr()) };
    }
}

/// Names that were met already, found by the address of libxml2's string: a parser's document has
/// each name once, in its dictionary, and nothing is freed while we walk it.
struct Names {
    slots: Box<[(*const u8, Name); Self::SIZE]>,
}

impl Names {
    const SIZE: usize = 256;

    fn new(builder: &mut Builder) -> Self {
        let any = builder.name("cib");
        Self {
            slots: Box::new([(std::ptr::null(), any); Self::SIZE]),
        }
    }

    /// # Safety
    /// `name` is a NUL-terminated string that stays as it is while `self` is used.
    #[inline]
    unsafe fn get(&mut self, builder: &mut Builder, name: *const u8) -> Result<Name> {
        let address = name as usize;
        let slot = &mut self.slots[(address ^ (address >> 9)) % Self::SIZE];
        if slot.0 != name {
            // SAFETY: by this function's own contract.
            *slot = (name, builder.name(unsafe { utf8(name) }?));
        }
        Ok(slot.1)
    }
}

/// # Safety
/// `text` is a NUL-terminated string that outlives the result.
#[inline]
unsafe fn utf8<'a>(text: *const u8) -> Result<&'a str> {
    // SAFETY: by this function's own contract.
    let bytes = unsafe { CStr::from_ptr(text.cast()) };
    bytes
        .to_str()
        .map_err(|_| Error::new(ErrorKind::Protocol, "libxml2 gave text that is not UTF-8"))
}

/// Copies an element and what it contains into a document.
///
/// # Safety
/// `root` is an element of a tree that stays as it is during the call.
pub(super) unsafe fn document(root: *const sys::xmlNode) -> Result<Document> {
    // A CIB's size is not known here; a few reallocations cost less than a first walk.
    let mut builder = Builder::with_capacity(16 * 1024);
    let mut names = Names::new(&mut builder);
    let mut node = root;
    // SAFETY: every pointer followed below is a link of the tree, valid or null.
    unsafe {
        loop {
            match (*node).type_ {
                sys::XML_ELEMENT_NODE => {
                    let name = names.get(&mut builder, (*node).name)?;
                    builder.start_named(name);
                    let mut attribute = (*node).properties;
                    while !attribute.is_null() {
                        let name = names.get(&mut builder, (*attribute).name)?;
                        with_value(attribute, |value| builder.attribute_named(name, value))?;
                        attribute = (*attribute).next;
                    }
                    if !(*node).children.is_null() {
                        node = (*node).children;
                        continue;
                    }
                    builder.end();
                }
                sys::XML_TEXT_NODE | sys::XML_CDATA_SECTION_NODE if !(*node).content.is_null() => {
                    builder.text(utf8((*node).content)?);
                }
                sys::XML_COMMENT_NODE if !(*node).content.is_null() => {
                    builder.comment(utf8((*node).content)?);
                }
                _ => {}
            }
            while node != root && (*node).next.is_null() {
                node = (*node).parent;
                builder.end();
            }
            if node == root {
                break;
            }
            node = (*node).next;
        }
    }
    builder.finish()
}

/// # Safety
/// `attribute` is an attribute of a tree that stays as it is during the call.
#[inline]
unsafe fn with_value(attribute: *const sys::xmlAttr, f: impl FnOnce(&str)) -> Result<()> {
    // SAFETY: links of the tree, valid or null; text contents are NUL-terminated.
    unsafe {
        let first = (*attribute).children;
        if first.is_null() {
            f("");
            return Ok(());
        }
        if (*first).next.is_null() && (*first).type_ == sys::XML_TEXT_NODE {
            let content = (*first).content;
            f(if content.is_null() {
                ""
            } else {
                utf8(content)?
            });
            return Ok(());
        }
        let mut value = String::new();
        let mut part = first;
        while !part.is_null() {
            let content = sys::xmlNodeGetContent(part);
            if !content.is_null() {
                let text = utf8(content).map(str::to_owned);
                libc::free(content.cast());
                value.push_str(&text?);
            }
            part = (*part).next;
        }
        f(&value);
    }
    Ok(())
}

#[cfg(test)]
mod depth {
    use super::*;

    #[test]
    fn trees_too_deep_for_the_stack_of_c_are_refused() {
        let nested = |levels: usize| {
            let text = "<a>".repeat(levels) + &"</a>".repeat(levels);
            check_depth(&Document::parse(&text).expect("well-formed"))
        };
        assert!(nested(1).is_ok());
        assert!(nested(DEEPEST).is_ok());
        assert_eq!(
            nested(DEEPEST + 1).map_err(|e| e.kind()),
            Err(ErrorKind::Limit)
        );
        assert_eq!(nested(200_000).map_err(|e| e.kind()), Err(ErrorKind::Limit));
    }
}
