mod facts;
mod variables;

use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use url::Url;

use super::*;
use crate::oauth::hosts::allows;
use crate::profile::source::from_entry;
use crate::profile::{Pkce, Target};

/// Values for the variables that have none.
const GIVEN: &[(&str, &str)] = &[("tenant", "contoso.onmicrosoft.com")];

/// The one profile of this text, past the checks of the file as a whole.
fn resolve(text: &str) -> Result<Target> {
    let mut file: toml::Table = toml::from_str(text).unwrap();
    let mut profiles = file.remove("profiles").unwrap().as_table().unwrap().clone();
    from_entry("work", &profiles.remove("work").unwrap().try_into().unwrap())
}

/// A profile with this preset and these values of its variables.
fn with(preset: &Preset, values: &[(&str, &str)]) -> Result<Target> {
    let mut table = toml::Table::new();
    for (name, value) in values.iter().filter(|(name, _)| preset.variables.contains_key(*name)) {
        table.insert((*name).to_owned(), toml::Value::String((*value).to_owned()));
    }
    let inline = if table.is_empty() {
        String::new()
    } else {
        format!("\n[profiles.work.variables]\n{}", toml::to_string(&table).unwrap())
    };
    resolve(&format!(
        "[profiles.work]\npreset = \"{}\"\nurl = \"https://mcp.example.com/mcp\"\nclient_id = \"id\"{inline}",
        preset.id
    ))
}

