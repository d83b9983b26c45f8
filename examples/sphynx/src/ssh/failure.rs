//! What ssh says when it fails, in words that tell the cause and the next step.

use ha_core::{Error, ErrorKind};

use super::Peer;
use crate::say;

/// Why ssh failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The name has no address.
    NoName,
    /// Nobody listens at the port.
    Refused,
    /// No answer, no route.
    Unreachable(String),
    /// The host's key is not known.
    UnknownKey,
    /// The host's key is another than the known one.
    ChangedKey {
        /// The fingerprint of the new one.
        fingerprint: String,
        /// Where the known one is: file and line.
        known_at: String,
    },
    /// The server takes none of what it was shown.
    Denied {
        /// How one may log in.
        methods: String,
    },
    /// The server was shown too many keys.
    TooManyKeys,
    /// The connection was made, and ended.
    Closed(String),
    /// Something else.
    Other(String),
}

impl Failure {
    /// Finds out why ssh failed by what it said.
    pub(crate) fn of(said: &str) -> Self {
        let line = |part: &str| said.lines().find(|line| line.contains(part));
        let after = |part: &str, end: &[char]| {
            let (_, rest) = line(part)?.split_once(part)?;
            let word = rest.trim().split(end).next()?;
            Some(word.trim_end_matches('.').to_owned())
        };
        if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
            let fingerprint = after("SHA256:", &[' ']).map(|f| format!("SHA256:{f}"));
            return Self::ChangedKey {
                fingerprint: fingerprint.unwrap_or_default(),
                known_at: line("Offending ")
                    .and_then(|line| line.rsplit(' ').next())
                    .unwrap_or_default()
                    .to_owned(),
            };
        }
        if line("host key is known for").is_some() || line("Host key verification failed").is_some()
        {
            return Self::UnknownKey;
        }
        if line("Could not resolve hostname").is_some() {
            return Self::NoName;
        }
        if line("Connection refused").is_some() {
            return Self::Refused;
        }
        for reason in [
            "Connection timed out",
            "Operation timed out",
            "No route to host",
            "Network is unreachable",
            "Host is down",
        ] {
            if line(reason).is_some() {
                return Self::Unreachable(reason.to_owned());
            }
        }
        if line("Too many authentication failures").is_some() {
            return Self::TooManyKeys;
        }
        if let Some(methods) = after("Permission denied (", &[')']) {
            return Self::Denied { methods };
        }
        for reason in [
            "Connection closed by",
            "Connection reset by",
            "closed by remote host",
            "not responding",
            "Broken pipe",
            "kex_exchange_identification",
        ] {
            if let Some(line) = line(reason) {
                return Self::Closed(line.to_owned());
            }
        }
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        Self::Other(last.unwrap_or_default().to_owned())
    }

    /// Says it, with what to do.
    pub(crate) fn error(&self, peer: &Peer) -> Error {
        let host = peer.host();
        let name = peer.name();
        let (kind, what, hint) = match self {
            Self::NoName => (
                ErrorKind::NotFound,
                say!(
                    "the name {host} does not resolve",
                    "le nom {host} ne se résout pas"
                ),
                say!(
                    "mend `ssh` of that machine in the settings, or enter the name in /etc/hosts",
                    "corriger `ssh` de cette machine dans le paramétrage, ou inscrire le nom dans /etc/hosts"
                ),
            ),
            Self::Refused => (
                ErrorKind::Disconnected,
                say!(
                    "{host} refuses the connection: no SSH server listens there",
                    "{host} refuse la connexion : aucun serveur SSH n'y écoute"
                ),
                say!(
                    "on {name}: systemctl start ssh",
                    "sur {name} : systemctl start ssh"
                ),
            ),
            Self::Unreachable(reason) => (
                ErrorKind::Timeout,
                say!(
                    "{host} cannot be reached ({reason})",
                    "{host} est injoignable ({reason})"
                ),
                say!(
                    "see to it that {name} is on and that the link is up: ping {host}; ip -brief link",
                    "vérifier que {name} est allumé et que le lien est actif : ping {host} ; ip -brief link"
                ),
            ),
            Self::UnknownKey => (
                ErrorKind::PermissionDenied,
                say!(
                    "the SSH key of {host} is not known here",
                    "la clé SSH de {host} n'est pas connue ici"
                ),
                say!(
                    "run `instance` on a terminal to compare and accept it, or give its fingerprint: --fingerprint SHA256:...",
                    "lancer `instance` sur un terminal pour la comparer et l'accepter, ou donner son empreinte : --empreinte SHA256:..."
                ),
            ),
            Self::ChangedKey {
                fingerprint,
                known_at,
            } => (
                ErrorKind::Conflict,
                say!(
                    "{host} shows another SSH key than the one known at {known_at}: {fingerprint}. The machine was installed \
                     anew, or another answers in its place",
                    "{host} présente une autre clé SSH que celle connue ({known_at}) : {fingerprint}. La machine a été \
                     réinstallée, ou une autre répond à sa place"
                ),
                say!(
                    "on {name} itself: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` (or the ecdsa, rsa one) tells the \
                     right fingerprint; if it is the one above: ssh-keygen -R {host}; then run this again. If not, do not \
                     go on",
                    "sur {name} même : `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` (ou celle ecdsa, rsa) donne la \
                     bonne empreinte ; si c'est celle ci-dessus : ssh-keygen -R {host}, puis relancer. Sinon, ne pas \
                     continuer"
                ),
            ),
            Self::Denied { methods }
                if methods.contains("password") || methods.contains("keyboard") =>
            {
                (
                    ErrorKind::PermissionDenied,
                    say!(
                        "{host} did not let root in: the password is wrong, or its server takes no password of root",
                        "{host} n'a pas laissé entrer root : mot de passe faux, ou son serveur n'accepte pas celui de root"
                    ),
                    say!(
                        "try again; if the password is right, on {name}: `sshd -T | grep permitrootlogin` must say yes \
                     (PermitRootLogin yes in /etc/ssh/sshd_config for the time of `instance`, then systemctl reload ssh)",
                        "réessayer ; si le mot de passe est le bon, sur {name} : `sshd -T | grep permitrootlogin` doit répondre \
                     yes (PermitRootLogin yes dans /etc/ssh/sshd_config le temps d'`instance`, puis systemctl reload ssh)"
                    ),
                )
            }
            Self::Denied { methods } => (
                ErrorKind::PermissionDenied,
                say!(
                    "{host} takes keys alone ({methods}), and none of ours",
                    "{host} n'accepte que des clés ({methods}), et aucune des nôtres"
                ),
                say!(
                    "add the content of /root/.ssh/*.pub of this machine to /root/.ssh/authorized_keys of {name}; or, on {name}, \
                     set PasswordAuthentication yes and PermitRootLogin yes in /etc/ssh/sshd_config for the time of \
                     `instance`",
                    "ajouter le contenu de /root/.ssh/*.pub de cette machine à /root/.ssh/authorized_keys de {name} ; ou, sur \
                     {name}, mettre PasswordAuthentication yes et PermitRootLogin yes dans /etc/ssh/sshd_config le temps \
                     d'`instance`"
                ),
            ),
            Self::TooManyKeys => (
                ErrorKind::PermissionDenied,
                say!(
                    "{host} was shown more keys than it looks at",
                    "trop de clés ont été présentées à {host}"
                ),
                say!(
                    "leave in the agent what is needed (ssh-add -l, ssh-add -d), or run this without it: SSH_AUTH_SOCK=",
                    "ne laisser dans l'agent que le nécessaire (ssh-add -l, ssh-add -d), ou lancer sans lui : SSH_AUTH_SOCK="
                ),
            ),
            Self::Closed(line) => (
                ErrorKind::Disconnected,
                say!(
                    "the connection to {host} was cut: {line}",
                    "la connexion à {host} a été coupée : {line}"
                ),
                say!(
                    "run this again; if it stays so, see the server's log on {name}: journalctl -u ssh",
                    "relancer ; si cela persiste, voir le journal du serveur sur {name} : journalctl -u ssh"
                ),
            ),
            Self::Other(line) => (
                ErrorKind::Daemon,
                say!(
                    "ssh to {host} failed: {line}",
                    "ssh vers {host} a échoué : {line}"
                ),
                say!(
                    "see what ssh itself says: ssh -v root@{host} true",
                    "voir ce que dit ssh lui-même : ssh -v root@{host} true"
                ),
            ),
        };
        Error::new(kind, what).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // What OpenSSH 9.2 says.
    const CHANGED: &str = "\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:0cmyIcNc8s95fbbPPvIVFsrs4wYbVm8xKoBD2FxLzN0.
Please contact your system administrator.
Add correct host key in /root/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /root/.ssh/known_hosts:3
Host key for 10.0.254.11 has changed and you have requested strict checking.
Host key verification failed.
";

    #[test]
    fn each_failure_is_known_by_what_ssh_says() {
        let known = [
            (
                CHANGED,
                Failure::ChangedKey {
                    fingerprint: "SHA256:0cmyIcNc8s95fbbPPvIVFsrs4wYbVm8xKoBD2FxLzN0".to_owned(),
                    known_at: "/root/.ssh/known_hosts:3".to_owned(),
                },
            ),
            (
                "No ED25519 host key is known for 10.0.254.11 and you have requested strict checking.\nHost key verification failed.\n",
                Failure::UnknownKey,
            ),
            (
                "ssh: Could not resolve hostname maitr: Name or service not known\n",
                Failure::NoName,
            ),
            (
                "ssh: connect to host 10.0.254.11 port 22: Connection refused\n",
                Failure::Refused,
            ),
            (
                "ssh: connect to host 10.0.254.11 port 22: Connection timed out\n",
                Failure::Unreachable("Connection timed out".to_owned()),
            ),
            (
                "ssh: connect to host 10.0.254.11 port 22: No route to host\n",
                Failure::Unreachable("No route to host".to_owned()),
            ),
            (
                "Permission denied, please try again.\nroot@10.0.254.11: Permission denied (publickey,password).\n",
                Failure::Denied {
                    methods: "publickey,password".to_owned(),
                },
            ),
            (
                "Received disconnect from 10.0.254.11 port 22:2: Too many authentication failures\nDisconnected from 10.0.254.11 port 22\n",
                Failure::TooManyKeys,
            ),
            (
                "kex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.254.11 port 22\n",
                Failure::Closed(
                    "kex_exchange_identification: Connection closed by remote host".to_owned(),
                ),
            ),
            ("strange\n\n", Failure::Other("strange".to_owned())),
        ];
        let peer = Peer::new("maitre", "10.0.254.11");
        for (said, failure) in known {
            assert_eq!(Failure::of(said), failure);
            // Each with a next step.
            assert!(
                failure
                    .error(&peer)
                    .hint()
                    .is_some_and(|hint| !hint.is_empty())
            );
        }
    }

    #[test]
    fn a_changed_key_is_told_with_the_fix() {
        let error = Failure::of(CHANGED).error(&Peer::new("maitre", "10.0.254.11"));
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains("SHA256:0cmy"), "{error}");
        assert!(error.hint().unwrap().contains("ssh-keygen -R 10.0.254.11"));
    }
}
