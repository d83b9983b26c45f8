//! The configuration as types.

use std::net::IpAddr;
use std::str::FromStr;

use super::file::{Entry, File, Section};
use crate::{Error, Result};

/// Makes an enum of the words that a value may be.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$item])* $variant,)+ }

        impl $name {
            pub(super) const WORDS: &[&str] = &[$($word),+];

            /// Returns the word as it stands in the file.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(word: &str) -> Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Error::invalid(format!("\"{word}\" is not known here"))
                        .with_hint(concat!("one of:" $(, " ", $word)+))),
                }
            }
        }
    };
}
words! {
    /// How the nodes talk.
    Transport {
        /// Multicast or broadcast, one link, in clear.
        Udp = "udp",
        /// Unicast, one link, in clear.
        Udpu = "udpu",
        /// Kronosnet: up to eight links, encrypted if asked.
        Knet = "knet",
    }
}
words! {
    /// What encrypts the messages (knet).
    Cipher {
        /// Nothing.
        None = "none",
        /// AES, 128 bits.
        Aes128 = "aes128",
        /// AES, 192 bits.
        Aes192 = "aes192",
        /// AES, 256 bits.
        Aes256 = "aes256",
    }
}
words! {
    /// What authenticates the messages (knet).
    Hash {
        /// Nothing.
        None = "none",
        /// MD5.
        Md5 = "md5",
        /// SHA-1.
        Sha1 = "sha1",
        /// SHA-2, 256 bits.
        Sha256 = "sha256",
        /// SHA-2, 384 bits.
        Sha384 = "sha384",
        /// SHA-2, 512 bits.
        Sha512 = "sha512",
    }
}

/// A whole configuration. Times are in milliseconds; what is `None` is left to corosync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The protocol between the nodes.
    pub totem: Totem,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Who decides on quorum; without it there is none.
    pub quorum: Option<Quorum>,
    /// Where messages go.
    pub logging: Option<Logging>,
    /// What is not understood, as it stands.
    pub other: Vec<Entry>,
}

/// `totem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totem {
    /// The cluster's name; without `mcastaddr` the multicast address follows from it.
    pub cluster_name: Option<String>,
    /// How the nodes talk.
    pub transport: Transport,
    /// What encrypts; it needs a hash, and the key file on all nodes.
    pub crypto_cipher: Option<Cipher>,
    /// What authenticates; it needs the key file on all nodes.
    pub crypto_hash: Option<Hash>,
    /// After how long without the token a node is taken for lost (corosync: 3000).
    pub token: Option<u32>,
    /// How often the token is sent again before that (4).
    pub token_retransmits_before_loss_const: Option<u32>,
    /// How long to wait for all to agree on a membership (1.2 x token).
    pub consensus: Option<u32>,
    /// How long to wait for join messages (50).
    pub join: Option<u32>,
    /// The links, where something is to be said of them.
    pub interfaces: Vec<Interface>,
    /// What is not understood, as it stands.
    pub other: Vec<Entry>,
}

/// `totem { interface }`: a link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interface {
    /// The number of the link (0), the only one with udp.
    pub linknumber: Option<u8>,
    /// The older name of that number, which corosync 3.1 does not read.
    pub ringnumber: Option<u8>,
    /// The network to bind to (udp without node list; with one, corosync takes the node's address).
    pub bindnetaddr: Option<IpAddr>,
    /// The multicast group (udp).
    pub mcastaddr: Option<IpAddr>,
    /// The port (5405); udp uses the one below it too.
    pub mcastport: Option<u16>,
    /// What is not understood, as it stands.
    pub other: Vec<Entry>,
}

/// `nodelist { node }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The name, by which Pacemaker knows it: the host's name.
    pub name: Option<String>,
    /// The number, from 1; required with knet.
    pub nodeid: Option<u32>,
    /// Address or host name on each link: the number of the link with it.
    pub addresses: Vec<(u8, String)>,
    /// What is not understood, as it stands.
    pub other: Vec<Entry>,
}

