//! The variables of presets: what may stand in them, and where that can lead.

use proptest::prelude::*;

use super::*;

fn variable(preset: &str, table: &str) -> Result<Target> {
    resolve(&format!(
        "[profiles.work]\npreset = \"{preset}\"\nurl = \"https://mcp.example.com/mcp\"\n{table}"
    ))
}

#[test]
fn a_variable_fills_its_place_in_every_address() {
    let target = variable("salesforce", "variables = { host = \"acme.my.salesforce.com\" }").unwrap();
    let hosts: Vec<_> = addresses(&target).iter().map(|url| url.host_str().unwrap().to_owned()).collect();
    assert_eq!(hosts, ["acme.my.salesforce.com"; 4]);
    let target =
        variable("entra", "variables = { tenant = \"00000000-0000-0000-0000-00000000000a\" }").unwrap();
    assert_eq!(
        target.endpoints.unwrap().token.as_str(),
        "https://login.microsoftonline.com/00000000-0000-0000-0000-00000000000a/oauth2/v2.0/token"
    );
}

#[test]
fn a_wrong_variable_is_refused_by_name() {
    let long = format!("variables = {{ tenant = \"{}\" }}", "a.".repeat(140));
    for (preset, table, what, hint) in [
        (
            "entra",
            "",
            "the preset entra needs `tenant`, which is not stated",
            "variables = { tenant = \"…\" }",
        ),
        ("entra", "variables = { tenant = \"\" }", "the preset entra needs `tenant`", "tenant"),
        (
            "entra",
            "variables = { tennant = \"a\" }",
            "the preset entra has no variable `tennant`",
            "`tenant`",
        ),
        (
            "google",
            "variables = { host = \"a\" }",
            "the preset google has no variable `host`",
            "leave `variables` out",
        ),
        (
            "entra",
            "variables = { tenant = \"a/b\" }",
            "`a/b` cannot be `tenant` of the preset entra",
            "without a path",
        ),
        ("entra", "variables = { tenant = \"..\" }", "`..` cannot be `tenant`", "letters"),
        ("entra", "variables = { tenant = \"a.\" }", "`a.` cannot be `tenant`", "letters"),
        ("entra", "variables = { tenant = \"-a\" }", "`-a` cannot be `tenant`", "letters"),
        ("entra", "variables = { tenant = \"{tenant}\" }", "`{tenant}` cannot be `tenant`", "letters"),
        ("entra", &long, "`a.a.", "letters"),
        (
            "salesforce",
            "variables = { host = \"https://login.salesforce.com\" }",
            "`https://login.salesforce.com`",
            "without https://",
        ),
        (
            "salesforce",
            "variables = { host = \"login.salesforce.com@evil.example\" }",
            "`login.salesforce.com@evil.example`",
            "letters",
        ),
        (
            "salesforce",
            "variables = { host = \"evil.example\" }",
            "`authorize_url` leads to evil.example, which is not",
            "`hosts`",
        ),
        (
            "salesforce",
            "variables = { host = \"my.salesforce.com\" }",
            "`authorize_url` leads to my.salesforce.com",
            "`hosts`",
        ),
        ("salesforce", "variables = { host = \"1\" }", "`authorize_url` leads to 0.0.0.1", "`hosts`"),
        // A sandbox's preset signs in to no production, nor the other way round by mistake of the login host.
        (
            "salesforce-sandbox",
            "variables = { host = \"login.salesforce.com\" }",
            "`authorize_url` leads to login.salesforce.com",
            "`hosts`",
        ),
        (
            "salesforce-sandbox",
            "variables = { host = \"acme.my.salesforce.com\" }",
            "`authorize_url` leads to acme.my.salesforce.com",
            "`hosts`",
        ),
        (
            "salesforce",
            "variables = { host = \"test.salesforce.com\" }",
            "`authorize_url` leads to test.salesforce.com",
            "`hosts`",
        ),
    ] {
        let error = variable(preset, table).map(|_| ()).unwrap_err();
        assert_eq!(error.name(), Name::ConfigBad, "{table}");
        let start = format!("the profile work in profiles.toml: {what}");
        assert!(error.what().starts_with(&start), "{table}: {}", error.what());
        assert!(error.hint().contains(hint), "{table}: {}", error.hint());
    }
}

#[test]
fn variables_without_a_preset_mean_nothing_and_are_refused() {
    let error =
        resolve("[profiles.work]\nurl = \"https://e.com/mcp\"\nvariables = { host = \"a\" }").unwrap_err();
    assert_eq!(error.name(), Name::ConfigBad);
    assert!(error.what().ends_with("it has `variables`, and no `preset` whose addresses they could fill"));
}

/// Names, addresses and what people try to get out of a host with.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        "[A-Za-z0-9.-]{0,40}",
        "[a-z0-9./@:?#%\\\\{}-]{0,20}(login|test|a\\.my|x--y\\.sandbox\\.my)\\.salesforce\\.com[a-z0-9./@:?#%\\\\-]{0,20}",
    ]
}

proptest! {
    #[test]
    fn no_value_leads_away_from_the_hosts(value in values()) {
        for preset in all().iter().filter(|preset| !preset.variables.is_empty()) {
            let names: Vec<_> = preset.variables.keys().map(|name| (name.as_str(), value.as_str())).collect();
            let Ok(target) = with(preset, &names) else { continue };
            let (usual, pinned) = (with(preset, GIVEN).unwrap(), preset.defaults.hosts.as_ref().unwrap());
            for (url, usual) in addresses(&target).into_iter().zip(addresses(&usual)) {
                prop_assert!(allows(pinned, url), "{}", url);
                prop_assert_eq!((url.scheme(), url.port(), url.query()), ("https", None, None));
                prop_assert!(url.username().is_empty() && url.fragment().is_none());
                // The value is one segment of the path at most, and the rest stays as it is.
                let segments = |url: &Url| url.path_segments().unwrap().map(str::to_owned).collect::<Vec<_>>();
                let (found, usual) = (segments(url), segments(usual));
                prop_assert_eq!(found.len(), usual.len());
                prop_assert!(found.iter().zip(&usual).all(|(a, b)| a == b || *a == value));
            }
        }
    }
}
