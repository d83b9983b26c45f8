//! Checked names: what XML, Corosync and Pacemaker accept as an id or a name.
