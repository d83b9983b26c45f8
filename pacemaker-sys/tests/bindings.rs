//! The bindings against the installed headers, the linked libraries and the table of functions.
#![allow(unsafe_code)]

mod support;

use std::ffi::{CStr, CString, c_int};
use std::ptr;

use pacemaker_sys as sys;
use support::Items;

const FAMILY_2: &str = include_str!("../src/bindings/v2.rs");
const FAMILY_3: &str = include_str!("../src/bindings/v3.rs");

#[test]
fn families_differ_where_they_must() {
    let (two, three) = (Items::parse(FAMILY_2), Items::parse(FAMILY_3));
    let commands = "\"Offset of field: cib_s::cmds\"";
    assert_eq!((two.layouts[commands], three.layouts[commands]), (56, 48));
    assert_eq!(two.definitions["pcmk_ipc_controld"], "pcmk_ipc_server = 2");
    assert_eq!(
        three.definitions["pcmk_ipc_controld"],
        "pcmk_ipc_server = 3"
    );
    assert!(!support::disagreements(&two, &three).is_empty());
}

#[cfg(feature = "bindgen")]
#[test]
fn installed_headers_agree() {
    let checked_in = Items::parse(if sys::ABI == 3 { FAMILY_3 } else { FAMILY_2 });
    let installed = Items::parse(include_str!(concat!(env!("OUT_DIR"), "/bindings.rs")));
    let found = support::disagreements(&checked_in, &installed);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_function_is_in_the_coverage_table() {
    let mut bound: Vec<String> = Items::parse(FAMILY_2).functions.into_keys().collect();
    bound.extend(Items::parse(FAMILY_3).functions.into_keys());
    bound.extend([
        "xmlSetStructuredErrorFunc".to_owned(),
        "xmlGetLastError".to_owned(),
    ]);
    bound.sort();
    bound.dedup();
    let faults = support::coverage_faults(&bound, |name| {
        !support::is_corosync(name) && !["qb_to_cs_error", "hdb_error_to_cs"].contains(&name)
    });
    assert!(
        faults.is_empty(),
        "docs/coverage.md:\n{}",
        faults.join("\n")
    );
}

#[test]
fn linked_library_is_of_the_announced_family() {
    assert_eq!(
        support::library_of(sys::cib_native_new as *const ()),
        sys::CIB_SONAME
    );
    assert!(
        sys::BUILT_WITH.starts_with(if sys::ABI == 3 { "3." } else { "2." }),
        "{}",
        sys::BUILT_WITH
    );
}

/// The numbers of the daemons moved between the families: a wrong one names another daemon.
#[test]
fn linked_library_numbers_the_daemons_alike() {
    for (server, name) in [
        (sys::pcmk_ipc_attrd, "attrd"),
        (sys::pcmk_ipc_controld, "crmd"),
        (sys::pcmk_ipc_execd, "lrmd"),
        (sys::pcmk_ipc_fenced, "stonith-ng"),
        (sys::pcmk_ipc_pacemakerd, "pacemakerd"),
        (sys::pcmk_ipc_schedulerd, "pengine"),
    ] {
        let mut api = ptr::null_mut();
        // SAFETY: `api` outlives the call; a connection is neither opened nor needed for the name.
        let rc: c_int = unsafe { sys::pcmk_new_ipc_api(&raw mut api, server) };
        if rc == libc::EOPNOTSUPP {
            continue; // not every version has a client side for every daemon
        }
        assert_eq!(rc, 0, "{name}");
        // SAFETY: `api` was made just above, is used on this thread only, and freed once.
        unsafe {
            let told = CStr::from_ptr(sys::pcmk_ipc_name(api, false));
            assert_eq!(told.to_str(), Ok(name));
            sys::pcmk_free_ipc_api(api);
        }
    }
}

#[test]
fn linked_library_knows_the_codes() {
    for (code, name) in [
        (sys::pcmk_rc_ok as c_int, "pcmk_rc_ok"),
        (
            sys::pcmk_rc_schema_validation as c_int,
            "pcmk_rc_schema_validation",
        ),
        (sys::pcmk_rc_node_unknown as c_int, "pcmk_rc_node_unknown"),
    ] {
        // SAFETY: takes any number and returns a static string.
        let told = unsafe { CStr::from_ptr(sys::pcmk_rc_name(code)) };
        assert_eq!(told.to_str(), Ok(name));
    }
}

/// A wrong slot of the table of operations would be another function: a CIB file is opened, read,
/// changed, read again and closed through it.
#[test]
fn operations_are_where_the_library_has_them() {
    let file = std::env::temp_dir().join(format!("pacemaker-sys-{}.xml", std::process::id()));
    let text = "<cib validate-with=\"pacemaker-3.0\" epoch=\"7\" num_updates=\"0\" admin_epoch=\"0\">\
         <configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>";
    std::fs::write(&file, text).expect("a temporary file");
    let path = CString::new(file.to_str().expect("a text path")).expect("no NUL");
    let xpath = c"/cib/configuration/nodes";
    let update = c"<nodes><node id=\"1\" uname=\"maitre\"/></nodes>";
    let options = (sys::cib_scope_local | sys::cib_sync_call) as c_int;
    // SAFETY: everything stays on this thread, the strings outlive the calls, each answer is freed once
    // and nothing is used after `cib_delete`.
    let (read, written, again) = unsafe {
        sys::crm_log_preinit(c"pacemaker-sys".as_ptr(), 0, ptr::null_mut());
        let cib = sys::cib_file_new(path.as_ptr());
        let commands = &*(*cib).cmds;
        let name = c"test".as_ptr();
        assert_eq!(
            commands.signon.expect("a slot")(cib, name, sys::cib_command),
            0
        );
        let query = commands.query.expect("a slot");
        let count = || {
            let mut answer = ptr::null_mut();
            let all = options | sys::cib_xpath as c_int;
            assert_eq!(query(cib, xpath.as_ptr(), &raw mut answer, all), 0);
            let mut child = (*answer).children;
            let mut children = 0;
            while !child.is_null() {
                children += 1;
                child = (*child).next;
            }
            sys::free_xml(answer);
            children
        };
        let read = count();
        let bytes = update.to_bytes().len() as c_int;
        let document = sys::xmlReadMemory(update.as_ptr(), bytes, ptr::null(), ptr::null(), 0);
        let root = sys::xmlDocGetRootElement(document);
        let written = commands.replace.expect("a slot")(cib, c"nodes".as_ptr(), root, options);
        sys::xmlFreeDoc(document);
        let again = count();
        assert_eq!(commands.signoff.expect("a slot")(cib), 0);
        sys::cib_delete(cib);
        (read, written, again)
    };
    let stored = std::fs::read_to_string(&file).expect("the file is still there");
    std::fs::remove_file(&file).expect("the file can be removed");
    assert_eq!((read, written, again), (0, 0, 1));
    assert!(stored.contains("uname=\"maitre\""), "{stored}");
}

#[test]
fn optional_functions_are_found_by_name() {
    let recent = !sys::BUILT_WITH.starts_with("2.0.");
    assert_eq!(sys::optional::pcmk_rc2ocf().is_some(), recent);
    if let Some(convert) = sys::optional::pcmk_rc2ocf() {
        // SAFETY: takes any number.
        let status = unsafe { convert(sys::pcmk_rc_ok as c_int) };
        assert_eq!(status, sys::PCMK_OCF_OK);
    }
}
