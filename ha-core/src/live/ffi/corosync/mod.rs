//! The C side of Corosync's libraries.
