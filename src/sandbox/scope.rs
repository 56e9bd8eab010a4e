//! The nine permissions of the product page, and `*` for all of them.

use std::collections::BTreeSet;
use std::fmt;

/// Each scope with what it allows, in the words of the product page.
pub(super) const SCOPES: [(&str, &str); 9] = [
    ("apps:read", "View your apps"),
    ("apps:write", "Create, update, delete apps"),
    ("knowledge:read", "View knowledge sources"),
    ("knowledge:write", "Add, update, delete knowledge sources"),
    ("actions:read", "View custom actions"),
    ("actions:write", "Manage custom actions"),
    ("analytics:read", "View conversation analytics"),
    ("workspace:read", "View workspace information"),
    ("billing:read", "View subscription and credits"),
];

/// Every scope that may be asked for.
pub(super) fn supported() -> Vec<&'static str> {
    SCOPES.iter().map(|(name, _)| *name).chain(["*"]).collect()
}

/// A set of known scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope(BTreeSet<&'static str>);

impl Scope {
    /// Reads a space-separated list (RFC 6749 section 3.3). `None` if one of them is unknown or
    /// there is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let known = supported();
        let set: Option<BTreeSet<_>> = text
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(|name| known.iter().copied().find(|known| *known == name))
            .collect();
        set.filter(|set| !set.is_empty()).map(Scope)
    }

    /// Full access: what an authorization request without `scope` means here.
    pub(super) fn all() -> Self {
        Scope(BTreeSet::from(["*"]))
    }

    pub(super) fn covers(&self, needed: &str) -> bool {
        self.0.contains("*") || self.0.contains(needed)
    }

    pub(super) fn covers_all_of(&self, other: &Scope) -> bool {
        other.0.iter().all(|needed| self.covers(needed))
    }

    /// What the consent page says.
    pub(super) fn in_words(&self) -> Vec<(&'static str, &'static str)> {
        if self.0.contains("*") {
            return vec![(
                "*",
                "Full access to your apps, knowledge, actions, analytics, workspace and billing",
            )];
        }
        SCOPES.into_iter().filter(|(name, _)| self.0.contains(name)).collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().copied().collect();
        f.write_str(&names.join(" "))
    }
}
