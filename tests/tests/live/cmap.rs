//! The maps, against the real corosync.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ha_core::live::corosync::cmap::{Change, ChangeKind, Cmap, Map, Track, Value};
use ha_core::live::corosync::{Options, Reconnect, Update};
use ha_core::{ErrorKind, Result};
use lab::Lab;
use lab::harness::Harness;

use crate::corosync::{LONG, within};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("cmap::set_all_types", set_all_types);
    harness.shared("cmap::every_type_is_kept", every_type_is_kept);
    harness.agent("cmap::entries", entries);
    harness.shared(
        "cmap::entries_are_what_cmapctl_prints",
        entries_are_cmapctls,
    );
    for (name, function) in [
        ("cmap::counters_count", counters as fn(()) -> Result<()>),
        ("cmap::changes_are_followed", changes),
        ("cmap::refusals_say_what_is_wrong", refusals),
        (
            "cmap::keys_that_come_and_go_do_not_disturb_a_walk",
            walk_among_changes,
        ),
    ] {
        harness.agent(name, function);
        harness.shared(name, move |lab| lab.node("esclave")?.call(name, &()));
    }
}

fn map() -> Result<Cmap> {
    Cmap::connect(Map::Configuration, &within(LONG))
}

/// 300 characters, 2 of 3 of them of more than one byte.
fn long_text() -> String {
    "éa→".repeat(100)
}

fn all_types() -> Vec<(&'static str, Value)> {
    vec![
        ("typed.i8", Value::I8(-128)),
        ("typed.u8", Value::U8(255)),
        ("typed.i16", Value::I16(-32_768)),
        ("typed.u16", Value::U16(65_535)),
        ("typed.i32", Value::I32(i32::MIN)),
        ("typed.u32", Value::U32(u32::MAX)),
        ("typed.i64", Value::I64(i64::MIN)),
        ("typed.u64", Value::U64(u64::MAX)),
        ("typed.flt", Value::F32(0.5)),
        ("typed.dbl", Value::F64(-0.25)),
        ("typed.text", Value::from(long_text())),
        ("typed.empty", Value::from("")),
        (
            "typed.latin1",
            Value::OtherText(vec![b'd', 0xe9, b'j', 0xe0]),
        ),
        ("typed.binary", Value::from(vec![0, 1, 0, 255])),
        ("typed.longest", Value::from("x".repeat(Value::LONGEST))),
    ]
}

fn set_all_types(_: ()) -> Result<()> {
    let map = map()?;
    for (key, value) in all_types() {
        map.set(key, value.clone())?;
        assert_eq!(map.get(key)?, Some(value), "{key}");
    }
    let expected: BTreeMap<_, _> = all_types().into_iter().collect();
    let entries = map.entries("typed.")?;
    assert_eq!(entries.len(), expected.len());
    assert!(
        entries
            .iter()
            .all(|(key, value)| expected.get(key.as_str()) == Some(value))
    );
    let keys = map.keys("typed.")?;
    assert!(keys.iter().eq(entries.iter().map(|(key, _)| key)) && keys.is_sorted());
    // A value changes its type with its content, and grows.
    map.set("typed.u8", "now a text")?;
    assert_eq!(
        map.get_as::<String>("typed.u8")?.as_deref(),
        Some("now a text")
    );
    map.set("typed.u8", 255_u8)?;
    assert_eq!(map.get_as::<i64>("typed.u8")?, Some(255));
    Ok(())
}

fn every_type_is_kept(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    node.call::<()>("cmap::set_all_types", &())?;
    let tool = |key: &str| -> Result<String> {
        Ok(node
            .command("corosync-cmapctl")
            .args(["-g", key])
            .stdout()?
            .trim_end()
            .to_owned())
    };
    assert_eq!(tool("typed.i8")?, "typed.i8 (i8) = -128");
    assert_eq!(
        tool("typed.u64")?,
        format!("typed.u64 (u64) = {}", u64::MAX)
    );
    assert_eq!(
        tool("typed.i64")?,
        format!("typed.i64 (i64) = {}", i64::MIN)
    );
    assert_eq!(tool("typed.flt")?, "typed.flt (flt) = 0.500000");
    assert_eq!(tool("typed.dbl")?, "typed.dbl (dbl) = -0.250000");
    assert_eq!(
        tool("typed.text")?,
        format!("typed.text (str) = {}", long_text())
    );
    assert_eq!(tool("typed.binary")?, "typed.binary (bin)");
    // And what another program sets is read.
    node.command("corosync-cmapctl")
        .args(["-s", "typed.other", "str", "à côté"])
        .stdout()?;
    let entries: BTreeMap<String, String> =
        node.call("cmap::entries", &("configuration", "typed.other"))?;
    assert_eq!(
        entries.get("typed.other").map(String::as_str),
        Some("à côté")
    );
    Ok(())
}

