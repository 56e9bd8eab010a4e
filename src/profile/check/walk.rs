//! Goes through the document and looks at each key and each value by itself.

use std::ops::Range;

use toml_edit::{Document, Item};

use super::places::{Places, kind, kind_of, place};
use super::value::{self, Verdict, Wrong};
use super::{Finding, nearest, profile_name};
use crate::error::clean;
use crate::profile::keys::{self, Form, KEYS, Key};

/// What has been found.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) findings: Vec<Finding>,
    pub(super) places: Places,
}

/// A value and whose it is.
struct Spot<'a> {
    profile: &'a str,
    key: &'static Key,
    at: Range<usize>,
}

impl Walk {
    fn say(&mut self, at: Range<usize>, what: String, hint: impl Into<String>) {
        self.findings.push(Finding { at, what, hint: hint.into() });
    }

    /// The whole file: one table of profiles.
    pub(super) fn document(&mut self, document: &Document<&str>) {
        for (name, item) in document.iter() {
            let at = place(document.as_table(), name, item);
            if name != "profiles" {
                self.stranger(at, name, item);
            } else if let Some(profiles) = item.as_table_like() {
                for (name, item) in profiles.iter() {
                    let at = place(profiles, name, item);
                    self.profile(name, item, at);
                }
            } else {
                let what = format!("`profiles` is {}, not a table", kind(item));
                self.say(at, what, "write each profile under a head of its own: [profiles.NAME]");
            }
        }
    }

    /// Something else than profiles.
    fn stranger(&mut self, at: Range<usize>, name: &str, item: &Item) {
        let shown = clean(name);
        let (what, hint) = if keys::find(name).is_some() || nearest::is_secret(name) {
            let hint = match nearest::is_secret(name) {
                true => &value::SECRET.replace("PROFILE", "NAME"),
                false => "put it below the head of a profile: [profiles.NAME]",
            };
            (format!("`{shown}` stands in no profile"), hint.to_owned())
        } else if nearest::nearest(name, &["profiles"]).is_some() {
            (format!("the file has an unknown table `{shown}`"), "write [profiles.NAME]".to_owned())
        } else if item.is_table_like() {
            let hint = match profile_name(name) {
                Ok(()) => format!("write [profiles.{shown}], if it is a profile"),
                Err(_) => "write [profiles.NAME], if it is a profile".to_owned(),
            };
            (format!("the file has an unknown table `{shown}`"), hint)
        } else {
            (
                format!("the file has an unknown key `{shown}`"),
                "remove it; there are only profiles here: [profiles.NAME]".to_owned(),
            )
        };
        self.say(at, what, hint);
    }

    fn profile(&mut self, name: &str, item: &Item, at: Range<usize>) {
        self.places.heads.insert(name.to_owned(), at.clone());
        if let Err(Wrong { what, hint }) = profile_name(name) {
            return self.say(at, format!("the name of the profile `{}` {what}", clean(name)), hint);
        }
        let Some(table) = item.as_table_like() else {
            let stranger = keys::find(name).is_some();
            let hint = match stranger {
                true => "give the profile a name: [profiles.NAME]".to_owned(),
                false => format!("write its head once, as [profiles.{name}], and its keys below"),
            };
            return self.say(at, format!("the profile {name} is {}, not a table", kind(item)), hint);
        };
        for (key, item) in table.iter() {
            let at = place(table, key, item);
            self.places.keys.insert((name.to_owned(), key.to_owned()), at.clone());
            match keys::find(key) {
                Some(known) if name == crate::profile::DEFAULT && !keys::OF_CHIPP.contains(&key) => {
                    let what = format!("`{}` cannot be changed for chipp, which is built in", known.name);
                    self.say(at, what, "give the profile another name, or remove the key");
                }
                Some(known) => {
                    self.value(Spot { profile: name, key: known, at: item.span().unwrap_or(at) }, item);
                }
                None => self.unknown(name, key, at),
            }
        }
    }

    fn unknown(&mut self, profile: &str, key: &str, at: Range<usize>) {
        let shown = clean(key);
        let known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        if nearest::is_secret(key) {
            let what = format!(
                "`{shown}` of the profile {profile} is a secret, and those do not belong into a file"
            );
            let hint = value::SECRET.replace("PROFILE", profile);
            return self.say(at, what, hint);
        }
        let hint = match nearest::key(key, &known) {
            Some(near) => format!("write `{near}`, if that is what you mean"),
            None => "remove it; `chipp-auth profile schema` describes the keys that there are".to_owned(),
        };
        self.say(at, format!("the profile {profile} has an unknown key `{shown}`"), hint);
    }

    /// A verdict on a value, if it is a bad one.
    fn judge(&mut self, spot: &Spot<'_>, part: Option<&str>, verdict: Verdict) {
        let Err(Wrong { what, hint }) = verdict else { return };
        let part = part.map(|part| format!("`{}` in ", clean(part))).unwrap_or_default();
        let what = format!("{part}`{}` of the profile {} {what}", spot.key.name, spot.profile);
        self.say(spot.at.clone(), what, hint.replace("PROFILE", spot.profile));
    }

