// Microsoft Entra's habits (habits.mjs): https://learn.microsoft.com/en-us/entra/identity-platform/
// v2-oauth2-auth-code-flow for the endpoints and the answers, and …/reference-error-codes for the AADSTS codes.
//
// Since March 2026 the v2.0 endpoints refuse a `resource` that does not fit the scopes, AADSTS9010010:
// https://github.com/microsoft/powerbi-modeling-mcp/issues/68, https://github.com/microsoft/vscode/issues/321249.
// A refresh without a scope is refused where client and API are the same app, AADSTS90009:
// https://github.com/modelcontextprotocol/typescript-sdk/issues/2718.

const TENANT = '/9188040d-6c67-4c5b-b112-36a304b66dad';

const MISMATCH = 'specified in the request does not match the redirect URIs configured for the application.';

/** failure → [status, error, AADSTS number, text]. */
const FAILURES = {
  unknown_client: [400, 'unauthorized_client', 700016, "Application 'x' was not found in the directory 'Contoso'."],
  wrong_secret: [
    401,
    'invalid_client',
    7000215,
    'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not ' +
      "the client secret ID, for a secret added to app 'x'.",
  ],
  wrong_style: [
    401,
    'invalid_client',
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ],
  bad_code: [400, 'invalid_grant', 70000, 'The provided value for the code parameter is not valid.'],
  used_code: [
    400,
    'invalid_grant',
    54005,
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing ' +
      'refresh token.',
  ],
  bad_refresh: [400, 'invalid_grant', 700082, 'The refresh token has expired due to inactivity.'],
  bad_verifier: [400, 'invalid_grant', 501481, 'The Code_Verifier does not match the code_challenge.'],
  redirect_mismatch: [
    400,
    'invalid_client',
    500112,
    'The reply address does not match the reply address provided when requesting Authorization code.',
  ],
  bad_grant_type: [400, 'unsupported_grant_type', 70003, "The app requested an unsupported grant type 'x'."],
  bad_target: [
    400,
    'invalid_target',
    9010010,
    "The resource parameter provided in the request doesn't match with the requested scopes.",
  ],
  for_itself: [
    400,
    'invalid_request',
    90009,
    "Application 'x' is requesting a token for itself. This scenario is supported only if resource is specified " +
      'using the GUID based App Identifier.',
  ],
};

/** The habit, made with the tools of habits.mjs. */
export function entra({ random, list, json, page, randomUUID }) {
  function words(failure) {
    const [, error, number, text] = FAILURES[failure];
    const [trace_id, correlation_id] = [randomUUID(), randomUUID()];
    const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
    const ids = `Trace ID: ${trace_id} Correlation ID: ${correlation_id} Timestamp: ${timestamp}`;
    const error_description = `AADSTS${number}: ${text} ${ids}`;
    return { error, error_description, error_codes: [number], timestamp, trace_id, correlation_id };
  }

  return {
    paths: {
      authorize: `${TENANT}/oauth2/v2.0/authorize`,
      token: `${TENANT}/oauth2/v2.0/token`,
      userinfo: '/oidc/userinfo',
    },
    fail: (failure) => json(FAILURES[failure][0], words(failure)),
    tokens: ({ scope, lifetime, id_token }) => ({
      token_type: 'Bearer',
      scope,
      expires_in: lifetime - 1,
      ext_expires_in: lifetime - 1,
      access_token: `eyJ0eXAi.${random()}`,
      refresh_token: `1.${random()}`,
      ...(list(scope).includes('openid') && { id_token }),
    }),
    refreshes: ({ asked }) => list(asked.scope).includes('offline_access'),
    mismatch: ({ redirect_uri = '' }) => {
      const text = `AADSTS50011: The redirect URI '${redirect_uri.replace(/[<&]/g, '')}' ${MISMATCH}`;
      return page(400, 'Sorry, but we’re having trouble signing you in.', text);
    },
    /** What is wrong with the parameters of a request, at either endpoint. */
    refuses: ({ resource }) => (resource === undefined ? null : 'bad_target'),
    /** A refresh that names no scope is for the client itself, where that is the API too. */
    refusesRefresh({ scope }, granted, client) {
      const own = (text) => list(text).some((one) => one.startsWith(`api://${client}/`));
      return own(granted) && !own(scope) ? 'for_itself' : null;
    },
    words,
  };
}
