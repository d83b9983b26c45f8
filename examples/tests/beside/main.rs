//! Our `crm_mon` beside the installed one: the same bytes and the same exit status for every pair of
//! options, on the made-up CIBs of this tree and on a sample of those in the folder `HA_CIBS`; and for
//! options and CIBs at random.
//!
//! Without a `crm_mon` of Pacemaker 2.1.5 there is nothing to compare with, and that is said.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod generated;
#[path = "../inputs/mod.rs"]
mod inputs;
mod installed;
mod mutation;
mod numbers;
mod options;
mod random;
mod ranges;

use std::process::Command;

use installed::{Program, is_there, run, run_as};

/// What varies; each row is one choice, and an empty one stands for nothing.
const FACTORS: [&[&str]; 12] = [
    &["-1", "--output-as=xml", "--output-as=html", "-X", "-s"],
    &["", "-n"],
    &["", "-r"],
    &["", "-b"],
    &["", "-R"],
    &["", "-A -f", "-o", "-o -t"],
    &["", "-c", "-L", "-Lcli", "-c --include=bans:x"],
    &["", "-D", "-Q", "--exclude=resources,counts", "-U nodes"],
    &[
        "",
        "--include=all",
        "--include=none,summary",
        "--include=options",
        "-I none",
    ],
    &[
        "",
        "--node=FIRST",
        "--node=LAST",
        "--node=unheard-of",
        "--node=*",
    ],
    &[
        "",
        "--resource=FIRST",
        "--resource=LAST",
        "--resource=FIRST:1",
        "--resource=LAST:0",
        "--resource=unheard-of",
    ],
    &["UTC", "Europe/Paris", "Asia/Kolkata"],
];

/// Command lines that make no sense, or that are said to make none.
const ODD: [&str; 95] = [
    "-s --output-as=xml",
    "-s --output-as=html",
    "--output-as=xml -s",
    "-w -N",
    "-w -N --output-as=html -i 90",
    "-w -N --version",
    "--html-cgi -w -N",
    "-w --output-as=html -N",
    "-w -X",
    "-X -w",
    "-w -s",
    "-s -w",
    "-w -N -w",
    "-N --output-as=html",
    "--output-as=html -N",
    "-X --output-as=html",
    "-X --output-as=html -b",
    "-X --output-as=html -n -R",
    "-X --output-as=html --include=none,resources",
    "-X --output-as=html --exclude=options",
    "-X --output-as=html --include=default",
    "-s -X --output-as=html",
    "-X -s --output-as=html",
    "-X -s --output-as=xml",
    "-N -s --output-as=html",
    "-w -s --output-as=html",
    "-s --output-as=xml --output-as=text",
    "-s --output-as=html --output-as=xml",
    "-s --output-as=xml --include=foo",
    "-s --output-as=xml --output-to=/nonexistent/x",
    "-s --output-as=html --output-to=/nonexistent/x",
    "-s --output-as=html --html-cgi --html-title=A",
    "-1 -m 99999999999999999999",
    "-1 --fence-history=9223372036854775807",
    "-1 --fence-history=9223372036854775808",
    "-1 --fence-history=3x",
    "-1 -L --node=x -m3",
    "-1 -L -m2",
    "-1 -m -Lcli",
    "-1 -m -rL",
    "-1 -L -Acr",
    "-1 -m x -Lcli",
    "--fence-history -Lcli -1",
    "-1 -L -I nodes",
    "--output-as=html --output-to=- -i 1.5",
    "-1 -i .",
    "-1 -i 1.2.3s",
    "-1 -i 500ms",
    "-1 -i 2min30",
    "-1 -i 5e3",
    "-1 -i 4294967295ms",
    "-1 -i 99999999999",
    "-1 -i 9223372036854775807",
    "--bogus",
    "-1z",
    "-z",
    "--output-as",
    "-1 -I",
    "-1 extra words",
    "--output-as=unheard-of",
    "--output-as=xml --include=unheard-of",
    "--output-as=html --exclude=bans:x",
    "-1 -i 2d",
    "-1 -i -1",
    "-1 --interval=PT5S",
    "-1 -i 5min",
    "-1 -m 4",
    "-1 -m 3",
    "-m -1",
    "-s -N",
    "-X -s",
    "-w",
    "-w --output-as=xml",
    "--output-as=html --html-cgi --html-title=A&amp;B",
    "--output-as=html --html-stylesheet=a[b]?c=d&e",
    "--output-to=/nonexistent/file --output-as=xml",
    "-1 --inactive=x",
    "--version",
    "-$",
    "-$X",
    "--version --output-as=xml",
    "--output-as=html --version",
    "--version --output-as=console",
    "--version --output-as=text",
    "--version --output-as=unheard-of",
    "--version -w",
    "--version -s",
    "--version -s --output-as=html",
    "--version --as-xml --output-as=xml",
    "--version --output-as=html --html-cgi --html-title=T --html-stylesheet=S",
    "--version --output-to=/nonexistent/file",
    "--version --output-to=/nonexistent/file --output-as=xml",
    "--version --include=unheard-of --output-as=xml",
    "--version --bogus",
    "--version -i junk",
];

