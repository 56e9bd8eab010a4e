// The habits of real providers, as their documentation has them; each is cited beside it. A habit says where
// the endpoints are, how a grant is answered, what a failure looks like, and when there is a refresh token.
//
// A failure has one of these names: unknown_client, wrong_secret, wrong_style, bad_code, used_code,
// bad_refresh, bad_verifier, redirect_mismatch, bad_grant_type, bad_target, bad_token.
import { randomBytes, randomUUID } from 'node:crypto';
import { entra } from './entra.mjs';

const random = (bytes = 24) => randomBytes(bytes).toString('base64url');
const list = (scope) => (scope ?? '').split(/[ ,]+/).filter(Boolean);
const json = (status, body) => ({ status, type: 'application/json', body: JSON.stringify(body) });
const page = (status, title, text) => ({
  status,
  type: 'text/html',
  body: `<!doctype html><title>${title}</title><h1>${title}</h1><p>${text}</p>`,
});

/** Word for word RFC 6749 section 5.2, with 401 for clients as it allows. */
const RFC = {
  unknown_client: [401, 'invalid_client', 'no such client'],
  wrong_secret: [401, 'invalid_client', 'wrong secret'],
  wrong_style: [401, 'invalid_client', 'the client did not authenticate'],
  bad_code: [400, 'invalid_grant', 'no such code'],
  used_code: [400, 'invalid_grant', 'the code was used already'],
  bad_refresh: [400, 'invalid_grant', 'no such refresh token'],
  bad_verifier: [400, 'invalid_grant', 'the code verifier does not match'],
  redirect_mismatch: [400, 'invalid_grant', 'the redirect URI does not match'],
  bad_grant_type: [400, 'unsupported_grant_type', 'no such grant'],
};
const named = ([status, error, error_description]) => json(status, { error, error_description });

/** What a habit does not say is done as here. */
const plain = {
  style: 'form_post',
  paths: { authorize: '/authorize', token: '/token', revoke: '/revoke', userinfo: '/userinfo' },
  secretless: [],
  fail: (failure) => named(RFC[failure]),
  tokens: ({ scope, lifetime }) => ({
    access_token: `at_${random()}`,
    token_type: 'Bearer',
    expires_in: lifetime,
    refresh_token: `rt_${random()}`,
    scope,
  }),
  refreshes: () => true,
  /** Whether a refresh token is replaced when it is used. */
  rotates: true,
  answer: ({ body }) => json(200, body),
  mismatch: () => page(400, 'Invalid redirect_uri', 'The redirect URI is not registered for this client.'),
  refuses: () => null,
  refusesRefresh: () => null,
  userinfo: (user) => json(200, { sub: user.sub, email: user.email, name: user.name }),
  unauthorized: () => ({ ...json(401, { error: 'invalid_token' }), challenge: 'Bearer error="invalid_token"' }),
  revoked: () => ({ status: 200 }),
};

// Chipp's own documentation, "OAuth Authentication": endpoints, prefixes, a JSON body, a client without a secret.
const chipp = {
  ...plain,
  style: 'json',
  paths: Object.fromEntries(['authorize', 'token', 'revoke'].map((name) => [name, `/api/mcp/oauth/${name}`])),
  tokens(terms) {
    const found = plain.tokens(terms);
    return { ...found, access_token: `chipp_at_${random()}`, refresh_token: `chipp_rt_${random()}` };
  },
};
chipp.paths.userinfo = '/userinfo';

// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps: "By default, the
// response takes the following form" (a form); with Accept it may be JSON or XML. The scopes are separated by
// commas. https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/
// troubleshooting-oauth-app-access-token-request-errors: errors are answers like others, with the status 200.
// Tokens of OAuth apps do not expire; those of GitHub Apps do, and come with a refresh token:
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/
// refreshing-user-access-tokens. There is no revocation as in RFC 7009.
const GITHUB = {
  unknown_client: ['incorrect_client_credentials', 'The client_id and/or client_secret passed are incorrect.'],
  bad_code: ['bad_verification_code', 'The code passed is incorrect or expired.'],
  bad_refresh: ['bad_refresh_token', 'The refresh token passed is incorrect or expired.'],
  redirect_mismatch: [
    'redirect_uri_mismatch',
    'The redirect_uri MUST match the registered callback URL for this application.',
  ],
  bad_grant_type: ['unsupported_grant_type', 'The grant_type parameter is not supported.'],
};
Object.assign(GITHUB, {
  wrong_secret: GITHUB.unknown_client,
  wrong_style: GITHUB.unknown_client,
  used_code: GITHUB.bad_code,
  bad_verifier: GITHUB.bad_code,
});

