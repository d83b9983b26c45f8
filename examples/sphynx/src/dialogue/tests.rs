use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use super::*;

/// Where a dialogue writes, for the test to read.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A dialogue on a terminal of its own, on which this is typed.
fn typed(answers: &str, keys: &[u8]) -> (Dialogue, Screen, OwnedFd) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let terminal = ioctl_tiocgptpeer(&keyboard, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::io::write(&keyboard, keys).unwrap();
    let screen = Screen::default();
    let dialogue = Dialogue {
        answers: Answers::parse(answers).unwrap(),
        terminal: Some(terminal),
        output: Box::new(screen.clone()),
    };
    (dialogue, screen, keyboard)
}

fn alone(answers: Answers) -> (Dialogue, Screen) {
    let screen = Screen::default();
    let dialogue = Dialogue {
        answers,
        terminal: None,
        output: Box::new(screen.clone()),
    };
    (dialogue, screen)
}

fn question(default: Option<bool>) -> Question {
    let text = "Voulez-vous synchroniser les noeuds ?".to_owned();
    Question {
        french: text.clone(),
        text,
        default,
        by_hand: None,
    }
}

#[test]
fn every_usual_way_to_say_yes_and_no() {
    for yes in ["o", "O", "oui", "OUI", "Oui ", "y", "yes", "true", "ouï"] {
        assert_eq!(yes_or_no(yes), Some(true), "{yes}");
    }
    for no in ["n", "N", "non", "NON", "no", "false", " non\t"] {
        assert_eq!(yes_or_no(no), Some(false), "{no}");
    }
    for other in ["", "ou", "nono", "peut-être", "1"] {
        assert_eq!(yes_or_no(other), None, "{other}");
    }
}

#[test]
fn asks_as_eole_does() {
    let (mut dialogue, screen, _keyboard) = typed("", b"oui\n");
    assert!(dialogue.ask(&question(Some(false))).unwrap());
    assert_eq!(
        screen.text(),
        "Voulez-vous synchroniser les noeuds ? [oui/non]\n[non] : "
    );
}

#[test]
fn enter_alone_is_the_default() {
    for default in [true, false] {
        let (mut dialogue, _, _keyboard) = typed("", b"\n");
        assert_eq!(dialogue.ask(&question(Some(default))).unwrap(), default);
    }
}

#[test]
fn asks_again_until_the_answer_is_one() {
    let (mut dialogue, screen, _keyboard) = typed("", "peut-être\n\nNON\n".as_bytes());
    assert!(!dialogue.ask(&question(None)).unwrap());
    assert_eq!(screen.text().matches("Voulez-vous").count(), 3);
    assert_eq!(screen.text().matches("Répondre oui ou non.").count(), 2);
}

#[test]
fn lines_are_taken_one_for_each_question() {
    let (mut dialogue, _, _keyboard) = typed("", b"oui\nnon\n");
    assert!(dialogue.ask(&question(None)).unwrap());
    assert!(!dialogue.ask(&question(None)).unwrap());
}

#[test]
fn ctrl_d_and_a_terminal_that_goes_leave_with_130() {
    let (mut dialogue, screen, _keyboard) = typed("", b"\x04");
    let error = dialogue.ask(&question(Some(true))).unwrap_err();
    assert_eq!(interrupt::exit_code(&error), 130);
    assert!(screen.text().ends_with(": \n"));
    let (mut dialogue, _, keyboard) = typed("", b"");
    drop(keyboard);
    let error = dialogue.ask(&question(Some(true))).unwrap_err();
    assert_eq!(interrupt::exit_code(&error), 130);
}

#[test]
fn without_a_terminal_the_default_is_taken_and_told() {
    let (mut dialogue, screen) = alone(Answers::default());
    assert!(!dialogue.ask(&question(Some(false))).unwrap());
    assert!(
        screen.text().contains("pas de terminal"),
        "{}",
        screen.text()
    );
    let error = dialogue.ask(&question(None)).unwrap_err();
    assert!(error.hint().unwrap().contains("--oui"), "{error:?}");
}

#[test]
fn answers_come_before_the_terminal() {
    let (mut dialogue, screen, _keyboard) = typed("synchroniser = oui", b"non\n");
    assert!(dialogue.ask(&question(Some(false))).unwrap());
    assert!(screen.text().ends_with("[non] : oui\n"));
}

#[test]
fn a_question_of_trust_is_asked_whatever_was_answered() {
    let mut trust = question(None);
    trust.by_hand = Some("--empreinte SHA256:...".to_owned());
    let (mut dialogue, _, _keyboard) = typed("synchroniser = oui", b"non\n");
    dialogue.answers.all = Some(true);
    assert!(!dialogue.ask(&trust).unwrap());
    let (mut dialogue, _) = alone(Answers {
        all: Some(true),
        ..Answers::default()
    });
    let error = dialogue.ask(&trust).unwrap_err();
    assert_eq!(error.hint(), Some("--empreinte SHA256:..."));
}

#[test]
fn answers_are_found_by_part_of_the_question() {
    let answers = Answers::parse(
        "# d'avance\n\"Voulez-vous\" = \"non\"\nsynchroniser les nœuds = OUI  # oui\n'exécuté' = true\n\n",
    )
    .unwrap();
    assert_eq!(
        answers.to("Voulez-vous synchroniser les noeuds ?"),
        Some(true)
    );
    assert_eq!(
        answers.to("Voulez-vous synchroniser les nœuds ?"),
        Some(true)
    );
    assert_eq!(answers.to("que le script soit execute ?"), Some(true));
    assert_eq!(answers.to("Voulez-vous autre chose ?"), Some(false));
    assert_eq!(answers.to("Autre ?"), None);
}

#[test]
fn of_two_as_precise_answers_the_first_counts_and_options_come_before_the_file() {
    let mut answers = Answers::parse("noeuds = non\nnoeuds = oui").unwrap();
    assert_eq!(answers.to("les noeuds ?"), Some(false));
    answers.extend(Answers::parse("noeuds = oui").unwrap());
    assert_eq!(answers.to("les noeuds ?"), Some(true));
}

#[test]
fn bad_answers_are_told_with_their_line() {
    for (text, part) in [
        ("\nnoeuds oui", "ligne 2"),
        ("noeuds = peut-être", "peut-être"),
        (" = oui", "pas de question"),
    ] {
        let error = Answers::parse(text).unwrap_err();
        assert!(format!("{error:#}").contains(part), "{error:?}");
    }
    let answers = Answers::parse("sychroniser = oui").unwrap();
    let error = answers.check(&[question(None)]).unwrap_err();
    assert!(
        error.hint().unwrap().contains("synchroniser les noeuds"),
        "{error:?}"
    );
    let answers = Answers::parse("synchroniser = oui").unwrap();
    answers.check(&[question(None)]).unwrap();
}
