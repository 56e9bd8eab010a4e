//! HTTP Basic with ids and secrets of every character: form-encoded as RFC 6749 section 2.3.1 says, and raw for
//! servers that never heard of it.

use crate::provider::{Provider, failed};
use crate::requests::SECRET;

const ID: &str = "id with:100% ümlaut";

/// A life with this id and secret, at a server that reads Basic strictly, one way or the other.
fn served(server: &[&str], profile: &str, id: &str) {
    for style in ["form_basic", "json_basic"] {
        let options = [&["--style", style, "--client-id", id, "--client-secret", SECRET], server].concat();
        let Some(provider) = Provider::start(&options) else { return };
        provider.profile(&format!("token_style = \"{style}\"\n{profile}"));
        provider.login(&[]).ok();
        let tokens = provider.issued();
        provider.run(&["logout"]).ok();
        assert!(!provider.is_active(&tokens["refresh_token"]));
        assert_eq!(provider.seen("token").len(), 1, "at the first try");
    }
}

#[test]
fn the_pair_is_form_encoded() {
    served(&[], "", ID);
    served(&[], "basic_encoding = \"form\"", ID);
}

// A colon in the id would end it, as RFC 7617 section 2 says.
#[test]
fn the_pair_is_raw_where_the_profile_says_so() {
    served(&["--raw-basic"], "basic_encoding = \"raw\"", "id with 100% ümlaut");
}

#[test]
fn the_wrong_way_is_refused_and_named() {
    for (server, profile) in [(&["--raw-basic"][..], "form"), (&[], "raw")] {
        let options = [&["--style", "form_basic", "--client-secret", SECRET], server].concat();
        let Some(provider) = Provider::start(&options) else { return };
        provider.profile(&format!("token_style = \"form_basic\"\nbasic_encoding = \"{profile}\""));
        failed(&provider.login(&[]), "client-rejected", 2, "does not accept this client id or secret");
        assert_eq!(provider.seen("token").len(), 1);
    }
}
