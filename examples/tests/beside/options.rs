//! Command lines at random.

use ha_core::xml::Document;

use crate::numbers::Numbers;

const ZONES: [&str; 5] = [
    "UTC",
    "Europe/Paris",
    "Asia/Kolkata",
    "America/St_Johns",
    "Pacific/Apia",
];

const SECTIONS: [&str; 27] = [
    "all",
    "none",
    "default",
    "defaults",
    "attributes",
    "bans",
    "bans:cli",
    "bans:",
    "counts",
    "dc",
    "failcounts",
    "failures",
    "fencing",
    "fencing-failed",
    "fencing-pending",
    "fencing-succeeded",
    "maint-mode",
    "nodes",
    "operations",
    "options",
    "resources",
    "stack",
    "summary",
    "tickets",
    "times",
    "list",
    "unheard-of",
];

/// What needs no value, or may go without.
const SWITCHES: [&str; 28] = [
    "-r",
    "-n",
    "-b",
    "-R",
    "-A",
    "-f",
    "-o",
    "-t",
    "-c",
    "-L",
    "-D",
    "-j",
    "-Q",
    "-m",
    "-m0",
    "-m3",
    "-1",
    "-rnb",
    "-nR",
    "-rob",
    "--inactive",
    "--group-by-node",
    "--brief",
    "--show-detail",
    "--neg-locations=cli",
    "-Lcli-",
    "-E /bin/true",
    "-e x",
];

/// `-N` stands alone: together with XML it makes Pacemaker's printers contradict each other, and with
/// `console` it makes them look for a terminal.
const FORMATS: [&str; 20] = [
    "",
    "",
    "",
    "",
    "",
    "--output-as=xml",
    "--output-as=xml",
    "--output-as=html",
    "--output-as=html --html-title=A",
    "--output-as=html --html-cgi --html-stylesheet=a.css",
    "--output-as=text",
    "--output-as=text --text-fancy",
    "--output-as=console",
    "--text-fancy",
    "--output-as=xml --xml-simple-list",
    "--output-as=xml --xml-substitute",
    "-s",
    "-s -N",
    "-N",
    "-X",
];

/// Returns names to look for: nodes or resources of this CIB, tags, and words that name nothing.
fn names(cib: &Document, elements: &[&str], attribute: &str) -> Vec<String> {
    let found = cib.root().descendants();
    let found = found.filter(|e| elements.contains(&e.name()) || e.name() == "tag");
    let mut names: Vec<String> = found
        .filter_map(|e| e.attribute(attribute).or_else(|| e.attribute("id")))
        .map(str::to_owned)
        .collect();
    names.extend(["unheard-of", "*", ""].map(str::to_owned));
    names
}

fn section_list(numbers: &mut Numbers) -> String {
    let mut list = Vec::new();
    for _ in 0..=numbers.below(3) {
        // What is no section, or asks for a list of them, ends everything: rarely.
        let most = SECTIONS.len() - if numbers.percent(3) { 0 } else { 2 };
        list.push(SECTIONS[numbers.below(most)]);
    }
    list.join(",")
}

/// Returns words and a time zone.
pub(crate) fn at_random(cib: &Document, numbers: &mut Numbers) -> (Vec<String>, &'static str) {
    let mut words: Vec<String> = Vec::new();
    let add = |text: &str, words: &mut Vec<String>| {
        words.extend(text.split_whitespace().map(str::to_owned));
    };
    add(numbers.pick(&FORMATS), &mut words);
    for _ in 0..numbers.below(6) {
        match numbers.below(10) {
            0 => words.push(format!("--include={}", section_list(numbers))),
            1 => words.push(format!("--exclude={}", section_list(numbers))),
            2 => {
                let names = names(cib, &["node"], "uname");
                words.push(format!("--node={}", numbers.one(&names)));
            }
            3 => {
                let kinds = ["primitive", "group", "clone", "master", "bundle"];
                let mut name = numbers.one(&names(cib, &kinds, "id")).clone();
                if numbers.percent(20) {
                    name.push_str(numbers.pick(&[":0", ":1", ":2", ":x", ":"]));
                }
                words.push(format!("--resource={name}"));
            }
            _ => add(numbers.pick(&SWITCHES), &mut words),
        }
    }
    // In any order, and always once.
    let at = numbers.below(words.len() + 1);
    if words.get(at).is_none_or(|word| word.starts_with('-')) {
        words.insert(at, "-1".to_owned());
    } else {
        words.push("-1".to_owned());
    }
    (words, numbers.pick(&ZONES))
}
