// Which client speaks what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hosts, spoken, wire } from './hosts.mjs';

test('a legacy client never speaks the newer revision, a modern one nothing else', () => {
  assert.equal(wire('legacy', '2025-06-18'), '2025-06-18');
  assert.equal(wire('legacy', '2026-07-28'), '2025-11-25');
  assert.equal(wire('modern', '2026-07-28'), '2026-07-28');
});

test('a dual client must come to speak what the scenario is about', () => {
  for (const revision of ['2025-11-25', '2026-07-28']) {
    assert.equal(wire('dual', revision), '2026-07-28');
    assert.equal(spoken('dual', revision), revision);
  }
});

test('each scenario has the client of its own time; authorization no other', () => {
  assert.deepEqual(hosts({ scenario: 'auth/dpop', revision: '2025-11-25' }), ['legacy']);
  assert.deepEqual(hosts({ scenario: 'auth/dpop', revision: '2026-07-28' }), ['modern']);
  for (const [revision, own] of [['2025-11-25', 'legacy'], ['2026-07-28', 'modern']]) {
    assert(hosts({ scenario: 'tools_call', revision }).includes(own));
  }
});
