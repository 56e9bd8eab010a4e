// What a person reads of it.
import { CURRENT } from './suite.mjs';

const HOSTS = ['legacy', 'modern', 'dual'];
/** Of one run. What the user saw comes first, and mostly explains the rest. */
const MOST_LINES = 4;

/** Scenarios down, revisions and clients across; in a cell the checks that held, of those that were made. */
export function table(results) {
  const revisions = [...new Set(results.map(place))].sort();
  const names = [...new Set(results.map(({ scenario }) => scenario))];
  const width = Math.max(...names.map((name) => name.length));
  const row = (name, cells) =>
    `  ${name.padEnd(width)}  ${cells.map((cell) => cell.padEnd(17)).join(' ')}`.trimEnd();
  const cell = (name, revision) => {
    const run = results.find((each) => each.scenario === name && place(each) === revision);
    return run === undefined ? '' : `${run.passed ? 'ok' : 'FAIL'} ${run.good}/${run.made}`;
  };
  const rows = names.map((name) => row(name, revisions.map((revision) => cell(name, revision))));
  return [row('', revisions), ...rows].join('\n');
}

/** Why what failed failed, what is left out, and what is so for no reason any more. */
export function details(results, { exceptions, stale }) {
  return [
    section('failed', results.filter(({ passed }) => !passed).flatMap(failed)),
    section('left out or excused, in exceptions.json', exceptions.map(excuse)),
    section('no longer needed there', stale.map(excuse)),
  ].join('');
}

/** How many passed. */
export function summary(results) {
  const auth = ({ scenario }) => scenario.startsWith('auth/');
  const rows = [
    ['authorization', results.filter(auth)],
    ...HOSTS.map((host) => [
      `others, with a ${host} client`,
      results.filter((each) => !auth(each) && each.host === host),
    ]),
    [`all at ${CURRENT.join(' and ')}`, results.filter(({ revision }) => CURRENT.includes(revision))],
  ];
  const passed = (runs) => `${runs.filter((run) => run.passed).length} of ${runs.length} runs passed`;
  return rows.map(([name, runs]) => `\n${name}: ${passed(runs)}`).join('');
}

function section(heading, lines) {
  return lines.length === 0 ? '' : `\n${heading}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** Where in the table a run stands. */
const place = ({ revision, host }) => `${revision} ${host}`;

function failed({ scenario, revision, host, failures }) {
  const lines = failures.slice(0, MOST_LINES).map(({ check, why }) => `    ${check}: ${why}`);
  const more = failures.length - lines.length;
  return [`${scenario} at ${revision}, with a ${host} client`, ...lines, ...(more > 0 ? [`    and ${more} more`] : [])];
}

function excuse({ scenario, revision, host, check, reason }) {
  const where = [scenario, revision && `at ${revision}`, host && `with a ${host} client`, check && `(${check})`].filter(Boolean).join(' ');
  return `${where}: ${reason}`;
}
