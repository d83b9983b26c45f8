//! Finds libraries with pkg-config, and says everything that is missing in one go.
//!
//! Shared by the build scripts of corosync-sys and pacemaker-sys (the second has a symbolic link).

use std::collections::BTreeSet;
use std::path::PathBuf;

/// One library to link.
pub(crate) struct Wanted {
    /// Name of its pkg-config file.
    pub(crate) pkg_config: &'static str,
    /// A header it brings, relative to one of its include folders.
    pub(crate) header: &'static str,
    /// Debian package that has the pkg-config file, the header and the library's link.
    pub(crate) package: &'static str,
}

/// What was found: link with [`Found::link`], read the headers under `include_paths`.
pub(crate) struct Found {
    /// Version of the first library asked for.
    pub(crate) version: String,
    #[cfg_attr(not(feature = "bindgen"), allow(dead_code))]
    pub(crate) include_paths: Vec<PathBuf>,
    directives: Vec<String>,
}

impl Found {
    /// Tells cargo what to link.
    pub(crate) fn link(&self) {
        for directive in &self.directives {
            println!("cargo::{directive}");
        }
    }
}

/// Why the libraries cannot be used: one line for each problem, then the next step.
pub(crate) struct Missing(pub(crate) Vec<String>);

impl Missing {
    /// Ends the build with these lines as errors.
    pub(crate) fn report(&self) {
        for line in &self.0 {
            println!("cargo::error={line}");
        }
    }
}

/// Looks for all of `wanted`; the headers too when they are `needed` (to generate bindings).
pub(crate) fn probe(wanted: &[Wanted], headers_needed: bool) -> Result<Found, Missing> {
    let mut version = None;
    let mut include_paths = Vec::new();
    let mut directives = Vec::new();
    let mut problems = Vec::new();
    let mut packages = BTreeSet::new();
    for library in wanted {
        // A system include folder may be where the header is although no flag names it.
        match pkg_config::Config::new()
            .cargo_metadata(false)
            .print_system_cflags(true)
            .probe(library.pkg_config)
        {
            Ok(found) => {
                if headers_needed
                    && !found
                        .include_paths
                        .iter()
                        .any(|path| path.join(library.header).exists())
                {
                    problems.push(format!(
                        "header <{}> of {} is not under {:?} (Debian package: {})",
                        library.header, library.pkg_config, found.include_paths, library.package
                    ));
                    packages.insert(library.package);
                }
                version.get_or_insert_with(|| found.version.clone());
                for path in found.include_paths {
                    push_new(&mut include_paths, path);
                }
                for path in &found.link_paths {
                    push_new(
                        &mut directives,
                        format!("rustc-link-search=native={}", path.display()),
                    );
                }
                for name in &found.libs {
                    push_new(&mut directives, format!("rustc-link-lib={name}"));
                }
            }
            Err(pkg_config::Error::Command { cause, command }) => {
                problems.push(format!("pkg-config cannot be run ({command}): {cause}"));
                packages.insert("pkg-config");
                packages.extend(wanted.iter().map(|library| library.package));
                break;
            }
            Err(error) => {
                problems.push(format!(
                    "library {} was not found (Debian package: {}){}",
                    library.pkg_config,
                    library.package,
                    cause(&error)
                ));
                packages.insert(library.package);
            }
        }
    }
    if problems.is_empty() {
        return Ok(Found {
            version: version.unwrap_or_default(),
            include_paths,
            directives,
        });
    }
    let packages: Vec<&str> = packages.into_iter().collect();
    problems.push(format!(
        "next step, as root: apt-get install {}",
        packages.join(" ")
    ));
    problems.push(
        "for libraries elsewhere set PKG_CONFIG_PATH; to check or document the code without any \
         library set DOCS_RS=1"
            .to_owned(),
    );
    Err(Missing(problems))
}

/// The line of pkg-config's own words that tells something new: a file that it needs in turn.
fn cause(error: &pkg_config::Error) -> String {
    match error {
        pkg_config::Error::ProbeFailure { output, .. }
        | pkg_config::Error::Failure { output, .. } => String::from_utf8_lossy(&output.stderr)
            .lines()
            .find(|line| line.contains("required by") && !line.contains("virtual:world"))
            .map(|line| format!(": {line}"))
            .unwrap_or_default(),
        pkg_config::Error::EnvNoPkgConfig(name) => format!(": {name} is set"),
        pkg_config::Error::CrossCompilation => {
            ": a build for another machine needs PKG_CONFIG_SYSROOT_DIR and \
             PKG_CONFIG_ALLOW_CROSS=1"
                .to_owned()
        }
        _ => String::new(),
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
