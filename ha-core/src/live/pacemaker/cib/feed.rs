//! What the Pacemaker thread tells those who follow the CIB: a queue each, with a descriptor.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use crate::xml::{Document, PatchSet};
use crate::{ErrorExt, Result};

/// How many patch sets wait for a slow reader before they are given up for a whole query.
const LIMIT: usize = 256;

/// How many feeds there are.
static FEEDS: AtomicUsize = AtomicUsize::new(0);

/// Tells whether anybody follows the CIB.
pub(super) fn any() -> bool {
    FEEDS.load(Ordering::Acquire) > 0
}

/// One piece of news about the CIB.
#[derive(Debug, Clone)]
pub(in crate::live::pacemaker) enum News {
    /// The CIB changed.
    Patch(Arc<PatchSet>),
    /// The CIB changed in a way that was not understood.
    Unreadable,
    /// There were too many changes: so many were dropped.
    Behind(usize),
    /// The whole CIB, as it is now.
    Snapshot(Arc<Document>),
    /// The root of the CIB, as it is now, with nothing in it.
    Root(Box<Document>),
    /// The connection is gone, and why. A snapshot follows when there is one again.
    Lost(Arc<str>),
}

/// A queue of news; its descriptor is readable while there is any.
#[derive(Debug)]
pub(in crate::live::pacemaker) struct Feed {
    queue: Mutex<VecDeque<News>>,
    ready: OwnedFd,
}

impl Feed {
    pub(in crate::live::pacemaker) fn new() -> Result<Self> {
        let ready = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(std::io::Error::from)
            .context("make an event descriptor")?;
        FEEDS.fetch_add(1, Ordering::AcqRel);
        Ok(Self {
            queue: Mutex::new(VecDeque::new()),
            ready,
        })
    }

    pub(super) fn push(&self, news: News) {
        let mut queue = self.queue();
        match news {
            News::Snapshot(_) => {
                // What came after a loss that is still to be read, the connections made and lost since
                // included, comes down to this; and patch sets from before a snapshot are part of
                // it, or lead to it.
                if let Some(lost) = queue.iter().position(|old| matches!(old, News::Lost(_))) {
                    queue.truncate(lost + 1);
                }
                queue.retain(|old| matches!(old, News::Lost(_) | News::Behind(_)));
            }
            News::Patch(_) | News::Unreadable => {
                if let Some(News::Behind(dropped)) = queue.back_mut() {
                    *dropped += 1;
                    return;
                }
                if queue.len() >= LIMIT {
                    let before = queue.len();
                    queue.retain(|old| !matches!(old, News::Patch(_) | News::Unreadable));
                    let dropped = before - queue.len() + 1;
                    queue.push_back(News::Behind(dropped));
                    return;
                }
            }
            News::Lost(_) if matches!(queue.back(), Some(News::Lost(_))) => return,
            News::Behind(_) | News::Root(_) | News::Lost(_) => {}
        }
        if queue.is_empty() {
            // Fails only if the counter is full, and then the descriptor is readable.
            let _ = rustix::io::write(&self.ready, &1_u64.to_ne_bytes());
        }
        queue.push_back(news);
    }

    /// Takes the oldest piece of news.
    pub(in crate::live::pacemaker) fn pop(&self) -> Option<News> {
        let mut queue = self.queue();
        let news = queue.pop_front();
        if queue.is_empty() {
            // Fails only if it was not readable.
            let _ = rustix::io::read(&self.ready, &mut [0_u8; 8]);
        }
        news
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<News>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        FEEDS.fetch_sub(1, Ordering::AcqRel);
    }
}

impl AsFd for Feed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ready.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(feed: &Feed) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(feed, PollFlags::IN)], Some(&zero)).unwrap() == 1
    }

    #[test]
    fn the_descriptor_is_readable_while_there_is_news() {
        let feed = Feed::new().unwrap();
        assert!(!readable(&feed));
        feed.push(News::Unreadable);
        feed.push(News::Lost("gone".into()));
        assert!(readable(&feed));
        assert!(matches!(feed.pop(), Some(News::Unreadable)));
        assert!(readable(&feed));
        assert!(matches!(feed.pop(), Some(News::Lost(_))));
        assert!(!readable(&feed));
        assert!(feed.pop().is_none());
    }

    #[test]
    fn a_slow_reader_gets_one_note_for_all_changes() {
        let feed = Feed::new().unwrap();
        feed.push(News::Lost("gone".into()));
        for _ in 0..LIMIT + 10 {
            feed.push(News::Unreadable);
        }
        assert!(matches!(feed.pop(), Some(News::Lost(_))));
        let Some(News::Behind(dropped)) = feed.pop() else {
            panic!("no note")
        };
        assert_eq!(dropped, LIMIT + 10);
        assert!(feed.pop().is_none());
    }

    #[test]
    fn connections_lost_and_made_again_take_no_more_room_each() {
        let feed = Feed::new().unwrap();
        let snapshot = |name| News::Snapshot(Arc::new(Document::new(name)));
        feed.push(News::Unreadable);
        for n in 0..1000 {
            feed.push(News::Lost(format!("{n}").into()));
            feed.push(News::Lost("again".into()));
            feed.push(snapshot(if n < 999 { "old" } else { "new" }));
            feed.push(News::Unreadable);
        }
        feed.push(News::Lost("last".into()));
        assert!(feed.queue().len() <= 5, "{}", feed.queue().len());
        // The first loss, the CIB as it is since, and what came after that.
        assert!(matches!(feed.pop(), Some(News::Lost(cause)) if &*cause == "0"));
        assert!(matches!(feed.pop(), Some(News::Snapshot(cib)) if cib.root().name() == "new"));
        assert!(matches!(feed.pop(), Some(News::Unreadable)));
        assert!(matches!(feed.pop(), Some(News::Lost(cause)) if &*cause == "last"));
        assert!(feed.pop().is_none());
        assert!(!readable(&feed));
    }

    #[test]
    fn a_snapshot_replaces_the_changes_before_it() {
        let feed = Feed::new().unwrap();
        feed.push(News::Unreadable);
        feed.push(News::Snapshot(Arc::new(Document::new("cib"))));
        feed.push(News::Unreadable);
        assert!(matches!(feed.pop(), Some(News::Snapshot(_))));
        assert!(matches!(feed.pop(), Some(News::Unreadable)));
        assert!(feed.pop().is_none());
    }
}
