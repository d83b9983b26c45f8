//! A process that cannot make a thread for Pacemaker's library at first. Alone in its program: the
//! thread is one for the whole process, and so is the limit.
#![cfg(feature = "live")]

use ha_core::live::pacemaker::cib::Cib;
use ha_core::{ErrorKind, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The address space of this process, in bytes.
fn size() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|l| l.strip_prefix("VmSize:"));
    let number = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    number.expect("a number of kB") << 10
}

#[test]
fn a_start_that_failed_is_tried_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cib.xml");
    std::fs::write(
        &path,
        "<cib validate-with='pacemaker-3.0' admin_epoch='0' epoch='1' num_updates='0'>\
         <configuration><crm_config/><nodes/><resources/><constraints/></configuration>\
         <status/></cib>",
    )?;
    let cib = Cib::open_file(&path)?;
    let before = getrlimit(Resource::As);
    // Enough for anything but the stack of another thread.
    let tight = Rlimit {
        current: Some(size() + (4 << 20)),
        maximum: before.maximum,
    };
    setrlimit(Resource::As, tight).map_err(std::io::Error::from)?;
    let refused = [cib.query(), cib.query()];
    setrlimit(Resource::As, before).map_err(std::io::Error::from)?;
    for result in refused {
        let e = result.expect_err("no thread can be made");
        assert_eq!(e.kind(), ErrorKind::Limit, "{e:?}");
        assert!(e.hint().is_some_and(|h| h.contains("ulimit")), "{e:?}");
    }
    assert_eq!(cib.query()?.root().name(), "cib");
    Ok(())
}
