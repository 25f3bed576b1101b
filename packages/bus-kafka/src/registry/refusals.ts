import { type Log, LogThrottle } from '@ringfence/base';

const LOG_AGAIN_MS = 60_000;

export interface RefusalStats {
  /** Unknown schemas that no enrolled service had signed, and invalid schemas. */
  readonly schemasRefused: number;
  /** Schemas with the fingerprint of another schema: somebody made them. */
  readonly schemasConflicting: number;
}

export type Refusal = 'unsigned' | 'invalid' | 'conflict';

const MESSAGES: Readonly<Record<Refusal, string>> = {
  unsigned:
    'a schema that no enrolled service has signed is ignored; if a service of this fleet needs it, upgrade that service',
  invalid: 'a schema that can not be used safely is ignored: find out who may write schemas',
  conflict:
    'a second schema with the fingerprint of a known one is ignored: somebody has made it, find out who may write schemas',
};

/** Counts and logs the schemas that are not learnt. */
export class SchemaRefusals {
  readonly #log: Log | undefined;
  readonly #throttle = new LogThrottle(LOG_AGAIN_MS);
  readonly stats = { schemasRefused: 0, schemasConflicting: 0 };

  constructor(log?: Log) {
    this.#log = log;
  }

  /** `facts` names where the schema was found. */
  refuse(reason: Refusal, facts: object): void {
    if (reason === 'conflict') this.stats.schemasConflicting++;
    else this.stats.schemasRefused++;
    const suppressed = this.#throttle.shouldLog(reason);
    if (suppressed !== null) this.#log?.error({ ...facts, reason, suppressed }, MESSAGES[reason]);
  }
}