/// More command lines about which something is said.
const WITH_MESSAGE: [&str; 32] = [
    "--include=foo",
    "--include=list",
    "--exclude=list",
    "--exclude=bans:x -r",
    "-I nodes,,dc",
    "-s --include=foo",
    "-X --include=foo",
    "--output-as=html --include=foo",
    "-d",
    "-\u{e9}",
    "-1r\u{e9}zz",
    "-L -\u{e9}",
    "-m -r\u{e9}1",
    "--\u{e9}",
    "--output-as=xml --bogus",
    "-w --include=foo",
    "-I foo -U bar",
    "-U bar -I foo",
    "-Q -U bar -I foo",
    "-I foo -m 7",
    "-I foo -i junk",
    "-i junk -I foo --bogus",
    "-e",
    "-i",
    "-i -r",
    "-m -ie",
    "-d -I foo",
    "-d -U bar -I foo --output-as=xml",
    "-d -I foo -s",
    "-d --version",
    "-d --version --output-as=xml",
    "-d --version --output-as=text",
];

/// Returns choices, one of each factor, in which every two choices of different factors meet.
fn pairs() -> Vec<Vec<usize>> {
    let mut open: Vec<((usize, usize), (usize, usize))> = Vec::new();
    for (a, first) in FACTORS.iter().enumerate() {
        for (b, second) in FACTORS.iter().enumerate().skip(a + 1) {
            let meet = |x| (0..second.len()).map(move |y| ((a, x), (b, y)));
            open.extend((0..first.len()).flat_map(meet));
        }
    }
    let mut rows = Vec::new();
    while let Some(&(first, second)) = open.first() {
        let mut row: Vec<Option<usize>> = vec![None; FACTORS.len()];
        row[first.0] = Some(first.1);
        row[second.0] = Some(second.1);
        for factor in 0..FACTORS.len() {
            if row[factor].is_some() {
                continue;
            }
            let gain = |choice: usize| {
                let is_new = |&&(x, y): &&((usize, usize), (usize, usize))| {
                    (x == (factor, choice) && row[y.0] == Some(y.1))
                        || (y == (factor, choice) && row[x.0] == Some(x.1))
                };
                open.iter().filter(is_new).count()
            };
            let best = (0..FACTORS[factor].len())
                .rev()
                .max_by_key(|&choice| gain(choice));
            row[factor] = best;
        }
        let row: Vec<usize> = row.into_iter().flatten().collect();
        open.retain(|&(x, y)| row[x.0] != x.1 || row[y.0] != y.1);
        rows.push(row);
    }
    rows
}

/// Puts names of this CIB where the options speak of the first node and of resources.
fn filled(word: &str, cib: &ha_core::xml::Document) -> String {
    let names = |element: &str, attribute: &str| -> Vec<String> {
        let found = cib.root().descendants().filter(|e| e.name() == element);
        found
            .filter_map(|e| e.attribute(attribute))
            .map(str::to_owned)
            .collect()
    };
    let pick = if word.starts_with("--node") {
        names("node", "uname")
    } else {
        names("primitive", "id")
    };
    let text = |name: Option<&String>| name.cloned().unwrap_or_default();
    word.replace("FIRST", &text(pick.first()))
        .replace("LAST", &text(pick.last()))
}

