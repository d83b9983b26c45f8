//! The drawing.

use ha_core::view::out::Line as Text;
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::keys::{self, TOGGLES};
use super::{App, Link};

/// Draws everything: the status, and at the bottom a line on the connection.
pub(super) fn draw(app: &mut App, frame: &mut Frame<'_>) {
    let [body, bar] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    app.height = usize::from(body.height);
    app.scroll_to(app.top);
    let lines = if app.help {
        help(app)
    } else if app.document.is_none() {
        let text = words(
            app,
            "Waiting for the cluster ...",
            "En attente de la grappe ...",
        );
        vec![Line::raw(text)]
    } else {
        app.lines
            .iter()
            .skip(app.top)
            .take(app.height)
            .map(|line| styled(app, line))
            .collect()
    };
    let left = u16::try_from(app.left).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(lines).scroll((0, left)), body);
    frame.render_widget(Paragraph::new(status_line(app)), bar);
}

fn color(app: &App, color: Color) -> Style {
    if app.color {
        Style::new().fg(color)
    } else {
        Style::new()
    }
}

/// The style of a class of the HTML output.
fn of_class(app: &App, class: &str) -> Style {
    match class {
        "online" | "rsc-ok" => color(app, Color::Green),
        "offline" | "rsc-failed" | "health_red" | "warning" => {
            color(app, Color::Red).add_modifier(Modifier::BOLD)
        }
        "maint" | "standby" | "rsc-managed" => color(app, Color::Blue),
        "health_yellow" | "rsc-multiple" | "rsc-failure-ignored" => color(app, Color::Yellow),
        "bold" => Style::new().add_modifier(Modifier::BOLD),
        _ => Style::new(),
    }
}

/// Plain text has its nodes in lists by state: the word in front says which.
fn of_label(app: &App, text: &str) -> Option<Style> {
    if text.starts_with("Online:") {
        Some(color(app, Color::Green))
    } else if text.starts_with("OFFLINE:") || text.contains("UNCLEAN") {
        Some(color(app, Color::Red).add_modifier(Modifier::BOLD))
    } else {
        None
    }
}

fn styled(app: &App, text: &Text) -> Line<'static> {
    let bullet = text.bullet();
    let mut column = bullet.chars().count();
    let mut spans = vec![Span::raw(bullet)];
    for piece in &text.pieces {
        let style = match piece.class {
            Some(class) => of_class(app, class),
            None => of_label(app, &piece.text).unwrap_or_default(),
        };
        spans.push(Span::styled(spread(&piece.text, &mut column), style));
    }
    let mut line = Line::from(spans);
    if text.is_title && text.depth == 0 {
        line = line.style(Style::new().add_modifier(Modifier::BOLD));
    }
    if keys::matches(app, text) {
        line = line.style(Style::new().add_modifier(Modifier::REVERSED));
    }
    line
}

/// Puts spaces in the place of tabulators, which the screen would leave out, up to the next eighth column.
fn spread(text: &str, column: &mut usize) -> String {
    let mut spread = String::with_capacity(text.len());
    for c in text.chars() {
        let width = if c == '\t' { 8 - *column % 8 } else { 1 };
        spread.extend(std::iter::repeat_n(if c == '\t' { ' ' } else { c }, width));
        *column += width;
    }
    spread
}

fn words(app: &App, english: &'static str, french: &'static str) -> &'static str {
    crate::words::of(app.language, english, french)
}

fn help(app: &App) -> Vec<Line<'static>> {
    let mut lines = vec![Line::raw(words(app, "Keys", "Touches")), Line::raw("")];
    for toggle in &TOGGLES {
        let mark = if (toggle.is_on)(&app.view) { "*" } else { " " };
        let what = words(app, toggle.what.0, toggle.what.1);
        lines.push(Line::raw(format!("{mark} {}  {what}", toggle.key)));
    }
    for (english, french) in [
        ("", ""),
        (
            "  arrows, page up and down, home, end  scroll",
            "  flèches, page haut et bas, début, fin  défiler",
        ),
        (
            "  /  search;  > next, < previous, Esc no more",
            "  /  chercher ;  > suivant, < précédent, Échap plus rien",
        ),
        ("  ?  this help, and back", "  ?  cette aide, et retour"),
        ("  q  quit", "  q  quitter"),
    ] {
        lines.push(Line::raw(words(app, english, french)));
    }
    lines
}

fn status_line(app: &App) -> Line<'static> {
    if let Some(typed) = &app.typing {
        return Line::raw(format!("/{typed}"));
    }
    let keys = words(app, "? keys   q quit", "? touches   q quitter");
    match &app.link {
        Link::Connecting => Line::raw(words(app, "connecting   q quit", "connexion   q quitter")),
        Link::Up => {
            let version = app.document.as_ref().map(|document| document.version());
            let version = version.map_or_else(String::new, |version| format!("   CIB {version}"));
            if let Some(since) = app.launcher_gone {
                let silent = since_when(app, "pacemakerd", since);
                let followed = words(app, "; the CIB is followed", " ; la CIB est suivie");
                return alarm(app, format!("{silent}{followed}{version}   {keys}"));
            }
            let live = words(
                app,
                "live since the last change at",
                "en direct depuis le dernier changement, à",
            );
            Line::styled(
                format!("{live} {}{version}   {keys}", time(app, app.at)),
                Style::new().add_modifier(Modifier::DIM),
            )
        }
        Link::Silent(since) => {
            let silent = since_when(app, "pacemaker-based", *since);
            alarm(app, format!("{silent}{}", last_known(app)))
        }
        Link::Down(since, cause) => {
            let known = if app.document.is_some() {
                last_known(app)
            } else {
                ""
            };
            let lost = words(
                app,
                "no connection to the cluster since",
                "pas de connexion à la grappe depuis",
            );
            let colon = words(app, ":", " :");
            let text = format!("{lost} {}{known}{colon} {cause}", time(app, *since));
            alarm(app, text)
        }
    }
}

/// Says that a daemon does not answer.
fn since_when(app: &App, daemon: &str, since: Timestamp) -> String {
    let (silent, when) = (
        words(app, "no answer from", "pas de réponse de"),
        words(app, "since", "depuis"),
    );
    format!("{silent} {daemon} {when} {}", time(app, since))
}

fn last_known(app: &App) -> &'static str {
    words(
        app,
        "; this is the last known state",
        " ; ceci est le dernier état connu",
    )
}

fn alarm(app: &App, text: String) -> Line<'static> {
    let style = color(app, Color::Red).add_modifier(Modifier::REVERSED);
    Line::styled(text, style)
}

fn time(app: &App, at: Timestamp) -> String {
    at.to_zoned(app.zone.clone())
        .strftime("%H:%M:%S")
        .to_string()
}
