//! Where things stand in the file, and what they are called in messages.

use std::collections::HashMap;
use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

/// Where things are, to say it of what is found later.
#[derive(Default)]
pub(super) struct Places {
    pub(super) heads: HashMap<String, Range<usize>>,
    pub(super) keys: HashMap<(String, String), Range<usize>>,
}

impl Places {
    /// The place of a key of a profile, or else of the profile.
    pub(super) fn of(&self, profile: &str, key: &str) -> Range<usize> {
        let found = self.keys.get(&(profile.to_owned(), key.to_owned()));
        found.or_else(|| self.heads.get(profile)).cloned().unwrap_or_default()
    }

    /// Whether the profile itself states the key.
    pub(super) fn has(&self, profile: &str, key: &str) -> bool {
        self.keys.contains_key(&(profile.to_owned(), key.to_owned()))
    }
}

/// Where a key stands, or at least its value.
pub(super) fn place(table: &dyn TableLike, name: &str, item: &Item) -> Range<usize> {
    table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span()).unwrap_or_default()
}

pub(super) fn kind(item: &Item) -> &'static str {
    match item {
        Item::Value(value) => kind_of(value),
        Item::Table(_) => "a table",
        Item::ArrayOfTables(_) => "a list of tables",
        Item::None => "nothing",
    }
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a number",
        Value::Float(_) => "a number with a point",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::InlineTable(_) => "a table",
    }
}
