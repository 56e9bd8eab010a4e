//! Every table, section and troubleshooting entry of the two pages about Chipp's OAuth, and the test that proves it.

use std::path::Path;

/// "OAuth Authentication".
const CHIPP: &[(&str, &str)] = &[
    (
        "How Authentication Works",
        "cli/login.rs: a_sign_in_serves_later_processes_until_the_logout_that_revokes_it",
    ),
    (
        "Authorization Screen",
        "sandbox/authorize.rs: the_consent_page_names_application_account_and_scopes_and_has_both_buttons",
    ),
    ("After Authorization: the tools", "cli/proxy.rs: a_client_works_with_the_tools_and_ends_the_session"),
    (
        "Access Token, chipp_at_, 1 hour",
        "sandbox/token.rs: a_code_gives_prefixed_tokens_with_lifetime_and_scope",
    ),
    (
        "Refresh Token, chipp_rt_, 30 days",
        "sandbox/token.rs: each_refresh_gives_a_new_pair_and_reuse_ends_the_sign_in",
    ),
    (
        "Automatically refreshes",
        "cli/session.rs: sixteen_processes_that_meet_an_expired_token_refresh_it_once",
    ),
    ("Prompts to re-authorize", "cli/session.rs: a_sign_in_that_the_server_ended_is_named_and_asked_once"),
    (
        "The nine scopes, and the star",
        "sandbox/scopes.rs: each_tool_needs_its_scope_and_the_star_is_all_of_them",
    ),
    (
        "Revoking Access",
        "cli/session.rs: a_sign_in_that_the_server_ended_before_its_time_is_over_for_everybody",
    ),
    ("Authentication required", "cli/proxy.rs: without_a_browser_the_answer_names_the_command_at_once"),
    ("Scope not authorized", "cli/authorization.rs: a_refused_scope_is_named_and_not_asked_for_again"),
    ("Browser Doesn't Open", "golden/sign_in.rs: no_browser"),
    ("Invalid token format", "cli/login.rs: reset_shows_asks_and_removes_what_is_damaged"),
    ("Connection Times Out", "cli/login.rs: nobody_comes_back"),
    ("Endpoints: authorize, token, revoke", "providers/requests.rs: chipp"),
    ("Endpoints: discovery", "sandbox/discovery.rs: the_server_says_what_it_does"),
    ("Authorization Request, Token Exchange, Token Refresh", "providers/requests.rs: chipp"),
];

/// "Consumer OAuth for Custom MCP Servers".
const CONSUMER: &[(&str, &str)] = &[
    ("Use Consumer OAuth when", "providers/accounts.rs: each_client_has_its_own_account"),
    ("Use Bearer Token when", "providers/fields.rs: a_shared_bearer_token_is_all_that_is_sent"),
    ("Step 1: Redirect URI", "providers/fields.rs: the_redirect_uri_is_the_one_that_is_registered"),
    (
        "Step 1: Scopes, Client ID, Client Secret",
        "providers/fields.rs: each_field_of_the_form_arrives_where_it_belongs",
    ),
    (
        "Step 2: Authorize URL, Token URL",
        "providers/fields.rs: each_field_of_the_form_arrives_where_it_belongs",
    ),
    (
        "Step 3: MCP Server URL, auth type",
        "providers/fields.rs: each_field_of_the_form_arrives_where_it_belongs",
    ),
    ("Step 4: Test the Configuration", "providers/troubleshooting.rs: a_server_without_tools_is_named"),
    ("form_post", "providers/requests.rs: form_post"),
    ("json_basic", "providers/requests.rs: json_basic"),
    ("form_basic", "providers/requests.rs: form_basic"),
    (
        "Try a different token style",
        "providers/auto.rs: every_style_is_found_in_one_sign_in_where_codes_survive",
    ),
    ("Passing User Tokens to Your MCP Server", "providers/salesforce.rs: the_example_works_as_it_is_written"),
    ("Token Refresh 1-3", "providers/accounts.rs: each_client_has_its_own_account_while_tokens_are_renewed"),
    ("Token Refresh 4", "providers/accounts.rs: what_ends_for_one_account_does_not_end_for_the_other"),
    (
        "Only on the first authorization",
        "providers/habits.rs: google_without_a_refresh_token_is_told_at_every_turn",
    ),
    ("What Users See", "providers/accounts.rs: the_account_has_the_name_that_the_provider_tells"),
    ("Invalid redirect_uri", "providers/troubleshooting.rs: a_redirect_uri_that_does_not_match_is_shown"),
    ("Invalid client", "providers/troubleshooting.rs: a_wrong_secret_is_named"),
    (
        "Token Exchange Fails Silently",
        "providers/troubleshooting.rs: an_exchange_that_fails_in_silence_points_to_the_style",
    ),
    ("Access Denied", "providers/troubleshooting.rs: a_denied_consent_is_named"),
    (
        "Refresh Token Missing: revoke access",
        "providers/habits.rs: google_gives_a_refresh_token_after_the_access_was_revoked",
    ),
    (
        "Refresh Token Missing: prompt=consent",
        "providers/habits.rs: google_gives_a_refresh_token_again_where_it_is_asked_to",
    ),
    ("Tools Don't Load After OAuth", "providers/troubleshooting.rs: a_server_without_tools_is_named"),
    ("Example: Salesforce Integration", "providers/salesforce.rs: the_example_works_as_it_is_written"),
    ("Configure in Chipp", "providers/salesforce.rs: the_example_works_as_it_is_typed"),
    ("Salesforce: Scopes", "providers/salesforce.rs: without_the_scope_there_is_no_refresh_token"),
    ("Salesforce: Token Request Style", "providers/salesforce.rs: another_style_is_refused"),
];

#[test]
fn every_row_has_its_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (row, test) in CHIPP.iter().chain(CONSUMER) {
        let (file, name) = test.split_once(": ").unwrap();
        let text = std::fs::read_to_string(tests.join(file)).unwrap();
        assert!(text.contains(&format!("fn {name}(")), "{row}: there is no {test}");
    }
}
