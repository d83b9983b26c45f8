//! Nodes in namespaces that run the real Corosync and Pacemaker.
