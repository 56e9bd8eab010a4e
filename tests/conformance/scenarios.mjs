// What a user does in each scenario, by the options that he gives, and what he then sees. The suite looks from
// the side of the servers and knows nothing of this.
//
//   options(context, file)  further arguments of `proxy`; file(text) makes a file of its user's alone
//   secret(context)         the client secret, which goes through the environment
//   refused                 the name of the error that every request must be answered with, if none may work
//   tabs                    how often the browser opens; a list says between how many and how many
//   proves                  checks that must be there and hold; the suite is content without them

/** One sign-in, after which everything works. */
const SIGN_IN = { options: () => [], secret: () => undefined, tabs: 1, proves: [] };
/** Nobody is asked: these ways are for machines. */
const WITHOUT_BROWSER = { tabs: 0 };
const byId = ({ client_id: id }) => ['--client-id', id];
const secret = (context) => context.client_secret;

const AUTH = {
  'auth/authorization-server-migration': { tabs: 2 },
  'auth/basic-cimd': {
    options: () => ['--client-metadata-url', 'https://conformance-test.local/client-metadata.json'],
  },
  'auth/client-credentials-basic': {
    ...WITHOUT_BROWSER,
    options: (context) => ['--client-credentials', ...byId(context)],
    secret,
  },
  'auth/client-credentials-jwt': {
    ...WITHOUT_BROWSER,
    options: (context, file) => [
      '--client-credentials',
      ...byId(context),
      '--client-key',
      file(context.private_key_pem),
    ],
  },
  'auth/dpop': { options: () => ['--dpop'] },
  'auth/dpop-nonce': { options: () => ['--dpop'] },
  'auth/enterprise-managed-authorization': {
    ...WITHOUT_BROWSER,
    options: (context, file) => [
      ...byId(context),
      ...['--idp', context.idp_issuer],
      ...['--idp-client-id', context.idp_client_id],
      ...['--id-token-file', file(context.idp_id_token)],
    ],
    secret,
  },
  'auth/iss-normalized': { refused: 'issuer-mismatch' },
  'auth/iss-supported-missing': { refused: 'issuer-mismatch' },
  'auth/iss-unexpected': { refused: 'issuer-mismatch' },
  'auth/iss-wrong-issuer': { refused: 'issuer-mismatch' },
  'auth/metadata-issuer-mismatch': { refused: 'issuer-mismatch', tabs: 0 },
  'auth/offline-access-scope': { proves: ['sep-2207-offline-access-requested'] },
  'auth/pre-registration': { options: byId, secret },
  'auth/resource-mismatch': { refused: 'wrong-origin', tabs: 0 },
  'auth/scope-retry-limit': { refused: 'scope-required', tabs: [1, 3] },
  'auth/scope-step-up': { tabs: 2 },
  'auth/wif-jwt-bearer': {
    ...WITHOUT_BROWSER,
    options: (context, file) => [...byId(context), '--assertion-file', file(context.valid_jwt)],
  },
};

/** What is peculiar about a scenario. */
export function scenario(name) {
  const tabs = name.startsWith('auth/') ? {} : WITHOUT_BROWSER;
  return { ...SIGN_IN, ...tabs, ...AUTH[name] };
}
