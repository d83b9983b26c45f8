//! Makes bindings from C headers: the options that both -sys crates share.
//!
//! Shared by the build scripts of corosync-sys and pacemaker-sys (the second has a symbolic link).

use std::path::{Path, PathBuf};

/// A bindgen run over `headers`, given as the words between `<` and `>`.
///
/// C enums become constants (a daemon of another version may send a value that a Rust enum does not
/// have), comments are left out (they belong to the C projects), and every structure gets layout
/// assertions that the compiler checks.
pub(crate) fn builder(include_paths: &[PathBuf], headers: &[&str]) -> bindgen::Builder {
    let includes: String = headers
        .iter()
        .map(|h| format!("#include <{h}>\n"))
        .collect();
    bindgen::Builder::default()
        .header_contents("wrapper.h", &includes)
        .clang_args(
            include_paths
                .iter()
                .map(|path| format!("-I{}", path.display())),
        )
        .rust_edition(bindgen::RustEdition::Edition2024)
        .use_core()
        .ctypes_prefix("core::ffi")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .generate_cstr(true)
        .generate_comments(false)
        .layout_tests(true)
        .merge_extern_blocks(true)
        .sort_semantically(true)
        .allowlist_recursively(true)
        // Types of the C library come from the crate `libc`.
        .parse_callbacks(Box::new(LibcTypes))
        .blocklist_type(
            "__.*|[ug]id_t|pid_t|s?size_t|time_t|socklen_t|iovec|timespec|timeval|tm|FILE|_IO_.*",
        )
        .blocklist_type("sockaddr.*|sa_family_t|in6?_addr.*|in_port_t|dirent")
        .raw_line("#[allow(unused_imports)]")
        .raw_line(
            "use libc::{FILE, gid_t, iovec, pid_t, sockaddr_storage, ssize_t, time_t, timespec, \
             timeval, tm, uid_t};",
        )
}

/// Tells bindgen that structures which hold a type of `libc` can still be copied and printed.
#[derive(Debug)]
struct LibcTypes;

impl bindgen::callbacks::ParseCallbacks for LibcTypes {
    fn blocklisted_type_implements_trait(
        &self,
        _name: &str,
        derived: bindgen::callbacks::DeriveTrait,
    ) -> Option<bindgen::callbacks::ImplementsTrait> {
        use bindgen::callbacks::{DeriveTrait, ImplementsTrait};
        matches!(derived, DeriveTrait::Copy | DeriveTrait::Debug).then_some(ImplementsTrait::Yes)
    }
}

/// Runs it and writes `bindings.rs` in the build script's output folder; a failure ends the build.
pub(crate) fn finish(builder: bindgen::Builder) {
    let out_dir = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let target = Path::new(&out_dir).join("bindings.rs");
    let written = builder
        .generate()
        .map_err(|error| format!("bindgen failed (it needs Debian's libclang-dev): {error}"))
        .and_then(|bindings| {
            bindings
                .write_to_file(&target)
                .map_err(|error| format!("cannot write {}: {error}", target.display()))
        });
    if let Err(message) = written {
        for line in message.lines() {
            println!("cargo::error={line}");
        }
    }
}