const github = {
  ...plain,
  paths: { authorize: '/login/oauth/authorize', token: '/login/oauth/access_token', userinfo: '/user' },
  fail(failure, { accept }) {
    const [error, error_description] = GITHUB[failure];
    const anchor = error.replaceAll('_', '-');
    const error_uri = `/apps/managing-oauth-apps/#${anchor}`;
    return github.answer({ body: { error, error_description, error_uri }, accept });
  },
  tokens: ({ scope, lifetime, expiring }) => ({
    access_token: `${expiring ? 'ghu' : 'gho'}_${random()}`,
    scope: list(scope).join(','),
    token_type: 'bearer',
    ...(expiring && { expires_in: lifetime, refresh_token: `ghr_${random()}` }),
    ...(expiring && { refresh_token_expires_in: 15_811_200 }),
  }),
  refreshes: ({ expiring }) => expiring,
  answer({ body, accept = '' }) {
    if (accept.includes('application/json')) return json(200, body);
    const type = 'application/x-www-form-urlencoded; charset=utf-8';
    return { status: 200, type, body: String(new URLSearchParams(body)) };
  },
  userinfo: (user) => json(200, { login: user.login, id: 1, name: user.name, email: null }),
  unauthorized: () => json(401, { message: 'Bad credentials', status: '401' }),
};

// https://docs.slack.dev/reference/methods/oauth.v2.user.access: errors are 200 with `"ok": false`; the type of
// a user's token is "user"; scopes are separated by commas. Tokens expire only where rotation was switched on:
// https://docs.slack.dev/authentication/using-token-rotation. Revocation is a method of the API (auth.revoke).
const SLACK = {
  unknown_client: 'invalid_client_id',
  wrong_secret: 'bad_client_secret',
  wrong_style: 'bad_client_secret',
  bad_code: 'invalid_code',
  used_code: 'code_already_used',
  bad_refresh: 'invalid_refresh_token',
  bad_verifier: 'invalid_code_verifier',
  redirect_mismatch: 'bad_redirect_uri',
  bad_grant_type: 'invalid_grant_type',
};

const slack = {
  ...plain,
  paths: {
    authorize: '/oauth/v2_user/authorize',
    token: '/api/oauth.v2.user.access',
    userinfo: '/api/openid.connect.userInfo',
  },
  fail: (failure) => json(200, { ok: false, error: SLACK[failure] }),
  tokens: ({ scope, lifetime, expiring, user }) => ({
    ok: true,
    access_token: `${expiring ? 'xoxe.' : ''}xoxp-${random()}`,
    token_type: 'user',
    scope: list(scope).join(','),
    authed_user: { id: user.slack, scope: list(scope).join(',') },
    team: { id: 'T012345' },
    ...(expiring && { expires_in: lifetime, refresh_token: `xoxe-1-${random()}` }),
  }),
  refreshes: ({ expiring }) => expiring,
  userinfo: (user) => json(200, { ok: true, sub: user.slack, email: user.email, name: user.name }),
  unauthorized: () => json(200, { ok: false, error: 'invalid_auth' }),
};

// https://developers.google.com/identity/protocols/oauth2/web-server: a refresh token needs access_type=offline,
// and comes "only … the first time" that the user consents, unless prompt=consent asks anew; a refresh brings
// no new one. The id_token has the address: https://developers.google.com/identity/openid-connect/reference.
// Revocation takes the token alone, and makes the next consent a first one.
const GOOGLE = {
  ...RFC,
  unknown_client: [401, 'invalid_client', 'The OAuth client was not found.'],
  wrong_secret: [401, 'invalid_client', 'Unauthorized'],
  wrong_style: [400, 'invalid_request', 'Could not determine client ID from request.'],
  bad_code: [400, 'invalid_grant', 'Malformed auth code.'],
  used_code: [400, 'invalid_grant', 'Bad Request'],
  bad_refresh: [400, 'invalid_grant', 'Token has been expired or revoked.'],
  bad_verifier: [400, 'invalid_grant', 'Invalid code verifier.'],
  redirect_mismatch: [400, 'redirect_uri_mismatch', 'Bad Request'],
};

