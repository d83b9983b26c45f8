//! Raw bindings to the C libraries of Pacemaker.
