// What the user does with a server: lists its tools and calls them, and says what was wrong with the answers.

/** Answers with what was wrong; `refused` is the name of the error that must be the only answer. */
export async function useServer(client, { name, context, refused }) {
  const opened = await client.open();
  const listed = opened?.error === undefined ? await client.request('tools/list') : opened;
  const tools = listed.result?.tools ?? [];
  if (refused !== undefined) {
    // Asked again, it says the same, without another tab.
    const called = await client.request('tools/call', { name: 'test-tool', arguments: {} });
    return [...refusal(listed, refused), ...refusal(called, refused)];
  }
  if (listed.error !== undefined) return [`tools/list was refused: ${text(listed.error)}`];
  if (name.startsWith('auth/')) return useTestTool(client, tools);
  return useAll(client, { tools, context });
}

async function useTestTool(client, tools) {
  if (!tools.some((tool) => tool.name === 'test-tool')) return ['tools/list did not list test-tool'];
  const { error, result } = await client.request('tools/call', { name: 'test-tool', arguments: {} });
  if (error !== undefined) return [`tools/call was refused: ${text(error)}`];
  return result.content?.[0]?.text === 'test' ? [] : ['tools/call answered something else'];
}

/** Everything that a server without sign-in offers; its scenario judges it. */
async function useAll(client, { tools, context }) {
  for (const { name, arguments: given } of context.toolCalls ?? tools.map((tool) => call(tool, tools))) {
    await client.request('tools/call', { name, arguments: given });
  }
  for (const [list, member, read, key] of [
    ['resources/list', 'resources', 'resources/read', 'uri'],
    ['prompts/list', 'prompts', 'prompts/get', 'name'],
  ]) {
    const { result } = await client.request(list);
    for (const item of result?.[member] ?? []) await client.request(read, { [key]: item[key] });
  }
  return [];
}

/** A call of a tool with some value for each of its required parameters. */
function call({ name, inputSchema }, tools) {
  // A tool that asks for an object is one that wants to see what came through of a schema.
  const values = { number: 5, integer: 5, boolean: true, object: tools[0].inputSchema };
  const value = (each) => values[inputSchema.properties?.[each]?.type] ?? 'a';
  const given = (inputSchema?.required ?? []).map((each) => [each, value(each)]);
  return { name, arguments: Object.fromEntries(given) };
}

function refusal({ error }, name) {
  if (error === undefined) return [`was not refused (${name} was expected)`];
  const ours = error.data?.source === 'chipp-auth' && error.data.name === name;
  return ours ? [] : [`was refused, but not as ${name}: ${text(error)}`];
}

const text = ({ code, message }) => `${code} ${message}`;
