//! libxml2's hooks for nodes: on the Pacemaker thread, and on no other.
//!
//! Pacemaker 2's library marks each node of a tree as it is made, to follow changes, and relies on
//! finding the marks. libxml2 keeps one pair of hooks for each thread, and registers a new pair always
//! with the thread that used libxml2 first. When that is one of the application's, the library finds no
//! marks in its own trees (a write to a CIB file then ends the process), and the application's nodes
//! get marks. Pacemaker 3 has no such hooks.

use pacemaker_sys as sys;
use sys::optional::{NodeHook, NodeHooks, node_hooks};

use super::Here;

/// The hooks that the application had, while Pacemaker's library sets its own.
pub(super) struct Hooks(Option<(NodeHooks, NodeHook, NodeHook)>);

impl Hooks {
    pub(super) fn take() -> Self {
        let hooks = (sys::ABI == 2).then(node_hooks).flatten();
        Self(hooks.map(|hooks| {
            // SAFETY: any hook or none may be set.
            let old = unsafe { ((hooks.set_made)(None), (hooks.set_freed)(None)) };
            (hooks, old.0, old.1)
        }))
    }

    /// Gives the application its own hooks again, and those of Pacemaker's library to this thread.
    pub(super) fn put_back(self, _: &Here) {
        let Some((hooks, made, freed)) = self.0 else {
            return;
        };
        // SAFETY: hooks that were set before; the places are this thread's own, or, when it used
        // libxml2 first, those that were written before.
        unsafe {
            let own = ((hooks.set_made)(made), (hooks.set_freed)(freed));
            *(hooks.made)() = own.0;
            *(hooks.freed)() = own.1;
        }
    }
}

/// Tells whether the trees made on this thread are such that Pacemaker's library can change them.
pub(super) fn are_set(_: &Here) -> bool {
    sys::ABI > 2 || is_marked()
}

/// Looks whether a new node gets a mark.
fn is_marked() -> bool {
    // SAFETY: makes a node without a document, or null, and frees it.
    unsafe {
        let node = sys::xmlNewNode(std::ptr::null_mut(), c"mark".as_ptr().cast());
        let marked = !node.is_null() && !(*node)._private.is_null();
        sys::xmlFreeNode(node);
        marked
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::live::pacemaker::cib::{Cib, Section};
    use crate::live::pacemaker::runtime;
    use crate::xml::Document;

    unsafe extern "C" {
        fn xmlInitParser();
    }

    const INNER: &str = "HA_CORE_TEST_LIBXML2_FIRST";

    /// In a process of its own, whose main thread uses libxml2 before Pacemaker's does.
    #[test]
    fn an_application_that_used_libxml2_first_and_a_file_do_no_harm_to_each_other() {
        if std::env::var_os(INNER).is_none() {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--nocapture", "--test-threads=1"])
                .arg(std::thread::current().name().unwrap())
                .env(INNER, "1")
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}: {text}", output.status);
            assert!(text.contains("1 passed"), "{text}");
            return;
        }
        // SAFETY: makes this thread the first that uses libxml2.
        unsafe { xmlInitParser() };
        assert!(!is_marked());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cib.xml");
        let cib = "<cib validate-with='pacemaker-3.0' admin_epoch='0' epoch='1' num_updates='0'>\
            <configuration><crm_config/><nodes/><resources/><constraints/></configuration>\
            <status/></cib>";
        std::fs::write(&path, cib).unwrap();
        let file = Cib::open_file(&path).unwrap();
        let node = Document::parse("<node id='1' uname='one'/>").unwrap();
        file.create(Section::Nodes, &node).unwrap();
        let read = file.query_section(Section::Nodes).unwrap();
        assert_eq!(read.root().children().count(), 1);
        // Not the application's nodes, but ours.
        assert!(!is_marked());
        let deadline = Instant::now() + Duration::from_secs(20);
        assert!(runtime::call("look", deadline, |here| Ok(are_set(here))).unwrap());
    }
}