/// `quorum`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Who decides: `corosync_votequorum`.
    pub provider: Option<String>,
    /// One of two nodes has quorum alone; it also sets `wait_for_all`.
    pub two_node: Option<bool>,
    /// After a start, no quorum until all nodes have been seen once.
    pub wait_for_all: Option<bool>,
    /// How many votes there are, without node list.
    pub expected_votes: Option<u32>,
    /// What is not understood, as it stands.
    pub other: Vec<Entry>,
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logging {
    /// To standard error.
    pub to_stderr: Option<bool>,
    /// To syslog.
    pub to_syslog: Option<bool>,
    /// To a file.
    pub to_logfile: Option<bool>,
    /// That file; its directory must exist.
    pub logfile: Option<String>,
    /// What is not understood, as it stands.
    pub other: Vec<Entry>,
}

impl Node {
    /// Makes a node with its addresses on links 0, 1, ...
    #[must_use]
    pub fn new(name: impl Into<String>, nodeid: u32, addresses: &[IpAddr]) -> Self {
        let addresses = (0..).zip(addresses.iter().map(IpAddr::to_string));
        Self {
            name: Some(name.into()),
            nodeid: Some(nodeid),
            addresses: addresses.collect(),
            other: Vec::new(),
        }
    }
}

impl Config {
    fn new(cluster_name: &str, transport: Transport, nodes: Vec<Node>) -> Self {
        Self {
            quorum: Some(Quorum {
                provider: Some("corosync_votequorum".to_owned()),
                two_node: (nodes.len() == 2).then_some(true),
                wait_for_all: None,
                expected_votes: None,
                other: Vec::new(),
            }),
            totem: Totem {
                cluster_name: Some(cluster_name.to_owned()),
                transport,
                crypto_cipher: None,
                crypto_hash: None,
                token: None,
                token_retransmits_before_loss_const: None,
                consensus: None,
                join: None,
                interfaces: Vec::new(),
                other: Vec::new(),
            },
            nodes,
            logging: Some(Logging {
                to_stderr: Some(false),
                to_syslog: Some(true),
                ..Logging::default()
            }),
            other: Vec::new(),
        }
    }

    /// A cluster over multicast on one link, in clear: for a link of its own. Its interface is the one that has the node's address.
    #[must_use]
    pub fn multicast(cluster_name: &str, nodes: Vec<Node>, group: IpAddr, port: u16) -> Self {
        let mut config = Self::new(cluster_name, Transport::Udp, nodes);
        config.totem.interfaces.push(Interface {
            linknumber: Some(0),
            mcastaddr: Some(group),
            mcastport: Some(port),
            ..Interface::default()
        });
        if group.is_ipv6() {
            let version = super::Value::new("ip_version", "ipv6");
            config.totem.other.push(Entry::Value(version));
        }
        config
    }

    /// A cluster over knet, encrypted, on as many links as the nodes have addresses. All nodes need the same key file.
    #[must_use]
    pub fn knet(cluster_name: &str, nodes: Vec<Node>) -> Self {
        let mut config = Self::new(cluster_name, Transport::Knet, nodes);
        config.totem.crypto_cipher = Some(Cipher::Aes256);
        config.totem.crypto_hash = Some(Hash::Sha256);
        config
    }

    /// Reads what a file says. Comments are not kept: they are in the [`File`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the line where a value is not of its type.
    pub fn read(file: &File) -> Result<Self> {
        let mut root = Rest::of([&file.root]);
        let totem = root.merged("totem").unwrap_or_default().totem()?;
        let mut list = root.merged("nodelist").unwrap_or_default();
        let sections = list.sections("node");
        let nodes = sections.iter().map(|node| Rest::of([node]).node());
        let nodes = nodes.collect::<Result<_>>()?;
        let quorum = root.merged("quorum").map(Rest::quorum).transpose()?;
        let logging = root.merged("logging").map(Rest::logging).transpose()?;
        if !list.0.is_empty() {
            let mut section = Section::new("nodelist");
            section.entries = list.0;
            root.0.push(Entry::Section(section));
        }
        Ok(Self {
            totem,
            nodes,
            quorum,
            logging,
            other: root.0,
        })
    }

