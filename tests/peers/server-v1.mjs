// A Streamable HTTP MCP server made of the official TypeScript SDK v1. Its options are those of gate.mjs; it
// knows the legacy era only.
import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CreateMessageResultSchema, ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { gate, json, latch, note, options, send } from './gate.mjs';
import { addAll } from './tools.mjs';

if (options.era !== 'legacy') throw new Error('the SDK v1 has no other --era than legacy');
const RESULTS = { 'elicitation/create': ElicitResultSchema, 'sampling/createMessage': CreateMessageResultSchema };
/** Session id → { transport, stream: opened at the session's first GET stream }. */
const sessions = new Map();

/** What the tools need of the SDK. */
const sdk = (mcp) => ({
  signal: (extra) => extra.signal,
  progressToken: (extra) => extra._meta?.progressToken,
  notify: (extra, notification) => extra.sendNotification(notification),
  request: (extra, method, params) => extra.sendRequest({ method, params }, RESULTS[method]),
  unrelated: (_, method, params) => mcp.server.request({ method, params }, RESULTS[method]),
  // On the session's stream; the SDK has no other way that heeds the level.
  log: (extra, level, data) => mcp.sendLoggingMessage({ level, data }, extra.sessionId),
  inputs: false,
});

async function open() {
  const stream = latch();
  const mcp = new McpServer({ name: 'peers-typescript-v1', version: '1.0.0' }, { capabilities: { logging: {} } });
  addAll(mcp, { sdk: sdk(mcp), json, heard: stream.opened, note });
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: json,
    onsessioninitialized: (id) => void sessions.set(id, { transport, stream }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await mcp.connect(transport);
  return { transport, stream };
}

await gate(async (req, res, message) => {
  const id = req.headers['mcp-session-id'];
  if (id !== undefined && !sessions.has(id)) return send(res, 404, { error: 'no such session' });
  const { transport, stream } = id === undefined ? await open() : sessions.get(id);
  const answered = transport.handleRequest(req, res, message);
  // The SDK registers the stream before it writes the headers.
  if (req.method === 'GET') setTimeout(stream.open, 50);
  await answered;
});
