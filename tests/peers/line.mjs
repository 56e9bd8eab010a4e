// How a test drives a server that is a child process: one JSON object a line, each answered by one line.
import { createInterface } from 'node:readline';

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** Announces the server, then serves commands: `{"do": name, …}` calls `commands[name]`. Ends with stdin. */
export function serve(announcement, commands) {
  say(announcement);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const { do: name, ...parameters } = JSON.parse(line);
    try {
      say({ ok: (await commands[name](parameters)) ?? null });
    } catch (error) {
      say({ error: String(error) });
    }
  });
  lines.on('close', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
}
