import type { RefusedReason } from '../../errors.ts';

/** Why nothing is read. The agent makes an ActionRefusedError of it. */
export class Refusal extends Error {
  readonly reason: Extract<RefusedReason, 'not-the-target' | 'not-possible'>;

  constructor(reason: Refusal['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}
