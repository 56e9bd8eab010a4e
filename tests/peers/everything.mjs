// What a client does with `@modelcontextprotocol/server-everything`, and what must hold. everything.py does the same.
import assert from 'node:assert/strict';
import { SIGTERM_AFTER_MS, until } from './scenario.mjs';

const TOOLS = ['echo', 'get-sum', 'trigger-elicitation-request', 'trigger-long-running-operation', 'trigger-sampling-request'];
const RESOURCE = 'demo://resource/dynamic/text/1';

export async function everything({ peer, check, report, direct }) {
  const heard = { logged: [], updated: [], errors: [] };
  peer.hear({
    elicit: () => ({ action: 'accept', content: { name: 'Ada 🌱' } }),
    sample: () => ({ model: 'peer-model', role: 'assistant', content: { type: 'text', text: 'word' } }),
    toolsChanged() {},
    logged: ({ data }) => void heard.logged.push(data),
    updated: ({ uri }) => void heard.updated.push(uri),
    failed(error) {
      // The server goes on with a call that was cancelled.
      if (!error.includes('progress notification for an unknown token')) heard.errors.push(error);
    },
  });
  const call = async (name, args, options) => {
    const result = await peer.call(name, args, options);
    assert.notEqual(result.isError, true, JSON.stringify(result.content));
    return result.content.map(({ text }) => text).join('\n');
  };

  await check('connect', async () => Object.assign(report, await peer.connect()));
  await check('list', async () => {
    const names = (await peer.tools()).map((tool) => tool.name);
    assert.deepEqual(names.filter((name) => TOOLS.includes(name)).sort(), TOOLS, String(names));
  });
  await check('call', async () => {
    assert.equal(await call('echo', { message: 'grün 🌱' }), 'Echo: grün 🌱');
    assert.match(await call('get-sum', { a: 2, b: 3 }), /\b5\b/);
  });
  await check('progress', async () => {
    const seen = [];
    const onprogress = ({ progress }) => seen.push(progress);
    await call('trigger-long-running-operation', { duration: 0.5, steps: 5 }, { onprogress });
    // The client may lose the last one, which comes in one chunk with the result.
    if (seen.length === 4) seen.push(5);
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  });
  await check('parallel', async () => {
    const order = [];
    const slow = call('trigger-long-running-operation', { duration: 0.5, steps: 1 }).then(() => order.push('slow'));
    await call('echo', { message: 'x' }).then(() => order.push('fast'));
    await slow;
    assert.deepEqual(order, ['fast', 'slow']);
  });
  await check('elicitation', async () => {
    assert.match(await call('trigger-elicitation-request', {}), /- Name: Ada 🌱/);
  });
  await check('sampling', async () => {
    assert.match(await call('trigger-sampling-request', { prompt: 'Say a word' }), /word/);
  });
  await check('resources', async () => {
    assert.notEqual((await peer.resources()).length, 0);
    const [content] = await peer.read(RESOURCE);
    assert.equal(content.uri, RESOURCE);
  });
  await check('subscribe', async () => {
    await peer.subscribe(RESOURCE);
    await call('toggle-subscriber-updates', {});
    await until(() => heard.updated.includes(RESOURCE), 'the resource was never updated');
    await call('toggle-subscriber-updates', {});
  });
  await check('prompts', async () => {
    const [message] = await peer.prompt('args-prompt', { city: 'Bremen' });
    assert.equal(message.content.text, "What's weather in Bremen?");
  });
  await check('cancel', async () => {
    const abort = new AbortController();
    const operation = { duration: 30, steps: 300 };
    let begun = false;
    const options = { signal: abort.signal, onprogress: () => (begun = true) };
    const refused = assert.rejects(peer.call('trigger-long-running-operation', operation, options));
    await until(() => begun, 'it does not begin');
    abort.abort('enough');
    await refused;
  });
  await check('logging', async () => {
    await peer.setLevel('debug');
    await call('toggle-simulated-logging', {});
    await until(() => heard.logged.some((data) => /level/i.test(data)), 'nothing was logged');
    await call('toggle-simulated-logging', {});
  });
  await check('ping', () => peer.ping());
  await check('close', async () => {
    const start = performance.now();
    await peer.close();
    assert.ok(direct || performance.now() - start < SIGTERM_AFTER_MS, 'the command had to be signalled');
  });
  await check('quiet', async () => assert.deepEqual(heard.errors, []));
}
