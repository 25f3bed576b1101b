import type { Interest } from '@ringfence/interest';

/** The responder's side of the Control port: all agents it can reach, in this process or over streams. */
export interface ControlPlane {
  /** Whether commands for this host can be sent from here now. */
  attached(hostId: string): boolean;
  /**
   * Sends a framed, signed Command and resolves to the agent's framed Result. Rejects with NotAttachedError or
   * ControlLostError (fate `retriable`) when the host is not attached, or its stream ends before the Result arrives.
   * Whether the command was executed is then unknown: send it again, because an agent executes an id once and returns
   * the same Result for a repeated command. Rejects with `signal.reason` when aborted; there is no other deadline.
   */
  execute(hostId: string, command: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Reports that the command's Result is on the bus, so the agent may forget it. The agent sends unacknowledged Results
   * again after its next reconnect.
   */
  acknowledge(hostId: string, commandId: string): void;
  /** Sets the interest of all agents, attached now or later. Resolves when it is sent. Ignores older versions. */
  setInterest(interest: Interest): Promise<void>;
  /** Calls `listener` for each host that attaches, and shortly for each host that is already attached. */
  onAttach(listener: (hostId: string) => void): Disposable;
}
