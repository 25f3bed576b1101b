import type { Control } from '@ringfence/schema';
import { NotAttachedError } from './errors.ts';
import type { ControlPlane } from './port.ts';

/** The one agent of this process, reached by a call. */
export function localControlPlane(control: Control): ControlPlane {
  const { hostId } = control;
  return {
    attached: (host) => host === hostId,
    async execute(host, command, signal) {
      signal?.throwIfAborted();
      if (host !== hostId) throw new NotAttachedError(host);
      return orAborted(control.execute(command), signal);
    },
    // Whoever called has the answer, or both are gone.
    acknowledge() {},
    setInterest: (interest) => control.setInterest(interest),
    onAttach(listener) {
      let wanted = true;
      queueMicrotask(() => {
        if (wanted) listener(hostId);
      });
      return {
        [Symbol.dispose]: () => {
          wanted = false;
        },
      };
    },
  };
}

/** Resolves with the result of `work`. Rejects with the signal's reason when it aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return promise;
}
