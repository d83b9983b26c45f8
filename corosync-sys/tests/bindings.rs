//! The bindings against the installed headers, the linked libraries and the table of functions.
#![allow(unsafe_code)]

mod support;

use std::ffi::CStr;

use support::Items;

const CHECKED_IN: &str = include_str!("../src/bindings/corosync.rs");

#[test]
fn parses_the_checked_in_bindings() {
    let items = Items::parse(CHECKED_IN);
    assert!(
        items.functions["cpg_mcast_joined"].contains("* mut iovec"),
        "{:?}",
        items.functions
    );
    assert_eq!(items.layouts["\"Size of cpg_name\""], 132);
    assert_eq!(items.fields["cpg_address"].len(), 3);
}

#[test]
fn notices_a_header_that_disagrees() {
    let ours = Items::parse(CHECKED_IN);
    for (from, to, name) in [
        (
            "pub fn cpg_join(handle: cpg_handle_t",
            "pub fn cpg_join(handle: u32",
            "cpg_join",
        ),
        (
            "pub const CS_OK: cs_error_t = 1;",
            "pub const CS_OK: cs_error_t = 0;",
            "CS_OK",
        ),
        (
            "pub pid: u32,\n    pub reason: u32,",
            "pub reason: u32,\n    pub pid: u32,",
            "cpg_address",
        ),
        (
            "cpg_name>() - 132usize",
            "cpg_name>() - 128usize",
            "Size of cpg_name",
        ),
    ] {
        let changed = CHECKED_IN.replacen(from, to, 1);
        assert_ne!(changed, CHECKED_IN, "{from} is not in the bindings");
        let found = support::disagreements(&ours, &Items::parse(&changed));
        assert!(
            found.len() == 1 && found[0].contains(name),
            "{from}: {found:?}"
        );
    }
    assert_eq!(support::disagreements(&ours, &ours), Vec::<String>::new());
}

#[cfg(feature = "bindgen")]
#[test]
fn installed_headers_agree() {
    let installed = Items::parse(include_str!(concat!(env!("OUT_DIR"), "/bindings.rs")));
    let found = support::disagreements(&Items::parse(CHECKED_IN), &installed);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_function_is_in_the_coverage_table() {
    let bound: Vec<String> = Items::parse(CHECKED_IN).functions.into_keys().collect();
    let faults = support::coverage_faults(&bound, support::is_corosync);
    assert!(
        faults.is_empty(),
        "docs/coverage.md:\n{}",
        faults.join("\n")
    );
}

#[test]
fn linked_libraries_are_the_announced_ones() {
    let functions = [
        (corosync_sys::cpg_initialize as *const (), "libcpg.so.4"),
        (
            corosync_sys::quorum_model_initialize as *const (),
            "libquorum.so.5",
        ),
        (
            corosync_sys::votequorum_initialize as *const (),
            "libvotequorum.so.8",
        ),
        (
            corosync_sys::cmap_initialize_map as *const (),
            "libcmap.so.4",
        ),
        (
            corosync_sys::corosync_cfg_node_status_get as *const (),
            "libcfg.so.7",
        ),
        (
            corosync_sys::cs_strerror as *const (),
            "libcorosync_common.so.4",
        ),
    ];
    for (address, library) in functions {
        assert_eq!(support::library_of(address), library);
    }
}

#[test]
fn error_words_match_the_constants() {
    for (code, words) in [
        (corosync_sys::CS_OK, "success"),
        (corosync_sys::CS_ERR_TRY_AGAIN, "CS_ERR_TRY_AGAIN"),
        (corosync_sys::CS_ERR_SECURITY, "CS_ERR_SECURITY"),
    ] {
        // SAFETY: cs_strerror takes any number and returns a static string.
        let text = unsafe { CStr::from_ptr(corosync_sys::cs_strerror(code)) };
        assert_eq!(text.to_str(), Ok(words));
    }
}

#[test]
fn calls_without_a_daemon_answer() {
    let mut size = 0;
    // SAFETY: handle 0 was never given out; the library looks it up and writes nothing.
    let rc = unsafe { corosync_sys::cpg_max_atomic_msgsize_get(0, &raw mut size) };
    assert_eq!(rc, corosync_sys::CS_ERR_BAD_HANDLE);
}
