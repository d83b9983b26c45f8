//! Tells the linker where in `crm_mon` to put what it seldom needs: see `seldom.ld`.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=seldom.ld");
    let is = |name: &str, value: &str| var(name).is_ok_and(|is| is == value);
    // GNU ld and lld, which are the linkers there, both know `INSERT`.
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        let script = format!("{}/seldom.ld", env!("CARGO_MANIFEST_DIR"));
        println!("cargo:rustc-link-arg-bin=crm_mon=-Wl,-T,{script}");
    }
}
