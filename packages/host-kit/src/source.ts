import type { ContainerFact, Finding, HostFact, MountFact, ThrottledCount } from './facts.ts';

/** What only the host knows, on its way into the batch that is being filled. Called between `start` and `close` of a source only. */
export interface ContextSink {
  user(uid: number, name: string): void;
  container(container: ContainerFact): void;
  mount(mount: MountFact): void;
  host(host: HostFact): void;
  finding(finding: Finding): void;
  throttled(throttled: ThrottledCount): void;
}

/** Where context comes from. Sources are asked, never call on their own: what they emit lands in the batch that is open at that moment. */
export interface EnrichmentSource {
  readonly name: string;
  /** Emits all there is. */
  start(sink: ContextSink): void;
  /** Once a second: emits what has changed. */
  tick(): void;
  close(): void;
}

export type Guard = (run: () => void) => void;
export type OnSourceError = (name: string, error: Error) => void;
const MESSAGES_MAX = 100;

/** An error of a source never stops the pipeline: it is logged once per message and the old knowledge stays. */
export function guardOf(name: string, onError: OnSourceError): Guard {
  const seen = new Set<string>();
  return (run) => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (seen.size >= MESSAGES_MAX || seen.has(error.message)) return;
      seen.add(error.message);
      onError(name, error);
    }
  };
}

export function guardSource(source: EnrichmentSource, onError: OnSourceError): EnrichmentSource {
  const guarded = guardOf(source.name, onError);
  return {
    name: source.name,
    start: (sink) => guarded(() => source.start(sink)),
    tick: () => guarded(() => source.tick()),
    close: () => source.close(),
  };
}
