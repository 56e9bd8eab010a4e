// What the client does, and what must hold. scenario.py and rmcp/src/scenario.rs do the same.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const TOOLS = ['add', 'ask', 'enable_more', 'large', 'sample', 'shout', 'slow_count', 'wait', 'waits'];
const STEPS = [1, 2, 3, 4, 5];
/** The server spreads its five steps over 900 ms; a proxy that keeps them back delivers them at once. */
const STREAMED_OVER_MS = 50;
/** How long the SDK waits after it closed stdin before it sends SIGTERM. */
export const SIGTERM_AFTER_MS = 2000;
/** Over HTTP some SDKs read no larger event. */
const size = (direct) => (direct ? 300_000 : 1_000_000);
const SOON_MS = 15_000;

/** Waits until it is so. */
export async function until(holds, why) {
  for (const began = performance.now(); !(await holds()); await sleep(20)) {
    assert.ok(performance.now() - began < SOON_MS, why);
  }
}

export async function scenario({ peer, check, report, streamed, direct }) {
  const heard = { elicitation: 0, sampling: 0, listChanged: 0, logged: [], errors: [] };
  peer.hear({
    elicit(params) {
      heard.elicitation += 1;
      assert.equal(params.message, 'Which colour?');
      return { action: 'accept', content: { colour: 'grün 🌱' } };
    },
    sample(params) {
      heard.sampling += 1;
      assert.equal(params.messages[0].content.text, 'Say a word');
      return { model: 'peer-model', role: 'assistant', content: { type: 'text', text: 'word' } };
    },
    toolsChanged: () => void (heard.listChanged += 1),
    // FastMCP puts it into an object.
    logged: ({ data }) => void heard.logged.push(data?.msg ?? data),
    failed(error) {
      // What the SDK says of its own open streams when it closes them.
      if (direct && error.includes('AbortError')) return;
      // Some servers answer what was cancelled (T-34).
      if (!error.includes('Request cancelled')) heard.errors.push(error);
    },
  });
  const call = async (name, args, options) => {
    const result = await peer.call(name, args, options);
    assert.notEqual(result.isError, true, JSON.stringify(result.content));
    return result.content[0].text;
  };
  const names = async () => (await peer.tools()).map((tool) => tool.name).sort();

  await check('connect', async () => Object.assign(report, await peer.connect()));
  await check('list', async () => assert.deepEqual(await names(), TOOLS));
  await check('call', async () => assert.equal(await call('add', { a: 2, b: 3 }), '5'));

  const seen = [];
  const onprogress = ({ progress }) => seen.push({ progress, at: performance.now() });
  let slow;
  await check('parallel', async () => {
    let over = false;
    slow = call('slow_count', {}, streamed ? { onprogress } : {}).finally(() => (over = true));
    await call('add', { a: 1, b: 1 });
    assert.ok(!over, 'a slow call held up a fast one');
  });
  await check('progress', async () => {
    const said = await slow;
    const done = performance.now();
    assert.equal(said, 'counted to 5');
    if (!streamed) return;
    assert.deepEqual(seen.map((step) => step.progress), STEPS, 'all before the result, in order');
    assert.ok(done - seen[0].at >= STREAMED_OVER_MS, 'progress was held back until the result');
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
    await peer.listen();
    assert.equal(heard.listChanged, 0, 'before anything changed');
    assert.equal(await call('enable_more', {}), 'enabled');
    // The notification travels on another stream than the answer.
    await until(() => heard.listChanged > 0, 'no list_changed');
    assert.equal(heard.listChanged, 1);
    assert.ok((await names()).includes('more'));
    assert.equal(await call('more', {}), 'more');
  });

  await check('resources', async () => {
    assert.deepEqual((await peer.resources()).map(({ uri }) => uri), ['peers://greeting']);
    const [content] = await peer.read('peers://greeting');
    assert.deepEqual([content.uri, content.text], ['peers://greeting', 'grün 🌱']);
  });
  await check('prompts', async () => {
    assert.deepEqual((await peer.prompts()).map(({ name }) => name), ['greet']);
    const [message] = await peer.prompt('greet', { name: 'Ada' });
    assert.equal(message.content.text, 'Hello, Ada');
  });

  await check('cancel', async () => {
    const abort = new AbortController();
    const waits = peer.call('wait', {}, { signal: abort.signal });
    const refused = assert.rejects(waits);
    await until(async () => (await call('waits', {})) === '1 waiting, 0 cancelled', 'it does not wait');
    abort.abort('enough');
    await refused;
    await until(async () => (await call('waits', {})) === '0 waiting, 1 cancelled', 'the server saw no cancellation');
  });

  await check('logging', async () => {
    for (const [level, expected] of [['warning', ['loud']], ['debug', ['quiet', 'loud']]]) {
      heard.logged.length = 0;
      if (!peer.modern()) await peer.setLevel(level);
      assert.equal(await call('shout', {}, { logLevel: level }), 'shouted');
      await until(() => heard.logged.includes('loud'), 'nothing was logged');
      assert.deepEqual(heard.logged, expected, level);
    }
  });
  if (!peer.modern()) await check('ping', () => peer.ping());
  await check('large', async () => {
    const said = await call('large', { size: size(direct) });
    assert.ok(said === '€'.repeat(size(direct)), `${said.length} characters`);
  });

  await check('close', async () => {
    const start = performance.now();
    await peer.close();
    const took = performance.now() - start;
    assert.ok(direct || took < SIGTERM_AFTER_MS, 'the command did not end on EOF and had to be signalled');
  });
  await check('quiet', async () => assert.deepEqual(heard.errors, []));
}
