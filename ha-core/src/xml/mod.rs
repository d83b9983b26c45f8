//! The CIB as a tree of elements: parse, edit, write, compare, patch.
