// The tools, the resource and the prompt of the TypeScript peers; scenario.mjs and scenario.py know what they
// answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const STEPS = 5;
const STEP_MS = 100;
/** The TypeScript client loses progress that it reads in one chunk with the result: a busy machine needs room. */
const LAST_STEP_MS = 500;
const STREAM_WAIT_MS = 15_000;
const WAIT_MS = 30_000;
const COLOUR = { type: 'object', properties: { colour: { type: 'string' } }, required: ['colour'] };
/** What a client has to bring back as it is. */
const STATE = 'a "state" of grün\tand\\dots...';

const text = (value) => ({ content: [{ type: 'text', text: value }] });
/** Of all sessions: how many calls of `wait` there are, and how many were cancelled. */
const waits = { waiting: 0, cancelled: 0 };

/**
 * json: answers are JSON bodies, which carry nothing but the answer; requests to the client then go out
 * unrelated, over the session's GET stream, and progress stays away.
 * heard: resolves once something that belongs to no call reaches the client.
 * changed: tells modern clients, whose servers live for one request, of which `shared` is what they share.
 */
export function addAll(mcp, { sdk, json, heard, note, changed, shared }) {
  /** What the client answers to a request: in mid-call, or in its next round. */
  async function asked(ctx, kind, method, params, say) {
    if (!sdk.inputs) {
      if (!json) return text(say(await sdk.request(ctx, method, params)));
      await listening(heard);
      return text(say(await sdk.unrelated(ctx, method, params)));
    }
    const answer = sdk.inputs.answer(ctx, 'it');
    if (answer === undefined) return sdk.inputs[kind](params, STATE);
    return text(sdk.inputs.state(ctx) === STATE ? say(answer) : 'the state came back changed');
  }

  mcp.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    async ({ a, b }) => text(String(a + b)),
  );

  mcp.registerTool(
    'slow_count',
    { description: `Counts to ${STEPS} and reports progress` },
    async (ctx) => {
      const progressToken = sdk.progressToken(ctx);
      for (let progress = 1; progress <= STEPS; progress += 1) {
        if (progressToken !== undefined && !json) {
          const params = { progressToken, progress, total: STEPS, message: `step ${progress}` };
          await sdk.notify(ctx, { method: 'notifications/progress', params });
        }
        await sleep(progress === STEPS ? LAST_STEP_MS : STEP_MS);
      }
      return text(`counted to ${STEPS}`);
    },
  );

  mcp.registerTool('ask', { description: 'Asks the user for a colour' }, async (ctx) => {
    const params = { message: 'Which colour?', requestedSchema: COLOUR };
    const say = (answer) => `${answer.action}: ${answer.content?.colour}`;
    return asked(ctx, 'elicitation', 'elicitation/create', params, say);
  });

  mcp.registerTool('sample', { description: "Asks the client's model" }, async (ctx) => {
    const messages = [{ role: 'user', content: { type: 'text', text: 'Say a word' } }];
    const say = (answer) => `${answer.model}: ${answer.content.text}`;
    return asked(ctx, 'sampling', 'sampling/createMessage', { messages, maxTokens: 16 }, say);
  });

  const more = () => mcp.registerTool('more', { description: 'Was not there before' }, async () => text('more'));
  mcp.registerTool('enable_more', { description: 'Adds the tool `more`' }, async () => {
    // Without a stream the notification would be lost: wait for it rather than race with it.
    await listening(heard);
    if (shared) shared.more = true;
    else more();
    changed?.();
    return text('enabled');
  });
  if (shared?.more) more();

  mcp.registerTool('wait', { description: 'Waits until it is cancelled' }, async (ctx) => {
    waits.waiting += 1;
    const why = await sleep(WAIT_MS, 'time', { signal: sdk.signal(ctx) }).catch(() => 'cancelled');
    waits.waiting -= 1;
    if (why === 'cancelled') {
      waits.cancelled += 1;
      note({ event: 'cancelled' });
    }
    return text('waited');
  });

  mcp.registerTool('waits', { description: 'What became of the calls of `wait`' }, async () =>
    text(`${waits.waiting} waiting, ${waits.cancelled} cancelled`),
  );

  mcp.registerTool('shout', { description: 'Logs something quiet and something loud' }, async (ctx) => {
    await listening(sdk.inputs ? undefined : heard);
    await sdk.log(ctx, 'debug', 'quiet');
    await sdk.log(ctx, 'warning', 'loud');
    return text('shouted');
  });

  mcp.registerTool(
    'large',
    { description: 'So many characters', inputSchema: z.object({ size: z.number() }) },
    async ({ size }) => text('€'.repeat(size)),
  );

  mcp.registerResource('greeting', 'peers://greeting', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'grün 🌱' }],
  }));

  mcp.registerPrompt(
    'greet',
    { description: 'Greets', argsSchema: { name: z.string() } },
    async ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Hello, ${name}` } }],
    }),
  );
}

async function listening(heard) {
  if (heard === undefined) return;
  const timer = new AbortController();
  const late = sleep(STREAM_WAIT_MS, 'late', { signal: timer.signal });
  const first = await Promise.race([heard, late]);
  timer.abort();
  late.catch(() => {});
  if (first === 'late') throw new Error('the client listens to no stream');
}
