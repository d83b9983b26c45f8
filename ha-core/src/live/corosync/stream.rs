//! A watch as a `Stream`, for programs that run tokio.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::io::unix::AsyncFd;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Sleep, sleep_until};

use super::watch::{Source, Update, Watch};
use crate::live::ffi::corosync::readable;
use crate::{Error, ErrorKind, Result};

/// The updates of a [`Watch`] as a stream. It ends when the watch is over.
///
/// Made by [`Watch::into_stream`]. Polled inside a tokio runtime with I/O and time enabled;
/// connecting again runs on tokio's threads for blocking work.
#[derive(Debug)]
pub struct WatchStream<S: Source + 'static> {
    watch: Watch<S>,
    /// A descriptor of its own for the connection's socket.
    reactor: Option<AsyncFd<OwnedFd>>,
    retry: Option<Pin<Box<Sleep>>>,
    attempt: Option<JoinHandle<Result<S>>>,
}

impl<S: Source + 'static> Watch<S> {
    /// Makes a stream of it.
    #[must_use]
    pub fn into_stream(self) -> WatchStream<S> {
        WatchStream {
            reactor: None,
            watch: self,
            retry: None,
            attempt: None,
        }
    }
}

impl<S: Source + 'static> WatchStream<S> {
    /// Returns the connection, while there is one: for requests beside the events.
    ///
    /// They block: from asynchronous code, make them with `tokio::task::block_in_place`.
    #[must_use]
    pub fn connection(&self) -> Option<&S> {
        self.watch.connection()
    }

    /// Reads what is there, or waits for the descriptor to become readable.
    fn poll_connected(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let ready = self.poll_readable(context);
        if let Poll::Ready(Err(e)) = ready {
            self.watch.lose(Error::from(e).context("watch corosync"));
        } else {
            ready!(ready).ok();
            self.watch.read(Duration::ZERO);
        }
        if self.watch.connection().is_none() {
            self.reactor = None;
        }
        Poll::Ready(())
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let reactor = match (&mut self.reactor, self.watch.connection()) {
            (Some(reactor), _) => reactor,
            (none, Some(source)) => none.insert(readable(source.as_fd().try_clone_to_owned()?)?),
            (None, None) => return Poll::Pending,
        };
        // Cleared before the reading: what comes meanwhile makes it ready again.
        ready!(reactor.poll_read_ready(context))?.clear_ready();
        Poll::Ready(Ok(()))
    }

    /// Waits for the next attempt to connect and for its result.
    fn poll_absent(&mut self, context: &mut Context<'_>) -> Poll<Option<Update<S::Event>>> {
        loop {
            if let Some(attempt) = &mut self.attempt {
                let result = ready!(Pin::new(attempt).poll(context));
                self.attempt = None;
                let result = result.unwrap_or_else(|e| {
                    let given_up = "the attempt to connect was given up";
                    Err(Error::new(ErrorKind::Disconnected, given_up).with_source(e))
                });
                if let Some(update) = self.watch.attempted(result) {
                    return Poll::Ready(Some(update));
                }
            }
            let Some((retry_at, setup)) = self.watch.next_attempt() else {
                return Poll::Ready(None);
            };
            let retry = self
                .retry
                .get_or_insert_with(|| Box::pin(sleep_until(retry_at.into())));
            ready!(retry.as_mut().poll(context));
            self.retry = None;
            let setup = setup.clone();
            self.attempt = Some(spawn_blocking(move || S::open(&setup)));
        }
    }
}

impl<S: Source + Unpin + 'static> Stream for WatchStream<S>
where
    S::Setup: Unpin,
    S::Event: Unpin,
{
    type Item = Update<S::Event>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Update<S::Event>>> {
        loop {
            if let Some(update) = self.watch.ready() {
                return Poll::Ready(Some(update));
            }
            if self.watch.connection().is_some() {
                ready!(self.poll_connected(context));
            } else {
                return self.poll_absent(context);
            }
        }
    }
}
