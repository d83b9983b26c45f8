//! Finds Pacemaker's libraries and their ABI family; with feature `bindgen` makes the bindings from
//! the installed headers.
//!
//! For crates that depend on this one: `DEP_PACEMAKER_ABI` is `2` or `3`, `DEP_PACEMAKER_VERSION` the
//! version found (empty when nothing was probed).

#[cfg(feature = "bindgen")]
#[path = "build/generate.rs"]
mod generate;
#[path = "build/probe.rs"]
mod probe;

use probe::Wanted;

// The first decides the version. The files of Pacemaker name neither libxml2 nor GLib in full.
const LIBRARIES: &[Wanted] = &[
    Wanted {
        pkg_config: "pacemaker-cib",
        header: "crm/cib.h",
        package: "pacemaker-dev",
    },
    Wanted {
        pkg_config: "pacemaker",
        header: "crm/common/ipc.h",
        package: "pacemaker-dev",
    },
    Wanted {
        pkg_config: "pacemaker-fencing",
        header: "crm/stonith-ng.h",
        package: "pacemaker-dev",
    },
    Wanted {
        pkg_config: "pacemaker-lrmd",
        header: "crm/lrmd.h",
        package: "pacemaker-dev",
    },
    Wanted {
        pkg_config: "libxml-2.0",
        header: "libxml/tree.h",
        package: "libxml2-dev",
    },
    Wanted {
        pkg_config: "glib-2.0",
        header: "glib.h",
        package: "libglib2.0-dev",
    },
    Wanted {
        pkg_config: "libqb",
        header: "qb/qblog.h",
        package: "libqb-dev",
    },
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=DOCS_RS");
    println!("cargo::rerun-if-env-changed=PACEMAKER_SYS_ABI");
    println!("cargo::rustc-check-cfg=cfg(pacemaker_3)");
    let asked = match std::env::var("PACEMAKER_SYS_ABI").as_deref() {
        Err(_) | Ok("") => None,
        Ok("2") => Some(2),
        Ok("3") => Some(3),
        Ok(other) => {
            println!("cargo::error=PACEMAKER_SYS_ABI is '{other}'; it can be 2 or 3");
            return;
        }
    };
    if std::env::var_os("DOCS_RS").is_some() {
        announce(asked.unwrap_or(3), "");
        return;
    }
    let found = match probe::probe(LIBRARIES, cfg!(feature = "bindgen")) {
        Ok(found) => found,
        Err(missing) => return missing.report(),
    };
    let Some(abi) = family(&found.version) else {
        println!(
            "cargo::error=Pacemaker {} is not supported: 2.0.3 to 2.1.x and 3.x are",
            found.version
        );
        return;
    };
    if let Some(asked) = asked.filter(|asked| *asked != abi) {
        println!(
            "cargo::error=PACEMAKER_SYS_ABI is {asked}, but the Pacemaker found is {}; unset it, or \
             set DOCS_RS=1 to check the code without linking",
            found.version
        );
        return;
    }
    found.link();
    announce(abi, &found.version);
    #[cfg(feature = "bindgen")]
    bindings(&found);
}

/// The ABI family of a Pacemaker version: 2 is libcib.so.27, 3 is libcib.so.54.
fn family(version: &str) -> Option<u8> {
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|n| n.parse().ok());
    let (major, minor): (u32, u32) = (numbers.next()??, numbers.next()??);
    let patch: u32 = numbers.next().flatten().unwrap_or(0);
    match (major, minor, patch) {
        (2, 0, ..=2) => None,
        (2, ..) => Some(2),
        (3, ..) => Some(3),
        _ => None,
    }
}

fn announce(abi: u8, version: &str) {
    println!("cargo::metadata=abi={abi}");
    println!("cargo::metadata=version={version}");
    println!("cargo::rustc-env=PACEMAKER_SYS_VERSION={version}");
    if abi == 3 {
        println!("cargo::rustc-cfg=pacemaker_3");
    }
}

