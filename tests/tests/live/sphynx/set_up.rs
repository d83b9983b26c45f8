//! A pair that our own programs have configured, from the annotated example of their settings.

use ha_core::Result;
use lab::Lab;

use super::LIMIT;

/// Where the program and its settings are inside the nodes.
const PROGRAM: &str = "/usr/local/sbin/appliquer_hautedispo";
const SETTINGS: &str = "/etc/eole/hautedispo.toml";

/// The annotated example, which is of the lab's addresses, with the group of the lab's own corosync.conf:
/// another would want a restart.
const EXAMPLE: &str = include_str!("../../../../examples/sphynx/hautedispo.toml");

/// Returns the settings with lines of the example replaced, which must be there.
pub(crate) fn settings(replaced: &[(&str, &str)]) -> String {
    let group = ("# groupe = \"239.255.1.1\"", "groupe = \"239.192.101.1\"");
    let mut text = EXAMPLE.to_owned();
    for (old, new) in replaced.iter().chain([&group]) {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    text
}

/// Puts the program and its settings on the nodes, and has it done on both, the maître first; waits until
/// the group runs there.
pub(crate) fn set_up(lab: &Lab, settings: &str, words: &[&str]) -> Result<()> {
    let program = crate::crm_mon::build()?.with_file_name("appliquer_hautedispo");
    let program = std::fs::read(program)?;
    for node in lab.nodes() {
        node.write(PROGRAM, &program)?;
        node.command("mkdir").args(["-p", "/etc/eole"]).stdout()?;
        node.command("chmod").args(["755", PROGRAM]).stdout()?;
        node.write(SETTINGS, settings)?;
    }
    for node in lab.nodes() {
        let command = node.command(PROGRAM).args(["--lang", "en", "--wait"]);
        let command = command.args(words.iter().copied()).limit(LIMIT);
        println!("{}: {}", node.name(), command.stdout()?.trim());
    }
    lab.wait_online(LIMIT)?;
    lab.wait_sphynx("maitre", LIMIT)
}
