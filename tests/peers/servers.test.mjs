// The authorization servers by themselves, with no chipp-auth between: when this is red, the fault is not its.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const COMMANDS = {
  oidc: [process.execPath, file('oidc.mjs')],
  fastmcp: [file('../../target/peers-venv/bin/python'), file('authorization.py')],
};
const SECRET = 'p:a+s s%w/o&r=d';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A server, what it says of itself, and `ask(name, parameters)`. */
async function start(t, kind, ...options) {
  const [program, script] = COMMANDS[kind];
  const child = spawn(program, [script, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { url, issuer } = JSON.parse((await lines.next()).value);
  const metadata = await (await fetch(new URL('/.well-known/oauth-authorization-server', issuer))).json();
  assert.equal(metadata.issuer, issuer);
  async function ask(name, parameters = {}) {
    child.stdin.write(`${JSON.stringify({ do: name, ...parameters })}\n`);
    const answer = JSON.parse((await lines.next()).value);
    assert.ok('ok' in answer, JSON.stringify(answer));
    return answer.ok;
  }
  return { url, metadata, ask };
}

async function post(url, parameters, headers = {}) {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(parameters), headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, ...(text ? JSON.parse(text) : {}) };
}

const basic = (id) => ({ authorization: `Basic ${btoa(`${id}:${encodeURIComponent(SECRET)}`)}` });

function call(url, authorization, tool = 'list_notes', headers = {}) {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } };
  const accept = 'application/json, text/event-stream';
  return fetch(url, {
    method: 'POST',
    body: JSON.stringify(message),
    headers: { 'content-type': 'application/json', accept, authorization, ...headers },
  });
}

/** What the person who says yes has before him in the end. */
const visit = (url) =>
  new Promise((resolve, reject) => {
    const arrived = (error, stdout) => (error ? reject(error) : resolve(JSON.parse(stdout)));
    execFile(process.execPath, [file('click.mjs'), String(url)], arrived);
  });

