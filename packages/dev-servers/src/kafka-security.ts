import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestCa, type TestCa } from './certificates.ts';
import { TestServerError } from './errors.ts';
import type { Settings } from './kafka-settings.ts';
import { AUDIENCE, createTokenIssuer, ISSUER, type TokenIssuer } from './tokens.ts';

/**
 * Requirements on clients. plain: none; sasl: a password (PLAIN, SCRAM-SHA-512) or a token (OAUTHBEARER); sasl-tls: the
 * same over TLS; tls: trust in the authority; mtls: a certificate of the authority, its common name is the principal.
 */
export type KafkaSecurity = 'plain' | 'sasl' | 'sasl-tls' | 'tls' | 'mtls';

export interface SecurityOptions {
  /** @default plain */
  readonly security?: KafkaSecurity;
  /** Passwords by name, besides the superuser `admin` (password `admin-secret`). */
  readonly users?: Readonly<Record<string, string>>;
  /** false: every client can do everything. @default true: sasl, sasl-tls and mtls need ACLs, which `admin` creates */
  readonly acls?: boolean;
  /** Authority of the brokers' certificates and of those that they accept. @default a new authority */
  readonly ca?: TestCa;
}

export interface ClusterSecurity {
  readonly users: Readonly<Record<string, string>>;
  readonly ca: TestCa | undefined;
  readonly tokens: TokenIssuer;
  /** Protocol of the CLIENT listener. */
  readonly protocol: string;
  readonly settings: Settings;
  /** Arguments of Kafka's format tool: SCRAM users. */
  readonly formatArguments: readonly string[];
  /** Flags of Java. */
  readonly properties: readonly string[];
}

const PROTOCOLS: Readonly<Record<KafkaSecurity, string>> = {
  plain: 'PLAINTEXT',
  sasl: 'SASL_PLAINTEXT',
  'sasl-tls': 'SASL_SSL',
  tls: 'SSL',
  mtls: 'SSL',
};
const LISTENER = 'listener.name.client';
const SECURITY = 'org.apache.kafka.common.security';
/** Names and passwords are written to Kafka's configuration unescaped. */
const PLAIN_TEXT = /^[\w.-]+$/;

function checkUsers(users: Readonly<Record<string, string>>): void {
  for (const [name, password] of Object.entries(users)) {
    if (PLAIN_TEXT.test(name) && PLAIN_TEXT.test(password)) continue;
    throw new TestServerError(
      'ERR_TESTKIT_USER',
      `user ${name}: name and password can contain only letters, digits, . _ -`,
    );
  }
}

function saslSettings(users: Readonly<Record<string, string>>, jwksUrl: string): Settings {
  const plain = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512,OAUTHBEARER',
    [`${LISTENER}.plain.sasl.jaas.config`]: `${SECURITY}.plain.PlainLoginModule required ${plain.join(' ')};`,
    [`${LISTENER}.scram-sha-512.sasl.jaas.config`]: `${SECURITY}.scram.ScramLoginModule required;`,
    [`${LISTENER}.oauthbearer.sasl.jaas.config`]: `${SECURITY}.oauthbearer.OAuthBearerLoginModule required;`,
    [`${LISTENER}.oauthbearer.sasl.server.callback.handler.class`]: `${SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    [`${LISTENER}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`]: jwksUrl,
    [`${LISTENER}.oauthbearer.sasl.oauthbearer.expected.audience`]: AUDIENCE,
    [`${LISTENER}.oauthbearer.sasl.oauthbearer.expected.issuer`]: ISSUER,
  };
}

async function tlsSettings(ca: TestCa, directory: string, clientAuth: boolean): Promise<Settings> {
  const { certificate, key } = await ca.issue('broker');
  writeFileSync(join(directory, 'keystore.pem'), `${key}${certificate}${ca.certificate}`, { mode: 0o600 });
  writeFileSync(join(directory, 'truststore.pem'), ca.certificate);
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(directory, 'keystore.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(directory, 'truststore.pem'),
    'ssl.client.auth': clientAuth ? 'required' : 'none',
    'ssl.principal.mapping.rules': 'RULE:^.*CN=([^,]+).*$/$1/,DEFAULT',
  };
}

/** Brokers connect to each other (listener INTERNAL) as ANONYMOUS. */
function aclSettings(everyone: boolean): Settings {
  return {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:admin',
    'allow.everyone.if.no.acl.found': everyone,
  };
}

/** Creates the security settings of the nodes of one cluster, with their files in `directory`. */
export async function securityOf(options: SecurityOptions, directory: string): Promise<ClusterSecurity> {
  const security = options.security ?? 'plain';
  const users = { admin: 'admin-secret', ...options.users };
  checkUsers(users);
  const sasl = security === 'sasl' || security === 'sasl-tls';
  const ca = PROTOCOLS[security].endsWith('SSL') ? (options.ca ?? (await createTestCa())) : undefined;
  const tokens = createTokenIssuer();
  const jwks = join(directory, 'jwks.json');
  writeFileSync(jwks, tokens.jwks);
  const scram = Object.entries(users).map(([name, password]) => `SCRAM-SHA-512=[name=${name},password=${password}]`);
  return {
    users,
    ca,
    tokens,
    protocol: PROTOCOLS[security],
    settings: {
      ...(sasl ? saslSettings(users, `file://${jwks}`) : {}),
      ...(ca === undefined ? {} : await tlsSettings(ca, directory, security === 'mtls')),
      ...(sasl || security === 'mtls' ? aclSettings(options.acls === false) : {}),
    },
    formatArguments: sasl ? scram.flatMap((user) => ['--add-scram', user]) : [],
    properties: sasl ? [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${jwks}`] : [],
  };
}
