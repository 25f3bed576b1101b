import type { ContainerFact, Finding, HostFact, MountFact, ThrottledCount } from './facts.ts';

/** Adds facts about the host to the batch that is being filled. Sources call it only between `start` and `close`. */
export interface ContextSink {
  user(uid: number, name: string): void;
  container(container: ContainerFact): void;
  mount(mount: MountFact): void;
  host(host: HostFact): void;
  finding(finding: Finding): void;
  throttled(throttled: ThrottledCount): void;
}

/**
 * A source of facts about the host. Sources emit only when they are called, so that their facts go into the batch that
 * is open at that moment.
 */
export interface EnrichmentSource {
  readonly name: string;
  /** Emits all facts. */
  start(sink: ContextSink): void;
  /** Emits the facts that have changed. Called once a second. */
  tick(): void;
  close(): void;
}

export type Guard = (run: () => void) => void;
export type OnSourceError = (name: string, error: Error) => void;
const MESSAGES_MAX = 100;

/** Makes a guard that reports each error message once and keeps errors of a source from stopping the pipeline. */
export function createGuard(name: string, onError: OnSourceError): Guard {
  const reported = new Set<string>();
  return (run) => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (reported.size >= MESSAGES_MAX || reported.has(error.message)) return;
      reported.add(error.message);
      onError(name, error);
    }
  };
}

/** Guards `start` and `tick` of a source. When one fails, the facts that it emitted before stay in force. */
export function guardSource(source: EnrichmentSource, onError: OnSourceError): EnrichmentSource {
  const guard = createGuard(source.name, onError);
  return {
    name: source.name,
    start: (sink) => guard(() => source.start(sink)),
    tick: () => guard(() => source.tick()),
    close: () => source.close(),
  };
}
