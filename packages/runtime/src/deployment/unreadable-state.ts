import { OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';

const STATE_ERRORS = ['ERR_ENRICHER_STATE', 'ERR_DETECTOR_STATE', 'ERR_RESPONDER_STATE'];

/**
 * Completes a service's error about unreadable state with the file of the embedded log, which a service does not know,
 * and with the command to start without that file. Returns any other error as it is.
 */
export function withStateFile(error: unknown, { bus }: Pick<Config, 'bus'>): unknown {
  if (!(error instanceof Error && 'code' in error && STATE_ERRORS.includes(String(error.code)))) return error;
  if (bus.driver !== 'embedded') return error;
  const { path } = bus.embedded;
  return new OperatorError(
    `${error.message}. The state is in ${shellQuoted(path)}, the log of the bus. ` +
      `To start without it: mv ${shellQuoted(path)} ${shellQuoted(`${path}.old`)}. This also removes the rest of the log: ` +
      'stored events and recordings, input that no service has read yet, waiting commands, and the state of every service ' +
      '(processes, chains, counts and sequences of rules, first-seen values). The audit trail stays.',
    { cause: error },
  );
}

const shellQuoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
