// The official TypeScript SDK's client v1. See report.mjs for its options; it knows the legacy era only.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { direct, options, run, transport } from './report.mjs';

if (options.era !== 'legacy') throw new Error('the SDK v1 has no other --era than legacy');
const capabilities = { elicitation: {}, sampling: {} };
const client = new Client({ name: 'peers-typescript-v1', version: '1.0.0' }, { capabilities });
const way = transport(StdioClientTransport, StreamableHTTPClientTransport);
let protocol;

await run('typescript-v1', {
  modern: () => false,
  hear({ elicit, sample, toolsChanged, logged, updated, failed }) {
    client.onerror = (error) => failed(String(error));
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => elicit(params));
    client.setRequestHandler(CreateMessageRequestSchema, async ({ params }) => sample(params));
    client.setNotificationHandler(ToolListChangedNotificationSchema, toolsChanged);
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => logged(params));
    if (updated) client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => updated(params));
  },
  async connect() {
    // Told to HTTP transports only, so that one who wants to know has to look.
    way.setProtocolVersion = ((set) => (version) => {
      protocol = version;
      set?.call(way, version);
    })(way.setProtocolVersion);
    await client.connect(way);
    return { protocol, server: client.getServerVersion().name };
  },
  async listen() {},
  call: (name, args, { logLevel, ...more } = {}) => client.callTool({ name, arguments: args }, undefined, more),
  tools: async () => (await client.listTools()).tools,
  resources: async () => (await client.listResources()).resources,
  read: async (uri) => (await client.readResource({ uri })).contents,
  prompts: async () => (await client.listPrompts()).prompts,
  prompt: async (name, args) => (await client.getPrompt({ name, arguments: args })).messages,
  subscribe: (uri) => client.subscribeResource({ uri }),
  setLevel: (level) => client.setLoggingLevel(level),
  ping: () => client.ping(),
  async close() {
    if (direct) await way.terminateSession();
    await client.close();
  },
});
