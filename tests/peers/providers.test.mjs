// The providers by themselves, with no chipp-auth between: a plain client walks through each habit. When this is
// red, the fault is not chipp-auth's.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const REDIRECT = 'http://localhost:4711/callback';
const SECRET = 'p:a+s s%w/o&r=d';
const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

async function start(t, ...options) {
  const child = spawn(process.execPath, [file('provider.mjs'), ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = JSON.parse((await lines.next()).value);
  async function ask(name, parameters = {}) {
    child.stdin.write(`${JSON.stringify({ do: name, ...parameters })}\n`);
    const answer = JSON.parse((await lines.next()).value);
    assert.ok('ok' in answer, JSON.stringify(answer));
    return answer.ok;
  }
  return { ...said, ask };
}

/** Goes to the authorization endpoint, signed in; what comes back in the redirect, or the page. */
async function visit({ authorize_url, client_id, origin }, parameters = {}) {
  const verifier = randomUUID() + randomUUID();
  const code_challenge = createHash('sha256').update(verifier).digest('base64url');
  const query = {
    response_type: 'code',
    client_id,
    redirect_uri: REDIRECT,
    state: 'x',
    code_challenge,
    code_challenge_method: 'S256',
    ...parameters,
  };
  const login = await fetch(new URL('/login?to=/', origin), { redirect: 'manual' });
  const headers = { cookie: login.headers.get('set-cookie').split(';')[0] };
  const response = await fetch(`${authorize_url}?${new URLSearchParams(query)}`, { redirect: 'manual', headers });
  const location = response.headers.get('location');
  if (!location) return { status: response.status, body: await response.text() };
  return { verifier, redirect_uri: query.redirect_uri, ...Object.fromEntries(new URL(location).searchParams) };
}

const encoded = (value) => new URLSearchParams({ value }).toString().slice('value='.length);
const basic = (id, secret, encode = encoded) => ({ authorization: `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}` });

/** Sends a token request in a style. */
async function send(url, style, { id, secret }, params, headers = {}) {
  const pair = { client_id: id, ...(secret !== undefined && { client_secret: secret }) };
  const inBody = style.endsWith('basic') ? {} : pair;
  const all = { ...inBody, ...params };
  const json = style.startsWith('json');
  const response = await fetch(url, {
    method: 'POST',
    body: json ? JSON.stringify(all) : String(new URLSearchParams(all)),
    headers: {
      'content-type': json ? JSON_TYPE : FORM,
      ...(style.endsWith('basic') && basic(id, secret)),
      ...headers,
    },
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const body = type.startsWith(JSON_TYPE) ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
  return { status: response.status, type, text, ...body };
}

const redeem = ({ code, verifier, redirect_uri }) => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri,
  code_verifier: verifier,
});
const renewing = (refresh_token) => ({ grant_type: 'refresh_token', refresh_token });

/** A whole sign-in: the tokens, and `post(params)` for what comes after. */
async function signIn(server, style, parameters, headers) {
  const client = { id: server.client_id, secret: server.client_secret };
  const post = (params) => send(server.token_url, style, client, params, headers);
  return { post, ...(await post(redeem(await visit(server, parameters)))) };
}

async function call({ url }, token, name = 'whoami', args = {}) {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(message),
    headers: {
      'content-type': JSON_TYPE,
      accept: 'application/json, text/event-stream',
      ...(token && { authorization: `Bearer ${token}` }),
    },
  });
  if (!response.ok) return { status: response.status, challenge: response.headers.get('www-authenticate') };
  const { result, error } = await response.json();
  return { status: 200, text: result?.content?.[0].text, error };
}

const STYLES = ['form_post', 'form_basic', 'json_basic', 'json'];
for (const style of STYLES) {
  test(`${style}: only it is accepted`, async (t) => {
    const server = await start(t, '--style', style, '--client-id', 'an id', '--client-secret', SECRET);
    const client = { id: 'an id', secret: SECRET };
    const back = await visit(server);
    for (const other of STYLES.filter((one) => one !== style)) {
      const refused = await send(server.token_url, other, client, redeem(back));
      assert.deepEqual([refused.status, refused.error], [401, 'invalid_client'], other);
    }
    const wrong = await send(server.token_url, style, { ...client, secret: 'no' }, redeem(back));
    assert.deepEqual([wrong.status, wrong.error], [401, 'invalid_client']);
    const post = (params) => send(server.token_url, style, client, params);
    const tokens = await post(redeem(back));
    assert.equal(tokens.token_type, 'Bearer', 'the code has survived the wrong styles');
    assert.equal((await post(redeem(back))).error, 'invalid_grant', 'and serves once');
    const renewed = await post(renewing(tokens.refresh_token));
    assert.equal((await post(renewing(tokens.refresh_token))).error, 'invalid_grant', 'rotated');
    assert.equal((await call(server, renewed.access_token)).text, 'john@example.com');
    const revoked = await send(server.revoke_url, style, client, { token: renewed.refresh_token });
    assert.equal(revoked.status, 200);
    assert.equal((await call(server, renewed.access_token)).status, 401);
  });
}