    /// Returns the file that says this.
    #[must_use]
    pub fn to_file(&self) -> File {
        let mut sections = vec![self.totem.section()];
        let mut list = Section::new("nodelist");
        let nodes = self.nodes.iter().map(|node| Entry::Section(node.section()));
        list.entries.extend(nodes);
        if !list.entries.is_empty() {
            sections.push(list);
        }
        sections.extend(self.quorum.as_ref().map(Quorum::section));
        sections.extend(self.logging.as_ref().map(Logging::section));
        let mut file = File::default();
        for section in sections {
            if !file.root.entries.is_empty() {
                file.root.entries.push(Entry::Comment(String::new()));
            }
            file.root.entries.push(Entry::Section(section));
        }
        file.root.entries.extend(self.other.iter().cloned());
        file
    }
}

/// What of some sections was not read yet.
#[derive(Default)]
struct Rest(Vec<Entry>);

impl Rest {
    fn of<'a>(sections: impl IntoIterator<Item = &'a Section>) -> Self {
        let entries = sections.into_iter().flat_map(|section| &section.entries);
        let kept = entries.filter(|entry| !matches!(entry, Entry::Comment(_)));
        Self(kept.cloned().collect())
    }

    fn sections(&mut self, name: &str) -> Vec<Section> {
        let mut out = Vec::new();
        self.0.retain(|entry| match entry {
            Entry::Section(section) if section.name() == name => {
                out.push(section.clone());
                false
            }
            _ => true,
        });
        out
    }

    /// Sections of one name count as one.
    fn merged(&mut self, name: &str) -> Option<Self> {
        let sections = self.sections(name);
        (!sections.is_empty()).then(|| Self::of(&sections))
    }

    fn read<T>(&mut self, key: &str, read: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
        let mut last = None;
        self.0.retain(|entry| match entry {
            Entry::Value(value) if value.key() == key => {
                last = Some(value.clone());
                false
            }
            _ => true,
        });
        let Some(value) = last else { return Ok(None) };
        read(value.value())
            .map(Some)
            .map_err(|e| match value.line() {
                Some(line) => e.context(format!("line {line}: {key}")),
                None => e.context(key.to_owned()),
            })
    }

    fn text(&mut self, key: &str) -> Result<Option<String>> {
        self.read(key, |text| Ok(text.to_owned()))
    }

    fn word<T: FromStr<Err = Error>>(&mut self, key: &str) -> Result<Option<T>> {
        self.read(key, str::parse)
    }

    fn number<T: FromStr<Err = std::num::ParseIntError>>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>> {
        self.read(key, |text| {
            text.parse().map_err(|_| {
                Error::invalid(format!("\"{text}\" is not a whole number in its range"))
                    .with_hint("write digits alone, without a unit or a comment")
            })
        })
    }

    fn address(&mut self, key: &str) -> Result<Option<IpAddr>> {
        self.read(key, |text| {
            text.parse().map_err(|_| {
                Error::invalid(format!("\"{text}\" is not an IP address"))
                    .with_hint("write an address such as 192.168.5.0")
            })
        })
    }

    fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        self.read(key, |text| match text {
            "yes" | "on" => Ok(true),
            "no" | "off" => Ok(false),
            _ => Err(Error::invalid(format!("\"{text}\" is neither yes nor no"))
                .with_hint("write yes or no")),
        })
    }

    fn totem(mut self) -> Result<Totem> {
        let version = self.number::<u32>("version")?;
        if version != Some(2) {
            let error = Error::invalid("totem.version is not 2");
            return Err(error.with_hint("write \"version: 2\" in totem"));
        }
        let interfaces = self.sections("interface");
        Ok(Totem {
            cluster_name: self.text("cluster_name")?,
            transport: self.word("transport")?.unwrap_or(Transport::Knet),
            crypto_cipher: self.word("crypto_cipher")?,
            crypto_hash: self.word("crypto_hash")?,
            token: self.number("token")?,
            token_retransmits_before_loss_const: self
                .number("token_retransmits_before_loss_const")?,
            consensus: self.number("consensus")?,
            join: self.number("join")?,
            interfaces: interfaces
                .iter()
                .map(|section| Self::of([section]).interface())
                .collect::<Result<_>>()?,
            other: self.0,
        })
    }

    fn interface(mut self) -> Result<Interface> {
        Ok(Interface {
            linknumber: self.number("linknumber")?,
            ringnumber: self.number("ringnumber")?,
            bindnetaddr: self.address("bindnetaddr")?,
            mcastaddr: self.address("mcastaddr")?,
            mcastport: self.number("mcastport")?,
            other: self.0,
        })
    }

    fn node(mut self) -> Result<Node> {
        let mut addresses = Vec::new();
        for link in 0..=u8::MAX {
            if let Some(address) = self.text(&format!("ring{link}_addr"))? {
                addresses.push((link, address));
            }
        }
        Ok(Node {
            name: self.text("name")?,
            nodeid: self.number("nodeid")?,
            addresses,
            other: self.0,
        })
    }

    fn quorum(mut self) -> Result<Quorum> {
        Ok(Quorum {
            provider: self.text("provider")?,
            two_node: self.number::<u8>("two_node")?.map(|n| n != 0),
            wait_for_all: self.number::<u8>("wait_for_all")?.map(|n| n != 0),
            expected_votes: self.number("expected_votes")?,
            other: self.0,
        })
    }

    fn logging(mut self) -> Result<Logging> {
        Ok(Logging {
            to_stderr: self.flag("to_stderr")?,
            to_syslog: self.flag("to_syslog")?,
            to_logfile: self.flag("to_logfile")?,
            logfile: self.text("logfile")?,
            other: self.0,
        })
    }
}