/// Where requests of a sign-in go.
fn addresses(target: &Target) -> Vec<&Url> {
    let endpoints = target.endpoints.as_ref().expect("endpoints are stated");
    [
        Some(&endpoints.authorization),
        Some(&endpoints.token),
        endpoints.revocation.as_ref(),
        target.userinfo.as_ref(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_file_is_a_preset_and_every_preset_is_listed() {
    for (id, text) in FILES {
        if let Err(error) = toml::from_str::<Preset>(text) {
            panic!("{id}: {error}");
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/profile/presets");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    let listed: Vec<_> = all().iter().map(|preset| format!("{}.toml", preset.id)).collect();
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(files, sorted.iter().map(std::ffi::OsString::from).collect::<Vec<_>>());
    assert_eq!(find("google").unwrap().name, "Google");
    let error = find("gogle\u{1b}[31m").unwrap_err();
    assert_eq!((error.name(), error.what()), (Name::ConfigBad, "there is no preset named gogle [31m"));
    assert!(error.hint().contains("google, hubspot"), "{}", error.hint());
}

#[test]
fn every_preset_says_where_it_comes_from_and_what_helps() {
    for preset in all() {
        let id = preset.id;
        let pages = [Some(&preset.source), preset.console_url.as_ref(), preset.settings_url.as_ref()];
        for page in pages.into_iter().flatten().chain(&preset.also) {
            let url = Url::parse(page).unwrap_or_else(|error| panic!("{id}: {page}: {error}"));
            assert_eq!(url.scheme(), "https", "{id}: {page}");
        }
        let day = NaiveDate::parse_from_str(&preset.checked, "%Y-%m-%d").expect(id);
        assert_eq!(day.format("%Y-%m-%d").to_string(), preset.checked, "{id}");
        assert!(day >= NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(), "{id} is old: {day}");
        let no_refresh = preset.no_refresh.as_deref().expect(id);
        let named = preset.name.split(' ').any(|word| no_refresh.contains(word));
        assert!(named && !no_refresh.ends_with('.') && !no_refresh.contains('\n'), "{id}: {no_refresh}");
        for note in &preset.notes {
            assert!(note.ends_with('.') && !note.contains('\n'), "{id}: {note}");
        }
        assert!(preset.console_url.is_some() && !preset.notes.is_empty(), "{id}");
        // What belongs to one user, and not to a provider.
        let usual = &preset.defaults;
        assert!(usual.preset.is_none() && usual.client_id.is_none() && usual.variables.is_empty(), "{id}");
        assert!(usual.hosts.as_ref().is_some_and(|hosts| !hosts.is_empty()), "{id}");
    }
}

#[test]
fn every_address_is_encrypted_filled_and_on_the_hosts_of_its_preset() {
    for preset in all() {
        let target = with(preset, GIVEN).unwrap();
        let pinned = target.hosts.as_ref().unwrap();
        assert_eq!(Some(pinned), preset.defaults.hosts.as_ref());
        for url in addresses(&target) {
            assert_eq!(url.scheme(), "https", "{url}");
            assert!(allows(pinned, url), "{}: {url}", preset.id);
            assert!(!url.as_str().contains(['{', '}']) && !url.as_str().contains("%7B"), "{url}");
            assert!(url.username().is_empty() && url.query().is_none() && url.fragment().is_none(), "{url}");
        }
        // Each host is there for an address, or for a value of a variable.
        for host in pinned.iter().filter(|_| preset.variables.is_empty() && preset.id != "stripe") {
            assert!(
                addresses(&target).iter().any(|url| url.host_str() == Some(host)),
                "{}: {host}",
                preset.id
            );
        }
        assert_eq!(target.preset.unwrap().id, preset.id);
    }
}

#[test]
fn what_a_profile_states_itself_counts() {
    let target = resolve(
        "[profiles.work]\npreset = \"google\"\nurl = \"https://mcp.example.com/mcp\"\ntoken_style = \"json\"\n\
         redirect_port = 9999\nresource = \"auto\"\nscope = \"openid\"\naccount_from = []\n\
         authorize_params = { prompt = \"select_account\", hd = \"example.com\" }",
    )
    .unwrap();
    assert_eq!(target.style.unwrap().name(), "json");
    assert_eq!((target.redirect.port, target.scope.as_deref()), (Some(9999), Some("openid")));
    assert_eq!(target.resource, crate::profile::ResourceChoice::Auto);
    assert!(target.account_from.is_empty());
    let params: Vec<_> =
        target.authorize_params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(params, ["access_type=offline", "hd=example.com", "prompt=select_account"]);
}

// A server that was found has to promise PKCE, or to be vouched for: the switch is not for it.
#[test]
fn pkce_is_left_out_only_at_endpoints_that_are_stated() {
    assert_eq!(with(find("linkedin").unwrap(), &[]).unwrap().pkce, Pkce::Omit);
    let own =
        "[profiles.work]\npreset = \"linkedin\"\nurl = \"https://mcp.example.com/mcp\"\npkce = \"s256\"";
    assert_eq!(resolve(own).unwrap().pkce, Pkce::S256);
    for found in ["", "authorization_server = \"https://as.example.com\"\n"] {
        let error = resolve(&format!(
            "[profiles.work]\nurl = \"https://mcp.example.com/mcp\"\n{found}pkce = \"omit\""
        ))
        .unwrap_err();
        assert_eq!(error.name(), Name::ConfigBad);
        assert!(error.what().contains("`pkce = \"omit\"` and no endpoints"), "{}", error.what());
    }
}

#[test]
fn an_address_of_ones_own_must_lie_on_the_hosts_too() {
    let profile = |more: &str| {
        resolve(&format!(
            "[profiles.work]\npreset = \"github\"\nurl = \"https://mcp.example.com/mcp\"\n{more}"
        ))
    };
    let error = profile("token_url = \"https://github.example/login/oauth/access_token\"").unwrap_err();
    assert_eq!(
        error.what(),
        "the profile work in profiles.toml: `token_url` leads to github.example, which is not among its `hosts`"
    );
    // GitHub Enterprise: both are the user's to state.
    let own = "authorize_url = \"https://github.example/login/oauth/authorize\"\n\
        token_url = \"https://github.example/login/oauth/access_token\"\n\
        userinfo_url = \"https://github.example/api/v3/user\"\nhosts = [\"github.example\"]";
    assert_eq!(addresses(&profile(own).unwrap()).len(), 3);
}
