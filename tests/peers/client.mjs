// The official TypeScript SDK's client v2. See report.mjs for its options; --era modern refuses an older server.
import { Client, LOG_LEVEL_META_KEY, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { direct, options, run, transport } from './report.mjs';

const MODES = { legacy: 'legacy', auto: 'auto', modern: { pin: '2026-07-28' } };
const client = new Client(
  { name: 'peers-typescript', version: '1.0.0' },
  { capabilities: { elicitation: {}, sampling: {} }, versionNegotiation: { mode: MODES[options.era] } },
);
const modern = () => client.getProtocolEra() === 'modern';
const way = transport(StdioClientTransport, StreamableHTTPClientTransport);
let subscription;

await run('typescript', {
  modern,
  hear({ elicit, sample, toolsChanged, logged, updated, failed }) {
    client.onerror = (error) => failed(String(error));
    client.setRequestHandler('elicitation/create', async ({ params }) => elicit(params));
    client.setRequestHandler('sampling/createMessage', async ({ params }) => sample(params));
    client.setNotificationHandler('notifications/tools/list_changed', toolsChanged);
    client.setNotificationHandler('notifications/message', ({ params }) => logged(params));
    if (updated) client.setNotificationHandler('notifications/resources/updated', ({ params }) => updated(params));
  },
  async connect() {
    await client.connect(way);
    return { protocol: client.getNegotiatedProtocolVersion(), server: client.getServerVersion().name };
  },
  async listen() {
    if (modern()) subscription = await client.listen({ toolsListChanged: true });
  },
  call(name, args, { logLevel, ...more } = {}) {
    const meta = modern() && logLevel ? { _meta: { [LOG_LEVEL_META_KEY]: logLevel } } : {};
    return client.callTool({ name, arguments: args, ...meta }, more);
  },
  tools: async () => (await client.listTools()).tools,
  resources: async () => (await client.listResources()).resources,
  read: async (uri) => (await client.readResource({ uri })).contents,
  prompts: async () => (await client.listPrompts()).prompts,
  prompt: async (name, args) => (await client.getPrompt({ name, arguments: args })).messages,
  subscribe: (uri) => client.subscribeResource({ uri }),
  setLevel: (level) => client.setLoggingLevel(level),
  ping: () => client.ping(),
  async close() {
    await subscription?.close();
    if (direct && !modern()) await way.terminateSession();
    await client.close();
  },
});
