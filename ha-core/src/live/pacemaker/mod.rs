//! Pacemaker: the CIB, attributes, the controller, the fencer, the executor.