#[cfg(feature = "bindgen")]
fn bindings(found: &probe::Found) {
    let mut headers: Vec<&str> = LIBRARIES.iter().map(|library| library.header).collect();
    headers.extend([
        "crm/common/ipc_controld.h",
        "crm/common/ipc_pacemakerd.h",
        "crm/common/logging.h",
        "crm/common/mainloop.h",
        "crm/common/results.h",
        "crm/common/xml.h",
        "libxml/parser.h",
        "libxml/xmlerror.h",
    ]);
    // The first is of 2.1 and later, the second of 3.0 and later (there it has crm_ipc_connect).
    for header in [
        "crm/common/ipc_schedulerd.h",
        "crm/common/ipc_client_compat.h",
    ] {
        if found
            .include_paths
            .iter()
            .any(|path| path.join(header).exists())
        {
            headers.push(header);
        }
    }
    let builder = generate::builder(&found.include_paths, &headers)
        .allowlist_file(
            r".*/crm/(cib|lrmd|lrmd_events|stonith-ng|cib/(cib_types|util)|common/(ipc|ipc_controld|ipc_pacemakerd|ipc_schedulerd|logging|mainloop|results))\.h",
        )
        .allowlist_function("free_xml|crm_xml_(init|cleanup)|crm_ipc_connect")
        .allowlist_function(
            "xml(ReadMemory|FreeDoc|NewDoc|NewNode|NewDocNode|NewChild|NewText|NewTextLen|\
             DocGetRootElement|DocSetRootElement|CopyNode|DocCopyNode|FreeNode|UnlinkNode|AddChild|\
             SetProp|NewProp|GetProp|NodeGetContent|NodeDump|BufferCreate|BufferFree|BufferContent|\
             BufferLength|ResetLastError)",
        )
        .allowlist_var(r"XML_PARSE_.*|XML_.*_NODE|XML_ERR_(NONE|WARNING|ERROR|FATAL)|xmlFree")
        .allowlist_type("xml(Attr|Node|Doc|Error|Buffer|ElementType|ErrorLevel|ParserOption)")
        .allowlist_function(
            "g_(main_(context|loop)_.*|source_.*|idle_(source_new|add|add_full)|\
             timeout_(source_new|add|add_full)|log_(set|remove|default)_.*handler.*|free|\
             list_(free|free_full|length)|hash_table_(new|new_full|destroy|insert|lookup|size|iter_init|iter_next)|strdup)",
        )
        .allowlist_var("G_LOG_(LEVEL|FLAG)_.*|G_PRIORITY_.*|G_SOURCE_.*")
        .allowlist_function("qb_log_(init|fini|custom_open|custom_close|ctl|ctl2|filter_ctl|callsites_.*)")
        .allowlist_var("QB_LOG_.*|LOG_(EMERG|ALERT|CRIT|ERR|WARNING|NOTICE|INFO|DEBUG|TRACE)")
        .allowlist_type("qb_log_(conf|callsite|filter_.*|target_slot|tag_.*)")
        .blocklist_function(".*_va|.*_valist")
        .blocklist_function(GONE_LATER.join("|"))
        // Renamed between 2.0 and 2.1; and sonames that the headers never updated.
        .blocklist_var("(pcmk_|crm)_config_(error|warning)|(CIB|LRMD|STONITH)_LIBRARY");
    generate::finish(builder);
}

/// Functions of 2.0's headers that later libraries of the same family need not have.
#[cfg(feature = "bindgen")]
const GONE_LATER: &[&str] = &[
    "create_cib_fragment_adv",
    "crm_add_logfile",
    "crm_errno2exit",
    "crm_log_cli_init",
    "crm_signal",
    "get_object_parent",
    "get_object_path",
    "get_object_root",
    "pcmk_controld_api_shutdown",
    "pcmk_controld_api_start_election",
    "verifyCibXml",
];
