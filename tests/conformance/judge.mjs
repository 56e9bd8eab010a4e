// What a run is worth. The suite's own exit code is not enough: in scenarios about bad servers it lets a
// client fail for any reason, and a check that is not there is no fault to it.
//
// An exception is {scenario, revision?, host?, check?, reason}: the check of that name is excused, or, without one,
// the run is left out. A revision and a kind of client narrow it down.
import { scenario } from './scenarios.mjs';

/** The judgement of a run: {passed, failures: [{check, why}], excused, good, made}. Warnings fail. */
export function judge(run, exceptions) {
  const about = exceptions.filter((each) => concerns(each, run));
  const late = [{ check: 'run', why: 'was not done in time' }];
  const found = run.ended ? [...userFailures(run), ...checkFailures(run)] : late;
  const excused = about.filter((each) => found.some(({ check }) => check === each.check));
  const failures = found.filter(({ check }) => !excused.some((each) => each.check === check));
  const made = (run.checks ?? []).filter(({ status }) => ['SUCCESS', 'FAILURE', 'WARNING'].includes(status));
  const good = made.filter(({ status }) => status === 'SUCCESS').length;
  return { passed: failures.length === 0, failures, excused, good, made: made.length };
}

/** Whether a run is left out. */
export function omitted(run, exceptions) {
  return exceptions.some((each) => each.check === undefined && concerns(each, run));
}

/** The exceptions that nothing needs any more; left where they are, they would hide the next fault. */
export function needless(exceptions, { all, results }) {
  return exceptions.filter((each) => {
    if (!all.some((run) => concerns(each, run))) return true;
    const about = results.filter((run) => concerns(each, run));
    return each.check !== undefined && about.length > 0 && !about.some(({ excused }) => excused.includes(each));
  });
}

function concerns(exception, run) {
  const fits = (name) => (exception[name] ?? run[name]) === run[name];
  return exception.scenario === run.scenario && fits('revision') && fits('host');
}

function checkFailures({ scenario: name, checks, output }) {
  if (checks === undefined) {
    return [{ check: 'run', why: `the suite gave no result: ${output.trim().slice(-300)}` }];
  }
  const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  const failures = bad.map(({ id, status, description, errorMessage }) => ({
    check: id,
    why: `${status === 'WARNING' ? 'warning: ' : ''}${errorMessage ?? description}`,
  }));
  const held = new Set(checks.filter(({ status }) => status === 'SUCCESS').map(({ id }) => id));
  const missing = scenario(name).proves.filter((id) => !held.has(id));
  failures.push(...missing.map((check) => ({ check, why: 'was not seen to hold' })));
  if (held.size === 0) failures.push({ check: 'run', why: 'nothing was seen to hold' });
  return failures;
}

/** What the user saw, as against what scenarios.mjs expects. */
function userFailures({ driver }) {
  const problems = driver?.problems ?? ['the driver did not report'];
  return problems.map((why) => ({ check: 'user', why }));
}
