import { OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';

const STATE_ERRORS = ['ERR_ENRICHER_STATE', 'ERR_DETECTOR_STATE', 'ERR_RESPONDER_STATE'];

/** A service can't read what it remembered, and doesn't know where that lies. */
export function withStore(error: unknown, { bus }: Pick<Config, 'bus'>): unknown {
  if (!(error instanceof Error && 'code' in error && STATE_ERRORS.includes(String(error.code)))) return error;
  if (bus.driver !== 'embedded') return error;
  const { path } = bus.embedded;
  return new OperatorError(
    `${error.message}. It lies in ${quoted(path)}, the log of the bus. To start anew: mv ${quoted(path)} ${quoted(`${path}.old`)}. ` +
      'All that goes with the bus: events and recordings that are kept, what no service has read yet, commands that wait, ' +
      'and what every service remembers (processes, chains, counts and sequences of rules, what was seen before). The audit trail stays.',
    { cause: error },
  );
}

/** As a shell takes it whole. */
const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
