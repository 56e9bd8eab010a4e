//! The change of the text.

use std::path::Path;

use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value as Toml};

use super::{Change, Changed, Deed, Value};
use crate::error::{Error, Name, Result, clean};
use crate::profile::schema::LINE;
use crate::profile::{DEFAULT, file};

/// What a file that we make begins with, after the line that names its schema.
const HEAD: &str = "# The profiles of chipp-auth; `chipp-auth profile` changes this file, too. No secrets here: they are in the keychain.\n\n";

/// The text with this change made. `path` is for messages only.
///
/// # Errors
/// `config-bad` if the text was bad before; `usage` if the profile is there already, or not there, or if the
/// profile would be wrong afterwards.
pub fn change(path: &Path, text: &str, change: &Change) -> Result<Changed> {
    // What was wrong before is a mistake in the file; what is wrong afterwards is one in the change.
    let before = file::parse(path, text)?;
    let name = &change.profile;
    let there = before.contains_key(name);
    match &change.deed {
        Deed::Add if there => {
            let what = format!("there is a profile named {name} already");
            return Err(Error::new(Name::Usage, what).hinted(format!(
                "run `chipp-auth profile edit {name}` to change it, or choose another name"
            )));
        }
        // The built-in one can always be edited.
        Deed::Edit(_) if !there && name != DEFAULT => return Err(unknown(name, before.keys())),
        Deed::Remove if !there => return Err(unknown(name, before.keys())),
        _ => {}
    }
    let mut document: DocumentMut =
        text.parse().map_err(|_| Error::new(Name::Internal, "a text that was read cannot be read again"))?;
    match &change.deed {
        Deed::Remove => remove(&mut document, name),
        deed => {
            let table = profile(&mut document, name)?;
            if let Deed::Edit(keys) = deed {
                keys.iter().for_each(|key| unset(table, key));
            }
            for (key, value) in &change.values {
                set(table, key, value);
            }
        }
    }
    let text = document.to_string();
    let profiles = super::super::check::read(&text)
        .map_err(|mistake| Error::new(Name::Usage, mistake.what).hinted(mistake.hint))?;
    Ok(Changed { profiles, text })
}

/// There is no such profile.
pub(crate) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let known: Vec<_> = known.map(String::as_str).collect();
    let hint = match super::super::check::nearest::nearest(name, &known) {
        Some(near) => {
            format!("choose `{near}`, if that is what you mean; `chipp-auth profile list` shows all")
        }
        None => "`chipp-auth profile list` shows those that there are".to_owned(),
    };
    Error::new(Name::Usage, format!("there is no profile named {}", clean(name))).hinted(hint)
}

/// The table of a profile, made if it is not there.
fn profile<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut dyn TableLike> {
    // What stands at the very end is about what stands above it, so a new profile comes after it.
    let trailing = document.trailing().as_str().unwrap_or_default();
    let end = match document.as_table().is_empty() {
        true if trailing.trim().is_empty() => format!("{LINE}\n{HEAD}"),
        true => format!("{}\n\n", trailing.trim()),
        false => format!("{trailing}\n"),
    };
    let odd = || Error::new(Name::Internal, "the table of a profile is no table");
    let profiles = document.as_table_mut().entry("profiles").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let profiles = profiles.as_table_like_mut().ok_or_else(odd)?;
    if profiles.get(name).is_none() {
        let inline = profiles.iter().next().is_some_and(|(_, item)| item.is_inline_table());
        let mut table = Table::new();
        table.decor_mut().set_prefix(&end);
        let item =
            if inline { Item::Value(Toml::InlineTable(InlineTable::new())) } else { Item::Table(table) };
        profiles.insert(name, item);
        if !inline {
            document.set_trailing("");
        }
    }
    let profiles = document.get_mut("profiles").and_then(Item::as_table_like_mut).ok_or_else(odd)?;
    profiles.get_mut(name).and_then(Item::as_table_like_mut).ok_or_else(odd)
}

/// Gives a key its value, and leaves the comment behind it where it is.
fn set(table: &mut dyn TableLike, key: &str, value: &Value) {
    if let Value::Table(members) = value {
        if table.get(key).is_none() {
            table.insert(key, Item::Value(Toml::InlineTable(InlineTable::new())));
        }
        if let Some(inner) = table.get_mut(key).and_then(Item::as_table_like_mut) {
            for (name, value) in members {
                put(inner, name, value.as_str().into());
            }
        }
        if let Some(inline) = table.get_mut(key).and_then(Item::as_inline_table_mut) {
            inline.fmt();
        }
        return;
    }
    let value = match value {
        Value::Text(text) => text.as_str().into(),
        Value::Switch(on) => Toml::from(*on),
        Value::Port(port) => Toml::from(i64::from(*port)),
        Value::List(list) => Toml::Array(list.iter().map(String::as_str).collect::<Array>()),
        Value::Table(_) => return,
    };
    put(table, key, value);
}

fn put(table: &mut dyn TableLike, key: &str, mut value: Toml) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

/// Takes a key out, or one member of its table. A table without members goes as well.
fn unset(table: &mut dyn TableLike, key: &str) {
    let Some((outer, inner)) = key.split_once('.') else {
        table.remove(key);
        return;
    };
    let Some(members) = table.get_mut(outer).and_then(Item::as_table_like_mut) else { return };
    members.remove(inner);
    if members.is_empty() {
        table.remove(outer);
    }
}

/// Takes a profile out, with the comment right above it. What stands further up, after an empty line, is about
/// the file and stays.
fn remove(document: &mut DocumentMut, name: &str) {
    let Some(profiles) = document.get_mut("profiles").and_then(Item::as_table_like_mut) else { return };
    let Some(gone) = profiles.remove(name) else { return };
    let prefix = gone.as_table().and_then(|table| table.decor().prefix()).and_then(RawString::as_str);
    let about_the_file =
        prefix.and_then(|prefix| prefix.trim_end().rsplit_once("\n\n").map(|(above, _)| above.trim_start()));
    // After the head of our own, an empty line comes right before the profile.
    let about_the_file =
        about_the_file.or_else(|| prefix.filter(|prefix| prefix.ends_with("\n\n")).map(str::trim));
    let Some(above) = about_the_file.filter(|above| !above.is_empty()).map(str::to_owned) else { return };
    let position = gone.as_table().and_then(Table::position);
    let next =
        profiles.iter().filter_map(|(name, item)| Some((item.as_table()?.position(), name.to_owned())));
    let next = next.filter(|(at, _)| *at > position).min().map(|(_, name)| name);
    let next = next.and_then(|name| profiles.get_mut(&name)).and_then(Item::as_table_mut);
    match next {
        Some(table) => {
            let own = table
                .decor()
                .prefix()
                .and_then(RawString::as_str)
                .unwrap_or_default()
                .trim_start_matches('\n')
                .to_owned();
            table.decor_mut().set_prefix(format!("{above}\n\n{own}"));
        }
        None => {
            let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
            document.set_trailing(format!("\n{above}\n{trailing}"));
        }
    }
}
