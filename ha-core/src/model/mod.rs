//! The typed CIB: borrowed views over the tree, no decisions.
