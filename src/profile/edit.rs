//! Changes `profiles.toml` and keeps everything else in it: comments, order, line ends.
//!
//! [`change`] is pure: a text in, a text out. [`write`] does it to the file: under a lock between processes, on
//! the text as it is then, so that nothing of a change made meanwhile is lost; and only if the whole new text
//! passes the strict reader.

mod text;
mod write;

use std::collections::BTreeMap;

use super::Entry;

pub use text::change;
pub(crate) use text::unknown;
pub use write::write;

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Switch(bool),
    /// A port.
    Port(u16),
    /// A list, in the place of the one that is there.
    List(Vec<String>),
    /// Members of a table; others stay.
    Table(Vec<(String, String)>),
}

/// What is to become of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It must not be there yet.
    Add,
    /// It must be there. These keys are taken out first; `headers.X-Team` is one header.
    Edit(Vec<String>),
    /// It is taken out.
    Remove,
}

/// A change of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The profile.
    pub profile: String,
    /// What is done to it.
    pub deed: Deed,
    /// The keys that get a value, in the order in which they are written.
    pub values: Vec<(&'static str, Value)>,
}

/// What stands in the file after a change.
pub struct Changed {
    /// All profiles.
    pub profiles: BTreeMap<String, Entry>,
    /// The whole text.
    pub text: String,
}
