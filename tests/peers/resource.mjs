// An MCP server made of the official TypeScript SDK, behind a check of access tokens by introspection:
// RFC 9728 metadata, RFC 6750 challenges, RFC 9449 proofs, and a tool that needs a higher scope.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } from 'jose';

const METADATA = '/.well-known/oauth-protected-resource/mcp';
/** Tool → the scope that it needs beyond the first one, which everything needs. */
const HIGHER = { add_note: 'notes:write' };
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'];
/** How old a proof may be, in seconds. */
const WINDOW = 60;

const text = (value) => ({ content: [{ type: 'text', text: value }] });

/** Why a request is refused, in the words of its challenge. */
class Refusal extends Error {
  constructor(status, error, parameters = {}) {
    super(error ?? 'no token');
    Object.assign(this, { status, parameters: { ...(error && { error }), ...parameters } });
  }
}

/** Starts it. `introspect(token)` asks the authorization server, `log` gets a line for each request. */
export async function protectedResource({ issuer, introspect, log, scopes, nonce: wantsNonce }) {
  const nonce = randomBytes(12).toString('base64url');
  const seen = new Set();
  const server = createServer((req, res) => {
    handle(req, res).catch((error) => {
      console.error(error);
      if (!res.headersSent) res.writeHead(500).end();
      else res.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const url = `${origin}/mcp`;

  /** RFC 9449 section 4.3, for a token that is bound to the key with this thumbprint. */
  async function prove(req, token, thumbprint) {
    const refuse = () => new Refusal(401, 'invalid_dpop_proof');
    const proof = req.headers.dpop;
    if (!proof) throw refuse();
    const checks = { algorithms: ALGORITHMS, typ: 'dpop+jwt', maxTokenAge: WINDOW, clockTolerance: 5 };
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, checks).catch(() => {
      throw refuse();
    });
    const ath = createHash('sha256').update(token).digest('base64url');
    const right = payload.htm === req.method && payload.htu === url && payload.ath === ath;
    const key = await calculateJwkThumbprint(protectedHeader.jwk);
    if (!right || key !== thumbprint || !payload.jti || seen.has(payload.jti)) throw refuse();
    seen.add(payload.jti);
    if (wantsNonce && payload.nonce !== nonce) throw new Refusal(401, 'use_dpop_nonce');
  }

  /** The token's description, if it opens this request. */
  async function authorize(req, message) {
    const [scheme, token] = (req.headers.authorization ?? '').split(' ');
    if (!token) throw new Refusal(401, null, { scope: scopes[0] });
    const found = await introspect(token);
    const bound = found.cnf?.jkt !== undefined;
    if (!found.active || found.aud !== url || (scheme.toLowerCase() === 'dpop') !== bound) {
      throw new Refusal(401, 'invalid_token', { scope: scopes[0] });
    }
    if (bound) await prove(req, token, found.cnf.jkt);
    const granted = (found.scope ?? '').split(' ');
    const tool = message?.method === 'tools/call' ? message.params.name : undefined;
    const needed = [scopes[0], HIGHER[tool]].filter((scope) => scope && !granted.includes(scope));
    if (needed.length > 0) throw new Refusal(403, 'insufficient_scope', { scope: needed.join(' ') });
    return found;
  }

  function refuse(res, { status, parameters }) {
    const written = Object.entries({ ...parameters, resource_metadata: `${origin}${METADATA}` });
    const list = written.map(([name, value]) => `${name}="${value}"`).join(', ');
    // Both schemes, each in a field of its own, as RFC 9110 section 11.6.1 allows.
    res.setHeader('www-authenticate', [`DPoP ${list}, algs="${ALGORITHMS.join(' ')}"`, `Bearer ${list}`]);
    if (wantsNonce) res.setHeader('dpop-nonce', nonce);
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(parameters));
  }

  async function answer(req, res, message, token) {
    const mcp = new McpServer({ name: 'notes', version: '1.0.0' });
    const owner = token.sub ?? token.client_id;
    mcp.registerTool('list_notes', { description: 'Lists notes' }, () => text(`notes of ${owner}`));
    mcp.registerTool('add_note', { description: 'Adds a note' }, () => text('added'));
    const stateless = { sessionIdGenerator: undefined, enableJsonResponse: true };
    const transport = new NodeStreamableHTTPServerTransport(stateless);
    await mcp.connect(transport);
    await transport.handleRequest(req, res, message);
  }

  async function handle(req, res) {
    if (req.url === METADATA) {
      const metadata = { resource: url, authorization_servers: [issuer], scopes_supported: scopes };
      return res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
    }
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const message = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
    const entry = { route: 'mcp', method: req.method, rpc: message?.method ?? null, status: 200, error: null };
    log.push(entry);
    if (req.url !== '/mcp') return res.writeHead((entry.status = 404)).end();
    try {
      const token = await authorize(req, message);
      // Without sessions there is no stream to open, and nothing to delete.
      if (req.method !== 'POST') return res.writeHead((entry.status = 405), { allow: 'POST' }).end();
      await answer(req, res, message, token);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      Object.assign(entry, { status: error.status, error: error.parameters.error ?? null });
      refuse(res, error);
    }
  }

  return { url };
}
