// What the client does, and what must hold. client.py does the same.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const STEPS = [1, 2, 3, 4, 5];
/** The server spreads its five steps over 900 ms; a proxy that keeps them back delivers them at once. */
const STREAMED_OVER_MS = 50;
/** How long the SDK waits after it closed stdin before it sends SIGTERM. */
const SIGTERM_AFTER_MS = 2000;

export async function scenario({ client, transport, check, report, streamed, direct }) {
  const heard = { elicitation: 0, sampling: 0, listChanged: 0, errors: [] };
  client.onerror = (error) => heard.errors.push(String(error));
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    heard.elicitation += 1;
    assert.equal(params.message, 'Which colour?');
    return { action: 'accept', content: { colour: 'grün 🌱' } };
  });
  client.setRequestHandler('sampling/createMessage', async ({ params }) => {
    heard.sampling += 1;
    assert.equal(params.messages[0].content.text, 'Say a word');
    return { model: 'peer-model', role: 'assistant', content: { type: 'text', text: 'word' } };
  });
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    heard.listChanged += 1;
  });
  const call = async (name, args, options) => {
    const result = await client.callTool({ name, arguments: args }, options);
    assert.notEqual(result.isError, true, JSON.stringify(result.content));
    return result.content[0].text;
  };
  const names = async () => (await client.listTools()).tools.map((tool) => tool.name).sort();

  await check('connect', () => client.connect(transport));
  report.protocol = client.getNegotiatedProtocolVersion();
  report.server = client.getServerVersion().name;
  await check('list', async () => {
    assert.deepEqual(await names(), ['add', 'ask', 'enable_more', 'sample', 'slow_count']);
  });
  await check('call', async () => assert.equal(await call('add', { a: 2, b: 3 }), '5'));

  await check('progress', async () => {
    const seen = [];
    const onprogress = ({ progress }) => seen.push({ progress, at: performance.now() });
    const said = await call('slow_count', {}, streamed ? { onprogress } : {});
    const done = performance.now();
    assert.equal(said, 'counted to 5');
    if (!streamed) return;
    assert.deepEqual(seen.map((step) => step.progress), STEPS, 'all before the result, in order');
    assert.ok(done - seen[0].at >= STREAMED_OVER_MS, 'progress was held back until the result');
  });

  await check('parallel', async () => {
    const order = [];
    const slow = call('slow_count', {}).then(() => order.push('slow'));
    await call('add', { a: 1, b: 1 });
    order.push('fast');
    await slow;
    assert.deepEqual(order, ['fast', 'slow'], 'a slow call held up a fast one');
  });

  await check('elicitation', async () => {
    assert.equal(await call('ask', {}), 'accept: grün 🌱');
    assert.equal(heard.elicitation, 1);
  });
  await check('sampling', async () => {
    assert.equal(await call('sample', {}), 'peer-model: word');
    assert.equal(heard.sampling, 1);
  });

  await check('list_changed', async () => {
    assert.equal(heard.listChanged, 0, 'before anything changed');
    assert.equal(await call('enable_more', {}), 'enabled');
    // The notification travels on another stream than the answer.
    for (let waited = 0; heard.listChanged === 0 && waited < 15_000; waited += 20) await sleep(20);
    assert.equal(heard.listChanged, 1);
    assert.ok((await names()).includes('more'));
    assert.equal(await call('more', {}), 'more');
  });

  await check('close', async () => {
    const start = performance.now();
    if (direct) await transport.terminateSession();
    await client.close();
    const took = performance.now() - start;
    assert.ok(direct || took < SIGTERM_AFTER_MS, 'the command did not end on EOF and had to be signalled');
  });
  await check('quiet', async () => assert.deepEqual(heard.errors, []));
}