fn put(section: &mut Section, key: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        section.push(key, value.to_string());
    }
}

fn yes(flag: Option<bool>) -> Option<&'static str> {
    flag.map(|flag| if flag { "yes" } else { "no" })
}

impl Totem {
    fn section(&self) -> Section {
        let mut out = Section::new("totem");
        out.push("version", "2");
        put(&mut out, "cluster_name", self.cluster_name.as_ref());
        out.push("transport", self.transport.as_str());
        put(
            &mut out,
            "crypto_cipher",
            self.crypto_cipher.map(Cipher::as_str),
        );
        put(&mut out, "crypto_hash", self.crypto_hash.map(Hash::as_str));
        put(&mut out, "token", self.token);
        let key = "token_retransmits_before_loss_const";
        put(&mut out, key, self.token_retransmits_before_loss_const);
        put(&mut out, "consensus", self.consensus);
        put(&mut out, "join", self.join);
        for link in &self.interfaces {
            let mut section = Section::new("interface");
            put(&mut section, "linknumber", link.linknumber);
            put(&mut section, "ringnumber", link.ringnumber);
            put(&mut section, "bindnetaddr", link.bindnetaddr);
            put(&mut section, "mcastaddr", link.mcastaddr);
            put(&mut section, "mcastport", link.mcastport);
            section.entries.extend(link.other.iter().cloned());
            out.entries.push(Entry::Section(section));
        }
        out.entries.extend(self.other.iter().cloned());
        out
    }
}

impl Node {
    fn section(&self) -> Section {
        let mut out = Section::new("node");
        put(&mut out, "name", self.name.as_ref());
        put(&mut out, "nodeid", self.nodeid);
        for (link, address) in &self.addresses {
            out.push(format!("ring{link}_addr"), address);
        }
        out.entries.extend(self.other.iter().cloned());
        out
    }
}

impl Quorum {
    fn section(&self) -> Section {
        let mut out = Section::new("quorum");
        put(&mut out, "provider", self.provider.as_ref());
        put(&mut out, "two_node", self.two_node.map(u8::from));
        put(&mut out, "wait_for_all", self.wait_for_all.map(u8::from));
        put(&mut out, "expected_votes", self.expected_votes);
        out.entries.extend(self.other.iter().cloned());
        out
    }
}

impl Logging {
    fn section(&self) -> Section {
        let mut out = Section::new("logging");
        put(&mut out, "to_stderr", yes(self.to_stderr));
        put(&mut out, "to_syslog", yes(self.to_syslog));
        put(&mut out, "to_logfile", yes(self.to_logfile));
        put(&mut out, "logfile", self.logfile.as_ref());
        out.entries.extend(self.other.iter().cloned());
        out
    }
}
