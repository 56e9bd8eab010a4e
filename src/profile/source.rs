//! Where a [`Target`] comes from: the built-in facts about Chipp, an entry of `profiles.toml`, a bare URL.

use std::collections::BTreeMap;

use url::Url;

use super::choice::{GrantChoice, key_file};
use super::{Auth, BasicEncoding, Entry, Pkce, Redirect, ResourceChoice, Style, Target, hosts, preset};
use crate::credential::{Grant, RefreshScope, TokenStyle};
use crate::error::{Error, Name, Result};
use crate::http;
use crate::oauth::Endpoints;

/// A target about which nothing is known but its URL.
pub(super) fn bare(url: Url) -> Target {
    Target {
        typed: None,
        preset: None,
        store: None,
        auth: Auth::Oauth,
        headers: BTreeMap::new(),
        endpoints: None,
        userinfo: None,
        account_from: Vec::new(),
        hosts: None,
        authorize_params: BTreeMap::new(),
        token_params: BTreeMap::new(),
        refresh_scope: RefreshScope::Omit,
        redirect: Redirect::default(),
        token_types: Vec::new(),
        basic: BasicEncoding::Form,
        origins: vec![url.origin().ascii_serialization()],
        url,
        issuer: None,
        documented: None,
        client_id: None,
        client_secret: None,
        client_key: None,
        client_metadata: None,
        grant: Grant::User,
        dpop: false,
        resource: ResourceChoice::Auto,
        pkce_unverified: false,
        pkce: Pkce::S256,
        style: None,
        scope: None,
        refresh_lifetime: None,
        names_token_type: false,
        account: "default".to_owned(),
        client_in_key: false,
    }
}

/// The built-in profile: Chipp's documented facts, which an entry of the same name may point at
/// another server. Another server means another key, so no token of one ever reaches the other (F1).
pub(super) fn chipp(entry: Option<&Entry>) -> Result<Target> {
    let issuer =
        entry.and_then(|entry| entry.authorization_server.as_deref()).unwrap_or("https://app.chipp.ai");
    let url = entry.and_then(|entry| entry.url.as_deref()).unwrap_or("https://mcp.chipp.ai/mcp/messages");
    let base = format!("{}/api/mcp/oauth", issuer.trim_end_matches('/'));
    let url = parse(url)?;
    let mut origins = vec![url.origin().ascii_serialization()];
    if url.host_str() == Some("mcp.chipp.ai") {
        origins.push("https://build.chipp.ai".to_owned());
    }
    Ok(Target {
        store: entry.and_then(|entry| entry.store),
        origins,
        issuer: Some(issuer.to_owned()),
        documented: Some(Endpoints {
            authorization: parse(&format!("{base}/authorize"))?,
            token: parse(&format!("{base}/token"))?,
            revocation: Some(parse(&format!("{base}/revoke"))?),
            device: None,
        }),
        client_id: Some(
            entry.and_then(|e| e.client_id.clone()).unwrap_or_else(|| "chipp-mcp-client".to_owned()),
        ),
        style: Some(Style::Named(TokenStyle::Json)),
        scope: Some(entry.and_then(|e| e.scope.clone()).unwrap_or_else(|| "*".to_owned())),
        refresh_lifetime: Some(30 * 24 * 3600),
        names_token_type: true,
        ..bare(url)
    })
}