#[test]
fn every_pair_of_options() {
    if !is_there() {
        return;
    }
    let rows = pairs();
    assert!(rows.len() >= 25, "{}", rows.len());
    let mut different = Vec::new();
    for cib in inputs::cibs(75) {
        let document = ha_core::xml::Document::parse_bytes(&std::fs::read(&cib).unwrap()).unwrap();
        for row in &rows {
            let chosen: Vec<&str> = row.iter().zip(FACTORS).map(|(&at, all)| all[at]).collect();
            let (zone, options) = chosen.split_last().unwrap();
            let words = options.iter().flat_map(|option| option.split_whitespace());
            let words: Vec<String> = words.map(|word| filled(word, &document)).collect();
            let theirs = run(Program::Installed, &words, zone, &cib);
            let ours = run(Program::Ours, &words, zone, &cib);
            if !theirs.is_like(&ours) {
                let words = words.join(" ");
                let said = theirs.first_difference(&ours);
                different.push(format!("{} {words} TZ={zone}: {said}", cib.display()));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn command_lines_that_make_no_sense() {
    if !is_there() {
        return;
    }
    let cib = &inputs::cibs(75)[0];
    for line in ODD {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let theirs = run(Program::Installed, &words, "UTC", cib);
        let ours = run(Program::Ours, &words, "UTC", cib);
        assert_eq!(theirs, ours, "{line}");
    }
}

/// The messages too are the same, whatever the program is called; but for the help, which is in words of
/// our own.
#[test]
fn messages_of_command_lines_that_make_no_sense() {
    if !is_there() {
        return;
    }
    let cib = &inputs::cibs(75)[0];
    let with_message = ODD.iter().chain(&WITH_MESSAGE);
    let mut said = 0;
    for line in with_message {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let name = "/some/folder/other-name";
        let theirs = run_as(name, Program::Installed, &words, "UTC", cib).without_help();
        let ours = run_as(name, Program::Ours, &words, "UTC", cib).without_help();
        assert_eq!(theirs, ours, "{line}");
        said += usize::from(!theirs.errors.is_empty());
    }
    assert!(said >= 30, "{said}");
}

/// Pages in files, and a cluster that is not well: of both, too, everything that is said.
#[test]
fn pages_in_files_and_a_cluster_without_dc() {
    if !is_there() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("crm_mon-pages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let good = std::fs::read_to_string(&inputs::cibs(75)[0]).unwrap();
    let no_dc = good.replace(" dc-uuid=", " not-dc-uuid=");
    assert_ne!(good, no_dc);
    let cib = folder.join("cib.xml");
    let page = folder.join("page");
    for text in [good, no_dc] {
        std::fs::write(&cib, text).unwrap();
        for line in [
            "-h PAGE",
            "-h PAGE -i 90",
            "-w -h PAGE",
            "-h PAGE -w",
            "-h PAGE -N",
            "-h PAGE -X",
            "-X -h PAGE",
            "-h PAGE -s",
            "-s -h PAGE",
            "-w -N --output-to=PAGE",
            "-s --output-to=PAGE",
            "-s --output-as=xml --output-to=PAGE",
            "-s --output-as=html --output-to=PAGE",
            "-X --output-as=html --output-to=PAGE",
            "--output-as=html --output-to=PAGE",
        ] {
            let words = line.split_whitespace();
            let words = words.map(|word| word.replace("PAGE", &page.to_string_lossy()));
            let words: Vec<String> = words.collect();
            let both = [Program::Installed, Program::Ours].map(|program| {
                let outcome = run(program, &words, "UTC", &cib).without_help();
                let written = std::fs::read(&page).unwrap();
                std::fs::remove_file(&page).unwrap();
                (outcome, installed::without_times(&written))
            });
            assert_eq!(both[0], both[1], "{line}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A name of no file is not the running cluster.
#[test]
fn an_empty_name_of_a_file() {
    if !is_there() {
        return;
    }
    let cib = std::path::Path::new("");
    for line in [
        "-1",
        "",
        "-w",
        "-s",
        "-X",
        "--output-as=xml",
        "--output-as=html",
        "-1 -x FILE",
    ] {
        let file = inputs::cibs(75)[0].display().to_string();
        let words = line.split_whitespace();
        let words: Vec<String> = words.map(|word| word.replace("FILE", &file)).collect();
        let theirs = run(Program::Installed, &words, "UTC", cib);
        let ours = run(Program::Ours, &words, "UTC", cib);
        assert_eq!(theirs, ours, "{line}");
        assert!(theirs.code.is_some(), "{theirs:?}");
    }
}

#[test]
fn files_of_all_kinds() {
    if !is_there() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("crm_mon-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let good = std::fs::read_to_string(&inputs::cibs(75)[0]).unwrap();
    let named = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let files = [
        folder.join("missing.xml"),
        folder.clone(),
        named("empty.xml", ""),
        named(
            "resource.xml",
            &good.replace("<resources>", "<resources><unheard-of/>"),
        ),
        named(
            "schema.xml",
            &good.replace("validate-with=\"pacemaker-", "validate-with=\"x-"),
        ),
    ];
    let named = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let latin = |encoding: &str| {
        let text = format!("<?xml version='1.0' encoding='{encoding}'?>\n{good}");
        let text = text.replace("esclave", "escl\u{e9}ve");
        let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap());
        named(&format!("{encoding}.xml"), &bytes.collect::<Vec<u8>>())
    };
    let wide = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    };
    let compressed = |bytes: &[u8]| {
        let path = named("plain", bytes);
        let output = Command::new("bzip2").arg("-c").arg(path).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty());
        output.stdout
    };
    let packed = compressed(good.as_bytes());
    let mut with_more = packed.clone();
    with_more.extend(b"more");
    let files = files.into_iter().chain([
        named("good.bz2", &packed),
        named("more.bz2", &with_more),
        named("twice.bz2", &packed.repeat(2)),
        named("half.bz2", &packed[..packed.len() / 2]),
        named("empty.bz2", b""),
        named("not-packed.bz2", good.as_bytes()),
        named("packed.xml", &packed),
        named("wide.xml", &wide(&good)),
        latin("ISO-8859-1"),
        latin("iso-8859-15"),
        latin("windows-1252"),
        latin("us-ascii"),
        latin("unheard-of"),
    ]);
    for file in files {
        for words in [
            &["-1"][..],
            &["--output-as=xml"],
            &["--output-as=html"],
            &["-s"],
            &["-X"],
        ] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let theirs = run(Program::Installed, &words, "UTC", &file);
            let ours = run(Program::Ours, &words, "UTC", &file);
            assert_eq!(theirs, ours, "{} {words:?}", file.display());
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