test('a server that burns codes, and says nothing', async (t) => {
  for (const silent of ['empty', 'html']) {
    const server = await start(t, '--style', 'form_basic', '--burn', '--silent', silent);
    const client = { id: server.client_id, secret: server.client_secret };
    const back = await visit(server);
    const refused = await send(server.token_url, 'form_post', client, redeem(back));
    assert.deepEqual([refused.status, refused.error], [400, undefined]);
    assert.equal(refused.text.includes('<'), silent === 'html');
    const late = await send(server.token_url, 'form_basic', client, redeem(back));
    assert.equal(late.error, 'invalid_grant');
    assert.equal((await signIn(server, 'form_basic')).token_type, 'Bearer');
  }
});

test('Basic, encoded and raw', async (t) => {
  const raw = await start(t, '--style', 'form_basic', '--raw-basic', '--client-secret', SECRET);
  const client = { id: 'client', secret: SECRET };
  const back = await visit(raw);
  const pair = await send(raw.token_url, 'form_basic', client, redeem(back));
  assert.equal(pair.error, 'invalid_client');
  const plain = basic('client', SECRET, String);
  assert.equal((await send(raw.token_url, 'form_basic', client, redeem(back), plain)).status, 200);
  const strict = await start(t, '--style', 'form_basic', '--client-secret', SECRET);
  const again = await visit(strict);
  const refused = await send(strict.token_url, 'form_basic', client, redeem(again), plain);
  assert.equal(refused.error, 'invalid_client');
  // A blank may be %20 or +.
  const blank = basic('client', SECRET, encodeURIComponent);
  assert.equal((await send(strict.token_url, 'form_basic', client, redeem(again), blank)).status, 200);
});

test('redirect URI, PKCE, consent, users', async (t) => {
  const server = await start(t, '--redirect-uri', REDIRECT);
  const query = new URLSearchParams({ response_type: 'code', client_id: server.client_id, redirect_uri: REDIRECT });
  const stranger = await fetch(`${server.authorize_url}?${query}`, { redirect: 'manual' });
  assert.match(stranger.headers.get('location'), /^\/login\?to=/, 'nobody has signed in');
  assert.match((await visit(server, { redirect_uri: `${REDIRECT}/` })).body, /Invalid redirect_uri/);
  const client = { id: server.client_id, secret: server.client_secret };
  const post = (params) => send(server.token_url, 'form_post', client, params);
  const other = { ...redeem(await visit(server)), redirect_uri: 'http://localhost:4712/callback' };
  assert.equal((await post(other)).error, 'invalid_grant');
  const guessed = { ...redeem(await visit(server)), code_verifier: randomUUID() };
  assert.equal((await post(guessed)).error, 'invalid_grant');
  await server.ask('user', { login: 'jane' });
  const jane = await signIn(server, 'form_post');
  const john = await signIn(server, 'form_post', { login_hint: 'john' });
  const names = await Promise.all([jane, john].map(({ access_token }) => call(server, access_token)));
  assert.deepEqual(names.map(({ text }) => text), ['jane@example.com', 'john@example.com']);
  assert.match((await call(server)).challenge, /^Bearer realm="contacts"$/);
  assert.match((await call(server, 'x')).challenge, /error="invalid_token"/);
  await server.ask('withdraw', { login: 'jane' });
  assert.equal((await call(server, jane.access_token)).status, 401);
  assert.equal((await post(renewing(jane.refresh_token))).error, 'invalid_grant');

  const asking = await start(t, '--consent');
  const { body } = await visit(asking);
  const abort = /href="([^"]*abort)"/.exec(body)[1];
  const denied = await fetch(new URL(abort, asking.origin), { redirect: 'manual' });
  assert.match(denied.headers.get('location'), /error=access_denied/);
});

test('github: forms, and errors with 200', async (t) => {
  const server = await start(t, '--habit', 'github');
  const plain = await signIn(server, 'form_post', { scope: 'repo gist' });
  assert.match(plain.text, /^access_token=gho_[\w-]+&scope=repo%2Cgist&token_type=bearer$/);
  const json = await signIn(server, 'form_post', { scope: 'repo gist' }, { accept: JSON_TYPE });
  assert.deepEqual([json.scope, json.refresh_token, json.expires_in], ['repo,gist', undefined, undefined]);
  const bad = await json.post({ grant_type: 'authorization_code', code: 'x' });
  assert.deepEqual([bad.status, bad.error], [200, 'bad_verification_code']);
  assert.equal((await call(server, json.access_token)).text, 'john');
  const deaf = await start(t, '--habit', 'github', '--deaf', '--expiring');
  const tokens = await signIn(deaf, 'form_post', {}, { accept: JSON_TYPE });
  assert.ok(tokens.type.startsWith(FORM));
  assert.match((await tokens.post(renewing(tokens.refresh_token))).access_token, /^ghu_/);
});

