//! How a message of Pacemaker travels over libqb: a header of 40 bytes, the XML, and a zero.
//!
//! ```text
//! bytes    what
//! 0..4     libqb's: which message, a number
//! 8..12    libqb's: the length of all of it
//! 16..20   libqb's: what went wrong
//! 24..28   the length of the text with its zero
//! 28..32   the length of the text as it travels, when that is compressed (bzip2); else 0
//! 32..36   flags
//! 36       the version of this header: 1
//! ```

use std::ffi::CStr;
use std::io::Read as _;
use std::time::Instant;

use pacemaker_sys as sys;

use crate::live::ffi::pacemaker::qb;
use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

const HEADER: usize = 40;
const VERSION: u8 = 1;

/// More than any CIB: where an answer that was made to fill the memory ends.
const MOST: usize = 1 << 30;

/// The user, besides root, whom the daemons run as.
const DAEMON_USER: &str = "hacluster";

/// Where an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Where answers do.
    Answer,
    /// Where events do.
    Event,
}

/// A connection for one question.
#[derive(Debug)]
pub(super) struct Conversation(qb::Connection);

impl Conversation {
    /// Connects. Blocks for ever when the server is stopped.
    pub(super) fn open(library: &'static qb::Library, server: &CStr, room: usize) -> Result<Self> {
        let connection = qb::Connection::open(library, server, room).map_err(refused)?;
        // While the daemons do not run anybody could listen under their names.
        let owner = connection.owner()?;
        if owner != 0 && Some(owner) != daemon_user() {
            let message = format!("user {owner} listens in place of the daemon");
            return Err(Error::new(ErrorKind::PermissionDenied, message));
        }
        Ok(Self(connection))
    }

    /// Sends the question, and returns the answer after closing the connection.
    pub(super) fn ask(
        self,
        message: &Document,
        channel: Channel,
        deadline: Instant,
    ) -> Result<Document> {
        let flags = match channel {
            Channel::Answer => sys::crm_ipc_client_response,
            Channel::Event => 0,
        };
        self.0.send(&packed(message, flags)?)?;
        let answer = match channel {
            Channel::Answer => self.0.receive(deadline),
            Channel::Event => self.0.receive_event(deadline),
        }?;
        drop(self);
        Document::parse_bytes(&unpacked(answer)?)
    }
}

fn refused(e: std::io::Error) -> Error {
    let kind = match e.raw_os_error().map(i32::abs) {
        Some(libc::EACCES | libc::EPERM) => ErrorKind::PermissionDenied,
        _ => ErrorKind::Disconnected,
    };
    Error::new(kind, "a daemon cannot be connected to").with_source(e)
}

pub(super) fn odd(message: &'static str) -> Error {
    Error::new(ErrorKind::Protocol, message)
}

/// Returns the number of the daemons' user, when this machine has one.
fn daemon_user() -> Option<u32> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    user_in(&users, DAEMON_USER)
}

fn user_in(users: &str, name: &str) -> Option<u32> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

fn packed(message: &Document, flags: u32) -> Result<Vec<u8>> {
    let text = message.to_xml_compact();
    let number = |length: usize| {
        u32::try_from(length).map_err(|_| Error::new(ErrorKind::Limit, "the message is too long"))
    };
    let mut packed = vec![0; HEADER];
    packed[0] = 1;
    packed[8..12].copy_from_slice(&number(HEADER + text.len() + 1)?.to_ne_bytes());
    packed[24..28].copy_from_slice(&number(text.len() + 1)?.to_ne_bytes());
    packed[32..36].copy_from_slice(&flags.to_ne_bytes());
    packed[36] = VERSION;
    packed.extend(text.into_bytes());
    packed.push(0);
    Ok(packed)
}