fn entries((map, prefix): (String, String)) -> Result<BTreeMap<String, String>> {
    let map = if map == "statistics" {
        Map::Statistics
    } else {
        Map::Configuration
    };
    let map = Cmap::connect(map, &Options::default())?;
    Ok(map
        .entries(&prefix)?
        .into_iter()
        .map(|(key, value)| (key, value.to_string()))
        .collect())
}

fn entries_are_cmapctls(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let tool = |args: &[&str]| -> Result<BTreeMap<String, String>> {
        let text = node
            .command("corosync-cmapctl")
            .args(args.iter().copied())
            .stdout()?;
        let parse = |line: &str| {
            let (key, rest) = line.split_once(' ')?;
            Some((key.to_owned(), rest.split_once("= ")?.1.to_owned()))
        };
        Ok(text.lines().filter_map(parse).collect())
    };
    for prefix in ["totem.", "nodelist.", "quorum.", "runtime.config."] {
        let ours: BTreeMap<String, String> =
            node.call("cmap::entries", &("configuration", prefix))?;
        assert!(!ours.is_empty(), "{prefix}");
        assert_eq!(ours, tool(&[prefix])?, "{prefix}");
    }
    // Statistics change while they are read: their keys, and the values of those that do not.
    let ours: BTreeMap<String, String> = node.call("cmap::entries", &("statistics", "stats."))?;
    let theirs = tool(&["-m", "stats"])?;
    let fixed = |key: &&String| !key.contains(".ipcs.") && !key.contains(".service");
    let (our_keys, their_keys) = (ours.keys().filter(fixed), theirs.keys().filter(fixed));
    assert!(our_keys.eq(their_keys), "{ours:?} {theirs:?}");
    assert_eq!(
        ours.get("stats.srp.firewall_enabled_or_nic_failure"),
        theirs.get("stats.srp.firewall_enabled_or_nic_failure")
    );
    Ok(())
}

fn counters(_: ()) -> Result<()> {
    let map = map()?;
    map.set("counted.up", Value::U64(u64::from(u32::MAX)))?;
    (0..3).try_for_each(|_| map.increment("counted.up"))?;
    assert_eq!(
        map.get("counted.up")?,
        Some(Value::U64(u64::from(u32::MAX) + 3))
    );
    map.set("counted.down", -3_i16)?;
    map.decrement("counted.down")?;
    assert_eq!(map.get("counted.down")?, Some(Value::I16(-4)));
    map.delete("counted.up")?;
    assert_eq!(map.get("counted.up")?, None);
    Ok(())
}

fn next(map: &mut Cmap) -> Result<(ChangeKind, String, Option<Value>, Option<Value>)> {
    let Change {
        kind,
        key,
        new,
        old,
        ..
    } = map.next_change(LONG)?.expect("a change");
    Ok((kind, key, new, old))
}

