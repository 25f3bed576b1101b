/** What the agent and the process that reads evidence for it say to each other, as JSON. */
import type { EvidenceItem } from './chain.ts';
import type { CollectParameters } from './parameters.ts';

/** Descriptor on which the reading process writes messages, each on a line */
export const MESSAGES_FD = 3;
/** Descriptor of the folder /proc/PID of the process that is read: it never leads to a later process of the same pid */
export const TARGET_FD = 4;

export interface ReadRequest {
  /** `plan`: says only what would be collected */
  readonly mode: 'plan' | 'collect';
  readonly parameters: CollectParameters;
  /** Folder for finished contents */
  readonly directory: string;
  readonly limits: {
    readonly bytes: number;
    readonly seconds: number;
    readonly cpuSeconds: number;
    /** Seconds for which a stopped process is read */
    readonly freezeSeconds: number;
  };
  /** Whether a process was opened as TARGET_FD */
  readonly hasTarget: boolean;
  /** Path of YARA rules; empty: nothing is scanned */
  readonly rules: string;
  /** Pid of the agent */
  readonly parent: number;
}

export type ReadMessage =
  /** Sign of life, with what is read now */
  | { readonly type: 'at'; readonly place: string }
  /** Everything was copied from the process, which need not be stopped any longer. */
  | { readonly type: 'copied' }
  /** An item whose content is on disk, in the folder of the request */
  | { readonly type: 'item'; readonly item: EvidenceItem }
  /** What the scan of an earlier item has found */
  | {
      readonly type: 'matches';
      readonly sha256: string;
      readonly matches: EvidenceItem['matches'];
      readonly notes: readonly string[];
    }
  | { readonly type: 'note'; readonly note: string }
  | { readonly type: 'plan'; readonly targets: readonly string[]; readonly bytes: number; readonly files: number }
  | { readonly type: 'refused'; readonly reason: 'not-the-target' | 'not-possible'; readonly message: string }
  /** The last message. `cut`: the limit that ended the reading, or empty */
  | { readonly type: 'end'; readonly cut: string };
