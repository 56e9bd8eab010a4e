//! How a profile's provider wants things done: the choices that stand in `profiles.toml` as words.

use serde::{Deserialize, Serialize};

use crate::credential::TokenStyle;

/// How requests to the MCP server are authorized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Each user signs in (the seed's "Consumer OAuth").
    #[default]
    Oauth,
    /// A token that the user was given.
    Bearer,
    /// Not at all.
    None,
}

/// The token request style that a profile or the command line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The one that works, found at the sign-in.
    Auto,
    /// This one.
    Named(TokenStyle),
}

impl Style {
    /// Every style, with its name.
    pub const NAMES: [(&str, Style); 5] = [
        ("auto", Style::Auto),
        ("form_post", Style::Named(TokenStyle::FormPost)),
        ("form_basic", Style::Named(TokenStyle::FormBasic)),
        ("json", Style::Named(TokenStyle::Json)),
        ("json_basic", Style::Named(TokenStyle::JsonBasic)),
    ];

    /// The style of this name.
    pub fn of(name: &str) -> Option<Style> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, style)| *style)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, style)| *style == self).map_or("auto", |(name, _)| name)
    }
}

impl<'de> Deserialize<'de> for Style {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Style::of(&name).ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name);
            serde::de::Error::custom(format!("a token style is one of {}", names.join(", ")))
        })
    }
}

/// Whether an authorization request carries a PKCE challenge (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// With S256.
    #[default]
    S256,
    /// Not at all, for a provider that refuses the verifier. A code is then as good as the client's secret, so
    /// there must be one.
    Omit,
}

impl Serialize for Style {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// How id and secret stand in HTTP Basic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BasicEncoding {
    /// Form-encoded first (RFC 6749 section 2.3.1).
    #[default]
    Form,
    /// As they are.
    Raw,
}

/// The host of a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
pub enum RedirectHost {
    /// By name, as most providers register it.
    #[default]
    #[serde(rename = "localhost")]
    Name,
    /// By address (RFC 8252 section 7.3).
    #[serde(rename = "127.0.0.1")]
    V4,
    /// By address, IPv6.
    #[serde(rename = "[::1]")]
    V6,
}

/// The redirect URI that a profile asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirect {
    /// The host; if none is stated, the one that serves best.
    pub host: Option<RedirectHost>,
    /// The path; `/callback` without one.
    pub path: Option<String>,
    /// The port; without one, any that is free.
    pub port: Option<u16>,
}
