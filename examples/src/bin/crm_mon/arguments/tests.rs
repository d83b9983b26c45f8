//! Command lines, and what they come to.

use super::*;

fn action(words: &str) -> Result<Action, String> {
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    parse("crm_mon", &words).map_err(|e| String::from_utf8_lossy(&e).into_owned())
}

fn read(words: &str) -> Request {
    match action(words) {
        Ok(Action::Report(request)) => *request,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn letters_combine_and_may_carry_a_value() {
    let request = read("-1rnLcli-ban");
    assert!(request.view.inactive && request.view.by_node);
    assert_eq!(request.view.bans_prefix, "cli-ban");
    assert!(request.view.parts.has(Part::Bans));
}

#[test]
fn a_value_that_may_be_missing_is_the_next_word_unless_that_is_an_option() {
    assert_eq!(read("-L cli -r").view.bans_prefix, "cli");
    let request = read("--neg-locations -r");
    assert!(request.view.inactive && request.view.bans_prefix.is_empty());
    assert!(action("-m 3").is_ok());
    assert_eq!(
        action("-m 4").err().as_deref(),
        Some("Fence history must be 0-3")
    );
}

#[test]
fn sections_are_added_and_left_out_in_order() {
    let has = |words: &str, part| read(words).view.parts.has(part);
    assert!(has("--include=all --exclude=nodes", Part::Bans));
    assert!(!has("--include=all --exclude nodes", Part::Nodes));
    assert!(has("--exclude=nodes --include=all", Part::Nodes));
    assert!(!has("-D", Part::Stack));
    assert!(read("--include=foo").problem.is_some());
}

#[test]
fn xml_shows_everything() {
    let request = read("--output-as xml");
    assert_eq!(request.format, Format::Xml);
    assert!(request.view.inactive && request.view.timing);
    assert!(request.view.parts.has(Part::Options));
    assert_eq!(request.view.request, "crm_mon --output-as xml");
}

#[test]
fn the_last_format_wins() {
    let formats = [
        ("-X --output-as=html", Format::Html),
        ("--output-as=html -X", Format::LegacyXml),
        ("-X --output-as=xml", Format::LegacyXml),
        ("--output-as=XML -N", Format::Xml),
        ("-N -s", Format::Simple),
        ("-s -N", Format::Text),
        ("-s --output-as=text", Format::Simple),
        ("-w -X", Format::LegacyXml),
        ("-w -N", Format::Html),
        ("-X -s --output-as=html", Format::EmptyHtml),
        ("-s --output-as=html --output-as=xml", Format::EmptyXml),
        ("-s --output-as=xml -X", Format::LegacyXml),
        ("-s --output-as=json", Format::Json),
        ("--output-as=json -s", Format::Json),
        ("--output-as=json -X --output-as=xml", Format::Xml),
        ("-h x.html", Format::Html),
        ("--output-as=unheard-of", Format::Text),
    ];
    for (words, format) in formats {
        assert_eq!(read(words).format, format, "{words}");
    }
}

#[test]
fn a_page_in_a_file_is_read_again() {
    assert_eq!(read("-h x.html").page.refresh, Some(5));
    assert_eq!(read("-h x.html -i 1500ms").page.refresh, Some(1));
    assert_eq!(read("--output-as=html --output-to=-").page.refresh, None);
    assert_eq!(read("-h x.html -N").page.refresh, None);
}

#[test]
fn nonsense_is_said_in_one_line() {
    let cases = [
        ("--bogus=1", "Unknown option --bogus=1"),
        ("-1z", "Unknown option -z"),
        ("--now=never", "--now never: give seconds"),
        ("--output-as", "Missing argument for --output-as"),
        ("-rI", "Missing argument for -I"),
        ("-i 2d", "Invalid value for -i: 2d"),
        ("-i -1", "Invalid value for -i: -1"),
        ("--interval PT5S", "Invalid value for -i: PT5S"),
    ];
    for (words, message) in cases {
        let said = action(words).expect_err(words);
        assert!(said.starts_with(message), "{words}: {said}");
    }
}

#[test]
fn the_command_line_is_repeated_with_quotes_around_spaces() {
    let words = ["--node".to_owned(), "it's a".to_owned()];
    assert_eq!(request("crm_mon", &words), "crm_mon --node 'it\\'s a'");
}
