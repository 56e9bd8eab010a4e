// A certified authorization server, npm oidc-provider, and an MCP server behind it (resource.mjs).
//
//   node oidc.mjs [--lifetime SECONDS] [--offline] [--own-scopes] [--auth-method M]… [--dpop-nonce] [--jwt]
//                 [--documents]
//
// Prints {"issuer", "url"}: itself, and the MCP endpoint. Then takes commands, see line.mjs. What is tested
// is the client, so the server has its own rules wherever it has any; the options choose among them.
// --lifetime: of access tokens. --offline: refresh tokens only for the scope offline_access, which is the
// server's default. --own-scopes: the scopes of the MCP server are known there only, as RFC 8707 has it, and
// not among `scopes_supported`. --auth-method: what metadata offers. --dpop-nonce: both servers want nonces.
// --jwt: access tokens are JWTs, which the MCP server reads by itself, and which cannot be revoked.
// --documents: a client id may be the address of a client ID metadata document; the command `host` puts one
// into the small web that the server sees.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { serve } from './line.mjs';
import { protectedResource } from './resource.mjs';

// All that this server misses on Node 20. It warns there, and of what is not for production; both are known.
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);
console.info = () => {};
console.warn = () => {};
const { default: Provider, errors } = await import('oidc-provider');

const { values: options } = parseArgs({
  options: {
    lifetime: { type: 'string', default: '3600' },
    offline: { type: 'boolean', default: false },
    'own-scopes': { type: 'boolean', default: false },
    'auth-method': { type: 'string', multiple: true },
    'dpop-nonce': { type: 'boolean', default: false },
    jwt: { type: 'boolean', default: false },
    documents: { type: 'boolean', default: false },
  },
});
let lifetime = Number(options.lifetime);
/** How long a token request waits before it is looked at, in milliseconds. */
let delay = 0;

const ALL = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];
const METHODS = options['auth-method'] ?? ALL;
const BASIC = METHODS.includes('client_secret_basic');
const SCOPES = ['notes:read', 'notes:write'];
const CODE = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'];
/** Every character that form encoding changes, and Basic's own separator (RFC 6749 section 2.3.1). */
const SECRET = 'p:a+s s%w/o&r=d';

const native = { application_type: 'native', redirect_uris: ['http://localhost/callback'], grant_types: CODE };
const machine = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
const checker = { redirect_uris: [], response_types: [], grant_types: [] };
const secret = (method) => ({ client_secret: SECRET, token_endpoint_auth_method: method });
const CLIENTS = [
  { client_id: 'public', token_endpoint_auth_method: 'none', ...native },
  { client_id: 'basic', ...secret('client_secret_basic'), ...native },
  { client_id: 'post', ...secret('client_secret_post'), ...native },
  { client_id: 'machine', ...secret('client_secret_basic'), ...machine },
  { client_id: 'resource', ...secret(BASIC ? 'client_secret_basic' : 'client_secret_post'), ...checker },
];

const server = createServer((req, res) => provider.callback()(req, res));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const log = [];
/** Address → document. */
const documents = new Map();
const resource = await protectedResource({
  issuer,
  log,
  introspect: (token) => (options.jwt ? read(token) : introspect(token)),
  scopes: SCOPES,
  nonce: options['dpop-nonce'],
});

const provider = new Provider(issuer, {
  clients: CLIENTS,
  clientAuthMethods: METHODS,
  cookies: { keys: [randomBytes(16).toString('hex')] },
  features: {
    ...(options.documents && { clientIdMetadataDocument: { enabled: true, ack: 'draft-02' } }),
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => options['dpop-nonce'] },
    introspection: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_, indicator) {
        if (indicator !== resource.url) throw new errors.InvalidTarget();
        return { scope: SCOPES.join(' '), audience: indicator, accessTokenFormat: options.jwt ? 'jwt' : 'opaque' };
      },
    },
  },
  fetch(url) {
    const hosted = documents.get(String(url));
    return hosted ? Response.json(hosted) : new Response(null, { status: 404 });
  },
  issueRefreshToken: (_, client, source) =>
    client.grantTypeAllowed('refresh_token') && (!options.offline || source.scopes.has('offline_access')),
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access', ...(options['own-scopes'] ? [] : SCOPES)],
  ttl: {
    AccessToken: () => lifetime,
    ClientCredentials: () => lifetime,
    Grant: 86_400,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 86_400,
    Session: 86_400,
  },
});

/** How a request authenticates its client. */
function method(ctx, body) {
  if (ctx.get('authorization')) return 'basic';
  if (body.client_assertion) return 'jwt';
  return body.client_secret ? 'post' : 'none';
}

/** The judge: each request as the server understood it, and what it answered. */
provider.use(async (ctx, next) => {
  const at = Date.now();
  if (ctx.path === '/token') await sleep(delay);
  await next();
  const { route, body = {}, client } = ctx.oidc ?? {};
  if (route === undefined || route === 'introspection') return;
  const location = URL.parse(ctx.response.get('location'), issuer);
  log.push({
    at,
    route,
    status: ctx.status,
    client: client?.clientId ?? null,
    auth: method(ctx, body),
    params: { ...ctx.query, ...body },
    answer: typeof ctx.body === 'object' ? ctx.body : {},
    error: location?.searchParams.get('error') ?? null,
    dpop: ctx.get('dpop') !== '',
  });
});
for (const event of ['grant.revoked', 'access_token.issued', 'refresh_token.consumed']) {
  provider.on(event, () => log.push({ event }));
}

/** RFC 7662, as the MCP server asks. */
async function introspect(token) {
  const body = new URLSearchParams({ token });
  const headers = {};
  if (BASIC) {
    const basic = Buffer.from(`resource:${encodeURIComponent(SECRET)}`).toString('base64');
    headers.authorization = `Basic ${basic}`;
  } else {
    body.append('client_id', 'resource');
    body.append('client_secret', SECRET);
  }
  const answer = await fetch(`${issuer}/token/introspection`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`introspection answered ${answer.status}`);
  return answer.json();
}

/** RFC 9068, as an MCP server reads its tokens where they are JWTs. */
async function read(token) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const checks = { issuer, audience: resource.url, typ: 'at+jwt' };
  const found = await jwtVerify(token, keys, checks).catch(() => null);
  return found ? { active: true, ...found.payload } : { active: false };
}

/** A client that authenticates with a key of its own, and that key; `isNative`: for a user, not for itself. */
async function signer({ alg, native: isNative = false }) {
  const kinds = {
    ES256: ['ec', { namedCurve: 'P-256' }],
    EdDSA: ['ed25519', {}],
    RS256: ['rsa', { modulusLength: 2048 }],
  };
  const [type, parameters] = kinds[alg];
  const { publicKey, privateKey } = generateKeyPairSync(type, parameters);
  const client_id = `signer-${alg}`;
  await provider.Client.adapter.upsert(client_id, {
    client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [publicKey.export({ format: 'jwk' })] },
    ...(isNative ? native : machine),
  });
  return { client_id, pem: privateKey.export({ format: 'pem', type: 'pkcs8' }) };
}

serve(
  { issuer, url: resource.url },
  {
    log: () => log,
    introspect: ({ token }) => introspect(token),
    delay: ({ ms }) => void (delay = ms),
    lifetime: ({ seconds }) => void (lifetime = seconds),
    end: async ({ token }) => (await provider.AccessToken.find(token)).destroy(),
    forget: ({ client }) => provider.Client.adapter.destroy(client),
    host: ({ url, document }) => void documents.set(url, document),
    signer,
  },
);
