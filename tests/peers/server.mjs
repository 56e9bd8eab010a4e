// A Streamable HTTP MCP server made of the official TypeScript SDK v2. Its options are those of gate.mjs.
import { randomUUID } from 'node:crypto';
import { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import { createMcpHandler, inputRequired, isLegacyRequest, McpServer } from '@modelcontextprotocol/server';
import { gate, json, latch, note, options, send } from './gate.mjs';
import { addAll } from './tools.mjs';

const INFO = [{ name: 'peers-typescript', version: '1.0.0' }, { capabilities: { logging: {} } }];
/** Session id → { transport, stream: opened at the session's first GET stream }. */
const sessions = new Map();
/** Opened at the first subscription of a modern client. */
const subscribed = latch();

/** What the tools need of the SDK. */
const sdk = (mcp, modern) => ({
  signal: (ctx) => ctx.mcpReq.signal,
  progressToken: (ctx) => ctx.mcpReq._meta?.progressToken,
  notify: (ctx, notification) => ctx.mcpReq.notify(notification),
  request: (ctx, method, params) => ctx.mcpReq.send({ method, params }),
  unrelated: (_, method, params) => mcp.server.request({ method, params }),
  log(ctx, level, data) {
    return json && !modern ? mcp.sendLoggingMessage({ level, data }, ctx.sessionId) : ctx.mcpReq.log(level, data);
  },
  /** What a modern client was asked, and what it answered; nothing where one may ask in mid-call. */
  inputs: modern && {
    state: (ctx) => ctx.mcpReq.requestState(),
    answer: (ctx, key) => ctx.mcpReq.inputResponses?.[key],
    elicitation: (params, requestState) =>
      inputRequired({ inputRequests: { it: inputRequired.elicit(params) }, requestState }),
    sampling: (params, requestState) =>
      inputRequired({ inputRequests: { it: inputRequired.createMessage(params) }, requestState }),
  },
});

async function open() {
  const stream = latch();
  const mcp = new McpServer(...INFO);
  addAll(mcp, { sdk: sdk(mcp, false), json, heard: stream.opened, note });
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: json,
    onsessioninitialized: (id) => void sessions.set(id, { transport, stream }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await mcp.connect(transport);
  return { transport, stream };
}

async function legacy(req, res, message) {
  const id = req.headers['mcp-session-id'];
  if (id !== undefined && !sessions.has(id)) return send(res, 404, { error: 'no such session' });
  const { transport, stream } = id === undefined ? await open() : sessions.get(id);
  const answered = transport.handleRequest(req, res, message);
  // The SDK registers the stream before it writes the headers.
  if (req.method === 'GET') setTimeout(stream.open, 50);
  await answered;
}

const shared = { more: false };
const handler = createMcpHandler(
  () => {
    const mcp = new McpServer(...INFO);
    const changed = () => handler.notify.toolsChanged();
    addAll(mcp, { sdk: sdk(mcp, true), json, heard: subscribed.opened, note, changed, shared });
    return mcp;
  },
  { legacy: 'reject', responseMode: json ? 'json' : 'auto' },
);
const modern = toNodeHandler(handler);

await gate(async (req, res, message) => {
  if (options.era === 'legacy') return legacy(req, res, message);
  const old = options.era === 'dual' && (await isLegacyRequest(await toWebRequest(req, message)));
  if (old) return legacy(req, res, message);
  if (message?.method === 'subscriptions/listen') setTimeout(subscribed.open, 50);
  return modern(req, res, message);
});
