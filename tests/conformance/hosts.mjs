// The kinds of MCP client ("host") that start the proxy, and what each of them speaks.
//
//   legacy  `initialize`, at the scenario's revision or the last one that has it; the default of most clients
//   modern  2026-07-28 and nothing else: no `initialize`, each request says who asks
//   dual    asks `server/discover` first, and speaks what the answer says

/** The first revision without sessions. */
export const STATELESS = '2026-07-28';
const LAST_LEGACY = '2025-11-25';

/** The revision that a host speaks in a scenario of `revision`; a dual one as long as it has no answer. */
export function wire(host, revision) {
  if (host !== 'legacy') return STATELESS;
  return revision < STATELESS ? revision : LAST_LEGACY;
}

/** The revision that a host must come to speak there. */
export function spoken(host, revision) {
  return host === 'dual' ? revision : wire(host, revision);
}

/**
 * The hosts that a run is repeated with. Authorization does not depend on them, so there one is enough. A host that
 * speaks 2026-07-28 alone cannot speak to an older server: MCP leaves this pair out, and says what both sides then
 * do; it is tested in tests/proxy.
 */
export function hosts({ scenario, revision }) {
  const own = revision < STATELESS ? 'legacy' : 'modern';
  if (scenario.startsWith('auth/')) return [own];
  return revision < STATELESS ? [own, 'dual'] : [own, 'dual', 'legacy'];
}
