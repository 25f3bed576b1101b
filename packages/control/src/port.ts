import type { Interest } from '@ringfence/interest';

/** The responder's side of the Control port: every agent it reaches, in one process or over streams. */
export interface ControlPlane {
  /** Whether commands for this host can be sent from here, now. */
  attached(hostId: string): boolean;
  /**
   * Sends a framed, signed Command; resolves to the agent's framed Result. Rejects with NotAttachedError or ControlLostError (fate `retriable`) when
   * the host isn't reached from here, or is no more: whether the command was carried out is then not known; ask again, an agent carries an id out once
   * and answers the second time with what came of the first. Rejects with `signal.reason` when aborted; has no deadline of its own beyond that.
   */
  execute(hostId: string, command: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** The Result of this command is on the bus: the agent may forget it. What is never acknowledged comes again after the agent's next reconnect. */
  acknowledge(hostId: string, commandId: string): void;
  /** For every agent attached now or later. Resolves when it is sent; an interest of a lower version than the last is ignored. */
  setInterest(interest: Interest): Promise<void>;
  /** Told of each host that attaches, and soon of those that are attached already. */
  onAttach(listener: (hostId: string) => void): Disposable;
}
