// A custom MCP server as the provider's customers build them: made of the official SDK, it takes the user's access
// token from the Authorization header of the request and asks the provider's API with it. It knows nothing of
// OAuth but that, as the page that describes such servers has it; so its 401 names no metadata.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const text = (value) => ({ content: [{ type: 'text', text: value }] });

/**
 * Starts it. `userinfo`: the endpoint that says whose token it is; `instance`: the provider's API; `log` gets a
 * line for each request.
 */
export async function identity({ userinfo, instance, log }) {
  let broken = false;

  const api = async (path, token) => {
    const response = await fetch(new URL(path, instance), { headers: { Authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`the provider answered ${response.status}`);
    return response.json();
  };

  /** Whose token it is; none if the provider does not know it. Slack says so with 200. */
  async function whose(token) {
    const response = await fetch(userinfo, { headers: { Authorization: `Bearer ${token}` } });
    const found = response.ok ? await response.json() : { ok: false };
    return found.ok === false ? null : found;
  }

  function server() {
    const mcp = new McpServer({ name: 'contacts', version: '1.0.0' });
    if (broken) return mcp;
    // The user's access token is in the Authorization header.
    const tokenOf = (context) => context?.http?.req?.headers.get('authorization')?.replace('Bearer ', '');

    mcp.registerTool('whoami', { description: 'Says who the user is' }, async (context) => {
      const { email, login, sub } = await whose(tokenOf(context));
      return text(email ?? login ?? sub);
    });
    const contacts = { description: "Fetch the current user's contacts from Salesforce" };
    mcp.registerTool('get_my_contacts', contacts, async (context) => {
      const found = await api('/services/data/v58.0/sobjects/Contact', tokenOf(context));
      return text(JSON.stringify(found, null, 2));
    });
    const search = {
      description: "Search for contacts in the user's Salesforce org",
      inputSchema: z.object({ query: z.string().describe('Search query for contact name or email') }),
    };
    mcp.registerTool('search_salesforce_contacts', search, async ({ query }, context) => {
      const soql = `SELECT Id, Name, Email, Phone FROM Contact WHERE Name LIKE '%${query}%' LIMIT 10`;
      const results = await api(`/services/data/v58.0/query?q=${encodeURIComponent(soql)}`, tokenOf(context));
      return text(JSON.stringify(results.records, null, 2));
    });
    return mcp;
  }

  async function handle(req, res) {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const message = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
    const { authorization } = req.headers;
    const rpc = message?.method ?? null;
    const entry = { route: 'mcp', method: req.method, path: req.url, headers: req.headers, rpc, status: 200 };
    log.push(entry);
    if (req.url !== '/mcp') return res.writeHead((entry.status = 404)).end();
    const [, token] = /^Bearer (\S+)$/.exec(authorization ?? '') ?? [];
    const user = token && (await whose(token));
    if (!user) {
      entry.status = 401;
      const challenge = token ? 'Bearer realm="contacts", error="invalid_token"' : 'Bearer realm="contacts"';
      return res.writeHead(401, { 'www-authenticate': challenge, 'content-type': 'application/json' }).end('{}');
    }
    entry.user = user.email ?? user.login ?? user.sub;
    // Without sessions there is no stream to open, and nothing to delete.
    if (req.method !== 'POST') return res.writeHead((entry.status = 405), { allow: 'POST' }).end();
    const stateless = { sessionIdGenerator: undefined, enableJsonResponse: true };
    const transport = new NodeStreamableHTTPServerTransport(stateless);
    await server().connect(transport);
    await transport.handleRequest(req, res, message);
  }

  const listener = createServer((req, res) => {
    handle(req, res).catch((error) => {
      console.error(error);
      res.destroy();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `http://127.0.0.1:${listener.address().port}/mcp`,
    /** From now on there are no tools, or there are some again. */
    breakTools: (now) => void (broken = now),
  };
}
