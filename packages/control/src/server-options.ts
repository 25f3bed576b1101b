import type { Log } from '@ringfence/base';
import type { Enrolments, FleetStanding, TlsSource } from '@ringfence/identity';
import type { ControlPlane } from './port.ts';

export interface ServeControlOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 selects a free port */
  readonly port: number;
  readonly tls: TlsSource;
  /**
   * Enrolments of the fleet: agents whose certificate is not in force are refused and disconnected, and all agents
   * receive the responders' keys
   */
  readonly enrolments: Pick<Enrolments, 'isInForce' | 'withRole' | 'onChange'>;
  /** The fleet's newest standing, which all agents receive */
  readonly standing: Pick<FleetStanding, 'bytes' | 'onChange'>;
  /** Stores a Result whose stream broke before it arrived. The agent may forget it once this resolves. */
  readonly onResult: (hostId: string, result: Uint8Array) => Promise<void>;
  readonly log: Log;
  /** Interval of heartbeats in both directions, ms. Three intervals without a message end the stream. @default 10 s */
  readonly heartbeatMs?: number;
  /** @default 5 s */
  readonly helloTimeoutMs?: number;
  /** Maximum number of streams; further agents are refused and try another responder. @default 20,000 */
  readonly maxAgents?: number;
}

/** Reason why this responder refused or ended a stream. */
export type DisconnectReason =
  | 'refused'
  | 'full'
  | 'replaced'
  | 'silent'
  | 'not-in-force'
  | 'misbehaved'
  | 'not-stored';

export interface ControlServerStats {
  readonly attached: number;
  /** Commands that are waiting for their Result */
  readonly waiting: number;
  readonly commands: number;
  readonly results: number;
  /** Results that arrived after a reconnect */
  readonly resumed: number;
  readonly disconnects: Readonly<Record<DisconnectReason, number>>;
}

export interface ControlServer extends ControlPlane, AsyncDisposable {
  readonly port: number;
  stats(): ControlServerStats;
  /** Ends all streams; the agents connect to another responder. */
  close(): Promise<void>;
}
