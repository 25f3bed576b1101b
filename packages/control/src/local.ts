import type { Control } from './agent-control.ts';
import { NotAttachedError } from './errors.ts';
import type { ControlPlane } from './port.ts';

/** Control plane of the single agent in this process, without a network. */
export function localControlPlane(control: Control): ControlPlane {
  const { hostId } = control;
  return {
    attached: (host) => host === hostId,
    async execute(host, command, signal) {
      signal?.throwIfAborted();
      if (host !== hostId) throw new NotAttachedError(host);
      return orAborted(control.execute(command), signal);
    },
    // The Result was returned within this process; there is nothing to resend.
    acknowledge() {},
    setInterest: (interest) => control.setInterest(interest),
    onAttach(listener) {
      let subscribed = true;
      queueMicrotask(() => {
        if (subscribed) listener(hostId);
      });
      return {
        [Symbol.dispose]: () => {
          subscribed = false;
        },
      };
    },
  };
}

/** Settles like `work`, or rejects with the signal's reason when it aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return promise;
}
