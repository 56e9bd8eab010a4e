// What stands before a TypeScript peer: the options, the bearer check, the log, and the address.
//
//   --token T [--token T2] [--token-file F] [--issuer URL] [--log F] [--answers sse|json]
//   [--era legacy|dual|modern]
//
// Prints one line, {"url": "http://127.0.0.1:PORT/mcp"}, when it listens; ends on SIGTERM, or when its
// stdin closes (so a test that dies takes the server with it).
// --token-file: tokens, one a line, read anew at each request, so a test can revoke one in mid-session.
// --issuer: serves RFC 9728 metadata that names this authorization server, and the 401 points to it.
// --answers json: answers are application/json, so what belongs to no answer travels on the GET stream.
// --era: up to 2025-11-25, with a session (legacy), 2026-07-28, without one (modern), or both (dual).
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

export const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    token: { type: 'string', multiple: true, default: [] },
    'token-file': { type: 'string' },
    issuer: { type: 'string' },
    log: { type: 'string' },
    answers: { type: 'string', default: 'sse' },
    era: { type: 'string', default: 'legacy' },
  },
});
if (!['sse', 'json'].includes(options.answers)) throw new Error('--answers takes sse or json');
if (!['legacy', 'dual', 'modern'].includes(options.era)) throw new Error('--era takes legacy, dual or modern');
export const json = options.answers === 'json';

const METADATA = '/.well-known/oauth-protected-resource/mcp';

function tokens() {
  if (!options['token-file']) return options.token;
  return [...options.token, ...readFileSync(options['token-file'], 'utf8').split('\n').filter(Boolean)];
}

/** "ok", "missing" or "wrong". */
function authorization(header) {
  if (!header) return 'missing';
  return tokens().some((token) => header === `Bearer ${token}`) ? 'ok' : 'wrong';
}

/** One line in the log: a request, or something that happened in a tool. */
export function note(entry) {
  if (options.log) appendFileSync(options.log, `${JSON.stringify({ at: Date.now(), ...entry })}\n`);
}

const entry = (req, auth, message) => ({
  method: req.method,
  path: req.url,
  rpc: message?.method ?? null,
  auth,
  session: req.headers['mcp-session-id'] !== undefined,
  protocol: req.headers['mcp-protocol-version'] ?? null,
  accept: req.headers.accept ?? null,
  last_event_id: req.headers['last-event-id'] ?? null,
  user_agent: req.headers['user-agent'] ?? null,
});

export function send(res, status, body, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function challenge(res, auth) {
  const parameters = ['realm="peers"'];
  if (auth === 'wrong') parameters.push('error="invalid_token"');
  if (options.issuer) parameters.push(`resource_metadata="${origin}${METADATA}"`);
  send(res, 401, { error: auth }, { 'www-authenticate': `Bearer ${parameters.join(', ')}` });
}

async function whole(req) {
  if (req.method !== 'POST') return {};
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return { body, message: JSON.parse(body.toString('utf8')) };
}

let origin;

/** Lets what has the token through to `handle(req, res, message, body)`. */
export async function gate(handle, paths = ['/mcp']) {
  const server = createServer((req, res) => {
    pass(req, res).catch((error) => {
      console.error(error);
      if (!res.headersSent) send(res, 500, { error: 'peer failed' });
      else res.destroy();
    });
  });
  async function pass(req, res) {
    const { body, message } = await whole(req);
    const auth = authorization(req.headers.authorization);
    note(entry(req, auth, message));
    if (options.issuer && req.url === METADATA) {
      return send(res, 200, { resource: `${origin}/mcp`, authorization_servers: [options.issuer] });
    }
    if (!paths.includes(req.url.split('?')[0])) return send(res, 404, { error: 'not found' });
    if (auth !== 'ok') return challenge(res, auth);
    await handle(req, res, message, body);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ url: `${origin}${paths[0]}` }));
  process.on('SIGTERM', () => process.exit(0));
  process.stdin.on('end', () => process.exit(0)).resume();
}

/** A promise, and what resolves it. */
export function latch() {
  let open;
  return { opened: new Promise((resolve) => (open = resolve)), open };
}