fn changes(_: ()) -> Result<()> {
    let quiet = Duration::from_millis(200);
    let (writer, mut map) = (map()?, map()?);
    let prefix = map.track(&Track::prefix("followed."))?;
    let key = map.track(&Track::key("followed.one").only(&[ChangeKind::Deleted]))?;
    assert_ne!(prefix.id(), key.id());

    writer.set("followed.one", "un")?;
    let text = |text: &str| Some(Value::from(text));
    assert_eq!(
        next(&mut map)?,
        (ChangeKind::Added, "followed.one".into(), text("un"), None)
    );
    writer.set("followed.one", long_text())?;
    let longer = text(&long_text());
    let change = (
        ChangeKind::Modified,
        "followed.one".into(),
        longer.clone(),
        text("un"),
    );
    assert_eq!(next(&mut map)?, change);
    // The same value again is no change; and other keys are none of ours.
    writer.set("followed.one", long_text())?;
    writer.set("unfollowed.one", 1_u8)?;
    assert_eq!(map.next_change(quiet)?, None);
    // Both follow a deletion.
    writer.delete("followed.one")?;
    let mut tracks = Vec::new();
    for _ in 0..2 {
        let change = map.next_change(LONG)?.expect("a change");
        assert_eq!(
            (change.kind, &change.new, &change.old),
            (ChangeKind::Deleted, &None, &longer)
        );
        tracks.push(change.track);
    }
    assert!(tracks.contains(&prefix.id()) && tracks.contains(&key.id()));

    drop(prefix);
    key.stop()?;
    writer.set("followed.one", 1_u8)?;
    writer.delete("followed.one")?;
    assert_eq!(map.next_change(quiet)?, None);

    // The same as a watch, of everything.
    let mut watch = Cmap::watch(
        Map::Configuration,
        &Options::default(),
        &[Track::prefix("")],
        Reconnect::Never,
    )?;
    writer.set("followed.two", 2_u8)?;
    let found = |update: Update<Change>| matches!(update, Update::Event(c) if c.key == "followed.two" && c.new == Some(Value::U8(2)));
    // Other keys change all the time.
    let deadline = Instant::now() + LONG;
    while !watch.next_within(LONG)?.is_some_and(found) {
        assert!(Instant::now() < deadline, "the change does not come");
    }
    watch
        .connection()
        .expect("connected")
        .delete("followed.two")
}

fn kind<T: std::fmt::Debug>(result: Result<T>, text: &str) -> ErrorKind {
    let e = result.expect_err("an error was expected");
    assert!(format!("{e:#}").contains(text), "{e:#}");
    e.kind()
}

fn refusals(_: ()) -> Result<()> {
    let map = map()?;
    let missing = "refused.missing";
    assert_eq!(map.get(missing)?, None);
    assert_eq!(
        kind(map.delete(missing), "delete refused.missing"),
        ErrorKind::NotFound
    );
    assert_eq!(kind(map.increment(missing), missing), ErrorKind::NotFound);
    assert_eq!(kind(map.get("ab"), "3 to 255 bytes"), ErrorKind::Invalid);
    assert_eq!(
        kind(map.get(&"k".repeat(256)), "3 to 255 bytes"),
        ErrorKind::Invalid
    );
    map.set(&"k".repeat(255), 1_u8)?;
    assert_eq!(map.get_as::<u8>(&"k".repeat(255))?, Some(1));
    map.delete(&"k".repeat(255))?;
    assert_eq!(
        kind(map.set("no spaces", 1_u8), "not a key"),
        ErrorKind::Invalid
    );
    assert_eq!(
        kind(map.set("refused.nul", "a\0b"), "NUL"),
        ErrorKind::Invalid
    );
    let longer = "x".repeat(Value::LONGEST + 1);
    assert_eq!(
        kind(map.set("refused.long", longer), "at most 16384"),
        ErrorKind::Limit
    );
    map.set("refused.text", "1")?;
    assert_eq!(
        kind(map.increment("refused.text"), "no integer"),
        ErrorKind::Invalid
    );
    assert_eq!(
        kind(map.get_as::<u32>("refused.text"), "u32"),
        ErrorKind::Invalid
    );
    let read_only = map.set("runtime.config.totem.token", 1_u32);
    assert_eq!(
        kind(read_only, "keeps this key for itself"),
        ErrorKind::PermissionDenied
    );
    let statistics = Cmap::connect(Map::Statistics, &Options::default())?;
    let set = statistics.set("stats.srp.mine", 1_u32);
    assert_eq!(kind(set, "set stats.srp.mine"), ErrorKind::PermissionDenied);
    Ok(())
}

fn walk_among_changes(_: ()) -> Result<()> {
    let (map, writer) = (map()?, map()?);
    for number in 0..50 {
        map.set(&format!("walked.{number:03}"), "kept")?;
    }
    let busy = std::thread::spawn(move || -> Result<()> {
        for round in 0..200_usize {
            let key = format!("walked.x{}", round % 7);
            // Changes its size all the time, and is not there half of the time.
            writer.set(&key, "y".repeat(1 + round * 40 % 5_000))?;
            if round % 2 == 1 {
                writer.delete(&key)?;
            }
        }
        Ok(())
    });
    let mut walks = 0;
    while !busy.is_finished() || walks == 0 {
        let entries = map.entries("walked.")?;
        let kept = entries
            .iter()
            .filter(|(_, value)| *value == Value::from("kept"))
            .count();
        assert_eq!(kept, 50);
        walks += 1;
    }
    busy.join().expect("no panic")
}