    fn value(&mut self, spot: Spot<'_>, item: &Item) {
        let name = spot.key.name;
        match spot.key.form {
            Form::Text(check) => match item.as_str() {
                Some(text) => self.judge(&spot, None, check(text)),
                None => self.other_type(&spot, item, &format!("write {name} = \"…\", in double quotes")),
            },
            Form::Word(words) => match item.as_str() {
                Some(text) if words.contains(&text) => {}
                Some(text) => self.judge(&spot, None, no_word(name, text, words)),
                None => self.other_type(
                    &spot,
                    item,
                    &format!("write {name} = \"{}\"", words.first().unwrap_or(&"…")),
                ),
            },
            Form::Switch if item.is_bool() => {}
            Form::Switch => self.other_type(&spot, item, &format!("write {name} = true, without quotes")),
            Form::Port => match item.as_integer() {
                Some(1024..=65_535) => {}
                Some(0) => {
                    self.judge(
                        &spot,
                        None,
                        value::wrong("is 0", "leave it out: any free port is taken then"),
                    );
                }
                Some(1..1024) => {
                    self.judge(
                        &spot,
                        None,
                        value::wrong(
                            "is a port that only the system may open",
                            "choose one from 1024 to 65535",
                        ),
                    );
                }
                Some(_) => {
                    self.judge(&spot, None, value::wrong("is no port", "choose one from 1024 to 65535"));
                }
                None => {
                    self.other_type(&spot, item, &format!("write {name} = 8765, a number without quotes"));
                }
            },
            Form::List(check) => self.list(&spot, item, check),
            Form::Table(check) => self.table(&spot, item, check),
        }
    }

    fn list(&mut self, spot: &Spot<'_>, item: &Item, check: fn(&str) -> Verdict) {
        let name = spot.key.name;
        let Some(array) = item.as_array() else {
            return self.other_type(spot, item, &format!("write {name} = [\"…\"], a list in brackets"));
        };
        // Of the other lists an empty one means that the preset's does not count.
        if array.is_empty() && name == "hosts" {
            return self.judge(
                spot,
                None,
                value::wrong("is an empty list", "give it a value, or leave the key out"),
            );
        }
        let mut seen = Vec::new();
        for element in array {
            let spot = Spot { at: element.span().unwrap_or(spot.at.clone()), ..*spot };
            match element.as_str() {
                Some(text) if seen.contains(&text) => {
                    self.judge(
                        &spot,
                        None,
                        value::wrong(format!("has {} twice", clean(text)), "remove one of them"),
                    );
                }
                Some(text) => {
                    seen.push(text);
                    self.judge(&spot, None, check(text));
                }
                None => {
                    let what = format!("has {} in it, where only texts may be", kind_of(element));
                    self.judge(&spot, None, value::wrong(what, "put each value into double quotes"));
                }
            }
        }
    }

    fn table(&mut self, spot: &Spot<'_>, item: &Item, check: fn(&str, &str) -> Verdict) {
        let name = spot.key.name;
        let Some(table) = item.as_table_like() else {
            return self.other_type(spot, item, &format!("write {name} = {{ NAME = \"VALUE\" }}"));
        };
        let mut seen = Vec::new();
        for (part, item) in table.iter() {
            let at = place(table, part, item);
            let lower = part.to_ascii_lowercase();
            if name == "headers" && seen.contains(&lower) {
                self.judge(
                    &Spot { at, ..*spot },
                    Some(part),
                    value::wrong("stands there twice", "remove one of them"),
                );
                continue;
            }
            seen.push(lower);
            let spot = Spot { at: item.span().unwrap_or(at), ..*spot };
            match item.as_str() {
                Some(text) => self.judge(&spot, Some(part), check(part, text)),
                None => {
                    let what = format!("is {}, not a text", kind(item));
                    self.judge(&spot, Some(part), value::wrong(what, "put the value into double quotes"));
                }
            }
        }
    }

    fn other_type(&mut self, spot: &Spot<'_>, item: &Item, hint: &str) {
        let wanted = match spot.key.form {
            Form::Text(_) | Form::Word(_) => "a text",
            Form::Switch => "true or false",
            Form::Port => "a whole number",
            Form::List(_) => "a list",
            Form::Table(_) => "a table",
        };
        let what =
            format!("`{}` of the profile {} is {}, not {wanted}", spot.key.name, spot.profile, kind(item));
        self.say(spot.at.clone(), what, hint);
    }
}

fn no_word(key: &str, text: &str, words: &[&str]) -> Verdict {
    value::text(text)?;
    let hint = match nearest::nearest(&text.to_lowercase().replace('-', "_"), words) {
        Some(near) => format!("write {key} = \"{near}\", if that is what you mean"),
        None => format!("write one of {}", words.join(", ")),
    };
    value::wrong(format!("is `{}`, which is none of the words that it takes", clean(text)), hint)
}