/// A profile of the user's own.
pub(super) fn from_entry(name: &str, entry: &Entry) -> Result<Target> {
    let missing = || Error::new(Name::ConfigBad, format!("the profile {name} in profiles.toml has no `url`"));
    let here = |error: Error| error.context(format!("the profile {name} in profiles.toml"));
    let preset = entry.preset.as_deref().map(preset::find).transpose().map_err(here)?;
    let entry = &match preset {
        Some(preset) => preset.under(entry).map_err(here)?,
        None if !entry.variables.is_empty() => return Err(here(useless_variables())),
        None => entry.clone(),
    };
    hosts::check(entry).map_err(here)?;
    let url = entry.url.as_deref().ok_or_else(missing)?;
    Ok(Target {
        preset,
        store: entry.store,
        auth: entry.auth.unwrap_or_default(),
        headers: entry.headers.clone(),
        endpoints: endpoints(name, entry)?,
        userinfo: entry.userinfo_url.as_deref().map(parse).transpose()?,
        account_from: entry.account_from.clone().unwrap_or_default(),
        hosts: entry.hosts.clone(),
        authorize_params: entry.authorize_params.clone(),
        token_params: entry.token_params.clone(),
        refresh_scope: entry.refresh_scope.unwrap_or_default(),
        redirect: Redirect {
            host: entry.redirect_host,
            path: entry.redirect_path.clone(),
            port: entry.redirect_port,
        },
        token_types: entry.token_types.clone().unwrap_or_default(),
        basic: entry.basic_encoding.unwrap_or_default(),
        issuer: entry.authorization_server.clone(),
        client_id: entry.client_id.clone(),
        client_in_key: entry.client_id.is_some(),
        client_key: entry.client_key_file.as_deref().map(key_file).transpose()?,
        client_metadata: entry.client_metadata_url.as_deref().map(parse).transpose()?,
        grant: grant(name, entry)?,
        dpop: entry.dpop,
        resource: entry.resource.as_deref().map(ResourceChoice::from).unwrap_or_default(),
        pkce_unverified: entry.pkce_unverified,
        pkce: pkce(name, entry)?,
        style: entry.token_style,
        scope: entry.scope.clone(),
        ..bare(parse(url)?)
    })
}

/// Nobody fills them in where there is no preset; whoever wrote them meant something.
fn useless_variables() -> Error {
    Error::new(Name::ConfigBad, "it has `variables`, and no `preset` whose addresses they could fill")
        .hinted("name the `preset`, or leave `variables` out")
}

/// The endpoints that an entry states: both of them, or none.
fn endpoints(name: &str, entry: &Entry) -> Result<Option<Endpoints>> {
    match (&entry.authorize_url, &entry.token_url) {
        (None, None) => Ok(None),
        (Some(authorize), Some(token)) => Ok(Some(Endpoints {
            authorization: parse(authorize)?,
            token: parse(token)?,
            revocation: entry.revoke_url.as_deref().map(parse).transpose()?,
            device: None,
        })),
        _ => {
            let what =
                format!("the profile {name} in profiles.toml has one of `authorize_url` and `token_url`");
            Err(Error::new(Name::ConfigBad, what).hinted("state both, or none of them"))
        }
    }
}

/// What an entry says of PKCE. Only for endpoints that it states: a server that was found has to promise PKCE,
/// or to be vouched for.
fn pkce(name: &str, entry: &Entry) -> Result<Pkce> {
    let pkce = entry.pkce.unwrap_or_default();
    if pkce == Pkce::Omit && entry.authorize_url.is_none() {
        let what = format!("the profile {name} in profiles.toml has `pkce = \"omit\"` and no endpoints");
        return Err(Error::new(Name::ConfigBad, what).hinted(
            "leave `pkce` out, or state `authorize_url` and `token_url` of the provider that refuses it",
        ));
    }
    Ok(pkce)
}

/// The grant that an entry states; a person's, if it states none.
fn grant(name: &str, entry: &Entry) -> Result<Grant> {
    let choice = GrantChoice::from(entry);
    let bad = |why| Error::new(Name::ConfigBad, format!("the profile {name} in profiles.toml {why}"));
    choice.grant().map(Option::unwrap_or_default).map_err(bad)
}

fn parse(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| {
        Error::new(Name::ConfigBad, format!("`{}` in profiles.toml is not a URL", crate::error::clean(text)))
    })?;
    http::check(&url)?;
    Ok(url)
}
