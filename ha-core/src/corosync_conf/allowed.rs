//! What corosync takes for each value that it looks at, found out with `corosync -t` of 3.1.7.

use std::ops::RangeInclusive;

use super::config::{Cipher, Hash, Transport};

const U32: RangeInclusive<i64> = 0..=u32::MAX as i64;

/// The numbers that corosync takes for a value, where it takes only numbers.
pub(super) fn range_of(path: &str) -> Option<RangeInclusive<i64>> {
    let (section, key) = path.rsplit_once('.')?;
    let u32s: &[&str] = match section {
        "totem" => &[
            "version",
            "nodeid",
            "token",
            "token_warning",
            "token_coefficient",
            "token_retransmit",
            "hold",
            "token_retransmits_before_loss_const",
            "join",
            "send_join",
            "consensus",
            "merge",
            "downcheck",
            "fail_recv_const",
            "seqno_unchanged_const",
            "heartbeat_failures_allowed",
            "max_network_delay",
            "window_size",
            "max_messages",
            "miss_count_const",
            "knet_pmtud_interval",
            "knet_mtu",
            "netmtu",
            "threads",
            "knet_compression_threshold",
        ],
        "quorum" => match key {
            "two_node"
            | "wait_for_all"
            | "last_man_standing"
            | "auto_tie_breaker"
            | "allow_downscale"
            | "expected_votes_tracking" => return Some(0..=255),
            _ => &["expected_votes", "votes", "last_man_standing_window"],
        },
        _ if section.starts_with("nodelist.node.") => &["nodeid", "quorum_votes"],
        _ if section.starts_with("totem.interface.") => match key {
            "mcastport" => return Some(0..=65535),
            "linknumber" | "ttl" | "knet_link_priority" => return Some(0..=255),
            _ => &[
                "knet_ping_interval",
                "knet_ping_timeout",
                "knet_ping_precision",
                "knet_pong_count",
            ],
        },
        _ => &[],
    };
    match path {
        "totem.knet_compression_level" => Some(i64::from(i32::MIN)..=i64::from(i32::MAX)),
        "totem.config_version" => Some(0..=i64::MAX),
        _ => u32s.contains(&key).then_some(U32),
    }
}

/// The words that corosync takes for a value, where it takes no others.
pub(super) fn words_of(path: &str) -> Option<&'static [&'static str]> {
    const SWITCH: &[&str] = &["on", "off"];
    const YES: &[&str] = &["yes", "no", "on", "off"];
    const PRIORITY: &[&str] = &[
        "alert", "crit", "debug", "emerg", "err", "info", "notice", "warning",
    ];
    Some(match path {
        "totem.transport" => Transport::WORDS,
        "totem.crypto_cipher" => Cipher::WORDS,
        "totem.crypto_hash" => Hash::WORDS,
        "totem.crypto_model" => &["nss", "openssl"],
        "totem.link_mode" => &["active", "passive", "rr"],
        "totem.ip_version" => &["ipv4", "ipv6", "ipv4-6", "ipv6-4"],
        "logging.fileline" | "logging.function_name" | "logging.blackbox" => SWITCH,
        "logging.to_stderr" | "logging.to_logfile" | "logging.to_syslog" => YES,
        "logging.debug" => &["on", "off", "trace"],
        "logging.timestamp" => &["on", "off", "hires"],
        "logging.logfile_priority" | "logging.syslog_priority" => PRIORITY,
        "system.qb_ipc_type" => &["native", "shm", "socket"],
        "system.sched_rr" => &["yes", "no"],
        _ if path.starts_with("totem.interface.") && path.ends_with(".knet_transport") => {
            &["udp", "sctp"]
        }
        _ => return None,
    })
}
