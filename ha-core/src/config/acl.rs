//! Access control: who may read and write which parts of the CIB.

use super::checked;
use super::macros::{choice, from_each, part, words};
use super::rest::Rest;
use super::set::Reference;
use crate::name::Id;

choice! {
    /// Who may what.
    Acl {
        /// What may be done.
        Role(AclRole) = "acl_role",
        /// Who may do it, as a user.
        User(AclUser) = "acl_target",
        /// Who may do it, as a group of users.
        Group(AclGroup) = "acl_group",
    }
}

from_each!(Acl: Role(AclRole), User(AclUser), Group(AclGroup));

part! {
    /// What those who have this role may do.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{AclRole, AclUser};
    /// let watcher = AclRole::new("watcher").may_read("/cib").may_not_see("//nvpair[@name='passwd']");
    /// let eole = AclUser::new("eole", ["watcher"]);
    /// # let _ = (watcher, eole);
    /// ```
    AclRole {
        /// Its id.
        id: Id = required "id",
        /// What it is for, for people.
        description: Option<String> = optional "description",
        /// What may be done, in order.
        permissions: Vec<Permission> = many "acl_permission",
    }
}

part! {
    /// A user, and its roles.
    AclUser {
        /// The user's name, when there is no other.
        id: String = required "id",
        /// The user's name.
        name: Option<String> = optional "name",
        /// Its roles.
        roles: Vec<Reference> = many "role",
    }
}

part! {
    /// A group of users, and its roles.
    AclGroup {
        /// The group's name, when there is no other.
        id: String = required "id",
        /// The group's name.
        name: Option<String> = optional "name",
        /// Its roles.
        roles: Vec<Reference> = many "role",
    }
}

words! {
    /// What a permission is for.
    PermissionKind {
        /// Reading.
        Read = "read",
        /// Reading and writing.
        Write = "write",
        /// Neither.
        Deny = "deny",
    }
}

part! {
    /// That a part of the CIB may be read, written, or neither.
    Permission {
        /// Its id.
        id: Option<Id> = own "id",
        /// Which of these.
        kind: PermissionKind = required "kind",
        /// The part, as an `XPath` expression.
        xpath: Option<String> = optional "xpath",
        /// The part, by its id.
        reference: Option<Id> = optional "reference",
        /// The part, by the name of its elements.
        element: Option<String> = optional "object-type",
        /// An attribute of those elements.
        attribute: Option<String> = optional "attribute",
        /// What it is for, for people.
        description: Option<String> = optional "description",
    }

    fn suffix(&self, _: &str) -> String {
        self.kind.to_string()
    }
}

impl AclRole {
    /// Makes a role that may do nothing.
    #[must_use]
    pub fn new(id: impl AsRef<str>) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id.as_ref(), &mut rest),
            description: None,
            permissions: Vec::new(),
            rest,
        }
    }

    fn xpath(mut self, kind: PermissionKind, xpath: &str) -> Self {
        self.permissions.push(Permission {
            id: None,
            kind,
            xpath: Some(xpath.to_owned()),
            reference: None,
            element: None,
            attribute: None,
            description: None,
            rest: Rest::default(),
        });
        self
    }

    /// Lets it read what an `XPath` expression finds.
    #[must_use]
    pub fn may_read(self, xpath: &str) -> Self {
        self.xpath(PermissionKind::Read, xpath)
    }

    /// Lets it read and write what an `XPath` expression finds.
    #[must_use]
    pub fn may_write(self, xpath: &str) -> Self {
        self.xpath(PermissionKind::Write, xpath)
    }

    /// Hides what an `XPath` expression finds from it.
    #[must_use]
    pub fn may_not_see(self, xpath: &str) -> Self {
        self.xpath(PermissionKind::Deny, xpath)
    }
}

impl AclUser {
    /// Makes a user with roles.
    #[must_use]
    pub fn new<I: AsRef<str>>(name: &str, roles: impl IntoIterator<Item = I>) -> Self {
        Self {
            id: name.to_owned(),
            name: None,
            roles: Reference::list(roles),
            rest: Rest::default(),
        }
    }
}

impl AclGroup {
    /// Makes a group of users with roles.
    #[must_use]
    pub fn new<I: AsRef<str>>(name: &str, roles: impl IntoIterator<Item = I>) -> Self {
        Self {
            id: name.to_owned(),
            name: None,
            roles: Reference::list(roles),
            rest: Rest::default(),
        }
    }
}
