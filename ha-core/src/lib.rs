//! Safe, typed access to a Corosync/Pacemaker cluster.
#![cfg_attr(not(feature = "live"), forbid(unsafe_code))]

mod advice;
pub mod change;
pub mod config;
pub mod corosync_conf;
pub mod error;
pub mod event;
pub mod finding;
pub mod language;
#[cfg(feature = "live")]
pub mod live;
pub mod model;
pub mod name;
pub mod question;
pub mod schema;
pub mod status;
pub mod value;
pub mod view;
pub mod why;
pub mod xml;

pub use error::{Error, ErrorExt, ErrorKind, Result};

/// The examples of the README, tested with the documentation.
#[cfg(all(doctest, feature = "live"))]
#[doc = include_str!("../../README.md")]
mod readme {}
