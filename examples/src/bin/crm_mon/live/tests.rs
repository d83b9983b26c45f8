//! The drawing and the keys, on a screen in memory; `tests` has the same on a real terminal.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyModifiers};
use ratatui::style::Color;

use super::*;

const CIB: &str = r#"<cib epoch="4" num_updates="2" admin_epoch="0" have-quorum="1" dc-uuid="1"
    validate-with="pacemaker-3.9"><configuration><crm_config/>
    <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
    <resources><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/></resources>
    <constraints/></configuration><status>
    <node_state id="1" uname="maitre" in_ccm="true" crmd="online" join="member" expected="member"/>
    </status></cib>"#;

fn app() -> App {
    let mut app = App::new(Options::default(), TimeZone::UTC, true, Language::English);
    let document = Document::parse(CIB).expect("well-formed");
    let news = News::Cib(Box::new(document));
    assert!(app.hear(news, Timestamp::UNIX_EPOCH).expect("no error"));
    app
}

fn press(app: &mut App, keys: &str) -> bool {
    keys.chars().all(|key| {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            key => KeyCode::Char(key),
        };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        app.hear(News::Key(key), Timestamp::UNIX_EPOCH)
            .expect("no error")
    })
}

fn draw(app: &mut App, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
    terminal
        .draw(|frame| screen::draw(app, frame))
        .expect("drawn");
    let buffer = terminal.backend().buffer();
    (0..height)
        .map(|y| {
            let line: String = (0..width)
                .map(|x| buffer[(x, y)].symbol().to_owned())
                .collect();
            line.trim_end().to_owned()
        })
        .collect()
}

#[test]
fn shows_the_status_and_the_connection() {
    let mut app = app();
    let lines = draw(&mut app, 80, 20);
    assert_eq!(lines[0], "Cluster Summary:");
    assert!(
        lines.contains(&"  * Online: [ maitre ]".to_owned()),
        "{lines:#?}"
    );
    assert_eq!(
        lines[19],
        "live since the last change at 00:00:00   CIB 0.4.2   ? keys   q quit"
    );
}

#[test]
fn keys_switch_parts_on_and_off() {
    let mut app = app();
    let has = |app: &mut App, text: &str| draw(app, 80, 40).iter().any(|line| line.contains(text));
    assert!(!has(&mut app, "vip"));
    assert!(press(&mut app, "r"));
    assert!(has(&mut app, "vip"));
    assert!(press(&mut app, "D"));
    assert!(!has(&mut app, "Cluster Summary"));
    assert!(press(&mut app, "Dr"));
    assert!(has(&mut app, "Cluster Summary") && !has(&mut app, "vip"));
    for toggle in &keys::TOGGLES {
        let before = (toggle.is_on)(&app.view);
        press(&mut app, &toggle.key.to_string());
        assert_ne!((toggle.is_on)(&app.view), before, "{}", toggle.key);
        press(&mut app, &toggle.key.to_string());
        assert_eq!((toggle.is_on)(&app.view), before, "{}", toggle.key);
    }
    assert!(press(&mut app, "?"));
    assert!(has(&mut app, "inactive resources"));
    assert!(press(&mut app, "?"));
    assert!(!has(&mut app, "inactive resources"));
    assert!(!press(&mut app, "q"));
}