test('slack: 200 with an error inside', async (t) => {
  const server = await start(t, '--habit', 'slack');
  const tokens = await signIn(server, 'form_post', { scope: 'search:read users:read' });
  assert.deepEqual([tokens.ok, tokens.token_type, tokens.authed_user.id], [true, 'user', 'U001']);
  const bad = await tokens.post({ grant_type: 'authorization_code', code: 'x' });
  assert.deepEqual([bad.status, bad.ok, bad.error], [200, false, 'invalid_code']);
  assert.equal((await call(server, 'x')).status, 401);
});

test('google: a refresh token at the first consent', async (t) => {
  const server = await start(t, '--habit', 'google');
  const offline = { scope: 'openid email', access_type: 'offline' };
  const first = await signIn(server, 'form_post', offline);
  const keys = createRemoteJWKSet(new URL('/jwks', server.origin));
  const { payload } = await jwtVerify(first.id_token, keys, { issuer: server.origin, audience: server.client_id });
  assert.equal(payload.email, 'john@example.com');
  assert.match(first.refresh_token, /^1\/\//);
  assert.equal((await first.post(renewing(first.refresh_token))).refresh_token, undefined);
  assert.equal((await signIn(server, 'form_post', offline)).refresh_token, undefined);
  assert.ok((await signIn(server, 'form_post', { ...offline, prompt: 'consent' })).refresh_token);
  await server.ask('withdraw', { login: 'john' });
  assert.equal((await signIn(server, 'form_post', { scope: 'openid' })).refresh_token, undefined, 'not offline');
});

test('entra: AADSTS errors', async (t) => {
  const server = await start(t, '--habit', 'entra', '--redirect-uri', REDIRECT);
  const tokens = await signIn(server, 'form_post', { scope: 'openid offline_access api://x/y' });
  assert.ok(tokens.refresh_token && tokens.id_token && tokens.ext_expires_in);
  assert.equal((await signIn(server, 'form_post', { scope: 'openid' })).refresh_token, undefined);
  assert.match((await visit(server, { resource: 'https://x' })).error_description, /^AADSTS9010010: /);
  const scope = `offline_access api://${server.client_id}/x`;
  const own = await signIn(server, 'form_post', { scope });
  const unnamed = await own.post(renewing(own.refresh_token));
  assert.deepEqual([unnamed.status, unnamed.error, unnamed.error_codes], [400, 'invalid_request', [90009]]);
  assert.equal((await own.post({ ...renewing(own.refresh_token), scope })).scope, scope);
  assert.match((await visit(server, { redirect_uri: 'http://localhost/x' })).body, /AADSTS50011: /);
  const back = await visit(server);
  const client = { id: server.client_id, secret: 'no' };
  const wrong = await send(server.token_url, 'form_post', client, redeem(back));
  assert.deepEqual([wrong.status, wrong.error, wrong.error_codes], [401, 'invalid_client', [7000215]]);
  await tokens.post(redeem(back));
  const used = await tokens.post(redeem(back));
  assert.deepEqual([used.status, used.error, used.error_codes], [400, 'invalid_grant', [54005]]);
});

test('salesforce: instance_url, and a refresh token for the scope', async (t) => {
  const server = await start(t, '--habit', 'salesforce');
  const tokens = await signIn(server, 'form_basic', { scope: 'api refresh_token offline_access' });
  assert.equal(tokens.instance_url, server.origin);
  assert.match(tokens.issued_at, /^\d{13}$/);
  assert.deepEqual([typeof tokens.signature, tokens.expires_in], ['string', undefined]);
  const found = await call(server, tokens.access_token, 'search_salesforce_contacts', { query: 'friend' });
  assert.match(found.text, /A friend of John Doe/);
  assert.match((await call(server, tokens.access_token, 'get_my_contacts')).text, /A friend of John Doe/);
  assert.equal((await signIn(server, 'form_basic', { scope: 'api' })).refresh_token, undefined);
  const again = await tokens.post(renewing(tokens.refresh_token));
  assert.deepEqual([typeof again.access_token, again.refresh_token], ['string', undefined]);
  assert.match((await visit(server, { redirect_uri: 'http://localhost/x' })).body, /redirect_uri_mismatch/);
  const searched = (await server.ask('log')).filter(({ path }) => path.includes('/v58.0/query?q=SELECT'));
  assert.equal(searched.length, 1);
});
