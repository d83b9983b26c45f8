//! The live view: the status on a terminal, redrawn when the cluster changes.
//!
//! One thread follows the CIB, one reads the keys, one asks the daemons every few seconds whether they
//! are still there; this one draws. The status is never asked for again and again: it comes with the
//! changes. Once a minute it is computed again from the same CIB, because rules and failure time-outs
//! depend on the time.

mod bar;
mod cluster;
mod keys;
mod screen;

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ha_core::Result;
use ha_core::language::Language;
use ha_core::status::Computer;
use ha_core::view::out::Line;
use ha_core::view::{DaemonState, FencingHistory, Options, Part, Parts, Report};
use ha_core::xml::Document;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::crossterm::event::{self, Event, KeyEvent};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::words;

/// How often the status is computed anew although nothing was heard.
const AGAIN: Duration = Duration::from_secs(60);

/// What the threads tell.
#[derive(Debug)]
enum News {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size, or must be drawn again.
    Redraw,
    /// The keyboard is gone.
    End(ha_core::Error),
    /// A signal asks for the end.
    Stop,
    /// The CIB is now this.
    Cib(Box<Document>),
    /// The launcher said this, or does not answer.
    Daemon(Option<DaemonState>),
    /// The CIB manager answers, or not in time.
    Answers(bool),
    /// The fencer said this.
    Fencing(FencingHistory),
    /// There is no connection to the cluster.
    Lost(String),
}

/// Whether the cluster can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// Nothing was heard yet.
    Connecting,
    /// Changes are followed.
    Up,
    /// The connection is there, but the CIB manager does not answer since then.
    Silent(Timestamp),
    /// Not since then, and why.
    Down(Timestamp, String),
}

/// What is shown, and how.
#[derive(Debug)]
struct App {
    view: Options,
    document: Option<Box<Document>>,
    computer: Computer,
    link: Link,
    /// Since when the launcher does not answer.
    launcher_gone: Option<Timestamp>,
    lines: Vec<Line>,
    /// When the CIB was last heard of.
    at: Timestamp,
    zone: TimeZone,
    /// The first line and column on the screen.
    top: usize,
    left: usize,
    /// How many lines fit, as of the last drawing.
    height: usize,
    help: bool,
    /// The text that is being typed after `/`.
    typing: Option<String>,
    /// What is searched for.
    search: String,
    /// The line that the last search went to.
    hit: Option<usize>,
    /// The last search went nowhere.
    no_match: bool,
    /// How much to show of what was fenced: 0 to 3.
    fence_history: u8,
    color: bool,
    /// Of what is not the status.
    language: Language,
}

impl App {
    fn new(view: Options, zone: TimeZone, color: bool, language: Language) -> Self {
        let fence_history = if view.parts.has(Part::FencingSucceeded) {
            2
        } else {
            let some = Parts::FENCING.difference(view.parts) != Parts::FENCING;
            u8::from(some)
        };
        Self {
            view,
            document: None,
            computer: Computer::new(),
            link: Link::Connecting,
            launcher_gone: None,
            lines: Vec::new(),
            at: Timestamp::now(),
            zone,
            top: 0,
            left: 0,
            height: 1,
            help: false,
            typing: None,
            search: String::new(),
            hit: None,
            no_match: false,
            fence_history,
            color,
            language,
        }
    }

    /// Makes the lines again.
    fn compute(&mut self, now: Timestamp) {
        let Some(document) = &self.document else {
            return;
        };
        let options = self.view.compute_options();
        let state = self
            .computer
            .compute_with(document, now, &self.zone, options);
        self.lines = Report::new(&state, &self.view, now, &self.zone).lines();
        self.scroll_to(self.top);
    }

    /// Shows from this line on, as far as there are lines to fill the screen.
    fn scroll_to(&mut self, top: usize) {
        let last = self.lines.len().saturating_sub(self.height);
        self.top = top.min(last);
    }

    /// Takes in what was heard; tells whether to go on.
    fn hear(&mut self, news: News, now: Timestamp) -> Result<bool> {
        match news {
            News::Key(key) => return Ok(keys::press(self, key, now)),
            News::Redraw => {}
            News::End(e) => return Err(e),
            News::Stop => return Ok(false),
            News::Cib(document) => {
                self.document = Some(document);
                self.link = Link::Up;
                self.at = now;
                self.compute(now);
            }
            News::Daemon(state) => {
                self.launcher_gone = match state {
                    Some(_) => None,
                    None => self.launcher_gone.or(Some(now)),
                };
                if self.view.daemon != state {
                    self.view.daemon = state;
                    self.compute(now);
                }
            }
            // A connection that is lost is told of by who follows the CIB.
            News::Answers(answers) => match (&self.link, answers) {
                (Link::Up, false) => self.link = Link::Silent(now),
                (Link::Silent(_), true) => self.link = Link::Up,
                _ => {}
            },
            News::Fencing(history) => {
                self.view.fencing = Some(history);
                self.compute(now);
            }
            News::Lost(cause) => {
                // More important than a search.
                self.no_match = false;
                // The time since when stays that of the first report.
                let since = match self.link {
                    Link::Down(since, _) => since,
                    Link::Silent(since) => since,
                    Link::Connecting | Link::Up => now,
                };
                self.link = Link::Down(since, cause);
            }
        }
        Ok(true)
    }
}

/// Tells whether colours are wanted: not with a `NO_COLOR` that says anything.
fn color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Shows the status until the user ends it.
///
/// # Errors
/// When the terminal cannot be read or drawn on.
pub(crate) fn run(
    view: Options,
    fence_history: u8,
    zone: TimeZone,
    language: Language,
) -> Result<()> {
    let (teller, news) = channel();
    let keyboard = teller.clone();
    let stopper = teller.clone();
    // Whatever ends it, the terminal is given back as it was.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|e| words::during(e, "wait for signals", "attendre les signaux"))?;
    let mut terminal = ratatui::try_init()
        .map_err(|e| words::during(e, "set up the terminal", "préparer le terminal"))?;
    std::thread::spawn(move || {
        loop {
            let heard = match event::read() {
                Ok(Event::Key(key)) if key.is_press() => News::Key(key),
                Ok(_) => News::Redraw,
                Err(e) => News::End(words::during(e, "read the keyboard", "lire le clavier")),
            };
            let ends = matches!(heard, News::End(_));
            if keyboard.send(heard).is_err() || ends {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            // Nobody hears it when the end has come already.
            stopper.send(News::Stop).ok();
        }
    });
    let asker = teller.clone();
    let asker = std::thread::spawn(move || cluster::ask(&asker));
    std::thread::spawn(move || cluster::follow(&teller, asker.thread(), language));
    let mut app = App::new(view, zone, color(), language);
    // Of the levels that show all, the sections do not tell which.
    app.fence_history = app.fence_history.max(fence_history.min(3));
    let result = show(&mut terminal, &mut app, &news);
    ratatui::restore();
    result
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    app: &mut App,
    news: &Receiver<News>,
) -> Result<()> {
    let mut due = Instant::now() + AGAIN;
    loop {
        if Instant::now() >= due {
            app.compute(Timestamp::now());
            due = Instant::now() + AGAIN;
        }
        terminal
            .draw(|frame| screen::draw(app, frame))
            .map_err(|e| words::during(e, "draw on the terminal", "dessiner sur le terminal"))?;
        let mut heard = match news.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(heard) => Some(heard),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // What came together is drawn once.
        while let Some(next) = heard {
            if !app.hear(next, Timestamp::now())? {
                return Ok(());
            }
            heard = news.try_recv().ok();
        }
    }
}

#[cfg(test)]
mod tests;