#[test]
fn what_is_being_done_is_shown_in_place_of_the_role() {
    let mut app = app();
    let history = r#"join="member" expected="member"><lrm id="1"><lrm_resources>
        <lrm_resource id="vip" class="ocf" provider="heartbeat" type="IPaddr2"><lrm_rsc_op
        id="vip_last_0" operation_key="vip_start_0" operation="start" call-id="-1" rc-code="193"
        op-status="-1" transition-key="3:4:0:uuid" transition-magic="-1:193;3:4:0:uuid"
        interval="0"/></lrm_resource></lrm_resources></lrm></node_state>"#;
    let cib = CIB.replace(r#"join="member" expected="member"/>"#, history);
    let document = Document::parse(&cib).expect("well-formed");
    let news = News::Cib(Box::new(document));
    assert!(app.hear(news, Timestamp::UNIX_EPOCH).expect("no error"));
    let mut role = |keys: &str| {
        assert!(press(&mut app, keys));
        let lines = draw(&mut app, 80, 40).into_iter();
        lines
            .filter(|line| line.contains("vip"))
            .collect::<String>()
    };
    assert!(role("r").contains("Starting maitre"));
    assert!(role("j").contains("Started maitre"));
    assert!(role("j").contains("Starting maitre"));
}

#[test]
fn a_lost_cluster_is_told_with_the_time_and_the_last_state_stays() {
    let mut app = app();
    let at = |seconds| Timestamp::from_second(seconds).expect("in range");
    for (seconds, cause) in [(60, "pacemaker-based is gone"), (90, "connection refused")] {
        assert!(
            app.hear(News::Lost(cause.into()), at(seconds))
                .expect("no error")
        );
    }
    let lines = draw(&mut app, 120, 20);
    assert_eq!(
        lines[19],
        "no connection to the cluster since 00:01:00; this is the last known state: connection refused"
    );
    assert!(lines.contains(&"  * Online: [ maitre ]".to_owned()));
    let document = Document::parse(CIB).expect("well-formed");
    app.hear(News::Cib(Box::new(document)), at(120))
        .expect("no error");
    assert!(draw(&mut app, 80, 20)[19].starts_with("live since the last change at 00:02:00"));
}

#[test]
fn daemons_that_do_not_answer_are_told_with_the_time() {
    let mut app = app();
    let at = |seconds| Timestamp::from_second(seconds).expect("in range");
    let mut hear = |news, seconds| {
        app.hear(news, at(seconds)).expect("no error");
        draw(&mut app, 120, 20)
    };
    let launcher = || {
        News::Daemon(Some(DaemonState {
            state: "running".to_owned(),
            description: "Pacemaker is running".to_owned(),
            source: "pacemakerd".to_owned(),
            last_updated: None,
        }))
    };
    let is_running = |lines: &[String]| lines.iter().any(|line| line.contains("is running"));
    let live = "live since the last change at 00:00:00";
    let lines = hear(launcher(), 10);
    assert!(is_running(&lines) && lines[19].starts_with(live));
    for seconds in [60, 65] {
        let lines = hear(News::Daemon(None), seconds);
        let told = "no answer from pacemakerd since 00:01:00; the CIB is followed";
        assert!(
            !is_running(&lines) && lines[19].starts_with(told),
            "{lines:#?}"
        );
    }
    for seconds in [70, 75] {
        let lines = hear(News::Answers(false), seconds);
        let told = "no answer from pacemaker-based since 00:01:10; this is the last known state";
        assert_eq!(lines[19], told);
        assert!(lines.contains(&"  * Online: [ maitre ]".to_owned()));
    }
    hear(News::Answers(true), 80);
    let lines = hear(launcher(), 81);
    assert!(is_running(&lines) && lines[19].starts_with(live));
    // What is lost is not there again because the daemon answers: the changes must come too.
    hear(News::Lost("gone".into()), 90);
    let lines = hear(News::Answers(true), 95);
    assert!(lines[19].starts_with("no connection to the cluster since 00:01:30"));
}

#[test]
fn before_anything_is_known_it_waits() {
    let mut app = App::new(Options::default(), TimeZone::UTC, true, Language::English);
    assert_eq!(draw(&mut app, 40, 3)[0], "Waiting for the cluster ...");
    press(&mut app, "rnA/x\n>");
    app.hear(News::Lost("no daemon".into()), Timestamp::UNIX_EPOCH)
        .expect("no error");
    assert!(draw(&mut app, 80, 3)[2].ends_with("since 00:00:00: no daemon"));
}

#[test]
fn any_size_will_do() {
    let mut app = app();
    for (width, height) in [(1, 1), (2, 2), (80, 1), (1, 50), (300, 100)] {
        draw(&mut app, width, height);
        for key in [
            KeyCode::End,
            KeyCode::PageDown,
            KeyCode::Up,
            KeyCode::Right,
            KeyCode::Home,
        ] {
            let key = KeyEvent::new(key, KeyModifiers::NONE);
            app.hear(News::Key(key), Timestamp::UNIX_EPOCH)
                .expect("no error");
        }
        draw(&mut app, width, height);
    }
}

#[test]
fn scrolls_and_searches() {
    let mut app = app();
    let key = |app: &mut App, code| {
        app.hear(
            News::Key(KeyEvent::new(code, KeyModifiers::NONE)),
            Timestamp::UNIX_EPOCH,
        )
        .expect("no error");
    };
    draw(&mut app, 80, 4);
    key(&mut app, KeyCode::End);
    let end = draw(&mut app, 80, 4);
    assert_ne!(end[0], "Cluster Summary:");
    key(&mut app, KeyCode::Home);
    assert_eq!(draw(&mut app, 80, 4)[0], "Cluster Summary:");
    press(&mut app, "/oNlIn");
    assert_eq!(draw(&mut app, 80, 4)[3], "/oNlIn");
    press(&mut app, "\n");
    assert_eq!(draw(&mut app, 80, 4)[0], "  * Online: [ maitre ]");
    press(&mut app, "/nothing like this\n");
    assert_eq!(draw(&mut app, 80, 4)[0], "  * Online: [ maitre ]");
}

#[test]
fn a_search_goes_on_past_what_fills_the_last_page_and_says_when_there_is_nothing() {
    let mut app = app();
    press(&mut app, "r");
    draw(&mut app, 80, 40);
    let hits: Vec<usize> = (0..app.lines.len())
        .filter(|&at| {
            app.lines[at]
                .pieces
                .iter()
                .any(|piece| piece.text.contains("es"))
        })
        .collect();
    assert!(hits.len() > 3, "{hits:?}");
    // Everything fits on one page: no hit can be scrolled to the top.
    press(&mut app, "/es\n");
    let mut seen = vec![app.hit];
    for _ in 1..=hits.len() {
        press(&mut app, ">");
        seen.push(app.hit);
    }
    let round: Vec<Option<usize>> = hits.iter().chain(&hits[..1]).map(|&at| Some(at)).collect();
    assert_eq!(seen, round);
    press(&mut app, "<");
    assert_eq!(app.hit, hits.last().copied());
    press(&mut app, "<");
    assert_eq!(app.hit, hits.get(hits.len() - 2).copied());

    press(&mut app, "/unheard-of\n");
    assert_eq!(draw(&mut app, 80, 10)[9], "no match: unheard-of");
    press(&mut app, ">");
    assert_eq!(draw(&mut app, 80, 10)[9], "no match: unheard-of");
    // Any other key has the bar again, and nothing searched for is no search.
    press(&mut app, "\u{1b}");
    assert!(draw(&mut app, 80, 10)[9].starts_with("live since"));
    press(&mut app, "/\n");
    assert!(draw(&mut app, 80, 10)[9].starts_with("live since"));
    app.language = Language::French;
    press(&mut app, "/rien de tel\n");
    assert_eq!(draw(&mut app, 80, 10)[9], "aucun résultat : rien de tel");
}

#[test]
fn the_levels_of_what_was_fenced_follow_each_other() {
    use ha_core::view::Part::{FencingFailed, FencingPending, FencingSucceeded};
    let shown = |app: &App| {
        [FencingFailed, FencingPending, FencingSucceeded].map(|part| app.view.parts.has(part))
    };
    let mut view = Options::default();
    view.parts = view.parts.union(Parts::of_fence_history(1));
    let mut app = App::new(view, TimeZone::UTC, true, Language::English);
    assert_eq!(app.fence_history, 1);
    for (level, parts) in [
        (2, [true; 3]),
        (3, [true; 3]),
        (0, [false; 3]),
        (1, [true, true, false]),
        (2, [true; 3]),
    ] {
        press(&mut app, "m");
        assert_eq!((app.fence_history, shown(&app)), (level, parts));
        press(&mut app, "?");
        let help = draw(&mut app, 80, 40);
        let told = format!("{level} m  fencing: 0 none");
        assert!(help.iter().any(|line| line.starts_with(&told)), "{help:#?}");
        press(&mut app, "?");
    }
}

#[test]
fn a_narrow_screen_says_what_is_lost_and_since_when() {
    let cause = "the connection to the CIB manager ended: Connection reset";
    for (language, full, short) in [
        (
            Language::English,
            "no connection to the cluster since 00:01:00",
            "lost since 00:01:00: the",
        ),
        (
            Language::French,
            "pas de connexion à la grappe depuis 00:01:00",
            "perdue depuis 00:01:00 : the",
        ),
    ] {
        let mut app = app();
        app.language = language;
        let at = Timestamp::from_second(60).expect("in range");
        assert!(app.hear(News::Lost(cause.into()), at).expect("no error"));
        for width in [60, 70, 80, 100] {
            let lines = draw(&mut app, width, 24).join(" ");
            assert!(
                lines.contains(full) && lines.contains("Connection reset"),
                "{width}: {lines}"
            );
            let known = match language {
                Language::French => "dernier état connu",
                _ => "last known state",
            };
            assert!(lines.contains(known), "{width}: {lines}");
            // The status itself stays on top.
            assert!(lines.contains("Cluster Summary:"), "{width}: {lines}");
        }
        // Without lines to spare, what matters comes first.
        let lines = draw(&mut app, 60, 5);
        assert!(lines[4].starts_with(short), "{lines:#?}");
        let mut app = self::app();
        app.language = language;
        app.hear(News::Daemon(None), at).expect("no error");
        for (width, height) in [(60, 24), (60, 5), (80, 5)] {
            let lines = draw(&mut app, width, height).join(" ");
            assert!(
                lines.contains("pacemakerd") && lines.contains("00:01:00"),
                "{lines}"
            );
        }
    }
    let mut app = app();
    let lines = draw(&mut app, 60, 10);
    assert_eq!(
        lines[9],
        "live since 00:00:00   CIB 0.4.2   ? keys   q quit"
    );
    app.language = Language::French;
    assert_eq!(
        draw(&mut app, 60, 10)[9],
        "depuis 00:00:00   CIB 0.4.2   ? touches   q quitter"
    );
}

#[test]
fn colours_mean_something_and_can_be_left_out() {
    let mut app = app();
    let colours = |app: &mut App| {
        let mut terminal = Terminal::new(TestBackend::new(80, 20)).expect("a screen");
        terminal
            .draw(|frame| screen::draw(app, frame))
            .expect("drawn");
        let buffer = terminal.backend().buffer().clone();
        let text = |y| (0..80).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        let row = (0..20)
            .find(|&y| text(y).contains("Online"))
            .expect("a line");
        (
            buffer[(4, row)].fg,
            buffer.content().iter().any(|cell| cell.fg != Color::Reset),
        )
    };
    assert_eq!(colours(&mut app), (Color::Green, true));
    app.color = false;
    assert_eq!(colours(&mut app), (Color::Reset, false));
}

#[test]
fn what_is_not_the_status_is_in_the_language() {
    let mut app = App::new(Options::default(), TimeZone::UTC, true, Language::French);
    assert_eq!(draw(&mut app, 80, 5)[0], "En attente de la grappe ...");
    assert_eq!(draw(&mut app, 80, 5)[4], "connexion   q quitter");
    let document = Document::parse(CIB).expect("well-formed");
    app.hear(News::Cib(Box::new(document)), Timestamp::UNIX_EPOCH)
        .expect("no error");
    let lines = draw(&mut app, 90, 20);
    assert_eq!(lines[0], "Cluster Summary:");
    assert_eq!(
        lines[19],
        "en direct depuis le dernier changement, à 00:00:00   CIB 0.4.2   ? touches   q quitter"
    );
    app.hear(News::Answers(false), Timestamp::UNIX_EPOCH)
        .expect("no error");
    assert_eq!(
        draw(&mut app, 100, 20)[19],
        "pas de réponse de pacemaker-based depuis 00:00:00 ; ceci est le dernier état connu"
    );
    app.hear(News::Lost("cause".into()), Timestamp::UNIX_EPOCH)
        .expect("no error");
    assert_eq!(
        draw(&mut app, 100, 20)[19],
        "pas de connexion à la grappe depuis 00:00:00 ; ceci est le dernier état connu : cause"
    );
    assert!(press(&mut app, "?"));
    let lines = draw(&mut app, 80, 30);
    assert_eq!(lines[0], "Touches");
    assert!(
        lines.contains(&"  r  ressources inactives".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn columns_stand_where_a_terminal_puts_them() {
    let mut app = app();
    press(&mut app, "r");
    let lines = draw(&mut app, 100, 30);
    let line = lines.iter().find(|line| line.contains("* vip"));
    // A tabulator is behind the name, and one behind the agent.
    assert_eq!(
        line.map(String::as_str),
        Some("  * vip (ocf:heartbeat:IPaddr2):         Stopped"),
        "{lines:#?}"
    );
}

#[test]
fn a_signal_ends_it() {
    let mut app = app();
    let goes_on = app
        .hear(News::Stop, Timestamp::UNIX_EPOCH)
        .expect("no error");
    assert!(!goes_on);
}
