// The judge by itself: a gate that lets everything through looks like one through which everything may go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, needless, omitted } from './judge.mjs';

const held = { id: 'held', status: 'SUCCESS', description: 'it held' };
const run = (more) => ({
  scenario: 'auth/metadata-default',
  revision: '2025-11-25',
  host: 'legacy',
  ended: true,
  output: '',
  checks: [held],
  driver: { problems: [] },
  ...more,
});
const failures = (more, exceptions = []) => judge(run(more), exceptions).failures.map(({ check }) => check);

test('a run passes if its checks hold and its user is content', () => {
  const { passed, good, made } = judge(run({ checks: [held, { id: 'note', status: 'INFO' }] }), []);
  assert.deepEqual({ passed, good, made }, { passed: true, good: 1, made: 1 });
});

test('failures and warnings fail', () => {
  for (const status of ['FAILURE', 'WARNING']) {
    assert.deepEqual(failures({ checks: [held, { id: 'broken', status, description: 'no' }] }), ['broken']);
  }
});

test('what did not happen does not pass', () => {
  assert.deepEqual(failures({ ended: false, checks: undefined, driver: undefined }), ['run']);
  assert.deepEqual(failures({ checks: undefined }), ['run']);
  assert.deepEqual(failures({ checks: [] }), ['run']);
  assert.deepEqual(failures({ checks: [{ ...held, status: 'INFO' }] }), ['run']);
  assert.deepEqual(failures({ driver: undefined }), ['user']);
  assert.deepEqual(failures({ driver: { problems: ['the browser was opened twice'] } }), ['user']);
  assert.deepEqual(failures({ scenario: 'auth/offline-access-scope' }), ['sep-2207-offline-access-requested']);
});

test('an exception excuses its check of its run only', () => {
  const broken = { checks: [held, { id: 'broken', status: 'FAILURE' }, { id: 'other', status: 'FAILURE' }] };
  const exception = { scenario: 'auth/metadata-default', check: 'broken', reason: 'so' };
  assert.deepEqual(failures(broken, [exception]), ['other']);
  assert.deepEqual(failures(broken, [{ ...exception, revision: '2026-07-28' }]), ['broken', 'other']);
  assert.deepEqual(failures(broken, [{ ...exception, host: 'legacy' }]), ['other']);
  assert.deepEqual(failures(broken, [{ ...exception, host: 'dual' }]), ['broken', 'other']);
  assert.deepEqual(failures(broken, [{ ...exception, scenario: 'auth/dpop' }]), ['broken', 'other']);
});

test('only an exception without a check leaves a run out', () => {
  const whole = { scenario: 'auth/metadata-default', reason: 'so' };
  assert(omitted(run(), [whole]));
  assert(!omitted(run(), [{ ...whole, check: 'held' }]));
  assert(!omitted(run(), [{ ...whole, revision: '2026-07-28' }]));
  assert(!omitted(run(), [{ ...whole, scenario: 'auth' }]));
});

test('an exception that nothing needs is noticed', () => {
  const exception = { scenario: 'auth/metadata-default', check: 'broken', reason: 'so' };
  const judged = (checks) => [{ ...run(), ...judge(run({ checks }), [exception]) }];
  const all = [run()];
  const stale = (results) => needless([exception], { all, results });
  assert.deepEqual(stale(judged([held])), [exception]);
  assert.deepEqual(stale(judged([held, { id: 'broken', status: 'FAILURE' }])), []);
  assert.deepEqual(stale([]), [], 'the run was not asked for');
  assert.deepEqual(needless([exception], { all: [], results: [] }), [exception], 'no such scenario');
});
