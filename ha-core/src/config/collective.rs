//! Groups and clones.

use super::attributes::AttributeSet;
use super::checked;
use super::macros::{choice, from_each, part};
use super::resource::Primitive;
use super::rest::Rest;
use crate::name::Id;

part! {
    /// Primitives that run on the same node, started in order and stopped in reverse.
    Group {
        /// Its id.
        id: Id = required "id",
        /// What it is, for people.
        description: Option<String> = optional "description",
        /// What the cluster makes of it.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What the agents of its members are told.
        parameters: Vec<AttributeSet> = many "instance_attributes",
        /// Its members, in order.
        members: Vec<Primitive> = many "primitive",
    }
}

impl Group {
    /// Makes a group of primitives.
    #[must_use]
    pub fn new(id: impl AsRef<str>, members: impl IntoIterator<Item = Primitive>) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id.as_ref(), &mut rest),
            description: None,
            meta: Vec::new(),
            parameters: Vec::new(),
            members: members.into_iter().collect(),
            rest,
        }
    }
}

choice! {
    /// What is cloned.
    CloneMember {
        /// A primitive.
        Primitive(Primitive) = "primitive",
        /// A group.
        Group(Group) = "group",
    }
}

from_each!(CloneMember: Primitive(Primitive), Group(Group));

impl CloneMember {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &Id {
        match self {
            Self::Primitive(primitive) => &primitive.id,
            Self::Group(group) => &group.id,
        }
    }
}

part! {
    /// The same on several nodes, or several times on one.
    CloneSet {
        /// Its id.
        id: Id = required "id",
        /// What it is, for people.
        description: Option<String> = optional "description",
        /// What the cluster makes of it.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What the agents of its members are told.
        parameters: Vec<AttributeSet> = many "instance_attributes",
        /// What is cloned.
        member: CloneMember = exactly,
    }
}

impl CloneSet {
    /// Makes a clone of a primitive or a group: one instance on each node.
    #[must_use]
    pub fn new(id: impl AsRef<str>, member: impl Into<CloneMember>) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id.as_ref(), &mut rest),
            description: None,
            meta: Vec::new(),
            parameters: Vec::new(),
            member: member.into(),
            rest,
        }
    }

    /// Makes it promotable: some of its instances are promoted.
    #[must_use]
    pub fn promotable(self) -> Self {
        self.meta("promotable", true)
    }
}
