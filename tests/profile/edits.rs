//! A change of the text changes what it is about and nothing else.

use std::path::Path;

use chipp_auth::error::{Name, Result};
use chipp_auth::profile::edit::{Change, Deed, Value, change};

const FILE: &str = "\
#:schema ./profiles.schema.json
# My profiles.

# The one at work.
[profiles.work]   # important
url = \"https://mcp.example.com/mcp\"  # the server
scope = \"read\"

  headers = { X-Team = \"north\" } # ours

# The other one.
[profiles.other]
url = \"https://other.example.com/mcp\"
[profiles.other.authorize_params]
prompt = \"login\" # always
";

fn with(text: &str, name: &str, deed: Deed, values: &[(&'static str, Value)]) -> Result<String> {
    let wanted = Change { profile: name.into(), deed, values: values.to_vec() };
    change(Path::new("profiles.toml"), text, &wanted).map(|changed| changed.text)
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn edit(unset: &[&str]) -> Deed {
    Deed::Edit(unset.iter().map(|key| (*key).to_owned()).collect())
}

#[test]
fn a_value_changes_in_its_place_and_everything_else_stays() {
    let changed =
        with(FILE, "work", edit(&[]), &[("scope", text("read write")), ("client_id", text("a\"b"))]);
    let expected = FILE
        .replace("scope = \"read\"", "scope = \"read write\"")
        .replace("# ours\n", "# ours\nclient_id = 'a\"b'\n");
    assert_eq!(changed.unwrap(), expected);
    let table = |name: &str, value: &str| Value::Table(vec![(name.into(), value.into())]);
    let changed = with(FILE, "other", edit(&[]), &[("authorize_params", table("access_type", "offline"))]);
    assert_eq!(changed.unwrap(), format!("{FILE}access_type = \"offline\"\n"));
    let changed = with(FILE, "work", edit(&[]), &[("headers", table("X-Area", "1"))]);
    assert_eq!(
        changed.unwrap(),
        FILE.replace("{ X-Team = \"north\" }", "{ X-Team = \"north\", X-Area = \"1\" }")
    );
}

#[test]
fn keys_and_members_are_taken_out() {
    assert_eq!(with(FILE, "work", edit(&["scope"]), &[]).unwrap(), FILE.replace("scope = \"read\"\n", ""));
    let without = with(FILE, "work", edit(&["headers.X-Team"]), &[]).unwrap();
    assert!(!without.contains("headers") && without.contains("[profiles.other]"), "{without}");
    // What is not there is no mistake: the wish is fulfilled.
    assert_eq!(with(FILE, "work", edit(&["token_style", "headers.X-No"]), &[]).unwrap(), FILE);
}

#[test]
fn a_profile_comes_last_and_looks_like_the_others() {
    let new =
        [("url", text("https://new.example.com")), ("hosts", Value::List(vec!["a.example.com".into()]))];
    let expected =
        format!("{FILE}\n[profiles.new]\nurl = \"https://new.example.com\"\nhosts = [\"a.example.com\"]\n");
    assert_eq!(with(FILE, "new", Deed::Add, &new).unwrap(), expected);
    let inline = "[profiles]\na = { url = \"https://a.example.com\" }\n";
    let added = with(inline, "b", Deed::Add, &new[..1]).unwrap();
    assert_eq!(added, format!("{inline}b = {{ url = \"https://new.example.com\" }}\n"));
    let fresh = with("", "new", Deed::Add, &new[..1]).unwrap();
    assert!(fresh.starts_with("#:schema ./profiles.schema.json\n# "), "{fresh}");
    assert!(fresh.ends_with("\n\n[profiles.new]\nurl = \"https://new.example.com\"\n"), "{fresh}");
}

#[test]
fn a_profile_goes_with_its_own_comment_and_that_of_the_file_stays() {
    let without = with(FILE, "work", Deed::Remove, &[]).unwrap();
    let rest = &FILE[FILE.find("# The other one.").unwrap()..];
    assert_eq!(without, format!("#:schema ./profiles.schema.json\n# My profiles.\n\n{rest}"));
    let without = with(&without, "other", Deed::Remove, &[]).unwrap();
    assert_eq!(without.trim(), "#:schema ./profiles.schema.json\n# My profiles.");
    // And from there on again.
    let again = with(&without, "new", Deed::Add, &[("url", text("https://new.example.com"))]).unwrap();
    assert!(again.starts_with("#:schema") && again.contains("[profiles.new]"), "{again}");
    assert!(with(FILE, "other", Deed::Remove, &[]).unwrap().contains("# The one at work."));
    let fresh = with("", "new", Deed::Add, &[("url", text("https://new.example.com"))]).unwrap();
    let emptied = with(&fresh, "new", Deed::Remove, &[]).unwrap();
    assert!(emptied.trim().starts_with("#:schema") && !emptied.contains("[profiles"), "{emptied}");
}

#[test]
fn what_would_be_wrong_afterwards_is_not_done() {
    let refused = |name: &str, deed: Deed, values: &[(&'static str, Value)], what: &str| {
        let error = with(FILE, name, deed, values).unwrap_err();
        assert_eq!(error.name(), Name::Usage, "{error}");
        assert!(error.what().contains(what), "{error}");
    };
    refused("work", Deed::Add, &[], "there is a profile named work already");
    refused("wrok", edit(&[]), &[], "there is no profile named wrok");
    refused("nobody", Deed::Remove, &[], "there is no profile named nobody");
    refused("work", edit(&["url"]), &[], "has no `url`");
    refused("work", edit(&[]), &[("auth", text("bearer"))], "`scope` of the profile work has no meaning");
    refused("work", edit(&[]), &[("token_url", text("https://a.example.com/t"))], "but no `authorize_url`");
    refused("new", Deed::Add, &[], "has no `url`");
    refused("a b", Deed::Add, &[("url", text("https://a.example.com"))], "name of the profile");
    refused("chipp", edit(&[]), &[("dpop", Value::Switch(true))], "cannot be changed for chipp");
    // A file that was wrong before is not changed either.
    let error = with("[profiles.work]\nulr = \"x\"\n", "new", Deed::Add, &[]).unwrap_err();
    assert_eq!(error.name(), Name::ConfigBad);
    assert!(error.what().contains("line 2"), "{error}");
}

#[test]
fn line_ends_of_windows_are_understood() {
    let windows = FILE.replace('\n', "\r\n");
    let changed = with(&windows, "work", edit(&[]), &[("scope", text("x"))]).unwrap();
    assert!(changed.contains("scope = \"x\"") && changed.contains("# always"), "{changed}");
}