/** A whole sign-in with a client that registers itself: the client, and its tokens. */
async function signIn({ url, metadata }, scope, headers = {}) {
  const listener = createServer((_, res) => res.end('thanks'));
  listener.listen(0, 'localhost');
  await once(listener, 'listening');
  const redirect_uri = `http://localhost:${listener.address().port}/callback`;
  const registration = {
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [redirect_uri],
    token_endpoint_auth_method: 'none',
    scope,
  };
  const registered = await fetch(metadata.registration_endpoint, {
    method: 'POST',
    body: JSON.stringify(registration),
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(registered.status, 201);
  const { client_id } = await registered.json();
  const code_verifier = randomUUID() + randomUUID();
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
  const request = new URL(metadata.authorization_endpoint);
  const code = { response_type: 'code', code_challenge, code_challenge_method: 'S256', state: 'x' };
  request.search = new URLSearchParams({ client_id, redirect_uri, scope, resource: url, ...code });
  const back = new URL((await visit(request)).url).searchParams;
  listener.close();
  // RFC 9207: promised by one of them, and kept.
  const promised = metadata.authorization_response_iss_parameter_supported === true;
  assert.equal(back.get('iss'), promised ? metadata.issuer : null);
  const grant = { grant_type: 'authorization_code', code: back.get('code'), client_id, code_verifier, redirect_uri };
  const tokens = await post(metadata.token_endpoint, { ...grant, resource: url }, headers);
  return { client_id, ...tokens };
}

const renew = ({ metadata }, { client_id }, refresh_token) =>
  post(metadata.token_endpoint, { grant_type: 'refresh_token', refresh_token, client_id });

for (const kind of ['oidc', 'fastmcp']) {
  test(`${kind}: tokens rotate, serve, and end`, async (t) => {
    const server = await start(t, kind);
    const first = await signIn(server, 'notes:read notes:write');
    assert.equal(first.status, 200);
    assert.equal((await call(server.url, `Bearer ${first.access_token}`, 'add_note')).status, 200);
    const second = await renew(server, first, first.refresh_token);
    assert.notEqual(second.refresh_token, first.refresh_token);
    // The one ends everything here, the other one refuses.
    assert.equal((await renew(server, first, first.refresh_token)).error, 'invalid_grant');
    const { active } = await server.ask('introspect', { token: second.access_token });
    assert.equal(active, kind === 'fastmcp');
    const revoked = (await server.ask('log')).some(({ event }) => event === 'grant.revoked');
    assert.equal(revoked, kind === 'oidc');
    await server.ask('forget', { client: first.client_id });
    const unknown = await renew(server, first, second.refresh_token);
    assert.deepEqual([unknown.status, unknown.error], [401, 'invalid_client']);
  });

  test(`${kind}: a higher scope is demanded`, async (t) => {
    const server = await start(t, kind);
    const { access_token } = await signIn(server, 'notes:read');
    assert.equal((await call(server.url, `Bearer ${access_token}`)).status, 200);
    const refused = await call(server.url, `Bearer ${access_token}`, 'add_note');
    assert.equal(refused.status, 403);
    const challenge = refused.headers.get('www-authenticate');
    assert.match(challenge, /Bearer error="insufficient_scope".*scope="notes:write"/);
    const none = await call(server.url, 'Bearer nonsense');
    assert.equal(none.status, 401);
    assert.match(none.headers.get('www-authenticate'), /error="invalid_token".*resource_metadata="/);
  });
}

test('oidc: the client for itself, with a secret and with keys', async (t) => {
  const { url, metadata, ask } = await start(t, 'oidc');
  const grant = { grant_type: 'client_credentials', scope: 'notes:read', resource: url };
  const tokens = [await post(metadata.token_endpoint, grant, basic('machine'))];
  for (const alg of ['ES256', 'EdDSA', 'RS256']) {
    const { client_id, pem } = await ask('signer', { alg });
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg })
      .setIssuer(client_id)
      .setSubject(client_id)
      .setAudience(metadata.issuer)
      .setExpirationTime('1m')
      .sign(createPrivateKey(pem));
    const proof = { client_assertion: assertion, client_assertion_type: ASSERTION };
    tokens.push(await post(metadata.token_endpoint, { ...grant, ...proof }));
  }
  for (const { access_token, refresh_token, error } of tokens) {
    assert.deepEqual([error, refresh_token], [undefined, undefined]);
    assert.equal((await call(url, `Bearer ${access_token}`)).status, 200);
  }
});

test('oidc: on another device', async (t) => {
  const { url, metadata } = await start(t, 'oidc');
  const client_id = 'public';
  const asked = { client_id, scope: 'notes:read', resource: url };
  const device = await post(metadata.device_authorization_endpoint, asked);
  const poll = { grant_type: DEVICE, device_code: device.device_code, client_id, resource: url };
  assert.equal((await post(metadata.token_endpoint, poll)).error, 'authorization_pending');
  assert.match((await visit(device.verification_uri_complete)).body, /Sign-in Success/);
  const { access_token, refresh_token } = await post(metadata.token_endpoint, poll);
  assert.equal(typeof refresh_token, 'string');
  assert.equal((await call(url, `Bearer ${access_token}`)).status, 200);
});

/** A key, and proofs by it (RFC 9449 section 4.2). */
function prover() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  return (htu, { token, ...claims } = {}) => {
    const ath = token && createHash('sha256').update(token).digest('base64url');
    return new SignJWT({ htm: 'POST', htu, jti: randomUUID(), ...(ath && { ath }), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey);
  };
}

test('oidc: tokens that are bound to a key', async (t) => {
  const server = await start(t, 'oidc');
  const { url, metadata } = server;
  const prove = prover();
  const bound = await signIn(server, 'notes:read', { dpop: await prove(metadata.token_endpoint) });
  assert.equal(bound.token_type, 'DPoP');
  const token = bound.access_token;
  const tried = async (scheme, dpop) => {
    const answer = await call(url, `${scheme} ${token}`, 'list_notes', dpop && { dpop });
    return answer.status;
  };
  const good = await prove(url, { token });
  assert.equal(await tried('DPoP', good), 200);
  assert.equal(await tried('DPoP', good), 401, 'the same proof');
  assert.equal(await tried('DPoP', await prove(url)), 401, 'for no token');
  assert.equal(await tried('DPoP', await prove(`${url}/x`, { token })), 401, 'for another address');
  assert.equal(await tried('DPoP', await prove(url, { token, htm: 'GET' })), 401, 'for another method');
  assert.equal(await tried('DPoP', await prover()(url, { token })), 401, 'by another key');
  assert.equal(await tried('DPoP'), 401, 'without a proof');
  assert.equal(await tried('Bearer'), 401, 'as a bearer token');
  assert.equal((await renew(server, bound, bound.refresh_token)).error, 'invalid_grant', 'the refresh token too');
});

test('oidc: nonces of both servers', async (t) => {
  const { url, metadata } = await start(t, 'oidc', '--dpop-nonce');
  const grant = { grant_type: 'client_credentials', scope: 'notes:read', resource: url };
  const prove = prover();
  const authorize = async (nonce) => {
    const dpop = await prove(metadata.token_endpoint, { nonce });
    return post(metadata.token_endpoint, grant, { ...basic('machine'), dpop });
  };
  const refused = await authorize();
  assert.deepEqual([refused.status, refused.error], [400, 'use_dpop_nonce']);
  const { access_token: token } = await authorize(refused.headers.get('dpop-nonce'));
  const use = async (nonce) => call(url, `DPoP ${token}`, 'list_notes', { dpop: await prove(url, { token, nonce }) });
  const asked = await use();
  assert.equal(asked.status, 401);
  assert.match(asked.headers.get('www-authenticate'), /DPoP error="use_dpop_nonce"/);
  assert.equal((await use(asked.headers.get('dpop-nonce'))).status, 200);
});

test('oidc: JWTs as access tokens', async (t) => {
  const server = await start(t, 'oidc', '--jwt');
  const { client_id, access_token } = await signIn(server, 'notes:read');
  assert.equal((await call(server.url, `Bearer ${access_token}`)).status, 200);
  const revoked = await post(server.metadata.revocation_endpoint, { token: access_token, client_id });
  assert.deepEqual([revoked.status, revoked.error], [400, 'unsupported_token_type']);
});
