//! What packets look like where they arrive: a small server that says who asks, and its client.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, Result};
use lab::agent::Running;
use lab::harness::Harness;
use lab::{Node, agent};
use serde::{Deserialize, Serialize};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("sphynx::serve", serve);
    harness.agent("sphynx::ask", ask);
}

/// The port of the server, by UDP and TCP.
const PORT: u16 = 7007;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The address that a request came from.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    protocol: String,
    by: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Question {
    udp: bool,
    to: String,
}

/// Serves until nobody listens any more; says who asks, and tells the asker too.
fn serve((): ()) -> Result<()> {
    let tcp = TcpListener::bind(("0.0.0.0", PORT)).context("listen")?;
    let udp = UdpSocket::bind(("0.0.0.0", PORT)).context("listen")?;
    agent::say(&"ready")?;
    std::thread::spawn(move || -> Result<()> {
        loop {
            let (mut stream, peer) = tcp.accept().context("accept")?;
            let by = peer.ip().to_string();
            // A client that is gone meanwhile harms nobody.
            let _ = stream.write_all(by.as_bytes());
            agent::say(&Asked {
                protocol: "tcp".into(),
                by,
            })?;
        }
    });
    let mut request = [0; 64];
    loop {
        let (_, peer) = udp.recv_from(&mut request).context("receive")?;
        let by = peer.ip().to_string();
        udp.send_to(by.as_bytes(), peer).context("answer")?;
        agent::say(&Asked {
            protocol: "udp".into(),
            by,
        })?;
    }
}

/// Asks the server once; returns the address that it saw.
fn ask(question: Question) -> Result<String> {
    let to = format!("{}:{PORT}", question.to);
    let mut answer = String::new();
    if question.udp {
        let socket = UdpSocket::bind("0.0.0.0:0").context("open a socket")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // Not connected: a machine with several addresses answers with the one of its route.
        socket
            .send_to(b"who", &to)
            .with_context(|| format!("ask {to}"))?;
        let mut buffer = [0; 64];
        let length = socket
            .recv(&mut buffer)
            .with_context(|| format!("hear {to}"))?;
        answer = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
    } else {
        let address = to.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| Error::invalid(format!("no address {to}")))?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
            .with_context(|| format!("connect to {to}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream
            .read_to_string(&mut answer)
            .with_context(|| format!("hear {to}"))?;
    }
    Ok(answer)
}

/// The server on a machine.
pub(crate) struct Server(Running);

impl Server {
    pub(crate) fn start(on: &Node<'_>) -> Result<Self> {
        let mut running = on.start_agent("sphynx::serve", &())?;
        assert_eq!(running.heard::<String>()?.as_deref(), Some("ready"));
        Ok(Self(running))
    }

    /// Asks it from a machine, by UDP and TCP; returns the address that it saw, which both ends and
    /// both protocols must agree about.
    pub(crate) fn asked_by(&mut self, from: &Node<'_>, to: &str) -> Result<String> {
        let mut seen = Vec::new();
        for udp in [true, false] {
            let question = Question {
                udp,
                to: to.to_owned(),
            };
            let told: String = from.call("sphynx::ask", &question)?;
            let asked: Option<Asked> = self.0.heard()?;
            let protocol = if udp { "udp" } else { "tcp" }.to_owned();
            let by = told.clone();
            assert_eq!(asked, Some(Asked { protocol, by }));
            seen.push(told);
        }
        assert_eq!(seen.first(), seen.last());
        Ok(seen.swap_remove(0))
    }
}
