import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { Interest } from '@ringfence/interest';
import type { Failpoint } from '@ringfence/service-kit';
import type { SigningKey } from '@ringfence/wire';
import type { CollectorOptions } from './config.ts';
import type { CommandKeys } from './control/control.ts';

export interface CollectorIdentity {
  /** UUID made at the agent's first start */
  readonly hostId: string;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
  /** Signs every batch */
  readonly key: SigningKey;
  readonly agentVersion: string;
}

export interface CollectorDeps {
  readonly options: CollectorOptions;
  /** The topics ringfence.raw and logs-raw must exist. */
  readonly bus: Pick<Bus, 'produce'>;
  readonly identity: CollectorIdentity;
  /**
   * Public keys whose commands are obeyed, by key id. In a fleet they change while the agent runs (`TrustedKeys` of
   * @ringfence/identity).
   */
  readonly trustedKeys: CommandKeys;
  readonly log: Log;
  /** What loaded content can match, if known before the start. @default writes, creates and `watchedPaths` */
  readonly interest?: Interest;
  /** Pid of the process that runs the rest of this program; tampering with it is reported as with the agent. */
  readonly partner?: number;
  /** For crash tests */
  readonly failpoint?: (point: Failpoint) => void;
}
