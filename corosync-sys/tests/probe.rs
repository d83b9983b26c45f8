//! What the build script says where libraries or headers are missing. One test: it sets the
//! environment of its process.
#![allow(unsafe_code)]

#[path = "../build/probe.rs"]
#[allow(dead_code)]
mod probe;

use probe::{Missing, Wanted, probe};

const WANTED: &[Wanted] = &[
    Wanted {
        pkg_config: "libcpg",
        header: "corosync/cpg.h",
        package: "libcpg-dev",
    },
    Wanted {
        pkg_config: "libcmap",
        header: "corosync/cmap.h",
        package: "libcmap-dev",
    },
];

#[test]
fn everything_missing_is_named_with_its_package() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let set = |name: &str, value: &std::path::Path| {
        // SAFETY: this program has one test, and nothing else in it reads the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    };
    set("PKG_CONFIG_LIBDIR", folder.path());
    set("PKG_CONFIG_PATH", folder.path());
    // What cargo sets for a build script.
    let host = std::path::Path::new("x86_64-unknown-linux-gnu");
    for name in ["HOST", "TARGET"] {
        set(name, host);
    }

    let Err(Missing(lines)) = probe(WANTED, false) else {
        panic!("found in an empty folder")
    };
    let text = lines.join("\n");
    for word in [
        "libcpg was not found",
        "libcmap was not found",
        "apt-get install libcmap-dev libcpg-dev",
    ] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }

    // The file says that the library is there, but the header is not where it points.
    let file = format!(
        "Name: cpg\nDescription: d\nVersion: 3.1.7\nCflags: -I{}\nLibs: -lcpg\n",
        folder.path().display()
    );
    for name in ["libcpg", "libcmap"] {
        std::fs::write(folder.path().join(name).with_extension("pc"), &file).expect("written");
    }
    let found = probe(WANTED, false).unwrap_or_else(|Missing(lines)| panic!("{lines:?}"));
    assert_eq!(found.version, "3.1.7");
    std::fs::create_dir(folder.path().join("corosync")).expect("a folder");
    std::fs::write(folder.path().join("corosync/cmap.h"), "").expect("written");
    let Err(Missing(lines)) = probe(WANTED, true) else {
        panic!("a header is missing")
    };
    let text = lines.join("\n");
    assert!(
        text.contains("header <corosync/cpg.h>") && !text.contains("cmap"),
        "{text}"
    );
    assert!(text.contains("apt-get install libcpg-dev"), "{text}");

    // A library that another one needs in turn.
    let file = file + "Requires: libqb\n";
    std::fs::write(folder.path().join("libcpg.pc"), file).expect("written");
    let Err(Missing(lines)) = probe(WANTED, false) else {
        panic!("libqb is missing")
    };
    assert!(lines[0].contains("libqb"), "{lines:?}");
}
