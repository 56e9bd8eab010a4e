//! The error codes of providers that are known here, and the remedy for each.
//!
//! Read from the providers' own pages: Microsoft's list of AADSTS codes (learn.microsoft.com/entra/
//! identity-platform/reference-error-codes), GitHub's (docs.github.com, "Troubleshooting OAuth app access
//! token request errors"), Slack's (docs.slack.dev/reference/methods/oauth.v2.access), HubSpot's changelog
//! on OAuth errors, Google's (developers.google.com/identity/protocols/oauth2/native-app), Salesforce's
//! (help.salesforce.com, "OAuth 2.0 Authorization Errors") and LinkedIn's (learn.microsoft.com/linkedin/
//! shared/authentication/authorization-code-flow). What these lists lack (AADSTS9010010, 9002325 and 650053,
//! HubSpot's `status`, Salesforce's `OAUTH_APP_BLOCKED`) stands in the reports of those who met it.

/// One remedy, and the codes that it helps against.
pub(super) struct Row {
    /// The codes, each one word.
    pub(super) codes: &'static [&'static str],
    /// What to do: one sentence, lower case, no full stop.
    pub(super) remedy: &'static str,
}

/// The remedy for a redirect URI that the provider does not know.
pub(super) const REGISTER: &str = "register the redirect URI in the OAuth app exactly as it is sent (http or https, host, port and path), or set `redirect_host`, `redirect_port` and `redirect_path` in the profile to the one that is registered";

/// Codes that mean: the redirect URI is not one of those that are registered.
pub(super) const REDIRECT: &[&str] = &[
    "redirect_uri_mismatch",
    "invalid_redirect_uri",
    "bad_redirect_uri",
    "BAD_REDIRECT_URI",
    "MISMATCH_REDIRECT_URI_AUTH_CODE",
    "AADSTS50011",
    "AADSTS70004",
    "AADSTS500113",
    "AADSTS900971",
];

const fn row(codes: &'static [&'static str], remedy: &'static str) -> Row {
    Row { codes, remedy }
}