const google = {
  ...plain,
  paths: { authorize: '/o/oauth2/v2/auth', token: '/token', revoke: '/revoke', userinfo: '/v1/userinfo' },
  secretless: ['revoke'],
  rotates: false,
  fail: (failure) => named(GOOGLE[failure]),
  tokens: ({ scope, lifetime, id_token }) => ({
    access_token: `ya29.${random()}`,
    expires_in: lifetime - 1,
    refresh_token: `1//${random()}`,
    scope,
    token_type: 'Bearer',
    ...(list(scope).includes('openid') && { id_token }),
  }),
  refreshes: ({ asked: { access_type, prompt }, first }) =>
    access_type === 'offline' && (first || list(prompt).includes('consent')),
  mismatch: () =>
    page(400, 'Error 400: redirect_uri_mismatch', "You can't sign in because this app sent an invalid request."),
};

// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_web_server_flow.htm: the answer has
// instance_url, id, signature and issued_at (milliseconds, as a string), and no expires_in; how long a token
// lives is the org's session policy. …?id=sf.remoteaccess_oauth_tokens_scopes.htm: a refresh token needs the scope
// refresh_token, which is offline_access by another name; a refresh brings no new one.
// …?id=sf.remoteaccess_oauth_flow_errors.htm: the errors.
const SALESFORCE = {
  unknown_client: [400, 'invalid_client_id', 'client identifier invalid'],
  wrong_secret: [400, 'invalid_client', 'invalid client credentials'],
  wrong_style: [400, 'invalid_client', 'invalid client credentials'],
  bad_code: [400, 'invalid_grant', 'invalid authorization code'],
  used_code: [400, 'invalid_grant', 'expired authorization code'],
  bad_refresh: [400, 'invalid_grant', 'expired access/refresh token'],
  bad_verifier: [400, 'invalid_grant', 'invalid code verifier'],
  redirect_mismatch: [400, 'redirect_uri_mismatch', 'redirect_uri must match configuration'],
  bad_grant_type: [400, 'unsupported_grant_type', 'grant type not supported'],
};

const salesforce = {
  ...plain,
  style: 'form_basic',
  paths: Object.fromEntries(
    ['authorize', 'token', 'revoke', 'userinfo'].map((name) => [name, `/services/oauth2/${name}`]),
  ),
  secretless: ['revoke'],
  rotates: false,
  fail: (failure) => named(SALESFORCE[failure]),
  tokens: ({ scope, user, origin }) => ({
    access_token: `00D000000000001!${random()}`,
    refresh_token: `5Aep861${random()}`,
    signature: randomBytes(32).toString('base64'),
    scope,
    instance_url: origin,
    id: `${origin}/id/00D000000000001EAA/${user.sub}`,
    token_type: 'Bearer',
    issued_at: String(Date.now()),
  }),
  refreshes: ({ asked }) => list(asked.scope).some((one) => ['refresh_token', 'offline_access'].includes(one)),
  mismatch: () => page(400, 'error=redirect_uri_mismatch', 'error_description=redirect_uri must match configuration'),
  userinfo: ({ sub: user_id, email, name }) =>
    json(200, { user_id, organization_id: '00D000000000001EAA', preferred_username: email, email, name }),
  unauthorized: () => ({ status: 403, type: 'text/html', body: 'Bad_OAuth_Token' }),
};

// https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow: the endpoints; a
// refresh token is for approved partners only. What no page says, and live comparisons showed: a verifier in the
// token request is answered as if the secret were wrong (github.com/teamhanko/hanko/pull/2405).
const linkedin = {
  ...plain,
  paths: { authorize: '/oauth/v2/authorization', token: '/oauth/v2/accessToken', userinfo: '/v2/userinfo' },
  refuses: ({ code_verifier }) => (code_verifier === undefined ? null : 'wrong_secret'),
  refreshes: () => false,
};

const tools = { random, list, json, page, randomUUID };
export const HABITS = { plain, chipp, github, slack, google, salesforce, linkedin, entra: { ...plain, ...entra(tools) } };
