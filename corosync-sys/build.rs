//! Finds Corosync's libraries; with feature `bindgen` makes the bindings from their headers.

#[cfg(feature = "bindgen")]
#[path = "build/generate.rs"]
mod generate;
#[path = "build/probe.rs"]
mod probe;

use probe::Wanted;

const LIBRARIES: &[Wanted] = &[
    Wanted {
        pkg_config: "libcpg",
        header: "corosync/cpg.h",
        package: "libcpg-dev",
    },
    Wanted {
        pkg_config: "libquorum",
        header: "corosync/quorum.h",
        package: "libquorum-dev",
    },
    Wanted {
        pkg_config: "libvotequorum",
        header: "corosync/votequorum.h",
        package: "libvotequorum-dev",
    },
    Wanted {
        pkg_config: "libcmap",
        header: "corosync/cmap.h",
        package: "libcmap-dev",
    },
    Wanted {
        pkg_config: "libcfg",
        header: "corosync/cfg.h",
        package: "libcfg-dev",
    },
    // The others need it, and do not name it.
    Wanted {
        pkg_config: "libcorosync_common",
        header: "corosync/corotypes.h",
        package: "libcorosync-common-dev",
    },
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=DOCS_RS");
    if std::env::var_os("DOCS_RS").is_some() {
        return;
    }
    match probe::probe(LIBRARIES, cfg!(feature = "bindgen")) {
        Ok(found) => {
            found.link();
            println!("cargo::metadata=version={}", found.version);
            #[cfg(feature = "bindgen")]
            bindings(&found);
        }
        Err(missing) => missing.report(),
    }
}

#[cfg(feature = "bindgen")]
fn bindings(found: &probe::Found) {
    let headers: Vec<&str> = LIBRARIES.iter().map(|library| library.header).collect();
    let builder = generate::builder(&found.include_paths, &headers)
        .allowlist_file(r".*/corosync/(corotypes|cpg|quorum|votequorum|cmap|cfg)\.h");
    generate::finish(builder);
}
