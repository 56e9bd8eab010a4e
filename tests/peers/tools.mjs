// The tools of the TypeScript peer; client.mjs and client.py know what they answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const STEPS = 5;
const STEP_MS = 100;
/** The TypeScript client loses progress that it reads in one chunk with the result: a busy machine needs room. */
const LAST_STEP_MS = 500;
const STREAM_WAIT_MS = 15_000;

const text = (value) => ({ content: [{ type: 'text', text: value }] });

/**
 * json: answers are JSON bodies, which carry nothing but the answer; requests to the client then go out
 * unrelated, over the session's GET stream, and progress stays away.
 */
export function addTools(mcp, { json, streamOpen }) {
  /** A server-to-client request on the stream of the call that caused it, or on the GET stream. */
  async function request(ctx, method, params) {
    if (!json) return ctx.mcpReq.send({ method, params });
    await listening(streamOpen);
    return mcp.server.request({ method, params });
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
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= STEPS; progress += 1) {
        if (progressToken !== undefined && !json) {
          const params = { progressToken, progress, total: STEPS, message: `step ${progress}` };
          await ctx.mcpReq.notify({ method: 'notifications/progress', params });
        }
        await sleep(progress === STEPS ? LAST_STEP_MS : STEP_MS);
      }
      return text(`counted to ${STEPS}`);
    },
  );

  mcp.registerTool('ask', { description: 'Asks the user for a colour' }, async (ctx) => {
    const requestedSchema = {
      type: 'object',
      properties: { colour: { type: 'string' } },
      required: ['colour'],
    };
    const answer = await request(ctx, 'elicitation/create', { message: 'Which colour?', requestedSchema });
    return text(`${answer.action}: ${answer.content?.colour}`);
  });

  mcp.registerTool('sample', { description: "Asks the client's model" }, async (ctx) => {
    const messages = [{ role: 'user', content: { type: 'text', text: 'Say a word' } }];
    const answer = await request(ctx, 'sampling/createMessage', { messages, maxTokens: 16 });
    return text(`${answer.model}: ${answer.content.text}`);
  });

  mcp.registerTool('enable_more', { description: 'Adds the tool `more`' }, async () => {
    // Without a stream the notification would be lost: wait for it rather than race with it.
    await listening(streamOpen);
    mcp.registerTool('more', { description: 'Was not there before' }, async () => text('more'));
    return text('enabled');
  });
}

async function listening(streamOpen) {
  const timer = new AbortController();
  const late = sleep(STREAM_WAIT_MS, 'late', { signal: timer.signal });
  const first = await Promise.race([streamOpen, late]);
  timer.abort();
  late.catch(() => {});
  if (first === 'late') throw new Error('the client opened no GET stream');
}
