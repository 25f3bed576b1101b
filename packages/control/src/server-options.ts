import type { Enrolments, TlsSource } from '@ringfence/identity';
import type { ControlLog } from './log.ts';
import type { ControlPlane } from './port.ts';

export interface ServeControlOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0: any free one */
  readonly port: number;
  readonly tls: TlsSource;
  /** Who is enrolled: agents whose certificate is not in force are refused and cut, and all learn the responders' keys. */
  readonly enrolments: Pick<Enrolments, 'isInForce' | 'withRole' | 'onChange'>;
  /** Stores a Result that nobody here waits for: its stream had broken. Once it resolves, the agent may forget the Result. */
  readonly onResult: (hostId: string, result: Uint8Array) => Promise<void>;
  readonly log: ControlLog;
  /** Either side says that it is there so often; three times as long without a word ends the stream, ms. @default 10 s */
  readonly heartbeatMs?: number;
  /** @default 5 s */
  readonly helloTimeoutMs?: number;
  /** Streams at once; further ones are sent to another responder. @default 20,000 */
  readonly maxAgents?: number;
}

/** Why streams were refused or ended by us. */
export type Cut = 'refused' | 'full' | 'replaced' | 'silent' | 'not-in-force' | 'misbehaved' | 'not-stored';

export interface ControlServerStats {
  readonly attached: number;
  /** commands that were sent down and not answered yet */
  readonly waiting: number;
  readonly commands: number;
  readonly results: number;
  /** of these, the ones that came after a reconnect */
  readonly resumed: number;
  readonly cut: Readonly<Record<Cut, number>>;
}

export interface ControlServer extends ControlPlane, AsyncDisposable {
  readonly port: number;
  stats(): ControlServerStats;
  /** Ends all streams, which go to another responder. */
  close(): Promise<void>;
}