/// The table. The first row that fits is taken, so the codes of OAuth itself, which say little, come last.
pub(super) const TABLE: &[Row] = &[
    // Microsoft Entra: what the request says.
    row(
        &["AADSTS9010010", "AADSTS901002"],
        "set `resource = \"omit\"` in the profile (or `--resource omit`) and name the API in the scope (api://APP-ID/SCOPE), then run `chipp-auth login{target}`",
    ),
    row(
        &["AADSTS90009"],
        "set `refresh_scope = \"requested\"` in the profile and name the API by its application id (a GUID) in `scope`, then run `chipp-auth login{target}`",
    ),
    row(
        &["AADSTS70011", "AADSTS28002", "AADSTS28003", "AADSTS700022", "AADSTS700023"],
        "correct `scope`: all of it must belong to one API, each as the app registration names it (api://APP-ID/NAME), and `.default` stands without other scopes of that API",
    ),
    row(
        &["AADSTS650053"],
        "name the API in `scope` (api://APP-ID/SCOPE); without it Entra looks for the scope in Microsoft Graph",
    ),
    row(
        &["AADSTS500011", "AADSTS50001"],
        "check the API that `scope` (or `resource`) names, and the tenant: that tenant has no such API",
    ),
    row(
        &["AADSTS65005", "AADSTS650052", "AADSTS650056", "AADSTS650057"],
        "add the API to the app registration (Entra admin center, App registrations, API permissions) and let an administrator consent",
    ),
    // Microsoft Entra: the app and its tenant.
    row(
        &["AADSTS7000215", "AADSTS70002"],
        "store the secret's Value, not its Secret ID (Entra admin center, App registrations, Certificates & secrets)",
    ),
    row(
        &["AADSTS7000222"],
        "make a new client secret, since this one has expired (Entra admin center, App registrations, Certificates & secrets), and store its Value",
    ),
    row(
        &["AADSTS7000218"],
        "allow public client flows in the app registration (Authentication, Advanced settings), or give the profile the client secret",
    ),
    row(
        &["AADSTS700025"],
        "remove the client secret from the profile, since the app registration is that of a public client",
    ),
    row(
        &["AADSTS9002325", "AADSTS9002326", "AADSTS9002327", "AADSTS700084"],
        "register the redirect URI under `Mobile and desktop applications` instead of `Single-page application` (Entra admin center, App registrations, Authentication)",
    ),
    row(
        &["AADSTS50011", "AADSTS70004", "AADSTS500113", "AADSTS900971"],
        "register the redirect URI under `Mobile and desktop applications` (Entra admin center, App registrations, Authentication), with the host and path that are sent; Entra ignores the port of localhost",
    ),
    row(
        &["AADSTS700016", "AADSTS700011"],
        "check the client id, and the tenant: this tenant does not know the app, or its administrator has not approved it yet",
    ),
    row(
        &["AADSTS7000112", "AADSTS70001"],
        "ask the administrator of the tenant to enable the app, which is switched off there",
    ),
    row(
        &["AADSTS90002", "AADSTS90019", "AADSTS50059", "AADSTS50128"],
        "correct `tenant` in the profile's `variables`: the id or a domain of a tenant, or `organizations`, `consumers` or `common`",
    ),
    row(
        &["AADSTS50194", "AADSTS90130", "AADSTS90124", "AADSTS9001023", "AADSTS9002332"],
        "set `tenant` in the profile's `variables` to the id of your tenant, since the app does not serve accounts of others",
    ),
    // Microsoft Entra: the person.
    row(
        &[
            "AADSTS50020",
            "AADSTS50034",
            "AADSTS50014",
            "AADSTS51004",
            "AADSTS16000",
            "AADSTS16003",
            "AADSTS500208",
            "AADSTS90072",
        ],
        "sign in with an account of this tenant, or let its administrator invite yours as a guest",
    ),
    row(
        &["AADSTS65001", "AADSTS65004", "AADSTS90008", "AADSTS90094", "AADSTS90095", "AADSTS9002341"],
        "run `chipp-auth login{target}` and consent; if you are not allowed to, an administrator must consent for you (Entra admin center, Enterprise applications, Permissions)",
    ),
    row(
        &["AADSTS50057"],
        "ask the administrator of your organization to enable your account, which is switched off",
    ),
    row(
        &["AADSTS50105"],
        "ask the administrator of the tenant to assign you to the app (Entra admin center, Enterprise applications, Users and groups)",
    ),
    row(
        &["AADSTS50076", "AADSTS50079", "AADSTS50072", "AADSTS50074", "AADSTS50158", "AADSTS53004"],
        "run `chipp-auth login{target}` and finish the second factor, which your organization asks for",
    ),
    row(
        &[
            "AADSTS50005",
            "AADSTS53000",
            "AADSTS53001",
            "AADSTS53002",
            "AADSTS53003",
            "AADSTS530032",
            "AADSTS530035",
        ],
        "ask the administrator of your organization, whose Conditional Access policy does not allow this sign-in from this device",
    ),
    row(
        &[
            "AADSTS700082",
            "AADSTS70008",
            "AADSTS70043",
            "AADSTS50173",
            "AADSTS50078",
            "AADSTS50085",
            "AADSTS50089",
        ],
        "run `chipp-auth login{target}`: the sign-in lay unused for too long, or a policy or a new password ended it",
    ),
    row(
        &["AADSTS54005"],
        "run `chipp-auth login{target}` again: the code was used once already, and works only once",
    ),
    // Google.
    row(
        &["org_internal"],
        "sign in with an account of the organization that owns the OAuth app, or set the app's audience to External (Google Auth Platform, Audience)",
    ),
    row(
        &["admin_policy_enforced"],
        "ask the administrator of your Google Workspace to allow the app and its scopes (Admin console, Security, API controls)",
    ),
    row(
        &["deleted_client"],
        "restore the deleted OAuth client in the Google Cloud console, which is possible for 30 days, or create a new one and put its client id and secret into the profile",
    ),
    row(
        &["invalid_rapt"],
        "run `chipp-auth login{target}`: your organization's limit on the length of sessions has ended this one",
    ),
    // GitHub.
    row(
        &["incorrect_client_credentials"],
        "copy the client id again from the OAuth app's settings at GitHub and make a new client secret there, then store both",
    ),
    row(
        &["unverified_user_email"],
        "verify the primary e-mail address of your GitHub account (github.com/settings/emails), then run `chipp-auth login{target}`",
    ),
    row(
        &["device_flow_disabled"],
        "enable the device flow in the settings of the GitHub app, or sign in without `--device`",
    ),
    row(&["application_suspended"], "ask the owner of the GitHub app, which GitHub has suspended"),
    // Salesforce.
    row(
        &["OAUTH_APP_BLOCKED", "OAUTH_APPROVAL_ERROR_GENERIC"],
        "ask the Salesforce administrator to install or unblock the app and to let you use it (Setup, Connected Apps OAuth Usage)",
    ),
    row(
        &["inactive_user"],
        "ask the Salesforce administrator to activate or unlock your user, then run `chipp-auth login{target}`",
    ),
    row(
        &["inactive_org"],
        "sign in to another Salesforce organization, since this one is locked, closed or suspended",
    ),
    row(
        &["restricted_access"],
        "connect from a network that your Salesforce profile allows (Login IP Ranges), or ask its administrator",
    ),
    // Slack.
    row(
        &["bad_client_secret", "BAD_CLIENT_SECRET"],
        "copy the client secret again from the app's settings at the provider; it belongs to this client id alone",
    ),
    row(
        &["invalid_client_id", "BAD_CLIENT_ID"],
        "copy the client id again from the app's settings at the provider; a sandbox has another one than production, and at Salesforce a new app needs up to ten minutes",
    ),
    row(
        &["oauth_authorization_url_mismatch"],
        "use the `authorize_url` and the `token_url` of the same version (at Slack v2_user with oauth.v2.user.access, v2 with oauth.v2.access)",
    ),
    row(&["no_scopes"], "set `scope` in the profile; Slack wants at least one, and several with commas"),
    row(
        &["invalid_team_for_non_distributed_app"],
        "sign in to the Slack workspace in which the app was made, or let its owner distribute it",
    ),
    row(
        &["cannot_install_an_org_installed_app"],
        "ask the administrator of your Slack organization, which manages this app for all its workspaces",
    ),
    // LinkedIn.
    row(
        &["unauthorized_scope_error", "invalid_scope_error"],
        "add the product that has this scope to the LinkedIn app (Products), or correct `scope` in the profile",
    ),
    // Codes that are spent or too old, in the words of GitHub, Slack and HubSpot.
    row(
        &["bad_verification_code", "invalid_code", "code_already_used", "BAD_AUTH_CODE", "EXPIRED_AUTH_CODE"],
        "run `chipp-auth login{target}` again: a code works only once and for a few minutes",
    ),
    row(
        &["bad_refresh_token", "invalid_refresh_token", "BAD_REFRESH_TOKEN"],
        "run `chipp-auth login{target}`: the provider does not accept the refresh token any more",
    ),
    // The same at several providers, and OAuth's own.
    row(
        &[
            "redirect_uri_mismatch",
            "invalid_redirect_uri",
            "bad_redirect_uri",
            "BAD_REDIRECT_URI",
            "MISMATCH_REDIRECT_URI_AUTH_CODE",
        ],
        REGISTER,
    ),
    row(
        &["invalid_scope"],
        "correct `scope` (or run `chipp-auth login{target}` with `--scope`): the server must offer each scope, and the app must be allowed to ask for it",
    ),
    row(
        &["access_denied", "access-denied", "user_cancelled_login", "user_cancelled_authorize"],
        "run `chipp-auth login{target}` and choose Authorize; if you did, the app may not ask for these scopes, or needs the provider's review, or is in testing and does not list your account",
    ),
];
