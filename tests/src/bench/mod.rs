//! What the benchmarks share: the C side, counted instructions, medians and goals.

mod duel;
mod figures;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

pub use duel::{Duel, median_of, rest, time};
pub use figures::{Figures, Goals, best, figures, middle};

/// A client in C that does the same work through the C library.
#[derive(Debug)]
pub struct CSide {
    /// Its file's name in a folder of other C clients.
    pub file: &'static str,
    /// Its source, unless another folder is given.
    pub source: &'static str,
    /// What `pkg-config` knows the libraries as.
    pub packages: &'static [&'static str],
}

/// The CIB through libcib; its arguments and output are described in the file.
pub const CIB: CSide = CSide {
    file: "cib_loop.c",
    source: include_str!("c/cib.c"),
    packages: &["pacemaker-cib", "libxml-2.0", "glib-2.0"],
};

/// A process group through libcpg.
pub const CPG: CSide = CSide {
    file: "cpg_bench.c",
    source: include_str!("c/cpg.c"),
    packages: &["libcpg"],
};

impl CSide {
    /// Compiles it, or the one of this name in the folder, into `program`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it does not compile, with the compiler's words.
    pub fn compile(&self, folder: Option<&Path>, program: &Path) -> Result<()> {
        let written = program.with_extension("c");
        let source = match folder {
            Some(folder) => folder.join(self.file),
            None => {
                let context = || format!("write {}", written.display());
                std::fs::write(&written, self.source).with_context(context)?;
                written
            }
        };
        let flags = run(
            "pkg-config",
            &[&["--cflags", "--libs"], self.packages].concat(),
        )?;
        let mut cc: Vec<&OsStr> = ["-O2", "-w", "-pthread", "-o"].map(OsStr::new).into();
        cc.extend([program.as_os_str(), source.as_os_str()]);
        cc.extend(flags.split_whitespace().map(OsStr::new));
        run("cc", &cc).map(drop)
    }

    /// Compiles it, and returns the program, of which nothing stays on this machine.
    ///
    /// # Errors
    /// As [`compile`](Self::compile), and when the program cannot be read.
    pub fn compiled(&self, folder: Option<&Path>) -> Result<Vec<u8>> {
        let name = format!("{}-{}", self.file.replace('.', "-"), std::process::id());
        let program = std::env::temp_dir().join(name);
        let compiled = self.compile(folder, &program);
        let bytes = compiled.and_then(|()| std::fs::read(&program).context("read the C program"));
        for file in [&program, &program.with_extension("c")] {
            // What was not made is not there.
            std::fs::remove_file(file).ok();
        }
        bytes
    }
}

/// The folder of other C clients: the option's, or the variable's `HA_BENCH_C`.
#[must_use]
pub fn c_folder(option: Option<&Path>) -> Option<PathBuf> {
    let variable = || std::env::var_os("HA_BENCH_C").filter(|v| !v.is_empty());
    option
        .map(Path::to_owned)
        .or_else(|| variable().map(PathBuf::from))
}

fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Result<String> {
    let output = Command::new(program)
        .args(args)
        .output()
        .with_context(|| format!("run {program}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::new(ErrorKind::Invalid, text)
        .with_hint("the compiler and the headers: scripts/install-packages build lab check")
        .context(format!("{program} of the C side")))
}

/// The arguments of `valgrind` that count instructions and write no file.
pub const CALLGRIND: [&str; 2] = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];

/// The count in what `valgrind` printed.
///
/// # Errors
/// [`ErrorKind::Protocol`] with its words when there is none.
pub fn collected(stderr: &str) -> Result<f64> {
    let line = stderr
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let figure = line.and_then(|(_, n)| n.trim().parse().ok());
    figure.ok_or_else(|| Error::new(ErrorKind::Protocol, stderr.to_owned()))
}
