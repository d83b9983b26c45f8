//! The C side of Pacemaker's libraries.
