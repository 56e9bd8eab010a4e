// A Streamable HTTP MCP server made of the official TypeScript SDK, behind a bearer check.
//
//   node server.mjs --token T [--token T2] [--token-file F] [--issuer URL] [--log F] [--answers sse|json]
//
// Prints one line, {"url": "http://127.0.0.1:PORT/mcp"}, when it listens; ends on SIGTERM, or when its
// stdin closes (so a test that dies takes the server with it).
// --token-file: tokens, one a line, read anew at each request, so a test can revoke one in mid-session.
// --issuer: serves RFC 9728 metadata that names this authorization server, and the 401 points to it.
// --answers json: answers are application/json, so what belongs to no answer travels on the GET stream.
import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { addTools } from './tools.mjs';

const { values: options } = parseArgs({
  options: {
    token: { type: 'string', multiple: true, default: [] },
    'token-file': { type: 'string' },
    issuer: { type: 'string' },
    log: { type: 'string' },
    answers: { type: 'string', default: 'sse' },
  },
});
if (!['sse', 'json'].includes(options.answers)) throw new Error('--answers takes sse or json');

const METADATA = '/.well-known/oauth-protected-resource/mcp';
/** Session id → { transport, streamOpen: resolves at the session's first GET stream }. */
const sessions = new Map();

function tokens() {
  if (!options['token-file']) return options.token;
  return [...options.token, ...readFileSync(options['token-file'], 'utf8').split('\n').filter(Boolean)];
}

/** "ok", "missing" or "wrong". */
function authorization(header) {
  if (!header) return 'missing';
  return tokens().some((token) => header === `Bearer ${token}`) ? 'ok' : 'wrong';
}

function log(req, auth, message) {
  if (!options.log) return;
  const line = {
    at: Date.now(),
    method: req.method,
    path: req.url,
    rpc: message?.method ?? null,
    auth,
    session: req.headers['mcp-session-id'] !== undefined,
    protocol: req.headers['mcp-protocol-version'] ?? null,
    accept: req.headers.accept ?? null,
    last_event_id: req.headers['last-event-id'] ?? null,
    user_agent: req.headers['user-agent'] ?? null,
  };
  appendFileSync(options.log, `${JSON.stringify(line)}\n`);
}

function send(res, status, body, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function challenge(res, auth) {
  const parameters = ['realm="peers"'];
  if (auth === 'wrong') parameters.push('error="invalid_token"');
  if (options.issuer) parameters.push(`resource_metadata="${origin}${METADATA}"`);
  send(res, 401, { error: auth }, { 'www-authenticate': `Bearer ${parameters.join(', ')}` });
}

async function open() {
  const { promise: streamOpen, resolve: onStream } = deferred();
  const mcp = new McpServer({ name: 'peers-typescript', version: '1.0.0' });
  addTools(mcp, { json: options.answers === 'json', streamOpen });
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: options.answers === 'json',
    onsessioninitialized: (id) => void sessions.set(id, { transport, onStream }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await mcp.connect(transport);
  return { transport, onStream };
}

function deferred() {
  let resolve;
  return { promise: new Promise((r) => (resolve = r)), resolve };
}

async function body(req) {
  if (req.method !== 'POST') return undefined;
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

async function handle(req, res) {
  const message = await body(req);
  const auth = authorization(req.headers.authorization);
  log(req, auth, message);
  if (options.issuer && req.url === METADATA) {
    return send(res, 200, { resource: `${origin}/mcp`, authorization_servers: [options.issuer] });
  }
  if (req.url !== '/mcp') return send(res, 404, { error: 'not found' });
  if (auth !== 'ok') return challenge(res, auth);
  const id = req.headers['mcp-session-id'];
  if (id !== undefined && !sessions.has(id)) return send(res, 404, { error: 'no such session' });
  const session = id === undefined ? await open() : sessions.get(id);
  const answered = session.transport.handleRequest(req, res, message);
  // The SDK registers the stream before it writes the headers.
  if (req.method === 'GET') setTimeout(session.onStream, 50);
  await answered;
}

const server = createServer((req, res) => {
  handle(req, res).catch((error) => {
    console.error(error);
    if (!res.headersSent) send(res, 500, { error: 'peer failed' });
    else res.destroy();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;
console.log(JSON.stringify({ url: `${origin}/mcp` }));

process.on('SIGTERM', () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).resume();