/// Returns the text of a message that arrived.
fn unpacked(mut packed: Vec<u8>) -> Result<Vec<u8>> {
    let field = |at: usize| {
        let bytes = packed.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_ne_bytes(bytes)).ok()
    };
    let cut = || odd("a message that is shorter than it says");
    let length = field(24).ok_or_else(cut)?;
    let compressed = field(28).ok_or_else(cut)?;
    if packed.get(36) != Some(&VERSION) {
        return Err(odd("a message of an unknown kind"));
    }
    if length > MOST {
        return Err(odd("a message that is too long"));
    }
    if packed.len() < HEADER {
        return Err(cut());
    }
    let mut text = if compressed == 0 {
        packed.drain(..HEADER);
        packed
    } else {
        let data = packed.get(HEADER..HEADER + compressed).ok_or_else(cut)?;
        let mut text = Vec::new();
        bzip2_rs::DecoderReader::new(data)
            .take(length as u64)
            .read_to_end(&mut text)?;
        text
    };
    if text.len() < length {
        return Err(cut());
    }
    text.truncate(length);
    while text.last() == Some(&0) {
        text.pop();
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<a b=\"c\"/>";

    /// What `printf '<a b="c"/>\0' | bzip2` writes.
    const COMPRESSED: &str = "425a68393141592653597a9b5104000002d900400050008007380020003100302019321e68869b1e2ee48a70a120f536a208";

    fn arrived(length: usize, compressed: usize, text: &[u8]) -> Vec<u8> {
        let mut packed = vec![0; HEADER];
        packed[24..28].copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
        packed[28..32].copy_from_slice(&u32::try_from(compressed).unwrap().to_ne_bytes());
        packed[36] = VERSION;
        packed.extend(text);
        packed
    }

    #[test]
    fn a_message_arrives_as_it_was_sent() {
        let message = packed(&Document::parse(TEXT).unwrap(), 512).unwrap();
        assert_eq!(message.len(), HEADER + TEXT.len() + 1);
        // As Pacemaker's own library sends it, but for the number in front.
        let header = [
            1, 0, 0, 0, 0, 0, 0, 0, 51, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0,
            0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0,
        ];
        assert_eq!(message[..HEADER], header);
        assert_eq!(unpacked(message).unwrap(), TEXT.as_bytes());
    }

    #[test]
    fn what_is_compressed_is_decompressed() {
        let bytes: Vec<u8> = (0..COMPRESSED.len() / 2)
            .map(|at| u8::from_str_radix(&COMPRESSED[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        let message = arrived(TEXT.len() + 1, bytes.len(), &bytes);
        assert_eq!(unpacked(message).unwrap(), TEXT.as_bytes());
        let cut = arrived(TEXT.len() + 1, bytes.len(), &bytes[..20]);
        assert!(unpacked(cut).is_err());
        let broken = arrived(TEXT.len() + 1, bytes.len(), &vec![1; bytes.len()]);
        assert!(unpacked(broken).is_err());
    }

    #[test]
    fn what_is_cut_or_of_another_kind_is_refused() {
        let whole = arrived(4, 0, b"<a/>");
        assert_eq!(unpacked(whole.clone()).unwrap(), b"<a/>");
        for length in 0..whole.len() {
            assert!(unpacked(whole[..length].to_vec()).is_err(), "{length}");
        }
        let mut later = whole;
        later[36] = 2;
        assert!(unpacked(later).is_err());
        assert!(unpacked(arrived(MOST + 1, 0, b"<a/>")).is_err());
    }

    #[test]
    fn the_daemons_user_is_found() {
        let users = "root:x:0:0:root:/root:/bin/sh\nhaclusters:x:7:7::/:/bin/false\n\
            hacluster:x:102:105::/var/lib/pacemaker:/usr/sbin/nologin\n";
        assert_eq!(user_in(users, "hacluster"), Some(102));
        assert_eq!(user_in(users, "nobody"), None);
        assert_eq!(
            user_in("hacluster\nhacluster:x:many:1::/:", "hacluster"),
            None
        );
    }
}
