// Runs the official MCP conformance suite against chipp-auth: every scenario for clients, at every revision.
//
//   run.mjs [--only TEXT] [--revision R] [--host H] [--jobs N]      with CHIPP_AUTH_BIN, the program
//
// Exit code 0 if every run passed, with each kind of client (hosts.mjs). exceptions.json says what is left out,
// and why. What the suite wrote lies in target/conformance.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge, needless, omitted } from './judge.mjs';
import { details, summary, table } from './report.mjs';
import { offered, run, suiteVersion } from './suite.mjs';

/** For everything: ten times of what it takes on two cores. */
const LIMIT_MS = 300_000;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    revision: { type: 'string', default: '' },
    host: { type: 'string', default: '' },
    // Much of a run is waiting.
    jobs: { type: 'string', default: String(availableParallelism() + 1) },
  },
});
const binary = process.env.CHIPP_AUTH_BIN ?? '';
if (!existsSync(binary)) {
  console.error('CHIPP_AUTH_BIN names the program to test; `tests/conformance/run` builds it and sets this');
  process.exit(2);
}
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const directory = at('../../target/conformance');
const exceptions = JSON.parse(readFileSync(at('exceptions.json'), 'utf8'));

const all = await offered();
const chosen = all.filter(
  ({ scenario, revision, host }) =>
    scenario.includes(options.only) && revision.includes(options.revision) && host.includes(options.host),
);
const runs = chosen.filter((each) => !omitted(each, exceptions));
if (runs.length === 0) throw new Error('there is no such run, or it is left out');
// What a part of the runs wrote earlier stays to be looked at.
if (chosen.length === all.length) rmSync(directory, { recursive: true, force: true });

const deadline = performance.now() + LIMIT_MS;
const results = [];
const queue = runs.entries();
async function worker() {
  for (const [index, next] of queue) {
    const inTime = performance.now() < deadline;
    const result = inTime ? await run(next, { directory, binary }) : { ...next, ended: false };
    results[index] = { ...result, ...judge(result, exceptions) };
    if (process.stderr.isTTY) process.stderr.write(`\r${Object.keys(results).length} of ${runs.length} `);
  }
}
await Promise.all(Array.from({ length: Number(options.jobs) }, worker));

const stale = needless(exceptions, { all, results });
console.log(`\nMCP conformance suite ${suiteVersion}: checks that held, of those made\n`);
console.log(table(results));
console.log(details(results, { exceptions, stale }));
console.log(summary(results));
const good = results.every(({ passed }) => passed);
process.exit(good && stale.length === 0 ? 0 : 1);
