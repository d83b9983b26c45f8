use super::super::entry::file;
use super::super::record::jiff_text::Time;
use super::*;

fn situation(addresses: &[&str], active_on: Option<&[&str]>) -> Situation {
    let owned = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect();
    Situation {
        addresses: owned(addresses),
        active_on: active_on.map(owned),
    }
}

fn judged(role: Role, here: &Situation, there: &Situation) -> Result<(), Passive> {
    let (me, peer) = match role {
        Role::Maitre => ("maitre", "esclave"),
        Role::Esclave => ("esclave", "maitre"),
    };
    is_active(&Views {
        me,
        peer,
        role,
        here,
        there,
    })
}

#[test]
fn the_active_machine_is_the_one_with_the_addresses_or_the_resources() {
    let nothing = situation(&[], None);
    let with_address = situation(&["192.168.0.23"], None);
    let knows_maitre = situation(&[], Some(&["maitre"]));
    // The first installation: no cluster yet.
    assert_eq!(judged(Role::Maitre, &nothing, &nothing), Ok(()));
    assert_eq!(
        judged(Role::Esclave, &nothing, &nothing),
        Err(Passive::Nobody)
    );
    // By addresses.
    assert_eq!(judged(Role::Esclave, &with_address, &nothing), Ok(()));
    assert!(matches!(
        judged(Role::Maitre, &nothing, &with_address),
        Err(Passive::PeerIsActive(_))
    ));
    assert_eq!(
        judged(Role::Maitre, &with_address, &with_address),
        Err(Passive::Both)
    );
    // By what the cluster says, on either side.
    assert_eq!(judged(Role::Maitre, &knows_maitre, &nothing), Ok(()));
    assert!(matches!(
        judged(Role::Esclave, &knows_maitre, &nothing),
        Err(Passive::PeerIsActive(_))
    ));
    assert!(matches!(
        judged(Role::Esclave, &nothing, &knows_maitre),
        Err(Passive::PeerIsActive(_))
    ));
    // The addresses are here, and the cluster says that the resources run there.
    assert_eq!(
        judged(Role::Esclave, &with_address, &knows_maitre),
        Err(Passive::Both)
    );
}

fn record(ended: &str, prints: &[(&str, &str)]) -> Record {
    Record {
        ended: Time(ended.parse().unwrap()),
        from: "maitre".to_owned(),
        to: "esclave".to_owned(),
        changes: 0,
        bytes: 0,
        prints: prints
            .iter()
            .map(|&(p, s)| (p.to_owned(), s.to_owned()))
            .collect(),
    }
}

fn change(wanted: Option<(&str, i64)>, found: Option<(&str, i64)>) -> Vec<Change> {
    vec![Change {
        path: "/f".to_owned(),
        wanted: wanted.map(|(text, changed)| file(text, changed)),
        found: found.map(|(text, changed)| file(text, changed)),
    }]
}

fn checked(
    changes: &[Change],
    mine: Option<&Record>,
    theirs: Option<&Record>,
    first: bool,
) -> Result<()> {
    check_newer(changes, ("maitre", mine), ("esclave", theirs), first)
}

#[test]
fn what_came_with_the_last_synchronisation_may_be_overwritten_whatever_its_time() {
    let known = record("2026-01-01T00:00:00Z", &[("/f", "old")]);
    let changes = change(Some(("new", 10)), Some(("old", 99)));
    checked(&changes, Some(&known), Some(&known), false).unwrap();
}

#[test]
fn what_was_changed_there_since_and_later_is_kept() {
    let known = record("2026-01-01T00:00:00Z", &[("/f", "old")]);
    let changes = change(Some(("new", 10)), Some(("theirs", 99)));
    let error = checked(&changes, Some(&known), Some(&known), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("/f"), "{error}");
    // Ours is the later change, but both were changed: after a time when both were active, the times tell nothing.
    let changes = change(Some(("new", 100)), Some(("theirs", 99)));
    checked(&changes, Some(&known), Some(&known), false).unwrap_err();
    // A path that was not synchronised before.
    let other = record("2026-01-01T00:00:00Z", &[]);
    checked(&changes, Some(&other), Some(&other), false).unwrap();
    // It is new there, or was changed there, and would go.
    for theirs in [&known, &record("2026-01-01T00:00:00Z", &[])] {
        checked(
            &change(None, Some(("theirs", 5))),
            Some(&known),
            Some(theirs),
            false,
        )
        .unwrap_err();
    }
    checked(
        &change(None, Some(("old", 5))),
        Some(&known),
        Some(&known),
        false,
    )
    .unwrap();
}

#[test]
fn the_first_time_the_times_of_the_files_count_unless_the_machines_are_being_joined() {
    let changes = change(Some(("new", 10)), Some(("theirs", 99)));
    checked(&changes, None, None, false).unwrap_err();
    checked(&changes, None, None, true).unwrap();
    let changes = change(Some(("new", 10)), Some(("theirs", 9)));
    checked(&changes, None, None, false).unwrap();
}

#[test]
fn a_machine_that_was_installed_anew_or_restored_overwrites_nothing() {
    let old = record("2026-01-01T00:00:00Z", &[]);
    let new = record("2026-01-02T00:00:00Z", &[]);
    checked(&[], None, Some(&old), true).unwrap_err();
    checked(&[], Some(&old), Some(&new), true).unwrap_err();
    checked(&[], Some(&new), Some(&old), false).unwrap();
    checked(&[], Some(&new), None, false).unwrap();
}
