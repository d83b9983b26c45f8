//! Corosync: closed process groups, quorum, the configuration map, links.
