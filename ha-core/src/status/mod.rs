//! What is so in the cluster: computed from a CIB, a time and a zone, and nothing else.
