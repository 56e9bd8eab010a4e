// The official suite as a program: what it offers, and one run of one scenario.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hosts } from './hosts.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const manifest = require.resolve('@modelcontextprotocol/conformance/package.json');
const { bin, version } = JSON.parse(readFileSync(manifest, 'utf8'));
const program = join(dirname(manifest), typeof bin === 'string' ? bin : bin.conformance);

/** For the client, and for a whole run. Both are longer than the driver takes to give up by itself. */
const CLIENT_MS = 90_000;
const RUN_MS = 110_000;
/** The revisions of which the suite says what they require. Its extensions, of no revision, run at both. */
export const CURRENT = ['2025-11-25', '2026-07-28'];
const NODE_AT_LEAST = 22;

export const suiteVersion = version;

/** The suite wants a newer Node than many machines have; npm has brought one along where it could. */
function nodeDirectory() {
  try {
    return join(dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`)), 'bin');
  } catch {
    if (Number(process.versions.node.split('.')[0]) >= NODE_AT_LEAST) return dirname(process.execPath);
    throw new Error(`the suite needs Node ${NODE_AT_LEAST}, and this is ${process.version}`);
  }
}

const PATH = `${nodeDirectory()}${delimiter}${process.env.PATH}`;
/** Of processes, by their leaders: a run that is stopped ends with all that it has started. */
const groups = new Set();

function stop(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    groups.forEach(stop);
    process.exit(1);
  });
}

function start(args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn('node', [program, ...args], {
      cwd: here,
      detached: true,
      env: { ...process.env, PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    groups.add(child.pid);
    const late = setTimeout(() => {
      stop(child.pid);
      resolve({ code: null, output: `${output}\nnot done within ${RUN_MS / 1000} s` });
    }, RUN_MS);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(late);
      groups.delete(child.pid);
      resolve({ code, output });
    });
  });
}

/** Every run that the suite offers to clients: each scenario at each revision that knows it, with each kind of client. */
export async function offered() {
  const { code, output } = await start(['list', '--client']);
  const lines = [...output.matchAll(/^ {2}- (\S+) \[(.*)\]$/gm)];
  if (code !== 0 || lines.length === 0) throw new Error(`the suite does not list its scenarios: ${output}`);
  return lines.flatMap(([, scenario, revisions]) =>
    (revisions === 'extension' ? CURRENT : revisions.split(',')).flatMap((revision) =>
      hosts({ scenario, revision }).map((host) => ({
        scenario,
        revision,
        host,
        extension: revisions === 'extension',
      })),
    ),
  );
}

/** One run. `checks` is undefined if the suite did not come to the end. */
export async function run({ scenario, revision, host, extension }, { directory, binary }) {
  const out = join(directory, revision, host, scenario.replaceAll('/', '-'));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const args = ['client', '--command', 'node driver.mjs', '--scenario', scenario, '--spec-version', revision];
  args.push('--timeout', String(CLIENT_MS), '-o', out, ...(extension ? ['--force'] : []));
  const begun = performance.now();
  const { code, output } = await start(args, { CHIPP_AUTH_BIN: binary, CONFORMANCE_HOST: host });
  const seconds = (performance.now() - begun) / 1000;
  const read = (name) => {
    const path = readdirSync(out, { recursive: true }).find((each) => each.endsWith(name));
    return path === undefined ? undefined : readFileSync(join(out, path), 'utf8');
  };
  const checks = read('checks.json');
  return {
    scenario,
    revision,
    host,
    seconds,
    ended: code !== null,
    output,
    checks: checks === undefined ? undefined : JSON.parse(checks),
    driver: parse(read('stdout.txt')),
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
