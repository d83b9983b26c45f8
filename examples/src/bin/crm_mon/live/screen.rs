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
        vec![Line::raw("Waiting for the cluster ...")]
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
    let mut spans = vec![Span::raw(text.bullet())];
    for piece in &text.pieces {
        let style = match piece.class {
            Some(class) => of_class(app, class),
            None => of_label(app, &piece.text).unwrap_or_default(),
        };
        spans.push(Span::styled(piece.text.clone(), style));
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

fn help(app: &App) -> Vec<Line<'static>> {
    let mut lines = vec![Line::raw("Keys"), Line::raw("")];
    for toggle in &TOGGLES {
        let mark = if (toggle.is_on)(&app.view) { "*" } else { " " };
        lines.push(Line::raw(format!("{mark} {}  {}", toggle.key, toggle.what)));
    }
    for text in [
        "",
        "  arrows, page up and down, home, end  scroll",
        "  /  search;  > next, < previous, Esc no more",
        "  ?  this help, and back",
        "  q  quit",
    ] {
        lines.push(Line::raw(text));
    }
    lines
}

fn status_line(app: &App) -> Line<'static> {
    if let Some(typed) = &app.typing {
        return Line::raw(format!("/{typed}"));
    }
    match &app.link {
        Link::Connecting => Line::raw("connecting   q quit"),
        Link::Up => {
            let version = app.document.as_ref().map(|document| document.version());
            let version = version.map_or_else(String::new, |version| format!("   CIB {version}"));
            if let Some(since) = app.launcher_gone {
                return alarm(
                    app,
                    format!(
                        "no answer from pacemakerd since {}; the CIB is followed{version}   ? keys   q quit",
                        time(app, since)
                    ),
                );
            }
            Line::styled(
                format!(
                    "live since the last change at {}{version}   ? keys   q quit",
                    time(app, app.at)
                ),
                Style::new().add_modifier(Modifier::DIM),
            )
        }
        Link::Silent(since) => alarm(
            app,
            format!(
                "no answer from pacemaker-based since {}; this is the last known state",
                time(app, *since)
            ),
        ),
        Link::Down(since, cause) => {
            let known = if app.document.is_some() {
                "; this is the last known state"
            } else {
                ""
            };
            alarm(
                app,
                format!(
                    "no connection to the cluster since {}{known}: {cause}",
                    time(app, *since)
                ),
            )
        }
    }
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
